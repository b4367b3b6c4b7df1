//! Erasing what names a person. The rows stay, with what stands for the values in the chain; values and salts go.

use super::rows::{ActiveModel, Column, Entity, Model};
use crate::error::StoreError;
use crate::transactions::Tx;
use domain::{Email, UserId};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Condition, Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use security::permissions::UsersManage;
use serde_json::{Map, Value};

/// Rows that are looked at together.
const ROWS_MAX: u64 = 500;

/// Erases the personal values of rows that are of `user` or name his address, and those values of other rows that do;
/// returns how many rows that were.
pub async fn erase_person(
    tx: &Tx<UsersManage>,
    user: UserId,
    email: &Email,
) -> Result<u64, StoreError> {
    let nothing = || Expr::val(Option::<String>::None);
    let no_json = || Expr::val(Option::<Value>::None);
    let own = Entity::update_many()
        .filter(
            Condition::any()
                .add(Column::UserId.eq(user.to_string()))
                .add(Column::Email.eq(email.as_str())),
        )
        .col_expr(Column::Email, nothing())
        .col_expr(Column::Ip, nothing())
        .col_expr(Column::UserAgent, nothing())
        .col_expr(Column::Personal, no_json())
        .col_expr(Column::Salts, no_json())
        .exec(tx.link())
        .await?;
    Ok(own.rows_affected + erase_mentions(tx, email).await?)
}

/// Erases the values that name `email` from rows of others, and leaves what those say of themselves.
async fn erase_mentions(tx: &Tx<UsersManage>, email: &Email) -> Result<u64, StoreError> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let rows = Entity::find()
            .filter(Column::Personal.is_not_null())
            .filter(Expr::col(Column::Id).gt(after.as_str()))
            .order_by_asc(Column::Id)
            .limit(ROWS_MAX)
            .all(tx.link())
            .await?;
        let Some(last) = rows.last() else {
            return Ok(count);
        };
        after = last.id.0.to_string();
        for row in rows {
            if let Some(changed) = without(row, email) {
                Entity::update(changed).exec(tx.link()).await?;
                count += 1;
            }
        }
    }
}

/// Returns the row without the values that name `email`, `None` when none does.
fn without(row: Model, email: &Email) -> Option<ActiveModel> {
    let object = |json: Option<Value>| match json {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let (mut personal, mut salts) = (object(row.personal), object(row.salts));
    let names = |value: &Value| value.to_string().to_lowercase().contains(email.as_str());
    let named: Vec<_> = personal
        .iter()
        .filter(|(_, value)| names(value))
        .map(|(name, _)| name.clone())
        .collect();
    if named.is_empty() {
        return None;
    }
    for name in named {
        personal.remove(&name);
        salts.remove(&format!("personal.{name}"));
    }
    let json = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
    Some(ActiveModel {
        id: Unchanged(row.id),
        personal: Set(json(personal)),
        salts: Set(json(salts)),
        ..Default::default()
    })
}
