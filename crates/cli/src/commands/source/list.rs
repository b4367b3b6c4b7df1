//! `dango source list`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::style::Style;
use crate::output::table::{Align, Columns};
use crate::output::units;
use crate::remote::{self, RemoteArguments};
use app::sources::{RunSummary, SourceSummary};
use clap::Args;
use security::permissions::SourceView;
use serde::Deserialize;
use serde_json::json;

/// Arguments of `dango source list`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave out disabled sources
    #[arg(long)]
    enabled_only: bool,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Sources in one answer of a server elsewhere: its most.
const REMOTE_PATH: &str = "/sources?limit=500";

/// A page of a server elsewhere.
#[derive(Deserialize)]
struct Page {
    items: Vec<SourceSummary>,
    total: u64,
}

/// Lists the sources in the order of the file.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let mut sources = match arguments.remote.open(context).await? {
        Some(connection) => {
            let page: Page = remote::get(context, &connection, REMOTE_PATH).await?;
            let shown = page.items.len() as u64;
            if shown < page.total {
                output.warn(&format!("only the first {shown} of {} sources", page.total));
            }
            page.items
        }
        None => here(context).await?,
    };
    sources.retain(|source| source.enabled || !arguments.enabled_only);
    if output.json {
        return output.print_json(&json!({ "sources": sources }));
    }
    if sources.is_empty() {
        output.tell("no sources yet; `dango source add` adds one");
        return Ok(());
    }
    let headings = [
        ("SOURCE", Align::Left),
        ("TYPE", Align::Left),
        ("STATE", Align::Left),
        ("LAST SYNC", Align::Left),
        ("CHANGED", Align::Right),
        ("DESCRIPTION", Align::Left),
    ];
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for source in &sources {
        let last = source.last_sync.as_ref();
        columns.row([
            source.name.clone(),
            source.kind.clone(),
            state(source).to_owned(),
            last.map_or_else(|| "never".into(), when),
            last.map_or_else(
                || "-".into(),
                |run| units::count(run.rows_inserted + run.rows_updated + run.rows_deleted),
            ),
            source.description.clone().unwrap_or_default(),
        ]);
    }
    output.print(&columns.render())?;
    for source in &sources {
        if let Some(problem) = &source.problem {
            let name = output.talk_palette().paint(Style::Heading, &source.name);
            output.warn(&format!("{name}: {problem}"));
        }
    }
    Ok(())
}

async fn here(context: &Context) -> Result<Vec<SourceSummary>, Stop> {
    let app = context.open_read("source list").await?;
    let sources = app::sources::list(&app, &app.allow::<SourceView>().await?).await;
    app.close().await;
    Ok(sources?)
}

const fn state(source: &SourceSummary) -> &'static str {
    match (&source.problem, source.enabled) {
        (Some(_), _) => "broken",
        (None, true) => "enabled",
        (None, false) => "disabled",
    }
}

/// Returns when a run started and how it ended: `2026-11-22 07:03 succeeded`.
pub(super) fn when(run: &RunSummary) -> String {
    format!(
        "{} {}",
        run.started_at.to_utc().format("%Y-%m-%d %H:%M"),
        run.state
    )
}
