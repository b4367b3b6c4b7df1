//! Every way an API can fail gives one clear failure, after as many retries as make sense.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn check(reply: Reply, kind: FailureKind, requests: usize, part: &str) {
    let server = Server::start(move |_| reply.clone()).await;
    let mut bench = open(
        &block(&server, json!({})),
        &[("auth_token", "t0k3n-s3cret")],
    )
    .expect("opened");
    let failure = bench.ids().await.expect_err("a failure");
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.say.as_str().contains(part), "{failure}");
    assert!(!failure.say.as_str().contains("s3cret"), "{failure}");
    assert_eq!(server.seen().len(), requests, "{failure}");
}

#[tokio::test]
async fn statuses_become_failures_with_their_meaning() {
    let message = r#"{"error": {"message": "no such key t0k3n-s3cret"}}"#;
    check(
        Reply::status(401, message),
        FailureKind::Unauthorized,
        1,
        "/items` answered with HTTP 401: no such key ***",
    )
    .await;
    check(
        Reply::status(403, ""),
        FailureKind::Forbidden,
        1,
        "HTTP 403",
    )
    .await;
    check(
        Reply::status(404, "<html>"),
        FailureKind::Missing,
        1,
        "HTTP 404",
    )
    .await;
    check(
        Reply::status(400, r#"{"detail": "bad limit"}"#),
        FailureKind::ConfigInvalid,
        1,
        "HTTP 400: bad limit",
    )
    .await;
    check(
        Reply::status(429, ""),
        FailureKind::RateLimited,
        6,
        "HTTP 429",
    )
    .await;
    check(Reply::status(500, ""), FailureKind::Failed, 6, "HTTP 500").await;
    check(Reply::status(503, ""), FailureKind::Failed, 6, "HTTP 503").await;
    check(Reply::status(599, ""), FailureKind::Failed, 6, "HTTP 599").await;
    for lasting in [501, 505, 506, 508, 510, 511] {
        let status = format!("HTTP {lasting}");
        check(Reply::status(lasting, ""), FailureKind::Failed, 1, &status).await;
    }
}

#[tokio::test]
async fn bodies_that_are_no_records_are_refused() {
    let ok = |body: &str| Reply::status(200, body);
    check(
        ok("{\"data\": [1,"),
        FailureKind::Protocol,
        1,
        "no JSON: it breaks at line 1",
    )
    .await;
    check(
        ok("<html>login</html>"),
        FailureKind::Protocol,
        1,
        "web page",
    )
    .await;
    check(
        ok(&"[".repeat(1000)),
        FailureKind::Protocol,
        1,
        "nested deeper than 64 levels",
    )
    .await;
    let deep = format!(
        "[{{\"id\": 1, \"a\": {}1{}}}]",
        "[".repeat(80),
        "]".repeat(80)
    );
    check(
        ok(&deep),
        FailureKind::Protocol,
        1,
        "nested deeper than 64 levels",
    )
    .await;
    check(
        ok("[{\"name\": \"no id\"}]"),
        FailureKind::Protocol,
        1,
        "has no `id`, its primary key",
    )
    .await;
}

#[tokio::test]
async fn a_record_path_that_is_not_there_is_refused() {
    let server = Server::start(|_| Reply::json(&json!({"rows": []}))).await;
    let mut bench =
        open(&block(&server, json!({"data_selector": "data.items"})), &[]).expect("opened");
    let failure = bench.ids().await.expect_err("no such place");
    assert!(
        failure.say.as_str().contains("has no `data.items`"),
        "{failure}"
    );
}

#[tokio::test]
async fn empty_answers_have_no_records() {
    for reply in [
        Reply::status(204, ""),
        Reply::status(200, ""),
        Reply::status(200, "[]"),
        Reply::status(200, r#"{"data": null}"#),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let mut bench =
            open(&block(&server, json!({"disposition": "replace"})), &[]).expect("opened");
        let pages = bench.read("items").await.expect("read");
        assert!(
            batches(&pages, "items")
                .iter()
                .all(|batch| batch.batch.num_rows() <= 1)
        );
    }
}

#[tokio::test]
async fn a_passing_failure_is_asked_again_after_the_time_the_server_wants() {
    let server = Server::start(|request| match request.index {
        0 => Reply::status(429, "").header("retry-after", "7"),
        1 => Reply::status(503, "").header("retry-after", "Mon, 01 Jan 2024 00:01:00 GMT"),
        2 => Reply::status(500, ""),
        3 => Reply::status(403, "").header("retry-after", "2"),
        _ => Reply::json(&records([1])),
    })
    .await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1]);
    let waits = bench.time.waited_seconds();
    assert_eq!((waits[0], waits[1], waits[3]), (7.0, 53.0, 2.0));
    assert!((2.0..=4.0).contains(&waits[2]), "{waits:?}");
}

#[tokio::test]
async fn a_wait_of_hours_is_not_waited() {
    let server = Server::start(|_| Reply::status(429, "").header("retry-after", "7200")).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    let failure = bench.ids().await.expect_err("too long");
    assert_eq!(failure.kind, FailureKind::RateLimited);
    assert!(failure.say.as_str().contains("7200 seconds"), "{failure}");
    assert!(bench.time.waited_seconds().is_empty());
}

#[tokio::test]
async fn rules_say_what_a_status_means() {
    let server = Server::start(|request| match request.index {
        0 => Reply::status(409, "busy"),
        1 => Reply::status(404, "gone for good"),
        _ => Reply::status(404, "other"),
    })
    .await;
    let rules = json!([
        {"status": 409, "then": "retry"},
        {"status_code": 404, "content": "gone", "action": "ignore"},
        {"status": 404, "then": "fail", "message": "the shop has no such list"},
    ]);
    let mut bench = open(&block(&server, json!({"errors": rules})), &[]).expect("opened");
    assert!(bench.ids().await.expect("skipped").is_empty());
    let failure = bench.ids().await.expect_err("a rule");
    assert!(
        failure.say.as_str().ends_with("the shop has no such list"),
        "{failure}"
    );
}

#[tokio::test]
async fn requests_keep_to_the_rate() {
    let server = Server::start(|request| {
        Reply::json(&if request.number("page") < Some(4) {
            records([request.number("page").unwrap_or(0)])
        } else {
            records([])
        })
    })
    .await;
    let mut described = block(
        &server,
        json!({"paginator": {"type": "page_number", "first_page": 1}}),
    );
    described["rate_limit"] = "120/min".into();
    let mut bench = open(&described, &[]).expect("opened");
    bench.ids().await.expect("read");
    assert_eq!(bench.time.waited_seconds(), [0.5, 0.5, 0.5]);
}

/// Answers each connection with these bytes and closes it.
async fn raw(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    (url, task)
}

async fn check_raw(answer: &'static [u8], kind: FailureKind, part: &str) {
    let (url, task) = raw(answer).await;
    let described = json!({"base_url": url, "endpoints": ["items"], "retries_max": 2});
    let mut bench = open(&described, &[]).expect("opened");
    let failure = bench.ids().await.expect_err("a failure");
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.say.as_str().contains(part), "{failure}");
    assert_eq!(
        bench.time.waited_seconds().len(),
        if kind == FailureKind::Unreachable {
            2
        } else {
            0
        }
    );
    task.abort();
}

#[tokio::test]
async fn broken_connections_are_unreachable_after_retries() {
    check_raw(b"", FailureKind::Unreachable, "closed the connection").await;
    check_raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        FailureKind::Unreachable,
        "closed the connection",
    )
    .await;
    check_raw(
        b"SSH-2.0-OpenSSH\r\n",
        FailureKind::Unreachable,
        "closed the connection",
    )
    .await;
    check_raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        FailureKind::Protocol,
        "more than 67108864 bytes",
    )
    .await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut bench = open(&json!({"base_url": url, "endpoints": ["items"]}), &[]).expect("opened");
    let failure = bench.ids().await.expect_err("nobody");
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(
        failure
            .say
            .as_str()
            .contains("`127.0.0.1` cannot be connected to"),
        "{failure}"
    );
    assert_eq!(bench.time.waited_seconds().len(), 5);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_compressed_or_not() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let spaces = vec![b' '; 1 << 20];
    (0..65).for_each(|_| encoder.write_all(&spaces).expect("written"));
    let bomb = encoder.finish().expect("written");
    let server =
        Server::start(move |_| Reply::status(200, bomb.clone()).header("content-encoding", "gzip"))
            .await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    let failure = bench.ids().await.expect_err("too large");
    assert!(
        failure.say.as_str().contains("more than 67108864 bytes"),
        "{failure}"
    );
}

#[tokio::test]
async fn an_answer_of_more_values_than_memory_is_for_is_refused() {
    let values = domain::limits::ANSWER_VALUES_MAX;
    let body = format!("[{}0]", "0,".repeat(values));
    let server = Server::start(move |_| Reply::status(200, body.clone())).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    let failure = bench.ids().await.expect_err("too many");
    assert_eq!(failure.kind, FailureKind::Protocol);
    let said = failure.say.as_str();
    assert!(
        said.contains(&format!("more than {values} values")),
        "{said}"
    );
    assert!(
        failure.hint.as_str().contains("smaller pages"),
        "{}",
        failure.hint
    );
}
