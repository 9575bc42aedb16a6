//! Both forms of translating: what they answer, remember and refuse, and for whom they count.

use chatkit_gateway::rewrite::content_hash;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::on_both;
use super::scene::{PAGE, PAGE_ECHOED, Scene, code, members, post, used};
use crate::support::client::Reader;
use crate::support::house::Ground;

on_both!(
    a_user_has_a_text_translated,
    a_page_is_translated_for_anybody_and_for_all_of_them_once,
    readers_without_an_account_are_counted_by_visitor_and_by_network,
    whatever_is_wrong_is_named_at_once,
    what_a_visitor_had_translated_becomes_theirs_when_they_sign_in,
);

const PAGES: &str = "/api/translate/urdu";
const QUOTA: &str = "/api/translate/quota";

fn page(url: &str, content: &str) -> Value {
    json!({"page_url": url, "page_content": content})
}

async fn history(reader: &Reader, url: &str, hash: &str) -> Value {
    let answer = reader.get(&format!("/api/translate/history?page_url={url}&current_content_hash={hash}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn a_user_has_a_text_translated(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "100")]).await;
    let ada = scene.user("ada");
    let body = json!({"text": PAGE, "target_language": "ur", "context": "a book on machines"});
    let answer = post(&ada, "/translate", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let named = ["translated_text", "source_language", "target_language", "user_id", "timestamp"];
    assert_eq!(members(&answer.body), named);
    assert_eq!(answer.body["translated_text"], PAGE_ECHOED);
    assert_eq!((&answer.body["target_language"], &answer.body["user_id"]), (&json!("ur"), &json!("ada")));
    assert_eq!(answer.body["source_language"], "und");
    answer.body["timestamp"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let told = scene.model.asked()[0].to_string();
    assert!(told.contains("Urdu") && told.contains("a book on machines"), "{told}");
    let asked = scene.model.asked().len();
    post(&ada, "/translate", &body).await;
    assert_eq!((scene.model.asked().len(), used(&ada, QUOTA).await), (asked, (1, 99)));
    // Another context, language or reader is another text.
    post(&ada, "/translate", &json!({"text": PAGE, "target_language": "ur"})).await;
    post(&ada, "/translate", &json!({"text": PAGE, "target_language": "fr", "source_language": "en"})).await;
    assert_eq!(used(&ada, QUOTA).await, (3, 97));
    let grace = scene.user("grace");
    post(&grace, "/translate", &body).await;
    assert_eq!(used(&grace, QUOTA).await, (1, 99));
    // Nobody says into what: what the browser asks for first.
    let asked = ada
        .request("POST", "/translate")
        .header("accept-language", "en;q=0.5, pt-BR")
        .body(json!({"text": PAGE}).to_string());
    assert_eq!(ada.send(asked).await.body["target_language"], "pt-BR");
}

async fn a_page_is_translated_for_anybody_and_for_all_of_them_once(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "100")]).await;
    let (visitor, stranger, ada) = (scene.house.visitor().await, scene.house.stranger(), scene.user("ada"));
    let answer = post(&visitor, PAGES, &page("/docs/a", PAGE)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let named = [
        "translated_content",
        "source_language",
        "target_language",
        "processing_time_ms",
        "original_content_hash",
        "quota_remaining",
        "quota_limit",
    ];
    assert_eq!(members(&answer.body), named);
    assert_eq!(answer.body["translated_content"], PAGE_ECHOED);
    assert_eq!((&answer.body["source_language"], &answer.body["target_language"]), (&json!("en"), &json!("ur")));
    assert_eq!((&answer.body["quota_remaining"], &answer.body["quota_limit"]), (&json!(99), &json!(100)));
    let hash = content_hash(PAGE);
    assert_eq!(answer.body["original_content_hash"], hash);
    let asked = scene.model.asked().len();
    for other in [&stranger, &ada] {
        let answer = post(other, PAGES, &page("/docs/a", PAGE)).await;
        assert_eq!(answer.body["translated_content"], PAGE_ECHOED);
        assert_eq!(answer.body["quota_remaining"], 100, "what somebody else had translated costs nothing");
    }
    assert_eq!(scene.model.asked().len(), asked);

    for reader in [&visitor, &ada] {
        let known = history(reader, "/docs/a", &hash).await;
        assert_eq!(members(&known), ["has_translation", "original_content_hash", "translated_at", "content_changed"]);
        assert_eq!((&known["has_translation"], &known["content_changed"]), (&json!(true), &json!(false)));
        assert_eq!(known["original_content_hash"], hash);
        assert_eq!(history(reader, "/docs/a", "another").await["content_changed"], true);
    }
    let unknown = json!({"has_translation": false, "content_changed": false});
    assert_eq!(history(&visitor, "/docs/b", &hash).await, unknown);
    assert_eq!(
        history(&stranger, "/docs/a", &hash).await,
        unknown,
        "strangers are all one, and nothing is told of them"
    );
    assert_eq!(history(&scene.house.visitor().await, "/docs/a", &hash).await, unknown);
}

async fn readers_without_an_account_are_counted_by_visitor_and_by_network(ground: Ground) {
    let variables = [("TRANSLATIONS_PER_DAY", "2"), ("TRANSLATIONS_PER_DAY_PER_ADDRESS", "3")];
    let scene = Scene::on(ground, &variables).await;
    let text = |number: usize| page("/a", &format!("{number} robots sense and act."));
    let (first, second, stranger) = (scene.house.visitor().await, scene.house.visitor().await, scene.house.stranger());
    for number in 0..2 {
        assert_eq!(post(&first, PAGES, &text(number)).await.status, 200);
    }
    assert_eq!(code(&post(&first, PAGES, &text(2)).await), (429, "quota_exceeded"));
    assert_eq!(used(&first, QUOTA).await, (2, 0));
    assert_eq!(used(&second, QUOTA).await, (2, 1), "of their network there is less left than of their own");
    assert_eq!(post(&second, PAGES, &text(2)).await.status, 200);
    let answer = post(&second, PAGES, &text(3)).await;
    assert_eq!(code(&answer), (429, "quota_exceeded"));
    assert_eq!(answer.body["error"]["details"]["limit"], 3);
    assert_eq!(code(&post(&stranger, PAGES, &text(3)).await), (429, "quota_exceeded"));
    assert_eq!(post(&stranger, PAGES, &text(0)).await.status, 200, "what is there can be had");
    // Whoever has an account is counted by that alone.
    let ada = scene.user("ada");
    assert_eq!(used(&ada, QUOTA).await, (0, 2));
    assert_eq!(post(&ada, PAGES, &text(3)).await.status, 200);
    let keys = scene.house.ground().rows("select key from limit_counts where key like 'translations/%'").await;
    assert!(keys.iter().all(|key| !key.contains("127.0.0.1")), "{keys:?}");
}

async fn whatever_is_wrong_is_named_at_once(ground: Ground) {
    let scene = Scene::on(ground, &[("TRANSLATIONS_PER_DAY", "5")]).await;
    let ada = scene.user("ada");
    let wrong = json!({"page_content": "", "target_language": "Klingon!", "source_language": 3});
    let answer = post(&ada, PAGES, &wrong).await;
    for member in ["`page_content`", "`page_url`", "`target_language`", "`source_language`"] {
        answer.refuses(400, member);
    }
    post(&ada, PAGES, &page("/a", &"r".repeat(100_001))).await.refuses(400, "`page_content`");
    let same = json!({"page_url": "/a", "page_content": PAGE, "target_language": "EN"});
    post(&ada, PAGES, &same).await.refuses(400, "`target_language`");
    post(&ada, "/translate", &json!({"text": PAGE})).await.refuses(400, "`target_language`");
    post(&ada, "/translate", &json!({"target_language": "ur"})).await.refuses(400, "`text`");
    let long = json!({"text": PAGE, "target_language": "ur", "context": "c".repeat(1_001)});
    post(&ada, "/translate", &long).await.refuses(400, "`context`");
    ada.get("/api/translate/history").await.refuses(400, "`page_url`");
    ada.get(&format!("/api/translate/history?page_url={}", "u".repeat(501))).await.refuses(400, "`page_url`");
    for stranger in [scene.house.stranger(), scene.house.visitor().await] {
        post(&stranger, "/translate", &json!({"text": PAGE, "target_language": "ur"})).await.refuses(401, "signed in");
    }
    let damaged = page("/a", "Some robots DAMAGE `what()` they are given.");
    assert_eq!(code(&post(&ada, PAGES, &damaged).await), (502, "damaged"));
    assert_eq!(used(&ada, QUOTA).await, (0, 5));
}

async fn what_a_visitor_had_translated_becomes_theirs_when_they_sign_in(ground: Ground) {
    let scene = Scene::on(ground, &[]).await;
    let visitor = scene.house.visitor().await;
    post(&visitor, PAGES, &page("/docs/a", PAGE)).await;
    let ada = scene.user("ada");
    let hash = content_hash(PAGE);
    assert_eq!(history(&ada, "/docs/a", &hash).await["has_translation"], false);
    // She shows both.
    let token = ada.request("GET", "/").build().unwrap().headers()["authorization"].to_str().unwrap()[7..].to_owned();
    let both = visitor.bearing(&token);
    assert_eq!(history(&both, "/docs/a", &hash).await["has_translation"], true);
    assert_eq!(history(&ada, "/docs/a", &hash).await["has_translation"], true);
}
