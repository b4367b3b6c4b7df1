//! Names, ids, limits, types and state machines: pure values and rules that every other crate speaks in.
//!
//! # Invariants
//! - No I/O, no clock, no randomness: time comes in as a [`Timestamp`], the environment stays outside.
//! - Depends on no other crate of ours.
//!
//! # Adding one
//! A new noun gets its own file with its newtype, its parser and its tests; an error code gets one line in [`codes`].

pub mod calendar;
pub mod clock;
pub mod codes;
pub mod column;
pub mod fault;
pub mod job;
pub mod limits;
pub mod load;
pub mod names;
pub mod people;
pub mod say;

pub use clock::{Clock, Timestamp};
pub use codes::Code;
pub use column::{Column, ColumnType, TableSchema};
pub use job::{JobId, JobState};
pub use load::{Contract, Disposition, LoadId, LoadReport, TableReport};
pub use names::{ConnectorName, NameError, SourceName, TableName, TableRef};
pub use people::{Email, LinkedLoginId, PasskeyId, RecoveryCodeId, SessionId, TokenId, UserId};
pub use say::{Say, Shown};
