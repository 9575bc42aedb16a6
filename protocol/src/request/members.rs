//! What the members of requests have to be, in words for whoever writes a front end.
//!
//! The types alone would do to refuse, but they also take an array for an object, and they do not say what to mend.

use crate::{Malformed, Value};

/// What was given instead of something known is repeated up to so many characters.
const REPEATED_CHARS_MAX: usize = 80;

/// What one member has to be.
struct Wanted {
    shape: Shape,
    /// Whether null stands for leaving it out.
    or_null: bool,
    /// To be read after "must be".
    words: &'static str,
}

enum Shape {
    Text,
    Flag,
    Array,
    Object,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// Something the types look at themselves.
    Other,
}

/// Looks at every known member of the params of a request of type `kind`.
pub(super) fn check(kind: &str, params: &Value) -> Result<(), Malformed> {
    check_below(kind, &mut Vec::new(), params).map_err(|wrong| within("params", &wrong))
}

/// How the member at `path`, below the params, has to be; for unknown ones nothing in particular.
pub(super) fn words(kind: &str, path: &[&str]) -> Option<&'static str> {
    wanted(kind, path).map(|wanted| wanted.words)
}

/// What kind of JSON it is.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The beginning of a text that somebody sent.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(REPEATED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The members that the params of a type have. What other types call the same may be anything here.
fn names(kind: &str) -> &'static [&'static str] {
    match kind {
        "threads.create" => &["input"],
        "threads.add_user_message" => &["thread_id", "input"],
        "threads.add_client_tool_output" => &["thread_id", "result"],
        "threads.add_structured_input" => &["thread_id", "item_id", "input"],
        "threads.retry_after_item" => &["thread_id", "item_id"],
        "threads.custom_action" | "threads.sync_custom_action" => &["thread_id", "item_id", "action"],
        "threads.get_by_id" | "threads.delete" => &["thread_id"],
        "threads.list" => &["limit", "order", "after"],
        "threads.update" => &["thread_id", "title"],
        "items.list" => &["thread_id", "limit", "order", "after"],
        "items.feedback" => &["thread_id", "item_ids", "kind"],
        "attachments.create" => &["name", "size", "mime_type"],
        "attachments.delete" => &["attachment_id"],
        "input.transcribe" => &["audio_base64", "mime_type"],
        _ => &[],
    }
}

fn wanted(kind: &str, path: &[&str]) -> Option<Wanted> {
    path.first().filter(|name| names(kind).contains(name))?;
    let required = |shape, words| Some(Wanted { shape, or_null: false, words });
    let optional = |shape, words| Some(Wanted { shape, or_null: true, words });
    match path {
        ["thread_id"] => required(Shape::Text, "a text (the id of a thread)"),
        ["item_id"] if kind.ends_with("custom_action") => {
            optional(Shape::Text, "a text (the id of the widget's item) or null")
        }
        ["item_id"] => required(Shape::Text, "a text (the id of an item)"),
        ["attachment_id"] => required(Shape::Text, "a text (the id of an attachment)"),
        ["item_ids"] => required(Shape::Array, "an array of item ids"),
        ["item_ids", _] => required(Shape::Text, "a text (the id of an item)"),
        ["order"] => required(Shape::Word(&["asc", "desc"]), "`asc` or `desc`"),
        ["after"] => optional(Shape::Text, "a text (the `after` of the page before) or null"),
        ["size"] => required(Shape::Other, "a whole number of bytes"),
        ["result"] => required(Shape::Other, "what the page's handler gave, or null"),
        ["title"] => required(Shape::Text, "a text (the new title)"),
        ["name"] => required(Shape::Text, "a text (the name of the file)"),
        ["mime_type"] => required(Shape::Text, "a text such as `image/png` or `audio/webm`"),
        ["audio_base64"] => required(Shape::Text, "a text (the recording in standard base64)"),
        ["kind"] => required(Shape::Word(&["positive", "negative"]), "`positive` or `negative`"),
        ["action"] => required(Shape::Object, "an object with a `type`"),
        ["action", "type"] => required(Shape::Text, "a text that names the action"),
        ["input", below @ ..] if kind == "threads.add_structured_input" => match below {
            [] => required(Shape::Object, "an object with `status` and `answers`"),
            ["status"] => required(Shape::Word(&["answered", "skipped"]), "`answered` or `skipped`"),
            ["answers"] => required(Shape::Object, "an object with an answer for each question's id"),
            ["answers", _] => required(Shape::Object, "an object with `values` or `skipped`"),
            ["answers", _, "values"] => required(Shape::Array, "an array of texts"),
            ["answers", _, "values", _] => required(Shape::Text, "a text"),
            ["answers", _, "skipped"] => required(Shape::Flag, "true or false"),
            _ => None,
        },
        ["input"] => required(Shape::Object, "an object with `content`, `attachments` and `inference_options`"),
        ["input", "content"] => required(Shape::Array, "an array of parts (`[]` for none)"),
        ["input", "content", _] => required(Shape::Object, "an object with a `type`"),
        ["input", "content", _, "type"] => {
            required(Shape::Word(&["input_text", "input_tag"]), "`input_text` or `input_tag`")
        }
        ["input", "content", _, "text"] => required(Shape::Text, "a text (what the reader sees)"),
        ["input", "content", "input_tag" | "[]", "id"] => required(Shape::Text, "a text (the id of what is mentioned)"),
        ["input", "content", "input_tag", "data"] => optional(Shape::Object, "an object or null"),
        ["input", "content", "input_tag", "group"] => optional(Shape::Text, "a text or null"),
        ["input", "content", "input_tag", "interactive"] => required(Shape::Flag, "true or false"),
        ["input", "attachments"] => required(Shape::Array, "an array of attachment ids (`[]` for none)"),
        ["input", "attachments", _] => required(Shape::Text, "a text (the id of an attachment)"),
        ["input", "quoted_text"] => optional(Shape::Text, "a text or null"),
        ["input", "inference_options"] => required(Shape::Object, "an object (`{}` for no choice)"),
        ["input", "inference_options", "model"] => optional(Shape::Text, "a text (the name of a model) or null"),
        ["input", "inference_options", "tool_choice"] => optional(Shape::Object, "an object with an `id`, or null"),
        ["input", "inference_options", "tool_choice", "id"] => required(Shape::Text, "a text (the name of a tool)"),
        _ => None,
    }
}

/// Looks at a member and at those below it; what is wrong is named from here on.
fn check_below<'a>(kind: &str, path: &mut Vec<&'a str>, value: &'a Value) -> Result<(), Malformed> {
    if !path.is_empty() {
        let Some(wanted) = wanted(kind, path) else { return Ok(()) };
        wanted.check(value)?;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                path.push(name);
                check_below(kind, path, value).map_err(|wrong| within(&format!(".{}", shortened(name)), &wrong))?;
                path.pop();
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                // Which members a part of a message has depends on its type.
                let part = value.get("type").and_then(Value::as_str);
                path.push(part.filter(|part| matches!(*part, "input_text" | "input_tag")).unwrap_or("[]"));
                check_below(kind, path, value).map_err(|wrong| within(&format!("[{place}]"), &wrong))?;
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

impl Wanted {
    fn check(&self, value: &Value) -> Result<(), Malformed> {
        let fits = match (&self.shape, value) {
            (_, Value::Null) if self.or_null => true,
            (Shape::Other, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Flag, Value::Bool(_))
            | (Shape::Array, Value::Array(_))
            | (Shape::Object, Value::Object(_)) => true,
            (Shape::Word(words), Value::String(given)) => words.contains(&given.as_str()),
            (Shape::Text | Shape::Flag | Shape::Array | Shape::Object | Shape::Word(_), _) => false,
        };
        if fits {
            return Ok(());
        }
        let given = match (&self.shape, value) {
            (Shape::Word(_), Value::String(given)) => format!("`{}`", shortened(given)),
            _ => name_of(value).to_owned(),
        };
        Err(Malformed::new("", format!("must be {}, not {given}", self.words)))
    }
}

fn within(outer: &str, wrong: &Malformed) -> Malformed {
    Malformed::new(format!("{outer}{}", wrong.member), &*wrong.problem)
}
