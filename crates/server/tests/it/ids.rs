//! Ids in the path: one's own, somebody else's, and one that nobody has. Whoever may not see a thing cannot tell whether it is
//! there.

use crate::documents::check;
use crate::logins::{Provider, SECRETS, Way, settings};
use crate::project::{Served, Shows};
use security::Role;
use server::{Door, Guard, Reach, Route, table};
use std::fmt::Write as _;
use testkit::authenticator::Device;
use uuid::Uuid;

/// Says in its body which login.
const UNLINK: &str = "/admin/users/{id}/unlink-login";
const MISSING: &str = "00000000-0000-7000-8000-000000000000";

/// What an id in the path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noun {
    Session,
    Token,
    Passkey,
    LinkedLogin,
    User,
    /// Of the workspace: everybody sees the same, as the sweep shows.
    Shared,
}

fn noun(route: &Route) -> Noun {
    let path = route.path;
    if path.starts_with("/auth/sessions/") {
        Noun::Session
    } else if path.starts_with("/auth/api-") {
        Noun::Token
    } else if path.starts_with("/auth/passkeys/") {
        Noun::Passkey
    } else if path.starts_with("/auth/logins/") {
        Noun::LinkedLogin
    } else if path.starts_with("/users/") || path.starts_with("/admin/users/") {
        Noun::User
    } else {
        assert!(path.contains("sync"), "whose ids are those of {path}?");
        Noun::Shared
    }
}

/// Returns the id of the session whose cookie this is.
fn session_of(cookie: &str) -> String {
    let claims = cookie.split('.').nth(1).expect("claims");
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes());
    let claims: serde_json::Value = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
    let id: Uuid = claims["sid"]
        .as_str()
        .expect("a session")
        .parse()
        .expect("an id");
    id.to_string()
}

/// Returns a body that the route takes.
fn body(route: &Route, whose: &str, login: &str) -> String {
    let email = format!("{whose}@example.com");
    let value = match (route.method, route.path) {
        ("PUT", _) => serde_json::json!({"role": "viewer"}),
        ("PATCH", "/auth/passkeys/{id}") => serde_json::json!({"name": "work"}),
        ("PATCH", _) => serde_json::json!({"is_active": true}),
        ("POST", UNLINK) => serde_json::json!({"login_id": login}),
        ("DELETE", "/admin/users/{id}") | ("POST", "/admin/users/{id}/erase") => {
            serde_json::json!({"confirm_email": email})
        }
        _ => return String::new(),
    };
    value.to_string()
}

impl Served {
    /// Makes something that the route is about, of the person `whose` who is signed in by `cookie`; returns its id.
    async fn make(&self, noun: Noun, whose: &str, cookie: &str, provider: &Provider) -> String {
        match noun {
            Noun::Session => session_of(&self.enter(whose).await),
            Noun::Token => self.token_with_id(whose, None).await.1.to_string(),
            Noun::Passkey => {
                let shows = Shows::Cookie(cookie.to_owned());
                let added = self.add_passkey(&shows, &mut Device::default()).await;
                let id = added.json()["passkey"]["id"].as_str().map(str::to_owned);
                id.expect("added")
            }
            Noun::LinkedLogin => {
                provider.somebody_else();
                self.link(provider, "github", cookie).await;
                let shows = Shows::Cookie(cookie.to_owned());
                let listed = self.get("/api/auth/logins", &shows).await.json();
                let id = listed[0]["id"].as_str().map(str::to_owned);
                id.expect("linked")
            }
            Noun::User | Noun::Shared => self.id_of(whose).await.to_string(),
        }
    }
}

#[tokio::test]
async fn nobody_learns_of_what_is_not_his() {
    let provider = Provider::start(Way::Right).await;
    let served = Served::with(&settings(&provider, "", "[]"), &SECRETS).await;
    let others = served.sign_in("other", Role::Admin, false).await;
    let mut actors = Vec::new();
    for (name, role) in [
        ("viewer", Role::Viewer),
        ("editor", Role::Editor),
        ("admin", Role::Admin),
    ] {
        actors.push((name, role, served.sign_in(name, role, false).await));
    }
    let mut table_text = "# made by the test of ids; `make fix` writes it\n\
                          route | who | own | another's | nobody's\n"
        .to_owned();
    let mut number = 0;
    for route in table().routes() {
        let is_about_ids = route.path.contains("{id}") && route.reach == Reach::Everywhere;
        if !is_about_ids || noun(route) == Noun::Shared {
            continue;
        }
        let Guard::Permission(line) = route.guard else {
            panic!("{} is open", route.path)
        };
        for (name, role, cookie) in &actors {
            let mut cells = Vec::new();
            for whose in ["own", "other", "nobody"] {
                number += 1;
                // What an admin does to somebody is done: each is somebody else.
                let is_done =
                    noun(route) == Noun::User && *role == Role::Admin && route.path != UNLINK;
                let (mut name, mut cookie, mut other) =
                    ((*name).to_owned(), cookie.clone(), "other".to_owned());
                if is_done && whose == "own" {
                    name = format!("admin{number}");
                    cookie = served.sign_in(&name, Role::Admin, false).await;
                }
                if is_done && whose == "other" {
                    other = format!("other{number}");
                    served.invite(&other).await;
                }
                let (id, of) = match whose {
                    "own" => (
                        served.make(noun(route), &name, &cookie, &provider).await,
                        name,
                    ),
                    "other" => {
                        let made = served.make(noun(route), &other, &others, &provider);
                        (made.await, other)
                    }
                    _ => (MISSING.to_owned(), "nobody".to_owned()),
                };
                let mut login = MISSING.to_owned();
                if route.path == UNLINK && whose != "nobody" {
                    let cookie = if whose == "own" { &cookie } else { &others };
                    login = served.make(Noun::LinkedLogin, &of, cookie, &provider).await;
                }
                let path = format!("/api{}", route.path.replace("{id}", &id));
                let request = Served::request(
                    route.method,
                    &path,
                    &Shows::Cookie(cookie),
                    &body(route, &of, &login),
                );
                let answer = served.send(Door::Web, request).await;
                let status = answer.status.as_u16();
                let code = serde_json::from_str::<serde_json::Value>(&answer.text)
                    .ok()
                    .and_then(|body| body["code"].as_str().map(str::to_owned));
                cells.push(match code {
                    Some(code) if status >= 400 => format!("{status} {code}"),
                    _ => status.to_string(),
                });
            }
            let row = format!(
                "{} {} | {name} | {}",
                route.method,
                route.path,
                cells.join(" | ")
            );
            let _ = writeln!(table_text, "{row}");
            expected(&line, *role, &cells, &row);
        }
    }
    check("authz_ids.txt", &table_text);
}

#[track_caller]
fn expected(line: &security::permissions::Line, role: Role, cells: &[String], row: &str) {
    let is_good = |cell: &String| cell.starts_with('2');
    if !line.roles.contains(&role) {
        assert!(
            cells
                .iter()
                .all(|cell| *cell == cells[0] && cell.starts_with('4')),
            "{row}"
        );
        return;
    }
    assert!(cells[2].starts_with("404"), "{row}");
    if line.name.starts_with("account.") {
        assert!(is_good(&cells[0]), "{row}");
        assert_eq!(cells[1], cells[2], "{row}");
    } else {
        // It is there; whether it can be done to it is another matter.
        assert!(!cells[1].starts_with("404"), "{row}");
    }
}
