//! Warehouse names of foreign tables and columns: snake_case, unique, and the same at every sync.

use domain::names::{IDENTIFIER_BYTES_MAX, normalize};
use std::collections::BTreeSet;

/// Columns that the load adds itself.
pub(super) const COLUMNS_RESERVED: [&str; 5] = [
    "_dlt_id",
    "_dlt_load_id",
    "_dlt_parent_id",
    "_dlt_list_idx",
    "_dlt_root_id",
];
/// Tables that the load keeps in every schema.
pub(super) const TABLES_RESERVED: [&str; 4] = [
    "_dlt_loads",
    "_dlt_version",
    "_dlt_pipeline_state",
    "_dango_progress",
];

/// Returns a name for each of `wanted`, a foreign name with the identity it is told apart by. A name that two of them
/// share goes to the one that is written exactly so, else to the first; the others get a few digits of their identity's
/// hash, so that a table that comes or goes renames none of its neighbours.
pub(super) fn assign(wanted: &[(&str, &str)], reserved: &[&str]) -> Vec<String> {
    let mut taken: BTreeSet<String> = reserved.iter().map(|&name| name.to_owned()).collect();
    let mut names = vec![None; wanted.len()];
    for exact in [true, false] {
        for ((name, _), assigned) in wanted.iter().zip(names.iter_mut()) {
            let normal = normalize(name);
            if assigned.is_none() && (!exact || normal == *name) && taken.insert(normal.clone()) {
                *assigned = Some(normal);
            }
        }
    }
    let mut resolve = |(assigned, (name, identity)): (Option<String>, &(&str, &str))| {
        assigned.unwrap_or_else(|| tagged(name, identity, &mut taken))
    };
    names.into_iter().zip(wanted).map(&mut resolve).collect()
}

/// Returns `name` with as many digits of the hash of `identity` behind it as make it unique.
fn tagged(name: &str, identity: &str, taken: &mut BTreeSet<String>) -> String {
    let hash = blake3::hash(identity.as_bytes()).to_hex();
    let normal = normalize(name);
    for digits in 6..hash.len() {
        let tag = hash.get(..digits).unwrap_or_default();
        let room = IDENTIFIER_BYTES_MAX.saturating_sub(digits + 1);
        let head = normal.get(..normal.len().min(room)).unwrap_or_default();
        let candidate = format!("{}_{tag}", head.trim_end_matches('_'));
        if taken.insert(candidate.clone()) {
            return candidate;
        }
    }
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Vec<String> {
        let wanted: Vec<_> = wanted.iter().map(|&name| (name, name)).collect();
        assign(&wanted, &COLUMNS_RESERVED)
    }

    #[test]
    fn names_that_coincide_stay_apart_whatever_their_neighbours() {
        let check = |wanted: &[&str], expect: &[&str]| assert_eq!(names(wanted), expect);
        check(&["id", "Total Price"], &["id", "total_price"]);
        check(&["Total", "total"], &["total_b33e34", "total"]);
        check(&["Total", "x", "total"], &["total_b33e34", "x", "total"]);
        check(&["_dlt_id"], &["_dlt_id_dd68bf"]);
    }

    #[test]
    fn a_long_name_keeps_its_tag() {
        let long = "x".repeat(63);
        let [first, second] = names(&[&long, &long.to_uppercase()])
            .try_into()
            .expect("two");
        assert_eq!((first.len(), second.len()), (63, 63));
        assert_ne!(first, second);
    }
}
