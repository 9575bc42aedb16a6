//! How often an issuer is asked for its keys, and which of them are used.

use std::time::{Duration, Instant};

use chatkit_gateway::auth::AuthError;
use chatkit_gateway::auth::jwks::{FAILED_FETCH_REST, REFRESH_AFTER, UNKNOWN_KEY_REST};
use chatkit_gateway::auth::jwt::{Issuers, TokenError};
use chatkit_gateway::clock::Clock;
use chatkit_gateway::config::IssuerSettings;
use chatkit_gateway::identity::Identity;
use chatkit_gateway::llm::http;
use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::fake_model::PATIENCE;
use crate::support::house::until;
use crate::support::issuer::{Answers, Issuer, TestKey, forge};

/// Somebody who believes one issuer, at a time of the test's choice.
struct Scene {
    issuer: Issuer,
    clock: Clock,
    issuers: Issuers,
}

impl Scene {
    async fn new() -> Self {
        Self::with(Issuer::better_auth().await)
    }

    fn with(issuer: Issuer) -> Self {
        let clock = Clock::fixed(Clock::system().now().utc());
        let believed =
            IssuerSettings { jwks_url: issuer.jwks_url(), names: vec![issuer.name()], audiences: vec![issuer.name()] };
        let issuers = Issuers::new(&[believed], &http::client(None).unwrap(), &clock);
        Self { issuer, clock, issuers }
    }

    async fn identify(&self, token: &str) -> Result<Identity, AuthError> {
        tokio::time::timeout(PATIENCE, self.issuers.identify(token)).await.expect("it is known in time")
    }

    #[track_caller]
    fn good(&self, token: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move { assert!(self.identify(token).await.is_ok_and(|who| matches!(who, Identity::User { .. })), "{place}") }
    }

    async fn wrong(&self, token: &str, why: TokenError) {
        match self.identify(token).await {
            Err(AuthError::Token(told)) => assert_eq!(told, why),
            other => panic!("{other:?} instead of {why:?}"),
        }
    }

    /// How long one is to wait who is told so.
    async fn unavailable(&self, token: &str) -> Duration {
        match self.identify(token).await {
            Err(AuthError::KeysUnavailable { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    /// What a token claims that is made now, as the clock has it.
    fn claims(&self, subject: &str) -> Value {
        let now = self.clock.now().utc().timestamp();
        let mut claims = self.issuer.claims(subject);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 15 * 60);
        claims
    }

    fn token(&self, subject: &str) -> String {
        self.issuer.sign(&self.claims(subject))
    }

    /// A token with this key's name that nobody signed.
    fn naming(&self, kid: &str) -> String {
        forge(&json!({"alg": "EdDSA", "kid": kid}), &self.claims("ada"), |_| "AAAA".to_owned())
    }

    fn signed(&self, key: &TestKey) -> String {
        key.sign(&key.header(), &self.claims("ada"))
    }
}

#[tokio::test]
async fn ten_thousand_unknown_keys_are_a_handful_of_fetches_and_nobody_else_waits() {
    let scene = Scene::new().await;
    scene.good(&scene.token("ada")).await;
    for number in 0..5_000 {
        // A storm of half a minute, as the clock has it.
        scene.clock.advance(Duration::from_millis(6));
        scene.wrong(&scene.naming(&format!("one after the other {number}")), TokenError::UnknownKey).await;
    }
    let together = (0..5_000).map(|number| scene.naming(&format!("together {number}"))).collect::<Vec<_>>();
    join_all(together.iter().map(|token| scene.wrong(token, TokenError::UnknownKey))).await;
    assert!(scene.issuer.fetches() <= 1 + 4, "{} fetches", scene.issuer.fetches());

    // While the issuer is slow and hundreds wait for it, those whose key is known do not.
    scene.clock.advance(UNKNOWN_KEY_REST);
    scene.issuer.answers(Answers::Held);
    let fetches = scene.issuer.fetches();
    let storm = join_all(together[..500].iter().map(|token| scene.wrong(token, TokenError::UnknownKey)));
    let calm = async {
        until("the issuer is asked", async || scene.issuer.fetches() > fetches).await;
        let began = Instant::now();
        for number in 0..20 {
            scene.good(&scene.token(&format!("user {number}"))).await;
        }
        // It would be a fetch's whole time limit if they waited; in a debug build each takes some milliseconds.
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        scene.issuer.answers(Answers::Keys);
    };
    tokio::join!(storm, calm);
    assert_eq!(scene.issuer.fetches(), fetches + 1);
}

#[tokio::test]
async fn hundreds_who_come_first_fetch_once() {
    let scene = Scene::new().await;
    let tokens = (0..200).map(|number| scene.token(&format!("user {number}"))).collect::<Vec<_>>();
    join_all(tokens.iter().map(|token| scene.good(token))).await;
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn whoever_hangs_up_does_not_make_the_others_begin_again() {
    let scene = Scene::new().await;
    scene.issuer.answers(Answers::Held);
    let token = scene.token("ada");
    tokio::select! {
        _ = scene.identify(&token) => panic!("the issuer has not answered"),
        () = until("the issuer is asked", async || scene.issuer.fetches() == 1) => {}
    }
    let later = scene.good(&token);
    let answer = async { scene.issuer.answers(Answers::Keys) };
    tokio::join!(later, answer);
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_second_new_key_is_found_after_a_rest() {
    let scene = Scene::new().await;
    scene.good(&scene.token("ada")).await;
    scene.issuer.rotate();
    scene.good(&scene.token("ada")).await;
    scene.issuer.rotate();
    scene.wrong(&scene.token("ada"), TokenError::UnknownKey).await;
    scene.clock.advance(UNKNOWN_KEY_REST);
    scene.good(&scene.token("ada")).await;
    assert_eq!(scene.issuer.fetches(), 3);
    assert!(UNKNOWN_KEY_REST <= Duration::from_secs(30));
}

#[tokio::test]
async fn keys_in_use_are_fetched_again_behind_their_readers_backs() {
    let scene = Scene::new().await;
    let token = scene.token("ada");
    scene.good(&token).await;
    let old = scene.issuer.key();
    scene.issuer.rotate();
    scene.issuer.withdraws(&old.kid);
    scene.clock.advance(REFRESH_AFTER);
    scene.issuer.answers(Answers::Held);
    // Nobody waits for it, neither with a token that was seen nor with a new one.
    scene.good(&token).await;
    scene.good(&scene.signed(&old)).await;
    until("the issuer is asked", async || scene.issuer.fetches() == 2).await;
    scene.good(&token).await;
    scene.issuer.answers(Answers::Keys);
    // A key that was taken back takes the tokens along that were good a moment ago.
    until("the old key is gone", async || scene.identify(&token).await.is_err()).await;
    scene.wrong(&token, TokenError::UnknownKey).await;
    scene.good(&scene.token("ada")).await;
}

#[tokio::test]
async fn known_keys_outlast_any_outage_and_every_nonsense() {
    let scene = Scene::new().await;
    scene.good(&scene.token("ada")).await;
    let huge = format!(r#"{{"keys":[],"ballast":"{}"}}"#, "x".repeat(300_000));
    let nonsense = [
        Answers::Status(500, Vec::new()),
        Answers::Status(404, br#"{"keys":[]}"#.to_vec()),
        Answers::Status(204, Vec::new()),
        Answers::Status(200, b"<html>Please sign in</html>".to_vec()),
        Answers::Status(200, b"{}".to_vec()),
        Answers::Status(200, br#"{"keys":{}}"#.to_vec()),
        Answers::Status(200, b"[]".to_vec()),
        Answers::Status(200, vec![0xff; 100]),
        Answers::Status(200, huge.into_bytes()),
        Answers::Redirect(scene.issuer.jwks_url()),
    ];
    for answers in nonsense {
        scene.clock.advance(REFRESH_AFTER);
        scene.issuer.answers(answers);
        let fetches = scene.issuer.fetches();
        scene.good(&scene.token("ada")).await;
        until("the issuer is asked", async || scene.issuer.fetches() == fetches + 1).await;
        // It waits for the fetch, and learns that whether there is such a key cannot be found out.
        assert!(scene.unavailable(&scene.naming("unknown")).await <= FAILED_FETCH_REST);
        scene.good(&scene.token("ada")).await;
        assert_eq!(
            scene.issuer.fetches(),
            fetches + 1,
            "a redirect is not followed, a failure is not repeated at once"
        );
    }
}

#[tokio::test]
async fn an_issuer_that_fails_is_left_alone_for_a_while_and_tried_again() {
    let scene = Scene::new().await;
    let token = scene.token("ada");
    scene.issuer.answers(Answers::Status(502, Vec::new()));
    for _ in 0..100 {
        assert!(scene.unavailable(&token).await <= FAILED_FETCH_REST);
    }
    assert_eq!(scene.issuer.fetches(), 1);
    scene.issuer.answers(Answers::Keys);
    scene.unavailable(&token).await;
    scene.clock.advance(FAILED_FETCH_REST);
    scene.good(&token).await;
    assert_eq!(scene.issuer.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_says_nothing_is_not_waited_for() {
    let scene = Scene::new().await;
    scene.issuer.answers(Answers::Held);
    scene.unavailable(&scene.token("ada")).await;
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_nobody_listens_for_is_a_failure_like_others() {
    let scene = Scene::new().await;
    let token = scene.token("ada");
    let Scene { issuer, issuers, .. } = scene;
    let keys = issuer.jwks_url();
    drop(issuer);
    until("nobody listens", async || reqwest_fails(&keys).await).await;
    assert!(matches!(issuers.identify(&token).await, Err(AuthError::KeysUnavailable { .. })));
}

async fn reqwest_fails(url: &str) -> bool {
    http::client(None).unwrap().get(url).send().await.is_err()
}

#[tokio::test]
async fn a_token_is_remembered_no_longer_than_it_is_good() {
    let scene = Scene::new().await;
    let token = scene.token("ada");
    scene.good(&token).await;
    // A quarter of an hour, and a minute for clocks that differ.
    scene.clock.advance(Duration::from_secs(15 * 60 + 59));
    scene.good(&token).await;
    scene.clock.advance(Duration::from_secs(1));
    scene.wrong(&token, TokenError::Claim("exp", "is past; get a new one")).await;
}

#[tokio::test]
async fn odd_keys_cost_themselves_and_no_other() {
    let scene = Scene::new().await;
    let key = |kid: &str| TestKey::new(Algorithm::RS256, kid);
    let changed = |kid: &str, change: &dyn Fn(&mut Value)| {
        let mut public = key(kid).public();
        change(&mut public);
        public
    };
    let even = |public: &mut Value| public["e"] = json!("Ag");
    let odd: Vec<Value> = vec![
        json!("no key"),
        json!({}),
        json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "AKP", "kid": "tomorrow", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kty": "EC", "kid": "long", "crv": "P-521", "x": "AAAA", "y": "AAAA", "alg": "ES512"}),
        json!({"kty": "EC", "kid": "nowhere", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43)}),
        json!({"kty": "OKP", "kid": "short", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "OKP", "kid": "goldilocks", "crv": "Ed448", "x": "A".repeat(76)}),
        json!({"kty": "OKP", "kid": "agreement", "crv": "X25519", "x": "A".repeat(43)}),
        json!({"kty": "RSA", "kid": "empty", "n": "", "e": ""}),
        json!({"kty": "RSA", "kid": "nothing"}),
        json!({"kty": "RSA", "kid": "huge", "n": format!("_{}", "A".repeat(10_000)), "e": "AQAB"}),
        TestKey::weak("weak").public(),
        changed("enc", &|public| public["use"] = json!("enc")),
        changed("wrap", &|public| public["key_ops"] = json!(["wrapKey"])),
        changed("private", &|public| public["d"] = json!("AAAA")),
        changed("oaep", &|public| public["alg"] = json!("RSA-OAEP")),
        changed("hs", &|public| public["alg"] = json!("HS256")),
        changed("curve", &|public| public["alg"] = json!("ES256")),
        changed("one", &|public| public["e"] = json!("AQ")),
        changed("even", &even),
        changed("number", &|public| public["kid"] = json!(7)),
    ];
    odd.iter().for_each(|key| scene.issuer.publishes(key.clone()));
    scene.issuer.publishes(changed("sig", &|public| {
        public["use"] = json!("sig");
        public["key_ops"] = json!(["verify"]);
    }));
    scene.good(&scene.token("ada")).await;
    scene.good(&scene.signed(&key("sig"))).await;
    let left_out = odd.iter().filter_map(|key| key["kid"].as_str());
    for kid in left_out {
        let token = if kid == "weak" { scene.signed(&TestKey::weak(kid)) } else { scene.signed(&key(kid)) };
        scene.wrong(&token, TokenError::UnknownKey).await;
    }
}

#[tokio::test]
async fn a_key_without_an_algorithm_has_the_one_of_its_kind() {
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384, Algorithm::RS256] {
        let scene = Scene::with(Issuer::without_keys().await);
        let key = TestKey::new(algorithm, "bare");
        let mut public = key.public();
        public.as_object_mut().unwrap().remove("alg");
        scene.issuer.publishes(public);
        scene.good(&scene.signed(&key)).await;
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_is_good_when_only_one_can_be_meant() {
    let scene = Scene::new().await;
    let unnamed = |key: &TestKey| {
        let mut header = key.header();
        header.as_object_mut().unwrap().remove("kid");
        key.sign(&header, &scene.claims("ada"))
    };
    let first = scene.issuer.key();
    // A key of another kind cannot be meant.
    scene.issuer.publishes(TestKey::new(Algorithm::RS256, "rsa").public());
    scene.good(&unnamed(&first)).await;
    scene.issuer.rotate();
    scene.wrong(&unnamed(&scene.issuer.key()), TokenError::Signature).await;
    scene.good(&scene.token("ada")).await;
    scene.wrong(&unnamed(&scene.issuer.key()), TokenError::NoKid).await;
}

#[tokio::test]
async fn only_so_many_keys_are_looked_at() {
    let scene = Scene::with(Issuer::without_keys().await);
    let key = |number: usize| TestKey::new(Algorithm::EdDSA, &format!("{number}"));
    for number in 0..70 {
        scene.issuer.publishes(key(number).public());
    }
    scene.good(&scene.signed(&key(63))).await;
    scene.wrong(&scene.signed(&key(64)), TokenError::UnknownKey).await;
}
