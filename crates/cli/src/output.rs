//! Where output goes: data to stdout, talk to stderr, coloured only where a person reads. Talk passes the redactor; the rows of
//! a query had their secrets masked before they came here.

pub(crate) mod grid;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod units;

use crate::arguments::ColorChoice;
use crate::errors::Stop;
use app::REDACTOR;
use app::error::Error;
use app::logging::Redacting;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use style::{Palette, Style};

/// The two streams and how to write to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// The terminal cannot move its cursor (TERM=dumb).
    is_dumb: bool,
    data: Palette,
    talk: Palette,
}

/// What the environment says about colours and terminals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// `NO_COLOR` is set.
    pub(crate) no_color: bool,
    /// TERM is `dumb`.
    pub(crate) is_dumb: bool,
}

impl Output {
    /// Looks at the streams and decides what is coloured.
    pub(crate) fn new(json: bool, color: ColorChoice, surroundings: Surroundings) -> Self {
        let plain = surroundings.no_color || surroundings.is_dumb;
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let palette = |is_terminal: bool| match color {
            ColorChoice::Always => Palette::Colour,
            ColorChoice::Auto if is_terminal && !plain => Palette::Colour,
            ColorChoice::Auto | ColorChoice::Never => Palette::Plain,
        };
        Self {
            json,
            stdout_is_terminal: stdout,
            stderr_is_terminal: stderr,
            is_dumb: surroundings.is_dumb,
            data: if json {
                Palette::Plain
            } else {
                palette(stdout)
            },
            talk: if json {
                Palette::Plain
            } else {
                palette(stderr)
            },
        }
    }

    /// Returns the width lists are fitted to: the terminal's; without one nothing is wrapped.
    pub(crate) fn list_width(self) -> Option<u16> {
        if self.stdout_is_terminal {
            table::terminal_width()
        } else {
            None
        }
    }

    /// Returns whether talk is read by a person at a terminal, so that bars may move.
    pub(crate) const fn talks_to_terminal(self) -> bool {
        self.stderr_is_terminal
    }

    /// Returns whether the terminal cannot move its cursor.
    pub(crate) const fn is_dumb(self) -> bool {
        self.is_dumb
    }

    /// Returns the colours of stdout.
    pub(crate) const fn data_palette(self) -> Palette {
        self.data
    }

    /// Returns the colours of stderr.
    pub(crate) const fn talk_palette(self) -> Palette {
        self.talk
    }

    /// Prints what we have to say on stdout.
    #[expect(
        clippy::unused_self,
        reason = "everything is written through the value that knows how"
    )]
    pub(crate) fn print(self, text: &str) -> Result<(), Stop> {
        Self::write(Redacting::new(io::stdout(), &REDACTOR), text)
    }

    /// Prints lines of the user's data as they are.
    #[expect(
        clippy::unused_self,
        reason = "everything is written through the value that knows how"
    )]
    pub(crate) fn print_data(self, text: &str) -> Result<(), Stop> {
        Self::write(data_writer(), text)
    }

    fn write(mut out: impl Write, text: &str) -> Result<(), Stop> {
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Prints one JSON document.
    pub(crate) fn print_json(self, value: &impl Serialize) -> Result<(), Stop> {
        // The values are ours: maps with text keys and numbers, which always serialize.
        let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".into());
        self.print(&text)
    }

    /// Prints one JSON document that holds what was just made and is shown once: a token, a link.
    pub(crate) fn print_json_data(self, value: &impl Serialize) -> Result<(), Stop> {
        let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".into());
        self.print_data(&text)
    }

    /// Tells something on stderr. With `--json` nobody is there to read talk, so it is left out.
    pub(crate) fn tell(self, text: &str) {
        if !self.json {
            talk_line(text);
        }
    }

    /// Tells what somebody has to do so that the command goes on: also to programs, as one line of JSON on stderr.
    pub(crate) fn tell_step(self, text: &str, step: &Value) {
        talk_line(&if self.json {
            step.to_string()
        } else {
            text.to_owned()
        });
    }

    /// Tells what was just made and is shown once, as it is; only to be called when stderr is a terminal.
    pub(crate) fn tell_data(self, text: &str) {
        if !self.json && self.stderr_is_terminal {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Tells a warning.
    pub(crate) fn warn(self, text: &str) {
        self.tell(&format!(
            "{} {text}",
            self.talk.paint(Style::Warning, "warning:")
        ));
    }

    /// Tells that rows are not what the warehouse holds: also to programs, which would take them for the whole truth.
    pub(crate) fn warn_masked(self, masked: u64) {
        if masked == 0 {
            return;
        }
        let text = if masked == 1 {
            "1 value was masked because it holds a secret of this project".to_owned()
        } else {
            let count = units::count(masked);
            format!("{count} values were masked because they hold a secret of this project")
        };
        if self.json {
            talk_line(&json!({ "warning": text }).to_string());
        } else {
            self.warn(&text);
        }
    }

    /// Tells why a command stopped, unless that was told, and returns its exit code.
    pub(crate) fn ended(self, ended: Result<(), Stop>) -> u8 {
        let Err(stop) = ended else { return 0 };
        if let Stop::Failed(error) = &stop {
            self.error(error);
        }
        stop.exit_code()
    }

    /// Tells an error: text as people read it, or with `--json` one line of JSON on stderr.
    pub(crate) fn error(self, error: &Error) {
        if self.json {
            talk_line(&error_json(error).to_string());
        } else {
            talk_line(&error_text(error, self.talk));
        }
    }
}

/// Returns a buffered writer of data to stdout; it must be flushed.
pub(crate) fn data_writer() -> BufWriter<Stdout> {
    const BLOCK_BYTES: usize = 64 << 10;
    BufWriter::with_capacity(BLOCK_BYTES, io::stdout())
}

fn talk_line(text: &str) {
    // A closed stderr leaves nobody to tell.
    let _ = writeln!(Redacting::new(io::stderr(), &REDACTOR), "{text}");
}

/// Returns an error as three lines: what happened, what to do next, which code.
pub(crate) fn error_text(error: &Error, palette: Palette) -> String {
    let mut text = format!("{} {}", palette.paint(Style::Error, "error:"), error.say);
    if !error.hint.is_empty() {
        let _ = write!(
            text,
            "\n{} {}",
            palette.paint(Style::Hint, "hint:"),
            error.hint
        );
    }
    let _ = write!(
        text,
        "\n{} {}",
        palette.paint(Style::Dim, "code:"),
        error.code
    );
    text
}

/// Returns an error in its documented shape.
pub(crate) fn error_json(error: &Error) -> Value {
    let hint = (!error.hint.is_empty()).then(|| error.hint.as_str());
    json!({"error": {"code": error.code.as_str(), "message": error.say.as_str(), "hint": hint}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::error::Kind;
    use domain::{Code, say};

    #[test]
    fn an_error_reads_the_same_without_colour() {
        let error = Error::new(
            Kind::NotFound,
            Code::SourceNotFound,
            "there is no source `shop`",
        )
        .hint(say!("list them with `dango source list`"));
        let plain = error_text(&error, Palette::Plain);
        assert_eq!(
            plain,
            "error: there is no source `shop`\nhint: list them with `dango source list`\ncode: source_not_found"
        );
        assert!(error_text(&error, Palette::Colour).contains("\u{1b}["));
        assert_eq!(
            error_json(&error).to_string(),
            r#"{"error":{"code":"source_not_found","message":"there is no source `shop`","hint":"list them with `dango source list`"}}"#
        );
    }
}
