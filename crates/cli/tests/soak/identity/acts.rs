//! What clients do to the server, and what they know of it afterwards.

use crate::dice::Dice;
use serde_json::{Value, json};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use testkit::http::{Answer, Connection};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    SignIn,
    Mint,
    Revoke,
    Role,
    Append,
}

impl Kind {
    /// Those that a campaign counts: each must be under way at enough deaths.
    pub(crate) const COUNTED: [(Self, &'static str); 4] = [
        (Self::SignIn, "login"),
        (Self::Mint, "token_mint"),
        (Self::Role, "role_change"),
        (Self::Append, "audit_append"),
    ];
}

/// Something a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) kind: Kind,
    /// What its record in the audit log says, too.
    pub(crate) key: String,
    pub(crate) sent_at: Instant,
    /// What came back, if the whole answer did.
    pub(crate) answer: Option<Acknowledged>,
}

/// What a client was told.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) at: Instant,
    /// The request's id, which its records have.
    pub(crate) request: String,
    /// The session or the token that was made.
    pub(crate) made: String,
}

/// Everything that was asked for, by all clients.
#[derive(Default)]
pub(crate) struct Journal {
    acts: Mutex<Vec<Act>>,
    surprises: Mutex<Vec<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    pub(crate) fn acts(&self) -> Vec<Act> {
        locked(&self.acts).clone()
    }

    /// Returns the answers that nobody expected.
    pub(crate) fn take_surprises(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.surprises))
    }

    /// Returns when the sign-in that is under way was sent, and how long one usually takes.
    pub(crate) fn sign_in(&self) -> Option<(Instant, Duration)> {
        let acts = locked(&self.acts);
        let all = || acts.iter().filter(|act| act.kind == Kind::SignIn);
        let pending = all().next_back().filter(|act| act.answer.is_none())?;
        let mut took: Vec<_> = all()
            .filter_map(|act| Some(act.answer.as_ref()?.at - act.sent_at))
            .collect();
        took.sort();
        Some((pending.sent_at, *took.get(took.len() / 2)?))
    }

    /// Does something and writes down what is known of it; fails when the server is gone.
    fn act(
        &self,
        (kind, key, expected): (Kind, String, u16),
        ask: impl FnOnce() -> io::Result<Answer>,
        made: impl FnOnce(&Answer) -> String,
    ) -> io::Result<Answer> {
        let index = {
            let mut acts = locked(&self.acts);
            acts.push(Act {
                kind,
                key: key.clone(),
                sent_at: Instant::now(),
                answer: None,
            });
            acts.len() - 1
        };
        let answer = ask()?;
        if answer.status != expected {
            let text = format!(
                "{key}: {} instead of {expected}: {}",
                answer.status, answer.body
            );
            locked(&self.surprises).push(text);
            return Err(io::Error::other("an answer that nobody expected"));
        }
        let acknowledged = Acknowledged {
            at: Instant::now(),
            request: answer.header("x-request-id").unwrap_or_default().to_owned(),
            made: made(&answer),
        };
        locked(&self.acts)[index].answer = Some(acknowledged);
        Ok(answer)
    }
}

/// Somebody of the team.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// The password of everybody who has one.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A client with a connection of its own.
pub(crate) struct Client<'a> {
    pub(crate) connection: Connection,
    pub(crate) journal: &'a Journal,
}

impl Client<'_> {
    /// Signs in; returns the cookie.
    pub(crate) fn sign_in(&mut self, who: &Person) -> io::Result<String> {
        let body = json!({"email": who.email, "password": PASSWORD});
        let ask = || {
            self.connection
                .ask("POST", "/api/auth/login", &[], Some(&body))
        };
        let what = (Kind::SignIn, format!("login {}", who.id), 200);
        let answer = self.journal.act(what, ask, |answer| {
            session_of(answer.cookie("dap-jwt").unwrap_or_default())
        })?;
        Ok(format!(
            "dap-jwt={}",
            answer.cookie("dap-jwt").unwrap_or_default()
        ))
    }

    /// Makes tokens, and revokes most of them, until the server is gone.
    pub(crate) fn mint(&mut self, who: &Person, cookie: &str, mark: &str) -> io::Result<()> {
        for number in 0_u64.. {
            let name = format!("{mark}-{number}");
            let body = json!({"name": name});
            let path = "/api/auth/api-tokens";
            let headers = [("Cookie", cookie)];
            let what = (Kind::Mint, format!("mint {} {name}", who.id), 201);
            let ask = || self.connection.ask("POST", path, &headers, Some(&body));
            let answer = self
                .journal
                .act(what, ask, |answer| text(&answer.json(), "id"))?;
            if number % 16 == 15 {
                continue;
            }
            let token = text(&answer.json(), "id");
            let path = format!("{path}/{token}");
            let what = (Kind::Revoke, format!("revoke {token}"), 204);
            let ask = || self.connection.ask("DELETE", &path, &headers, None);
            self.journal.act(what, ask, |_| token.clone())?;
        }
        Ok(())
    }

    /// Gives people other roles until the server is gone.
    pub(crate) fn change_roles(
        &mut self,
        people: &[Person],
        cookie: &str,
        mut dice: Dice,
    ) -> io::Result<()> {
        loop {
            let person = pick(people, &mut dice);
            let role = *pick(&["viewer", "editor", "admin"], &mut dice);
            let path = format!("/api/admin/users/{}/role", person.id);
            let body = json!({"role": role});
            let what = (Kind::Role, format!("role {} {role}", person.id), 200);
            let headers = [("Cookie", cookie)];
            let ask = || self.connection.ask("PUT", &path, &headers, Some(&body));
            self.journal.act(what, ask, |_| String::new())?;
        }
    }

    /// Asks for what a viewer is refused, until the server is gone.
    pub(crate) fn be_denied(&mut self, who: &Person, cookie: &str) -> io::Result<()> {
        loop {
            let what = (Kind::Append, format!("denied {}", who.id), 403);
            let headers = [("Cookie", cookie)];
            let ask = || {
                self.connection
                    .ask("GET", "/api/admin/users", &headers, None)
            };
            self.journal.act(what, ask, |_| String::new())?;
        }
    }

    /// Shows tokens that are none, each from an address of its own, until the server is gone.
    pub(crate) fn be_rejected(&mut self, mut dice: Dice) -> io::Result<()> {
        loop {
            let mut byte = || dice.throw(256);
            let ip = format!("10.{}.{}.{}", byte(), byte(), byte());
            let letters =
                (0..43).map(|_| char::from(b'a' + u8::try_from(dice.throw(26)).unwrap_or(0)));
            let bearer = format!("Bearer dap_{}", letters.collect::<String>());
            let what = (Kind::Append, format!("rejected {ip}"), 401);
            let headers = [("Authorization", bearer.as_str()), ("X-Forwarded-For", &ip)];
            let ask = || self.connection.ask("GET", "/api/auth/me", &headers, None);
            self.journal.act(what, ask, |_| String::new())?;
        }
    }
}

fn pick<'a, T>(from: &'a [T], dice: &mut Dice) -> &'a T {
    let index = usize::try_from(dice.throw(from.len() as u64)).unwrap_or(0);
    &from[index]
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// Returns the session that a cookie names.
fn session_of(cookie: &str) -> String {
    let claims = cookie.split('.').nth(1).unwrap_or_default();
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes());
    let claims: Value = serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_default();
    text(&claims, "sid")
}
