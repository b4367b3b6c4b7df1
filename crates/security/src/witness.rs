//! Witnesses: a value of type [`Allow<P>`] proves that somebody was checked for the permission `P`.

use crate::actor::{Actor, Client, RequestId, SignedIn, Step, Via};
use crate::permissions::{
    AccountManage, AccountSecure, AccountView, ConfigManage, ConfigView, Permission, PublicReason,
    SourceManage, SourceSync, SourceView, UsersManage, UsersView,
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
impl Implies<SourceManage> for ConfigManage {}
impl Implies<UsersView> for UsersManage {}
impl Implies<AccountView> for AccountManage {}
impl Implies<AccountView> for AccountSecure {}
impl Implies<AccountManage> for AccountSecure {}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody has signed in.
    Anonymous,
    /// The role does not have the permission, or the token is narrower.
    Role,
    /// Only a session has it, and a token was shown.
    SessionOnly,
    /// Something else comes first.
    Step(Step),
    /// The last proof of who he is is too old.
    Stale,
}

/// The answer to somebody who may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{actor} has no permission {permission}")]
pub struct Denied {
    pub actor: String,
    pub permission: &'static str,
    pub reason: Reason,
}

/// Checks that `actor` may do what `P` names.
pub fn authorize<P: Permission>(actor: &Actor, request: RequestId) -> Result<Allow<P>, Denied> {
    let refused = match actor {
        Actor::Operator { .. } | Actor::Job { .. } => (!P::OPERATOR).then_some(Reason::Role),
        Actor::LocalOperator => (!P::LOCAL).then_some(Reason::Role),
        Actor::User(user) => refused::<P>(user),
        Actor::Anonymous(_) => Some(Reason::Anonymous),
    };
    match refused {
        None => Ok(Allow {
            actor: actor.clone(),
            request,
            permission: PhantomData,
        }),
        Some(reason) => Err(Denied {
            actor: actor.audit_name(),
            permission: P::NAME,
            reason,
        }),
    }
}

/// A token narrows what its owner may, and never widens it; a step that comes first comes before everything else.
fn refused<P: Permission>(user: &SignedIn) -> Option<Reason> {
    if let Some(step) = user.step.filter(|step| !P::DURING.contains(step)) {
        return Some(Reason::Step(step));
    }
    if !P::ROLES.contains(&user.role) {
        return Some(Reason::Role);
    }
    match &user.via {
        Via::Session(_) => (P::FRESH && !user.is_fresh).then_some(Reason::Stale),
        Via::Token { .. } if P::SESSION_ONLY => Some(Reason::SessionOnly),
        Via::Token { scopes: None, .. } => None,
        Via::Token {
            scopes: Some(scopes),
            ..
        } => {
            let is_within = scopes.iter().any(|scope| scope == P::NAME);
            (!is_within).then_some(Reason::Role)
        }
    }
}

/// Lets somebody in who has shown nothing yet, for the one thing that is open for the reason `R`.
pub fn admit<R: PublicReason>(client: Client, request: RequestId) -> Allow<R> {
    Allow {
        actor: Actor::Anonymous(client),
        request,
        permission: PhantomData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;
    use crate::permissions::{AccountEnrol, AccountLeave, AccountPassword, NotebooksView};
    use domain::{Email, SessionId, TokenId, UserId};
    use uuid::Uuid;

    fn user(role: Role, via: Via) -> Actor {
        Actor::User(SignedIn {
            id: UserId::new(Uuid::nil()),
            email: Email::parse("ada@example.com").expect("an address"),
            role,
            via,
            client: Client::default(),
            step: None,
            is_fresh: true,
        })
    }

    fn is_allowed<P: Permission>(actor: &Actor) -> bool {
        authorize::<P>(actor, RequestId::new(Uuid::nil())).is_ok()
    }

    #[test]
    fn a_token_narrows_and_never_widens() {
        let token = |scopes: Option<&[&str]>| Via::Token {
            id: TokenId::new(Uuid::nil()),
            scopes: scopes.map(|scopes| scopes.iter().map(|s| (*s).to_owned()).collect()),
        };
        let session = user(Role::Viewer, Via::Session(SessionId::new(Uuid::nil())));
        assert!(is_allowed::<SourceView>(&session) && is_allowed::<AccountManage>(&session));
        assert!(!is_allowed::<SourceSync>(&session));
        let whole = user(Role::Editor, token(None));
        assert!(is_allowed::<SourceSync>(&whole) && is_allowed::<AccountView>(&whole));
        assert!(!is_allowed::<AccountManage>(&whole));
        let narrow = user(Role::Editor, token(Some(&["source.view", "users.manage"])));
        assert!(is_allowed::<SourceView>(&narrow));
        assert!(!is_allowed::<SourceSync>(&narrow) && !is_allowed::<UsersManage>(&narrow));
        assert!(!is_allowed::<SourceView>(&user(
            Role::Admin,
            token(Some(&[]))
        )));
    }

    #[test]
    fn a_step_comes_before_everything_else() {
        let mut pending = user(Role::Admin, Via::Session(SessionId::new(Uuid::nil())));
        let reason = |actor: &Actor| {
            let denied = authorize::<SourceView>(actor, RequestId::new(Uuid::nil()));
            denied.err().map(|denied| denied.reason)
        };
        assert_eq!(reason(&pending), None);
        for step in [Step::SecondFactor, Step::ChangePassword, Step::Enrol] {
            let Actor::User(user) = &mut pending else {
                continue;
            };
            user.step = Some(step);
            assert_eq!(reason(&pending), Some(Reason::Step(step)));
            assert!(is_allowed::<AccountLeave>(&pending));
            assert!(
                !is_allowed::<AccountSecure>(&pending) && !is_allowed::<AccountManage>(&pending)
            );
            assert_eq!(
                is_allowed::<AccountPassword>(&pending),
                step == Step::ChangePassword
            );
            assert_eq!(is_allowed::<AccountEnrol>(&pending), step == Step::Enrol);
            assert_eq!(
                is_allowed::<AccountView>(&pending),
                step != Step::SecondFactor
            );
        }
    }

    #[test]
    fn what_matters_takes_a_fresh_proof() {
        let mut stale = user(Role::Admin, Via::Session(SessionId::new(Uuid::nil())));
        if let Actor::User(user) = &mut stale {
            user.is_fresh = false;
        }
        let denied = authorize::<AccountSecure>(&stale, RequestId::new(Uuid::nil()));
        assert_eq!(denied.expect_err("stale").reason, Reason::Stale);
        assert!(is_allowed::<AccountManage>(&stale) && is_allowed::<AccountPassword>(&stale));
    }

    #[test]
    fn whoever_has_shown_nothing_has_no_permission() {
        let nobody = Actor::Anonymous(Client::default());
        assert!(!is_allowed::<SourceView>(&nobody) && !is_allowed::<AccountView>(&nobody));
        let allow =
            admit::<crate::permissions::SignIn>(Client::default(), RequestId::new(Uuid::nil()));
        assert_eq!(allow.actor(), &nobody);
    }

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
        check::<ConfigManage, SourceManage>();
        check::<UsersManage, UsersView>();
        check::<AccountManage, AccountView>();
        check::<AccountSecure, AccountView>();
        check::<AccountSecure, AccountManage>();
    }
}
