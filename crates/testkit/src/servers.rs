//! Database servers for tests: started on a free loopback port in a folder of their own, ended and removed with the test
//! process however that ends. As root they run as their Debian account, for neither server runs as root.

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test kit tells what is missing by failing the test"
)]

mod mariadb;
mod postgres;
mod process;

pub use mariadb::Mariadb;
pub use postgres::Postgres;

/// The user that every server has, with all rights.
pub const USER: &str = "dango";
/// That user's password: a canary that no output may contain.
pub const PASSWORD: &str = "canary-PaSsW0rd-4242";
/// The database that every server has.
pub const DATABASE: &str = "shop";
