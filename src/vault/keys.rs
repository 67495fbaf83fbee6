//! The vault's keys: one to seal its file, one for the suffixes of each principal.
//!
//! Both come from one secret: of the configuration, or of this installation. With another secret all
//! pseudonyms are others, and a file that was sealed with the old one cannot be read.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::VaultError;
use crate::config::Secret;
use crate::domain::PrincipalId;
use crate::store::Sealer;

/// Which value or person something is: a keyed digest, cut to 128 bits.
pub(super) type Mark = [u8; 16];

/// What all keys come from.
pub(super) struct Keys {
    trails: hmac::Key,
    pub(super) seal: XChaCha20Poly1305,
}

impl Keys {
    /// From the configured secret; without one, from the installation's own key.
    pub(super) fn of(secret: Option<&Secret>, sealer: &Sealer) -> Result<Self, VaultError> {
        let master = master(secret, sealer)?;
        let trails = hmac::sign(&master, b"portcullis/pseudonyms/trails/v1");
        Ok(Self {
            trails: hmac::Key::new(hmac::HMAC_SHA256, trails.as_ref()),
            seal: derived(&master, "portcullis/pseudonyms/seal/v1")?,
        })
    }

    /// A cipher for something else, which has the name `what`.
    pub(super) fn cipher(
        secret: Option<&Secret>,
        sealer: &Sealer,
        what: &str,
    ) -> Result<XChaCha20Poly1305, VaultError> {
        derived(&master(secret, sealer)?, &format!("portcullis/{what}/seal/v1"))
    }

    /// The key of one principal's pseudonyms.
    pub(super) fn of_trail(&self, who: &PrincipalId) -> TrailKey {
        let key = hmac::sign(&self.trails, who.as_str().as_bytes());
        TrailKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }
}

fn master(secret: Option<&Secret>, sealer: &Sealer) -> Result<hmac::Key, VaultError> {
    let master = match secret {
        Some(secret) => read(secret.expose()).ok_or(VaultError::Key)?,
        None => Zeroizing::new(*sealer.mac("portcullis/pseudonyms/v1", &[]).as_bytes()),
    };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, master.as_ref()))
}

fn derived(master: &hmac::Key, name: &str) -> Result<XChaCha20Poly1305, VaultError> {
    let key = hmac::sign(master, name.as_bytes());
    XChaCha20Poly1305::new_from_slice(key.as_ref()).map_err(|_| VaultError::Key)
}

/// The key of one principal's pseudonyms.
pub(super) struct TrailKey(hmac::Key);

impl TrailKey {
    /// The whole digest of a value or person; `class` keeps those of different sorts apart.
    pub(super) fn digest(&self, class: &str, text: &str) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(&(class.len() as u64).to_be_bytes());
        mac.update(class.as_bytes());
        mac.update(text.as_bytes());
        mac.sign().as_ref().try_into().unwrap_or_default()
    }
}

/// The first half of a digest.
pub(super) fn mark(digest: &[u8; 32]) -> Mark {
    digest.first_chunk().copied().unwrap_or_default()
}

/// 32 bytes as 64 hexadecimal digits or as base64.
fn read(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let bytes = if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs = text.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        pairs.map(byte).collect::<Option<Vec<u8>>>()
    } else {
        let plain = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        STANDARD.decode(text).or(plain).ok()
    };
    let bytes = Zeroizing::new(bytes?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_one_of_three_spellings() {
        let hex = "00ff".repeat(16);
        let bytes = read(&hex).unwrap();
        assert_eq!(bytes.as_ref()[..2], [0, 0xff]);
        for text in [STANDARD.encode(*bytes), URL_SAFE_NO_PAD.encode(*bytes), format!("{hex}\n")] {
            assert_eq!(read(&text).unwrap(), bytes);
        }
        for text in ["", "00ff", "password", &"x".repeat(64), &STANDARD.encode([1; 31])] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
