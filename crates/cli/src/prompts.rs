//! Questions at the terminal. Every question has a flag that answers it, so that nothing needs a terminal.

use crate::errors::{Stop, input_needed, usage};
use crate::interrupts::Interrupts;
use crate::output::style::Palette;
use app::error::{Error, Kind};
use domain::Code;
use inquire::error::InquireError;
use inquire::ui::RenderConfig;
use inquire::{Confirm, Password, PasswordDisplayMode, Select, Text};
use security::Plain;
use std::io::{self, IsTerminal as _, Read as _};

/// The longest secret that is read from a stream: a private key is a few kilobytes.
const SECRET_BYTES_MAX: u64 = 256 * 1024;

/// Somebody who answers questions: a person at a terminal, or a test.
pub(crate) trait Ask {
    /// Lets one of `options` be chosen and returns its index.
    fn choose(&mut self, question: &str, options: &[String], help: &str) -> Result<usize, Stop>;
    /// Asks for a line; an empty answer is the default, or empty.
    fn line(&mut self, question: &str, default: Option<&str>, help: &str) -> Result<String, Stop>;
    /// Asks for a secret, hidden while it is typed.
    fn secret(&mut self, question: &str, help: &str) -> Result<Plain<String>, Stop>;
    /// Asks a yes-or-no question.
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, Stop>;
}

/// Returns whether a person can be asked: both ends are a terminal.
pub(crate) fn is_interactive(no_input: bool) -> bool {
    !no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns a person to ask, or the error that names the flag.
pub(crate) fn at_terminal(
    no_input: bool,
    what: &'static str,
    flag: &str,
    palette: Palette,
) -> Result<Box<dyn Ask>, Stop> {
    if is_interactive(no_input) {
        return Ok(Box::new(Terminal {
            plain: palette == Palette::Plain,
        }));
    }
    Err(input_needed(what, flag))
}

struct Terminal {
    plain: bool,
}

impl Terminal {
    fn render(&self) -> RenderConfig<'static> {
        if self.plain {
            RenderConfig::empty()
        } else {
            RenderConfig::default_colored()
        }
    }
}

impl Ask for Terminal {
    fn choose(&mut self, question: &str, options: &[String], help: &str) -> Result<usize, Stop> {
        let select = Select::new(question, options.to_vec())
            .with_render_config(self.render())
            .with_page_size(12);
        let select = if help.is_empty() {
            select
        } else {
            select.with_help_message(help)
        };
        Ok(select
            .raw_prompt()
            .map_err(|error| unanswered(&error))?
            .index)
    }

    fn line(&mut self, question: &str, default: Option<&str>, help: &str) -> Result<String, Stop> {
        let mut text = Text::new(question).with_render_config(self.render());
        text.default = default;
        text.help_message = (!help.is_empty()).then_some(help);
        text.prompt().map_err(|error| unanswered(&error))
    }

    fn secret(&mut self, question: &str, help: &str) -> Result<Plain<String>, Stop> {
        let mut password = Password::new(question)
            .with_display_mode(PasswordDisplayMode::Hidden)
            .without_confirmation()
            .with_render_config(self.render());
        password.help_message = (!help.is_empty()).then_some(help);
        password
            .prompt()
            .map(Plain::new)
            .map_err(|error| unanswered(&error))
    }

    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, Stop> {
        Confirm::new(question)
            .with_default(default)
            .with_render_config(self.render())
            .prompt()
            .map_err(|error| unanswered(&error))
    }
}

fn unanswered(error: &InquireError) -> Stop {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Stop::interrupted(),
        InquireError::NotTTY => input_needed("an answer", "--no-input and the flags of `--help`"),
        _ => Stop::Failed(Error::new(
            Kind::Invalid,
            Code::InputNeeded,
            "the terminal cannot be asked",
        )),
    }
}

/// Reads stdin to its end, or up to `bytes_max`, on a thread of its own: Ctrl-C does not wait for somebody to type.
pub(crate) async fn stdin(interrupts: &Interrupts, bytes_max: u64) -> Result<Vec<u8>, Stop> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        io::stdin().lock().take(bytes_max).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    let unread = |_| usage("stdin cannot be read", "check what is connected to it");
    let read = async {
        read.await
            .map_err(io::Error::other)
            .flatten()
            .map_err(unread)
    };
    interrupts.or_drop(read).await
}

/// Reads stdin to its end as one secret; one line end at its end does not belong to it.
pub(crate) async fn secret_from_stdin(interrupts: &Interrupts) -> Result<Plain<String>, Stop> {
    let bytes = Plain::new(stdin(interrupts, SECRET_BYTES_MAX + 1).await?);
    if bytes.expose().len() as u64 > SECRET_BYTES_MAX {
        return Err(usage(
            "the secret on stdin is longer than 256 kB",
            "a secret is one line or one key file",
        ));
    }
    match std::str::from_utf8(bytes.expose()) {
        Ok(text) => Ok(without_line_end(Plain::new(text.to_owned()))),
        Err(_) => Err(usage(
            "the secret on stdin is not UTF-8 text",
            "encode it, as base64 for instance",
        )),
    }
}

/// Reads a file as one secret.
pub(crate) fn secret_from_file(path: &std::path::Path) -> Result<Plain<String>, Stop> {
    let length = fs_err::metadata(path)
        .map_err(|error| crate::errors::unreadable(&error))?
        .len();
    if length > SECRET_BYTES_MAX {
        return Err(usage(
            "the secret's file is longer than 256 kB",
            "a secret is one line or one key file",
        ));
    }
    let text = fs_err::read_to_string(path).map_err(|error| crate::errors::unreadable(&error))?;
    Ok(without_line_end(Plain::new(text)))
}

/// Returns a secret without the line end that files and pipes add; one of several lines (a PEM key) is kept as it is.
pub(crate) fn without_line_end(secret: Plain<String>) -> Plain<String> {
    let text = secret.expose();
    let single = text.strip_suffix('\n').filter(|rest| !rest.contains('\n'));
    let line = single.map_or(text.as_str(), |line| {
        line.strip_suffix('\r').unwrap_or(line)
    });
    if line.len() == text.len() {
        secret
    } else {
        Plain::new(line.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_does_not_belong_to_a_secret() {
        let check = |text: &str, expect: &str| {
            assert_eq!(without_line_end(Plain::new(text.into())).expose(), expect);
        };
        check("a\n", "a");
        check("a\r\n", "a");
        check("a\nb\n", "a\nb\n");
        check(" a ", " a ");
        check("", "");
    }
}
