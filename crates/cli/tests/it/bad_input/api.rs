//! An HTTP API on the loopback address that misbehaves as the path says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// Starts the API and returns its port; it lives as long as the process.
pub(super) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                // A client that has heard enough hangs up.
                let _ = answer(&stream);
            });
        }
    });
    port
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target
        .split('?')
        .next()
        .unwrap_or_default()
        .trim_start_matches('/');
    let number = |name: &str| {
        let found = target
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix(name));
        found
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    if let Some(status) = path.strip_prefix("status/") {
        return reply(stream, status, "", r#"{"error": "told you so"}"#);
    }
    match path {
        "malformed" => reply(stream, "200", "", "{\"data\": [{\"id\": 1},"),
        "html" => reply(stream, "200", "Content-Type: text/html\r\n", "<html><body>Please sign in</body></html>"),
        "latin1" => raw(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n[{\"id\":\"\xe9\"}]"),
        "deep" => reply(stream, "200", "", &format!("[{{\"id\": {}1{}}}]", "[".repeat(1_000), "]".repeat(1_000))),
        "hollow" => reply(stream, "200", "", "[{}, {}]"),
        "numbers" => reply(stream, "200", "", "[1, 2, 3]"),
        "elsewhere" => reply(stream, "200", "", r#"{"result": {"rows": [{"id": 1}]}}"#),
        "same-cursor" => {
            let body = format!(r#"{{"data": [{{"id": {}}}], "next": "again"}}"#, number("x="));
            reply(stream, "200", "", &body)
        }
        "ever-more" => {
            let page = number("after=");
            let body = format!(r#"{{"data": [{{"id": {page}}}], "next": {}}}"#, page + 1);
            reply(stream, "200", "", &body)
        }
        "redirect" => reply(stream, "302", "Location: http://elsewhere.invalid/items\r\n", ""),
        "metadata" => reply(stream, "302", "Location: http://169.254.169.254/latest/meta-data\r\n", ""),
        "circle" => reply(stream, "302", "Location: /circle\r\n", ""),
        "later" => reply(stream, "429", "Retry-After: 86400\r\n", ""),
        "cut" => raw(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"id\": 1},"),
        "garbage" => raw(stream, b"SSH-2.0-OpenSSH_9.2\r\n"),
        "announced" => raw(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n[1"),
        "huge" => huge(stream),
        "bomb" => bomb(stream),
        // Until the client hangs up.
        _ => stream.set_nonblocking(false).and_then(|()| std::io::copy(&mut stream, &mut std::io::sink())).map(drop),
    }
}

fn reply(stream: &TcpStream, status: &str, headers: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    raw(stream, head.as_bytes())
}

fn raw(mut stream: &TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes)
}

/// A body that does not say how long it is, and is longer than anybody wants.
fn huge(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")?;
    let record = format!("{{\"id\": \"{}\"}},", "x".repeat(1 << 20));
    loop {
        stream.write_all(record.as_bytes())?;
    }
}

/// A small body that becomes 100 MB when it is unpacked.
fn bomb(stream: &TcpStream) -> std::io::Result<()> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..100 {
        packed.write_all(&vec![b' '; 1 << 20])?;
    }
    let body = packed.finish()?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw(stream, &[head.as_bytes(), &body].concat())
}
