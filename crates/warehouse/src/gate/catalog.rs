//! What the warehouse's catalog holds, as one transaction sees it: the only tables and views a query may name.
//!
//! Of the engine's own views, the five of the information schema pass that say which tables, columns and keys there are; the
//! others show other people's SQL, paths and settings. `SHOW TABLES` and `DESCRIBE` are the engine's own reading of the same.
//!
//! Whoever made the file may have put anything into it: views and generated columns that say what a query may not say, and
//! macros called like functions of the engine, which the engine then calls in their place without being asked by name.

use crate::duck::{Connection, EngineError};
use std::collections::{BTreeMap, BTreeSet};

/// The catalog's names, in lower case: the engine compares identifiers so (ASCII letters only).
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    database: String,
    /// `schema`, `table` to the expressions of its generated columns, which are computed whenever the table is read.
    tables: BTreeMap<(String, String), Vec<String>>,
    /// `schema`, `view` to the `CREATE VIEW` text.
    views: BTreeMap<(String, String), String>,
    macros: BTreeSet<String>,
    /// A macro that is called like a function of the engine. Subscripts, `current_date`, SUMMARIZE and PIVOT call functions
    /// that no tree names, and a macro of the warehouse goes first.
    stand_in: Option<String>,
    /// Views of the engine itself.
    system: BTreeSet<(String, String)>,
}

/// What a name in a query means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    Table {
        schema: &'a str,
        name: &'a str,
        /// Expressions of its generated columns.
        generated: &'a [String],
    },
    /// A view: its schema, and its `CREATE VIEW` text.
    View {
        schema: &'a str,
        name: &'a str,
        create: &'a str,
    },
    /// One of the few system views that only describe the warehouse.
    Description,
    System,
    Nothing,
}

/// The parts of a table's name as the query gives them; absent ones are empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableName<'a> {
    pub catalog: &'a str,
    pub schema: &'a str,
    pub table: &'a str,
}

const DEFAULT_SCHEMA: &str = "main";
const DESCRIPTIONS: [&str; 5] = [
    "columns",
    "key_column_usage",
    "schemata",
    "table_constraints",
    "tables",
];

impl Catalog {
    /// Reads the catalog in the transaction of `connection`. The functions are called by their full names, so that no macro of
    /// the warehouse can stand in for them.
    pub(crate) fn read(connection: &Connection) -> Result<Self, EngineError> {
        let database = connection
            .text("SELECT system.main.current_database()", &[])?
            .unwrap_or_default();
        let mut catalog = Self {
            database: database.to_ascii_lowercase(),
            ..Self::default()
        };
        let of_warehouse = [database.as_str()];
        catalog.read_tables(connection, &of_warehouse)?;
        for row in connection.texts(
            "SELECT schema_name, view_name, sql, internal FROM system.main.duckdb_views()
             WHERE internal OR database_name = $1",
            &of_warehouse,
        )? {
            let name = pair(row.iter());
            let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
            if text(3) == "true" {
                catalog.system.insert(name);
            } else {
                catalog.views.insert(name, text(2));
            }
        }
        // This listing takes 15 ms, most of a small query's time: the reason why the worker keeps what is read here.
        for row in connection.texts(
            "SELECT DISTINCT function_name FROM system.main.duckdb_functions() WHERE NOT internal AND database_name = $1",
            &of_warehouse,
        )? {
            catalog.macros.extend(row.into_iter().flatten().map(|name| name.to_ascii_lowercase()));
        }
        if !catalog.macros.is_empty() {
            let of_engine = "SELECT DISTINCT function_name FROM system.main.duckdb_functions() WHERE database_name <> $1";
            let names = connection.texts(of_engine, &of_warehouse)?;
            let names = names.into_iter().flatten().flatten();
            catalog.stand_in = names
                .map(|name| name.to_ascii_lowercase())
                .find(|name| catalog.macros.contains(name));
        }
        Ok(catalog)
    }

    fn read_tables(
        &mut self,
        connection: &Connection,
        of_warehouse: &[&str],
    ) -> Result<(), EngineError> {
        // As the engine writes it. A table that only says so in a default is looked at too closely, which does no harm.
        const GENERATED: &str = "GENERATED ALWAYS AS";
        let mut is_generating = BTreeSet::new();
        for row in connection.texts(
            "SELECT schema_name, table_name, sql FROM system.main.duckdb_tables() WHERE database_name = $1 AND NOT internal",
            of_warehouse,
        )? {
            let table = pair(row.iter());
            if row.get(2).is_some_and(|sql| sql.as_ref().is_none_or(|sql| sql.contains(GENERATED))) {
                is_generating.insert(table.clone());
            }
            self.tables.insert(table, Vec::new());
        }
        if is_generating.is_empty() {
            return Ok(());
        }
        for row in connection.texts(
            "SELECT schema_name, table_name, column_default FROM system.main.duckdb_columns()
             WHERE database_name = $1 AND column_default IS NOT NULL",
            of_warehouse,
        )? {
            let table = pair(row.iter());
            let expression = row.into_iter().nth(2).flatten();
            if is_generating.contains(&table)
                && let Some(expressions) = self.tables.get_mut(&table)
            {
                expressions.extend(expression);
            }
        }
        Ok(())
    }

    /// Returns a macro that the engine would call in the place of a function of its own.
    pub(super) fn stand_in(&self) -> Option<&str> {
        self.stand_in.as_deref()
    }

    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.contains(&name.to_ascii_lowercase())
    }

    /// Returns whether `name` alone means a system view: those of the information schema need its name before theirs.
    pub(super) fn is_system_name(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        [DEFAULT_SCHEMA, "pg_catalog"]
            .into_iter()
            .any(|schema| self.system.contains(&(schema.to_owned(), name.clone())))
    }

    /// Returns what `name` means to a query whose search path starts with `schema` (that of the view it stands in).
    pub(super) fn find(&self, name: TableName<'_>, view_schema: Option<&str>) -> Named<'_> {
        let of_engine =
            |part: &str| matches!(part.to_ascii_lowercase().as_str(), "system" | "temp");
        if of_engine(name.catalog) || (name.catalog.is_empty() && of_engine(name.schema)) {
            return Named::System;
        }
        if !name.catalog.is_empty() && !name.catalog.eq_ignore_ascii_case(&self.database) {
            return Named::Nothing;
        }
        if !name.schema.is_empty() {
            let named = self.find_in(name.schema, name.table);
            // `a.b` may also be table `b` of database `a`.
            let short = name.catalog.is_empty() && name.schema.eq_ignore_ascii_case(&self.database);
            return if named == Named::Nothing && short {
                self.find_in(DEFAULT_SCHEMA, name.table)
            } else {
                named
            };
        }
        let path = view_schema.into_iter().chain([DEFAULT_SCHEMA]);
        let found = path
            .map(|schema| self.find_in(schema, name.table))
            .find(|named| *named != Named::Nothing);
        found.unwrap_or_else(|| {
            if self.is_system_name(name.table) {
                Named::System
            } else {
                Named::Nothing
            }
        })
    }

    fn find_in(&self, schema: &str, table: &str) -> Named<'_> {
        let key = (schema.to_ascii_lowercase(), table.to_ascii_lowercase());
        // The engine lets nobody make anything in these two, so what they hold is its own.
        if matches!(key.0.as_str(), "information_schema" | "pg_catalog") {
            let describes = key.0 == "information_schema" && DESCRIPTIONS.contains(&key.1.as_str());
            return if describes {
                Named::Description
            } else {
                Named::System
            };
        }
        if let Some(((schema, name), create)) = self.views.get_key_value(&key) {
            return Named::View {
                schema,
                name,
                create,
            };
        }
        if let Some(((schema, name), generated)) = self.tables.get_key_value(&key) {
            return Named::Table {
                schema,
                name,
                generated,
            };
        }
        if self.system.contains(&key) {
            Named::System
        } else {
            Named::Nothing
        }
    }

    /// Returns tables and views that a mistyped `table` may have meant: the same table elsewhere first.
    pub(super) fn alike(&self, table: &str) -> Option<String> {
        let wanted = table.to_ascii_lowercase();
        let names = || self.tables.keys().chain(self.views.keys());
        let same = names().find(|(_, name)| *name == wanted);
        let near = || {
            names()
                .map(|pair| (strsim::damerau_levenshtein(&pair.1, &wanted), pair))
                .filter(|(distance, _)| *distance <= 1 + wanted.len() / 4)
                .min_by_key(|(distance, _)| *distance)
                .map(|(_, pair)| pair)
        };
        same.or_else(near).map(|(schema, name)| {
            if schema == DEFAULT_SCHEMA {
                name.clone()
            } else {
                format!("{schema}.{name}")
            }
        })
    }
}

fn pair<'a>(mut row: impl Iterator<Item = &'a Option<String>>) -> (String, String) {
    let mut next = || {
        row.next()
            .cloned()
            .flatten()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    (next(), next())
}
