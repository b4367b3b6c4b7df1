//! Mail to a server on loopback.

mod server;

use super::*;
use crate::failure::FailureKind;
use domain::Timestamp;
use server::{Server, Way};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_348_800_000_000)
    }
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

fn mailer(server: &Server, security: MailSecurity) -> Mailer {
    let settings = MailSettings {
        host: "localhost".into(),
        port: server.port(),
        security,
        from: email("dango@example.com"),
        credentials: Some(MailCredentials {
            user: "dango".into(),
            password: Plain::new("hunter2".into()),
        }),
    };
    let egress = Egress::new(["localhost".to_owned()]);
    let mut mailer = Mailer::new(settings, egress, Arc::new(Noon)).expect("a mailer");
    mailer.timeout = Duration::from_millis(500);
    mailer.trusting(server::CERTIFICATE)
}

async fn send(mailer: &Mailer, subject: &str, text: &str) -> Result<(), Failure> {
    mailer.send(&email("ada@example.com"), subject, text).await
}

#[tokio::test]
async fn a_mail_arrives_over_each_kind_of_connection() {
    for (way, security) in [
        (Way::Tls, MailSecurity::Tls),
        (Way::StartTls, MailSecurity::StartTls),
        (Way::Plain, MailSecurity::Plain),
    ] {
        let server = Server::start(way).await;
        let sent = send(&mailer(&server, security), "Your link", "Hello.\n").await;
        assert!(sent.is_ok(), "{way:?}: {sent:?}");
        let seen = server.seen();
        // `\0dango\0hunter2`, in base64 (RFC 4616).
        assert!(
            seen.commands
                .contains(&"AUTH PLAIN AGRhbmdvAGh1bnRlcjI=".to_owned())
        );
        assert!(
            seen.commands
                .contains(&"MAIL FROM:<dango@example.com>".to_owned())
        );
        assert!(
            seen.commands
                .contains(&"RCPT TO:<ada@example.com>".to_owned())
        );
        assert_eq!(seen.mails.len(), 1);
        for line in [
            "From: Dango <dango@example.com>",
            "To: ada@example.com",
            "Subject: Your link",
            "Date: Sun, 22 Nov 2026 12:00:00 +0000",
            "Content-Type: text/plain; charset=utf-8",
            "Hello.",
        ] {
            assert!(
                seen.mails[0].lines().any(|is| is == line),
                "{line}: {:?}",
                seen.mails
            );
        }
        assert_eq!(seen.secret_in_clear(), way == Way::Plain);
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_without_tls() {
    for way in [Way::Plain, Way::PretendsStartTls, Way::OtherCertificate] {
        let server = Server::start(way).await;
        let mut mailer = mailer(&server, MailSecurity::StartTls);
        if way == Way::OtherCertificate {
            mailer.root = None;
        }
        let failure = send(&mailer, "s", "t").await.expect_err("no TLS");
        let kinds = [FailureKind::Unreachable, FailureKind::Forbidden];
        assert!(kinds.contains(&failure.kind), "{way:?}: {failure:?}");
        let seen = server.seen();
        assert!(!seen.secret_in_clear() && seen.mails.is_empty(), "{way:?}");
        let spoken = ["AUTH", "MAIL", "RCPT"];
        let has_spoken = |command: &String| spoken.iter().any(|word| command.starts_with(word));
        assert!(!seen.commands.iter().any(has_spoken), "{:?}", seen.commands);
    }
}

#[tokio::test]
async fn without_tls_mail_stays_on_this_machine() {
    let settings = MailSettings {
        host: "192.168.7.7".into(),
        port: 25,
        security: MailSecurity::Plain,
        from: email("dango@example.com"),
        credentials: None,
    };
    let egress = Egress::new(["192.168.7.7".to_owned()]);
    let mailer = Mailer::new(settings, egress, Arc::new(Noon)).expect("a mailer");
    let failure = send(&mailer, "s", "t").await.expect_err("no TLS");
    assert_eq!(failure.kind, FailureKind::EgressDenied);
    assert_eq!(
        failure.say.as_str(),
        "mail would leave this machine for `192.168.7.7` without encryption"
    );
}

#[tokio::test]
async fn a_mail_server_passes_the_egress_guard() {
    let server = Server::start(Way::Tls).await;
    let mut mailer = mailer(&server, MailSecurity::Tls);
    mailer.egress = Egress::new([]);
    let failure = send(&mailer, "s", "t").await.expect_err("it is private");
    assert_eq!(failure.kind, FailureKind::EgressDenied);
    assert!(server.seen().commands.is_empty());
}

#[tokio::test]
async fn what_is_written_stays_one_mail_to_one_person() {
    let server = Server::start(Way::Plain).await;
    let mailer = mailer(&server, MailSecurity::Plain);
    let subject = "Hi\r\nBcc: eve@evil.example\r\n\r\nevil\u{0}\u{85}Ä";
    let text = "a\r\n.\r\nMAIL FROM:<eve@evil.example>\n.\nb\r.\rc\n..d";
    send(&mailer, subject, text).await.expect("sent");
    let seen = server.seen();
    assert_eq!(seen.mails.len(), 1, "{:?}", seen.mails);
    let is_to = |command: &&String| command.starts_with("RCPT") || command.starts_with("MAIL");
    assert_eq!(seen.commands.iter().filter(is_to).count(), 2);
    let (head, body) = seen.mails[0].split_once("\r\n\r\n").expect("a head");
    for header in ["bcc:", "evil"] {
        let begins = |line: &str| line.to_lowercase().starts_with(header);
        assert!(!head.lines().any(begins), "{head}");
    }
    assert_eq!(head.matches("Subject:").count(), 1);
    assert!(!body.is_empty() && !seen.commands.contains(&".".to_owned()));
}

#[tokio::test]
async fn an_address_that_would_say_more_than_an_address_is_refused() {
    let server = Server::start(Way::Plain).await;
    let mailer = mailer(&server, MailSecurity::Plain);
    for bad in [
        "ada>@example.com",
        "<ada@example.com",
        "a,b@example.com",
        "ada@exa>mple.com",
    ] {
        let sent = mailer.send(&email(bad), "s", "t").await;
        let failure = sent.expect_err(bad);
        assert_eq!(failure.kind, FailureKind::ConfigInvalid, "{bad}");
    }
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    assert!(send(&mailer, "s", &long).await.is_err());
    assert!(server.seen().commands.is_empty());
}

#[tokio::test]
async fn what_the_server_says_no_to_is_told_without_its_words() {
    for (way, kind, said) in [
        (Way::RefusesSignIn, FailureKind::Forbidden, "535"),
        (Way::RefusesRecipient, FailureKind::Forbidden, "550"),
        (Way::Busy, FailureKind::Failed, "451"),
    ] {
        let server = Server::start(way).await;
        let failure = send(&mailer(&server, MailSecurity::Tls), "s", "t").await;
        let failure = failure.expect_err("it is refused");
        assert_eq!(failure.kind, kind, "{way:?}: {failure:?}");
        let text = failure.say.as_str();
        let expect = format!("mail server `localhost` did not take the mail: it answered {said}");
        assert_eq!(text, expect);
        let whole = format!("{failure:?}");
        assert!(
            !whole.contains("ada") && !whole.contains("hunter2"),
            "{whole}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_is_given_up() {
    let server = Server::start(Way::Silent).await;
    let failure = send(&mailer(&server, MailSecurity::StartTls), "s", "t").await;
    let failure = failure.expect_err("it is silent");
    assert_eq!(
        failure.say.as_str(),
        "mail server `localhost` did not answer in time"
    );
    let gone = Server::start(Way::Gone).await;
    let failure = send(&mailer(&gone, MailSecurity::StartTls), "s", "t").await;
    assert_eq!(failure.expect_err("gone").kind, FailureKind::Unreachable);
}
