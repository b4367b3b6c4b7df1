//! Every way to sign, and that what signs goes nowhere else.

use super::*;

fn with(server: &Server, extra: &Value) -> Value {
    let mut described = block(server, json!({}));
    for (key, value) in extra.as_object().expect("a map") {
        described[key] = value.clone();
    }
    described
}

async fn check(extra: Value, secrets: &[(&str, &str)], expect: fn(&Request) -> bool) {
    let server = Server::start(|_| Reply::json(&records([1]))).await;
    let mut bench = open(&with(&server, &extra), secrets).expect("opened");
    bench.ids().await.expect("read");
    assert!(expect(&server.seen()[0]), "{extra} {:?}", server.seen());
}

#[tokio::test]
async fn requests_are_signed_as_described() {
    let token = [("auth_token", "t0k3n")];
    check(json!({"auth_type": "none"}), &[], |r| {
        r.header("authorization").is_none()
    })
    .await;
    check(
        json!({"auth_type": "bearer", "auth_token_env": "X"}),
        &token,
        |r| r.header("authorization") == Some("Bearer t0k3n"),
    )
    .await;
    check(
        json!({"auth": {"type": "bearer", "token": "{auth_token}"}}),
        &token,
        |r| r.header("authorization") == Some("Bearer t0k3n"),
    )
    .await;
    check(json!({"auth_type": "api_key"}), &token, |r| {
        r.header("x-api-key") == Some("t0k3n")
    })
    .await;
    check(
        json!({"auth_type": "api_key", "api_key_name": "X-Key", "api_key_location": "header"}),
        &token,
        |r| r.header("x-key") == Some("t0k3n"),
    )
    .await;
    check(
        json!({"auth_type": "api_key", "api_key_name": "key", "api_key_location": "query"}),
        &token,
        |r| r.param("key") == Some("t0k3n"),
    )
    .await;
    check(
        json!({"auth_type": "custom_header", "auth_header_name": "X-Auth"}),
        &token,
        |r| r.header("x-auth") == Some("t0k3n"),
    )
    .await;
    check(json!({"auth": {"type": "custom_header", "name": "Authorization", "value": "Token {auth_token}"}}), &token, |r| r.header("authorization") == Some("Token t0k3n")).await;
    check(
        json!({"auth_type": "basic"}),
        &[("basic_username", "a"), ("basic_password", "b")],
        |r| r.header("authorization") == Some("Basic YTpi"),
    )
    .await;
    check(
        json!({"auth_type": "basic"}),
        &[("basic_username", "a")],
        |r| r.header("authorization") == Some("Basic YTo="),
    )
    .await;
    check(
        json!({"headers": {"X-Shop": "{auth_token}!"}}),
        &token,
        |r| r.header("x-shop") == Some("t0k3n!"),
    )
    .await;
    check(json!({}), &[], |r| {
        r.header("user-agent")
            .is_some_and(|agent| agent.starts_with("dango/"))
    })
    .await;
}

#[test]
fn a_missing_credential_is_named() {
    let block =
        json!({"base_url": "https://a.example", "auth_type": "bearer", "endpoints": ["items"]});
    let failure = open(&block, &[]).err().expect("missing");
    assert_eq!(failure.kind, FailureKind::CredentialMissing);
    assert!(failure.say.as_str().contains("`auth_token`"), "{failure}");
}

/// A token server and an API in one: tokens `t1`, `t2`, … of which only the newest is taken.
async fn token_server() -> Server {
    Server::start(|request| {
        if request.path == "/token" {
            assert!(
                request.body.contains("grant_type=client_credentials")
                    && request.body.contains("client_secret=s3cret")
            );
            return Reply::json(
                &json!({"access_token": format!("t{}", request.index), "expires_in": 3600}),
            );
        }
        // The first token is taken once, then revoked.
        match (request.header("authorization"), request.number("page")) {
            (Some("Bearer t0"), Some(1)) | (Some("Bearer t3"), Some(2)) => {
                Reply::json(&records([request.number("page").unwrap_or(0)]))
            }
            (Some("Bearer t3"), _) => Reply::json(&records([])),
            _ => Reply::status(401, r#"{"error": "token expired"}"#),
        }
    })
    .await
}

fn oauth(server: &Server) -> Value {
    json!({
        "base_url": server.url(), "auth_type": "oauth2_client_credentials", "access_token_url": format!("{}token", server.url()),
        "endpoints": [{"path": "items", "paginator": {"type": "page_number", "first_page": 1}}],
    })
}

#[tokio::test]
async fn an_oauth_token_is_kept_and_renewed_once_when_it_is_refused() {
    let server = token_server().await;
    let secrets = [("client_id", "me"), ("client_secret", "s3cret")];
    let mut bench = open(&oauth(&server), &secrets).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1, 2]);
    let paths: Vec<_> = server
        .seen()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert_eq!(
        paths,
        ["/token", "/items", "/items", "/token", "/items", "/items"]
    );
}

#[tokio::test]
async fn an_oauth_token_that_is_always_refused_ends_in_unauthorized() {
    let server = Server::start(|request| match request.path.as_str() {
        "/token" => Reply::json(&json!({"access_token": "t"})),
        _ => Reply::status(401, ""),
    })
    .await;
    let secrets = [("client_id", "me"), ("client_secret", "s3cret")];
    let mut bench = open(&oauth(&server), &secrets).expect("opened");
    assert_eq!(
        bench.ids().await.expect_err("refused").kind,
        FailureKind::Unauthorized
    );
    assert_eq!(server.seen().len(), 4);
    let refusing = Server::start(|_| Reply::status(400, r#"{"error": "invalid_client"}"#)).await;
    let mut bench = open(&oauth(&refusing), &secrets).expect("opened");
    let failure = bench.ids().await.expect_err("refused");
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(failure.say.as_str().contains("token server"), "{failure}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused() {
    let other = Server::start(|_| Reply::json(&records([1]))).await;
    let port = Url::parse(&other.url())
        .expect("a URL")
        .port()
        .expect("a port");
    let server = Server::start(move |_| {
        Reply::status(302, "").header("location", format!("http://localhost:{port}/items"))
    })
    .await;
    let described = with(&server, &json!({"auth_type": "bearer"}));
    let mut bench = open(&described, &[("auth_token", "t0k3n")]).expect("opened");
    let failure = bench.ids().await.expect_err("another host");
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.say.as_str().contains("`localhost`"), "{failure}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_to_another_port_goes_without_the_credential() {
    let other = Server::start(|_| Reply::json(&records([1]))).await;
    let target = format!("{}items", other.url());
    let server =
        Server::start(move |_| Reply::status(307, "").header("location", target.clone())).await;
    let described = with(
        &server,
        &json!({"auth_type": "bearer", "headers": {"X-Key": "{auth_token}"}}),
    );
    let mut bench = open(&described, &[("auth_token", "t0k3n")]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1]);
    assert!(server.seen()[0].header("authorization").is_some());
    let asked = &other.seen()[0];
    assert_eq!(
        (asked.header("authorization"), asked.header("x-key")),
        (None, None)
    );
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_and_a_circle_is_not() {
    let server = Server::start(|request| match request.path.as_str() {
        "/items" => Reply::status(301, "").header("location", "/v2/items"),
        "/v2/items" => Reply::json(&records([1])),
        _ => Reply::status(302, "").header("location", "/circle"),
    })
    .await;
    let described = with(&server, &json!({"auth_type": "bearer"}));
    let mut bench = open(&described, &[("auth_token", "t")]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1]);
    assert!(server.seen()[1].header("authorization").is_some());
    let mut bench = open(
        &block(&server, json!({"path": "circle", "name": "items"})),
        &[],
    )
    .expect("opened");
    let failure = bench.ids().await.expect_err("a circle");
    assert!(
        failure.say.as_str().contains("redirects in a circle"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_next_link_to_another_host_is_refused_and_never_keeps_the_key() {
    let server = Server::start(|request| match request.param("page") {
        None => Reply::json(&json!({"data": [{"id": 1}], "next": "/items?page=2&key=t0k3n"})),
        _ => Reply::json(&json!({"data": [{"id": 2}], "next": "http://evil.example/items?page=3"})),
    })
    .await;
    let described = with(
        &server,
        &json!({"auth_type": "api_key", "api_key_name": "key", "api_key_location": "query", "paginator": "json_link"}),
    );
    let mut bench = open(&described, &[("auth_token", "t0k3n")]).expect("opened");
    let failure = bench.ids().await.expect_err("another host");
    assert!(failure.say.as_str().contains("`evil.example`"), "{failure}");
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[1].param("key"), Some("t0k3n"));
}

#[tokio::test]
async fn private_addresses_need_permission_and_credentials_need_tls() {
    let check = async |base: &str, auth: &str, kind: FailureKind| {
        let block = json!({"base_url": base, "auth_type": auth, "endpoints": ["items"]});
        let mut bench = open(&block, &[("auth_token", "t0k3n")]).expect("opened");
        let failure = bench.ids().await.expect_err("refused");
        assert_eq!(failure.kind, kind, "{base}: {failure}");
    };
    check("http://10.1.2.3/", "none", FailureKind::EgressDenied).await;
    check("https://10.1.2.3/", "bearer", FailureKind::EgressDenied).await;
    check("http://169.254.169.254/", "none", FailureKind::EgressDenied).await;
    check(
        "http://api.example.com/",
        "bearer",
        FailureKind::EgressDenied,
    )
    .await;
    check(
        "http://[::ffff:10.0.0.1]/",
        "none",
        FailureKind::EgressDenied,
    )
    .await;
    check("http://0x7f.2/", "none", FailureKind::EgressDenied).await;
}
