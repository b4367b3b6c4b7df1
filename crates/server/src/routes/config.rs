//! The configuration as it is understood.

use crate::extract::{Given, given};
use crate::problem::Reply;
use crate::server::Server;
use crate::table::Api;
use axum::extract::State;
use security::Allow;
use security::permissions::ConfigView;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    api.get("/config", show)
        .about(
            "config",
            "Shows every setting with its value and origin; secrets are masked.",
        )
        .gives::<Settings>(200);
}

/// The settings in force.
#[derive(Serialize, ToSchema)]
struct Settings {
    settings: Vec<Setting>,
}

/// A setting.
#[derive(Serialize, ToSchema)]
struct Setting {
    key: String,
    value: Value,
    origin: String,
}

async fn show(allow: Allow<ConfigView>, State(server): State<Server>) -> Reply<Given<Settings>> {
    let app = server.app();
    let settings = app::config::show(&allow, &app.project, app.environment())?;
    let setting = |setting: app::config::Setting| Setting {
        key: setting.key,
        value: setting.value,
        origin: setting.origin.say().to_string(),
    };
    Ok(given(Settings {
        settings: settings.into_iter().map(setting).collect(),
    }))
}
