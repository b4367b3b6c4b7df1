//! What becomes a row: an act, who did it, and when.

use super::rows;
use crate::error::StoreError;
use crate::transactions::{Act, DETAILS_BYTES_MAX, Who};
use domain::Timestamp;
use sea_orm::ActiveValue::Set;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An act that is to be written down.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) at: Timestamp,
    pub(super) who: Who,
    pub(super) permission: &'static str,
    pub(super) act: Act,
}

impl Entry {
    /// Refuses what would be a document, not a note.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let bytes = |map: &Map<String, Value>| Value::Object(map.clone()).to_string().len();
        if bytes(&self.act.details) + bytes(&self.act.personal) > DETAILS_BYTES_MAX {
            return Err(StoreError::DetailsTooLong {
                bytes_max: DETAILS_BYTES_MAX,
            });
        }
        Ok(())
    }

    pub(super) fn into_row(self) -> rows::ActiveModel {
        let Self { who, act, .. } = self;
        let client = who.actor.client();
        let user = who.actor.user().map(|user| (user.id, user.email.clone()));
        let user = user.or(act.subject);
        let mut personal = act.personal;
        let email = match &user {
            Some((_, email)) => Some(email.as_str().to_owned()),
            // Whoever has not signed in is known by the address he tried.
            None => personal
                .remove("email")
                .and_then(|email| email.as_str().map(str::to_owned)),
        };
        let json = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
        rows::ActiveModel {
            id: Set(self.id.into()),
            created_at_us: Set(self.at.as_micros()),
            event: Set(act.event.as_str().to_owned()),
            event_type: Set(act.event.kind().to_owned()),
            dango_version: Set(env!("CARGO_PKG_VERSION").to_owned()),
            actor: Set(who.actor.audit_name()),
            permission: Set(self.permission.to_owned()),
            target: Set(act.target),
            request_id: Set(who.request.as_uuid().into()),
            effect_id: Set(act.effect.map(|(id, _)| id.to_string())),
            phase: Set(act.effect.map(|(_, phase)| phase.as_str().to_owned())),
            event_data: Set(json(act.details)),
            user_id: Set(user.map(|(id, _)| id.to_string())),
            email: Set(email),
            ip: Set(client.and_then(|client| client.ip).map(|ip| ip.to_string())),
            user_agent: Set(client.and_then(|client| client.user_agent.clone())),
            personal: Set(json(personal)),
            // The rest is filled in when the row gets its place.
            ..Default::default()
        }
    }
}
