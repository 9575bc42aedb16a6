//! The tutor: the ChatKit widget on a textbook, with the token of Better Auth, a profile, and buttons on each page that
//! personalize and translate it.

use serde_json::{Value, json};

use super::{Page, data_lines};
use crate::support::client::input;
use crate::support::echo_model::EchoModel;
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};
use crate::support::issuer::Issuer;

const SITE: &str = "https://textbook.example.org";
const CHAPTER: &str = "# Joints\n\nA joint connects two links of a robot, and it lets one of them move against the \
    other. Most arms are made of hinge joints.\n\n```python\nangle = 0.5\n```\n\nEach joint has a motor.\n";

async fn house(model: Vec<(&'static str, String)>, issuer: &Issuer) -> House {
    let believed = Issuer::believed(&[issuer]);
    let mut variables: Vec<(&str, &str)> =
        model.iter().chain(&believed).map(|(name, value)| (*name, value.as_str())).collect();
    // What a server has that nobody told otherwise.
    let usual = [("PERSONALIZATIONS_PER_DAY", "50"), ("TRANSLATIONS_PER_DAY", "100")];
    variables.extend(usual.into_iter().chain([("CORS_ORIGINS", SITE)]));
    Ground::sqlite(&variables).build().await
}

fn chatkit(kind: &str, params: &Value) -> Value {
    json!({"type": kind, "params": params})
}

/// The profile form of the site.
fn profile() -> Value {
    json!({
        "age_range": "18_24", "education_level": "bachelors", "tech_background": "beginner", "focus_area": "software",
        "primary_goal": "career", "learning_mode": "hands_on", "learning_speed": "thorough", "time_per_week": "8_15",
        "preferred_language": "en"
    })
}

#[tokio::test]
async fn the_widget_talks_as_a_user_and_finds_the_thread_again() {
    let (model, issuer) = (FakeModel::start().await, Issuer::better_auth().await);
    model.always(Reply::text(["A joint connects two links."]));
    let house = house(answered_by(&model), &issuer).await;
    let page = Page::of(SITE, &house).bearing(&issuer.token("ada"));
    let asked = chatkit("threads.create", &json!({"input": input("What is a joint?")}));
    let events = data_lines(&page.fetch("POST", "/chatkit", Some(&asked)).await.unwrap().text);
    let thread_id = events[0]["thread"]["id"].as_str().unwrap();
    let done = events.iter().filter(|event| event["type"] == "thread.item.done");
    assert!(done.into_iter().any(|event| event["item"]["type"] == "assistant_message"), "{events:?}");
    let listed = page.fetch("POST", "/chatkit", Some(&chatkit("threads.list", &json!({})))).await.unwrap().json();
    assert_eq!(listed["data"][0]["id"], thread_id);
    // The token of the site has run out: the page signs in again.
    let mut claims = issuer.claims("ada");
    claims["exp"] = json!(1);
    let stale = Page::of(SITE, &house).bearing(&issuer.sign(&claims));
    let refused = stale.fetch("POST", "/chatkit", Some(&chatkit("threads.list", &json!({})))).await.unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_profile_is_made_read_and_changed_and_the_tutor_keeps_to_it() {
    let (model, issuer) = (FakeModel::start().await, Issuer::better_auth().await);
    model.always(Reply::text(["A joint connects two links."]));
    let house = house(answered_by(&model), &issuer).await;
    let page = Page::of(SITE, &house).bearing(&issuer.token("ada"));
    assert_eq!(page.fetch("GET", "/profile", None).await.unwrap().status, 404);
    let made = page.fetch("POST", "/profile", Some(&profile())).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(page.fetch("POST", "/profile", Some(&profile())).await.unwrap().status, 409);
    let changed = page.fetch("PUT", "/profile", Some(&json!({"learning_speed": "accelerated"}))).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text);
    let read = page.fetch("GET", "/profile", None).await.unwrap().json();
    assert_eq!(read["learning_speed"], "accelerated");
    assert_eq!(read["time_per_week"], "8_15");
    assert_eq!(read["tech_background"], "beginner");
    let wrong = page.fetch("PUT", "/profile", Some(&json!({"age_range": "old", "focus_area": 3}))).await.unwrap();
    assert_eq!(wrong.status, 400);
    let told = wrong.text.clone();
    assert!(told.contains("age_range") && told.contains("focus_area") && told.contains("25_34"), "{told}");
    let somebody_else = page.fetch("PUT", "/profile", Some(&json!({"user_id": "grace"}))).await.unwrap();
    assert_eq!(somebody_else.status, 403);
    let asked = chatkit("threads.create", &json!({"input": input("What is a joint?")}));
    page.fetch("POST", "/chatkit", Some(&asked)).await.unwrap();
    let told = model.requests()[0].body["messages"][0].to_string();
    assert!(told.to_lowercase().contains("beginner"), "{told}");
}

#[tokio::test]
async fn the_button_on_a_page_personalizes_it_within_a_quota() {
    let (model, issuer) = (EchoModel::start().await, Issuer::better_auth().await);
    let house = house(model.variables(), &issuer).await;
    let page = Page::of(SITE, &house).bearing(&issuer.token("ada"));
    let button = json!({"page_url": "/docs/joints", "page_content": CHAPTER});
    let path = "/personalization/personalize";
    let refused = page.fetch("POST", path, Some(&button)).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (403, &json!("profile_incomplete")));
    page.fetch("POST", "/profile", Some(&profile())).await.unwrap();
    let quota = page.fetch("GET", "/personalization/quota", None).await.unwrap().json();
    assert_eq!((&quota["limit"], &quota["used"], &quota["remaining"]), (&json!(50), &json!(0), &json!(50)));
    assert!(chrono::DateTime::parse_from_rfc3339(quota["resets_at"].as_str().unwrap()).is_ok());
    let done = page.fetch("POST", path, Some(&button)).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.text);
    let done = done.json();
    assert!(done["personalized_content"].as_str().unwrap().contains("```python\nangle = 0.5\n```"), "{done}");
    assert_eq!(done["quota_remaining"], 49);
    assert!(done["processing_time_ms"].is_number() && done["original_content_hash"].is_string());
    // The same again is there already.
    let again = page.fetch("POST", path, Some(&button)).await.unwrap().json();
    assert_eq!(
        (&again["personalized_content"], &again["quota_remaining"]),
        (&done["personalized_content"], &json!(49))
    );
    let history = page.fetch("GET", "/personalization/history", None).await.unwrap().json();
    assert_eq!(history["pages"][0]["url"], "/docs/joints");
    assert_eq!(history["current_profile_hash"], done["profile_hash"]);
    let found = page.fetch("GET", "/personalization/history/%2Fdocs%2Fjoints", None).await.unwrap().json();
    assert_eq!((&found["found"], &found["is_stale"]), (&json!(true), &json!(false)));
    page.fetch("PUT", "/profile", Some(&json!({"tech_background": "advanced"}))).await.unwrap();
    let found = page.fetch("GET", "/personalization/history/%2Fdocs%2Fjoints", None).await.unwrap().json();
    assert_eq!(found["is_stale"], true);
}

#[tokio::test]
async fn the_other_button_translates_it_for_anybody() {
    let (model, issuer) = (EchoModel::start().await, Issuer::better_auth().await);
    let house = house(model.variables(), &issuer).await;
    let page = Page::of(SITE, &house);
    let button = json!({"page_content": CHAPTER, "page_url": "/docs/joints"});
    let done = page.fetch("POST", "/api/translate/urdu", Some(&button)).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.text);
    let done = done.json();
    assert!(done["translated_content"].as_str().unwrap().contains("```python\nangle = 0.5\n```"), "{done}");
    assert_eq!((&done["source_language"], &done["target_language"]), (&json!("en"), &json!("ur")));
    assert_eq!(done["quota_remaining"].as_u64().unwrap() + 1, done["quota_limit"].as_u64().unwrap());
    assert!(page.fetch("GET", "/api/translate/quota", None).await.unwrap().ok());
    let empty =
        page.fetch("POST", "/api/translate/urdu", Some(&json!({"page_content": "", "page_url": "/"}))).await.unwrap();
    assert_eq!(empty.status, 400);
    assert!(empty.json()["detail"].as_str().unwrap().contains("page_content"));
    let documented = Page::of(SITE, &house).bearing(&issuer.token("ada"));
    let body = json!({"text": "A joint connects two links.", "target_language": "ur"});
    let done = documented.fetch("POST", "/translate", Some(&body)).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!((&done.json()["target_language"], &done.json()["user_id"]), (&json!("ur"), &json!("ada")));
}
