//! Transactions: the only way to the tables. A transaction is handed out against a witness, repeats when it lost against
//! another one, and commits together with the audit row of what it did.

mod act;
mod link;
mod tx;

pub use act::{Act, DETAILS_BYTES_MAX};
pub use tx::{Mode, Read, Tx, Write};
pub(crate) use tx::{Who, who};

use crate::audit;
use crate::dialect;
use crate::error::StoreError;
use crate::store::Store;
use link::Link;
use sea_orm::{DbBackend, DbErr, TransactionOptions, TransactionTrait};
use security::{Allow, Permission};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a transaction is tried: each try may already have waited for the database's own timeout.
pub(crate) const ATTEMPTS_MAX: u32 = 6;

/// How one try ended.
enum Try<T, E> {
    Done(Result<T, E>),
    /// It lost against another transaction; nothing was written.
    Again,
}

impl Store {
    /// Runs `work` in a transaction that writes, and commits it with the audit row of `act`; when `work` fails nothing is
    /// written. `work` is repeated when it loses against another transaction: it must have no effect but on the database,
    /// must not wait for anything else, and must not open another transaction.
    pub async fn run_tx<P, T, E, F, W>(
        &self,
        allow: &Allow<P>,
        act: impl Into<Act>,
        work: F,
    ) -> Result<T, E>
    where
        P: Permission,
        E: From<StoreError>,
        F: Fn(Tx<P>) -> W,
        W: Future<Output = Result<T, E>>,
    {
        self.write(who(allow), Some(act.into()), work).await
    }

    /// Runs `work` in a transaction that reads one snapshot. It leaves no audit row.
    pub async fn run_read<P, T, E, F, W>(&self, allow: &Allow<P>, work: F) -> Result<T, E>
    where
        P: Permission,
        E: From<StoreError>,
        F: Fn(Tx<P, Read>) -> W,
        W: Future<Output = Result<T, E>>,
    {
        let options = dialect::read_options(self.backend());
        let mut attempt = 1;
        loop {
            let ended = match self.begin::<P, Read>(who(allow), options, ()).await {
                Err(error) => refused(error),
                Ok(tx) => {
                    let worked = work(tx.share()).await;
                    tx.undo().await;
                    if tx.link().has_conflict() {
                        Try::Again
                    } else {
                        Try::Done(worked)
                    }
                }
            };
            match again(ended, attempt).await {
                Some(done) => return done,
                None => attempt += 1,
            }
        }
    }

    /// Runs `work` in a transaction that writes. Without an act no audit row is written: only for signs of life of something
    /// whose beginning and end are audited.
    pub(crate) async fn write<P, T, E, F, W>(
        &self,
        who: Who,
        act: Option<Act>,
        work: F,
    ) -> Result<T, E>
    where
        P: Permission,
        E: From<StoreError>,
        F: Fn(Tx<P>) -> W,
        W: Future<Output = Result<T, E>>,
    {
        let options = dialect::write_options(self.backend());
        let ends_access = act.as_ref().is_some_and(|act| act.event.ends_access());
        let _turn = self.inner.turn.lock().await;
        let mut attempt = 1;
        loop {
            let act = Mutex::new(act.clone());
            let ended = match self.begin::<P, Write>(who.clone(), options, act).await {
                Err(error) => refused(error),
                Ok(tx) => {
                    let worked = work(tx.share()).await;
                    commit(&tx, worked).await
                }
            };
            match again(ended, attempt).await {
                Some(done) => {
                    // Before anybody hears of it; a commit that reports a failure may have happened all the same.
                    self.inner.writes.fetch_add(1, Ordering::Release);
                    if ends_access && done.is_ok() {
                        self.inner.access_ended.send_replace(());
                    }
                    return done;
                }
                None => attempt += 1,
            }
        }
    }

    async fn begin<P: Permission, M: Mode>(
        &self,
        who: Who,
        options: TransactionOptions,
        act: M::Act,
    ) -> Result<Tx<P, M>, DbErr> {
        let link = Link::new(self.inner.db.begin_with_options(options).await?);
        Ok(Tx::new(link, who, Arc::clone(&self.inner), act))
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.inner.db.get_database_backend()
    }
}

/// Ends a transaction that writes: commits it with its audit row when the work succeeded, else undoes it.
async fn commit<P: Permission, T, E: From<StoreError>>(
    tx: &Tx<P>,
    worked: Result<T, E>,
) -> Try<T, E> {
    let ready = match worked {
        // Postgres commits nothing after a failed statement, and tells nobody.
        Ok(_) if tx.link().has_failed() => Err(StoreError::StatementIgnored.into()),
        Ok(value) => write_audit(tx).await.map(|()| value).map_err(E::from),
        Err(error) => Err(error),
    };
    let value = match ready {
        Ok(value) => value,
        Err(error) => {
            tx.undo().await;
            return if tx.link().has_conflict() {
                Try::Again
            } else {
                Try::Done(Err(error))
            };
        }
    };
    domain::fault::point("store commit");
    match tx.link().commit().await {
        Ok(()) => {
            domain::fault::point("store committed");
            Try::Done(Ok(value))
        }
        Err(error) => refused(error),
    }
}

async fn write_audit<P: Permission>(tx: &Tx<P>) -> Result<(), StoreError> {
    match tx.take_act() {
        Some(act) => audit::append(tx, act).await,
        None => Ok(()),
    }
}

fn refused<T, E: From<StoreError>>(error: DbErr) -> Try<T, E> {
    if dialect::is_conflict(&error) {
        Try::Again
    } else {
        Try::Done(Err(StoreError::from(error).into()))
    }
}

/// Waits before the next try; returns the result when there is none.
async fn again<T, E: From<StoreError>>(ended: Try<T, E>, attempt: u32) -> Option<Result<T, E>> {
    match ended {
        Try::Done(done) => Some(done),
        Try::Again if attempt >= ATTEMPTS_MAX => {
            Some(Err(StoreError::Busy { attempts: attempt }.into()))
        }
        Try::Again => {
            pause(attempt).await;
            None
        }
    }
}

/// Lets the others finish, longer each time.
pub(crate) async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(5 << attempt.min(6))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{self, AuditFilter};
    use crate::jobs::{self, JobKind, NewJob, Owner};
    use crate::paging::Paging;
    use crate::{Ids, Process};
    use domain::{Clock, Timestamp};
    use security::permissions::{AuditView, SourceSync};
    use security::{Actor, Event, RequestId, authorize};
    use std::sync::atomic::{AtomicU32, Ordering};
    use uuid::Uuid;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0)
        }
    }

    fn allow<P: Permission>() -> Allow<P> {
        let ada = Actor::Operator {
            os_user: "ada".into(),
        };
        authorize(&ada, RequestId::new(Uuid::nil())).expect("the operator has it")
    }

    /// Runs a transaction that loses its first `losses` tries; returns its result, its tries and the audit rows.
    async fn run(losses: u32) -> (Result<u32, StoreError>, u32, u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = Owner::of_this_process().expect("procfs");
        let process = Process {
            clock: Arc::new(Noon),
            ids: Ids::seeded(1),
            owner,
        };
        let store = Store::open(&folder.path().join("metadata.db"), process)
            .await
            .expect("open");
        let tries = AtomicU32::new(0);
        let result = store
            .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
                let attempt = tries.fetch_add(1, Ordering::Relaxed) + 1;
                jobs::create(&tx, NewJob::new(JobKind::Sync, format!("try{attempt}"))).await?;
                if attempt <= losses {
                    tx.link().lose();
                    return Err(StoreError::SchemaForeign);
                }
                Ok(attempt)
            })
            .await;
        let rows = store
            .run_read(&allow::<AuditView>(), async |tx| {
                audit::list(&tx, &AuditFilter::default(), Paging::default()).await
            })
            .await
            .expect("it reads");
        (result, tries.into_inner(), rows.total)
    }

    #[tokio::test]
    async fn a_transaction_that_lost_is_repeated_and_leaves_one_audit_row() {
        let (result, tries, rows) = run(2).await;
        assert_eq!((result.ok(), tries, rows), (Some(3), 3, 1));
    }

    #[tokio::test]
    async fn a_transaction_that_always_loses_ends_with_nothing_written() {
        let (result, tries, rows) = run(u32::MAX).await;
        assert!(
            matches!(
                result,
                Err(StoreError::Busy {
                    attempts: ATTEMPTS_MAX
                })
            ),
            "{result:?}"
        );
        assert_eq!((tries, rows), (ATTEMPTS_MAX, 0));
    }
}
