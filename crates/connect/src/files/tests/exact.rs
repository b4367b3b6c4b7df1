//! Every value comes out as it went in.

use super::*;
use ColumnType::{BigInt, Boolean, Date, Text, Timestamp, TimestampTz};

const fn decimal(precision: u8, scale: u8) -> ColumnType {
    ColumnType::Decimal { precision, scale }
}

/// Builds a file of a head and numbered lines.
fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    let lines: Vec<_> = (0..count).map(line).collect();
    format!("{head}\n{}\n", lines.join("\n"))
}

#[test]
fn a_late_fraction_widens_the_whole_column() {
    let text = lines("id,amount", 50_000, |id| match id {
        49_999 => "49999,10.75".into(),
        id => format!("{id},{id}"),
    });
    let folder = Folder::with("a.csv", text);
    let (inspection, rows) = folder
        .load_in_chunks("a.csv", &FileOptions::default(), 4096)
        .unwrap();
    assert_eq!(kinds(&inspection), [Some(BigInt), Some(decimal(7, 2))]);
    assert_eq!(rows[49_999], row(&["49999", "10.75"]));
    assert_eq!(rows[7], row(&["7", "7.00"]));
}

#[test]
fn a_text_in_row_40000_makes_the_column_text() {
    let text = lines("n", 60_000, |n| {
        if n == 40_000 {
            "n/a".into()
        } else {
            n.to_string()
        }
    });
    let folder = Folder::with("a.csv", text);
    let (inspection, rows) = folder
        .load_in_chunks("a.csv", &FileOptions::default(), 1000)
        .unwrap();
    assert_eq!(kinds(&inspection), [Some(Text)]);
    assert_eq!(
        (&rows[39_999], &rows[40_000]),
        (&row(&["39999"]), &row(&["n/a"]))
    );
}

#[test]
fn columns_get_the_narrowest_exact_type() {
    let check = |cells: &[&str], kind: ColumnType, expect: &[&str]| {
        let folder = Folder::with(
            "a.csv",
            lines("k,v", cells.len(), |at| format!("x,{}", cells[at])),
        );
        let (inspection, rows) = folder.load("a.csv", &FileOptions::default()).unwrap();
        assert_eq!(kinds(&inspection)[1], Some(kind), "{cells:?}");
        let values: Vec<_> = rows
            .iter()
            .map(|row| row[1].clone().unwrap_or("-".into()))
            .collect();
        assert_eq!(values, expect, "{cells:?}");
    };
    check(&["1", "", "-2"], BigInt, &["1", "-", "-2"]);
    check(&["007", "1"], Text, &["007", "1"]);
    check(
        &["12345678901234567890", "1"],
        decimal(20, 0),
        &["12345678901234567890", "1"],
    );
    check(&["9223372036854775807"], BigInt, &["9223372036854775807"]);
    check(&["1e5", "2"], Text, &["1e5", "2"]);
    check(&["\"1,234\"", "5"], Text, &["1,234", "5"]);
    check(&["+3"], Text, &["+3"]);
    check(
        &["10.75", "3", ".5", "-0.25"],
        decimal(4, 2),
        &["10.75", "3.00", "0.50", "-0.25"],
    );
    check(&["TRUE", "false", ""], Boolean, &["true", "false", "-"]);
    check(
        &["2024-02-29", "0001-01-01"],
        Date,
        &["2024-02-29", "0001-01-01"],
    );
    check(
        &["2024-01-01", "2024-01-01 10:00:00.5"],
        Timestamp,
        &["2024-01-01T00:00:00", "2024-01-01T10:00:00.500"],
    );
    check(
        &["2024-01-01T10:00:00+02:00"],
        TimestampTz,
        &["2024-01-01T08:00:00Z"],
    );
    check(
        &["2024-01-01 10:00:00.1234567"],
        Text,
        &["2024-01-01 10:00:00.1234567"],
    );
    check(&["31.12.2024"], Text, &["31.12.2024"]);
    check(
        &["550e8400-e29b-41d4-a716-446655440000"],
        Text,
        &["550e8400-e29b-41d4-a716-446655440000"],
    );
    check(&["\"\"", "a"], Text, &["", "a"]);
    check(&["\"\"", "\"5\""], BigInt, &["-", "5"]);
    check(&["\"\""], Text, &[""]);
    check(&["\"he said \"\"x\"\"\""], Text, &["he said \"x\""]);
    check(&[" 1"], Text, &[" 1"]);
}

#[test]
fn a_column_without_values_has_no_type_yet() {
    let folder = Folder::with("a.csv", "a,b\n1,\n2,\n");
    let (inspection, rows) = folder.load("a.csv", &FileOptions::default()).unwrap();
    assert_eq!(kinds(&inspection), [Some(BigInt), None]);
    assert_eq!(rows, [row(&["1", "-"]), row(&["2", "-"])]);
}

#[test]
fn a_file_that_changes_between_the_passes_is_refused() {
    let folder = Folder::with("a.csv", "a\n1\n");
    let options = FileOptions::default();
    let file = folder.file("a.csv", &options, 1 << 20);
    let inspection = file.inspect("t", &[]).unwrap();
    let tables = decided(&inspection);
    for changed in ["a\n2\n", "a\nx\n", "a,b\n1,2\n", ""] {
        folder.write("a.csv", changed);
        let failure = read(&file, &inspection, &tables, 0).expect_err(changed);
        assert!(
            matches!(
                failure.kind,
                crate::FailureKind::Changed | crate::FailureKind::FileInvalid
            ),
            "{changed:?}: {failure}"
        );
    }
}

#[test]
fn a_known_column_makes_the_first_line_a_header_and_stays_text() {
    let folder = Folder::with("a.csv", "year,2020\n1,2\n");
    let options = FileOptions::default();
    let known = TableSchema {
        table: TableRef::new("raw_s", "t"),
        columns: vec![domain::Column::new("year", Text)],
        primary_key: Vec::new(),
    };
    let inspection = folder
        .file("a.csv", &options, 1 << 20)
        .inspect("t", &[known])
        .unwrap();
    assert_eq!(names(&inspection), ["year", "_2020"]);
    assert_eq!(kinds(&inspection), [Some(Text), Some(BigInt)]);
}
