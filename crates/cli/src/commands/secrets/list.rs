//! `dango secrets list`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::table::{Align, Columns};
use app::credentials::SECRET_FILES_DIR;
use app::secrets::{self, SecretInfo};
use clap::Args;
use security::permissions::ConfigView;
use serde_json::json;
use std::path::Path;

/// `dango secrets list` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Lists names, masked values and origins.
pub(crate) fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let place = context.place()?;
    let entries = secrets::list(
        &place.allow::<ConfigView>()?,
        &place.project,
        &place.environment,
        Path::new(SECRET_FILES_DIR),
    )?;
    if output.json {
        let to_json = |entry: &SecretInfo| json!({"name": entry.name, "masked": entry.shown, "origin": entry.origin.say().as_str()});
        let entries: Vec<_> = entries.iter().map(to_json).collect();
        return output.print_json(&json!({ "secrets": entries }));
    }
    if entries.is_empty() {
        output.tell("no secrets are stored; `dango secrets set NAME` stores one");
        return Ok(());
    }
    let headings = [
        ("NAME", Align::Left),
        ("VALUE", Align::Left),
        ("ORIGIN", Align::Left),
    ];
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for entry in entries {
        columns.row([entry.name, entry.shown, entry.origin.say().to_string()]);
    }
    output.print(&columns.render())
}
