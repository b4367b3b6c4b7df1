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

            /// Whether somebody may be able to do less after it: whoever holds something open is looked at again.
            pub const fn ends_access(self) -> bool {
                matches!(
                    self,
                    Self::Logout
                        | Self::SessionReplayed
                        | Self::SessionEnded
                        | Self::SessionsRevoked
                        | Self::AuthEnabled
                        | Self::KeyRotated
                        | Self::UserDeactivated
                        | Self::UserDeleted
                        | Self::UserErased
                        | Self::UserUpdated
                        | Self::RoleChanged
                        | Self::EmailChanged
                        | Self::PasswordReset
                        | Self::PasswordChange
                        | Self::ApiTokenRevoked
                        | Self::TwoFaEnabled
                        | Self::TwoFaDisabled
                        | Self::TwoFaReset
                        | Self::PasskeyAdded
                        | Self::PasskeyRemoved
                        | Self::OauthUnlinked
                )
            }

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
    AuthEnabled      = "auth_enabled",        "auth.enabled";
    AuthDisabled     = "auth_disabled",       "auth.disabled";
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
    UserUpdated      = "user_updated",        "user.updated";
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
    OauthLinked      = "oauth.linked",        "oauth.linked";
    OauthUnlinked    = "oauth.unlinked",      "oauth.unlinked";
    DeviceShown      = "device_shown",        "device.shown";
    DeviceApproved   = "device_approved",     "device.approved";
    DeviceDenied     = "device_denied",       "device.denied";
    DeviceCodeWrong  = "device_code_wrong",   "device.code_failed";
    ApiTokenRejected = "api_key_rejected",    "api_token.rejected";
    RateLimitHit     = "rate_limit_hit",      "rate_limit.hit";
    FailuresCounted  = "failures_counted",    "failures.counted";
    OauthSourceConnected    = "oauth_source_connected",    "oauth_source.connected";
    OauthSourceDisconnected = "oauth_source_disconnected", "oauth_source.disconnected";
    CsvUploaded      = "csv_uploaded",        "csv.uploaded";
    CsvDeleted       = "csv_deleted",         "csv.deleted";
    ScriptRun        = "script_run",          "script.run";
    ScriptCancelled  = "script_cancelled",    "script.cancelled";
    ScheduleCreated  = "schedule_created",    "schedule.created";
    ScheduleUpdated  = "schedule_updated",    "schedule.updated";
    ScheduleDeleted  = "schedule_deleted",    "schedule.deleted";
    ScheduleTriggered = "schedule_triggered", "schedule.triggered";
    SchedulesReloaded = "schedules_reloaded", "schedules.reloaded";
    NotebookCreated  = "notebook_created",    "notebook.created";
    NotebookDeleted  = "notebook_deleted",    "notebook.deleted";
    NotebookLockReleased = "notebook_lock_force_released", "notebook.lock_released";
    NotebookRestarted = "notebook_marimo_restarted", "notebook.restarted";
    DriftViewed      = "governance_drift_viewed",   "governance.drift_viewed";
    DriftAccepted    = "governance_drift_accepted", "governance.drift_accepted";
    PiiViewed        = "governance_pii_viewed",     "governance.pii_viewed";
    CatalogViewed    = "catalog_viewed",      "catalog.viewed";
    CatalogProfiled  = "catalog_profile_triggered", "catalog.profiled";
    MonitoringViewed = "monitoring_viewed",   "monitoring.viewed";
    AiCatalogViewed  = "ai_catalog_viewed",   "ai_catalog.viewed";
    DeploymentsViewed = "deployment_history_viewed", "deployments.viewed";
    AgentCreated     = "agent.created",       "agent.created";
    AgentUpdated     = "agent.updated",       "agent.updated";
    AgentArchived    = "agent.archived",      "agent.archived";
    PipelineCreated  = "pipeline.created",    "pipeline.created";
    PipelineUpdated  = "pipeline.updated",    "pipeline.updated";
    PipelineUiUpdated = "pipeline.ui_metadata_updated", "pipeline.ui_metadata_updated";
    PipelineArchived = "pipeline.archived",   "pipeline.archived";
    PipelineImported = "pipeline.imported_from_url", "pipeline.imported_from_url";
    ProjectUpdated   = "project.updated",     "project.updated";
    ProjectArchived  = "project.archived",    "project.archived";
    RunTriggered     = "run.triggered",       "run.triggered";
    RunPaused        = "run.paused",          "run.paused";
    RunResumed       = "run.resumed",         "run.resumed";
    RunAborted       = "run.aborted",         "run.aborted";
    RunApproved      = "run.approved",        "run.approved";
    RunRetried       = "run.retried",         "run.retried";
    RunSkipped       = "run.skipped",         "run.skipped";
    RunDeleted       = "run.deleted",         "run.deleted";
    RuntimeDenied    = "runtime_policy.denied", "runtime_policy.denied";
    DispatchDenied   = "dispatch_policy.denied", "dispatch_policy.denied";
    EnvVarCreated    = "settings.env_var.created", "settings.env_var.created";
    EnvVarUpdated    = "settings.env_var.updated", "settings.env_var.updated";
    EnvVarDeleted    = "settings.env_var.deleted", "settings.env_var.deleted";
    AssistantChat    = "assistant.chat",      "assistant.chat";
    InteractionsListed = "interactions.list", "interactions.list";
    AuditExported    = "audit_exported",      "audit.exported";
    AuditLegacyKept  = "audit_legacy_kept",   "audit.legacy_kept";
    AuditKeyRenewed  = "audit_key_renewed",   "audit.key_renewed";
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
    fn every_event_of_both_heritages_has_a_place() {
        const DANGO: &str = "login_success login_failure logout session_expired password_change password_reset user_created \
            user_deactivated user_reactivated user_deleted role_changed account_unlocked invite_accepted invite_resent \
            two_fa_enabled two_fa_disabled recovery_code_used api_key_created api_key_revoked secret_set secret_deleted \
            oauth_source_connected oauth_source_disconnected script_run script_cancelled schedule_triggered \
            schedules_reloaded job_cancelled sync_triggered notebook_created notebook_deleted \
            notebook_lock_force_released notebook_marimo_restarted governance_drift_viewed governance_pii_viewed \
            catalog_viewed monitoring_viewed ai_catalog_viewed deployment_history_viewed governance_drift_accepted \
            query_executed csv_uploaded csv_deleted catalog_profile_triggered permission_denied rate_limit_hit \
            account_locked schedule_created schedule_updated schedule_deleted";
        const DAP: &str = "user.registered user.logged_in user.forgot_password user.password_reset user.password_changed \
            user.deleted oauth.linked api_token.created api_token.revoked agent.created agent.updated agent.archived \
            pipeline.created pipeline.updated pipeline.ui_metadata_updated pipeline.archived \
            pipeline.imported_from_url project.created project.updated project.archived run.triggered run.deleted \
            runtime_policy.denied dispatch_policy.denied settings.env_var.created settings.env_var.updated \
            settings.env_var.deleted assistant.chat interactions.list";
        assert_eq!(DANGO.split_whitespace().count(), 50);
        for name in DANGO.split_whitespace() {
            assert!(Event::from_stored(name).is_some(), "{name}");
        }
        for kind in DAP.split_whitespace() {
            let has_it = Event::ALL.iter().any(|event| event.kind() == kind);
            assert!(has_it, "{kind}");
        }
    }

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
