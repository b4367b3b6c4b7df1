//! Syncs in the background: what was started, what it told, how it ended. The jobs and the history are in the store; here is
//! what somebody may still want to watch.

use crate::server::Server;
use app::error::Error;
use app::sync::{Observer, SourceOutcome, SyncEvent, SyncNews, SyncRequest};
use app::{Cancel, Result};
use domain::{Code, Timestamp};
use security::Allow;
use security::permissions::SourceSync;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// Syncs at once; each takes four sources at a time, and the warehouse has one writer.
const RUNNING_MAX: usize = 16;
/// Syncs that ended and can still be looked at.
const KEPT_MAX: usize = 200;
/// Events of one sync that can still be read; the latest progress of a stream replaces the one before.
const NEWS_MAX: usize = 2_000;

/// How a sync ended.
#[derive(Debug)]
pub(crate) enum End {
    Done(Vec<SourceOutcome>),
    Failed(Error),
}

/// A sync that was started.
pub(crate) struct Running {
    pub(crate) id: Uuid,
    pub(crate) sources: Vec<String>,
    /// Who started it, as the audit log names him.
    pub(crate) actor: String,
    pub(crate) started_at: Timestamp,
    pub(crate) cancel: Cancel,
    told: Mutex<Told>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Told {
    last: u64,
    news: VecDeque<(u64, Arc<SyncNews>)>,
    end: Option<(Timestamp, Arc<End>)>,
}

/// What comes next to whoever watches.
pub(crate) enum Next {
    News(u64, Arc<SyncNews>),
    End(Arc<End>),
}

impl Running {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how and when it ended, `None` while it runs.
    pub(crate) fn end(&self) -> Option<(Timestamp, Arc<End>)> {
        self.told().end.clone()
    }

    /// Waits for the first event after the number `after`, or the end.
    pub(crate) async fn next(&self, after: u64) -> Next {
        let mut changed = self.changed.subscribe();
        loop {
            {
                let told = self.told();
                if let Some((number, news)) = told.news.iter().find(|(number, _)| *number > after) {
                    return Next::News(*number, Arc::clone(news));
                }
                if let Some((_, end)) = &told.end {
                    return Next::End(Arc::clone(end));
                }
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn finish(&self, at: Timestamp, end: End) {
        self.told().end = Some((at, Arc::new(end)));
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Observer for Running {
    fn event(&self, event: &SyncEvent<'_>) {
        let news = SyncNews::of(event);
        {
            let mut told = self.told();
            if told
                .news
                .back()
                .is_some_and(|(_, last)| last.is_outdated_by(&news))
            {
                told.news.pop_back();
            }
            if told.news.len() >= NEWS_MAX {
                told.news.pop_front();
            }
            told.last += 1;
            let number = told.last;
            told.news.push_back((number, Arc::new(news)));
        }
        self.changed.send_modify(|count| *count += 1);
    }
}

/// The syncs of this process, newest last.
#[derive(Default)]
pub(crate) struct Syncs(Mutex<VecDeque<Arc<Running>>>);

impl Syncs {
    fn list(&self) -> MutexGuard<'_, VecDeque<Arc<Running>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the sync of this id.
    pub(crate) fn find(&self, id: Uuid) -> Option<Arc<Running>> {
        self.list().iter().find(|sync| sync.id == id).cloned()
    }

    fn running(&self) -> Vec<Arc<Running>> {
        let list = self.list();
        list.iter()
            .filter(|sync| sync.end().is_none())
            .cloned()
            .collect()
    }

    /// Returns how many run.
    pub(crate) fn running_count(&self) -> u64 {
        self.running().len() as u64
    }

    fn add(&self, sync: &Arc<Running>) -> Result<()> {
        let mut list = self.list();
        if list.iter().filter(|sync| sync.end().is_none()).count() >= RUNNING_MAX {
            return Err(
                Error::unavailable(Code::ServerBusy, "too many syncs run already")
                    .hint("start it again when one has ended"),
            );
        }
        while list.len() >= KEPT_MAX {
            let Some(oldest) = list.iter().position(|sync| sync.end().is_some()) else {
                break;
            };
            list.remove(oldest);
        }
        list.push_back(Arc::clone(sync));
        Ok(())
    }

    /// Asks every sync to stop, and waits until each has.
    pub(crate) async fn stop(&self) {
        let running = self.running();
        for sync in &running {
            sync.cancel.cancel();
        }
        for sync in running {
            let mut after = 0;
            while let Next::News(number, _) = sync.next(after).await {
                after = number;
            }
        }
    }
}

/// Starts a sync in the background. Its id is that of the request that started it, so that the audit log tells its jobs.
pub(crate) fn start(
    server: &Server,
    allow: Allow<SourceSync>,
    request: SyncRequest,
) -> Result<Arc<Running>> {
    if server.stopping.is_cancelled() {
        return Err(Error::unavailable(
            Code::ServerBusy,
            "the server is stopping",
        ));
    }
    let names = app::sync::names(server.app(), &allow, &request)?;
    let sync = Arc::new(Running {
        id: allow.request().as_uuid(),
        sources: names.iter().map(ToString::to_string).collect(),
        actor: allow.actor().audit_name(),
        started_at: server.app().clock.now(),
        cancel: Cancel::default(),
        told: Mutex::default(),
        changed: watch::Sender::new(0),
    });
    server.syncs.add(&sync)?;
    let (server, running) = (server.clone(), Arc::clone(&sync));
    tokio::spawn(async move {
        let app = server.app();
        let run = Box::pin(app::sync::run(
            app,
            &allow,
            &request,
            &*running,
            &running.cancel,
        ));
        let end = match run.await {
            Ok(outcomes) => End::Done(outcomes),
            Err(error) => End::Failed(error),
        };
        running.finish(app.clock.now(), end);
    });
    Ok(sync)
}
