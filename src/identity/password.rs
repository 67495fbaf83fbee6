//! Passwords of local accounts: what is good enough, what is kept, how it is compared.
//!
//! Kept is an Argon2id hash with OWASP's parameters (19 MiB, two passes), as a PHC text, so that
//! parameters may grow while old hashes still work. Every look takes some 20 ms and 19 MiB, so
//! callers bound how many run at once. Passwords are compared in Unicode's NFKC form: two keyboards
//! may write one letter in two ways.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::config::Secret;

/// Characters that a password must have.
pub(super) const SHORTEST: usize = 12;
/// Bytes that are looked at; longer ones are refused.
const LONGEST: usize = 1024;
/// Salt, in bytes.
const SALT: usize = 16;
/// Words that many take where twelve characters are asked for.
const COMMON: [&str; 12] = [
    "password",
    "passwort",
    "portcullis",
    "intercom",
    "123456",
    "qwerty",
    "abcdef",
    "letmein",
    "changeme",
    "iloveyou",
    "welcome",
    "admin",
];

/// What is wrong with a password, or why it was not taken. Never shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Guessed in no time.
    #[error("the password has fewer than 12 characters; take a longer one, such as four words")]
    Short,
    /// More than anybody types.
    #[error("the password has more than 1024 bytes")]
    Long,
    /// The first thing that is tried.
    #[error("the password is little more than your name; take another one")]
    Name,
    /// The second.
    #[error("the password is little more than a word that everybody tries; take another one")]
    Common,
    /// `aaaaaaaaaaaa`.
    #[error("the password repeats a handful of characters; take another one")]
    Repeats,
    /// The system gave no randomness, or no memory.
    #[error("the password could not be hashed; nothing was changed")]
    Failed,
}

/// Checks a new password of somebody.
///
/// # Errors
/// If it is easily guessed.
pub(super) fn check(password: &Secret, name: &str) -> Result<(), PasswordError> {
    if password.expose().len() > LONGEST {
        return Err(PasswordError::Long);
    }
    let text = normal(password);
    if text.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    let lower = Zeroizing::new(text.to_lowercase());
    let mut letters = Zeroizing::new(lower.chars().collect::<Vec<char>>());
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 5 {
        return Err(PasswordError::Repeats);
    }
    // What is left without the word must still be a password of some length.
    let weak_with = |word: &str| {
        let rest = Zeroizing::new(lower.replace(word, ""));
        !word.is_empty() && rest.chars().count() < SHORTEST - 4 && rest.len() < lower.len()
    };
    let name = name.to_lowercase();
    let local = name.split('@').next().unwrap_or_default();
    if weak_with(&name) || (local.len() > 2 && weak_with(local)) {
        return Err(PasswordError::Name);
    }
    if COMMON.iter().any(|word| weak_with(word)) {
        return Err(PasswordError::Common);
    }
    Ok(())
}

/// What is kept of a password. Takes some 20 ms.
pub(super) fn hash(password: &Secret) -> Result<String, PasswordError> {
    let salt = crate::store::random::<SALT>().map_err(|_| PasswordError::Failed)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::Failed)?;
    let hash = hasher().hash_password(normal(password).as_bytes(), &salt);
    Ok(hash.map_err(|_| PasswordError::Failed)?.to_string())
}

/// Whether a password is the one that was kept. Takes some 20 ms, whatever the answer; `None`
/// stands for nobody's.
pub(super) fn is(password: &Secret, kept: Option<&str>) -> bool {
    // For names that do not exist the same work is done, so that time tells nothing.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                          $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.expose().len() > LONGEST {
        return false;
    }
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    let same = hasher().verify_password(normal(password).as_bytes(), &hash).is_ok();
    same && kept.is_some()
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn normal(password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(password.expose().nfkc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        for (password, name, expected) in [
            ("short", "jane", Err(PasswordError::Short)),
            ("elevenchars", "jane", Err(PasswordError::Short)),
            ("aaaaaaaaaaaa", "jane", Err(PasswordError::Repeats)),
            ("janejanejane", "jane", Err(PasswordError::Repeats)),
            ("Jane.Miller@example.com", "jane.miller@example.com", Err(PasswordError::Name)),
            ("jane.miller12", "jane.miller@example.com", Err(PasswordError::Name)),
            ("password12345", "jane", Err(PasswordError::Common)),
            ("Portcullis-2026", "jane", Err(PasswordError::Common)),
            ("twelve chars", "jane", Ok(())),
            ("correct horse battery", "jane", Ok(())),
            ("zwölf zeichen", "jane", Ok(())),
        ] {
            assert_eq!(check(&secret(password), name), expected, "{password}");
        }
        assert_eq!(check(&secret(&"ab cd".repeat(300)), "jane"), Err(PasswordError::Long));
    }

    #[test]
    fn a_password_is_known_again_in_either_spelling_and_no_other() {
        let kept = hash(&secret("gr\u{fc}ne wiesen im mai")).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(is(&secret("gru\u{308}ne wiesen im mai"), Some(&kept)));
        for wrong in ["grune wiesen im mai", "", "gr\u{fc}ne wiesen im mai "] {
            assert!(!is(&secret(wrong), Some(&kept)), "{wrong}");
        }
        assert!(!is(&secret("gr\u{fc}ne wiesen im mai"), None));
        assert!(!is(&secret("gr\u{fc}ne wiesen im mai"), Some("plain text")));
        assert_ne!(kept, hash(&secret("gr\u{fc}ne wiesen im mai")).unwrap(), "salted");
    }
}
