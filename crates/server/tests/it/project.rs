//! A project with its people, and the doors of its server.

use app::identity::people;
use app::identity::sign_in::{Credentials, sign_in};
use app::identity::tokens::{self, TokenRequest};
use app::{App, Environment, OpenOptions};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use domain::{Clock, Email, Timestamp, TokenId, UserId};
use security::permissions::{AccountSecure, SignIn, UsersManage};
use security::{Client, Plain, Role, admit};
use serde_json::Value;
use server::{Door, Entrance, Listening, Options, Peer};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A clock that stands until it is moved.
pub(crate) struct HandClock(pub(crate) AtomicI64);

impl HandClock {
    pub(crate) fn move_on(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// What somebody sends along with his requests.
#[derive(Debug, Clone)]
pub(crate) enum Shows {
    Nothing,
    Bearer(String),
    Cookie(String),
    /// That one of our own pages asks.
    Page,
}

/// A project that is served.
pub(crate) struct Served {
    pub(crate) listening: Listening,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) folder: TempDir,
    web: Entrance,
    dap: Entrance,
    socket: Entrance,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }

    /// Checks that it is a problem of this status and code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        body
    }
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::with("", &[]).await
    }

    /// Serves a project with these settings and variables.
    pub(crate) async fn with(settings: &str, variables: &[(&str, &str)]) -> Self {
        Self::in_folder(folder(settings), variables).await
    }

    /// Serves a project whose sign-in is switched off.
    pub(crate) async fn without_sign_in(settings: &str, variables: &[(&str, &str)]) -> Self {
        let folder = folder(settings);
        fs_err::write(folder.path().join(".dango/auth.yml"), "enabled: false\n").expect("written");
        Self::in_folder(folder, variables).await
    }

    pub(crate) async fn in_folder(folder: TempDir, variables: &[(&str, &str)]) -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000_000)));
        let mut pairs = vec![("USER", "ada"), ("DAP_ENGINE_PORT", "0")];
        pairs.extend(variables);
        let options = OpenOptions {
            project: Some(folder.path().to_path_buf()),
            environment: Environment::from_pairs(pairs),
            command: "serve".into(),
            wait_seconds: 0,
            launcher: app::launcher().expect("this program"),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let app = App::open(options, &mut |_| {}).await.expect("a project");
        let options = Options {
            port: Some(0),
            ..Options::default()
        };
        let listening = server::open(app, options).await.expect("it listens");
        let door = |door| listening.entrance(door);
        let (web, dap, socket) = (door(Door::Web), door(Door::Dap), door(Door::Socket));
        Self {
            listening,
            clock,
            folder,
            web,
            dap,
            socket,
        }
    }

    pub(crate) fn app(&self) -> &App {
        self.listening.app()
    }

    /// Creates somebody, and signs him in: what his cookie holds.
    pub(crate) async fn sign_in(&self, name: &str, role: Role, must_change: bool) -> String {
        let address = format!("{name}@example.com");
        let email = Email::parse(&address).expect("an address");
        let app = self.app();
        let password = Plain::new(PASSWORD.to_owned());
        let allow = app.allow::<UsersManage>().await.expect("the operator may");
        people::create(app, &allow, &email, role, &password, must_change)
            .await
            .expect("created");
        self.enter(name).await
    }

    /// Signs somebody in who was created: what his cookie holds.
    pub(crate) async fn enter(&self, name: &str) -> String {
        let app = self.app();
        let allow = admit::<SignIn>(Client::default(), app.new_request());
        let typed = Credentials {
            email: format!("{name}@example.com"),
            password: Plain::new(PASSWORD.to_owned()),
            replaces: None,
        };
        let entered = sign_in(app, &allow, typed).await.expect("he is let in");
        entered.cookie.expose().clone()
    }

    /// Returns the id of somebody who was created.
    pub(crate) async fn id_of(&self, name: &str) -> UserId {
        let email = Email::parse(&format!("{name}@example.com")).expect("an address");
        let app = self.app();
        let allow = app.allow::<UsersManage>().await.expect("the operator may");
        let found = people::get_by_email(app, &allow, &email).await;
        found.expect("he exists").id
    }

    /// Sets an authenticator app up for somebody who is signed in; returns its secret.
    pub(crate) async fn enrol(&self, shows: &Shows) -> String {
        let set_up = self.post("/api/auth/2fa/setup", shows, "{}").await.json();
        let secret = set_up["secret"].as_str().expect("base32").to_owned();
        let code = crate::people::code_at(&secret, self.unix_seconds());
        let body = serde_json::json!({"code": code}).to_string();
        let done = self.post("/api/auth/2fa/verify-setup", shows, &body).await;
        assert_eq!(done.status.as_u16(), 200, "{}", done.text);
        secret
    }

    /// Returns what its clock says.
    pub(crate) fn unix_seconds(&self) -> u64 {
        u64::try_from(self.clock.now().as_micros() / 1_000_000).expect("after 1970")
    }

    /// Makes a token of somebody who was created.
    pub(crate) async fn token(&self, name: &str, scopes: Option<&[&str]>) -> String {
        self.token_with_id(name, scopes).await.0
    }

    pub(crate) async fn token_with_id(
        &self,
        name: &str,
        scopes: Option<&[&str]>,
    ) -> (String, TokenId) {
        let email = Email::parse(&format!("{name}@example.com")).expect("an address");
        let app = self.app();
        let allow = app
            .allow::<AccountSecure>()
            .await
            .expect("the operator may");
        let owner = tokens::owner(app, &allow, Some(&email))
            .await
            .expect("he exists");
        let request = TokenRequest {
            name: "test".into(),
            scopes: scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..TokenRequest::default()
        };
        let made = tokens::create(app, &allow, owner, request)
            .await
            .expect("made");
        (made.raw.expose().clone(), made.token.id)
    }

    /// Returns a request for one of our names.
    pub(crate) fn request(method: &str, path: &str, shows: &Shows, body: &str) -> Request<Body> {
        let method: Method = method.parse().expect("a method");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8800");
        match shows {
            Shows::Nothing => {}
            Shows::Page => request = request.header("sec-fetch-site", "same-origin"),
            Shows::Bearer(token) => {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            Shows::Cookie(value) => {
                request = request
                    .header("cookie", format!("other=1; dap-jwt={value}"))
                    .header("sec-fetch-site", "same-origin");
            }
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request
            .body(Body::from(body.to_owned()))
            .expect("a request")
    }

    /// Sends a request from the machine itself through a door.
    pub(crate) async fn send(&self, door: Door, request: Request<Body>) -> Answer {
        self.send_from(door, Ipv4Addr::LOCALHOST.into(), request)
            .await
    }

    pub(crate) async fn send_from(&self, door: Door, ip: IpAddr, request: Request<Body>) -> Answer {
        read(self.open_from(door, ip, request).await).await
    }

    /// Sends a request and returns its answer unread.
    pub(crate) async fn open_from(
        &self,
        door: Door,
        ip: IpAddr,
        request: Request<Body>,
    ) -> Response<Body> {
        let (entrance, peer) = match door {
            Door::Web => (&self.web, Peer::Address(ip)),
            Door::Dap => (&self.dap, Peer::Address(ip)),
            Door::Socket => (&self.socket, Peer::User("ada".into())),
        };
        entrance.answer(peer, request).await
    }

    pub(crate) async fn get(&self, path: &str, shows: &Shows) -> Answer {
        self.send(Door::Web, Self::request("GET", path, shows, ""))
            .await
    }

    pub(crate) async fn post(&self, path: &str, shows: &Shows, body: &str) -> Answer {
        self.send(Door::Web, Self::request("POST", path, shows, body))
            .await
    }
}

/// Returns a folder with a project of these settings.
pub(crate) fn folder(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [".dango", ".dlt"] {
        fs_err::create_dir(folder.path().join(name)).expect("created");
    }
    fs_err::write(folder.path().join(".dango/project.yml"), settings).expect("written");
    folder
}

pub(crate) async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 16 << 20).await.expect("a body");
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
    }
}

impl Served {
    /// Invites somebody: that costs no hash of a password.
    pub(crate) async fn invite(&self, name: &str) {
        let email = Email::parse(&format!("{name}@example.com")).expect("an address");
        let allow = self.app().allow::<UsersManage>().await;
        let allow = allow.expect("the operator may");
        let invited = people::invite(self.app(), &allow, &email, Role::Editor).await;
        assert!(invited.is_ok());
    }

    /// Takes somebody's access away.
    pub(crate) async fn deactivate(&self, name: &str) {
        let allow = self.app().allow::<UsersManage>().await;
        let id = self.id_of(name).await;
        let done = people::deactivate(self.app(), &allow.expect("the operator may"), id).await;
        done.expect("deactivated");
    }

    /// Revokes anybody's token.
    pub(crate) async fn revoke(&self, id: TokenId) {
        let allow = self.app().allow::<UsersManage>().await;
        let done = tokens::revoke_any(self.app(), &allow.expect("the operator may"), id).await;
        done.expect("revoked");
    }
}
