//! The form in which a caller wants an answer, by what `Accept` says.

use axum::http::{HeaderMap, header};

/// What an answer can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON value.
    Value,
    /// Server-sent events.
    Events,
    /// Bare text.
    Text,
}

const NAMES: [(&str, Form); 3] =
    [("application/json", Form::Value), ("text/event-stream", Form::Events), ("text/plain", Form::Text)];

/// The form that is wanted most, and of several that are wanted as much the first; none where no form is named.
///
/// Bare text counts only where it is wanted more than anything else: common clients name it in every request.
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let values = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(String, f32)> = values.flat_map(|value| value.split(',')).map(range).collect();
    let form_of = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, form)| *form);
    let named = ranges.iter().filter_map(|(name, quality)| Some((form_of(name)?, *quality)));
    let best = named.reduce(|best, next| if next.1 > best.1 { next } else { best });
    let (form, quality) = best.filter(|(_, quality)| *quality > 0.0)?;
    let anything_is_as_good = ranges.iter().any(|(name, other)| name == "*/*" && *other >= quality);
    (form != Form::Text || !anything_is_as_good).then_some(form)
}

/// Whether an answer is wanted as it is written, at a door that answers with one value otherwise.
pub(super) fn streams(headers: &HeaderMap) -> bool {
    matches!(form(headers), Some(Form::Events | Form::Text))
}

/// A media range without its parameters, and how much it is wanted, from 0 to 1.
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (name, quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().unwrap());
        form(&headers)
    }

    #[test]
    fn the_form_that_is_wanted_most_is_given() {
        assert_eq!(form(&HeaderMap::new()), None);
        assert_eq!(accepted("*/*"), None);
        assert_eq!(accepted("text/event-stream"), Some(Form::Events));
        assert_eq!(accepted("Text/Event-Stream; charset=utf-8, */*"), Some(Form::Events));
        assert_eq!(accepted("text/plain"), Some(Form::Text));
        assert_eq!(accepted("application/json;q=0.5, text/event-stream"), Some(Form::Events));
        assert_eq!(accepted("application/json, text/event-stream"), Some(Form::Value));
        assert_eq!(accepted("text/plain, */*;q=0.1"), Some(Form::Text));
        assert_eq!(accepted("text/event-stream;q=0"), None);
    }

    #[test]
    fn what_common_clients_say_by_themselves_asks_for_nothing() {
        assert_eq!(accepted("text/plain, */*"), None);
        assert_eq!(accepted("application/json, text/plain, */*"), Some(Form::Value));
    }
}
