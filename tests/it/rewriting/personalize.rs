//! `routes.md` in short: both forms of personalizing, what they answer, remember and refuse.

use chatkit_gateway::rewrite::content_hash;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::on_both;
use super::scene::{PAGE, PAGE_ECHOED, Scene, code, members, post, used};
use crate::support::house::{Ground, House};

on_both!(
    a_text_is_written_for_the_stored_profile_or_the_one_that_comes_with_it,
    a_page_is_written_once_and_remembered,
    what_cannot_be_written_costs_nothing,
    whatever_is_wrong_is_named_at_once,
);

const PAGES: &str = "/personalization/personalize";
const QUOTA: &str = "/personalization/quota";

fn page(url: &str, content: &str) -> Value {
    json!({"page_url": url, "page_content": content})
}

async fn a_text_is_written_for_the_stored_profile_or_the_one_that_comes_with_it(ground: Ground) {
    let scene = Scene::on(ground, &[("PERSONALIZATIONS_PER_DAY", "50")]).await;
    let ada = scene.reader("ada", "hardware").await;
    let answer = post(&ada, "/personalize", &json!({"content": PAGE})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(members(&answer.body), ["personalized_content", "user_id", "timestamp"]);
    assert_eq!(answer.body["personalized_content"], PAGE_ECHOED);
    assert_eq!(answer.body["user_id"], "ada");
    answer.body["timestamp"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let told = scene.model.asked()[0].to_string();
    assert!(told.contains("cares most for hardware") && !told.contains("print"), "{told}");

    let asked = scene.model.asked().len();
    let software = json!({"content": PAGE, "profile": {"focus_area": "software"}});
    let answer = post(&ada, "/personalize", &software).await;
    assert_eq!(answer.body["personalized_content"], PAGE_ECHOED);
    assert!(scene.model.asked()[asked].to_string().contains("cares most for software"));
    assert_eq!(used(&ada, QUOTA).await, (2, 48));

    // The same again, in the other form too: from the cache.
    let asked = scene.model.asked().len();
    post(&ada, "/personalize", &software).await;
    assert_eq!(post(&ada, PAGES, &page("/a", PAGE)).await.status, 200);
    assert_eq!((scene.model.asked().len(), used(&ada, QUOTA).await), (asked, (2, 48)));
    // What was written for somebody is theirs.
    let grace = scene.reader("grace", "hardware").await;
    post(&grace, "/personalize", &json!({"content": PAGE})).await;
    assert!(scene.model.asked().len() > asked);
}

async fn a_page_is_written_once_and_remembered(ground: Ground) {
    let scene = Scene::on(ground, &[("PERSONALIZATIONS_PER_DAY", "3")]).await;
    let (ada, grace) = (scene.reader("ada", "hardware").await, scene.reader("grace", "hardware").await);
    assert_eq!(used(&ada, QUOTA).await, (0, 3));
    let free = json!({"page_url": "/docs/a b?c", "page_content": PAGE, "is_free_repersonalization": true});
    let answer = post(&ada, "/api/personalization/personalize", &free).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let named =
        ["personalized_content", "profile_hash", "original_content_hash", "processing_time_ms", "quota_remaining"];
    assert_eq!(members(&answer.body), named);
    assert_eq!(answer.body["personalized_content"], PAGE_ECHOED);
    assert_eq!(answer.body["original_content_hash"], content_hash(PAGE));
    assert_eq!(answer.body["quota_remaining"], 2);
    let hash = answer.body["profile_hash"].clone();
    let again = post(&ada, PAGES, &page("/docs/a b?c", PAGE)).await;
    assert_eq!((&again.body["quota_remaining"], &again.body["profile_hash"]), (&json!(2), &hash));
    post(&ada, PAGES, &page("/docs/b", &PAGE.repeat(2))).await;

    for below in ["", "/api"] {
        let history = ada.get(&format!("{below}/personalization/history")).await;
        assert_eq!(members(&history.body), ["pages", "current_profile_hash"]);
        assert_eq!(history.body["current_profile_hash"], hash);
        let pages = history.body["pages"].as_array().unwrap();
        let urls: Vec<&str> = pages.iter().map(|page| page["url"].as_str().unwrap()).collect();
        assert_eq!(urls, ["/docs/b", "/docs/a b?c"]);
        assert_eq!(members(&pages[1]), ["url", "profile_hash", "created_at"]);
        assert_eq!(pages[1]["profile_hash"], hash);
        assert_eq!(used(&ada, &format!("{below}{QUOTA}")).await, (2, 1));
    }
    for spelling in ["%2Fdocs%2Fa%20b%3Fc", "/docs/a%20b%3Fc", "docs/a%20b%3Fc"] {
        let known = ada.get(&format!("/personalization/history/{spelling}")).await;
        assert_eq!(known.status, 200, "{spelling}: {known:?}");
        assert_eq!(
            members(&known.body),
            ["found", "profile_hash", "original_content_hash", "created_at", "is_stale"],
            "{spelling}"
        );
        assert_eq!((&known.body["found"], &known.body["is_stale"]), (&json!(true), &json!(false)));
        assert_eq!(known.body["original_content_hash"], content_hash(PAGE));
    }
    assert_eq!(ada.get("/personalization/history/nowhere").await.body, json!({"found": false}));
    // Nobody sees somebody else's.
    assert_eq!(grace.get("/personalization/history").await.body["pages"], json!([]));
    assert_eq!(grace.get("/personalization/history/%2Fdocs%2Fb").await.body, json!({"found": false}));
    assert_eq!(used(&grace, QUOTA).await, (0, 3));
    // Another profile makes it old.
    scene.reader("ada", "software").await;
    let known = ada.get("/api/personalization/history/%2Fdocs%2Fb").await;
    assert_eq!((&known.body["profile_hash"], &known.body["is_stale"]), (&hash, &json!(true)));
    let other = post(&ada, PAGES, &page("/docs/b", &PAGE.repeat(2))).await;
    assert_ne!(other.body["profile_hash"], hash);
    assert_eq!(other.body["quota_remaining"], 0);
    assert_eq!(ada.get("/personalization/history").await.body["pages"].as_array().unwrap().len(), 2);
}

async fn what_cannot_be_written_costs_nothing(ground: Ground) {
    let variables = [("PERSONALIZATIONS_PER_DAY", "1"), ("MODEL_SILENCE_SECONDS", "1")];
    let scene = Scene::on(ground, &variables).await;
    let ada = scene.reader("ada", "hardware").await;
    let text = |word: &str| page("/a", &format!("Some robots {word} `what()` they are given."));
    for (word, status, named) in
        [("REFUSE", 502, "model_failed"), ("DAMAGE", 502, "damaged"), ("MUTE", 504, "too_slow")]
    {
        let answer = post(&ada, PAGES, &text(word)).await;
        assert_eq!(code(&answer), (status, named), "{answer:?}");
        assert_eq!(used(&ada, QUOTA).await, (0, 1), "{word}");
        assert_eq!(ada.get("/personalization/history").await.body["pages"], json!([]));
    }
    let asked = scene.model.asked().iter().filter(|asked| asked.to_string().contains("DAMAGE")).count();
    assert_eq!(asked, 2, "a text that was damaged is tried once more");
    assert_eq!(post(&ada, PAGES, &text("sense")).await.status, 200);
    let answer = post(&ada, PAGES, &text("move")).await;
    assert_eq!(code(&answer), (429, "quota_exceeded"));
    let details = &answer.body["error"]["details"];
    assert_eq!(members(details), ["limit", "used", "remaining", "resets_at"]);
    assert_eq!((&details["limit"], &details["used"], &details["remaining"]), (&json!(1), &json!(1), &json!(0)));
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(post(&ada, PAGES, &text("sense")).await.status, 200, "what is there can be had again");
}

async fn whatever_is_wrong_is_named_at_once(ground: Ground) {
    let scene = Scene::on(ground, &[]).await;
    let ada = scene.reader("ada", "hardware").await;
    post(&ada, PAGES, &json!({})).await.refuses(400, "`page_content`");
    let wrong = json!({"page_url": "u".repeat(501), "page_content": 7, "is_free_repersonalization": "yes"});
    let answer = post(&ada, PAGES, &wrong).await;
    for member in ["`page_url`", "`page_content`", "`is_free_repersonalization`"] {
        answer.refuses(400, member);
    }
    assert_eq!(code(&answer).1, "invalid_request");
    assert_eq!(answer.body["error"]["details"]["problems"].as_array().unwrap().len(), 3);
    post(&ada, PAGES, &page("a\nb", PAGE)).await.refuses(400, "`page_url`");
    post(&ada, PAGES, &page("", PAGE)).await.refuses(400, "`page_url`");
    post(&ada, PAGES, &page("/a", &"r".repeat(100_001))).await.refuses(400, "`page_content`");
    assert_eq!(post(&ada, PAGES, &page(&"u".repeat(500), &"r".repeat(20))).await.status, 200);
    for short in ["", "   ", "Robots.", &" ".repeat(500)] {
        assert_eq!(code(&post(&ada, PAGES, &page("/a", short)).await), (400, "content_too_short"));
        assert_eq!(code(&post(&ada, "/personalize", &json!({"content": short})).await), (400, "content_too_short"));
    }
    for body in ["", "[]", "{", "7"] {
        ada.post_to(PAGES, body).await.refuses(400, "`body`");
    }
    ada.post_to(PAGES, "x".repeat(2 << 20)).await.refuses(413, "larger");
    let profile = json!({"content": PAGE, "profile": {"focus_area": "cooking", "learning_speed": 3}});
    let answer = post(&ada, "/personalize", &profile).await;
    answer.refuses(400, "focus_area");
    answer.refuses(400, "learning_speed");
    post(&ada, "/personalize", &json!({"content": PAGE, "profile": "me"})).await.refuses(400, "`profile`");

    // Whoever has said nothing of themselves has to say something first.
    let nobody = scene.user("nobody");
    for (path, body) in [
        ("/personalize", json!({"content": PAGE})),
        ("/personalize", json!({"content": PAGE, "profile": {}})),
        ("/personalize", json!({"content": PAGE, "profile": {"preferred_language": "ur"}})),
        (PAGES, page("/a", PAGE)),
    ] {
        assert_eq!(code(&post(&nobody, path, &body).await), (403, "profile_incomplete"), "{path} {body}");
    }
    assert_eq!(nobody.get("/personalization/history").await.body, json!({"pages": [], "current_profile_hash": null}));
    // In the reader's language.
    let urdu = nobody.request("POST", PAGES).header("accept-language", "ur-PK").body(page("/a", PAGE).to_string());
    scene.house.stranger().send(urdu).await.refuses(403, "پروفائل");
    for stranger in [scene.house.stranger(), scene.house.visitor().await] {
        for path in ["/personalize", PAGES, "/api/personalization/personalize"] {
            stranger.post_to(path, page("/a", PAGE).to_string()).await.refuses(401, "signed in");
        }
        for path in [QUOTA, "/personalization/history", "/personalization/history/a", "/api/personalization/history"] {
            stranger.get(path).await.refuses(401, "signed in");
        }
    }
    // Where there is no limit there is much left.
    assert_eq!(used(&ada, QUOTA).await, (0, 1_000_000_000));
}

#[tokio::test]
async fn without_a_model_the_operator_is_told_what_to_set_and_nothing_is_counted() {
    let house = House::offline().await;
    let visitor = house.visitor().await;
    let body = json!({"page_url": "/a", "page_content": PAGE});
    let answer = post(&visitor, "/api/translate/urdu", &body).await;
    assert_eq!(code(&answer), (503, "no_model"));
    answer.refuses(503, "OPENAI_API_KEY");
}
