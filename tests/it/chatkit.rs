//! `POST /chatkit` as a browser sees it: what a question brings, what is kept of it, and who may see it.

use serde_json::{Value, json};

use crate::support::client::{done_items, input, line, streamed_text, thread_of, types};
use crate::support::house::{Ground, House};

#[tokio::test]
async fn a_question_about_the_book_is_answered_streamed_and_kept() {
    let house = House::offline().await;
    let reader = house.stranger();
    let events = reader.create("What is a quaternion?").await;
    let mut expected = vec![
        "thread.created",
        "thread.item.done user_message",
        "stream_options",
        "progress_update",
        "thread.item.added workflow",
        "workflow.task.updated",
        "thread.item.done workflow",
        "thread.item.added assistant_message",
        "assistant_message.content_part.added",
    ];
    let mut seen = types(&events);
    assert_eq!(seen.drain(..expected.len()).collect::<Vec<_>>(), expected);
    expected = vec!["assistant_message.content_part.done", "thread.item.done assistant_message"];
    assert_eq!(seen[seen.len() - 2..], expected);
    let thread_id = thread_of(&events);
    let shown = done_items(&events);
    assert_eq!(reader.items(&thread_id).await, shown);
    let answer = &shown[2]["content"][0];
    assert_eq!(answer["text"], streamed_text(&events).as_str());
    assert!(answer["text"].as_str().unwrap().contains("four numbers"), "{answer}");
    assert!(!answer["annotations"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn every_citation_opens_the_page_it_names_at_the_heading_it_names() {
    let house = House::offline().await;
    let reader = house.stranger();
    let events = reader.create("How does a PID controller work?").await;
    let annotations = done_items(&events).last().unwrap()["content"][0]["annotations"].clone();
    let mut anchors = 0;
    for annotation in annotations.as_array().unwrap() {
        let url = annotation["source"]["url"].as_str().unwrap();
        // What stands before the first heading of a page has no anchor.
        let (page, anchor) = url.split_once('#').unwrap_or((url, ""));
        let answer = reader.get(page).await;
        assert_eq!(answer.status, 200, "{url}");
        assert!(anchor.is_empty() || answer.body.as_str().unwrap().contains(&format!("id=\"{anchor}\"")), "{url}");
        anchors += usize::from(!anchor.is_empty());
    }
    assert!(anchors > 0, "{annotations}");
}

#[tokio::test]
async fn what_the_book_does_not_cover_is_said_plainly_and_cited_by_nothing() {
    let house = House::offline().await;
    let events = house.stranger().create("Which spices go into a Hyderabadi biryani?").await;
    let answer = done_items(&events).last().unwrap()["content"][0].clone();
    assert_eq!(answer["annotations"], json!([]), "{answer}");
    assert!(answer["text"].as_str().unwrap().contains("nothing"), "{answer}");
}

#[tokio::test]
async fn a_conversation_goes_on_survives_a_restart_and_keeps_its_order() {
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let house = ground.build().await;
        let reader = house.visitor().await;
        let thread_id = thread_of(&reader.create("What is a topic in ROS 2?").await);
        reader.say(&thread_id, "And what is a service?").await;
        let before = reader.items(&thread_id).await;
        assert_eq!(before.iter().filter(|item| item["type"] == "user_message").count(), 2);
        let house = house.shut_down().await.build().await;
        let again = house.stranger();
        again.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.refuses(404, "thread_id");
        let returned = reader.at(&house.url);
        assert_eq!(returned.items(&thread_id).await, before);
        assert_eq!(thread_ids(&returned.ask("threads.list", json!({})).await.body), [thread_id]);
    }
}

#[tokio::test]
async fn streams_carry_the_headers_that_proxies_need() {
    let house = House::offline().await;
    let stream = house.stranger().open("threads.create", json!({"input": input("hello")})).await;
    let headers = stream.headers();
    assert_eq!(headers["cache-control"], "no-cache, no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(!headers.contains_key("content-length"));
    assert!(headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    stream.rest().await;
}

#[tokio::test]
async fn an_answer_can_be_asked_for_again_from_any_item_after_the_question() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("What is a topic in ROS 2?").await);
    reader.say(&thread_id, "What is a quaternion?").await;
    let before = reader.items(&thread_id).await;
    let last = before.last().unwrap()["id"].clone();
    let retry = json!({"thread_id": thread_id, "item_id": last});
    let events = reader.open("threads.retry_after_item", retry).await.rest().await;
    assert_eq!(types(&events)[0], "stream_options", "the question is not shown again");
    let after = reader.items(&thread_id).await;
    assert_eq!(lines(&after), lines(&before));
    assert_eq!(after[..4], before[..4]);
    assert_ne!(after.last().unwrap()["id"], last);
    let unknown = json!({"thread_id": thread_id, "item_id": "msg_nowhere"});
    reader.ask("threads.retry_after_item", unknown).await.refuses(404, "item_id");
    assert_eq!(reader.items(&thread_id).await, after);
}

#[tokio::test]
async fn threads_are_listed_newest_first_in_pages_renamed_and_deleted() {
    let house = House::offline().await;
    let reader = house.visitor().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, thread_of(&reader.create("hello").await));
    }
    let mut listed = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = reader.ask("threads.list", json!({"limit": 2, "after": after})).await.body;
        listed.extend(thread_ids(&page));
        after = page["after"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(listed, ids);
    let renamed = reader.ask("threads.update", json!({"thread_id": ids[1], "title": "سلام 🤖"})).await;
    assert_eq!((renamed.status, &renamed.body["title"]), (200, &json!("سلام 🤖")));
    assert_eq!(renamed.body["items"], json!({"data": [], "has_more": false}));
    assert_eq!(reader.ask("threads.delete", json!({"thread_id": ids[0]})).await.body, json!({}));
    assert_eq!(reader.ask("threads.delete", json!({"thread_id": ids[0]})).await.body, json!({}));
    let left = reader.ask("threads.list", json!({"limit": 9999, "order": "desc"})).await.body;
    assert_eq!(thread_ids(&left), ids[1..]);
    reader.ask("threads.list", json!({"after": ids[0]})).await.refuses(400, "params.after");
    reader.ask("items.list", json!({"thread_id": ids[1], "after": "msg_x"})).await.refuses(400, "params.after");
}

#[tokio::test]
async fn somebody_elses_thread_cannot_be_told_from_one_that_does_not_exist() {
    let house = House::offline().await;
    let (owner, other, stranger) = (house.visitor().await, house.visitor().await, house.stranger());
    let events = owner.create("What is a quaternion?").await;
    let (thread_id, item_id) = (thread_of(&events), done_items(&events)[0]["id"].clone());
    let before = owner.items(&thread_id).await;
    for nosy in [&other, &stranger] {
        for (kind, params) in [
            ("threads.get_by_id", json!({})),
            ("threads.update", json!({"title": "mine"})),
            ("threads.add_user_message", json!({"input": input("hello")})),
            ("threads.retry_after_item", json!({"item_id": item_id})),
            ("items.list", json!({})),
            ("items.feedback", json!({"item_ids": [item_id], "kind": "negative"})),
            ("threads.delete", json!({})),
        ] {
            let with = |id: &str| {
                let mut params = params.clone();
                params["thread_id"] = json!(id);
                params
            };
            let (theirs, none) = (nosy.ask(kind, with(&thread_id)).await, nosy.ask(kind, with("thr_none")).await);
            assert_eq!(without_request_id(theirs.body), without_request_id(none.body), "{kind}");
            assert_eq!(theirs.status, none.status, "{kind}");
            assert_eq!(theirs.status, if kind == "threads.delete" { 200 } else { 404 }, "{kind}");
        }
        assert_eq!(nosy.ask("threads.list", json!({})).await.body["data"], json!([]));
        let cursor = nosy.ask("threads.list", json!({"after": thread_id})).await;
        assert!(cursor.status == 400 || cursor.body["data"] == json!([]));
    }
    assert_eq!(owner.items(&thread_id).await, before);
}

#[tokio::test]
async fn a_thread_of_nobody_opens_by_its_id_alone_and_is_in_no_list() {
    let house = House::offline().await;
    let thread_id = thread_of(&house.stranger().create("hello").await);
    assert_eq!(house.stranger().items(&thread_id).await.len(), 2);
    assert_eq!(house.stranger().ask("threads.list", json!({})).await.body["data"], json!([]));
    let visitor = house.visitor().await;
    assert_eq!(visitor.items(&thread_id).await.len(), 2);
    assert_eq!(visitor.ask("threads.list", json!({})).await.body["data"], json!([]));
}

#[tokio::test]
async fn feedback_is_kept_and_changes_nothing_that_is_shown() {
    let house = Ground::postgres(&[]).await.build().await;
    let reader = house.visitor().await;
    let events = reader.create("What is a quaternion?").await;
    let (thread_id, item) = (thread_of(&events), done_items(&events)[2]["id"].clone());
    let before = reader.items(&thread_id).await;
    let feedback = |kind: &str| json!({"thread_id": thread_id, "item_ids": [item, "msg_unknown"], "kind": kind});
    assert_eq!(reader.ask("items.feedback", feedback("positive")).await.body, json!({}));
    assert_eq!(reader.ask("items.feedback", feedback("negative")).await.body, json!({}));
    assert_eq!(reader.items(&thread_id).await, before);
    let mut beside = house.ground().database().connect().await;
    let kept: Vec<(String, String)> =
        sqlx::query_as("select item_id, kind from chat_feedback").fetch_all(&mut beside).await.unwrap();
    assert_eq!(kept, [(item.as_str().unwrap().to_owned(), "negative".to_owned())]);
}

#[tokio::test]
async fn text_with_null_characters_and_other_oddities_is_kept_as_it_came() {
    let odd = "null \u{0} bell \u{7} rtl \u{202e} emoji 👩🏽‍🚀 urdu روبوٹ \u{ffff}";
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let house = ground.build().await;
        let reader = house.visitor().await;
        let thread_id = thread_of(&reader.create(odd).await);
        assert_eq!(reader.conversation(&thread_id).await[0], format!("user_message: {odd}"));
        let title = odd.replace('\0', "");
        let renamed = reader.ask("threads.update", json!({"thread_id": thread_id, "title": title})).await;
        assert_eq!(renamed.body["title"], title, "{:?}", renamed.body);
    }
}

fn thread_ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|thread| thread["id"].as_str().unwrap().to_owned()).collect()
}

fn lines(items: &[Value]) -> Vec<String> {
    items.iter().map(line).collect()
}

fn without_request_id(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    body
}
