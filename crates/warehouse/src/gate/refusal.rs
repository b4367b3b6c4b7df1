//! What the gate refuses, in words for whoever wrote the SQL.

use super::functions::{TABLE_FUNCTIONS, Why};
use super::text;
use domain::limits::SQL_BYTES_MAX;
use domain::say;
use domain::say::{Quoted, Say};
use serde::{Deserialize, Serialize};

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// There is nothing in the text.
    Empty,
    /// The text is longer than a query may be.
    TooLong,
    /// Expressions or subqueries are nested too deeply.
    TooDeep,
    /// More than one statement.
    Several,
    /// A statement other than SELECT; its first word.
    Statement(String),
    /// `PIVOT` that must first look which columns there are, which makes it two statements.
    Pivot,
    /// A `$1` or `?`.
    Parameter,
    /// A file, by its path, or an address.
    File(String),
    /// A catalog of the engine's own.
    SystemTable(String),
    /// A function that reads files, writes, or runs SQL out of text.
    TableFunction(String),
    /// A function that reads settings, changes state or blocks the worker.
    Function { name: String, why: Why },
    /// A macro of the user's own: its text is not checked.
    Macro(String),
    /// A `SHOW` or `DESCRIBE` of something else than tables.
    Show(String),
    /// A common table expression that is called like a file or a system table.
    CteName(String),
    /// A construct that the gate does not know.
    Construct(String),
    /// A macro of the warehouse that the engine would call in the place of a function of its own.
    StandIn(String),
    /// A view that uses something that is refused.
    View { view: String, because: Box<Self> },
    /// A table with a generated column that uses something that is refused.
    Table { table: String, because: Box<Self> },
    /// The text of a view or of a generated column.
    Unreadable,
}

impl Refusal {
    /// Returns the refusal of a statement that is not a SELECT, named by its first word.
    pub(super) fn statement(sql: &str) -> Self {
        let word = text::first_word(sql).to_uppercase();
        let pivots = text::has_word(sql, "pivot") || text::has_word(sql, "pivot_wider");
        let reads = matches!(
            word.as_str(),
            "SELECT" | "FROM" | "WITH" | "PIVOT" | "PIVOT_WIDER" | "DESCRIBE" | "SUMMARIZE"
        );
        if pivots && reads {
            Self::Pivot
        } else {
            Self::Statement(word)
        }
    }

    /// Returns what was refused.
    pub(crate) fn say(&self) -> Say {
        match self {
            Self::Empty => say!("there is no SQL in the query"),
            Self::TooLong => say!("the query's text is too long"),
            Self::TooDeep => say!("the query is nested too deeply"),
            Self::Several => say!("the query has more than one statement"),
            Self::Statement(word) if word.is_empty() => say!("the query is not a SELECT"),
            Self::Statement(word) => say!("", name Quoted(word), " statements are refused"),
            Self::Pivot => {
                say!("a `PIVOT` without a list of values is refused: it is two statements")
            }
            Self::Parameter => say!("the query has a parameter, and there is no value for it"),
            Self::File(name) => {
                say!("", name Quoted(name), " is a file or an address, and queries read no files")
            }
            Self::SystemTable(name) => say!("the system table ", name Quoted(name), " is refused"),
            Self::TableFunction(name) => {
                say!("the table function ", name Quoted(name), " is refused")
            }
            Self::Function { name, why } => {
                say!("the function ", name Quoted(name), " is refused: ").text(why.as_str())
            }
            Self::Macro(name) => say!("the macro ", name Quoted(name), " is refused"),
            Self::Show(name) => say!("`SHOW` of ", name Quoted(name), " is refused"),
            Self::CteName(name) => {
                say!("a WITH query may not be called ", name Quoted(name), ": that is the name of a file or a system table")
            }
            Self::Construct(name) => say!("the construct ", name Quoted(name), " is refused"),
            Self::View { view, because } => {
                say!("the view ", name Quoted(view), " cannot be read: ", because.say())
            }
            Self::Table { table, because } => {
                say!("the table ", name Quoted(table), " cannot be read: ", because.say())
            }
            Self::Unreadable => say!("its text cannot be checked"),
            Self::StandIn(name) => {
                say!("the warehouse has a macro ", name Quoted(name), ", which stands in for DuckDB's own function of that name")
            }
        }
    }

    /// Returns what is allowed instead.
    pub(crate) fn hint(&self) -> Say {
        match self {
            Self::Empty => say!("write one SELECT, for example `SHOW ALL TABLES`"),
            Self::TooLong => {
                say!("keep the query below ", SQL_BYTES_MAX >> 10, " kB of text")
            }
            Self::TooDeep => say!("split the query into WITH queries"),
            Self::Several => say!("run one SELECT at a time"),
            Self::Statement(_) => {
                say!(
                    "only one SELECT over the warehouse's tables and views is allowed; `FROM`, `WITH`, `VALUES`, `SHOW TABLES`, `DESCRIBE`, `SUMMARIZE` and `EXPLAIN SELECT` pass too"
                )
            }
            Self::Pivot => say!("name the values: `PIVOT t ON column IN ('a', 'b') USING sum(x)`"),
            Self::Parameter => say!("write the value itself"),
            Self::File(_) => {
                say!(
                    "add the file as a `local_files` source and sync it, then query its table; `SHOW ALL TABLES` lists the tables"
                )
            }
            Self::SystemTable(_) => {
                say!(
                    "`information_schema.tables`, `information_schema.columns` and `SHOW ALL TABLES` describe the warehouse"
                )
            }
            Self::TableFunction(_) => {
                let mut hint = say!("table functions allowed here:");
                for (index, name) in TABLE_FUNCTIONS.into_iter().enumerate() {
                    hint = hint.text(if index == 0 { " " } else { ", " }).text(name);
                }
                hint
            }
            Self::Function { .. } => say!(
                "functions that read settings, wait or change state are refused; all others pass"
            ),
            Self::Macro(_) => say!("write the macro's expression into the query"),
            Self::Show(_) => say!("`SHOW TABLES`, `SHOW ALL TABLES` and `DESCRIBE table` pass"),
            Self::CteName(_) => say!("call it by a plain word"),
            Self::Construct(_) => say!("write the query without it"),
            Self::View { because, .. } | Self::Table { because, .. } => because.hint(),
            Self::Unreadable => say!("query the tables beneath it, or name its other columns"),
            Self::StandIn(_) => say!(
                "drop the macro with the program that made it, for example a DuckDB shell; until then no query runs"
            ),
        }
    }
}
