//! The demo's project: its sources file, and how to tell it from a project of somebody's own.

use fs_err as fs;
use std::io;
use std::path::Path;

/// The first line of the demo's sources file; no other project has it.
const MARK: &str = "# The sources of dango's demo shop.";

const EGRESS: &str = "\
egress:
  # The demo serves its API on this machine. Sources reach private addresses only when they are named here.
  allow_private: [127.0.0.1]
";

/// Returns whether the project in `root` is a demo that may be written anew.
pub(crate) fn is_demo(root: &Path) -> bool {
    fs::read_to_string(root.join(".dango/sources.yml")).is_ok_and(|text| text.starts_with(MARK))
}

/// Writes the sources file; `reviews` is enabled while the API answers at `base_url`.
pub(crate) fn write_sources(root: &Path, base_url: &str, has_api: bool) -> io::Result<()> {
    fs::write(root.join(".dango/sources.yml"), sources(base_url, has_api))
}

/// Lets this project's sources talk to the loopback address, which no source may otherwise: the demo's API is there.
pub(crate) fn allow_loopback(root: &Path) -> io::Result<()> {
    let path = root.join(".dango/project.yml");
    let text = fs::read_to_string(&path)?;
    if text.contains(EGRESS) {
        return Ok(());
    }
    fs::write(&path, format!("{}\n\n{EGRESS}", text.trim_end()))
}

fn sources(base_url: &str, has_api: bool) -> String {
    format!(
        "\
{MARK}
# `dango source add` writes here and keeps your comments.
version: \"1.0\"
sources:
  # CSV files, one of them compressed; each pattern becomes a table.
  - name: shop
    type: local_files
    description: customers and orders
    local_files:
      directory: data/uploads/shop
      tables:
        - {{name: customers, pattern: \"customers*.csv\"}}
        - {{name: orders, pattern: \"orders*.csv.gz\"}}

  # Nested JSON: objects become columns, lists become child tables (events__items).
  - name: web
    type: local_files
    description: what visitors do
    local_files:
      directory: data/uploads/events
      tables:
        - {{name: events, pattern: \"*.jsonl\"}}

  - name: catalog
    type: local_files
    description: products, as Parquet
    local_files:
      directory: data/uploads/products
      tables:
        - {{name: products, pattern: \"*.parquet\"}}

  # A paginated HTTP API. `dango demo` serves it itself while it runs, and only then; that is why the source is disabled
  # afterwards. `dango demo` again, and it answers again.
  - name: reviews
    type: rest_api
    enabled: {has_api}
    description: reviews of products
    rest_api:
      base_url: {base_url}
      auth_type: bearer
      endpoints:
        - name: reviews
          path: /reviews
          params: {{per_page: 250}}
          paginator: header_link
          primary_key: id
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_is_told_from_a_project_of_somebodys_own() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(".dango")).expect("created");
        assert!(!is_demo(folder.path()));
        fs::write(folder.path().join(".dango/sources.yml"), "sources: []\n").expect("written");
        assert!(!is_demo(folder.path()));
        write_sources(folder.path(), "http://127.0.0.1:1", true).expect("written");
        assert!(is_demo(folder.path()));
    }
}
