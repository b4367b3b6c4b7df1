//! Files that are refused: each names the file, the line where there is one, and what helps.

use super::*;
use crate::failure::FailureKind::{self, FileInvalid, FileTooLarge};

/// What a file must be refused with: its kind, a part of what is said, a part of the hint.
type Refused<'a> = (FailureKind, &'a str, &'a str);

fn check(name: &str, bytes: &[u8], options: &FileOptions, (kind, say, hint): Refused<'_>) {
    let folder = Folder::with(name, bytes);
    let shown = String::from_utf8_lossy(bytes.get(..80).unwrap_or(bytes)).into_owned();
    for chunk_bytes in [16, 1 << 20] {
        let failure = folder
            .load_in_chunks(name, options, chunk_bytes)
            .expect_err(&shown);
        assert_eq!(failure.kind, kind, "{shown:?}: {failure}");
        assert!(
            failure.say.as_str().contains(&format!("`{name}`")),
            "{shown:?}: {failure}"
        );
        assert!(failure.say.as_str().contains(say), "{shown:?}: {failure}");
        assert!(
            failure.hint.as_str().contains(hint),
            "{shown:?}: {}",
            failure.hint
        );
    }
}

fn csv(text: &str, say: &str, hint: &str) {
    check(
        "a.csv",
        text.as_bytes(),
        &FileOptions::default(),
        (FileInvalid, say, hint),
    );
}

#[test]
fn broken_csv_names_line_and_cure() {
    csv(
        "a,b\n1\n",
        "has 1 cell in line 2 where 2 are expected",
        "ragged: pad",
    );
    csv(
        "a,b\n1,2\n1,2,3\n",
        "has 3 cells in line 3 where 2",
        "`delimiter`",
    );
    csv("a,b\n1,2,\n", "has 3 cells in line 2", "ragged");
    csv("a,b\n\n\n1\n", "in line 4", "ragged");
    csv("a,b\r\n1,2\r\n3\r\n", "in line 3", "ragged");
    csv("a,b\n\"x\ny\",1\n2\n", "in line 4", "ragged");
    csv("a;b\n1;2\n3\n", "has 1 cell in line 3 where 2", "ragged");
    csv(
        &("a,b\n".to_owned() + &"1,2\n".repeat(9000) + "1\n"),
        "in line 9002",
        "ragged",
    );
    csv(
        "a,b\n1,\"x\n",
        "ends inside the quotes that line 2 opens",
        "quote: none",
    );
    csv("a,b\n1,\"x\n3,4\n5,6\n", "that line 2 opens", "quote: none");
    csv("a,\"b\n1,2\n", "that line 1 opens", "quote: none");
    csv("\"", "that line 1 opens", "quote: none");
    csv(
        &("a,b\n".to_owned() + &"1,2\n".repeat(500) + "3,\"x\n" + &"1,2\n".repeat(50)),
        "line 502",
        "quote",
    );
    csv(
        "a,b\n1,\"x\"y\n",
        "text behind a closing quote in line 2, byte 6",
        "double the quotes",
    );
    csv("a,b\n\"1\" ,2\n", "closing quote in line 2", "quote: none");
    csv("\"a\"b,c\n", "closing quote in line 1", "escape");
    csv("a,b\n1,\"\"\"\n", "that line 2 opens", "quote");
    csv(
        "a,b\n1,x\0y\n",
        "has a NUL byte in line 2, byte 4",
        "utf-16le",
    );
    csv("a\0,b\n", "has a NUL byte in line 1", "utf-16le");
}

#[test]
fn bytes_that_are_no_text_name_line_and_byte() {
    let default = FileOptions::default();
    let check = |bytes: &[u8], say: &str| {
        check(
            "a.csv",
            bytes,
            &default,
            (FileInvalid, say, "`encoding`, for instance to `latin1`"),
        );
    };
    check(b"a,b\n1,\xe9t\xe9\n", "is not UTF-8 in line 2, byte 3");
    check(b"a,\xff\n1,2\n", "is not UTF-8 in line 1, byte 3");
    check(b"a\n1\n2\n\xc3", "is not UTF-8 in line 4, byte 1");
    check(b"a\n\xed\xa0\x80\n", "is not UTF-8 in line 2");
    check(b"a\n\xf8\x88\x80\x80\x80\n", "is not UTF-8 in line 2");
    check(b"a\n\xc0\xaf\n", "is not UTF-8 in line 2");
}

#[test]
fn a_wrong_encoding_is_found() {
    let options = |label: &str| FileOptions {
        encoding: Some(label.into()),
        ..FileOptions::default()
    };
    let refuse = |bytes: &[u8], label: &str, say: &str| {
        check(
            "a.csv",
            bytes,
            &options(label),
            (FileInvalid, say, "`encoding`"),
        );
    };
    refuse(b"a\n\x81\xff\n", "shift_jis", "is not Shift_JIS");
    refuse(b"a\0\n\0\x00\xd8a\0", "utf-16le", "is not UTF-16LE");
    refuse(b"\xff\xfea\0\n\0\x00\xdca\0", "latin1", "is not UTF-16LE");
    refuse(b"a\n\xff\n", "euc-kr", "is not EUC-KR");
}

#[test]
fn options_that_do_not_fit_the_file_are_refused() {
    let refuse = |bytes: &[u8], options: FileOptions, say: &str| {
        check("a.csv", bytes, &options, (FileInvalid, say, ""));
    };
    let default = FileOptions::default;
    refuse(
        b"a,b\n1,2,3\n",
        FileOptions {
            ragged: Ragged::Pad,
            ..default()
        },
        "has 3 cells in line 2",
    );
    refuse(
        b"a;b\n1;2;3\n",
        FileOptions {
            delimiter: Some(";".into()),
            ..default()
        },
        "has 3 cells",
    );
    refuse(
        b"a,b\n'x,y\n",
        FileOptions {
            quote: Some("'".into()),
            ..default()
        },
        "that line 2 opens",
    );
    refuse(
        b"a,b\n\"x\"\"y\",1\n",
        FileOptions {
            escape: Some("\\".into()),
            ..default()
        },
        "closing quote",
    );
    refuse(
        b"a,b\n\"x\\\",1\n",
        FileOptions {
            escape: Some("\\".into()),
            ..default()
        },
        "that line 2 opens",
    );
}

#[test]
fn packed_files_that_are_damaged_are_refused() {
    use std::io::Write;
    let text = (0..5000)
        .map(|n| format!("{n},{}\n", n * 7919 % 10007))
        .collect::<Vec<_>>()
        .concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let default = FileOptions::default();
    let refuse = |name: &str, bytes: &[u8], say: &str, hint: &str| {
        check(name, bytes, &default, (FileInvalid, say, hint));
    };
    for cut in [3, 20, gzip.len() / 2, gzip.len() - 4] {
        refuse(
            "a.csv.gz",
            &gzip[..cut],
            "damaged or cut off",
            "compare its size",
        );
    }
    for cut in [5, zstd.len() / 2, zstd.len() - 1] {
        refuse(
            "a.csv.zst",
            &zstd[..cut],
            "damaged or cut off",
            "compare its size",
        );
    }
    let mut flipped = gzip.clone();
    flipped[gzip.len() / 2] ^= 0x55;
    refuse("a.csv.gz", &flipped, "damaged", "copy the file again");
    refuse(
        "a.csv.gz",
        &[&gzip[..], b"junk"].concat(),
        "damaged",
        "copy the file again",
    );
    refuse(
        "a.csv",
        b"PK\x03\x04rest",
        "is a zip archive or an Excel workbook",
        "save it as CSV",
    );
    refuse(
        "a.csv",
        b"\xd0\xcf\x11\xe0rest",
        "is an old Excel workbook",
        "save it as CSV",
    );
    refuse(
        "a.csv",
        b"BZh91AY&SY",
        "is compressed with bzip2",
        "unpack it",
    );
    refuse(
        "a.csv",
        b"\xfd7zXZ\0..",
        "is compressed with xz",
        "unpack it",
    );
    refuse("a.csv", b"PAR1\x15\x04....", "is a Parquet file", "");
}

#[test]
fn what_is_too_large_is_refused() {
    let default = FileOptions::default();
    let wide = "c,".repeat(domain::limits::COLUMNS_MAX) + "c\n";
    check(
        "a.csv",
        wide.as_bytes(),
        &default,
        (FileTooLarge, "has 2001 columns", "`delimiter`"),
    );
    let cell = "x".repeat(domain::limits::CELL_BYTES_MAX + 1);
    let huge = Folder::with("a.csv", format!("a,b\n1,{cell}\n"));
    let failure = huge.load("a.csv", &default).expect_err("too large");
    assert_eq!(failure.kind, FileTooLarge);
    assert!(
        failure
            .say
            .as_str()
            .contains("cell of more than 67108864 bytes in line 2"),
        "{failure}"
    );
}

#[test]
fn broken_json_names_line_and_column() {
    let refuse = |bytes: &[u8], say: &str, hint: &str| {
        check(
            "a.json",
            bytes,
            &FileOptions::default(),
            (FileInvalid, say, hint),
        );
    };
    refuse(
        b"[{\"a\": 1},\n {\"a\": }]",
        "is not JSON in line 2, column 8",
        "array of objects",
    );
    refuse(
        b"{\"a\": 1}\n{\"a\": x}\n",
        "in line 2, column 7",
        "one object on each line",
    );
    refuse(b"[{\"a\": 1}", "is not JSON in line 1", "ends too early");
    refuse(b"{\"a\": [1, 2", "is not JSON in line 1", "ends too early");
    refuse(b"[{\"a\": 1}]\n]", "is not JSON in line 2", "");
    refuse(b"[{\"a\": 1}] {\"a\": 2}", "trailing characters", "");
    refuse(b"[{\"a\": \"\xff\"}]", "is not JSON in line 1", "");
    refuse(b"[{\"a\": \"\\ud800\"}]", "is not JSON in line 1", "");
    refuse(b"[{\"a\": 01}]", "is not JSON in line 1", "");
    refuse(b"[{\"a\": NaN}]", "is not JSON in line 1", "");
    refuse(b"[{'a': 1}]", "is not JSON in line 1", "");
    refuse(b"[{\"a\": 1},]", "is not JSON in line 1", "");
    refuse(
        b"a,b\n1,2\n",
        "is not JSON in line 1, column 1",
        "one object on each line",
    );
    // Line and column are those of the file, whatever white space it starts with.
    refuse(
        b"\n\n  \n  {\"a\": }",
        "in line 4, column 9",
        "array of objects",
    );
    refuse(
        b"\n\n {\"a\": 1}\n{\"a\" 1}\n",
        "in line 4, column 6",
        "array of objects",
    );
}

#[test]
fn json_is_refused_at_one_depth() {
    for depth in [65, 127, 1000] {
        let deep = format!(
            "[\n{{\"a\": 1}},\n{{\"a\": {}1{}}}]",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let failure = Folder::with("a.json", deep)
            .load("a.json", &FileOptions::default())
            .expect_err("too deep");
        let say = failure.say.as_str();
        assert!(say.contains("nested deeper than 64 levels"), "{failure}");
        assert!(
            say.contains("line 3") || say.contains("record 2"),
            "{failure}"
        );
    }
}

#[test]
fn blanks_without_end_are_refused_and_not_kept() {
    // 150 MB of them, in 5 kB.
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..150 {
        std::io::Write::write_all(&mut packed, &blanks).unwrap();
    }
    let folder = Folder::with("a.json.zst", packed.finish().unwrap());
    let failure = folder
        .load("a.json.zst", &FileOptions::default())
        .expect_err("endless");
    assert_eq!(failure.kind, FileTooLarge, "{failure}");
    assert!(
        failure
            .say
            .as_str()
            .contains("134217728 bytes in which no record ends, up to line 1"),
        "{failure}"
    );
}

#[test]
fn a_file_that_is_gone_or_outside_is_refused() {
    let folder = Folder::new();
    let default = FileOptions::default();
    let failure = folder
        .file("gone.csv", &default, 100)
        .inspect("t", &[])
        .expect_err("gone");
    assert_eq!(failure.kind, FailureKind::Missing);
    for name in ["../a.csv", "/etc/hosts.csv", "a/../../b.csv"] {
        let failure = folder.file(name, &default, 100).hash().expect_err(name);
        assert!(failure.say.as_str().contains("outside"), "{failure}");
    }
}

#[test]
fn an_empty_file_has_no_columns_and_says_so() {
    for (name, bytes) in [
        ("a.csv", &b""[..]),
        ("a.csv", b"\n\n"),
        ("a.csv", b"\xef\xbb\xbf"),
        ("a.json", b" \n"),
        ("a.json", b"[]"),
    ] {
        let (inspection, rows) = Folder::with(name, bytes)
            .load(name, &FileOptions::default())
            .unwrap();
        assert_eq!((inspection.rows(), rows.len()), (0, 0));
        assert_eq!(inspection.warnings, ["it is empty"]);
        assert!(names(&inspection).is_empty());
    }
}

#[test]
fn lines_are_counted_however_they_end() {
    for end in ["\n", "\r\n", "\r"] {
        let csv = |lines: &[&str], say: &str, hint: &str| csv(&lines.join(end), say, hint);
        csv(
            &["a,b", "1,2", "3"],
            "has 1 cell in line 3 where 2",
            "ragged",
        );
        csv(
            &["a,b", "", "1,2", "3,\"x\"y"],
            "text behind a closing quote in line 4, byte 6",
            "quote",
        );
        csv(
            &["a,b", "1,x\0y", ""],
            "has a NUL byte in line 2, byte 4",
            "utf-16le",
        );
        csv(
            &["a,b", "\"x", "y\",1", "2", ""],
            "has 1 cell in line 4",
            "ragged",
        );
    }
}
