//! The walk over the parser's tree: every node is looked at, and one of an unknown kind is refused.

use super::catalog::{Catalog, Named, TableName};
use super::functions::{is_table_function_allowed, why_refused};
use super::parsed::{Parsed, parse};
use super::{GateError, Refusal, text};
use crate::duck::{Connection, EngineError};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Checks every node of `tree`; `view_schema` is the schema of the view whose query it is.
pub(super) fn check(
    connection: &Connection,
    catalog: &Catalog,
    tree: &Value,
    view_schema: Option<&str>,
) -> Result<(), GateError> {
    let mut walk = Walk {
        connection,
        catalog,
        seen: BTreeSet::new(),
    };
    walk.query(tree, view_schema)
}

struct Walk<'a> {
    connection: &'a Connection,
    catalog: &'a Catalog,
    /// Views and tables that were checked, or are being checked: each is checked once.
    seen: BTreeSet<(&'a str, &'a str)>,
}

/// Where a node stands.
struct Place<'t> {
    view_schema: Option<&'t str>,
    /// Names that the text gives to WITH queries anywhere. In which part of it each is visible is the engine's business: such
    /// a name is good when it can mean nothing else, or when what else it can mean passes too. It is never a file's.
    ctes: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn query(&mut self, tree: &Value, view_schema: Option<&str>) -> Result<(), GateError> {
        let mut ctes = BTreeSet::new();
        collect_ctes(tree, &mut ctes);
        for name in &ctes {
            if looks_like_file(name) || self.catalog.is_system_name(name) {
                return Err(Refusal::CteName(name.clone()).into());
            }
        }
        self.node(tree, &Place { view_schema, ctes })
    }

    fn node(&mut self, node: &Value, place: &Place<'_>) -> Result<(), GateError> {
        match node {
            Value::Array(items) => items.iter().try_for_each(|item| self.node(item, place)),
            Value::Object(fields) => {
                self.fields(fields, place)?;
                fields
                    .values()
                    .try_for_each(|value| self.node(value, place))
            }
            _ => Ok(()),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, place: &Place<'_>) -> Result<(), GateError> {
        let class = text_of(fields, "class");
        let kind = text_of(fields, "type");
        match (class, kind) {
            ("FUNCTION" | "WINDOW" | "AGGREGATE", _) => self.function(fields),
            ("PARAMETER", _) => Err(Refusal::Parameter.into()),
            ("", "BASE_TABLE") => self.table(fields, place),
            ("", "TABLE_FUNCTION") => self.table_function(fields),
            ("", "SHOW_REF") => self.show(fields, place),
            ("", known) if is_known(known) => Ok(()),
            (class, _) if is_known_expression(class) => Ok(()),
            ("", other) | (other, _) => Err(Refusal::Construct(other.to_lowercase()).into()),
        }
    }

    fn function(&self, fields: &Map<String, Value>) -> Result<(), GateError> {
        let name = text_of(fields, "function_name");
        if let Some(why) = why_refused(name) {
            return Err(Refusal::Function {
                name: name.to_owned(),
                why,
            }
            .into());
        }
        if self.catalog.is_macro(name) {
            return Err(Refusal::Macro(name.to_owned()).into());
        }
        Ok(())
    }

    fn table_function(&self, fields: &Map<String, Value>) -> Result<(), GateError> {
        let name = fields
            .get("function")
            .and_then(|function| function.get("function_name"));
        let name = name.and_then(Value::as_str).unwrap_or_default();
        if self.catalog.is_macro(name) {
            return Err(Refusal::Macro(name.to_owned()).into());
        }
        if is_table_function_allowed(name) {
            return Ok(());
        }
        Err(Refusal::TableFunction(name.to_owned()).into())
    }

    fn table(&mut self, fields: &Map<String, Value>, place: &Place<'_>) -> Result<(), GateError> {
        let name = TableName {
            catalog: text_of(fields, "catalog_name"),
            schema: text_of(fields, "schema_name"),
            table: text_of(fields, "table_name"),
        };
        match self.catalog.find(name, place.view_schema) {
            Named::Description => Ok(()),
            Named::System => Err(Refusal::SystemTable(full_name(name)).into()),
            Named::Nothing if place.is_cte(name) => Ok(()),
            Named::Nothing => Err(self.missing(name)),
            found @ (Named::Table { .. } | Named::View { .. }) => self.found(&found),
        }
    }

    /// Checks what reading a table or view of the warehouse computes.
    fn found(&mut self, found: &Named<'a>) -> Result<(), GateError> {
        match *found {
            Named::Table {
                schema,
                name,
                generated,
            } => self.generated(schema, name, generated),
            Named::View {
                schema,
                name,
                create,
            } => self.view(schema, name, create),
            Named::Description | Named::System | Named::Nothing => Ok(()),
        }
    }

    fn generated(
        &mut self,
        schema: &'a str,
        name: &'a str,
        expressions: &[String],
    ) -> Result<(), GateError> {
        if expressions.is_empty() || !self.seen.insert((schema, name)) {
            return Ok(());
        }
        for expression in expressions {
            let checked = match parse(self.connection, &format!("SELECT {expression}"))? {
                Parsed::Select(tree) => self.query(&tree, Some(schema)),
                Parsed::Other | Parsed::Broken(_) => Err(Refusal::Unreadable.into()),
            };
            checked.map_err(|error| {
                beneath(error, |because| Refusal::Table {
                    table: shown(schema, name),
                    because,
                })
            })?;
        }
        Ok(())
    }

    fn view(&mut self, schema: &'a str, name: &'a str, create: &str) -> Result<(), GateError> {
        if !self.seen.insert((schema, name)) {
            return Ok(());
        }
        let checked = match text::view_query(create) {
            Some(sql) => match parse(self.connection, sql)? {
                Parsed::Select(tree) => self.query(&tree, Some(schema)),
                Parsed::Other | Parsed::Broken(_) => Err(Refusal::Unreadable.into()),
            },
            None => Err(Refusal::Unreadable.into()),
        };
        checked.map_err(|error| {
            beneath(error, |because| Refusal::View {
                view: shown(schema, name),
                because,
            })
        })
    }

    /// `SHOW` and its kin. The engine answers the listings with SQL of its own, which names three of its views without their
    /// schema: a view of the warehouse can stand there.
    fn show(&mut self, fields: &Map<String, Value>, place: &Place<'_>) -> Result<(), GateError> {
        let name = text_of(fields, "table_name").trim_matches('"');
        // With a query it is DESCRIBE or SUMMARIZE, and the query is walked like any other.
        if fields.get("query").is_some_and(|query| !query.is_null()) {
            return Ok(());
        }
        let lists = matches!(name, "tables" | "__show_tables_expanded" | "schemas")
            || text_of(fields, "show_type") == "SHOW_FROM";
        if !lists {
            return Err(Refusal::Show(name.to_owned()).into());
        }
        ["duckdb_tables", "duckdb_views", "duckdb_columns"]
            .into_iter()
            .try_for_each(|table| {
                let name = TableName {
                    catalog: "",
                    schema: "",
                    table,
                };
                self.found(&self.catalog.find(name, place.view_schema))
            })
    }

    fn missing(&self, name: TableName<'_>) -> GateError {
        let full = full_name(name);
        if looks_like_file(&full) && (name.schema.is_empty() || looks_like_file_name(&full)) {
            return Refusal::File(full).into();
        }
        let alike = self.catalog.alike(name.table);
        let hint = alike.map_or_else(
            || "`SHOW ALL TABLES` lists what there is".to_owned(),
            |alike| format!("Did you mean \"{alike}\"?"),
        );
        EngineError::invalid(format!(
            "Catalog Error: Table with name {full} does not exist!\n{hint}"
        ))
        .into()
    }
}

impl Place<'_> {
    /// Returns whether a name that the catalog does not have can be a WITH query's.
    fn is_cte(&self, name: TableName<'_>) -> bool {
        // `recurring.x` is what a WITH RECURSIVE … USING KEY query called `x` has gathered so far, or the file `recurring.x`.
        let of_cte = name.schema.is_empty()
            || name.schema.eq_ignore_ascii_case("recurring")
                && !looks_like_file_name(&full_name(name));
        name.catalog.is_empty() && of_cte && self.ctes.contains(&name.table.to_ascii_lowercase())
    }
}

/// Wraps a refusal in what made it; an engine's error stays what it is.
fn beneath(error: GateError, wrap: impl FnOnce(Box<Refusal>) -> Refusal) -> GateError {
    match error {
        GateError::Refused(because) => wrap(Box::new(because)).into(),
        other @ GateError::Engine(_) => other,
    }
}

/// Returns the name by which a query reaches a table or view of the warehouse.
fn shown(schema: &str, name: &str) -> String {
    if schema == "main" {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

/// Expressions that only combine others.
fn is_known_expression(class: &str) -> bool {
    matches!(
        class,
        "CASE"
            | "CAST"
            | "COLUMN_REF"
            | "COMPARISON"
            | "CONJUNCTION"
            | "CONSTANT"
            | "OPERATOR"
            | "STAR"
            | "SUBQUERY"
            | "COLLATE"
            | "LAMBDA"
            | "POSITIONAL_REFERENCE"
            | "BETWEEN"
            | "LAMBDA_REF"
            | "TYPE"
    )
}

/// Query nodes, table references, modifiers, orders and extra information about types: what else has a `type`.
fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        // What has no type at all is a group of fields, whose values are looked at in turn.
        "" | "SELECT_NODE"
            | "SET_OPERATION_NODE"
            | "RECURSIVE_CTE_NODE"
            | "CTE_NODE"
            | "EMPTY"
            | "SUBQUERY"
            | "JOIN"
            | "EXPRESSION_LIST"
            | "PIVOT"
            | "LIMIT_MODIFIER"
            | "LIMIT_PERCENT_MODIFIER"
            | "ORDER_MODIFIER"
            | "DISTINCT_MODIFIER"
            | "ORDER_DEFAULT"
            | "ASCENDING"
            | "DESCENDING"
    ) || kind.ends_with("_TYPE_INFO")
}

fn collect_ctes(node: &Value, names: &mut BTreeSet<String>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| collect_ctes(item, names)),
        Value::Object(fields) => {
            let entries = fields
                .get("cte_map")
                .and_then(|map| map.get("map"))
                .and_then(Value::as_array);
            let keys = entries
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.get("key"));
            for name in keys.chain(fields.get("cte_name")).filter_map(Value::as_str) {
                names.insert(name.to_ascii_lowercase());
            }
            fields.values().for_each(|value| collect_ctes(value, names));
        }
        _ => {}
    }
}

/// Returns whether the engine could take `name` for a file: it has none without one of these characters.
fn looks_like_file(name: &str) -> bool {
    name.contains(['.', '/', '\\', ':', '*', '?', '[', '~'])
}

/// Returns whether a name in parts, `x.csv`, is a file's after all.
fn looks_like_file_name(name: &str) -> bool {
    const ENDINGS: [&str; 14] = [
        "csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "db", "duckdb", "ddb", "wal",
        "gz", "zst", "xlsx",
    ];
    let ending = name.rsplit('.').next().unwrap_or_default();
    ENDINGS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(ending))
        || name.contains(['/', '\\', ':', '*'])
}

fn full_name(name: TableName<'_>) -> String {
    let parts = [name.catalog, name.schema, name.table];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

fn text_of<'t>(fields: &'t Map<String, Value>, name: &str) -> &'t str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}
