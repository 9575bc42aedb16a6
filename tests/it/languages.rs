//! Readers are spoken to in their language, at every door and in the stream; English is as it always was.

use serde_json::{Value, json};

use crate::accounts::ACCOUNTS;
use crate::support::client::{Answer, Reader, done_items, input, streamed_text, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House};

/// What a browser in Karachi asks for.
const URDU: &str = "ur-PK,ur;q=0.9,en-US;q=0.8,en;q=0.7";
const QUESTION: &str = "Which gyroscope and which accelerometer does an IMU combine?";
const UNKNOWN: &str = "How do I bake a sourdough baguette with rye flour?";
/// Around what comes from elsewhere.
const ASIDE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// The text of the first progress, and of an error at the end.
fn progress(events: &[Value]) -> &str {
    let progress = events.iter().find(|event| event["type"] == "progress_update").expect("something is searched");
    progress["text"].as_str().unwrap()
}

fn error(events: &[Value]) -> &str {
    let error = events.last().unwrap();
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("custom")), "{events:?}");
    error["message"].as_str().unwrap()
}

/// Checks that a refusal is in Urdu, and says so where programs look.
#[track_caller]
fn refuses_in_urdu(answer: &Answer, status: u16, said: &str) {
    answer.refuses(status, said);
    assert_eq!(answer.headers["content-language"], "ur");
    assert!(varies_by_language(&answer.headers), "{:?}", answer.headers);
}

fn varies_by_language(headers: &reqwest::header::HeaderMap) -> bool {
    let mut values = headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(','));
    values.any(|name| name.trim().eq_ignore_ascii_case("accept-language"))
}

#[tokio::test]
async fn a_search_and_what_it_finds_are_told_in_the_readers_language() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let events = reader.speaking(URDU).create(QUESTION).await;
    assert_eq!(progress(&events), format!("کتاب میں تلاش جاری ہے: ”{}{QUESTION}{}“", ASIDE[0], ASIDE[1]));
    let workflow = done_items(&events).into_iter().find(|item| item["type"] == "workflow").unwrap();
    assert_eq!(workflow["workflow"]["tasks"][0]["title"], "کتاب میں تلاش");
    assert!(workflow["workflow"]["summary"]["title"].as_str().unwrap().starts_with("کتاب میں "), "{workflow}");
    assert!(streamed_text(&events).contains("three-axis gyroscope"), "the book is quoted as it is");
    // The language is that of the request, not of the thread.
    let events = reader.say(&thread_of(&events), QUESTION).await;
    assert_eq!(progress(&events), format!("Looking in the book for “{QUESTION}”"));
}

#[tokio::test]
async fn what_the_book_does_not_cover_is_refused_in_the_readers_language() {
    let house = Ground::sqlite(&[("GROUNDING", "strict")]).build().await;
    let events = house.stranger().speaking(URDU).create(UNKNOWN).await;
    let told = streamed_text(&events);
    assert!(told.starts_with("کتاب میں اس کے بارے میں کچھ نہیں ہے"), "{told}");
    let told = streamed_text(&house.stranger().create(UNKNOWN).await);
    assert!(told.starts_with("The book does not cover this, and here I answer from the book alone."), "{told}");
}

#[tokio::test]
async fn the_offline_model_says_what_it_says_itself_in_the_readers_language() {
    let house = House::offline().await;
    let reader = house.stranger().speaking(URDU);
    assert_eq!(streamed_text(&reader.create(UNKNOWN).await), "کتاب میں اس کے بارے میں کچھ نہیں ہے۔");
    assert_eq!(
        streamed_text(&reader.create("thanks").await),
        "کوئی بات نہیں! کتاب میں کچھ اور واضح نہ ہو تو ضرور پوچھیں۔"
    );
}

#[tokio::test]
async fn statements_that_the_book_does_not_back_are_counted_in_the_readers_language() {
    let model = FakeModel::start().await;
    let from_the_book = "An IMU combines a three-axis gyroscope and a three-axis accelerometer [1].";
    model.reply(Reply::text([from_the_book, " The first IMU was sold in 1987 by a Norwegian bakery."]));
    let house = House::with_model_and(&model, &[("GROUNDING", "strict")]).await;
    let told = streamed_text(&house.stranger().speaking(URDU).create(QUESTION).await);
    assert!(told.contains("\n\n> **نوٹ:** اوپر کے 2 میں سے ایک بیان کتاب میں نہیں ملا۔"), "{told}");
    let system = model.requests()[0].body["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(system.is_ascii(), "models are told in English what to do");
}

#[tokio::test]
async fn a_model_that_fails_is_told_in_the_readers_language_with_the_time_to_wait() {
    let model = FakeModel::start().await;
    let house = House::with_model(&model).await;
    for (reply, told) in [
        (Reply::status(401, "{}"), "سائٹ کی کلید قبول نہیں کرتا۔"),
        (Reply::status(429, "{}").header("retry-after", "30"), "براہِ کرم 30 سیکنڈ بعد دوبارہ کوشش کریں۔"),
    ] {
        model.always(reply);
        let events = house.visitor().await.speaking(URDU).create(QUESTION).await;
        assert!(error(&events).contains(told), "{events:?}");
    }
}

#[tokio::test]
async fn a_limit_is_told_in_the_readers_language_in_the_stream_and_as_429() {
    let house = Ground::sqlite(&[("MESSAGES_PER_MINUTE", "1")]).build().await;
    let reader = house.visitor().await.speaking(URDU);
    let thread_id = thread_of(&reader.create("thanks").await);
    let told = error(&reader.say(&thread_id, "thanks").await).to_owned();
    let (sentence, again) = told.split_once("۔ ").unwrap();
    assert_eq!(sentence, "آپ ایک منٹ میں 1 پیغام بھیج چکے ہیں");
    assert!(again.starts_with("براہِ کرم ") && again.ends_with(" سیکنڈ بعد دوبارہ کوشش کریں۔"), "{told}");
    let refused = reader.post_to("/chat", json!({"message": "Well?"}).to_string()).await;
    refuses_in_urdu(&refused, 429, "آپ ایک منٹ میں 1 پیغام بھیج چکے ہیں");
    assert_eq!(refused.body["error"]["code"], "too_many_messages");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_readers_language() {
    let house = House::offline().await;
    let reader = house.visitor().await.speaking(URDU);
    refuses_in_urdu(&reader.ask("threads.get_by_id", json!({"thread_id": "thr_none"})).await, 404, "یہ گفتگو نہیں ملی");
    let nowhere = reader.get("/nowhere").await;
    refuses_in_urdu(&nowhere, 404, &format!("{}/nowhere{}", ASIDE[0], ASIDE[1]));
    let english = house.stranger().get("/nowhere").await;
    assert_eq!(english.body["message"], "there is nothing at `/nowhere`");
    assert_eq!(english.headers["content-language"], "en");
    // What only whoever wrote the request can change is in English, and says nothing of its language.
    let malformed = reader.ask("threads.get_by_id", json!({})).await;
    malformed.refuses(400, "params.thread_id");
    assert!(malformed.headers.get("content-language").is_none());
    assert!(varies_by_language(&malformed.headers));
}

#[tokio::test]
async fn a_file_that_is_not_taken_is_told_in_the_readers_language() {
    let house = House::offline().await;
    let reader = house.visitor().await.speaking(URDU);
    let params = json!({"name": "a.exe", "size": 1, "mime_type": "application/x-msdownload"});
    let refused = reader.ask("attachments.create", params).await;
    refuses_in_urdu(&refused, 415, "application/x-msdownload\u{2069} قسم کی فائلیں قبول نہیں کی جاتیں");
    let link = reader.get("/attachments/atc_none/download?signature=0").await;
    refuses_in_urdu(&link, 403, "یہ لنک اس سرور کا نہیں");
}

#[tokio::test]
async fn a_file_that_is_not_looked_into_is_told_in_the_readers_language() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["I see nothing."]));
    let house = House::with_model(&model).await;
    let reader = house.visitor().await.speaking(URDU);
    let params = json!({"name": "notes (1).txt", "size": 1, "mime_type": "text/plain"});
    let id = reader.ask("attachments.create", params).await.body["id"].clone();
    let mut input = input("What is in it?");
    input["attachments"] = json!([id]);
    let events = reader.open("threads.create", json!({"input": input})).await.rest().await;
    let notice = events.iter().find(|event| event["type"] == "notice").unwrap_or_else(|| panic!("{events:?}"));
    let told = notice["message"].as_str().unwrap();
    assert!(
        told.starts_with("جواب ") && told.contains("notes (1).txt") && told.ends_with(": یہ نہیں پہنچی۔"),
        "{told}"
    );
    let asked = model.requests()[0].body.to_string();
    assert!(asked.contains("but it did not arrive"), "models are told in English: {asked}");
}

#[tokio::test]
async fn whoever_signs_in_is_told_in_their_language_what_is_wrong_member_by_member() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let reader = house.stranger().speaking(URDU);
    let pair = json!({"email": "ada@example.org", "password": "not the password"}).to_string();
    refuses_in_urdu(&reader.post_to("/auth/signin", pair).await, 401, "ای میل پتہ یا پاس ورڈ غلط ہے۔");
    let wish = json!({"email": "nobody", "password": "short", "full_name": "Ada"}).to_string();
    let refused = reader.post_to("/auth/signup", wish.clone()).await;
    refused.refuses(
        400,
        "\u{2068}email\u{2069}: درست ای میل پتہ درج کریں، جیسے ada@example.org؛ \u{2068}password\u{2069}: یہ کم از کم",
    );
    let problems = refused.body["error"]["details"]["problems"].as_array().unwrap().clone();
    assert_eq!(problems[0], json!({"member": "email", "problem": "درست ای میل پتہ درج کریں، جیسے ada@example.org"}));
    let english = house.stranger().post_to("/auth/signup", wish).await;
    english.refuses(400, "`email` must be an e-mail address such as ada@example.org; `password` must have at least ");
}

#[tokio::test]
async fn a_site_may_speak_to_readers_who_ask_for_nothing_in_its_own_language() {
    let house = Ground::sqlite(&[("DEFAULT_LANGUAGE", "ur")]).build().await;
    let nothing_at =
        async |reader: Reader| reader.get("/nowhere").await.headers["content-language"].to_str().unwrap().to_owned();
    assert_eq!(nothing_at(house.stranger()).await, "ur");
    assert_eq!(nothing_at(house.stranger().speaking("fr, *;q=0.5")).await, "ur");
    assert_eq!(nothing_at(house.stranger().speaking("en-US")).await, "en");
    assert!(progress(&house.stranger().create(QUESTION).await).starts_with("کتاب میں تلاش"));
}

#[tokio::test]
async fn a_page_of_another_origin_hears_what_an_answer_depends_on() {
    let house = Ground::sqlite(&[("CORS_ORIGINS", "https://book.example.org")]).build().await;
    let reader = house.stranger();
    let body = json!({"type": "threads.create", "params": {"input": input("thanks")}}).to_string();
    let stream = reader.request("POST", "/chatkit").header("origin", "https://book.example.org").body(body);
    let missing = reader.request("GET", "/nowhere").header("origin", "https://book.example.org");
    for request in [stream, missing] {
        let headers = request.send().await.unwrap().headers().clone();
        let varies: Vec<&str> = headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let varies = varies.join(",");
        assert!(varies.contains("origin") && varies.contains("accept-language"), "{varies}");
    }
    let page = reader.speaking(URDU).request("GET", "/book").send().await.unwrap();
    assert!(!varies_by_language(page.headers()), "the book is in the language it is written in");
}
