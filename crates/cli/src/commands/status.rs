//! `dango status`: whether the server runs, where, and what its sources last did.

use crate::context::Context;
use crate::door::Client;
use crate::errors::Stop;
use crate::output::Output;
use crate::output::table::{Align, Columns};
use crate::remote::{self, RemoteArguments};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Arguments of `dango status`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    remote: RemoteArguments,
}

/// The server, as it tells of itself.
#[derive(Debug, Deserialize)]
struct Told {
    pid: u64,
    url: String,
    server: Server,
}

#[derive(Debug, Deserialize)]
struct Server {
    dango_version: String,
    addresses: Vec<String>,
    uptime_seconds: u64,
    syncs_running: u64,
    sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct Source {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    enabled: bool,
    last_sync_at: Option<String>,
    last_sync_state: Option<String>,
    problem: Option<String>,
}

/// Shows the server.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    if let Some(connection) = arguments.remote.open(context).await? {
        let told: Value = remote::get(context, &connection, "/status").await?;
        if output.json {
            return output.print_json(&told);
        }
        let server: Server = remote::read(told)?;
        let mut text = headline(&server, connection.server.address.as_str(), None);
        text.push_str(&sources(&server, output));
        return output.print(&text);
    }
    let client = Client::new(context.place()?.project);
    if !client.is_there().await? {
        if output.json {
            return output.print_json(&json!({"status": "stopped"}));
        }
        return output.print("no server of this project runs; `dango start` starts one");
    }
    if output.json {
        let told: Value = client.get_plain("/operator/status").await?;
        let mut shown = told.get("server").cloned().unwrap_or_default();
        for key in ["pid", "url"] {
            if let (Some(map), Some(value)) = (shown.as_object_mut(), told.get(key)) {
                map.insert(key.to_owned(), value.clone());
            }
        }
        return output.print_json(&shown);
    }
    let told: Told = client.get_plain("/operator/status").await?;
    let server = told.server;
    let mut text = headline(&server, &told.url, Some(told.pid));
    text.push_str(&sources(&server, output));
    output.print(&text)
}

fn headline(server: &Server, url: &str, pid: Option<u64>) -> String {
    let place = server.addresses.join(", ");
    let place = match pid {
        Some(pid) => format!("pid {pid}, {place}"),
        None => place,
    };
    let (version, up) = (&server.dango_version, length(server.uptime_seconds));
    let running = server.syncs_running;
    format!("dango {version} runs at {url} ({place}), up {up}, syncs running: {running}")
}

/// Returns the sources as a table below the headline; nothing when there are none.
fn sources(server: &Server, output: Output) -> String {
    if server.sources.is_empty() {
        return String::new();
    }
    let headings = ["SOURCE", "TYPE", "STATE", "LAST SYNC"].map(|name| (name, Align::Left));
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for source in &server.sources {
        let state = match (&source.problem, source.enabled) {
            (Some(_), _) => "broken",
            (None, true) => "enabled",
            (None, false) => "disabled",
        };
        let last = match (&source.last_sync_at, &source.last_sync_state) {
            (Some(at), Some(state)) => format!("{at} {state}"),
            _ => "never".to_owned(),
        };
        columns.row([
            source.name.clone(),
            source.kind.clone(),
            state.to_owned(),
            last,
        ]);
    }
    format!("\n\n{}", columns.render())
}

/// Returns a length of time: `3 d 4 h`, `5 min`, `7 s`.
fn length(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
