//! The word that was probably meant.

/// How alike two words must be (0 to 1) for one to be suggested for the other.
const LIKENESS_MIN: f64 = 0.75;

/// Returns the one of `words` that `word` was most likely meant to be.
pub(crate) fn closest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    words
        .into_iter()
        .map(|other| (strsim::jaro_winkler(&word, &other.to_lowercase()), other))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// Splits serde's message about an unknown key or word into that word and those that were expected. Serde has no other way
/// to learn them; its wording is stable because many programs read it.
pub(crate) fn unknown_word(message: &str) -> Option<(&str, Vec<&str>)> {
    let start = ["unknown field `", "unknown variant `"]
        .iter()
        .find_map(|start| message.find(start).map(|at| at + start.len()))?;
    let (unknown, rest) = message.get(start..)?.split_once('`')?;
    // Some parsers put the expected words in backticks and some do not.
    let expected = rest
        .split(" at line ")
        .next()?
        .trim_start_matches(", expected");
    let words = expected.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some((
        unknown,
        words
            .filter(|word| !["", "one", "of", "or"].contains(word))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_suggested_if_it_is_close() {
        assert_eq!(
            closest("paginater", ["path", "paginator", "params"]),
            Some("paginator")
        );
        assert_eq!(closest("zzz", ["path", "paginator"]), None);
    }

    #[test]
    fn serdes_message_names_the_word_and_what_was_expected() {
        let message = "unknown field `nam`, expected one of `name`, `path`, `params` at line 1";
        assert_eq!(
            unknown_word(message),
            Some(("nam", vec!["name", "path", "params"]))
        );
        assert_eq!(
            unknown_word("unknown variant `a`, expected `b` or `c`"),
            Some(("a", vec!["b", "c"]))
        );
        assert_eq!(
            unknown_word("unknown field `nam`, expected one of name, path"),
            Some(("nam", vec!["name", "path"]))
        );
        assert_eq!(unknown_word("invalid type: map"), None);
    }
}
