//! A site on the loopback whose pages a test writes, and that remembers what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};

/// A site that listens until it is dropped.
pub(crate) struct WebSite {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: HashMap<String, Vec<Answer>>,
    asked: Vec<(String, HeaderMap)>,
}

/// What is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn page(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::of(200).with("content-type", kind) }
    }

    pub(crate) fn html(body: &str) -> Self {
        Self::page("text/html", body)
    }

    pub(crate) fn to(target: &str) -> Self {
        Self::of(302).with("location", target)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl WebSite {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let heard = Arc::clone(&shared);
        let router = Router::new().fallback(move |request: Request<Body>| {
            let answer = answer(&heard, &request);
            async move { answer }
        });
        #[expect(clippy::disallowed_methods, reason = "a site of a test, not a turn")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers a path from now on; with several answers each is given once, and the last one again and again.
    pub(crate) fn answer(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.shared.lock().unwrap().answers.insert(path.to_owned(), answers.into_iter().collect());
    }

    /// A map at `/sitemap.xml` of these paths or addresses.
    pub(crate) fn map(&self, pages: &[&str]) {
        let locs = pages.iter().map(|page| {
            let address = if page.starts_with('/') { self.url(page) } else { (*page).to_owned() };
            format!("<url><loc>{address}</loc></url>")
        });
        let map = format!("<urlset>{}</urlset>", locs.collect::<String>());
        self.answer("/sitemap.xml", [Answer::page("application/xml", map)]);
    }

    /// The paths that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.iter().map(|(path, _)| path.clone()).collect()
    }

    /// A header of the first request for a path.
    pub(crate) fn header(&self, path: &str, name: &str) -> Option<String> {
        let shared = self.shared.lock().unwrap();
        let (_, headers) = shared.asked.iter().find(|(asked, _)| asked == path)?;
        Some(headers.get(name)?.to_str().unwrap().to_owned())
    }
}

impl Drop for WebSite {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn answer(shared: &Mutex<Shared>, request: &Request<Body>) -> Response<Body> {
    let mut shared = shared.lock().unwrap();
    let path = request.uri().to_string();
    shared.asked.push((path.clone(), request.headers().clone()));
    let answer = match shared.answers.get_mut(&path) {
        Some(answers) if answers.len() > 1 => answers.remove(0),
        Some(answers) => answers[0].clone(),
        None => Answer::of(404),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
