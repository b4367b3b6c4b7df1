//! The demo: a small shop of our own making, its data in every form a source can have, and the API it is partly served by.

pub(crate) mod api;
pub(crate) mod files;
pub(crate) mod project;
pub(crate) mod shop;
