//! The connection inside a transaction, which remembers how its statements ended: a closure that swallows an error must not
//! be able to commit, and one that lost against another transaction is repeated whatever it made of the error.

use crate::dialect;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use sea_orm_migration::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// A transaction's connection.
pub(crate) struct Link {
    backend: DbBackend,
    /// Empty once the transaction has ended.
    transaction: Mutex<Option<DatabaseTransaction>>,
    failed: AtomicBool,
    conflict: AtomicBool,
}

impl Link {
    pub(crate) fn new(transaction: DatabaseTransaction) -> Self {
        Self {
            backend: transaction.get_database_backend(),
            transaction: Mutex::new(Some(transaction)),
            failed: AtomicBool::new(false),
            conflict: AtomicBool::new(false),
        }
    }

    /// Returns whether a statement failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns whether a statement failed because another transaction was first.
    pub(crate) fn has_conflict(&self) -> bool {
        self.conflict.load(Ordering::Relaxed)
    }

    pub(crate) async fn commit(&self) -> Result<(), DbErr> {
        let transaction = self.transaction.lock().await.take().ok_or_else(ended)?;
        transaction.commit().await
    }

    pub(crate) async fn rollback(&self) -> Result<(), DbErr> {
        let transaction = self.transaction.lock().await.take().ok_or_else(ended)?;
        transaction.rollback().await
    }

    /// Makes the transaction one that lost, as Postgres may at any statement.
    #[cfg(test)]
    pub(crate) fn lose(&self) {
        self.conflict.store(true, Ordering::Relaxed);
    }

    fn noted<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result {
            self.failed.store(true, Ordering::Relaxed);
            if dialect::is_conflict(error) {
                self.conflict.store(true, Ordering::Relaxed);
            }
        }
        result
    }
}

fn ended() -> DbErr {
    DbErr::Custom("the transaction has ended".to_owned())
}

#[async_trait::async_trait]
impl ConnectionTrait for Link {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let open = self.transaction.lock().await;
        self.noted(
            open.as_ref()
                .ok_or_else(ended)?
                .execute_raw(statement)
                .await,
        )
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let open = self.transaction.lock().await;
        self.noted(
            open.as_ref()
                .ok_or_else(ended)?
                .execute_unprepared(sql)
                .await,
        )
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let open = self.transaction.lock().await;
        self.noted(
            open.as_ref()
                .ok_or_else(ended)?
                .query_one_raw(statement)
                .await,
        )
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let open = self.transaction.lock().await;
        self.noted(
            open.as_ref()
                .ok_or_else(ended)?
                .query_all_raw(statement)
                .await,
        )
    }
}
