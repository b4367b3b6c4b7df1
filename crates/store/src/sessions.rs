//! Sessions of people who signed in. The cookie names a session and its generation; the row says whether it still counts.

mod rows;

use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Mode, Tx, who};
use crate::users::{self, User};
use domain::{SessionId, Timestamp, UserId};
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use security::permissions::{
    AccountEnrol, AccountLeave, AccountManage, AccountPassword, AccountProve, AccountSecure,
    AccountView, AuthManage, Authenticate, SignIn, UsersManage, UsersView,
};
use security::{Allow, Client, Permission};
use std::time::Duration;

/// Sessions that one look returns; a person has a handful.
const LIMIT_MAX: u64 = 200;
/// How long a session is kept after its time; the audit log tells of it for ever.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// How far somebody has come with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The password was right; the second factor is still to come.
    SecondFactor,
    /// Signed in.
    Full,
}

impl Stage {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor",
            Self::Full => "full",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::SecondFactor, Self::Full]
            .into_iter()
            .find(|stage| stage.as_str() == text)
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub stage: Stage,
    /// Grows with each renewal of the cookie.
    pub generation: u64,
    pub created_at: Timestamp,
    /// When the generation grew last.
    pub renewed_at: Timestamp,
    pub seen_at: Timestamp,
    /// When the person last showed who he is.
    pub proven_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// What became of the wish to renew a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// This is the generation that counts from now on.
    To(u64),
    /// The cookie is older than the grace allows, so somebody has copied it; or the session has ended.
    Replayed,
}

/// Something that may end sessions.
pub trait EndsSessions: Permission {}
impl EndsSessions for AccountLeave {}
impl EndsSessions for AccountManage {}
impl EndsSessions for AccountEnrol {}
impl EndsSessions for AccountPassword {}
impl EndsSessions for AccountProve {}
impl EndsSessions for AccountSecure {}
impl EndsSessions for UsersManage {}
impl EndsSessions for SignIn {}
impl EndsSessions for Authenticate {}
impl EndsSessions for security::permissions::FollowLink {}

/// Something that begins sessions.
pub trait BeginsSessions: Permission {}
impl BeginsSessions for SignIn {}
impl BeginsSessions for AccountProve {}

/// Begins a session of `user`, which ends after `lasts` at the latest.
pub async fn create<P: BeginsSessions>(
    tx: &Tx<P>,
    user: UserId,
    stage: Stage,
    lasts: Duration,
    client: &Client,
) -> Result<Session, StoreError> {
    let now = tx.at();
    Entity::delete_many()
        .filter(Column::ExpiresAtUs.lt(earlier(now, KEPT_FOR)))
        .exec(tx.link())
        .await?;
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(user.as_uuid().into()),
        stage: Set(stage.as_str().to_owned()),
        generation: Set(1),
        created_at_us: Set(now.as_micros()),
        renewed_at_us: Set(now.as_micros()),
        seen_at_us: Set(now.as_micros()),
        proven_at_us: Set(now.as_micros()),
        expires_at_us: Set(later(now, lasts)),
        ended_at_us: Set(None),
        ended_because: Set(None),
        ip: Set(client.ip.map(|ip| ip.to_string())),
        user_agent: Set(client.user_agent.clone()),
    };
    let made = Entity::insert(row).exec_with_returning(tx.link()).await?;
    let session = made.read()?;
    // Whoever looks at what a session did finds how it began.
    tx.detail("session_id", session.id.to_string());
    Ok(session)
}

/// Returns the session of this id with its user, ended or not: what the caller makes of it is in one place, not here.
pub async fn find<M: Mode>(
    tx: &Tx<Authenticate, M>,
    id: SessionId,
) -> Result<Option<(Session, User)>, StoreError> {
    let Some(row) = Entity::find_by_id(id.as_uuid()).one(tx.link()).await? else {
        return Ok(None);
    };
    let user = users::Entity::find_by_id(row.user_id.0)
        .one(tx.link())
        .await?;
    let session = row.read()?;
    user.map(|user| Ok((session, user.read()?))).transpose()
}

impl Store {
    /// Renews the cookie of generation `generation`: of many that ask at once one makes the next generation, and all get it.
    /// One of the generation before is taken for `grace` after that; an older one is a copy, and the session is to be ended.
    /// Like a sign of life it leaves no audit row.
    pub async fn renew_session(
        &self,
        allow: &Allow<Authenticate>,
        id: SessionId,
        generation: u64,
        grace: Duration,
    ) -> Result<Renewed, StoreError> {
        self.write(who(allow), None, async |tx| {
            renew(&tx, id, generation, grace).await
        })
        .await
    }

    /// Notes that a session is in use.
    pub async fn touch_session(
        &self,
        allow: &Allow<Authenticate>,
        id: SessionId,
    ) -> Result<(), StoreError> {
        self.write(who(allow), None, async |tx: Tx<Authenticate>| {
            Entity::update_many()
                .filter(Column::Id.eq(id.to_string()))
                .col_expr(Column::SeenAtUs, Expr::val(tx.at().as_micros()))
                .exec(tx.link())
                .await?;
            Ok(())
        })
        .await
    }
}

async fn renew(
    tx: &Tx<Authenticate>,
    id: SessionId,
    generation: u64,
    grace: Duration,
) -> Result<Renewed, StoreError> {
    let now = tx.at();
    let next = generation.saturating_add(1);
    let renewed = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::EndedAtUs.is_null())
        .filter(Column::Generation.eq(signed(generation)))
        .col_expr(Column::Generation, Expr::val(signed(next)))
        .col_expr(Column::RenewedAtUs, Expr::val(now.as_micros()))
        .col_expr(Column::SeenAtUs, Expr::val(now.as_micros()))
        .exec(tx.link())
        .await?;
    if renewed.rows_affected == 1 {
        return Ok(Renewed::To(next));
    }
    let row = Entity::find_by_id(id.as_uuid()).one(tx.link()).await?;
    let session = row.map(rows::Model::read).transpose()?;
    let is_in_grace = session.is_some_and(|session| {
        session.ended_at.is_none()
            && session.generation == next
            && now.as_micros() <= later(session.renewed_at, grace)
    });
    Ok(if is_in_grace {
        Renewed::To(next)
    } else {
        Renewed::Replayed
    })
}

/// Something that takes a proof of who somebody is.
pub trait TakesProof: Permission {}
impl TakesProof for SignIn {}
impl TakesProof for AccountProve {}

/// Notes that a person has shown again who he is, and how far he has come by that.
pub async fn prove<P: TakesProof>(
    tx: &Tx<P>,
    id: SessionId,
    stage: Stage,
) -> Result<(), StoreError> {
    Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::EndedAtUs.is_null())
        .col_expr(Column::ProvenAtUs, Expr::val(tx.at().as_micros()))
        .col_expr(Column::Stage, Expr::val(stage.as_str()))
        .exec(tx.link())
        .await?;
    Ok(())
}

/// Something that sees sessions.
pub trait SeesSessions: Permission {}
impl SeesSessions for AccountView {}
impl SeesSessions for AccountManage {}
impl SeesSessions for UsersView {}
impl SeesSessions for UsersManage {}

/// Returns the running sessions of `user`, latest first.
pub async fn list<P: SeesSessions, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<Vec<Session>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::EndedAtUs.is_null())
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .order_by_desc(Column::SeenAtUs)
        .order_by_desc(Column::Id)
        .limit(LIMIT_MAX)
        .all(tx.link())
        .await?;
    rows.into_iter().map(rows::Model::read).collect()
}

/// Ends one session of `user`; returns whether it was running.
pub async fn end<P: EndsSessions>(
    tx: &Tx<P>,
    user: UserId,
    id: SessionId,
    because: &'static str,
) -> Result<bool, StoreError> {
    let ended = running(user)
        .filter(Column::Id.eq(id.to_string()))
        .col_expr(Column::EndedAtUs, Expr::val(tx.at().as_micros()))
        .col_expr(Column::EndedBecause, Expr::val(because))
        .exec(tx.link())
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Ends every session of `user` but `except`; returns how many.
pub async fn end_all<P: EndsSessions>(
    tx: &Tx<P>,
    user: UserId,
    except: Option<SessionId>,
    because: &'static str,
) -> Result<u64, StoreError> {
    let mut sessions = running(user)
        .col_expr(Column::EndedAtUs, Expr::val(tx.at().as_micros()))
        .col_expr(Column::EndedBecause, Expr::val(because));
    if let Some(except) = except {
        sessions = sessions.filter(Column::Id.ne(except.to_string()));
    }
    Ok(sessions.exec(tx.link()).await?.rows_affected)
}

/// Ends every session there is; returns how many.
pub async fn end_everybodys(tx: &Tx<AuthManage>, because: &'static str) -> Result<u64, StoreError> {
    let ended = Entity::update_many()
        .filter(Column::EndedAtUs.is_null())
        .col_expr(Column::EndedAtUs, Expr::val(tx.at().as_micros()))
        .col_expr(Column::EndedBecause, Expr::val(because))
        .exec(tx.link())
        .await?;
    Ok(ended.rows_affected)
}

fn running(user: UserId) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::EndedAtUs.is_null())
}

fn earlier(at: Timestamp, by: Duration) -> i64 {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    at.as_micros().saturating_sub(by)
}

fn later(at: Timestamp, by: Duration) -> i64 {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    at.as_micros().saturating_add(by)
}

/// Generations are counted from 1 and never reach the end of either type.
fn signed(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
