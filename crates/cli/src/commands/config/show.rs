//! `dango config show`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::table::{Align, Columns};
use app::config::{Setting, SettingOrigin};
use clap::Args;
use security::permissions::ConfigView;
use serde_json::{Value, json};

/// Arguments of `dango config show`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also show where each value comes from
    #[arg(long)]
    origin: bool,
}

/// Shows the settings; secrets are masked.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let place = context.place()?;
    let settings = app::config::show(
        &place.allow::<ConfigView>()?,
        &place.project,
        &place.environment,
    )?;
    if output.json {
        let to_json = |setting: &Setting| json!({"key": setting.key, "value": setting.value, "origin": origin(setting.origin)});
        let settings: Vec<_> = settings.iter().map(to_json).collect();
        return output.print_json(&json!({ "settings": settings }));
    }
    let all = [
        ("KEY", Align::Left),
        ("VALUE", Align::Left),
        ("ORIGIN", Align::Left),
    ];
    let headings = if arguments.origin {
        &all[..]
    } else {
        &all[..2]
    };
    let mut columns = Columns::new(headings, output.data_palette(), output.list_width());
    for setting in settings {
        columns.row([setting.key, shown(&setting.value), origin(setting.origin)]);
    }
    output.print(&columns.render())
}

fn origin(origin: SettingOrigin) -> String {
    match origin {
        SettingOrigin::Default => "default".into(),
        SettingOrigin::File(place) => format!(".dango/project.yml:{}", place.line),
    }
}

/// Returns a value as people read it: text without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}
