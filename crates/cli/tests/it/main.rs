//! The command line as its users meet it: the real binary, its output byte by byte, its exit codes.

#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that indexes wrongly fails as it should, and uses files and variables as any program does"
)]

mod api;
mod audit;
mod auth;
mod bad_input;
mod canaries;
mod clients;
mod configuration;
mod crowds;
mod demo;
mod environment;
mod file_syncs;
mod first_admin;
mod generated;
mod interruptions;
mod languages;
mod links;
mod loads;
mod peer_lessons;
mod people;
mod project;
mod queries;
mod real_data;
mod remote;
mod secrets;
mod server;
mod sources;
mod syncs;
mod terminal;
mod usage;
