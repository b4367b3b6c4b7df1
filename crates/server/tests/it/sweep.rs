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
        .replace("{key}", "sources.missing.key")
        .replace("{id}", "00000000-0000-7000-8000-000000000000");
    match (route.reach, door) {
        (Reach::Everywhere, Door::Web) => format!("/api{filled}"),
        _ => filled,
    }
}

async fn everybody(served: &Served) -> Vec<Tries> {
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
    let token = served.token("admin", None).await;
    all.push(("admin's token", Door::Dap, Shows::Bearer(token)));
    let narrow = served.token("admin", Some(&["source.view"])).await;
    all.push(("token source.view", Door::Dap, Shows::Bearer(narrow)));
    let forged = "dap_".to_owned() + &"x".repeat(43);
    all.push(("forged token", Door::Dap, Shows::Bearer(forged)));
    all.push(("operator", Door::Socket, Shows::Nothing));
    let tries = all.into_iter().zip(1..);
    tries
        .map(|((name, door, shows), number)| Tries {
            name,
            door,
            shows,
            // The limits count each address alone.
            ip: IpAddr::from([192, 0, 2, number]),
        })
        .collect()
}

#[tokio::test]
async fn nobody_gets_further_than_the_policy_says() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    let everybody = everybody(&served).await;
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
            let path = path(route, tries.door);
            // Whoever leaves is gone: each comes in anew to leave.
            let again = match &tries.shows {
                Shows::Cookie(_) if route.events.contains(&Event::Logout) => {
                    Shows::Cookie(served.enter(tries.name).await)
                }
                shows => shows.clone(),
            };
            let request = Served::request(route.method, &path, &again, "");
            let answer = served.send_from(tries.door, tries.ip, request).await;
            assert_ne!(answer.status.as_u16(), 429, "the limits are in the way");
            let outcome = outcome(&answer);
            let _ = write!(matrix, " | {outcome}");
            expected(route, tries, outcome);
        }
        matrix.push('\n');
    }
    check("authz_matrix.txt", &matrix);
}

/// Checks a cell against the line of the policy itself.
#[track_caller]
fn expected(route: &Route, tries: &Tries, outcome: &str) {
    let cell = format!(
        "{} {} by {}: {outcome}",
        route.method, route.path, tries.name
    );
    let is_there = match route.reach {
        Reach::Everywhere => true,
        Reach::Pages => tries.door == Door::Web,
        Reach::Operator => tries.door == Door::Socket,
    };
    if !is_there {
        assert_eq!(outcome, "-", "{cell}");
        return;
    }
    let Guard::Permission(line) = route.guard else {
        // There is an admin: set-up is gone.
        let is_gone = route.method == "GET" && route.path == "/auth/setup";
        assert_eq!(outcome, if is_gone { "-" } else { "in" }, "{cell}");
        return;
    };
    let has = |role| line.roles.contains(&role);
    let no = if route.is_hidden { "-" } else { "no" };
    let expect = match tries.name {
        "anonymous" | "forged token" => "sign in",
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
