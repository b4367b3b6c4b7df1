//! What every request asks for is read again only after something was written: until then the answer is the same.

use crate::{App, Result};
use domain::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Keys at once; a team has a handful.
const KEYS_MAX: usize = 1_024;
/// How long an answer is good at most: whoever changes the file by hand is heard, too.
const GOOD_FOR_US: i64 = 1_000_000;

/// The last answers, by what was asked. Only what was found is kept: asking for what is not there fills nothing.
pub(crate) struct Remembered<K, V>(Mutex<HashMap<K, Answer<V>>>);

struct Answer<V> {
    value: V,
    /// How often the store had been written to before it was read.
    writes: u64,
    read_at: Timestamp,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// Returns what `read` returns, or returned when nothing has been written since.
    pub(crate) async fn get(
        &self,
        app: &App,
        key: K,
        read: impl AsyncFnOnce() -> Result<Option<V>>,
    ) -> Result<Option<V>> {
        // Counted before the look: what is written meanwhile makes the answer an old one.
        let Some(writes) = app.store.writes() else {
            return read().await;
        };
        let now = app.clock.now();
        if let Some(value) = self.find(&key, writes, now) {
            return Ok(Some(value));
        }
        let found = read().await?;
        if let Some(value) = &found {
            let answer = Answer {
                value: value.clone(),
                writes,
                read_at: now,
            };
            self.keep(key, answer);
        }
        Ok(found)
    }

    fn find(&self, key: &K, writes: u64, now: Timestamp) -> Option<V> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(key)?;
        let age = now.as_micros().saturating_sub(answer.read_at.as_micros());
        let is_good = answer.writes == writes && (0..GOOD_FOR_US).contains(&age);
        is_good.then(|| answer.value.clone())
    }

    fn keep(&self, key: K, answer: Answer<V>) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= KEYS_MAX {
            answers.clear();
        }
        answers.insert(key, answer);
    }
}
