//! `dango init`: writes what a project needs and is not there yet. Nothing of the user's is overwritten, and what was
//! written is taken back when a step fails.

use super::{Project, gitignore};
use crate::error::{Error, Result};
use crate::files::{self, Reach};
use domain::say::Quoted;
use domain::{Clock, Code, Say, say};
use fs_err as fs;
use security::permissions::ConfigManage;
use security::{Actor, Allow};
use std::path::{Component, Path, PathBuf};

/// What `init` did.
#[derive(Debug)]
pub struct Initialised {
    pub project: Project,
    /// Whether there was a project already.
    pub existed: bool,
    /// Files and folders that were created, relative to the project, in order.
    pub created: Vec<PathBuf>,
    /// Files of the user's that got lines appended.
    pub completed: Vec<PathBuf>,
    /// What the user should know.
    pub warnings: Vec<Say>,
}

/// Returns the folder that `dango init NAME` means: a new or existing one of that name in `current`, or `current` itself.
pub fn folder(current: &Path, name: Option<&str>) -> Result<PathBuf> {
    let name = match name {
        None | Some("." | "./") => return Ok(current.to_path_buf()),
        Some(name) => name.strip_suffix('/').unwrap_or(name),
    };
    let mut parts = Path::new(name).components();
    let is_plain = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    if !is_plain || name.starts_with('-') || name.chars().any(char::is_control) {
        let say = say!("", name Quoted(name), " is not a name for a project's folder");
        let hint = "take one name without `/` and `..`; to use another folder, go there and run `dango init`";
        return Err(Error::invalid(Code::UsageInvalid, say).hint(hint));
    }
    Ok(current.join(name))
}

/// Creates a project in `folder`, or completes the one that is there.
pub fn create(
    allow: &Allow<ConfigManage>,
    folder: &Path,
    clock: &dyn Clock,
) -> Result<Initialised> {
    let mut undo = Undo::default();
    match write(allow, folder, clock, &mut undo) {
        Ok(done) => Ok(done),
        Err(error) => {
            undo.run();
            Err(error)
        }
    }
}

fn write(
    allow: &Allow<ConfigManage>,
    folder: &Path,
    clock: &dyn Clock,
    undo: &mut Undo,
) -> Result<Initialised> {
    undo.created
        .extend(files::create_folder(folder, Reach::Everyone)?);
    let root = fs::canonicalize(folder).map_err(|error| Error::file("read", folder, error))?;
    let project = Project { root: root.clone() };
    let existed = project.project_file().exists();
    let mut warnings = Vec::new();
    if let Some(outer) = root
        .ancestors()
        .skip(1)
        .find(|up| up.join(".dango/project.yml").is_file())
    {
        warnings.push(say!("this project lies inside the project ", name outer));
    }
    // First, so that at no instant a secret could be committed.
    let completed = complete_gitignore(&root, undo)?;
    for (path, reach) in folders(&project) {
        undo.created.extend(files::create_folder(&path, reach)?);
    }
    for (path, text, reach) in templates(&project, allow.actor(), clock) {
        if files::create_file(&path, text.as_bytes(), reach)? {
            undo.created.push(path);
        }
    }
    let relative = |path: &PathBuf| project.shown(path);
    Ok(Initialised {
        existed,
        created: undo
            .created
            .iter()
            .map(relative)
            .filter(|path| path != folder)
            .collect(),
        completed: completed.iter().map(relative).collect(),
        warnings,
        project: project.clone(),
    })
}

fn complete_gitignore(root: &Path, undo: &mut Undo) -> Result<Vec<PathBuf>> {
    let path = root.join(".gitignore");
    let existing = files::read_text(&path)?;
    let Some(text) = gitignore::complete(existing.as_deref().unwrap_or_default()) else {
        return Ok(Vec::new());
    };
    files::write_whole(&path, text.as_bytes(), Reach::Everyone)?;
    match existing {
        None => {
            undo.created.push(path);
            Ok(Vec::new())
        }
        Some(before) => {
            undo.changed.push((path.clone(), before));
            Ok(vec![path])
        }
    }
}

fn folders(project: &Project) -> Vec<(PathBuf, Reach)> {
    let dlt = project.root.join(".dlt");
    vec![
        (project.config_dir(), Reach::Owner),
        (project.run_dir(), Reach::Owner),
        (project.logs_dir(), Reach::Owner),
        (dlt, Reach::Owner),
        (project.root.join("data"), Reach::Owner),
        (project.uploads_dir(), Reach::Owner),
    ]
}

/// Returns the files with their first content; `project.yml`, which makes the folder a project, comes last.
fn templates(project: &Project, actor: &Actor, clock: &dyn Clock) -> Vec<(PathBuf, String, Reach)> {
    vec![
        (project.secrets_file(), SECRETS.into(), Reach::Owner),
        (
            project.dlt_config_file(),
            DLT_CONFIG.into(),
            Reach::Everyone,
        ),
        (project.sources_file(), SOURCES.into(), Reach::Everyone),
        (
            project.project_file(),
            project_text(project, actor, clock),
            Reach::Everyone,
        ),
    ]
}

const SECRETS: &str = "\
# Credentials of this project's sources. Never commit this file; only you can read it (mode 0600).
# `dango secrets set sources.NAME.FIELD` writes here and keeps your comments.
#
# [sources.my_shop]                # the source's name in .dango/sources.yml, or its type
# api_key = \"sk_live_xxx\"
# password = \"${MY_PASSWORD}\"       # from the environment or .env
";

const DLT_CONFIG: &str = "\
# Settings of sources that are no secret. Credentials belong into secrets.toml.
";

const SOURCES: &str = "\
# What is synced into the warehouse. `dango source add` writes here and keeps your comments.
version: \"1.0\"
sources: []
";

fn project_text(project: &Project, actor: &Actor, clock: &dyn Clock) -> String {
    let folder = project
        .root
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let created_by = match actor {
        Actor::Operator { os_user } | Actor::Job { os_user, .. } => os_user.clone(),
        Actor::User(_) | Actor::LocalOperator | Actor::Anonymous(_) => actor.audit_name(),
    };
    let today = clock.now().to_rfc3339();
    let today = today.split('T').next().unwrap_or_default();
    // JSON strings are YAML strings, whatever the folder is called.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "\
# This project's settings; `dango config validate` checks them, `dango config show` lists all.
project:
  name: {name}
  created_by: {created_by}
  purpose: \"\"
  created: \"{today}\"
  dango_version: \"{version}\"

platform:
  duckdb_path: ./data/warehouse.duckdb
  # memory_limit_mb: {memory}     # of the warehouse process
",
        name = quoted(&folder),
        created_by = quoted(&created_by),
        version = env!("CARGO_PKG_VERSION"),
        memory = domain::limits::WORKER_MEMORY_MB_DEFAULT,
    )
}

/// What has to be taken back when a later step fails.
#[derive(Default)]
struct Undo {
    created: Vec<PathBuf>,
    changed: Vec<(PathBuf, String)>,
}

impl Undo {
    /// Takes everything back as far as possible; the error that led here matters more than one of these.
    fn run(&self) {
        for (path, before) in self.changed.iter().rev() {
            let _ = files::write_whole(path, before.as_bytes(), Reach::Everyone);
        }
        for path in self.created.iter().rev() {
            // `remove_dir` leaves a folder alone that somebody else has put something into.
            let _ = if path.is_dir() {
                fs::remove_dir(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}

#[cfg(test)]
mod tests;
