//! Use cases: what every door calls, and the only place where store, warehouse, sources and children meet.
//!
//! # Invariants
//! - A use case takes the witness of the permission it needs; none checks a role by itself.
//! - Errors are made here in the user's words; doors only choose a status or an exit code for their kind.
//! - The environment is read in [`environment`], the clock in [`app`], and nowhere else.
//!
//! # Adding one
//! A use case is a function of `(app, &Allow<P>, request)` in the module of its noun; what it changes outside the store is
//! announced and settled by `App::effect`.

pub mod app;
pub mod audit;
pub mod child;
pub mod config;
mod conversions;
pub mod credentials;
pub mod database;
pub mod doctor;
mod effects;
pub mod environment;
pub mod error;
mod files;
pub mod health;
pub mod identity;
pub mod lock;
pub mod logging;
mod operators;
pub mod project;
pub mod query;
pub mod reader;
pub mod remote;
pub mod secrets;
#[cfg(test)]
mod seeded;
pub(crate) mod settle;
pub mod sources;
pub mod sync;
pub mod told;

pub use app::{App, Cancel, OpenOptions, REDACTOR, SystemClock, SystemEntropy};
pub use connect::catalog::{Connector, Field};
pub use environment::Environment;
pub use error::{Error, Kind, Result};
pub use lock::Holder;
pub use operators::account_name;
pub use warehouse::render;

use sandbox::Launcher;
use security::{Allow, Permission};

/// Returns how this program starts its children.
pub fn launcher() -> Result<Launcher> {
    Ok(Launcher::current([child::ARGUMENT]))
}

/// Makes the process unreadable to debuggers and keeps its memory out of core dumps. Before the first secret is read.
pub fn harden() {
    // Where the kernel does not offer it, `dango doctor` says so.
    let _ = sandbox::harden_self();
}

/// Checks that whoever runs the program on this machine has the permission `P`: for what needs no project yet, and so has no
/// audit log to record a denial in.
pub fn operator<P: Permission>(environment: &Environment) -> Result<Allow<P>> {
    app::operator(environment)
}

/// Checks the configuration files of a project, broken ones included, and returns everything there is to say about them.
pub fn check_config(options: &OpenOptions) -> Result<Vec<config::Finding>> {
    app::check_config(options)
}
