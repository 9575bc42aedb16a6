//! The minimal chat: a text field, a session in `localStorage`, and whatever text is selected on the page.

use serde_json::{Value, json};

use super::{Fetched, Page};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::House;

const SITE: &str = "https://notes.example.org";
const SELECTED: &str = "A hinge joint turns about one axis only, and its range is limited by the frame.";

/// The widget's script.
struct Widget {
    page: Page,
    /// `localStorage.getItem("session_id")`
    session_id: Option<String>,
}

impl Widget {
    fn on(house: &House) -> Self {
        Self { page: Page::of(SITE, house), session_id: None }
    }

    /// What stands in the bubble of the answer; what goes wrong is shown in its place.
    async fn send(&mut self, message: &str, selected_text: Option<&str>) -> Result<String, String> {
        let body = json!({"message": message, "session_id": self.session_id, "selected_text": selected_text});
        let answer = self.page.fetch("POST", "/chat", Some(&body)).await?;
        let read = answer.json();
        if !answer.ok() {
            return Err(read["detail"].as_str().expect("`detail` is a sentence").to_owned());
        }
        self.session_id = Some(read["session_id"].as_str().unwrap().to_owned());
        // `new Date(data.timestamp).toLocaleTimeString()`
        let time = chrono::DateTime::parse_from_rfc3339(read["timestamp"].as_str().unwrap()).unwrap();
        assert_eq!(time.offset().local_minus_utc(), 0);
        Ok(read["response"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_conversation_goes_on_in_its_session_and_the_model_sees_the_last_ten_messages() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Yes."]));
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    let mut widget = Widget::on(&house);
    for number in 0..8 {
        assert_eq!(widget.send(&format!("question number {number}"), None).await.unwrap(), "Yes.");
    }
    let session = uuid::Uuid::parse_str(widget.session_id.as_deref().unwrap());
    assert!(session.is_ok(), "{session:?}");
    let asked = model.requests();
    let last = asked.iter().rfind(|request| request.body.to_string().contains("question number 7")).unwrap();
    let said = last.body["messages"].to_string();
    assert!(said.contains("question number 3") && !said.contains("question number 1"), "{said}");
}

#[tokio::test]
async fn a_session_that_the_server_does_not_know_begins_anew() {
    let model = answering(["Hello."]).await;
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    let mut widget = Widget::on(&house);
    let forgotten = "0b1f8a4e-7a3d-4a53-9a0e-0d6b0d9f3c11";
    widget.session_id = Some(forgotten.to_owned());
    assert_eq!(widget.send("Hello?", None).await.as_deref(), Ok("Hello."));
    assert_ne!(widget.session_id.as_deref(), Some(forgotten));
}

#[tokio::test]
async fn a_selection_is_what_the_answer_rests_on() {
    let model = answering(["One axis."]).await;
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    let mut widget = Widget::on(&house);
    widget.send("The first question", None).await.unwrap();
    widget.send("How many axes?", Some(SELECTED)).await.unwrap();
    let asked = model
        .requests()
        .iter()
        .rfind(|request| request.body.to_string().contains("How many axes?"))
        .unwrap()
        .body
        .to_string();
    assert!(asked.contains("A hinge joint turns") && !asked.contains("The first question"), "{asked}");
    // Longer than any answer looks at: cut, and no error.
    assert!(widget.send("And this?", Some(&SELECTED.repeat(400))).await.is_ok());
}

#[tokio::test]
async fn what_goes_wrong_is_a_sentence_in_detail() {
    let model = FakeModel::start().await;
    model.always(Reply::status(401, r#"{"error":{"message":"no such key sk-secret"}}"#));
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE)]).await;
    let mut widget = Widget::on(&house);
    assert!(widget.send("", None).await.unwrap_err().contains("message"));
    let shown = widget.send("Why?", None).await.unwrap_err();
    assert!(shown.len() > 20 && !shown.contains("sk-secret"), "{shown}");
    let elsewhere = Page::of("https://elsewhere.example.net", &house);
    let refused = elsewhere.fetch("POST", "/chat", Some(&json!({"message": "Why?"}))).await;
    assert!(refused.unwrap_err().contains("Failed to fetch"));
    let health: Fetched = widget.page.fetch("GET", "/health", None).await.unwrap();
    assert_eq!(health.json()["status"], Value::from("ok"));
}

async fn answering<'a>(pieces: impl IntoIterator<Item = &'a str>) -> FakeModel {
    let model = FakeModel::start().await;
    model.always(Reply::text(pieces));
    model
}
