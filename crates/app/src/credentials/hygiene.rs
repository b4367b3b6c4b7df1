//! Warnings about files that others can read: secrets with too wide a mode, or tracked by git, and the warehouse.

use crate::project::Project;
use domain::say::Quoted;
use domain::{Say, say};
use fs_err as fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// A file that others can read, and the command that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    pub say: Say,
    pub hint: Say,
}

/// Files that hold secrets, relative to the project.
const SECRET_FILES: [&str; 4] = [
    ".dlt/secrets.toml",
    ".env",
    ".env.local",
    ".dlt/.encryption_key",
];
/// Where git is installed; the user's `PATH` may name anything.
const GIT: [&str; 4] = [
    "/usr/bin/git",
    "/usr/local/bin/git",
    "/opt/homebrew/bin/git",
    "/bin/git",
];
/// git answers from its index in milliseconds, or something is wrong with it.
const GIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the secret files of `project` that others can read.
pub async fn check(project: &Project) -> Vec<Exposure> {
    let mut exposed = wide_modes(project);
    exposed.extend(tracked(project).await);
    exposed
}

/// Returns the secret files whose mode lets others read them.
pub fn wide_modes(project: &Project) -> Vec<Exposure> {
    let wide = |name: &&str| {
        let path = project.root().join(name);
        wide_mode(&path).map(|mode| exposure(Path::new(name), "read", mode, "600"))
    };
    SECRET_FILES.iter().filter_map(wide).collect()
}

/// Returns that others can read a file with a secret that somebody named. Below `/run/secrets` it is for whoever runs the
/// container to say who can.
pub fn wide_file(path: &Path) -> Option<Exposure> {
    if path.starts_with("/run/secrets") {
        return None;
    }
    wide_mode(path).map(|mode| exposure(path, "read", mode, "600"))
}

/// Returns whether others can read the warehouse, or go into its folder.
pub fn wide_warehouse(project: &Project, file: &Path) -> Vec<Exposure> {
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let Some(mode) = wide_mode(folder) else {
        // Nobody else gets as far as the file.
        return Vec::new();
    };
    let mut exposed = vec![exposure(&project.shown(folder), "entered", mode, "700")];
    if let Some(mode) = wide_mode(file) {
        exposed.push(exposure(&project.shown(file), "read", mode, "600"));
    }
    exposed
}

/// Returns the mode of a file or folder when it gives others any right.
fn wide_mode(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

fn exposure(path: &Path, done: &'static str, mode: u32, mended: &'static str) -> Exposure {
    let (path, mode) = (path.to_string_lossy(), format!("{mode:04o}"));
    Exposure {
        say: say!(
            "", name Quoted(&path), " can be ", Say::new(done), " by other users of this machine (mode ", Quoted(&mode), ")"
        ),
        hint: say!("`chmod ", Say::new(mended), " ", Quoted(&path), "`"),
    }
}

/// Returns the secret files that git tracks; none when git does not answer.
async fn tracked(project: &Project) -> Vec<Exposure> {
    let is_repository = project
        .root()
        .ancestors()
        .any(|folder| folder.join(".git").exists());
    let Some(git) = GIT
        .iter()
        .map(Path::new)
        .find(|git| is_repository && git.exists())
    else {
        return Vec::new();
    };
    let mut command = tokio::process::Command::new(git);
    command
        // A repository's own configuration may name programs to run; neither of these is one for `ls-files` to start.
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "ls-files",
            "-z",
            "--",
        ])
        .args(SECRET_FILES)
        .current_dir(project.root())
        .env_clear()
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let Ok(Ok(answer)) = tokio::time::timeout(GIT_TIMEOUT, command.output()).await else {
        return Vec::new();
    };
    let listed = String::from_utf8_lossy(&answer.stdout).into_owned();
    let exposure = |name: &str| Exposure {
        say: say!("", name Quoted(name), " is tracked by git: everybody with the repository has its secrets"),
        hint: say!(
            "`git rm --cached ",
            Quoted(name),
            "`, commit, and replace every secret in it at its provider"
        ),
    };
    listed
        .split('\0')
        .filter(|name| SECRET_FILES.contains(name))
        .map(exposure)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::bare_project;
    use std::fs::Permissions;
    use std::process::Command;

    #[test]
    fn a_warehouse_that_others_can_read_is_reported_with_its_fix() {
        let (folder, project) = bare_project();
        let (data, file) = (
            folder.path().join("data"),
            project.root().join("data/w.duckdb"),
        );
        assert_eq!(wide_warehouse(&project, &file), []);
        fs::create_dir(&data).expect("created");
        fs::write(&file, "").expect("written");
        for (folder_mode, file_mode, expect) in [
            (0o700, 0o644, &[][..]),
            (0o755, 0o600, &["`chmod 700 data`"]),
            (
                0o755,
                0o644,
                &["`chmod 700 data`", "`chmod 600 data/w.duckdb`"],
            ),
        ] {
            fs::set_permissions(&data, Permissions::from_mode(folder_mode)).expect("set");
            fs::set_permissions(&file, Permissions::from_mode(file_mode)).expect("set");
            let found = wide_warehouse(&project, &file);
            let hints: Vec<_> = found.iter().map(|found| found.hint.as_str()).collect();
            assert_eq!(hints, expect, "{folder_mode:o} {file_mode:o}");
        }
    }

    #[tokio::test]
    async fn a_wide_mode_and_a_tracked_file_are_reported_with_their_fix() {
        let (folder, project) = bare_project();
        assert_eq!(check(&project).await, []);
        for name in [".env", ".dlt/secrets.toml"] {
            fs::write(folder.path().join(name), "").expect("written");
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600))
                .expect("set");
        }
        assert_eq!(check(&project).await, []);
        fs::set_permissions(project.secrets_file(), Permissions::from_mode(0o640)).expect("set");
        let found = check(&project).await;
        assert_eq!(found.len(), 1);
        assert!(found[0].say.as_str().contains("mode 0640"), "{found:?}");
        assert_eq!(found[0].hint.as_str(), "`chmod 600 .dlt/secrets.toml`");

        let git = |arguments: &[&str]| {
            let status = Command::new("git")
                .args(arguments)
                .current_dir(folder.path())
                .status();
            assert!(status.expect("git is installed").success());
        };
        git(&["init", "-q"]);
        assert_eq!(check(&project).await.len(), 1);
        git(&["add", "-f", ".env"]);
        let found = check(&project).await;
        assert_eq!(found.len(), 2);
        assert!(
            found[1]
                .say
                .as_str()
                .starts_with("`.env` is tracked by git"),
            "{found:?}"
        );
    }
}
