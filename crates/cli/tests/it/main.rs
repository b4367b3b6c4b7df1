//! The command line as its users meet it: the real binary, its output byte by byte, its exit codes.

mod api;
mod bad_input;
mod canaries;
mod configuration;
mod demo;
mod generated;
mod interruptions;
mod languages;
mod peer_lessons;
mod project;
mod queries;
mod real_data;
mod secrets;
mod sources;
mod syncs;
mod terminal;
mod usage;
