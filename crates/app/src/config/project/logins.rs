//! `auth.oauth_providers`: with whom people can sign in. What Dango's settings and DAP's variables name is the same.

use super::sections::{Sections, nothing};
use super::{LoginsConfig, ProviderConfig};
use crate::config::finding::Severity;
use crate::config::read::Fields;
use crate::config::tree::{Node, Shape};
use connect::identity_providers::Endpoints;
use domain::say::Quoted;
use domain::{Code, say};
use url::Url;

/// Characters of a provider's name, which stands in addresses.
const NAME_CHARS_MAX: usize = 32;
/// Providers that need no more than a client id and a secret.
const KNOWN: [(&str, &str); 2] = [("github", "GitHub"), ("google", "Google")];

impl Sections<'_> {
    pub(super) fn logins(&mut self, auth: &mut Fields<'_>) -> LoginsConfig {
        let links_by_email = self.boolean(auth, "oauth_link_by_email", false);
        let creates_viewers = self.boolean(auth, "oauth_create_viewers", false);
        let (path, nothing) = (auth.path("oauth_providers"), nothing());
        let node = auth.take("oauth_providers").unwrap_or(&nothing);
        let fields = Fields::open(node, &path, self.reader.report);
        let mut named: Vec<(&str, &Node)> = fields
            .iter()
            .flat_map(Fields::rest)
            .map(|entry| (entry.key.as_str(), &entry.value))
            .collect();
        for (name, _) in KNOWN {
            if named.iter().all(|(known, _)| *known != name) {
                named.push((name, &nothing));
            }
        }
        let providers = named
            .into_iter()
            .filter_map(|(name, node)| self.provider(name, node, creates_viewers))
            .collect();
        LoginsConfig {
            providers,
            links_by_email,
            creates_viewers,
        }
    }

    fn provider(&mut self, name: &str, node: &Node, creates: bool) -> Option<ProviderConfig> {
        let path = format!("auth.oauth_providers.{name}");
        if !is_name(name) {
            let say = say!("", name Quoted(name), " is no name of a provider");
            let hint = "a name has small letters, digits and `-`, and begins with a letter";
            self.reader.report.error(node.place, say, hint);
            return None;
        }
        let by_variable = self.variable(name, "CLIENT_ID");
        let is_empty = match &node.shape {
            Shape::Null => true,
            Shape::Map(entries) => entries.is_empty(),
            _ => false,
        };
        if is_empty && by_variable.is_none() {
            // The heritage's template has the name and nothing else.
            return None;
        }
        let mut fields = Fields::open(node, &path, self.reader.report)?;
        let written = self.text(&mut fields, "client_id", "");
        let secret = ["auth", "oauth_providers", name, "client_secret"];
        let variables = variables(name, "CLIENT_SECRET");
        let client_secret = self.secret(&mut fields, "client_secret", &variables, &secret);
        let issuer = self.text(&mut fields, "issuer", "");
        let usual = KNOWN.iter().find(|(known, _)| *known == name);
        let label = usual.map_or(name, |(_, label)| *label);
        let label = self.text(&mut fields, "label", label);
        let allowed_domains = self.list(&mut fields, "allowed_domains");
        fields.finish(self.reader.report);
        let is_by_variable = by_variable.is_some();
        let client_id = by_variable.unwrap_or(written);
        let endpoints = self.endpoints(name, &issuer, node);
        self.check_domains(&path, node, &allowed_domains, creates);
        let missing = if client_id.is_empty() {
            Some("client_id")
        } else if client_secret.is_none() && usual.is_some() {
            Some("client_secret")
        } else {
            None
        };
        if let Some(missing) = missing {
            let say = say!("nobody can sign in with ", name Quoted(name), ": ", name Quoted(&format!("{path}.{missing}")), " is missing");
            let hint = match (missing, variables.first()) {
                ("client_secret", Some(variable)) if is_by_variable => {
                    say!("set ", name Quoted(variable), ", too: both of them switch it on")
                }
                _ => {
                    say!("`client_id` stands in .dango/project.yml, `client_secret` below [", name Quoted(&path), "] in .dlt/secrets.toml")
                }
            };
            let (place, code) = (node.place, Code::ConfigInvalid);
            self.reader
                .report
                .add(Severity::Warning, code, place, say, hint);
            return None;
        }
        Some(ProviderConfig {
            name: name.to_owned(),
            label,
            endpoints: endpoints?,
            client_id,
            client_secret,
            allowed_domains,
        })
    }

    /// Returns where the provider is. A GitHub of one's own is named by its address, too.
    fn endpoints(&mut self, name: &str, issuer: &str, node: &Node) -> Option<Endpoints> {
        match (name, issuer) {
            ("github", "") => return Some(Endpoints::github()),
            ("google", "") => return Some(Endpoints::google()),
            _ => {}
        }
        let is_address = Url::parse(issuer)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        if !is_address {
            let key = format!("auth.oauth_providers.{name}.issuer");
            let say = say!("", name Quoted(&key), " is no address");
            let hint = "it is the issuer's address as the provider writes it: `https://id.example.com/realms/team`";
            self.reader.report.error(node.place, say, hint);
            return None;
        }
        Some(if name == "github" {
            Endpoints::Github {
                site: issuer.to_owned(),
                api: format!("{}/api/v3", issuer.trim_end_matches('/')),
            }
        } else {
            Endpoints::Oidc {
                issuer: issuer.to_owned(),
            }
        })
    }

    /// Whoever has a login anywhere in the world would become a viewer, were there no list.
    fn check_domains(&mut self, path: &str, node: &Node, domains: &[String], creates: bool) {
        let key = format!("{path}.allowed_domains");
        let say = if domains
            .iter()
            .any(|domain| domain.contains('@') || domain.trim().is_empty())
        {
            say!("", name Quoted(&key), " names something that is no domain")
        } else if creates && domains.is_empty() {
            say!("`auth.oauth_create_viewers` is on, and ", name Quoted(&key), " does not say for whom")
        } else {
            return;
        };
        let hint = "list the domains of your team's addresses, such as `example.com`";
        self.reader.report.error(node.place, say, hint);
    }

    fn variable(&self, provider: &str, key: &str) -> Option<String> {
        let names = variables(provider, key);
        let mut names = names.iter();
        names.find_map(|name| self.reader.environment.setting(name).map(str::to_owned))
    }
}

/// Returns the variables that stand for a setting: DAP's, and the name dlt would give it.
fn variables(provider: &str, key: &str) -> Vec<String> {
    let name = provider.to_ascii_uppercase().replace('-', "_");
    let dap = KNOWN
        .iter()
        .any(|(known, _)| *known == provider)
        .then(|| format!("DAP_OAUTH_{name}_{key}"));
    dap.into_iter()
        .chain([format!("AUTH__OAUTH_PROVIDERS__{name}__{key}")])
        .collect()
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= NAME_CHARS_MAX
        && name.chars().all(is_part)
}
