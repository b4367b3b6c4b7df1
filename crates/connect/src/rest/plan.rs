//! A description with everything filled in and checked: what the engine works with.

mod api;
mod ask;
mod auth;
mod parent;
mod stream;

pub(super) use api::{Overrides, Plan};
pub(super) use ask::Param;
pub(super) use auth::{Auth, ClientCredentials, prefixed};
pub(super) use parent::{Parent, parent_field};
pub(super) use stream::StreamPlan;
