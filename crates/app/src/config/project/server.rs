//! `server:` and `auth.rate_limit:`, key by key.

use super::sections::Sections;
use super::{RateConfig, RateLimits, ServerConfig};
use crate::config::read::Fields;
use crate::config::tree::{Node, Place, Shape};

/// getdango's limits: sign-in, and everything else, in a minute.
const LOGIN: (u64, u64) = (10, 60);
const API: (u64, u64) = (200, 60);
const REQUESTS_MAX: u64 = 1_000_000;
const WINDOW_SECONDS_MAX: u64 = 86_400;

impl Sections<'_> {
    pub(super) fn server(&mut self, node: &Node) -> ServerConfig {
        let mut config = ServerConfig::default();
        let Some(mut fields) = Fields::open(node, "server", self.reader.report) else {
            return config;
        };
        config.host = self.optional(&mut fields, "host");
        config.public_url = self.optional(&mut fields, "public_url");
        config.hosts = self.list(&mut fields, "hosts");
        config.trusted_proxies = self.list(&mut fields, "trusted_proxies");
        config.behind_proxy = self.boolean(&mut fields, "behind_proxy", false);
        fields.finish(self.reader.report);
        config
    }

    /// Reads `auth.rate_limit`. Its own `trusted_proxies` are getdango's place for those of `server`.
    pub(super) fn rate_limits(
        &mut self,
        auth: &mut Fields<'_>,
        proxies: &mut Vec<String>,
    ) -> RateLimits {
        let nothing = Node {
            place: Place::START,
            shape: Shape::Null,
        };
        let path = auth.path("rate_limit");
        let node = auth.take("rate_limit").unwrap_or(&nothing);
        let Some(mut fields) = Fields::open(node, &path, self.reader.report) else {
            return RateLimits::default();
        };
        let is_on = self.boolean(&mut fields, "enabled", true);
        let login = self.rate(&mut fields, "login", LOGIN);
        let api = self.rate(&mut fields, "api", API);
        proxies.extend(self.list(&mut fields, "trusted_proxies"));
        fields.finish(self.reader.report);
        RateLimits { is_on, login, api }
    }

    fn rate(
        &mut self,
        above: &mut Fields<'_>,
        key: &'static str,
        default: (u64, u64),
    ) -> RateConfig {
        let nothing = Node {
            place: Place::START,
            shape: Shape::Null,
        };
        let path = above.path(key);
        let node = above.take(key).unwrap_or(&nothing);
        let Some(mut fields) = Fields::open(node, &path, self.reader.report) else {
            return RateConfig::of(default);
        };
        let requests = self.integer(&mut fields, "requests", default.0, 1..=REQUESTS_MAX);
        let seconds = self.integer(
            &mut fields,
            "window_seconds",
            default.1,
            1..=WINDOW_SECONDS_MAX,
        );
        fields.finish(self.reader.report);
        RateConfig::of((requests, seconds))
    }

    fn optional(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        Some(self.text(fields, key, "")).filter(|text| !text.is_empty())
    }

    pub(super) fn list(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
        let (path, found) = (fields.path(key), fields.take(key));
        let texts = found
            .and_then(|node| self.reader.texts(node, &path))
            .unwrap_or_default();
        self.setting(path, texts.clone().into(), found);
        texts
    }
}

impl RateConfig {
    const fn of((requests, window_seconds): (u64, u64)) -> Self {
        Self {
            requests,
            window_seconds,
        }
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            is_on: true,
            login: RateConfig::of(LOGIN),
            api: RateConfig::of(API),
        }
    }
}
