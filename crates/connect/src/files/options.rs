//! How a source's files are to be read, where the user knows better than what we would find out.

use super::format::Format;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use serde::{Deserialize, Serialize};

/// The options of a source or of one of its tables. Without any, everything is found out from the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileOptions {
    /// Reads every file as this format, whatever its name says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// One ASCII character, or `tab`; found out among `,` `;` tab `|` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Whether the first record names the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// One ASCII character, or `none`; `"` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The character that takes the meaning from the next one inside quotes; otherwise quotes are doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<String>,
    /// A label of the WHATWG encoding standard: `latin1`, `windows-1252`, `utf-16le`, `shift_jis`; UTF-8 otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Unquoted cells that mean NULL, besides the empty one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub null_values: Vec<String>,
    pub ragged: Ragged,
}

/// What happens to a record with fewer or more cells than there are columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ragged {
    /// The file is refused.
    #[default]
    Error,
    /// Missing cells are NULL, empty surplus cells are dropped; a surplus cell with a value refuses the file.
    Pad,
}

impl FileOptions {
    /// Refuses options that cannot be meant.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let (delimiter, quote, escape) = (self.delimiter()?, self.quote()?, self.escape()?);
        if delimiter.is_some() && (delimiter == quote || delimiter == escape) {
            return Err(Failure::new(
                FailureKind::ConfigInvalid,
                "`delimiter`, `quote` and `escape` must be different characters",
            ));
        }
        self.encoding().map(|_| ())
    }

    pub(crate) fn delimiter(&self) -> Result<Option<u8>, Failure> {
        match self.delimiter.as_deref() {
            None => Ok(None),
            Some("tab" | "\\t") => Ok(Some(b'\t')),
            Some(text) => one_character("delimiter", text).map(Some),
        }
    }

    pub(crate) fn quote(&self) -> Result<Option<u8>, Failure> {
        match self.quote.as_deref() {
            None => Ok(Some(b'"')),
            Some("none" | "") => Ok(None),
            Some(text) => one_character("quote", text).map(Some),
        }
    }

    pub(crate) fn escape(&self) -> Result<Option<u8>, Failure> {
        self.escape
            .as_deref()
            .map(|text| one_character("escape", text))
            .transpose()
    }

    pub(crate) fn encoding(&self) -> Result<Option<&'static encoding_rs::Encoding>, Failure> {
        let Some(label) = self.encoding.as_deref() else {
            return Ok(None);
        };
        match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) => Ok(Some(encoding)),
            None => Err(Failure::new(
                FailureKind::ConfigInvalid,
                say!("`encoding` ", name Quoted(label), " is not known"),
            )
            .hint("use a label such as `utf-8`, `latin1`, `windows-1252` or `utf-16le`")),
        }
    }
}

fn one_character(key: &'static str, text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        [byte] if *byte == b'\t' || (byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric()) => {
            Ok(*byte)
        }
        _ => Err(Failure::new(
            FailureKind::ConfigInvalid,
            say!("", name Quoted(key), " must be one ASCII sign, not ", name Quoted(text)),
        )
        .hint("write `delimiter: \";\"`, `delimiter: tab` or `quote: none`")),
    }
}
