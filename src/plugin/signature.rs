//! `NAME.wasm.sig`: who answers for a component. One line, the Ed25519 signature over the bytes of
//! the component in base64, as `portcullis plugin sign` or `openssl pkeyutl -sign -rawin` make it.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// Bytes of the largest key file.
const MAX_KEY_BYTES: u64 = 64 * 1024;
/// What stands before the 32 bytes of an Ed25519 key in its PEM form (RFC 8410).
const PUBLIC_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a key cannot be used. Never shows the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("the key `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Not what was asked for.
    #[error("`{}` holds no Ed25519 {what} in PEM", path.display())]
    Kind {
        /// Which.
        path: PathBuf,
        /// `public key` or `private key`.
        what: &'static str,
    },
}

/// The public keys that may answer for a component.
#[derive(Clone, Default)]
pub struct Keys(Vec<UnparsedPublicKey<[u8; 32]>>);

impl Keys {
    /// Reads keys from PEM files.
    ///
    /// # Errors
    /// If one of them is not an Ed25519 public key.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        paths.iter().map(|path| public(path)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none, so that components need no signature.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the keys signed these bytes.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], signature: &str) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature.trim()) else { return false };
        self.0.iter().any(|key| key.verify(bytes, &signature).is_ok())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// A private key that signs components.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads a key from a PEM file (PKCS #8).
    ///
    /// # Errors
    /// If it is no such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let kind = || KeyError::Kind { path: path.to_owned(), what: "private key" };
        let der = pem(path, "PRIVATE KEY")?.ok_or_else(kind)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| kind())
    }

    /// The text of a signature's file.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        let mut text = BASE64_STANDARD.encode(self.0.sign(bytes).as_ref());
        text.push('\n');
        text
    }

    /// Its public half in PEM, for `plugins.keys`.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let mut der = PUBLIC_PREFIX.to_vec();
        der.extend_from_slice(self.0.public_key().as_ref());
        let text = BASE64_STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }
}

/// Where the signature of a component lies.
pub fn beside(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

fn public(path: &Path) -> Result<UnparsedPublicKey<[u8; 32]>, KeyError> {
    let der = pem(path, "PUBLIC KEY")?;
    let raw = der.as_deref().and_then(|der| der.strip_prefix(&PUBLIC_PREFIX));
    let key: Option<[u8; 32]> = raw.and_then(|raw| raw.try_into().ok());
    let key = key.ok_or_else(|| KeyError::Kind { path: path.to_owned(), what: "public key" })?;
    Ok(UnparsedPublicKey::new(&ED25519, key))
}

/// The bytes of the block of this name, if the file has one.
fn pem(path: &Path, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
        .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    let (begin, end) = (format!("-----BEGIN {name}-----"), format!("-----END {name}-----"));
    let block = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    let Some((block, _)) = block else { return Ok(None) };
    let plain: Zeroizing<String> =
        Zeroizing::new(block.chars().filter(|letter| !letter.is_whitespace()).collect());
    Ok(BASE64_STANDARD.decode(plain.as_bytes()).ok().map(Zeroizing::new))
}
