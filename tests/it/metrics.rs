//! `GET /metrics`: what happened is counted, nothing else is told, and Prometheus can read it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::client::{Reader, Stream, input, thread_of};
use crate::support::fake_model::{FakeModel, Reply, choice};
use crate::support::house::{Ground, House, until};

/// What a house told of itself, sample by sample.
#[derive(Debug)]
struct Told {
    /// By name and labels, as they were written.
    samples: BTreeMap<String, f64>,
    text: String,
}

impl Told {
    /// A sample; one that is not there has not happened yet.
    fn of(&self, sample: &str) -> f64 {
        self.samples.get(sample).copied().unwrap_or_default()
    }
}

async fn asked(reader: &Reader, accept: Option<&str>) -> (u16, String, String) {
    let request = reader.request("GET", "/metrics");
    let request = match accept {
        Some(accept) => request.header("accept", accept),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (status, kind, answer.text().await.unwrap())
}

async fn told(house: &House) -> Told {
    let (status, kind, text) = asked(&house.stranger(), None).await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    read(&text)
}

/// Reads the text as the rules of the format want it, and fails where it breaks one.
fn read(text: &str) -> Told {
    let (mut kinds, mut helped) = (BTreeMap::<String, String>::new(), BTreeSet::<String>::new());
    let mut samples = BTreeMap::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, sentence) = help.split_once(' ').unwrap();
            assert!(!sentence.is_empty() && helped.insert(name.to_owned()), "{line}");
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name), "the help comes first: {line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
        let name = sample.split('{').next().unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(name.bytes().all(plain) && !name.starts_with(|first: char| first.is_ascii_digit()), "{line}");
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
        let family = family.filter(|family| kinds.get(*family).is_some_and(|kind| kind == "histogram"));
        assert!(kinds.contains_key(family.unwrap_or(name)), "no type: {line}");
        if let Some(labels) = sample.strip_prefix(name).filter(|labels| !labels.is_empty()) {
            assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{line}");
        }
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(samples.insert(sample.to_owned(), value).is_none(), "twice: {line}");
    }
    let told = Told { samples, text: text.to_owned() };
    for (name, _) in kinds.iter().filter(|(_, kind)| *kind == "histogram") {
        check_buckets(&told, name);
    }
    told
}

/// Each bucket of a histogram holds those before it, and the last one all.
fn check_buckets(told: &Told, name: &str) {
    let prefix = format!("{name}_bucket{{");
    let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for (sample, value) in &told.samples {
        let Some(labels) = sample.strip_prefix(&prefix) else { continue };
        let labels = labels.strip_suffix('}').unwrap();
        let (bound, others): (Vec<&str>, Vec<&str>) = labels.split(',').partition(|label| label.starts_with("le="));
        let bound = bound[0].trim_start_matches("le=").trim_matches('"').parse().unwrap();
        series.entry(others.join(",")).or_default().push((bound, *value));
    }
    for (labels, mut buckets) in series {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.is_sorted_by(|one, other| one.1 <= other.1), "{name} {labels}: {buckets:?}");
        let (bound, all) = *buckets.last().unwrap();
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        assert_eq!((bound, all), (f64::INFINITY, told.of(&format!("{name}_count{labels}"))), "{name}");
        assert!(told.samples.contains_key(&format!("{name}_sum{labels}")));
    }
}

fn delta(event: &Value) -> bool {
    event["update"]["delta"].is_string()
}

/// A question that is being answered: the stream, after the first word, and the thread.
async fn half_answered(reader: &Reader, model: &FakeModel) -> (Stream, String) {
    let (reply, gate) = Reply::gated_text(["Robots", " sense."]);
    model.reply(reply);
    let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
    gate.open();
    let thread_id = thread_of(&stream.until(delta).await);
    (stream, thread_id)
}

#[tokio::test]
async fn a_turn_is_counted_from_its_question_to_its_end() {
    let model = FakeModel::start().await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 70, "completion_tokens": 5}});
    let pieces = [choice(json!({"content": "Robots "}), None), choice(json!({"content": "sense."}), Some("stop"))];
    model.reply(Reply::status(503, "{}")).reply(Reply::events(pieces).event(usage).done());
    let before = told(&house).await;
    assert_eq!(before.of("chatkit_turns_begun_total"), 0.0);
    let heard = reader.create("What do robots do?").await;
    house.quiet().await;
    let after = told(&house).await;
    for (sample, value) in [
        ("chatkit_turns_begun_total", 1.0),
        ("chatkit_turns_running", 0.0),
        ("chatkit_turns_ended_total{ending=\"finished\"}", 1.0),
        ("chatkit_turn_first_delta_seconds_count", 1.0),
        ("chatkit_turn_seconds_count", 1.0),
        ("chatkit_tokens_total{direction=\"read\"}", 70.0),
        ("chatkit_tokens_total{direction=\"written\"}", 5.0),
        ("chatkit_model_requests_total{provider=\"openai\",model=\"test\",outcome=\"failed\"}", 1.0),
        ("chatkit_model_requests_total{provider=\"openai\",model=\"test\",outcome=\"answered\"}", 1.0),
        ("chatkit_http_requests_total{method=\"POST\",route=\"/chatkit\",status=\"200\"}", 1.0),
        ("chatkit_http_response_head_seconds_count{route=\"/chatkit\"}", 1.0),
    ] {
        assert_eq!(after.of(sample), value, "{sample} of {}", after.text);
    }
    assert!(after.of("chatkit_turn_first_delta_seconds_sum") <= after.of("chatkit_turn_seconds_sum"));
    assert!(after.of("process_start_time_seconds") > 1.7e9);
    let version = format!("chatkit_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(after.of(&version), 1.0, "{}", after.text);
    // Nobody and nothing that was said is told.
    let owner = reader.owner(&house);
    for private in [owner.as_str(), &thread_of(&heard), "127.0.0.1", "robots", "Robots"] {
        assert!(!after.text.contains(private), "{private}");
    }
}

#[tokio::test]
async fn a_turn_that_runs_and_its_listener_are_seen_and_so_is_who_stopped_it() {
    let model = FakeModel::start().await;
    let house = House::with_model(&model).await;
    let reader = house.visitor().await;
    let (stream, thread_id) = half_answered(&reader, &model).await;
    let during = told(&house).await;
    assert_eq!([during.of("chatkit_turns_running"), during.of("chatkit_streams_open")], [1.0, 1.0]);
    drop(stream);
    until("nobody listens", async || told(&house).await.of("chatkit_streams_open") == 0.0).await;
    assert_eq!(told(&house).await.of("chatkit_turns_running"), 1.0, "it goes on without a listener");
    assert_eq!(reader.post_to(&format!("/chatkit/threads/{thread_id}/stop"), "").await.body["stopped"], true);
    let after = told(&house).await;
    assert_eq!(after.of("chatkit_turns_ended_total{ending=\"stopped\"}"), 1.0, "{}", after.text);
    assert_eq!(after.of("chatkit_turns_running"), 0.0);
}

#[tokio::test]
async fn a_turn_that_ends_because_its_reader_left_is_not_one_that_was_stopped() {
    let model = FakeModel::start().await;
    let house = House::with_model_and(&model, &[("ON_DISCONNECT", "cancel")]).await;
    let (stream, _) = half_answered(&house.visitor().await, &model).await;
    drop(stream);
    model.abandoned().await;
    house.quiet().await;
    assert_eq!(told(&house).await.of("chatkit_turns_ended_total{ending=\"left\"}"), 1.0);
}

#[tokio::test]
async fn whatever_paths_and_methods_are_made_up_there_are_no_more_series() {
    let house = House::offline().await;
    for path in ["/nowhere", "/wp-admin", "/chatkit/threads/thr_1/stop", "/chatkit/threads/thr_2/stop", "/book/a/b"] {
        house.stranger().get(path).await;
    }
    let made_up = house.stranger().request("BREW", "/nowhere").send().await.unwrap();
    assert_eq!(made_up.status(), 404);
    let told = told(&house).await;
    let requests = |labels: &str| told.of(&format!("chatkit_http_requests_total{{{labels}}}"));
    assert_eq!(requests("method=\"GET\",route=\"none\",status=\"404\""), 2.0, "{}", told.text);
    assert_eq!(requests("method=\"other\",route=\"none\",status=\"404\""), 1.0);
    assert_eq!(requests("method=\"GET\",route=\"/chatkit/threads/{id}/stop\",status=\"405\""), 2.0);
    assert_eq!(requests("method=\"GET\",route=\"/book/{*page}\",status=\"404\""), 1.0);
    for made_up in ["nowhere", "wp-admin", "thr_", "BREW"] {
        assert!(!told.text.contains(made_up), "{made_up}");
    }
}

#[tokio::test]
async fn limits_that_were_reached_are_counted_by_what_there_was_no_more_of() {
    let variables = [("MESSAGES_PER_MINUTE", "1"), ("REQUESTS_PER_MINUTE_PER_ADDRESS", "6")];
    let house = Ground::sqlite(&variables).build().await;
    let reader = house.visitor().await;
    reader.create("What is a robot?").await;
    reader.create("What is an actuator?").await;
    let after = told(&house).await;
    assert_eq!(after.of("chatkit_limits_reached_total{resource=\"messages\"}"), 1.0, "{}", after.text);
    assert_eq!(after.of("chatkit_limits_reached_total{resource=\"requests\"}"), 0.0);
    let refused = async || reader.ask("threads.list", json!({})).await.status == 429;
    until("there are no more requests", refused).await;
    assert!(house.app.metrics.written(chatkit_gateway::metrics::Format::Plain).contains("resource=\"requests\"} 1"));
}

#[tokio::test]
async fn with_a_token_only_whoever_shows_it_reads_the_counts() {
    let house = Ground::sqlite(&[("METRICS_TOKEN", "a-token-of-prometheus")]).build().await;
    let stranger = house.stranger();
    for wrong in [None, Some("a-token-of-prometheuS"), Some("a-token"), Some("a-token-of-prometheus-and-more")] {
        let reader = wrong.map_or(stranger.clone(), |token| stranger.bearing(token));
        let answer = reader.get("/metrics").await;
        answer.refuses(401, "METRICS_TOKEN");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    let (status, _, text) = asked(&stranger.bearing("a-token-of-prometheus"), None).await;
    assert_eq!(status, 200);
    assert!(!text.contains("a-token"), "{text}");
}

#[tokio::test]
async fn whoever_asks_for_open_metrics_gets_it() {
    let house = House::offline().await;
    let accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                  text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let (_, kind, text) = asked(&house.stranger(), Some(accept)).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.contains("# TYPE chatkit_turns_begun counter\nchatkit_turns_begun_total 0\n"), "{text}");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}
