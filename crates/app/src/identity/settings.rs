//! `auth:` in `project.yml`: how people sign in, and how long things are good for.

use std::time::Duration;

/// Who has to have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorRule {
    Off,
    Admins,
    Everyone,
}

impl SecondFactorRule {
    /// Every rule, as written in the settings.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("off", Self::Off),
        ("admins", Self::Admins),
        ("everyone", Self::Everyone),
    ];
}

/// How long things are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A cookie, until it is renewed (`DAP_AUTH_ACCESS_TTL_SECONDS`).
    pub access: Duration,
    /// A session nobody uses.
    pub idle: Duration,
    /// A session at all.
    pub session: Duration,
    /// A session that waits for the second factor.
    pub pending: Duration,
    /// A cookie of the generation before, after a renewal: requests that were under way still carry it.
    pub grace: Duration,
    /// A proof of who somebody is, for what needs a fresh one.
    pub proof: Duration,
    pub invite: Duration,
    pub reset: Duration,
    /// The link that creates the first admin.
    pub set_up: Duration,
    /// A password, until another must be chosen; `None` for ever.
    pub password: Option<Duration>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access: Duration::from_mins(15),
            idle: Duration::from_hours(1),
            session: Duration::from_hours(30 * 24),
            pending: Duration::from_mins(5),
            grace: Duration::from_mins(1),
            proof: Duration::from_mins(5),
            invite: Duration::from_hours(72),
            reset: Duration::from_hours(1),
            set_up: Duration::from_hours(24),
            password: None,
        }
    }
}

/// The settings of sign-in, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthConfig {
    pub lifetimes: Lifetimes,
    pub second_factor: SecondFactorRule,
    /// Characters of a password at least.
    pub password_chars_min: usize,
    /// Failures at one account from one network before it is locked for that network.
    pub failures_max: u32,
    pub locked_for: Duration,
    /// Whether anybody may make himself an account.
    pub open_registration: bool,
    /// Whether a reset link that cannot be mailed is written to the log (`DAP_AUTH_LOG_RESET_TOKENS`).
    pub log_reset_links: bool,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            lifetimes: Lifetimes::default(),
            second_factor: SecondFactorRule::Off,
            password_chars_min: security::passwords::CHARS_MIN,
            failures_max: 5,
            locked_for: Duration::from_mins(15),
            open_registration: false,
            log_reset_links: false,
        }
    }
}
