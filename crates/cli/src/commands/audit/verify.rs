//! `dango audit verify`.

use crate::context::Context;
use crate::errors::{self, Stop};
use crate::output::units;
use app::App;
use app::audit::{self, Verification};
use app::error::Kind;
use clap::Args;
use domain::{Code, Say};
use security::Allow;
use security::audit_chain::{Fault, PublicKey};
use security::permissions::AuditView;
use std::fmt::Write as _;

/// Arguments of `dango audit verify`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What was kept elsewhere, the key that `dango init` printed or checkpoints: a file, an address, or the key itself
    #[arg(long, value_name = "FILE|URL|KEY")]
    anchor: Option<String>,
}

/// Verifies the log and says what was found; something wrong is exit code 1.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let app = context.open_read("audit verify").await?;
    let verified = async {
        let allow = app.allow::<AuditView>().await?;
        let anchors = match &arguments.anchor {
            Some(anchor) => Some(read_anchor(&app, &allow, anchor).await?),
            None => None,
        };
        Ok(audit::verify(&app, &allow, anchors.as_deref()).await?)
    };
    let ended = context.interrupts.or_drop(Box::pin(verified)).await;
    app.close().await;
    let found = ended?;
    let output = context.output;
    if output.json {
        let mut json = serde_json::to_value(&found).unwrap_or_default();
        if let Some(object) = json.as_object_mut() {
            object.insert("holds".into(), found.holds().into());
        }
        output.print_json(&json)?;
    } else {
        output.print(&text(&found))?;
    }
    if found.holds() {
        Ok(())
    } else {
        Err(Stop::Told(Kind::Invalid, Code::AuditBroken))
    }
}

async fn read_anchor(app: &App, allow: &Allow<AuditView>, anchor: &str) -> Result<String, Stop> {
    if PublicKey::parse(anchor).is_some() {
        return Ok(anchor.to_owned());
    }
    let is_address = anchor.starts_with("https://") || anchor.starts_with("http://");
    if !is_address {
        return fs_err::read_to_string(anchor).map_err(|error| errors::unreadable(&error));
    }
    let url = anchor.parse().map_err(|_| {
        errors::usage(
            "the anchor is no address",
            "it has the form `https://host/path`",
        )
    })?;
    Ok(audit::fetch_anchor(app, allow, &url).await?)
}

fn text(found: &Verification) -> String {
    let (database, file) = (&found.database, &found.file);
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "database    {}, {}, signed up to record {}",
        units::counted(database.records, "record"),
        units::counted(database.checkpoints, "checkpoint"),
        database.signed_until,
    );
    let _ = match file.records {
        0 => writeln!(text, "audit.jsonl no records"),
        _ => writeln!(text, "audit.jsonl records {} to {}", file.begins, file.last),
    };
    if database.erased > 0 {
        let _ = writeln!(
            text,
            "erased      personal values of {}: the records hold without them",
            units::counted(database.erased, "record")
        );
    }
    for (place, faults) in [
        ("database", &database.faults),
        ("audit.jsonl", &file.faults),
    ] {
        for fault in faults {
            let _ = writeln!(text, "wrong       {place}: {}", explain(fault));
        }
    }
    for unproven in &found.unproven {
        let _ = writeln!(text, "not proven  {unproven}");
    }
    text.push_str(if found.holds() {
        "nothing is wrong"
    } else {
        "the log is not what was written"
    });
    text
}

/// Returns what a finding means.
fn explain(fault: &Fault) -> Say {
    use domain::say;
    match fault {
        Fault::Edited { seq } => say!("record ", seq, " was edited"),
        Fault::Missing { seq, until } if seq == until => say!("record ", seq, " is missing"),
        Fault::Missing { seq, until } => say!("records ", seq, " to ", until, " are missing"),
        Fault::Moved { seq } => say!(
            "record ",
            seq,
            " does not follow the one before it: one was inserted, taken out or moved"
        ),
        Fault::Rewritten {
            after,
            until,
            number,
        } => say!(
            "of the records after ",
            after,
            " up to ",
            until,
            " some were written anew: checkpoint ",
            number,
            " signed others"
        ),
        Fault::Cut { seq, number, last } => say!(
            "the log ends with record ",
            last,
            ", and checkpoint ",
            number,
            " signed record ",
            seq,
            ": it was cut"
        ),
        Fault::Forged { number } => say!("checkpoint ", number, " has a wrong signature"),
        Fault::CheckpointMissing { number } => say!("checkpoint ", number, " is missing"),
        Fault::KeyChanged { number } => say!(
            "checkpoint ",
            number,
            " was signed by a key that the one before does not name"
        ),
        Fault::KeyLost { number } => say!(
            "the key that checkpoint ",
            number,
            " names is not on this machine: a later checkpoint was removed, or the key"
        ),
        Fault::Foreign => say!("the anchor's key signed nothing here: it is another log"),
    }
}
