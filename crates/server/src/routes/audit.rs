//! The audit log over HTTP: DAP's list, with Dango's filters beside DAP's.

use super::Page;
use crate::extract::{Given, Paged, Search, given};
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::table::Api;
use app::audit::{self, AuditFilter, AuditRow};
use app::identity::Paging;
use axum::extract::State;
use domain::{Email, Timestamp, UserId};
use security::permissions::AuditView;
use security::{Allow, Event};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) fn add(api: &mut Api) {
    let route = api.get("/audit/events", list);
    route
        .about("audit", "Lists what was done, newest first.")
        .asks("event_type", "DAP's name of an event: `user.logged_in`")
        .asks("event_type_prefix", "what that name begins with: `user.`")
        .asks("event", "Dango's name of an event: `login_success`")
        .asks("user_id", "who did it")
        .asks("email", "who did it, or tried to, by address")
        .asks("created_from", "not before this time (RFC 3339)")
        .asks("created_to", "not after this time (RFC 3339)")
        .asks("offset", "items to skip")
        .asks(
            "limit",
            "items in the answer, 50 unless said otherwise, 500 at most",
        )
        .gives_page::<AuditEvent>()
        .hidden();
}

/// Which events are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    event_type: Option<String>,
    event_type_prefix: Option<String>,
    event: Option<String>,
    user_id: Option<Uuid>,
    email: Option<String>,
    created_from: Option<String>,
    created_to: Option<String>,
    // Not flattened: then numbers would come as text.
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

impl Wanted {
    const fn paged(&self) -> Paged {
        Paged {
            offset: self.offset,
            limit: self.limit,
        }
    }

    fn filter(self) -> Reply<AuditFilter> {
        let wrong = |name: &str, why: &str| Problem::field(&["query", name], "value_error", why);
        let time = |name: &str, text: Option<String>| {
            text.map(|text| {
                Timestamp::from_rfc3339(&text)
                    .ok_or_else(|| wrong(name, "it has the form 2026-01-31T12:00:00Z"))
            })
            .transpose()
        };
        let event = self.event.map(|name| {
            Event::from_stored(&name).ok_or_else(|| wrong("event", "there is no such event"))
        });
        let email = self
            .email
            .map(|text| Email::parse(&text).map_err(|error| wrong("email", &error.to_string())));
        Ok(AuditFilter {
            event: event.transpose()?,
            event_type: self.event_type,
            event_type_prefix: self.event_type_prefix,
            since: time("created_from", self.created_from)?,
            until: time("created_to", self.created_to)?,
            request: None,
            user: self.user_id.map(UserId::new),
            email: email.transpose()?,
        })
    }
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    id: Uuid,
    user_id: Option<Uuid>,
    event_type: String,
    event_data: Option<Map<String, Value>>,
    created_at: String,
    /// Dango's name of the event.
    event: String,
    /// The address of who did it, or was tried; empty once he was erased.
    email: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    actor: String,
    permission: String,
    target: Option<String>,
    request_id: Uuid,
    /// Its place in the chain; empty for the newest, until they have theirs.
    seq: Option<i64>,
    prev_hash: Option<String>,
    hash: Option<String>,
}

impl From<AuditRow> for AuditEvent {
    fn from(row: AuditRow) -> Self {
        let mut data = row.details;
        data.extend(row.personal);
        Self {
            id: row.id,
            user_id: row.user.map(UserId::as_uuid),
            event_type: row.event_type,
            event_data: (!data.is_empty()).then_some(data),
            created_at: row.created_at.to_rfc3339(),
            event: row.event,
            email: row.email,
            ip: row.ip,
            user_agent: row.user_agent,
            actor: row.actor,
            permission: row.permission,
            target: row.target,
            request_id: row.request,
            seq: row.seq,
            prev_hash: row.previous,
            hash: row.hash,
        }
    }
}

async fn list(
    allow: Allow<AuditView>,
    State(server): State<Server>,
    Search(wanted): Search<Wanted>,
) -> Reply<Given<Page<AuditEvent>>> {
    let paged = wanted.paged();
    let filter = wanted.filter()?;
    let paging = Paging::new(paged.limit(), paged.offset);
    let (rows, total) = audit::list_page(server.app(), &allow, &filter, paging).await?;
    let items = rows.into_iter().map(AuditEvent::from).collect();
    Ok(given(Page::part(items, total, paged)))
}
