//! A project with people in it, and its server.

use super::acts::{Client, Journal, PASSWORD, Person, text};
use super::metadata::Metadata;
use crate::project::binary;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;
use testkit::http::Connection;

/// Clients of other addresses come through a proxy on this machine.
const SETTINGS: &str =
    "auth: {rate_limit: {enabled: false}}\nserver: {trusted_proxies: ['127.0.0.1', '::1']}\n";
/// People whose roles change; none of them signs in.
const SUBJECTS: usize = 5;

pub(crate) struct Team {
    folder: TempDir,
    pub(crate) metadata: Metadata,
    anchor: String,
    pub(crate) admin: Person,
    pub(crate) minter: Person,
    pub(crate) viewer: Person,
    pub(crate) entrant: Person,
    pub(crate) subjects: Vec<Person>,
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Team {
    /// Makes the project.
    pub(crate) fn new(metadata: Metadata) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let nobody = || Person {
            id: String::new(),
            email: String::new(),
        };
        let mut team = Self {
            folder,
            metadata,
            anchor: String::new(),
            admin: nobody(),
            minter: nobody(),
            viewer: nobody(),
            entrant: nobody(),
            subjects: Vec::new(),
        };
        let words = [
            "init",
            "--json",
            "--admin-email",
            "ada@example.com",
            "--admin-password-stdin",
        ];
        let mut command = team.dango(&words);
        let mut init = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dango runs");
        let mut stdin = init.stdin.take().expect("piped");
        stdin.write_all(PASSWORD.as_bytes()).expect("it reads");
        drop(stdin);
        let output = init.wait_with_output().expect("it ends");
        let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        team.anchor = text(&made, "audit_anchor");
        std::fs::write(team.folder.path().join(".dango/project.yml"), SETTINGS).expect("written");
        team.people(&text(&made["admin"], "id"));
        team
    }

    /// Fills the project with people.
    fn people(&mut self, admin: &str) {
        let server = self.serve(None).expect("the server starts");
        let journal = Journal::default();
        let mut client = Client {
            connection: Connection::open(server.port).expect("it listens"),
            journal: &journal,
        };
        self.admin = Person {
            id: admin.to_owned(),
            email: "ada@example.com".into(),
        };
        let cookie = client.sign_in(&self.admin).expect("the admin signs in");
        let mut invite = |name: &str, role: &str, accepts: bool| {
            let email = format!("{name}@example.com");
            let (path, body) = ("/api/admin/users", json!({"email": email, "role": role}));
            let headers = [("Cookie", cookie.as_str())];
            let connection = &mut client.connection;
            let made = connection
                .ask("POST", path, &headers, Some(&body))
                .expect("an answer")
                .json();
            if accepts {
                let url = text(&made, "invite_url");
                let token = url.rsplit('/').next().unwrap_or_default();
                let body = json!({"token": token, "password": PASSWORD});
                let accepted = connection.ask("POST", "/api/auth/accept-invite", &[], Some(&body));
                let accepted = accepted.expect("an answer");
                assert!(accepted.status < 300, "{accepted:?}");
            }
            Person {
                id: text(&made["user"], "id"),
                email,
            }
        };
        self.minter = invite("bob", "editor", true);
        self.viewer = invite("eve", "viewer", true);
        self.entrant = invite("lou", "viewer", true);
        self.subjects = (0..SUBJECTS)
            .map(|n| invite(&format!("sam{n}"), "viewer", false))
            .collect();
        let all = [&self.admin, &self.minter, &self.viewer, &self.entrant];
        assert!(
            all.into_iter()
                .chain(&self.subjects)
                .all(|person| person.id.len() == 36),
            "{:?}",
            self.subjects
        );
        server.stop().expect("the server stops");
    }

    /// Makes another project that is as this one is now; `number` is its own.
    pub(crate) fn copied(&self, number: usize) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let from = format!("{}/.", self.folder.path().display());
        let copied = Command::new("cp")
            .args(["-a", &from])
            .arg(folder.path())
            .status();
        assert!(copied.expect("cp runs").success());
        Self {
            folder,
            metadata: self.metadata.copied(format!("team_{number}")),
            anchor: self.anchor.clone(),
            admin: self.admin.clone(),
            minter: self.minter.clone(),
            viewer: self.viewer.clone(),
            entrant: self.entrant.clone(),
            subjects: self.subjects.clone(),
        }
    }

    fn dango(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("DAP_ENGINE_PORT", "0")
            .envs(self.metadata.variables())
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the server; with a number it aborts at that effect, which may be before it listens: then there is none.
    pub(crate) fn serve(&self, fault_at: Option<u64>) -> Result<Server, String> {
        let mut command = self.dango(&["serve", "--port", "0"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.envs(fault_at.map(|n| ("DANGO_FAULT_AT", n.to_string())));
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        // `dango listens: http://localhost:8800 (127.0.0.1:8800, …)`
        let url = line.split_whitespace().nth(2).unwrap_or_default();
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        if let Some(port) = port {
            return Ok(Server { child, port });
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        Err(format!("the server ended with {status} before it listened"))
    }

    /// Verifies the audit log with the program's own means; returns how many records it has.
    pub(crate) fn verify(&self) -> Result<Value, String> {
        let words = ["audit", "verify", "--anchor", &self.anchor, "--json"];
        let output = self
            .dango(&words)
            .output()
            .map_err(|error| error.to_string())?;
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if output.status.success() && found["holds"] == true {
            return Ok(found);
        }
        let told = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`dango audit verify` ended with {}: {found:#}{told}",
            output.status
        ))
    }

    pub(crate) fn rows(&self, query: &str) -> Result<Vec<Value>, String> {
        self.metadata.rows(&self.path(".dango/metadata.db"), query)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Server {
    /// Ends it as a power failure does.
    pub(crate) fn kill(&mut self) {
        // Already gone is fine: it was to die at a fault point.
        let _ = self.child.kill();
    }

    /// Returns whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_some())
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Option<ExitStatus> {
        self.child.wait().ok()
    }

    /// Asks it to stop in good order.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        asked.map_err(|error| error.to_string())?;
        let ended = self.child.wait().map_err(|error| error.to_string())?;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("the server stopped with {ended}"))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A campaign that went wrong leaves no server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
