//! Warnings about secret files that others can read: too wide a mode, or tracked by git.

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
        let mode = fs::metadata(project.root().join(name))
            .ok()?
            .permissions()
            .mode()
            & 0o777;
        (mode & 0o077 != 0).then(|| Exposure {
            say: say!("", name Quoted(name), " can be read by other users of this machine (mode ", Quoted(&format!("{mode:04o}")), ")"),
            hint: say!("`chmod 600 ", Quoted(name), "`"),
        })
    };
    SECRET_FILES.iter().filter_map(wide).collect()
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
