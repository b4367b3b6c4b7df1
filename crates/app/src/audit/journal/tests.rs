use super::*;
use tempfile::TempDir;

fn journal(bytes_max: u64) -> (TempDir, Journal) {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(&folder.path().join("logs"), bytes_max).expect("opened");
    (folder, journal)
}

fn line(seq: i64) -> String {
    format!("{{\"event_type\":\"x\",\"seq\":{seq},\"hash\":\"{seq:064}\"}}\n")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn lines_are_appended_and_a_torn_one_is_taken_away() {
    let (_folder, journal) = journal(BYTES_MAX);
    assert_eq!(journal.find_last().expect("read"), 0);
    journal
        .append(&(line(1) + &line(2)), "20260131")
        .expect("written");
    assert_eq!(mode(&journal.live()), 0o600);
    for torn in [
        "{\"event_ty",
        "{\"event_type\":\"x\",\"seq\":3,\"hash\":\"0\"}",
    ] {
        let text = line(1) + &line(2) + torn;
        fs::write(journal.live(), text).expect("written");
        assert_eq!(journal.find_last().expect("read"), 2, "{torn}");
        let text = fs::read_to_string(journal.live()).expect("read");
        assert_eq!(text, line(1) + &line(2));
    }
    fs::write(journal.live(), "{\"event_type\":\"x\",\"se").expect("written");
    assert_eq!(
        journal.find_unchained().expect("read"),
        None,
        "torn, but ours"
    );
    assert_eq!(journal.find_last().expect("read"), 0);
}

#[test]
fn a_full_file_is_packed_away_once_and_nothing_is_lost() {
    let (_folder, journal) = journal(250);
    for seq in 1..=9 {
        journal.append(&line(seq), "20260131").expect("written");
        assert_eq!(journal.find_last().expect("read"), seq);
    }
    let files = journal.list_files().expect("listed");
    let names: Vec<_> = files
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy())
        .collect();
    assert_eq!(
        names,
        [
            "audit.20260131.jsonl.gz",
            "audit.20260131_1.jsonl.gz",
            "audit.20260131_2.jsonl.gz",
            "audit.20260131_3.jsonl.gz",
            "audit.jsonl"
        ]
    );
    assert!(files.iter().all(|path| mode(path) == 0o600));
    let lines: Vec<_> = files
        .iter()
        .flat_map(|path| journal.read(path).expect("read"))
        .collect();
    assert_eq!(lines, (1..=9).map(line).collect::<Vec<_>>());
    // A crash after the packing: the same is not packed twice.
    let text = fs::read_to_string(journal.live()).expect("read");
    journal.pack_away("20260131").expect("packed");
    journal.pack_away("20260131").expect("packed");
    assert_eq!(journal.archives().expect("listed").len(), 5);
    assert_eq!(fs::read_to_string(journal.live()).expect("read"), text);
    // Without the file, what is packed away says where to go on.
    fs::remove_file(journal.live()).expect("removed");
    assert_eq!(journal.find_last().expect("read"), 9);
}

#[test]
fn a_file_of_another_program_is_put_aside() {
    let (_folder, journal) = journal(BYTES_MAX);
    assert_eq!(journal.find_unchained().expect("read"), None);
    for name in ["audit.legacy.jsonl", "audit.legacy_1.jsonl"] {
        fs::write(journal.live(), "{\"event\":\"login_success\"}\n").expect("written");
        let found = journal.find_unchained().expect("read");
        assert_eq!(found, Some(journal.live()));
        let kept = journal.keep_legacy().expect("renamed");
        assert_eq!(kept.file_name().expect("a name"), name);
        assert_eq!(mode(&kept), 0o600);
    }
    journal.append(&line(1), "20260131").expect("written");
    assert_eq!(journal.find_unchained().expect("read"), None);
}

#[test]
fn a_file_is_rewritten_as_what_it_was() {
    let (_folder, journal) = journal(100);
    journal.append(&line(1), "20260131").expect("written");
    journal.append(&line(2), "20260131").expect("written");
    for path in journal.list_files().expect("listed") {
        let mut lines = journal.read(&path).expect("read");
        lines[0] = lines[0].replace("\"x\"", "\"y\"");
        rewrite(&path, &lines).expect("written");
        assert_eq!(journal.read(&path).expect("read"), lines);
        assert_eq!(mode(&path), 0o600);
    }
}
