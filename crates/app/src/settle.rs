//! What an earlier process left undone: its jobs are settled by looking for their load in the warehouse, its announced
//! effects by saying that nobody knows.

use crate::sync::{finish_job, ledger::Ledger};
use crate::{App, Result};
use domain::{LoadReport, SourceName};
use security::permissions::{PlatformManage, SourceSync};
use security::{Allow, Event};
use store::Act;
use store::effects::Outcome;
use store::jobs::{self, Job, JobEnd};
use store::sync_runs::NewSyncRun;

/// Settles everything that a process which is gone left running. Only whoever holds the project's lock does this.
pub(crate) async fn settle(app: &App) -> Result<()> {
    let allow = app.allow::<SourceSync>().await?;
    let lost: Vec<Job> = app
        .store
        .run_read(&allow, async |tx| jobs::list_lost(&tx).await)
        .await?;
    for job in lost {
        settle_sync(app, &allow, &job).await?;
    }
    let manage = app.allow::<PlatformManage>().await?;
    for effect in app.store.find_lost_effects(&manage).await? {
        app.store
            .settle_effect(&manage, effect, Outcome::Unknown)
            .await?;
    }
    Ok::<_, crate::Error>(())
}

async fn settle_sync(app: &App, allow: &Allow<SourceSync>, job: &Job) -> Result<()> {
    let Ok(source) = SourceName::parse(&job.target) else {
        return Ok(());
    };
    let report = match &job.load_id {
        Some(load_id) => find_report(app, allow, &source, load_id).await?,
        None => None,
    };
    let (end, event) = match &report {
        Some(_) => (JobEnd::Succeeded, Event::SyncCompleted),
        None => (JobEnd::Interrupted, Event::SyncInterrupted),
    };
    tracing::info!(source.name = %source, job.id = %job.id, job.state = %end.state(), "settled a sync that was cut off");
    let act = Act::new(event)
        .target(source.as_str())
        .detail("settled", true);
    let report = report.unwrap_or_default();
    finish_job(app, allow, act, &job.lease(), end, |end| NewSyncRun {
        job: job.id,
        source: source.clone(),
        load_id: job.load_id.clone(),
        started_at: job.started_at.unwrap_or(job.created_at),
        end,
        report: report.clone(),
        warnings: vec![
            "the process ended before it could write this down; it was settled later".into(),
        ],
        options: job.options.clone(),
    })
    .await
}

/// Returns the report of a load if it was committed.
pub(crate) async fn find_report(
    app: &App,
    allow: &Allow<SourceSync>,
    source: &SourceName,
    load_id: &domain::LoadId,
) -> Result<Option<LoadReport>> {
    if !app.settings.platform.warehouse_file.exists() {
        return Ok(None);
    }
    let ledger = Ledger::new(source);
    let tables = app
        .warehouse
        .tables(&allow.narrow(), Some(ledger.schema()))
        .await?;
    if !tables
        .iter()
        .any(|table| table.table.table == "_dango_loads")
    {
        return Ok(None);
    }
    let rows = app
        .warehouse
        .select(&allow.narrow(), &ledger.report_query(load_id))
        .await?;
    let text = rows
        .first()
        .and_then(|row| row.get("report"))
        .and_then(|report| report.as_str());
    Ok(text.map(|text| serde_json::from_str(text).unwrap_or_default()))
}
