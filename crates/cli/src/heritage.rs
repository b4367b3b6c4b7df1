//! The verbs of getdango that we do not have. Typed by habit, each answers with one honest line: what it did there, and what
//! does that here, or that this version does not have it.

/// A verb of getdango (`verb` or `verb part`) and its answer.
pub(crate) struct Verb {
    pub(crate) words: &'static str,
    /// What it did in getdango.
    pub(crate) did: &'static str,
    /// What to do here; empty when this version has nothing of the kind.
    pub(crate) here: &'static str,
}

const fn gone(words: &'static str, did: &'static str) -> Verb {
    Verb {
        words,
        did,
        here: "",
    }
}

const fn moved(words: &'static str, did: &'static str, here: &'static str) -> Verb {
    Verb { words, did, here }
}

const BY_SECRET: &str = "`dango secrets set NAME` keeps a token that you have";

/// All of them, as `docs/CLI.md` lists them.
pub(crate) const VERBS: &[Verb] = &[
    moved("web", "ran the API server", "`dango serve`"),
    moved(
        "validate",
        "checked the project",
        "`dango config validate` checks the files, `dango doctor` the rest",
    ),
    moved("info", "showed the project", "`dango config show`"),
    moved(
        "rename",
        "renamed the project",
        "change `project.name` in `.dango/project.yml`; nothing else knows the name",
    ),
    moved(
        "cleanup",
        "removed logs and caches",
        "nothing piles up here: `dango db compact` shrinks the warehouse",
    ),
    moved(
        "upgrade",
        "upgraded the Python packages",
        "replace the binary; metadata is migrated on the next command",
    ),
    moved(
        "migrate",
        "ran the database migrations",
        "migrations run by themselves",
    ),
    moved(
        "db clean",
        "dropped orphaned tables",
        "`dango source remove NAME --drop-data` drops a source with its tables",
    ),
    moved("db query", "ran SQL", "`dango query SQL`"),
    moved(
        "config do-token",
        "forgot a DigitalOcean token",
        "`dango secrets unset NAME`",
    ),
    moved(
        "auth facebook_ads",
        "signed in to the source by OAuth",
        BY_SECRET,
    ),
    moved(
        "auth google_ads",
        "signed in to the source by OAuth",
        BY_SECRET,
    ),
    moved(
        "auth google_analytics",
        "signed in to the source by OAuth",
        BY_SECRET,
    ),
    moved(
        "auth google_sheets",
        "signed in to the source by OAuth",
        BY_SECRET,
    ),
    gone("run", "ran dbt models"),
    gone("generate", "generated staging models"),
    gone("docs", "built the dbt documentation"),
    gone("model", "created dbt models"),
    gone("seed", "loaded dbt seeds"),
    gone("snapshot", "ran dbt snapshots"),
    gone("transform", "ran dbt models"),
    gone("dev", "built models in a copy of the warehouse"),
    gone("backup", "listed and restored backups"),
    gone("dashboard", "provisioned a Metabase dashboard"),
    gone("metabase", "saved and loaded Metabase dashboards"),
    gone("notebook", "opened Marimo notebooks"),
    gone("schedule", "scheduled syncs"),
    gone("monitor", "ran SQL metrics"),
    gone("analyze", "ran SQL metrics"),
    gone("governance", "reported schema drift and personal data"),
    gone("oauth", "signed in to sources by OAuth"),
    gone("deploy", "deployed to DigitalOcean"),
    gone("remote", "worked on a deployed server"),
];

/// Returns the verb that was typed, looking at the word before it for two-word verbs.
pub(crate) fn find(before: Option<&str>, word: &str) -> Option<&'static Verb> {
    let is_typed = |verb: &&Verb| match verb.words.split_once(' ') {
        Some((first, second)) => before == Some(first) && second == word,
        None => verb.words == word,
    };
    VERBS.iter().find(is_typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::CommandLine;
    use clap::CommandFactory as _;

    #[test]
    fn a_verb_is_either_ours_or_explained() {
        let ours = CommandLine::command();
        for verb in VERBS {
            assert!(!verb.did.is_empty());
            let exists = verb
                .words
                .split(' ')
                .try_fold(&ours, |command, word| command.find_subcommand(word));
            assert!(exists.is_none(), "`dango {}` exists", verb.words);
        }
    }

    #[test]
    fn two_word_verbs_need_their_first_word() {
        assert!(find(Some("db"), "clean").is_some());
        assert!(find(Some("source"), "clean").is_none());
        assert!(find(None, "metabase").is_some());
        assert!(find(None, "snyc").is_none());
    }
}
