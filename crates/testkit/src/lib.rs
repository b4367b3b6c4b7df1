//! testkit
pub mod servers;
