//! Secrets: their names; a value comes in and never goes out.

use super::Page;
use super::sources::{DONE, Done};
use crate::extract::{Given, Json, Paged, Search, Text, given, plain};
use crate::problem::Reply;
use crate::server::Server;
use crate::table::Api;
use app::credentials::SECRET_FILES_DIR;
use app::secrets::{self, SecretName};
use axum::extract::State;
use security::permissions::ConfigManage;
use security::{Allow, Event, Plain};
use serde::{Deserialize, Serialize};
use std::path::Path;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    api.get("/secrets", list)
        .about(
            "secrets",
            "Lists the names of the secrets, and where they lie.",
        )
        .asks("offset", "items to skip")
        .asks(
            "limit",
            "items in the answer, 50 unless said otherwise, 500 at most",
        )
        .gives_page::<Secret>();
    api.post("/secrets", store)
        .about("secrets", "Stores a secret.")
        .event(Event::SecretSet)
        .takes::<NewSecret>()
        .gives::<Stored>(200);
    api.delete("/secrets/{key}", remove)
        .about("secrets", "Removes a secret.")
        .event(Event::SecretDeleted)
        .gives::<Done>(200);
}

/// A secret without its value.
#[derive(Serialize, ToSchema)]
struct Secret {
    key: String,
    masked_value: &'static str,
    source: String,
}

async fn list(
    allow: Allow<ConfigManage>,
    State(server): State<Server>,
    Search(paged): Search<Paged>,
) -> Reply<Given<Page<Secret>>> {
    let app = server.app();
    let folder = Path::new(SECRET_FILES_DIR);
    let listed = secrets::list(&allow.narrow(), &app.project, app.environment(), folder)?;
    let secret = |secret: secrets::SecretInfo| Secret {
        key: secret.name,
        masked_value: "***",
        source: secret.origin.say().to_string(),
    };
    Ok(given(Page::of(
        listed.into_iter().map(secret).collect(),
        paged,
    )))
}

/// A secret to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    /// `shop.password`, or `sources.shop.password`.
    key: String,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    value: Plain<String>,
}

/// What was stored.
#[derive(Serialize, ToSchema)]
struct Stored {
    success: bool,
    key: String,
    /// Whether there was none of this name before.
    new: bool,
}

async fn store(
    allow: Allow<ConfigManage>,
    State(server): State<Server>,
    Json(secret): Json<NewSecret>,
) -> Reply<Given<Stored>> {
    let name = SecretName::parse(&secret.key)?;
    let new = secrets::store(server.app(), &allow, &name, &secret.value).await?;
    Ok(given(Stored {
        success: true,
        key: name.to_string(),
        new,
    }))
}

async fn remove(
    allow: Allow<ConfigManage>,
    State(server): State<Server>,
    Text(key): Text,
) -> Reply<Given<Done>> {
    let name = SecretName::parse(&key)?;
    secrets::remove(server.app(), &allow, &name).await?;
    Ok(given(DONE))
}
