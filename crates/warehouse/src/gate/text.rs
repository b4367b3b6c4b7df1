//! The little that is read off a SQL text itself: its first word, a leading EXPLAIN, where a view's query begins.
//!
//! Nothing here decides what is safe; the engine's parser does. A wrong guess makes a worse message, or a text that the
//! parser then refuses.

/// Whether a text asks for the plan of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Explained {
    No,
    Yes,
}

/// Splits a leading `EXPLAIN`, `EXPLAIN ANALYZE` or `EXPLAIN (FORMAT json)` off; what follows must then parse as a SELECT by
/// itself.
pub(super) fn split_explain(sql: &str) -> (Explained, &str) {
    let Some(rest) = strip_word(sql, "explain") else {
        return (Explained::No, sql);
    };
    let inner = strip_word(rest, "analyze").or_else(|| strip_options(rest));
    (Explained::Yes, inner.unwrap_or(rest))
}

/// Strips the options of an EXPLAIN: words, the first of which begins no query. Nothing stands among them in which a bracket
/// could hide from us and not from the engine: no quotes, no comments.
fn strip_options(sql: &str) -> Option<&str> {
    let (options, rest) = skip_blanks(sql).strip_prefix('(')?.split_once(')')?;
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || c == '_' || c == ',';
    let first = options.trim_start().split(|c: char| !is_word(c)).next()?;
    let is_option = ["analyze", "format"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(first));
    (is_option && options.chars().all(is_plain)).then_some(rest)
}

/// Returns whether there is nothing but blanks, comments and semicolons.
pub(super) fn is_blank(sql: &str) -> bool {
    let mut rest = skip_blanks(sql);
    while let Some(after) = rest.strip_prefix(';') {
        rest = skip_blanks(after);
    }
    rest.is_empty()
}

/// Returns the first word, empty when the text starts with something else.
pub(super) fn first_word(sql: &str) -> &str {
    let rest = skip_blanks(sql);
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Returns whether `word` occurs anywhere as a word.
pub(super) fn has_word(sql: &str, word: &str) -> bool {
    sql.split(|c: char| !is_word(c))
        .any(|each| each.eq_ignore_ascii_case(word))
}

/// Returns the query of a view out of the `CREATE VIEW name (columns) AS query` that the catalog holds: what follows the
/// first bare AS outside of parentheses and quotes.
pub(super) fn view_query(create: &str) -> Option<&str> {
    let (mut depth, mut rest) = (0_u32, create);
    loop {
        rest = skip_blanks(rest);
        let first = rest.chars().next()?;
        match first {
            '"' | '\'' => rest = skip_quoted(rest, first)?,
            '(' => {
                depth += 1;
                rest = rest.get(1..)?;
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                rest = rest.get(1..)?;
            }
            c if is_word(c) => {
                let word = first_word(rest);
                rest = rest.get(word.len()..)?;
                if depth == 0 && word.eq_ignore_ascii_case("as") {
                    return Some(rest);
                }
            }
            other => rest = rest.get(other.len_utf8()..)?,
        }
    }
}

fn strip_word<'a>(sql: &'a str, word: &str) -> Option<&'a str> {
    let first = first_word(sql);
    first
        .eq_ignore_ascii_case(word)
        .then(|| skip_blanks(sql).get(first.len()..))?
}

fn skip_quoted(text: &str, quote: char) -> Option<&str> {
    let mut rest = text.get(1..)?;
    loop {
        let end = rest.find(quote)?;
        rest = rest.get(end + 1..)?;
        match rest.strip_prefix(quote) {
            Some(doubled) => rest = doubled,
            None => return Some(rest),
        }
    }
}

fn skip_blanks(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment
                .split_once(['\n', '\r'])
                .map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = skip_comment(comment);
        } else {
            return rest;
        }
    }
}

/// Skips a block comment; they nest, as in Postgres.
fn skip_comment(text: &str) -> &str {
    let (mut depth, mut rest) = (1_u32, text);
    while depth > 0 {
        let (Some(open), close) = (rest.find("/*").or(Some(usize::MAX)), rest.find("*/")) else {
            return "";
        };
        let Some(close) = close else { return "" };
        let at = open.min(close);
        depth = if open < close { depth + 1 } else { depth - 1 };
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    rest
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_is_split_off_whatever_stands_before_it() {
        let check = |sql: &str, expect: Option<&str>| match (split_explain(sql), expect) {
            ((Explained::Yes, rest), Some(expect)) => assert_eq!(rest.trim(), expect, "{sql}"),
            ((Explained::No, rest), None) => assert_eq!(rest, sql),
            (found, _) => panic!("{sql}: {found:?}"),
        };
        check("explain select 1", Some("select 1"));
        check(
            "/* a /* b */ c */ -- d\n EXPLAIN ANALYZE SELECT 1",
            Some("SELECT 1"),
        );
        check("explain (format json) select 1", Some("select 1"));
        check(
            "EXPLAIN\n( ANALYZE , FORMAT yaml )SELECT 1",
            Some("SELECT 1"),
        );
        check("explain (select 1)", Some("(select 1)"));
        for hidden in [
            "explain (analyze /* ) select 1 -- */) delete from t",
            "explain (format ') select 1 --') delete from t",
            "explain (format json\u{a0}) select 1",
            "explain (format (json)) select 1",
            "explain (formats) select 1",
        ] {
            check(hidden, hidden.strip_prefix("explain ").map(str::trim));
        }
        check("explained", None);
        check("select 'explain'", None);
    }

    #[test]
    fn a_views_query_is_found_behind_any_name() {
        let check = |create: &str, expect: Option<&str>| {
            assert_eq!(view_query(create).map(str::trim), expect, "{create}");
        };
        check("CREATE VIEW v AS SELECT 1;", Some("SELECT 1;"));
        check(
            "CREATE VIEW \"a \"\" AS x\".\"AS\" (\"as\", b) AS SELECT 2",
            Some("SELECT 2"),
        );
        check("CREATE VIEW v", None);
    }

    #[test]
    fn words_are_found() {
        assert_eq!(first_word("-- x\n  copy t to 'y'"), "copy");
        assert!(is_blank(" ; -- nothing\n/* at all */;"));
        assert!(!is_blank("select 1"));
        assert!(has_word("from (Pivot t on i)", "pivot"));
        assert!(!has_word("from pivots", "pivot"));
    }
}
