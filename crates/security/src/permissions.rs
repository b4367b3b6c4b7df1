//! The whole policy, one screen: every permission, and whom it is for.

use crate::actor::Role::{self, Admin, Editor, Viewer};
use crate::actor::Step;

/// A permission: a type without values, named in handlers, witnesses and transactions.
pub trait Permission: Send + Sync + 'static {
    /// The name in tokens, audit rows and documents: `source.sync`.
    const NAME: &'static str;
    /// The roles that have it.
    const ROLES: &'static [Role];
    /// Whether the operator at the command line has it.
    const OPERATOR: bool;
    /// Whether whoever sits at the machine has it while sign-in is switched off.
    const LOCAL: bool = false;
    /// Whether only a session has it: an API token, which may be stolen, must not make further tokens.
    const SESSION_ONLY: bool = false;
    /// Whether it takes a proof of who somebody is that is a few minutes old at most.
    const FRESH: bool = false;
    /// Steps of a sign-in during which it is open already.
    const DURING: &'static [Step] = &[];
}

/// Why something is open to people who have shown nothing yet. The reason stands in the table of routes.
pub trait PublicReason: Permission {
    /// A sentence.
    const REASON: &'static str;
}

/// A line of the policy, as tables and tests read it.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub name: &'static str,
    pub roles: &'static [Role],
    pub is_operators: bool,
    pub is_local: bool,
    pub is_session_only: bool,
    pub is_fresh: bool,
    pub during: &'static [Step],
}

impl Line {
    /// Returns the line of `P`.
    pub const fn of<P: Permission>() -> Self {
        Self {
            name: P::NAME,
            roles: P::ROLES,
            is_operators: P::OPERATOR,
            is_local: P::LOCAL,
            is_session_only: P::SESSION_ONLY,
            is_fresh: P::FRESH,
            during: P::DURING,
        }
    }
}

macro_rules! permissions {
    ($(#[$about:meta])* $list:ident:
     $($type:ident = $name:literal for [$($role:ident),* $(,)?] $(and [$($also:ident),+])?
       $(during [$($step:ident),+])? $(, $word:ident)*;)+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Debug)]
            pub struct $type;

            impl Permission for $type {
                const NAME: &'static str = $name;
                const ROLES: &'static [Role] = &[$($role),*];
                const OPERATOR: bool = permissions!(@has Operator $($($also)+)?);
                const LOCAL: bool = permissions!(@has Local $($($also)+)?);
                const SESSION_ONLY: bool = permissions!(@has session_only $($word)*);
                const FRESH: bool = permissions!(@has fresh $($word)*);
                const DURING: &'static [Step] = &[$($(Step::$step),+)?];
            }
        )+

        $(#[$about])*
        pub const $list: &[Line] = &[$(Line::of::<$type>()),+];
    };
    (@has Operator Operator $($rest:ident)*) => { true };
    (@has Local Local $($rest:ident)*) => { true };
    (@has session_only session_only $($rest:ident)*) => { true };
    (@has fresh fresh $($rest:ident)*) => { true };
    (@has $wanted:ident $other:ident $($rest:ident)*) => { permissions!(@has $wanted $($rest)*) };
    (@has $wanted:ident) => { false };
}

macro_rules! public {
    ($($type:ident = $name:literal because $reason:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $reason)]
            #[derive(Debug)]
            pub struct $type;

            impl Permission for $type {
                const NAME: &'static str = $name;
                const ROLES: &'static [Role] = &[];
                const OPERATOR: bool = false;
            }

            impl PublicReason for $type {
                const REASON: &'static str = $reason;
            }
        )+

        /// Everything that is open, with its reason.
        pub const PUBLIC: &[(&str, &str)] = &[$(($type::NAME, $type::REASON)),+];
    };
}

permissions! {
    /// The permissions of Dango, in the order of its list.
    ALL:
    SourceView            = "source.view"             for [Viewer, Editor, Admin] and [Operator, Local];
    SourceViewCredentials = "source.view_credentials" for [Admin]                 and [Operator, Local];
    SourceSync            = "source.sync"             for [Editor, Admin]         and [Operator, Local];
    SourceManage          = "source.manage"           for [Editor, Admin]         and [Operator, Local];
    CsvUpload             = "csv.upload"              for [Editor, Admin]         and [Operator, Local];
    CsvDelete             = "csv.delete"              for [Editor, Admin]         and [Operator, Local];
    DbtView               = "dbt.view"                for [Viewer, Editor, Admin] and [Operator, Local];
    DbtRun                = "dbt.run"                 for [Editor, Admin]         and [Operator, Local];
    DbtManage             = "dbt.manage"              for [Editor, Admin]         and [Operator, Local];
    DashboardView         = "dashboard.view"          for [Viewer, Editor, Admin] and [Operator, Local];
    DashboardCreate       = "dashboard.create"        for [Editor, Admin]         and [Operator, Local];
    QueryExecute          = "query.execute"           for [Editor, Admin]         and [Operator, Local];
    DashboardManage       = "dashboard.manage"        for [Admin]                 and [Operator, Local];
    HealthView            = "health.view"             for [Viewer, Editor, Admin] and [Operator, Local];
    LogsView              = "logs.view"               for [Viewer, Editor, Admin] and [Operator, Local];
    PlatformManage        = "platform.manage"         for [Admin]                 and [Operator, Local];
    ConfigView            = "config.view"             for [Editor, Admin]         and [Operator, Local];
    ConfigManage          = "config.manage"           for [Admin]                 and [Operator, Local];
    UsersView             = "users.view"              for [Admin]                 and [Operator];
    UsersManage           = "users.manage"            for [Admin]                 and [Operator], session_only;
    AuthManage            = "auth.manage"             for [Admin]                 and [Operator], session_only;
    AuditView             = "audit.view"              for [Admin]                 and [Operator];
    NotebooksView         = "notebooks.view"          for [Viewer, Editor, Admin];
    NotebooksExecute      = "notebooks.execute"       for [Editor, Admin];
    NotebooksManage       = "notebooks.manage"        for [Editor, Admin];
    GovernanceView        = "governance.view"         for [Viewer, Editor, Admin] and [Operator, Local];
    GovernanceManage      = "governance.manage"       for [Admin]                 and [Operator, Local];
    SchedulerView         = "scheduler.view"          for [Viewer, Editor, Admin] and [Operator, Local];
    SchedulerManage       = "scheduler.manage"        for [Admin]                 and [Operator, Local];
}

permissions! {
    /// What everybody may do with his own account; the operator does it for somebody he names.
    ACCOUNT:
    AccountView     = "account.view"     for [Viewer, Editor, Admin] and [Operator, Local] during [ChangePassword, Enrol];
    AccountLeave    = "account.leave"    for [Viewer, Editor, Admin] during [SecondFactor, ChangePassword, Enrol], session_only;
    AccountProve    = "account.prove"    for [Viewer, Editor, Admin] during [SecondFactor, Enrol], session_only;
    AccountManage   = "account.manage"   for [Viewer, Editor, Admin] and [Operator], session_only;
    AccountPassword = "account.password" for [Viewer, Editor, Admin] during [ChangePassword], session_only;
    AccountEnrol    = "account.enrol"    for [Viewer, Editor, Admin] during [Enrol], session_only, fresh;
    AccountSecure   = "account.secure"   for [Viewer, Editor, Admin] and [Operator], session_only, fresh;
}

public! {
    Authenticate = "public.authenticate" because "who somebody is is found out here";
    SignIn       = "public.sign_in"      because "somebody signs in";
    Register     = "public.register"     because "somebody makes himself an account, where the team allows it";
    FollowLink   = "public.follow_link"  because "an invite or a reset link is its own proof";
    DeviceSignIn = "public.device"       because "a program asks to be let in; somebody who is signed in decides";
    GiveBack     = "public.give_back"    because "whoever has a token may give it up";
    SetUp        = "public.set_up"       because "there is no admin yet, and the link on the terminal is the proof";
    Health       = "public.health"       because "a load balancer asks, and learns one word";
    Page         = "public.page"         because "pages hold no data; what they show comes over the API";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_29_names_of_the_heritage_stand_once_each() {
        let mut names: Vec<_> = ALL.iter().map(|line| line.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 29);
        assert!(ALL.iter().all(|line| line.roles.contains(&Admin)));
        let is_nested = |line: &Line| !line.roles.contains(&Viewer) || line.roles.contains(&Editor);
        assert!(ALL.iter().all(is_nested));
    }

    #[test]
    fn what_is_local_is_the_operators_too() {
        assert!(ALL.iter().all(|line| line.is_operators || !line.is_local));
        let of = |name| {
            ALL.iter()
                .find(|line| line.name == name)
                .expect("it stands there")
        };
        assert!(of("source.sync").is_local && !of("users.manage").is_local);
    }
}
