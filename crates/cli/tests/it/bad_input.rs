//! Bad input of every kind: each case gives one clear error (what, why, what next), the right exit code and an unchanged
//! warehouse.
//!
//! The cases of a group share one synced project. A case puts files into it, runs one command, and takes them out again.

mod api;
mod command_lines;
mod configuration;
mod damage;
mod databases;
mod disk;
mod files;
mod http;
mod protection;

use crate::project::{Project, Ran, SHOP};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Everything a user sees of the warehouse of [`Project::synced_shop`]: its tables and its rows.
const FINGERPRINT: &str = "SELECT count(*)::INT AS n, md5(string_agg(o::VARCHAR, '|' ORDER BY order_id)) AS rows, \
    (SELECT string_agg(table_schema || '.' || table_name, ' ' ORDER BY table_schema, table_name) FROM information_schema.tables \
     WHERE NOT starts_with(table_name, '_')) AS tables FROM raw_shop.orders o";

/// What may stand on stdout beside an error.
enum Stdout {
    Nothing,
    /// The table of a sync, which names the error of the source.
    SyncTable,
}

/// One bad input and what it gives.
struct Case {
    name: &'static str,
    files: Vec<(PathBuf, Vec<u8>)>,
    words: Vec<String>,
    exit: i32,
    code: &'static str,
    says: Vec<String>,
    hides: Vec<&'static str>,
    stdout: Stdout,
}

impl Case {
    /// Returns a case that runs `words`.
    fn run(name: &'static str, words: &[&str]) -> Self {
        let words = words.iter().map(ToString::to_string).collect();
        Self {
            name,
            files: Vec::new(),
            words,
            exit: 1,
            code: "",
            says: Vec::new(),
            hides: Vec::new(),
            stdout: Stdout::Nothing,
        }
    }

    /// Returns a case that syncs the source `bad`, which is `source` as a YAML flow map without its name.
    fn sync(name: &'static str, source: &str) -> Self {
        let mut case = Self::run(name, &["sync", "bad"])
            .sources(&format!("{SHOP}  - {{name: bad, {source}}}\n"));
        case.stdout = Stdout::SyncTable;
        case
    }

    /// Returns a case that syncs the files source `bad` with one file in it.
    fn file(name: &'static str, file: &str, content: impl Into<Vec<u8>>) -> Self {
        Self::sync(
            name,
            "type: local_files, local_files: {directory: data/bad, file_pattern: '*'}",
        )
        .with(&format!("data/bad/{file}"), content)
    }

    /// Puts a file into the project for this case.
    fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }

    /// Replaces `sources.yml` for this case.
    fn sources(self, text: &str) -> Self {
        self.with(".dango/sources.yml", text)
    }

    /// Says how the case must end: each of `says` stands in the error.
    fn fails(mut self, exit: i32, code: &'static str, says: &[&str]) -> Self {
        (self.exit, self.code) = (exit, code);
        self.says = says.iter().map(ToString::to_string).collect();
        self
    }

    /// Says what may not stand anywhere.
    fn hides(mut self, text: &'static str) -> Self {
        self.hides.push(text);
        self
    }

    /// Says that nothing was begun, or that stdout is something else.
    fn stdout(mut self, stdout: Stdout) -> Self {
        self.stdout = stdout;
        self
    }

    /// Returns what is wrong with how the case ended.
    fn complaints(&self, ran: &Ran) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let both = format!("{}{}", ran.stdout, ran.stderr);
        expect(ran.code == Some(self.exit), format!("exit {}", self.exit));
        expect(ran.stderr.contains("error: "), "an error".into());
        expect(ran.stderr.contains("hint: "), "a hint".into());
        let code = format!("code: {}\n", self.code);
        expect(ran.stderr.contains(&code), code);
        for part in &self.says {
            expect(ran.stderr.contains(part), format!("`{part}`"));
        }
        for text in self
            .hides
            .iter()
            .chain(&["panicked", "RUST_BACKTRACE", "stack backtrace"])
        {
            expect(!both.contains(text), format!("no `{text}`"));
        }
        let failed = format!("failed: {}", self.code);
        let fits = match self.stdout {
            Stdout::Nothing => ran.stdout.is_empty(),
            Stdout::SyncTable => ran.stdout.starts_with("SOURCE") && ran.stdout.contains(&failed),
        };
        expect(fits, "another stdout".into());
        wrong
    }
}

/// A project that is synced once and never again.
struct Bench {
    project: Project,
    before: String,
    wrong: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        let project = Project::synced_shop();
        let before = fingerprint(&project);
        assert!(before.contains("raw_shop.orders"), "{before}");
        Self {
            project,
            before,
            wrong: Vec::new(),
        }
    }

    /// Plays the cases and tells all that went wrong at once.
    #[track_caller]
    fn check(mut self, cases: Vec<Case>) {
        let count = cases.len();
        for case in cases {
            self.play(&case);
        }
        assert!(
            self.wrong.is_empty(),
            "{} of {count} cases are wrong:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
    }

    fn play(&mut self, case: &Case) {
        let originals: Vec<_> = case
            .files
            .iter()
            .map(|(path, _)| std::fs::read(self.project.path(path)).ok())
            .collect();
        for (path, content) in &case.files {
            self.put(path, Some(content));
        }
        let words: Vec<&str> = case.words.iter().map(String::as_str).collect();
        let ran = self.project.run(&words);
        let mut wrong = case.complaints(&ran);
        for ((path, content), original) in case.files.iter().zip(originals) {
            if std::fs::read(self.project.path(path)).ok().as_ref() != Some(content) {
                wrong.push(format!("an untouched `{}`", path.display()));
            }
            self.put(path, original.as_deref());
        }
        if fingerprint(&self.project) != self.before {
            wrong.push("an unchanged warehouse".into());
        }
        if !wrong.is_empty() {
            let words = words.join(" ");
            self.wrong.push(format!(
                "{}: expected {wrong:?}\n$ dango {words}\n{ran:#?}",
                case.name
            ));
        }
    }

    /// Writes a file, or removes it.
    fn put(&self, path: &PathBuf, content: Option<&[u8]>) {
        let path = self.project.path(path);
        assert!(!path.as_os_str().as_bytes().contains(&0), "no path");
        match content {
            Some(content) => {
                fs_err::create_dir_all(path.parent().expect("a folder")).expect("created");
                std::fs::write(path, content).expect("written");
            }
            None => std::fs::remove_file(path).expect("removed"),
        }
    }
}

/// Returns what a user sees of the warehouse.
fn fingerprint(project: &Project) -> String {
    project
        .run(&["query", FINGERPRINT, "--json"])
        .succeeded()
        .stdout
}
