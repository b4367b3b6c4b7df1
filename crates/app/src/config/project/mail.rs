//! `mail:` the server through which links reach people.

use super::MailConfig;
use super::sections::Sections;
use crate::config::read::Fields;
use crate::config::tree::Node;
use connect::mail::MailSecurity;
use domain::{Email, say};

const SECURITY: [(&str, MailSecurity); 3] = [
    ("starttls", MailSecurity::StartTls),
    ("tls", MailSecurity::Tls),
    ("none", MailSecurity::Plain),
];

impl Sections<'_> {
    pub(super) fn mail(&mut self, node: &Node) -> Option<MailConfig> {
        let mut fields = Fields::open(node, "mail", self.reader.report)?;
        let host = self.text(&mut fields, "host", "");
        let port = self.integer(&mut fields, "port", 0, 0..=65_535);
        let port = u16::try_from(port).ok().filter(|port| *port != 0);
        let (path, found) = (fields.path("security"), fields.take("security"));
        let named = found.and_then(|node| self.reader.choice(node, &path, &SECURITY));
        let usual = if port == Some(MailSecurity::Tls.port()) {
            MailSecurity::Tls
        } else {
            MailSecurity::StartTls
        };
        let security = named.unwrap_or(usual);
        let name = SECURITY.iter().find(|(_, one)| *one == security);
        self.setting(path, name.map_or("", |(name, _)| *name).into(), found);
        let from = self.text(&mut fields, "from", "");
        let username = self.text(&mut fields, "username", "");
        let variables = ["MAIL__PASSWORD".to_owned()];
        let password = self.secret(&mut fields, "password", &variables, &["mail", "password"]);
        fields.finish(self.reader.report);
        if host.is_empty() {
            return None;
        }
        let Ok(from) = Email::parse(&from) else {
            let say = say!("`mail.from` is no e-mail address");
            let hint = "it is the address that mails come from: `dango@example.com`";
            self.reader.report.error(node.place, say, hint);
            return None;
        };
        Some(MailConfig {
            host,
            port: port.unwrap_or_else(|| security.port()),
            security,
            from,
            username: Some(username).filter(|name| !name.is_empty()),
            password,
        })
    }
}
