//! What the audit log can say happened: the one mapping between the two heritages' vocabularies.

use std::fmt;

macro_rules! events {
    ($($variant:ident = $name:literal, $kind:literal;)+) => {
        /// Something that happened and is written down: an act, a refusal, a failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($variant),+ }

        impl Event {
            /// Every event, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name in the column and key `event`: Dango's, or DAP's where Dango has none.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the name in the column and key `event_type`: DAP's, or `<noun>.<past>`.
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind),+ }
            }
        }
    };
}

events! {
    ProjectCreated   = "project_created",     "project.created";
    SourceAdded      = "source_added",        "source.created";
    SourceUpdated    = "source_updated",      "source.updated";
    SourceRemoved    = "source_removed",      "source.deleted";
    SourceTested     = "source_tested",       "source.tested";
    SyncTriggered    = "sync_triggered",      "sync.triggered";
    SyncCompleted    = "sync_completed",      "sync.completed";
    SyncFailed       = "sync_failed",         "sync.failed";
    SyncInterrupted  = "sync_interrupted",    "sync.interrupted";
    JobCancelled     = "job_cancelled",       "job.cancelled";
    QueryExecuted    = "query_executed",      "query.executed";
    QueryFailed      = "query_failed",        "query.failed";
    QueryRefused     = "query_refused",       "query.refused";
    QueryExported    = "query_exported",      "query.exported";
    SecretSet        = "secret_set",          "secret.set";
    SecretDeleted    = "secret_deleted",      "secret.deleted";
    ConfigUpdated    = "config_updated",      "config.updated";
    WarehouseCompacted = "warehouse_compacted", "warehouse.compacted";
    PermissionDenied = "permission_denied",   "permission.denied";
    LoginSuccess     = "login_success",       "user.logged_in";
    LoginSecondFactorAsked = "login_second_factor_asked", "user.second_factor_asked";
    PasswordCheckFailed = "password_check_failed", "user.password_check_failed";
    SetUpOpened      = "set_up_opened",       "set_up.opened";
    LoginFailure     = "login_failure",       "user.login_failed";
    Logout           = "logout",              "user.logged_out";
    AccountLocked    = "account_locked",      "user.locked";
    AccountUnlocked  = "account_unlocked",    "user.unlocked";
    SessionReplayed  = "session_replayed",    "session.replayed";
    SessionEnded     = "session_ended",       "session.ended";
    SessionsRevoked  = "sessions_revoked",    "session.revoked_all";
    KeyRotated       = "signing_key_rotated", "signing_key.rotated";
    SessionExpired   = "session_expired",     "session.expired";
    UserCreated      = "user_created",        "user.registered";
    UserDeactivated  = "user_deactivated",    "user.deactivated";
    UserReactivated  = "user_reactivated",    "user.reactivated";
    UserDeleted      = "user_deleted",        "user.deleted";
    UserRestored     = "user_restored",       "user.restored";
    UserErased       = "user_erased",         "user.erased";
    RoleChanged      = "role_changed",        "user.role_changed";
    InviteResent     = "invite_resent",       "user.invited";
    InviteAccepted   = "invite_accepted",     "user.invite_accepted";
    UserPromoted     = "user_promoted",       "user.promoted";
    EmailChanged     = "email_changed",       "user.email_changed";
    Reauthenticated  = "reauthenticated",     "user.reauthenticated";
    PasswordResetSent = "password_reset_sent", "user.reset_link_made";
    PasswordForgotten = "password_forgotten", "user.forgot_password";
    PasswordReset    = "password_reset",      "user.password_reset";
    PasswordChange   = "password_change",     "user.password_changed";
    ApiTokenCreated  = "api_key_created",     "api_token.created";
    ApiTokenRevoked  = "api_key_revoked",     "api_token.revoked";
    TwoFaSetUp       = "two_fa_set_up",       "two_fa.set_up";
    TwoFaEnabled     = "two_fa_enabled",      "two_fa.enabled";
    TwoFaDisabled    = "two_fa_disabled",     "two_fa.disabled";
    TwoFaReset       = "two_fa_reset",        "two_fa.reset";
    TwoFaFailed      = "two_fa_failure",      "two_fa.failed";
    RecoveryCodeUsed = "recovery_code_used",  "recovery_code.used";
    RecoveryCodesReplaced = "recovery_codes_replaced", "recovery_code.replaced";
    PasskeyAdded     = "passkey_added",       "passkey.created";
    PasskeyRenamed   = "passkey_renamed",     "passkey.renamed";
    PasskeyRemoved   = "passkey_removed",     "passkey.deleted";
    PasskeyReplayed  = "passkey_replayed",    "passkey.replayed";
    OauthLinked      = "oauth_linked",        "oauth.linked";
    OauthUnlinked    = "oauth_unlinked",      "oauth.unlinked";
}

impl Event {
    /// Returns the event that was stored as `name`.
    pub fn from_stored(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|event| event.as_str() == name)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_an_event_are_its_own() {
        for (index, event) in Event::ALL.iter().enumerate() {
            assert_eq!(
                Event::from_stored(event.as_str()),
                Some(*event),
                "{event} stands twice"
            );
            assert!(event.kind().contains('.'), "{event} has no noun");
            assert!(
                Event::ALL
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.kind() != event.kind())
            );
        }
    }
}
