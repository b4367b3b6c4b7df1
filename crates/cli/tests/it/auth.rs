//! `dango auth`: the switch of sign-in, the way back in, and getdango's verbs for people.

use crate::project::Project;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn getdangos_verbs_do_what_ours_do() {
    let project = Project::empty();
    project.run(&["init"]).succeeded();
    let added = project.run(&["auth", "add-user", "eve@example.com", "--json"]);
    assert!(added.succeeded().json()["invite_url"].is_string());
    for (verb, state) in [
        ("deactivate-user", "deactivated"),
        ("reactivate-user", "invited"),
    ] {
        project.run(&["auth", verb, "eve@example.com"]).succeeded();
        let listed = project
            .run(&["auth", "list-users", "--json"])
            .succeeded()
            .json();
        assert_eq!(listed["items"][0]["state"], state);
        assert_eq!(
            listed,
            project.run(&["user", "list", "--json"]).succeeded().json()
        );
    }
    project
        .run(&["auth", "change-role", "eve@example.com", "editor"])
        .succeeded();
    project
        .run(&["auth", "unlock", "eve@example.com"])
        .succeeded();
    project
        .run(&["auth", "reset-password", "eve@example.com"])
        .succeeded();
    let audit = project.run(&[
        "auth",
        "audit",
        "--type",
        "role_changed",
        "--limit",
        "1",
        "--json",
    ]);
    assert_eq!(audit.succeeded().json()["total"], 1);
    project
        .run(&["auth", "delete-user", "eve@example.com", "-y"])
        .succeeded();
    let status = project
        .run(&["auth", "status", "--json"])
        .succeeded()
        .json();
    assert_eq!(status["users"]["total"], 0);
}

#[test]
fn sign_in_is_switched_off_only_on_purpose_and_it_is_written_down() {
    let project = Project::empty();
    project.run(&["init"]).succeeded();
    project.run(&["auth", "disable"]).failed(2, "input_needed");
    project.run(&["auth", "disable", "-y"]).succeeded();
    let file = project.path(".dango/auth.yml");
    let mode = fs_err::metadata(&file)
        .expect("written")
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600);
    let status = project
        .run(&["auth", "status", "--json"])
        .succeeded()
        .json();
    assert_eq!(status["auth_enabled"], false);
    let reached = project.run(&[
        "serve",
        "--host",
        "0.0.0.0",
        "--port",
        "0",
        "--behind-proxy",
    ]);
    reached.failed(3, "listen_refused");
    project.run(&["auth", "enable"]).succeeded();
    for kind in ["auth.disabled", "auth.enabled"] {
        let audit = project
            .run(&["audit", "--type", kind, "--json"])
            .succeeded();
        assert_eq!(audit.json()["total"], 1, "{kind}");
    }
}

#[test]
fn the_operator_gets_back_in() {
    let project = Project::empty();
    project.run(&["init"]).succeeded();
    let first = project
        .run(&["auth", "recover", "--json"])
        .succeeded()
        .json();
    assert!(
        first["set_up_url"]
            .as_str()
            .is_some_and(|url| url.contains("/setup/"))
    );
    project
        .run(&[
            "auth",
            "add-user",
            "ada@example.com",
            "--role",
            "admin",
            "--password",
        ])
        .succeeded();
    project
        .run(&["auth", "add-user", "eve@example.com"])
        .succeeded();
    project.run(&["auth", "recover"]).failed(2, "usage_invalid");
    project
        .run(&["auth", "recover", "eve@example.com"])
        .failed(2, "usage_invalid");
    let back = project.run(&[
        "auth",
        "recover",
        "ada@example.com",
        "--reset-2fa",
        "--json",
    ]);
    let back = back.succeeded().json();
    assert!(
        back["reset_url"]
            .as_str()
            .is_some_and(|url| url.contains("/reset-password/"))
    );
}
