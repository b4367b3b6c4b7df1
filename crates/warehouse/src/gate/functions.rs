//! Which functions a query may call. Every function of the pinned engine was read through for this list; a test compares the
//! engine's own list with the one that was read, so that an upgrade brings nothing in unseen.

/// Table functions that compute from their arguments alone.
const TABLE_FUNCTIONS: [&str; 9] = [
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

/// Why a function is refused; read by whoever changes the list.
#[derive(Debug, Clone, Copy)]
enum Why {
    ReadsSettings,
    ChangesState,
    RunsText,
    Blocks,
    /// It takes bytes of a form that only the engine itself should have made.
    TrustsBytes,
}

/// Functions the optimizer writes into plans; called with other arguments they read memory as what it is not.
const INTERNAL_PREFIX: &str = "__internal";

/// Returns whether the table function may be called.
pub(super) fn is_table_function_allowed(name: &str) -> bool {
    TABLE_FUNCTIONS
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// Returns whether the function may not be called.
pub(super) fn is_function_refused(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(INTERNAL_PREFIX)
        || REFUSED.iter().any(|(refused, why)| {
            let (Why::ReadsSettings
            | Why::ChangesState
            | Why::RunsText
            | Why::Blocks
            | Why::TrustsBytes) = why;
            *refused == name
        })
}
