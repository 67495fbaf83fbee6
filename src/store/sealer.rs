//! Sealing: how stored calls and answers are kept from whoever reads the disk, the log or a backup.
//!
//! One key of the installation in `seal.key`, from which one key for sealing (AES-256-GCM) and one
//! for keyed digests (HMAC-SHA256) are derived. What a value was sealed for (its context) is bound
//! to it: a sealed answer of one hold cannot be put in the place of another's. The key never leaves
//! this module, and is not made anew while there are records that need the old one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::segment;
use crate::domain::Digest;

const FILE: &str = "seal.key";
const KEY_LEN: usize = 32;

/// Why the key could not be loaded, or a value not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The text is not what [`Sealer::seal`] wrote under this key for this context.
    #[error(
        "the sealed value was not made with this installation's key for this use, or was changed"
    )]
    NotOurs,
    /// The operating system gives no randomness, or the cipher refused.
    #[error("the cryptographic library failed")]
    Library,
    /// The key is missing although it was used.
    #[error("`{0}` is missing, but the log has records that need it: restore it from your backup")]
    Missing(PathBuf),
    /// The key's file is open to others, no plain file, or of another length.
    #[error("`{path}` {what}")]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// The key's file could not be read or written.
    #[error("cannot read or create `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Seals and opens values, and makes keyed digests. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    seal: LessSafeKey,
    mac: hmac::Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// Loads the key of a data folder, making it if there is none and no record needs one.
    ///
    /// # Errors
    /// If the key cannot be had safely.
    pub fn load(folder: &Path) -> Result<Self, SealError> {
        let path = folder.join(FILE);
        let failed = |source| SealError::Io { path: path.clone(), source };
        let key = match fs::symlink_metadata(&path) {
            Ok(found) => {
                let wrong = |what| Err(SealError::Unsafe { path: path.clone(), what });
                if !found.is_file() {
                    return wrong("is not a plain file: replace it by the key itself");
                }
                if found.permissions().mode() & 0o077 != 0 {
                    return wrong(
                        "is open to other users: `chmod 600` it, and think of who read it",
                    );
                }
                if found.len() != KEY_LEN as u64 {
                    return wrong("is not 32 bytes long: restore it from your backup");
                }
                let mut key = Zeroizing::new([0; KEY_LEN]);
                let mut file = fs::File::open(&path).map_err(failed)?;
                file.read_exact(key.as_mut()).map_err(failed)?;
                key
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if has_records(folder).map_err(failed)? {
                    return Err(SealError::Missing(path));
                }
                let key = Zeroizing::new(random::<KEY_LEN>()?);
                write_key(folder, &path, key.as_ref()).map_err(failed)?;
                key
            }
            Err(error) => return Err(failed(error)),
        };
        Self::with_key(&key)
    }

    /// Seals `plain` for one use: URL-safe base64 of a random nonce and the ciphertext.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String, SealError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(plain.len() + NONCE_LEN + AES_256_GCM.tag_len());
        sealed.extend_from_slice(plain);
        let aad = Aad::from(context.as_bytes());
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal
            .seal_in_place_append_tag(unique, aad, &mut sealed)
            .map_err(|_| SealError::Library)?;
        sealed.splice(0..0, nonce);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what [`Sealer::seal`] wrote for the same use.
    ///
    /// # Errors
    /// If it did not.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError::NotOurs)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(SealError::NotOurs)?;
        let mut rest = rest.to_vec();
        let aad = Aad::from(context.as_bytes());
        let unique = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.seal.open_in_place(unique, aad, &mut rest);
        let len = opened.map_err(|_| SealError::NotOurs)?.len();
        rest.truncate(len);
        Ok(rest)
    }

    /// A digest of `parts` that only this installation can make: for values that could be guessed.
    #[must_use]
    pub fn mac(&self, domain: &str, parts: &[&[u8]]) -> Digest {
        let mut mac = hmac::Context::with_key(&self.0.mac);
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Digest::from_bytes(mac.sign().as_ref().try_into().unwrap_or_default())
    }

    fn with_key(key: &[u8; KEY_LEN]) -> Result<Self, SealError> {
        let master = hmac::Key::new(hmac::HMAC_SHA256, key);
        let derive = |name: &str| hmac::sign(&master, name.as_bytes());
        let seal = UnboundKey::new(&AES_256_GCM, derive("portcullis/seal/v1").as_ref());
        let seal = LessSafeKey::new(seal.map_err(|_| SealError::Library)?);
        let mac = hmac::Key::new(hmac::HMAC_SHA256, derive("portcullis/mac/v1").as_ref());
        Ok(Self(Arc::new(Keys { seal, mac })))
    }
}

/// Bytes from the system's secure source.
///
/// # Errors
/// If it has none.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Library)?;
    Ok(bytes)
}

fn has_records(folder: &Path) -> io::Result<bool> {
    for name in segment::list(folder)? {
        if fs::metadata(name.path(folder))?.len() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the key beside its place first: a crash leaves no half key under its name.
fn write_key(folder: &Path, path: &Path, key: &[u8]) -> io::Result<()> {
    let beside = folder.join("seal.key.new");
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    segment::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed_for_the_same_use() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::load(folder.path()).unwrap();
        let sealed = sealer.seal("hold_1/call", b"secret").unwrap();
        assert_ne!(sealed, sealer.seal("hold_1/call", b"secret").unwrap());
        let again = Sealer::load(folder.path()).unwrap();
        assert_eq!(again.open("hold_1/call", &sealed).unwrap(), b"secret");
        assert!(sealer.open("hold_2/call", &sealed).is_err());
        let other = tempfile::tempdir().unwrap();
        let other = Sealer::load(other.path()).unwrap();
        assert!(other.open("hold_1/call", &sealed).is_err());
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(&bytes);
            assert!(sealer.open("hold_1/call", &changed).is_err(), "byte {at}");
            assert!(sealer.open("hold_1/call", &sealed[..at]).is_err(), "cut at {at}");
            bytes[at] ^= 1;
        }
    }

    #[test]
    fn digests_depend_on_key_domain_and_parts() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (one, two) = (Sealer::load(one.path()).unwrap(), Sealer::load(two.path()).unwrap());
        let digest = one.mac("d", &[b"ab", b"c"]);
        assert_eq!(digest, one.mac("d", &[b"ab", b"c"]));
        assert_ne!(digest, one.mac("d", &[b"a", b"bc"]));
        assert_ne!(digest, one.mac("e", &[b"ab", b"c"]));
        assert_ne!(digest, two.mac("d", &[b"ab", b"c"]));
    }

    #[test]
    fn an_unsafe_or_lost_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        Sealer::load(folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Sealer::load(folder.path()), Err(SealError::Unsafe { .. })));
        fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(Sealer::load(folder.path()), Err(SealError::Unsafe { .. })));
        fs::remove_file(&path).unwrap();
        fs::write(folder.path().join("audit-20260728-1.jsonl"), "x").unwrap();
        assert!(matches!(Sealer::load(folder.path()), Err(SealError::Missing(_))));
    }
}
