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

#[test]
fn the_events_of_the_audit_log_are_documented() {
    const BEGIN: &str = "<!-- events: made by `make fix` -->\n";
    const END: &str = "<!-- end of events -->";
    let mut table = String::from("| event | event_type |\n|---|---|\n");
    for event in security::Event::ALL {
        table += &["| `", event.as_str(), "` | `", event.kind(), "` |\n"].concat();
    }
    let path = "../../docs/AUDIT.md";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs_err::read_to_string(file).expect("it reads");
    let (before, rest) = text.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    check(path, &[before, BEGIN, &table, END, after].concat());
}
