//! API tokens: found by their prefix, compared by their hash, never stored themselves.

mod rows;

use crate::error::StoreError;
use crate::paging::{Listed, Paging};
use crate::store::Store;
use crate::transactions::{Mode, Tx, who};
use crate::users::{self, User};
use domain::{Email, Timestamp, TokenId, UserId};
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use security::permissions::{
    AccountManage, AccountSecure, AccountView, Authenticate, DeviceSignIn, GiveBack, UsersManage,
    UsersView,
};
use security::tokens::TokenHash;
use security::{Allow, Implies, Permission};
use serde_json::Value;
use std::collections::BTreeMap;

/// Rows with one prefix that are compared; two would be a coincidence of 1 in 2^48.
const SAME_PREFIX_MAX: u64 = 8;

/// Tokens that one person has at the same time; more are not told apart any more.
pub const TOKENS_MAX: u64 = 200;

/// A token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub owner: UserId,
    pub name: String,
    /// Its first eight characters after `dap_`.
    pub prefix: String,
    /// Permissions it is narrowed to; without them it may what its owner may.
    pub scopes: Option<Vec<String>>,
    /// Networks it may come from, in CIDR notation; without them from anywhere.
    pub networks: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// Returns whether the token opens anything at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self
                .expires_at
                .is_none_or(|at| now.as_micros() < at.as_micros())
    }
}

/// A token to create.
pub struct NewApiToken {
    pub name: String,
    pub prefix: String,
    pub hash: TokenHash,
    pub scopes: Option<Vec<String>>,
    pub networks: Option<Vec<String>>,
    pub expires_at: Option<Timestamp>,
}

/// Which tokens are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ApiTokenFilter {
    /// Whether revoked and expired ones are wanted too.
    pub include_revoked: bool,
}

/// Something in the course of which a token is made.
pub trait MakesTokens: Permission {}
impl MakesTokens for AccountSecure {}
/// Of a sign-in that its owner has approved with a fresh proof.
impl MakesTokens for DeviceSignIn {}

/// Something that shows a token itself.
pub trait ShowsTokens: Permission {}
impl ShowsTokens for Authenticate {}
impl ShowsTokens for GiveBack {}

/// Creates a token of `owner`.
pub async fn create<P: MakesTokens>(
    tx: &Tx<P>,
    owner: UserId,
    new: NewApiToken,
) -> Result<ApiToken, StoreError> {
    let held = Entity::find().filter(Column::UserId.eq(owner.to_string()));
    if good(held, tx.at()).count(tx.link()).await? >= TOKENS_MAX {
        return Err(StoreError::TokensTooMany { max: TOKENS_MAX });
    }
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(owner.as_uuid().into()),
        name: Set(new.name),
        token_prefix: Set(new.prefix),
        token_hash: Set(new.hash.as_str().to_owned()),
        scopes: Set(new.scopes.map(Value::from)),
        networks: Set(new.networks.map(Value::from)),
        created_at: Set(tx.at().as_micros()),
        expires_at: Set(new.expires_at.map(Timestamp::as_micros)),
        last_used_at: Set(None),
        revoked_at: Set(None),
    };
    let made = Entity::insert(row).exec_with_returning(tx.link()).await?;
    let token = made.read()?;
    tx.target(token.id.to_string());
    tx.detail("token_id", token.id.to_string());
    tx.detail("name", token.name.clone());
    tx.detail("expires_at", token.expires_at.map(Timestamp::to_rfc3339));
    Ok(token)
}

/// Returns the token that `prefix` and `hash` are of, with its owner. Whether it is still good is the caller's question.
pub async fn find_by_hash<P: ShowsTokens, M: Mode>(
    tx: &Tx<P, M>,
    prefix: &str,
    hash: &TokenHash,
) -> Result<Option<(ApiToken, User)>, StoreError> {
    let rows = Entity::find()
        .filter(Column::TokenPrefix.eq(prefix))
        .limit(SAME_PREFIX_MAX)
        .all(tx.link())
        .await?;
    let found = rows
        .into_iter()
        .find(|row| TokenHash::from_stored(row.token_hash.clone()).is(hash));
    let Some(row) = found else {
        return Ok(None);
    };
    let owner = users::Entity::find_by_id(row.user_id.0)
        .one(tx.link())
        .await?;
    let token = row.read()?;
    owner.map(|owner| Ok((token, owner.read()?))).transpose()
}

impl Store {
    /// Notes that a token was used. A sign of life: it leaves no audit row.
    pub async fn touch_token(
        &self,
        allow: &Allow<Authenticate>,
        id: TokenId,
    ) -> Result<(), StoreError> {
        self.write(who(allow), None, async |tx: Tx<Authenticate>| {
            Entity::update_many()
                .filter(Column::Id.eq(id.to_string()))
                .col_expr(Column::LastUsedAt, Expr::val(tx.at().as_micros()))
                .exec(tx.link())
                .await?;
            Ok(())
        })
        .await
    }
}

/// Returns the tokens of `owner`, newest first.
pub async fn list<P: Implies<AccountView>, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
    paging: Paging,
) -> Result<Listed<ApiToken>, StoreError> {
    page(
        tx,
        Entity::find().filter(Column::UserId.eq(owner.to_string())),
        paging,
    )
    .await
}

/// Returns how many tokens of `owner` open something.
pub async fn count_good<P: Implies<AccountView>, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<u64, StoreError> {
    let rows = Entity::find().filter(Column::UserId.eq(owner.to_string()));
    Ok(good(rows, tx.at()).count(tx.link()).await?)
}

fn good(rows: Select<Entity>, at: Timestamp) -> Select<Entity> {
    let is_good = Column::ExpiresAt
        .is_null()
        .or(Column::ExpiresAt.gt(at.as_micros()));
    rows.filter(Column::RevokedAt.is_null()).filter(is_good)
}

/// Returns everybody's tokens, newest first, each with its owner's address.
pub async fn list_all<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    filter: ApiTokenFilter,
    paging: Paging,
) -> Result<Listed<(ApiToken, Email)>, StoreError> {
    let mut rows = Entity::find();
    if !filter.include_revoked {
        rows = good(rows, tx.at());
    }
    let listed = page(tx, rows, paging).await?;
    let owners: Vec<String> = listed.items.iter().map(|t| t.owner.to_string()).collect();
    let owners: BTreeMap<UserId, Email> = users::Entity::find()
        .filter(users::Column::Id.is_in(owners))
        .all(tx.link())
        .await?
        .into_iter()
        .map(|row| row.read().map(|user| (user.id, user.email)))
        .collect::<Result<_, _>>()?;
    let items = listed
        .items
        .into_iter()
        .filter_map(|token| {
            let email = owners.get(&token.owner)?.clone();
            Some((token, email))
        })
        .collect();
    Ok(Listed {
        items,
        total: listed.total,
    })
}

/// Revokes a token of `owner`; returns it, or `None` when he has none of this id. Revoking twice is no error.
pub async fn revoke(
    tx: &Tx<AccountManage>,
    owner: UserId,
    id: TokenId,
) -> Result<Option<ApiToken>, StoreError> {
    let mine = Entity::find_by_id(id.as_uuid()).filter(Column::UserId.eq(owner.to_string()));
    let Some(row) = mine.one(tx.link()).await? else {
        return Ok(None);
    };
    let at = row.revoked_at.unwrap_or(tx.at().as_micros());
    mark_revoked(tx, id, at).await?;
    let mut token = row.read()?;
    token.revoked_at = Some(Timestamp::from_micros(at));
    tx.detail("token_id", token.id.to_string());
    tx.detail("name", token.name.clone());
    Ok(Some(token))
}

/// Revokes anybody's token.
pub async fn revoke_any(tx: &Tx<UsersManage>, id: TokenId) -> Result<Option<ApiToken>, StoreError> {
    let Some(row) = Entity::find_by_id(id.as_uuid()).one(tx.link()).await? else {
        return Ok(None);
    };
    let at = row.revoked_at.unwrap_or(tx.at().as_micros());
    mark_revoked(tx, id, at).await?;
    let mut token = row.read()?;
    token.revoked_at = Some(Timestamp::from_micros(at));
    tx.detail("token_id", token.id.to_string());
    tx.detail("name", token.name.clone());
    tx.detail("target_user_id", token.owner.to_string());
    tx.detail("by_admin", true);
    Ok(Some(token))
}

/// Revokes the token that somebody showed; returns whether it was still good.
pub async fn give_back(tx: &Tx<GiveBack>, id: TokenId) -> Result<bool, StoreError> {
    let revoked = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::RevokedAt.is_null())
        .col_expr(Column::RevokedAt, Expr::val(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    tx.detail("token_id", id.to_string());
    Ok(revoked.rows_affected == 1)
}

async fn mark_revoked<P: Permission>(tx: &Tx<P>, id: TokenId, at: i64) -> Result<(), StoreError> {
    Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .col_expr(Column::RevokedAt, Expr::val(at))
        .exec(tx.link())
        .await?;
    Ok(())
}

async fn page<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
    rows: Select<Entity>,
    paging: Paging,
) -> Result<Listed<ApiToken>, StoreError> {
    let total = rows.clone().count(tx.link()).await?;
    let found = rows
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(paging.limit)
        .offset(paging.offset)
        .all(tx.link())
        .await?;
    let items = found
        .into_iter()
        .map(rows::Model::read)
        .collect::<Result<_, _>>()?;
    Ok(Listed { items, total })
}
