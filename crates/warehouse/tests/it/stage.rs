//! A warehouse in a directory of its own.

use arrow::array::RecordBatch;
use security::actor::{Actor, RequestId};
use security::permissions::{Permission, QueryExecute, SourceSync, SourceView};
use security::{Allow, authorize};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;
use warehouse::{QueryLimits, QueryResult, Settings, Warehouse, WarehouseError};

pub(crate) struct Stage {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) warehouse: Warehouse,
}

/// Returns a witness for the operator.
pub(crate) fn allow<P: Permission>() -> Allow<P> {
    let actor = Actor::Operator {
        os_user: "test".into(),
    };
    authorize(&actor, RequestId::new(uuid::Uuid::nil())).unwrap()
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let warehouse = open(&dir, change);
        Self { dir, warehouse }
    }

    /// Returns another handle on the same file, as the next process would open it.
    pub(crate) fn reopened(self) -> Self {
        let Self { dir, warehouse } = self;
        drop(warehouse);
        let warehouse = open(&dir, |_| {});
        Self { dir, warehouse }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("data/warehouse.duckdb")
    }

    pub(crate) fn temp_dir(&self) -> PathBuf {
        self.dir.path().join("temp")
    }

    /// Runs statements in one load transaction.
    pub(crate) async fn load(&self, statements: &[&str]) {
        let mut tx = self.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
        for sql in statements {
            tx.execute(sql)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        tx.commit().await.unwrap();
    }

    pub(crate) async fn query(&self, sql: &str) -> Result<QueryResult, WarehouseError> {
        self.warehouse
            .query(&allow::<QueryExecute>(), sql, limits())
            .await
    }

    /// Runs a user's query to its end.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, WarehouseError> {
        Ok(collect(self.query(sql).await?).await?.0)
    }

    /// Returns the rows of a read of our own.
    pub(crate) async fn select(&self, sql: &str) -> Vec<Map<String, Value>> {
        let rows = self.warehouse.select(&allow::<SourceView>(), sql).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Returns the only value of a read of our own.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        let rows = self.select(sql).await;
        rows[0].values().next().unwrap().clone()
    }

    /// Kills the worker and waits until it is gone.
    pub(crate) async fn kill_worker(&self) {
        let pid = self.warehouse.worker_pid().await.expect("it runs");
        kill(pid);
        while self.warehouse.worker_pid().await.is_some() {
            tokio::task::yield_now().await;
        }
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Returns all rows of a query, and whether there were more.
pub(crate) async fn collect(
    mut result: QueryResult,
) -> Result<(Vec<RecordBatch>, bool), WarehouseError> {
    let mut batches = Vec::new();
    while let Some(batch) = result.next().await {
        batches.push(batch?);
    }
    Ok((batches, result.truncated()))
}

pub(crate) fn limits() -> QueryLimits {
    QueryLimits {
        rows_max: 1_000_000,
        timeout: Duration::from_mins(1),
        ..QueryLimits::default()
    }
}

fn open(dir: &tempfile::TempDir, change: impl FnOnce(&mut Settings)) -> Warehouse {
    let file = dir.path().join("data/warehouse.duckdb");
    let mut settings = Settings::new(file, dir.path().join("temp"));
    settings.threads = 2;
    change(&mut settings);
    let program = std::env::current_exe().unwrap();
    let args = [
        "child_role_entry",
        "--exact",
        "--test-threads=1",
        "--nocapture",
    ];
    Warehouse::new(settings, sandbox::Launcher::new(program, args))
}

/// Returns the cases of a list: one per line, without comments.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// Returns the text of a case with its escapes replaced.
pub(crate) fn unescaped(text: &str) -> String {
    let text = text
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\\\", "\\");
    text.replace("\\u{feff}", "\u{feff}")
        .replace("\\u{a0}", "\u{a0}")
}
