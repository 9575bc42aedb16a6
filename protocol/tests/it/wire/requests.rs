//! Requests as widgets and other front ends send them, and how they are understood.

use chatkit_protocol::{Envelope, Request};

/// Reads `params` of a request, and prints what was understood.
#[track_caller]
fn check(kind: &str, params: &str, understood: &str) {
    let asked = parse(kind, params);
    assert_eq!(serde_json::to_string(&asked).unwrap(), format!(r#"{{"type":"{kind}","params":{understood}}}"#));
}

#[track_caller]
fn parse(kind: &str, params: &str) -> Envelope {
    let body = format!(r#"{{"type":"{kind}","params":{params}}}"#);
    let asked = Envelope::parse(body.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {body}"));
    assert_eq!(asked.request.kind(), kind);
    asked
}

#[test]
fn every_request_with_the_least_it_needs() {
    let message = r#"{"content":[],"attachments":[],"inference_options":{}}"#;
    let in_thread = format!(r#"{{"thread_id":"","input":{message}}}"#);
    let table = [
        ("threads.create", format!(r#"{{"input":{message}}}"#), format!(r#"{{"input":{message}}}"#), true),
        ("threads.add_user_message", in_thread.clone(), in_thread, true),
        (
            "threads.add_client_tool_output",
            r#"{"thread_id":"","result":null}"#.to_owned(),
            r#"{"thread_id":"","result":null}"#.to_owned(),
            true,
        ),
        (
            "threads.add_structured_input",
            r#"{"thread_id":"","item_id":"","input":{}}"#.to_owned(),
            r#"{"thread_id":"","item_id":"","input":{"status":"answered","answers":{}}}"#.to_owned(),
            true,
        ),
        (
            "threads.retry_after_item",
            r#"{"thread_id":"","item_id":""}"#.to_owned(),
            r#"{"thread_id":"","item_id":""}"#.to_owned(),
            true,
        ),
        (
            "threads.custom_action",
            r#"{"thread_id":"","action":{"type":""}}"#.to_owned(),
            r#"{"thread_id":"","action":{"type":""}}"#.to_owned(),
            true,
        ),
        (
            "threads.sync_custom_action",
            r#"{"thread_id":"","action":{"type":""}}"#.to_owned(),
            r#"{"thread_id":"","action":{"type":""}}"#.to_owned(),
            false,
        ),
        ("threads.get_by_id", r#"{"thread_id":""}"#.to_owned(), r#"{"thread_id":""}"#.to_owned(), false),
        ("threads.list", "{}".to_owned(), r#"{"order":"desc"}"#.to_owned(), false),
        (
            "threads.update",
            r#"{"thread_id":"","title":""}"#.to_owned(),
            r#"{"thread_id":"","title":""}"#.to_owned(),
            false,
        ),
        ("threads.delete", r#"{"thread_id":""}"#.to_owned(), r#"{"thread_id":""}"#.to_owned(), false),
        ("items.list", r#"{"thread_id":""}"#.to_owned(), r#"{"thread_id":"","order":"desc"}"#.to_owned(), false),
        (
            "items.feedback",
            r#"{"thread_id":"","item_ids":[],"kind":"positive"}"#.to_owned(),
            r#"{"thread_id":"","item_ids":[],"kind":"positive"}"#.to_owned(),
            false,
        ),
        (
            "attachments.create",
            r#"{"name":"","size":0,"mime_type":""}"#.to_owned(),
            r#"{"name":"","size":0,"mime_type":""}"#.to_owned(),
            false,
        ),
        ("attachments.delete", r#"{"attachment_id":""}"#.to_owned(), r#"{"attachment_id":""}"#.to_owned(), false),
        (
            "input.transcribe",
            r#"{"audio_base64":"","mime_type":""}"#.to_owned(),
            r#"{"audio_base64":"","mime_type":""}"#.to_owned(),
            false,
        ),
    ];
    assert_eq!(table.each_ref().map(|(kind, ..)| *kind), Request::KINDS);
    for (kind, params, understood, streams) in &table {
        check(kind, params, understood);
        assert_eq!(parse(kind, params).request.streams(), *streams, "{kind}");
    }
}

#[test]
fn limits_come_in_many_spellings() {
    let table = [
        ("5", "5"),
        ("0", "0"),
        ("5.0", "5"),
        ("-0.0", "0"),
        (r#""5""#, "5"),
        (r#"" 5 ""#, "5"),
        ("true", "1"),
        ("false", "0"),
        ("9999", "9999"),
        ("4294967296", "4294967295"),
        ("18446744073709551615", "4294967295"),
        ("1000000000000000000000000000000", "4294967295"),
        ("1e300", "4294967295"),
        (r#""1000000000000000000000000000000""#, "4294967295"),
        (r#""100000000000000000000000000000000000000000000""#, "4294967295"),
    ];
    for (given, understood) in table {
        let params = format!(r#"{{"limit":{given}}}"#);
        check("threads.list", &params, &format!(r#"{{"limit":{understood},"order":"desc"}}"#));
    }
    let long = format!(r#"{{"limit":"{}"}}"#, "9".repeat(400));
    check("threads.list", &long, r#"{"limit":4294967295,"order":"desc"}"#);
    check("threads.list", r#"{"limit":null,"after":null}"#, r#"{"order":"desc"}"#);
}

#[test]
fn sizes_are_exact_up_to_64_bits() {
    for (given, understood) in [
        ("9007199254740993", "9007199254740993"),
        ("-9223372036854775808", "-9223372036854775808"),
        (r#""9223372036854775807""#, "9223372036854775807"),
        ("18446744073709551615", "9223372036854775807"),
        ("-1e300", "-9223372036854775808"),
        ("true", "1"),
    ] {
        check(
            "attachments.create",
            &format!(r#"{{"name":"n","size":{given},"mime_type":"m"}}"#),
            &format!(r#"{{"name":"n","size":{understood},"mime_type":"m"}}"#),
        );
    }
}

#[test]
fn nulls_of_optional_members_count_as_absent() {
    check(
        "threads.create",
        r#"{"input":{"content":[{"type":"input_tag","id":"a","text":"A","data":null,"group":null}],"attachments":[],"quoted_text":null,"inference_options":{"tool_choice":null,"model":null}}}"#,
        r#"{"input":{"content":[{"type":"input_tag","id":"a","text":"A","data":{},"interactive":false}],"attachments":[],"inference_options":{}}}"#,
    );
    check(
        "threads.custom_action",
        r#"{"thread_id":"t","item_id":null,"action":{"type":"x","payload":null}}"#,
        r#"{"thread_id":"t","action":{"type":"x"}}"#,
    );
    let body = br#"{"type":"threads.list","params":{},"metadata":null}"#;
    assert_eq!(Envelope::parse(body), Envelope::parse(br#"{"type":"threads.list","params":{}}"#));
}

#[test]
fn an_empty_item_id_of_an_action_counts_as_none() {
    for kind in ["threads.custom_action", "threads.sync_custom_action"] {
        check(
            kind,
            r#"{"thread_id":"t","item_id":"","action":{"type":"x","payload":{"a":null}}}"#,
            r#"{"thread_id":"t","action":{"type":"x","payload":{"a":null}}}"#,
        );
    }
}

#[test]
fn unknown_members_are_ignored_at_every_level() {
    check(
        "threads.create",
        r#"{"zzz":1,"order":5,"input":{"zzz":null,"content":[{"type":"input_text","text":"Hi","id":5,"data":[1],"group":{}}],"attachments":[],"inference_options":{"zzz":1,"tool_choice":{"id":"t","zzz":1}}}}"#,
        r#"{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{"tool_choice":{"id":"t"}}}}"#,
    );
    check(
        "threads.custom_action",
        r#"{"thread_id":"t","action":{"type":"x","handler":"server","loadingBehavior":"auto","streaming":true}}"#,
        r#"{"thread_id":"t","action":{"type":"x"}}"#,
    );
    check(
        "threads.add_structured_input",
        r#"{"thread_id":"t","item_id":"i","input":{"zzz":[],"answers":{"content":{"values":["a"],"text":5},"values":{"skipped":true}}}}"#,
        r#"{"thread_id":"t","item_id":"i","input":{"status":"answered","answers":{"content":{"values":["a"],"skipped":false},"values":{"values":[],"skipped":true}}}}"#,
    );
}

#[test]
fn the_last_of_two_equal_members_counts_and_white_space_does_not() {
    let body = b" \r\n\t{\"type\":\"threads.list\",\"type\":\"threads.delete\",\"params\":{\"thread_id\":5,\"thread_id\":\"t\"}}\n ";
    let asked = Envelope::parse(body).unwrap();
    assert_eq!(serde_json::to_string(&asked).unwrap(), r#"{"type":"threads.delete","params":{"thread_id":"t"}}"#);
}

#[test]
fn metadata_is_handed_on_as_it_came() {
    let body = r#"{"type":"threads.list","params":{"order":"desc"},"metadata":{"z":null,"a":[{"b":null}]}}"#;
    assert_eq!(serde_json::to_string(&Envelope::parse(body.as_bytes()).unwrap()).unwrap(), body);
}

#[test]
fn halves_of_a_surrogate_pair_that_belong_together_are_one_character() {
    check("threads.delete", r#"{"thread_id":"\ud83e\udd16"}"#, r#"{"thread_id":"🤖"}"#);
}

#[test]
fn forty_levels_are_understood() {
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let params = format!(r#"{{"thread_id":"t","result":{deep}}}"#);
    check("threads.add_client_tool_output", &params, &params);
}
