//! One key of an object: its column and the column's variants, or its nested object, or its child table.

use super::column::Column;
use super::object::{Object, Place};
use super::scalar::Scalar;
use super::scope::{Context, Scope, check_bytes};
use super::table::Table;
use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{ColumnType, say};
use serde_json::Value;

/// A key of an object.
pub(super) struct Field {
    key: String,
    name: String,
    column: Option<Column>,
    /// Values that the column's type does not hold.
    variants: Vec<Variant>,
    object: Option<Box<Object>>,
    list: Option<Box<Table>>,
    /// The column the warehouse has under the field's name.
    known: Option<ColumnType>,
    reported_text: bool,
}

/// A column for values of one type.
struct Variant {
    /// The type of the values; the warehouse's column may have another.
    kind: ColumnType,
    column: Column,
}

impl Field {
    pub(super) fn new(key: &str, known: Option<ColumnType>, name: String) -> Self {
        Self {
            key: key.to_owned(),
            column: None,
            variants: Vec::new(),
            object: None,
            list: None,
            known,
            reported_text: false,
            name,
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Calls `visit` with the field's columns.
    pub(super) fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        let variants = self.variants.iter_mut().map(|variant| &mut variant.column);
        self.column.iter_mut().chain(variants).for_each(&mut *visit);
        if let Some(object) = &mut self.object {
            object.each_column(visit);
        }
    }

    /// Calls `visit` with the field's child tables.
    pub(super) fn each_list(
        &mut self,
        visit: &mut dyn FnMut(&mut Table) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(object) = &mut self.object {
            object.each_list(visit)?;
        }
        self.list.as_mut().map_or(Ok(()), |list| visit(list))
    }

    /// Writes a value into the row of `place`.
    pub(super) fn write(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        place: Place,
        value: &Value,
    ) -> Result<(), Failure> {
        if value.is_null() {
            return Ok(());
        }
        if self.known == Some(ColumnType::Json) {
            return self.write_json(context, scope, place, value);
        }
        match value {
            Value::Object(entries) => {
                let object = self
                    .object
                    .get_or_insert_with(|| Box::new(Object::nested(&self.name)));
                object.write(
                    context,
                    scope,
                    Place {
                        depth: place.depth + 1,
                        ..place
                    },
                    entries,
                )
            }
            Value::Array(items) => self.write_list(context, scope, place, items),
            scalar => match Scalar::of(scalar) {
                Some(scalar) => self.write_scalar(context, scope, place.row, scalar),
                None => Ok(()),
            },
        }
    }

    fn write_json(
        &mut self,
        context: &mut Context,
        scope: &Scope,
        place: Place,
        value: &Value,
    ) -> Result<(), Failure> {
        let name = &self.name;
        let column = self
            .column
            .get_or_insert_with(|| Column::decided(name.clone(), ColumnType::Json));
        let bytes = column.write_json(place.row, value);
        context.bytes += bytes;
        check_bytes(scope, &self.name, bytes)
    }

    fn write_list(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        place: Place,
        items: &[Value],
    ) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        scope.has_children = true;
        let list = self
            .list
            .get_or_insert_with(|| Box::new(Table::child(context, &scope.table, &self.name)));
        for (index, item) in items.iter().enumerate() {
            list.push_item(
                context,
                place,
                i64::try_from(index).unwrap_or(i64::MAX),
                item,
            )?;
        }
        Ok(())
    }

    fn write_scalar(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        row: usize,
        scalar: Scalar<'_>,
    ) -> Result<(), Failure> {
        context.bytes += scalar.bytes();
        check_bytes(scope, &self.name, scalar.bytes())?;
        let is_key = scope.key.contains(&self.name);
        if self.column.is_none() {
            // A key has one column, whatever its first value is.
            let key_kind = is_key.then_some(ColumnType::Text);
            let kind = scalar.column_type().or(key_kind);
            self.column = self.first_column(kind, context.is_survey);
        }
        if let Some(column) = &mut self.column
            && column.write(row, scalar).is_ok()
        {
            let became_text =
                column.kind() == ColumnType::Text && !matches!(scalar, Scalar::Text(_));
            if became_text && !self.reported_text {
                self.reported_text = true;
                context.warn(&say!(
                    "column ", name Quoted(&self.name), " of table ", name Quoted(&scope.table),
                    " is text: a number or boolean in it is kept as it was written"
                ));
            }
            return Ok(());
        }
        if is_key {
            return Err(self.misfit_key(scope));
        }
        self.write_variant(context, scope, row, scalar)
    }

    fn first_column(&self, kind: Option<ColumnType>, is_survey: bool) -> Option<Column> {
        let name = self.name.clone();
        Some(match self.known {
            Some(kind) => Column::decided(name, kind),
            None if is_survey => Column::surveyed(name, kind?),
            None => Column::open(name, kind?),
        })
    }

    fn misfit_key(&self, scope: &Scope) -> Failure {
        Failure::new(
            FailureKind::Protocol,
            say!(
                "the primary key ", name Quoted(&self.name), " of table ", name Quoted(&scope.table),
                self.describe(), " got a value that this type does not hold"
            ),
        )
        .hint("rows are told apart by this column: set the endpoint's `primary_key` to a field whose values are all of one type")
    }

    /// Puts a value that the column does not hold into the variant column of the value's own type, or of text.
    fn write_variant(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        row: usize,
        scalar: Scalar<'_>,
    ) -> Result<(), Failure> {
        let kinds = [
            scalar.column_type().unwrap_or(ColumnType::Text),
            ColumnType::Text,
        ];
        for kind in kinds {
            let at = self.variant(context, scope, kind)?;
            let variant = self.variants.get_mut(at);
            if variant.is_some_and(|variant| variant.column.write(row, scalar).is_ok()) {
                return Ok(());
            }
        }
        Err(Failure::new(
            FailureKind::Protocol,
            say!("a value of ", name Quoted(&self.name), " in ", name Quoted(&scope.table), " fits neither its column nor a variant of it"),
        ))
    }

    fn variant(
        &mut self,
        context: &mut Context,
        scope: &mut Scope,
        kind: ColumnType,
    ) -> Result<usize, Failure> {
        if let Some(at) = self
            .variants
            .iter()
            .position(|variant| variant.kind == kind)
        {
            return Ok(at);
        }
        let spelling = format!("{}__{}", self.name, kind.variant_suffix());
        let name = scope.claim(context, spelling.clone(), &spelling)?;
        let known = scope.known(context, &name);
        if known.is_none() {
            context.warn(&say!(
                "column ", name Quoted(&self.name), " of table ", name Quoted(&scope.table),
                self.describe(), " got other values: those are in ", name Quoted(&name)
            ));
        }
        let column = Column::decided(name, known.unwrap_or(kind));
        self.variants.push(Variant { kind, column });
        Ok(self.variants.len() - 1)
    }

    /// Returns what the column's type is, for a sentence; one that may still change is not told.
    fn describe(&self) -> domain::Say {
        self.column
            .as_ref()
            .filter(|column| !column.is_surveyed())
            .map_or_else(domain::Say::default, |column| {
                say!(" is ", column.kind(), " and")
            })
    }
}
