//! `${VAR}` and `${VAR:-default}` inside the strings of configuration files; `$${` stands for a literal `${`.

use crate::environment::Environment;
use domain::say::Quoted;
use domain::{Code, Say, say};
use security::Plain;

/// Why a string cannot be completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// The variable is not set and has no default.
    Missing(String),
    /// A `${` has no `}`.
    Unclosed,
    /// What stands between `${` and `}` is neither `NAME` nor `NAME:-default`.
    Malformed,
}

impl Incomplete {
    /// Returns the error's code, what happened, and what to do, for the string at `key`.
    pub(crate) fn tell(&self, key: &str) -> (Code, Say, Say) {
        let key = Quoted(key);
        match self {
            Self::Missing(name) => {
                let name = Quoted(name);
                (
                    Code::VariableMissing,
                    say!("", name key, " needs the variable ", name name, ", which is not set"),
                    say!("set ", name name, " in the environment or in `.env`, or give a default: `${", name, ":-value}`"),
                )
            }
            Self::Unclosed => (
                Code::ConfigInvalid,
                say!("", name key, " has a `${` without its `}`"),
                Say::new("write `$${` where `${` itself is meant"),
            ),
            Self::Malformed => (
                Code::ConfigInvalid,
                say!("", name key, " has a `${…}` that is no variable"),
                Say::new(
                    "the forms are `${NAME}` and `${NAME:-default}`; write `$${` where `${` itself is meant",
                ),
            ),
        }
    }
}

/// Returns whether `text` has anything to complete.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// Returns whether `text` consists of one variable and nothing else.
pub(crate) fn is_reference(text: &str) -> bool {
    text.strip_prefix("${")
        .and_then(|rest| rest.find('}').map(|end| end + 1 == rest.len()))
        == Some(true)
        && !text.contains(":-")
}

/// Returns `text` with its variables filled in; `used` is told each variable with its value.
pub(crate) fn expand(
    text: &str,
    environment: &Environment,
    mut used: impl FnMut(&str, &Plain<String>),
) -> Result<Plain<String>, Incomplete> {
    let mut full = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        let after = after.strip_prefix("${").unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            full.push_str(before);
            full.push_str("${");
            rest = after;
            continue;
        }
        full.push_str(before);
        let (inner, after) = after.split_once('}').ok_or(Incomplete::Unclosed)?;
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        if !is_name(name) || default.is_some_and(is_template) {
            return Err(Incomplete::Malformed);
        }
        match (environment.find(name), default) {
            (Some(value), None) => {
                used(name, value);
                full.push_str(value.expose());
            }
            (Some(value), Some(_)) if !value.expose().is_empty() => {
                used(name, value);
                full.push_str(value.expose());
            }
            (_, Some(default)) => full.push_str(default),
            (None, None) => return Err(Incomplete::Missing(name.to_owned())),
        }
        rest = after;
    }
    full.push_str(rest);
    Ok(Plain::new(full))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Result<String, Incomplete> {
        let environment = Environment::from_pairs([("A", "one"), ("B_2", "two"), ("EMPTY", "")]);
        expand(text, &environment, |_, _| {}).map(|full| full.expose().clone())
    }

    #[test]
    fn variables_are_filled_in() {
        for (text, expect) in [
            ("", ""),
            ("plain", "plain"),
            ("${A}", "one"),
            ("x${A}y${B_2}z", "xoneytwoz"),
            ("${NONE:-x}", "x"),
            ("${NONE:-}", ""),
            ("${A:-x}", "one"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${NONE:-a:-b}", "a:-b"),
            ("$A", "$A"),
            ("$", "$"),
            ("a$b", "a$b"),
            ("$${A}", "${A}"),
            ("$${A}${A}", "${A}one"),
            ("$$${A}", "$${A}"),
            ("ü${A}ü", "üoneü"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_an_error() {
        for (text, expect) in [
            ("${NONE}", Incomplete::Missing("NONE".into())),
            ("${A", Incomplete::Unclosed),
            ("${}", Incomplete::Malformed),
            ("${A B}", Incomplete::Malformed),
            ("${1A}", Incomplete::Malformed),
            ("${A-x}", Incomplete::Malformed),
            ("${A:?x}", Incomplete::Malformed),
            ("${NONE:-${A}}", Incomplete::Malformed),
            ("${ A }", Incomplete::Malformed),
        ] {
            assert_eq!(filled(text), Err(expect), "{text}");
        }
    }

    #[test]
    fn a_reference_is_one_variable_and_nothing_else() {
        for (text, expect) in [
            ("${A}", true),
            ("x${A}", false),
            ("${A}${B}", false),
            ("${A:-x}", false),
            ("", false),
        ] {
            assert_eq!(is_reference(text), expect, "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::seeded::cases())]

        #[test]
        fn an_escaped_text_comes_back(text in any::<String>()) {
            // A `$` before `${` would be taken for the escape itself.
            prop_assume!(!text.contains("$${"));
            let escaped = text.replace("${", "$${");
            prop_assert_eq!(filled(&escaped), Ok(text));
        }
    }
}
