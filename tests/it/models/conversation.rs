//! Recorded answers in a whole house: what the reader sees of them, and what goes back to the provider.

use serde_json::{Value, json};

use super::recording::recorded;
use crate::support::client::{done_items, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Recorded, Reply};
use crate::support::house::House;

const QUESTION: &str = "What is a quaternion?";

/// Plays a recorded call and then an answer. Gives back the second request, which brings the result.
async fn round(name: &str, queries: &[&str]) -> Recorded {
    let model = FakeModel::start().await;
    model.reply(recorded(name)).reply(Reply::text(["Four numbers [1]."]));
    let events = House::with_model(&model).await.stranger().create(QUESTION).await;
    let shown = done_items(&events);
    let answer = &shown.last().unwrap()["content"][0];
    assert_eq!(answer["text"], "Four numbers.", "{name}: {:?}", types(&events));
    assert_eq!(answer["annotations"].as_array().unwrap().len(), 1, "{name}");
    let workflow = shown.iter().find(|item| item["type"] == "workflow").expect("the search is shown");
    let told: Vec<&Value> =
        workflow["workflow"]["tasks"].as_array().unwrap().iter().map(|task| &task["queries"]).collect();
    assert_eq!(json!(told).to_string(), json!(queries.iter().map(|query| [query]).collect::<Vec<_>>()).to_string());
    let [_, second] = &model.requests()[..] else { panic!("{name}: {} requests", model.requests().len()) };
    second.clone()
}

/// The calls in a request, and the ids under which their results follow.
fn calls_and_results(request: &Recorded) -> (Vec<Value>, Vec<Value>) {
    let messages = request.body["messages"].as_array().unwrap();
    let called = messages.iter().position(|message| message["tool_calls"].is_array()).expect("the calls go back");
    let results = messages[called + 1..].iter().map(|message| message["tool_call_id"].clone()).collect();
    (messages[called]["tool_calls"].as_array().unwrap().clone(), results)
}

#[tokio::test]
async fn every_recorded_call_leads_to_a_search_and_an_answer() {
    for (name, queries) in [
        ("gemini/call-without-index-or-id", ["quaternion"].as_slice()),
        ("gemini/call-then-empty-stop", &["quaternion"]),
        ("gemini/call-with-stop", &["quaternion"]),
        ("gemini/two-calls-one-signed", &["quaternion", "gimbal lock"]),
        ("openai/parallel-calls-interleaved", &["quaternion", "gimbal lock"]),
        ("cohere/tool-call", &["quaternion"]),
        ("ollama/parallel-calls-all-index-0", &["quaternion", "gimbal lock"]),
        ("ollama/parallel-calls-without-ids", &["quaternion", "gimbal lock"]),
        ("others/vllm-reasoning-and-call", &["quaternion"]),
    ] {
        let (calls, results) = calls_and_results(&round(name, queries).await);
        let ids: Vec<Value> = calls.iter().map(|call| call["id"].clone()).collect();
        assert_eq!(ids, results, "{name}");
        assert!(ids.iter().all(|id| !id.as_str().unwrap().is_empty()), "{name}");
        assert!(calls.iter().all(|call| call.get("index").is_none()), "{name}: {calls:?}");
    }
}

#[tokio::test]
async fn a_signature_goes_back_byte_for_byte_with_the_call_it_came_with() {
    let signed = concat!(
        r#""extra_content":{"google":{"thought_signature":"#,
        r#""EjQKMgEMOdbHJChLX75QUCJjyYlmAnOnYmIsEdRtLkE/9mWq+7hVd0ZkT1sCf2gHn4uXwA=="}}"#
    );
    for name in ["gemini/call-then-empty-stop", "gemini/signature-in-a-delta-of-its-own"] {
        let request = round(name, &["quaternion"]).await;
        assert!(String::from_utf8(request.bytes.to_vec()).unwrap().contains(signed), "{name}");
    }
    let (calls, _) = calls_and_results(&round("gemini/two-calls-one-signed", &["quaternion", "gimbal lock"]).await);
    let signed: Vec<bool> = calls.iter().map(|call| call.get("extra_content").is_some()).collect();
    assert_eq!(signed, [true, false]);
    let (calls, _) = calls_and_results(&round("gemini/vertex-signature", &["quaternion"]).await);
    assert_eq!(calls[0]["extra_content"], json!({"vertex": {"thought_signature": "AY89a18IwQsQ8in/Zk+0c3Ry"}}));
}

#[tokio::test]
async fn every_recorded_text_is_shown_and_kept_whole() {
    for (name, text) in [
        ("gemini/usage-in-every-chunk", "A quaternion is four numbers 🤖."),
        ("gemini/stop-on-every-chunk", "A quaternion is four numbers."),
        ("openai/usage-in-a-last-chunk-without-choices", "Four numbers."),
        ("openai/without-done", "Four numbers."),
        ("openai/refusal", "I'm sorry, I cannot help with that."),
        ("openai/azure-filter-results-first", "Four numbers."),
        ("cohere/text-that-is-complete", "Four numbers."),
        ("ollama/thoughts-in-the-text", "Four numbers."),
        ("ollama/lines-instead-of-events", "Four numbers."),
        ("others/groq-reasoning", "Four numbers."),
        ("others/crlf-and-a-mark-of-byte-order", "Four numbers."),
    ] {
        let model = FakeModel::start().await;
        model.reply(recorded(name));
        let house = House::with_model(&model).await;
        let reader = house.visitor().await;
        let events = reader.create(QUESTION).await;
        assert_eq!(streamed_text(&events), text, "{name}: {:?}", types(&events));
        let kept = reader.conversation(&thread_of(&events)).await;
        assert_eq!(kept[1..], [format!("assistant_message: {text}")], "{name}");
    }
}

#[tokio::test]
async fn usage_that_a_provider_refuses_to_tell_costs_no_answer() {
    for name in ["gemini/stream-options-refused", "cohere/stream-options-refused"] {
        let model = FakeModel::start().await;
        model.reply(recorded(name)).always(Reply::text(["Four numbers."]));
        let house = House::with_model(&model).await;
        for _ in 0..2 {
            assert_eq!(streamed_text(&house.stranger().create(QUESTION).await), "Four numbers.", "{name}");
        }
        let asked = model.requests().into_iter().map(|request| request.body.get("stream_options").is_some());
        assert_eq!(asked.collect::<Vec<_>>(), [true, false, false], "{name}");
    }
}

#[tokio::test]
async fn every_recorded_failure_is_told_in_a_sentence_that_says_when_to_come_back() {
    for (name, said, told, allow_retry) in [
        ("gemini/quota-of-a-minute", "", "busy at the moment. Please try again in 55 seconds.", true),
        ("gemini/quota-of-a-day", "", "used up for today. Please come back tomorrow.", true),
        ("gemini/quota-of-zero", "", "no quota left for its model, and waiting will not help", false),
        ("gemini/key-is-not-valid", "", "does not accept the site's key", false),
        ("gemini/model-is-gone", "", "the provider does not know it", false),
        ("gemini/error-in-an-array", "", "refused this request", false),
        ("gemini/error-in-a-string", "", "busy at the moment. Please try again in a minute.", true),
        ("gemini/malformed-call", "", "not an answer. Please try again.", true),
        ("gemini/nothing-at-all", "", "gave no answer to this", true),
        ("gemini/blocked", "", "does not allow an answer to this", false),
        ("gemini/overloaded-mid-stream", "A quaternion is", "busy at the moment. Please try again in a minute.", true),
        ("openai/insufficient-quota", "", "waiting will not help", false),
        ("openai/content-filter", "", "does not allow an answer to this", false),
        ("openai/azure-prompt-filtered", "", "does not allow an answer to this", false),
        ("openai/error-mid-stream", "Four", "has a problem at the moment", true),
        ("cohere/trial-month", "", "waiting will not help", false),
        ("ollama/model-is-missing", "", "the provider does not know it", false),
        ("ollama/busy", "", "has a problem at the moment", true),
        ("others/page-of-a-gateway", "", "has a problem at the moment", true),
        ("others/openrouter-comments-then-error", "Four", "has a problem at the moment", true),
    ] {
        let model = FakeModel::start().await;
        model.always(recorded(name));
        let events = House::with_model(&model).await.stranger().create(QUESTION).await;
        assert_eq!(streamed_text(&events), said, "{name}");
        let error = events.last().unwrap();
        assert!(error["message"].as_str().is_some_and(|message| message.contains(told)), "{name}: {error}");
        assert_eq!(error["allow_retry"], allow_retry, "{name}: {error}");
    }
}
