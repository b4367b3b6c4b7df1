//! Links by mail: to whom they are for, and to nobody's knowledge else.

use crate::project::{Served, Shows};
use security::Role;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Starts a mail server on loopback; every message that it takes arrives.
async fn mail_server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sent, arrives) = channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, sent.clone()));
        }
    });
    (address, arrives)
}

async fn take(mut stream: TcpStream, sent: Sender<String>) {
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading).lines();
    let _ = writing.write_all(b"220 mail\r\n").await;
    let (mut message, mut is_message) = (String::new(), false);
    while let Ok(Some(line)) = lines.next_line().await {
        let answer: &[u8] = match line.as_str() {
            "." if is_message => {
                is_message = false;
                let _ = sent.send(std::mem::take(&mut message)).await;
                b"250 taken\r\n"
            }
            _ if is_message => {
                message.push_str(&line);
                message.push('\n');
                continue;
            }
            "DATA" => {
                is_message = true;
                b"354 go on\r\n"
            }
            _ => b"250 good\r\n",
        };
        let _ = writing.write_all(answer).await;
    }
}

async fn serve(mail: SocketAddr) -> Served {
    let settings = format!(
        "{{auth: {{rate_limit: {{enabled: false}}}}, server: {{public_url: 'https://dango.example.com'}}, \
         mail: {{host: 127.0.0.1, port: {}, security: none, from: dango@example.com}}, \
         egress: {{allow_private: ['127.0.0.1']}}}}",
        mail.port()
    );
    Served::with(&settings, &[]).await
}

async fn forget(served: &Served, email: &str) -> (u16, String) {
    let body = serde_json::json!({"email": email}).to_string();
    let path = "/api/auth/forgot-password";
    let answer = served.post(path, &Shows::Nothing, &body).await;
    (answer.status.as_u16(), answer.text)
}

/// Returns the token of the link in a mail.
fn token(mail: &str, page: &str) -> String {
    // Long lines are broken with `=` at their end.
    let text = mail.replace("=\n", "");
    let place = format!("https://dango.example.com/{page}/");
    let rest = text.split(&place).nth(1).expect("a link");
    rest.split_whitespace().next().expect("a token").to_owned()
}

#[tokio::test]
async fn whoever_forgot_his_password_gets_a_mail_that_works() {
    let (at, mut mails) = mail_server().await;
    let served = serve(at).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    assert_eq!(
        served.get("/api/auth/providers", &ada).await.json()["reset_by_mail"],
        true
    );
    assert_eq!(
        forget(&served, "nobody@example.com").await,
        forget(&served, "ada@example.com").await
    );
    let mail = mails.recv().await.expect("a mail");
    assert!(mail.contains("To: ada@example.com"), "{mail}");
    let new = "quite another long secret";
    let body = serde_json::json!({"token": token(&mail, "reset-password"), "password": new});
    let path = "/api/auth/reset-password";
    let reset = served.post(path, &Shows::Nothing, &body.to_string()).await;
    assert_eq!(reset.status.as_u16(), 200, "{}", reset.text);
    let invited = serde_json::json!({"email": "bob@example.com", "role": "editor"}).to_string();
    let ada = serde_json::json!({"email": "ada@example.com", "password": new}).to_string();
    let ada = served.post("/api/auth/login", &Shows::Nothing, &ada).await;
    let invited = served
        .post("/api/admin/users", &crate::people::cookie(&ada), &invited)
        .await;
    let mail = mails.recv().await.expect("a mail");
    assert!(mail.contains("To: bob@example.com"), "{mail}");
    let link = invited.json()["invite_url"]
        .as_str()
        .expect("a link")
        .to_owned();
    assert!(link.ends_with(&token(&mail, "invite")), "{link}");
}

#[tokio::test]
async fn a_mail_server_that_is_gone_changes_no_answer() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = gone.local_addr().expect("an address");
    drop(gone);
    let served = serve(at).await;
    served.sign_in("ada", Role::Admin, false).await;
    let known = forget(&served, "ada@example.com").await;
    assert_eq!(known, (202, String::new()));
    assert_eq!(known, forget(&served, "nobody@example.com").await);
}
