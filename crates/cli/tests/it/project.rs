//! A project in a temporary folder, and the binary run in it.

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder to run commands in; its environment is its own.
pub(crate) struct Project {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// Makes an empty folder that is no project.
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// Makes a project without sources.
    pub(crate) fn new() -> Self {
        let project = Self::empty();
        project.run(&["init"]).succeeded();
        project
    }

    /// Makes a project with the file source `shop`, which has five orders.
    pub(crate) fn shop() -> Self {
        let project = Self::new();
        project.write(
            "data/uploads/orders-1.csv",
            "order_id,sku,amount\n1,007,10.75\n2,008,3\n3,007,\n",
        );
        project.write(
            "data/uploads/orders-2.csv",
            "order_id,sku,amount\n4,009,1.5\n5,007,2\n",
        );
        project.write(".dango/sources.yml", SHOP);
        project
    }

    /// Makes a project with the source `shop`, synced.
    pub(crate) fn synced_shop() -> Self {
        let project = Self::shop();
        project.run(&["sync"]).succeeded();
        project
    }

    /// Makes another project that is as this one is now.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self::empty();
        let from = format!("{}/.", self.folder.path().display());
        let mut command = std::process::Command::new("cp");
        let copied = command.args(["-a", &from]).arg(copy.folder.path()).status();
        assert!(copied.expect("cp runs").success());
        copy
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).expect("it can be read")
    }

    /// Returns a command that is ready to run here.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dango"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path());
        command
    }

    /// Runs the binary without a terminal and without input.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, "", &[])
    }

    /// Runs the binary with something on stdin and variables of its own.
    pub(crate) fn run_with(&self, words: &[&str], stdin: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(words);
        command.write_stdin(stdin).envs(variables.iter().copied());
        let output = command.output().expect("the binary runs");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

/// Two CSV files, one table.
pub(crate) const SHOP: &str = "\
version: \"1.0\"
sources:
  # The shop's orders.
  - name: shop
    type: local_files
    description: orders
    local_files:
      directory: data/uploads
      tables:
        - {name: orders, pattern: 'orders-*.csv'}
";

impl Ran {
    /// Checks that the command did what it should and told no error.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert!(!self.stderr.contains("error:"), "{self:#?}");
        self
    }

    /// Checks exit code and error code, and that the error has its three lines.
    #[track_caller]
    pub(crate) fn failed(self, exit: i32, code: &str) -> Self {
        assert_eq!(self.code, Some(exit), "{self:#?}");
        assert!(self.stderr.contains("error: "), "{self:#?}");
        assert!(
            self.stderr.contains(&format!("code: {code}\n")),
            "{self:#?}"
        );
        self
    }

    /// Checks that stdout is one JSON document and returns it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        assert!(parsed.is_ok(), "{parsed:?}: {self:#?}");
        parsed.unwrap_or_default()
    }

    /// Checks that stderr is the JSON form of an error with this code.
    #[track_caller]
    pub(crate) fn json_error(&self, exit: i32, code: &str) -> Value {
        assert_eq!(self.code, Some(exit), "{self:#?}");
        let last = self.stderr.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_default();
        assert_eq!(
            error.pointer("/error/code"),
            Some(&Value::from(code)),
            "{self:#?}"
        );
        assert!(
            error
                .pointer("/error/message")
                .is_some_and(Value::is_string),
            "{self:#?}"
        );
        error
    }
}
