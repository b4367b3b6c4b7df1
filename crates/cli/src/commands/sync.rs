//! `dango sync`: sources into the warehouse.

pub(crate) mod summary;

use crate::arguments::moment::{Moment, parse_age};
use crate::arguments::numbers::parse_rows;
use crate::context::Context;
use crate::errors::{Stop, exit_code};
use app::SystemClock;
use app::error::{Error, Kind};
use app::sync::{SourceOutcome, SyncRequest};
use clap::Args;
use domain::say::counted;
use domain::{Clock as _, Code, Timestamp, say};
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  dango sync                       every enabled source
  dango sync shop_db reviews       two of them
  dango sync shop_db --dry-run     what would change
  dango sync reviews --backfill 7d the last seven days again

Ctrl-C stops at once, but for a commit that has begun; the same command goes on from there.";

/// Arguments of `dango sync`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The sources; every enabled one when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// A source (the same as NAME); may be given several times
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Read everything again, as if for the first time; tables are replaced only when all was read
    #[arg(long)]
    full_refresh: bool,
    /// Only rows from this moment on: 2026-01-31, 2026-01-31T10:00, or an age: 7d, 2w, 1m
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only rows before this moment
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Read so far back again: the same as --since with an age
    #[arg(long, value_name = "AGE", value_parser = parse_age, conflicts_with = "since")]
    backfill: Option<Moment>,
    /// At most so many rows of each stream
    #[arg(long, value_name = "ROWS", value_parser = parse_rows, allow_negative_numbers = true)]
    limit: Option<u64>,
    /// Do everything but the commit, and say what would change
    #[arg(long)]
    dry_run: bool,
    /// Let a table that has rows be emptied, or lose more of them than `shrink_limit_percent`
    #[arg(long)]
    allow_empty_replace: bool,
    /// Take over schema changes that the source's contract refuses
    #[arg(long, alias = "allow-schema-changes")]
    accept_schema: bool,
}

impl Arguments {
    fn request(&self, now: Timestamp) -> Result<SyncRequest, Stop> {
        let mut names = Vec::new();
        for typed in self.names.iter().chain(&self.source) {
            let name = super::source::parse_name(typed)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let since = self
            .since
            .or(self.backfill)
            .map(|moment| moment.resolve(now));
        let until = self.until.map(|moment| moment.resolve(now));
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(crate::errors::usage(
                "`--since` is not before `--until`",
                "both ends count from now when they are ages: `--since 7d --until 1d`",
            ));
        }
        Ok(SyncRequest {
            names,
            full_refresh: self.full_refresh,
            since,
            until,
            limit: self.limit,
            dry_run: self.dry_run,
            allow_empty_replace: self.allow_empty_replace,
            accept_schema: self.accept_schema,
        })
    }
}

/// Syncs, shows how each source ended, and fails when one failed.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    // Before anything is opened: a usage error needs no project.
    arguments.request(Timestamp::from_micros(i64::MAX / 2))?;
    let door = context.door("sync").await?;
    let synced = match arguments.request(SystemClock.now()) {
        Ok(request) => Box::pin(door.sync(context, &request)).await,
        Err(stop) => Err(stop),
    };
    door.close().await;
    let outcomes = synced?;
    if context.output.json {
        context.output.print_json(&to_json(&outcomes))?;
    } else if outcomes.is_empty() {
        context
            .output
            .tell("there is nothing to sync; `dango source add` adds a source");
    } else {
        context
            .output
            .print(&summary::text(&outcomes, context.output))?;
        for outcome in &outcomes {
            outcome
                .error
                .iter()
                .for_each(|error| context.output.error(error));
        }
    }
    verdict(&outcomes)
}

pub(crate) fn to_json(outcomes: &[SourceOutcome]) -> Value {
    let failed = outcomes.iter().any(|outcome| outcome.error.is_some());
    let sources: Vec<_> = outcomes.iter().map(SourceOutcome::to_json).collect();
    json!({ "status": if failed { "failed" } else { "succeeded" }, "sources": sources })
}

/// Turns failed sources into the command's end. Failures of one exit code keep it (75: try again); mixed ones are 1.
pub(crate) fn verdict(outcomes: &[SourceOutcome]) -> Result<(), Stop> {
    let errors: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.error.as_ref())
        .collect();
    let Some(first) = errors.first() else {
        return Ok(());
    };
    if let Some(interrupted) = errors.iter().find(|error| error.code == Code::Interrupted) {
        return Err(Stop::Told(interrupted.kind, interrupted.code));
    }
    let code = |error: &Error| exit_code(error.kind, error.code);
    let kind = if errors.iter().all(|error| code(error) == code(first)) {
        first.kind
    } else {
        Kind::Invalid
    };
    let say = say!(
        "",
        errors.len(),
        " of ",
        counted(outcomes.len(), "source"),
        " failed"
    );
    Err(Stop::Failed(
        Error::new(kind, Code::SyncFailed, say)
            .hint("`dango source show NAME` has a source's history"),
    ))
}
