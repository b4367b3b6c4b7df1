//! The server as its clients meet it: each request through a whole door, each refusal in the form that is promised.

#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that indexes wrongly fails as it should, and uses files and variables as any program does"
)]

mod connections;
mod device;
mod documents;
mod doors;
mod ids;
mod inputs;
mod known_holes;
mod logins;
mod mails;
mod pages;
mod passkeys;
mod people;
mod project;
mod rates;
mod rough;
mod sweep;
mod syncs;
