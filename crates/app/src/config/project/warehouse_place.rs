//! Where the warehouse lies. The process that runs queries may read and write everything in the folder of its file, so nothing
//! that is not the warehouse's may be there.

use crate::project::Project;
use domain::say::Quoted;
use domain::{Say, say};
use fs_err as fs;
use std::path::{Component, Path, PathBuf};

/// Links that lead to links; beyond this it is a circle.
const LINKS_MAX: usize = 16;

/// Returns the absolute `path` without `.`, `..` and links, also where it, or what its link leads to, does not exist yet: the
/// cage is made for what it really is.
pub(super) fn resolve(path: &Path) -> PathBuf {
    let mut resolved = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        resolved = without_links_above(&resolved);
        match fs::read_link(&resolved) {
            Ok(target) => {
                resolved.pop();
                resolved.push(target);
            }
            Err(_) => break,
        }
    }
    resolved
}

fn without_links_above(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
        if components.peek().is_some()
            && let Ok(real) = fs::canonicalize(&resolved)
        {
            resolved = real;
        }
    }
    resolved
}

/// Returns why the warehouse cannot be the (resolved) `file`.
pub(super) fn objection(project: &Project, file: &Path) -> Option<Say> {
    let folder = file.parent()?;
    let root = project.root();
    if root.starts_with(folder) {
        return Some(say!(
            "the warehouse would lie in ", name folder, ", and so does the whole project with its secrets"
        ));
    }
    let is_ours = |name: &str| {
        let ours = root.join(name);
        folder.starts_with(fs::canonicalize(&ours).unwrap_or(ours))
    };
    if [".dango", ".dlt"].iter().any(|name| is_ours(name)) {
        return Some(
            say!("the warehouse would lie among the project's own files in ", name folder),
        );
    }
    let found = [".dango", ".dlt", ".env"]
        .into_iter()
        .find(|name| folder.join(name).exists())?;
    Some(say!(
        "the warehouse would lie in ", name folder, ", which also holds ", name Quoted(found)
    ))
}

/// What to do about an objection.
pub(super) const HINT: &str = "the process that runs queries may do what it likes in the folder of the warehouse: give it one of its own, \
    such as `./data/warehouse.duckdb`, and move the file there";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::bare_project;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_the_file_really_is_is_found_also_before_it_exists() {
        let (_folder, project) = bare_project();
        let disk = tempfile::tempdir().expect("a folder");
        let disk = fs::canonicalize(disk.path()).expect("there");
        let root = project.root();
        fs::create_dir(root.join("data")).expect("created");
        symlink(disk.join("w.duckdb"), root.join("data/link")).expect("linked");
        symlink("link", root.join("data/second")).expect("linked");
        symlink("round", root.join("data/round")).expect("linked");
        symlink(&disk, root.join("disk")).expect("linked");
        for (written, expect) in [
            ("./data/./w.duckdb", root.join("data/w.duckdb")),
            ("data//../data/w.duckdb", root.join("data/w.duckdb")),
            ("new/../other/w.duckdb", root.join("other/w.duckdb")),
            ("data/link", disk.join("w.duckdb")),
            ("data/second", disk.join("w.duckdb")),
            ("data/round", root.join("data/round")),
            ("disk/x/w.duckdb", disk.join("x/w.duckdb")),
            ("disk/../w.duckdb", disk.join("../w.duckdb")),
        ] {
            let expect = without_links_above(&expect);
            assert_eq!(resolve(&root.join(written)), expect, "{written}");
        }
        fs::write(disk.join("w.duckdb"), "").expect("written");
        assert_eq!(resolve(&root.join("data/link")), disk.join("w.duckdb"));
    }

    #[test]
    fn a_folder_that_holds_more_than_the_warehouse_is_refused() {
        let (_folder, project) = bare_project();
        let (other_folder, _other) = bare_project();
        let root = project.root();
        fs::create_dir(root.join("env")).expect("created");
        fs::write(root.join("env/.env"), "").expect("written");
        symlink(root, root.join("here")).expect("linked");
        symlink(root.join("w.duckdb"), root.join("env/link")).expect("linked");
        let check = |written: &Path, part: &str| {
            let said = objection(&project, &resolve(&root.join(written)));
            let said = said.unwrap_or_default().to_string();
            assert!(
                said.contains(part) && said.is_empty() == part.is_empty(),
                "{written:?}: {said}"
            );
        };
        let whole = "the whole project with its secrets";
        for written in [
            "w.duckdb",
            "./w.duckdb",
            "../w.duckdb",
            "data/../w.duckdb",
            "here/w.duckdb",
            "env/link",
            "/w.duckdb",
        ] {
            check(Path::new(written), whole);
        }
        for written in [".dango/w.duckdb", ".dango/run/w.duckdb", ".dlt/w.duckdb"] {
            check(Path::new(written), "the project's own files");
        }
        check(Path::new("env/w.duckdb"), "holds `.env`");
        check(&other_folder.path().join("w.duckdb"), "holds `.dango`");
        for written in ["data/warehouse.duckdb", "elsewhere/w.duckdb"] {
            check(Path::new(written), "");
        }
        let disk = tempfile::tempdir().expect("a folder");
        check(&disk.path().join("w.duckdb"), "");
    }
}
