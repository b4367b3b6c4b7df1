//! What a change means for the values of a file, whatever its lines look like.

use super::super::sources::block_alias;
use super::super::tree::{Node, Shape};
use serde_json::{Map, Value};

/// Returns `path` as it stands in the file: a connector's settings may also be called `generic_config`, or by the other name
/// of the files connector.
pub(super) fn actual_path<'p>(item: Option<&Node>, path: &[&'p str]) -> Vec<&'p str> {
    let mut path = path.to_vec();
    let (Some(item), Some(first)) = (item, path.first_mut()) else {
        return path;
    };
    let is_block = item
        .get("type")
        .is_some_and(|kind| kind.shape == Shape::Text((*first).to_owned()));
    let others = block_alias(first).into_iter().chain(["generic_config"]);
    if is_block
        && item.get(first).is_none()
        && let Some(other) = others.into_iter().find(|other| item.get(other).is_some())
    {
        *first = other;
    }
    path
}

/// Sets the value at `path`, making maps on the way.
pub(super) fn set(target: &mut Value, path: &[&str], value: Value) {
    let Some((key, deeper)) = path.split_first() else {
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else {
        return;
    };
    if deeper.is_empty() {
        map.insert((*key).to_owned(), value);
    } else {
        set(
            map.entry((*key).to_owned()).or_insert(Value::Null),
            deeper,
            value,
        );
    }
}

/// Returns whether there is a value at `path`.
pub(super) fn has(target: &Value, path: &[&str]) -> bool {
    path.iter()
        .try_fold(target, |value, key| value.get(*key))
        .is_some()
}

/// Removes the value at `path`.
pub(super) fn unset(target: &mut Value, path: &[&str]) {
    match path.split_first() {
        Some((key, [])) => {
            if let Some(map) = target.as_object_mut() {
                map.shift_remove(*key);
            }
            // A map whose last line is gone reads as nothing.
            if target.as_object().is_some_and(Map::is_empty) {
                *target = Value::Null;
            }
        }
        Some((key, deeper)) => {
            if let Some(inner) = target.get_mut(*key) {
                unset(inner, deeper);
            }
        }
        None => {}
    }
}
