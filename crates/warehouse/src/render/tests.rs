//! Results of the engine itself, rendered: every type it returns.

use super::*;
use crate::duck::Database;

fn rendered(sql: &str, format: Format) -> String {
    let database = Database::open(None, &[]).expect("an empty database opens");
    let connection = database.connect().expect("it can be connected to");
    connection
        .execute("SET TimeZone = 'UTC'")
        .expect("the zone exists");
    let mut rows = connection.rows(sql, &[]).expect(sql);
    let mut renderer = Renderer::new(Vec::new(), format, rows.columns()).expect("a Vec takes all");
    while let Some(batch) = rows.next_batch().expect(sql) {
        renderer.write(&batch).expect("a Vec takes all");
    }
    String::from_utf8(renderer.finish().expect("a Vec takes all")).expect("text")
}

#[test]
fn scalars_are_written_exactly() {
    let check = |sql: &str, csv: &str, json: &str| {
        let sql = format!("SELECT {sql} AS v");
        assert_eq!(rendered(&sql, Format::Csv), format!("v\n{csv}\n"), "{sql}");
        assert_eq!(
            rendered(&sql, Format::JsonLines),
            format!("{{\"v\":{json}}}\n"),
            "{sql}"
        );
    };
    check("NULL", "", "null");
    check("true", "true", "true");
    check("(-128)::TINYINT", "-128", "-128");
    check(
        "18446744073709551615::UBIGINT",
        "18446744073709551615",
        "18446744073709551615",
    );
    check(
        "170141183460469231731687303715884105727::HUGEINT",
        "170141183460469231731687303715884105727",
        "170141183460469231731687303715884105727",
    );
    check("10.75::DECIMAL(12,2)", "10.75", "10.75");
    check("(-0.05)::DECIMAL(3,2)", "-0.05", "-0.05");
    check(
        "99999999999999999999999999999999999999::DECIMAL(38,0)",
        "99999999999999999999999999999999999999",
        "99999999999999999999999999999999999999",
    );
    check("0.1::FLOAT", "0.1", "0.1");
    check("1e300::DOUBLE", "1e300", "1e+300");
    check("3::DOUBLE", "3.0", "3.0");
    check("'nan'::DOUBLE", "NaN", "\"NaN\"");
    check("'-inf'::DOUBLE", "-Infinity", "\"-Infinity\"");
    check("DATE '2026-11-22'", "2026-11-22", "\"2026-11-22\"");
    check("'infinity'::DATE", "infinity", "\"infinity\"");
    check("TIME '07:03:00.5'", "07:03:00.5", "\"07:03:00.5\"");
    check(
        "TIMESTAMP '2026-11-22 07:03:00.123456'",
        "2026-11-22T07:03:00.123456",
        "\"2026-11-22T07:03:00.123456\"",
    );
    check(
        "TIMESTAMPTZ '2026-11-22 07:03:00+02'",
        "2026-11-22T05:03:00Z",
        "\"2026-11-22T05:03:00Z\"",
    );
    check("'-infinity'::TIMESTAMPTZ", "-infinity", "\"-infinity\"");
    check(
        "TIMESTAMP_NS '2026-11-22 07:03:00.123456789'",
        "2026-11-22T07:03:00.123456789",
        "\"2026-11-22T07:03:00.123456789\"",
    );
    check("INTERVAL '14 months 3 days'", "P1Y2M3D", "\"P1Y2M3D\"");
    check("'\\x00\\xFFa'::BLOB", "00ff61", "\"00ff61\"");
    check(
        "'6b1d7b8e-0c3a-4c57-9d39-1f5a3e3b7c11'::UUID",
        "6b1d7b8e-0c3a-4c57-9d39-1f5a3e3b7c11",
        "\"6b1d7b8e-0c3a-4c57-9d39-1f5a3e3b7c11\"",
    );
    check("'b'::ENUM('a', 'b')", "b", "\"b\"");
}

#[test]
fn nested_values_are_json() {
    let check = |sql: &str, json: &str| {
        let sql = format!("SELECT {sql} AS v");
        assert_eq!(
            rendered(&sql, Format::JsonLines),
            format!("{{\"v\":{json}}}\n"),
            "{sql}"
        );
        let quoted = format!("\"{}\"", json.replace('"', "\"\""));
        let csv = if json.contains(['"', ',']) {
            quoted
        } else {
            json.to_owned()
        };
        assert_eq!(rendered(&sql, Format::Csv), format!("v\n{csv}\n"), "{sql}");
    };
    check("[1, NULL, 3]", "[1,null,3]");
    check("[]::INTEGER[]", "[]");
    check("[[1.50, 2.25]]", "[[1.50,2.25]]");
    check(
        "{'a': 1, 'b': [TRUE], 'c': NULL}",
        "{\"a\":1,\"b\":[true],\"c\":null}",
    );
    check("MAP {'x': 1, 'y': NULL}", "{\"x\":1,\"y\":null}");
    check("MAP {1: 'x'}", "[{\"key\":1,\"value\":\"x\"}]");
    check("row(1, 2)", "[1,2]");
    check("[row('a', row(NULL))]", "[[\"a\",[null]]]");
    check("array_value(1, 2)", "[1,2]");
    check("union_value(n := 5)", "5");
    check(
        "[{'d': DATE '2026-01-02', 'e': 'b'::ENUM('a', 'b')}]",
        "[{\"d\":\"2026-01-02\",\"e\":\"b\"}]",
    );
}

#[test]
fn csv_quotes_what_it_must() {
    let sql = "SELECT 'a,b' AS \"x,y\", 'say \"hi\"' AS q, '' AS empty, NULL AS none, E'two\\nlines' AS l, ' s' AS s";
    let expect =
        "\"x,y\",q,empty,none,l,s\n\"a,b\",\"say \"\"hi\"\"\",\"\",,\"two\nlines\",\" s\"\n";
    assert_eq!(rendered(sql, Format::Csv), expect);
}

#[test]
fn json_keeps_every_column_and_embeds_json() {
    let sql = "SELECT 1 AS a, 2 AS a, '{\"k\": [1.10]}'::JSON AS j UNION ALL SELECT 3, 4, NULL ORDER BY 1";
    let expect =
        "[\n{\"a\":1,\"a_1\":2,\"j\":{\"k\":[1.10]}},\n{\"a\":3,\"a_1\":4,\"j\":null}\n]\n";
    assert_eq!(rendered(sql, Format::Json), expect);
    assert_eq!(rendered("SELECT 1 AS a WHERE FALSE", Format::Json), "[]\n");
}

#[test]
fn every_type_of_the_engine_is_rendered() {
    let sql = "SELECT * EXCLUDE (bignum, uhugeint, bit, time_tz) FROM test_all_types()";
    for format in [Format::Csv, Format::Json, Format::JsonLines] {
        assert!(rendered(sql, format).lines().count() >= 3, "{format:?}");
    }
}
