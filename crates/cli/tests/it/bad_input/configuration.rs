//! Configuration that is broken, or well-formed and wrong.

use super::{Bench, Case, Stdout};
use crate::project::SHOP;

/// Returns a case whose `sources.yml` as a whole cannot be used.
fn whole(name: &'static str, text: &str) -> Case {
    Case::run(name, &["sync"]).sources(text)
}

/// Returns a case in which the source `bad` cannot be used.
fn source(name: &'static str, source: &str) -> Case {
    Case::sync(name, source).stdout(Stdout::Nothing)
}

#[test]
fn broken_files_are_told_with_their_place() {
    let secrets = ".dlt/secrets.toml";
    let canary = "canary-in-broken-toml";
    Bench::new().check(vec![
        whole(
            "YAML indentation",
            "version: \"1.0\"\nsources:\n  - name: a\n   type: csv\n",
        )
        .fails(1, "config_unreadable", &["sources.yml` line 4", "column"]),
        whole("YAML tab", "version: \"1.0\"\nsources:\n\t- name: a\n").fails(
            1,
            "config_unreadable",
            &["sources.yml` line 3", "column"],
        ),
        whole("YAML open bracket", "version: \"1.0\"\nsources: [\n").fails(
            1,
            "config_unreadable",
            &["sources.yml` line ", "column"],
        ),
        whole("YAML open quote", "version: \"1.0\nsources: []\n").fails(
            1,
            "config_unreadable",
            &["sources.yml` line ", "column"],
        ),
        whole("YAML that is a list", "- a\n- b\n").fails(
            1,
            "config_invalid",
            &["sources.yml` line 1"],
        ),
        whole(
            "YAML sources that are a text",
            "version: \"1.0\"\nsources: all\n",
        )
        .fails(1, "config_invalid", &["sources.yml` line 2", "`sources`"]),
        whole(
            "YAML key twice",
            "version: \"1.0\"\nsources: []\nsources: []\n",
        )
        .fails(1, "config_invalid", &["sources.yml` line 3", "`sources`"]),
        whole("YAML that grows without end", BOMB).fails(1, "config_unreadable", &["sources.yml`"]),
        Case::run("YAML in Latin-1", &["sync"])
            .with(
                ".dango/sources.yml",
                *b"version: \"1.0\"\nsources: [] # caf\xe9\n",
            )
            .fails(1, "config_unreadable", &["sources.yml`", "UTF-8"]),
        Case::run("project.yml", &["sync"])
            .with(".dango/project.yml", "project:\n  name: x\n bad: y\n")
            .fails(1, "config_unreadable", &["project.yml` line 3", "column"]),
        Case::run("project.yml for a query", &["query", "SELECT 1"])
            .with(".dango/project.yml", "platform: {memory_limit_mb: lots}\n")
            .fails(
                1,
                "config_invalid",
                &["project.yml` line 1", "memory_limit_mb"],
            ),
        Case::run("project.yml unknown key", &["sync"])
            .with(".dango/project.yml", "platfrom:\n  port: 1\n")
            .fails(
                1,
                "config_invalid",
                &[
                    "project.yml` line 1",
                    "`platfrom`",
                    "did you mean `platform`?",
                ],
            ),
        Case::run("TOML", &["secrets", "list"])
            .with(
                secrets,
                format!("[sources.shop]\nother = \"x\"\npassword = \"{canary}\n"),
            )
            .fails(1, "config_unreadable", &["secrets.toml`", "line 3, column"])
            .hides(canary),
        Case::sync(
            "TOML in a sync",
            "type: postgres, postgres: {host: 127.0.0.1, database: x, username: y}",
        )
        .with(secrets, format!("[sources.bad]\npassword = {canary}\n"))
        .fails(1, "config_unreadable", &["secrets.toml`", "line 2, column"])
        .hides(canary),
        Case::sync("a connector file", "type: weather")
            .with("connectors/weather.yml", "name: weather\n  title: x\n")
            .fails(1, "source_type_unknown", &["`weather`"])
            .stdout(Stdout::Nothing),
    ]);
}

/// Nine levels of ten: a gigabyte, if somebody took it apart.
const BOMB: &str = "version: \"1.0\"
a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]
h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]
sources: [*h]
";

#[test]
fn wrong_settings_of_a_source_are_told_with_their_place() {
    let files = "type: local_files, local_files: {directory: data/bad}";
    let long = format!("{SHOP}  - {{name: {}, {files}}}\n", "a".repeat(56));
    let named = |name: &'static str, bad: &str, line: &str| {
        whole(name, &format!("{SHOP}  - {{name: {bad}, {files}}}\n"))
            .stdout(Stdout::SyncTable)
            .fails(1, "source_name_invalid", &["sources.yml` line 11", line])
    };
    Bench::new().check(vec![
        source("unknown key", &format!("{files}, descripton: x")).fails(
            1,
            "config_invalid",
            &[
                "sources.yml` line 11",
                "`descripton`",
                "did you mean `description`?",
            ],
        ),
        source("no type", "description: x").fails(1, "config_invalid", &["line 11", "no `type`"]),
        source("unknown type", "type: postgress").fails(
            1,
            "source_type_unknown",
            &["line 11", "`postgress`", "did you mean `postgres`?"],
        ),
        source("unlike any type", "type: zebra").fails(
            1,
            "source_type_unknown",
            &["`zebra`", "dango source add"],
        ),
        source("block of another type", "type: postgres, mysql: {host: x}").fails(
            1,
            "config_invalid",
            &["line 11", "`mysql`", "`postgres`"],
        ),
        source("block that is a list", "type: postgres, postgres: [a]").fails(
            1,
            "config_invalid",
            &["line 11", "`postgres` must be", "a list"],
        ),
        source(
            "enabled is no truth value",
            &format!("{files}, enabled: perhaps"),
        )
        .fails(
            1,
            "config_invalid",
            &["line 11", "`enabled`", "true or false"],
        ),
        source(
            "a number that is a text",
            &format!("{files}, shrink_limit_percent: many"),
        )
        .fails(
            1,
            "config_invalid",
            &["line 11", "`shrink_limit_percent`", "from 0 to 100"],
        ),
        source(
            "a number out of range",
            &format!("{files}, shrink_limit_percent: 101"),
        )
        .fails(
            1,
            "config_invalid",
            &["line 11", "`shrink_limit_percent`", "from 0 to 100"],
        ),
        source("an unknown choice", &format!("{files}, contract: frozen")).fails(
            1,
            "config_invalid",
            &["line 11", "`frozen`", "`freeze`"],
        ),
        source(
            "a missing variable",
            "type: local_files, local_files: {directory: '${NOWHERE}/x'}",
        )
        .fails(
            1,
            "variable_missing",
            &["line 11", "`NOWHERE`", "${NOWHERE:-"],
        ),
        source("disabled", &format!("{files}, enabled: false")).fails(
            5,
            "source_disabled",
            &["`bad`", "dango source edit bad --enable"],
        ),
        Case::sync(
            "unknown key of a block",
            "type: local_files, local_files: {directory: x, file_patern: y}",
        )
        .fails(
            1,
            "config_invalid",
            &["`file_patern`", "did you mean `file_pattern`?"],
        ),
        Case::sync(
            "wrong type in a block",
            "type: local_files, local_files: {directory: {a: b}}",
        )
        .fails(1, "config_invalid", &["`directory`"]),
        Case::sync(
            "unknown key of a database",
            "type: postgres, postgres: {host: x, databse: y}",
        )
        .fails(
            1,
            "config_invalid",
            &["`databse`", "did you mean `database`?"],
        ),
        Case::sync(
            "unknown key of an API",
            "type: rest_api, rest_api: {base_url: 'http://127.0.0.1:1/', endpoins: [a]}",
        )
        .fails(1, "config_invalid", &["`endpoins`"]),
        named("a name with dots", "'..'", "`..`"),
        named("a name with a slash", "a/b", "`a/b`"),
        named("a name that leads away", "'../../etc'", "`../../etc`"),
        whole("a name that is too long", &long)
            .stdout(Stdout::SyncTable)
            .fails(1, "source_name_invalid", &["line 11", "55"]),
        whole("no name", &format!("{SHOP}  - {{{files}}}\n"))
            .stdout(Stdout::SyncTable)
            .fails(1, "config_invalid", &["line 11", "no `name`"]),
        whole(
            "a name twice",
            &format!("{SHOP}  - {{name: Shop, {files}}}\n"),
        )
        .stdout(Stdout::SyncTable)
        .fails(1, "config_invalid", &["line 11", "`shop`", "line 4"]),
        whole(
            "one unknown type among others",
            &format!("{SHOP}  - {{name: bad, type: postgress}}\n"),
        )
        .stdout(Stdout::SyncTable)
        .fails(
            1,
            "source_type_unknown",
            &["done shop", "1 of 2 sources failed"],
        ),
    ]);
}
