//! Links that are good once: an invite, a password reset, the first admin's set-up.

mod rows;

use crate::error::StoreError;
use crate::transactions::{Mode, Tx};
use domain::{Timestamp, UserId};
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use security::permissions::{FollowLink, SetUp, SignIn, UsersManage, UsersView};
use security::tokens::TokenHash;
use security::{Implies, Permission};
use std::time::Duration;

/// How long a link is kept after its time.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// An invited user chooses his first password.
    Invite,
    /// A user chooses another password.
    Reset,
    /// The first admin is created.
    SetUp,
}

impl LinkKind {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::SetUp => "set_up",
        }
    }
}

/// A link that was found and is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose it is; the set-up link is nobody's.
    pub user: Option<UserId>,
    pub expires_at: Timestamp,
}

/// Something that may make links.
pub trait MakesLinks: Permission {}
impl MakesLinks for UsersManage {}
impl MakesLinks for SignIn {}

/// Something that may follow links.
pub trait FollowsLinks: Permission {}
impl FollowsLinks for FollowLink {}
impl FollowsLinks for SetUp {}

/// Makes a link; earlier ones of its kind for the same user are void from now on.
pub async fn create<P: MakesLinks>(
    tx: &Tx<P>,
    kind: LinkKind,
    user: Option<UserId>,
    hash: &TokenHash,
    lasts: Duration,
) -> Result<Timestamp, StoreError> {
    void(tx, kind, user).await?;
    let kept_for = i64::try_from(KEPT_FOR.as_micros()).unwrap_or(i64::MAX);
    Entity::delete_many()
        .filter(Column::ExpiresAtUs.lt(tx.at().as_micros().saturating_sub(kept_for)))
        .exec(tx.link())
        .await?;
    let lasts = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX);
    let expires_at = Timestamp::from_micros(tx.at().as_micros().saturating_add(lasts));
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(user.map(|user| user.to_string())),
        kind: Set(kind.as_str().to_owned()),
        token_hash: Set(hash.as_str().to_owned()),
        created_at_us: Set(tx.at().as_micros()),
        expires_at_us: Set(expires_at.as_micros()),
        used_at_us: Set(None),
    };
    Entity::insert(row)
        .exec_without_returning(tx.link())
        .await?;
    Ok(expires_at)
}

/// Returns the link that `hash` is of, when it is good: to show whom it is for.
pub async fn find<P: FollowsLinks, M: Mode>(
    tx: &Tx<P, M>,
    kind: LinkKind,
    hash: &TokenHash,
) -> Result<Option<Link>, StoreError> {
    let found = Entity::find()
        .filter(Column::TokenHash.eq(hash.as_str()))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::UsedAtUs.is_null())
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .one(tx.link())
        .await?;
    found.map(rows::Model::read).transpose()
}

/// Returns until when a link of this kind for `user` is good.
pub async fn good_until<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    kind: LinkKind,
    user: UserId,
) -> Result<Option<Timestamp>, StoreError> {
    let found = Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::UsedAtUs.is_null())
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .one(tx.link())
        .await?;
    Ok(found.map(|row| Timestamp::from_micros(row.expires_at_us)))
}

/// Uses the link up; of many that follow it at once one gets it.
pub async fn take<P: FollowsLinks>(
    tx: &Tx<P>,
    kind: LinkKind,
    hash: &TokenHash,
) -> Result<Option<Link>, StoreError> {
    let Some(link) = find(tx, kind, hash).await? else {
        return Ok(None);
    };
    let taken = Entity::update_many()
        .filter(Column::TokenHash.eq(hash.as_str()))
        .filter(Column::UsedAtUs.is_null())
        .col_expr(Column::UsedAtUs, Expr::val(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    Ok((taken.rows_affected == 1).then_some(link))
}

/// Makes every link of this kind for `user` void.
pub async fn void<P: Permission>(
    tx: &Tx<P>,
    kind: LinkKind,
    user: Option<UserId>,
) -> Result<(), StoreError> {
    let of_user = match user {
        Some(user) => Column::UserId.eq(user.to_string()),
        None => Column::UserId.is_null(),
    };
    Entity::update_many()
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(of_user)
        .filter(Column::UsedAtUs.is_null())
        .col_expr(Column::UsedAtUs, Expr::val(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    Ok(())
}
