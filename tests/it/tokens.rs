//! Tokens of issuers: whom they open the door to, through a real house and a real socket.

mod forged;
mod keys;

use chatkit_gateway::identity::OwnerId;
use chatkit_protocol::ThreadId;
use serde_json::{Value, json};

use crate::support::client::{Answer, thread_of};
use crate::support::house::{Ground, House};
use crate::support::issuer::{Answers, Issuer, TestKey, now};

/// A house that believes these issuers, with further variables.
async fn house_and(issuers: &[&Issuer], variables: &[(&str, &str)]) -> House {
    let believed = Issuer::believed(issuers);
    let mut all: Vec<(&str, &str)> = believed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(variables);
    Ground::sqlite(&all).build().await
}

async fn house(issuers: &[&Issuer]) -> House {
    house_and(issuers, &[]).await
}

/// What somebody with this token is answered who wants the list of their threads.
async fn list(house: &House, token: &str) -> Answer {
    house.stranger().bearing(token).ask("threads.list", json!({})).await
}

/// How many threads somebody with this token has.
async fn threads(house: &House, token: &str) -> usize {
    let answer = list(house, token).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_a_user_writes_is_theirs_on_every_page_and_nobody_elses() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let ada = house.stranger().bearing(&issuer.token("ada"));
    let thread = thread_of(&ada.create("What is a robot?").await);

    assert_eq!(threads(&house, &issuer.token("ada")).await, 1);
    assert_eq!(threads(&house, &issuer.token("grace")).await, 0);
    let others = [house.stranger().bearing(&issuer.token("grace")), house.visitor().await, house.stranger()];
    for other in others {
        let answer = other.ask("threads.get_by_id", json!({"thread_id": thread})).await;
        answer.refuses(404, "thread");
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_user_of_the_first_issuer_finds_the_rows_of_earlier_back_ends() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let events = house.stranger().bearing(&issuer.token("ada")).create("What is a robot?").await;
    let thread = ThreadId::new(thread_of(&events));
    // The one before wrote the bare subject into `user_id`, which the migration makes this of.
    assert!(house.app.store.thread(&OwnerId::user("ada"), &thread).await.is_ok());
}

#[tokio::test]
async fn a_new_key_in_the_middle_of_a_conversation_is_found_and_the_old_one_still_serves() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let old = issuer.token("ada");
    let thread = thread_of(&house.stranger().bearing(&old).create("What is a robot?").await);
    issuer.rotate();
    let new = house.stranger().bearing(&issuer.token("ada"));
    new.say(&thread, "And what is an actuator?").await;
    assert_eq!(new.conversation(&thread).await.len(), house.stranger().bearing(&old).conversation(&thread).await.len());
    assert_eq!(issuer.fetches(), 2, "one for the first token, one for the new key");
}

#[tokio::test]
async fn readers_whose_key_is_known_do_not_notice_that_the_issuer_is_away() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    assert_eq!(threads(&house, &issuer.token("ada")).await, 0);
    issuer.answers(Answers::Status(500, b"out of order".to_vec()));
    // Another user, so that it is not the same token once more.
    assert_eq!(threads(&house, &issuer.token("grace")).await, 0);
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_now_is_asked_to_come_again_and_taken_for_nobody() {
    let issuer = Issuer::better_auth().await;
    issuer.answers(Answers::Status(500, b"out of order".to_vec()));
    let house = house(&[&issuer]).await;
    let answer = list(&house, &issuer.token("ada")).await;
    answer.refuses(503, "keys");
    assert_eq!(answer.body["error"]["code"], "keys_unavailable");
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert!(!answer.headers.contains_key("www-authenticate"), "the token may be good");
}

#[tokio::test]
async fn an_issuer_without_a_key_is_believed_as_soon_as_it_has_one() {
    let issuer = Issuer::without_keys().await;
    let house = house(&[&issuer]).await;
    let early = TestKey::new(jsonwebtoken::Algorithm::EdDSA, "early");
    list(&house, &early.sign(&early.header(), &issuer.claims("ada"))).await.refuses(401, "`kid`");
    issuer.rotate();
    assert_eq!(threads(&house, &issuer.token("ada")).await, 0);
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn users_of_two_issuers_do_not_meet_though_they_have_one_name() {
    let (one, two) = (Issuer::better_auth().await, Issuer::better_auth().await);
    let house = house(&[&one, &two]).await;
    house.stranger().bearing(&one.token("ada")).create("What is a robot?").await;
    assert_eq!(threads(&house, &one.token("ada")).await, 1);
    assert_eq!(threads(&house, &two.token("ada")).await, 0);
    house.stranger().bearing(&two.token("ada")).create("What is a robot?").await;
    assert_eq!(threads(&house, &two.token("ada")).await, 1);
    assert_eq!(threads(&house, &one.token("ada")).await, 1);
}

#[tokio::test]
async fn one_issuer_cannot_speak_for_another() {
    let (one, two) = (Issuer::better_auth().await, Issuer::better_auth().await);
    let house = house(&[&one, &two]).await;
    assert_eq!(threads(&house, &two.token("ada")).await, 0);
    let (theirs, ours) = (two.key(), one.key());
    list(&house, &theirs.sign(&theirs.header(), &one.claims("ada"))).await.refuses(401, "`kid`");
    list(&house, &theirs.sign(&ours.header(), &one.claims("ada"))).await.refuses(401, "signature");
}

#[tokio::test]
async fn several_names_may_share_one_set_of_keys_and_stay_apart() {
    let issuer = Issuer::better_auth().await;
    let (keys, name) = (issuer.jwks_url(), issuer.name());
    let names = format!("{name}/,https://other.example.org");
    let house = Ground::sqlite(&[("JWKS_URL", &keys), ("JWT_ISSUER", &names)]).build().await;
    let other = |claim: &str| {
        let mut claims = issuer.claims("ada");
        claims["iss"] = json!("https://other.example.org/");
        claims["aud"] = json!(claim);
        issuer.sign(&claims)
    };
    house.stranger().bearing(&issuer.token("ada")).create("What is a robot?").await;
    assert_eq!(threads(&house, &issuer.token("ada")).await, 1);
    assert_eq!(threads(&house, &other("https://other.example.org")).await, 0);
}

#[tokio::test]
async fn every_algorithm_of_issuers_is_understood() {
    use jsonwebtoken::Algorithm::*;
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let keys = [EdDSA, ES256, ES384, RS256, RS384, RS512, PS256, PS384, PS512];
    let keys = keys.map(|algorithm| TestKey::new(algorithm, &format!("{algorithm:?}")));
    keys.iter().for_each(|key| issuer.publishes(key.public()));
    for key in keys {
        let answer = list(&house, &key.sign(&key.header(), &issuer.claims("ada"))).await;
        assert_eq!(answer.status, 200, "{}: {:?}", key.kid, answer.body);
    }
}

#[tokio::test]
async fn a_claim_that_does_not_hold_is_named_and_not_repeated() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let hour = 60 * 60;
    let wrong: &[(&str, Value, &str)] = &[
        ("exp", json!(now() - hour), "`exp` is past"),
        ("exp", Value::Null, "`exp` is missing"),
        ("exp", json!("tomorrow-77"), "`exp` is not a number"),
        ("exp", json!(true), "`exp` is not a number"),
        ("nbf", json!(now() + hour), "`nbf` is still to come"),
        ("nbf", json!([]), "`nbf` is not a number"),
        ("iat", json!(now() + hour), "`iat` is still to come"),
        ("iss", json!("https://secret-77.example.org"), "`iss`"),
        ("iss", json!(["https://secret-77.example.org"]), "`iss` is not text"),
        ("iss", json!(""), "`iss`"),
        ("iss", json!(issuer.name().to_uppercase()), "`iss`"),
        ("iss", json!(format!("{}//", issuer.name())), "`iss`"),
        ("iss", json!(format!("{}.example.org", issuer.name())), "`iss`"),
        ("iss", Value::Null, "`iss` is missing"),
        ("aud", json!("https://secret-77.example.org"), "`aud`"),
        ("aud", json!(["https://secret-77.example.org", 7]), "`aud`"),
        ("aud", json!([]), "`aud`"),
        ("aud", json!({"name": issuer.name()}), "`aud`"),
        ("aud", Value::Null, "`aud` is missing"),
        ("sub", json!(""), "`sub` is empty"),
        ("sub", json!(77), "`sub` is not text"),
        ("sub", json!("secret-77\n"), "`sub`"),
        ("sub", json!("7".repeat(256)), "`sub` is too long"),
        ("sub", Value::Null, "`sub` is missing"),
    ];
    for (claim, value, named) in wrong {
        let mut claims = issuer.claims("ada");
        claims[*claim] = value.clone();
        let answer = list(&house, &issuer.sign(&claims)).await;
        answer.refuses(401, named);
        assert!(!answer.body["error"].to_string().contains("77"), "{claim} {value}: {:?}", answer.body);
        assert!(!answer.headers["www-authenticate"].to_str().unwrap().contains("77"));
    }
}

#[tokio::test]
async fn a_claim_may_have_every_form_that_means_the_same() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let slash = format!("{}/", issuer.name());
    let right: &[(&str, Value)] = &[
        // Clocks differ.
        ("exp", json!(now() - 30)),
        ("nbf", json!(now() + 30)),
        ("iat", json!(now() + 30)),
        ("exp", json!(now() as f64 + 60.5)),
        ("exp", json!(1e300)),
        ("iat", Value::Null),
        ("iss", json!(slash)),
        ("aud", json!(slash)),
        ("aud", json!(["https://elsewhere.example.org", issuer.name()])),
        ("sub", json!("1".repeat(255))),
        ("sub", json!("Ада|google-oauth2 +")),
        ("role", json!({"anything": ["else"]})),
    ];
    for (claim, value) in right {
        let mut claims = issuer.claims("ada");
        claims[*claim] = value.clone();
        let answer = list(&house, &issuer.sign(&claims)).await;
        assert_eq!(answer.status, 200, "{claim} {value}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn a_token_may_be_meant_for_others_where_the_operator_says_so() {
    let issuer = Issuer::better_auth().await;
    let for_api = |audience: Value| {
        let mut claims = issuer.claims("ada");
        claims["aud"] = audience;
        issuer.sign(&claims)
    };
    let house = house_and(&[&issuer], &[("JWT_AUDIENCE", "chat,https://api.example.org/")]).await;
    for audience in [json!("chat"), json!("https://api.example.org"), json!(["https://api.example.org/", "b"])] {
        assert_eq!(threads(&house, &for_api(audience)).await, 0);
    }
    list(&house, &issuer.token("ada")).await.refuses(401, "`aud`");
    let house = house_and(&[&issuer], &[("JWT_AUDIENCE", "*")]).await;
    for audience in [json!("chat"), json!([]), Value::Null] {
        assert_eq!(threads(&house, &for_api(audience)).await, 0);
    }
}

#[tokio::test]
async fn a_page_is_told_by_the_standard_header_that_its_token_is_not_good() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let mut claims = issuer.claims("ada");
    claims["exp"] = json!(now() - 600);
    let answer = list(&house, &issuer.sign(&claims)).await;
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer error=\"invalid_token\", error_description=\"the token's `exp` is past; get a new one\""
    );
    assert_eq!(answer.body["error"]["code"], "invalid_token");
}
