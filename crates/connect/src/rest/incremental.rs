//! Asking only for what is new: where to start, and how far a page came.

use super::select::Path;
use super::spec::{Incremental as Spec, TimeFormat};
use crate::failure::{Failure, FailureKind, invalid};
use crate::page::Start;
use domain::calendar::{MICROS_PER_DAY, parse_date, parse_timestamp};
use domain::names::normalize;
use domain::say::Quoted;
use domain::{Say, Timestamp, say};
use serde_json::Value;

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

/// The values of the cursor that a sync wants: every record is compared with it, because an API may not filter, or include
/// what stands at the edge. Without an upper and a lower value it wants all.
#[derive(Debug, Default)]
pub(super) struct Window {
    from: Option<Key>,
    /// The first value that is not wanted.
    until: Option<Key>,
}

impl Window {
    /// Returns whether a record with this mark is wanted; one without a mark is.
    pub(super) fn contains(&self, mark: Option<&Mark>) -> bool {
        let Some(Mark { key, .. }) = mark else {
            return true;
        };
        self.from.as_ref().is_none_or(|from| key >= from)
            && self.until.as_ref().is_none_or(|until| key < until)
    }
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
            (Some(days), _) => i64::from(days) * MICROS_PER_DAY,
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
                && incremental.limit(text, Timestamp::from_micros(0)).is_none()
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
        if start.since.is_some() {
            return self.write(&self.window(start, now).from?);
        }
        if let Some(cursor) = &start.cursor {
            return match self.key(cursor) {
                // As the source wrote it, where nothing is subtracted: no conversion, no rounding.
                Some(_) if self.lookback == 0 => Some(cursor.clone()),
                Some(Key::Number(number)) => {
                    self.write(&Key::Number(number.saturating_sub(self.lookback)))
                }
                other => self.write(&other?),
            };
        }
        self.limit(self.initial.as_deref()?, now)
            .and_then(|key| self.write(&key))
    }

    /// Returns the value to ask up to. It rounds up, because records beyond it are left out here.
    pub(super) fn end(&self, start: &Start, now: Timestamp) -> Option<String> {
        match self.window(start, now).until? {
            Key::Number(number) => {
                let unit = self.unit();
                self.write(&Key::Number(number.saturating_add(unit - 1)))
            }
            text @ Key::Text(_) => self.write(&text),
        }
    }

    /// Returns which records this sync wants.
    pub(super) fn window(&self, start: &Start, now: Timestamp) -> Window {
        let instant = |at: Timestamp| self.is_time().then(|| Key::Number(at.as_micros()));
        let limit = |text: &Option<String>| self.limit(text.as_deref()?, now);
        Window {
            from: match start.since {
                Some(since) => instant(since),
                // An API that cannot be asked from there on gives what is older, too.
                None if self.param.is_none() => limit(&self.initial),
                None => None,
            },
            until: match start.until {
                Some(until) => instant(until),
                None => limit(&self.end),
            },
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

    fn key(&self, text: &str) -> Option<Key> {
        match self.format {
            TimeFormat::Unix | TimeFormat::UnixMs | TimeFormat::Number => {
                let number = text.parse::<i64>().ok()?.checked_mul(self.unit())?;
                Some(Key::Number(number))
            }
            TimeFormat::Text => Some(Key::Text(text.to_owned())),
            TimeFormat::Iso8601 | TimeFormat::Date => micros(text).map(Key::Number),
        }
    }

    /// Returns what a user wrote: an age, a date or a value of the cursor.
    fn limit(&self, text: &str, now: Timestamp) -> Option<Key> {
        if !self.is_time() {
            return self.key(text).filter(|_| !text.ends_with("daysAgo"));
        }
        let days = text.strip_suffix("daysAgo");
        if let Some(days) = days.and_then(|days| days.trim().parse::<i64>().ok()) {
            let at = now.plus_seconds(days.saturating_mul(-86_400));
            return Some(Key::Number(at.as_micros()));
        }
        micros(text).map(Key::Number).or_else(|| self.key(text))
    }

    /// Writes a key as the API wants it. Numbers round down, so that nothing is left out below.
    fn write(&self, key: &Key) -> Option<String> {
        let number = match key {
            Key::Number(number) => *number,
            Key::Text(text) => return Some(text.clone()),
        };
        let at = Timestamp::from_micros(number);
        Some(match self.format {
            TimeFormat::Unix | TimeFormat::UnixMs | TimeFormat::Number => {
                number.div_euclid(self.unit()).to_string()
            }
            TimeFormat::Date => at.to_utc().format("%Y-%m-%d").to_string(),
            TimeFormat::Iso8601 => at.to_rfc3339(),
            TimeFormat::Text => return None,
        })
    }

    /// Returns a bound as a body writes it: a number where the API counts, else text.
    pub(super) fn to_json(&self, bound: &str) -> Value {
        let counts = matches!(
            self.format,
            TimeFormat::Unix | TimeFormat::UnixMs | TimeFormat::Number
        );
        match bound.parse::<i64>() {
            Ok(number) if counts => number.into(),
            _ => bound.into(),
        }
    }

    const fn is_time(&self) -> bool {
        !matches!(self.format, TimeFormat::Number | TimeFormat::Text)
    }

    /// Returns how much of a key's number the API's smallest step is.
    const fn unit(&self) -> i64 {
        match self.format {
            TimeFormat::Unix => 1_000_000,
            TimeFormat::UnixMs => 1_000,
            TimeFormat::Date => MICROS_PER_DAY,
            TimeFormat::Iso8601 | TimeFormat::Number | TimeFormat::Text => 1,
        }
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
    let instant = parse_timestamp(text.as_bytes()).map(|instant| instant.micros);
    // dlt's and JavaScript's timestamps have at most microseconds; one with more is cut, because a bound needs no more.
    let cut = || {
        let (head, tail) = text.split_at_checked(26)?;
        let zone = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        (tail.len() > zone.len()).then(|| parse_timestamp(format!("{head}{zone}").as_bytes()))?
    };
    instant
        .or_else(|| cut().map(|instant| instant.micros))
        .or_else(|| parse_date(text.as_bytes()).map(|days| i64::from(days) * MICROS_PER_DAY))
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

#[cfg(test)]
mod tests;
