//! `dango version`, `dango --version`: answered before anything else is set up, because scripts ask it often.

use crate::arguments::ColorChoice;
use crate::context::Context;
use crate::errors::Stop;
use crate::output::{Output, Surroundings};
use clap::Args;
use serde_json::json;
use std::ffi::OsString;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `dango version` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Answers a command line that asks for the version and nothing else; `None` is any other.
pub(crate) fn answer(words: &[OsString]) -> Option<u8> {
    let is_asked =
        matches!(words, [_, word] if word == "--version" || word == "-V" || word == "version");
    is_asked.then(|| {
        let output = Output::new(false, ColorChoice::Never, Surroundings::default());
        output.ended(print(output))
    })
}

/// Prints the version.
pub(crate) fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    print(context.output)
}

/// Prints the version as people or programs read it.
pub(crate) fn print(output: Output) -> Result<(), Stop> {
    if output.json {
        return output.print_json(&json!({"name": "dango", "version": VERSION}));
    }
    output.print(&format!("dango {VERSION}"))
}
