//! Visitors who sign in: what they wrote becomes the user's, asked of the store once and then remembered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::{Authenticator, Credentials};
use crate::clock::Clock;
use crate::identity::{Identity, OwnerId};
use crate::store::ThreadStore;

/// Visitors of whom it is remembered that they were adopted: pages go on showing their tokens for a while.
const ADOPTED_REMEMBERED_MAX: u64 = 100_000;
/// And for so long after the last of them was shown.
const ADOPTED_REMEMBERED_FOR: Duration = Duration::from_secs(60 * 60);

/// Gives users what they wrote as visitors. Cheap to clone.
#[derive(Clone)]
pub struct Adoptions {
    store: Arc<dyn ThreadStore>,
    clock: Clock,
    done: Cache<OwnerId, ()>,
}

impl fmt::Debug for Adoptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adoptions").finish_non_exhaustive()
    }
}

impl Adoptions {
    /// Asks this store.
    pub fn new(store: Arc<dyn ThreadStore>, clock: Clock) -> Self {
        let done = Cache::builder().max_capacity(ADOPTED_REMEMBERED_MAX).time_to_idle(ADOPTED_REMEMBERED_FOR).build();
        Self { store, clock, done }
    }

    /// Whether nothing is left to adopt of the visitor. A failure does not concern the reader, who has come for
    /// something else: it is logged, and the next request tries again.
    async fn adopt(&self, visitor: &OwnerId, user: &OwnerId) -> bool {
        if self.done.get(visitor).is_some() {
            return true;
        }
        match self.store.adopt(visitor, user, self.clock.now()).await {
            Ok(Some(threads)) => tracing::info!(threads, "A visitor signed in and took their conversations along"),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Could not give a user what they wrote as a visitor; the next request tries again"
                );
                return false;
            }
        }
        self.done.insert(visitor.clone(), ());
        true
    }
}

impl Authenticator {
    /// The same, where visitors who sign in take along what they wrote.
    #[must_use]
    pub fn adopting(self, adoptions: Option<Adoptions>) -> Self {
        Self { adoptions, ..self }
    }

    /// Gives a user what is a visitor's, if that is done here and has not been done before; after that, nothing of the
    /// visitor is left. Whether it is so: then the visitor's token is better forgotten.
    pub async fn adopt(&self, visitor: &Identity, user: &Identity) -> bool {
        match (&self.adoptions, visitor, user) {
            (Some(adoptions), Identity::Visitor { id: visitor }, Identity::User { id: user }) => {
                adoptions.adopt(visitor, user).await
            }
            _ => false,
        }
    }

    /// The same for the visitor whose token somebody shows who was found to be a user; a token that is wrong is let pass.
    pub async fn adopt_shown(&self, shown: &Credentials<'_>, user: &Identity) -> bool {
        let Some(token) = shown.visitor.filter(|_| matches!(user, Identity::User { .. })) else { return false };
        match self.visitors.identify(token) {
            Ok(visitor) => self.adopt(&visitor, user).await,
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::auth::visitor::Visitors;
    use crate::identity::Ids;
    use crate::store::sqlite::SqliteStore;

    async fn authenticator(folder: &tempfile::TempDir) -> (Authenticator, SqliteStore) {
        let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
        let visitors = Visitors::new([SecretString::from("a secret")], Clock::system());
        let adoptions = Adoptions::new(Arc::new(store.clone()), Clock::system());
        (Authenticator::new(visitors).adopting(Some(adoptions)), store)
    }

    #[tokio::test]
    async fn an_adoption_that_failed_is_tried_again_and_one_that_did_not_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let (auth, store) = authenticator(&folder).await;
        let token = auth.visitors().token(&Ids::random());
        let shown = Credentials { visitor: Some(token.expose_secret()), ..Credentials::default() };
        let user = Identity::User { id: OwnerId::user("ada") };
        assert!(!auth.adopt_shown(&shown, &user).await, "there are no tables yet");
        store.migrate().await.unwrap();
        assert!(auth.adopt_shown(&shown, &user).await);
        store.close().await;
        assert!(auth.adopt_shown(&shown, &user).await, "the store is not asked again");
    }

    #[tokio::test]
    async fn only_users_adopt_and_only_visitors_that_are_real() {
        let folder = tempfile::tempdir().unwrap();
        let (auth, store) = authenticator(&folder).await;
        store.migrate().await.unwrap();
        let token = auth.visitors().token(&Ids::random());
        let shown = Credentials { visitor: Some(token.expose_secret()), ..Credentials::default() };
        let user = Identity::User { id: OwnerId::user("ada") };
        let visitor = auth.visitors().identify(token.expose_secret()).unwrap();
        assert!(!auth.adopt_shown(&shown, &Identity::Stranger).await && !auth.adopt_shown(&shown, &visitor).await);
        let forged = Credentials { visitor: Some("v1.visitor_1.00"), ..Credentials::default() };
        assert!(!auth.adopt_shown(&forged, &user).await && !auth.adopt_shown(&Credentials::default(), &user).await);
        let off = Authenticator::new(Visitors::new([SecretString::from("a secret")], Clock::system()));
        assert!(!off.adopt_shown(&shown, &user).await);
        assert!(auth.adopt(&visitor, &user).await);
    }
}
