//! OpenAI's `/embeddings`, as OpenAI, Ollama, and whoever calls himself compatible have it.

use serde::{Deserialize, Serialize};

use super::wire::Asked;

/// `encoding_format` is left out: some servers refuse it, and plain numbers come without it.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    index: Option<usize>,
    embedding: Vec<f32>,
}

pub(super) fn body(asked: &Asked<'_>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Body { model: asked.model, input: asked.texts, dimensions: asked.dimensions })
}

pub(super) fn read(answer: &[u8]) -> Option<Vec<Vec<f32>>> {
    let entries = serde_json::from_slice::<Answer>(answer).ok()?.data;
    // Some count all of them as the first one, and mean the order in which they stand.
    if entries.iter().all(|entry| entry.index.unwrap_or(0) == 0) {
        return Some(entries.into_iter().map(|entry| entry.embedding).collect());
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; entries.len()];
    for (position, entry) in entries.into_iter().enumerate() {
        let place = vectors.get_mut(entry.index.unwrap_or(position))?;
        if place.replace(entry.embedding).is_some() {
            return None;
        }
    }
    vectors.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, expected: Option<&[f32]>) {
        let read = read(answer.as_bytes()).map(|vectors| vectors.concat());
        assert_eq!(read.as_deref(), expected, "{answer}");
    }

    #[test]
    fn vectors_are_put_where_their_index_says() {
        check(
            r#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1.5],"object":"embedding"}]}"#,
            Some(&[1.5, 2.0]),
        );
        check(r#"{"data":[{"embedding":[1]},{"embedding":[2]}],"usage":null}"#, Some(&[1.0, 2.0]));
        check(r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}"#, Some(&[1.0, 2.0]));
    }

    #[test]
    fn what_cannot_be_put_in_order_is_no_answer() {
        check(r#"{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[2]}]}"#, None);
        check(r#"{"data":[{"index":7,"embedding":[1]}]}"#, None);
        check(r#"{"data":[{"index":0,"embedding":"AACAPw=="}]}"#, None);
        check(r#"{"data":[{"index":0,"embedding":[null]}]}"#, None);
        check(r#"{"data":[{"index":0,"embedding":[NaN]}]}"#, None);
        check("[]", None);
    }
}
