//! An HTTP API on the loopback address that answers every request the same way, or not at all.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// What the API does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// 401, with the whole request in the body: the worst a careless server can do with a token.
    EchoAsUnauthorized,
    /// An empty list for whoever shows this token, 401 for others.
    ListFor(&'static str),
    /// Nothing, for as long as the client waits.
    Silence,
}

/// The running API.
pub(crate) struct Api {
    port: u16,
    asked: Receiver<()>,
}

impl Api {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, asked) = sync_channel(1_024);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                // Whoever does not wait for requests does not count them either.
                let _ = sender.try_send(());
                match answer {
                    // A client that hangs up early is no failure of the server.
                    Answer::EchoAsUnauthorized => {
                        let _ = respond(stream, None);
                    }
                    Answer::ListFor(token) => {
                        let _ = respond(stream, Some(token));
                    }
                    Answer::Silence => open.push(stream),
                }
            }
        });
        Self { port, asked }
    }

    /// Waits until a client has connected.
    pub(crate) fn wait_for_a_client(&self) {
        self.asked
            .recv_timeout(Duration::from_mins(1))
            .expect("a client connects");
    }

    /// Returns where it answers.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns a `sources.yml` whose one source `pay` is this API.
    pub(crate) fn sources(&self) -> String {
        format!(
            "version: \"1.0\"\nsources:\n  - name: pay\n    type: rest_api\n    rest_api:\n      \
             base_url: http://127.0.0.1:{}\n      auth_type: bearer\n      endpoints: [charges]\n",
            self.port
        )
    }
}

/// Answers a request: an empty list to `token`, otherwise 401 with the request itself.
fn respond(mut stream: TcpStream, token: Option<&str>) -> std::io::Result<()> {
    let mut request = [0; 8_192];
    let length = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(request.get(..length).unwrap_or_default()).into_owned();
    let is_known = token.is_some_and(|token| request.contains(&format!("Bearer {token}\r\n")));
    let (status, body) = if is_known {
        ("200 OK", "[]")
    } else {
        ("401 Unauthorized", request.as_str())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
