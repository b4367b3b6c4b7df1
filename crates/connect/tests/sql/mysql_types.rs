//! Every type's edges, compared with what the server itself prints.

use crate::harness::*;
use serde_json::json;
use std::fmt::Write as _;

struct Case {
    sql: &'static str,
    values: &'static [&'static str],
    kind: &'static str,
}

const CASES: &[Case] = &[
    Case {
        sql: "tinyint",
        values: &["-128", "127"],
        kind: "BIGINT",
    },
    Case {
        sql: "boolean",
        values: &["0", "1", "2"],
        kind: "BIGINT",
    },
    Case {
        sql: "smallint unsigned",
        values: &["65535"],
        kind: "BIGINT",
    },
    Case {
        sql: "mediumint",
        values: &["-8388608"],
        kind: "BIGINT",
    },
    Case {
        sql: "int unsigned",
        values: &["4294967295"],
        kind: "BIGINT",
    },
    Case {
        sql: "int(8) zerofill",
        values: &["42"],
        kind: "BIGINT",
    },
    Case {
        sql: "bigint",
        values: &["-9223372036854775808", "9223372036854775807"],
        kind: "BIGINT",
    },
    Case {
        sql: "bigint unsigned",
        values: &["0", "18446744073709551615"],
        kind: "DECIMAL(20,0)",
    },
    Case {
        sql: "year",
        values: &["1901", "2155", "0"],
        kind: "BIGINT",
    },
    Case {
        sql: "decimal(12,2)",
        values: &["0", "-0.01", "9999999999.99", "10.75"],
        kind: "DECIMAL(12,2)",
    },
    Case {
        sql: "decimal(38,0)",
        values: &["99999999999999999999999999999999999999"],
        kind: "DECIMAL(38,0)",
    },
    Case {
        sql: "decimal(38,30)",
        values: &["12345678.123456789012345678901234567890"],
        kind: "DECIMAL(38,30)",
    },
    Case {
        sql: "decimal(65,30)",
        values: &["1.5"],
        kind: "VARCHAR",
    },
    Case {
        sql: "char(5)",
        values: &["ab", "12345"],
        kind: "VARCHAR",
    },
    Case {
        sql: "varchar(20)",
        values: &["", "Grüße, 世界 🍡", "a'b\"c\\d"],
        kind: "VARCHAR",
    },
    Case {
        sql: "varchar(20) character set latin1",
        values: &["Grüße"],
        kind: "VARCHAR",
    },
    Case {
        sql: "text character set utf8mb3",
        values: &["世界"],
        kind: "VARCHAR",
    },
    Case {
        sql: "longtext",
        values: &["long"],
        kind: "VARCHAR",
    },
    Case {
        sql: "enum('small','it''s')",
        values: &["it's"],
        kind: "VARCHAR",
    },
    Case {
        sql: "set('a','b')",
        values: &["a,b", ""],
        kind: "VARCHAR",
    },
    Case {
        sql: "inet6",
        values: &["::1"],
        kind: "VARCHAR",
    },
    Case {
        sql: "uuid",
        values: &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        kind: "UUID",
    },
    Case {
        sql: "date",
        values: &["1000-01-01", "2024-02-29", "9999-12-31", "0001-01-01"],
        kind: "DATE",
    },
    Case {
        sql: "datetime",
        values: &["1000-01-01 00:00:00", "2024-06-01 12:00:00"],
        kind: "TIMESTAMP",
    },
    Case {
        sql: "datetime(6)",
        values: &["9999-12-31 23:59:59.999999"],
        kind: "TIMESTAMP",
    },
    Case {
        sql: "datetime(3)",
        values: &["2024-06-01 12:00:00.125"],
        kind: "TIMESTAMP",
    },
    Case {
        sql: "timestamp null",
        values: &["1970-01-01 00:00:01", "2038-01-19 03:14:07"],
        kind: "TIMESTAMP WITH TIME ZONE",
    },
    Case {
        sql: "time",
        values: &["00:00:00", "23:59:59"],
        kind: "TIME",
    },
    Case {
        sql: "time(6)",
        values: &["12:34:56.123456"],
        kind: "TIME",
    },
    Case {
        sql: "json",
        values: &["{\"b\": 1, \"a\": [null, 1.50]}", "\"é\""],
        kind: "JSON",
    },
];

#[tokio::test]
async fn values_of_every_type_arrive_as_the_server_prints_them() {
    let database = mysql_database("types");
    // Modes that change quoting, padding and rounding must not change what is read.
    let mut setup = String::from(
        "SET GLOBAL sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY';",
    );
    for (index, case) in CASES.iter().enumerate() {
        let _ = write!(
            setup,
            "CREATE TABLE t{index}(id int, v {}); INSERT INTO t{index} VALUES (0, NULL);",
            case.sql
        );
        for (row, value) in case.values.iter().enumerate() {
            let literal = value.replace('\\', "\\\\").replace('\'', "''");
            let _ = write!(
                setup,
                "INSERT INTO t{index} VALUES ({}, '{literal}');",
                row + 1
            );
        }
    }
    mariadb(database, &setup);
    let mut source = mysql(database, json!({})).await;
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
        assert_eq!(
            table.schema.column("v").expect("the column").kind.to_sql(),
            case.kind,
            "{}",
            case.sql
        );
        let as_text = match case.sql {
            "int(8) zerofill" | "year" => "v + 0",
            "timestamp null" => "CONCAT(v, '+00')",
            _ => "v",
        };
        let printed = mariadb(
            database,
            &format!("SELECT {as_text} FROM {name} ORDER BY id"),
        );
        let expect: Vec<&str> = printed.lines().collect();
        assert_eq!(column(&pages, "v"), expect, "{}", case.sql);
        assert!(warnings(&pages).is_empty(), "{}", case.sql);
    }
}

#[tokio::test]
async fn floats_bits_bytes_and_shapes_lose_nothing() {
    let database = mysql_database("binary_types");
    mariadb(database, "CREATE TABLE b(id int, f float, d double, d2 double(10,2), b1 bit(1), b40 bit(40), b64 bit(64), bin binary(4), vb varbinary(10), bl blob, p point);
        INSERT INTO b VALUES (1, 0.1, 0.1, 1.25, b'1', 1099511627775, 18446744073709551615, 'a', x'00ff', x'0d0a00', ST_GeomFromText('POINT(1.5 -2)')),
        (2, 16777216, 1.7976931348623157e308, -0.5, b'0', 0, 0, '', '', '', NULL), (3, 3.4028234e38, 2.2250738585072014e-308, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
    let mut source = mysql(database, json!({})).await;
    let pages = read_whole(&mut source, "b").await;
    let check = |name: &str, expect: [&str; 3]| assert_eq!(column(&pages, name), expect, "{name}");
    check(
        "f",
        [
            "1.0000000149011612e-1",
            "1.6777216e7",
            "3.4028234663852886e38",
        ],
    );
    check(
        "d",
        ["1e-1", "1.7976931348623157e308", "2.2250738585072014e-308"],
    );
    check("d2", ["1.25e0", "-5e-1", "NULL"]);
    check("b1", ["1", "0", "NULL"]);
    check("b40", ["1099511627775", "0", "NULL"]);
    check("b64", ["18446744073709551615", "0", "NULL"]);
    check("bin", ["\\x61000000", "\\x00000000", "NULL"]);
    check("vb", ["\\x00ff", "\\x", "NULL"]);
    check("bl", ["\\x0d0a00", "\\x", "NULL"]);
    check("p", ["POINT(1.5 -2)", "NULL", "NULL"]);
}

#[tokio::test]
async fn values_that_no_column_holds_go_to_a_variant_column_and_are_reported() {
    let database = mysql_database("variants");
    mariadb(database, "SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE v(id int, d date, t datetime(3), s timestamp NULL, i time, j json);
        INSERT INTO v VALUES (1, '2024-01-31', '2024-01-31 10:00:00', '2024-01-31 10:00:00', '10:00:00', '{}'),
        (2, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '838:59:59', NULL), (3, '2024-00-10', '2024-02-31 00:00:00', NULL, '-00:00:01', NULL);
        SET check_constraint_checks = 0; UPDATE v SET j = 'no json' WHERE id = 3");
    let mut source = mysql(database, json!({})).await;
    let pages = read_whole(&mut source, "v").await;
    let check = |name: &str, expect: [&str; 3]| assert_eq!(column(&pages, name), expect, "{name}");
    check("d", ["2024-01-31", "NULL", "NULL"]);
    check("d__v_text", ["NULL", "0000-00-00", "2024-00-10"]);
    check(
        "t__v_text",
        ["NULL", "0000-00-00 00:00:00.000", "2024-02-31 00:00:00.000"],
    );
    check("s__v_text", ["NULL", "0000-00-00 00:00:00", "NULL"]);
    check("i__v_text", ["NULL", "838:59:59", "-00:00:01"]);
    check("j", ["{}", "NULL", "NULL"]);
    check("j__v_text", ["NULL", "NULL", "no json"]);
    assert_eq!(warnings(&pages).len(), 5, "{:?}", warnings(&pages));
}
