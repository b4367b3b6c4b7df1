//! What a project holds after a death, compared with what its clients know.

use super::acts::{Act, Kind, text};
use super::team::Team;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const EVENTS: &str = "SELECT id, seq, event, request_id, target, user_id, ip, event_data FROM audit_log \
    ORDER BY seq IS NULL, seq, created_at_us, id";

/// What is there.
#[derive(Clone)]
pub(crate) struct State {
    events: Vec<Record>,
    /// Ids.
    sessions: Vec<String>,
    /// Ids, with whether they are revoked.
    tokens: BTreeMap<String, bool>,
    roles: BTreeMap<String, String>,
}

/// A record of one of the acts.
#[derive(Clone)]
struct Record {
    id: String,
    kind: Kind,
    key: String,
    request: String,
    /// The session or the token it is about.
    made: String,
    details: Value,
    target: String,
}

/// What became of acts that were not answered.
#[derive(Default)]
pub(crate) struct Unanswered {
    pub(crate) done: usize,
    pub(crate) absent: usize,
}

impl State {
    pub(crate) fn read(team: &Team) -> Result<Self, String> {
        let ids = |rows: Vec<Value>| rows.iter().map(|row| text(row, "id")).collect();
        let tokens = team.rows("SELECT id, revoked_at FROM api_tokens")?;
        let users = team.rows("SELECT id, role FROM users")?;
        Ok(Self {
            events: team.rows(EVENTS)?.iter().filter_map(Record::read).collect(),
            sessions: ids(team.rows("SELECT id FROM sessions")?),
            tokens: tokens
                .iter()
                .map(|row| (text(row, "id"), !row["revoked_at"].is_null()))
                .collect(),
            roles: users
                .iter()
                .map(|row| (text(row, "id"), text(row, "role")))
                .collect(),
        })
    }

    /// Returns what does not fit: `before` is what was there before the first act.
    pub(crate) fn compare(&self, before: &Self, acts: &[Act]) -> (Vec<String>, Unanswered) {
        let mut wrong = Vec::new();
        self.check_rows(&mut wrong);
        self.check_roles(before, &mut wrong);
        let unanswered = self.check_acts(before, acts, &mut wrong);
        (wrong, unanswered)
    }

    /// Returns states in which something is lost, doubled or torn: a comparison that finds nothing wrong with them proves nothing.
    pub(crate) fn damaged(&self, acts: &[Act]) -> Vec<(String, Self)> {
        let answers = acts.iter().filter_map(|act| act.answer.as_ref());
        let answered: BTreeSet<_> = answers.map(|answer| answer.request.as_str()).collect();
        let mut all = Vec::new();
        let mut damage = |what: &str, damage: &dyn Fn(&mut Self)| {
            let mut state = self.clone();
            damage(&mut state);
            all.push((what.to_owned(), state));
        };
        damage("a session is lost", &|state| drop(state.sessions.pop()));
        damage("a session has no record", &|state| {
            state
                .sessions
                .push("00000000-0000-7000-8000-000000000000".into());
        });
        damage("a token is lost", &|state| drop(state.tokens.pop_first()));
        damage("a revocation is lost", &|state| {
            if let Some(is_revoked) = state.tokens.values_mut().find(|revoked| **revoked) {
                *is_revoked = false;
            }
        });
        damage("a role is lost", &|state| {
            let changed = state
                .events
                .iter()
                .rfind(|record| record.kind == Kind::Role);
            if let Some(record) = changed {
                let before = text(&record.details, "from") + ", once";
                state.roles.insert(record.target.clone(), before);
            }
        });
        for kind in [
            Kind::SignIn,
            Kind::Mint,
            Kind::Revoke,
            Kind::Role,
            Kind::Append,
        ] {
            // That of an unanswered act may be there or not.
            let find = |state: &Self| {
                let is_it = |record: &Record| {
                    record.kind == kind && answered.contains(record.request.as_str())
                };
                state.events.iter().rposition(is_it)
            };
            damage(&format!("a record of {kind:?} is lost"), &|state| {
                find(state).map(|at| state.events.remove(at));
            });
            damage(&format!("a record of {kind:?} is doubled"), &|state| {
                if let Some(at) = find(state) {
                    let mut again = state.events[at].clone();
                    again.id.push_str(", again");
                    state.events.insert(at, again);
                }
            });
        }
        all
    }

    /// Each session and each token has the one record of its beginning, each revocation its own, and the other way round.
    fn check_rows(&self, wrong: &mut Vec<String>) {
        let mut same = |what: &str, rows: BTreeSet<&String>, kind: Kind| {
            let made: Vec<_> = self.made(kind).collect();
            let recorded: BTreeSet<_> = made.iter().copied().collect();
            for id in rows.difference(&recorded) {
                wrong.push(format!("{what} {id} has no record"));
            }
            for id in recorded.difference(&rows) {
                wrong.push(format!("the record of {what} {id} is about nothing"));
            }
            if made.len() != recorded.len() {
                wrong.push(format!(
                    "{} records of {what}s for {}",
                    made.len(),
                    recorded.len()
                ));
            }
        };
        same("session", self.sessions.iter().collect(), Kind::SignIn);
        same("token", self.tokens.keys().collect(), Kind::Mint);
        let revoked = self.tokens.iter().filter(|(_, is_revoked)| **is_revoked);
        same(
            "revocation",
            revoked.map(|(id, _)| id).collect(),
            Kind::Revoke,
        );
    }

    /// Each change of a role begins where the one before ended, and the last is what the user has.
    fn check_roles(&self, before: &Self, wrong: &mut Vec<String>) {
        let mut roles = before.roles.clone();
        let new = self.events.iter().skip(before.events.len());
        for record in new.filter(|record| record.kind == Kind::Role) {
            let role = roles.entry(record.target.clone()).or_default();
            if text(&record.details, "from") != *role {
                wrong.push(format!(
                    "{} begins at {}, not at {role}",
                    record.key, record.details
                ));
            }
            *role = text(&record.details, "to");
        }
        if roles != self.roles {
            wrong.push(format!(
                "the roles are {:?}, and by the log {roles:?}",
                self.roles
            ));
        }
    }

    /// Each answered act has one record, of its own request; what else is recorded was asked for and not answered.
    fn check_acts(&self, before: &Self, acts: &[Act], wrong: &mut Vec<String>) -> Unanswered {
        let known: BTreeSet<_> = before.events.iter().map(|record| &record.id).collect();
        let mut by_request: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in self
            .events
            .iter()
            .filter(|record| !known.contains(&record.id))
        {
            by_request.entry(&record.request).or_default().push(record);
        }
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        for act in acts {
            let Some(answer) = &act.answer else {
                *open.entry(&act.key).or_default() += 1;
                continue;
            };
            match by_request.remove(answer.request.as_str()).as_deref() {
                Some([record]) if record.key == act.key && record.made == answer.made => {}
                None | Some([]) => {
                    wrong.push(format!("{} was answered and has no record", act.key));
                }
                Some(records) => {
                    let found: Vec<_> = records.iter().map(|record| &record.key).collect();
                    wrong.push(format!("{} has other records: {found:?}", act.key));
                }
            }
        }
        let mut unanswered = Unanswered::default();
        for record in by_request.into_values().flatten() {
            match open
                .get_mut(record.key.as_str())
                .filter(|count| **count > 0)
            {
                Some(count) => {
                    *count -= 1;
                    unanswered.done += 1;
                }
                None => wrong.push(format!(
                    "{} is recorded, and nobody asked for it",
                    record.key
                )),
            }
        }
        unanswered.absent = open.values().sum();
        unanswered
    }

    fn made(&self, kind: Kind) -> impl Iterator<Item = &String> {
        let of_kind = self.events.iter().filter(move |record| record.kind == kind);
        of_kind.map(|record| &record.made)
    }
}

impl Record {
    /// Reads a row of the audit log, if it is about one of the acts.
    fn read(row: &Value) -> Option<Self> {
        // SQLite keeps JSON as text.
        let details = match &row["event_data"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        };
        let (target, user) = (text(row, "target"), text(row, "user_id"));
        let (kind, key, made) = match row["event"].as_str()? {
            "login_success" => {
                let session = text(&details, "session_id");
                (Kind::SignIn, format!("login {target}"), session)
            }
            "api_key_created" => {
                let key = format!("mint {user} {}", text(&details, "name"));
                (Kind::Mint, key, target.clone())
            }
            "api_key_revoked" => (Kind::Revoke, format!("revoke {target}"), target.clone()),
            "role_changed" => {
                let key = format!("role {target} {}", text(&details, "to"));
                (Kind::Role, key, String::new())
            }
            // What a rejected token asked for was denied as well, to nobody in particular.
            "permission_denied" if user.is_empty() => return None,
            "permission_denied" => (Kind::Append, format!("denied {user}"), String::new()),
            "api_key_rejected" => {
                let key = format!("rejected {}", text(row, "ip"));
                (Kind::Append, key, String::new())
            }
            _ => return None,
        };
        Some(Self {
            id: text(row, "id"),
            kind,
            key,
            request: text(row, "request_id"),
            made,
            details,
            target,
        })
    }
}
