//! Numbers on the command line: within their limits, and an error that says what to type.

/// A day: what takes longer is a service, not a command.
const SECONDS_MAX: u64 = 86_400;

/// Parses how long something may take, in seconds.
pub(crate) fn parse_timeout(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (1..=SECONDS_MAX).contains(seconds))
        .ok_or_else(|| {
            format!("a whole number of seconds from 1 to {SECONDS_MAX} is expected, such as 60")
        })
}

/// Parses how long to wait, in seconds; 0 is not at all.
pub(crate) fn parse_wait(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| *seconds <= SECONDS_MAX)
        .ok_or_else(|| {
            format!("a whole number of seconds from 0 (not at all) to {SECONDS_MAX} is expected, such as 60")
        })
}

/// Parses a number of rows.
pub(crate) fn parse_rows(text: &str) -> Result<u64, String> {
    let rows = text.parse().ok();
    rows.filter(|rows| *rows > 0)
        .ok_or_else(|| "a whole number of rows from 1 on is expected, such as 100".to_owned())
}

/// Parses a number of rows; 0 is all of them.
pub(crate) fn parse_rows_or_all(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "a whole number of rows is expected, such as 100, or 0 for all".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_limits() {
        for (text, timeout, wait, rows, all) in [
            ("0", None, Some(0), None, Some(0)),
            ("1", Some(1), Some(1), Some(1), Some(1)),
            (
                "86400",
                Some(86_400),
                Some(86_400),
                Some(86_400),
                Some(86_400),
            ),
            ("86401", None, None, Some(86_401), Some(86_401)),
            (
                "18446744073709551615",
                None,
                None,
                Some(u64::MAX),
                Some(u64::MAX),
            ),
            ("18446744073709551616", None, None, None, None),
            ("-1", None, None, None, None),
            ("1.5", None, None, None, None),
            ("", None, None, None, None),
        ] {
            assert_eq!(parse_timeout(text).ok(), timeout, "{text}");
            assert_eq!(parse_wait(text).ok(), wait, "{text}");
            assert_eq!(parse_rows(text).ok(), rows, "{text}");
            assert_eq!(parse_rows_or_all(text).ok(), all, "{text}");
        }
    }
}
