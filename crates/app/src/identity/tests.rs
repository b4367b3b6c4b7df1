//! People as the doors meet them: through the use cases, on a store of their own, with a clock that is moved by hand.

mod admins;
mod cookies;
mod guessing;
mod imported;
mod linked_logins;
mod links;
mod passkeys;
mod tokens;

use super::people;
use super::sign_in::{Credentials, Entered, sign_in};
use crate::project::tests::bare_project;
use crate::{App, Environment, Error, OpenOptions};
use domain::{Clock, Code, Email, Timestamp};
use security::permissions::{Authenticate, SignIn, UsersManage};
use security::{Actor, Allow, Client, Permission, Plain, PublicReason, RequestId, Role, SignedIn};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::users::User;
use tempfile::TempDir;
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery staple";

/// A clock that stands until it is moved.
struct HandClock(AtomicI64);

impl HandClock {
    fn move_on(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("small");
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

struct Team {
    app: Arc<App>,
    clock: Arc<HandClock>,
    _folder: TempDir,
}

impl Team {
    async fn new() -> Self {
        Self::with("", &[]).await
    }

    /// Opens a project with these settings and variables.
    async fn with(settings: &str, variables: &[(&str, &str)]) -> Self {
        let (folder, project) = bare_project();
        fs_err::write(project.project_file(), settings).expect("written");
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000_000)));
        let mut pairs = vec![("USER", "ada")];
        pairs.extend(variables);
        let opened = App::open_read(OpenOptions {
            project: Some(project.root().to_path_buf()),
            environment: Environment::from_pairs(pairs),
            command: "test".into(),
            wait_seconds: 0,
            launcher: crate::launcher().expect("this program"),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        });
        let app = opened.await.expect("a project");
        app.prepare_to_sign(false).expect("a key");
        Self {
            app: Arc::new(app),
            clock,
            _folder: folder,
        }
    }

    async fn operator<P: Permission>(&self) -> Allow<P> {
        self.app.allow::<P>().await.expect("the operator may")
    }

    async fn add(&self, address: &str, role: Role) -> User {
        let allow = self.operator::<UsersManage>().await;
        people::create(
            &self.app,
            &allow,
            &email(address),
            role,
            &plain(PASSWORD),
            false,
        )
        .await
        .expect("created")
    }

    async fn sign_in(&self, address: &str, password: &str) -> Result<Entered, Error> {
        self.sign_in_from("192.0.2.7", address, password, None)
            .await
    }

    async fn sign_in_from(
        &self,
        ip: &str,
        address: &str,
        password: &str,
        device: Option<&Entered>,
    ) -> Result<Entered, Error> {
        let typed = Credentials {
            email: address.to_owned(),
            password: plain(password),
            replaces: None,
        };
        let mut allow = public::<SignIn>(ip);
        if let Some(entered) = device {
            let known = super::device_of(&self.app, &entered.device).expect("a key");
            let mut client = allow.actor().client().cloned().expect("a client");
            client.device_of = known;
            allow = security::admit(client, request());
        }
        sign_in(&self.app, &allow, typed).await
    }

    /// Returns whom this cookie makes the sender of a request, and the cookie he gets.
    async fn whose(&self, cookie: &str) -> Option<(SignedIn, Option<String>)> {
        let allow = public::<Authenticate>("192.0.2.7");
        let presented = super::Presented::Cookie(cookie);
        let client = allow.actor().client().cloned().expect("a client");
        super::recognise(&self.app, &allow, presented, &client)
            .await
            .expect("it is looked up")
            .map(|known| (known.actor, known.cookie.map(|c| c.expose().clone())))
    }

    /// Returns the witness of somebody who sends this cookie.
    async fn allowed<P: Permission>(
        &self,
        cookie: &Plain<String>,
    ) -> Result<Allow<P>, security::Denied> {
        let (actor, _) = self.whose(cookie.expose()).await.expect("signed in");
        security::authorize(&Actor::User(actor), request())
    }

    async fn events(&self) -> Vec<String> {
        let allow = self.operator::<security::permissions::AuditView>().await;
        let filter = store::audit::AuditFilter::default();
        let listed = self
            .app
            .store
            .run_read(&allow, async |tx| {
                store::audit::list(&tx, &filter, store::Paging::new(500, 0)).await
            })
            .await;
        let rows = listed.expect("a log").items;
        rows.into_iter().map(|row| row.event).collect()
    }
}

fn request() -> RequestId {
    RequestId::new(Uuid::nil())
}

fn public<R: PublicReason>(ip: &str) -> Allow<R> {
    let client = Client {
        ip: Some(ip.parse().expect("an address")),
        user_agent: Some("a browser".into()),
        ..Client::default()
    };
    security::admit(client, request())
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

fn plain(text: &str) -> Plain<String> {
    Plain::new(text.to_owned())
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}
