//! A disk that is full.

use super::FINGERPRINT;
use crate::project::{Project, SHOP};
use std::fmt::Write as _;
use std::process::Command;

/// Runs in a mount namespace of its own, so that the small disk goes with the process.
const SCRIPT: &str = r#"set -u; mount -t tmpfs -o size="$2" dango-test "$1" || exit 99
dango=$3; query=$4
"$dango" sync shop >/dev/null 2>&1 || exit 98
"$dango" query "$query" --json > ../before.json || exit 97
"$dango" sync big > ../stdout 2> ../stderr; echo $? > ../code
"$dango" query "$query" --json > ../after.json || exit 96
"$dango" sync shop >/dev/null || exit 95
"#;

/// Syncs more than fits on the disk that holds `place`, and returns exit code, stderr, and whether the warehouse is unchanged.
fn fill_up(place: &str, size: &str, source: &str) -> (String, String, bool) {
    let outer = Project::empty();
    let folder = outer.path("project");
    fs_err::create_dir_all(&folder).expect("created");
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).current_dir(&folder).env_clear();
        command
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", outer.path(""));
        command.output().expect("it runs")
    };
    let dango = env!("CARGO_BIN_EXE_dango");
    assert!(run(dango, &["init"]).status.success());
    outer.write(
        "files/orders-1.csv",
        "order_id,sku,amount\n1,007,10.75\n2,008,3\n",
    );
    let mut rows = String::from("id,a,b\n");
    for id in 0..400_000_u64 {
        // Numbers that do not compress.
        let (a, b) = (noise(id), noise(!id));
        writeln!(rows, "{id},{a:016x},{b:016x}").expect("a string");
    }
    outer.write("files/big-1.csv", &rows);
    let shop = SHOP.replace("data/uploads", &outer.path("files").display().to_string());
    let big = source.replace("FILES", &outer.path("files").display().to_string());
    outer.write(
        "project/.dango/sources.yml",
        &format!("{shop}  - {{name: big, {big}}}\n"),
    );
    let mut words = vec!["--mount"];
    if !rustix::process::geteuid().is_root() {
        words.extend(["--user", "--map-root-user"]);
    }
    words.extend(["sh", "-c", SCRIPT, "sh", place, size, dango, FINGERPRINT]);
    let output = run("unshare", &words);
    assert_eq!(
        output.status.code(),
        Some(0),
        "a small disk needs root, or user namespaces for everybody: {output:#?} {}",
        fs_err::read_to_string(outer.path("stderr")).unwrap_or_default()
    );
    let code = outer.read("code").trim().to_owned();
    (
        code,
        outer.read("stderr"),
        outer.read("before.json") == outer.read("after.json"),
    )
}

/// splitmix64.
fn noise(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn a_full_disk_undoes_the_sync_and_the_next_one_works() {
    let files = "type: local_files, local_files: {directory: FILES, tables: [{name: big, pattern: 'big-*.csv'}]}";
    let (code, stderr, unchanged) = fill_up("data", "8m", files);
    assert_eq!(code, "75", "{stderr}");
    assert!(
        stderr.contains("code: disk_full\n") && stderr.contains("hint: free some space"),
        "{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(unchanged, "{stderr}");
}
