//! Browsers: who is whom with cookies and without, which pages may do what, and what every answer tells them.

mod pages;
mod signing_in;
mod visitors;

use chatkit_gateway::app::App;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::house::House;

/// A listed origin.
const BOOK: &str = "https://book.example.org";
/// One that nobody listed.
const EVIL: &str = "https://evil.example.net";

/// A browser: what it keeps, and the page that is open in it.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// With a page of this server.
    fn at_home() -> Self {
        Self::default().saying("sec-fetch-site", "same-origin")
    }

    /// With a page of another origin, which sends cookies.
    fn at(origin: &str) -> Self {
        Self::default().saying("sec-fetch-site", "cross-site").saying("origin", origin)
    }

    fn saying(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same browser with a page of another origin.
    fn moved_to(&self, origin: &str) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::at(origin) }
    }

    fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push((name.to_owned(), value.to_owned()));
        self
    }

    fn request(&self, house: &House, method: &str, path: &str) -> reqwest::RequestBuilder {
        let mut request = house.stranger().request(method, path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        request
    }

    /// Posts, and keeps the cookies of the answer as a browser does.
    async fn post(&mut self, house: &House, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let answer = house.stranger().send(self.request(house, "POST", path).body(body)).await;
        self.keep(&answer.headers);
        answer
    }

    async fn ask(&mut self, house: &House, kind: &str, params: Value) -> Answer {
        self.post(house, "/chatkit", json!({"type": kind, "params": params}).to_string()).await
    }

    /// Begins a thread; its id.
    async fn create(&mut self, house: &House, text: &str) -> String {
        let input = crate::support::client::input(text);
        let answer = self.ask(house, "threads.create", json!({"input": input})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let events = answer.body.as_str().unwrap();
        let first = events.lines().next().unwrap().strip_prefix("data: ").unwrap();
        serde_json::from_str::<Value>(first).unwrap()["thread"]["id"].as_str().unwrap().to_owned()
    }

    /// The ids of the threads that the server lists.
    async fn list(&mut self, house: &House) -> Vec<String> {
        let answer = self.ask(house, "threads.list", json!({})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let threads = answer.body["data"].as_array().unwrap();
        threads.iter().map(|thread| thread["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The status of opening a thread by its id.
    async fn open(&mut self, house: &House, thread_id: &str) -> u16 {
        self.ask(house, "threads.get_by_id", json!({"thread_id": thread_id})).await.status
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in set_cookies(headers) {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn set_cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

/// A token of a visitor that this house would give out.
fn token(app: &App) -> String {
    use secrecy::ExposeSecret;
    app.auth.visitors().token(&app.ids).expose_secret().to_owned()
}
