//! Models that are switched off, or will be: what an operator is told before the provider tells the readers.

use chrono::NaiveDate;

use crate::llm::presets::{COHERE, GEMINI, OPENAI};

/// What becomes of a model on its last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Requests for it fail.
    Off,
    /// Requests for it are answered by another one.
    Rerouted,
}

/// A model that goes.
struct Retired {
    /// Its name, or with a `*` at its end what the names of several begin with.
    model: &'static str,
    /// Year, month and day.
    on: (i32, u32, u32),
    end: End,
    replacement: &'static str,
}

const fn off(model: &'static str, on: (i32, u32, u32), replacement: &'static str) -> Retired {
    Retired { model, on, end: End::Off, replacement }
}

const fn rerouted(model: &'static str, on: (i32, u32, u32), replacement: &'static str) -> Retired {
    Retired { model, on, end: End::Rerouted, replacement }
}

/// Those whose day was announced by their providers.
const RETIRED: [Retired; 22] = [
    off("text-embedding-004", (2026, 1, 14), "gemini-embedding-001"),
    off("embedding-001", (2025, 10, 30), "gemini-embedding-001"),
    off("embedding-gecko-001", (2025, 10, 30), "gemini-embedding-001"),
    off("gemini-embedding-exp*", (2025, 10, 30), "gemini-embedding-001"),
    off("text-similarity-*", (2024, 1, 4), "text-embedding-3-small"),
    off("text-search-*", (2024, 1, 4), "text-embedding-3-small"),
    off("code-search-*", (2024, 1, 4), "text-embedding-3-small"),
    off("embed-english-v2.0", (2026, 4, 4), "embed-v4.0"),
    off("embed-english-light-v2.0", (2026, 4, 4), "embed-v4.0"),
    off("embed-multilingual-v2.0", (2026, 4, 4), "embed-v4.0"),
    off("gemini-1.5-*", (2025, 9, 24), GEMINI.model),
    off("gemini-2.0-flash*", (2026, 6, 1), GEMINI.model),
    rerouted("gemini-2.5-flash", (2026, 12, 1), "gemini-3.5-flash-lite"),
    rerouted("gemini-2.5-pro", (2026, 12, 1), "gemini-3.8-flash"),
    off("c4ai-aya-expanse-8b", (2026, 4, 4), COHERE.model),
    off("c4ai-aya-vision-8b", (2026, 4, 4), COHERE.model),
    off("text-davinci-*", (2024, 1, 4), OPENAI.model),
    off("gpt-4-vision-preview", (2024, 12, 6), OPENAI.model),
    off("gpt-4-32k*", (2025, 6, 6), OPENAI.model),
    off("gpt-4.5-preview*", (2025, 7, 14), OPENAI.model),
    off("o1-preview*", (2025, 7, 28), OPENAI.model),
    off("o1-mini*", (2025, 10, 27), OPENAI.model),
];

/// What an operator should know of a model by this name, as a sentence; `None` of most.
pub fn notice(model: &str, today: NaiveDate) -> Option<String> {
    let name = model.trim().trim_start_matches("models/");
    let retired = RETIRED.iter().find(|retired| match retired.model.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == retired.model,
    })?;
    let (year, month, day) = retired.on;
    let on = NaiveDate::from_ymd_opt(year, month, day)?;
    let replacement = retired.replacement;
    let fate = match (retired.end, on <= today) {
        (End::Off, true) => format!("was switched off on {on}"),
        (End::Off, false) => format!("will be switched off on {on}"),
        (End::Rerouted, true) => format!("has been answered by `{replacement}` since {on}"),
        (End::Rerouted, false) => format!("will be answered by `{replacement}` from {on} on"),
    };
    Some(format!("the model `{name}` {fate}; set `{replacement}`, or another that its provider still has"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, today: (i32, u32, u32), expected: &str) {
        let today = NaiveDate::from_ymd_opt(today.0, today.1, today.2).unwrap();
        assert_eq!(notice(model, today).unwrap_or_default(), expected);
    }

    #[test]
    fn a_model_is_gone_from_its_last_day_on() {
        let rest = "; set `gemini-embedding-001`, or another that its provider still has";
        let before = format!("the model `text-embedding-004` will be switched off on 2026-01-14{rest}");
        let after = format!("the model `text-embedding-004` was switched off on 2026-01-14{rest}");
        check("text-embedding-004", (2026, 1, 13), &before);
        check("models/text-embedding-004", (2026, 1, 14), &after);
        check("text-embedding-3-small", (2030, 1, 1), "");
        check("gemini-embedding-001", (2030, 1, 1), "");
    }

    #[test]
    fn names_that_begin_alike_are_not_alike() {
        let gone = |model| notice(model, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()).is_some();
        assert!(gone("gemini-2.0-flash-lite-001") && gone("text-search-ada-doc-001") && gone("gemini-2.5-flash"));
        assert!(!gone("gemini-2.5-flash-lite") && !gone("o1") && !gone("gpt-4") && !gone("embed-v4.0"));
    }

    #[test]
    fn every_date_is_one_and_no_replacement_is_gone() {
        for retired in RETIRED {
            let (year, month, day) = retired.on;
            let on = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert!(notice(&retired.model.replace('*', "x"), on).is_some(), "{}", retired.model);
            assert!(notice(retired.replacement, on).is_none(), "{}", retired.replacement);
        }
    }

    #[test]
    fn no_model_that_is_the_default_of_anybody_is_gone() {
        for preset in crate::llm::presets::PRESETS {
            assert!(RETIRED.iter().all(|retired| retired.model != preset.model), "{}", preset.model);
        }
    }
}
