//! The desk where profiles are kept, and looked at by whoever speaks to a reader.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatkit_protocol::Timestamp;
use moka::sync::Cache;
use tokio::time::timeout;

use super::{Profile, ProfileWish};
use crate::clock::Clock;
use crate::identity::{Identity, OwnerId};
use crate::language::Language;
use crate::store::profiles::StoredProfile;
use crate::store::{AccountStore, ProfileStore, StoreError};

/// Readers of whom it is remembered what is known of them.
const READERS_REMEMBERED_MAX: u64 = 20_000;
/// And for how long: so soon a profile that was changed on another instance is known here.
pub const PROFILES_REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// Somebody who came for something else waits so long for their profile.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(2);

/// Why a profile was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The reader has one.
    #[error("there is a profile already")]
    Exists,
    /// The reader has none.
    #[error("there is no profile")]
    Missing,
    /// Profiles cannot be reached.
    #[error("the profiles cannot be reached")]
    Store(#[from] StoreError),
}

/// A profile with its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProfile {
    /// What it says.
    pub profile: Profile,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<StoredProfile> for KeptProfile {
    fn from(stored: StoredProfile) -> Self {
        let StoredProfile { texts, created_at, updated_at } = stored;
        Self { profile: Profile::of(&texts), created_at, updated_at }
    }
}

/// Keeps profiles. Cheap to clone; clones remember together.
#[derive(Clone)]
pub struct Profiles {
    store: Arc<dyn ProfileStore>,
    /// Has what readers with an account here told at sign-up.
    accounts: Arc<dyn AccountStore>,
    clock: Clock,
    known: Cache<OwnerId, Option<Arc<Profile>>>,
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiles").finish_non_exhaustive()
    }
}

impl Profiles {
    /// Keeps them in this store; who has none is known by what they told when they signed up.
    pub fn new(store: Arc<dyn ProfileStore>, accounts: Arc<dyn AccountStore>, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(READERS_REMEMBERED_MAX).time_to_live(PROFILES_REMEMBERED_FOR).build();
        Self { store, accounts, clock, known }
    }

    /// A reader's profile as it is now.
    ///
    /// # Errors
    /// [`ProfileError::Missing`], or the store.
    pub async fn profile(&self, owner: &OwnerId) -> Result<KeptProfile, ProfileError> {
        Ok(self.store.profile(owner).await?.ok_or(ProfileError::Missing)?.into())
    }

    /// Makes a reader's profile.
    ///
    /// # Errors
    /// [`ProfileError::Exists`], or the store.
    pub async fn create(&self, owner: &OwnerId, wish: &ProfileWish) -> Result<KeptProfile, ProfileError> {
        let stored = self.store.create_profile(owner, wish.change(), self.clock.now()).await?;
        Ok(self.kept(owner, stored.ok_or(ProfileError::Exists)?))
    }

    /// Changes what the wish names.
    ///
    /// # Errors
    /// [`ProfileError::Missing`], or the store.
    pub async fn change(&self, owner: &OwnerId, wish: &ProfileWish) -> Result<KeptProfile, ProfileError> {
        let stored = self.store.change_profile(owner, wish.change(), self.clock.now()).await?;
        Ok(self.kept(owner, stored.ok_or(ProfileError::Missing)?))
    }

    /// What was stored just now is known from now on.
    fn kept(&self, owner: &OwnerId, stored: StoredProfile) -> KeptProfile {
        let kept = KeptProfile::from(stored);
        self.known.insert(owner.clone(), Some(Arc::new(kept.profile.clone())));
        kept
    }

    /// What is known of a user, at most [`PROFILES_REMEMBERED_FOR`] old: their profile, or else what they told when they
    /// signed up. Nothing of visitors and strangers, for whom nobody is asked.
    ///
    /// # Errors
    /// The store.
    pub async fn known(&self, who: &Identity) -> Result<Option<Arc<Profile>>, StoreError> {
        let Identity::User { id: owner } = who else { return Ok(None) };
        if let Some(known) = self.known.get(owner) {
            return Ok(known);
        }
        let found = self.look_up(owner).await?;
        // A change that came meanwhile is newer than what was found.
        Ok(self.known.entry_by_ref(owner).or_insert(found).into_value())
    }

    async fn look_up(&self, owner: &OwnerId) -> Result<Option<Arc<Profile>>, StoreError> {
        if let Some(stored) = self.store.profile(owner).await? {
            return Ok(Some(Arc::new(Profile::of(&stored.texts))));
        }
        let Some(account_id) = owner.account_id() else { return Ok(None) };
        let account = self.accounts.account(account_id).await?;
        Ok(account.and_then(|account| Profile::of_questionnaire(&account.background)).map(Arc::new))
    }

    /// The same for somebody who came for something else: a store that is away costs them what is known of them, and a
    /// moment, and nothing more.
    pub async fn reader(&self, who: &Identity) -> Option<Arc<Profile>> {
        let away = match timeout(LOOKUP_TIME_MAX, self.known(who)).await {
            Ok(Ok(known)) => return known,
            Ok(Err(error)) => error,
            Err(_) => StoreError::Slow(LOOKUP_TIME_MAX),
        };
        let error: &dyn std::error::Error = &away;
        tracing::warn!(error, "A reader's profile cannot be looked at; they are served as if they had none");
        None
    }

    /// The language in which a user wants to be spoken to, if they say one that there is.
    pub async fn language(&self, who: &Identity) -> Option<Language> {
        Language::of_tag(self.reader(who).await?.preferred_language.as_deref()?)
    }
}
