//! The schema, as forward steps. A released step is never edited: a change is a new step that expands, and a later one that
//! contracts.

mod columns;
mod m0001_spine;
mod m0002_people;
mod m0003_audit;
mod m0004_factors;
mod m0005_device_sign_ins;
mod m0006_setup_codes;

use crate::dialect;
use crate::error::StoreError;
use crate::file;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, QueryOrder, TransactionTrait};
use sea_orm_migration::seaql_migrations::{Column, Entity};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use std::path::Path;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_spine::Migration),
            Box::new(m0002_people::Migration),
            Box::new(m0003_audit::Migration),
            Box::new(m0004_factors::Migration),
            Box::new(m0005_device_sign_ins::Migration),
            Box::new(m0006_setup_codes::Migration),
        ]
    }
}

/// What a database still needs.
#[derive(Debug, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// The database is new.
    Everything,
    /// The database has an older schema; the name is that of the first missing step.
    Later(String),
}

/// Returns the error of a database that is not ours, or too new for us.
pub(crate) async fn check(db: &DatabaseConnection) -> Result<(), StoreError> {
    look(db).await.map(drop)
}

/// Returns what `db` still needs.
async fn look(db: &DatabaseConnection) -> Result<Pending, StoreError> {
    // One snapshot: between two looks another process may have made the schema.
    let snapshot = db
        .begin_with_options(dialect::read_options(db.get_database_backend()))
        .await?;
    let needed = pending(&SchemaManager::new(&snapshot)).await;
    snapshot.rollback().await?;
    needed
}

/// Brings the schema of `db` up to date, in one transaction. `file` is the file it stands in, which is copied first.
pub(crate) async fn apply(db: &DatabaseConnection, file: Option<&Path>) -> Result<(), StoreError> {
    match look(db).await? {
        Pending::Nothing => return Ok(()),
        Pending::Everything => {}
        Pending::Later(step) => {
            if let Some(file) = file {
                back_up(db, file, &step).await?;
            }
        }
    }
    let (options, lock) = dialect::migration(db.get_database_backend());
    let transaction = db.begin_with_options(options).await?;
    if let Some(lock) = lock {
        transaction.execute_raw(lock).await?;
    }
    // Another process may have been faster.
    if !matches!(
        pending(&SchemaManager::new(&transaction)).await?,
        Pending::Nothing
    ) {
        Migrator::up(&transaction, None).await?;
    }
    domain::fault::point("store migrate commit");
    Ok(transaction.commit().await?)
}

async fn pending(schema: &SchemaManager<'_>) -> Result<Pending, StoreError> {
    let applied = applied(schema).await?;
    // DAP's own database has a table `audit_log` too.
    if applied.is_empty()
        && (schema.has_table("audit_log").await? || has_foreign_tables(schema).await?)
    {
        return Err(StoreError::SchemaForeign);
    }
    let steps = Migrator::migrations();
    let known: Vec<_> = steps.iter().map(|step| step.name()).collect();
    compare(&applied, &known)
}

/// Returns whether a file without any step of ours has tables all the same.
async fn has_foreign_tables(schema: &SchemaManager<'_>) -> Result<bool, StoreError> {
    let db = schema.get_connection();
    let Some(statement) = dialect::foreign_tables_statement(db.get_database_backend()) else {
        return Ok(false);
    };
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// Compares the steps a database has with those this version knows, both in order.
fn compare(applied: &[String], known: &[&str]) -> Result<Pending, StoreError> {
    if let Some(newest) = applied
        .iter()
        .rev()
        .find(|step| !known.contains(&step.as_str()))
    {
        return Err(StoreError::SchemaNewer {
            newest: newest.clone(),
        });
    }
    let missing = known
        .iter()
        .find(|step| !applied.iter().any(|applied| applied == *step));
    Ok(match missing {
        None => Pending::Nothing,
        Some(_) if applied.is_empty() => Pending::Everything,
        Some(step) => Pending::Later((*step).to_owned()),
    })
}

/// Returns the names of the applied steps in order. It does not create the table they stand in: a start that changes nothing
/// writes nothing.
async fn applied(schema: &SchemaManager<'_>) -> Result<Vec<String>, StoreError> {
    if !schema.has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let steps = Entity::find()
        .order_by_asc(Column::Version)
        .all(schema.get_connection())
        .await?;
    Ok(steps.into_iter().map(|step| step.version).collect())
}

async fn back_up(db: &DatabaseConnection, database: &Path, step: &str) -> Result<(), StoreError> {
    let copy = file::Copy::begin(database, step)?;
    db.execute_raw(dialect::copy_statement(copy.path()?))
        .await?;
    let made = copy.finish()?;
    tracing::info!(store.backup = %made.display(), store.migration = step, "backed the metadata database up");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_schema_is_new_current_older_or_newer() {
        let check = |applied: &[&str], expect: Option<Pending>| {
            let applied: Vec<_> = applied.iter().map(|step| (*step).to_owned()).collect();
            assert_eq!(
                compare(&applied, &["m1", "m2", "m3"]).ok(),
                expect,
                "{applied:?}"
            );
        };
        check(&[], Some(Pending::Everything));
        check(&["m1"], Some(Pending::Later("m2".into())));
        check(&["m1", "m2", "m3"], Some(Pending::Nothing));
        check(&["m1", "m2", "m3", "m4"], None);
    }

    #[tokio::test]
    async fn a_backup_is_whole_and_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("it's metadata.db");
        file::prepare(&path).expect("a file");
        let db = dialect::connect_sqlite(&path, dialect::Access::Write)
            .await
            .expect("it opens");
        apply(&db, Some(&path)).await.expect("a new schema");
        // Twice, because a start may die after the backup.
        for _ in 0..2 {
            back_up(&db, &path, "m0002_next").await.expect("a backup");
        }
        let names: Vec<_> = fs_err::read_dir(folder.path())
            .expect("it reads")
            .map(|entry| {
                entry
                    .expect("it reads")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let backup = folder
            .path()
            .join("it's metadata.db.before-m0002_next.backup");
        let mode = fs_err::metadata(&backup)
            .expect("it stands there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let copy = dialect::connect_sqlite(&backup, dialect::Access::Look)
            .await
            .expect("it opens");
        assert_eq!(
            pending(&SchemaManager::new(&copy)).await.ok(),
            Some(Pending::Nothing)
        );
    }
}
