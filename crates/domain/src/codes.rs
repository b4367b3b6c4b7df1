//! Every error code a user can meet, with its explanation: the one list behind `dango explain CODE`.

use crate::say::shown_by_display;
use std::fmt;

macro_rules! codes {
    ($($variant:ident = $code:literal: $explanation:literal;)+) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),+ }

        impl Code {
            /// Every code, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the code as printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Returns what the code means and what to do, in a few sentences.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),+ }
            }
        }
    };
}

codes! {
    Bug = "bug": "Dango itself failed. Nothing of yours was changed by the failing step. Run the command again with \
        DANGO_LOG=debug and report what `.dango/logs/dango.jsonl` says about it.";
    Interrupted = "interrupted": "The command was interrupted (Ctrl-C or SIGTERM). The warehouse is as it was after the last \
        commit; the same command goes on from there.";
    UsageInvalid = "usage_invalid": "An argument of the command does not fit: `dango COMMAND --help` shows what it takes.";
    InputNeeded = "input_needed": "The command needs an answer but has no terminal to ask on, or `--no-input` was given. Give \
        the answer with the flag the error names.";
    ProjectNotFound = "project_not_found": "No `.dango/project.yml` was found in this folder or above it. Create a project \
        with `dango init`, or name one with `--project` or DANGO_PROJECT_ROOT.";
    ProjectExists = "project_exists": "The folder already holds a project. `dango init` completes missing files of a project \
        but never overwrites one.";
    ProjectLocked = "project_locked": "Another dango process is working in this project. Wait until it ends; the error names \
        its process id.";
    ConfigUnreadable = "config_unreadable": "A configuration file cannot be read as YAML or TOML. The error names the file, \
        line and column.";
    ConfigInvalid = "config_invalid": "A configuration file is well-formed but says something that does not hold: an unknown \
        key, a wrong type, a duplicate name. The error names the place.";
    VariableMissing = "variable_missing": "A `${VARIABLE}` in a configuration file has no value. Set it in the environment or \
        in `.env`, or give a default: `${VARIABLE:-value}`.";
    CredentialMissing = "credential_missing": "A source needs a credential that was found nowhere. The error lists the places \
        that were searched, in order. `dango secrets set` stores one.";
    SecretNotFound = "secret_not_found": "There is no secret of that name in `.dlt/secrets.toml`. `dango secrets list` shows \
        what there is.";
    SourceNotFound = "source_not_found": "No source of that name is in `.dango/sources.yml`. `dango source list` shows what \
        there is.";
    SourceExists = "source_exists": "A source of that name already exists. Choose another name, or change it with `dango \
        source edit`.";
    SourceTypeUnknown = "source_type_unknown": "The source's type is neither built in nor a connector file of this project. \
        `dango source add --help` lists the types. Other sources are not affected.";
    SourceDisabled = "source_disabled": "The source has `enabled: false` in `.dango/sources.yml`.";
    SourceNameInvalid = "source_name_invalid": "A source name has letters, digits and `_`, starts with a letter, and is at \
        most 55 characters long, because it becomes the schema `raw_<name>`.";
    SourceUnreachable = "source_unreachable": "The source's host did not answer, or closed the connection. Nothing was \
        changed; the next sync continues where this one stopped.";
    SourceUnauthorized = "source_unauthorized": "The source refused the credential (wrong, expired or revoked). Set a new one \
        with `dango secrets set` and test it with `dango source test`.";
    SourceForbidden = "source_forbidden": "The source knows the credential but does not let it read this. Give it the right at \
        the provider.";
    SourceMissing = "source_missing": "The source has no such table, file, folder or address.";
    SourceRateLimited = "source_rate_limited": "The source keeps answering that there are too many requests, beyond the \
        retries. Sync again later, or lower the connector's `rate_limit`.";
    SourceFailed = "source_failed": "The source answered with an error of its own (HTTP 5xx, a database error) beyond the \
        retries.";
    SourceProtocol = "source_protocol": "The source answered something that is not what it should be: broken JSON, a record \
        path that is not there, pages that never end, a redirect to another host.";
    SourceChanged = "source_changed": "The source's structure changed while it was read. The sync was undone; run it again.";
    EgressDenied = "egress_denied": "The address may not be contacted: it is private, link-local or a metadata address, or not \
        a host this source may talk to. `egress.allow_private` in `.dango/project.yml` allows named private hosts.";
    FileInvalid = "file_invalid": "A file cannot be read as its format says. The error names file, line and what is wrong \
        there. Nothing of it was loaded.";
    FileTooLarge = "file_too_large": "A cell or value is beyond the limit of 64 MiB.";
    SchemaFrozen = "schema_frozen": "The source's columns changed, and its contract is `freeze`. Look at the change with \
        `dango sync --dry-run`, and take it over with `dango sync --accept-schema`.";
    ReplaceEmpty = "replace_empty": "The sync would have emptied a table that has rows. The table was not touched. If the \
        source is meant to be empty, run it with `--allow-empty-replace`.";
    ReplaceShrinks = "replace_shrinks": "The sync would have removed more than half of a table's rows. The table was not \
        touched. If that is right, run it with `--allow-empty-replace`; `shrink_limit_percent` in the source sets the limit.";
    SyncFailed = "sync_failed": "At least one source failed; the others were synced. Each failure was printed with its own \
        error. `dango source show NAME` has the history.";
    QueryRefused = "query_refused": "Only one SELECT over tables and views of the warehouse is allowed. Statements that write, \
        attach, load, configure or read files are refused before they run.";
    QueryInvalid = "query_invalid": "DuckDB cannot run the SQL. The error is DuckDB's own, with the place.";
    QueryTimeout = "query_timeout": "The query ran longer than allowed and was stopped. `--timeout` raises the limit.";
    QueryMemory = "query_memory": "The query needed more memory than the worker may use. `platform.memory_limit_mb` in \
        `.dango/project.yml` raises it.";
    OutputExists = "output_exists": "The output file exists already and is never overwritten without `--force`.";
    OutputFailed = "output_failed": "The output could not be written: the error says where and why.";
    WarehouseBusy = "warehouse_busy": "The warehouse cannot take the statement now: a load takes its memory, too many queries \
        run, or it did not answer in time. Run the command again in a moment.";
    WarehouseLocked = "warehouse_locked": "The warehouse file is held by another program, for instance a DuckDB shell or a \
        notebook. Close it there and run the command again.";
    WarehouseCorrupt = "warehouse_corrupt": "DuckDB cannot open the warehouse file. Nothing was written to it. Restore it \
        from a backup, or move it away: the next sync builds a new one from the sources.";
    WarehouseVersion = "warehouse_version": "The warehouse file was written by another version of DuckDB than this program \
        reads.";
    WorkerDied = "worker_died": "The warehouse's process ended in the middle of a statement. What it had not committed is \
        undone; a new one starts with the next statement.";
    SandboxMissing = "sandbox_missing": "This machine cannot cage a child process as asked. `dango doctor` says what is \
        missing.";
    DiskFull = "disk_full": "The disk is full. What was not committed is undone; free some space and sync again.";
    FileAccess = "file_access": "A file or folder could not be read or written. The error names it.";
    StoreFailed = "store_failed": "The metadata database `.dango/metadata.db` cannot be read or written. Nothing was changed \
        without its audit row.";
    StoreVersion = "store_version": "The metadata database was written by a newer dango. Use that version, or restore the \
        backup that its upgrade made.";
    PermissionDenied = "permission_denied": "Your role does not include what this command needs.";
    Unauthenticated = "unauthenticated": "Nobody is signed in, or the session or token is no longer good. Sign in again, or \
        make another token.";
    CredentialsWrong = "credentials_wrong": "The e-mail address or the password is wrong, or the account may not sign in. \
        Which of them it is, nobody is told.";
    CodeWrong = "second_factor_wrong": "The code is wrong, too old, or was used before. A code of an authenticator app is \
        good once; a recovery code too.";
    ProofIncomplete = "proof_incomplete": "Showing again who you are takes your password, and a code as well when you have a \
        second factor.";
    SecondFactorExists = "second_factor_exists": "An authenticator app is set up already. Take it away first; its secret is \
        never shown again.";
    SecondFactorMissing = "second_factor_missing": "There is no authenticator app to use, to confirm or to take away. Begin \
        to set one up again.";
    SecondFactorAsked = "second_factor_asked": "The account has a second factor: send its code with the password, in the \
        field `otp`.";
    PasskeyRefused = "passkey_refused": "The passkey was not taken: it is unknown here, was made for another address, or its \
        device did not verify who holds it. Which of them it is, nobody is told.";
    PasskeyExists = "passkey_exists": "The passkey is registered already, or there are as many as one account may have.";
    PasskeyNotFound = "passkey_not_found": "There is no such passkey, or it is somebody else's.";
    PasskeysUnavailable = "passkeys_unavailable": "Passkeys are bound to a host name that is reached over TLS, or to \
        `localhost`. Set `server.public_url` to such an address.";
    CeremonyOver = "ceremony_over": "What the browser answers was asked too long ago, in another browser, or was answered \
        before. Begin again.";
    LastWayIn = "last_way_in": "Nothing would be left to sign in with. Set a password, or add a passkey or a login, first.";
    LoginRefused = "login_refused": "The identity provider did not say who you are, or says it of somebody who may not come \
        in here. The error says what to do.";
    LoginUnknown = "login_unknown": "Nobody here has linked this login. Sign in another way and link it in your account, or ask \
        an admin to invite you.";
    LoginExists = "login_exists": "This login of another provider is linked to another account already. Whoever owns that \
        account unlinks it, or an admin does.";
    LoginProviderUnknown = "login_provider_unknown": "Nobody signs in here with a provider of this name. \
        `auth.oauth_providers` in `.dango/project.yml` names those there are; one without a client id and a secret is none.";
    MailFailed = "mail_failed": "The mail server did not take a mail. `mail` in `.dango/project.yml` names it; an admin can \
        make the link meanwhile and hand it over.";
    LoginNotFound = "login_not_found": "There is no such linked login, or it is somebody else's.";
    AccountLocked = "account_locked": "Too many wrong passwords or codes came for this account from this network. Wait until \
        the time is over, or let an admin unlock it with `dango user unlock EMAIL`.";
    PasswordWeak = "password_weak": "The password is too easy to guess. The error lists everything that speaks against it.";
    PasswordChangeRequired = "password_change_required": "The password was chosen by somebody else or is too old. Until it is \
        changed, nothing else is open.";
    SecondFactorRequired = "second_factor_required": "The setting `auth.require_2fa` asks this account for a second factor. \
        Until one is set up, nothing else is open.";
    ReauthenticationRequired = "reauthentication_required": "Whoever changes a password, an address or a second factor, or \
        makes a token, must have shown who he is within the last five minutes. Enter the password again.";
    LinkInvalid = "link_invalid": "The link was used before, is too old, or another took its place. Ask an admin for a new one.";
    SetUpDone = "set_up_done": "There is an admin already; whoever has lost the password uses `dango user reset-password`.";
    UserNotFound = "user_not_found": "There is no such user. `dango user list --include-deleted` lists all.";
    UserExists = "user_exists": "There is a user with this address already, perhaps a deleted one. `dango user restore` brings \
        a deleted user back.";
    UserInvalid = "user_invalid": "Something about the user does not fit: the error says what.";
    LastAdmin = "last_admin": "It would leave nobody who can sign in as an admin. Make somebody else an admin first.";
    NotOneself = "not_oneself": "Nobody deactivates, deletes or erases himself, nor resets his own password as an admin. Let \
        another admin do it.";
    TokenNotFound = "token_not_found": "There is no such API token, or it is somebody else's.";
    TokenInvalid = "token_invalid": "Something about the token does not fit: the error says what.";
    DevicePending = "authorization_pending": "Nobody has let the program in yet. It asks again after the interval it was told.";
    DeviceTooFast = "slow_down": "The program asks more often than it was told to. It waits longer and asks again.";
    DeviceOver = "expired_token": "The code was good for ten minutes, and is good once. Begin again with `dango login`.";
    DeviceRefused = "access_denied": "Whoever looked at the code did not let the program in.";
    DeviceCodeWrong = "device_code_wrong": "No program waits with this code: it is mistyped, too old, or was answered before. \
        `dango login` on the other machine shows a new one.";
    ServerUrlInvalid = "server_url_invalid": "The address of a server is `https://HOST`, with a port where it has one. Without \
        encryption, `http://` is for this machine alone.";
    ServerUnknown = "server_unknown": "It is not clear which server is meant, or nobody has signed in there from this account. \
        `dango login URL` signs in; `--remote=URL` or DAP_ENGINE_URL names a server.";
    SessionNotFound = "session_not_found": "There is no such session, or it is somebody else's.";
    SigningKeyMissing = "signing_key_missing": "The server was told not to make up a key that signs sessions, and none is \
        given. Set DAP_AUTH_JWT_SECRET to the output of `openssl rand -hex 32`.";
    SigningKeyWeak = "signing_key_weak": "The key that signs sessions is empty, shorter than 32 bytes or easy to guess. Set it \
        to the output of `openssl rand -hex 32`.";
    SigningKeyGiven = "signing_key_given": "The key that signs sessions is in DAP_AUTH_JWT_SECRET, so only whoever sets that \
        variable can replace it.";
    RegistrationClosed = "registration_closed": "Nobody makes himself an account here: an admin invites people. The setting \
        `auth.open_registration` changes that.";
    Busy = "busy": "Too many people ask for the same at this moment. Try again in a few seconds.";
    SecondFactorPending = "second_factor_pending": "The password was right, and the account has a second factor that is still \
        to be shown. Nothing else is open before.";
    RequestInvalid = "request_invalid": "The request is not what this address takes: no JSON where JSON belongs, a value out of \
        its range, a field nobody knows. `detail` names each place.";
    RequestTooLarge = "request_too_large": "The request's body is larger than this address takes.";
    RequestTimeout = "request_timeout": "The request was not answered in time. One that only reads was given up; a change goes on, \
        so look before repeating it.";
    RouteNotFound = "route_not_found": "There is nothing at this address, or nothing that you may know of. `/openapi.json` lists \
        the addresses.";
    MethodNotAllowed = "method_not_allowed": "This address does not take this method; the header `Allow` names those it takes.";
    HostUnknown = "host_unknown": "The request names a host that is not this server's. Set `server.public_url`, or add the name \
        to `server.hosts`.";
    OriginForeign = "origin_foreign": "Another website, or a program that does not say where it comes from, tried to change \
        something with your session cookie. Programs use an API token.";
    RateLimited = "rate_limited": "Too many requests came from this address or this account. The header `Retry-After` says when \
        to go on; `auth.rate_limit` in `.dango/project.yml` sets the limits.";
    ServerBusy = "server_busy": "The server has as many connections or as much work as it takes, or is stopping. Try again in a \
        moment.";
    ServerUnreachable = "server_unreachable": "The server that holds the project did not answer, or went away in the middle of an \
        answer. `dango status` shows whether it runs; the same command goes on where it stopped.";
    AddressInUse = "address_in_use": "Another program listens on the port already. Choose another one with `--port`, or \
        `platform.port` in `.dango/project.yml`.";
    ListenRefused = "listen_refused": "The server does not listen where others can reach it before it is safe there: an admin \
        must exist, the signing key must be kept, and connections must be encrypted. The error names what is missing.";
    SyncNotFound = "sync_not_found": "There is no sync of that id among those this server runs or ran lately. The history of a \
        source has the older ones.";
    AuditBroken = "audit_broken": "The audit log is not what was written: a record was edited, removed, moved or written anew, \
        or a signature does not fit. Each finding was printed. Compare with a backup and with checkpoints kept elsewhere.";
    AnchorInvalid = "anchor_invalid": "What was given as an anchor is neither a key that `dango init` printed nor a checkpoint \
        of an audit log, or its signature is wrong.";
    CodeUnknown = "code_unknown": "There is no such error code. `dango explain` without an argument lists all.";
    DoctorFound = "doctor_found": "`dango doctor` found something to mend; each finding was printed with its fix.";
}

impl Code {
    /// Returns the code printed as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
shown_by_display!(Code);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_explained() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(
                Code::parse(code.as_str()),
                Some(*code),
                "{code} stands twice"
            );
            assert!(code.explanation().len() > 40, "{code} is hardly explained");
            assert!(
                Code::ALL
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.as_str() != code.as_str())
            );
        }
    }
}
