//! People as the operator of the machine manages them: no server runs, and none is needed.

use crate::project::{Project, Ran};
use serde_json::Value;

const PASSWORD: &str = "correct horse battery staple\n";

fn team() -> Project {
    let project = Project::empty();
    let words = [
        "init",
        "--admin-email",
        "Ada@Example.com",
        "--admin-password-stdin",
    ];
    project.run_with(&words, PASSWORD, &[]).succeeded();
    project
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).expect("one JSON document")
}

fn list(project: &Project) -> Vec<(String, String, String)> {
    let listed = json(
        &project
            .run(&["user", "list", "--include-deleted", "--json"])
            .succeeded(),
    );
    let text = |user: &Value, key: &str| user[key].as_str().unwrap_or_default().to_owned();
    let items = listed["items"].as_array().expect("items").iter();
    items
        .map(|user| (text(user, "email"), text(user, "role"), text(user, "state")))
        .collect()
}

fn row(email: &str, role: &str, state: &str) -> (String, String, String) {
    (email.into(), role.into(), state.into())
}

#[test]
fn the_first_admin_is_made_by_whoever_installs() {
    let project = team();
    assert_eq!(list(&project), [row("ada@example.com", "admin", "active")]);
    let weak = Project::empty();
    let words = [
        "init",
        "--admin-email",
        "ada@example.com",
        "--admin-password-stdin",
    ];
    weak.run_with(&words, "password1\n", &[])
        .failed(1, "password_weak");

    // Nobody to ask: a password is made up, shown once, and has to be changed.
    let generated = Project::empty();
    let ran = generated
        .run(&["init", "--admin-email", "ada@example.com", "--json"])
        .succeeded();
    let made = json(&ran);
    assert_eq!(
        made["admin"]["generated_password"].as_str().map(str::len),
        Some(22)
    );
    let shown = json(
        &generated
            .run(&["user", "show", "ada@example.com", "--json"])
            .succeeded(),
    );
    assert_eq!(shown["user"]["must_change_password"], true);

    // DAP's: whoever has the address is promoted and keeps his password.
    project.run(&["user", "add", "bob@example.com"]).succeeded();
    let promoted = json(
        &project
            .run(&["init", "--admin-email", "bob@example.com", "--json"])
            .succeeded(),
    );
    assert_eq!(promoted["admin"]["promoted_existing"], true);
    assert_eq!(promoted["admin"]["generated_password"], Value::Null);
    // Dango's: from the environment.
    let other = Project::empty();
    let variables = [
        ("DANGO_ADMIN_EMAIL", "eve@example.com"),
        ("DANGO_ADMIN_PASSWORD", PASSWORD.trim()),
    ];
    other.run_with(&["init"], "", &variables).succeeded();
    assert_eq!(list(&other), [row("eve@example.com", "admin", "active")]);
}

#[test]
fn people_come_and_go_and_an_admin_remains() {
    let project = team();
    let invited = project
        .run(&["user", "add", "bob@example.com", "--role", "editor"])
        .succeeded();
    assert!(
        invited.stdout.starts_with("http://localhost:8800/invite/"),
        "{invited:#?}"
    );
    assert!(!invited.stderr.contains("/invite/"), "the link is data");
    assert_eq!(
        list(&project)[0],
        row("bob@example.com", "editor", "invited")
    );
    project
        .run(&["user", "add", "bob@example.com"])
        .failed(5, "user_exists");
    project
        .run(&["user", "add", "not an address"])
        .failed(2, "usage_invalid");
    project
        .run(&["user", "role", "ada@example.com", "viewer"])
        .failed(5, "last_admin");
    project
        .run(&["user", "delete", "ada@example.com", "--yes"])
        .failed(5, "last_admin");
    project
        .run(&["user", "role", "nobody@example.com", "viewer"])
        .failed(4, "user_not_found");
    project
        .run(&["user", "deactivate", "bob@example.com"])
        .succeeded();
    assert_eq!(
        list(&project)[0],
        row("bob@example.com", "editor", "deactivated")
    );
    project
        .run(&["user", "reactivate", "bob@example.com"])
        .succeeded();
    project
        .run(&["user", "delete", "bob@example.com"])
        .failed(2, "input_needed");
    project
        .run(&["user", "delete", "bob@example.com", "--yes"])
        .succeeded();
    assert_eq!(
        list(&project)[0],
        row("bob@example.com", "editor", "deleted")
    );
    project
        .run(&["user", "restore", "bob@example.com"])
        .succeeded();
    let reset = project
        .run(&["user", "reset-password", "ada@example.com"])
        .succeeded();
    assert!(
        reset
            .stdout
            .starts_with("http://localhost:8800/reset-password/"),
        "{reset:#?}"
    );
    project
        .run(&["user", "reset-2fa", "bob@example.com"])
        .succeeded();
    project
        .run(&["user", "unlock", "bob@example.com"])
        .succeeded();
    project
        .run(&["user", "erase", "bob@example.com", "--yes"])
        .succeeded();
    project
        .run(&["user", "show", "bob@example.com"])
        .failed(4, "user_not_found");
    let log = project
        .run(&["audit", "--json", "--limit", "100"])
        .succeeded();
    for event in [
        "user_created",
        "role_changed",
        "user_deleted",
        "user_restored",
        "user_erased",
        "password_reset",
    ] {
        let is_there = log.stdout.contains(event);
        assert_eq!(
            is_there,
            event != "role_changed",
            "{event}: what was refused has changed nothing"
        );
    }
    assert!(
        !log.stdout.contains("bob@example.com"),
        "an erased user is not named any more"
    );
    project.run(&["audit", "verify"]).succeeded();
}

#[test]
fn a_token_is_printed_once_and_revoked() {
    let project = team();
    let made = project
        .run(&[
            "token",
            "create",
            "ci",
            "--scope",
            "source.view",
            "--expires-in-days",
            "7",
        ])
        .succeeded();
    let raw = made.stdout.trim();
    assert!(raw.starts_with("dap_") && raw.len() == 47, "{made:#?}");
    let listed = project.run(&["token", "list", "--json"]).succeeded();
    assert!(!listed.stdout.contains(raw));
    let token = &json(&listed)["items"][0];
    assert_eq!(token["prefix"].as_str(), raw.get(4..12));
    assert_eq!(token["scopes"][0], "source.view");
    let id = token["id"].as_str().expect("an id").to_owned();
    project.run(&["token", "revoke", &id]).succeeded();
    project.run(&["token", "revoke", &id]).succeeded();
    assert!(
        project
            .run(&["token", "list"])
            .succeeded()
            .stdout
            .contains("revoked")
    );
    project
        .run(&["token", "revoke", "nonsense"])
        .failed(2, "usage_invalid");
    project
        .run(&["token", "create", "ci", "--scope", "everything"])
        .failed(1, "token_invalid");
    project
        .run(&["token", "create", "ci", "--expires-in-days", "3651"])
        .failed(2, "usage_invalid");
    project
        .run(&["token", "list", "--as", "nobody@example.com"])
        .failed(4, "user_not_found");
}

#[test]
fn keys_are_replaced_unless_they_are_given() {
    let project = team();
    project.run(&["keys", "rotate"]).succeeded();
    let first = project.read(".dango/keys/session.keys");
    project.run(&["keys", "rotate"]).succeeded();
    assert_eq!(project.read(".dango/keys/session.keys").lines().count(), 2);
    let all = project
        .run(&["keys", "rotate", "--revoke-all", "--json"])
        .succeeded();
    assert_eq!(json(&all)["sessions_ended"], 0);
    assert_eq!(project.read(".dango/keys/session.keys").lines().count(), 1);
    assert!(
        !project
            .read(".dango/keys/session.keys")
            .contains(first.trim())
    );
    let given = [(
        "DAP_AUTH_JWT_SECRET",
        "8f1d0c9b7a6e5f4d3c2b1a0918273645a7c3e9d1f0b2846c5e7a9d3b1f60c284",
    )];
    project
        .run_with(&["keys", "rotate"], "", &given)
        .failed(1, "signing_key_given");
    for weak in ["", "secret", "changemechangemechangemechangeme"] {
        let variables = [("DAP_AUTH_JWT_SECRET", weak), ("DAP_ENGINE_PORT", "0")];
        let ran = project.run_with(&["serve", "--port", "0"], "", &variables);
        ran.failed(64, "signing_key_weak");
    }
    let container = project.run_with(
        &["serve", "--port", "0"],
        "",
        &[("DANGO_CONTAINER", "1"), ("DAP_ENGINE_PORT", "0")],
    );
    container.failed(64, "signing_key_missing");
    let asked = project.run_with(
        &["serve", "--port", "0", "--require-secret"],
        "",
        &[("DAP_ENGINE_PORT", "0")],
    );
    asked.failed(64, "signing_key_missing");
}

#[test]
fn a_database_that_does_not_answer_is_named_and_nothing_takes_its_place() {
    let project = team();
    for name in ["DANGO_DATABASE_URL", "DAP_DATABASE_URL"] {
        let variables = [(
            name,
            "postgresql+asyncpg://ada:hunter2hunter2@127.0.0.1:1/dango",
        )];
        let ran = project.run_with(&["user", "list"], "", &variables);
        let ran = ran.failed(1, "store_failed");
        assert!(ran.stderr.contains("127.0.0.1:1/dango"), "{ran:#?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
    }
    let ran = project.run_with(
        &["user", "list"],
        "",
        &[("DANGO_DATABASE_URL", "mysql://hunter2hunter2@host/db")],
    );
    assert!(!ran.failed(1, "store_failed").stderr.contains("hunter2"));
}
