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
