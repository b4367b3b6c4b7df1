//! testkit
pub mod authenticator;
pub mod http;
pub mod servers;
