//! What DAP's pages of settings show: what there is to run with, and for admins how sign-in is set up. Never a value of a secret,
//! nor where a file lies.

use crate::extract::{Given, given};
use crate::problem::Reply;
use crate::server::Server;
use crate::table::Api;
use axum::extract::State;
use security::Allow;
use security::permissions::{AuthManage, HealthView};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "settings";
    api.get("/settings", show)
        .about(TAG, "Says what pipelines can run with.")
        .gives::<EngineSettings>(200);
    api.get("/settings/admin", show_admin)
        .about(TAG, "Says how sign-in, websites and storage are set up.")
        .gives::<AdminSettings>(200)
        .hidden();
}

/// What pipelines can run with. Runtimes and providers come with the engine.
#[derive(Serialize, ToSchema)]
struct EngineSettings {
    runtimes: Vec<String>,
    providers: Vec<String>,
    engine: Engine,
}

/// The engine. Where its files lie is nobody's business who can only reach it by the network.
#[derive(Serialize, ToSchema)]
struct Engine {
    version: &'static str,
    db_path: Option<String>,
    checkpoint_db_path: Option<String>,
    recursion_limit: Option<u32>,
}

async fn show(_: Allow<HealthView>) -> Given<EngineSettings> {
    given(EngineSettings {
        runtimes: Vec::new(),
        providers: Vec::new(),
        engine: Engine {
            version: super::health::VERSION,
            db_path: None,
            checkpoint_db_path: None,
            recursion_limit: None,
        },
    })
}

/// How the server is set up.
#[derive(Serialize, ToSchema)]
struct AdminSettings {
    auth: AuthSettings,
    oauth: OauthSettings,
    cors: CorsSettings,
    storage: StorageSettings,
}

/// Sign-in.
#[derive(Serialize, ToSchema)]
struct AuthSettings {
    jwt_secret_configured: bool,
    access_ttl_seconds: u64,
    log_reset_tokens: bool,
}

/// Logins elsewhere.
#[derive(Serialize, ToSchema)]
struct OauthSettings {
    github: OauthProvider,
    google: OauthProvider,
    redirect_url: Option<String>,
}

/// A provider of logins.
#[derive(Serialize, ToSchema)]
struct OauthProvider {
    configured: bool,
    client_id_configured: bool,
    client_secret_configured: bool,
}

/// Websites that may read answers at DAP's port.
#[derive(Serialize, ToSchema)]
struct CorsSettings {
    origins: Vec<String>,
    using_default: bool,
}

/// Where metadata lies.
#[derive(Serialize, ToSchema)]
struct StorageSettings {
    /// `sqlite` or `postgres`.
    backend: &'static str,
    /// The kind of place; neither path nor address.
    location: &'static str,
}

async fn show_admin(
    allow: Allow<AuthManage>,
    State(server): State<Server>,
) -> Reply<Given<AdminSettings>> {
    let seen = app::identity::overview(server.app(), &allow);
    let provider = |given: app::identity::ClientGiven| OauthProvider {
        configured: given.id && given.secret,
        client_id_configured: given.id,
        client_secret_configured: given.secret,
    };
    Ok(given(AdminSettings {
        auth: AuthSettings {
            jwt_secret_configured: seen.is_secret_given,
            access_ttl_seconds: seen.access.as_secs(),
            log_reset_tokens: seen.logs_reset_links,
        },
        oauth: OauthSettings {
            github: provider(seen.github),
            google: provider(seen.google),
            redirect_url: seen.redirect_url,
        },
        cors: CorsSettings {
            origins: server.origins.list(),
            using_default: server.origins.is_default(),
        },
        storage: StorageSettings {
            backend: if seen.is_on_server {
                "postgres"
            } else {
                "sqlite"
            },
            location: if seen.is_on_server {
                "a database server"
            } else {
                "a file of the project"
            },
        },
    }))
}
