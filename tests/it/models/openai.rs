//! Answers of OpenAI and of Azure.

use chatkit_gateway::llm::presets::OPENAI;
use expect_test::expect;

use super::recording::check;

#[tokio::test]
async fn usage_comes_in_a_last_chunk_without_choices() {
    check(
        &OPENAI,
        "openai/usage-in-a-last-chunk-without-choices",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        says   "Four numbers."
        usage  52 in, 9 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_without_done_is_whole() {
    check(
        &OPENAI,
        "openai/without-done",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        says   "Four numbers."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_is_what_the_model_says() {
    check(
        &OPENAI,
        "openai/refusal",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        says   "I'm sorry, I cannot help with that."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn parallel_calls_whose_pieces_mingle_are_kept_apart() {
    check(
        &OPENAI,
        "openai/parallel-calls-interleaved",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        calls  call_A1b2C3d4E5f6G7h8I9j0K1l2 query_knowledge_base {"query":"quaternion"} of openai
        calls  call_Z9y8X7w6V5u4T3s2R1q0P9o8 query_knowledge_base {"query":"gimbal lock"} of openai
        usage  52 in, 9 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_the_filter_stopped_is_told_as_such() {
    check(
        &OPENAI,
        "openai/content-filter",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        breaks Filtered("it stopped for the reason `content_filter`")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_within_the_stream_breaks_the_answer() {
    check(
        &OPENAI,
        "openai/error-mid-stream",
        expect![[r#"
        model  openai gpt-6-luna-2026-06-11
        says   "Four"
        breaks ProviderFailed(500)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_wrong_key_is_not_repeated() {
    check(
        &OPENAI,
        "openai/wrong-key",
        expect![[r#"
        fails  Unauthorized
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_rate_limit_comes_with_its_wait() {
    check(
        &OPENAI,
        "openai/rate-limit",
        expect![[r#"
        fails  Busy { retry_after: Some(1.2s) }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_request_that_is_larger_than_the_limit_is_not_waited_for() {
    check(&OPENAI, "openai/request-larger-than-the-limit", expect![[r#"
        fails  Refused("Request too large for gpt-6-luna in organization org-AAAAAAAAAAAAAAAAAAAAAAAA on tokens per min (TPM): Limit 30000, Requested 41200. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.")
    "#]]).await;
}

#[tokio::test]
async fn an_unpaid_bill_never_comes_back() {
    check(
        &OPENAI,
        "openai/insufficient-quota",
        expect![[r#"
        fails  NoQuota
    "#]],
    )
    .await;
}

#[tokio::test]
async fn chunks_with_nothing_but_verdicts_of_a_filter_say_nothing() {
    check(
        &OPENAI,
        "openai/azure-filter-results-first",
        expect![[r#"
        model  openai gpt-4o-mini-2024-07-18
        says   "Four numbers."
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_question_that_the_filter_stopped_is_told_apart_from_a_bad_request() {
    check(&OPENAI, "openai/azure-prompt-filtered", expect![[r#"
        fails  Filtered("The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.")
    "#]]).await;
}
