//! The command line's reference, made from what clap knows, so that it cannot say anything else than `--help`.

use crate::heritage::VERBS;
use clap::{Arg, Command};
use domain::Code;
use std::fmt::Write as _;

const HEAD: &str = "\
<!-- made by `dango reference`; do not edit: change the command line, then run `make fix` -->

# Command line

stdout is data, stderr is talk. `--json` prints one JSON document on stdout instead of text; errors are then one line of JSON
on stderr: `{\"error\":{\"code\":…,\"message\":…,\"hint\":…}}`, and so is the one warning that concerns programs, that values
were masked: `{\"warning\":…}`. A prompt appears only at a terminal, and every prompt has a flag;
with `--no-input`, or without a terminal, a missing answer is the error `input_needed`, which names the flag. Secrets are never
taken from the command line. `NO_COLOR` and `TERM=dumb` are honoured.
";

const EXIT_CODES: &str = "\
## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | failed; several sources failed for different reasons |
| 2 | usage: an argument does not fit, or an answer is missing |
| 3 | denied |
| 4 | not found |
| 5 | conflict: it exists already, or another process is at work |
| 6 | the budget is spent |
| 64 | the key that signs sessions is missing, or can be guessed |
| 70 | our bug |
| 75 | try again: something outside did not answer, or the disk is full |
| 130 | interrupted (Ctrl-C, SIGTERM) |

When sources of one `dango sync` fail, the exit code is theirs if they agree on one, otherwise 1.
";

const JSON_SHAPES: &str = "\
## JSON

| command | shape |
|---|---|
| `init` | `{root, existed, created: [path], completed: [path], warnings: [text], audit_anchor: text or null}` |
| `source list` | `{sources: [{name, type, enabled, description, tags, last_sync: run or null, problem}]}` |
| `source show` | a source as above, and `{fields: [{name, value, origin}], tables: [{table, rows}], history: [run]}`, newest run first |
| `source add` | `{name, files: [path], tested: text or null}` |
| `source edit` | `{source, changed}` |
| `source remove` | `{name, tables_dropped: [name]}` |
| `source test` | `{source, ok, answer}` |
| `sync` | `{status: \"succeeded\" or \"failed\", sources: [{source, status, dry_run, resumed, job_id, load_id, rows_inserted, rows_updated, rows_deleted, bytes_read, seconds, tables: [{table, rows_inserted, rows_updated, rows_deleted, rows_total, schema_changes, warnings}], error}]}` |
| `query` | `[{column: value}]`; with `--output`: `{output, rows, bytes, truncated, masked}` |
| `db status` | `{path, exists, file_bytes, wal_bytes, free_bytes, schemas: [{schema, last_load_at, tables: [{table, rows, columns}]}]}` |
| `db compact` | `{bytes_before, bytes_after}` |
| `config show` | `{settings: [{key, value, origin}]}` |
| `config validate` | `{valid, findings: [{severity, code, file, line, column, source, message, hint}]}` |
| `secrets list` | `{secrets: [{name, masked, origin}]}` |
| `secrets set`, `secrets unset` | `{name, stored: true, new}`, `{name, removed: true}` |
| `audit` | `{items: [record], total}`, newest first; with `--follow` one record a line |
| `audit verify` | `{database: {records, last, erased, checkpoints, signed_until, faults: [{fault, …}]}, file: {records, begins, last, faults}, is_anchored, unproven: [text], holds}` |
| `audit export` | one record a line; with `--output`: `{output, records}` |
| `user add`, `user reset-password` | `{user, invite_url or reset_url, expires_at, mailed}` |
| `doctor` | `{healthy, findings: [{area, state, say, fix}]}` |
| `demo` | `{project, sync: the shape of sync, rows: [{column: value}]}` |
| `explain` | `{code, explanation}`, or `{codes: […]}` |
| `version` | `{name, version}` |

A run is `{load_id, state, started_at, ended_at, rows_inserted, rows_updated, rows_deleted, bytes_read, schema_changes, warnings,
error_code, error}`. A record is a line of `audit.jsonl`: `docs/AUDIT.md`.
";

/// Returns the reference.
pub(crate) fn markdown() -> String {
    let mut root = crate::arguments::command();
    root.build();
    let mut text = format!("{HEAD}\n## Global options\n\n");
    options(
        &mut text,
        root.get_arguments()
            .filter(|argument| argument.is_global_set()),
    );
    text.push_str("\n## Commands\n");
    for command in root
        .get_subcommands()
        .filter(|command| is_described(command))
    {
        describe(&mut text, command, "dango");
    }
    let _ = write!(text, "\n{JSON_SHAPES}\n{EXIT_CODES}\n## Error codes\n\n");
    for code in Code::ALL {
        let _ = writeln!(text, "- `{code}`: {}", code.explanation());
    }
    text.push_str("\n## Commands of getdango\n\n| there | what it did | here |\n|---|---|---|\n");
    for verb in VERBS {
        let here = if verb.here.is_empty() {
            "not part of this version"
        } else {
            verb.here
        };
        let _ = writeln!(text, "| `{}` | {} | {here} |", verb.words, verb.did);
    }
    text.trim_end().to_owned()
}

/// Writes a command and everything below it. Writing into a String cannot fail.
fn describe(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    let below: Vec<_> = command
        .get_subcommands()
        .filter(|command| is_described(command))
        .collect();
    if below.is_empty() {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let own = || command.get_arguments().filter(|argument| is_own(argument));
        let _ = write!(text, "\n### `{name}{}`\n\n{about}.\n", operands(own()));
        if own().next().is_some() {
            text.push('\n');
            options(text, own());
        }
        if let Some(more) = command.get_after_help() {
            let _ = write!(text, "\n```text\n{more}\n```\n");
        }
    }
    for command in below {
        describe(text, command, &name);
    }
}

/// Returns whether a command is worth a section: `help` repeats what stands in the others.
fn is_described(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_global_set()
        && !argument.is_hide_set()
        && argument.get_id() != "help"
        && argument.get_id() != "version"
}

/// Returns the positional arguments as the usage line shows them.
fn operands<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    arguments
        .filter(|argument| argument.is_positional())
        .map(|argument| {
            let name = value_name(argument);
            let many = if matches!(argument.get_action(), clap::ArgAction::Append) {
                "…"
            } else {
                ""
            };
            if argument.is_required_set() {
                format!(" {name}{many}")
            } else {
                format!(" [{name}{many}]")
            }
        })
        .collect()
}

fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for argument in arguments {
        let help = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let values: Vec<_> = argument
            .get_possible_values()
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        let takes_value = argument.get_action().takes_values();
        let choice = if takes_value && !values.is_empty() && values.len() < 9 {
            format!(" ({})", values.join(", "))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "- `{}`: {help}{choice}.",
            spelling(argument, takes_value)
        );
    }
}

fn spelling(argument: &Arg, takes_value: bool) -> String {
    let mut forms: Vec<_> = argument
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .collect();
    forms.extend(argument.get_long().map(|long| format!("--{long}")));
    if forms.is_empty() {
        return value_name(argument);
    }
    let value = if takes_value {
        format!(" {}", value_name(argument))
    } else {
        String::new()
    };
    format!("{}{value}", forms.join(", "))
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or_else(
        || argument.get_id().as_str().to_uppercase(),
        ToString::to_string,
    )
}
