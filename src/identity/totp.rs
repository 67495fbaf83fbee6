//! The second factor: codes of six digits that change every 30 seconds (RFC 6238).
//!
//! A code of the step before or after is taken as well, for clocks differ; each step at most once,
//! so that a code that somebody saw is worth nothing any more.

use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, TOTP};
use zeroize::Zeroizing;

use crate::config::Secret;
use crate::domain::Timestamp;

/// Bytes of the secret: as many as the hash has.
const BYTES: usize = 20;
/// Seconds of one step.
const STEP: u64 = 30;

/// A secret that a person's app and Portcullis share.
pub(super) struct Totp(Zeroizing<Vec<u8>>);

/// What is shown to somebody who sets up a second factor.
pub struct Enrolment {
    /// `otpauth://...`, which holds the secret.
    pub url: Secret,
    /// The secret as letters and digits, to type in.
    pub text: Secret,
    /// The squares of the QR code of `url`, row by row, `true` for dark.
    pub squares: Vec<Vec<bool>>,
}

impl Totp {
    /// A new secret.
    pub(super) fn random() -> Option<Self> {
        let bytes = crate::store::random::<BYTES>().ok()?;
        Some(Self(Zeroizing::new(bytes.to_vec())))
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The step whose code this is, if it is a later one than `last`.
    pub(super) fn step(&self, code: &str, now: Timestamp, last: Option<u64>) -> Option<u64> {
        let totp = self.totp("x")?;
        let seconds = u64::try_from(now.millis() / 1000).ok()?;
        let present = seconds / STEP;
        let digits: Zeroizing<String> =
            Zeroizing::new(code.chars().filter(|letter| !letter.is_whitespace()).collect());
        let mut found = None;
        // All three are computed whatever the first says, so that time tells nothing.
        for step in [present.saturating_sub(1), present, present + 1] {
            let expected = Zeroizing::new(totp.generate(step * STEP));
            let same: bool = expected.as_bytes().ct_eq(digits.as_bytes()).into();
            if same && last.is_none_or(|last| last < step) {
                found = Some(step);
            }
        }
        found
    }

    /// What to show to the person.
    pub(super) fn enrolment(&self, name: &str) -> Option<Enrolment> {
        let totp = self.totp(name)?;
        let url = totp.get_url();
        let code = qrcodegen::QrCode::encode_text(&url, qrcodegen::QrCodeEcc::Medium).ok()?;
        let size = code.size();
        let row = |y| (0..size).map(|x| code.get_module(x, y)).collect();
        Some(Enrolment {
            squares: (0..size).map(row).collect(),
            text: Secret::new(totp.get_secret_base32()),
            url: Secret::new(url),
        })
    }

    fn totp(&self, name: &str) -> Option<TOTP> {
        // The library takes no colon in a name, for the address has one as separator.
        let (issuer, name) = (Some("Portcullis".to_owned()), name.replace(':', "."));
        TOTP::new(Algorithm::SHA1, 6, 1, STEP, self.0.to_vec(), issuer, name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret, and the last six digits of its codes.
    #[test]
    fn codes_are_those_of_the_standard_and_good_once() {
        let totp = Totp::from_bytes(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
            let step = totp.step(code, at(seconds), None);
            assert_eq!(step, Some(seconds.unsigned_abs() / STEP));
            assert_eq!(
                totp.step(&format!("{} {}", &code[..3], &code[3..]), at(seconds), None),
                step
            );
            assert_eq!(totp.step(code, at(seconds), step), None, "a second time");
            assert_eq!(totp.step(code, at(seconds + 30), None), step, "a step late");
            assert_eq!(totp.step(code, at(seconds + 60), None), None, "two steps late");
            for wrong in ["", "287083", "87082", "2870820"] {
                assert_eq!(totp.step(wrong, at(seconds), None), None);
            }
        }
    }

    #[test]
    fn an_app_is_told_the_secret_by_picture_and_by_text() {
        let totp = Totp::from_bytes(b"12345678901234567890".to_vec());
        let shown = totp.enrolment("jane@example.com").unwrap();
        assert_eq!(shown.text.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(shown.url.expose().starts_with("otpauth://totp/Portcullis:jane%40example.com?"));
        assert!(
            shown.squares.len() > 20
                && shown.squares.iter().all(|row| row.len() == shown.squares.len())
        );
        assert!(totp.enrolment("oidc:jane").is_some());
    }
}
