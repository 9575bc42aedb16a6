//! An issuer of tokens on the loopback, in the shape of Better Auth, that signs what it is told to, however wrong.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatkit_gateway::clock::Clock;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tokio::sync::watch;

const PATH: &str = "/api/auth/jwks";

/// An issuer that listens until it is dropped.
pub(crate) struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    keys: Mutex<Keys>,
    answers: watch::Sender<Answers>,
    fetches: AtomicUsize,
}

#[derive(Default)]
struct Keys {
    /// The one that signs.
    current: Option<TestKey>,
    published: Vec<Value>,
    made: u8,
}

/// How a request for the keys is answered.
#[derive(Clone)]
pub(crate) enum Answers {
    /// With the keys.
    Keys,
    /// With this status and body.
    Status(u16, Vec<u8>),
    /// With the address of somewhere else.
    Redirect(String),
    /// Not before it is told to answer in another way.
    Held,
}

/// A key that signs.
#[derive(Clone)]
pub(crate) struct TestKey {
    pub(crate) kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl TestKey {
    /// A key for this algorithm. Those for EdDSA differ by `kid`, of the others there is one of each kind.
    pub(crate) fn new(algorithm: Algorithm, kid: &str) -> Self {
        let key = match algorithm {
            Algorithm::EdDSA => ed25519(kid),
            Algorithm::ES256 => EncodingKey::from_ec_der(include_bytes!("keys/p256.der")),
            Algorithm::ES384 => EncodingKey::from_ec_der(include_bytes!("keys/p384.der")),
            _ => EncodingKey::from_rsa_der(include_bytes!("keys/rsa_2048.der")),
        };
        Self { kid: kid.to_owned(), algorithm, key }
    }

    /// An RSA key of 1024 bits.
    pub(crate) fn weak(kid: &str) -> Self {
        let key = EncodingKey::from_rsa_der(include_bytes!("keys/rsa_1024.der"));
        Self { kid: kid.to_owned(), algorithm: Algorithm::RS256, key }
    }

    /// What is published of it: `kid`, `alg` and the numbers, and no `use`.
    pub(crate) fn public(&self) -> Value {
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        public["kid"] = json!(self.kid);
        public
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "kid": self.kid})
    }

    /// A token with this header and these claims, whatever they are, signed by this key.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        forge(header, claims, |message| crypto::sign(message, &self.key, self.algorithm).unwrap())
    }
}

/// A token with this header and these claims, whatever they are, and whatever signature, in base64url.
pub(crate) fn forge(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> String) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{signature}")
}

/// The key that a text makes.
fn ed25519(text: &str) -> EncodingKey {
    // What stands before a private key of this kind in PKCS #8.
    const HEAD: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let mut seed = [7; 32];
    seed.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    EncodingKey::from_ed_der(&[HEAD, &seed].concat())
}

impl Issuer {
    /// One key for EdDSA, as a fresh installation has it.
    pub(crate) async fn better_auth() -> Self {
        let issuer = Self::without_keys().await;
        issuer.rotate();
        issuer
    }

    /// Nobody has signed in yet, so there is no key.
    pub(crate) async fn without_keys() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            keys: Mutex::default(),
            answers: watch::Sender::new(Answers::Keys),
            fetches: AtomicUsize::new(0),
        });
        let asked = Arc::clone(&shared);
        let router = Router::new().fallback(move || answer(Arc::clone(&asked)));
        #[expect(clippy::disallowed_methods, reason = "an issuer of a test, not a turn")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// What its tokens say of whom they are from: its address.
    pub(crate) fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn jwks_url(&self) -> String {
        format!("{}{PATH}", self.name())
    }

    /// The variables of a house that believes these issuers, in this order.
    pub(crate) fn believed(issuers: &[&Self]) -> Vec<(&'static str, String)> {
        let list = |what: fn(&Self) -> String| issuers.iter().map(|issuer| what(issuer)).collect::<Vec<_>>().join(",");
        vec![("JWKS_URL", list(Self::jwks_url)), ("JWT_ISSUER", list(Self::name))]
    }

    /// What a token of this user claims: the whole user, as Better Auth has it, for the next quarter of an hour.
    pub(crate) fn claims(&self, subject: &str) -> Value {
        let now = now();
        json!({
            "iat": now, "name": "Ada", "email": "ada@example.org", "emailVerified": true, "id": subject,
            "sub": subject, "exp": now + 15 * 60, "iss": self.name(), "aud": self.name(),
        })
    }

    /// A token of this user, signed by the newest key.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.sign(&self.claims(subject))
    }

    /// A token with these claims, signed by the newest key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let key = self.key();
        key.sign(&key.header(), claims)
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> TestKey {
        self.shared.keys.lock().unwrap().current.clone().expect("the issuer has a key")
    }

    /// From now on a new key signs; the ones before stay published.
    pub(crate) fn rotate(&self) {
        let made = {
            let mut keys = self.shared.keys.lock().unwrap();
            keys.made += 1;
            keys.made
        };
        self.signs_with(TestKey::new(Algorithm::EdDSA, &format!("{made} key of {}", self.address)));
    }

    /// From now on this key signs, and is published beside the others.
    pub(crate) fn signs_with(&self, key: TestKey) {
        self.publishes(key.public());
        self.shared.keys.lock().unwrap().current = Some(key);
    }

    /// Publishes one more key, however odd.
    pub(crate) fn publishes(&self, key: Value) {
        self.shared.keys.lock().unwrap().published.push(key);
    }

    /// No longer publishes any key of this name.
    pub(crate) fn withdraws(&self, kid: &str) {
        self.shared.keys.lock().unwrap().published.retain(|key| key["kid"] != kid);
    }

    /// How requests for the keys are answered from now on, also those that are held.
    pub(crate) fn answers(&self, answers: Answers) {
        self.shared.answers.send_replace(answers);
    }

    /// How often the keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    Clock::system().now().utc().timestamp()
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(shared: Arc<Shared>) -> Response<Body> {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let mut answers = shared.answers.subscribe();
    let answers = answers.wait_for(|answers| !matches!(answers, Answers::Held)).await.unwrap().clone();
    let response = Response::builder();
    match answers {
        Answers::Keys => {
            let keys = json!({"keys": shared.keys.lock().unwrap().published});
            response.header("content-type", "application/json").body(Body::from(keys.to_string())).unwrap()
        }
        Answers::Status(status, body) => response.status(status).body(Body::from(body)).unwrap(),
        Answers::Redirect(target) => response.status(302).header("location", target).body(Body::empty()).unwrap(),
        Answers::Held => unreachable!("nobody is answered while they are held"),
    }
}
