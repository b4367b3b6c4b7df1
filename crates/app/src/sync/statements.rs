//! The SQL of the last transaction, built from schemas: pure text, tried against DuckDB by the sync tests.

use domain::names::quote_identifier;
use domain::{Column, ColumnType, TableRef};

/// The column that names the load a row came with.
pub(crate) const LOAD_ID: &str = "_dlt_load_id";
/// The column that identifies a row of a table something points at.
pub(crate) const ROW_ID: &str = "_dlt_id";
/// The column of a child row that names its parent row.
pub(crate) const PARENT_ID: &str = "_dlt_parent_id";

/// Returns `a, b, c`, quoted.
pub(crate) fn names<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = columns.into_iter().map(quote_identifier).collect();
    quoted.join(", ")
}

/// Returns `CREATE TABLE` for `columns` and the load id.
pub(crate) fn create_table(table: &TableRef, columns: &[Column]) -> String {
    let mut parts: Vec<_> = columns
        .iter()
        .filter(|column| column.name != LOAD_ID)
        .map(|column| {
            format!(
                "{} {}",
                quote_identifier(&column.name),
                column.kind.to_sql()
            )
        })
        .collect();
    parts.push(format!("{} VARCHAR", quote_identifier(LOAD_ID)));
    format!("CREATE TABLE {} ({})", table.to_sql(), parts.join(", "))
}

/// Returns the statement that adds a column.
pub(crate) fn add_column(table: &TableRef, column: &Column) -> String {
    format!(
        "ALTER TABLE {} ADD COLUMN {} {}",
        table.to_sql(),
        quote_identifier(&column.name),
        column.kind.to_sql()
    )
}

/// Returns the statement that gives a column another type; the caller has made sure that no value changes.
pub(crate) fn alter_type(table: &TableRef, column: &str, kind: ColumnType) -> String {
    format!(
        "ALTER TABLE {} ALTER COLUMN {} SET DATA TYPE {}",
        table.to_sql(),
        quote_identifier(column),
        kind.to_sql()
    )
}

/// Returns the statement that drops a table if it is there.
pub(crate) fn drop_table(table: &TableRef) -> String {
    format!("DROP TABLE IF EXISTS {}", table.to_sql())
}

/// Returns the condition that a value of type `to` is the same value as one of type `from`: it comes back unchanged. A plain
/// cast would round 10.75 to 11 and drop the zero of 007.
fn fits(column: &str, from: ColumnType, to: ColumnType) -> String {
    let (column, from, to) = (quote_identifier(column), from.to_sql(), to.to_sql());
    format!("TRY_CAST(TRY_CAST({column} AS {from}) AS {to}) IS NOT DISTINCT FROM {column}")
}

/// Returns a query of one row: `n` values of a column that has type `to` do not fit `from`.
pub(crate) fn count_misfits(
    table: &TableRef,
    column: &str,
    from: ColumnType,
    to: ColumnType,
) -> String {
    format!(
        "SELECT count(*) FILTER (NOT ({})) AS n FROM {}",
        fits(column, from, to),
        table.to_sql()
    )
}

/// Returns the statement that gives a column of type `to` the type `from`; values that do not fit become NULL.
pub(crate) fn fit_type(table: &TableRef, column: &str, from: ColumnType, to: ColumnType) -> String {
    format!(
        "{} USING CASE WHEN {} THEN TRY_CAST({} AS {}) END",
        alter_type(table, column, from),
        fits(column, from, to),
        quote_identifier(column),
        from.to_sql()
    )
}

/// Returns a query of one row: a column has `n` values.
pub(crate) fn count_values(table: &TableRef, column: &str) -> String {
    format!(
        "SELECT count({}) AS n FROM {}",
        quote_identifier(column),
        table.to_sql()
    )
}

/// Returns the two statements that put `staging` in the place of `table` (DuckDB has no `ALTER TABLE … SET SCHEMA`, but
/// drop and rename in one transaction work on tables without indexes).
pub(crate) fn swap(staging: &TableRef, table: &TableRef) -> [String; 2] {
    [
        drop_table(table),
        format!(
            "ALTER TABLE {} RENAME TO {}",
            staging.to_sql(),
            quote_identifier(&table.table)
        ),
    ]
}

/// Two tables whose rows are compared: the one users see and the staged one, as SQL for a FROM clause, with the columns of
/// both.
pub(crate) struct Compared<'a> {
    pub(crate) old: &'a str,
    pub(crate) old_columns: &'a [Column],
    pub(crate) new: &'a str,
    pub(crate) new_columns: &'a [Column],
}

impl Compared<'_> {
    /// Returns the value columns of either table, in the order of the new one, then those only the old one has.
    fn value_columns(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.new_columns.iter().map(|c| c.name.as_str()).collect();
        all.extend(self.old_columns.iter().map(|c| c.name.as_str()));
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|name| *name != LOAD_ID && seen.insert(*name));
        all
    }

    /// Returns the expression of `column` on one side: NULL where the side lacks it, text where the types differ, so that
    /// both sides hash alike exactly when a reader would see the same values.
    fn expression(own: &[Column], other: &[Column], column: &str) -> String {
        let find = |columns: &[Column]| columns.iter().find(|c| c.name == column).map(|c| c.kind);
        let quoted = quote_identifier(column);
        match (find(own), find(other)) {
            (None, _) => "NULL::VARCHAR".into(),
            (Some(kind), Some(theirs)) if kind == theirs => quoted,
            _ => format!("{quoted}::VARCHAR"),
        }
    }

    /// Returns two hashes over a row's values, which combine them differently. Both start from DuckDB's 64-bit hash of each
    /// value: that two rows which differ look alike by chance happens once in 2^64 pairs, no less often. It is no protection
    /// against a source that constructs such values: what it can hide that way is a change of its own rows.
    fn hashes(&self, own: &[Column], other: &[Column]) -> (String, String) {
        let mut values: Vec<_> = self
            .value_columns()
            .into_iter()
            .map(|column| Self::expression(own, other, column))
            .collect();
        let first = format!("hash({})", values.join(", "));
        values.reverse();
        (first, format!("hash('second', {})", values.join(", ")))
    }

    /// Returns a query of one row: `same` says whether both tables hold the same rows, `old_rows` and `new_rows` how many.
    pub(crate) fn sameness(&self) -> String {
        let side = |table: &str, own: &[Column], other: &[Column]| {
            let (first, second) = self.hashes(own, other);
            format!(
                "(SELECT count(*) AS n, coalesce(sum({first}::HUGEINT), 0) AS a, coalesce(bit_xor({second}), 0) AS b \
                 FROM {table})"
            )
        };
        format!(
            "SELECT o.n = w.n AND o.a = w.a AND o.b = w.b AS same, o.n AS old_rows, w.n AS new_rows FROM {} o, {} w",
            side(self.old, self.old_columns, self.new_columns),
            side(self.new, self.new_columns, self.old_columns)
        )
    }

    /// Returns a query of one row with `inserted`, `updated` and `deleted`: by key where there is one, else as the
    /// difference of two multisets (then nothing counts as updated).
    pub(crate) fn deltas(&self, key: &[String]) -> String {
        let (new_first, new_second) = self.hashes(self.new_columns, self.old_columns);
        let (old_first, old_second) = self.hashes(self.old_columns, self.new_columns);
        let (old, new) = (self.old, self.new);
        if key.is_empty() {
            return format!(
                "SELECT coalesce(sum(greatest(coalesce(w.n, 0) - coalesce(o.n, 0), 0)), 0)::BIGINT AS inserted, \
                 0::BIGINT AS updated, \
                 coalesce(sum(greatest(coalesce(o.n, 0) - coalesce(w.n, 0), 0)), 0)::BIGINT AS deleted \
                 FROM (SELECT {old_first} AS a, {old_second} AS b, count(*) AS n FROM {old} GROUP BY ALL) o \
                 FULL JOIN (SELECT {new_first} AS a, {new_second} AS b, count(*) AS n FROM {new} GROUP BY ALL) w \
                 ON o.a = w.a AND o.b = w.b"
            );
        }
        let keys = names(key.iter().map(String::as_str));
        let on: Vec<_> = key
            .iter()
            .map(|column| {
                let column = quote_identifier(column);
                format!("o.{column} IS NOT DISTINCT FROM w.{column}")
            })
            .collect();
        format!(
            "SELECT count(*) FILTER (o.a IS NULL) AS inserted, \
             count(*) FILTER (o.a IS NOT NULL AND w.a IS NOT NULL AND (o.a <> w.a OR o.b <> w.b)) AS updated, \
             count(*) FILTER (w.a IS NULL) AS deleted \
             FROM (SELECT {keys}, {old_first} AS a, {old_second} AS b FROM {old}) o \
             FULL JOIN (SELECT {keys}, {new_first} AS a, {new_second} AS b FROM {new}) w ON {}",
            on.join(" AND ")
        )
    }
}

/// Returns the condition that the rows `a` and `b` have the same key.
pub(crate) fn same_key(key: &[String], a: &str, b: &str) -> String {
    let parts: Vec<_> = key
        .iter()
        .map(|column| {
            let column = quote_identifier(column);
            format!("{a}.{column} = {b}.{column}")
        })
        .collect();
    parts.join(" AND ")
}

/// Returns the statement that removes all but the newest of several staged rows with one key: the highest cursor, and among
/// equals the one that was staged last.
pub(crate) fn keep_newest(staging: &TableRef, key: &[String], cursor: Option<&str>) -> String {
    let table = staging.to_sql();
    let newest = cursor.map_or(String::new(), |column| {
        format!("{} DESC NULLS LAST, ", quote_identifier(column))
    });
    format!(
        "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM (SELECT rowid, row_number() OVER \
         (PARTITION BY {} ORDER BY {newest}rowid DESC) AS place FROM {table}) WHERE place > 1)",
        names(key.iter().map(String::as_str))
    )
}

/// Returns the statement that removes the rows of `table` whose staged successors differ; what it removes was updated.
pub(crate) fn delete_changed(
    table: &TableRef,
    staging: &TableRef,
    key: &[String],
    columns: &[Column],
) -> String {
    let differs: Vec<_> = columns
        .iter()
        .filter(|column| column.name != LOAD_ID && !key.contains(&column.name))
        .map(|column| {
            let column = quote_identifier(&column.name);
            format!("t.{column} IS DISTINCT FROM s.{column}")
        })
        .collect();
    let differs = if differs.is_empty() {
        "false".into()
    } else {
        differs.join(" OR ")
    };
    format!(
        "DELETE FROM {} AS t USING {} AS s WHERE {} AND ({differs})",
        table.to_sql(),
        staging.to_sql(),
        same_key(key, "t", "s")
    )
}

/// Returns the statement that inserts the staged rows whose key `table` does not have.
pub(crate) fn insert_missing(
    table: &TableRef,
    staging: &TableRef,
    key: &[String],
    columns: &[Column],
) -> String {
    let list = names(columns.iter().map(|column| column.name.as_str()));
    format!(
        "INSERT INTO {} ({list}) SELECT {list} FROM {} AS s WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE {})",
        table.to_sql(),
        staging.to_sql(),
        table.to_sql(),
        same_key(key, "t", "s")
    )
}

/// Returns the statement that inserts all staged rows.
pub(crate) fn insert_all(table: &TableRef, staging: &TableRef, columns: &[Column]) -> String {
    let list = names(columns.iter().map(|column| column.name.as_str()));
    format!(
        "INSERT INTO {} ({list}) SELECT {list} FROM {}",
        table.to_sql(),
        staging.to_sql()
    )
}

/// Returns the statement that removes child rows of staged parents that the parents no longer have.
pub(crate) fn delete_vanished_children(
    table: &TableRef,
    staging: Option<&TableRef>,
    parent_staging: &TableRef,
) -> String {
    let (parent_id, row_id) = (quote_identifier(PARENT_ID), quote_identifier(ROW_ID));
    let kept = staging.map_or(String::new(), |staging| {
        format!(
            " AND {row_id} NOT IN (SELECT {row_id} FROM {})",
            staging.to_sql()
        )
    });
    format!(
        "DELETE FROM {} WHERE {parent_id} IN (SELECT {row_id} FROM {}){kept}",
        table.to_sql(),
        parent_staging.to_sql()
    )
}

/// Returns the statement that removes staged child rows whose record is not among the staged ones any more.
pub(crate) fn delete_outdated_children(child: &TableRef, own: &TableRef) -> String {
    let record = quote_identifier(connect::RECORD_COLUMN);
    format!(
        "DELETE FROM {} WHERE {record} NOT IN (SELECT {record} FROM {} WHERE {record} IS NOT NULL)",
        child.to_sql(),
        own.to_sql()
    )
}

/// Returns the statement that removes child rows whose parent row is gone.
pub(crate) fn delete_orphans(table: &TableRef, parent: &TableRef) -> String {
    let (parent_id, row_id) = (quote_identifier(PARENT_ID), quote_identifier(ROW_ID));
    format!(
        "DELETE FROM {} WHERE {parent_id} NOT IN (SELECT {row_id} FROM {} WHERE {row_id} IS NOT NULL)",
        table.to_sql(),
        parent.to_sql()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_created_with_its_load_id_last() {
        let table = TableRef::new("raw_shop", "or\"ders");
        let columns = [
            Column::new("id", ColumnType::BigInt),
            Column::new(LOAD_ID, ColumnType::Text),
        ];
        assert_eq!(
            create_table(&table, &columns),
            r#"CREATE TABLE "raw_shop"."or""ders" ("id" BIGINT, "_dlt_load_id" VARCHAR)"#
        );
    }

    #[test]
    fn columns_that_only_one_side_has_are_compared_with_null() {
        let compared = Compared {
            old: "o",
            old_columns: &[Column::new("a", ColumnType::BigInt)],
            new: "n",
            new_columns: &[
                Column::new("a", ColumnType::Text),
                Column::new("b", ColumnType::Text),
            ],
        };
        let (first, _) = compared.hashes(compared.old_columns, compared.new_columns);
        assert_eq!(first, r#"hash("a"::VARCHAR, NULL::VARCHAR)"#);
    }
}
