//! Effects outside the database.

use crate::databases::{Database, allow, audit_rows, gone};
use security::Event;
use security::permissions::{ConfigManage, PlatformManage, SourceManage};
use store::audit::Phase;
use store::effects::Outcome;
use store::{Act, StoreError};

fn act() -> Act {
    Act::new(Event::SecretSet).target("sources.shop.api_key")
}

pub(crate) async fn an_effect_leaves_its_intent_and_its_outcome(database: &Database) {
    let store = database.open().await;
    let allow = allow::<ConfigManage>();
    let effect = store.begin_effect(&allow, act()).await.expect("it commits");
    let id = effect.id;
    assert_eq!(
        audit_rows(&store).await[0].effect,
        Some((id, Phase::Intent))
    );
    store
        .finish_effect(&allow, effect, Outcome::Done)
        .await
        .expect("it commits");
    let rows = audit_rows(&store).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].effect, Some((id, Phase::Outcome)));
    assert_eq!(
        (rows[1].event.as_str(), rows[1].permission.as_str()),
        ("secret_set", "config.manage")
    );
    assert_eq!(rows[1].target.as_deref(), Some("sources.shop.api_key"));
    assert_eq!(rows[1].details.get("outcome"), Some(&"done".into()));
}

pub(crate) async fn an_effect_has_one_outcome(database: &Database) {
    let store = database.open().await;
    let allow = allow::<ConfigManage>();
    let effect = store.begin_effect(&allow, act()).await.expect("it commits");
    store
        .finish_effect(&allow, effect.clone(), Outcome::Failed)
        .await
        .expect("it commits");
    let again = store.finish_effect(&allow, effect, Outcome::Done).await;
    assert!(
        matches!(again, Err(StoreError::EffectFinished)),
        "{again:?}"
    );
    assert_eq!(audit_rows(&store).await.len(), 2);
}

pub(crate) async fn an_effect_is_finished_under_its_own_permission(database: &Database) {
    let store = database.open().await;
    let effect = store
        .begin_effect(&allow::<ConfigManage>(), act())
        .await
        .expect("it commits");
    let other = store
        .finish_effect(&allow::<SourceManage>(), effect, Outcome::Done)
        .await;
    assert!(
        matches!(other, Err(StoreError::EffectFinished)),
        "{other:?}"
    );
}

pub(crate) async fn an_effect_whose_process_is_gone_is_found_and_settled(database: &Database) {
    let dead = database.open_as(gone()).await;
    let lost = dead
        .begin_effect(&allow::<ConfigManage>(), act())
        .await
        .expect("it commits");
    let store = database.open().await;
    let mine = store
        .begin_effect(&allow::<ConfigManage>(), act())
        .await
        .expect("it commits");
    let operator = allow::<PlatformManage>();
    let found = store.find_lost_effects(&operator).await.expect("it reads");
    assert_eq!(found, std::slice::from_ref(&lost));
    store
        .settle_effect(&operator, lost, Outcome::Unknown)
        .await
        .expect("it commits");
    assert_eq!(
        store.find_lost_effects(&operator).await.expect("it reads"),
        []
    );
    let rows = audit_rows(&store).await;
    let row = rows.last().expect("three");
    assert_eq!(
        (row.permission.as_str(), row.event.as_str()),
        ("platform.manage", "secret_set")
    );
    assert_eq!(row.details.get("outcome"), Some(&"unknown".into()));
    store
        .finish_effect(&allow::<ConfigManage>(), mine, Outcome::Done)
        .await
        .expect("it is mine");
}
