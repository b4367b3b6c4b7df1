//! OAuth client credentials: the token is fetched, kept, and fetched anew.

use super::*;

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

const SECRETS: [(&str, &str); 2] = [("client_id", "me"), ("client_secret", "s3cret-s3cret")];

#[tokio::test]
async fn a_token_server_is_asked_again_like_any_other() {
    let server = Server::start(|request| match (request.path.as_str(), request.index) {
        ("/token", 0) => Reply::status(429, "").header("retry-after", "7"),
        ("/token", 1) => Reply::status(503, ""),
        ("/token", _) => Reply::json(&json!({"access_token": "t", "expires_in": 3600})),
        _ => Reply::json(&if request.number("page") == Some(1) {
            records([1])
        } else {
            records([])
        }),
    })
    .await;
    let mut bench = open(&oauth(&server), &SECRETS).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1]);
    let waits = bench.time.waited_seconds();
    assert_eq!((waits.len(), waits[0]), (2, 7.0));
}

#[tokio::test]
async fn a_token_server_that_gives_none_says_why() {
    let check = async |reply: Reply, kind: FailureKind, requests: usize, part: &str| {
        let server = Server::start(move |_| reply.clone()).await;
        let mut bench = open(&oauth(&server), &SECRETS).expect("opened");
        let failure = bench.ids().await.expect_err("no token");
        let said = failure.say.as_str();
        assert_eq!(
            (failure.kind, server.seen().len()),
            (kind, requests),
            "{said}"
        );
        assert!(said.contains(part) && !said.contains("s3cret"), "{said}");
    };
    check(
        Reply::status(429, ""),
        FailureKind::RateLimited,
        6,
        "HTTP 429",
    )
    .await;
    check(Reply::status(500, ""), FailureKind::Failed, 6, "HTTP 500").await;
    let refused = r#"{"error_description": "no client me with s3cret-s3cret"}"#;
    let unauthorized = FailureKind::Unauthorized;
    check(
        Reply::status(401, refused),
        unauthorized,
        1,
        "the token server gave no token",
    )
    .await;
    check(Reply::status(400, refused), unauthorized, 1, "no client me").await;
    check(Reply::status(404, ""), unauthorized, 1, "HTTP 404").await;
    check(
        Reply::json(&json!({"token": "t"})),
        unauthorized,
        1,
        "gave no token",
    )
    .await;
}

#[tokio::test]
async fn a_lifetime_beyond_all_time_is_none() {
    for seconds in [i64::MIN, i64::MAX] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/token" => Reply::json(&json!({"access_token": "t", "expires_in": seconds})),
            _ => Reply::json(&records([])),
        })
        .await;
        let mut bench = open(&oauth(&server), &SECRETS).expect("opened");
        assert!(bench.ids().await.expect("read").is_empty());
    }
}
