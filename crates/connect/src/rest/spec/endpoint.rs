//! One endpoint of an API: what is asked, where the records are, how they reach their table.

use super::{OneOrMany, Paginator};
use domain::Disposition;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// An endpoint. A plain text stands for `{path: text}`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint(pub(crate) EndpointSpec);

/// The keys of an endpoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointSpec {
    /// The table; without it, the last words of the path.
    pub(crate) name: Option<String>,
    /// Other names by which sources choose this endpoint.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    pub(crate) path: String,
    #[serde(rename = "docs")]
    pub(crate) _docs: Option<String>,
    #[serde(rename = "description")]
    pub(crate) _description: Option<String>,
    #[serde(default)]
    pub(crate) method: Method,
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The JSON body of a POST.
    #[serde(alias = "json")]
    pub(crate) body: Option<Map<String, Value>>,
    #[serde(alias = "record_path")]
    pub(crate) data_selector: Option<String>,
    pub(crate) paginator: Option<Paginator>,
    pub(crate) primary_key: Option<OneOrMany>,
    #[serde(alias = "write_disposition")]
    pub(crate) disposition: Option<Disposition>,
    pub(crate) incremental: Option<Incremental>,
    /// Fields of the parent's record that a child stream's rows carry, as `_<parent>_<field>`.
    #[serde(default)]
    pub(crate) include_from_parent: Vec<String>,
    #[serde(default, alias = "response_actions")]
    pub(crate) errors: Vec<ErrorRule>,
    /// Columns kept as JSON instead of being taken apart.
    #[serde(default)]
    pub(crate) json_columns: Vec<String>,
    /// Lists inside a record that hold only their first entries, and say so as a page of this API does: they are read to
    /// their end, at their own `url`.
    #[serde(default)]
    pub(crate) embedded_lists: Vec<String>,
    /// Whether a load that was cut off may go on where it stopped; decided by the paginator when absent.
    pub(crate) resumable: Option<bool>,
}

/// The request's method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Method {
    #[default]
    #[serde(rename = "GET", alias = "get")]
    Get,
    #[serde(rename = "POST", alias = "post")]
    Post,
}

/// How only what is new is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incremental {
    /// The record's field whose highest value is remembered.
    #[serde(alias = "cursor_path")]
    pub(crate) cursor: String,
    /// The parameter that asks for records from a value on.
    #[serde(alias = "start_param")]
    pub(crate) param: Option<String>,
    /// The parameter that asks for records up to a value.
    pub(crate) end_param: Option<String>,
    #[serde(default)]
    pub(crate) format: TimeFormat,
    /// Where the first sync starts.
    #[serde(alias = "initial_value")]
    pub(crate) initial: Option<Value>,
    /// How far before the remembered value to ask again: `30m`, `6h`, `7d`.
    pub(crate) lookback: Option<String>,
}

/// How the cursor's values are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeFormat {
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    #[default]
    Iso8601,
    /// `YYYY-MM-DD`.
    Date,
    /// A growing number that is no time.
    Number,
    /// Text that sorts as it grows.
    Text,
}

/// What an answer that is no success means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRule {
    #[serde(alias = "status_code")]
    pub(crate) status: u16,
    /// Only answers whose body has this text.
    #[serde(alias = "content")]
    pub(crate) contains: Option<String>,
    #[serde(alias = "action")]
    pub(crate) then: Then,
    /// What the user is told.
    pub(crate) message: Option<String>,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    Fail,
    Retry,
    /// The endpoint has no records here.
    #[serde(alias = "ignore")]
    Skip,
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer).map(Self)
    }
}

impl FromText for EndpointSpec {
    const EXPECTED: &'static str = "a path or a map of an endpoint's keys";

    fn from_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(Self {
            path: text.to_owned(),
            ..Self::default()
        })
    }
}

/// Something that a plain text may stand for instead of a map of keys.
pub(super) trait FromText: Sized {
    const EXPECTED: &'static str;

    /// Returns what `text` stands for.
    fn from_text<E: de::Error>(text: &str) -> Result<Self, E>;
}

/// Deserializes a map of `T`'s keys, or a text that stands for one. An untagged enum would lose which key was unknown.
pub(super) fn text_or_map<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromText,
{
    deserializer.deserialize_any(TextOrMap(PhantomData))
}

struct TextOrMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + FromText> Visitor<'de> for TextOrMap<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
