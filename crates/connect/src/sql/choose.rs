//! Which of a database's tables are read.

use super::choice::{Choice, Choices};
use super::plan::Found;
use crate::catalog::suggest::closest;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::{Quoted, Say};
use std::collections::BTreeSet;

/// Returns which of `found` are read, and how each: the named ones in their order, then, where all are asked for, the
/// others. `schemas` are searched in their order.
pub(super) fn choose(
    place: &Say,
    found: &[Found],
    schemas: &[String],
    choices: &Choices,
) -> Result<Vec<(Found, Choice)>, Failure> {
    let mut chosen: Vec<(Found, Choice)> = Vec::new();
    for choice in &choices.named {
        let in_schema = |schema: &String| {
            found
                .iter()
                .find(|table| table.schema == *schema && table.name == choice.name)
        };
        let qualified = || found.iter().find(|table| table.origin() == choice.name);
        let found_table = schemas.iter().find_map(in_schema).or_else(qualified);
        let table = found_table.ok_or_else(|| no_such_table(place, &choice.name, found))?;
        // A table may be named with and without its schema: it is one table, and what is said last holds.
        match chosen
            .iter_mut()
            .find(|(known, _)| known.origin() == table.origin())
        {
            Some((_, known)) => *known = choice.clone(),
            None => chosen.push((table.clone(), choice.clone())),
        }
    }
    let Some(every) = &choices.every else {
        return Ok(chosen);
    };
    let named: BTreeSet<String> = chosen.iter().map(|(table, _)| table.origin()).collect();
    for schema in schemas {
        let is_read = |table: &&Found| {
            table.schema == *schema && table.is_default && !named.contains(&table.origin())
        };
        chosen.extend(
            found
                .iter()
                .filter(is_read)
                .map(|table| (table.clone(), every.clone())),
        );
    }
    Ok(chosen)
}

fn no_such_table(place: &Say, name: &str, found: &[Found]) -> Failure {
    let failure = Failure::new(
        FailureKind::Missing,
        say!("", *place, ": the database has no table ", name Quoted(name), " that this user can see"),
    );
    match closest(name, found.iter().map(|table| table.name.as_str())) {
        Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
        None => failure.hint("check `table_names` and `schema` in .dango/sources.yml"),
    }
}
