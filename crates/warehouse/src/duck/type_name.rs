//! The SQL name of a result column's type; the C API has no call for it.

use duckdb::ffi;
use std::ffi::{CStr, c_char};

/// A logical type, freed when dropped.
pub(super) struct LogicalType(pub(super) ffi::duckdb_logical_type);

impl Drop for LogicalType {
    #[expect(unsafe_code, reason = "frees the type through the C API")]
    fn drop(&mut self) {
        // SAFETY: every C call that makes a logical type hands it to its caller; freed once; null is accepted.
        unsafe { ffi::duckdb_destroy_logical_type(&raw mut self.0) }
    }
}

/// Takes over a C string of the engine.
#[expect(unsafe_code, reason = "reads and frees a string of the C API")]
fn take_text(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the calls used below return NUL-terminated strings that the caller frees with duckdb_free.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        ffi::duckdb_free(text.cast());
        Some(owned)
    }
}

/// Returns the type's name as `DESCRIBE` shows it.
#[expect(unsafe_code, reason = "inspects the type through the C API")]
pub(super) fn type_name(kind: &LogicalType) -> String {
    let raw = kind.0;
    // SAFETY: `raw` is live during this call; every inner type is wrapped, and so freed; indices are within the counts asked.
    unsafe {
        if let Some(alias) = take_text(ffi::duckdb_logical_type_get_alias(raw)) {
            return alias;
        }
        match ffi::duckdb_get_type_id(raw) {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => format!(
                "DECIMAL({},{})",
                ffi::duckdb_decimal_width(raw),
                ffi::duckdb_decimal_scale(raw)
            ),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => {
                format!(
                    "{}[]",
                    type_name(&LogicalType(ffi::duckdb_list_type_child_type(raw)))
                )
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => format!(
                "{}[{}]",
                type_name(&LogicalType(ffi::duckdb_array_type_child_type(raw))),
                ffi::duckdb_array_type_array_size(raw)
            ),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => format!(
                "MAP({}, {})",
                type_name(&LogicalType(ffi::duckdb_map_type_key_type(raw))),
                type_name(&LogicalType(ffi::duckdb_map_type_value_type(raw)))
            ),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => {
                let member = |index| {
                    let name = take_text(ffi::duckdb_struct_type_child_name(raw, index));
                    let kind = LogicalType(ffi::duckdb_struct_type_child_type(raw, index));
                    // Those of `row(1, 2)` have no names.
                    match name.filter(|name| !name.is_empty()) {
                        Some(name) => format!("{name} {}", type_name(&kind)),
                        None => type_name(&kind),
                    }
                };
                let count = ffi::duckdb_struct_type_child_count(raw);
                format!(
                    "STRUCT({})",
                    (0..count).map(member).collect::<Vec<_>>().join(", ")
                )
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => {
                let member = |index| {
                    let name = take_text(ffi::duckdb_union_type_member_name(raw, index));
                    let kind = LogicalType(ffi::duckdb_union_type_member_type(raw, index));
                    format!("{} {}", name.unwrap_or_default(), type_name(&kind))
                };
                let count = ffi::duckdb_union_type_member_count(raw);
                format!(
                    "UNION({})",
                    (0..count).map(member).collect::<Vec<_>>().join(", ")
                )
            }
            id => plain_name(id).to_owned(),
        }
    }
}

/// Returns how many levels of lists, maps, structures and unions the type has.
pub(super) fn depth(kind: &LogicalType) -> usize {
    let inner = inner_types(kind);
    inner.iter().map(|kind| 1 + depth(kind)).max().unwrap_or(0)
}

/// Returns the types that this one is made of.
#[expect(unsafe_code, reason = "inspects the type through the C API")]
fn inner_types(kind: &LogicalType) -> Vec<LogicalType> {
    let raw = kind.0;
    // SAFETY: `raw` is live during this call; every inner type is wrapped, and so freed; indices are within the counts asked.
    unsafe {
        match ffi::duckdb_get_type_id(raw) {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => {
                vec![LogicalType(ffi::duckdb_list_type_child_type(raw))]
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => {
                vec![LogicalType(ffi::duckdb_array_type_child_type(raw))]
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => vec![
                LogicalType(ffi::duckdb_map_type_key_type(raw)),
                LogicalType(ffi::duckdb_map_type_value_type(raw)),
            ],
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => (0..ffi::duckdb_struct_type_child_count(raw))
                .map(|index| LogicalType(ffi::duckdb_struct_type_child_type(raw, index)))
                .collect(),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => (0..ffi::duckdb_union_type_member_count(raw))
                .map(|index| LogicalType(ffi::duckdb_union_type_member_type(raw, index)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns the name of a type, at whatever depth, that Arrow would hold inexactly or not at all. At the top the worker writes
/// the first three as text (`worker/plain.rs`).
#[expect(unsafe_code, reason = "inspects the type through the C API")]
pub(super) fn inexact_name(kind: &LogicalType, is_top: bool) -> Option<&'static str> {
    // SAFETY: the type is live during this call.
    match unsafe { ffi::duckdb_get_type_id(kind.0) } {
        id @ (ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT
        | ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT
        | ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM) => (!is_top).then(|| plain_name(id)),
        id @ (ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ
        | ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARIANT
        | ffi::DUCKDB_TYPE_DUCKDB_TYPE_ANY) => Some(plain_name(id)),
        _ => inner_types(kind)
            .iter()
            .find_map(|kind| inexact_name(kind, false)),
    }
}

const fn plain_name(id: ffi::duckdb_type) -> &'static str {
    match id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => "BOOLEAN",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => "TINYINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => "SMALLINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => "INTEGER",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => "BIGINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => "UTINYINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => "USMALLINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => "UINTEGER",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => "UBIGINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => "FLOAT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => "DOUBLE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => "TIMESTAMP",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => "DATE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => "TIME",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => "TIME_NS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => "INTERVAL",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => "HUGEINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => "UHUGEINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => "VARCHAR",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB => "BLOB",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => "TIMESTAMP_S",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => "TIMESTAMP_MS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => "TIMESTAMP_NS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => "ENUM",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID => "UUID",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT => "BIT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => "TIME WITH TIME ZONE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => "TIMESTAMP WITH TIME ZONE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM => "BIGNUM",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_GEOMETRY => "GEOMETRY",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARIANT => "VARIANT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => "NULL",
        _ => "UNKNOWN",
    }
}
