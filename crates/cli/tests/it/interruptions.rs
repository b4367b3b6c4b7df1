//! Ctrl-C while a sync runs, and a second command meanwhile.

use crate::api::{Answer, Api};
use crate::project::Project;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

const TOKEN: &str = "[sources.pay]\nauth_token = \"t0ken-of-the-api\"\n";

fn slow_project(api: &Api) -> Project {
    let project = Project::new();
    project.write(".dango/sources.yml", &api.sources());
    project.write(".dlt/secrets.toml", TOKEN);
    project
}

fn start(project: &Project, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_dango"))
        .args(words)
        .current_dir(project.path(""))
        .env_remove("DANGO_PROJECT_ROOT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

fn ended(child: Child) -> (Option<i32>, String, Output) {
    let output = child.wait_with_output().expect("it ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output,
    )
}

#[test]
fn ctrl_c_stops_a_sync_and_the_next_one_goes_on() {
    let api = Api::start(Answer::Silence);
    let project = slow_project(&api);
    for name in ["-INT", "-TERM"] {
        let child = start(&project, &["sync"]);
        api.wait_for_a_client();
        signal(&child, name);
        let (code, stderr, output) = ended(child);
        assert_eq!(code, Some(130), "{output:?}");
        assert!(
            stderr.contains("stopping; a commit that has begun is finished"),
            "{stderr}"
        );
        assert!(stderr.contains("interrupted"), "{stderr}");
    }
    let history = project
        .run(&["source", "show", "pay", "--json"])
        .succeeded()
        .json();
    assert_eq!(history["history"][0]["state"], "cancelled", "{history}");
}

#[test]
fn a_second_command_waits_and_says_for_whom() {
    let api = Api::start(Answer::Silence);
    let project = slow_project(&api);
    let child = start(&project, &["sync"]);
    api.wait_for_a_client();
    let ran = project
        .run(&["db", "status", "--wait", "0"])
        .failed(5, "project_locked");
    assert!(
        ran.stderr
            .contains(&format!("`dango sync` (pid {})", child.id())),
        "{ran:#?}"
    );
    // A server says for whom it waits, and how long; also one that is started in the background, which has no terminal.
    for words in [
        &["serve", "--port", "0", "--wait", "1"][..],
        &["start", "--port", "0", "--wait", "1", "--no-browser"],
    ] {
        let ran = project.run(words).failed(5, "project_locked");
        let told = format!(
            "waiting for `dango sync` (pid {}) to end, 1 second at most",
            child.id()
        );
        assert!(ran.stderr.contains(&told), "{told}: {ran:#?}");
        assert!(ran.stderr.contains("`--wait SECONDS`"), "{ran:#?}");
    }
    let waiting = start(&project, &["db", "status", "--wait", "50"]);
    signal(&child, "-INT");
    assert_eq!(ended(child).0, Some(130));
    let (code, _, output) = ended(waiting);
    assert_eq!(code, Some(0), "{output:?}");
    // Whoever only looks at files waits for nobody.
    project.run(&["config", "show", "--wait", "0"]).succeeded();
}

#[test]
fn ctrl_c_ends_a_command_that_reads_stdin() {
    let project = Project::new();
    for words in [
        &["query", "-"][..],
        &["secrets", "set", "shop.password", "--stdin"],
        &[
            "source",
            "add",
            "postgres",
            "--name",
            "db",
            "--secret-stdin",
            "password",
        ],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dango"))
            .args(words)
            .current_dir(project.path(""))
            .env_remove("DANGO_PROJECT_ROOT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdin = child.stdin.take().expect("piped");
        // More than the pipe holds: when it is written, the command is reading.
        stdin.write_all(&vec![b' '; 100_000]).expect("it reads");
        signal(&child, "-INT");
        let (code, stderr, output) = ended(child);
        assert_eq!(code, Some(130), "{words:?}: {output:?}");
        assert!(stderr.contains("interrupted"), "{words:?}: {stderr}");
        drop(stdin);
    }
}
