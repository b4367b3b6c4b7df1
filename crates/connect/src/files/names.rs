//! Column names from a header: dlt's snake_case, unique, never one of ours.

use domain::names::{COLUMNS_RESERVED, normalize};
use std::collections::BTreeSet;

/// Returns the column names of a header, and one line for each that had to change beyond snake_case.
pub fn column_names(header: &[String]) -> (Vec<String>, Vec<String>) {
    let mut used: BTreeSet<String> = COLUMNS_RESERVED.map(str::to_owned).into();
    let (mut names, mut warnings) = (Vec::new(), Vec::new());
    for (index, written) in header.iter().enumerate() {
        let unnamed = written.trim().is_empty();
        let wanted = if unnamed {
            format!("column_{}", index + 1)
        } else {
            normalize(written)
        };
        let mut name = wanted.clone();
        let mut count = 2;
        while !used.insert(name.clone()) {
            name = format!("{wanted}_{count}");
            count += 1;
        }
        if unnamed {
            warnings.push(format!(
                "column {} has no name in the header; it is called {name}",
                index + 1
            ));
        } else if name != wanted {
            warnings.push(format!(
                "the name {wanted} is taken; column {} is called {name}",
                index + 1
            ));
        }
        names.push(name);
    }
    (names, warnings)
}

/// Returns the names of `count` columns of a file without a header.
pub(crate) fn numbered_names(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("column_{number}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_unique() {
        let check = |header: &[&str], expect: &[&str], warnings: usize| {
            let header: Vec<_> = header.iter().map(|&name| name.to_owned()).collect();
            let (names, warned) = column_names(&header);
            assert_eq!(names, expect, "{header:?}");
            assert_eq!(warned.len(), warnings, "{warned:?}");
        };
        check(&["Order ID", "orderTotal"], &["order_id", "order_total"], 0);
        check(&["a", "A", "a"], &["a", "a_2", "a_3"], 2);
        check(&["a", "a_2", "a"], &["a", "a_2", "a_3"], 1);
        check(&["", "x", " "], &["column_1", "x", "column_3"], 2);
        check(&["_dlt_load_id"], &["_dlt_load_id_2"], 1);
    }
}
