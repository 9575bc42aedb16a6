//! Everybody who might try, and what they show.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::issuer::{Issuer, TestKey, forge, now};

/// The columns of the table.
pub(super) const COLUMNS: [&str; 22] = [
    "owner",
    "user",
    "visitor",
    "stranger",
    "expired",
    "early",
    "issuer",
    "audience",
    "no-kid",
    "kid",
    "none",
    "hs256",
    "jku",
    "jwk",
    "x5u",
    "signature",
    "cut",
    "huge",
    "twice",
    "revoked",
    "deleted",
    "forged",
];
/// The columns that are tried whoever the owner is.
pub(super) const IN_EVERY_GUISE: &[&str] = &["owner", "user", "visitor", "stranger"];

/// What the owner signs in with.
pub(super) const OWNERS_PAIR: &str = r#"{"email": "owner@example.org", "password": "a long password"}"#;

/// What somebody signs in with who is nobody else here: an account has so many sessions, and the oldest goes.
pub(super) const OTHER_PAIR: &str = r#"{"email": "often@example.org", "password": "a long password"}"#;

/// What somebody shows: headers.
pub(super) type Shown = Vec<(&'static str, String)>;

/// In which of the ways that there are somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guise {
    /// By a token of an issuer.
    User,
    /// By a session of this server.
    Account,
    /// By the cookie of a session.
    Cookie,
    /// As a visitor.
    Visitor,
}

impl Guise {
    pub(super) const ALL: [Self; 4] = [Self::User, Self::Account, Self::Cookie, Self::Visitor];
}

/// The issuer that the house believes, one that it does not, and who came in.
pub(super) struct Cast {
    issuer: Issuer,
    stranger: Issuer,
    session: String,
    revoked: String,
    deleted: String,
    visitor: String,
    other_visitor: String,
}

impl Cast {
    /// The issuers; the others come in when there is a house.
    pub(super) async fn gather() -> Self {
        let (issuer, stranger) = (Issuer::better_auth().await, Issuer::better_auth().await);
        // With more than one key, a token has to say by which it is signed.
        issuer.rotate();
        let none = String::new;
        Self {
            issuer,
            stranger,
            session: none(),
            revoked: none(),
            deleted: none(),
            visitor: none(),
            other_visitor: none(),
        }
    }

    /// The variables of their house.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = Issuer::believed(&[&self.issuer]);
        variables.push(("SESSION_SECRET", "a secret of thirty-two characters or more".to_owned()));
        // All of them come from one address, and bring files that no message names.
        variables.push(("ATTACHMENTS_UNUSED", "100000".to_owned()));
        variables.push(("AUTH_ATTEMPTS_PER_MINUTE", "0".to_owned()));
        variables
    }

    /// Accounts are made and lost, visitors come.
    pub(super) async fn enter(&mut self, house: &House) {
        self.session = token(&sign_up(house, "owner@example.org").await);
        self.revoked = token(&sign_up(house, "revoked@example.org").await);
        let out = house.stranger().request("POST", "/auth/signout").bearer_auth(&self.revoked);
        assert_eq!(house.stranger().send(out).await.status, 204);
        self.deleted = token(&sign_up(house, "deleted@example.org").await);
        house.ground().rows("delete from users where email = 'deleted@example.org' returning id").await;
        sign_up(house, "often@example.org").await;
        self.visitor = visitor(house).await;
        self.other_visitor = visitor(house).await;
    }

    /// What the owner shows.
    pub(super) fn owner(&self, guise: Guise) -> Shown {
        match guise {
            Guise::User => bearer(&self.issuer.token("owner")),
            Guise::Account | Guise::Cookie => in_session(guise, &self.session),
            Guise::Visitor => vec![("x-chatkit-visitor", self.visitor.clone())],
        }
    }

    /// What somebody else shows.
    pub(super) fn shown(&self, column: &str) -> Shown {
        let claims = self.issuer.claims("owner");
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            bearer(&self.issuer.sign(&claims))
        };
        let good = self.issuer.token("owner");
        match column {
            "user" => bearer(&self.issuer.token("somebody else")),
            "visitor" => vec![("x-chatkit-visitor", self.other_visitor.clone())],
            "stranger" => Vec::new(),
            "expired" => with("exp", json!(now() - 3600)),
            "early" => with("nbf", json!(now() + 3600)),
            "issuer" => with("iss", json!(self.stranger.name())),
            "audience" => with("aud", json!("https://elsewhere.example.org")),
            "no-kid" => bearer(&self.issuer.key().sign(&json!({"alg": "EdDSA"}), &claims)),
            "kid" => bearer(&self.stranger.sign(&claims)),
            "none" => bearer(&forge(&json!({"alg": "none", "kid": self.issuer.key().kid}), &claims, |_| String::new())),
            "hs256" => {
                let key = URL_SAFE_NO_PAD.decode(self.issuer.key().public()["x"].as_str().unwrap()).unwrap();
                let header = json!({"alg": "HS256", "typ": "JWT", "kid": self.issuer.key().kid});
                bearer(&forge(&header, &claims, |signed| hs256(&key, signed)))
            }
            "jku" => self.names_its_key("jku", json!(self.stranger.jwks_url())),
            "jwk" => self.names_its_key("jwk", self.stranger.key().public()),
            "x5u" => self.names_its_key("x5u", json!(self.stranger.jwks_url())),
            "signature" => {
                let (signed, _) = good.rsplit_once('.').unwrap();
                let (_, other) = self
                    .issuer
                    .token("somebody else")
                    .rsplit_once('.')
                    .map(|(_, other)| ((), other.to_owned()))
                    .unwrap();
                bearer(&format!("{signed}.{other}"))
            }
            "cut" => bearer(&good[..good.len() - 10]),
            "huge" => bearer(&format!("{good}{}", "A".repeat(1 << 20))),
            "twice" => [bearer(&good), bearer(&self.issuer.token("somebody else"))].concat(),
            "revoked" => bearer(&self.revoked),
            "deleted" => bearer(&self.deleted),
            "forged" => {
                let (body, _) = self.visitor.rsplit_once('.').unwrap();
                vec![("x-chatkit-visitor", format!("{body}.{}", "0".repeat(64)))]
            }
            _ => unreachable!("`{column}` is no column"),
        }
    }

    /// A token that says where its own key is to be had, and is signed by that.
    fn names_its_key(&self, member: &str, place: Value) -> Shown {
        let attacker = TestKey::new(Algorithm::EdDSA, "attacker");
        let mut header = json!({"alg": "EdDSA", "kid": self.stranger.key().kid});
        header[member] = place;
        let key = if member == "jwk" { self.stranger.key() } else { attacker };
        bearer(&key.sign(&header, &self.issuer.claims("owner")))
    }
}

fn hs256(key: &[u8], signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed);
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

fn bearer(token: &str) -> Shown {
    vec![("authorization", format!("Bearer {token}"))]
}

/// The owner with a session of its own, which may end.
pub(super) async fn signed_in_anew(house: &House, guise: Guise) -> Shown {
    let answer = house.stranger().post_to("/auth/signin", OWNERS_PAIR).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    in_session(guise, &token(&answer))
}

fn in_session(guise: Guise, token: &str) -> Shown {
    match guise {
        Guise::Cookie => vec![("cookie", format!("other=1; session={token}"))],
        _ => bearer(token),
    }
}

async fn sign_up(house: &House, email: &str) -> Answer {
    let body = json!({"email": email, "password": "a long password", "full_name": "Ada"}).to_string();
    let request =
        house.stranger().request("POST", "/auth/signup").header("content-type", "application/json").body(body);
    let answer = house.stranger().send(request).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn token(signed_up: &Answer) -> String {
    signed_up.body["session"]["token"].as_str().unwrap().to_owned()
}

async fn visitor(house: &House) -> String {
    house.stranger().post_to("/visitor", "").await.body["token"].as_str().unwrap().to_owned()
}
