//! Witnesses: a value of type [`Allow<P>`] proves that somebody was checked for the permission `P`.

use crate::actor::{Actor, RequestId};
use crate::permissions::{
    ConfigManage, ConfigView, Permission, SourceManage, SourceSync, SourceView,
};
use std::marker::PhantomData;

/// Proof that `actor` may do what `P` names. Store transactions, warehouse statements and jobs take nothing else.
#[derive(Debug)]
pub struct Allow<P: Permission> {
    actor: Actor,
    request: RequestId,
    permission: PhantomData<P>,
}

impl<P: Permission> Allow<P> {
    /// Returns who was checked.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns the request the check belongs to.
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// Returns the witness of a permission that `P` contains.
    pub fn narrow<Q: Permission>(&self) -> Allow<Q>
    where
        P: Implies<Q>,
    {
        Allow {
            actor: self.actor.clone(),
            request: self.request,
            permission: PhantomData,
        }
    }
}

/// `P: Implies<Q>` says that whoever has `P` has `Q`; the policy table must agree (tested).
pub trait Implies<Q: Permission>: Permission {}

impl<P: Permission> Implies<P> for P {}
impl Implies<SourceView> for SourceSync {}
impl Implies<SourceView> for SourceManage {}
impl Implies<ConfigView> for ConfigManage {}

/// The answer to somebody who may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{actor} has no permission {permission}")]
pub struct Denied {
    pub actor: String,
    pub permission: &'static str,
}

/// Checks that `actor` may do what `P` names.
pub fn authorize<P: Permission>(actor: &Actor, request: RequestId) -> Result<Allow<P>, Denied> {
    let allowed = match actor {
        Actor::Operator { .. } | Actor::Job { .. } => P::OPERATOR,
    };
    if allowed {
        Ok(Allow {
            actor: actor.clone(),
            request,
            permission: PhantomData,
        })
    } else {
        Err(Denied {
            actor: actor.audit_name(),
            permission: P::NAME,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::NotebooksView;
    use uuid::Uuid;

    #[test]
    fn the_operator_has_what_the_table_gives_him_and_no_more() {
        let actor = Actor::Operator {
            os_user: "ada".into(),
        };
        let request = RequestId::new(Uuid::nil());
        let sync = authorize::<SourceSync>(&actor, request).expect("in the table");
        assert_eq!(sync.narrow::<SourceView>().actor(), &actor);
        let denied = authorize::<NotebooksView>(&actor, request).expect_err("not in the table");
        assert_eq!(denied.permission, "notebooks.view");
    }

    #[test]
    fn whoever_has_a_permission_has_what_it_implies() {
        fn check<P: Implies<Q>, Q: Permission>() {
            assert!(
                P::ROLES.iter().all(|role| Q::ROLES.contains(role)),
                "{} {}",
                P::NAME,
                Q::NAME
            );
            assert!(!P::OPERATOR || Q::OPERATOR);
        }
        check::<SourceSync, SourceView>();
        check::<SourceManage, SourceView>();
        check::<ConfigManage, ConfigView>();
    }
}
