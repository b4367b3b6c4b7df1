//! What is particular to a database that is a file.

use crate::databases::{Database, Factory as _, Sqlite, allow, here};
use sea_orm::ConnectionTrait as _;
use security::Event;
use security::permissions::SourceSync;
use std::os::unix::fs::PermissionsExt;
use store::StoreError;

/// Runs `sql` behind the store's back.
async fn tamper(database: &Database, sql: &str) {
    let url = format!("sqlite://{}?mode=rwc", database.path().display());
    let db = sea_orm::Database::connect(url).await.expect("it opens");
    db.execute_unprepared(sql).await.expect("it runs");
    db.close().await.expect("it closes");
}

#[tokio::test]
async fn only_the_owner_may_read_the_file_and_its_companions() {
    let database = Sqlite::create();
    fs_err::write(database.path(), "").expect("a file");
    fs_err::set_permissions(database.path(), PermissionsExt::from_mode(0o644)).expect("it is ours");
    let store = database.open().await;
    store
        .record(&allow::<SourceSync>(), Event::SyncTriggered)
        .await
        .expect("it commits");
    let folder = database.folder();
    let mut count = 0;
    for entry in fs_err::read_dir(folder).expect("it reads") {
        let entry = entry.expect("it reads");
        let mode = entry.metadata().expect("it reads").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        count += 1;
    }
    assert_eq!(count, 3, "the file, its log and the log's index");
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing() {
    let database = Sqlite::create();
    let store = database.open().await;
    store
        .record(&allow::<SourceSync>(), Event::SyncTriggered)
        .await
        .expect("it commits");
    store.close().await.expect("it closes");
    assert_eq!(
        crate::databases::audit_rows(&database.open().await)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let database = Sqlite::create();
    database.open().await.close().await.expect("it closes");
    tamper(
        &database,
        "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)",
    )
    .await;
    let refused = database.try_open_as(here()).await.map(drop);
    assert!(
        matches!(&refused, Err(StoreError::SchemaNewer { newest }) if newest == "m9999_future"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_alone() {
    let database = Sqlite::create();
    tamper(&database, "CREATE TABLE audit_log (id TEXT)").await;
    fs_err::set_permissions(database.path(), PermissionsExt::from_mode(0o640)).expect("it is ours");
    let before = fs_err::read(database.path()).expect("it reads");
    let refused = database.try_open_as(here()).await.map(drop);
    assert!(
        matches!(refused, Err(StoreError::SchemaForeign)),
        "{refused:?}"
    );
    assert!(fs_err::read(database.path()).expect("it reads") == before);
    let mode = fs_err::metadata(database.path())
        .expect("it reads")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let folder = database.folder();
    assert_eq!(fs_err::read_dir(folder).expect("it reads").count(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let database = Sqlite::create();
    let text = "not a database, but longer than the header of one. ".repeat(100);
    fs_err::write(database.path(), &text).expect("a file");
    let refused = database.try_open_as(here()).await.map(drop);
    assert!(
        matches!(refused, Err(StoreError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(
        fs_err::read_to_string(database.path()).expect("it reads"),
        text
    );
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let database = Sqlite::create();
    fs_err::remove_dir_all(database.folder()).expect("it is ours");
    let Err(StoreError::File(error)) = database.try_open_as(here()).await.map(drop) else {
        panic!("it opened");
    };
    let path = database.path().display().to_string();
    assert!(error.to_string().contains(&path), "{error}");
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_undone() {
    let database = Sqlite::create();
    let store = database.open().await;
    store.close().await.expect("it closes");
    let url = format!("sqlite://{}?mode=rwc", database.path().display());
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1);
    let db = sea_orm::Database::connect(options).await.expect("it opens");
    let half = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (x TEXT); \
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
        INSERT INTO half SELECT hex(randomblob(200)) FROM n;";
    db.execute_unprepared(half).await.expect("it runs");
    let killed = Sqlite::create();
    for suffix in ["", "-journal"] {
        let name = format!("metadata.db{suffix}");
        let (from, to) = (
            database.path().with_file_name(&name),
            killed.path().with_file_name(&name),
        );
        fs_err::copy(from, to).expect("both are there");
    }
    let store = killed.open().await;
    assert_eq!(crate::databases::audit_rows(&store).await, []);
}
