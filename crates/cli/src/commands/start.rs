//! `dango start`: the server, in the background.

use super::serve;
use crate::context::Context;
use crate::door::Client;
use crate::errors::{Stop, unreadable};
use app::Environment;
use app::error::{Error, Kind};
use clap::Args;
use domain::say::Retold;
use domain::{Code, say};
use fs_err as fs;
use serde_json::{Value, json};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Between two looks whether it answers.
const POLL: Duration = Duration::from_millis(50);
/// What it may say about why it does not start.
const WORDS_BYTES_MAX: usize = 64 << 10;

/// Arguments of `dango start`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Do not open the browser
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    serve: serve::Arguments,
}

/// Starts the server and waits until it answers.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let project = context.place()?.project;
    let client = Client::new(project.clone());
    if client.is_there().await? {
        let status: Value = client.get_plain("/operator/status").await?;
        return tell(context, &status, "runs already");
    }
    context.tell_holder(&project)?;
    let words = project.run_dir().join("start.stderr");
    fs::create_dir_all(project.run_dir()).map_err(|error| unreadable(&error))?;
    let mut child = spawn(context, &arguments, project.root(), &words)?;
    let started = context
        .interrupts
        .or_drop(answers(&client, &mut child, &words))
        .await;
    if started.is_err() {
        // One that is only slow would go on without anybody knowing.
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = fs::remove_file(&words);
    let status = started?;
    tell(context, &status, "runs")?;
    if !context.output.json {
        let made: Value = client.post_plain("/operator/set-up").await?;
        match made.get("link").and_then(Value::as_str) {
            Some(link) if context.output.talks_to_terminal() => serve::tell_set_up(context, link),
            Some(_) => context.output.tell(serve::first_admin::WITHOUT_TERMINAL),
            None => {}
        }
    }
    if let Some(url) = status.get("url").and_then(Value::as_str)
        && !arguments.no_browser
        && context.output.talks_to_terminal()
    {
        browse(url);
    }
    Ok(())
}

fn spawn(
    context: &Context,
    arguments: &Arguments,
    root: &Path,
    words: &Path,
) -> Result<Child, Stop> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.options_mut().mode(0o600);
    let stderr = options.open(words).map_err(|error| unreadable(&error))?;
    let program = std::env::current_exe().map_err(|error| unreadable(&error))?;
    let wait = context.global.wait.to_string();
    let spawned = Command::new(program)
        .arg("serve")
        .arg("--json")
        .arg("--project")
        .arg(root)
        .args(["--wait", &wait])
        .args(arguments.serve.words())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr.into_file())
        // So that Ctrl-C at this terminal is not for it.
        .process_group(0)
        .spawn();
    spawned.map_err(|error| unreadable(&error))
}

/// Returns the server's status once it answers, or why it does not start.
async fn answers(client: &Client, child: &mut Child, words: &Path) -> Result<Value, Stop> {
    loop {
        if client.is_there().await? {
            return client.get_plain("/operator/status").await;
        }
        if let Some(status) = child.try_wait().map_err(|error| unreadable(&error))? {
            return Err(refused(status.code(), words));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Returns the error that the server ended with, as this command's own.
fn refused(exit_code: Option<i32>, words: &Path) -> Stop {
    let kind = match exit_code {
        Some(3) => Kind::Denied,
        Some(4) => Kind::NotFound,
        Some(5) => Kind::Conflict,
        Some(75) => Kind::Unavailable,
        Some(1 | 2 | 64) => Kind::Invalid,
        _ => Kind::Bug,
    };
    let text = fs::read_to_string(words).unwrap_or_default();
    let text: String = text.chars().take(WORDS_BYTES_MAX).collect();
    let lines = text.lines().rev();
    let told = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|line| line.get("error").cloned());
    let word = |key: &str| {
        let value = told.as_ref().and_then(|told| told.get(key)?.as_str());
        value.unwrap_or_default().to_owned()
    };
    let code = Code::parse(&word("code")).unwrap_or(Code::Bug);
    let message = word("message");
    let say = if message.is_empty() {
        say!("the server did not start")
    } else {
        say!("", Retold(&message))
    };
    Stop::Failed(Error::new(kind, code, say).hint(say!("", Retold(&word("hint")))))
}

fn tell(context: &Context, status: &Value, how: &str) -> Result<(), Stop> {
    let url = status
        .get("url")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let pid = status
        .get("pid")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if context.output.json {
        let is_new = how == "runs";
        return context
            .output
            .print_json(&json!({"url": url, "pid": pid, "started": is_new}));
    }
    context
        .output
        .print(&format!("dango {how} at {url} (pid {pid})"))
}

/// Opens the browser where there is one; that it did not open is no failure.
fn browse(url: &str) {
    let environment = Environment::from_process();
    let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| environment.setting(name).is_some());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if has_screen {
        "xdg-open"
    } else {
        return;
    };
    let _ = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
