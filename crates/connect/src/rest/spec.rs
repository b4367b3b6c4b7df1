//! How an API is described: the one schema of connector files and of the `rest_api` block of `sources.yml`. getdango's and
//! dlt's names for the same things are accepted as aliases.
//!
//! Every struct refuses unknown keys: a misspelt setting must not be read as its default.

mod endpoint;
mod paginator;
mod parse;

pub(crate) use endpoint::{
    Endpoint, EndpointSpec, ErrorRule, Incremental, Method, Then, TimeFormat,
};
pub(crate) use paginator::{Paginator, PaginatorKind, PaginatorSpec};
pub(crate) use parse::{connector_file, rest_block};

use domain::Disposition;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An API. The first group of keys is only for connector files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    /// The provider's documentation and API version, for people.
    #[serde(rename = "docs")]
    _docs: Option<String>,
    #[serde(rename = "api_version")]
    _api_version: Option<String>,
    #[serde(default)]
    pub(crate) fields: Vec<FieldSpec>,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,

    #[serde(alias = "url")]
    pub(crate) base_url: Option<String>,
    pub(crate) auth: Option<Auth>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    pub(crate) paginator: Option<Paginator>,
    #[serde(alias = "record_path")]
    pub(crate) data_selector: Option<String>,
    pub(crate) primary_key: Option<OneOrMany>,
    #[serde(alias = "write_disposition")]
    pub(crate) disposition: Option<Disposition>,
    #[serde(default, alias = "response_actions")]
    pub(crate) errors: Vec<ErrorRule>,
    /// `25/s`, `100/min`, `1000/h`.
    pub(crate) rate_limit: Option<String>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) retries_max: Option<u32>,
    pub(crate) pages_max: Option<u64>,
    /// A path that `source test` asks instead of the first endpoint's.
    pub(crate) test_path: Option<String>,
    #[serde(default, alias = "resources", alias = "streams")]
    pub(crate) endpoints: Vec<Endpoint>,
    /// Where incremental endpoints start the first time: a date, a timestamp, or `90daysAgo`.
    pub(crate) start_date: Option<String>,
    pub(crate) end_date: Option<String>,
    pub(crate) lookback_days: Option<u32>,

    // getdango's flat form of `auth`; the `*_env` keys are followed by whoever resolves the credentials.
    auth_type: Option<AuthKind>,
    auth_header_name: Option<String>,
    #[serde(rename = "api_key_name")]
    key_name: Option<String>,
    #[serde(rename = "api_key_location")]
    key_location: Option<Location>,
    access_token_url: Option<String>,
    #[serde(default, rename = "auth_token_env")]
    _auth_token_env: IgnoredAny,
    #[serde(default, rename = "basic_username_env")]
    _basic_username_env: IgnoredAny,
    #[serde(default, rename = "basic_password_env")]
    _basic_password_env: IgnoredAny,
    #[serde(default, rename = "client_id_env")]
    _client_id_env: IgnoredAny,
    #[serde(default, rename = "client_secret_env")]
    _client_secret_env: IgnoredAny,
}

impl Api {
    /// Returns how requests are signed: `auth`, or getdango's flat keys.
    pub(crate) fn auth(&self) -> Auth {
        if let Some(auth) = &self.auth {
            return auth.clone();
        }
        Auth {
            kind: self.auth_type.unwrap_or_default(),
            name: self
                .key_name
                .clone()
                .or_else(|| self.auth_header_name.clone()),
            location: self.key_location,
            token_url: self.access_token_url.clone(),
            ..Auth::default()
        }
    }
}

/// A field of a connector file: what a source of this type has to be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldSpec {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    #[serde(default)]
    pub(crate) secret: bool,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) help: String,
}

impl FieldSpec {
    /// Returns whether `name` is this field's name or one of its aliases.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// How requests are signed. Values may hold `{field}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    #[serde(rename = "type")]
    pub(crate) kind: AuthKind,
    /// The bearer token, API key or header value.
    #[serde(alias = "api_key", alias = "value")]
    pub(crate) token: Option<String>,
    /// The header or parameter of an API key.
    #[serde(alias = "header_name")]
    pub(crate) name: Option<String>,
    #[serde(alias = "in")]
    pub(crate) location: Option<Location>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    #[serde(alias = "access_token_url")]
    pub(crate) token_url: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    #[serde(alias = "scope")]
    pub(crate) scopes: Option<String>,
    /// Further parameters of the token request.
    #[serde(default, alias = "access_token_request_data")]
    pub(crate) token_params: BTreeMap<String, String>,
}

/// The kinds of [`Auth`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthKind {
    #[default]
    None,
    Bearer,
    ApiKey,
    #[serde(alias = "http_basic")]
    Basic,
    #[serde(rename = "oauth2_client_credentials")]
    ClientCredentials,
    CustomHeader,
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Location {
    Header,
    #[serde(alias = "param")]
    Query,
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(text) if text.is_empty() => Vec::new(),
            Self::One(text) => vec![text.clone()],
            Self::Many(texts) => texts.clone(),
        }
    }
}
