//! A house with a model that echoes, and readers with and without an account.

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::profile::ProfileWish;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::client::{Answer, Reader};
use crate::support::echo_model::EchoModel;
use crate::support::house::{Ground, House};
use crate::support::issuer::Issuer;

/// A page with something of everything that must stay as it is.
pub(super) const PAGE: &str = "# About robots\n\nSome robots `sense()` what $x^2$ is, see [here](https://a.example/robots).\n\n\
    ```python\nprint(\"robots\")\n```\n\nThe end of robots.\n";
/// The same as the model has it.
pub(super) const PAGE_ECHOED: &str = "# About ROBOTS\n\nSome ROBOTS `sense()` what $x^2$ is, see [here](https://a.example/robots).\n\n\
    ```python\nprint(\"robots\")\n```\n\nThe end of ROBOTS.\n";

pub(super) struct Scene {
    pub(super) house: House,
    pub(super) model: EchoModel,
    issuer: Issuer,
}

impl Scene {
    /// On this ground, with these variables.
    pub(super) async fn on(mut ground: Ground, variables: &[(&str, &str)]) -> Self {
        let (issuer, model) = (Issuer::better_auth().await, EchoModel::start().await);
        for (name, value) in model.variables().into_iter().chain(Issuer::believed(&[&issuer])) {
            ground = ground.with(name, &value);
        }
        for (name, value) in variables {
            ground = ground.with(name, value);
        }
        Self { house: ground.build().await, model, issuer }
    }

    /// Somebody with an account elsewhere.
    pub(super) fn user(&self, name: &str) -> Reader {
        self.house.stranger().bearing(&self.issuer.token(name))
    }

    /// The same, who says of themselves that they care for this.
    pub(super) async fn reader(&self, name: &str, focus: &str) -> Reader {
        let wish = json!({"focus_area": focus, "tech_background": "beginner"});
        let wish = ProfileWish::read(wish.as_object().unwrap()).unwrap();
        let owner = OwnerId::user(name);
        if self.house.app.profiles.create(&owner, &wish).await.is_err() {
            self.house.app.profiles.change(&owner, &wish).await.unwrap();
        }
        self.user(name)
    }
}

/// Sends a body, and hears one answer.
pub(super) async fn post(reader: &Reader, path: &str, body: &Value) -> Answer {
    reader.post_to(path, body.to_string()).await
}

/// Sends a body, and hears a stream.
pub(super) async fn open(reader: &Reader, path: &str, body: &Value) -> Response {
    let request = reader.request("POST", path).header("accept", "text/event-stream").body(body.to_string());
    request.send().await.unwrap()
}

/// The events of a stream; comments are left out.
pub(super) async fn events(stream: Response) -> Vec<Value> {
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    let text = stream.text().await.unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// The names of an answer's members, in their order.
#[track_caller]
pub(super) fn members(answer: &Value) -> Vec<&str> {
    answer.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What `GET /…/quota` says is used and left.
pub(super) async fn used(reader: &Reader, path: &str) -> (u64, u64) {
    let status = reader.get(path).await;
    assert_eq!(status.status, 200, "{status:?}");
    assert_eq!(members(&status.body), ["limit", "used", "remaining", "resets_at"]);
    assert!(status.body["resets_at"].as_str().unwrap().contains("T00:00:00"), "{status:?}");
    (status.body["used"].as_u64().unwrap(), status.body["remaining"].as_u64().unwrap())
}

/// The member `code` of an error.
pub(super) fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"]["code"].as_str().unwrap_or_default())
}
