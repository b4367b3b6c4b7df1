//! Effects outside the store (a file, the warehouse): announced in the audit log before, and settled with how they ended.

use crate::{App, Result};
use security::{Allow, Permission};
use std::sync::atomic::{AtomicBool, Ordering};
use store::Act;
use store::effects::Outcome;

/// How far an effect of several steps has come.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicBool);

impl Progress {
    /// Says that a part is done: whatever fails from here on does not take it back.
    pub(crate) fn part_is_done(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl App {
    /// Announces `act`, does it, and writes down how it ended.
    pub(crate) async fn effect<P: Permission, T>(
        &self,
        allow: &Allow<P>,
        act: Act,
        work: impl AsyncFnOnce(&Progress) -> Result<T>,
    ) -> Result<T> {
        let effect = self.store.begin_effect(allow, act).await?;
        domain::fault::point("effect.announced");
        let progress = Progress::default();
        let worked = work(&progress).await;
        let outcome = match &worked {
            Ok(_) => Outcome::Done,
            Err(_) if progress.0.load(Ordering::SeqCst) => Outcome::Partly,
            Err(_) => Outcome::Failed,
        };
        self.store.finish_effect(allow, effect, outcome).await?;
        worked
    }
}
