//! Rows of profiles: what a reader says of themselves, member by member, each as a short text.
//!
//! - **A reader has one profile or none**, under the key that `key_of` makes of an owner: for users of the first issuer
//!   of tokens their subject, as an earlier back end has it, which may go on reading and writing the same rows.
//! - **A change changes the members that it names** and no other, in one statement: of two changes at once to different
//!   members both are kept.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::identity::OwnerId;

/// What a profile says. Texts that an earlier back end left need not be among those that are written today.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct ProfileTexts {
    /// How old the reader is.
    pub age_range: Option<String>,
    /// What they have learned so far.
    pub education_level: Option<String>,
    /// How much they know of technical things.
    pub tech_background: Option<String>,
    /// What they care for.
    pub focus_area: Option<String>,
    /// What they learn for.
    pub primary_goal: Option<String>,
    /// How they like to learn.
    pub learning_mode: Option<String>,
    /// How fast.
    pub learning_speed: Option<String>,
    /// Hours a week: a number or a range.
    pub time_per_week: Option<String>,
    /// The language they read best, as a BCP 47 tag.
    pub preferred_language: Option<String>,
}

/// A profile as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    /// What it says.
    pub texts: ProfileTexts,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// New texts by the names of the members of [`ProfileTexts`]; `None` takes one away, and what is not named stays.
pub type ProfileChange = BTreeMap<&'static str, Option<String>>;

/// Profiles of readers.
#[async_trait]
pub trait ProfileStore: Send + Sync + 'static {
    /// The owner's profile.
    async fn profile(&self, owner: &OwnerId) -> Result<Option<StoredProfile>, StoreError>;

    /// Makes a profile that says this; `None` when there is one, which stays as it is.
    async fn create_profile(
        &self,
        owner: &OwnerId,
        said: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError>;

    /// Changes the owner's profile and gives it as it is then; `None` when there is none.
    async fn change_profile(
        &self,
        owner: &OwnerId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError>;
}

/// A profile as it is selected.
#[derive(sqlx::FromRow)]
pub(super) struct ProfileRow {
    #[sqlx(flatten)]
    texts: ProfileTexts,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

impl ProfileRow {
    /// The profile of a row. One of an earlier back end may not say since when it is there.
    pub(super) fn stored(self) -> StoredProfile {
        let created_at = self.created_at.or(self.updated_at).unwrap_or_default();
        let updated_at = self.updated_at.unwrap_or(created_at);
        StoredProfile {
            texts: self.texts,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        }
    }
}

/// The key of an owner's row. No two owners have the same: a subject that looks like the text of another owner is kept
/// with the prefix of a user.
pub(super) fn key_of(owner: &OwnerId) -> &str {
    let text = owner.as_str();
    match text.strip_prefix("user:") {
        Some(subject) if !is_like_an_owner(subject) => subject,
        _ => text,
    }
}

fn is_like_an_owner(subject: &str) -> bool {
    subject == "stranger"
        || ["user:", "elsewhere:", "account:", "visitor:", "address:"].iter().any(|kind| subject.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_owners_have_the_same_key() {
        let owners = [
            OwnerId::user("ada"),
            OwnerId::account("ada"),
            OwnerId::user("account:ada"),
            OwnerId::user("user:account:ada"),
            OwnerId::user("user:ada"),
            OwnerId::user_elsewhere("https://issuer.example.org", "ada"),
            OwnerId::user("elsewhere:https://issuer.example.org ada"),
            OwnerId::visitor("ada"),
            OwnerId::user("visitor:ada"),
            OwnerId::stranger(),
            OwnerId::user("stranger"),
        ];
        let keys: std::collections::BTreeSet<_> = owners.iter().map(key_of).collect();
        assert_eq!(keys.len(), owners.len(), "{keys:?}");
        assert!(keys.contains("ada"), "the key of an earlier back end");
    }
}
