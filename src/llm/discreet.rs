//! What a provider says of a request may repeat the request. Errors are logged, so what they repeat is taken out first.

use std::collections::HashSet;

use super::{LlmError, Message, Prompt};

/// So many words in a row are a repetition; fewer are how people talk.
const RUN_WORDS: usize = 3;
/// A word of so many characters is a name or a key rather than a word.
const TELLING_CHARS: usize = 16;
/// A name of a reason has no more bytes.
const NAME_BYTES: usize = 64;
/// How a sentence begins that names the reason for which a model stopped.
pub(super) const STOPPED: &str = "it stopped for the reason ";
/// Stands in the place of words that are not repeated.
const LEFT_OUT: &str = "…";

impl LlmError {
    /// The same, with what it repeats of these texts left out.
    pub(crate) fn without<'a>(self, said: impl IntoIterator<Item = &'a str>) -> Self {
        self.with_words(|words| without(&words, said))
    }

    /// The same, with what it repeats of this prompt left out.
    pub(super) fn without_prompt(self, prompt: &Prompt) -> Self {
        let texts = prompt.messages.iter().flat_map(|message| match message {
            // The task is ours.
            Message::System(_) => Vec::new(),
            Message::User { text, material, .. } => std::iter::once(text).chain(material).map(String::as_str).collect(),
            Message::Assistant { text, .. } => vec![text.as_str()],
            Message::Tool { output, .. } => vec![output.as_str()],
        });
        self.without(texts)
    }

    /// The same without any words of the provider: for errors in the middle of an answer, when the prompt is gone. The
    /// reason for which a model stopped is a name, and stays.
    pub(super) fn without_words(self) -> Self {
        self.with_words(|words| match words.strip_prefix(STOPPED) {
            Some(reason) if is_name(reason) => words,
            _ => "what its provider says is left out".to_owned(),
        })
    }

    fn with_words(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::NoModel(words) => Self::NoModel(change(words)),
            Self::Refused(words) => Self::Refused(change(words)),
            Self::Filtered(words) => Self::Filtered(change(words)),
            other @ (Self::Busy { .. }
            | Self::QuotaExhausted { .. }
            | Self::NoQuota
            | Self::Unauthorized
            | Self::ProviderFailed(_)
            | Self::Unreachable(_)
            | Self::Silent(_)
            | Self::Cut
            | Self::Garbled(_)
            | Self::Nothing
            | Self::Resting(_)) => other,
        }
    }
}

/// `words` without runs of words, and without single telling ones, that stand in `said` as well.
fn without<'a>(words: &str, said: impl IntoIterator<Item = &'a str>) -> String {
    let (mut runs, mut telling) = (HashSet::new(), HashSet::new());
    for text in said {
        let text: Vec<String> = plain(text).collect();
        telling.extend(text.iter().filter(|word| is_telling(word)).cloned());
        // A text of two words is repeated by two.
        runs.extend(text.windows(RUN_WORDS.min(text.len()).max(1)).map(<[String]>::to_vec));
    }
    let spelt: Vec<&str> = words.split_whitespace().collect();
    // A comma by itself is no word.
    let places: Vec<usize> = (0..spelt.len()).filter(|at| !bare(spelt[*at]).is_empty()).collect();
    let plain: Vec<String> = places.iter().map(|at| bare(spelt[*at])).collect();
    let mut hidden = vec![false; spelt.len()];
    for (at, word) in places.iter().zip(&plain) {
        hidden[*at] = telling.contains(word);
    }
    for length in 1..=RUN_WORDS {
        for (at, run) in plain.windows(length).enumerate() {
            if runs.contains(run) {
                hidden[places[at]..=places[at + length - 1]].fill(true);
            }
        }
    }
    let mut kept: Vec<&str> = spelt.iter().zip(hidden).map(|(word, hide)| if hide { LEFT_OUT } else { word }).collect();
    kept.dedup_by(|next, before| *next == LEFT_OUT && *before == LEFT_OUT);
    kept.join(" ")
}

/// The words of a text as they are compared.
fn plain(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(bare).filter(|word| !word.is_empty())
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Whether this is what a program calls something, or two of that.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | ' ' | '`' | '.');
    text.len() <= NAME_BYTES && text.split(' ').count() <= 2 && text.chars().all(fits)
}

fn is_telling(word: &str) -> bool {
    word.chars().count() >= TELLING_CHARS || word.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_repeats_of_a_request_is_left_out_and_what_it_says_itself_stays() {
        for (words, said, kept) in [
            (
                "cannot take: \"My secret hobby is knitting!\" at all",
                "my secret hobby is knitting",
                "cannot take: … at all",
            ),
            ("the field `temperature` is not known", "is it warm?", "the field `temperature` is not known"),
            ("refused: ada@example.org is odd", "Write to ada@example.org, please.", "refused: … is odd"),
            ("refused: Hello", "hello", "refused: …"),
            ("the model `x` does not exist", "Does the moon exist?", "the model `x` does not exist"),
            ("refused: my , secret hobby , see", "my secret hobby , really", "refused: … , see"),
            ("", "a b c", ""),
            ("no", "", "no"),
        ] {
            assert_eq!(without(words, [said]), kept);
        }
    }

    #[test]
    fn all_of_a_prompt_but_the_task_is_left_out_of_an_error() {
        let said = "a b c d".to_owned();
        let call_id = String::new();
        for message in [
            Message::user(said.clone()),
            Message::User { text: String::new(), material: vec![said.clone()], images: Vec::new() },
            Message::Assistant { text: said.clone(), tool_calls: Vec::new() },
            Message::Tool { name: call_id.clone(), call_id, output: said.clone() },
        ] {
            let prompt = Prompt { messages: vec![message], ..Prompt::default() };
            for error in [LlmError::Refused, LlmError::NoModel, LlmError::Filtered] {
                let told = error(format!("x {said}")).without_prompt(&prompt).to_string();
                assert!(told.ends_with("x …"), "{told}");
            }
        }
        let prompt = Prompt { messages: vec![Message::System(said.clone())], ..Prompt::default() };
        assert!(LlmError::Refused(said).without_prompt(&prompt).to_string().ends_with("a b c d"));
        for words in ["a b c", "it stopped for the reason `Ada likes to knit`"] {
            assert!(!LlmError::Refused(words.to_owned()).without_words().to_string().contains(words));
        }
        let named = LlmError::Filtered("it stopped for the reason `content_filter: SAFETY`".to_owned());
        assert!(named.without_words().to_string().contains("content_filter: SAFETY"));
    }
}
