//! What the simple dialect tells, read as a small front end reads it.

use serde_json::Value;

use super::client::Reader;

/// The events of one answer.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Vec<Value>);

/// Sends a message with the simple dialect; all events.
pub(crate) async fn chat(reader: &Reader, body: Value) -> Told {
    listen(reader.request("POST", "/chatkit").body(body.to_string())).await
}

/// Sends a request that is answered by a stream of the simple dialect; all events.
pub(crate) async fn listen(request: reqwest::RequestBuilder) -> Told {
    let response = request.send().await.unwrap();
    let (status, kind) = (response.status(), response.headers()["content-type"].clone());
    let text = response.text().await.unwrap();
    assert_eq!((status.as_u16(), kind.to_str().unwrap()), (200, "text/event-stream; charset=utf-8"), "{text}");
    Told(events(&text))
}

/// The events of a body, one `data:` line each.
pub(crate) fn events(body: &str) -> Vec<Value> {
    let lines = body.lines().filter(|line| !line.is_empty() && !line.starts_with(':'));
    lines.map(|line| serde_json::from_str(line.strip_prefix("data: ").expect(line)).unwrap()).collect()
}

impl Told {
    /// The types of the events.
    pub(crate) fn types(&self) -> Vec<String> {
        self.0.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The only event of a type.
    pub(crate) fn event(&self, kind: &str) -> &Value {
        let mut found = self.0.iter().filter(|event| event["type"] == kind);
        let event = found.next().unwrap_or_else(|| panic!("no {kind} in {self:?}"));
        assert!(found.next().is_none(), "more than one {kind} in {self:?}");
        event
    }

    /// The thread that the answer is written in.
    pub(crate) fn thread_id(&self) -> &str {
        assert_eq!(self.0[0]["type"], "thread", "{self:?}");
        self.0[0]["thread_id"].as_str().unwrap()
    }

    /// The text of the answer.
    pub(crate) fn text(&self) -> String {
        self.0.iter().filter_map(|event| event["delta"].as_str()).collect()
    }
}
