//! Bodies that are not what a sign-up or a sign-in is: each is refused, with all that is wrong with it.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{ACCOUNTS, ada, post, sign_up};
use crate::support::house::Ground;

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let body = json!({"email": "ada", "password": "short", "experience_level": 3, "frameworks": "ROS", "x": 1});
    let refused = post(&house, "/auth/signup", &body).await;
    refused.refuses(400, "`password` must have at least 8 characters");
    let problems = refused.body["error"]["details"]["problems"].as_array().unwrap();
    let members: Vec<&str> = problems.iter().map(|problem| problem["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["email", "password", "full_name", "experience_level", "frameworks"]);
    let refused = post(&house, "/auth/signin", &json!({"remember_me": "yes"})).await;
    refused.refuses(400, "`email`");
    assert_eq!(refused.body["error"]["details"]["problems"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn members_have_limits() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    for (member, value) in [
        ("email", json!(format!("{}@example.org", "a".repeat(300)))),
        ("password", json!("p".repeat(1_025))),
        ("full_name", json!("n".repeat(201))),
        ("full_name", json!("a\0b")),
        ("full_name", json!("  ")),
        ("experience_level", json!("e".repeat(101))),
        ("frameworks", json!(vec!["x"; 51])),
        ("frameworks", json!([""])),
        ("frameworks", json!(["a\nb"])),
        ("robotics_hardware", json!([1])),
    ] {
        let mut who = ada();
        who[member] = value;
        post(&house, "/auth/signup", &who).await.refuses(400, &format!("`{member}`"));
    }
    let mut who = ada();
    who["password"] = json!("p".repeat(1_024));
    who["full_name"] = json!("n".repeat(200));
    sign_up(&house, &who).await;
    let large = json!({"email": "ada@example.org", "password": "correct horse", "padding": "x".repeat(70_000)});
    post(&house, "/auth/signin", &large).await.refuses(413, "65536");
}

/// JSON of any shape, with the members that are read among others.
fn json_of_any_shape() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("ada@example.org")),
        Just(json!("a\u{0}@example.org")),
    ];
    let member = prop_oneof![
        Just("email".to_owned()),
        Just("password".to_owned()),
        Just("full_name".to_owned()),
        Just("remember_me".to_owned()),
        Just("experience_level".to_owned()),
        Just("frameworks".to_owned()),
        any::<String>(),
    ];
    leaf.prop_recursive(3, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((member.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn a_body_of_any_shape_is_answered_and_never_fails() {
    let house = Ground::sqlite(ACCOUNTS).build().await;
    let mut runner = TestRunner::new(Config::default());
    for path in ["/auth/signup", "/auth/signin"] {
        for _ in 0..150 {
            let body = json_of_any_shape().new_tree(&mut runner).unwrap().current();
            let answer = post(&house, path, &body).await;
            assert!(matches!(answer.status, 400 | 401 | 201 | 409), "{} for {body}", answer.status);
        }
        for odd in ["", "{", "\u{feff}{}", "{\"email\":}", "[[[[", "nul", "{\"a\":1}{", "{\"email\":\"\\ud800\"}"] {
            house.stranger().post_to(path, odd).await.refuses(400, "`");
        }
        house.stranger().post_to(path, vec![0xff, 0xfe, 0x00]).await.refuses(400, "`body`");
    }
}
