//! The log of a project, and the gates through which text leaves the process: the log's layers and [`Redacting`]. All mask every
//! secret the process has learned, whoever wrote it: us, a driver, or a panic.

mod journal;
mod layer;
mod redacting;
mod tail;

pub use redacting::Redacting;
pub use tail::tail;

use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::project::Project;
use crate::{REDACTOR, SystemClock};
use domain::say::Quoted;
use domain::{Code, Say, say};
use journal::Journal;
use layer::{EventLayer, Outlet};
use std::sync::{Arc, LazyLock};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Where log lines of this process go once its project is known.
static LOG: LazyLock<Arc<Outlet>> = LazyLock::new(|| Arc::new(Outlet::waiting()));

/// Our own crates: a bare level means them, not every library.
const OURS: [&str; 11] = [
    "app",
    "cli",
    "connect",
    "dango",
    "domain",
    "pipeline",
    "sandbox",
    "security",
    "server",
    "store",
    "warehouse",
];

/// Starts the log of this process; `verbose` is how often `-v` was given. Lines wait until [`attach`] says where they belong. A
/// variable that is no level is an error: a log that says less than wished is missed only when it is needed.
pub fn start(verbose: u8, environment: &Environment) -> Result<()> {
    let directives = directives(environment)?;
    let talk = Arc::new(Outlet::talk());
    let subscriber = subscriber(directives, Arc::clone(&LOG), verbose, talk);
    // Fails when the process has a log already, which is then as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// Writes what was logged so far, and what follows, to the log of `project`.
pub fn attach(project: &Project) -> Result<()> {
    LOG.attach(Journal::open(&project.log_file())?);
    Ok(())
}

/// Logs the error a command ends with: the one place, so that nothing is logged twice.
pub fn failed(error: &Error) {
    let (code, causes) = (error.code.as_str(), error.chain());
    match error.kind {
        Kind::Invalid | Kind::NotFound | Kind::Conflict | Kind::Locked | Kind::NoSigningKey => {
            tracing::debug!(
                error.code = code,
                error.chain = causes,
                "the command failed"
            );
        }
        Kind::Unauthenticated | Kind::Denied | Kind::Limit | Kind::Budget | Kind::Interrupted => {
            tracing::info!(
                error.code = code,
                error.chain = causes,
                "the command failed"
            );
        }
        Kind::Unavailable => {
            tracing::warn!(
                error.code = code,
                error.chain = causes,
                "the command failed"
            );
        }
        Kind::Bug => {
            tracing::error!(error.code = code, error.chain = causes, "a fault of ours");
        }
    }
}

/// Returns what writes events to `log` as JSON, and with `verbose` to `talk` as text.
fn subscriber(
    directives: EnvFilter,
    log: Arc<Outlet>,
    verbose: u8,
    talk: Arc<Outlet>,
) -> impl Subscriber + Send + Sync + use<> {
    let told = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let told =
        tracing_subscriber::filter::Targets::new().with_targets(OURS.map(|ours| (ours, told)));
    let layer = |outlet| EventLayer::new(outlet, &REDACTOR, Arc::new(SystemClock));
    tracing_subscriber::registry()
        .with(layer(log).with_filter(directives))
        .with(layer(talk).with_filter(told))
}

/// Returns what is logged: `DANGO_LOG` (a level, or directives as in `warn,app::sync=trace`), else the level of
/// `DANGO_LOG_LEVEL` or `DAP_LOG_LEVEL`, else debug with `DANGO_DEBUG=1`, else info. Each that is set must be right.
fn directives(environment: &Environment) -> Result<EnvFilter> {
    let mut chosen = match environment.setting("DANGO_LOG") {
        Some(text) => Some(parse_directives(text)?),
        None => None,
    };
    for name in ["DANGO_LOG_LEVEL", "DAP_LOG_LEVEL"] {
        let Some(text) = environment.setting(name) else {
            continue;
        };
        let level = level(text).ok_or_else(|| no_level(name, text, "no level"))?;
        chosen = Some(chosen.unwrap_or_else(|| of_level(level)));
    }
    let usual = if environment.is_on("DANGO_DEBUG") {
        "debug"
    } else {
        "info"
    };
    Ok(chosen.unwrap_or_else(|| of_level(usual)))
}

fn of_level(level: &str) -> EnvFilter {
    EnvFilter::new(OURS.iter().fold(String::from("warn"), |all, ours| {
        format!("{all},{ours}={level}")
    }))
}

fn parse_directives(text: &str) -> Result<EnvFilter> {
    let wrong = || {
        no_level(
            "DANGO_LOG",
            text,
            "neither a level nor directives such as `warn,app::sync=trace`",
        )
    };
    if let Some(level) = level(text) {
        return Ok(of_level(level));
    }
    // A mistyped level would be taken for the name of a module, and nothing would be logged but it.
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word && !OURS.contains(&text) {
        return Err(wrong());
    }
    EnvFilter::try_new(text).map_err(|error| wrong().caused_by(error))
}

fn no_level(name: &str, text: &str, what: &'static str) -> Error {
    let say = say!("", name Quoted(name), " is ", name Quoted(text), ", which is ", Say::new(what));
    Error::invalid(Code::ConfigInvalid, say)
        .hint("levels are `error`, `warn`, `info`, `debug` and `trace`; `off` logs nothing")
}

/// Returns the level called `text`, Python's names included.
fn level(text: &str) -> Option<&'static str> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "off" => "off",
        "error" | "critical" | "fatal" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" => "trace",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
