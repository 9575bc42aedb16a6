//! Nothing that is a secret, and nothing that a reader wrote, leaves the program but to whom it belongs.
//!
//! The real program runs with values that can be told from all others wherever they turn up: an operator's secrets hold
//! [`KEPT`], a reader's own things hold [`OWN`]. All that it writes is looked through for them.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatkit_gateway::app::Providers;
use chatkit_gateway::config::{Reader as SettingsReader, Settings, VARIABLES, Variable, Variables};
use chatkit_gateway::embedding::choice::EMBEDDING_VARIABLES;
use chatkit_gateway::llm::choice::{TRANSCRIPTION_API_KEY, variables_of};
use chatkit_gateway::llm::presets::PRESETS;
use chatkit_gateway::telemetry::UNHEARD;
use serde_json::{Value, json};

use crate::cli::program::{Ended, Home};
use crate::support::client::{Reader, input, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::postgres::TestDatabase;
use crate::support::wire::Wire;

/// Stands in every secret of the operator.
const KEPT: &str = "canary";
/// Stands in all that a reader sends.
const OWN: &str = "goldfinch";
/// An address that nobody else has.
const ADDRESS: &str = "203.0.113.77";

#[track_caller]
fn holds_none(where_to: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        let found = text.lines().find(|line| line.to_lowercase().contains(secret));
        assert!(found.is_none(), "{secret} stands in {where_to}: {}", found.unwrap_or_default());
    }
}

/// Every variable of the program that holds a secret, but for those that hold an address.
fn secret_variables() -> Vec<Variable> {
    let presets = PRESETS.iter().flat_map(|preset| variables_of(preset));
    let all = VARIABLES.iter().copied().chain(EMBEDDING_VARIABLES).chain([TRANSCRIPTION_API_KEY]).chain(presets);
    all.filter(|variable| variable.secret && !variable.name.starts_with("DATABASE_URL")).collect()
}

/// A setting of every secret there is, and secrets in every address that may hold one.
fn settings(model: &FakeModel) -> Vec<(String, String)> {
    let secret = |variable: &Variable| {
        (variable.name.to_owned(), format!("{KEPT}-{}-0123456789abcdef0123456789abcdef", variable.name.to_lowercase()))
    };
    let mut all: Vec<_> = secret_variables().iter().map(secret).collect();
    let with_password = model.base_url().replace("http://", &format!("http://user-{KEPT}:pass-{KEPT}@"));
    all.extend(
        [
            ("MODEL_PROVIDER", "openai".to_owned()),
            ("OPENAI_MODEL", "test".to_owned()),
            ("EMBEDDING_PROVIDER", "none".to_owned()),
            ("TRANSCRIPTION_MODEL", "test".to_owned()),
            ("OPENAI_BASE_URL", format!("{with_password}?key=query-{KEPT}")),
            ("TRANSCRIPTION_BASE_URL", format!("{with_password}?key=query-{KEPT}")),
            ("GEMINI_BASE_URL", format!("https://{KEPT}:{KEPT}@gemini.example.org/v1?key={KEPT}")),
            ("HTTPS_PROXY", format!("http://user-{KEPT}:pass-{KEPT}@127.0.0.1:9")),
            ("JWKS_URL", format!("http://user:{KEPT}@127.0.0.1:9/jwks?key={KEPT}")),
            ("JWT_ISSUER", "https://issuer.example.org".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    all
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// What came of a visit.
struct Visit {
    /// Answers, in which nothing of the operator's may stand.
    heard: Vec<String>,
    /// The tokens that the reader was given, which are theirs alone.
    tokens: Vec<String>,
}

/// A token that an issuer might have signed.
fn forged() -> String {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({"iss": "https://issuer.example.org", "sub": OWN, "email": OWN, "exp": 9_999_999_999_u64});
    format!("{}.{}.{}", part(json!({"alg": "EdDSA", "kid": OWN})), part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
}

/// A reader does what readers do, right and wrong; everything goes through that may fail.
async fn visit(url: &str, model: &FakeModel) -> Visit {
    let stranger = Reader::new(url, None);
    let token = stranger.post_to("/visitor", "").await.body["token"].as_str().unwrap().to_owned();
    let reader = Reader::new(url, Some(token.clone()));
    let (mut heard, mut tokens) = (Vec::new(), vec![token, forged()]);
    let text = format!("My secret hobby is {OWN}, write to {OWN}@example.org about it");
    let quoted = json!({"error": {"message": format!("cannot take: {text}"), "type": "invalid_request_error"}});
    let key = json!({"error": {"message": format!("Incorrect API key provided: {KEPT}-openai_api_key-0123456789abcdef0123456789abcdef")}});
    for reply in [
        Reply::text(["Well, ", "perhaps."]),
        Reply::status(401, &key.to_string()),
        Reply::status(400, &key.to_string()),
        Reply::status(400, &quoted.to_string()),
        Reply::status(404, &quoted.to_string()),
        Reply::status(403, &quoted.to_string()),
        Reply::raw(format!("data: {quoted}\n\n")),
        Reply::raw(format!("data: {{\"{OWN}\n\n")),
        Reply::text(["An answer that"]).cut(),
    ] {
        model.always(reply);
        let events = reader.create(&text).await;
        let told: Vec<&Value> = events.iter().filter(|event| event["type"] == "error").collect();
        heard.push(json!(told).to_string());
        let thread_id = thread_of(&events);
        heard.push(stranger.ask("threads.get_by_id", json!({"thread_id": thread_id})).await.body.to_string());
    }
    let name = json!({"name": format!("{OWN}.txt"), "size": 3, "mime_type": "text/plain"});
    let announced = reader.ask("attachments.create", name).await.body;
    let upload = announced["upload_descriptor"]["url"].as_str().unwrap();
    reader.send(reader.request("PUT", upload).body(OWN)).await;
    reader.send(reader.request("PUT", upload).body(OWN)).await;
    reader.send(reader.request("PUT", &upload.replace("signature=", &format!("signature={OWN}")))).await;
    let recording = json!({"mime_type": "audio/webm", "audio_base64": "Z29sZGZpbmNo"});
    model.always(Reply::status(500, &quoted.to_string()));
    heard.push(reader.ask("input.transcribe", recording).await.body.to_string());
    for body in [
        format!("{{\"{OWN}"),
        json!({"type": OWN, "params": {}}).to_string(),
        json!({"type": "threads.create", "params": {"input": OWN}}).to_string(),
        json!({"type": "threads.add_user_message", "params": {"thread_id": OWN, "input": input(OWN)}}).to_string(),
        json!({"type": "threads.list", "params": {"after": OWN}}).to_string(),
    ] {
        reader.post_to("/chatkit", body).await;
    }
    let account =
        json!({"email": format!("{OWN}@example.org"), "password": format!("{OWN}-password"), "full_name": OWN});
    for door in ["/auth/signup", "/auth/signin", "/auth/signin"] {
        let answer = stranger.post_to(door, account.to_string()).await.body;
        tokens.extend(answer["session"]["token"].as_str().map(str::to_owned));
    }
    for (name, value) in [
        ("authorization", format!("Bearer {OWN}.{OWN}.{OWN}")),
        ("authorization", format!("Bearer {}", tokens[1])),
        ("authorization", format!("Basic {OWN}")),
        ("x-chatkit-visitor", format!("v1.{OWN}")),
        ("cookie", format!("session={OWN}; chatkit_visitor={OWN}; {OWN}")),
        ("origin", format!("https://{OWN}.example.org")),
        ("x-forwarded-for", ADDRESS.to_owned()),
        ("forwarded", format!("for={ADDRESS}")),
        ("user-agent", OWN.to_owned()),
    ] {
        let body = json!({"type": "threads.list", "params": {}}).to_string();
        let path = format!("/chatkit?token={OWN}");
        stranger.send(stranger.request("POST", &path).header(name, value).body(body)).await;
    }
    for path in ["/", "/health", "/readyz", "/healthz", "/nowhere", "/book"] {
        let answer = stranger.get(path).await;
        heard.push(format!("{:?} {}", answer.headers, answer.body));
    }
    Visit { heard, tokens }
}

/// What nobody may see, the tokens of the reader among it.
#[track_caller]
fn check(how: &str, ended: &Ended, Visit { heard, tokens }: &Visit) {
    assert_eq!(ended.code, Some(0), "{how}: {}", ended.err);
    let tokens: Vec<String> = tokens.iter().map(|token| token.to_lowercase()).collect();
    let secrets: Vec<&str> = [KEPT, OWN, ADDRESS].into_iter().chain(tokens.iter().map(String::as_str)).collect();
    holds_none(&format!("what a server wrote ({how})"), &ended.err, &secrets);
    holds_none(&format!("the standard output ({how})"), &ended.out, &secrets);
    for answer in heard {
        holds_none(&format!("an answer ({how})"), answer, &[KEPT]);
    }
}

/// What libraries would write today is not what they will write after an update, so they write nothing.
#[track_caller]
fn none_is_heard(log: &str) {
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "our own lines are there: {log}");
    for line in lines.iter().filter(|line| !matches!(line["level"].as_str(), Some("ERROR" | "WARN"))) {
        let library = line["target"].as_str().unwrap().split("::").next().unwrap();
        assert!(!UNHEARD.contains(&library), "{library} is heard: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_logs_all_it_can_logs_no_secret_and_nothing_of_its_readers() {
    let model = FakeModel::start().await;
    let everything = "trace,hyper=trace,hyper_util=trace,h2=trace,sqlx=trace,reqwest=trace,rustls=trace,tower=trace";
    for (level, format) in [("trace", "text"), (everything, "json")] {
        let mut variables = settings(&model);
        variables.extend([("LOG_LEVEL", level), ("LOG_FORMAT", format)].map(|(n, v)| (n.to_owned(), v.to_owned())));
        let home = Home::new();
        let server = home.serve(&borrowed(&variables));
        let visit = visit(&server.url, &model).await;
        let ended = server.stopped();
        assert!(ended.err.to_lowercase().contains("turn ended"), "it logs at all: {}", ended.err);
        check(format, &ended, &visit);
        if format == "json" {
            none_is_heard(&ended.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_takes_its_password_along() {
    let model = FakeModel::start().await;
    let (database, home) = (TestDatabase::migrated().await, Home::new());
    let wire = Wire::to(&database).await;
    let mut variables = settings(&model);
    let url = wire.url().replacen('@', &format!(":{KEPT}@"), 1);
    for (name, value) in [("DATABASE_URL", url.as_str()), ("LOG_LEVEL", "trace")] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    let server = home.serve(&borrowed(&variables));
    let mut visit = visit(&server.url, &model).await;
    wire.cut();
    let reader = Reader::new(&server.url, visit.tokens.first().cloned());
    let refused = reader.ask("threads.create", json!({"input": input(OWN)})).await;
    assert!(refused.body.as_str().is_some_and(|told| told.contains("could not be saved")), "{:?}", refused.body);
    visit.heard.extend([refused.body.to_string(), reader.get("/readyz").await.body.to_string()]);
    check("postgres", &server.stopped(), &visit);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_writes_a_secret_whether_it_works_or_fails() {
    let model = FakeModel::start().await;
    model.always(Reply::status(401, &json!({"error": {"message": format!("bad key {KEPT}")}}).to_string()));
    let (home, given) = (Home::new(), settings(&model));
    home.write("book/page.md", "# A page\n\nWith a sentence.\n");
    home.write("questions.jsonl", "{\"question\": \"What is a page?\", \"expect\": [\"page.md\"]}\n");
    let away = format!("postgres://ada:{KEPT}@127.0.0.1:9/book?sslmode=disable");
    let commands: [&[&str]; 8] = [
        &["config", "show"],
        &["ask", "What is a page?"],
        &["search", "page"],
        &["ingest", "book"],
        &["eval", "questions.jsonl"],
        &["migrate"],
        &["healthcheck", "--port", "9"],
        &["serve", "--port", "notaport"],
    ];
    for database in [None, Some(&away)] {
        let mut variables = given.clone();
        variables.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        variables.extend(database.map(|url| ("DATABASE_URL".to_owned(), url.clone())));
        for command in commands {
            let ended = home.run_with(&borrowed(&variables), command);
            assert!(!ended.err.contains("panicked"), "{command:?}: {}", ended.err);
            let told = format!("{}{}", ended.out, ended.err);
            assert!(!told.is_empty(), "{command:?} says something");
            holds_none(&format!("what {command:?} writes"), &told, &[KEPT]);
        }
    }
}

#[test]
fn settings_that_are_wrong_are_explained_without_what_was_set() {
    let home = Home::new();
    let secret = |shape: &str| shape.replace('*', KEPT);
    for (name, value, said) in [
        ("SESSION_SECRET", "*", "SESSION_SECRET"),
        ("VISITOR_SECRET", "*,*", "VISITOR_SECRET"),
        ("DATABASE_URL", "mysql://ada:*@h/d", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://ada:*#x@h/d", "postgres"),
        ("DATABASE_URL", "postgres://ada:*@127.0.0.1:9/d?sslmode=*", "postgres"),
        ("QDRANT_URL", "http://:*@h:6333", "QDRANT_URL"),
        ("QDRANT_API_KEY", "* *", "QDRANT_API_KEY"),
        ("OPENAI_BASE_URL", "ftp://ada:*@h/v1?key=*", "address"),
        ("HTTPS_PROXY", "nothing://ada:*@h:x", "HTTPS_PROXY"),
        ("JWKS_URL", "ftp://ada:*@h?k=*", "JWKS_URL"),
        ("CORS_ORIGINS", "https://ada:*@h/path?*", "CORS_ORIGINS"),
        ("PUBLIC_URL", "ada:*@h", "PUBLIC_URL"),
    ] {
        let (value, port) = (secret(value), ["serve", "--port", "0"]);
        let qdrant = ("QDRANT_URL", "http://127.0.0.1:9");
        let variables = [("OPENAI_API_KEY", "sk"), qdrant, (name, value.as_str())];
        let variables = if name.starts_with("QDRANT") { &variables[1..] } else { &variables[..] };
        let variables: Vec<_> =
            variables.iter().filter(|(n, _)| *n != "QDRANT_URL" || name.starts_with("QDRANT")).copied().collect();
        let ended = home.run_with(&variables, &port);
        assert_eq!(ended.code, Some(1), "{name}: {ended:#?}");
        assert!(ended.err.contains(said), "{name}: {}", ended.err);
        holds_none(name, &format!("{}{}", ended.out, ended.err), &[KEPT]);
        let shown = home.run_with(&variables, &["config", "show"]);
        holds_none(name, &format!("{}{}", shown.out, shown.err), &[KEPT]);
    }
}

#[test]
fn a_secret_in_a_file_is_no_less_a_secret() {
    let home = Home::new();
    let mut variables = Vec::new();
    for variable in secret_variables() {
        let path = format!("secrets/{}", variable.name);
        home.write(&path, format!("{KEPT}-0123456789abcdef0123456789abcdef\n"));
        variables.push((format!("{}_FILE", variable.name), home.path(&path).to_str().unwrap().to_owned()));
    }
    variables.push(("HTTPS_PROXY".to_owned(), "http://127.0.0.1:9".to_owned()));
    let shown = home.run_with(&borrowed(&variables), &["config", "show"]);
    let shown = format!("{}{}", shown.out, shown.err);
    assert!(shown.matches("***").count() >= variables.len() - 1, "all of them were read: {shown}");
    holds_none("config show", &shown, &[KEPT]);
    home.write("secrets/SESSION_SECRET", format!("{KEPT} too short"));
    holds_none("a mistake", &home.run_with(&borrowed(&variables), &["serve"]).err, &[KEPT]);
}

#[tokio::test]
async fn nothing_that_holds_settings_shows_a_secret_to_whoever_formats_it() {
    let model = FakeModel::start().await;
    let mut variables = settings(&model);
    for (name, value) in [
        ("DATABASE_URL", format!("postgres://ada:{KEPT}@h/d")),
        ("ATTACHMENTS_URL", "s3://bucket".to_owned()),
        ("EMBEDDING_PROVIDER", "openai".to_owned()),
        ("EMBEDDING_MODEL", "test".to_owned()),
        ("EMBEDDING_DIMENSIONS", "3".to_owned()),
        ("EMBEDDING_BASE_URL", format!("http://ada:{KEPT}@127.0.0.1:9/v1?key={KEPT}")),
        ("MODEL_FALLBACKS", "gemini:x".to_owned()),
        ("QDRANT_URL", "http://127.0.0.1:9".to_owned()),
    ] {
        variables.retain(|(given, _)| given != name);
        variables.push((name.to_owned(), value));
    }
    let variables = Variables::of(variables);
    let mut reader = SettingsReader::new(&variables);
    let read = (Settings::read(&mut reader), Providers::read(&mut reader));
    holds_none("the reader of settings", &format!("{reader:#?}{variables:#?}"), &[KEPT]);
    let (settings, providers) = reader.finish(read).unwrap();
    assert!(providers.qdrant.is_some() && providers.embedding.endpoint.is_some(), "all of them are there");
    holds_none("the settings", &format!("{settings:#?}"), &[KEPT]);
    holds_none("the providers", &format!("{providers:#?}"), &[KEPT]);
}

/// Whether this process is the one that panics.
const PANICS: &str = "SECRETS_TEST_PANICS";

#[test]
fn a_panic_is_told_with_its_place_and_without_what_was_put_into_its_message() {
    #[expect(clippy::disallowed_methods, reason = "the process that panics is told so")]
    if std::env::var_os(PANICS).is_some() {
        chatkit_gateway::telemetry::tell_panics_without_payload();
        let text = format!("a reader wrote about the {OWN}");
        let _ = std::thread::spawn(move || panic!("{text}")).join();
        let _ = std::thread::spawn(|| panic!("words of the code")).join();
        return;
    }
    let name = "secrets::a_panic_is_told_with_its_place_and_without_what_was_put_into_its_message";
    let mut process = Command::new(std::env::current_exe().unwrap());
    let ended = process.args([name, "--exact", "--nocapture"]).env(PANICS, "1").output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(told.contains("The program panicked at tests/it/secrets.rs:") && told.contains("not shown"), "{told}");
    assert!(told.contains("words of the code"), "{told}");
    holds_none("what a panic writes", &told, &[OWN]);
}
