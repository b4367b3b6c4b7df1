//! A project in a temporary folder, synced by the real binary.

use crate::sources::Origin;
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a sync is made to die.
#[derive(Debug)]
pub(crate) enum Death {
    /// The main process aborts at its n-th effect.
    FaultPoint(u64),
    /// SIGKILL to the main process, so long after its start.
    Main(Duration),
    /// SIGKILL to the warehouse's worker.
    Worker(Duration),
}

/// Returns the program to try: another build's can be, which needs fault points.
pub(crate) fn binary() -> OsString {
    let named = std::env::var_os("DANGO_SOAK_BINARY");
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_dango").into())
}

pub(crate) struct Project {
    folder: TempDir,
    tables: Vec<String>,
}

impl Project {
    /// Makes a project with `origin` as its one source.
    pub(crate) fn new(origin: &Origin) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let project = Self {
            folder,
            tables: origin.tables(),
        };
        let output = project
            .dango(&["init", "--no-input"])
            .output()
            .expect("dango runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::write(project.path(".dango/sources.yml"), origin.sources_yml()).expect("written");
        std::fs::write(project.path(".dlt/secrets.toml"), origin.secrets_toml()).expect("written");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dango(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
            .env_remove("DANGO_PROJECT_ROOT")
            .env_remove("DANGO_SOAK_BINARY");
        command
    }

    /// Syncs, and returns how long it took.
    pub(crate) fn sync(&self) -> Result<Duration, String> {
        let start = Instant::now();
        let output = self
            .dango(&["sync", "--json"])
            .output()
            .expect("dango runs");
        if output.status.success() {
            return Ok(start.elapsed());
        }
        let log = std::fs::read_to_string(self.path(".dango/logs/dango.jsonl")).unwrap_or_default();
        Err(format!(
            "sync ended with {}: {}{}log: {}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            log.lines().last().unwrap_or_default()
        ))
    }

    /// Returns how many fault points an undisturbed sync passes.
    pub(crate) fn count_fault_points(&self) -> u64 {
        let output = self
            .dango(&["sync", "--json"])
            .env("DANGO_FAULT_COUNT", "1")
            .output()
            .expect("dango runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        let line = stderr
            .lines()
            .find_map(|line| line.strip_prefix("fault points: "));
        line.and_then(|count| count.trim().parse().ok())
            .expect("the binary has fault points")
    }

    /// Starts a sync and lets it die; answers whether it did before it was done.
    pub(crate) fn sync_and_die(&self, death: &Death) -> Result<bool, String> {
        let mut command = self.dango(&["sync", "--json"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Death::FaultPoint(n) = death {
            command.env("DANGO_FAULT_AT", n.to_string());
        }
        let start = Instant::now();
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        match death {
            Death::FaultPoint(_) => {}
            Death::Main(after) => {
                wait_until(start + *after, &mut child)?;
                // Already gone is fine: then it was too late.
                let _ = child.kill();
            }
            Death::Worker(after) => {
                wait_until(start + *after, &mut child)?;
                let Some(worker) = worker_of(&child) else {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(false);
                };
                let killed = Command::new("kill")
                    .args(["-9", &worker.to_string()])
                    .status();
                killed.map_err(|error| error.to_string())?;
            }
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        Ok(!status.success())
    }

    /// Returns what the warehouse holds: of each table the number of rows and a checksum over everything but load ids.
    pub(crate) fn contents(&self) -> Result<Value, String> {
        let parts: Vec<_> = self
            .tables
            .iter()
            .map(|table| {
                format!(
                    "SELECT '{table}' AS name, count(*) AS rows, sum(hash(t)::HUGEINT)::VARCHAR AS checksum \
                     FROM (SELECT * EXCLUDE (_dlt_load_id) FROM {table}) AS t"
                )
            })
            .collect();
        let query = parts.join(" UNION ALL ") + " ORDER BY name";
        let output = self
            .dango(&["query", &query, "--format", "json"])
            .output()
            .expect("dango runs");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    }
}

/// Waits for a moment of the campaign; ends early when the process does.
fn wait_until(moment: Instant, child: &mut Child) -> Result<(), String> {
    while Instant::now() < moment {
        if child
            .try_wait()
            .map_err(|error| error.to_string())?
            .is_some()
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    Ok(())
}

/// Returns the process id of the child's warehouse worker.
fn worker_of(child: &Child) -> Option<u32> {
    let children =
        std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).ok()?;
    let all = std::fs::read_dir(format!("/proc/{}/task", child.id())).ok()?;
    let mut pids: Vec<u32> = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    for task in all.flatten() {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        pids.extend(
            listed
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    pids.into_iter().find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|argument| argument == b"worker")
    })
}
