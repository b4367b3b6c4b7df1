//! `dango reference`: the whole command line as Markdown; `docs/CLI.md` is its output.

use crate::context::Context;
use crate::errors::Stop;
use clap::Args;

/// `dango reference` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Prints the reference.
pub(crate) fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    context.output.print(&crate::reference::markdown())
}
