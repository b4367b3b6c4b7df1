//! JSON files: rows, child tables, the second pass with the types of the first.

use super::*;

#[test]
fn arrays_and_lines_give_the_same_rows() {
    let options = FileOptions::default();
    for text in [
        "[{\"id\": 1, \"name\": \"a\"}, {\"id\": 2}]",
        "{\"id\": 1, \"name\": \"a\"}\n{\"id\": 2}\n",
        "\u{feff} \n{\"id\": 1, \"name\": \"a\"} {\"id\":\n2}",
    ] {
        let (inspection, rows) = Folder::with("a.json", text)
            .load("a.json", &options)
            .unwrap();
        assert_eq!(names(&inspection), ["id", "name"], "{text}");
        assert_eq!(rows, [row(&["1", "a"]), row(&["2", "-"])], "{text}");
    }
}

#[test]
fn lists_become_child_tables_that_are_read_one_by_one() {
    let folder = Folder::with(
        "a.jsonl",
        "{\"id\":1,\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}\n{\"id\":2,\"lines\":[]}\n",
    );
    let options = FileOptions::default();
    let file = folder.file("a.jsonl", &options, 100);
    let inspection = file.inspect("orders", &[]).unwrap();
    let tables: Vec<_> = inspection
        .tables
        .iter()
        .map(|t| (t.name.as_str(), t.parent.as_deref(), t.rows))
        .collect();
    assert_eq!(
        tables,
        [("orders", None, 2), ("orders__lines", Some("orders"), 2)]
    );
    let decided = decided(&inspection);
    let at = |table: usize, name: &str| {
        decided[table]
            .columns
            .iter()
            .position(|column| column.name == name)
            .unwrap()
    };
    let parents = read(&file, &inspection, &decided, 0).unwrap();
    let children = read(&file, &inspection, &decided, 1).unwrap();
    assert_eq!(children.len(), 2);
    assert_eq!(
        children[0][at(1, "_dlt_parent_id")],
        parents[0][at(0, "_dlt_id")]
    );
    assert_eq!(children[1][at(1, "sku")].as_deref(), Some("b"));
}

#[test]
fn what_the_first_pass_decided_holds_in_the_second() {
    let line = |id: usize| match id {
        19_000 => r#"{"id": 19000, "amount": "later"}"#.to_owned(),
        id => format!("{{\"id\": {id}, \"amount\": {id}}}"),
    };
    let text = (0..20_000).map(line).collect::<Vec<_>>().join("\n");
    let folder = Folder::with("a.jsonl", text);
    let (inspection, rows) = folder.load("a.jsonl", &FileOptions::default()).unwrap();
    assert_eq!(names(&inspection), ["id", "amount", "amount__v_text"]);
    assert_eq!(rows[19_000], row(&["19000", "-", "later"]));
    assert_eq!(rows[19_001], row(&["19001", "19001", "-"]));
    assert!(!inspection.warnings.is_empty());
}

#[test]
fn a_file_packed_with_gzip_is_json_too() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"[{\"a\": 1.5}]").unwrap();
    let folder = Folder::with("a.json.gz", gzip.finish().unwrap());
    let (_, rows) = folder.load("a.json.gz", &FileOptions::default()).unwrap();
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_type_is_decided_by_the_whole_file() {
    let check = |early: &str, late: &str, kind: ColumnType, shown: [&str; 2]| {
        let line = |id: usize| {
            let value = if id == 19_000 { late } else { early };
            format!("{{\"id\": {id}, \"v\": {value}}}")
        };
        let text = (0..20_000).map(line).collect::<Vec<_>>().join("\n");
        let folder = Folder::with("a.jsonl", text);
        let (inspection, rows) = folder.load("a.jsonl", &FileOptions::default()).unwrap();
        assert_eq!(names(&inspection), ["id", "v"], "{early} {late}");
        assert_eq!(kinds(&inspection)[1], Some(kind), "{early} {late}");
        assert_eq!(rows[0], row(&["0", shown[0]]));
        assert_eq!(rows[19_000], row(&["19000", shown[1]]));
        assert_eq!(rows[19_999], row(&["19999", shown[0]]));
        assert!(inspection.warnings.is_empty(), "{:?}", inspection.warnings);
    };
    check("7", "10.75", ColumnType::Double, ["7.0", "10.75"]);
    check(
        "7",
        "9223372036854775808",
        ColumnType::Decimal {
            precision: 38,
            scale: 0,
        },
        ["7", "9223372036854775808"],
    );
    check(
        "\"2024-01-01T00:00:00Z\"",
        "\"later\"",
        ColumnType::Text,
        ["2024-01-01T00:00:00Z", "later"],
    );
    check(
        "\"2024-01-01T00:00:00Z\"",
        "\"2024-01-01T02:00:00+01:00\"",
        ColumnType::TimestampTz,
        ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"],
    );
}

#[test]
fn an_integer_that_no_double_holds_keeps_its_column_whatever_comes_later() {
    let line = |id: usize| match id {
        3 => "{\"v\": 9007199254740993}".to_owned(),
        19_000 => "{\"v\": 0.5}".to_owned(),
        id => format!("{{\"v\": {id}}}"),
    };
    let text = (0..20_000).map(line).collect::<Vec<_>>().join("\n");
    let folder = Folder::with("a.jsonl", text);
    let (inspection, rows) = folder.load("a.jsonl", &FileOptions::default()).unwrap();
    assert_eq!(names(&inspection), ["v", "v__v_double"]);
    assert_eq!(rows[3], row(&["9007199254740993", "-"]));
    assert_eq!(rows[19_000], row(&["-", "0.5"]));
    assert_eq!(
        inspection.warnings,
        ["column `v` of table `t` got other values: those are in `v__v_double`"]
    );
}

#[test]
fn types_of_child_tables_are_decided_by_the_whole_file_too() {
    let line = |id: usize| {
        format!(
            "{{\"l\": [{{\"v\": {}}}]}}",
            if id == 15_000 { "0.5" } else { "1" }
        )
    };
    let text = (0..16_000).map(line).collect::<Vec<_>>().join("\n");
    let folder = Folder::with("a.jsonl", text);
    let options = FileOptions::default();
    let file = folder.file("a.jsonl", &options, 100);
    let inspection = file.inspect("t", &[]).unwrap();
    let rows = read(&file, &inspection, &decided(&inspection), 1).unwrap();
    let (first, late) = (rows[0][0].as_deref(), rows[15_000][0].as_deref());
    assert_eq!((first, late), (Some("1.0"), Some("0.5")));
}

#[test]
fn a_key_called_like_a_column_of_ours_gets_another_name() {
    let folder = Folder::with(
        "a.json",
        "{\"_dango_filename\": \"x\", \"_dlt_load_id\": 1}",
    );
    let (inspection, rows) = folder.load("a.json", &FileOptions::default()).unwrap();
    for name in names(&inspection) {
        assert!(!domain::names::COLUMNS_RESERVED.contains(&name), "{name}");
    }
    assert_eq!(rows, [row(&["x", "1"])]);
}

/// A text is a timestamp in both formats or in none.
#[test]
fn a_timestamp_in_csv_is_one_in_json() {
    let is_timestamp = |name: &str, text: String| {
        let folder = Folder::with(name, text);
        let (inspection, rows) = folder.load(name, &FileOptions::default()).unwrap();
        let kind = kinds(&inspection)[0];
        (kind == Some(ColumnType::TimestampTz)).then(|| rows[0][0].clone())
    };
    let check = |text: &str, expect: Option<&str>| {
        let csv = is_timestamp("a.csv", format!("at,n\n{text},1\n"));
        let json = is_timestamp("a.json", format!("{{\"at\": \"{text}\"}}"));
        assert_eq!(csv, json, "{text}");
        assert_eq!(csv.flatten().as_deref(), expect, "{text}");
    };
    check("2024-03-01T10:20:30Z", Some("2024-03-01T10:20:30Z"));
    check("2024-03-01t10:20:30z", Some("2024-03-01T10:20:30Z"));
    check("2024-03-01 10:20:30+02", Some("2024-03-01T08:20:30Z"));
    check("2024-03-01T10:20-0530", Some("2024-03-01T15:50:00Z"));
    check(
        "2024-03-01T10:20:30.500000000Z",
        Some("2024-03-01T10:20:30.500Z"),
    );
    check("2024-03-01T10:20:30.1234567Z", None);
    check("0000-03-01T10:20:30Z", None);
    check("2024-03-01T10:20:30+16:00", None);
    check("2024-03-01", None);
}
