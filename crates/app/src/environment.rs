//! The environment, read once: the process's own variables, and those of the project's `.env` below them.
//!
//! Nothing is ever put into the process environment, where children, core dumps and `/proc` would show it.

mod dotenv;

use crate::error::{Error, Result};
use crate::files;
use domain::say::Quoted;
use domain::{Code, say};
use security::{Plain, Redactor};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Where a variable was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableOrigin {
    /// The environment of the process.
    Process,
    /// The project's `.env`, in this line.
    File { line: u32 },
}

struct Variable {
    value: Plain<String>,
    origin: VariableOrigin,
}

/// The variables this process knows. Any value may be a secret, so none is printable.
#[derive(Default)]
pub struct Environment {
    variables: BTreeMap<String, Variable>,
}

impl Environment {
    /// Reads the environment of the process: the one place that does. Names and values that are not UTF-8 are left out.
    pub fn from_process() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// Returns the environment that consists of `pairs`.
    pub fn from_pairs<N: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let text = |os: OsString| os.into_string().ok();
        let variables = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((text(name.into())?, text(value.into())?)))
            .map(|(name, value)| {
                (
                    name,
                    Variable {
                        value: Plain::new(value),
                        origin: VariableOrigin::Process,
                    },
                )
            })
            .collect();
        Self { variables }
    }

    /// Adds the variables of the file `path` that the process does not set itself. A missing file adds none.
    pub fn load_file(&mut self, path: &Path) -> Result<()> {
        let Some(text) = files::read_text(path)? else {
            return Ok(());
        };
        let text = Plain::new(text);
        let lookup = |name: &str| self.find(name).map(|value| value.expose().clone());
        let parsed = dotenv::parse(text.expose(), lookup).map_err(|broken| {
            Error::invalid(
                Code::ConfigUnreadable,
                say!("", name path, " line ", broken.line, ": ", broken.problem),
            )
            .hint("a line is `NAME=value`; quote a value that has spaces, `#` or quotes: `NAME='value'`")
        })?;
        for entry in parsed {
            // A later line of the file replaces an earlier one, as a shell would have it; the process's own stays.
            let is_ours = self
                .variables
                .get(&entry.name)
                .is_some_and(|known| known.origin == VariableOrigin::Process);
            if !is_ours {
                let origin = VariableOrigin::File { line: entry.line };
                self.variables.insert(
                    entry.name,
                    Variable {
                        value: entry.value,
                        origin,
                    },
                );
            }
        }
        Ok(())
    }

    /// Returns the value of `name`; it may be empty.
    pub fn find(&self, name: &str) -> Option<&Plain<String>> {
        self.variables.get(name).map(|variable| &variable.value)
    }

    /// Returns the value of a setting that is no secret, `None` when it is not set or empty.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.find(name)
            .map(|value| value.expose().as_str())
            .filter(|value| !value.is_empty())
    }

    /// Returns whether a setting is switched on: set to `1`, `true`, `yes` or `on`.
    pub fn is_on(&self, name: &str) -> bool {
        self.setting(name).is_some_and(|value| {
            ["1", "true", "yes", "on"]
                .iter()
                .any(|on| value.eq_ignore_ascii_case(on))
        })
    }

    /// Returns where `name` was set.
    pub fn origin(&self, name: &str) -> Option<VariableOrigin> {
        self.variables.get(name).map(|variable| variable.origin)
    }

    /// Returns the names of all variables, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Teaches `redactor` every value whose name says that it is a secret.
    pub fn teach(&self, redactor: &Redactor) {
        for (name, variable) in &self.variables {
            if is_secret_name(name) && !variable.value.expose().starts_with('/') {
                teach(redactor, &variable.value);
            }
        }
    }
}

/// Returns whether something called `name` is likely to be a secret: one of its words says so.
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 13] = [
        "key",
        "apikey",
        "secrets",
        "token",
        "tokens",
        "passphrase",
        "pass",
        "pwd",
        "credential",
        "credentials",
        "dsn",
        "webhook",
        "authorization",
    ];
    const PARTS: [&str; 3] = ["password", "passwd", "secret"];
    let lower = name.to_ascii_lowercase();
    // The shell's working directories.
    if lower == "pwd" || lower == "oldpwd" {
        return false;
    }
    PARTS.iter().any(|part| lower.contains(part))
        || lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word))
}

/// Teaches `redactor` a secret, also line by line when it has several (a PEM key): output is redacted in lines.
pub(crate) fn teach(redactor: &Redactor, secret: &Plain<String>) {
    /// Shorter lines of a longer secret are the `-----BEGIN` kind, or padding.
    const LINE_BYTES_MIN: usize = 16;
    redactor.learn(secret);
    let value = secret.expose();
    if !value.contains(['\n', '\r']) {
        return;
    }
    redactor.learn(&Plain::new(value.replace('\r', "\\r").replace('\n', "\\n")));
    for line in value.lines().map(str::trim) {
        if line.len() >= LINE_BYTES_MIN && !line.starts_with("-----") {
            redactor.learn(&Plain::new(line.to_owned()));
        }
    }
}

/// Returns how a message names a variable and where it was set.
pub(crate) fn describe(name: &str, origin: VariableOrigin) -> domain::Say {
    match origin {
        VariableOrigin::Process => say!("environment variable ", name Quoted(name)),
        VariableOrigin::File { line } => say!("`.env` line ", line, " (", name Quoted(name), ")"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_wins_over_the_file_and_later_lines_over_earlier() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        fs_err::write(&path, "A=file\nB=one\nB=two\nC=${A}-${B}\n").expect("written");
        let mut environment = Environment::from_pairs([("A", "process")]);
        environment.load_file(&path).expect("well-formed");
        let value = |name: &str| environment.setting(name).map(str::to_owned);
        assert_eq!(value("A").as_deref(), Some("process"));
        assert_eq!(value("B").as_deref(), Some("two"));
        assert_eq!(value("C").as_deref(), Some("process-two"));
        assert_eq!(environment.origin("A"), Some(VariableOrigin::Process));
        assert_eq!(
            environment.origin("B"),
            Some(VariableOrigin::File { line: 3 })
        );
        assert_eq!(environment.find("missing").map(|_| ()), None);
    }

    #[test]
    fn a_broken_line_is_named_and_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        fs_err::write(&path, "A=1\nhunter2hunter2\n").expect("written");
        let error = Environment::default().load_file(&path).expect_err("broken");
        assert_eq!(error.code, Code::ConfigUnreadable);
        assert!(error.say.as_str().contains("line 2: "), "{error}");
        assert!(!error.chain().contains("hunter2"), "{}", error.chain());
    }

    #[test]
    fn a_missing_file_adds_nothing() {
        let mut environment = Environment::default();
        environment
            .load_file(Path::new("/nonexistent/.env"))
            .expect("no file is no error");
        assert_eq!(environment.names().count(), 0);
    }

    #[test]
    fn only_values_of_secret_names_are_learned() {
        for (name, expect) in [
            ("STRIPE_API_KEY", true),
            ("DB_PASSWORD", true),
            ("PGPASSWORD", true),
            ("SOURCES__PG__PASSWORD", true),
            ("PWD", false),
            ("SSH_AUTH_SOCK", false),
            ("HOST", false),
            ("KEYBOARD", false),
        ] {
            assert_eq!(is_secret_name(name), expect, "{name}");
        }
        let redactor = Redactor::new();
        let pairs = [
            ("MY_TOKEN", "abcdefgh"),
            ("MODE", "production"),
            ("KEY_FILE", "/etc/hostname"),
        ];
        Environment::from_pairs(pairs).teach(&redactor);
        let clean = redactor.redact("abcdefgh production /etc/hostname");
        assert_eq!(clean, "*************** production /etc/hostname");
    }

    #[test]
    fn a_secret_of_several_lines_is_known_line_by_line() {
        let redactor = Redactor::new();
        let pem =
            "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nAAAABBBBCCCCDDDDEEEE\n-----END KEY-----\n";
        teach(&redactor, &Plain::new(pem.into()));
        for text in [
            "MIIEvQIBADANBgkqhkiG",
            "{\"k\":\"MIIEvQIBADANBgkqhkiG\\nAAAABBBBCCCCDDDDEEEE\"}",
        ] {
            let clean = redactor.redact(text);
            assert!(
                !clean.contains("MIIEv") && !clean.contains("AAAA"),
                "{clean}"
            );
        }
    }
}
