//! What follows for a table from its columns and from what its user said: cursor, disposition, look-back.

use super::super::choice::{Choice, Choices, Lookback};
use super::{Table, is_time};
use crate::catalog::suggest::closest;
use crate::failure::{Failure, invalid};
use domain::say::{Quoted, Say};
use domain::{ColumnType, Disposition, say};

pub(super) fn no_such_column<W>(place: &Say, name: &str, table: &Table<W>) -> Failure {
    let failure = invalid(say!("", *place, " has no column ", name Quoted(name)));
    match closest(
        name,
        table.columns.iter().map(|column| column.name.as_str()),
    ) {
        Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
        None => failure,
    }
}

pub(super) fn find_cursor<W>(
    place: &Say,
    table: &Table<W>,
    choice: &Choice,
    find: impl Fn(&String) -> Option<usize>,
) -> Result<Option<usize>, Failure> {
    let Some(name) = &choice.cursor else {
        return Ok(None);
    };
    let Some(index) = find(name) else {
        return if choice.is_every() {
            Ok(None)
        } else {
            Err(no_such_column(place, name, table))
        };
    };
    let column = table
        .columns
        .get(index)
        .filter(|column| column.ranked_as.is_some());
    if column.is_none_or(|column| column.is_open || column.kind == ColumnType::Binary) {
        return Err(invalid(
            say!("", *place, ": column ", name Quoted(name), " cannot be a cursor"),
        )
        .hint(
            "a cursor is a whole number, a decimal, a date, a time with its date, a text or a UUID",
        ));
    }
    Ok(Some(index))
}

pub(super) fn decide_disposition(
    place: &Say,
    choice: &Choice,
    has_cursor: bool,
    has_key: bool,
) -> Result<Disposition, Failure> {
    match choice.disposition {
        Some(Disposition::Append) if !has_cursor => Err(invalid(say!(
            "",
            *place,
            " cannot be appended to: without a cursor every sync would add every row again"
        ))
        .hint("name a `cursor`, or use `disposition: replace`")),
        Some(Disposition::Merge) if !has_key => Err(invalid(say!(
            "",
            *place,
            " cannot be merged: nothing identifies its rows"
        ))
        .hint("name its `primary_key`, or use `disposition: replace`")),
        Some(disposition) => Ok(disposition),
        None if has_cursor && has_key => Ok(Disposition::Merge),
        None if has_cursor => Ok(Disposition::Append),
        None => Ok(Disposition::Replace),
    }
}

pub(super) fn decide_lookback(
    place: &Say,
    choice: &Choice,
    choices: &Choices,
    disposition: Disposition,
    cursor: Option<ColumnType>,
) -> Result<Option<Lookback>, Failure> {
    let is_merged = disposition == Disposition::Merge;
    match (choice.lookback, cursor) {
        (None, Some(kind)) if is_merged && is_time(kind) => Ok(choices.lookback),
        (None, _) => Ok(None),
        (Some(_), None) => Err(invalid(say!(
            "",
            *place,
            " has a `lookback` and no `cursor`"
        ))),
        (Some(_), Some(_)) if !is_merged => {
            Err(
                invalid(say!("", *place, " has a `lookback` and is not merged"))
                    .hint("rows that are read again can only replace themselves by a primary key"),
            )
        }
        (Some(Lookback::Seconds(_)), Some(kind)) if !is_time(kind) => Err(invalid(say!(
            "",
            *place,
            " has a `lookback` in time, and its cursor is not a time"
        ))
        .hint("write a whole number")),
        (Some(lookback), Some(_)) => Ok(Some(lookback)),
    }
}
