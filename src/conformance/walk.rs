//! A list read from its first page to its last, as one answer with all rows.

use serde_json::{Value, json};

use super::case::Cursor;
use super::exchange::{Answer, Exchange, NoAnswer, Request};
use super::{quoted, show};

/// A list with more pages does not end.
pub const WALK_PAGES_MAX: usize = 1_000;
/// So much of a page that is none is shown, in bytes.
const SHOWN_BYTES: usize = 200;

/// Why a list cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("page {0}: {1}")]
    Unanswered(usize, NoAnswer),
    #[error("page {0} has no {1}: {2}")]
    NoPage(usize, &'static str, String),
    #[error("page {0} says that there is more, and not where (`after`)")]
    NoCursor(usize),
    #[error("page {0} is the last and has a cursor: {1}")]
    CursorAtEnd(usize, String),
    #[error("the pages do not end: {0} were read, {1} bytes together")]
    Endless(usize, usize),
}

/// Asks for page after page. An answer that is no page is handed back as it is: it is for the expectation to judge.
pub(super) async fn walk(exchange: &Exchange, mut request: Value, by: Cursor) -> Result<Answer, Lost> {
    let mut rows: Vec<Value> = Vec::new();
    let mut bytes = 0;
    for number in 1..=exchange.limits.pages {
        let asked = Request { method: "POST", body: request.to_string().into_bytes(), ..Request::default() };
        let answer = exchange.send(asked).await.map_err(|error| Lost::Unanswered(number, error))?;
        bytes += answer.body.len();
        if bytes > exchange.limits.bytes {
            return Err(Lost::Endless(number, bytes));
        }
        if answer.status != 200 || answer.cut || !answer.is("application/json") {
            return Ok(answer);
        }
        let lacks = |what| Lost::NoPage(number, what, quoted(&answer.body, SHOWN_BYTES));
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| lacks("JSON"))?;
        let page = body.get("items").unwrap_or(&body);
        let data = page["data"].as_array().ok_or_else(|| lacks("list `data`"))?;
        let has_more = page["has_more"].as_bool().ok_or_else(|| lacks("`has_more`"))?;
        rows.extend(data.iter().cloned());
        if !has_more {
            return match page.get("after") {
                None => Ok(Answer { body: Value::Array(rows).to_string().into_bytes(), ..answer }),
                Some(after) => Err(Lost::CursorAtEnd(number, show(after))),
            };
        }
        let last_id = data.last().and_then(|row| row.get("id")).filter(|_| by == Cursor::LastId);
        let after = last_id.or_else(|| page.get("after")).filter(|after| after.is_string());
        let after = after.ok_or(Lost::NoCursor(number))?.clone();
        if request["type"] == "threads.get_by_id" {
            let thread_id = &request["params"]["thread_id"];
            request = json!({"type": "items.list", "params": {"thread_id": thread_id, "order": "asc"}});
        }
        request["params"]["after"] = after;
    }
    Err(Lost::Endless(exchange.limits.pages, bytes))
}
