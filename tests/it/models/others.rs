//! Answers of Cohere, Ollama, and of servers that speak OpenAI's wire with an accent.

use chatkit_gateway::llm::presets::{COHERE, OLLAMA, OPENAI};
use expect_test::expect;

use super::recording::check;

#[tokio::test]
async fn coheres_reasons_in_capitals_are_reasons() {
    check(
        &COHERE,
        "cohere/text-that-is-complete",
        expect![[r#"
        model  cohere command-a-03-2025
        says   "Four numbers."
        usage  73 in, 6 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_call_of_cohere_is_a_call() {
    check(
        &COHERE,
        "cohere/tool-call",
        expect![[r#"
        model  cohere command-a-03-2025
        calls  query_knowledge_base_8fz2m1 query_knowledge_base {"query": "quaternion"} of cohere
        usage  121 in, 14 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_message_without_an_error_around_it_is_read() {
    check(
        &COHERE,
        "cohere/stream-options-refused",
        expect![[r#"
        fails  Refused("unsupported field: 'stream_options'")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_quota_of_a_month_does_not_come_back_in_time() {
    check(
        &COHERE,
        "cohere/trial-month",
        expect![[r#"
        fails  NoQuota
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_quota_of_a_trial_minute_passes() {
    check(
        &COHERE,
        "cohere/trial-minute",
        expect![[r#"
        fails  Busy { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn calls_that_all_say_index_0_are_told_apart_by_their_ids() {
    check(
        &OLLAMA,
        "ollama/parallel-calls-all-index-0",
        expect![[r#"
        model  ollama llama3.2
        calls  call_8wr2t6pn query_knowledge_base {"query":"quaternion"} of ollama
        calls  call_1sz4k0qd query_knowledge_base {"query":"gimbal lock"} of ollama
    "#]],
    )
    .await;
}

#[tokio::test]
async fn calls_that_all_say_index_0_without_ids_are_told_apart_by_their_arguments() {
    check(
        &OLLAMA,
        "ollama/parallel-calls-without-ids",
        expect![[r#"
        model  ollama llama3.2
        calls  call_1 query_knowledge_base {"query":"quaternion"} of ollama
        calls  call_2 query_knowledge_base {"query":"gimbal lock"} of ollama
    "#]],
    )
    .await;
}

#[tokio::test]
async fn thoughts_that_a_server_left_in_the_text_are_not_shown() {
    check(
        &OLLAMA,
        "ollama/thoughts-in-the-text",
        expect![[r#"
        model  ollama deepseek-r1:8b
        says   "Four numbers."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_model_that_was_not_pulled_is_told_apart_from_a_bad_request() {
    check(
        &OLLAMA,
        "ollama/model-is-missing",
        expect![[r#"
        fails  NoModel("model \"llama3.9\" not found, try pulling it first")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_same_in_an_older_shape() {
    check(
        &OLLAMA,
        "ollama/model-is-missing-older",
        expect![[r#"
        fails  NoModel("model 'llama3.9' not found, try pulling it first")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_server_whose_queue_is_full_has_failed() {
    check(
        &OLLAMA,
        "ollama/busy",
        expect![[r#"
        fails  ProviderFailed(503)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_model_that_is_being_loaded_is_busy() {
    check(
        &OLLAMA,
        "ollama/llama-cpp-loading",
        expect![[r#"
        fails  Busy { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn lines_of_json_are_as_good_as_events() {
    check(
        &OLLAMA,
        "ollama/lines-instead-of-events",
        expect![[r#"
        model  ollama llama3.2
        says   "Four numbers."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn reasoning_beside_the_text_is_not_shown() {
    check(
        &OPENAI,
        "others/groq-reasoning",
        expect![[r#"
        model  openai qwen/qwen3-32b
        says   "Four numbers."
        usage  88 in, 31 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_call_that_the_server_could_not_read_is_an_accident() {
    check(&OPENAI, "others/groq-failed-call", expect![[r#"
        fails  Garbled("Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.")
    "#]]).await;
}

#[tokio::test]
async fn reasoning_before_a_call_is_not_shown() {
    check(
        &OPENAI,
        "others/vllm-reasoning-and-call",
        expect![[r#"
        model  openai Qwen/Qwen3-8B
        calls  chatcmpl-tool-5d0c2b7a9e8f4c1d query_knowledge_base {"query": "quaternion"} of openai
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_limit_within_the_stream_breaks_the_answer() {
    check(
        &OPENAI,
        "others/litellm-limit-mid-stream",
        expect![[r#"
        model  openai gemini-fast
        says   "Four"
        breaks Busy { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn comments_are_no_events_and_an_error_beside_choices_is_one() {
    check(
        &OPENAI,
        "others/openrouter-comments-then-error",
        expect![[r#"
        model  openai meta-llama/llama-3.3-70b-instruct
        says   "Four"
        breaks ProviderFailed(502)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn line_ends_and_a_byte_order_mark_are_no_part_of_the_answer() {
    check(
        &OPENAI,
        "others/crlf-and-a-mark-of-byte-order",
        expect![[r#"
        model  openai llama3.2
        says   "Four numbers."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_page_of_a_network_is_not_an_answer() {
    check(
        &OPENAI,
        "others/page-of-a-proxy",
        expect![[r#"
        fails  Garbled("a page for people")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_page_of_a_gateway_is_a_failure() {
    check(
        &OPENAI,
        "others/page-of-a-gateway",
        expect![[r#"
        fails  ProviderFailed(503)
    "#]],
    )
    .await;
}
