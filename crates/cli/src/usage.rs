//! Usage errors in our own words. Clap's texts repeat what was typed; ours do not repeat a stray argument, because it may be
//! a secret that somebody typed where no secret belongs.

use crate::errors::{Stop, usage};
use crate::heritage;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use domain::say::Quoted;
use domain::{Say, say};
use std::ffi::OsString;

/// Returns the error of a command line that clap refused.
pub(crate) fn explain(error: &clap::Error, arguments: &[OsString]) -> Stop {
    let words: Vec<_> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_command(error, &words),
        ErrorKind::UnknownArgument => unknown_argument(error, &words),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => bad_value(error, &words),
        ErrorKind::MissingRequiredArgument => usage(
            say!("", name Quoted(&text(error, ContextKind::InvalidArg)), " is missing"),
            help(&words),
        ),
        ErrorKind::MissingSubcommand => usage("a command is missing", help(&words)),
        ErrorKind::ArgumentConflict => usage(
            say!(
                "", name Quoted(&text(error, ContextKind::InvalidArg)), " cannot be used with ",
                name Quoted(&text(error, ContextKind::PriorArg))
            ),
            help(&words),
        ),
        ErrorKind::InvalidUtf8 => usage("an argument is not UTF-8 text", help(&words)),
        _ => usage("the arguments do not fit the command", help(&words)),
    }
}

fn unknown_command(error: &clap::Error, words: &[String]) -> Stop {
    let typed = text(error, ContextKind::InvalidSubcommand);
    let at = words.iter().position(|word| *word == typed);
    let before = at
        .and_then(|at| at.checked_sub(1))
        .and_then(|at| words.get(at))
        .map(String::as_str);
    if let Some(verb) = heritage::find(before, &typed) {
        return former_command(verb);
    }
    let parent = before.filter(|word| !word.starts_with('-'));
    let suggested = text(error, ContextKind::SuggestedSubcommand);
    let prefix = parent.map_or(String::new(), |parent| format!("{parent} "));
    let hint = if suggested.is_empty() {
        help(words)
    } else {
        say!("did you mean ", name Quoted(&format!("dango {prefix}{suggested}")), "?")
    };
    usage(
        say!("there is no command ", name Quoted(&format!("{prefix}{typed}"))),
        hint,
    )
}

/// Returns the answer to a verb of getdango that we do not have.
fn former_command(verb: &heritage::Verb) -> Stop {
    let say = Say::default()
        .name(&Quoted(verb.words))
        .text(" ")
        .text(verb.did)
        .text(" in getdango");
    if verb.here.is_empty() {
        return usage(
            say.text("; it is not part of this version"),
            "the commands of this version are listed by `dango --help`",
        );
    }
    usage(
        say.text("; here that is done otherwise"),
        Say::new(verb.here),
    )
}

fn unknown_argument(error: &clap::Error, words: &[String]) -> Stop {
    let typed = text(error, ContextKind::InvalidArg);
    if !typed.starts_with('-') {
        // A misspelt flag before SQL, which may begin with a comment, is taken for the SQL; then the SQL is too many.
        let known = flags(&command(words).0);
        let is_unknown = |word: &&String| {
            is_flag(word) && word.starts_with("--") && !known.iter().any(|flag| flag == name(word))
        };
        return match words.iter().find(is_unknown) {
            Some(flag) => unknown_flag(flag, words),
            None => usage(
                "there is an argument too many (not repeated here: it may be a secret)",
                help(words),
            ),
        };
    }
    let flag = typed
        .split_once('=')
        .map_or(typed.as_str(), |(flag, _)| flag);
    let suggested = text(error, ContextKind::SuggestedArg);
    let hint = if suggested.is_empty() {
        help(words)
    } else {
        let suggested = suggested
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        say!("did you mean ", name Quoted(&suggested), "?")
    };
    usage(say!("there is no flag ", name Quoted(flag)), hint)
}

fn bad_value(error: &clap::Error, words: &[String]) -> Stop {
    let flag = text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue);
    let valid = list(error, ContextKind::ValidValue);
    if value.is_empty() {
        return usage(say!("", name Quoted(&flag), " has no value"), help(words));
    }
    let say = say!("", name Quoted(&value), " does not fit ", name Quoted(&flag));
    // Clap compares by common letters, which does not see that `cvs` is `csv`.
    let distance = |word: &&String| strsim::osa_distance(word, &value);
    if let Some(near) = valid
        .iter()
        .min_by_key(distance)
        .filter(|word| distance(word) <= 2)
    {
        return usage(say, say!("did you mean ", name Quoted(near), "?"));
    }
    if !valid.is_empty() {
        return usage(say, say!("it takes one of: ", Quoted(&valid.join(", "))));
    }
    match std::error::Error::source(error) {
        Some(reason) => usage(say, say!("", Quoted(&reason.to_string()))),
        None => usage(say, help(words)),
    }
}

/// Returns whether a word can be nothing but a flag: no SQL is one word that begins with a dash.
pub(crate) fn is_flag(word: &str) -> bool {
    let letters = word.trim_start_matches('-');
    letters.len() < word.len()
        && letters.starts_with(|c: char| c.is_ascii_alphabetic())
        && !word.contains(char::is_whitespace)
}

/// Returns a flag without its value.
fn name(flag: &str) -> &str {
    flag.split_once('=').map_or(flag, |(name, _)| name)
}

/// Returns the error of a flag that the command typed with `words` does not have.
pub(crate) fn unknown_flag(flag: &str, words: &[String]) -> Stop {
    let flag = name(flag);
    let known = flags(&command(words).0);
    let distance = |known: &&String| strsim::osa_distance(known, flag);
    let nearest = known.iter().min_by_key(distance);
    let hint = match nearest.filter(|known| distance(known) <= 2) {
        Some(near) => say!("did you mean ", name Quoted(near), "?"),
        None => help(words),
    };
    usage(say!("there is no flag ", name Quoted(flag)), hint)
}

/// Returns every flag of a command, the global ones included.
fn flags(command: &clap::Command) -> Vec<String> {
    let all = command.get_arguments().filter_map(clap::Arg::get_long);
    all.map(|long| format!("--{long}")).collect()
}

/// Returns the command that was typed, and how.
fn command(words: &[String]) -> (clap::Command, String) {
    let mut command = crate::arguments::command();
    command.build();
    let mut path = String::from("dango");
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let Some(found) = command.find_subcommand(word).cloned() else {
            break;
        };
        path.push(' ');
        path.push_str(found.get_name());
        command = found;
    }
    (command, path)
}

/// Returns where the help of the command that was typed stands.
fn help(words: &[String]) -> Say {
    let (_, path) = command(words);
    say!("see ", name Quoted(&format!("{path} --help")))
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        // Clap lists suggestions with the best last.
        Some(ContextValue::Strings(texts)) => texts.last().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn list(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts
            .iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::style::Palette;

    fn told(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = crate::arguments::command()
            .try_get_matches_from(&words)
            .expect_err(line);
        match explain(&error, &words) {
            Stop::Failed(error) => crate::output::error_text(&error, Palette::Plain),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_typo_gets_a_suggestion() {
        assert!(
            told("dango snyc").contains("did you mean `dango sync`?"),
            "{}",
            told("dango snyc")
        );
        assert!(told("dango source lst").contains("did you mean `dango source list`?"));
        assert!(told("dango sync --full-refesh").contains("did you mean `--full-refresh`?"));
        assert!(told("dango query x --format tabel").contains("did you mean `table`?"));
    }

    #[test]
    fn a_flag_that_was_taken_for_sql_is_told_as_a_flag() {
        for (line, expect) in [
            ("dango query --formt csv x", "did you mean `--format`?"),
            ("dango query --formt=csv x", "did you mean `--format`?"),
            ("dango query --jsno x --limit 5", "did you mean `--json`?"),
            ("dango query --zzz x", "see `dango query --help`"),
            ("dango query -- x y", "too many"),
        ] {
            assert!(told(line).contains(expect), "{}", told(line));
        }
        assert!(told("dango query --formt csv x").contains("there is no flag `--formt`"));
        assert!(!is_flag("-- a comment\nSELECT 1") && !is_flag("-"));
    }

    #[test]
    fn a_verb_of_getdango_is_answered() {
        assert!(told("dango metabase save").contains("not part of this version"));
        assert!(told("dango db clean").contains("--drop-data"));
        assert!(told("dango validate").contains("dango config validate"));
    }

    #[test]
    fn a_stray_argument_is_not_repeated() {
        for line in [
            "dango doctor hunter2",
            "dango source list hunter2",
            "dango source add postgres --password=hunter2",
        ] {
            let text = told(line);
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("code: usage_invalid"), "{text}");
        }
    }

    #[test]
    fn bad_values_and_missing_arguments_name_their_flag() {
        assert!(
            told("dango --wait soon doctor").contains("`soon` does not fit `--wait <SECONDS>`")
        );
        for (line, hint) in [
            ("dango query x --limit -1", "or 0 for all"),
            (
                "dango query x --timeout 0",
                "seconds from 1 to 86400 is expected",
            ),
            (
                "dango query x --timeout 18446744073709551615",
                "from 1 to 86400",
            ),
            (
                "dango --wait 18446744073709551615 doctor",
                "from 0 (not at all) to 86400",
            ),
            ("dango sync --limit 0", "rows from 1 on"),
        ] {
            assert!(told(line).contains(hint), "{}", told(line));
        }
        assert!(told("dango query").contains("`<SQL>` is missing"));
        assert!(told("dango sync --since 7d --backfill 7d").contains("cannot be used with"));
        assert!(told("dango sync --since yesterday").contains("2026-01-31"));
    }
}
