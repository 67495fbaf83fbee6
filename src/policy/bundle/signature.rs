//! `.signatures.json`: who answers for a bundle, in OPA's form.
//!
//! The file holds JSON Web Tokens; each names every file of the bundle with its SHA-256. A bundle is
//! signed if one token is good under one of the configured keys and names exactly the files that are
//! there. The algorithm is the key's own, never the token's choice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{MANIFEST, Members, SIGNATURES};
use crate::policy::problem::Problem;

/// Bytes of the largest key file.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// Tokens of one bundle that are looked at.
const MAX_TOKENS: usize = 10;
/// The only hash that is used.
const SHA_256: &str = "SHA-256";
/// How deep a value may go whose hash is that of its value.
const MAX_DEPTH: usize = 64;
/// Files whose hash is that of their value, not of their bytes, as OPA has it.
const STRUCTURED: [&str; 2] = [MANIFEST, "data.json"];

/// How a bundle is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The word in tokens and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    const fn of_token(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }

    fn public(self, pem: &[u8]) -> Option<DecodingKey> {
        let read = match self {
            Self::EdDsa => DecodingKey::from_ed_pem,
            Self::Es256 => DecodingKey::from_ec_pem,
            Self::Rs256 => DecodingKey::from_rsa_pem,
        };
        read(pem).ok()
    }

    fn private(self, pem: &[u8]) -> Option<EncodingKey> {
        let read = match self {
            Self::EdDsa => EncodingKey::from_ed_pem,
            Self::Es256 => EncodingKey::from_ec_pem,
            Self::Rs256 => EncodingKey::from_rsa_pem,
        };
        read(pem).ok()
    }
}

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
    #[error("`{}` holds no {what} in PEM (EdDSA, ES256 on P-256, or RS256)", path.display())]
    Kind {
        /// Which.
        path: PathBuf,
        /// `public key` or `private key`.
        what: &'static str,
    },
    /// It did not sign.
    #[error("the bundle cannot be signed: {0}")]
    Sign(String),
}

/// The public keys that may answer for a bundle.
#[derive(Clone, Default)]
pub struct Keys(Vec<(Algorithm, DecodingKey)>);

impl Keys {
    /// Reads keys from PEM files.
    ///
    /// # Errors
    /// If one of them is not a public key.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        paths.iter().map(|path| Self::of_file(path)).collect::<Result<_, _>>().map(Self)
    }

    fn of_file(path: &Path) -> Result<(Algorithm, DecodingKey), KeyError> {
        let pem = read_key(path)?;
        // The reader of PEM takes the two halves of an RSA key for one another.
        Algorithm::ALL
            .into_iter()
            .filter(|_| !is_private(&pem))
            .find_map(|algorithm| Some((algorithm, algorithm.public(&pem)?)))
            .ok_or_else(|| KeyError::Kind { path: path.to_owned(), what: "public key" })
    }

    /// Whether there are none, so that bundles need no signature.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// A private key that signs bundles.
pub struct SigningKey {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl SigningKey {
    /// Reads a key from a PEM file. The algorithm is the key's; if one is asked for, it must be that.
    ///
    /// # Errors
    /// If it is no such key.
    pub fn read(path: &Path, asked: Option<Algorithm>) -> Result<Self, KeyError> {
        let pem = read_key(path)?;
        Algorithm::ALL
            .into_iter()
            .filter(|algorithm| is_private(&pem) && asked.is_none_or(|asked| asked == *algorithm))
            .find_map(|algorithm| Some(Self { algorithm, key: algorithm.private(&pem)? }))
            .ok_or_else(|| KeyError::Kind { path: path.to_owned(), what: "private key" })
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn is_private(pem: &[u8]) -> bool {
    pem.windows(11).any(|part| part == b"PRIVATE KEY")
}

fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    use std::io::Read as _;
    let mut pem = Zeroizing::new(Vec::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_KEY_BYTES as u64).read_to_end(&mut pem))
        .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    Ok(pem)
}

/// The file of signatures.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    signatures: Vec<String>,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    files: Vec<Signed>,
    /// OPA's word for what a key may be used for; nobody configures one here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    name: String,
    hash: String,
    algorithm: String,
}

/// The signature file of these members.
pub(super) fn sign(members: &Members, key: &SigningKey) -> Result<Vec<u8>, KeyError> {
    let hashes = hashes(members).map_err(|problem| KeyError::Sign(problem.to_string()))?;
    let files = hashes
        .into_iter()
        .map(|(name, hash)| Signed { name, hash, algorithm: SHA_256.to_owned() })
        .collect();
    let claims = Claims { files, scope: String::new() };
    let header = Header::new(key.algorithm.of_token());
    let token = jsonwebtoken::encode(&header, &claims, &key.key)
        .map_err(|error| KeyError::Sign(error.to_string()))?;
    Ok(crate::domain::JsonText::of(&Signatures { signatures: vec![token] }).bytes().to_vec())
}

/// Checks that one of the keys signed exactly these members.
pub(super) fn verify(members: &Members, keys: &Keys) -> Result<(), Problem> {
    let problem = |text: String| Problem::of_file(SIGNATURES, text);
    let Some(bytes) = members.get(SIGNATURES) else {
        let text = "the bundle is not signed, but keys are configured: sign it with `portcullis \
                    policy bundle sign`";
        return Err(Problem::of_bundle(text));
    };
    let file: Signatures = serde_json::from_slice(bytes)
        .map_err(|error| problem(format!("is no file of signatures: {error}")))?;
    let actual = hashes(members)?;
    let mut why = "holds no signature".to_owned();
    for token in file.signatures.iter().take(MAX_TOKENS) {
        match claims(token, keys).and_then(|claims| compare(claims, &actual)) {
            Ok(()) => return Ok(()),
            Err(reason) => why = reason,
        }
    }
    Err(problem(why))
}

/// What a token says, if one of the keys made it.
fn claims(token: &str, keys: &Keys) -> Result<Claims, String> {
    let header = jsonwebtoken::decode_header(token)
        .map_err(|error| format!("holds a token that cannot be read: {error}"))?;
    let mut why = "holds a signature of another algorithm than the configured keys'".to_owned();
    for (algorithm, key) in &keys.0 {
        if header.alg != algorithm.of_token() {
            continue;
        }
        let mut validation = Validation::new(algorithm.of_token());
        // OPA's tokens need not end; one that ended is refused.
        validation.required_spec_claims.clear();
        validation.validate_nbf = true;
        validation.validate_aud = false;
        match jsonwebtoken::decode::<Claims>(token, key, &validation) {
            Ok(data) => return Ok(data.claims),
            Err(error) => why = format!("is not signed by a configured key: {error}"),
        }
    }
    Err(why)
}

/// Whether what was signed is what is there: every file, and no other.
fn compare(claims: Claims, actual: &BTreeMap<String, String>) -> Result<(), String> {
    if !claims.scope.is_empty() {
        return Err(format!("was signed for the scope `{}`, not for this", claims.scope));
    }
    let mut missing: BTreeMap<&str, &str> =
        actual.iter().map(|(name, hash)| (name.as_str(), hash.as_str())).collect();
    for signed in &claims.files {
        let name = signed.name.strip_prefix('/').unwrap_or(&signed.name);
        if signed.algorithm != SHA_256 {
            return Err(format!("hashes `{name}` by something else than {SHA_256}"));
        }
        match missing.remove(name) {
            Some(hash) if hash.eq_ignore_ascii_case(&signed.hash) => {}
            Some(_) => return Err(format!("signs another content of `{name}`")),
            None => return Err(format!("signs `{name}`, which the bundle does not have")),
        }
    }
    match missing.keys().next() {
        Some(name) => Err(format!("does not sign `{name}`")),
        None => Ok(()),
    }
}

/// The hash of every file that a signature must name.
fn hashes(members: &Members) -> Result<BTreeMap<String, String>, Problem> {
    let signed = members.iter().filter(|(name, _)| *name != SIGNATURES);
    signed.map(|(name, bytes)| Ok((name.clone(), hash(name, bytes)?))).collect()
}

fn hash(name: &str, bytes: &[u8]) -> Result<String, Problem> {
    let hash = if STRUCTURED.contains(&name) {
        let mut text = String::new();
        canonical(bytes, MAX_DEPTH, &mut text)
            .map_err(|error| Problem::of_file(name, format!("is not JSON: {error}")))?;
        Sha256::digest(text)
    } else {
        Sha256::digest(bytes)
    };
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The value as OPA hashes it: members in order, no white space, numbers as they are spelt.
pub(super) fn canonical(
    json: &[u8],
    depth: usize,
    out: &mut String,
) -> Result<(), serde_json::Error> {
    use serde::de::Error as _;
    let depth =
        depth.checked_sub(1).ok_or_else(|| serde_json::Error::custom("it is nested too deeply"))?;
    let value: &RawValue = serde_json::from_slice(json)?;
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            out.push('{');
            for (index, (key, inner)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&string(key)?);
                out.push(':');
                canonical(inner.get().as_bytes(), depth, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push('[');
            for (index, inner) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                canonical(inner.get().as_bytes(), depth, out)?;
            }
            out.push(']');
        }
        Some(b'"') => out.push_str(&string(&serde_json::from_str::<String>(text)?)?),
        _ => out.push_str(text),
    }
    Ok(())
}

/// A string as Go's encoder writes it.
fn string(text: &str) -> Result<String, serde_json::Error> {
    let quoted = serde_json::to_string(text)?;
    Ok(quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}
