//! Errors between two processes of this program: what the server says about a failure, said again by the command line.

use crate::REDACTOR;
use crate::error::{Error, Kind};
use domain::say::Retold;
use domain::{Code, say};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An error as it travels: what a user may read of it, already redacted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    pub kind: Kind,
    pub code: String,
    pub message: String,
    pub hint: String,
}

impl From<&Error> for Told {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind,
            code: error.code.as_str().to_owned(),
            message: REDACTOR.redact_talk(error.say.as_str()),
            hint: REDACTOR.redact_talk(error.hint.as_str()),
        }
    }
}

impl From<Told> for Error {
    fn from(told: Told) -> Self {
        // A code that this version does not know comes from a server of another version.
        let code = Code::parse(&told.code).unwrap_or(Code::Bug);
        Self::new(told.kind, code, say!("", Retold(&told.message)))
            .hint(say!("", Retold(&told.hint)))
    }
}

impl Error {
    /// Returns the error without its causes.
    pub fn retold(&self) -> Self {
        Told::from(self).into()
    }
}

/// How serde writes an error that may be none.
pub(crate) mod maybe {
    use super::{Deserialize as _, Deserializer, Error, Serialize as _, Serializer, Told};

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(crate) fn serialize<S: Serializer>(
        error: &Option<Error>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        error.as_ref().map(Told::from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Error>, D::Error> {
        Ok(Option::<Told>::deserialize(deserializer)?.map(Error::from))
    }
}
