//! Syncs: every enabled source, or those named, each a job with a load id.
//!
//! Sources are read at the same time; the warehouse has one writer, which they take in turns. One that fails stops no other.

mod answers;
mod apply;
mod before;
mod context;
mod contract;
mod failures;
mod files;
mod intake;
pub(crate) mod ledger;
mod request;
mod staging;
mod statements;
mod streams;
mod told;

pub(crate) use answers::number;
pub use request::{Observer, SourceOutcome, SyncEvent, SyncRequest};
pub use told::SyncNews;

use crate::config::SourceConfig;
use crate::settle::find_report;
use crate::{App, Cancel, Error, Result, sources};
use connect::catalog::Engine;
use context::Context;
use domain::{Code, JobId, LoadId, LoadReport, SourceName, say};
use futures_util::{StreamExt, stream};
use security::permissions::SourceSync;
use security::{Allow, Event};
use serde_json::{Map, Value};
use staging::Writer;
use std::sync::OnceLock;
use store::jobs::{self, JobEnd, JobKind, Lease, NewJob};
use store::sync_runs::{self, NewSyncRun};
use store::{Act, StoreError};

/// Sources that are read at the same time; more would only wait for the one writer.
const SOURCES_AT_ONCE: usize = 4;

/// Syncs what `request` names and returns how each source ended, in the order of `sources.yml`. An error is returned only
/// when nothing could be begun. `cancel` stops every source at its next safe point.
pub async fn run(
    app: &App,
    allow: &Allow<SourceSync>,
    request: &SyncRequest,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Vec<SourceOutcome>> {
    let sources = app.sources(&allow.narrow())?;
    let chosen = chosen(&sources, request)?;
    let mut outcomes: Vec<_> = stream::iter(chosen.into_iter().enumerate())
        .map(|(place, source)| async move {
            let outcome = run_source(app, allow, &source, request, observer, cancel).await;
            observer.event(&SyncEvent::SourceEnded { outcome: &outcome });
            (place, outcome)
        })
        .buffer_unordered(SOURCES_AT_ONCE)
        .collect()
        .await;
    outcomes.sort_by_key(|(place, _)| *place);
    let mut outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    if request.names.is_empty() {
        // A source that cannot be used disables itself, not the project; but no sync of everything passes over it silently.
        let broken = sources.broken().map(|(entry, finding)| {
            let source = match entry.name.as_str() {
                "" => format!("(line {})", entry.place.line),
                name => name.escape_debug().to_string(),
            };
            SourceOutcome::not_begun(source, Error::from(finding.clone()))
        });
        outcomes.extend(broken);
    }
    Ok(outcomes)
}

/// Returns the names of what `request` would sync, or why it cannot be begun.
pub fn names(
    app: &App,
    allow: &Allow<SourceSync>,
    request: &SyncRequest,
) -> Result<Vec<SourceName>> {
    let chosen = chosen(&app.sources(&allow.narrow())?, request)?;
    Ok(chosen.into_iter().map(|source| source.name).collect())
}

fn chosen(sources: &crate::config::Sources, request: &SyncRequest) -> Result<Vec<SourceConfig>> {
    if request.names.is_empty() {
        let enabled = sources.usable().filter(|source| source.enabled);
        return Ok(enabled.cloned().collect());
    }
    let named = request.names.iter().map(|name| named(sources, name));
    named.collect()
}

fn named(sources: &crate::config::Sources, name: &SourceName) -> Result<SourceConfig> {
    let source = sources.get(name.as_str())?;
    if source.enabled {
        return Ok(source.clone());
    }
    Err(Error::conflict(
        Code::SourceDisabled,
        say!("source ", name name, " is disabled"),
    )
    .hint(say!(
        "enable it with `dango source edit ",
        *name,
        " --enable`"
    )))
}

/// Syncs one source and writes what became of it.
async fn run_source(
    app: &App,
    allow: &Allow<SourceSync>,
    source: &SourceConfig,
    request: &SyncRequest,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> SourceOutcome {
    let started_at = app.clock.now();
    let job = OnceLock::new();
    let context = Context {
        app,
        allow,
        source,
        request,
        observer,
        cancel,
        job: &job,
    };
    let ended = load(&context).await;
    let mut outcome = SourceOutcome {
        source: source.name.to_string(),
        job: job.get().map(|job: &Begun| job.lease.job),
        load_id: job.get().map(|job| job.load_id.clone()),
        report: LoadReport::default(),
        error: None,
        seconds: 0.0,
        resumed: job.get().is_some_and(|job| job.resumed),
        dry_run: request.dry_run,
    };
    match ended {
        Ok(report) => outcome.report = report,
        Err(error) => outcome.error = Some(error),
    }
    if !request.dry_run
        && let Err(error) = write_down(&context, started_at, &mut outcome).await
        && outcome.error.is_none()
    {
        outcome.error = Some(error);
    }
    if let Some(error) = &outcome.error {
        tracing::warn!(source.name = %source.name, error.code = %error.code, error.chain = %error.chain(), "sync failed");
    }
    let micros = app
        .clock
        .now()
        .micros_since(started_at)
        .max(0)
        .cast_unsigned();
    outcome.seconds = std::time::Duration::from_micros(micros).as_secs_f64();
    outcome
}

/// Loads the source. Ctrl-C stops it at once, but for the last commit: history must not call interrupted what is committed.
async fn load(context: &Context<'_>) -> Result<LoadReport> {
    let app = context.app;
    let mut writer = Writer::new(&app.warehouse, context.allow, context.request.dry_run);
    let report = tokio::select! {
        report = prepare(context, &mut writer) => report?,
        () = context.cancel.cancelled() => return Err(Error::interrupted()),
    };
    let Err(error) = writer.end().await else {
        return Ok(report);
    };
    // The warehouse's process may have died with the commit done and its answer under way.
    let committed = match context.job.get() {
        Some(begun) => find_report(app, context.allow, &context.source.name, &begun.load_id).await,
        None => Ok(None),
    };
    committed.ok().flatten().ok_or(error)
}

/// Does everything but the last commit.
async fn prepare(context: &Context<'_>, writer: &mut Writer<'_>) -> Result<LoadReport> {
    context.check_cancelled()?;
    if sources::engine(context.app, context.source)? == Engine::Files {
        return files::load(context, writer).await;
    }
    let source = sources::open(context.app, context.allow, context.source).await?;
    streams::load(context, source, writer).await
}

/// A job that was begun for a load.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) lease: Lease,
    pub(crate) load_id: LoadId,
    pub(crate) resumed: bool,
}

/// Makes the job of a load and starts it, in one transaction.
pub(crate) async fn begin_job(
    context: &Context<'_>,
    load_id: &LoadId,
    resumed: bool,
) -> Result<Begun> {
    let name = context.source.name.as_str();
    let act = Act::new(Event::SyncTriggered)
        .target(name)
        .detail("load_id", load_id.as_str());
    let lease = context
        .app
        .store
        .run_tx(context.allow, act, async |tx| {
            let created = jobs::create(
                &tx,
                NewJob {
                    kind: JobKind::Sync,
                    target: name.to_owned(),
                    load_id: Some(load_id.clone()),
                    idempotency_key: None,
                    options: options(context.request),
                },
            )
            .await?;
            jobs::start(&tx, created.id).await
        })
        .await?;
    Ok(Begun {
        lease,
        load_id: load_id.clone(),
        resumed,
    })
}

/// Ends the job and adds the sync to the history; a sync that failed before it had a job gets one now.
async fn write_down(
    context: &Context<'_>,
    started_at: domain::Timestamp,
    outcome: &mut SourceOutcome,
) -> Result<()> {
    if context.job.get().is_none() {
        let begun = begin_job(context, &context.new_load_id(), false).await?;
        outcome.job = Some(begun.lease.job);
        outcome.load_id = Some(begun.load_id.clone());
        // Nobody else sets it: the load has ended.
        let _ = context.job.set(begun);
    }
    let Some(begun) = context.job.get() else {
        return Ok(());
    };
    let (end, event) = match &outcome.error {
        None => (JobEnd::Succeeded, Event::SyncCompleted),
        Some(error) if error.code == Code::Interrupted => {
            (JobEnd::Cancelled, Event::SyncInterrupted)
        }
        Some(error) => {
            let text = crate::REDACTOR.redact_talk(&error.with_hint());
            (
                JobEnd::Failed(jobs::Failure::new(error.code, &text)),
                Event::SyncFailed,
            )
        }
    };
    domain::fault::point("sync.before_job_end");
    let act = Act::new(event)
        .target(context.source.name.as_str())
        .detail("load_id", begun.load_id.as_str());
    finish_job(context.app, context.allow, act, &begun.lease, end, |end| {
        NewSyncRun {
            job: begun.lease.job,
            source: context.source.name.clone(),
            load_id: Some(begun.load_id.clone()),
            started_at,
            end,
            report: outcome.report.clone(),
            warnings: Vec::new(),
            options: options(context.request),
        }
    })
    .await?;
    domain::fault::point("sync.after_job_end");
    Ok(())
}

/// Ends a job together with its line in the history.
pub(crate) async fn finish_job(
    app: &App,
    allow: &Allow<SourceSync>,
    act: Act,
    lease: &Lease,
    end: JobEnd,
    run: impl Fn(JobEnd) -> NewSyncRun,
) -> Result<()> {
    app.store
        .run_tx(allow, act, async |tx| {
            jobs::finish(&tx, lease, end.clone()).await?;
            sync_runs::create(&tx, run(end.clone())).await?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}

fn options(request: &SyncRequest) -> Map<String, Value> {
    match request.to_json() {
        Value::Object(options) => options,
        _ => Map::new(),
    }
}

impl SourceOutcome {
    /// Returns the outcome of a source that could not be begun.
    fn not_begun(source: String, error: Error) -> Self {
        Self {
            source,
            job: None::<JobId>,
            load_id: None,
            report: LoadReport::default(),
            error: Some(error),
            seconds: 0.0,
            resumed: false,
            dry_run: false,
        }
    }
}
