//! Every way to sign.

use super::*;

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
