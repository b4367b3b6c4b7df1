//! Every command over every source.

use super::{Sweep, apis, databases};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn names(sources: &str) -> Vec<String> {
    let lines = sources
        .lines()
        .filter_map(|line| line.strip_prefix("  - name: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn no_secret_comes_out_of_any_command() {
    let mut sweep = Sweep::new();
    let mut sources = String::from("version: \"1.0\"\nsources:\n");
    let mut secrets = BTreeMap::new();
    databases::add(&mut sweep, &mut sources, &mut secrets);
    apis::add(&mut sweep, &mut sources, &mut secrets);
    let stripe = sweep.canary("a Stripe key", "sk_live_{}");
    sources.push_str("  - name: money\n    type: stripe\n    enabled: false\n    stripe: {}\n");
    secrets.insert("sources.stripe".into(), format!("api_key = \"{stripe}\""));
    sweep.project.write(".dango/sources.yml", &sources);
    let text = secrets
        .iter()
        .fold(String::new(), |mut text, (table, lines)| {
            write!(text, "[{table}]\n{lines}\n\n").expect("a string");
            text
        });
    sweep.project.write(".dlt/secrets.toml", &text);
    assert!(sweep.canaries.len() >= 20);

    let ran = sweep.run(&["sync"]);
    for name in [
        "pg_table",
        "pg_url",
        "my_type",
        "my_url",
        "pg_env",
        "pg_dotenv",
        "pg_ambient",
        "pg_json",
        "pg_yml",
        "pg_yml_url",
        "bearer_8",
        "query_5",
    ] {
        let line = ran
            .stdout
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        assert!(
            line.is_some_and(|line| line.contains("synced")),
            "{name}: {ran:#?}"
        );
    }
    for words in [
        &["sync", "-vv"][..],
        &["sync", "--json"],
        &["sync", "--dry-run"],
        &["sync", "--full-refresh", "-v"],
    ] {
        sweep.run(words);
    }
    // Alone, a process knows the secrets of one source and no more.
    for (index, name) in names(&sources).iter().enumerate() {
        let shown = ["source", "show", name, "--json"];
        sweep.run(if index % 2 == 0 { &shown } else { &shown[..3] });
        if name != "money" {
            sweep.run(&["source", "test", name, "-vv"]);
        }
        if name.starts_with(|c: char| "pm".contains(c)) {
            sweep.run(&["sync", name]);
        }
    }
    others(&mut sweep);
    sweep.finish();
}

/// The commands that connect to nothing.
fn others(sweep: &mut Sweep) {
    let given = sweep.canary("given by --secret-stdin", "si'{}\"");
    let filed = sweep.canary("given by --secret-file", "fi{}");
    let together = sweep.canary("given by --secrets-file", "to{}");
    sweep.project.write("key.txt", &format!("{filed}\n"));
    sweep
        .project
        .write("keys.txt", &format!("password = {together}\n"));
    let add = [
        "source",
        "add",
        "postgres",
        "--set",
        "host=127.0.0.1",
        "--set",
        "port=9",
        "--set",
        "database=x",
        "--set",
        "username=y",
    ];
    for (name, flags, stdin) in [
        ("by_stdin", ["--secret-stdin", "password"], given.as_str()),
        ("by_file", ["--secret-file", "password=key.txt"], ""),
        ("by_files", ["--secrets-file", "keys.txt"], ""),
    ] {
        let words = [&add[..], &["--name", name], &flags].concat();
        sweep.run_with(&words, stdin);
        sweep.run_with(&[&words[..], &["--no-test", "-vv"]].concat(), stdin);
        sweep.run(&["source", "show", name, "--json"]);
        sweep.run(&["source", "edit", name, "--set", "host=127.0.0.2"]);
        sweep.run(&["source", "test", name]);
    }
    let set = sweep.canary("stored by secrets set", "set{}");
    sweep.run_with(&["secrets", "set", "by_file.other", "--stdin"], &set);
    sweep.run(&["secrets", "set", "by_file.third", "--file", "key.txt"]);
    for words in [
        &["secrets", "list"][..],
        &["secrets", "list", "--json", "-vv"],
        &["secrets", "unset", "by_file.other", "--yes"],
        &["config", "show", "--origin"],
        &["config", "show", "--json"],
        &["config", "validate"],
        &["config", "validate", "--json"],
        &["doctor", "-vv"],
        &["doctor", "--json"],
        &["db", "status", "-vv"],
        &["db", "compact", "--yes"],
        &["source", "list", "-vv"],
        &["source", "list", "--json"],
        &["query", "SELECT * FROM raw_pg_url.t", "-vv"],
        &["query", "SELECT * FROM nowhere", "--json"],
        &[
            "query",
            "SELECT * FROM raw_pg_url._dlt_loads",
            "--format",
            "csv",
        ],
        &["query", "SELECT * FROM raw_bearer_8._dlt_pipeline_state"],
        &["source", "remove", "by_file", "--yes"],
        &["source", "remove", "pg_url", "--yes", "-vv"],
    ] {
        sweep.run(words);
    }
}
