//! The `dango` binary: the command line, and nothing but the command line.
//!
//! # Invariants
//! - No business rule lives here: every command calls one function of `app` with the witness it asks for.
//! - stdout is data, stderr is talk. What we say goes through the redactor; the rows of a query come from `app` with their
//!   secrets masked, and are written as they are.
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
mod door;
mod errors;
mod faults;
mod heritage;
mod interrupts;
mod output;
mod panics;
mod progress;
mod prompts;
mod reference;
mod remote;
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
    if let Some(code) = commands::version::answer(&words) {
        return ExitCode::from(code);
    }
    panics::install(words.iter().any(|word| word == "--json"));
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
    if let Err(error) = app::logging::start(parsed.global.verbose, &environment) {
        return output.ended(Err(error.into()));
    }
    let faults = faults::Faults::arm(&environment);
    let ended = run(parsed, output);
    faults.tell();
    for warning in app::audit::take_warnings() {
        output.warn(warning.as_str());
    }
    if let Err(Stop::Failed(error)) = &ended {
        app::logging::failed(error);
    }
    output.ended(ended)
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
    // A read of stdin cannot be cancelled; it has a thread of its own, and the process does not wait for it.
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
        ErrorKind::DisplayHelp => output.ended(output.print(&render(output.data_palette()))),
        ErrorKind::DisplayVersion => output.ended(commands::version::print(output)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = io::stderr().write_all(render(output.talk_palette()).as_bytes());
            2
        }
        _ => output.ended(Err(usage::explain(error, words))),
    }
}
