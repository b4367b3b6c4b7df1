//! What a reader and its parent say to each other.

use super::ReaderFile;
use connect::files::{FileOptions, Format, Inspection};
use connect::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use domain::{Column, TableSchema};
use serde::{Deserialize, Serialize};
use std::error::Error;

/// A request. It is answered by any number of [`Answer::Progress`] and one other answer. A failure ends the open stream.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(super) enum Ask {
    Hash {
        file: FileSpec,
    },
    Inspect {
        file: FileSpec,
        table: String,
        known: Vec<TableSchema>,
    },
    /// Carries the descriptor that the rows go to, as one stream of all files that are read from now on.
    Open {
        stream: StreamRequest,
    },
    /// Adds a file's rows to the open stream.
    Read {
        file: FileSpec,
        inspection: Inspection,
    },
    /// Ends the open stream: it is whole.
    Finish,
}

/// What a stream is to hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamRequest {
    /// All tables that the files fill, with their final types.
    pub tables: Vec<TableSchema>,
    /// The one whose rows go into the stream.
    pub table: String,
    /// Those of its columns that the stream has, in its order; after them comes the file's name.
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FileSpec {
    pub(super) path: String,
    pub(super) format: Format,
    pub(super) options: FileOptions,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    Hashed { hash: String, bytes: u64 },
    Inspected { inspection: Inspection },
    Opened,
    Progress { rows: u64 },
    Read { rows: u64, bytes: u64 },
    Finished,
    Failed(SentFailure),
}

/// A failure on its way out of the cage. The child is not trusted: its words are shown as a file's own text would be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SentFailure {
    kind: SentKind,
    say: String,
    hint: String,
    cause: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SentKind {
    Missing,
    Forbidden,
    Changed,
    FileInvalid,
    FileTooLarge,
    ConfigInvalid,
    Failed,
}

impl FileSpec {
    pub(super) fn new(file: &ReaderFile) -> Self {
        Self {
            path: file.path.clone(),
            format: file.format,
            options: file.options.clone(),
        }
    }
}

impl Ask {
    /// Returns the path of the file that the request is about.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Hash { file } | Self::Inspect { file, .. } | Self::Read { file, .. } => {
                Some(&file.path)
            }
            Self::Open { .. } | Self::Finish => None,
        }
    }
}

impl From<Failure> for SentFailure {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            FailureKind::Missing => SentKind::Missing,
            FailureKind::Forbidden => SentKind::Forbidden,
            FailureKind::Changed => SentKind::Changed,
            FailureKind::FileInvalid | FailureKind::Protocol => SentKind::FileInvalid,
            FailureKind::FileTooLarge => SentKind::FileTooLarge,
            FailureKind::ConfigInvalid => SentKind::ConfigInvalid,
            // A reader meets nothing else: it has no network and no credential.
            _ => SentKind::Failed,
        };
        let mut causes = Vec::new();
        let mut cause = Error::source(&failure);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self {
            kind,
            say: failure.say.as_str().to_owned(),
            hint: failure.hint.as_str().to_owned(),
            cause: causes.join(": "),
        }
    }
}

impl From<SentFailure> for Failure {
    fn from(sent: SentFailure) -> Self {
        let kind = match sent.kind {
            SentKind::Missing => FailureKind::Missing,
            SentKind::Forbidden => FailureKind::Forbidden,
            SentKind::Changed => FailureKind::Changed,
            SentKind::FileInvalid => FailureKind::FileInvalid,
            SentKind::FileTooLarge => FailureKind::FileTooLarge,
            SentKind::ConfigInvalid => FailureKind::ConfigInvalid,
            SentKind::Failed => FailureKind::Failed,
        };
        let failure =
            Self::new(kind, say!("", Quoted(&sent.say))).hint(say!("", Quoted(&sent.hint)));
        if sent.cause.is_empty() {
            failure
        } else {
            failure.caused_by(sent.cause)
        }
    }
}
