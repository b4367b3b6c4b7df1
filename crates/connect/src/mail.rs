//! Mail: short texts to the people of the team, through the mail server the settings name.
//!
//! Beyond this machine nothing is sent without TLS, and the password least of all.

mod faults;

use crate::egress::Egress;
use crate::failure::Failure;
use domain::{Clock, Email};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use security::Plain;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long the server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one mail may take in all: somebody may be waiting.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of one text; a link and a few sentences have a thousand.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// The name that people see beside the address.
const NAME: &str = "Dango";

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS by `STARTTLS` (port 587). A server that does not offer it gets nothing.
    StartTls,
    /// None: for a mail server on this machine alone.
    Plain,
}

impl MailSecurity {
    /// Returns the port that is usual for it.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

/// The mail server as the settings name it.
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    /// Who sends: `dango@example.com`.
    pub from: Email,
    /// With what Dango signs in there.
    pub credentials: Option<MailCredentials>,
}

/// With what Dango signs in at the mail server.
pub struct MailCredentials {
    pub user: String,
    pub password: Plain<String>,
}

/// Sends mail.
pub struct Mailer {
    settings: MailSettings,
    from: Address,
    egress: Egress,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    /// An authority beside those of this machine.
    root: Option<Certificate>,
}

impl Mailer {
    /// Returns a mailer for the server that `settings` name.
    pub fn new(
        settings: MailSettings,
        egress: Egress,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let from = address(&settings.from)?;
        Ok(Self {
            settings,
            from,
            egress,
            clock,
            timeout: ANSWER_TIMEOUT,
            root: None,
        })
    }

    /// Sends `text` to one address. It is sent when the mail server has taken it over.
    pub async fn send(&self, to: &Email, subject: &str, text: &str) -> Result<(), Failure> {
        let message = self.message(to, subject, text)?;
        let sending = self.deliver(message);
        match tokio::time::timeout(SEND_TIMEOUT.min(self.timeout * 3), sending).await {
            Ok(sent) => sent,
            Err(_) => Err(faults::slow(&self.settings.host)),
        }
    }

    fn message(&self, to: &Email, subject: &str, text: &str) -> Result<Message, Failure> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(faults::too_long(TEXT_BYTES_MAX));
        }
        // A line break would begin another header; a control character has no business in one either.
        let subject: String = subject
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap_or(0);
        // The mail server adds the message's id (RFC 6409 §8.3).
        Message::builder()
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .from(Mailbox::new(Some(NAME.to_owned()), self.from.clone()))
            .to(Mailbox::new(None, address(to)?))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(faults::unwritable)
    }

    /// Hands the message over, at the first address of the server that can be connected to.
    async fn deliver(&self, message: Message) -> Result<(), Failure> {
        let settings = &self.settings;
        let found = self.egress.check(&settings.host, settings.port).await;
        let found = found.map_err(|failure| faults::unreachable(&settings.host, failure))?;
        let mut failure = faults::slow(&settings.host);
        for server in found {
            let sent = self.transport(server)?.send(message.clone()).await;
            match sent {
                Ok(_) => return Ok(()),
                // Elsewhere it would be refused as well, or arrive twice.
                Err(error) if !faults::is_connection(&error) => {
                    return Err(faults::failed(&settings.host, &error));
                }
                Err(error) => failure = faults::failed(&settings.host, &error),
            }
        }
        Err(failure)
    }

    /// Returns the way to `server`, which passed the egress guard: its name is not resolved again, and its certificate is
    /// checked against the name all the same.
    fn transport(&self, server: SocketAddr) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
        let settings = &self.settings;
        let tls = match settings.security {
            MailSecurity::Tls => Tls::Wrapper(self.tls()?),
            MailSecurity::StartTls => Tls::Required(self.tls()?),
            MailSecurity::Plain if server.ip().to_canonical().is_loopback() => Tls::None,
            MailSecurity::Plain => return Err(faults::without_tls(&settings.host)),
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.ip().to_string())
                .port(settings.port)
                .timeout(Some(self.timeout))
                .hello_name(ClientId::Domain(self.from.domain().to_owned()))
                .tls(tls);
        if let Some(credentials) = &settings.credentials {
            transport = transport.credentials(Credentials::new(
                credentials.user.clone(),
                credentials.password.expose().clone(),
            ));
        }
        Ok(transport.build())
    }

    fn tls(&self) -> Result<TlsParameters, Failure> {
        let mut tls = TlsParameters::builder(self.settings.host.clone());
        if let Some(root) = &self.root {
            tls = tls.add_root_certificate(root.clone());
        }
        tls.build_rustls()
            .map_err(|error| faults::failed(&self.settings.host, &error))
    }

    #[cfg(test)]
    fn trusting(mut self, root: &[u8]) -> Self {
        self.root = Certificate::from_der(root.to_vec()).ok();
        self
    }
}

/// Returns the address as it goes to mail servers: stricter than what may stand in an account.
fn address(email: &Email) -> Result<Address, Failure> {
    email
        .as_str()
        .parse()
        .map_err(|_| faults::undeliverable(email))
}

#[cfg(test)]
mod tests;
