//! What is refused, which member is named, and in what words.

mod messages;

use chatkit_protocol::Envelope;

#[track_caller]
fn check(body: impl AsRef<[u8]>, member: &str, problem: &str) {
    let body = body.as_ref();
    let Err(wrong) = Envelope::parse(body) else { panic!("accepted: {}", String::from_utf8_lossy(body)) };
    assert_eq!((wrong.member.as_str(), wrong.problem.as_str()), (member, problem), "{}", String::from_utf8_lossy(body));
    assert_eq!(wrong.to_string(), format!("`{member}` {problem}"));
}

/// Checks requests of one type; the member is named from the params on.
#[track_caller]
fn check_params(kind: &str, table: &[(&str, &str, &str)]) {
    for (params, member, problem) in table {
        check(format!(r#"{{"type":"{kind}","params":{params}}}"#), &format!("params.{member}"), problem);
    }
}

#[test]
fn bodies_that_are_not_one_json_object() {
    let cut_off = "it was cut off, or a bracket or a quote is not closed";
    let table: [(&[u8], String); 16] = [
        (b"", "is empty; send a JSON object with `type` and `params`".to_owned()),
        (b" \n", "is empty; send a JSON object with `type` and `params`".to_owned()),
        (b"not json", "is not JSON from line 1, column 2 on; `JSON.stringify` writes it right".to_owned()),
        (b"{'type':1}", "is not JSON from line 1, column 2 on; `JSON.stringify` writes it right".to_owned()),
        (b"{\"a\":1,\n}", "is not JSON from line 2, column 1 on; `JSON.stringify` writes it right".to_owned()),
        (b"{", format!("ends too early, at line 1, column 1: {cut_off}")),
        (b"{\"type\":\"thr", format!("ends too early, at line 1, column 12: {cut_off}")),
        (b"{} {}", "goes on after its end, at line 1, column 4: send one JSON object and nothing else".to_owned()),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark; send it without".to_owned()),
        (b"{\"a\":\"\xff\"}", "is not UTF-8 from byte 6 on".to_owned()),
        (b"{\"a\":1e999}", "holds a number that is too large, at line 1, column 10".to_owned()),
        (b"[]", "must be a JSON object with `type` and `params`".to_owned()),
        (b"null", "must be a JSON object with `type` and `params`".to_owned()),
        (b"\"threads.list\"", "must be a JSON object with `type` and `params`".to_owned()),
        (b"5", "must be a JSON object with `type` and `params`".to_owned()),
        (b"true", "must be a JSON object with `type` and `params`".to_owned()),
    ];
    for (body, problem) in table {
        check(body, "body", &problem);
    }
}

#[test]
fn halves_of_surrogate_pairs() {
    for escape in [r"\ud800", r"\ud800x", r"\udc00", r"\ud800\u0041", r"\ud800\n"] {
        let body = format!(r#"{{"type":"threads.delete","params":{{"thread_id":"{escape}"}}}}"#);
        let wrong = Envelope::parse(body.as_bytes()).unwrap_err();
        assert_eq!(wrong.member, "body", "{escape}");
        assert!(wrong.problem.starts_with("holds one half of a surrogate pair, at line 1, column "), "{wrong}");
    }
}

#[test]
fn two_hundred_levels_and_two_hundred_thousand() {
    for levels in [200, 200_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let body =
                format!(r#"{{"type":"threads.add_client_tool_output","params":{{"thread_id":"t","result":{deep}}}}}"#);
            for body in [body.as_str(), &open.repeat(levels)] {
                let wrong = Envelope::parse(body.as_bytes()).unwrap_err();
                assert!(wrong.to_string().starts_with("`body` is nested too deeply, at line 1, column "), "{wrong}");
            }
        }
    }
}

#[test]
fn envelopes() {
    let known = "must be one of `threads.create`, `threads.add_user_message`, `threads.add_client_tool_output`, \
        `threads.add_structured_input`, `threads.retry_after_item`, `threads.custom_action`, \
        `threads.sync_custom_action`, `threads.get_by_id`, `threads.list`, `threads.update`, `threads.delete`, \
        `items.list`, `items.feedback`, `attachments.create`, `attachments.delete`, `input.transcribe`";
    let no_type = "is missing; it says what is asked, such as `threads.create`";
    check("{}", "type", no_type);
    check(r#"{"params":{}}"#, "type", no_type);
    for (given, name) in
        [("null", "null"), ("5", "a number"), ("[]", "an array"), ("{}", "an object"), ("true", "a boolean")]
    {
        let problem = format!("must be a text such as `threads.create`, not {name}");
        check(format!(r#"{{"type":{given},"params":{{}}}}"#), "type", &problem);
    }
    for given in ["", "Threads.list", "threads.list ", "threads.stop"] {
        check(format!(r#"{{"type":"{given}","params":{{}}}}"#), "type", &format!("{known}, not `{given}`"));
    }
    let long = format!(r#"{{"type":"{}"}}"#, "é".repeat(1_000));
    check(long, "type", &format!("{known}, not `{}…`", "é".repeat(80)));
    check(r#"{"type":"threads.list"}"#, "params", "is missing; send `{}` where nothing is required");
    for (given, name) in [("null", "null"), ("[]", "an array"), (r#""x""#, "a text")] {
        let problem = format!("must be an object, not {name}; send `{{}}` where nothing is required");
        check(format!(r#"{{"type":"threads.list","params":{given}}}"#), "params", &problem);
    }
    for (given, name) in [("[]", "an array"), (r#""x""#, "a text"), ("false", "a boolean")] {
        let problem = format!("must be an object, not {name}; leave it out if there is none");
        check(format!(r#"{{"type":"threads.list","params":{{}},"metadata":{given}}}"#), "metadata", &problem);
    }
}

#[test]
fn lists() {
    let limit = "must be a whole number from 0 on, or null";
    let negative = "must not be negative; leave it out for the server's own limit";
    let order = |given: &str| format!("must be `asc` or `desc`, not {given}");
    check_params(
        "threads.list",
        &[
            (r#"{"limit":"ten"}"#, "limit", limit),
            (r#"{"limit":""}"#, "limit", limit),
            (r#"{"limit":5.5}"#, "limit", limit),
            (r#"{"limit":[]}"#, "limit", limit),
            (r#"{"limit":{}}"#, "limit", limit),
            (r#"{"limit":-1}"#, "limit", negative),
            (r#"{"limit":"-1"}"#, "limit", negative),
            (r#"{"limit":-1e300}"#, "limit", negative),
            (r#"{"order":"ASC"}"#, "order", &order("`ASC`")),
            (r#"{"order":""}"#, "order", &order("``")),
            (r#"{"order":null}"#, "order", &order("null")),
            (r#"{"order":1}"#, "order", &order("a number")),
            (r#"{"order":{"asc":null}}"#, "order", &order("an object")),
            (r#"{"after":5}"#, "after", "must be a text (the `after` of the page before) or null, not a number"),
        ],
    );
    check_params(
        "items.list",
        &[
            ("{}", "thread_id", "is missing; it must be a text (the id of a thread)"),
            (r#"{"thread_id":null}"#, "thread_id", "must be a text (the id of a thread), not null"),
            (r#"{"thread_id":5}"#, "thread_id", "must be a text (the id of a thread), not a number"),
            (r#"{"thread_id":["x"]}"#, "thread_id", "must be a text (the id of a thread), not an array"),
            (r#"{"thread_id":"x","order":"newest"}"#, "order", &order("`newest`")),
        ],
    );
}

#[test]
fn threads() {
    for kind in ["threads.get_by_id", "threads.delete"] {
        check_params(
            kind,
            &[
                ("{}", "thread_id", "is missing; it must be a text (the id of a thread)"),
                (r#"{"thread_id":{}}"#, "thread_id", "must be a text (the id of a thread), not an object"),
            ],
        );
    }
    check_params(
        "threads.update",
        &[
            (r#"{"thread_id":"x"}"#, "title", "is missing; it must be a text (the new title)"),
            (r#"{"thread_id":"x","title":null}"#, "title", "must be a text (the new title), not null"),
        ],
    );
    check_params(
        "threads.retry_after_item",
        &[
            (r#"{"thread_id":"x"}"#, "item_id", "is missing; it must be a text (the id of an item)"),
            (r#"{"thread_id":"x","item_id":null}"#, "item_id", "must be a text (the id of an item), not null"),
        ],
    );
    check_params(
        "threads.add_client_tool_output",
        &[(r#"{"thread_id":"x"}"#, "result", "is missing; it must be what the page's handler gave, or null")],
    );
}

#[test]
fn forms() {
    let table = [
        ("null", "", "must be an object with `status` and `answers`, not null"),
        (r#"["answered",{}]"#, "", "must be an object with `status` and `answers`, not an array"),
        (r#"{"status":"pending"}"#, ".status", "must be `answered` or `skipped`, not `pending`"),
        (r#"{"answers":[]}"#, ".answers", "must be an object with an answer for each question's id, not an array"),
        (r#"{"answers":{"q":["a"]}}"#, ".answers.q", "must be an object with `values` or `skipped`, not an array"),
        (r#"{"answers":{"q":{"values":"a"}}}"#, ".answers.q.values", "must be an array of texts, not a text"),
        (r#"{"answers":{"q":{"values":["a",1]}}}"#, ".answers.q.values[1]", "must be a text, not a number"),
        (r#"{"answers":{"q":{"skipped":"no"}}}"#, ".answers.q.skipped", "must be true or false, not a text"),
    ];
    for (input, member, problem) in table {
        let params = format!(r#"{{"thread_id":"t","item_id":"i","input":{input}}}"#);
        check_params("threads.add_structured_input", &[(&params, &format!("input{member}"), problem)]);
    }
    check_params(
        "threads.add_structured_input",
        &[
            (
                r#"{"thread_id":"t","item_id":"i"}"#,
                "input",
                "is missing; it must be an object with `status` and `answers`",
            ),
            (r#"{"thread_id":"t","input":{}}"#, "item_id", "is missing; it must be a text (the id of an item)"),
        ],
    );
}

#[test]
fn actions() {
    for kind in ["threads.custom_action", "threads.sync_custom_action"] {
        check_params(
            kind,
            &[
                (r#"{"thread_id":"t"}"#, "action", "is missing; it must be an object with a `type`"),
                (r#"{"thread_id":"t","action":"go"}"#, "action", "must be an object with a `type`, not a text"),
                (r#"{"thread_id":"t","action":["go"]}"#, "action", "must be an object with a `type`, not an array"),
                (
                    r#"{"thread_id":"t","action":{}}"#,
                    "action.type",
                    "is missing; it must be a text that names the action",
                ),
                (
                    r#"{"thread_id":"t","action":{"type":null}}"#,
                    "action.type",
                    "must be a text that names the action, not null",
                ),
                (
                    r#"{"thread_id":"t","item_id":5,"action":{"type":"go"}}"#,
                    "item_id",
                    "must be a text (the id of the widget's item) or null, not a number",
                ),
            ],
        );
    }
}

#[test]
fn feedback_attachments_and_recordings() {
    check_params(
        "items.feedback",
        &[
            (r#"{"thread_id":"t","item_ids":[]}"#, "kind", "is missing; it must be `positive` or `negative`"),
            (
                r#"{"thread_id":"t","item_ids":[],"kind":"Positive"}"#,
                "kind",
                "must be `positive` or `negative`, not `Positive`",
            ),
            (
                r#"{"thread_id":"t","item_ids":"i","kind":"positive"}"#,
                "item_ids",
                "must be an array of item ids, not a text",
            ),
            (
                r#"{"thread_id":"t","item_ids":[1],"kind":"positive"}"#,
                "item_ids[0]",
                "must be a text (the id of an item), not a number",
            ),
        ],
    );
    check_params(
        "attachments.create",
        &[
            (r#"{"name":"n","mime_type":"m"}"#, "size", "is missing; it must be a whole number of bytes"),
            (r#"{"name":"n","size":"big","mime_type":"m"}"#, "size", "must be a whole number of bytes"),
            (r#"{"name":"n","size":1.5,"mime_type":"m"}"#, "size", "must be a whole number of bytes"),
            (r#"{"name":"n","size":null,"mime_type":"m"}"#, "size", "must be a whole number of bytes"),
            (r#"{"size":1,"mime_type":"m"}"#, "name", "is missing; it must be a text (the name of the file)"),
            (
                r#"{"name":"n","size":1}"#,
                "mime_type",
                "is missing; it must be a text such as `image/png` or `audio/webm`",
            ),
        ],
    );
    check_params(
        "attachments.delete",
        &[(r#"{"attachment_id":null}"#, "attachment_id", "must be a text (the id of an attachment), not null")],
    );
    check_params(
        "input.transcribe",
        &[
            (
                r#"{"audio_base64":5,"mime_type":"m"}"#,
                "audio_base64",
                "must be a text (the recording in standard base64), not a number",
            ),
            (
                r#"{"audio_base64":"aGk="}"#,
                "mime_type",
                "is missing; it must be a text such as `image/png` or `audio/webm`",
            ),
        ],
    );
}

#[test]
fn names_that_somebody_made_up_are_repeated_in_part_only() {
    let name = "q".repeat(10_000);
    let body = format!(
        r#"{{"type":"threads.add_structured_input","params":{{"thread_id":"t","item_id":"i","input":{{"answers":{{"{name}":5}}}}}}}}"#
    );
    let wrong = Envelope::parse(body.as_bytes()).unwrap_err();
    assert_eq!(wrong.member, format!("params.input.answers.{}…", "q".repeat(80)));
}
