//! `dango audit --remote`: the newest records of a server elsewhere.

use super::list::HEADINGS;
use crate::context::Context;
use crate::errors::Stop;
use crate::output::table::Columns;
use crate::remote::read;
use app::remote::Connection;
use domain::say::Quoted;
use domain::{Email, Timestamp, say};
use security::Event;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What one answer holds.
const PAGE_MAX: u64 = 500;

/// Which records are wanted.
pub(super) struct Wanted {
    pub(super) event: Option<Event>,
    pub(super) email: Option<Email>,
    pub(super) since: Option<Timestamp>,
    pub(super) limit: u64,
}

impl Wanted {
    fn parameters(&self, offset: u64) -> Vec<(&'static str, String)> {
        let limit = (self.limit - offset).min(PAGE_MAX);
        let mut all = vec![("offset", offset.to_string()), ("limit", limit.to_string())];
        all.extend(self.event.map(|event| ("event", event.to_string())));
        all.extend(
            self.email
                .as_ref()
                .map(|email| ("email", email.to_string())),
        );
        all.extend(self.since.map(|since| ("created_from", since.to_rfc3339())));
        all
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Map<String, Value>>,
    total: u64,
}

/// Lists the records, newest first.
pub(super) async fn run(
    context: &Context,
    connection: &Connection,
    wanted: &Wanted,
) -> Result<(), Stop> {
    let output = context.output;
    let (mut items, mut total) = (Vec::new(), 0);
    while (items.len() as u64) < wanted.limit {
        let held = items.len() as u64;
        let parameters = wanted.parameters(held);
        let asked = async { read(connection.search("/audit/events", &parameters).await?) };
        let mut page: Page = context.interrupts.or_drop(Box::pin(asked)).await?;
        total = page.total;
        if page.items.is_empty() {
            break;
        }
        items.append(&mut page.items);
    }
    if output.json {
        return output.print_json(&json!({"items": items, "total": total}));
    }
    if items.is_empty() {
        output.tell("no records");
        return Ok(());
    }
    let mut columns = Columns::new(&HEADINGS, output.data_palette(), output.list_width());
    for item in &items {
        columns.row(cells(item));
    }
    output.print(&columns.render())?;
    let shown = items.len() as u64;
    if shown < total {
        let text = format!("the newest {shown} of {total}; `--limit` shows more");
        output.tell(&text);
    }
    Ok(())
}

fn cells(item: &Map<String, Value>) -> [String; 5] {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    // Names of others' making: what could move the cursor is escaped.
    let cell = |text: Option<&str>| {
        let text = say!("", Quoted(text.unwrap_or("-")));
        text.as_str().replace(['\n', '\t'], " ")
    };
    [
        cell(text("created_at")),
        cell(text("event")),
        cell(text("email").or_else(|| text("actor"))),
        cell(text("target")),
        cell(text("ip")),
    ]
}
