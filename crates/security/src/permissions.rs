//! The whole policy, one screen: every permission, whom it is for, and whether the operator at the command line has it.

use crate::actor::Role::{self, Admin, Editor, Viewer};

/// A permission: a type without values, named in handlers, witnesses and transactions.
pub trait Permission: Send + Sync + 'static {
    /// The name in tokens, audit rows and documents: `source.sync`.
    const NAME: &'static str;
    /// The roles that have it.
    const ROLES: &'static [Role];
    /// Whether the operator has it.
    const OPERATOR: bool;
    /// Whether only a session has it: an API token, which may be stolen, must not make further tokens.
    const SESSION_ONLY: bool = false;
}

/// Why something is open to people who have shown nothing yet. The reason stands in the table of routes.
pub trait PublicReason: Permission {
    /// A sentence.
    const REASON: &'static str;
}

macro_rules! permissions {
    ($(#[$about:meta])* $list:ident:
     $($type:ident = $name:literal for [$($role:ident),* $(,)?] $(and $operator:ident)? $(, $session:ident)?;)+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Debug)]
            pub struct $type;

            impl Permission for $type {
                const NAME: &'static str = $name;
                const ROLES: &'static [Role] = &[$($role),*];
                const OPERATOR: bool = permissions!(@is $($operator)?);
                const SESSION_ONLY: bool = permissions!(@is $($session)?);
            }
        )+

        $(#[$about])*
        pub const $list: &[(&str, &[Role], bool)] =
            &[$(($type::NAME, $type::ROLES, $type::OPERATOR)),+];
    };
    (@is $word:ident) => { true };
    (@is) => { false };
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
    /// The permissions of Dango, in the order of the list: name, roles, operator.
    ALL:
    SourceView            = "source.view"             for [Viewer, Editor, Admin] and Operator;
    SourceViewCredentials = "source.view_credentials" for [Admin]                 and Operator;
    SourceSync            = "source.sync"             for [Editor, Admin]         and Operator;
    SourceManage          = "source.manage"           for [Editor, Admin]         and Operator;
    CsvUpload             = "csv.upload"              for [Editor, Admin]         and Operator;
    CsvDelete             = "csv.delete"              for [Editor, Admin]         and Operator;
    DbtView               = "dbt.view"                for [Viewer, Editor, Admin] and Operator;
    DbtRun                = "dbt.run"                 for [Editor, Admin]         and Operator;
    DbtManage             = "dbt.manage"              for [Editor, Admin]         and Operator;
    DashboardView         = "dashboard.view"          for [Viewer, Editor, Admin] and Operator;
    DashboardCreate       = "dashboard.create"        for [Editor, Admin]         and Operator;
    QueryExecute          = "query.execute"           for [Editor, Admin]         and Operator;
    DashboardManage       = "dashboard.manage"        for [Admin]                 and Operator;
    HealthView            = "health.view"             for [Viewer, Editor, Admin] and Operator;
    LogsView              = "logs.view"               for [Viewer, Editor, Admin] and Operator;
    PlatformManage        = "platform.manage"         for [Admin]                 and Operator;
    ConfigView            = "config.view"             for [Editor, Admin]         and Operator;
    ConfigManage          = "config.manage"           for [Admin]                 and Operator;
    UsersView             = "users.view"              for [Admin]                 and Operator;
    UsersManage           = "users.manage"            for [Admin]                 and Operator;
    AuthManage            = "auth.manage"             for [Admin]                 and Operator;
    AuditView             = "audit.view"              for [Admin]                 and Operator;
    NotebooksView         = "notebooks.view"          for [Viewer, Editor, Admin];
    NotebooksExecute      = "notebooks.execute"       for [Editor, Admin];
    NotebooksManage       = "notebooks.manage"        for [Editor, Admin];
    GovernanceView        = "governance.view"         for [Viewer, Editor, Admin] and Operator;
    GovernanceManage      = "governance.manage"       for [Admin]                 and Operator;
    SchedulerView         = "scheduler.view"          for [Viewer, Editor, Admin] and Operator;
    SchedulerManage       = "scheduler.manage"        for [Admin]                 and Operator;
}

permissions! {
    /// What everybody may do with his own account: name, roles, operator.
    ACCOUNT:
    AccountView           = "account.view"            for [Viewer, Editor, Admin];
    AccountManage         = "account.manage"          for [Viewer, Editor, Admin], session_only;
}

public! {
    Authenticate = "public.authenticate" because "who somebody is is found out here";
    SignIn       = "public.sign_in"      because "somebody signs in";
    FollowLink   = "public.follow_link"  because "an invite or a reset link is its own proof";
    SetUp        = "public.set_up"       because "there is no admin yet, and the link on the terminal is the proof";
    Health       = "public.health"       because "a load balancer asks, and learns one word";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_29_names_of_the_heritage_stand_once_each() {
        let mut names: Vec<_> = ALL.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 29);
        assert!(ALL.iter().all(|(_, roles, _)| roles.contains(&Admin)));
        assert!(
            ALL.iter()
                .all(|(_, roles, _)| !roles.contains(&Viewer) || roles.contains(&Editor))
        );
    }
}
