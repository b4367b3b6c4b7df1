//! Opening a source as the application does, and its rows as text.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::*;
use connect::sql::mysql::Mysql;
use connect::sql::postgres::Postgres;
use connect::{Credentials, Egress, Failure, FailureKind, Page, Source, Start, Stream};
use domain::SourceName;
use security::Plain;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use testkit::servers::{self, PASSWORD, USER};

/// What a test may change about how a source signs in.
pub(crate) struct Login<'a> {
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) sslmode: &'a str,
}

impl<'a> Login<'a> {
    pub(crate) fn to(port: u16, database: &'a str) -> Self {
        Self {
            port,
            database,
            user: USER,
            password: PASSWORD,
            sslmode: "",
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let mut credentials = Credentials::new();
        for (field, value) in [
            ("host", "127.0.0.1"),
            ("port", &self.port.to_string()),
            ("database", self.database),
            ("username", self.user),
            ("password", self.password),
            ("sslmode", self.sslmode),
        ] {
            credentials.insert(field, Plain::new(value.to_owned()));
        }
        credentials
    }
}

pub(crate) fn source_name() -> SourceName {
    SourceName::parse("shop").expect("valid")
}

pub(crate) fn loopback() -> Egress {
    Egress::new(["127.0.0.1".to_owned()])
}

/// A kind of database that tests have a server of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Postgres,
    Mariadb,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Postgres, Kind::Mariadb];

impl Kind {
    /// Makes an empty database for one test.
    pub(crate) fn database(self, name: &'static str) -> &'static str {
        match self {
            Self::Postgres => postgres_database(name),
            Self::Mariadb => mysql_database(name),
        }
    }

    pub(crate) fn sql(self, database: &str, sql: &str) -> String {
        match self {
            Self::Postgres => psql(database, sql),
            Self::Mariadb => mariadb(database, sql),
        }
    }

    pub(crate) async fn open(self, database: &str, block: Value) -> Source {
        match self {
            Self::Postgres => postgres(database, block).await,
            Self::Mariadb => mysql(database, block).await,
        }
    }
}

pub(crate) async fn postgres(database: &str, block: Value) -> Source {
    let login = Login::to(servers::Postgres::shared().port(), database);
    open_postgres(&login, block).await.expect("opens")
}

pub(crate) async fn open_postgres(login: &Login<'_>, block: Value) -> Result<Source, Failure> {
    let credentials = login.credentials();
    let opened = Postgres::open(&source_name(), &block, &credentials, &loopback()).await;
    opened.map(|postgres| Source::Postgres(Box::new(postgres)))
}

pub(crate) async fn mysql(database: &str, block: Value) -> Source {
    let login = Login::to(servers::Mariadb::shared().port(), database);
    open_mysql(&login, block).await.expect("opens")
}

pub(crate) async fn open_mysql(login: &Login<'_>, block: Value) -> Result<Source, Failure> {
    let credentials = login.credentials();
    let opened = Mysql::open(&source_name(), &block, &credentials, &loopback()).await;
    opened.map(|mysql| Source::Mysql(Box::new(mysql)))
}

/// Makes an empty database for one test.
pub(crate) fn mysql_database(name: &'static str) -> &'static str {
    servers::Mariadb::shared().sql("", &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    name
}

pub(crate) fn mariadb(database: &str, sql: &str) -> String {
    servers::Mariadb::shared().sql(database, sql)
}

/// Makes an empty database for one test.
pub(crate) fn postgres_database(name: &'static str) -> &'static str {
    servers::Postgres::shared().sql("postgres", &format!("CREATE DATABASE {name}"));
    name
}

pub(crate) fn psql(database: &str, sql: &str) -> String {
    servers::Postgres::shared().sql(database, sql)
}

/// What a load makes of pages that may repeat rows: the last one of a key counts.
pub(crate) fn merged(pages: &[Page], key: &[&str]) -> BTreeMap<Vec<String>, String> {
    let keys: Vec<Vec<String>> = key.iter().map(|name| column(pages, name)).collect();
    let rows = rows(pages).into_iter().enumerate();
    rows.map(|(at, row)| (keys.iter().map(|key| key[at].clone()).collect(), row))
        .collect()
}

/// Reads `pages_max` pages of the first stream and stops taking any more.
pub(crate) async fn cut(source: &mut Source, start: Start, pages_max: usize) -> Vec<Page> {
    let streams = source.streams(&[]).await.expect("streams");
    let (out, mut pages) = tokio::sync::mpsc::channel(1);
    let take = async {
        let mut taken = Vec::new();
        while taken.len() < pages_max {
            taken.push(pages.recv().await.expect("a page"));
        }
        drop(pages);
        taken
    };
    let (result, taken) = tokio::join!(source.read(&streams[0], start, out), take);
    result.expect("nobody to tell is no failure");
    let again = source
        .streams(&[])
        .await
        .expect_err("a connection that was cut is not used again");
    assert_eq!(again.kind, FailureKind::Unreachable);
    taken
}

/// Reads a stream to its end or failure and returns its pages.
pub(crate) async fn read(
    source: &mut Source,
    stream: &Stream,
    start: Start,
) -> (Vec<Page>, Result<(), Failure>) {
    let (out, mut pages) = tokio::sync::mpsc::channel(2);
    let gather = async {
        let mut gathered = Vec::new();
        while let Some(page) = pages.recv().await {
            gathered.push(page);
        }
        gathered
    };
    let (result, gathered) = tokio::join!(source.read(stream, start, out), gather);
    (gathered, result)
}

/// Reads the stream called `name` whole.
pub(crate) async fn read_whole(source: &mut Source, name: &str) -> Vec<Page> {
    let streams = source.streams(&[]).await.expect("streams");
    let stream = streams
        .iter()
        .find(|stream| stream.name == name)
        .expect("the stream");
    let (pages, result) = read(source, stream, Start::default()).await;
    result.expect("reads");
    pages
}

/// Returns all rows of `pages`: each a line of `column=value`, without nulls.
pub(crate) fn rows(pages: &[Page]) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in pages.iter().flat_map(|page| &page.batches) {
        lines.extend((0..batch.batch.num_rows()).map(|row| line(&batch.batch, row)));
    }
    lines
}

fn line(batch: &RecordBatch, row: usize) -> String {
    let mut line = String::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        if !array.is_null(row) {
            let _ = write!(line, "{}={} ", field.name(), cell(array, row));
        }
    }
    line.trim_end().to_owned()
}

/// Returns what the pages warn of.
pub(crate) fn warnings(pages: &[Page]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| page.warnings.clone())
        .collect()
}

/// Returns one column's values as PostgreSQL prints them.
pub(crate) fn column(pages: &[Page], name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for batch in pages.iter().flat_map(|page| &page.batches) {
        match batch.batch.column_by_name(name) {
            Some(array) => values.extend((0..array.len()).map(|row| cell(array, row))),
            None => values.extend((0..batch.batch.num_rows()).map(|_| "NULL".to_owned())),
        }
    }
    values
}

pub(crate) fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".into();
    }
    match array.data_type() {
        DataType::Boolean => if array.as_boolean().value(row) {
            "t"
        } else {
            "f"
        }
        .into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            match value {
                _ if value.is_nan() => "NaN".into(),
                _ if value.is_infinite() => {
                    if value > 0.0 { "Infinity" } else { "-Infinity" }.into()
                }
                _ => format!("{value:e}"),
            }
        }
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Binary => {
            let mut hex = String::from("\\x");
            for byte in array.as_binary::<i32>().value(row) {
                let _ = write!(hex, "{byte:02x}");
            }
            hex
        }
        DataType::Date32 => match array.as_primitive::<Date32Type>().value(row) {
            i32::MAX => "infinity".into(),
            days if days == -i32::MAX => "-infinity".into(),
            days => timestamp(i64::from(days) * 86_400_000_000)[..10].to_owned(),
        },
        DataType::Time64(_) => {
            let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
            if micros == 86_400_000_000 {
                "24:00:00".into()
            } else {
                timestamp(micros)[11..].to_owned()
            }
        }
        DataType::Timestamp(_, zone) => {
            match array.as_primitive::<TimestampMicrosecondType>().value(row) {
                i64::MAX => "infinity".into(),
                micros if micros == -i64::MAX => "-infinity".into(),
                micros => timestamp(micros) + if zone.is_some() { "+00" } else { "" },
            }
        }
        other => panic!("no source makes {other}"),
    }
}

fn timestamp(micros: i64) -> String {
    let at = chrono::DateTime::from_timestamp_micros(micros).expect("within chrono's range");
    let text = at.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
