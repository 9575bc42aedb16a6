//! Models that stand in for each other: asked again, passed over, and told what another began.

use chatkit_gateway::llm::{Message, Prompt};
use serde_json::{Value, json};

use super::recording::{recorded, told};
use crate::support::client::{done_items, streamed_text, types};
use crate::support::fake_model::{FakeModel, Reply, choice};
use crate::support::house::{Ground, House, answered_by};

const QUESTION: &str = "What is a quaternion?";

/// A house with a first model and one that stands in for it.
struct Two {
    first: FakeModel,
    second: FakeModel,
    house: House,
}

async fn two() -> Two {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    let mut variables = answered_by(&first);
    variables.push(("COHERE_BASE_URL", second.base_url()));
    variables.push(("COHERE_API_KEY", "co-test".to_owned()));
    variables.push(("MODEL_FALLBACKS", "cohere:stand-in".to_owned()));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Two { house: Ground::sqlite(&variables).build().await, first, second }
}

impl Two {
    async fn ask(&self) -> Vec<Value> {
        self.house.stranger().create(QUESTION).await
    }

    /// How often each was asked.
    fn asked(&self) -> (usize, usize) {
        (self.first.requests().len(), self.second.requests().len())
    }
}

fn text(piece: &str) -> Value {
    choice(json!({"content": piece}), None)
}

fn answer() -> Reply {
    Reply::text(["Four numbers."])
}

fn call() -> Reply {
    recorded("gemini/call-then-empty-stop")
}

#[tokio::test]
async fn a_failure_that_passes_is_met_with_the_same_model_again() {
    let role = || choice(json!({"role": "assistant", "content": ""}), None);
    for failure in [
        recorded("others/page-of-a-gateway"),
        recorded("gemini/error-in-a-string"),
        recorded("gemini/malformed-call"),
        recorded("gemini/nothing-at-all"),
        recorded("openai/rate-limit"),
        Reply::events([role()]),
        Reply::events([role()]).cut(),
        Reply::status(429, "{}").header("retry-after", "0"),
    ] {
        let two = two().await;
        two.first.reply(failure).reply(answer());
        assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
        assert_eq!(two.asked(), (2, 0));
    }
}

#[tokio::test]
async fn a_failure_that_stays_is_met_with_the_next_model() {
    let two = two().await;
    two.first.always(recorded("others/page-of-a-gateway"));
    two.second.always(answer());
    assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
    assert_eq!(two.asked(), (3, 1));
    assert_eq!(two.second.requests()[0].body["model"], "stand-in");
    assert_eq!(two.second.requests()[0].headers["authorization"], "Bearer co-test");
}

#[tokio::test]
async fn an_answer_of_nothing_is_asked_for_once_more_and_then_of_the_next_model() {
    let two = two().await;
    two.first.always(recorded("gemini/nothing-at-all"));
    two.second.always(answer());
    assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
    assert_eq!(two.asked(), (2, 1));
}

#[tokio::test]
async fn a_model_that_is_busy_is_left_alone_while_another_answers() {
    let two = two().await;
    two.first.always(recorded("gemini/error-in-a-string"));
    two.second.always(answer());
    for asked in [(3, 1), (3, 2)] {
        assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
        assert_eq!(two.asked(), asked);
    }
}

#[tokio::test]
async fn after_the_first_word_nobody_is_asked_again() {
    let two = two().await;
    two.first.always(Reply::events([text("Four ")]).cut());
    two.second.always(answer());
    let events = two.ask().await;
    assert_eq!(streamed_text(&events), "Four ");
    assert!(events.last().unwrap()["message"].as_str().unwrap().contains("broke off"), "{events:?}");
    assert_eq!(two.asked(), (1, 0));
}

#[tokio::test]
async fn what_does_not_pass_goes_to_the_next_model_at_once() {
    for (name, asked_later) in [
        ("openai/wrong-key", false),
        ("openai/insufficient-quota", false),
        ("gemini/quota-of-zero", false),
        ("gemini/quota-of-a-day", false),
        ("gemini/quota-of-a-minute", false),
        ("ollama/model-is-missing", false),
        ("openai/request-larger-than-the-limit", true),
    ] {
        let two = two().await;
        two.first.always(recorded(name));
        two.second.always(answer());
        assert_eq!(streamed_text(&two.ask().await), "Four numbers.", "{name}");
        assert_eq!(two.asked(), (1, 1), "{name}");
        assert_eq!(streamed_text(&two.ask().await), "Four numbers.", "{name}");
        assert_eq!(two.asked(), (1 + usize::from(asked_later), 2), "{name}: while it is left alone");
    }
}

#[tokio::test]
async fn what_a_filter_stopped_is_not_taken_to_another_provider() {
    for name in ["openai/azure-prompt-filtered", "openai/content-filter"] {
        let two = two().await;
        two.first.always(recorded(name));
        two.second.always(answer());
        let events = two.ask().await;
        assert!(events.last().unwrap()["message"].as_str().unwrap().contains("does not allow"), "{name}: {events:?}");
        assert_eq!(two.asked(), (1, 0), "{name}");
    }
}

#[tokio::test]
async fn a_model_that_takes_over_a_search_is_told_of_it_in_words() {
    let two = two().await;
    two.first.reply(call()).always(recorded("openai/wrong-key"));
    two.second.always(Reply::text(["Four numbers [1]."]));
    let events = two.ask().await;
    let answer = done_items(&events).pop().unwrap()["content"][0].clone();
    assert_eq!((&answer["text"], answer["annotations"].as_array().unwrap().len()), (&json!("Four numbers."), 1));
    assert_eq!(two.asked(), (2, 1));
    let told = &two.second.requests()[0];
    let messages = told.body["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user"]);
    let content = messages[1]["content"].as_str().unwrap();
    assert!(content.contains("`query_knowledge_base`") && content.contains("passages") && content.ends_with(QUESTION));
    assert!(!String::from_utf8(told.bytes.to_vec()).unwrap().contains("thought_signature"));
    assert!(told.body["tools"].is_array());
}

#[tokio::test]
async fn the_model_that_began_a_search_goes_on_with_it() {
    let two = two().await;
    two.first.always(recorded("openai/request-larger-than-the-limit"));
    two.second.reply(call()).reply(answer());
    assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
    assert_eq!(two.asked(), (1, 2));
    let second = String::from_utf8(two.second.requests()[1].bytes.to_vec()).unwrap();
    assert!(second.contains("thought_signature"), "its own call goes back as it came");
}

#[tokio::test]
async fn when_all_fail_the_reader_hears_of_the_one_that_is_back_first() {
    let two = two().await;
    two.first.always(recorded("openai/wrong-key"));
    two.second.always(Reply::status(429, "{}").header("retry-after", "30"));
    let events = two.ask().await;
    assert!(events.last().unwrap()["message"].as_str().unwrap().contains("in 30 seconds"), "{events:?}");
    let events = two.ask().await;
    let told = events.last().unwrap()["message"].as_str().unwrap();
    assert!(told.contains("The model is busy") && told.contains("seconds"), "{events:?}");
    assert_eq!(two.asked(), (1, 1), "both said when they can be asked again");
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_left_alone_and_the_reader_is_told_for_how_long() {
    let model = FakeModel::start().await;
    model.always(recorded("others/page-of-a-gateway"));
    let house = House::with_model(&model).await;
    for (asked, told) in [(3, "has a problem"), (5, "has a problem"), (5, "given a rest. Please try again in")] {
        let events = house.stranger().create(QUESTION).await;
        assert_eq!(model.requests().len(), asked, "{told}: {:?}", types(&events));
        assert!(events.last().unwrap()["message"].as_str().unwrap().contains(told), "{events:?}");
    }
}

#[tokio::test]
async fn while_a_provider_is_left_alone_the_next_model_is_asked_at_once() {
    let two = two().await;
    two.first.always(recorded("others/page-of-a-gateway"));
    two.second.always(answer());
    for asked in [(3, 1), (5, 2), (5, 3), (5, 4)] {
        assert_eq!(streamed_text(&two.ask().await), "Four numbers.");
        assert_eq!(two.asked(), asked);
    }
}

#[tokio::test]
async fn the_book_itself_may_come_last() {
    let model = FakeModel::start().await;
    model.reply(call()).always(recorded("openai/wrong-key"));
    let house = House::with_model_and(&model, &[("MODEL_FALLBACKS", "offline")]).await;
    let events = house.stranger().create(QUESTION).await;
    let answer = done_items(&events).pop().unwrap()["content"][0].clone();
    assert!(!answer["annotations"].as_array().unwrap().is_empty(), "{answer}");
    assert!(answer["text"].as_str().unwrap().to_lowercase().contains("quaternion"), "{answer}");
}

#[tokio::test]
async fn a_reader_who_goes_away_ends_the_asking() {
    let two = two().await;
    two.first.always(Reply::raw("").silence());
    let model = two.house.app.tutor.as_ref().unwrap().model.clone();
    tokio::select! {
        _ = model.stream(question()) => panic!("it waits for the first word"),
        _ = two.first.request() => {}
    }
    two.first.abandoned().await;
    assert_eq!(two.asked(), (1, 0));
}

fn question() -> Prompt {
    Prompt { messages: vec![Message::user(QUESTION)], ..Prompt::default() }
}

async fn chunks(two: &Two) -> String {
    let model = two.house.app.tutor.as_ref().unwrap().model.clone();
    told(model.stream(question()).await.unwrap()).await
}

#[tokio::test]
async fn the_model_that_really_answered_is_told_with_its_provider_and_what_it_cost() {
    let two = two().await;
    two.first.always(recorded("openai/wrong-key"));
    let nameless = |piece: &str| json!({"choices": [{"delta": {"content": piece}}]});
    let spent = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    two.second.reply(Reply::events([nameless("Four "), spent]).cut());
    let heard = chunks(&two).await;
    assert_eq!(heard, "model  cohere stand-in\nsays   \"Four \"\nusage  3 in, 2 out\nbreaks Cut\n");
    two.second.reply(recorded("gemini/usage-in-every-chunk"));
    let heard = chunks(&two).await;
    assert!(heard.starts_with("model  cohere gemini-3.6-flash\n"), "{heard}");
}

#[tokio::test]
async fn health_names_the_first_model_and_counts_the_others() {
    let two = two().await;
    let health = two.house.stranger().get("/health").await.body;
    assert_eq!((&health["model"], &health["model_fallbacks"]), (&json!("openai/test"), &json!(1)));
}
