//! The table of routes, noun by noun.

mod accounts;
mod audit;
mod config;
mod device;
mod health;
mod logins;
mod operator;
pub(crate) mod pages;
mod passkeys;
mod queries;
mod secrets;
mod settings;
mod sign_in;
mod sources;
mod status;
mod syncs;
mod tokens;
mod users;

use crate::table::{Api, Table};
use utoipa::ToSchema;

/// Returns everything that is served.
pub fn table() -> Table {
    let mut api = Api::default();
    health::add(&mut api);
    status::add(&mut api);
    sources::add(&mut api);
    syncs::add(&mut api);
    queries::add(&mut api);
    secrets::add(&mut api);
    config::add(&mut api);
    sign_in::add(&mut api);
    accounts::add(&mut api);
    passkeys::add(&mut api);
    logins::add(&mut api);
    tokens::add(&mut api);
    device::add(&mut api);
    users::add(&mut api);
    audit::add(&mut api);
    settings::add(&mut api);
    pages::add(&mut api);
    operator::add(&mut api);
    api.finish()
}

/// One page of a list.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Items in the whole list.
    pub(crate) total: u64,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

impl<T> Page<T> {
    /// Returns the page `items`, which `paged` asked for, of a list of `total`.
    pub(crate) fn part(items: Vec<T>, total: u64, paged: crate::extract::Paged) -> Self {
        Self {
            items,
            total,
            offset: paged.offset,
            limit: paged.limit(),
        }
    }

    /// Returns the part of `all` that `paged` asks for.
    pub(crate) fn of(all: Vec<T>, paged: crate::extract::Paged) -> Self {
        let total = all.len() as u64;
        let (offset, limit) = (paged.offset, paged.limit());
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let taken = usize::try_from(limit).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(skipped).take(taken).collect();
        Self {
            items,
            total,
            offset,
            limit,
        }
    }
}
