//! A mail server that takes one mail a connection, and behaves as a test says.

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Made for these tests, for `localhost`: `openssl req -x509 -newkey ec`.
pub(super) const CERTIFICATE: &[u8] = include_bytes!("certificate.der");
const KEY: &[u8] = include_bytes!("key.der");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Tls,
    StartTls,
    Plain,
    /// It offers `STARTTLS`, says yes to it, and goes on without.
    PretendsStartTls,
    OtherCertificate,
    RefusesSignIn,
    RefusesRecipient,
    Busy,
    Silent,
    Gone,
}

/// What the server was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) commands: Vec<String>,
    pub(super) mails: Vec<String>,
    in_clear: Vec<String>,
}

impl Seen {
    /// Returns whether the password was on the wire without TLS.
    pub(super) fn secret_in_clear(&self) -> bool {
        self.in_clear
            .iter()
            .any(|line| line.contains("AGRhbmdvAGh1bnRlcjI="))
    }
}

pub(super) struct Server {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    pub(super) async fn start(way: Way) -> Self {
        let listener = TcpListener::bind("localhost:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let log = Arc::clone(&seen);
        if way != Way::Gone {
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(way, stream, Arc::clone(&log)));
                }
            });
        }
        Self { port, seen }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("not poisoned").clone()
    }
}

fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("its versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(way: Way, stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    match way {
        Way::Silent => std::future::pending().await,
        Way::StartTls | Way::OtherCertificate => {
            let Some(stream) = talk(way, stream, &seen, true, true).await else {
                return;
            };
            if let Ok(stream) = acceptor().accept(stream).await {
                talk(way, stream, &seen, false, false).await;
            }
        }
        Way::Plain | Way::PretendsStartTls => {
            talk(way, stream, &seen, true, true).await;
        }
        _ => {
            if let Ok(stream) = acceptor().accept(stream).await {
                talk(way, stream, &seen, true, false).await;
            }
        }
    }
}

/// Speaks SMTP; returns the stream when it is to go on with TLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    way: Way,
    stream: S,
    seen: &Mutex<Seen>,
    greets: bool,
    is_clear: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greets {
        say(&mut stream, "220 localhost").await?;
    }
    loop {
        let line = hear(&mut stream, seen, is_clear).await?;
        seen.lock()
            .expect("not poisoned")
            .commands
            .push(line.clone());
        let word = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let answer = match (word.as_str(), way) {
            ("EHLO", Way::StartTls | Way::OtherCertificate | Way::PretendsStartTls) if is_clear => {
                "250-localhost\r\n250-AUTH PLAIN\r\n250 STARTTLS"
            }
            ("EHLO", _) => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            ("STARTTLS", Way::PretendsStartTls) => "220 go on",
            ("STARTTLS", _) => {
                say(&mut stream, "220 go on").await?;
                return Some(stream.into_inner());
            }
            ("AUTH", Way::RefusesSignIn) => "535 not dango with hunter2",
            ("RCPT", Way::RefusesRecipient) => "550 no ada@example.com here",
            ("MAIL", Way::Busy) => "451 ask ada@example.com later",
            ("DATA", _) => {
                say(&mut stream, "354 go on").await?;
                let mail = hear_mail(&mut stream, seen, is_clear).await?;
                seen.lock().expect("not poisoned").mails.push(mail);
                "250 taken"
            }
            ("QUIT", _) => {
                say(&mut stream, "221 bye").await?;
                return None;
            }
            _ => "250 ok",
        };
        say(&mut stream, answer).await?;
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) -> Option<()> {
    stream
        .write_all(format!("{text}\r\n").as_bytes())
        .await
        .ok()?;
    stream.flush().await.ok()
}

/// Hears a line, which ends with CR LF alone.
async fn hear<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    seen: &Mutex<Seen>,
    is_clear: bool,
) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
    }
    line.truncate(line.len() - 2);
    let line = String::from_utf8_lossy(&line).into_owned();
    if is_clear {
        seen.lock()
            .expect("not poisoned")
            .in_clear
            .push(line.clone());
    }
    Some(line)
}

async fn hear_mail<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    seen: &Mutex<Seen>,
    is_clear: bool,
) -> Option<String> {
    let mut mail = String::new();
    loop {
        let line = hear(stream, seen, is_clear).await?;
        if line == "." {
            return Some(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
        mail.push_str("\r\n");
    }
}
