//! Logins with identity providers that people have linked: found by issuer and subject, never by address.

mod rows;

use crate::dialect;
use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Mode, Tx, who};
use crate::users::{self, User};
use crate::ways_in::{keep_one, own};
use domain::{Email, LinkedLoginId, Timestamp, UserId};
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use security::permissions::{AccountSecure, AccountView, SignIn, UsersManage, UsersView};
use security::{Allow, Implies, Permission};

/// Logins that one look returns; a person has one or two.
const LIMIT_MAX: u64 = 50;

/// A linked login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedLogin {
    pub id: LinkedLoginId,
    pub owner: UserId,
    /// The name the provider has in our settings: `google`.
    pub provider: String,
    pub issuer: String,
    /// Who he is at the provider.
    pub subject: String,
    /// His address as the provider said last.
    pub email: Option<Email>,
    pub linked_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// A login to link.
#[derive(Debug, Clone)]
pub struct NewLinkedLogin {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub email: Option<Email>,
}

/// Something that links logins: the person himself, or a sign-in for which a setting says so.
pub trait LinksLogins: Permission {}
impl LinksLogins for AccountSecure {}
impl LinksLogins for SignIn {}

/// Something that unlinks logins.
pub trait UnlinksLogins: Permission {
    /// Whether it may leave somebody without a way in: an admin can make him a link, he himself could not.
    const MAY_LOCK_OUT: bool;
}
impl UnlinksLogins for AccountSecure {
    const MAY_LOCK_OUT: bool = false;
}
impl UnlinksLogins for UsersManage {
    const MAY_LOCK_OUT: bool = true;
}

/// Returns the login of `subject` at `issuer` with whose it is; he may be deactivated or deleted.
pub async fn find_by_subject<P: LinksLogins, M: Mode>(
    tx: &Tx<P, M>,
    issuer: &str,
    subject: &str,
) -> Result<Option<(LinkedLogin, User)>, StoreError> {
    let Some(row) = of_subject(issuer, subject).one(tx.link()).await? else {
        return Ok(None);
    };
    let owner = users::Entity::find_by_id(row.user_id.0)
        .one(tx.link())
        .await?;
    owner
        .map(|owner| Ok((row.read(), owner.read()?)))
        .transpose()
}

/// Links a login to `user`. Linking it again is no error; one of somebody else is refused.
pub async fn link<P: LinksLogins>(
    tx: &Tx<P>,
    user: UserId,
    new: NewLinkedLogin,
) -> Result<LinkedLogin, StoreError> {
    own(tx, user)?;
    // Looked up first: on Postgres a failed statement ends the transaction, and nothing could be said about it.
    let linked = of_subject(&new.issuer, &new.subject).one(tx.link()).await?;
    tx.detail("provider", new.provider.clone());
    if let Some(row) = linked {
        let login = row.read();
        return if login.owner == user {
            Ok(login)
        } else {
            Err(StoreError::LoginTaken)
        };
    }
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(user.as_uuid().into()),
        oauth_name: Set(new.provider),
        issuer: Set(new.issuer),
        account_id: Set(new.subject),
        account_email: Set(new.email.map(|email| email.as_str().to_owned())),
        linked_at_us: Set(tx.at().as_micros()),
        last_used_at_us: Set(None),
    };
    let made = Entity::insert(row).exec_with_returning(tx.link()).await;
    let made = made.map_err(|error| {
        if dialect::is_duplicate(&error) {
            StoreError::LoginTaken
        } else {
            error.into()
        }
    })?;
    tx.detail("login_id", made.id.0.to_string());
    Ok(made.read())
}

impl Store {
    /// Notes that a login was used, and the address that the provider says now. It leaves no audit row: the sign-in does.
    pub async fn touch_login(
        &self,
        allow: &Allow<SignIn>,
        id: LinkedLoginId,
        email: Option<&Email>,
    ) -> Result<(), StoreError> {
        self.write(who(allow), None, async |tx: Tx<SignIn>| {
            let email = email.map(|email| email.as_str().to_owned());
            Entity::update_many()
                .filter(Column::Id.eq(id.to_string()))
                .col_expr(Column::LastUsedAtUs, Expr::val(tx.at().as_micros()))
                .col_expr(Column::AccountEmail, Expr::val(email))
                .exec(tx.link())
                .await?;
            Ok(())
        })
        .await
    }
}

/// Returns the linked logins of `owner`, newest first.
pub async fn list<P: Implies<AccountView>, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<Vec<LinkedLogin>, StoreError> {
    own(tx, owner)?;
    of(tx, owner).await
}

/// Returns the linked logins of anybody, newest first.
pub async fn list_any<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<Vec<LinkedLogin>, StoreError> {
    of(tx, owner).await
}

async fn of<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<Vec<LinkedLogin>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(owner.to_string()))
        .order_by_desc(Column::LinkedAtUs)
        .order_by_desc(Column::Id)
        .limit(LIMIT_MAX)
        .all(tx.link())
        .await?;
    Ok(rows.into_iter().map(rows::Model::read).collect())
}

/// Unlinks a login of `owner`; `None` when he has none of this id.
pub async fn unlink<P: UnlinksLogins>(
    tx: &Tx<P>,
    owner: UserId,
    id: LinkedLoginId,
) -> Result<Option<LinkedLogin>, StoreError> {
    if !P::MAY_LOCK_OUT {
        own(tx, owner)?;
    }
    let mine = Entity::find_by_id(id.as_uuid()).filter(Column::UserId.eq(owner.to_string()));
    let Some(row) = mine.one(tx.link()).await? else {
        return Ok(None);
    };
    Entity::delete_by_id(id.as_uuid()).exec(tx.link()).await?;
    if !P::MAY_LOCK_OUT {
        keep_one(tx, owner).await?;
    }
    let login = row.read();
    tx.detail("login_id", id.to_string());
    tx.detail("provider", login.provider.clone());
    Ok(Some(login))
}

/// Returns how many logins `user` has linked.
pub(crate) async fn count<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<u64, StoreError> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .count(tx.link())
        .await?)
}

fn of_subject(issuer: &str, subject: &str) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::Issuer.eq(issuer))
        .filter(Column::AccountId.eq(subject))
}
