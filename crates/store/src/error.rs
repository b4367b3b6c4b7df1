//! What can go wrong in the metadata database, told apart as far as somebody can act on it.

use domain::job::JobStep;
use domain::{Email, JobId, UserId};
use sea_orm::DbErr;
use std::io;

/// A failure of the store. Nothing of the transaction it happened in was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the file of the metadata database cannot be used")]
    File(#[from] io::Error),
    #[error("the metadata database has the migration {newest}, which this version does not know")]
    SchemaNewer { newest: String },
    #[error("it is the database of another program")]
    SchemaForeign,
    #[error("the metadata database at {at} cannot be reached")]
    Unreachable {
        /// Host, port and database, without credentials.
        at: String,
        #[source]
        source: DbErr,
    },
    #[error("the metadata database was busy {attempts} times in a row")]
    Busy { attempts: u32 },
    #[error("the disk of the metadata database is full")]
    Full(#[source] DbErr),
    #[error("the metadata database is damaged")]
    Corrupt(#[source] DbErr),
    #[error("the file of the metadata database cannot be read or written")]
    Access(#[source] DbErr),
    #[error("the metadata database failed")]
    Database(#[source] DbErr),
    #[error("the metadata database holds {what} that cannot be read")]
    Stored { what: &'static str },
    #[error("a failed statement was ignored inside a transaction")]
    StatementIgnored,
    #[error("the details of an audit row are longer than {bytes_max} bytes")]
    DetailsTooLong { bytes_max: usize },
    #[error("the process ended before the audit row was written")]
    Unwritten,
    #[error("there is no job {id} of this permission")]
    JobMissing { id: JobId },
    #[error("the job {id} was given to another attempt")]
    JobLost { id: JobId },
    #[error("`{target}` is already being worked on by another job")]
    JobRunning { target: String },
    #[error(transparent)]
    JobStep(#[from] JobStep),
    #[error("the effect was finished before")]
    EffectFinished,
    #[error("there is already a user {email}")]
    EmailTaken { email: Email },
    #[error("there is no user {id}")]
    UserMissing { id: UserId },
    #[error("the last admin cannot be taken away")]
    LastAdmin,
    #[error("nobody does this to himself")]
    Oneself,
    #[error("the passkey is registered already")]
    PasskeyTaken,
    #[error("there are {max} passkeys, which is the limit")]
    PasskeysTooMany { max: u64 },
    #[error("there are {max} tokens, which is the limit")]
    TokensTooMany { max: u64 },
    #[error("the login is linked to another user")]
    LoginTaken,
    #[error("nothing would be left to sign in with")]
    LastWayIn,
    #[error("the state of a ceremony is longer than {bytes_max} bytes")]
    CeremonyTooLong { bytes_max: usize },
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        crate::dialect::classify(error)
    }
}
