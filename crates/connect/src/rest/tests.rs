//! The engine against a server on loopback: every way to page, to sign, and to fail.

mod descriptions;
mod detection;
mod failing;
mod origins;
mod paging;
pub(crate) mod server;
mod signing;
mod streams;
mod stripe;
mod tokens;

use super::*;
use crate::catalog::Catalog;
use crate::http::{Sleeper, Sleeping};
use crate::page::TableBatch;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use domain::{Clock, Timestamp};
use security::Plain;
use serde_json::json;
use server::{Reply, Request, Server};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

/// 2024-01-01T00:00:00Z.
const NOW_MICROS: i64 = 1_704_067_200_000_000;

/// A clock that only waiting moves.
#[derive(Default)]
struct MockTime {
    passed: AtomicI64,
    waits: Mutex<Vec<Duration>>,
}

impl Clock for MockTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW_MICROS + self.passed.load(Ordering::SeqCst))
    }
}

impl Sleeper for MockTime {
    fn sleep(&self, duration: Duration) -> Sleeping<'_> {
        self.passed.fetch_add(
            i64::try_from(duration.as_micros()).expect("short"),
            Ordering::SeqCst,
        );
        self.waits.lock().expect("one thread").push(duration);
        Box::pin(std::future::ready(()))
    }
}

impl MockTime {
    fn waited_seconds(&self) -> Vec<f64> {
        self.waits
            .lock()
            .expect("one thread")
            .iter()
            .map(Duration::as_secs_f64)
            .collect()
    }
}

/// A source on a server.
struct Bench {
    rest: Rest,
    time: Arc<MockTime>,
}

fn credentials(values: &[(&str, &str)]) -> Credentials {
    let mut credentials = Credentials::new();
    for (field, value) in values {
        credentials.insert(*field, Plain::new((*value).to_owned()));
    }
    credentials
}

fn open_as(kind: &str, block: &Value, credentials: &Credentials) -> Result<Bench, Failure> {
    let (catalog, failures) = Catalog::load(None);
    assert!(failures.is_empty(), "{failures:?}");
    let time = Arc::new(MockTime::default());
    let egress = Egress::new(["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let name = SourceName::parse("shop").expect("valid");
    let connector = catalog.get(kind).expect("shipped");
    let both = Time::with_sleeper(Arc::clone(&time) as _, Arc::clone(&time) as _);
    let rest = Rest::open(connector, &name, block, credentials, &egress, both)?;
    Ok(Bench { rest, time })
}

fn open(block: &Value, secrets: &[(&str, &str)]) -> Result<Bench, Failure> {
    open_as("rest_api", block, &credentials(secrets))
}

/// A `rest_api` block with one endpoint `items`.
fn block(server: &Server, endpoint: Value) -> Value {
    let mut endpoint = endpoint;
    endpoint["path"] = endpoint
        .get("path")
        .cloned()
        .unwrap_or_else(|| "items".into());
    json!({"base_url": server.url(), "endpoints": [endpoint]})
}

/// Such a block with further keys.
fn with(server: &Server, extra: &Value) -> Value {
    let mut described = block(server, json!({}));
    for (key, value) in extra.as_object().expect("a map") {
        described[key] = value.clone();
    }
    described
}

impl Bench {
    async fn read_from(&mut self, stream: &str, start: Start) -> (Vec<Page>, Result<(), Failure>) {
        let stream = self
            .rest
            .streams()
            .into_iter()
            .find(|s| s.name == stream)
            .expect("a stream");
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let collect = async {
            let mut pages = Vec::new();
            while let Some(page) = receiver.recv().await {
                pages.push(page);
            }
            pages
        };
        let (result, pages) = tokio::join!(self.rest.read(&stream, &start, sender), collect);
        (pages, result)
    }

    async fn read(&mut self, stream: &str) -> Result<Vec<Page>, Failure> {
        let (pages, result) = self.read_from(stream, Start::default()).await;
        result.map(|()| pages)
    }

    async fn ids(&mut self) -> Result<Vec<i64>, Failure> {
        Ok(integers(&self.read("items").await?, "items", "id"))
    }
}

/// Returns the values of a BIGINT column, over all pages.
fn integers(pages: &[Page], table: &str, column: &str) -> Vec<i64> {
    let values = |batch: &TableBatch| {
        let array = batch
            .batch
            .column_by_name(column)
            .expect("a column")
            .clone();
        array
            .as_primitive::<Int64Type>()
            .iter()
            .map(|id| id.expect("not null"))
            .collect::<Vec<_>>()
    };
    batches(pages, table)
        .iter()
        .flat_map(|batch| values(batch))
        .collect()
}

/// Returns the values of a text column, over all pages.
fn texts(pages: &[Page], table: &str, column: &str) -> Vec<String> {
    let values = |batch: &TableBatch| {
        let array = batch
            .batch
            .column_by_name(column)
            .expect("a column")
            .clone();
        array
            .as_string::<i32>()
            .iter()
            .map(|text| text.unwrap_or("NULL").to_owned())
            .collect::<Vec<_>>()
    };
    batches(pages, table)
        .iter()
        .flat_map(|batch| values(batch))
        .collect()
}

fn batches<'a>(pages: &'a [Page], table: &str) -> Vec<&'a TableBatch> {
    let all = pages.iter().flat_map(|page| &page.batches);
    all.filter(|batch| batch.table.schema.table.table == table)
        .collect()
}

/// Returns records with these ids.
fn records(ids: impl IntoIterator<Item = i64>) -> Value {
    ids.into_iter().map(|id| json!({"id": id})).collect()
}
