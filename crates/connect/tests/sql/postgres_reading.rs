//! What is read, in which snapshot, from where and to where.

use crate::harness::*;
use connect::{Page, Start, Stream};
use domain::{Disposition, Timestamp};
use serde_json::json;

#[tokio::test]
async fn all_tables_are_read_as_they_were_when_the_snapshot_began() {
    let database = postgres_database("snapshot");
    psql(database, "CREATE TABLE a(id int PRIMARY KEY, v int); CREATE TABLE b(id int PRIMARY KEY, v int);
        INSERT INTO a SELECT i, 100 FROM generate_series(1, 20000) i; INSERT INTO b SELECT * FROM a");
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams().await.expect("streams");
    let mut total = 0_i64;
    for stream in &streams {
        // Between any two tables somebody moves money from one to the other.
        psql(database, "UPDATE a SET v = v - 1; UPDATE b SET v = v + 1; DELETE FROM a WHERE id <= 100;
            INSERT INTO b SELECT i, 1 FROM generate_series((SELECT max(id) FROM b) + 1, (SELECT max(id) FROM b) + 10) i");
        let (pages, result) = read(&mut source, stream, Start::default()).await;
        result.expect("reads");
        let values = column(&pages, "v");
        assert_eq!(values.len(), 20_000, "{}", stream.name);
        total += values
            .iter()
            .map(|v| v.parse::<i64>().expect("a number"))
            .sum::<i64>();
    }
    assert_eq!(total, 2 * 20_000 * 100);
    source.close().await.expect("closes");
}

#[tokio::test]
async fn keys_cursors_and_dispositions_follow_from_table_and_settings() {
    let database = postgres_database("plans");
    psql(database, "CREATE TABLE whole(id int PRIMARY KEY, updated_at timestamp);
        CREATE TABLE merged(id int, part text, updated_at timestamptz, PRIMARY KEY (part, id));
        CREATE TABLE by_index(id uuid NOT NULL, other int, updated_at date); CREATE UNIQUE INDEX ON by_index(id);
        CREATE TABLE nullable(id int UNIQUE, updated_at timestamp);
        CREATE TABLE partial(id int NOT NULL, updated_at timestamp); CREATE UNIQUE INDEX ON partial(id) WHERE id > 5;
        CREATE TABLE float_key(id double precision PRIMARY KEY, updated_at timestamp);
        CREATE TABLE replaced(id int PRIMARY KEY, updated_at timestamp);
        INSERT INTO whole SELECT i, now() FROM generate_series(1, 500) i; ANALYZE whole");
    let cursor = |name: &str| json!({"name": name, "cursor": "updated_at"});
    let block = json!({"tables": ["whole", cursor("merged"), cursor("by_index"), cursor("nullable"), cursor("partial"), cursor("float_key"),
        {"name": "replaced", "cursor": "updated_at", "disposition": "replace"}]});
    let mut source = postgres(database, block).await;
    let streams = source.streams().await.expect("streams");
    let check = |name: &str, disposition, key: &[&str], resumable| {
        let stream = streams
            .iter()
            .find(|stream| stream.name == name)
            .expect(name);
        assert_eq!(
            (stream.disposition, stream.resumable),
            (disposition, resumable),
            "{name}"
        );
        assert_eq!(stream.primary_key, key, "{name}");
        assert_eq!(
            stream.schema.as_ref().expect("known").primary_key,
            key,
            "{name}"
        );
    };
    check("whole", Disposition::Replace, &["id"], false);
    check("merged", Disposition::Merge, &["part", "id"], true);
    check("by_index", Disposition::Merge, &["id"], true);
    check("nullable", Disposition::Append, &[], false);
    check("partial", Disposition::Append, &[], false);
    check("float_key", Disposition::Merge, &["id"], false);
    check("replaced", Disposition::Replace, &["id"], true);
    assert_eq!(streams[0].rows_estimated, Some(500));
    assert_eq!(streams[0].origin, "public.whole");
    let said = source.test().await.expect("answers");
    assert!(
        said.starts_with("PostgreSQL 1") && said.ends_with("database plans: 7 tables to read"),
        "{said}"
    );
}

#[tokio::test]
async fn configuration_that_does_not_hold_is_refused() {
    let database = postgres_database("invalid");
    psql(
        database,
        "CREATE TABLE t(id int, f float, updated_at timestamp)",
    );
    let check = async |table: serde_json::Value, expect: &str| {
        let mut source = postgres(database, json!({"tables": [table]})).await;
        let failure = source.streams().await.expect_err(expect);
        assert_eq!(failure.kind, connect::FailureKind::ConfigInvalid);
        assert!(failure.say.as_str().contains(expect), "{failure}");
    };
    check(
        json!({"name": "t", "cursor": "updated"}),
        "has no column `updated`",
    )
    .await;
    check(
        json!({"name": "t", "cursor": "f"}),
        "column `f` cannot be a cursor",
    )
    .await;
    check(
        json!({"name": "t", "primary_key": "no"}),
        "has no column `no`",
    )
    .await;
    check(
        json!({"name": "t", "disposition": "append"}),
        "without a cursor",
    )
    .await;
    check(
        json!({"name": "t", "disposition": "merge"}),
        "nothing identifies its rows",
    )
    .await;
    check(json!({"name": "t", "lookback": "1d"}), "no `cursor`").await;
    check(
        json!({"name": "t", "cursor": "updated_at", "lookback": "1d"}),
        "is not merged",
    )
    .await;
    check(
        json!({"name": "t", "cursor": "id", "primary_key": "id", "lookback": "1d"}),
        "not a time",
    )
    .await;
}

/// Reads `pages_max` pages of `stream` and stops taking any more.
async fn read_and_cut(
    database: &str,
    block: serde_json::Value,
    start: Start,
    pages_max: usize,
) -> Vec<Page> {
    cut(&mut postgres(database, block).await, start, pages_max).await
}

#[tokio::test]
async fn a_cut_load_goes_on_and_takes_over_what_changed_meanwhile() {
    let database = postgres_database("resume");
    psql(database, "CREATE TABLE r(part text, \"No\" int, v text, updated_at timestamp, PRIMARY KEY (part, \"No\"));
        INSERT INTO r SELECT 'p''' || i % 7, i, repeat('x', 20), timestamp '2024-01-01' + i * interval '1 s' FROM generate_series(1, 60000) i");
    let block = json!({"tables": [{"name": "r", "cursor": "updated_at"}]});
    let mut taken = read_and_cut(database, block.clone(), Start::default(), 2).await;
    let mut round = 0;
    loop {
        round += 1;
        let resume = taken
            .last()
            .expect("pages")
            .resume
            .clone()
            .expect("a place to go on from");
        // Rows before and behind the cut change, come and move.
        psql(database, &format!("UPDATE r SET v = 'round {round}', updated_at = now() + {round} * interval '1 s' WHERE \"No\" % 1000 = {round};
            INSERT INTO r VALUES ('a', {round}, 'before', now()), ('z', {round}, 'behind', now())"));
        let start = Start {
            resume: Some(resume),
            ..Start::default()
        };
        if round < 4 {
            taken.extend(read_and_cut(database, block.clone(), start, 2).await);
            continue;
        }
        let mut source = postgres(database, block.clone()).await;
        let streams = source.streams().await.expect("streams");
        let (rest, result) = read(&mut source, &streams[0], start).await;
        result.expect("reads");
        taken.extend(rest);
        break;
    }
    let mut source = postgres(database, block).await;
    let whole = read_whole(&mut source, "r").await;
    let key = ["part", "no"];
    assert_eq!(merged(&taken, &key), merged(&whole, &key));
    assert_eq!(
        taken.last().expect("pages").cursor,
        whole.last().expect("pages").cursor
    );
    let rows_read: usize = taken
        .iter()
        .map(|page| page.batches[0].batch.num_rows())
        .sum();
    // Each attempt looks back an hour beyond the first one's highest value: 3600 rows here.
    assert!(rows_read < 76_000, "{rows_read} rows were read");
}

#[tokio::test]
async fn keys_of_every_ordered_type_resume() {
    let database = postgres_database("resume_keys");
    for (name, kind, value) in [
        ("k_int2", "smallint", "(i - 10000)::smallint"),
        ("k_int8", "bigint", "i * 1000000000000"),
        ("k_numeric", "numeric(12,3)", "i / 8.0"),
        ("k_text", "text", "'é''\\ ' || i"),
        ("k_varchar", "varchar(20)", "i::text"),
        ("k_char", "char(8)", "i::text"),
        ("k_uuid", "uuid", "md5(i::text)::uuid"),
        ("k_bytea", "bytea", "decode(md5(i::text), 'hex')"),
        ("k_date", "date", "date '1990-01-01' + i"),
        (
            "k_timestamp",
            "timestamp",
            "timestamp '2024-01-01' + i * interval '1 microsecond'",
        ),
        (
            "k_timestamptz",
            "timestamptz",
            "timestamptz '2024-01-01' - i * interval '1 hour'",
        ),
    ] {
        psql(
            database,
            &format!(
                "CREATE TABLE {name}(k {kind} PRIMARY KEY, c int); INSERT INTO {name} SELECT {value}, 1 FROM generate_series(1, 17000) i"
            ),
        );
        let block = json!({"tables": [{"name": name, "cursor": "c"}]});
        let mut taken = read_and_cut(database, block.clone(), Start::default(), 1).await;
        let start = Start {
            resume: taken[0].resume.clone(),
            ..Start::default()
        };
        assert!(start.resume.is_some(), "{name}");
        let mut source = postgres(database, block.clone()).await;
        let streams = source.streams().await.expect("streams");
        let (rest, result) = read(&mut source, &streams[0], start).await;
        result.expect(name);
        taken.extend(rest);
        assert_eq!(merged(&taken, &["k"]).len(), 17_000, "{name}");
    }
}

async fn incremental(
    database: &'static str,
    table: serde_json::Value,
    start: Start,
) -> (Vec<String>, Option<String>, Vec<String>) {
    let mut source = postgres(database, json!({"tables": [table]})).await;
    let streams = source.streams().await.expect("streams");
    let (pages, result) = read(&mut source, &streams[0], start).await;
    result.expect("reads");
    let mut ids = column(&pages, "id");
    ids.sort();
    (
        ids,
        pages.last().expect("a page").cursor.clone(),
        warnings(&pages),
    )
}

#[tokio::test]
async fn an_incremental_read_starts_at_the_remembered_cursor() {
    let database = postgres_database("incremental");
    psql(database, "CREATE TABLE m(id int PRIMARY KEY, at timestamptz, n int, s text);
        INSERT INTO m VALUES (1, '2024-01-01', 1, 'A'), (2, '2024-01-02', 2, 'a'), (3, '2024-01-03 00:00:00.5', 3, 'b'), (4, NULL, NULL, NULL), (5, 'infinity', 5, 'B');
        CREATE TABLE log(id int, n int); INSERT INTO log VALUES (1, 1), (2, 2), (3, 2)");
    let from = |cursor: &str| Start {
        cursor: Some(cursor.into()),
        ..Start::default()
    };
    let at = json!({"name": "m", "cursor": "at"});
    // An infinite time is no place to go on from, and rows without a time come every time.
    let (ids, cursor, _) = incremental(database, at.clone(), Start::default()).await;
    assert_eq!(
        (ids.join(" ").as_str(), cursor.as_deref()),
        ("1 2 3 4 5", Some("2024-01-03 00:00:00.500000+00"))
    );
    let check =
        async |table: &serde_json::Value, start: Start, expect: &str, expect_cursor: &str| {
            let (ids, cursor, warnings) = incremental(database, table.clone(), start).await;
            assert_eq!(
                (ids.join(" ").as_str(), cursor.unwrap_or_default().as_str()),
                (expect, expect_cursor),
                "{table}"
            );
            assert!(warnings.is_empty(), "{warnings:?}");
        };
    let at_3 = "2024-01-03 00:00:00.500000+00";
    check(&at, from(at_3), "3 4 5", at_3).await;
    check(
        &json!({"name": "m", "cursor": "at", "lookback": "36h"}),
        from(at_3),
        "2 3 4 5",
        at_3,
    )
    .await;
    check(
        &json!({"name": "m", "cursor": "n"}),
        from("3"),
        "3 4 5",
        "5",
    )
    .await;
    check(
        &json!({"name": "m", "cursor": "n", "lookback": 1}),
        from("3"),
        "2 3 4 5",
        "5",
    )
    .await;
    // Texts go by their bytes, capitals first.
    check(
        &json!({"name": "m", "cursor": "s"}),
        from("B"),
        "2 3 4 5",
        "b",
    )
    .await;
    // Appended rows come once: what equals the remembered value was there before.
    check(
        &json!({"name": "log", "cursor": "n"}),
        from("1"),
        "2 3",
        "2",
    )
    .await;
    check(&json!({"name": "log", "cursor": "n"}), from("2"), "", "").await;
    let day = |day: i64| Some(Timestamp::from_micros((19_723 + day) * 86_400_000_000));
    let between = Start {
        since: day(1),
        until: day(2),
        cursor: Some(at_3.into()),
        ..Start::default()
    };
    check(&at, between, "2", "2024-01-02 00:00:00+00").await;
    // A replaced table is read whole whatever is remembered.
    let replaced = json!({"name": "m", "cursor": "at", "disposition": "replace"});
    check(&replaced, from(at_3), "1 2 3 4 5", at_3).await;
    let (ids, _, warnings) = incremental(
        database,
        replaced,
        Start {
            since: day(1),
            ..Start::default()
        },
    )
    .await;
    assert_eq!((ids.len(), warnings.len()), (5, 1), "{warnings:?}");
}

#[tokio::test]
async fn a_limited_read_can_be_followed_by_the_rest() {
    let database = postgres_database("limits");
    psql(database, "CREATE TABLE m(id int PRIMARY KEY, n int); INSERT INTO m SELECT i, 100 - i / 2 FROM generate_series(0, 99) i;
        CREATE TABLE log AS SELECT * FROM m");
    let limited = Start {
        rows_max: Some(5),
        ..Start::default()
    };
    for (table, expect) in [("m", 5), ("log", 6)] {
        let table = json!({"name": table, "cursor": "n"});
        let (mut ids, cursor, _) = incremental(database, table.clone(), limited.clone()).await;
        // Rows that share the last cursor value come together where the next read starts above it.
        assert_eq!(ids.len(), expect, "{table}");
        let (rest, _, _) = incremental(
            database,
            table,
            Start {
                cursor,
                ..Start::default()
            },
        )
        .await;
        ids.extend(rest);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100);
    }
}

#[tokio::test]
async fn names_of_all_kinds_are_read_and_stay_apart() {
    let database = postgres_database("names");
    psql(
        database,
        r#"CREATE TABLE "Order Items"("Order ID" int, "a""b" int, "select" int, "Größe" int, "Total" int, total int, "_dlt_id" int, "x'; DROP TABLE t; --" int);
        INSERT INTO "Order Items" VALUES (1,2,3,4,5,6,7,8);
        CREATE TABLE "order_items"(a int); CREATE TABLE "it's"(a int); CREATE TABLE "q""t"(a int); INSERT INTO "q""t" VALUES (9)"#,
    );
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams().await.expect("streams");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names.len(), 4);
    let odd = |stream: &&Stream| stream.origin == "public.Order Items";
    let stream = streams.iter().find(odd).expect("the table");
    assert!(
        stream.name.starts_with("order_items_") && names.contains(&"order_items"),
        "{names:?}"
    );
    let (pages, result) = read(&mut source, stream, Start::default()).await;
    result.expect("reads");
    let table = &pages[0].batches[0].table.schema;
    let columns: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(columns[..4], ["order_id", "a_b", "select", "gr_e"]);
    assert!(
        columns[4].starts_with("total_")
            && columns[5] == "total"
            && columns[6].starts_with("_dlt_id_"),
        "{columns:?}"
    );
    assert_eq!(rows(&pages)[0].matches('=').count(), 8);
    let pages = read_whole(&mut source, "q_t").await;
    assert_eq!(column(&pages, "a"), ["9"]);
}

#[tokio::test]
async fn views_partitions_and_odd_tables_are_read_as_one_would_expect() {
    let database = postgres_database("relations");
    psql(database, "CREATE TABLE events(id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
        INSERT INTO events VALUES (1, '2024-01-05'), (2, '2024-02-05');
        CREATE TABLE empty(id int PRIMARY KEY, v text); CREATE TABLE no_columns(); INSERT INTO no_columns DEFAULT VALUES;
        CREATE TABLE generated(a int, gone int, b int GENERATED ALWAYS AS (a * 2) STORED); ALTER TABLE generated DROP COLUMN gone;
        INSERT INTO generated VALUES (4); CREATE VIEW doubled AS SELECT b FROM generated; CREATE MATERIALIZED VIEW stored AS SELECT b FROM generated;
        CREATE TEMP TABLE t(a int); CREATE UNLOGGED TABLE unlogged(a int)");
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams().await.expect("streams");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["empty", "events", "generated", "unlogged"]);
    let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
    result.expect("reads");
    assert_eq!((pages.len(), rows(&pages).len()), (1, 0));
    assert_eq!(pages[0].batches[0].table.schema.columns.len(), 2);
    assert_eq!(
        warnings(&pages),
        ["`public.no_columns` is left out: it has no column"]
    );
    assert_eq!(streams[1].primary_key, ["id", "day"]);
    let pages = read_whole(&mut source, "events").await;
    assert_eq!(rows(&pages), ["id=1 day=2024-01-05", "id=2 day=2024-02-05"]);
    let pages = read_whole(&mut source, "generated").await;
    assert_eq!(rows(&pages), ["a=4 b=8"]);

    let mut source = postgres(
        database,
        json!({"table_names": ["doubled", "stored", "events_2"]}),
    )
    .await;
    for (name, expect) in [
        ("doubled", "b=8"),
        ("stored", "b=8"),
        ("events_2", "id=2 day=2024-02-05"),
    ] {
        assert_eq!(rows(&read_whole(&mut source, name).await), [expect]);
    }
}

#[tokio::test]
async fn several_schemas_are_read_side_by_side() {
    let database = postgres_database("schemas");
    psql(database, "CREATE SCHEMA sales; CREATE SCHEMA \"Stock\"; CREATE TABLE sales.items(a int); CREATE TABLE \"Stock\".items(b int);
        CREATE TABLE public.other(c int); CREATE TABLE \"Stock\".shelves(d int)");
    let check = async |block: serde_json::Value, expect: &[&str]| {
        let mut source = postgres(database, block.clone()).await;
        let streams = source.streams().await.expect("streams");
        let got: Vec<String> = streams
            .iter()
            .map(|s| format!("{}={}", s.name, s.origin))
            .collect();
        assert_eq!(got, expect, "{block}");
    };
    check(
        json!({"schemas": ["sales", "Stock"]}),
        &[
            "items=sales.items",
            "stock_items=Stock.items",
            "shelves=Stock.shelves",
        ],
    )
    .await;
    check(json!({"schema": "sales"}), &["items=sales.items"]).await;
    check(json!({"generic_config": {"credentials_env": "X", "schema": "Stock", "table_names": ["items"]}}), &["items=Stock.items"]).await;
    check(
        json!({"table_names": ["other", "public.other"]}),
        &["other=public.other"],
    )
    .await;
    check(
        json!({"table_names": ["Stock.shelves", "other"]}),
        &["shelves=Stock.shelves", "other=public.other"],
    )
    .await;
    check(json!({}), &["other=public.other"]).await;
}

#[tokio::test]
async fn long_rows_make_small_batches() {
    let database = postgres_database("long_rows");
    psql(
        database,
        "CREATE TABLE l(id int, v text); INSERT INTO l SELECT i, repeat(i::text, 300000) FROM generate_series(10, 40) i",
    );
    let mut source = postgres(database, json!({})).await;
    let pages = read_whole(&mut source, "l").await;
    assert!(pages.len() >= 4, "{} pages", pages.len());
    assert!(pages.iter().all(|page| page.bytes < 5 << 20));
    let values = column(&pages, "v");
    assert_eq!(values.len(), 31);
    assert!(
        values
            .iter()
            .zip(10..)
            .all(|(value, i)| *value == i.to_string().repeat(300_000))
    );
}
