//! What is read, in which snapshot, and how a load that was cut off goes on.

use crate::harness::*;
use connect::{Page, Start};
use domain::Disposition;
use serde_json::json;

#[tokio::test]
async fn all_tables_are_read_as_they_were_when_the_snapshot_began() {
    let database = postgres_database("snapshot");
    psql(database, "CREATE TABLE a(id int PRIMARY KEY, v int); CREATE TABLE b(id int PRIMARY KEY, v int);
        INSERT INTO a SELECT i, 100 FROM generate_series(1, 20000) i; INSERT INTO b SELECT * FROM a");
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
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
    source.close().await;
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
    let streams = source.streams(&[]).await.expect("streams");
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
        let failure = source.streams(&[]).await.expect_err(expect);
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
        let streams = source.streams(&[]).await.expect("streams");
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
        let streams = source.streams(&[]).await.expect("streams");
        let (rest, result) = read(&mut source, &streams[0], start).await;
        result.expect(name);
        taken.extend(rest);
        assert_eq!(merged(&taken, &["k"]).len(), 17_000, "{name}");
    }
}
