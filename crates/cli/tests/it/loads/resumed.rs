//! Loads that were cut off, and the sync after them: the same request goes on, any other starts for itself, and in the end
//! the warehouse holds what the source has.

use super::lists::Lists;
use super::{Schema, rows, sync};
use crate::project::Project;
use serde_json::{Value, json};

/// Requests of a table of two: what was cut off, and what came then. The moments lie within the changes of the source.
const REQUESTS: [&[&str]; 4] = [
    &[],
    &["--since", "2026-03-01T12:00:00Z"],
    &["--until", "2026-03-03T00:00:00Z"],
    &["--full-refresh"],
];

/// Returns `2026-03-01` and `day` days in seconds since 1970.
const fn moment(day: i64) -> i64 {
    1_772_323_200 + day * 86_400
}

/// Plays a first request that is cut off, a second one, and an ordinary sync; checks what is said of the second.
fn play(project: &Project, first: &[&str], second: &[&str], heal: impl FnOnce()) {
    let words = [&["sync"], first].concat();
    let cut = project.run(&words);
    assert!(cut.stderr.contains("code: source_"), "{first:?}: {cut:#?}");
    heal();
    let outcome = sync(project, second);
    assert_eq!(
        outcome["resumed"],
        first == second,
        "{first:?}, {second:?}: {outcome}"
    );
    let is_told = outcome["tables"].to_string().contains("cut off");
    assert_eq!(is_told, first != second, "{first:?}, {second:?}: {outcome}");
    sync(project, &[]);
}

#[test]
fn a_cut_load_of_a_database_goes_on_only_with_the_same_request() {
    let schema = Schema::new(
        "cut_load",
        "CREATE TABLE switch (fails boolean); INSERT INTO switch VALUES (false); \
         CREATE FUNCTION fail() RETURNS int LANGUAGE plpgsql AS $$ BEGIN \
            IF (SELECT fails FROM cut_load.switch) THEN RAISE 'cut'; END IF; RETURN 1; END $$; \
         CREATE VIEW broken AS SELECT cut_load.fail() AS id; CREATE TABLE orders (id int PRIMARY KEY, v int, at timestamp); \
         CREATE TABLE wholes (id int PRIMARY KEY, v int, at timestamp);",
    );
    let orders = "name: orders, cursor: at, primary_key: [id], disposition: merge";
    let wholes = "name: wholes, cursor: at, primary_key: [id], disposition: replace";
    let of = |schema: &str, kept: &str| {
        let sum = |rows: &str| {
            format!("(SELECT count(*) || ' ' || sum(id) || ' ' || sum(v * id) FROM {rows} AS t)")
        };
        let kept = format!("(SELECT id, v FROM {schema}.orders{kept})");
        format!(
            "SELECT {} || ', ' || {} AS sums",
            sum(&kept),
            sum(&format!("{schema}.wholes"))
        )
    };
    schema.sql(
        "INSERT INTO orders SELECT i, 0, '2026-01-01'::timestamp + i * interval '1 minute' FROM generate_series(1, 40) i; \
         INSERT INTO wholes SELECT * FROM orders;",
    );
    let base = schema.project(&[orders, wholes, "name: broken, primary_key: [id]"], "");
    sync(&base, &[]);
    for first in REQUESTS {
        for second in REQUESTS {
            let project = base.copied();
            // Old rows change and new ones come, before, between and after the moments; one goes.
            schema.sql(
                "TRUNCATE orders, wholes; INSERT INTO orders SELECT i, 0, '2026-01-01'::timestamp + i * interval '1 minute' \
                 FROM generate_series(1, 39) i; UPDATE orders SET v = 1, at = '2026-03-01'::timestamp + id * interval '1 hour' \
                 WHERE id BETWEEN 5 AND 30; INSERT INTO orders SELECT i, 2, '2026-03-01'::timestamp + (i % 60) * interval '1 hour' \
                 FROM generate_series(41, 90) i; INSERT INTO wholes SELECT * FROM orders; UPDATE switch SET fails = true;",
            );
            play(&project, first, second, || {
                schema.sql(
                    "UPDATE orders SET v = 3, at = '2026-03-20' WHERE id IN (2, 41); UPDATE wholes SET v = 3, at = '2026-03-20' WHERE id = 3; \
                     UPDATE switch SET fails = false;",
                );
            });
            let is_refreshed = second.contains(&"--full-refresh");
            let kept = if is_refreshed {
                ""
            } else {
                " UNION ALL SELECT 40, 0"
            };
            let found = rows(&project, &of("raw_p", ""));
            let expect = schema.sql(&of("cut_load", kept));
            assert_eq!(found[0]["sums"], expect.trim(), "{first:?}, {second:?}");
        }
    }
}

fn record(id: i64, value: i64, at: i64) -> Value {
    json!({"id": id, "v": value, "at": at})
}

#[test]
fn a_load_of_an_api_that_was_cut_in_the_middle_goes_on_only_with_the_same_request() {
    const COUNT: i64 = 30_000;
    let api = Lists::start(8_000);
    let endpoint = "path: orders, primary_key: id, incremental: {cursor: at, param: since, end_param: until, format: unix}";
    let old: Vec<_> = (1..=40).map(|id| record(id, 0, moment(-30))).collect();
    api.set("orders", old);
    let base = api.project(&[endpoint]);
    sync(&base, &[]);
    for (first, second) in [(0, 0), (0, 1), (1, 0), (2, 0), (3, 0), (3, 3)] {
        let (first, second) = (REQUESTS[first], REQUESTS[second]);
        let project = base.copied();
        // Of six changes one lies before `--since` and one after `--until`.
        let changed = |id: i64| {
            let at = match id % 6 {
                0 => moment(0),
                1 => moment(3),
                _ => moment(1),
            };
            record(id, 1, at)
        };
        let mut records: Vec<_> = (1..=COUNT).filter(|id| *id != 40).map(changed).collect();
        api.set("orders", records.clone());
        // The first chunk is committed with the third page.
        api.cut(Some(("orders", 24_000)));
        play(&project, first, second, || {
            records[6] = record(7, 2, moment(3));
            api.set("orders", records.clone());
            api.cut(None);
        });
        let found = rows(
            &project,
            "SELECT count(*)::INT AS n, sum(v)::INT AS v FROM raw_pay.orders",
        );
        let kept = i64::from(!second.contains(&"--full-refresh"));
        assert_eq!(
            found,
            json!([{"n": COUNT - 1 + kept, "v": COUNT}]),
            "{first:?}, {second:?}"
        );
    }
}

#[test]
fn a_stream_that_was_read_to_its_end_is_not_read_again() {
    let api = Lists::start(10);
    let incremental = "primary_key: id, incremental: {cursor: at, format: unix}";
    let (first, second) = (
        format!("path: first, {incremental}"),
        format!("path: second, {incremental}"),
    );
    let project = api.project(&[&first, &second]);
    let record = |id: i64| json!({"id": id, "at": moment(0), "lines": [{"n": 1}, {"n": 2}]});
    api.set("first", (1..=25).map(record).collect());
    api.cut(Some(("second", 0)));
    project.run(&["sync"]).failed(75, "sync_failed");
    api.cut(None);
    api.set("first", Vec::new());
    let outcome = sync(&project, &[]);
    assert_eq!(outcome["resumed"], true, "{outcome}");
    let sql = "SELECT (SELECT count(*) FROM raw_pay.first)::INT AS rows, (SELECT count(*) FROM raw_pay.first__lines)::INT AS lines";
    assert_eq!(rows(&project, sql), json!([{"rows": 25, "lines": 50}]));
}

/// Two streams are under way; one is described anew, and then as before.
#[test]
fn a_place_whose_rows_are_gone_is_forgotten() {
    let api = Lists::start(8_000);
    let incremental = "primary_key: id, incremental: {cursor: at, format: unix}";
    let (kept, cut) = (
        format!("path: kept, {incremental}"),
        format!("path: cut, {incremental}"),
    );
    let project = api.project(&[&kept, &cut]);
    let all: Vec<_> = (1..=26_000).map(|id| record(id, 1, moment(0))).collect();
    api.set("kept", all.clone());
    api.set("cut", all);
    for (description, from) in [
        (&cut, 24_000),
        (
            &format!("{cut}, disposition: merge, primary_key: [id, v]")
                .replace("primary_key: id, ", ""),
            0,
        ),
    ] {
        api.describe(&project, &[&kept, description], "");
        api.cut(Some(("cut", from)));
        project.run(&["sync"]).failed(75, "sync_failed");
    }
    api.cut(None);
    api.describe(&project, &[&kept, &cut], "");
    assert_eq!(sync(&project, &[])["resumed"], true);
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_pay.cut"),
        json!([{"n": 26_000}])
    );
}

#[test]
fn what_the_last_transaction_refused_is_read_again() {
    let api = Lists::start(10);
    let project =
        api.project(&["path: orders, primary_key: id, disposition: replace, resumable: true"]);
    let all: Vec<_> = (1..=5).map(|id| record(id, 1, 0)).collect();
    api.set("orders", all.clone());
    sync(&project, &[]);
    api.set("orders", Vec::new());
    let refused = project.run(&["sync"]);
    assert!(
        refused.stderr.contains("code: replace_empty"),
        "{refused:#?}"
    );
    api.set("orders", all);
    sync(&project, &[]);
}

#[test]
fn only_a_key_lets_a_stream_go_on() {
    let api = Lists::start(10);
    for endpoint in [
        "path: orders, primary_key: [], resumable: true",
        "path: orders, primary_key: id, disposition: append, resumable: true",
    ] {
        let project = api.project(&[endpoint]);
        let refused = project.run(&["sync"]);
        assert!(
            refused.stderr.contains("code: config_invalid"),
            "{refused:#?}"
        );
        assert!(refused.stderr.contains("resumable"), "{refused:#?}");
    }
}
