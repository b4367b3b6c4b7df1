//! Links by mail, where the settings name a mail server. Whoever asked is told the same whether or not a mail arrives.

use super::links::{Page, address};
use crate::config::project::MailConfig;
use crate::{App, Error, Result};
use connect::Egress;
use connect::mail::{MailCredentials, MailSettings, Mailer};
use domain::{Clock, Code, Email, UserId};
use security::Plain;
use std::sync::Arc;

/// Returns what sends mail for the settings.
pub(crate) fn open(
    config: Option<&MailConfig>,
    egress: Egress,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Mailer>> {
    let Some(config) = config else {
        return Ok(None);
    };
    let signs_in = config.username.as_ref().zip(config.password.as_ref());
    let settings = MailSettings {
        host: config.host.clone(),
        port: config.port,
        security: config.security,
        from: config.from.clone(),
        credentials: signs_in.map(|(user, password)| MailCredentials {
            user: user.clone(),
            password: Plain::new(password.expose().clone()),
        }),
    };
    let mailer = Mailer::new(settings, egress, Arc::clone(clock));
    let mailer = mailer.map_err(|failure| {
        Error::invalid(Code::ConfigInvalid, failure.say.clone())
            .hint("correct `mail` in .dango/project.yml")
            .caused_by(failure)
    })?;
    Ok(Some(mailer))
}

impl App {
    /// Returns whether links reach people by mail.
    pub const fn sends_mail(&self) -> bool {
        self.identity.mailer.is_some()
    }
}

/// What became of a mail.
#[derive(Debug)]
pub enum Mailed {
    /// The settings name no mail server.
    No,
    /// The mail server has taken it over.
    Sent,
    Failed(Error),
}

/// Mails a link to whom it is for. A mail that cannot be sent is in the log; doors that anybody may knock at say nothing of it.
pub async fn send_link(
    app: &App,
    page: Page,
    (user, to): (UserId, &Email),
    token: &Plain<String>,
) -> Mailed {
    let Some(mailer) = &app.identity().mailer else {
        return Mailed::No;
    };
    let link = address(app, page, token);
    let (subject, text) = letter(page, &link, &app.public_url());
    match mailer.send(to, subject, text.expose()).await {
        Ok(()) => {
            tracing::info!(user.id = %user, "a link was mailed");
            Mailed::Sent
        }
        Err(failure) => {
            let error = Error::unavailable(Code::MailFailed, failure.say.clone());
            let error = error.hint(failure.hint.clone()).caused_by(failure);
            tracing::warn!(
                user.id = %user,
                error.code = error.code.as_str(),
                error.text = error.say.as_str(),
                error.hint = error.hint.as_str(),
                "a link could not be mailed"
            );
            Mailed::Failed(error)
        }
    }
}

fn letter(page: Page, link: &Plain<String>, place: &str) -> (&'static str, Plain<String>) {
    let link = link.expose();
    let (subject, what, else_) = match page {
        Page::Invite | Page::SetUp => (
            "You are invited to Dango",
            "You have an account here, and choose your password at this address. It is good once, for three days:",
            "If you do not know what this is about, do nothing: without a password nobody gets in.",
        ),
        Page::Reset => (
            "Another password for Dango",
            "Somebody, you we hope, asked for another password. You choose it at this address. It is good once, for an hour:",
            "If it was not you, do nothing: the password stays as it is.",
        ),
    };
    let text = format!("{what}\n\n{link}\n\n{else_}\n\nDango at {place}\n");
    (subject, Plain::new(text))
}
