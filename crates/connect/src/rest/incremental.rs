//! Asking only for what is new: where to start, and how far a page came.

use super::select::Path;
use super::spec::{Incremental as Spec, TimeFormat};
use crate::failure::{Failure, FailureKind};
use crate::normalise::times;
use crate::page::Start;
use domain::names::normalize;
use domain::say::Quoted;
use domain::{Say, Timestamp, say};
use serde_json::Value;

const DAY_MICROS: i64 = 86_400_000_000;

/// How a stream asks for what is new.
#[derive(Debug, Clone)]
pub(super) struct Incremental {
    path: Path,
    /// The cursor's column in the warehouse.
    pub(super) column: String,
    pub(super) param: Option<String>,
    pub(super) end_param: Option<String>,
    format: TimeFormat,
    initial: Option<String>,
    end: Option<String>,
    /// Microseconds, or the number itself for numbers.
    lookback: i64,
}

/// A cursor's value, comparable, and as the source wrote it.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    key: Key,
    raw: String,
}

impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl PartialOrd for Mark {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.key.partial_cmp(&other.key)
    }
}

/// What marks are compared by; those of one stream are all of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Microseconds since 1970, or a number.
    Number(i64),
    Text(String),
}

impl Incremental {
    /// Reads the description; `start` and `end` are the source's own bounds, `lookback_days` its own look-back.
    pub(super) fn new(
        spec: &Spec,
        place: &Say,
        (start, end): (Option<&str>, Option<&str>),
        lookback_days: Option<u32>,
    ) -> Result<Self, Failure> {
        let path = Path::parse(&spec.cursor);
        let lookback = match (lookback_days, &spec.lookback) {
            (Some(days), _) => i64::from(days) * DAY_MICROS,
            (None, None) => 0,
            (None, Some(text)) => lookback(text, spec.format).ok_or_else(|| {
                invalid(say!(
                    "",
                    *place,
                    ": `lookback` must be a number with a unit, `30m`, `6h` or `7d`"
                ))
            })?,
        };
        let initial = spec.initial.as_ref().and_then(raw);
        let column: Vec<_> = path.keys().iter().map(|key| normalize(key)).collect();
        let incremental = Self {
            column: column.join("__"),
            path,
            param: spec.param.clone(),
            end_param: spec.end_param.clone(),
            format: spec.format,
            initial: start.map(str::to_owned).or(initial),
            end: end.map(str::to_owned),
            lookback,
        };
        for (key, bound) in [
            ("start_date", &incremental.initial),
            ("end_date", &incremental.end),
        ] {
            if let Some(text) = bound
                && incremental.bound(text, Timestamp::from_micros(0)).is_none()
            {
                return Err(invalid(say!(
                    "", *place, ": ", name Quoted(key),
                    " must be a date, a timestamp, a form like `90daysAgo`, or a value of the cursor"
                )));
            }
        }
        Ok(incremental)
    }

    /// Returns the value to ask from: of the command line, of the last sync minus the look-back, or of the first sync.
    pub(super) fn start(&self, start: &Start, now: Timestamp) -> Option<String> {
        if let Some(since) = start.since {
            return self.write(since.as_micros());
        }
        if let Some(cursor) = &start.cursor {
            return match self.key(cursor) {
                // As the source wrote it, where nothing is subtracted: no conversion, no rounding.
                Some(_) if self.lookback == 0 => Some(cursor.clone()),
                Some(Key::Number(number)) => self.write(number.saturating_sub(self.lookback)),
                Some(Key::Text(text)) => Some(text),
                None => None,
            };
        }
        self.initial
            .as_deref()
            .and_then(|text| self.bound(text, now))
    }

    /// Returns the value to ask up to.
    pub(super) fn end(&self, start: &Start, now: Timestamp) -> Option<String> {
        match start.until {
            Some(until) => self.write(until.as_micros()),
            None => self.end.as_deref().and_then(|text| self.bound(text, now)),
        }
    }

    /// Returns the cursor's value in `record`, `None` when it has none.
    pub(super) fn mark(&self, record: &Value) -> Result<Option<Mark>, Failure> {
        let Some(raw) = self.path.get(record).and_then(raw) else {
            return Ok(None);
        };
        match self.key(&raw) {
            Some(key) => Ok(Some(Mark { key, raw })),
            None => Err(Failure::new(
                FailureKind::Protocol,
                say!("the cursor ", name Quoted(&self.column), " of a record is not ", Quoted(self.wanted())),
            )
            .hint("set `incremental.format` to how the API writes it: unix, unix_ms, iso8601, date, number or text")),
        }
    }

    /// Returns the mark that was stored as `raw`.
    pub(super) fn stored(&self, raw: &str) -> Option<Mark> {
        self.key(raw).map(|key| Mark {
            key,
            raw: raw.to_owned(),
        })
    }

    /// Returns whether `record` lies within `--since` and `--until`; a source that cannot filter must be filtered here.
    pub(super) fn is_within(&self, mark: Option<&Mark>, start: &Start) -> bool {
        let Some(Key::Number(at)) = mark.map(|mark| &mark.key) else {
            return true;
        };
        if self.format == TimeFormat::Number {
            return true;
        }
        start.since.is_none_or(|since| *at >= since.as_micros())
            && start.until.is_none_or(|until| *at <= until.as_micros())
    }

    fn key(&self, text: &str) -> Option<Key> {
        let number = |scale: i64| {
            let whole = text.parse::<i64>().ok()?;
            Some(Key::Number(whole.checked_mul(scale)?))
        };
        match self.format {
            TimeFormat::Unix => number(1_000_000),
            TimeFormat::UnixMs => number(1_000),
            TimeFormat::Number => number(1),
            TimeFormat::Text => Some(Key::Text(text.to_owned())),
            TimeFormat::Iso8601 | TimeFormat::Date => micros(text).map(Key::Number),
        }
    }

    /// Returns a bound that a user wrote, as the API wants it.
    fn bound(&self, text: &str, now: Timestamp) -> Option<String> {
        if let Some(days) = text
            .strip_suffix("daysAgo")
            .and_then(|days| days.trim().parse::<i64>().ok())
        {
            return self.write(now.plus_seconds(days.saturating_mul(-86_400)).as_micros());
        }
        match (self.format, micros(text)) {
            (TimeFormat::Number | TimeFormat::Text, _) | (_, None) => {
                self.key(text).map(|_| text.to_owned())
            }
            (_, Some(micros)) => self.write(micros),
        }
    }

    /// Writes a key's number as the API wants it. Lower bounds round down, so nothing is left out.
    fn write(&self, number: i64) -> Option<String> {
        let at = Timestamp::from_micros(number);
        Some(match self.format {
            TimeFormat::Unix => number.div_euclid(1_000_000).to_string(),
            TimeFormat::UnixMs => number.div_euclid(1_000).to_string(),
            TimeFormat::Number => number.to_string(),
            TimeFormat::Date => at.to_utc().format("%Y-%m-%d").to_string(),
            TimeFormat::Iso8601 => at.to_rfc3339(),
            TimeFormat::Text => return None,
        })
    }

    const fn wanted(&self) -> &'static str {
        match self.format {
            TimeFormat::Unix => "seconds since 1970",
            TimeFormat::UnixMs => "milliseconds since 1970",
            TimeFormat::Number => "a whole number",
            TimeFormat::Text => "text",
            TimeFormat::Iso8601 | TimeFormat::Date => "a date or timestamp",
        }
    }
}

impl Mark {
    /// Returns the value as the source wrote it.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }
}

/// Returns a scalar as text.
fn raw(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn micros(text: &str) -> Option<i64> {
    let instant = times::timestamp(text).map(|instant| instant.micros);
    // dlt's and JavaScript's timestamps have at most microseconds; one with more is cut, because a bound needs no more.
    let cut = || {
        let (head, tail) = text.split_at_checked(26)?;
        let zone = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        (tail.len() > zone.len()).then(|| times::timestamp(&format!("{head}{zone}")))?
    };
    instant
        .or_else(|| cut().map(|instant| instant.micros))
        .or_else(|| times::date(text).map(|days| i64::from(days) * DAY_MICROS))
}

/// Returns `30m`, `6h`, `7d`, `90s` or plain seconds in microseconds; for numbers the number itself.
fn lookback(text: &str, format: TimeFormat) -> Option<i64> {
    if format == TimeFormat::Number {
        return text.trim().parse().ok();
    }
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: i64 = match text.get(digits.len()..)? {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    digits
        .trim()
        .parse::<u32>()
        .ok()
        .and_then(|count| i64::from(count).checked_mul(unit * 1_000_000))
}

fn invalid(say: Say) -> Failure {
    Failure::new(FailureKind::ConfigInvalid, say)
}

#[cfg(test)]
mod tests;
