//! The errors of a sync, in words.

use crate::Error;
use domain::say::Quoted;
use domain::{Code, TableRef, say};

impl Error {
    pub(crate) fn replace_empty(table: &TableRef, old_rows: u64) -> Self {
        Self::conflict(
            Code::ReplaceEmpty,
            say!("the source has no rows now, and would have emptied ", name table, " (", old_rows, " rows)"),
        )
        .hint("if the source is meant to be empty, sync with `--allow-empty-replace`")
    }

    pub(crate) fn replace_shrinks(
        table: &TableRef,
        old_rows: u64,
        new_rows: u64,
        limit: u8,
    ) -> Self {
        Self::conflict(
            Code::ReplaceShrinks,
            say!("the source has ", new_rows, " rows now, and ", name table, " has ", old_rows,
                 ": more than ", limit, " % would be lost"),
        )
        .hint("if that is right, sync with `--allow-empty-replace`, or set `shrink_limit_percent` in the source")
    }

    pub(crate) fn schema_frozen(table: &TableRef, changes: &[String]) -> Self {
        Self::conflict(
            Code::SchemaFrozen,
            say!("the columns of ", name table, " would change, and its contract is `freeze`: ",
                 Quoted(&changes.join("; "))),
        )
        .hint("look at it with `dango sync --dry-run --accept-schema`, take it over with `dango sync --accept-schema`")
    }

    pub(crate) fn merge_without_key(table: &TableRef) -> Self {
        Self::invalid(
            Code::ConfigInvalid,
            say!("", name table, " is merged but no primary key is known for it"),
        )
        .hint("name the columns that identify a row with `primary_key` in `.dango/sources.yml`")
    }

    pub(crate) fn rows_without_key(table: &TableRef, key: &[String], rows: u64) -> Self {
        Self::invalid(
            Code::SourceProtocol,
            say!("", rows, " rows for ", name table, " have no value in their primary key ",
                 name Quoted(&key.join(", "))),
        )
        .hint("name columns that are always filled with `primary_key`, or use the disposition `append`")
    }

    pub(crate) fn partial_replace(stream: &str) -> Self {
        Self::invalid(
            Code::UsageInvalid,
            say!("`--limit`, `--since` and `--until` would replace the whole table ", name Quoted(stream), " by a part of it"),
        )
        .hint("add `--dry-run` to look at a part, or give the stream a `primary_key`, so that it can be merged")
    }

    pub(crate) fn partial_append(stream: &str) -> Self {
        Self::invalid(
            Code::UsageInvalid,
            say!("nothing says which rows the table ", name Quoted(stream), " has, so a part of them cannot be appended"),
        )
        .hint("sync once without `--limit`, `--since` and `--until`: the table is then read whole")
    }

    pub(crate) fn append_with_another_cursor(table: &TableRef) -> Self {
        Self::invalid(
            Code::ConfigInvalid,
            say!("", name table, " was appended to by another cursor, so nothing says which of its rows are new"),
        )
        .hint("set the stream's `cursor` back, or read the table anew with `--full-refresh`: it then has what the source has now")
    }

    pub(crate) fn files_gone(table: &TableRef, rows: u64) -> Self {
        Self::conflict(
            Code::ReplaceEmpty,
            say!("no file matches any more, and ", name table, " (", rows, " rows) would have been emptied"),
        )
        .hint("check `directory` and `file_pattern`; if the files are meant to be gone, sync with `--allow-empty-replace`")
    }
}
