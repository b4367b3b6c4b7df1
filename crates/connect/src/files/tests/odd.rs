//! Files that are odd and in order, and chunks that end at odd places.

use super::*;
use std::io::Write;

#[test]
fn odd_but_valid_files_are_read() {
    let options = FileOptions::default;
    let check = |bytes: &[u8], options: FileOptions, names_expected: &[&str], expect: &[Row]| {
        let folder = Folder::with("a.csv", bytes);
        for chunk_bytes in [16, 1 << 20] {
            let loaded = folder.load_in_chunks("a.csv", &options, chunk_bytes);
            let (inspection, rows) = loaded.unwrap_or_else(|e| panic!("{bytes:?}: {e}"));
            assert_eq!(
                names(&inspection),
                names_expected,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
            assert_eq!(rows, expect, "{:?}", String::from_utf8_lossy(bytes));
        }
    };
    let one = &[row(&["1", "x"])];
    check(b"a,b\n1,x\n", options(), &["a", "b"], one);
    check(b"a,b\n1,x", options(), &["a", "b"], one);
    check(b"a,b\r\n1,x\r\n", options(), &["a", "b"], one);
    check(b"a,b\r1,x\r", options(), &["a", "b"], one);
    check(b"\xef\xbb\xbfa,b\n1,x\n", options(), &["a", "b"], one);
    check(
        b"\xff\xfea\0,\0b\0\n\x001\0,\0x\0\n\0",
        options(),
        &["a", "b"],
        one,
    );
    check(
        b"\xfe\xff\0a\0,\0b\0\n\x001\0,\0x\0\n",
        options(),
        &["a", "b"],
        one,
    );
    check(b"sep=;\r\na;b\r\n1;x\r\n", options(), &["a", "b"], one);
    check(b"a;b\n1;x\n", options(), &["a", "b"], one);
    check(b"a\tb\n1\tx\n", options(), &["a", "b"], one);
    check(b"a|b\n1|x\n", options(), &["a", "b"], one);
    check(b"\n\na,b\n\n1,x\n\n\n", options(), &["a", "b"], one);
    check(b"\"a\",\"b\"\n\"1\",\"x\"\n", options(), &["a", "b"], one);
    check(b"a,A\n1,x\n", options(), &["a", "a_2"], one);
    check(b",\n1,x\n", options(), &["column_1", "column_2"], one);
    check(b"1,x\n", options(), &["column_1", "column_2"], one);
    check(b"a,b\n", options(), &["a", "b"], &[]);
    check(
        b"\"a\nb\",\"c\nd\"\n1,\"x\ny\"\n",
        options(),
        &["a_b", "c_d"],
        &[row(&["1", "x\ny"])],
    );
    check(
        b"a,b\n1,\xe9\n",
        FileOptions {
            encoding: Some("latin1".into()),
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "é"])],
    );
    check(
        b"a,b\n1,NA\n",
        FileOptions {
            null_values: vec!["NA".into()],
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "-"])],
    );
    check(
        b"a,b\n1,\"NA\"\n",
        FileOptions {
            null_values: vec!["NA".into()],
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "NA"])],
    );
    check(
        b"a,b\n1\n2,x,\n",
        FileOptions {
            ragged: Ragged::Pad,
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "-"]), row(&["2", "x"])],
    );
    check(
        b"a,b\n1,x\n",
        FileOptions {
            header: Some(false),
            ..options()
        },
        &["column_1", "column_2"],
        &[row(&["a", "b"]), row(&["1", "x"])],
    );
    check(
        b"2020,2021\n1,x\n",
        FileOptions {
            header: Some(true),
            ..options()
        },
        &["_2020", "_2021"],
        one,
    );
    check(
        b"a,b\n'1','it\\'s'\n",
        FileOptions {
            quote: Some("'".into()),
            escape: Some("\\".into()),
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "it's"])],
    );
    check(
        b"a,b\n1,\"x\n",
        FileOptions {
            quote: Some("none".into()),
            ..options()
        },
        &["a", "b"],
        &[row(&["1", "\"x"])],
    );
    check(
        b"a~b\n1~x\n",
        FileOptions {
            delimiter: Some("~".into()),
            ..options()
        },
        &["a", "b"],
        one,
    );
    check(
        b"a,b\n1,5\" pipe\n",
        options(),
        &["a", "b"],
        &[row(&["1", "5\" pipe"])],
    );
    check(
        b"_dango_filename,b\n1,x\n",
        options(),
        &["_dango_filename_2", "b"],
        one,
    );
}

#[test]
fn a_cell_of_10_mb_is_one_value() {
    let cell = "x\n".repeat(5 << 20);
    let folder = Folder::with("a.csv", format!("a,b\n1,\"{cell}\"\n2,y\n"));
    let (_, rows) = folder.load("a.csv", &FileOptions::default()).unwrap();
    assert_eq!(rows[0][1].as_deref(), Some(cell.as_str()));
    assert_eq!(rows[1], row(&["2", "y"]));
}

#[test]
fn packed_files_are_read_as_what_they_hold() {
    let text = "a,b\n1,x\n".to_owned() + &"2,y\n".repeat(5000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    for (name, bytes) in [
        ("a.csv.gz", &gzip),
        ("a.csv.zst", &zstd),
        ("unsuffixed.csv", &gzip),
    ] {
        let folder = Folder::with(name, bytes);
        let (inspection, rows) = folder.load(name, &FileOptions::default()).unwrap();
        assert_eq!(rows.len(), 5001, "{name}");
        assert_eq!(inspection.bytes, bytes.len() as u64);
        assert_eq!(inspection.hash, blake3::hash(bytes).to_hex().as_str());
        let file = FileOptions::default();
        assert_eq!(
            folder.file(name, &file, 100).hash().unwrap(),
            (inspection.hash, inspection.bytes)
        );
    }
}

/// Loads `text` whole and with chunks of every size, and checks that this is the same.
fn chunks_of_every_size_agree(text: &str, options: &FileOptions) {
    let folder = Folder::with("a.csv", text);
    let whole = folder.load("a.csv", options).unwrap();
    for chunk_bytes in 1..=text.len() + 1 {
        let parts = folder.load_in_chunks("a.csv", options, chunk_bytes);
        assert_eq!(
            parts.as_ref().ok(),
            Some(&whole),
            "{text:?} in chunks of {chunk_bytes}: {parts:?}"
        );
    }
}

#[test]
fn a_chunk_that_starts_inside_quotes_does_not_make_a_column_text() {
    let comma = FileOptions {
        delimiter: Some(",".into()),
        ragged: Ragged::Pad,
        ..FileOptions::default()
    };
    for text in [
        "n,t\n1,\"x\ny,1\"\n2,b\n",
        "n,t\n1,\"x\ny,1\"\n2,b\n3,c\n4,\"d\n\"\n",
        "n,t\r\n1,\"x\r\ny\"\r\n2,b\r\n",
        "n,t,m\n1,\"\n2,a,b\nc\",4\n",
        // Found by `where_chunks_end_changes_nothing`: the second column has no value.
        "1,2\n\"1,2\n1,2\n\"\",a\na\n\"",
    ] {
        let options = FileOptions {
            header: Some(true),
            ..comma.clone()
        };
        chunks_of_every_size_agree(text, &options);
    }
}

#[test]
fn blank_lines_before_the_header_may_fill_a_chunk() {
    for text in [
        "\na,b\n1,2\n",
        "\n\r\n\n\r\na,b\n1,2\n",
        "\r\r\ra,b\r1,2\r",
        "\n\n\na;b;c\n1;2,5;3\n",
        "\n\n\n",
        "\n\n1,2\n3,4\n",
        "\n\n1\"1,2\n",
        "\u{feff}\n\na,b\n1,2\n",
        "sep=;\n\n\na;b\n1;2\n",
        "sep=;\r\n\r\n\"a\nb\";b\r\n1;2\r\n",
    ] {
        chunks_of_every_size_agree(text, &FileOptions::default());
    }
}
