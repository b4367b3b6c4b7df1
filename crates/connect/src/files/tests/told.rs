//! What is read as it stands and told all the same, because its user may have meant something else.

use super::*;
use ColumnType::{BigInt, Text};

fn known(columns: &[&str]) -> TableSchema {
    let columns = columns.iter();
    TableSchema {
        table: TableRef::new("raw_s", "t"),
        columns: columns
            .map(|name| domain::Column::new(*name, Text))
            .collect(),
        primary_key: Vec::new(),
    }
}

fn warnings(text: &str, options: &FileOptions, known: &[TableSchema]) -> Vec<String> {
    let folder = Folder::with("a.csv", text);
    let inspection = folder.file("a.csv", options, 16).inspect("t", known);
    inspection.unwrap().warnings
}

#[test]
fn a_guessed_header_is_told_where_nothing_shows_that_it_is_one() {
    let header = |header| FileOptions {
        header: Some(header),
        ..FileOptions::default()
    };
    let open = FileOptions::default();
    let all_text = "Ann,Berlin\nBob,Paris\n";
    assert_eq!(
        warnings(all_text, &open, &[]),
        [
            "its first line was taken for the names of the columns (`Ann`, `Berlin`), but all other lines are text too; \
             set `header: false` if it is data, `header: true` if not"
        ]
    );
    let told = |text: &str, options: &FileOptions, known: &[TableSchema]| {
        warnings(text, options, known).join("; ")
    };
    // Either answer settles it, and the rows are then as they were asked for.
    assert_eq!(told(all_text, &header(true), &[]), "");
    assert_eq!(told(all_text, &header(false), &[]), "");
    let (inspection, rows) = Folder::with("a.csv", all_text)
        .load("a.csv", &header(false))
        .unwrap();
    assert_eq!(names(&inspection), ["column_1", "column_2"]);
    assert_eq!(rows, [row(&["Ann", "Berlin"]), row(&["Bob", "Paris"])]);
    // A number below a text shows which line is the header, and so does a column that the table has.
    assert_eq!(told("name,age\nAnn,7\n", &open, &[]), "");
    assert_eq!(
        told("name,city\nAnn,Rome\n", &open, &[known(&["city"])]),
        ""
    );
    assert_eq!(
        told("name,city\nAnn,Rome\n", &open, &[known(&[])]),
        told("name,city\nAnn,Rome\n", &open, &[])
    );
    assert_eq!(told("a,b,c,d\n,,,x\n", &open, &[]), "");
}

#[test]
fn a_further_file_without_any_column_of_the_table_is_told() {
    let open = FileOptions::default();
    let table = [known(&["id", "name"])];
    for text in ["Ann,Berlin\nBob,Paris\n", "code,amount\nx,1\n"] {
        let told = warnings(text, &open, &table);
        assert!(
            told.len() == 1 && told[0].contains("but none of them is a column of the table"),
            "{text}: {told:?}"
        );
    }
    assert!(warnings("id,amount\nx,1\n", &open, &table).is_empty());
}

#[test]
fn words_for_a_missing_value_are_told_with_the_option_that_reads_them() {
    let text = "id,dep,day,tail,seen,all\n1,517,2024-01-01,N14,true,NA\n2,NA,-,NA,NA,NA\n3,533,2024-01-03,X,false,NA\n";
    let folder = Folder::with("a.csv", text);
    let (inspection, _) = folder.load("a.csv", &FileOptions::default()).unwrap();
    assert_eq!(kinds(&inspection)[1], Some(Text));
    assert_eq!(
        inspection.warnings,
        [
            "text only because of words for a missing value: dep (`NA`, otherwise BIGINT), day (`-`, otherwise DATE), \
             seen (`NA`, otherwise BOOLEAN); `null_values: [\"NA\", \"-\"]` reads them as NULL"
        ]
    );
    let options = FileOptions {
        null_values: vec!["NA".into(), "-".into()],
        ..FileOptions::default()
    };
    let (inspection, rows) = folder.load("a.csv", &options).unwrap();
    assert!(inspection.warnings.is_empty());
    assert_eq!(kinds(&inspection)[1], Some(BigInt));
    assert_eq!(rows[1], row(&["2", "-", "-", "-", "-", "-"]));
}

#[test]
fn a_word_for_a_missing_value_is_not_told_where_it_decides_nothing() {
    let check = |cells: &[&str]| {
        let text = format!("k,v\n1,{}\n", cells.join("\n1,"));
        let told = warnings(&text, &FileOptions::default(), &[]);
        assert!(told.is_empty(), "{cells:?}: {told:?}");
    };
    check(&["NA", "1", "x"]);
    check(&["x", "NA"]);
    check(&["NA", "NA"]);
    check(&["1", "true", "NA"]);
    // In quotes it is a text, whatever `null_values` says.
    check(&["1", "\"NA\""]);
    check(&["1", "NAN"]);
}

#[test]
fn only_some_of_many_columns_are_named() {
    let header: Vec<_> = (0..8).map(|n| format!("c{n}")).collect();
    let text = format!(
        "{}\n{}\n{}\n",
        header.join(","),
        "1,".repeat(7) + "1",
        "NA,".repeat(7) + "NA"
    );
    let told = warnings(&text, &FileOptions::default(), &[]);
    assert!(
        told.len() == 1 && told[0].contains("c4 (`NA`, otherwise BIGINT), 3 more;"),
        "{told:?}"
    );
}
