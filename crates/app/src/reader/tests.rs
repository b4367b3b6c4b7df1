//! A real reader in its cage, streaming into a socket that the test reads.

use super::*;
use connect::files::{Decision, FilesConfig, plan};
use domain::{ColumnType, SourceName, TableRef};
use serde_json::json;
use std::io::Read;
use std::os::unix::net::UnixStream;

fn launcher() -> Launcher {
    let test = "reader::tests::child_role_entry";
    let args = [test, "--exact", "--test-threads=1", "--nocapture"];
    Launcher::new(std::env::current_exe().unwrap(), args)
}

/// Not a test of its own: where a reader starts.
#[test]
fn child_role_entry() {
    if sandbox::is_child() {
        run(sandbox::enter().unwrap()).unwrap();
    }
}

struct Setup {
    folder: tempfile::TempDir,
    reader: Reader,
}

impl Setup {
    async fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs_err::write(folder.path().join(name), bytes).unwrap();
        }
        let directory = folder.path().canonicalize().unwrap();
        let reader = Reader::start(&launcher(), &directory, Policy::WherePossible)
            .await
            .unwrap();
        Self { folder, reader }
    }

    fn file(&self, name: &str) -> ReaderFile {
        let source = SourceName::parse("shop").unwrap();
        let block = json!({"directory": self.folder.path(), "file_pattern": name});
        let config = FilesConfig::parse(&source, &block).unwrap();
        let plan = plan(&config, self.folder.path()).unwrap();
        let table = &plan.tables[0];
        ReaderFile::new(&table.files[0], &table.table.options)
    }

    /// Inspects a file and streams its rows; returns the report, the bytes of the stream and the progress.
    async fn read(&mut self, name: &str) -> Result<(ReadReport, Vec<u8>, Vec<u64>), Failure> {
        let file = self.file(name);
        let inspection = self.reader.inspect(&file, "shop", &[]).await?;
        let mut decision = Decision::new(None);
        decision.add(&inspection.tables[0]);
        let table = TableRef::new("raw_shop", "shop");
        let tables = vec![TableSchema {
            table,
            columns: decision.columns(),
            primary_key: vec![],
        }];
        let (ours, theirs) = UnixStream::pair().unwrap();
        let taken = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            (&ours).read_to_end(&mut bytes).map(|_| bytes)
        });
        let (said, heard) = std::sync::mpsc::sync_channel(1000);
        let progress = move |rows| said.send(rows).unwrap();
        let request = StreamRequest {
            columns: tables[0].columns.clone(),
            table: "shop".into(),
            tables,
        };
        let report = async {
            self.reader.open(request, theirs.into()).await?;
            let report = self.reader.read(&file, &inspection, progress).await?;
            self.reader.finish().await?;
            Ok(report)
        };
        let report: Result<_, Failure> = report.await;
        let bytes = taken.join().unwrap().unwrap();
        report.map(|report| (report, bytes, heard.into_iter().collect()))
    }
}

#[tokio::test]
async fn a_file_is_hashed_inspected_and_streamed() {
    let text = "id,amount\n".to_owned() + &"1,2.5\n".repeat(120_000);
    let mut setup = Setup::new(&[("a.csv", text.as_bytes())]).await;
    let file = setup.file("a.csv");
    let (hash, bytes) = setup.reader.hash(&file).await.unwrap();
    assert_eq!(
        (hash.as_str(), bytes),
        (
            blake3::hash(text.as_bytes()).to_hex().as_str(),
            text.len() as u64
        )
    );
    let inspection = setup.reader.inspect(&file, "shop", &[]).await.unwrap();
    assert_eq!(inspection.hash, hash);
    assert_eq!(
        inspection.tables[0].columns[0].kind,
        Some(ColumnType::BigInt)
    );
    let (report, stream, progress) = setup.read("a.csv").await.unwrap();
    assert_eq!(
        report,
        ReadReport {
            rows: 120_000,
            bytes: text.len() as u64
        }
    );
    assert!(
        stream.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        "no end-of-stream marker"
    );
    assert!(progress.len() == 2 && progress.is_sorted(), "{progress:?}");
}

#[tokio::test]
async fn a_failure_comes_out_of_the_cage_in_words_and_the_reader_goes_on() {
    let mut setup = Setup::new(&[
        ("bad.csv", b"a,b\n1\n"),
        ("good.csv", b"a\n1\n"),
        ("bad.parquet", b"x"),
    ])
    .await;
    let bad = setup.file("bad.csv");
    let failure = setup
        .reader
        .inspect(&bad, "shop", &[])
        .await
        .expect_err("ragged");
    assert_eq!(failure.kind, FailureKind::FileInvalid);
    assert_eq!(
        failure.say.as_str(),
        "file `bad.csv` has 1 cell in line 2 where 2 are expected"
    );
    assert!(failure.hint.as_str().contains("ragged: pad"));
    let failure = setup.read("bad.parquet").await.expect_err("no Parquet");
    assert_eq!(failure.kind, FailureKind::FileInvalid, "{failure}");
    assert_eq!(setup.read("good.csv").await.unwrap().0.rows, 1);
}

#[tokio::test]
async fn files_outside_the_directory_cannot_be_read() {
    let mut setup = Setup::new(&[("a.csv", b"a\n1\n")]).await;
    let outside = tempfile::tempdir().unwrap();
    fs_err::write(outside.path().join("secret.csv"), "a\n1\n").unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("secret.csv"),
        setup.folder.path().join("link.csv"),
    )
    .unwrap();
    let mut file = setup.file("a.csv");
    for path in ["../secret.csv", "/etc/passwd", "link.csv"] {
        path.clone_into(&mut file.path);
        // The parent plans neither; without Landlock the link would be followed.
        if path == "link.csv" && !sandbox::level().is_caged() {
            continue;
        }
        let failure = setup.reader.hash(&file).await.expect_err(path);
        assert!(
            matches!(
                failure.kind,
                FailureKind::Forbidden | FailureKind::ConfigInvalid
            ),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_reader_that_dies_is_named_with_its_file() {
    let mut setup = Setup::new(&[("a.csv", b"a\n1\n")]).await;
    setup.reader.child.kill();
    let file = setup.file("a.csv");
    let failure = setup.reader.hash(&file).await.expect_err("dead");
    assert!(
        failure.say.as_str().contains("ended while it read `a.csv`"),
        "{failure}"
    );
}
