//! Time as a parameter: nothing below `app` asks the machine what time it is.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// An instant in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the instant `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the instant `seconds` later (earlier when negative), saturating at the ends of time.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Returns the microseconds from `earlier` to this instant, negative when `earlier` is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the calendar form in UTC; instants beyond chrono's range are shown as its epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// Returns the instant that `text` names in RFC 3339.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(at.timestamp_micros()))
    }

    /// Returns RFC 3339 in UTC with microseconds: `2026-11-22T07:03:00.000000Z`.
    pub fn to_rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// Returns the current instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_rfc3339_in_utc() {
        let at = Timestamp::from_micros(1_700_000_000_123_456);
        assert_eq!(at.to_rfc3339(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(Timestamp::from_rfc3339(&at.to_rfc3339()), Some(at));
        assert_eq!(Timestamp::from_rfc3339("2023-11-14"), None);
        assert_eq!(at.plus_seconds(-1).micros_since(at), -1_000_000);
    }
}
