//! testkit
pub mod authenticator;
pub mod servers;
