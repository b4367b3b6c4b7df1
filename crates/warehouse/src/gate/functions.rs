//! Which functions a query may call. Every function of the pinned engine was read through for this list; a test compares the
//! engine's own list with the one that was read, so that an upgrade brings nothing in unseen.

use serde::{Deserialize, Serialize};

/// Table functions that compute from their arguments alone.
pub(super) const TABLE_FUNCTIONS: [&str; 9] = [
    "generate_series",
    "icu_calendar_names",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "range",
    "repeat",
    "repeat_row",
    "unnest",
];

/// Functions that are refused, and why.
const REFUSED: [(&str, Why); 17] = [
    ("combine", Why::TrustsBytes),
    ("currval", Why::ChangesState),
    ("current_setting", Why::ReadsSettings),
    ("finalize", Why::TrustsBytes),
    ("get_block_size", Why::ReadsSettings),
    ("getenv", Why::ReadsSettings),
    ("getvariable", Why::ReadsSettings),
    ("json_execute_serialized_sql", Why::RunsText),
    // It binds the text, and binding opens files.
    ("json_serialize_plan", Why::RunsText),
    ("nextval", Why::ChangesState),
    ("pg_sleep", Why::Blocks),
    ("query", Why::RunsText),
    ("query_table", Why::RunsText),
    ("setseed", Why::ChangesState),
    // It cannot be interrupted.
    ("sleep_ms", Why::Blocks),
    ("variant_bytes_to_variant", Why::TrustsBytes),
    ("write_log", Why::ChangesState),
];

/// Why a function is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    ReadsSettings,
    ChangesState,
    RunsText,
    Blocks,
    /// It takes bytes of a form that only the engine itself should have made.
    TrustsBytes,
}

impl Why {
    /// Returns the reason as the end of a sentence.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ReadsSettings => "it reads settings",
            Self::ChangesState => "it changes state that others see",
            Self::RunsText => "it runs SQL that stands in a text",
            Self::Blocks => "it blocks the warehouse",
            Self::TrustsBytes => "it is for the engine's own use",
        }
    }
}

/// Functions the optimizer writes into plans; called with other arguments they read memory as what it is not.
const INTERNAL_PREFIX: &str = "__internal";

/// Returns whether the table function may be called.
pub(super) fn is_table_function_allowed(name: &str) -> bool {
    TABLE_FUNCTIONS
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// Returns why the function may not be called, `None` when it may.
pub(super) fn why_refused(name: &str) -> Option<Why> {
    let name = name.to_ascii_lowercase();
    if name.starts_with(INTERNAL_PREFIX) {
        return Some(Why::TrustsBytes);
    }
    REFUSED
        .iter()
        .find(|(refused, _)| *refused == name)
        .map(|(_, why)| *why)
}
