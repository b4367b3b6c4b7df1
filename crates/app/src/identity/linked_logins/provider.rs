//! With whom people can sign in here, and who of them may come in.

use crate::config::project::{LoginsConfig, ProviderConfig};
use crate::{App, Error, Result};
use connect::Egress;
use connect::identity_providers::{IdentityProvider, ProviderIdentity, ProviderSettings};
use domain::say::Quoted;
use domain::{Clock, Code, say};
use security::Plain;
use std::sync::Arc;

/// Who may come in by a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginPolicy {
    /// Domains of the addresses that may; without any, all.
    pub domains: Vec<String>,
    /// Whether an address that both sides have verified links a login to the account that has it.
    pub links_by_email: bool,
    /// Whether somebody of one of the domains who has no account becomes a viewer.
    pub creates_viewers: bool,
}

impl LoginPolicy {
    /// Returns whether somebody with this identity may come in at all.
    pub(in super::super) fn admits(&self, who: &ProviderIdentity) -> bool {
        let is_of = |domain: &String| {
            who.email
                .as_ref()
                .and_then(|email| email.as_str().rsplit_once('@'))
                .is_some_and(|(_, host)| host.eq_ignore_ascii_case(domain))
        };
        self.domains.is_empty() || (who.is_email_verified && self.domains.iter().any(is_of))
    }

    /// Returns whether somebody with this identity, whom nobody knows, gets an account. Without domains nobody does: anybody
    /// in the world has a login somewhere.
    pub(super) fn welcomes(&self, who: &ProviderIdentity) -> bool {
        self.creates_viewers && !self.domains.is_empty() && self.admits(who)
    }
}

/// A provider, with who may come in by it.
pub struct Provider {
    label: String,
    pub(super) inner: IdentityProvider,
    pub(super) policy: LoginPolicy,
}

impl Provider {
    /// Returns the provider as people know it by `label`.
    pub(in super::super) fn new(
        label: String,
        inner: IdentityProvider,
        policy: LoginPolicy,
    ) -> Self {
        Self {
            label,
            inner,
            policy,
        }
    }

    /// Returns the providers that the settings name.
    fn all(config: &LoginsConfig, egress: &Egress, clock: &Arc<dyn Clock>) -> Result<Vec<Self>> {
        let open = |one: &ProviderConfig| {
            let secret = one.client_secret.as_ref();
            let settings = ProviderSettings {
                name: one.name.clone(),
                endpoints: one.endpoints.clone(),
                client_id: one.client_id.clone(),
                client_secret: secret.map(|secret| Plain::new(secret.expose().clone())),
            };
            let policy = LoginPolicy {
                domains: one.allowed_domains.clone(),
                links_by_email: config.links_by_email,
                creates_viewers: config.creates_viewers,
            };
            let inner = IdentityProvider::new(settings, egress, Arc::clone(clock));
            let inner = inner.map_err(super::faults::refused)?;
            Ok(Self::new(one.label.clone(), inner, policy))
        };
        config.providers.iter().map(open).collect()
    }

    /// Returns the name in settings and addresses: `google`.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// Returns what people call it: `Google`.
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl App {
    /// Returns with whom people can sign in.
    pub fn login_providers(&self) -> Result<&[Provider]> {
        let providers = &self.identity().providers;
        if providers.get().is_none() {
            let all = Provider::all(&self.settings.logins, &self.egress(), &self.clock)?;
            // Of two who ask first, the providers of one are kept.
            let _ = providers.set(all);
        }
        Ok(providers.get().map_or(&[], Vec::as_slice))
    }

    /// Returns the provider of this name.
    pub fn login_provider(&self, name: &str) -> Result<&Provider> {
        let mut all = self.login_providers()?.iter();
        all.find(|one| one.name() == name).ok_or_else(|| {
            let say = say!("nobody signs in here with ", name Quoted(name));
            Error::not_found(Code::LoginProviderUnknown, say)
                .hint("`auth.oauth_providers` in .dango/project.yml names the providers")
        })
    }
}
