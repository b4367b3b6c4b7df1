//! Every route of the table, tried by everybody: nobody gets further than the policy says, and no cell is listed by hand.

use crate::documents::check;
use crate::project::{Answer, Served, Shows};
use security::{Event, Role};
use server::{Door, Guard, Reach, Route, table};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Somebody who tries.
struct Tries {
    name: &'static str,
    door: Door,
    shows: Shows,
    ip: IpAddr,
}

/// What became of a try: past the witness, or why not.
fn outcome(answer: &Answer) -> &'static str {
    let code = match answer.status.as_u16() {
        401 | 403 | 404 => serde_json::from_str::<serde_json::Value>(&answer.text)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned)),
        _ => None,
    };
    match (answer.status.as_u16(), code.as_deref()) {
        (401, _) => "sign in",
        (403, Some("permission_denied")) => "no",
        (403, Some("password_change_required")) => "password first",
        (403, Some("second_factor_required")) => "factor first",
        (403, Some("reauthentication_required")) => "prove",
        (404, Some("route_not_found")) => "-",
        _ => "in",
    }
}

/// Returns a path of the route that names nothing that exists.
fn path(route: &Route, door: Door) -> String {
    let filled = route
        .path
        .replace("{name}", "missing")
        .replace("{provider}", "missing")
        .replace("{key}", "sources.missing.key")
        .replace("{id}", "00000000-0000-7000-8000-000000000000");
    match (route.reach, door) {
        (Reach::Everywhere, Door::Web) => format!("/api{filled}"),
        _ => filled,
    }
}

/// The names of those who come in anew to leave again.
const COME_BACK: [&str; 5] = ["viewer", "editor", "admin", "must-change", "pending"];

async fn everybody(served: &Served, off: &Served) -> Vec<Tries> {
    // Before anybody else, so that only his session is too old.
    let expired = served.sign_in("expired", Role::Admin, false).await;
    served.clock.move_on(31 * 24 * 3_600);
    let mut all = vec![("anonymous", Door::Web, Shows::Nothing)];
    for (name, role) in [
        ("viewer", Role::Viewer),
        ("editor", Role::Editor),
        ("admin", Role::Admin),
    ] {
        let cookie = served.sign_in(name, role, false).await;
        all.push((name, Door::Web, Shows::Cookie(cookie)));
    }
    let must_change = served.sign_in("must-change", Role::Admin, true).await;
    all.push(("must-change", Door::Web, Shows::Cookie(must_change)));
    let enrolled = Shows::Cookie(served.sign_in("pending", Role::Admin, false).await);
    served.enrol(&enrolled).await;
    let pending = served.enter("pending").await;
    all.push(("pending", Door::Web, Shows::Cookie(pending)));
    let gone = served.sign_in("deactivated", Role::Admin, false).await;
    served.deactivate("deactivated").await;
    all.push(("deactivated", Door::Web, Shows::Cookie(gone)));
    all.push(("expired session", Door::Web, Shows::Cookie(expired)));
    let token = served.token("admin", None).await;
    all.push(("admin's token", Door::Dap, Shows::Bearer(token)));
    let narrow = served.token("admin", Some(&["source.view"])).await;
    all.push(("token source.view", Door::Dap, Shows::Bearer(narrow)));
    let (revoked, id) = served.token_with_id("admin", None).await;
    served.revoke(id).await;
    all.push(("revoked token", Door::Dap, Shows::Bearer(revoked)));
    let forged = "dap_".to_owned() + &"x".repeat(43);
    all.push(("forged token", Door::Dap, Shows::Bearer(forged)));
    all.push(("operator", Door::Socket, Shows::Nothing));
    let token = fs_err::read_to_string(off.folder.path().join(".dango/run/local.token"));
    let token = Shows::Bearer(token.expect("made at the start"));
    all.push(("local operator", Door::Web, Shows::Page));
    all.push(("local token", Door::Dap, token.clone()));
    all.push(("off, another site", Door::Web, Shows::Nothing));
    all.push(("off, from afar", Door::Web, token));
    let tries = all.into_iter().zip(1..);
    tries
        .map(|((name, door, shows), number)| Tries {
            name,
            door,
            shows,
            ip: match name {
                "local operator" | "local token" | "off, another site" => [127, 0, 0, 1].into(),
                // The limits count each address alone.
                _ => IpAddr::from([192, 0, 2, number]),
            },
        })
        .collect()
}

impl Tries {
    /// Whether he tries the server whose sign-in is off.
    fn is_at_off(&self) -> bool {
        self.name.starts_with("local ") || self.name.starts_with("off, ")
    }
}

#[tokio::test]
async fn nobody_gets_further_than_the_policy_says() {
    sweep(&[]).await;
}

#[tokio::test]
async fn nobody_gets_further_on_postgres() {
    let postgres = testkit::servers::Postgres::shared();
    let (port, user, password) = (
        postgres.port(),
        testkit::servers::USER,
        testkit::servers::PASSWORD,
    );
    let url = |name: &str| {
        postgres.sql(
            testkit::servers::DATABASE,
            &format!("CREATE DATABASE {name}"),
        );
        format!("postgresql://{user}:{password}@127.0.0.1:{port}/{name}")
    };
    sweep(&[url("sweep_on"), url("sweep_off")]).await;
}

/// Tries every route by everybody, with metadata in files or in these two databases.
async fn sweep(databases: &[String]) {
    const SETTINGS: &str = "auth: {rate_limit: {enabled: false}}";
    let variable = |index: usize| -> Vec<(&str, &str)> {
        let url = databases.get(index).map(String::as_str);
        url.map(|url| ("DANGO_DATABASE_URL", url))
            .into_iter()
            .collect()
    };
    let served = Served::with(SETTINGS, &variable(0)).await;
    let off = Served::without_sign_in(SETTINGS, &variable(1)).await;
    off.sign_in("admin", Role::Admin, false).await;
    let everybody = everybody(&served, &off).await;
    let names: Vec<_> = everybody.iter().map(|tries| tries.name).collect();
    let mut matrix = format!(
        "# made by the sweep over every route; `make fix` writes it. \"in\": past the witness; \"-\": no such route there\n\
         route | permission | {}\n",
        names.join(" | ")
    );
    let table = table();
    // Whoever stops the server stops the sweep: that comes last.
    let (last, first): (Vec<_>, Vec<_>) = table
        .routes()
        .partition(|route| route.path == "/operator/stop");
    for route in first.into_iter().chain(last) {
        let permission = match route.guard {
            Guard::Permission(line) => line.name,
            Guard::Public { name, .. } => name,
        };
        let _ = write!(matrix, "{} {} | {permission}", route.method, route.path);
        for tries in &everybody {
            if !is_there(route, tries.door) && table.routes().any(|other| is_instead(other, route))
            {
                matrix.push_str(" | -");
                continue;
            }
            let server = if tries.is_at_off() { &off } else { &served };
            let path = path(route, tries.door);
            // Whoever leaves is gone: each comes in anew to leave.
            let again = match &tries.shows {
                Shows::Cookie(_)
                    if route.events.contains(&Event::Logout) && COME_BACK.contains(&tries.name) =>
                {
                    Shows::Cookie(server.enter(tries.name).await)
                }
                shows => shows.clone(),
            };
            let request = Served::request(route.method, &path, &again, "");
            let answer = server.send_from(tries.door, tries.ip, request).await;
            assert_ne!(answer.status.as_u16(), 429, "the limits are in the way");
            let outcome = outcome(&answer);
            let _ = write!(matrix, " | {outcome}");
            expected(route, tries, outcome);
        }
        matrix.push('\n');
    }
    check("authz_matrix.txt", &matrix);
}

#[tokio::test]
async fn who_was_invited_has_nothing_to_show_yet() {
    let served = Served::new().await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let body = r#"{"email": "bob@example.com", "role": "admin"}"#;
    let invited = served.post("/api/admin/users", &ada, body).await;
    assert_eq!(invited.json()["user"]["state"], "invited");
    for password in ["", "password", crate::project::PASSWORD] {
        let body = serde_json::json!({"email": "bob@example.com", "password": password});
        let refused = served
            .post("/api/auth/login", &Shows::Nothing, &body.to_string())
            .await;
        refused.is_problem(400, "credentials_wrong");
    }
    // His link chooses a password and opens nothing.
    let link = invited.json()["invite_url"]
        .as_str()
        .expect("a link")
        .to_owned();
    let token = link.rsplit('/').next().expect("a token").to_owned();
    for shows in [Shows::Bearer(token.clone()), Shows::Cookie(token)] {
        served
            .get("/api/auth/me", &shows)
            .await
            .is_problem(401, "unauthenticated");
    }
}

fn is_there(route: &Route, door: Door) -> bool {
    match route.reach {
        Reach::Everywhere => true,
        Reach::Pages => door == Door::Web,
        Reach::Operator => door == Door::Socket,
    }
}

/// Whether `other` answers at the paths where `route` is not: a page and a route of the API have the same name.
fn is_instead(other: &Route, route: &Route) -> bool {
    (other.method, other.path) == (route.method, route.path) && other.reach == Reach::Everywhere
}

/// Checks a cell against the line of the policy itself.
#[track_caller]
fn expected(route: &Route, tries: &Tries, outcome: &str) {
    let cell = format!(
        "{} {} by {}: {outcome}",
        route.method, route.path, tries.name
    );
    if !is_there(route, tries.door) {
        assert_eq!(outcome, "-", "{cell}");
        return;
    }
    let Guard::Permission(line) = route.guard else {
        // There is an admin: set-up is gone. No file of the pages is called `missing`.
        let is_gone = (route.method == "GET" && route.path == "/auth/setup")
            || route.path.starts_with("/assets/");
        assert_eq!(outcome, if is_gone { "-" } else { "in" }, "{cell}");
        return;
    };
    let has = |role| line.roles.contains(&role);
    let no = if route.is_hidden { "-" } else { "no" };
    let expect = match tries.name {
        "anonymous" | "forged token" | "revoked token" | "deactivated" | "expired session"
        | "off, another site" | "off, from afar" => "sign in",
        "pending" if !line.during.contains(&security::Step::SecondFactor) => "sign in",
        "local operator" | "local token" if !line.is_local => no,
        "viewer" if !has(Role::Viewer) => no,
        "editor" if !has(Role::Editor) => no,
        "admin" | "admin's token" if !has(Role::Admin) => no,
        "admin's token" if line.is_session_only => no,
        "token source.view" if line.name != "source.view" => no,
        "operator" if !line.is_operators => no,
        "must-change" if !line.during.contains(&security::Step::ChangePassword) => "password first",
        _ => "in",
    };
    assert_eq!(outcome, expect, "{cell}");
}
