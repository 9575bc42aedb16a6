//! Limits on messages, tokens and open streams, as readers meet them, and what they leave in the database.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use async_trait::async_trait;
use chatkit_gateway::chat::{
    Chat, ChatError, ChatOptions, EventStream, LetGo, Listening, Reply as Answered, Responder, Turn,
};
use chatkit_gateway::clock::Clock;
use chatkit_gateway::config::{LimitSettings, LockedThreads, OnDisconnect};
use chatkit_gateway::identity::{AddressNames, ClientAddress, Identity, Ids, OwnerId};
use chatkit_gateway::metrics::Metrics;
use chatkit_gateway::quota::{Quota, Resource};
use chatkit_gateway::store::Tokens;
use chatkit_protocol::{Action, Envelope, ItemKind, ThreadEvent};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::Row;

use crate::store_contract::Home;
use crate::support::client::{Answer, Reader, Stream, input, thread_of, types};
use crate::support::house::{Ground, House, until};

/// What a house does when it has opened is over after so many messages.
const ROUNDS_BEFORE_USUAL: usize = 5;

/// Answers in one word, which costs 100 tokens. Who says `wait` waits for ever.
struct OneWord;

#[async_trait]
impl Responder for OneWord {
    fn respond(&self, turn: Turn) -> EventStream {
        let waits = turn.question().is_some_and(|question| question.text() == "wait");
        Box::pin(stream! {
            turn.spend(Tokens { input: 90, output: 10 });
            if waits {
                yield Ok(ThreadEvent::ProgressUpdate { icon: None, text: "Waiting".to_owned() });
                std::future::pending::<()>().await;
            }
            turn.last_word();
            yield Ok(turn.done(ItemKind::message("Yes.".to_owned())));
        })
    }

    fn act(&self, turn: Turn, _: Action) -> EventStream {
        self.respond(turn)
    }
}

fn one_word() -> Option<Arc<dyn Responder>> {
    Some(Arc::new(OneWord))
}

async fn house(variables: &[(&str, &str)]) -> House {
    Ground::sqlite(variables).build_for(one_word()).await
}

/// Checks that a stream is one sentence for the reader, and gives it.
#[track_caller]
fn sentence(events: &[Value], allow_retry: bool) -> String {
    let [event] = events else { panic!("one event: {events:#?}") };
    assert_eq!((&event["type"], &event["code"]), (&json!("error"), &json!("custom")));
    assert_eq!(event.get("allow_retry").unwrap_or(&json!(false)), allow_retry);
    event["message"].as_str().unwrap().to_owned()
}

async fn retry(reader: &Reader, thread_id: &str) -> Vec<Value> {
    let items = reader.items(thread_id).await;
    let params = json!({"thread_id": thread_id, "item_id": items.last().unwrap()["id"]});
    reader.open("threads.retry_after_item", params).await.rest().await
}

/// Something that a page asks for without any word of its reader.
async fn act(reader: &Reader, thread_id: &str) -> Vec<Value> {
    let params = json!({"thread_id": thread_id, "action": {"type": "any"}});
    reader.open("threads.custom_action", params).await.rest().await
}

#[tokio::test]
async fn a_message_too_many_is_answered_by_a_sentence_in_the_stream_and_leaves_nothing() {
    let house = house(&[("MESSAGES_PER_MINUTE", "2")]).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("One?").await);
    assert_eq!(types(&retry(&reader, &thread_id).await).len(), 2, "a retry is a message, and the second");
    let before = reader.items(&thread_id).await;
    let told = sentence(&reader.say(&thread_id, "Two?").await, false);
    let seconds = told.strip_prefix("You have sent 2 messages within a minute. Please try again in ").unwrap();
    let seconds: u64 = seconds.strip_suffix(" seconds.").unwrap().parse().unwrap();
    assert!((30..=60).contains(&seconds), "{told}");
    sentence(&reader.create("Three?").await, false);
    sentence(&retry(&reader, &thread_id).await, true);
    assert_eq!(reader.items(&thread_id).await, before);
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"].as_array().unwrap().len(), 1);
    // What is no message goes on, and so do other readers.
    assert_eq!(types(&act(&reader, &thread_id).await).last().unwrap(), "thread.item.done assistant_message");
    assert!(house.visitor().await.create("One?").await.len() > 1);
}

async fn chat(reader: &Reader, session: Option<&str>) -> Answer {
    reader.post_to("/chat", json!({"message": "Well?", "session_id": session}).to_string()).await
}

#[tokio::test]
async fn at_a_plain_door_a_message_too_many_is_429_with_the_time_to_wait() {
    let house = house(&[("MESSAGES_PER_MINUTE", "2")]).await;
    let reader = house.visitor().await;
    let first = chat(&reader, None).await;
    assert_eq!(chat(&reader, Some("no-session-of-theirs")).await.status, 200, "counted once, not twice");
    let selection = "A hinge joint turns about one axis only, and its range is limited by the frame.";
    let local = json!({"query": "Why?", "selected_text": selection}).to_string();
    for refused in [chat(&reader, first.body["session_id"].as_str()).await, reader.post_to("/chat/local", local).await]
    {
        refused.refuses(429, "You have sent 2 messages within a minute.");
        assert_eq!(refused.body["error"]["code"], "too_many_messages");
        assert_eq!(refused.body["error"]["details"]["limit"], 2);
        let resets_at = refused.body["error"]["details"]["resets_at"].as_str().unwrap();
        let resets_at: DateTime<Utc> = resets_at.parse().unwrap();
        let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        let left = (resets_at - house.app.clock.now().utc()).num_seconds();
        assert!((1..=60).contains(&wait) && (wait - left).abs() <= 5, "{wait} s, {left} s left");
    }
    assert_eq!(reader.ask("threads.list", json!({})).await.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn strangers_are_counted_by_their_address_and_visitors_by_both() {
    let house = house(&[("MESSAGES_PER_MINUTE", "2"), ("MESSAGES_PER_MINUTE_PER_ADDRESS", "5")]).await;
    let stranger = house.stranger();
    for _ in 0..2 {
        assert!(stranger.create("Well?").await.len() > 1);
    }
    let told = sentence(&house.stranger().create("Well?").await, false);
    assert!(told.starts_with("You have sent 2 messages within a minute."), "{told}");
    for _ in 0..3 {
        assert!(house.visitor().await.create("Well?").await.len() > 1);
    }
    let told = sentence(&house.visitor().await.create("Well?").await, false);
    assert!(told.starts_with("5 messages have come from your network within a minute."), "{told}");
}

/// Two instances on one Postgres, with the same secrets.
async fn two_houses(variables: &[(&str, &str)]) -> [House; 2] {
    let secret = [("VISITOR_SECRET", "one secret for both instances and long enough")];
    let first = Ground::postgres(&[&secret, variables].concat()).await.build_for(one_word()).await;
    let second = first.ground().beside().build_for(one_word()).await;
    [first, second]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_hold_one_limit_together() {
    let houses = two_houses(&[("MESSAGES_PER_MINUTE", "12"), ("MESSAGES_PER_DAY", "500")]).await;
    let [visitor, stranger] = [houses[0].visitor().await, houses[0].stranger()];
    for reader in [visitor, stranger] {
        let asking = (0..40).map(|n| {
            let reader = reader.at(&houses[n % 2].url);
            async move { reader.create("Well?").await.len() > 1 }
        });
        let answered = join_all(asking).await.into_iter().filter(|answered| *answered).count();
        assert_eq!(answered, 12);
    }
}

#[tokio::test]
async fn no_address_stands_in_the_counts() {
    let [house, _] = two_houses(&[("MESSAGES_PER_MINUTE", "9"), ("MESSAGES_PER_MINUTE_PER_ADDRESS", "9")]).await;
    house.stranger().create("Well?").await;
    house.quiet().await;
    let mut database = house.ground().database().connect().await;
    let kept = "select key from limit_counts union all select owner from chat_usage";
    let kept: Vec<String> =
        sqlx::query(kept).fetch_all(&mut database).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(kept.iter().all(|kept| kept.contains("address")), "{kept:?}");
    assert!(!kept.iter().any(|kept| kept.contains("127.0.0.1")), "{kept:?}");
}

#[tokio::test]
async fn a_request_that_is_sent_twice_is_counted_once() {
    let house = house(&[("MESSAGES_PER_MINUTE", "2")]).await;
    let reader = house.visitor().await.in_frame("a frame");
    let asked = json!({"input": input("wait")});
    let mut first = reader.open("threads.create", asked.clone()).await;
    let begun = first.until(|event| event["type"] == "progress_update").await;
    let mut second = reader.open("threads.create", asked).await;
    assert_eq!(second.until(|event| event["type"] == "progress_update").await, begun);
    assert!(reader.create("Another.").await.len() > 1);
    sentence(&reader.create("One too many.").await, false);
}

#[tokio::test]
async fn a_message_that_could_not_be_kept_is_not_counted() {
    let ground = Ground::postgres(&[("MESSAGES_PER_MINUTE", "2"), ("MESSAGES_PER_DAY", "2")]).await;
    let house = ground.build_for(one_word()).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("One?").await);
    house.quiet().await;
    house.ground().wire().cut();
    let told = sentence(&reader.say(&thread_id, "Two?").await, true);
    assert!(told.contains("could not be saved"), "{told}");
    house.ground().wire().mend();
    until("the database is back", async || reader.say(&thread_id, "Two?").await.len() > 1).await;
    sentence(&reader.say(&thread_id, "Three?").await, false);
}

#[tokio::test]
async fn tokens_of_a_day_are_used_up_by_answers_of_every_kind() {
    let house = house(&[("TOKENS_PER_DAY", "250")]).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("One?").await);
    house.quiet().await;
    act(&reader, &thread_id).await;
    house.quiet().await;
    assert_eq!(chat(&reader, None).await.status, 200, "there is some left, so an answer begins");
    house.quiet().await;
    let told = sentence(&reader.say(&thread_id, "Four?").await, false);
    let used_up = "Your answers have used up the 250 tokens of a day. Please try again ";
    assert!(told.starts_with(used_up), "{told}");
    assert!(sentence(&act(&reader, &thread_id).await, false).starts_with(used_up));
    let refused = chat(&reader, None).await;
    refused.refuses(429, used_up);
    assert_eq!(refused.body["error"]["code"], "too_many_tokens");
    assert_eq!(reader.items(&thread_id).await.len(), 3);
    // Strangers of this address have tokens of their own, all together.
    for _ in 0..3 {
        assert!(house.stranger().create("Well?").await.len() > 1);
        house.quiet().await;
    }
    assert!(sentence(&house.stranger().create("Well?").await, false).starts_with(used_up));
}

#[tokio::test]
async fn recordings_are_counted_apart_from_messages() {
    let house = house(&[("MESSAGES_PER_MINUTE", "2")]).await;
    let reader = house.visitor().await;
    let recording = json!({"audio_base64": "AAAA", "mime_type": "audio/wav"});
    for _ in 0..2 {
        reader.ask("input.transcribe", recording.clone()).await.refuses(400, "does not turn speech into text");
    }
    let refused = reader.ask("input.transcribe", recording.clone()).await;
    refused.refuses(429, "You have sent 2 recordings within a minute.");
    assert_eq!(refused.body["error"]["code"], "too_many_recordings");
    assert!(reader.create("Well?").await.len() > 1);
}

/// An answer that does not end, heard to its first event.
async fn listening(reader: &Reader) -> Stream {
    let mut stream = reader.open("threads.create", json!({"input": input("wait")})).await;
    stream.until(|event| event["type"] == "progress_update").await;
    stream
}

#[tokio::test]
async fn a_reader_listens_to_so_many_answers_at_once_and_to_another_when_one_is_let_go() {
    let house = house(&[("STREAMS_PER_READER", "2")]).await;
    let reader = house.visitor().await;
    let (first, second) = (listening(&reader).await, listening(&reader).await);
    let full = "2 answers are on the way to you already. Please try again when one of them has ended.";
    assert_eq!(sentence(&reader.create("Well?").await, false), full);
    let refused = chat(&reader, None).await;
    refused.refuses(429, full);
    assert_eq!(
        (&refused.body["error"]["code"], &refused.headers["retry-after"]),
        (&json!("too_many_streams"), &"5".parse().unwrap())
    );
    assert_eq!(refused.body["error"]["details"], json!({"limit": 2, "resets_at": null}));
    let threads = reader.ask("threads.list", json!({})).await;
    assert_eq!(threads.body["data"].as_array().unwrap().len(), 2, "what is no stream is answered, and nothing is kept");
    assert!(house.visitor().await.create("Well?").await.len() > 1);
    drop(first);
    until("the reader may listen again", async || reader.create("Well?").await.len() > 1).await;
    until("an answer that has ended takes no place", async || reader.create("Well?").await.len() > 1).await;
    drop(second);
}

#[tokio::test]
async fn an_address_listens_to_so_many_answers_at_once_whoever_its_readers_are() {
    let house = house(&[("STREAMS_PER_ADDRESS", "2")]).await;
    let stranger = house.stranger();
    let streams = [listening(&stranger).await, listening(&house.visitor().await).await];
    let told = sentence(&house.visitor().await.create("Well?").await, false);
    assert!(told.starts_with("2 answers are on the way"), "{told}");
    drop(streams);
    until("the address may listen again", async || stranger.create("Well?").await.len() > 1).await;
}

#[tokio::test]
async fn whoever_hears_an_answer_again_listens_as_well() {
    let house = house(&[("STREAMS_PER_READER", "2")]).await;
    let reader = house.visitor().await.in_frame("a frame");
    let asked = json!({"input": input("wait")});
    let streams = [listening(&reader).await, reader.open("threads.create", asked.clone()).await];
    sentence(&reader.open("threads.create", asked.clone()).await.rest().await, false);
    drop(streams);
    until("somebody may hear it again", async || {
        let mut stream = reader.open("threads.create", asked.clone()).await;
        stream.next().await.unwrap()["type"] == "thread.created"
    })
    .await;
}

#[tokio::test]
async fn a_message_takes_one_round_trip_to_the_database_before_its_answer_begins() {
    let limits: &[(&str, &str)] = &[
        ("MESSAGES_PER_MINUTE", "100"),
        ("MESSAGES_PER_DAY", "1000"),
        ("MESSAGES_PER_MINUTE_PER_ADDRESS", "100"),
        ("MESSAGES_PER_DAY_PER_ADDRESS", "1000"),
        ("TOKENS_PER_DAY", "1000000"),
    ];
    for variables in [&[][..], limits] {
        let house = Ground::postgres(variables).await.build_for(one_word()).await;
        let reader = house.visitor().await;
        let thread_id = thread_of(&reader.create("One?").await);
        let trips = async |kind: &str| {
            let before = house.ground().wire().statements();
            match kind {
                "answered" => drop(reader.say(&thread_id, "Well?").await),
                _ => drop(listening(&reader).await),
            }
            // What waits has no end to be waited for.
            if kind == "answered" {
                house.quiet().await;
            }
            house.ground().wire().statements() - before
        };
        // A house that has just opened sweeps.
        let mut answered = Vec::new();
        for _ in 0..ROUNDS_BEFORE_USUAL {
            answered.push(trips("answered").await);
        }
        assert_eq!(answered.iter().min(), Some(&2), "one before the answer and one after it: {answered:?}");
        assert_eq!(answered.last(), Some(&2), "{answered:?} with {variables:?}");
        let mut begun = Vec::new();
        for _ in 0..ROUNDS_BEFORE_USUAL {
            begun.push(trips("begun").await);
        }
        assert_eq!(begun.iter().min(), Some(&1), "{begun:?} with {variables:?}");
    }
}

/// A front desk with a clock that a test sets, on either database.
struct Desk {
    chat: Chat,
    clock: Clock,
    quota: Quota,
    _home: Home,
}

impl Desk {
    fn new(home: Home, limits: &LimitSettings) -> Self {
        let clock = Clock::fixed("2026-03-01T23:58:30Z".parse().unwrap());
        let names = AddressNames::new(&SecretString::from("a key"));
        let quota = Quota::new(limits, names, home.counts.clone(), clock.clone(), Metrics::new(&clock));
        let options = ChatOptions {
            on_disconnect: OnDisconnect::Finish,
            locked_threads: LockedThreads::Refuse,
            message_bytes_max: 1_000,
            empty_messages: false,
            history_items_max: 10,
            once_per_frame: true,
        };
        let chat = Chat::new(home.threads.clone(), Arc::new(OneWord), clock.clone(), Ids::counting(), options);
        Self { chat, clock, quota, _home: home }
    }

    async fn ask(&self, who: &Identity, from: &str) -> Result<Listening, ChatError> {
        let address = ClientAddress::new(from.parse().unwrap());
        let asked = json!({"type": "threads.create", "params": {"input": input("Well?")}}).to_string();
        let asked = Envelope::parse(asked.as_bytes()).unwrap();
        match self.chat.within(self.quota.of(who, Some(address))).handle(who, asked).await? {
            Answered::Stream(listening) => Ok(listening),
            Answered::Single(_) => panic!("messages are answered by a stream"),
        }
    }

    /// Asks, and hears the answer to its end.
    async fn says(&self, who: &Identity, from: &str) {
        let heard: Vec<Result<_, LetGo>> = self.ask(who, from).await.unwrap().collect().await;
        assert!(!heard.is_empty());
    }

    /// Asks, and hears how long to wait.
    async fn waits(&self, who: &Identity, from: &str) -> (u64, u32, String) {
        match self.ask(who, from).await.unwrap_err() {
            ChatError::Reached(reached) => {
                assert_eq!(reached.resource, Resource::Messages);
                (reached.limit, reached.wait_seconds, reached.to_string())
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn windows_pass(home: Home) {
    let limits = LimitSettings {
        messages_per_minute: Some(2),
        messages_per_day: Some(3),
        messages_per_minute_per_address: Some(4),
        ..LimitSettings::default()
    };
    let desk = Desk::new(home, &limits);
    let (ada, grace) = (Identity::User { id: OwnerId::user("ada") }, Identity::User { id: OwnerId::user("grace") });
    let [here, there] = ["192.0.2.1", "2001:db8::1"];
    desk.says(&ada, here).await;
    desk.clock.advance(Duration::from_secs(20));
    desk.says(&ada, here).await;
    let minute = "You have sent 2 messages within a minute. Please try again in 40 seconds.";
    assert_eq!(desk.waits(&ada, there).await, (2, 40, minute.to_owned()), "wherever she goes");
    desk.says(&grace, here).await;
    desk.says(&Identity::Stranger, here).await;
    let network = "4 messages have come from your network within a minute. Please try again in 40 seconds.";
    assert_eq!(desk.waits(&grace, here).await, (4, 40, network.to_owned()));
    desk.says(&grace, there).await;
    desk.clock.advance(Duration::from_secs(40));
    desk.says(&ada, here).await;
    // 23:59:30: the day has half a minute left.
    let day = "You have sent 3 messages within a day. Please try again in 30 seconds.";
    assert_eq!(desk.waits(&ada, here).await, (3, 30, day.to_owned()));
    desk.clock.advance(Duration::from_secs(30));
    desk.says(&ada, here).await;
    let minute = "You have sent 2 messages within a minute. Please try again in 30 seconds.";
    assert_eq!(desk.waits(&ada, here).await, (2, 30, minute.to_owned()), "the minute goes on past midnight");
    desk.clock.advance(Duration::from_secs(3_600));
    desk.says(&ada, here).await;
    desk.says(&ada, here).await;
    let day = "You have sent 3 messages within a day. Please try again at 00:00 UTC.";
    assert_eq!(desk.waits(&ada, here).await, (3, 23 * 3_600, day.to_owned()));
    desk.chat.turns().shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn windows_pass_on_sqlite() {
    windows_pass(Home::sqlite().await).await;
}

#[tokio::test]
async fn windows_pass_on_postgres() {
    windows_pass(Home::postgres().await).await;
}

#[tokio::test]
async fn counts_that_have_ended_are_forgotten() {
    let limits = LimitSettings { messages_per_minute: Some(9), messages_per_day: Some(9), ..LimitSettings::default() };
    let desk = Desk::new(Home::sqlite().await, &limits);
    desk.says(&Identity::Stranger, "192.0.2.1").await;
    assert_eq!(desk.quota.sweep().await.unwrap(), 0);
    desk.clock.advance(Duration::from_secs(61));
    assert_eq!(desk.quota.sweep().await.unwrap(), 1);
    desk.clock.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(desk.quota.sweep().await.unwrap(), 1);
}
