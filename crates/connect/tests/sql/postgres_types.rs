//! Every type's edges, compared with what the server itself prints.

use crate::harness::*;
use serde_json::json;
use std::fmt::Write as _;

/// What a column should become, and what it should hold.
struct Case {
    sql: &'static str,
    values: &'static [&'static str],
    kind: &'static str,
}

const CASES: &[Case] = &[
    Case {
        sql: "boolean",
        values: &["true", "false"],
        kind: "BOOLEAN",
    },
    Case {
        sql: "smallint",
        values: &["-32768", "32767", "0"],
        kind: "BIGINT",
    },
    Case {
        sql: "integer",
        values: &["-2147483648", "2147483647"],
        kind: "BIGINT",
    },
    Case {
        sql: "bigint",
        values: &["-9223372036854775808", "9223372036854775807"],
        kind: "BIGINT",
    },
    Case {
        sql: "oid",
        values: &["0", "4294967295"],
        kind: "BIGINT",
    },
    Case {
        sql: "numeric(12,2)",
        values: &["0", "-0.01", "9999999999.99", "10.75", "1000000"],
        kind: "DECIMAL(12,2)",
    },
    Case {
        sql: "numeric(38,0)",
        values: &["99999999999999999999999999999999999999", "-1"],
        kind: "DECIMAL(38,0)",
    },
    Case {
        sql: "numeric(38,38)",
        values: &["0.99999999999999999999999999999999999999"],
        kind: "DECIMAL(38,38)",
    },
    Case {
        sql: "numeric(3,-2)",
        values: &["99900", "-100", "0"],
        kind: "DECIMAL(5,0)",
    },
    Case {
        sql: "numeric(2,5)",
        values: &["0.00099", "-0.00001"],
        kind: "DECIMAL(5,5)",
    },
    Case {
        sql: "numeric",
        values: &["1.5", "-2.25", "100"],
        kind: "DECIMAL(21,2)",
    },
    Case {
        sql: "numeric(60,20)",
        values: &["1.5", "123456789012345678.12345678901234567890"],
        kind: "DECIMAL(38,20)",
    },
    Case {
        sql: "numeric",
        values: &["1e40", "1.5"],
        kind: "VARCHAR",
    },
    Case {
        sql: "numeric",
        values: &["0.000000000000000000000000000000000000001"],
        kind: "VARCHAR",
    },
    Case {
        sql: "numeric",
        values: &[],
        kind: "DECIMAL(19,0)",
    },
    Case {
        sql: "money",
        values: &["1234.50", "-0.01"],
        kind: "DECIMAL(21,2)",
    },
    Case {
        sql: "text",
        values: &["", "Grüße, 世界 🍡", "a|b'c\"d\\e", "x\ty"],
        kind: "VARCHAR",
    },
    Case {
        sql: "varchar(10)",
        values: &["short", "1234567890"],
        kind: "VARCHAR",
    },
    Case {
        sql: "char(5)",
        values: &["ab", "12345"],
        kind: "VARCHAR",
    },
    Case {
        sql: "name",
        values: &["pg_class"],
        kind: "VARCHAR",
    },
    Case {
        sql: "\"char\"",
        values: &["x"],
        kind: "VARCHAR",
    },
    Case {
        sql: "mood",
        values: &["so so", "happy"],
        kind: "VARCHAR",
    },
    Case {
        sql: "xml",
        values: &["<a b=\"c\">d</a>"],
        kind: "VARCHAR",
    },
    Case {
        sql: "inet",
        values: &["192.168.0.1/24", "::1"],
        kind: "VARCHAR",
    },
    Case {
        sql: "macaddr",
        values: &["08:00:2b:01:02:03"],
        kind: "VARCHAR",
    },
    Case {
        sql: "interval",
        values: &["1 year 2 mons 3 days 04:05:06.789", "-00:00:01"],
        kind: "VARCHAR",
    },
    Case {
        sql: "int4range",
        values: &["[1,5)", "empty"],
        kind: "VARCHAR",
    },
    Case {
        sql: "bit(4)",
        values: &["1010"],
        kind: "VARCHAR",
    },
    Case {
        sql: "varbit",
        values: &["101"],
        kind: "VARCHAR",
    },
    Case {
        sql: "point",
        values: &["(1.5,-2)"],
        kind: "VARCHAR",
    },
    Case {
        sql: "tsvector",
        values: &["'a':1 'b':2"],
        kind: "VARCHAR",
    },
    Case {
        sql: "timetz",
        values: &["12:34:56.789+02"],
        kind: "VARCHAR",
    },
    Case {
        sql: "bytea",
        values: &["\\x", "\\x00ff10"],
        kind: "BLOB",
    },
    Case {
        sql: "date",
        values: &[
            "2024-02-29",
            "0001-01-01",
            "9999-12-31",
            "infinity",
            "-infinity",
        ],
        kind: "DATE",
    },
    Case {
        sql: "time",
        values: &["00:00:00", "23:59:59.999999", "24:00:00"],
        kind: "TIME",
    },
    Case {
        sql: "timestamp",
        values: &[
            "1970-01-01 00:00:00",
            "1999-12-31 23:59:59.999999",
            "0001-01-01 00:00:00",
            "infinity",
            "-infinity",
        ],
        kind: "TIMESTAMP",
    },
    Case {
        sql: "timestamptz",
        values: &["2024-06-01 12:00:00+02", "infinity", "-infinity"],
        kind: "TIMESTAMP WITH TIME ZONE",
    },
    Case {
        sql: "timestamptz(0)",
        values: &["2024-06-01 12:00:00.6+00"],
        kind: "TIMESTAMP WITH TIME ZONE",
    },
    Case {
        sql: "uuid",
        values: &[
            "00000000-0000-0000-0000-000000000000",
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        ],
        kind: "UUID",
    },
    Case {
        sql: "json",
        values: &["{\"b\": 1, \"a\":  [null]}", "\"\\u00e9\"", "1.50"],
        kind: "JSON",
    },
    Case {
        sql: "jsonb",
        values: &["{\"b\":1,\"a\":[1.50,null]}", "\"x\""],
        kind: "JSON",
    },
    Case {
        sql: "positive",
        values: &["5", "1.25"],
        kind: "DECIMAL(10,2)",
    },
    Case {
        sql: "nested_domain",
        values: &["7"],
        kind: "DECIMAL(10,2)",
    },
];

#[tokio::test]
async fn values_of_every_type_arrive_as_the_server_prints_them() {
    let database = postgres_database("types");
    let mut setup = String::from(
        "CREATE TYPE mood AS ENUM ('happy', 'so so');
        CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0); CREATE DOMAIN nested_domain AS positive;",
    );
    for (index, case) in CASES.iter().enumerate() {
        let _ = write!(
            setup,
            "CREATE TABLE t{index}(id int, v {}); INSERT INTO t{index} VALUES (0, NULL);",
            case.sql
        );
        for (row, value) in case.values.iter().enumerate() {
            let literal = value.replace('\'', "''");
            let _ = write!(
                setup,
                "INSERT INTO t{index} VALUES ({}, '{literal}');",
                row + 1
            );
        }
    }
    psql(database, &setup);
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    assert_eq!(streams.len(), CASES.len());
    for (index, case) in CASES.iter().enumerate() {
        let name = format!("t{index}");
        let stream = streams
            .iter()
            .find(|stream| stream.name == name)
            .expect("a stream");
        let known = stream.schema.clone().expect("known before it is read");
        let (pages, result) = read(&mut source, stream, connect::Start::default()).await;
        result.expect(case.sql);
        let table = &pages[0].batches[0].table;
        assert_eq!(table.schema, *known, "{}", case.sql);
        let kind = table.schema.column("v").expect("the column").kind;
        assert_eq!(kind.to_sql(), case.kind, "{} {:?}", case.sql, case.values);
        let as_text = match (case.sql, case.kind) {
            ("money", _) => "v::numeric",
            // A cast takes the padding off; the value has it.
            ("char(5)", _) => "rpad(v::text, 5)",
            (_, "DECIMAL(21,2)") => "v::numeric(21,2)",
            (_, "DECIMAL(38,20)") => "v::numeric(38,20)",
            _ => "v",
        };
        let printed = psql(
            database,
            &format!("SELECT {as_text} FROM {name} ORDER BY id"),
        );
        let expect: Vec<&str> = printed.lines().collect();
        assert_eq!(column(&pages, "v"), expect, "{}", case.sql);
        assert!(
            pages.iter().all(|page| page.warnings.is_empty()),
            "{}",
            case.sql
        );
    }
}

#[tokio::test]
async fn floats_keep_every_bit() {
    let database = postgres_database("floats");
    psql(database, "CREATE TABLE f(id int, d double precision, r real);
        INSERT INTO f VALUES (1, 0.1, 0.1), (2, 'NaN', 'NaN'), (3, 'Infinity', '-Infinity'), (4, 1.7976931348623157e308, 3.4028235e38),
        (5, 5e-324, 1e-45), (6, '-0', '-0')");
    let mut source = postgres(database, json!({})).await;
    let pages = read_whole(&mut source, "f").await;
    let expect = [
        "1e-1",
        "NaN",
        "Infinity",
        "1.7976931348623157e308",
        "5e-324",
        "-0e0",
    ];
    assert_eq!(column(&pages, "d"), expect);
    let expect = [
        "1.0000000149011612e-1",
        "NaN",
        "-Infinity",
        "3.4028234663852886e38",
        "1.401298464324817e-45",
        "-0e0",
    ];
    assert_eq!(column(&pages, "r"), expect);
}

#[tokio::test]
async fn values_that_no_column_holds_go_to_a_variant_column_and_are_reported() {
    let database = postgres_database("variants");
    psql(
        database,
        r#"CREATE TABLE v(id int, n numeric(10,2), o numeric, t timestamp, z timestamptz, j json);
        INSERT INTO v VALUES (1, 1.5, 2.5, '2024-01-01', '2024-01-01', '"\ud800"'), (2, 'NaN', '-Infinity', '294276-12-31 23:59:59', '294276-12-31', '"\ud83c\udf61"'),
        (3, NULL, 'NaN', '4713-01-01 BC', NULL, NULL)"#,
    );
    let mut source = postgres(database, json!({})).await;
    let pages = read_whole(&mut source, "v").await;
    assert_eq!(column(&pages, "n"), ["1.50", "NULL", "NULL"]);
    assert_eq!(column(&pages, "n__v_text"), ["NULL", "NaN", "NULL"]);
    assert_eq!(column(&pages, "o"), ["2.5", "NULL", "NULL"]);
    assert_eq!(column(&pages, "o__v_text"), ["NULL", "-Infinity", "NaN"]);
    assert_eq!(
        column(&pages, "t__v_text"),
        ["NULL", "294276-12-31 23:59:59", "NULL"]
    );
    assert_eq!(column(&pages, "t")[2], "-4712-01-01 00:00:00");
    assert_eq!(
        column(&pages, "z__v_text"),
        ["NULL", "294276-12-31 00:00:00+00", "NULL"]
    );
    assert_eq!(column(&pages, "j__v_text"), [r#""\ud800""#, "NULL", "NULL"]);
    assert_eq!(column(&pages, "j"), ["NULL", r#""\ud83c\udf61""#, "NULL"]);
    let warnings: Vec<_> = pages
        .iter()
        .flat_map(|page| page.warnings.clone())
        .collect();
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    assert_eq!(
        warnings[0],
        "`v`: 1 values of `n` do not fit DECIMAL(10,2) and are in `n__v_text` as text"
    );
}

#[tokio::test]
async fn arrays_and_rows_become_json() {
    let database = postgres_database("nested");
    psql(
        database,
        r#"CREATE TYPE address AS (street text, "No" int);
        CREATE TABLE n(id int, a int[], b text[][], c address, d address[], e numeric[], f timestamptz[], g bytea[], h json[]);
        INSERT INTO n VALUES (1, '{1,NULL,3}', '{{a,"b c"},{"d\"e",NULL}}', ROW('Main', 5), ARRAY[ROW('x', NULL)::address], '{1.50,NaN}',
        '{2024-01-01 00:00:00+00,infinity}', ARRAY['\x00ff'::bytea], ARRAY['{"b":1,"a":2}'::json]), (2, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL)"#,
    );
    let mut source = postgres(database, json!({})).await;
    let pages = read_whole(&mut source, "n").await;
    let check = |name: &str, expect: &str| assert_eq!(column(&pages, name)[0], expect, "{name}");
    check("a", "[1,null,3]");
    check("b", r#"[["a","b c"],["d\"e",null]]"#);
    check("c", r#"{"street":"Main","No":5}"#);
    check("d", r#"[{"street":"x","No":null}]"#);
    check("e", r#"[1.50,"NaN"]"#);
    check("f", r#"["2024-01-01T00:00:00+00:00","infinity"]"#);
    check("g", r#"["\\x00ff"]"#);
    check("h", r#"[{"b":1,"a":2}]"#);
    assert_eq!(column(&pages, "a")[1], "[]");
    assert!(
        pages[0].batches[0].table.schema.columns[1..]
            .iter()
            .all(|column| column.kind.to_sql() == "JSON")
    );
}

#[tokio::test]
async fn a_decimal_that_was_decided_stays_while_it_holds_the_values() {
    let database = postgres_database("open_types");
    psql(
        database,
        "CREATE TABLE o(v numeric); INSERT INTO o VALUES (1.25)",
    );
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let kind = async |source: &mut _, known: &str| {
        let mut schema = streams[0].schema.as_deref().cloned().expect("decided");
        schema.columns[0].kind = domain::ColumnType::from_sql(known).expect("a type");
        let start = connect::Start {
            known: vec![schema],
            ..Default::default()
        };
        let (pages, result) = read(source, &streams[0], start).await;
        result.expect("reads");
        (
            pages[0].batches[0].table.schema.columns[0].kind.to_sql(),
            column(&pages, "v")[0].clone(),
        )
    };
    assert_eq!(
        kind(&mut source, "DECIMAL(30,4)").await,
        ("DECIMAL(30,4)".into(), "1.2500".into())
    );
    assert_eq!(
        kind(&mut source, "DECIMAL(20,0)").await,
        ("DECIMAL(22,2)".into(), "1.25".into())
    );
    assert_eq!(
        kind(&mut source, "VARCHAR").await,
        ("VARCHAR".into(), "1.25".into())
    );
}
