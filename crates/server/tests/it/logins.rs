//! Signing in with an identity provider, from the first redirect to the cookie.

mod provider;

use crate::project::{Answer, Served, Shows};
pub(crate) use provider::{Provider, Way};
use security::Role;
use server::Door;

/// Serves a project whose `github` is `provider`, and whose `corp` speaks `OpenID` Connect there.
async fn serve(provider: &Provider, more: &str) -> Served {
    serve_for(provider, more, "[]").await
}

async fn serve_for(provider: &Provider, more: &str, domains: &str) -> Served {
    Served::with(&settings(provider, more, domains), &SECRETS).await
}

/// The variables that [`settings`] need.
pub(crate) const SECRETS: [(&str, &str); 1] =
    [("DAP_OAUTH_GITHUB_CLIENT_SECRET", provider::SECRET)];

/// Returns the settings of a project with `provider` under two names.
pub(crate) fn settings(provider: &Provider, more: &str, domains: &str) -> String {
    let place = provider.url();
    format!(
        "auth:\n  rate_limit: {{enabled: false}}\n  {more}\n  oauth_providers:\n    \
         github: {{client_id: dango, issuer: '{place}', allowed_domains: {domains}}}\n    \
         corp: {{client_id: dango, client_secret: \"{SECRET}\", issuer: '{place}', label: Corp, allowed_domains: {domains}}}\n\
         server: {{public_url: 'http://localhost:8800'}}\n\
         egress: {{allow_private: ['127.0.0.1']}}\n",
        SECRET = provider::SECRET,
    )
}

/// A browser on its way: where it was sent, and what it keeps.
pub(crate) struct Sent {
    to: String,
    cookies: Vec<String>,
}

impl Sent {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
        let set = answer.headers.get_all("set-cookie").iter();
        let cookies = set.filter_map(|value| value.to_str().ok());
        Self {
            to: answer.header("location").to_owned(),
            cookies: cookies.map(str::to_owned).collect(),
        }
    }

    /// Returns what the cookie `name` is set to.
    fn cookie(&self, name: &str) -> Option<&str> {
        let of = |text: &str| {
            text.split(';')
                .next()?
                .strip_prefix(name)?
                .strip_prefix('=')
                .map(str::len)
        };
        let found = self.cookies.iter().find(|text| of(text).is_some())?;
        found
            .split(';')
            .next()?
            .split_once('=')
            .map(|(_, value)| value)
    }
}

impl Served {
    async fn go(&self, path: &str, cookie: Option<(&str, &str)>) -> Sent {
        Sent::of(&self.visit(path, cookie).await)
    }

    async fn visit(&self, path: &str, cookie: Option<(&str, &str)>) -> Answer {
        let mut request = Self::request("GET", path, &Shows::Nothing, "");
        if let Some((name, value)) = cookie {
            let text = format!("{name}={value}").parse().expect("a header");
            request.headers_mut().insert("cookie", text);
        }
        self.send(Door::Web, request).await
    }

    /// Begins a sign-in; returns with what the provider sends back, and what the browser keeps.
    async fn begin(&self, provider: &Provider, name: &str, query: &str) -> (String, String) {
        let sent = self
            .go(&format!("/api/auth/oauth/{name}/login{query}"), None)
            .await;
        let browser = sent.cookie("dango-oauth").expect("bound").to_owned();
        (provider.visit(&sent.to), browser)
    }

    async fn end(&self, name: &str, query: &str, browser: &str) -> Sent {
        let path = format!("/api/auth/oauth/{name}/callback?{query}");
        self.go(&path, Some(("dango-oauth", browser))).await
    }

    async fn sign_in_with(&self, provider: &Provider, name: &str) -> Sent {
        let (query, browser) = self.begin(provider, name, "").await;
        self.end(name, &query, &browser).await
    }

    /// Links a login of whoever has this session.
    pub(crate) async fn link(&self, provider: &Provider, name: &str, session: &str) -> Sent {
        let shows = Shows::Cookie(session.to_owned());
        let path = format!("/api/auth/oauth/{name}/link");
        let begun = self.post(&path, &shows, "").await;
        assert_eq!(begun.status.as_u16(), 200, "{}", begun.text);
        assert!(begun.header("set-cookie").starts_with("dango-oauth=link;"));
        let url = begun.json()["authorization_url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let query = provider.visit(&url);
        let path = format!("/api/auth/oauth/{name}/callback?{query}");
        let both = format!("link; dap-jwt={session}");
        self.go(&path, Some(("dango-oauth", &both))).await
    }
}

#[tokio::test]
async fn a_linked_login_signs_in_by_either_kind_of_provider() {
    for name in ["github", "corp"] {
        let provider = Provider::start(Way::Right).await;
        let served = serve(&provider, "").await;
        let ways = served
            .get("/api/auth/providers", &Shows::Nothing)
            .await
            .json();
        assert_eq!(
            ways["oauth"][0]["login_url"],
            "/api/auth/oauth/github/login"
        );
        assert_eq!(
            (&ways["oauth"][1]["label"], &ways["passkeys"]),
            (&"Corp".into(), &true.into())
        );
        let unknown = served.sign_in_with(&provider, name).await;
        assert_eq!(unknown.to, "/login?error=login_unknown");
        assert!(unknown.cookie("dap-jwt").is_none());

        let session = served.sign_in("ada", Role::Admin, false).await;
        let linked = served.link(&provider, name, &session).await;
        assert_eq!(linked.to, format!("/settings/account?linked={name}"));
        let (query, browser) = served
            .begin(&provider, name, "?return_to=/sources%3Ftab=1")
            .await;
        let entered = served.end(name, &query, &browser).await;
        assert_eq!(entered.to, "/sources?tab=1");
        assert_eq!(
            entered.cookie("dango-oauth"),
            Some(""),
            "it has done its work"
        );
        let shows = Shows::Cookie(entered.cookie("dap-jwt").expect("a session").to_owned());
        let me = served.get("/api/auth/me", &shows).await.json();
        assert_eq!(
            (&me["email"], &me["oauth_provider"]),
            (&"ada@example.com".into(), &name.into())
        );
        assert_eq!(me["oauth_accounts"][0]["account_email"], "ada@example.com");

        let id = me["oauth_accounts"][0]["id"].as_str().expect("an id");
        let request = Served::request("DELETE", &format!("/api/auth/logins/{id}"), &shows, "");
        let gone = served.send(Door::Web, request).await;
        assert_eq!(gone.json()["success"], true, "{}", gone.text);
        assert_eq!(
            served.sign_in_with(&provider, name).await.to,
            "/login?error=login_unknown"
        );
    }
}

#[tokio::test]
async fn of_64_answers_with_one_code_one_comes_in() {
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, "oauth_link_by_email: true").await;
    served.sign_in("ada", Role::Admin, false).await;
    let (query, browser) = served.begin(&provider, "corp", "").await;
    let tries = (0..64).map(|_| served.end("corp", &query, &browser));
    let ended = futures_util::future::join_all(tries).await;
    let entered = ended.iter().filter(|sent| sent.cookie("dap-jwt").is_some());
    assert_eq!(entered.count(), 1);
    let refused = ended
        .iter()
        .filter(|sent| sent.to == "/login?error=ceremony_over");
    assert_eq!(refused.count(), 63);
    assert_eq!(provider.exchanges(), 1, "the provider was asked once");
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_for_its_provider() {
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, "oauth_link_by_email: true").await;
    let session = served.sign_in("ada", Role::Admin, false).await;
    let over = "/login?error=ceremony_over";
    let (query, browser) = served.begin(&provider, "corp", "").await;
    let (_, other) = served.begin(&provider, "corp", "").await;
    let path = format!("/api/auth/oauth/corp/callback?{query}");
    assert_eq!(served.go(&path, None).await.to, over);
    for wrong in [other.as_str(), "", "x"] {
        assert_eq!(served.end("corp", &query, wrong).await.to, over, "{wrong}");
    }
    // Another's answer cannot be made a link of whoever has a session, nor a link a sign-in.
    let both = format!("link; dap-jwt={session}");
    let passed_off = served.go(&path, Some(("dango-oauth", &both))).await;
    assert_eq!(passed_off.to, "/settings/account?error=ceremony_over");
    let anonymous = served.go(&path, Some(("dango-oauth", "link"))).await;
    assert_eq!(anonymous.to, "/settings/account?error=unauthenticated");
    let entered = served.end("corp", &query, &browser).await;
    assert_eq!(entered.to, "/", "what was refused has used nothing up");

    let (query, browser) = served.begin(&provider, "corp", "").await;
    let mixed_up = served.end("github", &query, &browser).await;
    assert_eq!(mixed_up.to, "/login?error=login_refused");
    let (query, browser) = served.begin(&provider, "corp", "").await;
    served.clock.move_on(600);
    assert_eq!(served.end("corp", &query, &browser).await.to, over);
    let nobody = served.go("/api/auth/oauth/nobody/login", None).await;
    assert_eq!(nobody.to, "/login?error=login_provider_unknown");
}

#[tokio::test]
async fn nobody_is_sent_to_another_website() {
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, "oauth_link_by_email: true").await;
    served.sign_in("ada", Role::Admin, false).await;
    for foreign in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "javascript:1",
    ] {
        let (query, browser) = served
            .begin(&provider, "github", &format!("?return_to={foreign}"))
            .await;
        assert_eq!(
            served.end("github", &query, &browser).await.to,
            "/",
            "{foreign}"
        );
    }
    // Nor does `Host` say where the provider sends people back to.
    let mut request = Served::request("GET", "/api/auth/oauth/github/login", &Shows::Nothing, "");
    request
        .headers_mut()
        .insert("host", "127.0.0.1:8800".parse().expect("a host"));
    let sent = Sent::of(&served.send(Door::Web, request).await);
    assert!(
        sent.to.contains("redirect_uri=http%3A%2F%2Flocalhost%3A"),
        "{}",
        sent.to
    );
}

#[tokio::test]
async fn what_a_provider_does_not_vouch_for_lets_nobody_in() {
    let link = "oauth_link_by_email: true";
    for (way, name, more, domains, expect) in [
        (Way::Unverified, "github", link, "[]", "login_unknown"),
        (Way::Unverified, "corp", link, "[]", "login_unknown"),
        (
            Way::Unverified,
            "corp",
            link,
            "[example.com]",
            "login_unknown",
        ),
        (Way::Right, "corp", link, "[other.example]", "login_unknown"),
        (
            Way::Right,
            "corp",
            "oauth_link_by_email: false",
            "[]",
            "login_unknown",
        ),
        (Way::ForgedToken, "corp", link, "[]", "login_refused"),
        (Way::Broken, "github", link, "[]", "login_refused"),
    ] {
        let provider = Provider::start(way).await;
        let served = serve_for(&provider, more, domains).await;
        served.sign_in("ada", Role::Admin, false).await;
        let sent = served.sign_in_with(&provider, name).await;
        assert_eq!(
            sent.to,
            format!("/login?error={expect}"),
            "{name} {more} {domains}"
        );
        assert!(sent.cookie("dap-jwt").is_none());
    }
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, link).await;
    let (query, browser) = served.begin(&provider, "github", "").await;
    let state = query.split('&').next().expect("the state");
    let denied = served
        .end("github", &format!("{state}&error=access_denied"), &browser)
        .await;
    assert_eq!(denied.to, "/login?error=login_refused");
}

#[tokio::test]
async fn our_second_factor_is_asked_for_after_a_provider() {
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, "oauth_link_by_email: true").await;
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let set_up = served
        .post("/api/auth/2fa/setup", &shows, "{}")
        .await
        .json();
    let code = crate::people::code_at(set_up["secret"].as_str().expect("base32"), provider::NOW);
    let body = serde_json::json!({"code": code}).to_string();
    served
        .post("/api/auth/2fa/verify-setup", &shows, &body)
        .await;
    let sent = served.sign_in_with(&provider, "corp").await;
    assert_eq!(sent.to, "/login?requires_2fa=true&return_to=%2F");
    let waiting = Shows::Cookie(sent.cookie("dap-jwt").expect("it waits").to_owned());
    served
        .get("/api/auth/me", &waiting)
        .await
        .is_problem(401, "second_factor_pending");
    let recovery = set_up["recovery_codes"][0].as_str().expect("a code");
    let body = serde_json::json!({"code": recovery}).to_string();
    let entered = served.post("/api/auth/2fa/verify", &waiting, &body).await;
    assert_eq!(
        entered.json()["user"]["email"],
        "ada@example.com",
        "{}",
        entered.text
    );
}

#[tokio::test]
async fn an_allowed_domain_makes_viewers_where_the_settings_say_so() {
    let provider = Provider::start(Way::Right).await;
    let served = serve_for(&provider, "oauth_create_viewers: true", "[example.com]").await;
    let entered = served.sign_in_with(&provider, "corp").await;
    let shows = Shows::Cookie(entered.cookie("dap-jwt").expect("in").to_owned());
    let me = served.get("/api/auth/me", &shows).await.json();
    assert_eq!(
        (&me["role"], &me["state"]),
        (&"viewer".into(), &"active".into())
    );
    assert_eq!(me["has_password"], false);
    let id = me["oauth_accounts"][0]["id"].as_str().expect("an id");
    let request = Served::request("DELETE", &format!("/api/auth/logins/{id}"), &shows, "");
    served
        .send(Door::Web, request)
        .await
        .is_problem(409, "last_way_in");
    let again = served.sign_in_with(&provider, "corp").await;
    assert!(again.cookie("dap-jwt").is_some(), "the same account");
    // An address that somebody has stays his: his account has to be linked by himself.
    let other = served.sign_in_with(&provider, "github").await;
    assert_eq!(other.to, "/login?error=login_unknown");

    let provider = Provider::start(Way::Right).await;
    let served = serve_for(&provider, "oauth_create_viewers: true", "[other.example]").await;
    let refused = served.sign_in_with(&provider, "corp").await;
    assert_eq!(refused.to, "/login?error=login_unknown");
}

#[tokio::test]
async fn dap_clients_are_sent_to_the_browsers_port() {
    let provider = Provider::start(Way::Right).await;
    let served = serve(&provider, "").await;
    let get = |path: &str| Served::request("GET", path, &Shows::Nothing, "");
    let asked = served.send(Door::Dap, get("/auth/github/authorize")).await;
    let url = asked.json()["authorization_url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    assert!(
        url.starts_with("http://localhost:") && url.ends_with("/api/auth/oauth/github/login"),
        "{url}"
    );
    let back = served
        .send(Door::Dap, get("/auth/github/callback?code=c&state=s"))
        .await;
    assert!(
        Sent::of(&back)
            .to
            .ends_with("/api/auth/oauth/github/callback?code=c&state=s")
    );
    served
        .send(Door::Dap, get("/auth/google/authorize"))
        .await
        .is_problem(404, "login_provider_unknown");
    let direct = served
        .send(Door::Dap, get("/auth/oauth/github/login"))
        .await;
    assert!(
        direct.headers.get("set-cookie").is_none(),
        "that port sets none"
    );
}
