//! Canaries: secrets of every kind in every place, every command over them, and then a search of every byte that came out or
//! was written down.

mod apis;
mod commands;
mod databases;
mod faults;
mod misplaced;
mod secret;
mod server;

use crate::project::{Project, Ran};
use secret::{Canary, Search};
use std::path::Path;

/// Where users put secrets themselves; everything else is searched.
const WRITTEN_BY_USERS: [&str; 7] = [
    ".dlt/secrets.toml",
    ".env",
    ".dango/sources.yml",
    "connectors/pay.yml",
    "key.txt",
    "keys.txt",
    "broken.yml",
];

/// Everything that came out of the commands so far.
struct Sweep {
    project: Project,
    canaries: Vec<Canary>,
    search: Search,
    variables: Vec<(String, String)>,
    leaks: Vec<String>,
}

impl Sweep {
    fn new() -> Self {
        Self {
            project: Project::new(),
            canaries: Vec::new(),
            search: Search::default(),
            variables: Vec::new(),
            leaks: Vec::new(),
        }
    }

    /// Makes the canary `name`; what a letter or digit is not, is there to be encoded.
    fn canary(&mut self, name: &'static str, shape: &str) -> String {
        let number = self.canaries.len() as u64 + 1;
        let canary = Canary::new(name, number, shape);
        let value = canary.value.clone();
        self.search.add(&canary);
        self.canaries.push(canary);
        value
    }

    /// Makes a canary and returns it as it is and as a URL holds it.
    fn url_canary(&mut self, name: &'static str, shape: &str) -> (String, String) {
        let value = self.canary(name, shape);
        let percent = self.canaries.last().map(Canary::percent);
        (value, percent.unwrap_or_default())
    }

    fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn run(&mut self, words: &[&str]) -> Ran {
        self.run_with(words, "")
    }

    /// Runs a command with all there is to log and searches what it says.
    fn run_with(&mut self, words: &[&str], stdin: &str) -> Ran {
        let mut variables: Vec<_> = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        // Also what libraries log, whether or not it is meant to be read.
        variables.push(("DANGO_LOG", "trace"));
        let ran = self.project.run_with(words, stdin, &variables);
        let said = [("stdout", &ran.stdout), ("stderr", &ran.stderr)];
        for (place, text) in said {
            self.search(&format!("{place} of {words:?}"), text.as_bytes());
        }
        assert!(
            ran.code.is_some_and(|code| code != 70 && code < 100),
            "{words:?}: {ran:#?}"
        );
        ran
    }

    fn search(&mut self, place: &str, bytes: &[u8]) {
        for trace in self.search.traces(bytes) {
            self.leaks.push(format!(
                "{place}: {} as {}: …{}…",
                trace.canary, trace.form, trace.near
            ));
        }
    }

    /// Searches every file below the project that the user did not write himself.
    fn search_files(&mut self) {
        let root = self.project.path("");
        let mut folders = vec![root.clone()];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path
                    .strip_prefix(&root)
                    .expect("below the project")
                    .to_path_buf();
                if path.is_symlink() {
                    // What it leads to is searched in its own place.
                } else if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() && !is_users(&name) {
                    let bytes = fs_err::read(&path).expect("a file");
                    count += 1;
                    self.search(&name.display().to_string(), &bytes);
                }
            }
        }
        assert!(
            count > 4,
            "the log, the store and the warehouse are among the files"
        );
    }

    fn finish(mut self) {
        self.search_files();
        let count = self.leaks.len();
        self.leaks.truncate(200);
        assert!(count == 0, "{count} leaks:\n{}", self.leaks.join("\n---\n"));
    }
}

fn is_users(name: &Path) -> bool {
    WRITTEN_BY_USERS
        .iter()
        .any(|users| name == Path::new(users))
}

fn toml(text: &str) -> String {
    format!("'''{text}'''")
}
