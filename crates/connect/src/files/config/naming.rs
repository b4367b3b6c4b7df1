//! What a table is called whose pattern stands without a name.

/// Returns the last part of a pattern that is more than wildcards and extensions: `orders_*.csv` and `orders/*.csv` are both
/// called `orders`. `None` when there is no such part.
pub(super) fn after(pattern: &str) -> Option<String> {
    pattern
        .rsplit('/')
        .map(literal)
        .find(|part| !part.is_empty())
        .map(str::to_owned)
}

/// Returns what a part of a pattern says in plain letters, from its first one to its first wildcard.
fn literal(part: &str) -> &str {
    let is_sign = |c: char| !c.is_alphanumeric();
    let stem = part.split('.').next().unwrap_or_default();
    let kept = stem.trim_matches(is_sign);
    match kept.split_once(['*', '?', '[']) {
        Some((start, _)) => start.trim_end_matches(is_sign),
        None => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_called_after_its_last_plain_part() {
        let check = |pattern: &str, expect: Option<&str>| {
            assert_eq!(after(pattern).as_deref(), expect, "{pattern}");
        };
        check("orders_*.csv", Some("orders"));
        check("orders/*.csv", Some("orders"));
        check("Items/**/*.json", Some("Items"));
        check("a/b_2024*_x.csv.gz", Some("b_2024"));
        check("*_orders.csv", Some("orders"));
        check("[ab]*.csv", Some("ab"));
        check("*.tsv", None);
        check("**/*", None);
        check("", None);
    }
}
