//! `dango audit`: the newest records, or with `--follow` those to come.

use super::elsewhere;
use crate::arguments::moment::Moment;
use crate::arguments::numbers;
use crate::context::Context;
use crate::errors::{self, Stop};
use crate::output::Output;
use crate::output::table::{Align, Columns};
use crate::remote::RemoteArguments;
use app::audit::{self, AuditFilter, Sign, Wanted};
use app::{App, SystemClock};
use clap::Args;
use domain::say::Quoted;
use domain::{Clock as _, Email, Timestamp, say};
use security::permissions::AuditView;
use security::{Allow, Event};
use serde_json::{Map, Value, json};
use std::time::Duration;

const LIMIT_DEFAULT: u64 = 50;
/// How often is looked for new records: as often as the server gives them their place.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
pub(super) const HEADINGS: [(&str, Align); 5] = [
    ("TIME", Align::Left),
    ("EVENT", Align::Left),
    ("WHO", Align::Left),
    ("WHAT", Align::Left),
    ("FROM", Align::Left),
];

/// Arguments of `dango audit` without a subcommand.
#[derive(Debug, Args)]
// clap calls the group of arguments after the type, and the outer one is called the same.
#[group(skip)]
pub(crate) struct Arguments {
    /// Go on with new records as they come, until Ctrl-C; with `--json` one object a line
    #[arg(long, short = 'f')]
    follow: bool,
    /// Records since then: a date, a time, or an age such as 12h or 7d
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    since: Option<Moment>,
    /// Records of this event, by either of its names: `login_failure`, `user.login_failed`
    #[arg(long = "type", value_name = "EVENT")]
    event: Option<String>,
    /// Records of the person with this address
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// How many of the newest records
    #[arg(long, value_name = "COUNT", default_value_t = LIMIT_DEFAULT, value_parser = numbers::parse_rows, allow_negative_numbers = true)]
    limit: u64,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Lists the records.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let event = arguments.event.as_deref().map(find_event).transpose()?;
    let email = arguments.user.as_deref().map(find_email).transpose()?;
    arguments.remote.refuse("--follow", arguments.follow)?;
    if let Some(connection) = arguments.remote.open(context).await? {
        let since = arguments
            .since
            .map(|since| since.resolve(SystemClock.now()));
        let wanted = elsewhere::Wanted {
            event,
            email,
            since,
            limit: arguments.limit,
        };
        return elsewhere::run(context, &connection, &wanted).await;
    }
    let app = context.open_read("audit").await?;
    let listed = async {
        let allow = app.allow::<AuditView>().await?;
        let since = arguments.since.map(|since| since.resolve(app.clock.now()));
        if arguments.follow {
            return follow(context.output, &app, &allow, event, email, since).await;
        }
        let filter = AuditFilter {
            event,
            email,
            since,
            ..AuditFilter::default()
        };
        let records = audit::list(&app, &allow, &filter, arguments.limit).await?;
        if context.output.json {
            let all = json!({"items": records.items, "total": records.total});
            return context.output.print_json(&all);
        }
        print(context.output, &records.items, records.total)
    };
    let ended = context.interrupts.or_drop(Box::pin(listed)).await;
    app.close().await;
    match ended {
        // Nobody follows for ever: this is how it ends.
        Err(stop) if arguments.follow && stop.exit_code() == 130 => Ok(()),
        ended => ended,
    }
}

async fn follow(
    output: Output,
    app: &App,
    allow: &Allow<AuditView>,
    event: Option<Event>,
    email: Option<Email>,
    since: Option<Timestamp>,
) -> Result<(), Stop> {
    let wanted = Wanted {
        event: event.map(|event| event.as_str().to_owned()),
        email: email.map(|email| email.as_str().to_owned()),
        since,
    };
    let mut seq = match since {
        Some(_) => 0,
        None => audit::find_last(app, allow).await?,
    };
    loop {
        app.sequence_audit(Sign::WhenDue).await;
        let (items, last) = audit::list_after(app, allow, &wanted, seq).await?;
        for item in &items {
            if output.json {
                output.print(&Value::Object(item.clone()).to_string())?;
            } else {
                output.print(&cells(item).join("  "))?;
            }
        }
        if last == seq {
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
        seq = last;
    }
}

fn print(output: Output, items: &[Map<String, Value>], total: u64) -> Result<(), Stop> {
    if items.is_empty() {
        output.tell("no records");
        return Ok(());
    }
    let mut columns = Columns::new(&HEADINGS, output.data_palette(), output.list_width());
    for item in items {
        columns.row(cells(item));
    }
    output.print(&columns.render())?;
    let shown = items.len() as u64;
    if shown < total {
        output.tell(&format!(
            "the newest {shown} of {total}; `--limit` shows more"
        ));
    }
    Ok(())
}

fn cells(item: &Map<String, Value>) -> [String; 5] {
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or("-");
        // Names of others' making: what could move the cursor is escaped.
        say!("", Quoted(text)).as_str().replace(['\n', '\t'], " ")
    };
    let context = |name: &str| {
        let context = item.get("details").and_then(|all| all.get("context"));
        context.and_then(|context| context.get(name))
    };
    let who = item.get("email").or_else(|| context("actor"));
    [
        text(item.get("timestamp")),
        text(item.get("event")),
        text(who),
        text(context("target")),
        text(item.get("ip")),
    ]
}

fn find_event(name: &str) -> Result<Event, Stop> {
    let is_it = |event: &&Event| event.as_str() == name || event.kind() == name;
    Event::ALL.iter().find(is_it).copied().ok_or_else(|| {
        let likeness = |event: &&Event| {
            let alike = strsim::jaro_winkler(event.as_str(), name)
                .max(strsim::jaro_winkler(event.kind(), name));
            // Between 0 and 1: a thousand steps are enough to choose.
            ordered(alike)
        };
        let hint = match Event::ALL.iter().max_by_key(likeness) {
            Some(event) => {
                say!("perhaps ", name Quoted(event.as_str()), "; `docs/AUDIT.md` lists all")
            }
            None => say!("`docs/AUDIT.md` lists all"),
        };
        errors::usage(say!("there is no event ", name Quoted(name)), hint)
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a likeness lies between 0 and 1"
)]
fn ordered(likeness: f64) -> u32 {
    (likeness * 1_000.0) as u32
}

fn find_email(text: &str) -> Result<Email, Stop> {
    Email::parse(text).map_err(|_| {
        errors::usage(
            say!("", name Quoted(text), " is not an e-mail address"),
            "it has the form name@host",
        )
    })
}
