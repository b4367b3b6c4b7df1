//! Changing a secret as the doors do it: announced in the audit log before, settled after.

use super::SecretName;
use crate::{App, REDACTOR, Result};
use security::permissions::ConfigManage;
use security::{Allow, Event, Plain};
use store::Act;

/// Stores `value` under `name`, keeping the file's comments and order. Returns whether the name is new.
pub async fn store(
    app: &App,
    allow: &Allow<ConfigManage>,
    name: &SecretName,
    value: &Plain<String>,
) -> Result<bool> {
    let act = Act::new(Event::SecretSet).target(name.to_string());
    app.effect(allow, act, async |_| {
        super::set(allow, &app.project, name, value, &REDACTOR)
    })
    .await
}

/// Removes the secret `name`.
pub async fn remove(app: &App, allow: &Allow<ConfigManage>, name: &SecretName) -> Result<()> {
    let act = Act::new(Event::SecretDeleted).target(name.to_string());
    app.effect(allow, act, async |_| {
        super::unset(allow, &app.project, name)
    })
    .await
}
