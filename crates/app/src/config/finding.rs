//! What is wrong, or worth knowing, about a configuration file.

use super::tree::{Place, Unreadable};
use crate::error::Error;
use domain::say::Quoted;
use domain::{Code, Say, say};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Accepted, and without effect.
    Notice,
    /// It works, and something should be changed.
    Warning,
    /// The file, or the source, is not used.
    Error,
}

impl Severity {
    /// Returns the severity as printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What stands for the file of a finding about a variable.
const ENVIRONMENT: &str = "environment";

/// One finding about one place of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub code: Code,
    /// The file, relative to the project.
    pub file: &'static str,
    pub place: Option<Place>,
    /// The one source it concerns; `None` when it concerns the whole file.
    pub source: Option<String>,
    pub say: Say,
    pub hint: Say,
}

impl Finding {
    /// Returns the finding about a connector file of the project that switches its own type off.
    pub(crate) fn of_connector(failure: connect::Failure) -> Self {
        Self {
            severity: Severity::Error,
            code: Code::ConfigInvalid,
            file: "connectors",
            place: None,
            source: None,
            say: failure.say,
            hint: failure.hint,
        }
    }

    /// Returns the finding about a source whose block its connector cannot use.
    pub(crate) fn of_source(source: &super::SourceConfig, failure: connect::Failure) -> Self {
        Self {
            severity: Severity::Error,
            code: Code::ConfigInvalid,
            file: ".dango/sources.yml",
            place: Some(source.place),
            source: Some(source.name.to_string()),
            say: failure.say,
            hint: failure.hint,
        }
    }

    /// Returns the finding's sentence with its file and place.
    pub fn located(&self) -> Say {
        if self.file == ENVIRONMENT {
            return self.say.clone();
        }
        let said = say!("", name Quoted(self.file));
        let said = match self.place {
            Some(place) => said
                .text(" line ")
                .value(&place.line)
                .text(", column ")
                .value(&place.column),
            None => said,
        };
        said.text(": ").value(&self.say)
    }
}

impl Finding {
    /// Returns the finding as the error of a change that was not made: the place would be one of a file that is not there.
    pub(crate) fn of_change(self) -> Error {
        Error::invalid(self.code, self.say.text("; nothing was changed")).hint(self.hint)
    }
}

impl From<Finding> for Error {
    fn from(finding: Finding) -> Self {
        let said = finding.located();
        let hint = if finding.hint.is_empty() {
            Say::new("correct it there; `dango config validate` checks all files at once")
        } else {
            finding.hint
        };
        Self::invalid(finding.code, said).hint(hint)
    }
}

/// Collects the findings about one file.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) file: &'static str,
    /// The source that is being read; findings are laid at its door.
    pub(super) source: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    pub(super) const fn new(file: &'static str) -> Self {
        Self {
            file,
            source: None,
            findings: Vec::new(),
        }
    }

    /// Adds an error of code [`Code::ConfigInvalid`].
    pub(super) fn error(&mut self, place: Place, say: Say, hint: impl Into<Say>) {
        self.add(Severity::Error, Code::ConfigInvalid, place, say, hint);
    }

    /// Adds an error about a variable; the sentence names it, and no file is to blame.
    pub(super) fn variable(&mut self, say: Say, hint: impl Into<Say>) {
        self.findings.push(Finding {
            severity: Severity::Error,
            code: Code::ConfigInvalid,
            file: ENVIRONMENT,
            place: None,
            source: None,
            say,
            hint: hint.into(),
        });
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        place: Place,
        say: Say,
        hint: impl Into<Say>,
    ) {
        self.findings.push(Finding {
            severity,
            code,
            file: self.file,
            place: Some(place),
            source: self.source.clone(),
            say,
            hint: hint.into(),
        });
    }

    /// Adds that the file is no YAML.
    pub(super) fn unreadable(&mut self, broken: &Unreadable) {
        self.findings.push(Finding {
            severity: Severity::Error,
            code: Code::ConfigUnreadable,
            file: self.file,
            place: broken.place,
            source: None,
            say: say!("it cannot be read as YAML: ", Quoted(&broken.problem)),
            hint: Say::new("indent with spaces, and quote text that has `: `, `#` or begins with a special character"),
        });
    }
}

/// Returns ` did you mean …` for the candidate nearest to `word`, an empty sentence when none is near.
pub(crate) fn suggestion<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Say {
    match nearest(word, candidates) {
        Some(near) => say!("did you mean ", name Quoted(near), "?"),
        None => Say::default(),
    }
}

/// Returns the candidate that `word` is most likely a misspelling of.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word = word.to_ascii_lowercase();
    // Two letters off at most, and not half of a short word.
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit || is_part(&word, candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `pg` is far from `postgres` in letters, and `table` from `table_names`; a shared beginning counts as well.
fn is_part(word: &str, candidate: &str) -> bool {
    word.len() >= 4 && (candidate.starts_with(word) || word.starts_with(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_recognised_and_another_word_is_not() {
        let known = ["enabled", "description", "tags", "type", "name", "tables"];
        for (word, expect) in [
            ("enabeld", Some("enabled")),
            ("Enabled", Some("enabled")),
            ("descripton", Some("description")),
            ("desc", Some("description")),
            ("tag", Some("tags")),
            ("tpye", Some("type")),
            ("host", None),
            ("x", None),
            ("connection_string", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }
}
