//! The most careless API there is: it repeats everything it was sent, in every place an answer has.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// A running API on the loopback address.
pub(crate) struct CarelessApi {
    pub(crate) port: u16,
}

/// A request as it came.
struct Asked {
    path: String,
    /// Everything: request line, headers, body.
    all: String,
    body: String,
}

impl CarelessApi {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream, port));
            }
        });
        Self { port }
    }
}

fn ask(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let (mut all, mut length) = (String::new(), 0);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        // Header values may be UTF-8.
        let line = String::from_utf8_lossy(&line).into_owned();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        all.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    all.push_str(&body);
    let path = all.split_whitespace().nth(1)?.to_owned();
    Some(Asked { path, all, body })
}

fn answer(mut stream: TcpStream, port: u16) -> Option<()> {
    let asked = ask(&stream)?;
    let page = asked.path.split('?').next()?.trim_start_matches('/');
    let text = |padding: usize| {
        serde_json::json!({"error": {"message": format!("{}{}", "x".repeat(padding), asked.all)}})
            .to_string()
    };
    let (status, more, body) = match page {
        "401" | "403" | "404" | "400" | "422" | "500" => (page, String::new(), text(0)),
        "raw" => ("401", String::new(), asked.all.clone()),
        "garbage" => (
            "200",
            String::new(),
            format!("{{\"data\": [{{{}", asked.all),
        ),
        "token" => ("401", String::new(), text(0)),
        "token_garbage" => ("200", String::new(), format!("{{\"x\": {}", asked.body)),
        "loop" | "away" => {
            let to = if page == "loop" {
                "127.0.0.1"
            } else {
                "localhost"
            };
            let location = asked.path.replacen(page, &format!("{page}/x"), 1);
            (
                "302",
                format!("Location: http://{to}:{port}{location}\r\n"),
                String::new(),
            )
        }
        // The usual way to say where the next page is: the whole address of this one, key included.
        "pages" if !asked.path.contains("page=3") => {
            let join = if asked.path.contains('?') { '&' } else { '?' };
            let page = if asked.path.contains("page=2") { 3 } else { 2 };
            let next = format!("http://127.0.0.1:{port}{}{join}page={page}", asked.path);
            let body = serde_json::json!({"data": [{"id": page}], "next": next}).to_string();
            ("200", String::new(), body)
        }
        "pages" => (
            "200",
            String::new(),
            "{\"data\": [{\"id\": 9}], \"next\": null}".into(),
        ),
        // The error message is cut somewhere: here in the middle of the credential, wherever it stands.
        other => {
            let padding = other
                .strip_prefix("cut")
                .and_then(|bytes| bytes.parse().ok());
            let line = asked
                .all
                .lines()
                .find(|line| line.to_ascii_lowercase().contains("auth"))
                .unwrap_or_default();
            let padded = format!("{}{line}", "x".repeat(padding.unwrap_or(0)));
            (
                "401",
                String::new(),
                serde_json::json!({"message": padded}).to_string(),
            )
        }
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}
