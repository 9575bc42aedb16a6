//! A visitor who signs in: their conversations go with them, and nobody else's do.

use serde_json::{Value, json};

use super::{BOOK, Browser, EVIL, set_cookies};
use crate::accounts::{ACCOUNTS, ada};
use crate::support::client::{Reader, input, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};
use crate::support::issuer::Issuer;

/// A house that believes this issuer, with further variables.
async fn house(issuer: &Issuer, variables: &[(&str, &str)]) -> House {
    let believed = Issuer::believed(&[issuer]);
    let mut all: Vec<(&str, &str)> = believed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(variables);
    Ground::sqlite(&all).build().await
}

async fn threads(reader: &Reader) -> Vec<String> {
    let answer = reader.ask("threads.list", json!({})).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let threads = answer.body["data"].as_array().unwrap();
    threads.iter().map(|thread| thread["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_first_request_with_both_tokens_takes_the_conversations_along() {
    let issuer = Issuer::better_auth().await;
    let house = house(&issuer, &[]).await;
    let visitor = house.visitor().await;
    let thread_id = thread_of(&visitor.create("hello").await);
    let both = visitor.bearing(&issuer.token("ada"));
    for _ in 0..2 {
        let answer = both.ask("threads.list", json!({})).await;
        assert_eq!(answer.body["data"][0]["id"], json!(thread_id));
        assert_eq!(answer.headers["x-chatkit-visitor-adopted"], "true");
    }
    assert_eq!(threads(&house.stranger().bearing(&issuer.token("ada"))).await, std::slice::from_ref(&thread_id));
    assert_eq!(threads(&visitor).await, [""; 0]);
    visitor.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.refuses(404, "thread");
    // Somebody else who signs in on the same machine afterwards.
    assert_eq!(threads(&visitor.bearing(&issuer.token("grace"))).await, [""; 0]);
    let later = thread_of(&visitor.create("signed out again").await);
    assert_eq!(threads(&both).await, [thread_id]);
    assert_eq!(threads(&visitor).await, [later]);
    let renewed = visitor.post_to("/visitor", "").await;
    let renewed = Reader::new(&house.url, Some(renewed.body["token"].as_str().unwrap().to_owned()));
    assert_ne!(renewed.owner(&house), visitor.owner(&house), "one that can be adopted again");
}

#[tokio::test]
async fn a_wrong_visitor_token_beside_a_good_one_of_a_user_is_let_pass() {
    let issuer = Issuer::better_auth().await;
    let house = house(&issuer, &[]).await;
    let wrong = Reader::new(&house.url, Some("v1.visitor_1.00".to_owned()));
    let answer = wrong.bearing(&issuer.token("ada")).ask("threads.list", json!({})).await;
    assert_eq!((answer.status, answer.headers.get("x-chatkit-visitor-adopted")), (200, None));
}

#[tokio::test]
async fn where_it_is_switched_off_a_visitor_keeps_what_is_theirs() {
    let issuer = Issuer::better_auth().await;
    let house = house(&issuer, &[("ADOPT_VISITOR_THREADS", "false")]).await;
    let visitor = house.visitor().await;
    let thread_id = thread_of(&visitor.create("hello").await);
    assert_eq!(threads(&visitor.bearing(&issuer.token("ada"))).await, [""; 0]);
    assert_eq!(threads(&visitor).await, [thread_id]);
}

#[tokio::test]
async fn signing_up_in_a_browser_takes_along_what_it_wrote_and_its_visitor_is_forgotten() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let mut browser = Browser::at_home();
    browser.list(&house).await;
    let first = browser.create(&house, "before").await;
    let mut left_open = Browser { cookies: browser.cookies.clone(), ..Browser::at_home() };
    let answer = browser.post(&house, "/auth/signup", ada().to_string()).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    assert!(set_cookies(&answer.headers).iter().any(|set| set.contains("visitor=;")), "{:?}", answer.headers);
    assert_eq!(browser.cookies.len(), 1, "the session's alone");
    assert_eq!(browser.list(&house).await, std::slice::from_ref(&first));
    assert_eq!(left_open.list(&house).await, [""; 0]);
    assert_eq!(browser.post(&house, "/auth/signout", "").await.status, 204);
    browser.list(&house).await;
    let second = browser.create(&house, "as somebody new").await;
    assert_eq!(browser.post(&house, "/auth/signin", ada().to_string()).await.status, 200);
    let mut both = browser.list(&house).await;
    both.sort();
    let mut expected = [first, second];
    expected.sort();
    assert_eq!(both, expected, "the second time, too");
}

#[tokio::test]
async fn no_page_of_another_site_signs_a_visitor_in_as_somebody_to_have_their_conversations() {
    let ground = ACCOUNTS.iter().fold(Ground::sqlite(&[]), |ground, (name, value)| ground.with(name, value));
    let house = ground.with("CORS_ORIGINS", BOOK).build().await;
    let mut browser = Browser::at_home();
    browser.list(&house).await;
    let thread_id = browser.create(&house, "a secret").await;
    let mut evil = browser.moved_to(EVIL);
    let refused = evil.post(&house, "/auth/signup", ada().to_string()).await;
    assert_eq!(refused.status, 403, "{:?}", refused.body);
    assert_eq!(browser.list(&house).await, [thread_id]);
}

#[tokio::test]
async fn an_answer_that_is_being_written_while_its_reader_signs_in_is_theirs_as_a_whole() {
    let issuer = Issuer::better_auth().await;
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots", " sense", " and act."]);
    model.reply(reply);
    let fake = answered_by(&model);
    let fake: Vec<(&str, &str)> = fake.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let house = house(&issuer, &fake).await;
    let visitor = house.visitor().await;
    let mut stream = visitor.open("threads.create", json!({"input": input("What do robots do?")})).await;
    gate.open();
    let heard = stream.until(|event: &Value| event["update"]["delta"].is_string()).await;
    let thread_id = thread_of(&heard);
    let user = visitor.bearing(&issuer.token("ada"));
    assert_eq!(threads(&user).await, std::slice::from_ref(&thread_id));
    gate.open();
    gate.open();
    stream.rest().await;
    house.quiet().await;
    let kept = user.conversation(&thread_id).await;
    assert_eq!(kept, ["user_message: What do robots do?", "assistant_message: Robots sense and act."]);
    visitor.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.refuses(404, "thread");
}
