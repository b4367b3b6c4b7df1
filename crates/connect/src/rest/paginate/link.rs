//! The `Link` header (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// Returns the target of the link with the relation `relation`.
pub(super) fn find(headers: &HeaderMap, relation: &str) -> Option<String> {
    headers
        .get_all(LINK)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .find_map(|header| find_in(header, relation))
}

fn find_in(header: &str, relation: &str) -> Option<String> {
    let mut rest = header;
    // A comma may stand inside the URL, so links are found by their angle brackets and not by splitting.
    while let Some(open) = rest.find('<') {
        let (target, after) = rest.get(open + 1..)?.split_once('>')?;
        let end = params_end(after);
        if after
            .get(..end)
            .is_some_and(|params| has_relation(params, relation))
        {
            return Some(target.trim().to_owned());
        }
        rest = after.get(end..)?;
    }
    None
}

/// Returns where the parameters of a link end: at a comma outside quotes.
fn params_end(text: &str) -> usize {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn has_relation(params: &str, relation: &str) -> bool {
    params
        .split(';')
        .filter_map(|param| param.split_once('='))
        .any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split_ascii_whitespace()
                    .any(|word| word.eq_ignore_ascii_case(relation))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_relation_is_found() {
        let check = |header: &str, expect: Option<&str>| {
            assert_eq!(find_in(header, "next").as_deref(), expect, "{header}");
        };
        check(
            r#"<https://a.example/x?page=2>; rel="next""#,
            Some("https://a.example/x?page=2"),
        );
        check(
            r#"<a>; rel="prev", <b?x=1,2>; title="a, b"; rel=next"#,
            Some("b?x=1,2"),
        );
        check(r#"<a>; rel="last next""#, Some("a"));
        check(r#"<a>; rel="nextish""#, None);
        check(r#"<a>; REL="Next""#, Some("a"));
        check("", None);
        check("<a", None);
        check(r#"<a>; rel="prev""#, None);
    }
}
