//! A body as JSON. What is almost JSON is mended where nothing is lost by it, and the user is told.

use crate::failure::{Failure, FailureKind};
use domain::limits::{ANSWER_VALUES_MAX, JSON_DEPTH_MAX};
use domain::say;
use domain::say::Quoted;
use serde_json::Value;

/// A parsed body.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Halves of UTF-16 pairs were kept as the text of their escape.
    pub(super) mended: bool,
}

/// Parses `body`, which `place` (host and path) sent. An empty one is null.
pub(super) fn parse(body: &[u8], place: &str) -> Result<Parsed, Failure> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Parsed {
            value: Value::Null,
            mended: false,
        });
    }
    if has_more_values(body, ANSWER_VALUES_MAX) {
        return Err(Failure::new(
            FailureKind::Protocol,
            say!("the answer of ", name Quoted(place), " has more than ", ANSWER_VALUES_MAX, " values"),
        )
        .hint("ask for smaller pages, for instance with the endpoint's `limit` parameter"));
    }
    match serde_json::from_slice(body) {
        Ok(value) => Ok(Parsed {
            value,
            mended: false,
        }),
        Err(error) => {
            match keep_lone_surrogates(body).map(|mended| serde_json::from_slice(&mended)) {
                Some(Ok(value)) => Ok(Parsed {
                    value,
                    mended: true,
                }),
                _ => Err(broken(body, place, error)),
            }
        }
    }
}

/// Returns whether `body` has more than `most` values, without making any: each has a comma or a bracket before it, or is the
/// first of all.
fn has_more_values(body: &[u8], most: usize) -> bool {
    // Each value but the last takes two bytes at least.
    if body.len() / 2 < most {
        return false;
    }
    let (mut values, mut rest) = (1, body);
    while let Some(at) = rest.iter().position(|byte| b",[{\"".contains(byte)) {
        let (before, after) = rest.split_at(at + 1);
        rest = after;
        if before.last() == Some(&b'"') {
            rest = after_text(rest);
        } else {
            values += 1;
        }
    }
    values > most
}

/// Returns what stands behind the text that `rest` is within.
fn after_text(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        if rest.get(at) == Some(&b'"') {
            return rest.get(at + 1..).unwrap_or_default();
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    &[]
}

fn broken(body: &[u8], place: &str, error: serde_json::Error) -> Failure {
    let failure = if error.to_string().contains("recursion limit") {
        Failure::new(
            FailureKind::Protocol,
            say!("the answer of ", name Quoted(place), " is nested deeper than ", JSON_DEPTH_MAX, " levels"),
        )
    } else if body.trim_ascii_start().first() == Some(&b'<') {
        Failure::new(
            FailureKind::Protocol,
            say!("", name Quoted(place), " answered with a web page, not with JSON"),
        )
        .hint("check `base_url` and `path`: this is often a login page, or the site beside the API")
    } else {
        Failure::new(
            FailureKind::Protocol,
            say!(
                "the answer of ", name Quoted(place), " is no JSON: it breaks at line ", error.line(),
                " column ", error.column()
            ),
        )
        .hint("if it is cut off, smaller pages help; if it is CSV or XML, this source cannot read it")
    };
    failure.caused_by(error)
}

/// Returns `body` with every `\uD8xx`-like escape that has no partner turned into plain text (`\\uD8xx`); `None` when there
/// is none. JSON's grammar allows such halves (RFC 8259 §8.2), UTF-8 does not.
fn keep_lone_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(byte) = body.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        let unit = escape_at(body, at);
        let pair = unit.is_some_and(is_high) && escape_at(body, at + 6).is_some_and(is_low);
        if pair {
            at += 12;
        } else if unit.is_some_and(|unit| is_high(unit) || is_low(unit)) {
            mended.extend_from_slice(body.get(copied..at)?);
            mended.extend_from_slice(b"\\");
            copied = at;
            at += 6;
        } else {
            // The escaped character, a backslash for instance, starts no escape of its own.
            at += 2;
        }
    }
    if mended.is_empty() {
        return None;
    }
    mended.extend_from_slice(body.get(copied..)?);
    Some(mended)
}

/// Returns the UTF-16 unit of the `\uXXXX` at `at`.
fn escape_at(body: &[u8], at: usize) -> Option<u16> {
    let escape = body.get(at..at + 6)?;
    let digits = str::from_utf8(escape.strip_prefix(b"\\u")?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

const fn is_high(unit: u16) -> bool {
    matches!(unit, 0xd800..=0xdbff)
}

const fn is_low(unit: u16) -> bool {
    matches!(unit, 0xdc00..=0xdfff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_are_parsed_or_refused_with_the_place() {
        let check = |body: &[u8], expect: Result<Value, &str>| {
            let got = parse(body, "a.example/x").map(|parsed| parsed.value);
            match (got, expect) {
                (Ok(got), Ok(expect)) => assert_eq!(got, expect),
                (Err(failure), Err(part)) => {
                    assert!(failure.say.as_str().contains(part), "{failure}");
                }
                (got, expect) => panic!("{got:?} is not {expect:?}"),
            }
        };
        check(b"", Ok(Value::Null));
        check(b" \n", Ok(Value::Null));
        check(b"\xef\xbb\xbf[1]", Ok(json!([1])));
        check(
            b"{\"a\": 1",
            Err("`a.example/x` is no JSON: it breaks at line 1 column 7"),
        );
        check(b"<!doctype html>", Err("answered with a web page"));
        check(b"{\"a\": \"\xff\"}", Err("is no JSON"));
        check(
            "[".repeat(1000).as_bytes(),
            Err("nested deeper than 64 levels"),
        );
    }

    #[test]
    fn values_are_counted_without_looking_into_texts() {
        let check = |body: &str, values: usize| {
            assert!(!has_more_values(body.as_bytes(), values), "{body}");
            assert!(has_more_values(body.as_bytes(), values - 1), "{body}");
        };
        check("[1,2,3]", 4);
        check(r#"{"a":[1,{}],"b":null}"#, 6);
        check(r#"["a,b\",[{",0,1,2,3,4,5,6,7,8,9]"#, 12);
        check(r#"["\\",0,1,2,3]"#, 6);
        assert!(!has_more_values(br#"["not closed,,,,,,,,"#, 2));
    }

    #[test]
    fn halves_of_surrogate_pairs_are_kept_as_their_escape() {
        let check = |text: &str, expect: &str, mended: bool| {
            let parsed = parse(text.as_bytes(), "x").expect("parsed");
            assert_eq!(
                (parsed.value, parsed.mended),
                (json!([expect]), mended),
                "{text}"
            );
        };
        check(r#"["a\ud83d\ude00b"]"#, "a😀b", false);
        check(r#"["a\ud83db"]"#, r"a\ud83db", true);
        check(r#"["\ude00 \ud83d\ude00"]"#, "\\ude00 😀", true);
        check(r#"["\\ud83d"]"#, r"\ud83d", false);
        check(r#"["\\\ud83d"]"#, r"\\ud83d", true);
    }
}
