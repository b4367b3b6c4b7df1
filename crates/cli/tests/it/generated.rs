//! Files that the binary makes are what is committed. `make fix` (`DANGO_ACCEPT=1`) writes them anew.

use crate::project::Project;
use std::path::Path;

#[track_caller]
fn check(path: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    #[expect(
        clippy::disallowed_methods,
        reason = "set by `make fix`, read by nothing else"
    )]
    let accepts = std::env::var_os("DANGO_ACCEPT").is_some();
    if accepts {
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs_err::write(&path, made).expect("written");
    }
    let committed = fs_err::read_to_string(&path).unwrap_or_default();
    let first = committed
        .lines()
        .zip(made.lines())
        .position(|(a, b)| a != b);
    assert!(
        committed == made,
        "{} is not what the binary makes (first difference: line {first:?}); `make fix` writes it",
        path.display()
    );
}

#[test]
fn the_reference_is_the_command_line() {
    let made = Project::empty().run(&["reference"]).succeeded().stdout;
    check("../../docs/CLI.md", &made);
}

#[test]
fn the_help_is_reviewed_like_code() {
    let folder = Project::empty();
    let pages: &[&[&str]] = &[
        &[],
        &["init"],
        &["source", "add"],
        &["source", "edit"],
        &["source", "remove"],
        &["sync"],
        &["query"],
        &["secrets", "set"],
        &["config", "show"],
        &["audit"],
        &["audit", "verify"],
        &["user"],
        &["user", "add"],
        &["token", "create"],
        &["serve"],
        &["start"],
        &["demo"],
    ];
    let mut made = String::new();
    for page in pages {
        let words: Vec<_> = page.iter().copied().chain(["--help"]).collect();
        let help = folder.run(&words).succeeded().stdout;
        made += &["$ dango ", &words.join(" "), "\n", &help, "\n"].concat();
    }
    check("tests/it/snapshots/help.txt", &made);
}

/// Checks the table that stands between two marks of a document.
#[track_caller]
fn check_table(path: &str, name: &str, table: &str) {
    let begin = format!("<!-- {name}: made by `make fix` -->\n");
    let end = format!("<!-- end of {name} -->");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs_err::read_to_string(file).expect("it reads");
    let (before, rest) = text.split_once(&begin).expect("a beginning");
    let (_, after) = rest.split_once(&end).expect("an end");
    check(path, &[before, &begin, table, &end, after].concat());
}

#[test]
fn the_events_of_the_audit_log_are_documented() {
    let mut table = String::from("| event | event_type |\n|---|---|\n");
    for event in security::Event::ALL {
        table += &["| `", event.as_str(), "` | `", event.kind(), "` |\n"].concat();
    }
    check_table("../../docs/AUDIT.md", "events", &table);
}

/// Returns the routes that ask for a permission, by method and path.
fn routes_of(permission: &str) -> String {
    let table = server::table();
    let asking = table.routes().filter(|route| {
        let is_for_people = route.reach != server::Reach::Operator;
        is_for_people
            && matches!(route.guard, server::Guard::Permission(line) if line.name == permission)
    });
    let named: Vec<_> = asking
        .map(|route| ["`", route.method, " ", route.path, "`"].concat())
        .collect();
    if named.is_empty() {
        return "none yet".to_owned();
    }
    named.join(", ")
}

#[test]
fn the_permissions_are_documented() {
    use security::Role::{Admin, Editor, Viewer};
    let mark = |has: bool| if has { "✓ | " } else { "– | " };
    let table_of = |lines: &[security::Line]| {
        let mut table = String::from(
            "| permission | viewer | editor | admin | operator | local | token | fresh | routes |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        );
        for line in lines {
            table += &["| `", line.name, "` | "].concat();
            for role in [Viewer, Editor, Admin] {
                table += mark(line.roles.contains(&role));
            }
            let rest = [
                line.is_operators,
                line.is_local,
                !line.is_session_only,
                line.is_fresh,
            ];
            for has in rest {
                table += mark(has);
            }
            table += &[&routes_of(line.name), " |\n"].concat();
        }
        table
    };
    let path = "../../docs/USERS.md";
    check_table(path, "permissions", &table_of(security::permissions::ALL));
    check_table(
        path,
        "account permissions",
        &table_of(security::permissions::ACCOUNT),
    );
}
