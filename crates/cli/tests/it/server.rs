//! The server as the command line meets it: started, asked through its socket, stopped; and every command tells the same with
//! it as without.

use crate::project::{Project, Ran};
use serde_json::Value;

/// A project whose server runs, for as long as this lives.
pub(crate) struct Served(pub(crate) Project);

pub(crate) const FREE_PORT: &[(&str, &str)] = &[("DAP_ENGINE_PORT", "0")];

impl Served {
    pub(crate) fn start(project: Project) -> Self {
        let words = ["start", "--port", "0", "--no-browser"];
        let started = project.run_with(&words, "", FREE_PORT).succeeded();
        assert!(
            started
                .stdout
                .starts_with("dango runs at http://localhost:"),
            "{started:?}"
        );
        Self(project)
    }

    pub(crate) fn status(&self) -> Value {
        let told = self.0.run(&["status", "--json"]).succeeded();
        serde_json::from_str(&told.stdout).expect("JSON")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        let _ = self.0.run(&["stop"]);
    }
}

/// Leaves out what is another time, another load or another folder.
fn without_times(text: &str, project: &Project) -> String {
    let folder = project.path("").canonicalize().expect("it exists");
    let text = text.replace(
        folder.to_str().expect("UTF-8").trim_end_matches('/'),
        "FOLDER",
    );
    let mut lines = Vec::new();
    for line in text.lines() {
        let words = line.split_inclusive(|c: char| c.is_whitespace() || c == '"' || c == ',');
        let is_time = |word: &str| {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            let is_date = word.starts_with("2026-") || word.starts_with("2027-");
            // Load ids, uuids, seconds, hours.
            is_date
                || digits >= 12
                || word.contains('.') && digits >= 2 && !word.contains('-')
                || word.matches(':').count() == 1 && digits == 4
        };
        let kept = words.filter(|word| !is_time(word)).collect::<String>();
        lines.push(kept);
    }
    lines.join("\n")
}

#[track_caller]
fn check(served: &Project, alone: &Project, words: &[&str]) {
    let run = |project: &Project| {
        let Ran {
            code,
            stdout,
            stderr,
        } = project.run(words);
        (
            code,
            without_times(&stdout, project),
            without_times(&stderr, project),
        )
    };
    assert_eq!(run(served), run(alone), "dango {}", words.join(" "));
}

#[test]
fn every_command_tells_the_same_with_a_server_as_without() {
    let alone = Project::shop();
    let served = Served::start(alone.copied());
    let commands: &[&[&str]] = &[
        &["sync"],
        &["sync", "--json"],
        &["sync", "shop", "--full-refresh"],
        &["sync", "shop", "--dry-run"],
        &["sync", "nothing"],
        &["sync", "nothing", "--json"],
        &[
            "query",
            "SELECT order_id, sku, amount FROM raw_shop.orders ORDER BY 1",
        ],
        &[
            "query",
            "--format",
            "csv",
            "SELECT order_id, sku, amount FROM raw_shop.orders ORDER BY 1",
        ],
        &[
            "query",
            "--json",
            "SELECT order_id, amount, [1, 2] AS l FROM raw_shop.orders ORDER BY 1",
        ],
        &[
            "query",
            "--format",
            "jsonl",
            "SELECT 'ä' AS \"ö\", 1.10 AS n, 1.10 AS n, 12345678901234567890 AS big",
        ],
        &[
            "query",
            "--limit",
            "2",
            "SELECT order_id FROM raw_shop.orders ORDER BY 1",
        ],
        &[
            "query",
            "--format",
            "csv",
            "SELECT * FROM range(100000)",
            "--limit",
            "0",
        ],
        &["query", "SELECT * FROM range(0)"],
        &["query", "--json", "SELECT * FROM range(0)"],
        &["query", "DROP TABLE raw_shop.orders"],
        &["query", "SELECT nothing"],
        &["query", "--json", "SELECT nothing"],
        &[
            "query",
            "-o",
            "out.csv",
            "SELECT order_id FROM raw_shop.orders ORDER BY order_id",
        ],
        &[
            "query",
            "-o",
            "out.csv",
            "SELECT order_id FROM raw_shop.orders ORDER BY order_id",
        ],
        &[
            "query",
            "-o",
            "out.parquet",
            "--json",
            "SELECT order_id FROM raw_shop.orders ORDER BY order_id",
        ],
        &["query", "-o", "nowhere/out.csv", "SELECT 1"],
        &["source", "show", "shop"],
        &["source", "show", "shop", "--json"],
        &["source", "show", "nothing"],
        &["source", "list"],
        &["db", "status", "--json", "--color", "never"],
        &["source", "remove", "shop", "--drop-data", "--yes"],
        &["source", "remove", "shop", "--yes", "--json"],
    ];
    for words in commands {
        // The file's size depends on when the engine tidies up.
        if words.first() == Some(&"db") {
            served.0.run(words).succeeded();
            continue;
        }
        check(&served.0, &alone, words);
    }
    served.0.run(&["db", "compact"]).succeeded();
    assert_eq!(served.0.read("out.csv"), alone.read("out.csv"));
    let status = served.status();
    assert_eq!(status["syncs_running"], 0, "{status}");
}

#[test]
fn a_server_is_started_once_and_stopped_for_good() {
    let served = Served::start(Project::new());
    let again = served
        .0
        .run_with(&["start", "--no-browser"], "", FREE_PORT)
        .succeeded();
    assert!(again.stdout.contains("runs already"), "{again:?}");
    served.0.run(&["serve"]).failed(5, "project_locked");
    let status = served.status();
    assert_eq!(status["status"], "running");
    assert!(
        status["addresses"]
            .as_array()
            .is_some_and(|all| !all.is_empty()),
        "{status}"
    );
    let stopped = served.0.run(&["stop"]).succeeded();
    assert!(stopped.stdout.starts_with("stopped (pid "), "{stopped:?}");
    assert!(!served.0.path(".dango/run/dango.sock").exists());
    served.0.run(&["stop"]).succeeded();
    let gone = served.0.run(&["status"]).succeeded();
    assert!(
        gone.stdout.contains("no server of this project runs"),
        "{gone:?}"
    );
    served.0.run(&["db", "status"]).succeeded();
}

#[test]
fn a_server_that_was_killed_is_in_nobodys_way() {
    let served = Served::start(Project::synced_shop());
    let pid = served.status()["pid"].as_u64().expect("a pid").to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill runs").success());
    let query = [
        "query",
        "--format",
        "csv",
        "SELECT count(*) AS n FROM raw_shop.orders",
    ];
    assert_eq!(served.0.run(&query).succeeded().stdout, "n\n5\n");
    let again = Served::start(served.0.copied());
    assert_eq!(again.0.run(&query).succeeded().stdout, "n\n5\n");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let project = Project::new();
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = occupied
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let start = ["start", "--no-browser", "--port", &port];
    project
        .run_with(&start, "", FREE_PORT)
        .failed(5, "address_in_use");
    let outside = ["serve", "--host", "0.0.0.0", "--port", "0"];
    project
        .run_with(&outside, "", FREE_PORT)
        .failed(3, "listen_refused");
    let container = ["serve", "--port", "0", "--require-secret"];
    project
        .run_with(&container, "", FREE_PORT)
        .failed(64, "signing_key_missing");
    project
        .run(&["serve", "--host", "nonsense"])
        .failed(2, "usage_invalid");
    assert!(!project.path(".dango/run/start.stderr").exists());
}
