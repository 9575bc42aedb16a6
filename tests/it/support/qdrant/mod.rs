//! A server that speaks Qdrant's gRPC behind a real socket: its own collections in memory, as strict as the real one,
//! and faults on order.

mod engine;
mod query;
mod service;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use chatkit_gateway::knowledge::qdrant::address::Address;
use chatkit_gateway::knowledge::qdrant::settings::QdrantSettings;
use futures_util::stream;
use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

pub(crate) use engine::{Collection, Engine};

/// A running fake. Dropping it stops it.
pub(crate) struct FakeQdrant {
    address: SocketAddr,
    world: Arc<World>,
    server: JoinHandle<()>,
}

/// What requests meet.
#[derive(Default)]
struct World {
    engine: Arc<Mutex<Engine>>,
    key: Option<String>,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<String>>,
}

/// Something that goes wrong.
pub(crate) struct Fault {
    /// What the method's path ends with: `Points/Query`; everything when it is empty.
    pub(crate) method: &'static str,
    /// So many requests of the method pass first.
    pub(crate) after: usize,
    /// And so many go wrong.
    pub(crate) times: usize,
    pub(crate) what: What,
}

/// How a request goes wrong.
#[derive(Clone)]
pub(crate) enum What {
    /// It is answered with this.
    Refused(Code, &'static str),
    /// The connection breaks.
    Cut,
    /// It goes on as asked, after this was done by somebody else.
    Meanwhile(fn(&mut Engine)),
}

impl FakeQdrant {
    /// One that asks for no key.
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that asks for this key.
    pub(crate) async fn start_with(key: Option<&str>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(World { key: key.map(str::to_owned), ..World::default() });
        let service = service::Service(Arc::clone(&world.engine));
        let points = PointsServer::new(service.clone()).max_decoding_message_size(32 << 20);
        let routes = tonic::service::Routes::new(points)
            .add_service(CollectionsServer::new(service.clone()))
            .add_service(QdrantServer::new(service));
        let meeting = middleware::from_fn_with_state(Arc::clone(&world), meet);
        let router = routes.into_axum_router().layer(meeting);
        #[expect(clippy::disallowed_methods, reason = "the fake is no turn; it ends with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, world, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the settings say when they name this server.
    pub(crate) fn settings(&self) -> QdrantSettings {
        let key = self.world.key.clone().map(Into::into);
        QdrantSettings { address: Address::parse(&self.url()).unwrap(), key, shape: None }
    }

    /// What is in it, past the protocol.
    pub(crate) fn engine(&self) -> std::sync::MutexGuard<'_, Engine> {
        self.world.engine.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.world.faults.lock().unwrap().push(fault);
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        self.world.faults.lock().unwrap().clear();
    }

    /// The methods that were asked since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.world.requests.lock().unwrap())
    }
}

impl Drop for FakeQdrant {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn meet(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let method = request.uri().path().trim_start_matches("/qdrant.").to_owned();
    world.requests.lock().unwrap().push(method.clone());
    if let Some(key) = &world.key {
        let given = request.headers().get("api-key").map(|given| given.as_bytes());
        let refusal = match given {
            None => Some("Must provide an API key or an Authorization bearer token"),
            Some(given) => (given != key.as_bytes()).then_some("Invalid API key or JWT"),
        };
        if let Some(refusal) = refusal {
            return Status::unauthenticated(refusal).into_http();
        }
    }
    match world.wrong_with(&method) {
        None => next.run(request).await,
        Some(What::Meanwhile(done)) => {
            done(&mut world.engine.lock().unwrap());
            next.run(request).await
        }
        Some(What::Refused(code, message)) => Status::new(code, message).into_http(),
        Some(What::Cut) => {
            let mut response = Response::new(Body::from_stream(stream::iter([Err::<Vec<u8>, _>("cut")])));
            response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
            response
        }
    }
}

impl World {
    fn wrong_with(&self, method: &str) -> Option<What> {
        let mut faults = self.faults.lock().unwrap();
        let fault = faults.iter_mut().find(|fault| fault.times > 0 && method.ends_with(fault.method))?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.what.clone())
    }
}
