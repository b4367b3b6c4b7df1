//! Sessions: seeing where one is signed in, and ending them.

use super::requests::later;
use crate::{App, Error, Result};
use domain::{Code, SessionId, UserId, say};
use security::permissions::{AccountManage, UsersManage};
use security::{Allow, Event, Via};
use store::sessions::{self, Session};
use store::{Act, StoreError};

/// Returns one's own running sessions, the last used first.
pub async fn list_own(app: &App, allow: &Allow<AccountManage>) -> Result<Vec<Session>> {
    let me = super::me(allow)?.id;
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| sessions::list(&tx, me).await)
        .await;
    Ok(alive(app, listed?))
}

/// Returns somebody's running sessions, the last used first.
pub async fn list(app: &App, allow: &Allow<UsersManage>, of: UserId) -> Result<Vec<Session>> {
    super::people::get(app, allow, of).await?;
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| sessions::list(&tx, of).await)
        .await;
    Ok(alive(app, listed?))
}

fn alive(app: &App, sessions: Vec<Session>) -> Vec<Session> {
    let (now, idle) = (app.clock.now().as_micros(), app.identity().lifetimes().idle);
    let is_alive = |session: &Session| now < later(session.seen_at, idle);
    sessions.into_iter().filter(is_alive).collect()
}

/// Ends one of one's own sessions, but not the one that asks: that is signing out.
pub async fn end_own(app: &App, allow: &Allow<AccountManage>, id: SessionId) -> Result<()> {
    let me = super::me(allow)?;
    if me.via == Via::Session(id) {
        let say = "it is the session this request came with";
        return Err(Error::invalid(Code::UsageInvalid, say).hint("sign out instead"));
    }
    let (act, user) = (named(id), me.id);
    let ended: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            sessions::end(&tx, user, id, "ended by its owner").await
        })
        .await;
    found(ended?, id)
}

/// Ends every session of one's own but the one that asks; returns how many.
pub async fn end_own_others(app: &App, allow: &Allow<AccountManage>) -> Result<u64> {
    let me = super::me(allow)?;
    let here = match me.via {
        Via::Session(id) => Some(id),
        Via::Token { .. } => None,
    };
    let user = me.id;
    let ended: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::SessionEnded, async |tx| {
            sessions::end_all(&tx, user, here, "ended by its owner").await
        })
        .await;
    Ok(ended?)
}

/// Ends somebody's session.
pub async fn end(app: &App, allow: &Allow<UsersManage>, of: UserId, id: SessionId) -> Result<()> {
    let ended: Result<_, StoreError> = app
        .store
        .run_tx(allow, named(id), async |tx| {
            sessions::end(&tx, of, id, "ended by an admin").await
        })
        .await;
    found(ended?, id)
}

/// Ends all sessions of somebody; returns how many.
pub async fn end_all(app: &App, allow: &Allow<UsersManage>, of: UserId) -> Result<u64> {
    super::people::get(app, allow, of).await?;
    let act = Act::new(Event::SessionExpired).target(of.to_string());
    let ended: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            sessions::end_all(&tx, of, None, "ended by an admin").await
        })
        .await;
    Ok(ended?)
}

fn named(id: SessionId) -> Act {
    Act::new(Event::SessionEnded).target(id.to_string())
}

fn found(was_running: bool, id: SessionId) -> Result<()> {
    if was_running {
        return Ok(());
    }
    let say = say!("there is no running session ", name id);
    Err(Error::not_found(Code::SessionNotFound, say)
        .hint("`dango session list` lists those that are running"))
}
