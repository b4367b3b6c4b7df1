//! What becomes of a user. Each step is one statement with its condition in it, and names itself in the audit row.

use super::rows::{ActiveModel, Column, Entity};
use super::{NewUser, User};
use crate::audit;
use crate::dialect;
use crate::error::StoreError;
use crate::sessions;
use crate::transactions::Tx;
use domain::{Email, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};
use security::passwords::PasswordHash;
use security::permissions::{
    AccountPassword, AccountSecure, FollowLink, Register, SetUp, SignIn, UsersManage,
};
use security::{Permission, Role};

/// Something that may create a user.
pub trait CreatesUsers: Permission {}
impl CreatesUsers for UsersManage {}
impl CreatesUsers for SetUp {}

/// Something that may give a user another password.
pub trait SetsPasswords: Permission {}
impl SetsPasswords for AccountPassword {}
impl SetsPasswords for AccountSecure {}
impl SetsPasswords for FollowLink {}
impl SetsPasswords for SignIn {}

/// Creates a user; an address that is taken, also by a deleted user, is refused.
pub async fn create<P: CreatesUsers>(tx: &Tx<P>, new: &NewUser) -> Result<User, StoreError> {
    insert(tx, new).await
}

/// Creates whoever makes himself an account: a viewer, whose address nobody has verified.
pub async fn register(
    tx: &Tx<Register>,
    email: &Email,
    hash: &PasswordHash,
) -> Result<User, StoreError> {
    let new = NewUser {
        email: email.clone(),
        role: Role::Viewer,
        password: Some(hash.clone()),
        must_change_password: false,
        is_verified: false,
    };
    insert(tx, &new).await
}

/// Creates whoever comes in by a provider that the team trusts: a viewer, whose address the provider has verified.
pub async fn create_viewer(tx: &Tx<SignIn>, email: &Email) -> Result<User, StoreError> {
    let new = NewUser {
        email: email.clone(),
        role: Role::Viewer,
        password: None,
        must_change_password: false,
        is_verified: true,
    };
    insert(tx, &new).await
}

async fn insert<P: Permission>(tx: &Tx<P>, new: &NewUser) -> Result<User, StoreError> {
    let now = tx.at().as_micros();
    let hash = new.password.as_ref().map(|hash| hash.as_str().to_owned());
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        email: Set(new.email.as_str().to_owned()),
        password_changed_at_us: Set(hash.as_ref().map(|_| now)),
        password_hash: Set(hash),
        role: Set(new.role.as_str().to_owned()),
        is_active: Set(true),
        is_verified: Set(new.is_verified),
        must_change_password: Set(new.must_change_password),
        has_second_factor: Set(false),
        created_at_us: Set(now),
        updated_at_us: Set(now),
        last_login_at_us: Set(None),
        deleted_at_us: Set(None),
    };
    // Looked up first: on Postgres a failed statement ends the transaction, and nothing could be said about it.
    let taken = Entity::find()
        .filter(Column::Email.eq(new.email.as_str()))
        .count(tx.link())
        .await?;
    if taken > 0 {
        return Err(StoreError::EmailTaken {
            email: new.email.clone(),
        });
    }
    let made = Entity::insert(row).exec_with_returning(tx.link()).await;
    let made = made.map_err(|error| {
        if dialect::is_duplicate(&error) {
            let email = new.email.clone();
            StoreError::EmailTaken { email }
        } else {
            error.into()
        }
    })?;
    tx.detail("user_id", made.id.0.to_string());
    tx.detail("role", made.role.clone());
    made.read()
}

/// Gives a user another role.
pub async fn set_role(tx: &Tx<UsersManage>, id: UserId, role: Role) -> Result<User, StoreError> {
    let user = get(tx, id).await?;
    tx.detail("from", user.role.as_str());
    tx.detail("to", role.as_str());
    if role != Role::Admin {
        keep_an_admin(tx, &user).await?;
    }
    change(tx, id, &[(Column::Role, role.as_str().into())]).await
}

/// Takes a user's access away; his sessions end, his tokens no longer open anything.
pub async fn deactivate(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    let user = get(tx, id).await?;
    not_oneself(tx, id)?;
    keep_an_admin(tx, &user).await?;
    sessions::end_all(tx, id, None, "deactivated").await?;
    change(tx, id, &[(Column::IsActive, false.into())]).await
}

/// Gives a user his access back.
pub async fn reactivate(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    get(tx, id).await?;
    change(tx, id, &[(Column::IsActive, true.into())]).await
}

/// Deletes a user so that he can be restored: what he owns stays, visible to admins.
pub async fn delete(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    let user = get(tx, id).await?;
    not_oneself(tx, id)?;
    keep_an_admin(tx, &user).await?;
    sessions::end_all(tx, id, None, "deleted").await?;
    let deleted = tx.at().as_micros();
    change(
        tx,
        id,
        &[
            (Column::IsActive, false.into()),
            (Column::DeletedAtUs, deleted.into()),
        ],
    )
    .await
}

/// Brings a deleted user back, with access.
pub async fn restore(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    get(tx, id).await?;
    let none: Option<i64> = None;
    change(
        tx,
        id,
        &[
            (Column::IsActive, true.into()),
            (Column::DeletedAtUs, none.into()),
        ],
    )
    .await
}

/// Erases a user with everything he owns. What he did stays in the audit log, without what names him.
pub async fn erase(tx: &Tx<UsersManage>, id: UserId) -> Result<(), StoreError> {
    let user = get(tx, id).await?;
    not_oneself(tx, id)?;
    keep_an_admin(tx, &user).await?;
    let rows = audit::erase_person(tx, id, &user.email).await?;
    tx.detail("user_id", id.to_string());
    tx.detail("audit_rows_erased", rows);
    Entity::delete_by_id(id.as_uuid()).exec(tx.link()).await?;
    Ok(())
}

/// Makes a user an admin who may sign in, whatever he was: what whoever installs the program does with an address that is
/// taken already.
pub async fn promote(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    let none: Option<i64> = None;
    change(
        tx,
        id,
        &[
            (Column::Role, Role::Admin.as_str().into()),
            (Column::IsActive, true.into()),
            (Column::IsVerified, true.into()),
            (Column::DeletedAtUs, none.into()),
        ],
    )
    .await
}

/// Gives a user the password that whoever installs the program has chosen.
pub async fn reset_hash(
    tx: &Tx<UsersManage>,
    id: UserId,
    hash: &PasswordHash,
    must_change: bool,
) -> Result<User, StoreError> {
    change(
        tx,
        id,
        &[
            (Column::PasswordHash, hash.as_str().into()),
            (Column::PasswordChangedAtUs, tx.at().as_micros().into()),
            (Column::MustChangePassword, must_change.into()),
        ],
    )
    .await
}

/// Takes a user's password away: nothing he types is right until he has chosen another by a link.
pub async fn clear_password(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    let none: Option<String> = None;
    change(
        tx,
        id,
        &[
            (Column::PasswordHash, none.into()),
            (Column::MustChangePassword, false.into()),
        ],
    )
    .await
}

/// Gives an invited user his first password; mail has reached him.
pub async fn accept_invite(
    tx: &Tx<FollowLink>,
    id: UserId,
    hash: &PasswordHash,
) -> Result<User, StoreError> {
    set_password(tx, id, hash).await?;
    change(tx, id, &[(Column::IsVerified, true.into())]).await
}

/// Something that gives a user another address.
pub trait ChangesEmail: Permission {}
impl ChangesEmail for AccountSecure {}
impl ChangesEmail for UsersManage {}

/// Gives a user another address, which nobody has verified yet.
pub async fn set_email<P: ChangesEmail>(
    tx: &Tx<P>,
    id: UserId,
    email: &Email,
) -> Result<User, StoreError> {
    let taken = Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::Id.ne(id.to_string()))
        .count(tx.link())
        .await?;
    if taken > 0 {
        let email = email.clone();
        return Err(StoreError::EmailTaken { email });
    }
    change(
        tx,
        id,
        &[
            (Column::Email, email.as_str().into()),
            (Column::IsVerified, false.into()),
        ],
    )
    .await
}

/// Gives a user a password.
pub async fn set_password<P: SetsPasswords>(
    tx: &Tx<P>,
    id: UserId,
    hash: &PasswordHash,
) -> Result<User, StoreError> {
    let now = tx.at().as_micros();
    change(
        tx,
        id,
        &[
            (Column::PasswordHash, hash.as_str().into()),
            (Column::PasswordChangedAtUs, now.into()),
            (Column::MustChangePassword, false.into()),
        ],
    )
    .await
}

/// Notes whether a user is asked for a second factor.
pub(crate) async fn note_second_factor<P: Permission>(
    tx: &Tx<P>,
    id: UserId,
    has_one: bool,
) -> Result<(), StoreError> {
    change(tx, id, &[(Column::HasSecondFactor, has_one.into())])
        .await
        .map(drop)
}

/// Notes that a user has signed in, and with it a hash that was made anew.
pub async fn signed_in(
    tx: &Tx<SignIn>,
    id: UserId,
    rehashed: Option<&PasswordHash>,
) -> Result<User, StoreError> {
    let mut columns = vec![(Column::LastLoginAtUs, Expr::val(tx.at().as_micros()))];
    if let Some(hash) = rehashed {
        columns.push((Column::PasswordHash, Expr::val(hash.as_str())));
    }
    change(tx, id, &columns).await
}

async fn get(tx: &Tx<UsersManage>, id: UserId) -> Result<User, StoreError> {
    let user = super::find(tx, id).await?;
    user.ok_or(StoreError::UserMissing { id })
}

fn not_oneself(tx: &Tx<UsersManage>, id: UserId) -> Result<(), StoreError> {
    if tx.actor().user().is_some_and(|user| user.id == id) {
        return Err(StoreError::Oneself);
    }
    Ok(())
}

/// Refuses when `user` is the last admin who may sign in. Transactions that write see each other's admins, or one of them is
/// repeated.
async fn keep_an_admin(tx: &Tx<UsersManage>, user: &User) -> Result<(), StoreError> {
    if user.role != Role::Admin || !user.may_sign_in() {
        return Ok(());
    }
    // One who was invited may never come.
    let others = admins()
        .filter(Column::PasswordHash.is_not_null())
        .filter(Column::Id.ne(user.id.to_string()))
        .count(tx.link())
        .await?;
    if others == 0 {
        return Err(StoreError::LastAdmin);
    }
    Ok(())
}

/// Returns the admins who may sign in.
pub(super) fn admins() -> Select<Entity> {
    Entity::find()
        .filter(Column::Role.eq(Role::Admin.as_str()))
        .filter(Column::IsActive.eq(true))
        .filter(Column::DeletedAtUs.is_null())
}

async fn change<P: Permission>(
    tx: &Tx<P>,
    id: UserId,
    columns: &[(Column, Expr)],
) -> Result<User, StoreError> {
    let mut update = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .col_expr(Column::UpdatedAtUs, Expr::val(tx.at().as_micros()));
    for (column, value) in columns {
        update = update.col_expr(*column, value.clone());
    }
    let changed = update.exec_with_returning(tx.link()).await?;
    match changed.into_iter().next() {
        Some(row) => row.read(),
        None => Err(StoreError::UserMissing { id }),
    }
}
