//! Warehouse names of foreign tables and columns: snake_case, unique, and the same at every sync.

use super::plan::{Found, Table};
use domain::TableSchema;
use domain::names::{COLUMNS_RESERVED, IDENTIFIER_BYTES_MAX, normalize};
use std::collections::{BTreeMap, BTreeSet};

/// Digits that tell two names apart.
const TAG_DIGITS: usize = 6;

/// Tables that the load keeps in every schema.
const TABLES_RESERVED: [&str; 6] = [
    "_dlt_loads",
    "_dlt_version",
    "_dlt_pipeline_state",
    "_dango_progress",
    "_dango_loads",
    "_dango_files",
];

/// Returns the warehouse name of each of `tables`. Of those that share a name, one has it and those of other schemas carry
/// their schema's: the first one listed has it or, when the warehouse has the name already, the one that was there first.
pub(super) fn table_names(tables: &[&Found], known: &[TableSchema]) -> Vec<String> {
    let is_known = |name: &str| known.iter().any(|known| known.table.table == name);
    let mut order: Vec<(usize, &Found)> = tables.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, table)| {
        if is_known(&normalize(&table.name)) {
            table.age_rank
        } else {
            0
        }
    });
    let with_schema = |table: &Found| format!("{}_{}", table.schema, table.name);
    let mut owners: BTreeMap<String, &Found> = BTreeMap::new();
    for (_, table) in &order {
        owners
            .entry(normalize(&table.name))
            .and_modify(|owner| {
                // It carried its schema when there were two of them already.
                if is_known(&normalize(&with_schema(owner))) {
                    *owner = table;
                }
            })
            .or_insert(table);
    }
    let wanted: Vec<(String, String)> = order
        .iter()
        .map(|(_, table)| {
            let owner = owners.get(&normalize(&table.name));
            let name = if owner.is_none_or(|owner| owner.schema == table.schema) {
                table.name.clone()
            } else {
                with_schema(table)
            };
            (name, table.origin())
        })
        .collect();
    let wanted: Vec<(&str, &str)> = wanted
        .iter()
        .map(|(name, origin)| (name.as_str(), origin.as_str()))
        .collect();
    let names = assign(&wanted, &TABLES_RESERVED, is_known);
    let mut named: Vec<(usize, String)> =
        order.iter().map(|(index, _)| *index).zip(names).collect();
    named.sort_by_key(|(index, _)| *index);
    named.into_iter().map(|(_, name)| name).collect()
}

/// Returns the warehouse name of each column, `known` being the table in the warehouse. Columns stand in the order in which
/// they were added.
pub(super) fn column_names<W>(table: &Table<W>, known: Option<&TableSchema>) -> Vec<String> {
    let wanted: Vec<(&str, &str)> = table
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.name.as_str()))
        .collect();
    let is_known = |name: &str| known.is_some_and(|known| known.column(name).is_some());
    assign(&wanted, &COLUMNS_RESERVED, is_known)
}

/// Returns a name for each of `wanted`: foreign names, each with the identity it is told apart by, the oldest first. A name
/// that several of them share goes to the first; the others get a few digits of their identity's hash. Whoever has these
/// digits in the warehouse already, as `is_known` says, keeps them. So nothing ever takes over the name of another, and its
/// values with it: neither what comes later nor what is left when the first one goes.
fn assign(
    wanted: &[(&str, &str)],
    reserved: &[&str],
    is_known: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut taken: BTreeSet<String> = reserved.iter().map(|&name| name.to_owned()).collect();
    let mut names = vec![None; wanted.len()];
    for ((name, identity), assigned) in wanted.iter().zip(&mut names) {
        let candidate = tagged(name, identity, TAG_DIGITS);
        if is_known(&candidate) && taken.insert(candidate.clone()) {
            *assigned = Some(candidate);
        }
    }
    for ((name, _), assigned) in wanted.iter().zip(&mut names) {
        let plain = normalize(name);
        if assigned.is_none() && taken.insert(plain.clone()) {
            *assigned = Some(plain);
        }
    }
    let mut resolve = |(assigned, (name, identity)): (Option<String>, &(&str, &str))| {
        let free =
            |digits| Some(tagged(name, identity, digits)).filter(|n| taken.insert(n.clone()));
        // More digits than a hash has are all of them, and no two identities have the same.
        assigned
            .or_else(|| (TAG_DIGITS..64).find_map(free))
            .unwrap_or_default()
    };
    names.into_iter().zip(wanted).map(&mut resolve).collect()
}

/// Returns `name` with so many digits of the hash of `identity` behind it.
fn tagged(name: &str, identity: &str, digits: usize) -> String {
    let hash = blake3::hash(identity.as_bytes()).to_hex();
    let tag = hash.get(..digits).unwrap_or(&hash);
    let normal = normalize(name);
    let room = IDENTIFIER_BYTES_MAX.saturating_sub(tag.len() + 1);
    let head = normal.get(..normal.len().min(room)).unwrap_or_default();
    format!("{}_{tag}", head.trim_end_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str], known: &[&str]) -> Vec<String> {
        let wanted: Vec<_> = wanted.iter().map(|&name| (name, name)).collect();
        assign(&wanted, &COLUMNS_RESERVED, |name| known.contains(&name))
    }

    #[test]
    fn names_that_coincide_stay_apart() {
        let check = |wanted: &[&str], expect: &[&str]| assert_eq!(names(wanted, &[]), expect);
        check(&["id", "Total Price"], &["id", "total_price"]);
        check(&["Total", "total"], &["total", "total_4738f3"]);
        check(&["total", "x", "Total"], &["total", "x", "total_b33e34"]);
        check(&["_dlt_id"], &["_dlt_id_dd68bf"]);
    }

    #[test]
    fn a_name_keeps_its_meaning_whatever_comes_and_goes() {
        let mut known = Vec::new();
        let mut owners = BTreeMap::new();
        for wanted in [
            &["total"][..],
            &["total", "Total"],
            &["total", "Total", "TOTAL"],
            &["Total", "TOTAL"],
            &["TOTAL"],
            &["TOTAL", "Total"],
        ] {
            let is_known = |name: &str| known.iter().any(|known| known == name);
            let pairs: Vec<_> = wanted.iter().map(|&name| (name, name)).collect();
            let names = assign(&pairs, &[], is_known);
            for (name, owner) in names.iter().zip(wanted) {
                assert_eq!(
                    owners.entry(name.clone()).or_insert(*owner),
                    owner,
                    "{wanted:?}"
                );
            }
            known.extend(names);
        }
    }

    #[test]
    fn a_table_keeps_its_name_when_one_of_the_same_appears() {
        let check = |tables: &[(&str, u64)], known: &[&str], expect: &[&str]| {
            let found = tables.iter().map(|(origin, age_rank)| {
                let (schema, name) = origin.split_once('.').expect("with a schema");
                Found {
                    schema: schema.to_owned(),
                    name: name.to_owned(),
                    is_default: true,
                    age_rank: *age_rank,
                }
            });
            let found: Vec<Found> = found.collect();
            let known = known.iter().map(|name| TableSchema {
                table: domain::TableRef::new("raw_a", *name),
                columns: Vec::new(),
                primary_key: Vec::new(),
            });
            let names = table_names(
                &found.iter().collect::<Vec<_>>(),
                &known.collect::<Vec<_>>(),
            );
            assert_eq!(names, expect, "{tables:?}");
        };
        let both = [("a.items", 2), ("b.items", 1)];
        check(&both, &[], &["items", "b_items"]);
        check(&both, &["items"], &["a_items", "items"]);
        check(&both, &["items", "b_items"], &["items", "b_items"]);
        check(&[("b.items", 1)], &["items", "b_items"], &["items"]);
        let alike = [("a.Orders", 2), ("a.orders", 1)];
        check(&alike, &["orders"], &["orders_715062", "orders"]);
        let known = ["orders", "orders_715062"];
        let remade = [("a.Orders", 1), ("a.orders", 2)];
        check(&remade, &known, &["orders_715062", "orders"]);
    }

    #[test]
    fn a_long_name_keeps_its_tag() {
        let long = "x".repeat(63);
        let [first, second] = names(&[&long, &long.to_uppercase()], &[])
            .try_into()
            .expect("two");
        assert_eq!((first.len(), second.len()), (63, 63));
        assert_ne!(first, second);
    }
}
