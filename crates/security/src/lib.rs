//! Roles, permissions and their witnesses; secrets in memory; masking. No I/O.
//!
//! # Invariants
//! - An [`Allow`] is made by [`authorize`] alone: its fields are private.
//! - Plain secrets exist only as [`Plain`]: no `Debug`, `Display`, `Serialize` or `Clone`; zeroed on drop.
//!
//! # Adding one
//! A permission is one line in [`permissions`]; an audit event is one line in [`events`]; a secret-bearing type holds
//! [`Plain`]; a known token prefix is one line in [`mod@mask`].

pub mod actor;
pub mod audit_chain;
pub mod audit_floods;
pub mod device_codes;
pub mod entropy;
pub mod events;
pub mod mask;
pub mod passkeys;
pub mod passwords;
pub mod permissions;
pub mod plain;
pub mod recovery_codes;
pub mod session_tokens;
mod short_codes;
pub mod tokens;
pub mod totp;
pub mod witness;

pub use actor::{Actor, Client, RequestId, Role, SignedIn, Step, Via};
pub use entropy::Entropy;
pub use events::Event;
pub use mask::{Redactor, mask};
pub use permissions::{Line, Permission, PublicReason};
pub use plain::Plain;
pub use witness::{Allow, Denied, Implies, Reason, admit, authorize};
