//! The `.gitignore` of a project: completed line by line, so that no secret, key, database, log or backup is committed.

/// What git must not see. Beside Dango's own list: what its predecessor's template forgot (`.encryption_key`, `credentials`,
/// `cloud_key`, `backups`, `cloud.yml`).
const LINES: [&str; 42] = [
    "# Dango: secrets and keys",
    ".env*",
    "!.env*.example",
    ".dlt/*secrets.toml*",
    ".dlt/.encryption_key",
    ".dlt/*.db*",
    ".dlt/pipelines/",
    ".dango/keys/",
    ".dango/auth.yml",
    ".dango/metabase.yml",
    ".dango/cloud.yml",
    ".dango/credentials",
    ".dango/cloud_key*",
    "secrets/",
    "*.key",
    "*.pem",
    "# Dango: databases, logs, backups and what a running Dango leaves",
    "data/",
    "*.duckdb",
    "*.duckdb.*",
    "*.db",
    "*.db-*",
    ".dango/run/",
    ".dango/logs/",
    ".dango/backups/",
    ".dango/workspaces/",
    ".dango/state/",
    ".dango/history/",
    ".dango/snapshots/",
    ".dango/dev/",
    ".dango/*.pid",
    ".dango/*.log",
    ".dango/dbt_model_status.json",
    ".dango-*.tmp",
    "metabase-data/",
    "metabase-plugins/",
    "# Dango: what dbt builds",
    "dbt/target/",
    "dbt/dbt_packages/",
    "dbt/logs/",
    "dbt/profiles.yml",
    "dbt/.user.yml",
];

/// Returns `existing` with the missing lines appended, `None` when none is missing.
pub(super) fn complete(existing: &str) -> Option<String> {
    let lines: Vec<&str> = existing.lines().map(str::trim_end).collect();
    // A later line wins in git: what stands before somebody's exception may have been undone by it.
    let is_exception = |line: &&str| line.starts_with('!') && !LINES.contains(line);
    let settled = lines.iter().rposition(is_exception).map_or(0, |at| at + 1);
    let is_present = |line: &str| {
        // Our own exception must stand after the pattern it belongs to, so the two come as a pair.
        let pair: &[&str] = if line.contains(".env*") {
            &[".env*", "!.env*.example"]
        } else {
            &[line]
        };
        let mut rest = lines.iter().skip(settled);
        pair.iter().all(|wanted| rest.any(|line| line == wanted))
    };
    let mut added: Vec<&str> = Vec::new();
    for line in LINES {
        if line.starts_with('#') {
            // A heading without lines below it is dropped again.
            added.pop_if(|last| last.starts_with('#'));
            added.push(line);
        } else if !is_present(line) {
            added.push(line);
        }
    }
    added.pop_if(|last| last.starts_with('#'));
    if added.is_empty() {
        return None;
    }
    let newline = if existing.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let mut text = existing.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(newline);
    }
    if !text.is_empty() {
        text.push_str(newline);
    }
    for line in added {
        text.push_str(line);
        text.push_str(newline);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_file_is_left_alone_and_an_empty_one_is_filled() {
        let whole = complete("").expect("lines are missing");
        assert_eq!(whole.lines().count(), LINES.len());
        assert_eq!(complete(&whole), None);
        assert_eq!(complete(&format!("*.swp\n{whole}\ntarget/\n")), None);
    }

    #[test]
    fn only_missing_lines_are_added_and_existing_bytes_stay() {
        let theirs = "# mine\r\ndata/\r\n.env*\r\n!.env*.example\r\n*.key";
        let text = complete(theirs).expect("lines are missing");
        let rest = text.strip_prefix(theirs).expect("kept");
        assert!(rest.starts_with("\r\n\r\n# Dango: secrets"), "{rest:?}");
        for line in ["data/\r\n", ".env*\r\n", "*.key\r\n"] {
            assert!(!rest.contains(&format!("\n{line}")), "{line} twice");
        }
        assert_eq!(complete(&text), None);
    }

    #[test]
    fn an_exception_of_the_users_is_outlived() {
        let whole = complete("").expect("lines are missing");
        let undone = format!("{whole}!.dlt/secrets.toml\n");
        let text = complete(&undone).expect("the exception undoes a line");
        assert!(text.trim_end().ends_with("dbt/.user.yml"));
        assert_eq!(complete(&text), None);
    }

    #[test]
    fn a_pair_in_the_wrong_order_is_written_again() {
        let whole = complete("").expect("lines are missing");
        let swapped = whole.replace(".env*\n!.env*.example\n", "!.env*.example\n.env*\n");
        let text = complete(&swapped).expect("the example would be hidden");
        assert!(text.contains("\n.env*\n!.env*.example\n"), "{text}");
    }
}
