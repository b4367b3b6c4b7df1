//! `dango version`, `dango --version`: answered before anything else is set up, because scripts ask it often.

use crate::context::Context;
use crate::errors::Stop;
use clap::Args;
use serde_json::json;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `dango version` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Returns whether the command line asks for the version and nothing else.
pub(crate) fn is_asked(words: &[OsString]) -> bool {
    matches!(words, [_, word] if word == "--version" || word == "-V" || word == "version")
}

/// Prints the version without any set-up.
pub(crate) fn print() -> ExitCode {
    // A closed stdout leaves nobody to tell.
    let _ = writeln!(io::stdout(), "dango {VERSION}");
    ExitCode::SUCCESS
}

/// Prints the version.
pub(crate) fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    if context.output.json {
        return context
            .output
            .print_json(&json!({"name": "dango", "version": VERSION}));
    }
    context.output.print(&format!("dango {VERSION}"))
}
