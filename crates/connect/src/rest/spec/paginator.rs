//! How the next page is asked for.

use super::endpoint::{FromText, text_or_map};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer};

/// A paginator. A plain text stands for `{type: text}`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paginator(pub(crate) PaginatorSpec);

/// The keys of a paginator: those its kind does not need stay empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaginatorSpec {
    #[serde(rename = "type")]
    pub(crate) kind: PaginatorKind,
    /// The number of the first page. Without it, page 0 is tried first; a refusal or nothing there is not the end, and a
    /// page 1 that says the same is not read twice.
    #[serde(alias = "base_page", alias = "initial_page", alias = "page")]
    pub(crate) first_page: Option<i64>,
    pub(crate) page_param: Option<String>,
    #[serde(alias = "page_size")]
    pub(crate) limit: Option<u64>,
    #[serde(alias = "page_size_param")]
    pub(crate) limit_param: Option<String>,
    #[serde(alias = "initial_offset")]
    pub(crate) offset: Option<u64>,
    pub(crate) offset_param: Option<String>,
    /// Where the answer says how many pages (page numbers) or records (offset) there are.
    pub(crate) total_path: Option<String>,
    #[serde(alias = "maximum_page", alias = "maximum_value")]
    pub(crate) page_max: Option<i64>,
    #[serde(alias = "maximum_offset")]
    pub(crate) offset_max: Option<u64>,
    /// `false` goes on after a page without records; only for page numbers, and only together with `total_path`,
    /// `has_more_path` or a maximum.
    pub(crate) stop_after_empty_page: Option<bool>,
    /// Where the answer has the next cursor.
    pub(crate) cursor_path: Option<String>,
    pub(crate) cursor_param: Option<String>,
    /// The header that has the next cursor.
    #[serde(alias = "cursor_key")]
    pub(crate) cursor_header: Option<String>,
    /// The field of the page's last record that the next page starts after.
    pub(crate) record_field: Option<String>,
    /// Where the answer says whether there is more.
    pub(crate) has_more_path: Option<String>,
    #[serde(alias = "next_path")]
    pub(crate) next_url_path: Option<String>,
    /// The relation of the `Link` header that names the next page.
    #[serde(alias = "links_next_key")]
    pub(crate) link_relation: Option<String>,
}

/// The kinds of paginator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaginatorKind {
    /// A next page is followed where the first answer names one in a usual place.
    #[default]
    Auto,
    #[serde(alias = "single_page")]
    None,
    #[serde(alias = "page")]
    PageNumber,
    Offset,
    Cursor,
    HeaderCursor,
    /// Stripe's way: the next page starts after the last record's id.
    LastRecord,
    #[serde(alias = "link_header")]
    HeaderLink,
    #[serde(alias = "next_url")]
    JsonLink,
}

impl PaginatorKind {
    /// Returns whether the next page may be a URL that the API gives.
    pub(crate) const fn follows_links(self) -> bool {
        matches!(self, Self::Auto | Self::HeaderLink | Self::JsonLink)
    }
}

impl<'de> Deserialize<'de> for Paginator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer).map(Self)
    }
}

impl FromText for PaginatorSpec {
    const EXPECTED: &'static str = "a paginator's type or a map of its keys";

    fn from_text<E: de::Error>(text: &str) -> Result<Self, E> {
        // Parsed as in the map form, so that a misspelt one is refused the same way.
        Ok(Self {
            kind: PaginatorKind::deserialize(StrDeserializer::<E>::new(text))?,
            ..Self::default()
        })
    }
}
