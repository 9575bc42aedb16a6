//! Messages of readers that are refused.

use super::check_params;

/// Wrong messages, and what is said about them from `params.input` on.
const MESSAGES: &[(&str, &str, &str)] = &[
    ("null", "", "must be an object with `content`, `attachments` and `inference_options`, not null"),
    ("\"Hi\"", "", "must be an object with `content`, `attachments` and `inference_options`, not a text"),
    ("[[],[],null,{}]", "", "must be an object with `content`, `attachments` and `inference_options`, not an array"),
    (
        r#"{"attachments":[],"inference_options":{}}"#,
        ".content",
        "is missing; it must be an array of parts (`[]` for none)",
    ),
    (r#"{"content":"Hi"}"#, ".content", "must be an array of parts (`[]` for none), not a text"),
    (r#"{"content":{"0":"Hi"}}"#, ".content", "must be an array of parts (`[]` for none), not an object"),
    (r#"{"content":["Hi"]}"#, ".content[0]", "must be an object with a `type`, not a text"),
    (r#"{"content":[["input_text","Hi"]]}"#, ".content[0]", "must be an object with a `type`, not an array"),
    (r#"{"content":[{"text":"Hi"}]}"#, ".content[0].type", "is missing; it must be `input_text` or `input_tag`"),
    (
        r#"{"content":[{"type":5,"text":"Hi"}]}"#,
        ".content[0].type",
        "must be `input_text` or `input_tag`, not a number",
    ),
    (
        r#"{"content":[{"type":"input_text","text":""},{"type":"output_text","text":"Hi"}]}"#,
        ".content[1].type",
        "must be `input_text` or `input_tag`, not `output_text`",
    ),
    (
        r#"{"content":[{"type":"input_text"}]}"#,
        ".content[0].text",
        "is missing; it must be a text (what the reader sees)",
    ),
    (
        r#"{"content":[{"type":"input_text","text":null}]}"#,
        ".content[0].text",
        "must be a text (what the reader sees), not null",
    ),
    (
        r#"{"content":[{"type":"input_tag","text":"A"}]}"#,
        ".content[0].id",
        "is missing; it must be a text (the id of what is mentioned)",
    ),
    (
        r#"{"content":[{"type":"input_tag","id":5,"text":"A"}]}"#,
        ".content[0].id",
        "must be a text (the id of what is mentioned), not a number",
    ),
    (
        r#"{"content":[{"type":"input_tag","id":"a","text":"A","data":[]}]}"#,
        ".content[0].data",
        "must be an object or null, not an array",
    ),
    (
        r#"{"content":[{"type":"input_tag","id":"a","text":"A","interactive":"yes"}]}"#,
        ".content[0].interactive",
        "must be true or false, not a text",
    ),
    (
        r#"{"content":[],"inference_options":{}}"#,
        ".attachments",
        "is missing; it must be an array of attachment ids (`[]` for none)",
    ),
    (
        r#"{"content":[],"attachments":null}"#,
        ".attachments",
        "must be an array of attachment ids (`[]` for none), not null",
    ),
    (
        r#"{"content":[],"attachments":["a",{"id":"a"}]}"#,
        ".attachments[1]",
        "must be a text (the id of an attachment), not an object",
    ),
    (
        r#"{"content":[],"attachments":[]}"#,
        ".inference_options",
        "is missing; it must be an object (`{}` for no choice)",
    ),
    (
        r#"{"content":[],"attachments":[],"inference_options":null}"#,
        ".inference_options",
        "must be an object (`{}` for no choice), not null",
    ),
    (
        r#"{"content":[],"attachments":[],"inference_options":[]}"#,
        ".inference_options",
        "must be an object (`{}` for no choice), not an array",
    ),
    (
        r#"{"content":[],"attachments":[],"inference_options":{"model":5}}"#,
        ".inference_options.model",
        "must be a text (the name of a model) or null, not a number",
    ),
    (
        r#"{"content":[],"attachments":[],"inference_options":{"tool_choice":["x"]}}"#,
        ".inference_options.tool_choice",
        "must be an object with an `id`, or null, not an array",
    ),
    (
        r#"{"content":[],"attachments":[],"inference_options":{"tool_choice":{}}}"#,
        ".inference_options.tool_choice.id",
        "is missing; it must be a text (the name of a tool)",
    ),
    (
        r#"{"content":[],"attachments":[],"quoted_text":5,"inference_options":{}}"#,
        ".quoted_text",
        "must be a text or null, not a number",
    ),
];

#[test]
fn messages() {
    for (input, member, problem) in MESSAGES {
        let member = format!("input{member}");
        check_params("threads.create", &[(&format!(r#"{{"input":{input}}}"#), &member, problem)]);
        let params = format!(r#"{{"thread_id":"t","input":{input}}}"#);
        check_params("threads.add_user_message", &[(&params, &member, problem)]);
    }
    let missing = "is missing; it must be an object with `content`, `attachments` and `inference_options`";
    check_params("threads.create", &[("{}", "input", missing)]);
}
