//! What texts and profiles are known by: SHA-256, in hex.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Task;
use crate::profile::Profile;

/// SHA-256 of a text's bytes: what a page in a browser computes of the same text.
pub fn content_hash(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()))
}

/// SHA-256 of a profile: the same for profiles that say the same.
pub fn profile_hash(profile: &Profile) -> String {
    // The members are written in one order, and those that are not said are left out.
    content_hash(&serde_json::to_string(profile).expect("a profile is made of texts and numbers"))
}

/// What the text that an order makes is known by.
pub(super) fn key_of(task: &Task, text: &str) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: Option<&str>| {
        // Lengths keep parts apart, and one that is missing from an empty one.
        hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        hash.update(text.unwrap_or_default());
    };
    match task {
        Task::Personalize { profile } => {
            part(Some("personalize"));
            part(Some(&profile_hash(profile)));
        }
        Task::Translate { from, to, context } => {
            part(Some("translate"));
            part(from.as_deref());
            part(Some(to));
            part(context.as_deref());
        }
    }
    part(Some(text));
    hex(hash.finalize())
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::profile::FocusArea;

    #[test]
    fn a_text_is_known_by_the_hash_that_a_browser_computes() {
        assert_eq!(content_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn whatever_is_asked_of_a_text_is_part_of_what_it_is_known_by() {
        let translate = |from: Option<&str>, to: &str, context: Option<&str>| Task::Translate {
            from: from.map(str::to_owned),
            to: to.to_owned(),
            context: context.map(str::to_owned),
        };
        let hardware = Profile { focus_area: Some(FocusArea::Hardware), ..Profile::default() };
        let personalize = |profile: Profile| Task::Personalize { profile: Arc::new(profile) };
        let tasks = [
            translate(None, "ur", None),
            translate(Some(""), "ur", None),
            translate(Some("ur"), "", None),
            translate(Some("en"), "ur", None),
            translate(None, "ur", Some("")),
            translate(None, "ur", Some("robots")),
            translate(Some("u"), "r", None),
            personalize(Profile::default()),
            personalize(hardware.clone()),
        ];
        let keys: std::collections::BTreeSet<String> = tasks.iter().map(|task| key_of(task, "text")).collect();
        assert_eq!(keys.len(), tasks.len());
        assert_eq!(key_of(&personalize(hardware.clone()), "text"), key_of(&personalize(hardware), "text"));
        assert_ne!(key_of(&tasks[0], "text"), key_of(&tasks[0], "another text"));
    }
}
