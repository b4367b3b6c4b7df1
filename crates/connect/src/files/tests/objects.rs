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
