//! Attachments in conversations: announced and named through the protocol, read by the model, gone with their thread.

use serde_json::{Value, json};

use crate::support::client::{Reader, done_items, input, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// Announces a file as the widget does, sends its bytes to where they are wanted, and gives what was announced.
async fn upload(reader: &Reader, name: &str, mime_type: &str, bytes: &'static [u8]) -> Value {
    let announced = announce(reader, name, mime_type).await;
    let descriptor = &announced["upload_descriptor"];
    let (method, url) = (descriptor["method"].as_str().unwrap(), descriptor["url"].as_str().unwrap());
    let sent = reader.request(method, url).body(bytes).send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    announced
}

async fn announce(reader: &Reader, name: &str, mime_type: &str) -> Value {
    let answer = reader.ask("attachments.create", json!({"name": name, "size": 3, "mime_type": mime_type})).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body
}

/// Params of a first message that names these attachments.
fn naming(text: &str, attachments: &[&Value]) -> Value {
    let mut message = input(text);
    message["attachments"] = attachments.iter().map(|attachment| attachment["id"].clone()).collect();
    json!({"input": message})
}

async fn create(reader: &Reader, params: Value) -> Vec<Value> {
    reader.open("threads.create", params).await.rest().await
}

/// How many objects lie in the house's folder.
fn objects(house: &House) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    count(&house.ground().folder().join("attachments"))
}

#[tokio::test]
async fn a_message_carries_its_files_and_the_model_gets_what_it_can_read() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["I see."]));
    let house = House::with_model_and(&model, &[("MODEL_SEES", "true")]).await;
    let reader = house.visitor().await;
    let notes = upload(&reader, "notes.md", "text/markdown", b"The knee bends backwards.").await;
    let photo = upload(&reader, "knee.png", "image/png", PNG).await;
    let events = create(&reader, naming("What is wrong here?", &[&notes, &photo])).await;
    let thread_id = thread_of(&events);
    let question = &done_items(&events)[0];
    for (carried, announced) in question["attachments"].as_array().unwrap().iter().zip([&notes, &photo]) {
        assert_eq!(carried["id"], announced["id"]);
        assert_eq!(carried["thread_id"], json!(thread_id));
        assert!(carried.get("upload_descriptor").is_none() && carried.get("metadata").is_none(), "{carried}");
    }
    assert_eq!(reader.items(&thread_id).await[0], *question);
    let asked = model.requests().last().unwrap().body["messages"].to_string();
    assert!(asked.contains("> The knee bends backwards."), "{asked}");
    assert!(asked.contains("data:image/png;base64,iVBORw0KGgo"), "{asked}");
    let preview = photo["preview_url"].as_str().unwrap();
    let shown = house.stranger().request("GET", preview).send().await.unwrap();
    assert_eq!(shown.bytes().await.unwrap(), PNG, "whoever has the address sees the picture");
}

#[tokio::test]
async fn a_reader_fetches_a_file_again_and_nobody_else_does() {
    let house = House::offline().await;
    let (reader, other) = (house.visitor().await, house.visitor().await);
    let notes = upload(&reader, "notes.txt", "text/plain", b"hello").await;
    let path = format!("/attachments/{}", notes["id"].as_str().unwrap());
    let way = reader.request("GET", &path).send().await.unwrap();
    assert_eq!(way.status(), 303, "the client of the tests follows no redirect");
    let address = way.headers()["location"].to_str().unwrap().to_owned();
    let fetched = house.stranger().request("GET", &address).send().await.unwrap();
    assert!(fetched.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(fetched.bytes().await.unwrap(), &b"hello"[..]);
    other.get(&path).await.refuses(404, notes["id"].as_str().unwrap());
    house.stranger().get(&path).await.refuses(404, notes["id"].as_str().unwrap());
}

#[tokio::test]
async fn a_message_may_be_nothing_but_a_file() {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["A note."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let notes = upload(&reader, "notes.txt", "text/plain", b"hello").await;
    let mut message = naming("", &[&notes]);
    message["input"]["content"] = json!([]);
    let events = create(&reader, message).await;
    assert_eq!(events.last().unwrap()["item"]["content"][0]["text"], "A note.");
}

#[tokio::test]
async fn nobody_names_somebody_elses_file_and_nothing_is_stored() {
    let house = House::offline().await;
    let (reader, other) = (house.visitor().await, house.visitor().await);
    let (own, foreign) =
        (upload(&other, "own.txt", "text/plain", b"own").await, upload(&reader, "a.txt", "text/plain", b"a").await);
    let refused = other.ask("threads.create", naming("Look.", &[&own, &foreign])).await;
    refused.refuses(404, foreign["id"].as_str().unwrap());
    assert_eq!(other.ask("threads.list", json!({})).await.body["data"], json!([]));
    let deleted = other.ask("attachments.delete", json!({"attachment_id": foreign["id"]})).await;
    assert_eq!((deleted.status, deleted.body), (200, json!({})), "it is nobody's business whether it was there");
    let events = create(&reader, naming("Look.", &[&foreign])).await;
    assert_eq!(done_items(&events)[0]["attachments"][0]["id"], foreign["id"], "it still belongs to its reader");
}

#[tokio::test]
async fn the_files_of_a_deleted_thread_go_away_with_it() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Seen."]));
    let variables = answered_by(&model);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for ground in [Ground::sqlite(&variables), Ground::postgres(&variables).await] {
        let house = ground.build().await;
        let reader = house.visitor().await;
        let photo = upload(&reader, "knee.png", "image/png", PNG).await;
        let thread_id = thread_of(&create(&reader, naming("Look.", &[&photo])).await);
        let attachments = house.app.attachments.as_ref().unwrap();
        attachments.sweep().await.unwrap();
        assert_eq!(objects(&house), 1, "a file that a message names stays");
        reader.ask("threads.delete", json!({"thread_id": thread_id})).await;
        reader.ask("threads.create", naming("Again.", &[&photo])).await.refuses(404, photo["id"].as_str().unwrap());
        attachments.sweep().await.unwrap();
        assert_eq!(objects(&house), 0);
        let gone = reader.request("GET", photo["preview_url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(gone.status(), 404);
    }
}

#[tokio::test]
async fn a_file_that_was_taken_away_is_gone_for_new_messages_and_stays_named_in_old_ones() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let notes = upload(&reader, "notes.txt", "text/plain", b"hello").await;
    let thread_id = thread_of(&create(&reader, naming("Look.", &[&notes])).await);
    for _ in 0..2 {
        let answer = reader.ask("attachments.delete", json!({"attachment_id": notes["id"]})).await;
        assert_eq!((answer.status, answer.body), (200, json!({})));
    }
    reader.ask("threads.create", naming("Again.", &[&notes])).await.refuses(404, notes["id"].as_str().unwrap());
    assert_eq!(reader.items(&thread_id).await[0]["attachments"][0]["name"], "notes.txt");
}

#[tokio::test]
async fn limits_on_files_are_told_with_their_names() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let zip = json!({"name": "a.zip", "size": 1, "mime_type": "application/zip"});
    reader.ask("attachments.create", zip).await.refuses(415, "application/zip");
    let huge = json!({"name": "a.png", "size": 1_u64 << 40, "mime_type": "image/png"});
    reader.ask("attachments.create", huge).await.refuses(413, "20971520");
    let one = announce(&reader, "a.txt", "text/plain").await;
    let many = naming("Look.", &[&one; 11]);
    reader.ask("threads.create", many).await.refuses(400, "params.input.attachments");
}

#[tokio::test]
async fn a_house_without_a_place_for_files_says_so() {
    let house = Ground::sqlite(&[("ATTACHMENTS_URL", "off")]).build().await;
    let reader = house.visitor().await;
    let asked = json!({"name": "a.txt", "size": 1, "mime_type": "text/plain"});
    reader.ask("attachments.create", asked).await.refuses(400, "ATTACHMENTS_URL");
    reader.ask("attachments.delete", json!({"attachment_id": "atc_1"})).await.refuses(400, "ATTACHMENTS_URL");
    reader.ask("threads.create", naming("Look.", &[&json!({"id": "atc_1"})])).await.refuses(404, "atc_1");
}
