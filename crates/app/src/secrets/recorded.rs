//! Changing a secret as the doors do it: announced in the audit log before, settled after.

use super::SecretName;
use crate::{App, REDACTOR, Result};
use security::permissions::ConfigManage;
use security::{Allow, Event, Plain};
use store::Act;
use store::effects::Outcome;

/// Stores `value` under `name`, keeping the file's comments and order. Returns whether the name is new.
pub async fn store(
    app: &App,
    allow: &Allow<ConfigManage>,
    name: &SecretName,
    value: &Plain<String>,
) -> Result<bool> {
    let act = Act::new(Event::SecretSet).target(name.to_string());
    record(app, allow, act, || {
        super::set(allow, &app.project, name, value, &REDACTOR)
    })
    .await
}

/// Removes the secret `name`.
pub async fn remove(app: &App, allow: &Allow<ConfigManage>, name: &SecretName) -> Result<()> {
    let act = Act::new(Event::SecretDeleted).target(name.to_string());
    record(app, allow, act, || super::unset(allow, &app.project, name)).await
}

async fn record<T>(
    app: &App,
    allow: &Allow<ConfigManage>,
    act: Act,
    change: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let effect = app.store.begin_effect(allow, act).await?;
    domain::fault::point("secret.announced");
    let changed = change();
    let outcome = if changed.is_ok() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    app.store.finish_effect(allow, effect, outcome).await?;
    changed
}
