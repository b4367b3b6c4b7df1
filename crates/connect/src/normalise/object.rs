//! The shape of a table's objects: which key is which field. It grows with the records.

use super::column::Column;
use super::field::Field;
use super::ids::RowId;
use super::scope::{Context, Scope, check_depth};
use super::table::Table;
use crate::failure::Failure;
use domain::names::normalize;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Where a value stands: its row, the row's id, and how deep in the record.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) id: RowId,
    pub(super) depth: usize,
}

/// An object of a table: the row itself (empty prefix), or one nested in it.
#[derive(Default)]
pub(super) struct Object {
    /// What the columns of its keys start with: `shipping__`.
    prefix: String,
    fields: Vec<Field>,
    index: HashMap<String, usize>,
}

impl Object {
    /// Returns the object that stands in the field `name`.
    pub(super) fn nested(name: &str) -> Self {
        Self {
            prefix: format!("{name}__"),
            ..Self::default()
        }
    }

    /// Writes an object's entries into the row of `place`.
    pub(super) fn write(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        place: Place,
        entries: &Map<String, Value>,
    ) -> Result<(), Failure> {
        check_depth(scope, place.depth)?;
        for (position, (key, value)) in entries.iter().enumerate() {
            self.write_value(context, scope, place, (position, key), value)?;
        }
        Ok(())
    }

    /// Writes one value under `key`; `position` is where the key is expected among the fields.
    pub(super) fn write_value(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        place: Place,
        (position, key): (usize, &str),
        value: &Value,
    ) -> Result<(), Failure> {
        let at = self.find(context, scope, position, key)?;
        match self.fields.get_mut(at) {
            Some(field) => field.write(context, scope, place, value),
            None => Ok(()),
        }
    }

    fn find(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        position: usize,
        key: &str,
    ) -> Result<usize, Failure> {
        // Records of one API have their keys in one order, so this is nearly always right.
        if self
            .fields
            .get(position)
            .is_some_and(|field| field.key() == key)
        {
            return Ok(position);
        }
        if let Some(at) = self.index.get(key) {
            return Ok(*at);
        }
        let at = self.fields.len();
        let name = format!("{}{}", self.prefix, normalize(key));
        let name = scope.claim(context, name, &format!("{}{key}", self.prefix))?;
        self.fields
            .push(Field::new(key, scope.known(context, &name), name));
        self.index.insert(key.to_owned(), at);
        Ok(at)
    }

    /// Calls `visit` with every column, in the order in which keys were first seen.
    pub(super) fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        self.fields
            .iter_mut()
            .for_each(|field| field.each_column(visit));
    }

    /// Calls `visit` with every child table, in the same order.
    pub(super) fn each_list(
        &mut self,
        visit: &mut dyn FnMut(&mut Table) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.fields
            .iter_mut()
            .try_for_each(|field| field.each_list(visit))
    }
}
