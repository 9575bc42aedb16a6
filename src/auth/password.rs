//! Passwords: hashed with Argon2id, a few at once, and never on a thread that serves requests.
//!
//! A hash of bcrypt, as earlier back ends made them, is verified as those did, and gives way to one of Argon2id at the
//! next sign-in; so does one of Argon2id with weaker parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// Memory of one hash, in KiB: with the two below, what OWASP recommends where memory is short.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Threads of one hash.
const LANES: u32 = 1;
/// A password has at least so many characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// A password may have so many bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Hashes that are computed at once: each takes a core, and 19 MiB.
const HASHES_TOGETHER_MAX: usize = 2;
/// Hashes that wait for their turn; who comes beyond is told to come again.
const HASHES_WAITING_MAX: usize = 32;
/// A hash of somebody else's, beyond these parameters, is not computed: memory in KiB, and passes.
const FOREIGN_MEMORY_KIB_MAX: u32 = 256 * 1024;
const FOREIGN_PASSES_MAX: u32 = 16;
/// The same for bcrypt: two to the power of so many rounds.
const FOREIGN_BCRYPT_COST_MAX: u32 = 15;

/// Too many passwords are being looked at.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins at once")]
pub struct Busy;

/// What came of looking at a password.
#[derive(Debug)]
pub enum Verdict {
    /// It is the right one.
    Right {
        /// A better hash of it, where the one that is kept is weaker than those made now.
        rehashed: Option<SecretString>,
    },
    /// It is not.
    Wrong,
}

/// Hashes passwords and verifies them. Cheap to clone; all clones together keep within the limits.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    computed: Arc<AtomicU64>,
    /// Verified when there is nothing to verify against, so that it takes as long.
    nobody: Arc<str>,
}

impl Default for Passwords {
    fn default() -> Self {
        // Nobody's: no password has a hash of zeros.
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        let nobody = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}");
        Self {
            places: Arc::new(Semaphore::new(HASHES_TOGETHER_MAX)),
            waiting: Arc::default(),
            computed: Arc::default(),
            nobody: nobody.into(),
        }
    }
}

impl Passwords {
    /// A hash of the password, with a salt of its own.
    ///
    /// # Errors
    /// Too many are being looked at.
    pub async fn hash(&self, password: &SecretString) -> Result<SecretString, Busy> {
        let password = password.clone();
        self.compute(move |count| hash(&password, count)).await
    }

    /// Whether the password is the one that was hashed. Without a hash it is wrong, after the same work.
    ///
    /// # Errors
    /// As for [`Passwords::hash`].
    pub async fn verify(&self, password: &SecretString, kept: Option<&SecretString>) -> Result<Verdict, Busy> {
        let (password, nobody) = (password.clone(), self.nobody.clone());
        let kept = kept.map_or_else(|| SecretString::from(nobody.to_string()), SecretString::clone);
        self.compute(move |count| verify(&password, kept.expose_secret(), &nobody, count)).await
    }

    /// Hashes that were computed since the start.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce(&AtomicU64) -> T + Send + 'static) -> Result<T, Busy> {
        let place = {
            let _waiting = Waiting::of(&self.waiting)?;
            self.places.clone().acquire_owned().await.expect("the places are never closed")
        };
        let computed = Arc::clone(&self.computed);
        let done = tokio::task::spawn_blocking(move || {
            // A caller who goes away leaves the work behind, and the place is taken until it is done.
            let _place = place;
            work(&computed)
        });
        Ok(done.await.expect("hashing does not panic, and is not aborted"))
    }
}

/// Somebody who waits, as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicUsize) -> Result<Self, Busy> {
        let waiting = Self(count);
        match count.fetch_add(1, Ordering::SeqCst) {
            before if before < HASHES_WAITING_MAX => Ok(waiting),
            _ => Err(Busy),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The length of a password, in characters as they are compared.
pub fn chars(password: &str) -> usize {
    password.nfkc().count()
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The same characters however a keyboard composes them.
fn composed(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfkc().collect::<String>())
}

fn hash(password: &SecretString, count: &AtomicU64) -> SecretString {
    count.fetch_add(1, Ordering::Relaxed);
    let hashed = argon2().hash_password(composed(password).expose_secret().as_bytes());
    let hashed = hashed.expect("the system has random numbers, and a password is short");
    SecretString::from(hashed.to_string())
}

fn verify(password: &SecretString, kept: &str, nobody: &str, count: &AtomicU64) -> Verdict {
    count.fetch_add(1, Ordering::Relaxed);
    let (is_right, is_strong) = match Kept::read(kept) {
        Kept::Argon2 { hash, is_strong } => (matches(password, &hash), is_strong),
        // As earlier back ends did: the bytes as they came, cut after the 72nd.
        Kept::Bcrypt => (bcrypt::verify(password.expose_secret().as_bytes(), kept).unwrap_or(false), false),
        Kept::Unknown => {
            let nobody = PasswordHash::new(nobody).expect("nobody's hash is well-formed");
            // For the time it takes: nothing is right.
            matches(password, &nobody);
            (false, false)
        }
    };
    match (is_right, is_strong) {
        (false, _) => Verdict::Wrong,
        (true, true) => Verdict::Right { rehashed: None },
        (true, false) => Verdict::Right { rehashed: Some(hash(password, count)) },
    }
}

fn matches(password: &SecretString, hash: &PasswordHash) -> bool {
    argon2().verify_password(composed(password).expose_secret().as_bytes(), hash).is_ok()
}

/// A hash as it is kept.
enum Kept {
    Argon2 {
        hash: Box<PasswordHash>,
        /// Whether one made now would be no stronger.
        is_strong: bool,
    },
    Bcrypt,
    /// Of a kind that is not computed here, or that would take too long.
    Unknown,
}

impl Kept {
    fn read(kept: &str) -> Self {
        if let Some(rest) = ["$2a$", "$2b$", "$2y$"].iter().find_map(|kind| kept.strip_prefix(kind)) {
            let cost = rest.split('$').next().and_then(|cost| cost.parse::<u32>().ok());
            return if cost.is_some_and(|cost| cost <= FOREIGN_BCRYPT_COST_MAX) { Self::Bcrypt } else { Self::Unknown };
        }
        let Ok(hash) = PasswordHash::new(kept) else { return Self::Unknown };
        let Ok(params) = Params::try_from(&hash) else { return Self::Unknown };
        if params.m_cost() > FOREIGN_MEMORY_KIB_MAX || params.t_cost() > FOREIGN_PASSES_MAX {
            return Self::Unknown;
        }
        let is_strong =
            hash.algorithm.as_str() == "argon2id" && params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES;
        Self::Argon2 { hash: Box::new(hash), is_strong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    async fn rehashed(passwords: &Passwords, password: &str, kept: &str) -> Option<Option<SecretString>> {
        match passwords.verify(&secret(password), Some(&secret(kept))).await.unwrap() {
            Verdict::Right { rehashed } => Some(rehashed),
            Verdict::Wrong => None,
        }
    }

    #[tokio::test]
    async fn a_password_is_right_and_another_is_not_and_no_two_hashes_are_alike() {
        let passwords = Passwords::default();
        let kept = passwords.hash(&secret("correct horse")).await.unwrap();
        assert!(kept.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.expose_secret());
        assert!(matches!(rehashed(&passwords, "correct horse", kept.expose_secret()).await, Some(None)));
        assert!(rehashed(&passwords, "correct horsf", kept.expose_secret()).await.is_none());
        let again = passwords.hash(&secret("correct horse")).await.unwrap();
        assert_ne!(again.expose_secret(), kept.expose_secret());
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_a_keyboard_composes_its_characters() {
        let passwords = Passwords::default();
        let kept = passwords.hash(&secret("u\u{308}ber-ﬁne")).await.unwrap();
        assert!(rehashed(&passwords, "über-fine", kept.expose_secret()).await.is_some());
    }

    #[tokio::test]
    async fn a_hash_of_bcrypt_is_verified_with_its_cut_and_gives_way_to_a_better_one() {
        let passwords = Passwords::default();
        let long = "x".repeat(72);
        let kept = bcrypt::hash_with_result(&long, 4).unwrap();
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let kept = kept.format_for_version(version);
            let better = rehashed(&passwords, &format!("{long} and more"), &kept).await.expect("the cut is kept");
            let better = better.expect("bcrypt gives way");
            // From then on all of the password counts.
            assert!(rehashed(&passwords, &format!("{long} and more"), better.expose_secret()).await.is_some());
            assert!(rehashed(&passwords, &long, better.expose_secret()).await.is_none());
            assert!(rehashed(&passwords, "another", &kept).await.is_none());
        }
    }

    #[tokio::test]
    async fn a_weaker_hash_gives_way_and_a_hash_of_no_kind_is_never_right() {
        let passwords = Passwords::default();
        let weak = Argon2::new(Algorithm::Argon2i, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let weak = weak.hash_password(b"correct horse").unwrap().to_string();
        assert!(matches!(rehashed(&passwords, "correct horse", &weak).await, Some(Some(_))));
        let endless = weak.replace("m=8,t=1", "m=4194304,t=4096");
        for odd in ["", "correct horse", "$2b$31$", "$2b$é", "$argon2id$", "$1$salt$hash", &endless, &passwords.nobody]
        {
            assert!(rehashed(&passwords, "correct horse", odd).await.is_none(), "{odd}");
            assert!(rehashed(&passwords, "", odd).await.is_none(), "{odd}");
        }
    }

    #[tokio::test]
    async fn nobody_takes_as_much_work_as_somebody() {
        let passwords = Passwords::default();
        let kept = passwords.hash(&secret("correct horse")).await.unwrap();
        let mut works = Vec::new();
        for kept in [Some(&kept), None, Some(&secret("of no kind"))] {
            let before = passwords.computed();
            assert!(matches!(passwords.verify(&secret("wrong horse"), kept).await, Ok(Verdict::Wrong)));
            works.push(passwords.computed() - before);
        }
        assert_eq!(works, [1, 1, 1]);
        // And it is the same work: the parameters of nobody's hash are those of one made now.
        let params = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(params(&passwords.nobody), params(kept.expose_secret()));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_comes_when_too_many_wait_is_told_so_and_the_others_have_their_turn() {
        let passwords = Passwords::default();
        let held = passwords.places.clone().acquire_many_owned(HASHES_TOGETHER_MAX as u32).await.unwrap();
        let password = secret("correct horse");
        let mut waiting: Vec<_> = (0..HASHES_WAITING_MAX).map(|_| Box::pin(passwords.hash(&password))).collect();
        for one in &mut waiting {
            assert!(futures_util::poll!(one.as_mut()).is_pending());
        }
        assert!(matches!(passwords.hash(&password).await, Err(Busy)));
        // Who goes away makes room.
        drop(waiting.split_off(2));
        drop(held);
        for one in waiting {
            assert!(one.await.is_ok());
        }
        assert_eq!((passwords.waiting.load(Ordering::SeqCst), passwords.computed()), (0, 2));
    }
}
