//! Answers of Gemini's OpenAI-compatible door.

use chatkit_gateway::llm::presets::GEMINI;
use expect_test::expect;

use super::recording::check;

#[tokio::test]
async fn of_usage_in_every_chunk_the_last_one_counts() {
    check(
        &GEMINI,
        "gemini/usage-in-every-chunk",
        expect![[r#"
        model  gemini gemini-3.6-flash
        says   "A quaternion is four numbers 🤖."
        usage  41 in, 8 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_stop_on_every_chunk_stops_nothing() {
    check(
        &GEMINI,
        "gemini/stop-on-every-chunk",
        expect![[r#"
        model  gemini gemini-3.6-flash
        says   "A quaternion is four numbers."
        usage  41 in, 7 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn pieces_of_a_call_without_index_or_id_are_put_together_and_the_call_gets_an_id() {
    check(
        &GEMINI,
        "gemini/call-without-index-or-id",
        expect![[r#"
        model  gemini gemini-3.6-flash
        calls  call_1 query_knowledge_base {"query":"quaternion"} of gemini
        usage  41 in, 7 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_call_in_one_chunk_and_an_empty_stop_behind_it_are_a_tool_turn() {
    check(&GEMINI, "gemini/call-then-empty-stop", expect![[r#"
        model  gemini gemini-3.6-flash
        calls  jq3mt0xw query_knowledge_base {"query":"quaternion"} of gemini
               {"extra_content":{"google":{"thought_signature":"EjQKMgEMOdbHJChLX75QUCJjyYlmAnOnYmIsEdRtLkE/9mWq+7hVd0ZkT1sCf2gHn4uXwA=="}}}
        usage  113 in, 17 out
    "#]]).await;
}

#[tokio::test]
async fn a_call_that_ends_with_stop_is_a_tool_turn() {
    check(
        &GEMINI,
        "gemini/call-with-stop",
        expect![[r#"
        model  gemini gemini-3.5-flash-lite
        calls  jq3mt0xw query_knowledge_base {"query":"quaternion"} of gemini
        usage  113 in, 17 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_signature_that_comes_alone_belongs_to_the_call_before_it() {
    check(&GEMINI, "gemini/signature-in-a-delta-of-its-own", expect![[r#"
        model  gemini gemini-3.6-flash
        calls  jq3mt0xw query_knowledge_base {"query":"quaternion"} of gemini
               {"extra_content":{"google":{"thought_signature":"EjQKMgEMOdbHJChLX75QUCJjyYlmAnOnYmIsEdRtLkE/9mWq+7hVd0ZkT1sCf2gHn4uXwA=="}}}
        usage  41 in, 7 out
    "#]]).await;
}

#[tokio::test]
async fn two_calls_are_kept_apart_and_the_signature_stays_with_its_own() {
    check(&GEMINI, "gemini/two-calls-one-signed", expect![[r#"
        model  gemini gemini-3.6-flash
        says   "Let me look."
        calls  jq3mt0xw query_knowledge_base {"query":"quaternion"} of gemini
               {"extra_content":{"google":{"thought_signature":"EjQKMgEMOdbHJChLX75QUCJjyYlmAnOnYmIsEdRtLkE/9mWq+7hVd0ZkT1sCf2gHn4uXwA=="}}}
        calls  k9x0f2ab query_knowledge_base {"query":"gimbal lock"} of gemini
        usage  41 in, 7 out
    "#]]).await;
}

#[tokio::test]
async fn the_signature_of_vertex_is_kept_where_it_was() {
    check(
        &GEMINI,
        "gemini/vertex-signature",
        expect![[r#"
        model  gemini google/gemini-3.6-flash
        calls  function-call-1189764512 query_knowledge_base {"query":"quaternion"} of gemini
               {"extra_content":{"vertex":{"thought_signature":"AY89a18IwQsQ8in/Zk+0c3Ry"}}}
        usage  41 in, 7 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_malformed_call_is_an_accident_and_not_a_filter() {
    check(
        &GEMINI,
        "gemini/malformed-call",
        expect![[r#"
        model  gemini gemini-3.6-flash
        usage  113 in, 0 out
        breaks Garbled("it stopped for the reason `function_call_filter: MALFORMED_FUNCTION_CALL`")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_of_nothing_brings_its_name_and_what_it_cost() {
    check(
        &GEMINI,
        "gemini/nothing-at-all",
        expect![[r#"
        model  gemini gemini-3.6-flash
        usage  113 in, 0 out
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_is_blocked_is_told_as_such() {
    check(
        &GEMINI,
        "gemini/blocked",
        expect![[r#"
        model  gemini gemini-3.6-flash
        usage  52 in, 0 out
        breaks Filtered("it stopped for the reason `content_filter: PROHIBITED_CONTENT`")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_in_an_array_within_the_stream_breaks_the_answer() {
    check(
        &GEMINI,
        "gemini/overloaded-mid-stream",
        expect![[r#"
        model  gemini gemini-3.6-flash
        says   "A quaternion is"
        usage  41 in, 7 out
        breaks Busy { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_in_an_array_is_read() {
    check(
        &GEMINI,
        "gemini/error-in-an-array",
        expect![[r#"
        fails  Refused("Request contains an invalid argument.")
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_signature_that_is_missing_is_a_refusal() {
    check(&GEMINI, "gemini/signature-is-missing", expect![[r#"
        fails  Refused("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:query_knowledge_base` , position 2. Please refer to https://ai.google.de")
    "#]]).await;
}

#[tokio::test]
async fn an_error_whose_message_is_json_is_read() {
    check(
        &GEMINI,
        "gemini/error-in-a-string",
        expect![[r#"
        fails  Busy { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_key_that_is_not_valid_is_told_apart_from_a_bad_request() {
    check(
        &GEMINI,
        "gemini/key-is-not-valid",
        expect![[r#"
        fails  Unauthorized
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_model_that_was_switched_off_is_told_apart_from_a_bad_request() {
    check(&GEMINI, "gemini/model-is-gone", expect![[r#"
        fails  NoModel("models/gemini-2.0-flash is not found for API version v1main, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.")
    "#]]).await;
}

#[tokio::test]
async fn the_quota_of_a_minute_comes_with_its_wait() {
    check(
        &GEMINI,
        "gemini/quota-of-a-minute",
        expect![[r#"
        fails  Busy { retry_after: Some(55s) }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_quota_of_a_day_does_not_come_back_in_seconds() {
    check(
        &GEMINI,
        "gemini/quota-of-a-day",
        expect![[r#"
        fails  QuotaExhausted { retry_after: None }
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_quota_of_zero_never_comes_back() {
    check(
        &GEMINI,
        "gemini/quota-of-zero",
        expect![[r#"
        fails  NoQuota
    "#]],
    )
    .await;
}
