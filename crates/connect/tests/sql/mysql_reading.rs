//! What is read of MySQL, in which snapshot, from where and to where.

use crate::harness::*;
use connect::Start;
use domain::{Disposition, Timestamp};
use serde_json::json;

#[tokio::test]
async fn all_tables_are_read_as_they_were_when_the_snapshot_began() {
    let database = mysql_database("snapshot");
    mariadb(
        database,
        "CREATE TABLE a(id int PRIMARY KEY, v int); CREATE TABLE b(id int PRIMARY KEY, v int);
        INSERT INTO a SELECT seq, 100 FROM seq_1_to_20000; INSERT INTO b SELECT * FROM a",
    );
    let mut source = mysql(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let mut total = 0_i64;
    for stream in &streams {
        mariadb(
            database,
            "UPDATE a SET v = v - 1; UPDATE b SET v = v + 1; DELETE FROM a WHERE id <= 100; INSERT INTO b SELECT max(id) + 1, 1 FROM b",
        );
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
    let database = mysql_database("plans");
    mariadb(database, "CREATE TABLE whole(id int PRIMARY KEY, at datetime); CREATE TABLE merged(id int, part varchar(9), at timestamp, PRIMARY KEY (part, id));
        CREATE TABLE by_index(id binary(16) NOT NULL, at date, UNIQUE KEY (id)); CREATE TABLE nullable(id int UNIQUE, at datetime);
        CREATE TABLE by_enum(id enum('b','a') PRIMARY KEY, at datetime)");
    let cursor = |name: &str| json!({"name": name, "cursor": "at"});
    let mut source = mysql(database, json!({"tables": ["whole", cursor("merged"), cursor("by_index"), cursor("nullable"), cursor("by_enum")]})).await;
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
    };
    check("whole", Disposition::Replace, &["id"], false);
    check("merged", Disposition::Merge, &["part", "id"], true);
    check("by_index", Disposition::Merge, &["id"], true);
    check("nullable", Disposition::Append, &[], false);
    check("by_enum", Disposition::Merge, &["id"], false);
    let said = source.test().await.expect("answers");
    assert!(
        said.starts_with("MariaDB 1") && said.ends_with("database plans: 5 tables to read"),
        "{said}"
    );
}

#[tokio::test]
async fn a_cut_load_goes_on_and_takes_over_what_changed_meanwhile() {
    let database = mysql_database("resume");
    mariadb(database, "CREATE TABLE r(part varchar(20), `No` int, v text, updated_at timestamp(3), PRIMARY KEY (part, `No`));
        INSERT INTO r SELECT CONCAT('p''\\\\', seq % 7), seq, 'x', TIMESTAMP'2024-01-01 00:00:00' + INTERVAL seq SECOND FROM seq_1_to_40000");
    let block = json!({"tables": [{"name": "r", "cursor": "updated_at"}]});
    let mut taken = cut(
        &mut mysql(database, block.clone()).await,
        Start::default(),
        2,
    )
    .await;
    for round in 1..4 {
        let resume = taken
            .last()
            .expect("pages")
            .resume
            .clone()
            .expect("a place to go on from");
        mariadb(
            database,
            &format!(
                "UPDATE r SET v = 'round {round}', updated_at = NOW() WHERE `No` % 1000 = {round};
            INSERT INTO r VALUES ('a', {round}, 'before', NOW()), ('z', {round}, 'behind', NOW())"
            ),
        );
        let start = Start {
            resume: Some(resume),
            ..Start::default()
        };
        let mut source = mysql(database, block.clone()).await;
        if round < 3 {
            taken.extend(cut(&mut source, start, 2).await);
            continue;
        }
        let streams = source.streams(&[]).await.expect("streams");
        let (rest, result) = read(&mut source, &streams[0], start).await;
        result.expect("reads");
        taken.extend(rest);
    }
    let whole = read_whole(&mut mysql(database, block).await, "r").await;
    let key = ["part", "no"];
    assert_eq!(merged(&taken, &key), merged(&whole, &key));
    assert_eq!(
        taken.last().expect("pages").cursor,
        whole.last().expect("pages").cursor
    );
}

#[tokio::test]
async fn keys_of_every_ordered_type_resume() {
    let database = mysql_database("resume_keys");
    for (name, kind, value) in [
        ("k_int", "int", "CAST(seq AS SIGNED) - 5000"),
        (
            "k_unsigned",
            "bigint unsigned",
            "18446744073709551615 - seq",
        ),
        ("k_decimal", "decimal(30,3)", "9007199254740993 + seq / 8"),
        ("k_text", "varchar(30)", "CONCAT('é''\\\\', seq)"),
        (
            "k_latin",
            "varchar(30) character set latin1",
            "CONCAT('é', seq)",
        ),
        ("k_binary", "binary(16)", "UNHEX(MD5(seq))"),
        ("k_date", "date", "DATE'1990-01-01' + INTERVAL seq DAY"),
        (
            "k_datetime",
            "datetime(6)",
            "TIMESTAMP'2024-01-01 00:00:00' + INTERVAL seq MICROSECOND",
        ),
        (
            "k_timestamp",
            "timestamp",
            "TIMESTAMP'2024-01-01 00:00:00' + INTERVAL seq HOUR",
        ),
        ("k_bit", "bit(40)", "seq"),
    ] {
        mariadb(
            database,
            &format!(
                "SET NAMES utf8mb4; CREATE TABLE {name}(k {kind} PRIMARY KEY, c int); INSERT INTO {name} SELECT {value}, 1 FROM seq_1_to_17000"
            ),
        );
        let block = json!({"tables": [{"name": name, "cursor": "c"}]});
        let mut taken = cut(
            &mut mysql(database, block.clone()).await,
            Start::default(),
            1,
        )
        .await;
        let start = Start {
            resume: taken[0].resume.clone(),
            ..Start::default()
        };
        assert!(start.resume.is_some(), "{name}");
        let mut source = mysql(database, block).await;
        let streams = source.streams(&[]).await.expect("streams");
        let (rest, result) = read(&mut source, &streams[0], start).await;
        result.expect(name);
        let fresh: usize = rest
            .iter()
            .skip(2)
            .map(|page| page.batches[0].batch.num_rows())
            .sum();
        taken.extend(rest);
        assert_eq!(merged(&taken, &["k"]).len(), 17_000, "{name}");
        assert!(fresh <= 17_000, "{name}");
    }
}

#[tokio::test]
async fn an_incremental_read_starts_at_the_remembered_cursor() {
    let database = mysql_database("incremental");
    mariadb(database, "CREATE TABLE m(id int PRIMARY KEY, at datetime(3), ts timestamp NULL, n bigint unsigned, s varchar(9));
        INSERT INTO m VALUES (1, '2024-01-01', '2024-01-01', 1, 'A'), (2, '2024-01-02', '2024-01-02', 2, 'a'),
        (3, '2024-01-03 00:00:00.5', '2024-01-03', 18446744073709551615, 'b'), (4, NULL, NULL, NULL, NULL);
        CREATE TABLE log(id int, n int); INSERT INTO log VALUES (1, 1), (2, 2), (3, 2)");
    let check =
        async |table: serde_json::Value, start: Start, expect: &str, expect_cursor: &str| {
            let mut source = mysql(database, json!({"tables": [table]})).await;
            let streams = source.streams(&[]).await.expect("streams");
            let (pages, result) = read(&mut source, &streams[0], start).await;
            result.expect("reads");
            let mut ids = column(&pages, "id");
            ids.sort();
            let cursor = pages
                .last()
                .expect("a page")
                .cursor
                .clone()
                .unwrap_or_default();
            assert_eq!(
                (ids.join(" ").as_str(), cursor.as_str()),
                (expect, expect_cursor),
                "{table}"
            );
        };
    let from = |cursor: &str| Start {
        cursor: Some(cursor.into()),
        ..Start::default()
    };
    let of = |column: &str| json!({"name": "m", "cursor": column});
    let at_3 = "2024-01-03 00:00:00.500000";
    check(of("at"), Start::default(), "1 2 3 4", at_3).await;
    check(of("at"), from(at_3), "3 4", at_3).await;
    check(
        json!({"name": "m", "cursor": "at", "lookback": "36h"}),
        from(at_3),
        "2 3 4",
        at_3,
    )
    .await;
    check(
        of("ts"),
        from("2024-01-02 00:00:00+00"),
        "2 3 4",
        "2024-01-03 00:00:00+00",
    )
    .await;
    check(
        of("n"),
        from("18446744073709551615"),
        "3 4",
        "18446744073709551615",
    )
    .await;
    check(of("s"), from("a"), "2 3 4", "b").await;
    check(json!({"name": "log", "cursor": "n"}), from("1"), "2 3", "2").await;
    check(
        json!({"name": "log", "cursor": "n"}),
        Start {
            rows_max: Some(2),
            ..Start::default()
        },
        "1 2 3",
        "2",
    )
    .await;
    let day = |day: i64| Some(Timestamp::from_micros((19_723 + day) * 86_400_000_000));
    check(
        of("ts"),
        Start {
            since: day(1),
            until: day(2),
            ..Start::default()
        },
        "2",
        "2024-01-02 00:00:00+00",
    )
    .await;
    check(
        of("at"),
        Start {
            rows_max: Some(3),
            ..Start::default()
        },
        "1 2 4",
        "2024-01-02 00:00:00",
    )
    .await;
}

#[tokio::test]
async fn tables_of_all_kinds_are_read_as_one_would_expect() {
    let database = mysql_database("relations");
    mariadb(database, "CREATE TABLE `Order ``Items`(`a\"b` int, `select` int, `Größe` int); INSERT INTO `Order ``Items` VALUES (1, 2, 3);
        CREATE TABLE empty(id int PRIMARY KEY); CREATE TABLE old(id int) ENGINE=MyISAM; INSERT INTO old VALUES (5);
        CREATE TABLE generated(a int, b int AS (a * 2) STORED, c int INVISIBLE DEFAULT 7); INSERT INTO generated(a) VALUES (4);
        CREATE TABLE parts(id int) PARTITION BY HASH (id) PARTITIONS 4; INSERT INTO parts VALUES (1), (2), (3);
        CREATE VIEW doubled AS SELECT b FROM generated; CREATE SEQUENCE counter");
    let mut source = mysql(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["empty", "generated", "old", "order_items", "parts"]);
    let mut all = Vec::new();
    for stream in &streams {
        let (pages, result) = read(&mut source, stream, Start::default()).await;
        result.expect("reads");
        assert!(!pages.is_empty());
        all.extend(warnings(&pages));
        all.extend(rows(&pages));
    }
    let expect = [
        "`relations.old` is stored by MyISAM, which has no snapshots: what is written while it is read may be seen in part",
        "a=4 b=8 c=7",
        "id=5",
        "a_b=1 select=2 gr_e=3",
        "id=1",
        "id=2",
        "id=3",
    ];
    all.sort();
    let mut expect = expect.map(str::to_owned).to_vec();
    expect.sort();
    assert_eq!(all, expect);
    let mut source = mysql(
        database,
        json!({"schema": "relations", "table_names": ["doubled"]}),
    )
    .await;
    assert_eq!(rows(&read_whole(&mut source, "doubled").await), ["b=8"]);
}

#[tokio::test]
async fn a_value_of_sixteen_megabytes_in_the_first_column_does_not_end_the_rows() {
    let database = mysql_database("huge");
    mariadb(
        database,
        "CREATE TABLE h(v longtext, id int); INSERT INTO h VALUES ('first', 1), (REPEAT('x', 16777216), 2), ('last', 3)",
    );
    let mut source = mysql(database, json!({})).await;
    let pages = read_whole(&mut source, "h").await;
    assert_eq!(column(&pages, "id"), ["1", "2", "3"]);
    assert_eq!(column(&pages, "v")[1].len(), 16_777_216);
}
