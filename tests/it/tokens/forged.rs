//! Tokens that somebody made who may not: none of them opens a door, and nothing that they bring along is looked at.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::{house, list, threads};
use crate::support::client::thread_of;
use crate::support::issuer::{Issuer, TestKey, forge, now};
use crate::support::web_site::{Answer as Page, WebSite};

#[tokio::test]
async fn a_token_without_a_signature_is_refused_however_none_is_spelt() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let kid = issuer.key().kid;
    for none in [json!("none"), json!("None"), json!("nOnE"), json!(""), json!("none "), json!("HS1")] {
        let token = forge(&json!({"alg": none, "kid": kid}), &issuer.claims("ada"), |_| String::new());
        list(&house, &token).await.refuses(401, "`alg`");
    }
    for odd in [json!({"kid": kid}), json!({"alg": null, "kid": kid}), json!({"alg": ["EdDSA"], "kid": kid})] {
        let token = forge(&odd, &issuer.claims("ada"), |_| String::new());
        list(&house, &token).await.refuses(401, "not a JSON Web Token");
    }
    // The right algorithm, and nothing that it could have made.
    for signature in ["", "AAAA", "!", &"A".repeat(86)] {
        let token = forge(&issuer.key().header(), &issuer.claims("ada"), |_| signature.to_owned());
        list(&house, &token).await.refuses(401, "signature");
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let issuer = Issuer::better_auth().await;
    let rsa = TestKey::new(Algorithm::RS256, "rsa");
    issuer.publishes(rsa.public());
    let house = house(&[&issuer]).await;
    for key in [issuer.key(), rsa] {
        let public = key.public();
        let number = public["x"].as_str().or(public["n"].as_str()).unwrap();
        let secrets = [number.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(number).unwrap(), public.to_string().into()];
        for secret in secrets {
            for (name, algorithm) in
                [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
            {
                let sign =
                    |message: &[u8]| crypto::sign(message, &EncodingKey::from_secret(&secret), algorithm).unwrap();
                let token = forge(&json!({"alg": name, "kid": key.kid}), &issuer.claims("ada"), sign);
                assert_eq!(list(&house, &token).await.status, 401);
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_looked_at() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let evil = TestKey::new(Algorithm::EdDSA, "evil");
    let site = WebSite::start().await;
    site.answer("/keys", [Page::page("application/json", json!({"keys": [evil.public()]}).to_string())]);
    for (member, value) in [
        ("jwk", evil.public()),
        ("jku", json!(site.url("/keys"))),
        ("x5u", json!(site.url("/keys"))),
        ("x5c", json!([site.url("/keys")])),
    ] {
        for (kid, named) in [(issuer.key().kid, "signature"), (evil.kid.clone(), "`kid`")] {
            let mut header = json!({"alg": "EdDSA", "kid": kid});
            header[member] = value.clone();
            list(&house, &evil.sign(&header, &issuer.claims("ada"))).await.refuses(401, named);
        }
        // And is no reason to refuse a good one.
        let mut header = issuer.key().header();
        header[member] = value.clone();
        assert_eq!(threads(&house, &issuer.key().sign(&header, &issuer.claims("ada"))).await, 0);
    }
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_key_is_for_its_own_algorithm_and_no_other() {
    let issuer = Issuer::better_auth().await;
    let (rs256, bare) = (TestKey::new(Algorithm::RS256, "rs256"), TestKey::new(Algorithm::RS256, "bare"));
    issuer.publishes(rs256.public());
    let mut public = bare.public();
    public.as_object_mut().unwrap().remove("alg");
    issuer.publishes(public);
    let house = house(&[&issuer]).await;
    // The numbers of an RSA key would do for any of them.
    for other in [Algorithm::RS512, Algorithm::PS256] {
        for kid in ["rs256", "bare"] {
            let key = TestKey::new(other, kid);
            list(&house, &key.sign(&key.header(), &issuer.claims("ada"))).await.refuses(401, "`alg`");
        }
    }
    for key in [rs256, bare] {
        assert_eq!(threads(&house, &key.sign(&key.header(), &issuer.claims("ada"))).await, 0);
    }
}

#[tokio::test]
async fn a_header_that_must_be_understood_is_not() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let key = issuer.key();
    let mut header = key.header();
    header["crit"] = json!(["b64"]);
    header["b64"] = json!(false);
    list(&house, &key.sign(&header, &issuer.claims("ada"))).await.refuses(401, "`crit`");
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let good = issuer.token("ada");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let text = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let twice = text(&format!(r#"{{"sub":"ada","sub":"grace","iss":{:?},"exp":{}}}"#, issuer.name(), now() + 900));
    let odd = [
        "x".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        signed.to_owned(),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{}.{signature}", text("no JSON")),
        format!("{header}.{}.{signature}", text("[]")),
        format!("{header}.{}.{signature}", text("\"ada\"")),
        format!("{header}.{twice}.{signature}"),
        format!("{}.{claims}.{signature}", text(r#"{"alg":"EdDSA","alg":"none"}"#)),
        format!("{}.{claims}.{signature}", text(r#"{"alg":"EdDSA","kid":7}"#)),
        // Encrypted ones have five parts.
        "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".to_owned(),
    ];
    for odd in odd {
        list(&house, &odd).await.refuses(401, "not a JSON Web Token");
    }
    for bytes in [1, 10, good.len() / 2, good.len() - 1] {
        assert_eq!(list(&house, &good[..bytes]).await.status, 401, "the first {bytes} bytes");
    }
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let good = issuer.token("ada");
    assert_eq!(threads(&house, &good).await, 0);
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let answer = list(&house, &String::from_utf8(changed).unwrap()).await;
        assert_eq!(answer.status, 401, "a change at {at} of {} went unnoticed", good.len());
    }
}

#[tokio::test]
async fn a_token_that_is_too_long_is_not_looked_at() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let with_ballast = |bytes: usize| {
        let mut claims = issuer.claims("ada");
        claims["ballast"] = json!("x".repeat(bytes));
        issuer.sign(&claims)
    };
    assert_eq!(threads(&house, &with_ballast(5_000)).await, 0);
    list(&house, &with_ballast(6_500)).await.refuses(401, "longer than 8192 bytes");
    // The server reads no headers of that size, and whatever becomes of the connection, nobody gets in.
    let request = house.stranger().request("POST", "/chatkit").bearer_auth(with_ballast(1_000_000));
    let answer = request.body(r#"{"type":"threads.list","params":{}}"#).send().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status().is_client_error()));
    assert_eq!(threads(&house, &issuer.token("ada")).await, 0, "and the house still stands");
}

#[tokio::test]
async fn a_token_comes_once_and_as_the_header_wants_it() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let (ada, grace) = (issuer.token("ada"), issuer.token("grace"));
    let send = async |values: &[String]| {
        let mut request = house.stranger().request("POST", "/chatkit");
        for value in values {
            request = request.header("authorization", value);
        }
        house.stranger().send(request.body(r#"{"type":"threads.list","params":{}}"#)).await
    };
    let bearer = |token: &str| format!("Bearer {token}");
    send(&[bearer(&ada), bearer(&grace)]).await.refuses(401, "more than once");
    send(&[bearer(&ada), bearer(&ada)]).await.refuses(401, "more than once");
    for odd in [ada.clone(), format!("Basic {ada}"), "Bearer".to_owned(), format!("Bearer{ada}")] {
        assert_eq!(send(&[odd]).await.status, 401);
    }
    for odd in [bearer(""), bearer(&format!("{ada} {grace}")), bearer(&format!("{ada},{grace}"))] {
        assert_eq!(send(&[odd]).await.status, 401);
    }
    for fine in [bearer(&ada), format!("bearer {ada}"), format!("BEARER   {ada}")] {
        assert_eq!(send(&[fine]).await.status, 200);
    }
}

#[tokio::test]
async fn nothing_beside_a_wrong_token_lets_its_bearer_in() {
    let issuer = Issuer::better_auth().await;
    let house = house(&[&issuer]).await;
    let visitor = house.visitor().await;
    visitor.bearing("wrong").ask("threads.list", json!({})).await.refuses(401, "token");
    // And a good one decides, whoever else comes along: what was the visitor's is Ada's then.
    let thread_id = thread_of(&visitor.create("What is a robot?").await);
    let answer = visitor.bearing(&issuer.token("ada")).ask("threads.list", json!({})).await;
    assert_eq!(answer.body["data"][0]["id"], thread_id.as_str());
    assert_eq!(visitor.ask("threads.list", json!({})).await.body["data"], Value::Array(Vec::new()));
}
