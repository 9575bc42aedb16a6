//! A door and its place on the list of doors, which tests and documents go through one by one.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};
use utoipa::openapi::{PathItem, Paths, RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::app::App;

/// Whom a door lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Anybody: what is behind it is nobody's, and credentials are not looked at.
    Everybody,
    /// Whoever shows nothing wrong: users, visitors, strangers.
    Caller,
    /// Whoever has signed in.
    User,
    /// Whoever has an address that this server signed.
    Link,
}

/// One door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// How it is asked.
    pub method: Method,
    /// Where it is, with the names of its parameters in braces.
    pub path: String,
    /// Whom it lets in.
    pub entry: Entry,
}

/// Doors that belong together.
#[derive(Default)]
pub(super) struct Doors {
    router: Router<App>,
    listed: Vec<Door>,
    paths: Paths,
    schemas: Shapes,
}

/// The shapes of bodies, by name.
pub(super) type Shapes = Vec<(String, RefOr<Schema>)>;

/// Handlers of one path with what they say of themselves, as `routes!` puts them together.
pub(super) type Described = UtoipaMethodRouter<App>;

impl Doors {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The same with the doors of handlers that describe themselves: `routes!(first, second)`.
    pub(super) fn open(self, entry: Entry, described: Described) -> Self {
        let path = described.1.paths.keys().next().expect("a handler says where it is").clone();
        self.at(&path, entry, described)
    }

    /// The same, at another path than the one that the handlers say.
    pub(super) fn at(mut self, path: &str, entry: Entry, (schemas, paths, handlers): Described) -> Self {
        self.router = self.router.route(path, handlers);
        for item in paths.paths.into_values() {
            for method in methods(&item) {
                self.listed.push(Door { method, path: path.to_owned(), entry });
            }
            // Doors of two entries may share a path.
            self.paths.paths.entry(path.to_owned()).or_default().merge_operations(item);
        }
        self.schemas.extend(schemas);
        self
    }

    /// What the doors say of themselves: which they are, their operations, and the shapes of their bodies by name.
    pub(super) fn described(self) -> (Vec<Door>, Paths, Shapes) {
        (self.listed, self.paths, self.schemas)
    }

    /// The same with something around all of them.
    pub(super) fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self { router: self.router.layer(layer), ..self }
    }

    /// All of both.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.listed.extend(others.listed);
        self.schemas.extend(others.schemas);
        self.paths.merge(others.paths);
        Self { router: self.router.merge(others.router), ..self }
    }

    pub(super) fn router(self) -> Router<App> {
        self.router
    }

    pub(super) fn listed(self) -> Vec<Door> {
        self.listed
    }
}

/// The methods that a path takes.
fn methods(item: &PathItem) -> Vec<Method> {
    let taken = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
    ];
    taken.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}
