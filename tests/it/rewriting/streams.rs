//! Texts that are heard as they are written, by one or by several, to the end or not.

use serde_json::{Value, json};

use super::on_both;
use super::scene::{PAGE, PAGE_ECHOED, Scene, code, events, members, open, post, used};
use crate::support::house::{Ground, until};

on_both!(
    a_stream_brings_the_text_and_ends_with_the_other_members,
    a_reader_who_leaves_finds_the_text_when_they_come_back,
    whoever_asks_for_the_same_meanwhile_hears_the_same_and_pays_nothing,
);

const PAGES: &str = "/api/translate/urdu";
const QUOTA: &str = "/api/translate/quota";

fn page(content: &str) -> Value {
    json!({"page_url": "/a", "page_content": content})
}

fn text(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["delta"].as_str()).collect()
}

async fn a_stream_brings_the_text_and_ends_with_the_other_members(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "9")]).await;
    let ada = scene.reader("ada", "hardware").await;
    // Once as it is written, once from the cache.
    for _ in 0..2 {
        let heard = events(open(&ada, PAGES, &page(PAGE)).await).await;
        assert_eq!(text(&heard), PAGE_ECHOED);
        let (last, content) = heard.split_last().unwrap();
        assert!(content.iter().all(|event| event["type"] == "content"), "{heard:?}");
        let named = [
            "type",
            "source_language",
            "target_language",
            "processing_time_ms",
            "original_content_hash",
            "quota_remaining",
            "quota_limit",
        ];
        assert_eq!(members(last), named);
        assert_eq!((&last["type"], &last["quota_remaining"]), (&json!("done"), &json!(8)));
    }
    for (path, body, named) in [
        (
            "/translate",
            json!({"text": PAGE, "target_language": "ur"}),
            vec!["type", "source_language", "target_language", "user_id", "timestamp"],
        ),
        ("/personalize", json!({"content": PAGE}), vec!["type", "user_id", "timestamp"]),
        (
            "/personalization/personalize",
            page(PAGE),
            vec!["type", "profile_hash", "original_content_hash", "processing_time_ms", "quota_remaining"],
        ),
    ] {
        let heard = events(open(&ada, path, &body).await).await;
        assert_eq!(text(&heard), PAGE_ECHOED, "{path}");
        assert_eq!(members(heard.last().unwrap()), named, "{path}");
    }
    // What fails before the first word has a status, and after it an event.
    let refused = open(&ada, PAGES, &page("REFUSE these robots.")).await;
    assert_eq!(refused.status(), 502);
    let sections: Vec<String> =
        (0..40).map(|n| format!("## Part {n}\n\n{}\n\n", "Some robots sense. ".repeat(40))).collect();
    let late = format!("{}## The end\n\nREFUSE these robots.\n", sections.concat());
    let heard = events(open(&ada, PAGES, &page(&late)).await).await;
    let kinds: Vec<&str> = heard.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], &kinds[kinds.len() - 2..]), ("content", &["error", "done"][..]), "{kinds:?}");
    let error = &heard[heard.len() - 2];
    assert_eq!((&error["code"], &error["allow_retry"]), (&json!("model_failed"), &json!(true)));
    assert_eq!(heard.last().unwrap()["quota_remaining"], 7, "two texts were written, and this one was not");
}

async fn a_reader_who_leaves_finds_the_text_when_they_come_back(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "9")]).await;
    let ada = scene.user("ada");
    let asked = page("HANG on, robots, for a while.");
    let leaving = {
        let (ada, asked) = (ada.clone(), asked.clone());
        async move { open(&ada, PAGES, &asked).await }
    };
    tokio::select! {
        _ = leaving => panic!("nothing is written yet"),
        () = scene.model.was_asked(1) => {}
    }
    scene.model.open();
    let kept = async || {
        let known = ada.get("/api/translate/history?page_url=/a").await;
        known.body["has_translation"] == true
    };
    until("the text is kept", kept).await;
    let answer = post(&ada, PAGES, &asked).await;
    assert_eq!(answer.body["translated_content"], "HANG on, ROBOTS, for a while.");
    assert_eq!((scene.model.asked().len(), used(&ada, QUOTA).await), (1, (1, 8)));
}

async fn whoever_asks_for_the_same_meanwhile_hears_the_same_and_pays_nothing(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "1")]).await;
    let (ada, grace) = (scene.user("ada"), scene.user("grace"));
    let asked = page("HANG on, robots, for a while.");
    let second = async {
        scene.model.was_asked(1).await;
        let joined = async {
            scene.model.open();
        };
        let (answers, ()) =
            tokio::join!(async { tokio::join!(post(&grace, PAGES, &asked), post(&ada, PAGES, &asked)) }, joined);
        answers
    };
    let (first, (second, third)) = tokio::join!(post(&ada, PAGES, &asked), second);
    for answer in [&first, &second, &third] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["translated_content"], "HANG on, ROBOTS, for a while.");
    }
    assert_eq!(scene.model.asked().len(), 1);
    assert_eq!((used(&ada, QUOTA).await, used(&grace, QUOTA).await), ((1, 0), (0, 1)));
    // They fail together, too.
    let damaged = page("DAMAGE these `robots()`.");
    let (one, other) = tokio::join!(post(&grace, PAGES, &damaged), post(&grace, PAGES, &damaged));
    assert_eq!(code(&one), (502, "damaged"));
    assert_eq!(code(&other), (502, "damaged"));
    assert_eq!(used(&grace, QUOTA).await, (0, 1));
}
