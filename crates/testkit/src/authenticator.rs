//! A device with a passkey, and the browser it is held to, in software: by `passkey`, which is not what checks it.

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use serde_json::Value;
use url::Url;

/// A device that holds one passkey. Its copy is a copied device.
#[derive(Clone)]
pub struct Device {
    key: Option<Passkey>,
    /// Whether its holder shows it a finger.
    pub is_verified: bool,
}

/// Somebody who touches the device, and shows it a finger or not.
struct Person {
    is_verified: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence: true,
            verification: self.is_verified,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// Returns a browser with the device.
macro_rules! browser {
    ($device:expr) => {{
        let person = Person {
            is_verified: $device.is_verified,
        };
        let mut device = Authenticator::new(
            Aaguid::new_empty(),
            $device.key.clone(),
            person,
            RustCryptoBackend,
        );
        device.set_make_credentials_with_signature_counter(true);
        Client::new(device).allows_insecure_localhost(true)
    }};
}

impl Default for Device {
    /// Returns a device without a passkey, whose holder shows it a finger.
    fn default() -> Self {
        Self {
            key: None,
            is_verified: true,
        }
    }
}

impl Device {
    /// Answers `navigator.credentials.create` of a page at `origin`, as JSON; `None` when the device or browser refuses.
    pub async fn create(&mut self, origin: &str, options: &Value) -> Option<String> {
        let mut browser = browser!(self);
        let options = serde_json::from_str(&options.to_string()).ok()?;
        let origin = Url::parse(origin).ok()?;
        let made = browser.register(&origin, options, DefaultClientData).await;
        let made = made.ok()?;
        self.key.clone_from(browser.authenticator().store());
        serde_json::to_string(&made).ok()
    }

    /// Answers `navigator.credentials.get` of a page at `origin`, as JSON; `None` when the device or browser refuses.
    pub async fn get(&mut self, origin: &str, options: &Value) -> Option<String> {
        let mut browser = browser!(self);
        let options = serde_json::from_str(&options.to_string()).ok()?;
        let origin = Url::parse(origin).ok()?;
        let shown = browser.authenticate(&origin, options, DefaultClientData);
        let shown = shown.await.ok()?;
        self.key.clone_from(browser.authenticator().store());
        serde_json::to_string(&shown).ok()
    }
}
