//! Tables of what is read and of the exact bytes that are then printed.

mod events;
mod items;
mod json;
mod requests;
mod threads;

use std::fmt::Debug;

use chatkit_protocol::{ItemKind, ThreadItem};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads `given`, prints it as `printed`, and reads that as the same value.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(given: &str, printed: &str) -> T {
    let value: T = serde_json::from_str(given).unwrap_or_else(|error| panic!("{error}: {given}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), printed);
    assert_eq!(serde_json::from_str::<T>(printed).unwrap(), value);
    value
}

/// The same of one that is printed as it was given.
#[track_caller]
fn check_same<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &str) -> T {
    check(json, json)
}

/// Checks the members that one kind of item has beside those that all have.
#[track_caller]
fn check_item(given: &str, printed: &str) -> ItemKind {
    let whole = |members: &str| {
        format!(r#"{{"id":"i","thread_id":"t","created_at":"2026-01-02T12:00:00Z",{}"#, members.trim_start_matches('{'))
    };
    check::<ThreadItem>(&whole(given), &whole(printed)).kind
}

/// Refuses to read `given` as a `T`, with these words.
#[track_caller]
fn check_refused<T: DeserializeOwned + Debug>(given: &str, words: &str) {
    let error = serde_json::from_str::<T>(given).expect_err(given).to_string();
    assert!(error.contains(words), "{error}");
}
