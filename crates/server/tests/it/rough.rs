//! Clients that mean no good or know no better: slow ones, many idle ones, and what looks like a cookie or a token.

use crate::project::{Served, Shows};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const GET: &[u8] = b"GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Reads until the end of an answer's head and what came with it.
async fn answer(stream: &mut TcpStream) -> String {
    let mut got = Vec::new();
    let mut piece = [0; 4_096];
    while !got.windows(4).any(|part| part == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.expect("it answers");
        assert!(read > 0, "it answers");
        got.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&got).into_owned()
}

#[tokio::test]
async fn a_client_that_sends_its_head_slowly_is_let_go() {
    let Served {
        listening, folder, ..
    } = Served::new().await;
    let address: SocketAddr = listening.addresses()[0].parse().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::serve(listening, async {
        let _ = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(GET).await.expect("sent");
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream
        .write_all(b"GET /api/health HTT")
        .await
        .expect("sent");
    // The limit is ten seconds, which pass beside the other tests.
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .await
        .expect("closed in good order");
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(!rest.starts_with("HTTP/1.1 200"), "{rest}");
    stop.send(()).expect("it still runs");
    serving.await.expect("it stops");
    drop(folder);
}

#[tokio::test]
async fn a_thousand_idle_connections_are_in_nobodys_way() {
    // Both ends of every connection are in this process.
    let (mut limit, needed) = (
        rustix::process::getrlimit(rustix::process::Resource::Nofile),
        3_000,
    );
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = limit
            .maximum
            .map_or(Some(needed), |most| Some(most.min(needed)));
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).expect("raised");
    }
    let Served {
        listening, folder, ..
    } = Served::new().await;
    let address: SocketAddr = listening.addresses()[0].parse().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::serve(listening, async {
        let _ = stopped.await;
    }));
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(address).await.expect("it listens"));
    }
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(GET).await.expect("sent");
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    // Two dozen more than it takes at once: the last one waits until somebody goes.
    for _ in 0..24 {
        idle.push(
            TcpStream::connect(address)
                .await
                .expect("the kernel takes it"),
        );
    }
    drop(idle);
    let mut last = TcpStream::connect(address).await.expect("it listens");
    last.write_all(GET).await.expect("sent");
    assert!(answer(&mut last).await.starts_with("HTTP/1.1 200"));
    stop.send(()).expect("it still runs");
    drop((stream, last));
    serving.await.expect("it stops");
    drop(folder);
}

/// Returns a session's cookie with its parts changed.
fn misshapen(cookie: &str) -> Vec<String> {
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let parts: Vec<&str> = cookie.split('.').collect();
    let (head, claims, signature) = (parts[0], parts[1], parts[2]);
    let mut all = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!("{head}.{claims}"),
        format!("{head}.{claims}."),
        format!("{head}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{cookie}.{signature}"),
        format!("{cookie}="),
        format!("{cookie}{}", "A".repeat(20_000)),
        format!("{}.{claims}.", encode(r#"{"alg":"none","typ":"JWT"}"#)),
        format!("{}.{claims}.{signature}", encode(r#"{"alg":"none"}"#)),
        format!("{}.{claims}.{signature}", encode(r#"{"alg":"HS512"}"#)),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"alg":"RS256","kid":"../../../dev/null"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"alg":"HS256","kid":"x' OR 1=1 --"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"alg":"HS256","jku":"http://evil.example/"}"#)
        ),
        format!("{}.{claims}.{signature}", encode(&"[".repeat(5_000))),
        format!("{head}.{}.{signature}", encode("{}")),
        format!("{head}.{}.{signature}", encode("null")),
        format!("{head}.{}.{signature}", encode("\u{0}\u{1}")),
    ];
    // Every seventh character another one; the last of a part may carry bits that count for nothing.
    for index in (0..cookie.len() - 1).step_by(7) {
        let mut bytes = cookie.as_bytes().to_vec();
        if bytes[index] == b'.' || bytes.get(index + 1) == Some(&b'.') {
            continue;
        }
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        all.push(String::from_utf8(bytes).expect("ASCII"));
    }
    all
}

#[tokio::test]
async fn what_only_looks_like_a_session_opens_nothing() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    let cookie = served.sign_in("ada", Role::Admin, false).await;
    for shape in misshapen(&cookie) {
        for shows in [Shows::Cookie(shape.clone()), Shows::Bearer(shape.clone())] {
            let answer = served.get("/api/auth/me", &shows).await;
            answer.is_problem(401, "unauthenticated");
        }
    }
    let good = served.get("/api/auth/me", &Shows::Cookie(cookie)).await;
    assert_eq!(good.status.as_u16(), 200);
}

#[tokio::test]
async fn cookies_and_bodies_that_are_no_text_are_refused_in_words() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    for bytes in [
        &b"dap-jwt=\xff\xfe\xfd"[..],
        b"dap-jwt",
        b"=",
        b";;;;",
        b"dap-jwt=\"a b\"; dap-jwt=x",
        b"dap-jwt=%00%0d%0a",
        b"\xe2\x80\xae=1; dap-jwt=\xc3\x28",
    ] {
        let request = Request::builder()
            .uri("/api/auth/me")
            .header("host", "localhost");
        let request = request.header("cookie", bytes).body(Body::empty());
        let answer = served.send(Door::Web, request.expect("a request")).await;
        answer.is_problem(401, "unauthenticated");
    }
    for bytes in [
        &b"{\"email\": \"\xff\", \"password\": \"x\"}"[..],
        b"{\"email\": \"a@b.c\", \"password\": \"\xed\xa0\x80\"}",
        b"{\"email\": \"\\ud800\", \"password\": \"x\"}",
        b"\xef\xbb\xbf{}",
        b"{\"email\": 1e999, \"password\": \"x\"}",
        b"{\"email\": {\"$gt\": \"\"}, \"password\": {\"$gt\": \"\"}}",
        b"[[[[",
        b"",
    ] {
        let request = Request::builder()
            .method("POST")
            .uri("/api/auth/login")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(bytes.to_vec()));
        let answer = served.send(Door::Web, request.expect("a request")).await;
        answer.is_problem(422, "request_invalid");
    }
    let nul = r#"{"email": "a\u0000b@example.com", "password": "\u0000"}"#;
    let answer = served.post("/api/auth/login", &Shows::Nothing, nul).await;
    answer.is_problem(400, "credentials_wrong");
}
