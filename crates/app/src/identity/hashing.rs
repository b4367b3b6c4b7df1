//! Hashing passwords beside everything else: off the threads that serve requests, a few at a time. Each takes 64 MiB and a
//! fifth of a second of a core, so who waits in line is limited too.

use crate::{Error, Result};
use domain::Code;
use security::Entropy;
use security::passwords::{self, Password, PasswordHash, Verdict};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// Hashes at the same time: more than there are cores would only take memory.
const AT_ONCE_MAX: usize = 4;
/// Sign-ins that wait for their turn; more are asked to come back.
const WAITING_MAX: usize = 64;

/// With what the hashes of a project are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    One,
    /// Some are still getdango's.
    Both,
}

/// Computes password hashes, a few at a time.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    entropy: Arc<dyn Entropy>,
    /// Comparisons so far.
    verified: Arc<AtomicU64>,
}

impl Hasher {
    /// Returns a hasher that takes its salts from `entropy`.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = cores.min(AT_ONCE_MAX);
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + WAITING_MAX)),
            entropy,
            verified: Arc::default(),
        }
    }

    /// Hashes a password.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let entropy = Arc::clone(&self.entropy);
        self.run(move || passwords::hash(&password, &*entropy))
            .await?
            .map_err(|error| Error::bug("a password could not be hashed").caused_by(error))
    }

    /// Compares a password with a hash; without one it takes the same time and is wrong.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict> {
        self.compare(password, hash, Kinds::One).await
    }

    /// Compares a password with a hash, taking the same time whatever it is made with: with `kinds` of both, whether an
    /// address has one of getdango's would show in how long the answer takes.
    pub(super) async fn compare(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        kinds: Kinds,
    ) -> Result<Verdict> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        self.run(move || {
            let nobodys = hash.is_none();
            let hash = hash.unwrap_or_else(PasswordHash::of_nobody);
            if kinds == Kinds::Both {
                let other = if hash.is_bcrypt() {
                    PasswordHash::of_nobody()
                } else {
                    PasswordHash::of_nobody_at_getdango()
                };
                passwords::verify(&password, &other);
            }
            match passwords::verify(&password, &hash) {
                _ if nobodys => Verdict::Wrong,
                verdict => verdict,
            }
        })
        .await
    }

    /// Returns how many passwords were compared: each costs a fifth of a second of a core.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let closed = || Error::bug("passwords are no longer hashed");
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Error::unavailable(
                Code::Busy,
                "too many people are signing in at this moment",
            )
            .hint("try again in a few seconds"));
        };
        // Held by the work itself: whoever gives up waiting does not make room for another hash beside this one.
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        tokio::task::spawn_blocking(move || {
            let worked = work();
            drop(turn);
            worked
        })
        .await
        .map_err(|error| closed().caused_by(error))
    }
}
