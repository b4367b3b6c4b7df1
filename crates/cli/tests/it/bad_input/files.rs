//! Files that are not what they seem.

use super::{Bench, Case, fingerprint};
use crate::project::{Project, SHOP};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

/// Enough rows that a cut is in the middle of a packed file.
fn many_rows() -> String {
    let rows: Vec<_> = (0..5_000)
        .map(|id| format!("{id},{}", id * 7919 % 10_007))
        .collect();
    let rows = rows.join("\n");
    format!("id,value\n{rows}\n")
}

fn cut(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

fn parquet() -> Vec<u8> {
    let project = Project::synced_shop();
    project
        .run(&["query", "FROM raw_shop.orders", "--output", "x.parquet"])
        .succeeded();
    std::fs::read(project.path("x.parquet")).expect("written")
}

#[test]
fn a_damaged_csv_names_file_and_line() {
    let source = |options: &str| {
        format!("type: local_files, local_files: {{directory: data/bad, {options}}}")
    };
    Bench::new().check(vec![
        Case::file("a row too long", "x.csv", "id,a\n1,x\n2,y,z\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "3 cells", "line 3"],
        ),
        Case::file("a row too short", "x.csv", "id,a,b\n1,x,y\n\n2,y\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "2 cells", "line 4"],
        ),
        Case::file("bad UTF-8", "x.csv", *b"id,a\n1,x\n2,caf\xe9\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "line 3", "UTF-8", "encoding"],
        ),
        Case::file("NUL", "x.csv", *b"id,a\n1,x\n2,a\0b\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "line 3", "NUL"],
        ),
        Case::file(
            "UTF-16 without a mark",
            "x.csv",
            *b"i\0d\0,\0a\0\n\x001\0,\0x\0\n\0",
        )
        .fails(1, "file_invalid", &["`x.csv`", "encoding"]),
        Case::file("a quote that never ends", "x.csv", "id,a\n1,\"x\n2,y\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "line 2", "quote"],
        ),
        Case::file("text after a quote", "x.csv", "id,a\n1,\"x\"y\n").fails(
            1,
            "file_invalid",
            &["`x.csv`", "line 2", "quote"],
        ),
        Case::file("gzip cut off", "x.csv.gz", cut(&gzip(&many_rows()))).fails(
            1,
            "file_invalid",
            &["`x.csv.gz`", "gzip", "copy the file again"],
        ),
        Case::file("gzip damaged", "x.csv.gz", {
            let mut bytes = gzip(&many_rows());
            let middle = bytes.len() / 2;
            bytes[middle..middle + 16].fill(0x55);
            bytes
        })
        .fails(1, "file_invalid", &["`x.csv.gz`"]),
        Case::file(
            "zstd cut off",
            "x.csv.zst",
            *b"\x28\xb5\x2f\xfd\x04\x58\x21",
        )
        .fails(1, "file_invalid", &["`x.csv.zst`", "zstd"]),
        Case::file(
            "a spreadsheet called CSV",
            "x.csv",
            *b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0",
        )
        .fails(1, "file_invalid", &["`x.csv`", "CSV"]),
        Case::file("an unknown packing", "x.csv.bz2", "text\n").fails(
            1,
            "file_invalid",
            &["`x.csv.bz2`", "gzip"],
        ),
        Case::file(
            "too many columns",
            "x.csv",
            (0..2_002)
                .map(|n| format!("c{n}"))
                .collect::<Vec<_>>()
                .join(",")
                + "\n1\n",
        )
        .fails(1, "file_too_large", &["`x.csv`", "2000"]),
        Case::sync(
            "no folder",
            "type: local_files, local_files: {directory: data/nowhere}",
        )
        .fails(4, "source_missing", &["`data/nowhere`", "`directory`"]),
        Case::sync(
            "a folder that is a file",
            "type: local_files, local_files: {directory: data/file}",
        )
        .with("data/file", "x")
        .fails(1, "config_invalid", &["`data/file`", "folder"]),
        Case::sync(
            "a folder outside by pattern",
            &source("file_pattern: '../*'"),
        )
        .with("data/bad/x.csv", "id\n1\n")
        .fails(1, "config_invalid", &["`../*`"]),
        Case::sync("an unknown encoding", &source("encoding: klingon"))
            .with("data/bad/x.csv", "id\n1\n")
            .fails(1, "config_invalid", &["`klingon`", "utf-8"]),
        Case::sync(
            "a wrong encoding",
            &source("encoding: utf-16le, file_pattern: '*'"),
        )
        .with("data/bad/x.csv", *b"id\n1\xd8")
        .fails(1, "file_invalid", &["`x.csv`", "UTF-16LE"]),
        Case::file(
            "a name with a line break",
            "a\nerror: b\x1b[31m.csv",
            "id\n1,2\n",
        )
        .fails(
            1,
            "file_invalid",
            &["`a\\nerror: b\\u{1b}[31m.csv`", "line 2"],
        )
        .hides("\nerror: b")
        .hides("\x1b[31m"),
    ]);
}

#[test]
fn damaged_json_and_parquet_name_file_and_place() {
    let whole = parquet();
    let deep = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    Bench::new().check(vec![
        Case::file(
            "JSON that is too deep",
            "x.json",
            format!("[{{\"id\": {}}}]", deep(1_000)),
        )
        .fails(1, "file_invalid", &["`x.json`", "line 1", "64 levels"]),
        Case::file(
            "JSONL that is too deep",
            "x.jsonl",
            format!("{{\"id\": 1}}\n{{\"id\": {}}}\n", deep(100_000)),
        )
        .fails(1, "file_invalid", &["`x.jsonl`", "line 2", "64 levels"]),
        Case::file("broken JSON", "x.json", "[\n{\"id\": 1},\n{\"id\": }\n]\n").fails(
            1,
            "file_invalid",
            &["`x.json`", "line 3"],
        ),
        Case::file("JSON cut off", "x.json", "[{\"id\": 1},\n{\"id\": 2").fails(
            1,
            "file_invalid",
            &["`x.json`", "line 2"],
        ),
        Case::file(
            "broken JSONL",
            "x.jsonl",
            "{\"id\": 1}\n{\"id\": 2\n{\"id\": 3}\n",
        )
        .fails(1, "file_invalid", &["`x.jsonl`", "line 3"]),
        Case::file(
            "JSONL in Latin-1",
            "x.jsonl",
            *b"{\"id\": 1}\n{\"id\": \"\xe9\"}\n",
        )
        .fails(1, "file_invalid", &["`x.jsonl`", "UTF-8"]),
        Case::file("CSV called Parquet", "x.parquet", "id\n1\n").fails(
            1,
            "file_invalid",
            &["`x.parquet`", "Parquet"],
        ),
        Case::file("Parquet cut off", "x.parquet", cut(&whole)).fails(
            1,
            "file_invalid",
            &["`x.parquet`", "Parquet"],
        ),
        Case::file("Parquet damaged", "x.parquet", {
            let mut bytes = whole.clone();
            let end = bytes.len() - 40;
            bytes[end..end + 24].fill(0xff);
            bytes
        })
        .fails(1, "file_invalid", &["`x.parquet`"]),
        Case::file("empty Parquet", "x.parquet", "").fails(1, "file_invalid", &["`x.parquet`"]),
    ]);
}

/// Returns what the tables that were there before hold.
fn rows(project: &Project) -> Option<String> {
    let fingerprint = fingerprint(project);
    fingerprint.split("\"tables\"").next().map(str::to_owned)
}

/// Syncs a source with one file and returns the answer to `sql`.
fn accepted(name: &str, content: impl AsRef<[u8]>, sql: &str) -> String {
    let project = Project::synced_shop();
    let before = rows(&project);
    fs_err::create_dir_all(project.path("data/good")).expect("created");
    std::fs::write(project.path("data/good").join(name), content).expect("written");
    project.write(
        ".dango/sources.yml",
        &format!(
            "{SHOP}  - {{name: good, type: local_files, local_files: {{directory: data/good, \
             tables: [{{name: t, pattern: '*'}}]}}}}\n"
        ),
    );
    project.run(&["sync", "good"]).succeeded();
    let after = rows(&project);
    assert_eq!(after, before, "{name}");
    project
        .run(&["query", sql, "--format", "csv"])
        .succeeded()
        .stdout
        .replace('\r', "")
}

#[test]
fn odd_files_that_are_in_order_are_read() {
    let check = |name: &str, content: &[u8], sql: &str, expect: &str| {
        assert_eq!(accepted(name, content, sql), expect, "{name}");
    };
    check(
        "mark.csv",
        b"\xef\xbb\xbfid,a\n1,x\n",
        "SELECT id, a FROM raw_good.t",
        "id,a\n1,x\n",
    );
    check(
        "header.csv",
        b"id,a\n",
        "SELECT count(*) AS n FROM raw_good.t",
        "n\n0\n",
    );
    check(
        "plain.csv.gz",
        b"id,a\n1,x\n",
        "SELECT id, a FROM raw_good.t",
        "id,a\n1,x\n",
    );
    check(
        "a 'b\" c\nd.csv",
        b"id\n1\n",
        "SELECT id FROM raw_good.t",
        "id\n1\n",
    );
    check(
        "last.csv",
        b"id,a\r\n1,\"x\r\ny\"",
        "SELECT id, length(a) AS n FROM raw_good.t",
        "id,n\n1,4\n",
    );
    // Records that are no objects are kept, and so is what follows them.
    check(
        "odd.jsonl",
        b"{\"id\": 1}\n[2]\n",
        "SELECT count(*) AS n, max(id) AS id FROM raw_good.t",
        "n,id\n2,1\n",
    );
    check(
        "hollow.json",
        b"[{}, {}]",
        "SELECT count(*) AS n FROM raw_good.t",
        "n\n2\n",
    );
    check(
        "lone.json",
        b"{\"id\": 1}",
        "SELECT id FROM raw_good.t",
        "id\n1\n",
    );
    let wide = format!("id,a\n1,{}\n", "x".repeat(10 << 20));
    check(
        "wide.csv",
        wide.as_bytes(),
        "SELECT length(a) AS n FROM raw_good.t",
        "n\n10485760\n",
    );
    let wide = format!("{{\"id\": 1, \"a\": \"{}\"}}\n", "x".repeat(10 << 20));
    check(
        "wide.jsonl",
        wide.as_bytes(),
        "SELECT length(a) AS n FROM raw_good.t",
        "n\n10485760\n",
    );
}

#[test]
fn files_without_anything_in_them_are_told_and_no_error() {
    let bench = Bench::new();
    bench.project.write(
        ".dango/sources.yml",
        &format!(
            "{SHOP}  - {{name: bad, type: local_files, local_files: {{directory: data/bad}}}}\n"
        ),
    );
    let sync = |warning: &str| {
        let ran = bench.project.run(&["sync", "bad"]).succeeded();
        assert!(
            ran.stdout.contains(warning) && !ran.stdout.contains('\x1b'),
            "{warning}: {ran:#?}"
        );
        let json = bench
            .project
            .run(&["sync", "bad", "--full-refresh", "--json"])
            .succeeded()
            .json();
        let warnings = json["sources"][0]["tables"][0]["warnings"].to_string();
        assert!(!warnings.is_empty(), "{json}");
    };
    fs_err::create_dir_all(bench.project.path("data/bad/a folder.csv")).expect("created");
    sync("warning: no file matches `*`");
    bench.project.write("data/bad/letter.docx", "text");
    sync("warning: `letter.docx` is skipped");
    bench.project.write("data/bad/empty.csv", "");
    sync("warning: `empty.csv`: it is empty");
    bench
        .project
        .write("data/bad/a\nbad.b: warning: \x1b[31m.csv", "");
    sync("warning: `a\\nbad.b: warning: \\u{1b}[31m.csv`: it is empty");
    // A pipe would be waited for until somebody writes into it.
    let pipe = bench.project.path("data/bad/pipe.csv");
    let made = std::process::Command::new("mkfifo")
        .arg(pipe)
        .status()
        .expect("mkfifo");
    assert!(made.success());
    sync("warning: `letter.docx` is skipped");
    bench.check(Vec::new());
}
