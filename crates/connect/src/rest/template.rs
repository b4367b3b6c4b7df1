//! `{field}` in a description's texts.

use std::fmt::Write as _;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// What stands between braces.
    Name(&'a str),
}

/// Splits `text` at its `{name}`s. Braces around something else than a name stay text, as in a JSON fragment.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = next_name(rest) {
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Name(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let mut searched = 0;
    loop {
        let open = searched + text.get(searched..)?.find('{')?;
        let inside = text.get(open + 1..)?;
        let close = inside.find('}')?;
        let name = inside.get(..close)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !name.is_empty() && name.chars().all(is_name) {
            return Some((text.get(..open)?, name, inside.get(close + 1..)?));
        }
        searched = open + 1;
    }
}

/// Fills `text`; `value` is asked for each name.
pub(super) fn fill<E>(
    text: &str,
    mut value: impl FnMut(&str) -> Result<String, E>,
) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Name(name) => filled.push_str(&value(name)?),
        }
    }
    Ok(filled)
}

/// Returns `value` as one segment of a path, which it can neither end nor climb out of; `None` for a value that cannot be one,
/// because URLs resolve `.` and `..` even when they are percent-encoded.
pub(super) fn path_segment(value: &str) -> Option<String> {
    if matches!(value, "" | "." | "..") {
        return None;
    }
    let mut segment = String::with_capacity(value.len());
    for byte in value.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '~' | '.') {
            segment.push(character);
        } else {
            // Writing into a String cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    Some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_in() {
        let check = |text: &str, expect: &str| {
            let filled = fill(text, |name| Ok::<_, ()>(format!("<{name}>")));
            assert_eq!(filled.as_deref(), Ok(expect), "{text}");
        };
        check("plain", "plain");
        check("{a}", "<a>");
        check("/x/{orders.id}/y/{b}", "/x/<orders.id>/y/<b>");
        check(r#"{"q": "{a}"}"#, r#"{"q": "<a>"}"#);
        check("{not closed", "{not closed");
        check("{}", "{}");
        check("é{a}ü", "é<a>ü");
    }

    #[test]
    fn a_value_stays_within_its_segment() {
        let check = |value: &str, expect: Option<&str>| {
            assert_eq!(path_segment(value).as_deref(), expect, "{value}");
        };
        check("a/b?c#d", Some("a%2Fb%3Fc%23d"));
        check("%2e%2e", Some("%252e%252e"));
        check("ch_1-x~.y", Some("ch_1-x~.y"));
        check("é", Some("%C3%A9"));
        check("..", None);
        check(".", None);
        check("", None);
    }
}
