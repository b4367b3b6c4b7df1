//! A project: the folder with a `.dango/project.yml`, and where everything lives in it.

mod gitignore;
pub mod init;

use crate::environment::Environment;
use crate::error::{Error, Result};
use domain::{Code, say};
use fs_err as fs;
use std::path::{Path, PathBuf};

/// A project's folder. Only this type knows the names of what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)+) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> PathBuf {
            self.root.join($path)
        }
    )+};
}

impl Project {
    /// Finds the project: `explicit` (`--project`), else `DANGO_PROJECT_ROOT`, else the folder `start` or the nearest one
    /// above it that holds a `.dango/project.yml`.
    pub fn find(start: &Path, explicit: Option<&Path>, environment: &Environment) -> Result<Self> {
        if let Some(root) = explicit {
            return Self::open(root)
                .map_err(|error| error.hint("`--project` takes a project's folder"));
        }
        if let Some(root) = environment.setting("DANGO_PROJECT_ROOT") {
            let hint = "DANGO_PROJECT_ROOT takes a project's folder; unset it to search from here";
            return Self::open(Path::new(root)).map_err(|error| error.hint(hint));
        }
        let start = fs::canonicalize(start).map_err(|error| Error::file("read", start, error))?;
        match start
            .ancestors()
            .find(|folder| folder.join(".dango/project.yml").is_file())
        {
            Some(root) => Self::open(root),
            None => Err(Error::not_found(
                Code::ProjectNotFound,
                say!("no Dango project in ", name start, " or above it"),
            )
            .hint("create one with `dango init`, or name one with `--project FOLDER`")),
        }
    }

    /// Opens the project in `root`.
    pub fn open(root: &Path) -> Result<Self> {
        let missing = || {
            let say = say!(
                "",
                name root,
                " is no Dango project: it has no `.dango/project.yml`"
            );
            Error::not_found(Code::ProjectNotFound, say).hint("create one with `dango init`")
        };
        // Absolute and without links, so that what a caged child may see is what we mean.
        let root = fs::canonicalize(root).map_err(|error| missing().caused_by(error))?;
        let project = Self { root: root.clone() };
        if project.project_file().is_file() {
            Ok(project)
        } else {
            Err(missing())
        }
    }

    /// Returns the project's folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    places! {
        /// Where the configuration lies.
        config_dir = ".dango";
        project_file = ".dango/project.yml";
        sources_file = ".dango/sources.yml";
        secrets_file = ".dlt/secrets.toml";
        dlt_config_file = ".dlt/config.toml";
        env_file = ".env";
        /// Whether people sign in.
        auth_file = ".dango/auth.yml";
        /// What programs of this machine's user show while nobody signs in.
        local_token_file = ".dango/run/local.token";
        /// Where users drop their files.
        uploads_dir = "data/uploads";
        logs_dir = ".dango/logs";
        log_file = ".dango/logs/dango.jsonl";
        /// Private keys of the audit log and of sessions.
        keys_dir = ".dango/keys";
        run_dir = ".dango/run";
        lock_file = ".dango/run/lock";
        /// The secrets that sign session cookies.
        session_key_file = ".dango/keys/session.keys";
        /// Where the server listens for the command line.
        socket_file = ".dango/run/dango.sock";
        /// What DuckDB spills; emptied at every start of the worker.
        spill_dir = ".dango/run/spill";
        /// Connector files of the user's own.
        connectors_dir = "connectors";
    }

    /// Returns the metadata database: `DAP_DB_PATH` when it is set, else the project's own.
    pub fn metadata_file(&self, environment: &Environment) -> PathBuf {
        match environment.setting("DAP_DB_PATH") {
            Some(path) => self.root.join(path),
            None => self.root.join(".dango/metadata.db"),
        }
    }

    /// Returns `path` as messages name it: relative to the project where it lies inside.
    pub fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_path_buf()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tempfile::TempDir;

    /// Returns a folder with an empty `.dango/project.yml`.
    pub(crate) fn bare_project() -> (TempDir, Project) {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [".dango", ".dlt"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        fs::write(folder.path().join(".dango/project.yml"), "").expect("written");
        let project = Project::open(folder.path()).expect("a project");
        (folder, project)
    }

    #[test]
    fn a_project_is_found_from_below_from_the_flag_and_from_the_environment() {
        let (folder, project) = bare_project();
        let below = folder.path().join("dbt/models");
        fs::create_dir_all(&below).expect("created");
        let none = Environment::default();
        assert_eq!(Project::find(&below, None, &none).expect("found"), project);
        let elsewhere = tempfile::tempdir().expect("a folder");
        assert_eq!(
            Project::find(elsewhere.path(), Some(folder.path()), &none).expect("found"),
            project
        );
        let environment = Environment::from_pairs([("DANGO_PROJECT_ROOT", folder.path())]);
        assert_eq!(
            Project::find(elsewhere.path(), None, &environment).expect("found"),
            project
        );
    }

    #[test]
    fn a_folder_without_a_project_is_named() {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let none = Environment::default();
        for explicit in [
            None,
            Some(elsewhere.path()),
            Some(Path::new("/nonexistent")),
        ] {
            let error = Project::find(elsewhere.path(), explicit, &none).expect_err("no project");
            assert_eq!(error.code, Code::ProjectNotFound);
            assert!(!error.hint.is_empty());
        }
        let environment = Environment::from_pairs([("DANGO_PROJECT_ROOT", "/nonexistent")]);
        let error = Project::find(elsewhere.path(), None, &environment).expect_err("no project");
        assert!(error.hint.as_str().contains("DANGO_PROJECT_ROOT"));
    }
}
