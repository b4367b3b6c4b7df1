//! `dango init [NAME]`: a project here or in a folder of that name; what is missing in an existing one is completed.

pub(super) mod admin;

use crate::context::Context;
use crate::errors::Stop;
use app::{Environment, SystemClock};
use clap::Args;
use security::permissions::ConfigManage;
use serde_json::json;
use std::path::Path;

/// Arguments of `dango init`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder of the project, created when it is missing; this folder when left out
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Make this address an admin who may sign in; the password is asked for, or generated and shown once
    #[arg(long, value_name = "EMAIL")]
    admin_email: Option<String>,
    /// Read the admin's password from stdin
    #[arg(long, requires = "admin_email")]
    admin_password_stdin: bool,
    /// Accepted for scripts written for getdango: there is no wizard to skip
    #[arg(long, hide = true)]
    skip_wizard: bool,
}

/// Creates or completes the project.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let output = context.output;
    let current = context.global.project.as_deref().unwrap_or(Path::new("."));
    let folder = app::project::init::folder(current, arguments.name.as_deref())?;
    let allow = app::operator::<ConfigManage>(&Environment::from_process())?;
    let made = app::project::init::create(&allow, &folder, &SystemClock)?;
    let anchor = app::audit::create_key(&allow, &made.project)?;
    let admin = Box::pin(admin::make(context, made.project.root(), &arguments)).await?;
    if output.json {
        let warnings: Vec<_> = made.warnings.iter().map(domain::Say::as_str).collect();
        let admin = admin.as_ref().map(admin::Made::to_json);
        return output.print_json_data(&json!({
            "admin": admin, "root": made.project.root(), "existed": made.existed, "created": made.created,
            "completed": made.completed, "warnings": warnings,
            "audit_anchor": anchor.map(|anchor| anchor.to_string()),
        }));
    }
    for path in &made.created {
        output.tell(&format!("created    {}", path.display()));
    }
    for path in &made.completed {
        output.tell(&format!("completed  {}", path.display()));
    }
    if made.created.is_empty() && made.completed.is_empty() {
        output.tell("nothing was missing");
    }
    made.warnings
        .iter()
        .for_each(|warning| output.warn(warning.as_str()));
    if let Some(anchor) = anchor {
        output.tell(&format!("audit key  {anchor}"));
        output.tell(
            "           keep this line away from this machine: with it, `dango audit verify --anchor` can tell whether\n           \
             the audit log was replaced",
        );
    }
    output.print(&made.project.root().display().to_string())?;
    if let Some(admin) = &admin {
        admin.tell(output)?;
    }
    let there = arguments
        .name
        .filter(|name| name != ".")
        .map_or(String::new(), |name| format!("cd {name} && "));
    output.tell(&super::next(
        output.talk_palette(),
        &[
            (
                &format!("{there}dango source add"),
                "choose a source and connect it",
            ),
            ("dango sync", "bring its rows into the warehouse"),
            ("dango query 'SELECT …'", "ask the warehouse"),
        ],
    ));
    Ok(())
}
