//! What load balancers and DAP's clients ask before they ask anything else.

use crate::extract::{Given, given};
use crate::server::Server;
use crate::table::{Api, Rate};
use crate::witness::Public;
use axum::extract::State;
use axum::http::StatusCode;
use security::permissions::Health as HealthReason;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    api.get("/health", health)
        .about("health", "Says that the server runs.")
        .rate(Rate::Free)
        .gives::<Health>(200);
    api.get("/health/ready", ready)
        .about(
            "health",
            "Says whether the server can work: 503 when its database does not answer.",
        )
        .rate(Rate::Free)
        .gives::<Health>(200);
    api.get("/version", version)
        .about("health", "Says which version runs.")
        .gives::<Version>(200);
}

/// How the server is, as DAP says it.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`, or `degraded` when the database does not answer.
    status: &'static str,
    /// DAP's name of this service.
    service: &'static str,
    version: &'static str,
    db_dialect: &'static str,
    db_reachable: bool,
    timestamp: String,
}

/// The version of the server.
#[derive(Serialize, ToSchema)]
struct Version {
    name: &'static str,
    version: &'static str,
}

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

async fn look(allow: &Public<HealthReason>, server: &Server) -> Health {
    let well = app::health::check(server.app(), allow).await;
    Health {
        status: if well.is_store_reachable {
            "ok"
        } else {
            "degraded"
        },
        service: "dap-engine",
        version: VERSION,
        db_dialect: well.dialect,
        db_reachable: well.is_store_reachable,
        timestamp: well.at.to_rfc3339(),
    }
}

async fn health(allow: Public<HealthReason>, State(server): State<Server>) -> Given<Health> {
    given(look(&allow, &server).await)
}

async fn ready(allow: Public<HealthReason>, State(server): State<Server>) -> Given<Health> {
    let health = look(&allow, &server).await;
    let is_ready = health.db_reachable && !server.stopping.is_cancelled();
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Given(status, health)
}

async fn version(_: Public<HealthReason>) -> Given<Version> {
    given(Version {
        name: "dango",
        version: VERSION,
    })
}
