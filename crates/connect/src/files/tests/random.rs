//! Random files: what comes out is what went in, wherever chunks end.

use super::*;
use ColumnType::{BigInt, Text, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Cells of one column: some of one class only, some of everything.
fn cells() -> impl Strategy<Value = Vec<Option<String>>> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,21})",
        "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,8}"
    ];
    let date = (1..=9999_u32, 1..=12_u32, 1..=28_u32)
        .prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let time = (date.clone(), 0..24_u8, 0..60_u8, 0..60_u8)
        .prop_map(|(d, h, m, s)| format!("{d}T{h:02}:{m:02}:{s:02}"));
    let text = prop_oneof![
        "[ -~é\n\r\"',;|\t]{0,20}",
        "0[0-9]{1,5}",
        "[0-9]e[0-9]",
        Just(String::new())
    ];
    let of =
        |cell: BoxedStrategy<String>| prop::collection::vec(prop::option::weighted(0.8, cell), 40);
    prop_oneof![
        of(number.clone().boxed()),
        of(date.clone().boxed()),
        of(time.clone().boxed()),
        of(prop_oneof![Just("true".to_owned()), Just("false".to_owned())].boxed()),
        of(text.clone().boxed()),
        of(prop_oneof![8 => number, 1 => date, 1 => time, 1 => text].boxed()),
    ]
}

/// Brings a number to the form in which a decimal of that scale is shown.
fn shown(cell: &str, kind: Option<ColumnType>) -> String {
    let Some(ColumnType::Decimal { scale, .. }) = kind else {
        return cell.to_owned();
    };
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let zeros = "0".repeat(usize::from(scale) - fraction.len());
    let padded = format!("{whole}.{fraction}{zeros}");
    let padded = padded
        .strip_suffix('.')
        .map_or(padded.clone(), ToOwned::to_owned);
    let zero = padded.chars().all(|c| "-0.".contains(c));
    if zero {
        padded.trim_start_matches('-').to_owned()
    } else {
        padded
    }
}

/// Returns a configuration that tries the same cases in every run and leaves no files behind.
fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(42),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(seeded(200))]

    #[test]
    fn what_is_written_is_what_is_read(
        columns in prop::collection::vec(cells(), 1..5),
        chunk_bytes in 8..400_usize,
        newline in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let quote = |cell: &Option<String>| match cell {
            None => String::new(),
            Some(cell) if cell.is_empty() || cell.contains([',', '"', '\n', '\r']) => {
                format!("\"{}\"", cell.replace('"', "\"\""))
            }
            Some(cell) => cell.clone(),
        };
        // A first column that is never empty: a line with nothing on it would be no record.
        let mut text = (0..=columns.len()).map(|c| format!("c{c}")).collect::<Vec<_>>().join(",") + newline;
        for index in 0..40 {
            let cells = columns.iter().map(|column| quote(&column[index]));
            text += &(format!("r{index},") + &cells.collect::<Vec<_>>().join(",") + newline);
        }
        let folder = Folder::with("a.csv", &text);
        let options = FileOptions { delimiter: Some(",".into()), ..FileOptions::default() };
        let (inspection, rows) = folder.load_in_chunks("a.csv", &options, chunk_bytes).unwrap();
        let kinds = kinds(&inspection);
        for (index, row) in rows.iter().enumerate() {
            for (column, cells) in columns.iter().enumerate() {
                let kind = kinds[column + 1];
                let blank = kind != Some(Text) && cells[index].as_deref() == Some("");
                let minus_zero = kind == Some(BigInt) && cells[index].as_deref() == Some("-0");
                let expect = match &cells[index] {
                    _ if blank => None,
                    _ if minus_zero => Some("0".to_owned()),
                    cell => cell.as_deref().map(|cell| shown(cell, kind)),
                };
                // Arrow shows a midnight as one.
                let expect = match (kind, expect) {
                    (Some(Timestamp), Some(cell)) if cell.len() == 10 => Some(cell + "T00:00:00"),
                    (_, expect) => expect,
                };
                prop_assert_eq!(&row[column + 1], &expect, "row {} column {}", index, column);
            }
        }
    }
}

proptest! {
    #![proptest_config(seeded(1000))]

    #[test]
    fn where_chunks_end_changes_nothing(
        text in "([ab1,;\"\n\r.é-]|\"[a,\n]{0,9}\"|1,2\n){0,120}",
        chunk_bytes in 1..60_usize,
        ragged in prop_oneof![Just(Ragged::Error), Just(Ragged::Pad)],
    ) {
        let options = FileOptions {
            delimiter: Some(",".into()), header: Some(true), ragged, ..FileOptions::default()
        };
        let folder = Folder::with("a.csv", &text);
        let whole = folder.load_in_chunks("a.csv", &options, 1 << 20);
        let parts = folder.load_in_chunks("a.csv", &options, chunk_bytes);
        match (whole, parts) {
            (Ok(whole), Ok(parts)) => prop_assert_eq!(whole, parts),
            (Err(whole), Err(parts)) => prop_assert_eq!(whole.kind, parts.kind),
            (whole, parts) => prop_assert!(false, "whole: {whole:?}, in parts: {parts:?}"),
        }
    }
}
