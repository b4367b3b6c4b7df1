//! Which files a source has.

use super::*;
use crate::failure::FailureKind;
use domain::SourceName;
use serde_json::{Value, json};

pub(super) fn plan_of(folder: &Folder, block: &Value) -> Result<FilePlan, Failure> {
    let config = FilesConfig::parse(&SourceName::parse("shop").unwrap(), block)?;
    plan(&config, folder.0.path())
}

pub(super) fn paths(plan: &FilePlan) -> Vec<(&str, Vec<&str>)> {
    let of = |table: &'_ PlannedTable| table.files.len();
    assert!(plan.tables.iter().map(of).sum::<usize>() < 100);
    plan.tables
        .iter()
        .map(|t| {
            (
                t.table.name.as_str(),
                t.files.iter().map(|f| f.path.as_str()).collect(),
            )
        })
        .collect()
}

#[test]
fn files_are_sorted_and_known_by_their_path() {
    let folder = Folder::new();
    for name in [
        "d/b.csv",
        "d/a.CSV",
        "d/bob's kit.csv",
        "d/ünï ¢.csv",
        "d/x/a.csv",
        "d/y/a.csv",
        "d/.hidden.csv",
        "d/~$a.csv",
        "d/a.csv.tmp",
        "d/a.csv.crdownload",
        "d/a.csv~",
        "d/.git/c.csv",
    ] {
        folder.write(name, "a\n1\n");
    }
    let flat = plan_of(&folder, &json!({"directory": "d", "file_pattern": "*.csv"})).unwrap();
    assert_eq!(
        paths(&flat),
        [("shop", vec!["a.CSV", "b.csv", "bob's kit.csv", "ünï ¢.csv"])]
    );
    let deep = plan_of(
        &folder,
        &json!({"directory": "d", "file_patterns": {"deep": "**/a.csv"}}),
    )
    .unwrap();
    assert_eq!(
        paths(&deep),
        [("deep", vec!["a.CSV", "x/a.csv", "y/a.csv"])]
    );
    assert_eq!(
        deep.directory,
        folder.0.path().canonicalize().unwrap().join("d")
    );
    let same = FileOptions::default();
    for name in ["bob's kit.csv", "ünï ¢.csv", "x/a.csv"] {
        let file = SourceFile {
            directory: &deep.directory,
            name,
            ..folder.file("a.csv", &same, 100)
        };
        assert_eq!(file.inspect("t", &[]).unwrap().rows(), 1, "{name}");
    }
}

#[test]
fn each_file_has_the_format_of_its_name() {
    let folder = Folder::new();
    for name in [
        "a.csv",
        "b.tsv.gz",
        "c.jsonl",
        "d.ndjson.zst",
        "e.parquet",
        "f.xlsx",
        "readme",
    ] {
        folder.write(name, "x");
    }
    let plan = plan_of(&folder, &json!({"directory": "."})).unwrap();
    let formats: Vec<_> = plan.tables[0]
        .files
        .iter()
        .map(|file| file.format)
        .collect();
    assert_eq!(
        formats,
        [
            Format::Csv,
            Format::Tsv,
            Format::Json,
            Format::Json,
            Format::Parquet
        ]
    );
    assert_eq!(plan.warnings.len(), 2, "{:?}", plan.warnings);
    let forced = plan_of(
        &folder,
        &json!({"directory": ".", "file_pattern": "readme", "format": "csv"}),
    );
    assert_eq!(forced.unwrap().tables[0].files[0].format, Format::Csv);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let folder = Folder::new();
    folder.write("d/a.csv.bz2", "x");
    folder.write("f", "x");
    folder.write("empty/readme", "x");
    let check = |block: Value, kind: FailureKind, expect: &str| {
        let failure = plan_of(&folder, &block).expect_err("refused");
        assert_eq!(failure.kind, kind, "{block}");
        assert!(failure.say.as_str().contains(expect), "{failure}");
        assert!(!failure.hint.is_empty());
    };
    check(
        json!({"directory": "gone"}),
        FailureKind::Missing,
        "`gone` cannot be found",
    );
    check(
        json!({"directory": "f"}),
        FailureKind::ConfigInvalid,
        "`f` is a file",
    );
    check(
        json!({"directory": "d"}),
        FailureKind::FileInvalid,
        "`a.csv.bz2` is packed",
    );
    let none = plan_of(
        &folder,
        &json!({"directory": "empty", "file_pattern": "*.csv"}),
    )
    .unwrap();
    assert_eq!(none.warnings, ["no file matches `*.csv`"]);
}

#[test]
fn folders_beyond_the_depth_are_refused_and_not_left_out() {
    let folder = Folder::with(&format!("{}a.csv", "d/".repeat(32)), "a\n1\n");
    let block = json!({"directory": ".", "file_pattern": "**/*.csv"});
    assert_eq!(plan_of(&folder, &block).unwrap().tables[0].files.len(), 1);
    folder.write(&format!("{}b.csv", "d/".repeat(33)), "a\n1\n");
    let failure = plan_of(&folder, &block).expect_err("too deep");
    assert_eq!(failure.kind, FailureKind::ConfigInvalid);
    assert!(
        failure
            .say
            .as_str()
            .contains("lies more than 32 folders deep"),
        "{failure}"
    );
    assert!(!failure.hint.is_empty());
    // Without `**/` no folder is entered.
    let flat = json!({"directory": ".", "file_pattern": "*.csv"});
    assert!(plan_of(&folder, &flat).is_ok());
}

#[test]
fn files_of_two_folders_widen_one_table() {
    let folder = Folder::new();
    folder.write("x/a.csv", "id,amount\n1,10\n2,20\n");
    folder.write("y/a.csv", "id,amount,note\n3,10.75,late\n");
    let plan = plan_of(
        &folder,
        &json!({"directory": ".", "file_patterns": {"t": "**/*.csv"}}),
    )
    .unwrap();
    let options = FileOptions::default();
    let file = |name| SourceFile {
        name,
        ..folder.file("a.csv", &options, 100)
    };
    let mut decision = Decision::new(None);
    let mut inspections = Vec::new();
    for planned in &plan.tables[0].files {
        let inspection = file(planned.path.as_str()).inspect("t", &[]).unwrap();
        decision.add(&inspection.tables[0]);
        inspections.push((planned.path.as_str(), inspection));
    }
    let table = TableRef::new("raw_s", "t");
    let tables = [TableSchema {
        table,
        columns: decision.columns(),
        primary_key: Vec::new(),
    }];
    assert_eq!(
        tables[0].columns[1].kind,
        ColumnType::Decimal {
            precision: 21,
            scale: 2
        }
    );
    let rows: Vec<_> = inspections
        .iter()
        .flat_map(|(name, inspection)| read(&file(*name), inspection, &tables, 0).unwrap())
        .collect();
    assert_eq!(
        rows,
        [
            row(&["1", "10.00", "-"]),
            row(&["2", "20.00", "-"]),
            row(&["3", "10.75", "late"])
        ]
    );
}

#[test]
fn a_column_typed_by_files_of_another_format_may_be_blank_here() {
    let folder = Folder::with("a.csv", "id,ratio\n1,\n2,\n");
    let options = FileOptions::default();
    let file = folder.file("a.csv", &options, 100);
    let double = domain::Column::new("ratio", ColumnType::Double);
    let known = TableSchema {
        table: TableRef::new("raw_s", "t"),
        columns: vec![double],
        primary_key: Vec::new(),
    };
    let inspection = file.inspect("t", std::slice::from_ref(&known)).unwrap();
    let mut decision = Decision::new(Some(&known));
    decision.add(&inspection.tables[0]);
    assert_eq!(decision.columns()[0].kind, ColumnType::Double);
    let tables = [TableSchema {
        columns: decision.columns(),
        ..known
    }];
    let rows = read(&file, &inspection, &tables, 0).unwrap();
    assert_eq!(rows, [row(&["-", "1"]), row(&["-", "2"])]);
}
