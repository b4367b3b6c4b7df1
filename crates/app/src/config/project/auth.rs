//! `auth:` how people sign in. The keys are Dango's; where DAP has a variable for the same, that is the default.

use super::ProjectConfig;
use super::sections::{Sections, nothing};
use crate::config::read::Fields;
use crate::config::tree::{Node, Shape};
use crate::environment::describe;
use crate::identity::{AuthConfig, Lifetimes, SecondFactorRule};
use domain::say;
use security::passwords::{CHARS_MAX, CHARS_MIN};
use std::time::Duration;

const DAY_MINUTES: u64 = 24 * 60;
/// Longer than anybody works without a break; a cookie that is not renewed for so long is none.
const ACCESS_SECONDS_MAX: u64 = 24 * 60 * 60;

impl Sections<'_> {
    pub(super) fn auth(&mut self, node: &Node, project: &mut ProjectConfig) {
        let config = &mut project.auth;
        if let Some(seconds) = self.access_seconds() {
            config.lifetimes.access = Duration::from_secs(seconds);
        }
        config.log_reset_links = self.reader.environment.is_on("DAP_AUTH_LOG_RESET_TOKENS");
        let Some(mut fields) = Fields::open(node, "auth", self.reader.report) else {
            return;
        };
        self.lifetimes(&mut fields, &mut config.lifetimes);
        config.second_factor = self.second_factor(&mut fields);
        let chars = (CHARS_MIN as u64)..=(CHARS_MAX as u64);
        let chars_min = self.integer(
            &mut fields,
            "password_min_without_second_factor",
            CHARS_MIN as u64,
            chars,
        );
        config.password_chars_min = usize::try_from(chars_min).unwrap_or(CHARS_MIN);
        config.open_registration = self.boolean(&mut fields, "open_registration", false);
        let nothing = nothing();
        self.lockout(fields.take("lockout").unwrap_or(&nothing), config);
        let proxies = &mut project.server.trusted_proxies;
        project.rate_limits = self.rate_limits(&mut fields, proxies);
        project.logins = self.logins(&mut fields);
        fields.accept_unused(&["enabled"], self.reader.report);
        fields.finish(self.reader.report);
    }

    fn lifetimes(&mut self, fields: &mut Fields<'_>, lifetimes: &mut Lifetimes) {
        let idle = self.integer(fields, "idle_timeout_minutes", 60, 1..=365 * DAY_MINUTES);
        let days = self.integer(fields, "session_max_days", 30, 1..=365);
        let age = self.integer(fields, "password_max_age_days", 0, 0..=3650);
        lifetimes.idle = Duration::from_secs(idle.saturating_mul(60));
        lifetimes.session = days_long(days);
        lifetimes.password = (age > 0).then(|| days_long(age));
    }

    fn lockout(&mut self, node: &Node, config: &mut AuthConfig) {
        let Some(mut fields) = Fields::open(node, "auth.lockout", self.reader.report) else {
            return;
        };
        let failures = self.integer(&mut fields, "max_attempts", 5, 1..=100);
        let minutes = self.integer(&mut fields, "lockout_minutes", 15, 1..=DAY_MINUTES);
        config.failures_max = u32::try_from(failures).unwrap_or(5);
        config.locked_for = Duration::from_secs(minutes.saturating_mul(60));
        fields.finish(self.reader.report);
    }

    /// Dango knows `true` and `false`; whom it is asked of is ours.
    fn second_factor(&mut self, fields: &mut Fields<'_>) -> SecondFactorRule {
        let (path, found) = (fields.path("require_2fa"), fields.take("require_2fa"));
        let rule = match found.map(|node| &node.shape) {
            None | Some(Shape::Null | Shape::Bool(false)) => SecondFactorRule::Off,
            Some(Shape::Bool(true)) => SecondFactorRule::Everyone,
            Some(_) => found
                .and_then(|node| self.reader.choice(node, &path, &SecondFactorRule::NAMES))
                .unwrap_or(SecondFactorRule::Off),
        };
        let name = SecondFactorRule::NAMES.iter().find(|(_, one)| *one == rule);
        self.setting(path, name.map_or("off", |(name, _)| *name).into(), found);
        rule
    }

    fn access_seconds(&mut self) -> Option<u64> {
        const VARIABLE: &str = "DAP_AUTH_ACCESS_TTL_SECONDS";
        let text = self.reader.environment.setting(VARIABLE)?;
        let seconds = text.trim().parse().ok();
        let seconds = seconds.filter(|seconds| (1..=ACCESS_SECONDS_MAX).contains(seconds));
        if seconds.is_none()
            && let Some(origin) = self.reader.environment.origin(VARIABLE)
        {
            let named = describe(VARIABLE, origin);
            let say = say!(
                "",
                named,
                " must be a whole number of seconds from 1 to ",
                ACCESS_SECONDS_MAX
            );
            let hint = "correct it, or unset it: then a cookie is renewed after 900 seconds";
            self.reader.report.variable(say, hint);
        }
        seconds
    }
}

const fn days_long(days: u64) -> Duration {
    Duration::from_secs(days.saturating_mul(DAY_MINUTES * 60))
}
