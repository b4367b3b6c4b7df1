//! `--remote`: the same question to a server elsewhere, by its public API and the token that `dango login` kept.

use crate::context::Context;
use crate::errors::{Stop, usage};
use app::Environment;
use app::error::Error;
use app::remote::Connection;
use clap::Args;
use domain::say;
use domain::say::Quoted;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Where a command asks.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct RemoteArguments {
    /// Ask a server elsewhere: URL, otherwise `DAP_ENGINE_URL`, or the only one `dango login` has signed in at
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    remote: Option<String>,
}

impl RemoteArguments {
    /// Returns the server elsewhere, when it is meant.
    pub(crate) async fn open(&self, context: &Context) -> Result<Option<Connection>, Stop> {
        let Some(named) = &self.remote else {
            return Ok(None);
        };
        let opened = async {
            let environment = Environment::from_process();
            Ok(Connection::open(&environment, Some(named)).await?)
        };
        context.interrupts.or_drop(Box::pin(opened)).await.map(Some)
    }

    /// Refuses `flag` where a server elsewhere is meant, whose API does not have it.
    pub(crate) fn refuse(&self, flag: &'static str, is_given: bool) -> Result<(), Stop> {
        if self.remote.is_none() || !is_given {
            return Ok(());
        }
        let say = say!("", name Quoted(flag), " does not go with `--remote`");
        Err(usage(
            say,
            "run it at the machine of the server, or leave it out",
        ))
    }
}

/// Asks, and leaves off when the user does.
pub(crate) async fn get<T: DeserializeOwned>(
    context: &Context,
    connection: &Connection,
    path: &str,
) -> Result<T, Stop> {
    let asked = async { read(connection.get(path).await?) };
    context.interrupts.or_drop(Box::pin(asked)).await
}

/// Reads what a server elsewhere told.
pub(crate) fn read<T: DeserializeOwned>(told: Value) -> Result<T, Stop> {
    serde_json::from_value(told).map_err(|error| {
        let say = "the server answered in another form than this version knows";
        let error = Error::unavailable(domain::Code::ServerUnreachable, say).caused_by(error);
        let hint = "compare `dango version` with what `/api/version` says there";
        error.hint(hint).into()
    })
}
