//! The WebSocket: what is asked on it, how its answers come, and who may have one.

mod bounds;
mod entry;

use serde_json::{Value, json};

use crate::support::client::{input, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House};
use crate::support::socket::{Socket, chatkit};

fn create(text: &str) -> Value {
    chatkit("threads.create", &json!({"input": input(text)}))
}

fn delta(frame: &Value) -> bool {
    frame["update"]["delta"].is_string()
}

fn without_ids(frames: &[Value]) -> Vec<Value> {
    let mut frames = frames.to_vec();
    for frame in &mut frames {
        frame.as_object_mut().unwrap().shift_remove("id");
    }
    frames
}

#[tokio::test]
async fn a_socket_brings_the_events_that_http_brings_and_all_bear_the_id_of_their_request() {
    let house = House::offline().await;
    let mut socket = Socket::open_at(&house, "/ws/chat", &[]).await.unwrap();
    for id in [json!(7), json!("a \"name\"")] {
        let frames = socket.ask(create("What is a servo?"), id.clone()).await;
        assert!(frames.iter().all(|frame| frame["id"] == id), "{frames:#?}");
        let told = house.stranger().create("What is a servo?").await;
        let frames = without_ids(&frames);
        assert_eq!(types(&frames), types(&told));
        assert_eq!(streamed_text(&frames), streamed_text(&told));
        let thread_id = thread_of(&frames);
        let asked = chatkit("threads.get_by_id", &json!({"thread_id": thread_id}));
        let answer = socket.ask(asked.clone(), id.clone()).await;
        assert_eq!((answer.len(), &answer[0]["type"]), (1, &json!("result")));
        assert_eq!(answer[0]["result"]["id"], thread_id, "its own id is not lost");
        socket.send(asked).await;
        assert_eq!(socket.next().await, answer[0]["result"], "without an id it is the value alone");
    }
}

#[tokio::test]
async fn without_an_id_frames_are_the_events_and_nothing_else() {
    let house = House::offline().await;
    let mut socket = Socket::open(&house).await;
    socket.send(create("What is a servo?")).await;
    let is_answer = |frame: &Value| frame["type"] == "thread.item.done" && frame["item"]["type"] == "assistant_message";
    let frames = socket.until(is_answer).await;
    assert_eq!(types(&frames), types(&house.stranger().create("What is a servo?").await));
    socket.send(json!({"action": "list_threads"})).await;
    assert_eq!(socket.next().await["data"], json!([]), "and then comes the next answer");
}

#[tokio::test]
async fn the_simple_dialect_is_spoken_there() {
    let house = House::offline().await;
    let mut socket = Socket::open(&house).await;
    let frames = socket.ask(json!({"action": "chat", "message": "What is a servo?"}), json!(1)).await;
    assert_eq!(frames.first().unwrap()["type"], "thread");
    assert_eq!(frames.last().unwrap()["type"], "done");
    assert!(frames.iter().all(|frame| frame["id"] == 1), "{frames:#?}");
}

#[tokio::test]
async fn many_requests_run_at_once_and_one_can_stop_another() {
    let model = FakeModel::start().await;
    let (first, first_gate) = Reply::gated_text(["Robots", " sense."]);
    let (second, second_gate) = Reply::gated_text(["Motors", " turn."]);
    let house = House::with_model(&model).await;
    let mut socket = Socket::open(&house).await;
    let mut begin = async |id: &str, reply: Reply, gate: &crate::support::fake_model::Gate| {
        model.reply(reply);
        let mut request = create(&format!("Question {id}"));
        request["id"] = json!(id);
        socket.send(request).await;
        gate.open();
        thread_of(&without_ids(&socket.until(delta).await))
    };
    let stopped = begin("stopped", first, &first_gate).await;
    begin("whole", second, &second_gate).await;
    socket.send(json!({"action": "stop", "thread_id": stopped, "id": "stop"})).await;
    let ends = |id: &'static str| move |frame: &Value| *frame == json!({"id": id, "type": "end"});
    let frames = socket.until(ends("stop")).await;
    assert!(frames.iter().any(|frame| *frame == json!({"id": "stop", "type": "result", "result": {"stopped": true}})));
    model.abandoned().await;
    second_gate.open();
    let frames = [frames, socket.until(ends("whole")).await].concat();
    assert!(frames.iter().any(ends("stopped")));
    let whole: Vec<Value> = frames.into_iter().filter(|frame| frame["id"] == "whole").collect();
    assert_eq!(streamed_text(&whole), " turn.");
    let kept = house.stranger().conversation(&stopped).await;
    assert_eq!(kept, ["user_message: Question stopped", "assistant_message: Robots"]);
}

/// Checks that a frame is an error of the shape every error has.
#[track_caller]
fn refuses(frame: &Value, status: u16, code: &str, named: &str) {
    assert_eq!((&frame["type"], &frame["status"]), (&json!("error"), &json!(status)), "{frame}");
    assert_eq!(frame["error"]["code"], code, "{frame}");
    let message = frame["message"].as_str().unwrap();
    assert!(message.contains(named), "{message:?} does not name {named:?}");
    assert_eq!((&frame["detail"], &frame["error"]["message"]), (&frame["message"], &frame["message"]));
    assert!(frame["request_id"].as_str().unwrap().starts_with("req_"), "{frame}");
}

#[tokio::test]
async fn what_is_refused_is_told_in_a_frame_and_the_socket_goes_on() {
    let house = House::offline().await;
    let mut socket = Socket::open(&house).await;
    for (frame, named) in
        [("{", "body"), ("[1]", "body"), ("7", "body"), (r#"{"type":"threads.fly"}"#, "type"), ("{}", "type")]
    {
        socket.send_message(frame.into()).await;
        refuses(&socket.next().await, 400, "invalid_request", named);
    }
    socket.send(json!({"id": {}, "action": "list_threads"})).await;
    refuses(&socket.next().await, 400, "invalid_request", "id");
    let unknown = chatkit("threads.get_by_id", &json!({"thread_id": "thr_none"}));
    let frames = socket.ask(unknown, json!(1)).await;
    assert_eq!((frames.len(), &frames[0]["id"]), (1, &json!(1)));
    refuses(&frames[0], 404, "thread_not_found", "thread");
    let frames = socket.ask(json!({"action": "fly"}), json!(2)).await;
    refuses(&frames[0], 400, "invalid_request", "action");
    let empty = socket.ask(create(" "), json!(3)).await;
    refuses(&empty[0], 400, "invalid_request", "content");
    assert_eq!(socket.ask(json!({"action": "list_threads"}), json!(4)).await.len(), 1);
}

#[tokio::test]
async fn messages_are_counted_and_refused_in_the_stream_as_over_http() {
    let house = Ground::sqlite(&[("MESSAGES_PER_MINUTE", "1")]).build().await;
    let mut socket = Socket::open(&house).await;
    socket.ask(create("What is a servo?"), json!(1)).await;
    let frames = socket.ask(create("What is a servo?"), json!(2)).await;
    assert_eq!((frames.len(), &frames[0]["type"], &frames[0]["code"]), (1, &json!("error"), &json!("custom")));
    assert_eq!(frames[0]["allow_retry"], false, "{frames:?}");
}

#[tokio::test]
async fn a_client_that_leaves_is_a_listener_that_has_gone() {
    for (policy, kept) in [("finish", "Robots sense."), ("cancel", "Robots")] {
        let model = FakeModel::start().await;
        let (reply, gate) = Reply::gated_text(["Robots", " sense."]);
        model.reply(reply);
        let house = House::with_model_and(&model, &[("ON_DISCONNECT", policy)]).await;
        let mut socket = Socket::open(&house).await;
        socket.send(create("What do robots do?")).await;
        gate.open();
        let thread_id = thread_of(&socket.until(delta).await);
        drop(socket);
        match policy {
            "finish" => gate.open(),
            _ => model.abandoned().await,
        }
        house.quiet().await;
        let conversation = house.stranger().conversation(&thread_id).await;
        assert_eq!(conversation[1], format!("assistant_message: {kept}"), "{policy}");
    }
}
