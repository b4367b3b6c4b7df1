//! The `dango` binary: the command line, and nothing but the command line.
//!
//! # Invariants
//! - No business rule lives here: every command calls one function of `app` with the witness it asks for.
//! - stdout is data, stderr is talk, and both go through the redactor.
//! - A secret is never taken from the command line: prompt, stdin, file or a variable's name.
//! - Only [`errors::exit_code`] knows exit codes.
//!
//! # Adding one
//! A command is one file under `commands/` with `Arguments` and `run`, one line in [`arguments::Command`] and one in
//! [`commands::run`]; `make fix` writes it into `docs/CLI.md`.

mod arguments;
mod child;
mod commands;
mod context;
mod demo;
mod errors;
mod faults;
mod heritage;
mod interrupts;
mod output;
mod panics;
mod progress;
mod prompts;
mod reference;
mod suspicions;
mod usage;

use app::{Environment, REDACTOR};
use arguments::{ColorChoice, CommandLine};
use clap::Parser as _;
use clap::error::ErrorKind;
use context::Context;
use errors::Stop;
use interrupts::Interrupts;
use output::style::Palette;
use output::{Output, Surroundings};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = child::dispatch(&words) {
        return code;
    }
    if commands::version::is_asked(&words) {
        return commands::version::print();
    }
    panics::install();
    // Before a secret can be read: no core dumps, no debugger.
    app::harden();
    let ended = catch_unwind(AssertUnwindSafe(|| command_line(&words)));
    ExitCode::from(ended.unwrap_or(panics::EXIT_CODE))
}

/// Reads the command line, runs it and returns the exit code.
fn command_line(words: &[OsString]) -> u8 {
    suspicions::learn(words, &REDACTOR);
    let environment = Environment::from_process();
    let surroundings = Surroundings {
        no_color: environment.setting("NO_COLOR").is_some(),
        is_dumb: environment.setting("TERM") == Some("dumb"),
    };
    let parsed = match CommandLine::try_parse_from(words) {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error, words, surroundings),
    };
    let output = Output::new(parsed.global.json, parsed.global.color, surroundings);
    app::logging::start(parsed.global.verbose, &environment);
    let faults = faults::Faults::arm(&environment);
    let ended = run(parsed, output);
    faults.tell();
    let Err(stop) = ended else { return 0 };
    if let Stop::Failed(error) = &stop {
        app::logging::failed(error);
        output.error(error);
    }
    stop.exit_code()
}

fn run(parsed: CommandLine, output: Output) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let interrupts = Interrupts::listen(output)?;
        let context = Context {
            global: parsed.global,
            output,
            interrupts,
        };
        commands::run(&context, parsed.command).await
    });
    // Reading stdin, for one, cannot be cancelled: the process does not wait for it.
    runtime.shutdown_background();
    ended
}

/// Shows help, or says what is wrong with the command line.
fn refused(error: &clap::Error, words: &[OsString], surroundings: Surroundings) -> u8 {
    let says = |flag: &str| words.iter().any(|word| word == flag);
    // The flags were not understood, so these two are looked for by hand.
    let color = if says("--color=never") {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    };
    let output = Output::new(says("--json"), color, surroundings);
    let render = |palette: Palette| match palette {
        Palette::Plain => error.render().to_string(),
        Palette::Colour => error.render().ansi().to_string(),
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Help that is cut off by `head` is no failure.
            let _ = io::stdout().write_all(render(output.data_palette()).as_bytes());
            0
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = io::stderr().write_all(render(output.talk_palette()).as_bytes());
            2
        }
        _ => {
            let stop = usage::explain(error, words);
            if let Stop::Failed(error) = &stop {
                output.error(error);
            }
            stop.exit_code()
        }
    }
}
