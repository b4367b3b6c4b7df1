//! Codes of authenticator apps (RFC 6238): SHA-1, 6 digits, 30 seconds, one step of tolerance, each step once.

use crate::entropy::{self, Entropy};
use crate::plain::Plain;
use data_encoding::BASE32_NOPAD;
use std::fmt::Write;
use totp_rs::{Algorithm, Builder, Totp};

/// The issuer that apps show.
pub const ISSUER: &str = "Dango";
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// Steps that a clock may be off.
const SKEW_STEPS: u16 = 1;
/// Bytes of a secret (RFC 4226 §4 recommends 160 bits).
const SECRET_BYTES: usize = 20;

/// A secret that is shared with an authenticator app.
pub struct TotpSecret(Plain<Vec<u8>>);

impl TotpSecret {
    /// Makes a secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Plain::new(entropy::bytes::<SECRET_BYTES>(entropy).to_vec()))
    }

    /// Reads a secret in base32; `None` for what is none.
    pub fn from_base32(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('=').to_ascii_uppercase();
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
        (bytes.len() >= SECRET_BYTES / 2).then(|| Self(Plain::new(bytes)))
    }

    /// Returns the secret as an app takes it by hand.
    pub fn to_base32(&self) -> Plain<String> {
        Plain::new(BASE32_NOPAD.encode(self.0.expose()))
    }

    /// Returns the `otpauth:` address that is drawn as a QR code.
    pub fn provisioning_uri(&self, email: &str) -> Plain<String> {
        let label = format!("{}:{}", escape(ISSUER), escape(email));
        let secret = self.to_base32();
        Plain::new(format!(
            "otpauth://totp/{label}?secret={}&issuer={}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.expose(),
            escape(ISSUER)
        ))
    }

    /// Returns the step whose code this is at `unix_seconds`, when it lies after `last_step`: a code is good once
    /// (RFC 6238 §5.2). The caller stores the step by compare-and-set.
    pub fn step_of(&self, code: &str, unix_seconds: u64, last_step: Option<u64>) -> Option<u64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code = code.len() == usize::from(DIGITS) && code.bytes().all(|b| b.is_ascii_digit());
        let step = self.app().check(&code, unix_seconds).filter(|_| is_code)?;
        last_step.is_none_or(|last| step > last).then_some(step)
    }

    fn app(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW_STEPS)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.expose().clone())
            .build_noncompliant()
    }
}

/// Writes `text` for an address (RFC 3986 §2.3).
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;

    fn secret() -> TotpSecret {
        TotpSecret(Plain::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, SHA1, the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(
                secret().step_of(code, seconds, None),
                Some(seconds / STEP_SECONDS),
                "{seconds}"
            );
        }
    }

    #[test]
    fn the_codes_are_those_of_rfc_4226() {
        // Appendix D: the counter is the step.
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in codes.iter().enumerate() {
            let step = u64::try_from(counter).expect("small");
            assert_eq!(
                secret().step_of(code, step * STEP_SECONDS, None),
                Some(step)
            );
        }
    }

    #[test]
    fn a_code_is_good_one_step_around_and_once() {
        let now = 1_111_111_109;
        let step = now / STEP_SECONDS;
        for (off, expect) in [(-60, None), (-30, Some(step)), (30, Some(step)), (60, None)] {
            let at = now.checked_add_signed(off).expect("after 1970");
            assert_eq!(secret().step_of("081804", at, None), expect, "{off}");
        }
        assert_eq!(secret().step_of("081804", now, Some(step)), None);
        assert_eq!(secret().step_of("081804", now, Some(step - 1)), Some(step));
        assert_eq!(secret().step_of("081 804", now, None), Some(step));
        for bad in ["", "81804", "0818040", "08180a", "٠٨١٨٠٤"] {
            assert_eq!(secret().step_of(bad, now, None), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_travels_as_base32_and_as_an_address() {
        let secret = TotpSecret::generate(&Counting::default());
        let text = secret.to_base32();
        assert_eq!(text.expose().len(), 32);
        let same = TotpSecret::from_base32(&text.expose().to_lowercase()).expect("base32");
        assert_eq!(same.to_base32().expose(), text.expose());
        assert!(TotpSecret::from_base32("1").is_none());
        assert_eq!(
            secret.provisioning_uri("ada+x@example.com").expose(),
            &format!(
                "otpauth://totp/Dango:ada%2Bx%40example.com?secret={}&issuer=Dango&algorithm=SHA1&digits=6&period=30",
                text.expose()
            )
        );
    }
}
