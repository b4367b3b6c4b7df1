//! The whole API: where it is, how to sign in, how fast to ask, which streams it has.

use super::ask;
use super::auth::Auth;
use super::stream::{Defaults, StreamPlan};
use crate::egress::Egress;
use crate::failure::{Failure, invalid};
use crate::http::{Hosts, host};
use crate::rest::spec::Api;
use crate::rest::values::Values;
use domain::limits::PAGES_MAX;
use domain::say::Quoted;
use domain::{Say, say};
use reqwest::header::HeaderName;
use security::Plain;
use std::collections::BTreeSet;
use std::time::Duration;
use url::Url;

const TIMEOUT_SECONDS_DEFAULT: u64 = 60;
const TIMEOUT_SECONDS_MAX: u64 = 600;
/// With the back-off's doubling, the last wait is 16 s.
const RETRIES_DEFAULT: u32 = 5;
const RETRIES_MAX: u32 = 20;

/// What a source says about an API that is described elsewhere.
#[derive(Debug, Default)]
pub(in crate::rest) struct Overrides {
    pub(in crate::rest) base_url: Option<String>,
    pub(in crate::rest) rate_limit: Option<String>,
    pub(in crate::rest) timeout_seconds: Option<u64>,
    pub(in crate::rest) start_date: Option<String>,
    pub(in crate::rest) end_date: Option<String>,
    pub(in crate::rest) lookback_days: Option<u32>,
    /// Endpoints to read, by name or alias; all when absent.
    pub(in crate::rest) endpoints: Option<Vec<String>>,
}

/// An API, ready to be asked.
pub(in crate::rest) struct Plan {
    pub(in crate::rest) base: Url,
    pub(in crate::rest) hosts: Hosts,
    /// Sent with every request, like the signature only to the API itself: a header may hold a credential.
    pub(in crate::rest) headers: Vec<(HeaderName, Plain<String>)>,
    pub(in crate::rest) auth: Auth,
    pub(in crate::rest) timeout: Duration,
    pub(in crate::rest) retries_max: u32,
    pub(in crate::rest) pages_max: u64,
    /// The least time between two requests.
    pub(in crate::rest) interval: Duration,
    pub(in crate::rest) test_path: Option<String>,
    pub(in crate::rest) streams: Vec<StreamPlan>,
}

impl Plan {
    /// Fills `api` with `values` and checks it; `place` is what messages call it. `connector_hosts` are the hosts of a
    /// connector file, `None` where the source names its host itself.
    pub(in crate::rest) fn new(
        api: &Api,
        overrides: &Overrides,
        values: &Values<'_>,
        place: &Say,
        connector_hosts: Option<&[String]>,
    ) -> Result<Self, Failure> {
        let written = overrides.base_url.as_ref().or(api.base_url.as_ref());
        let written =
            written.ok_or_else(|| invalid(say!("", *place, ": `base_url` is missing")))?;
        let base = base(written, values, place)?;
        let mut hosts = Hosts::new(
            connector_hosts
                .unwrap_or_default()
                .iter()
                .map(String::as_str),
        );
        // A host that the source's own configuration names is the user's choice.
        let is_own = connector_hosts.is_none() || overrides.base_url.is_some();
        if !is_own && !hosts.contains(host(&base)) {
            return Err(invalid(say!(
                "", *place, ": the host of `base_url`, ", name Quoted(host(&base)), ", is not among `hosts`"
            )));
        }
        hosts.trust(&base);
        let auth = Auth::new(&api.auth(), values, place, &base)?;
        if let Some(token_url) = auth.token_url() {
            if connector_hosts.is_some() && !hosts.contains(host(token_url)) {
                return Err(invalid(say!(
                    "", *place, ": the host of `token_url`, ", name Quoted(host(token_url)), ", is not among `hosts`"
                )));
            }
            hosts.trust(token_url);
        }
        let headers = ask::headers(&api.headers, values, place)?;
        let defaults = Defaults {
            api,
            overrides,
            values,
            place,
            has_secret_base: values.fills_secret(written),
        };
        let streams = streams(&defaults)?;
        let has_secret = !matches!(auth, Auth::None)
            || !headers.is_empty()
            || streams.iter().any(StreamPlan::has_secret);
        if !has_secret {
            // Nothing secret goes along, so an unencrypted public API may be read.
            hosts.allow_plain(host(&base));
        }
        let timeout = overrides.timeout_seconds.or(api.timeout_seconds);
        let rate = overrides.rate_limit.as_ref().or(api.rate_limit.as_ref());
        Ok(Self {
            base,
            hosts,
            headers,
            auth,
            timeout: Duration::from_secs(
                timeout
                    .unwrap_or(TIMEOUT_SECONDS_DEFAULT)
                    .clamp(1, TIMEOUT_SECONDS_MAX),
            ),
            retries_max: api.retries_max.unwrap_or(RETRIES_DEFAULT).min(RETRIES_MAX),
            pages_max: api.pages_max.unwrap_or(PAGES_MAX).min(PAGES_MAX),
            interval: rate.map_or(Ok(Duration::ZERO), |rate| interval(rate, place))?,
            test_path: api.test_path.clone(),
            streams,
        })
    }

    /// Lets hosts whose private addresses are allowed be asked without TLS.
    pub(in crate::rest) fn allow_plain(&mut self, egress: &Egress) {
        for url in [Some(&self.base), self.auth.token_url()]
            .into_iter()
            .flatten()
        {
            if egress.is_permitted(host(url)) {
                self.hosts.allow_plain(host(url));
            }
        }
    }

    /// Returns the stream whose table is `name`.
    pub(in crate::rest) fn stream(&self, name: &str) -> Option<&StreamPlan> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

fn base(written: &str, values: &Values<'_>, place: &Say) -> Result<Url, Failure> {
    let filled = values.fill(written, place)?;
    let wrong = || {
        invalid(say!(
            "",
            *place,
            ": `base_url` must be a URL like `https://api.example.com/v1`"
        ))
    };
    let mut url = Url::parse(filled.expose().trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            invalid(say!("", *place, ": `base_url` must not hold a password"))
                .hint("use `auth: {type: basic}` and store the password with `dango secrets set`"),
        );
    }
    // A path is joined to the base's folder; without the slash its last word would be replaced.
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn streams(defaults: &Defaults<'_>) -> Result<Vec<StreamPlan>, Failure> {
    let (api, place) = (defaults.api, defaults.place);
    if api.endpoints.is_empty() {
        return Err(invalid(say!(
            "",
            *place,
            ": `endpoints` is missing or empty"
        )));
    }
    let names = defaults.names();
    let mut streams = Vec::with_capacity(api.endpoints.len());
    let mut taken = BTreeSet::new();
    for endpoint in &api.endpoints {
        let stream = StreamPlan::new(&endpoint.0, defaults, &names)?;
        if !taken.insert(stream.name.clone()) {
            return Err(invalid(say!(
                "", *place, ": two endpoints have the table ", name Quoted(&stream.name)
            ))
            .hint("give one of them another `name`"));
        }
        streams.push(stream);
    }
    if let Some(chosen) = &defaults.overrides.endpoints {
        choose(&mut streams, chosen, place)?;
    }
    Ok(streams)
}

/// Marks the streams that `chosen` does not name as not to be read; parents of chosen ones are still asked.
fn choose(streams: &mut [StreamPlan], chosen: &[String], place: &Say) -> Result<(), Failure> {
    let names: Vec<_> = streams.iter().map(|stream| stream.name.clone()).collect();
    for wanted in chosen {
        if !streams.iter().any(|stream| stream.is_called(wanted)) {
            let failure = invalid(say!("", *place, ": there is no endpoint ", name Quoted(wanted)));
            let meant = crate::catalog::suggest::closest(wanted, names.iter().map(String::as_str));
            return Err(match meant {
                Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
                None => failure.hint(say!("there are: ", Quoted(&names.join(", ")))),
            });
        }
    }
    for stream in streams {
        stream.is_chosen = chosen.iter().any(|wanted| stream.is_called(wanted));
    }
    Ok(())
}

/// Returns the time between two requests for `25/s`, `100/min`, `1000/h`.
fn interval(rate: &str, place: &Say) -> Result<Duration, Failure> {
    let parsed = rate.split_once('/').and_then(|(count, unit)| {
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3_600,
            _ => return None,
        };
        let count = count
            .trim()
            .parse::<u32>()
            .ok()
            .filter(|count| *count > 0)?;
        Some(Duration::from_secs(seconds) / count)
    });
    parsed.ok_or_else(|| {
        invalid(say!(
            "",
            *place,
            ": `rate_limit` must be a number per time, like `25/s`, `100/min` or `1000/h`"
        ))
    })
}
