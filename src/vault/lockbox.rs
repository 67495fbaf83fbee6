//! Sealing for what else is kept of the road, under a key of its own from the vault's secret.
//!
//! Whoever keeps that secret outside of the data folder (`pseudonyms.key`) so keeps this from readers
//! of a backup as well.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::VaultError;
use super::keys::Keys;
use crate::config::Secret;
use crate::store::{Sealer, random};

const NONCE: usize = 24;

/// Seals and opens pieces of a file.
pub struct Lockbox(XChaCha20Poly1305);

impl Lockbox {
    /// From the configured secret; without one, from the installation's own key. `what` is what it is
    /// for: each has another key.
    ///
    /// # Errors
    /// If the secret is none.
    pub fn of(secret: Option<&Secret>, sealer: &Sealer, what: &str) -> Result<Self, VaultError> {
        Keys::cipher(secret, sealer, what).map(Self)
    }

    /// Seals a piece that has its place in `context`.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE] = random().map_err(|_| VaultError::Random)?;
        let payload = Payload { msg: plain, aad: context };
        let sealed = self.0.encrypt(XNonce::from_slice(&nonce), payload);
        let mut all = nonce.to_vec();
        all.extend(sealed.map_err(|_| VaultError::Random)?);
        Ok(all)
    }

    /// Opens what was sealed for the same place; `None` if it was not, or was changed.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: context };
        self.0.decrypt(XNonce::from_slice(nonce), payload).ok()
    }
}

impl std::fmt::Debug for Lockbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lockbox")
    }
}
