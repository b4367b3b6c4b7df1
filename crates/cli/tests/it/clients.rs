//! Programs that others wrote, against the real server: `curl`, `oathtool`, `PyJWT`. What the documents say holds for them.

mod curl;
mod jwt;
mod oath;

use crate::project::Project;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use testkit::http::Connection;

const PASSWORD: &str = "correct horse battery staple";

/// A project with the admin ada, whose server runs for as long as this lives.
struct Served {
    project: Project,
    /// The port of pages and cookies.
    web: u16,
    /// DAP's port.
    dap: u16,
}

impl Served {
    fn start(settings: &str, variables: &[(&str, &str)]) -> Self {
        let project = Project::empty();
        let words = [
            "init",
            "--admin-email",
            "ada@example.com",
            "--admin-password-stdin",
        ];
        project.run_with(&words, PASSWORD, &[]).succeeded();
        project.write(".dango/project.yml", settings);
        let variables = [variables, &[("DAP_ENGINE_PORT", "0")]].concat();
        let words = ["start", "--port", "0", "--no-browser"];
        project.run_with(&words, "", &variables).succeeded();
        let status = project.run(&["status", "--json"]).succeeded().json();
        let addresses = status["addresses"].as_array().expect("addresses");
        let port = |address: Option<&Value>| {
            let text = address.and_then(Value::as_str).unwrap_or_default();
            let port = text.rsplit(':').next().and_then(|port| port.parse().ok());
            port.expect("a port")
        };
        Self {
            web: port(addresses.first()),
            dap: port(addresses.last()),
            project,
        }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.web).expect("it listens")
    }

    /// Signs ada in; returns the cookie's value.
    fn sign_in(&self) -> String {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let answer = self
            .connect()
            .ask("POST", "/api/auth/login", &[], Some(&body))
            .expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie("dap-jwt").expect("a session").to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        let _ = self.project.run(&["stop"]);
    }
}

/// Runs a program with something on stdin and returns what it prints.
#[track_caller]
fn run(command: &mut Command, stdin: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it is installed: see scripts/check-tools.sh");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(stdin.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
