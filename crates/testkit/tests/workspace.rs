//! The rules of the workspace that a machine can check: crate edges, who owns which dependency, names, sizes.
//! Each failure says why the rule exists.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which crate may use which of ours. Editing this table is a design change: write the reason in the commit.
const EDGES: &[(&str, &[&str])] = &[
    ("dango-domain", &[]),
    ("dango-security", &["dango-domain"]),
    ("dango-sandbox", &["dango-domain"]),
    ("dango-store", &["dango-domain", "dango-security"]),
    (
        "dango-warehouse",
        &["dango-domain", "dango-security", "dango-sandbox"],
    ),
    ("dango-connect", &["dango-domain", "dango-security"]),
    (
        "dango-app",
        &[
            "dango-domain",
            "dango-security",
            "dango-store",
            "dango-warehouse",
            "dango-connect",
            "dango-sandbox",
        ],
    ),
    (
        "dango-server",
        &["dango-domain", "dango-security", "dango-app"],
    ),
    (
        "dango",
        &[
            "dango-domain",
            "dango-security",
            "dango-app",
            "dango-server",
        ],
    ),
];

/// Which outside dependency belongs to which crates alone.
const OWNERS: &[(&str, &[&str])] = &[
    ("duckdb", &["dango-warehouse"]),
    ("arrow", &["dango-warehouse", "dango-connect"]),
    ("sea-orm", &["dango-store"]),
    ("sea-orm-migration", &["dango-store"]),
    ("sqlx", &["dango-connect", "dango-store"]),
    ("reqwest", &["dango-connect"]),
    ("openidconnect", &["dango-connect"]),
    ("lettre", &["dango-connect"]),
    ("webauthn-rs", &["dango-security"]),
    ("landlock", &["dango-sandbox"]),
    ("seccompiler", &["dango-sandbox"]),
    ("axum", &["dango-server"]),
    ("tower", &["dango-server"]),
    ("utoipa", &["dango-server"]),
    ("rust-embed", &["dango-server"]),
    ("clap", &["dango"]),
    ("inquire", &["dango"]),
    ("indicatif", &["dango"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace exists")
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata
        .get("packages")
        .and_then(Value::as_array)
        .expect("packages")
        .clone()
}

fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).expect("a name")
}

/// The normal dependencies (not those of tests) of each crate.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let names = |package: &Value| -> BTreeSet<String> {
        let all = package
            .get("dependencies")
            .and_then(Value::as_array)
            .expect("dependencies");
        let normal = all
            .iter()
            .filter(|dependency| dependency.get("kind").is_none_or(Value::is_null));
        normal
            .map(|dependency| name_of(dependency).to_owned())
            .collect()
    };
    packages()
        .iter()
        .map(|package| (name_of(package).to_owned(), names(package)))
        .collect()
}

#[test]
fn crates_use_only_the_crates_the_table_allows() {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    for (name, uses) in dependencies() {
        if name == "dango-testkit" {
            continue;
        }
        let allowed = edges
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is not in the table of edges"));
        for used in uses.iter().filter(|used| used.starts_with("dango-")) {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} must not use {used}: the table in {} keeps the layers apart",
                file!()
            );
        }
    }
}

#[test]
fn outside_dependencies_stay_with_their_owner() {
    for (name, uses) in dependencies() {
        for (dependency, owners) in OWNERS {
            assert!(
                !uses.contains(*dependency)
                    || owners.contains(&name.as_str())
                    || name == "dango-testkit",
                "{name} must not use {dependency}: only {owners:?} may, so that it can be replaced in one place"
            );
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs_err::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn files_hold_one_thing_and_are_named_after_it() {
    const BANNED: [&str; 7] = [
        "utils", "util", "helpers", "common", "manager", "misc", "base",
    ];
    for (path, text) in sources() {
        let stem = path.file_stem().expect("a name").to_string_lossy();
        assert!(
            !BANNED.contains(&stem.as_ref()),
            "{}: a name that says nothing",
            path.display()
        );
        assert!(
            stem != "mod",
            "{}: modules are noun.rs beside noun/",
            path.display()
        );
        let production = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .lines()
            .count();
        let is_test = stem == "tests" || path.components().any(|part| part.as_os_str() == "tests");
        assert!(
            is_test || production <= 450,
            "{}: {production} lines; what second thing does it hold?",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    // Put together here, so that this file does not find itself.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["#[ig", "nore"].concat(),
        ["unguar", "ded_"].concat(),
    ];
    for (path, text) in sources() {
        for word in &words {
            assert!(
                !text.contains(word.as_str()),
                "{} says {word}",
                path.display()
            );
        }
    }
}

#[test]
fn the_tests_that_documents_name_exist() {
    let sources = sources();
    for document in ["docs/ASVS.md", "docs/THREAT-MODEL.md"] {
        let text = fs_err::read_to_string(root().join(document)).expect("UTF-8");
        // Every second piece stands in code type; a sentence with underscores is the name of a test.
        let named = text.split('`').skip(1).step_by(2).filter(|name| {
            name.matches('_').count() >= 3
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        });
        for name in named {
            let head = format!("fn {name}(");
            assert!(
                sources.iter().any(|(_, text)| text.contains(&head)),
                "{document} names `{name}`, which no file has"
            );
        }
    }
}
