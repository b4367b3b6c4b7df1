//! What signs a request goes to the API alone: redirects, links to next pages, unencrypted hosts.

use super::*;

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

#[tokio::test]
async fn a_url_without_a_port_goes_to_the_port_of_its_scheme() {
    let server = Server::start(|_| {
        // Nothing of this is for the port the name was first looked up with.
        Reply::status(302, "").header("location", "http://localhost/elsewhere")
    })
    .await;
    let mut described = with(&server, &json!({"retries_max": 0}));
    described["base_url"] = server.url().replace("127.0.0.1", "localhost").into();
    let mut bench = open(&described, &[]).expect("opened");
    // Whoever listens on port 80 of this machine, it is not the server.
    let _ = bench.ids().await;
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/items"]);
}

#[tokio::test]
async fn a_next_link_to_another_port_is_refused() {
    let other = Server::start(|_| Reply::json(&json!({"data": [{"id": 2}]}))).await;
    let link = format!("{}items?page=2", other.url());
    let server =
        Server::start(move |_| Reply::json(&json!({"data": [{"id": 1}], "next": link}))).await;
    for auth in ["bearer", "none"] {
        let described = with(
            &server,
            &json!({"auth_type": auth, "paginator": "json_link"}),
        );
        let mut bench = open(&described, &[("auth_token", "t0k3n")]).expect("opened");
        let failure = bench.ids().await.expect_err("another port");
        assert_eq!(failure.kind, FailureKind::Protocol);
        let said = failure.say.as_str();
        assert!(said.contains(other.url().trim_end_matches('/')), "{said}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_link_relative_to_a_redirected_page_is_not_signed_elsewhere() {
    let other =
        Server::start(|_| Reply::json(&json!({"data": [{"id": 1}], "next": "/items?page=2"})))
            .await;
    let target = format!("{}items", other.url());
    let server =
        Server::start(move |_| Reply::status(307, "").header("location", target.clone())).await;
    let described = with(
        &server,
        &json!({"auth_type": "bearer", "paginator": "json_link"}),
    );
    let mut bench = open(&described, &[("auth_token", "t0k3n")]).expect("opened");
    bench.ids().await.expect_err("another port");
    assert_eq!(other.seen().len(), 1);
    assert!(other.seen()[0].header("authorization").is_none());
}

#[tokio::test]
async fn a_secret_in_a_parameter_a_header_or_a_path_needs_tls() {
    let check = async |extra: Value| {
        let mut block = json!({"base_url": "http://api.example.com/", "retries_max": 0});
        for (key, value) in extra.as_object().expect("a map") {
            block[key] = value.clone();
        }
        let mut bench = open(&block, &[("auth_token", "t0k3n-s3cret")]).expect("opened");
        let failure = bench.ids().await.expect_err("refused");
        assert_eq!(
            failure.kind,
            FailureKind::EgressDenied,
            "{extra}: {failure}"
        );
        assert!(
            failure.say.as_str().contains("without encryption"),
            "{failure}"
        );
    };
    let key = || json!({"key": "{auth_token}"});
    check(json!({"params": key(), "endpoints": ["items"]})).await;
    check(json!({"endpoints": [{"path": "items", "params": key()}]})).await;
    check(json!({"endpoints": [{"path": "items", "headers": key()}]})).await;
    check(json!({"endpoints": [{"name": "items", "path": "{auth_token}/items"}]})).await;
    let base = "http://api.example.com/{auth_token}/";
    check(json!({"base_url": base, "endpoints": ["items"]})).await;
}

#[tokio::test]
async fn secret_parameters_and_headers_go_with_every_page_and_with_no_redirect() {
    let other = Server::start(|_| Reply::json(&json!({"data": records(1..=2)}))).await;
    let target = format!("{}items", other.url());
    let server = Server::start(move |request| match request.param("page") {
        // One link repeats the parameter, one leaves it out.
        None => {
            Reply::json(&json!({"data": [{"id": 7}], "next": "/items?page=2&key=t0k3n-s3cret"}))
        }
        Some("2") => Reply::json(&json!({"data": [{"id": 8}], "next": "/items?page=3"})),
        _ => Reply::status(307, "").header("location", target.clone()),
    })
    .await;
    let described = with(&server, &json!({}));
    let mut described = described;
    described["endpoints"] = json!([{
        "path": "items", "paginator": "json_link", "data_selector": "data",
        "params": {"key": "{auth_token}"}, "headers": {"X-Key": "{auth_token}"},
    }]);
    let mut bench = open(&described, &[("auth_token", "t0k3n-s3cret")]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [7, 8, 1, 2]);
    for seen in server.seen() {
        let keys = (seen.param("key"), seen.header("x-key"));
        assert_eq!(
            keys,
            (Some("t0k3n-s3cret"), Some("t0k3n-s3cret")),
            "{seen:?}"
        );
    }
    let asked = &other.seen()[0];
    assert_eq!((asked.param("key"), asked.header("x-key")), (None, None));
}

#[tokio::test]
async fn a_position_never_holds_a_secret() {
    let server = Server::start(|request| {
        let page = request.number("page").unwrap_or(1);
        let next = (page < 3).then(|| format!("/items?page={}&key=t0k3n-s3cret", page + 1));
        let data = records((page - 1) * 5000 + 1..=page * 5000);
        Reply::json(&json!({"data": data, "next": next}))
    })
    .await;
    let endpoint = json!({
        "data_selector": "data", "paginator": "json_link", "resumable": true,
        "params": {"key": "{auth_token}"},
    });
    let mut bench =
        open(&block(&server, endpoint), &[("auth_token", "t0k3n-s3cret")]).expect("opened");
    let pages = bench.read("items").await.expect("read");
    let positions: Vec<_> = pages
        .iter()
        .filter_map(|page| page.resume.clone())
        .collect();
    assert!(!positions.is_empty());
    assert!(
        positions.iter().all(|at| !at.contains("s3cret")),
        "{positions:?}"
    );
}
