//! Text that must not be seen: tokens and keys. Wiped from memory when dropped, hidden from debug
//! output, logs and serializers; the one way to its text is [`Secret::expose`], which is easy to
//! find in review.

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text; the caller must not keep a copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Stands for one that is kept elsewhere and was not read.
    pub(super) fn unread() -> Self {
        Self::new(String::new())
    }

    /// The text. Every use of this is a place where a secret may leave.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is wrong with it as a credential somebody chose, if anything: empty, short, a
    /// well-known default, or made of a handful of characters. Never shows the secret.
    #[must_use]
    pub fn weakness(&self) -> Option<&'static str> {
        const PLACEHOLDERS: [&str; 12] = [
            "changeme",
            "change-me",
            "change_me",
            "replace-me",
            "replaceme",
            "placeholder",
            "your-token",
            "your_token",
            "yourtoken",
            "example",
            "dummy",
            "password",
        ];
        let text = self.expose();
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let mut distinct: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
        distinct.sort_unstable();
        distinct.dedup();
        if text.is_empty() {
            Some("is empty")
        } else if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
            Some("is a placeholder, not a secret")
        } else if text.chars().count() < 16 {
            Some("is shorter than 16 characters")
        } else if distinct.len() < 6 {
            Some("repeats a handful of characters")
        } else {
            None
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn nothing_but_expose_shows_it() {
        let secret = Secret::new("tok_0123456789abcdef".to_owned());
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("0123"), "{shown}");
        assert_eq!(secret.expose(), "tok_0123456789abcdef");
    }

    #[test]
    fn weak_secrets_are_named() {
        for (text, expected) in [
            ("", Some("is empty")),
            ("changeme", Some("is a placeholder, not a secret")),
            ("CHANGEME-CHANGEME-CHANGEME", Some("is a placeholder, not a secret")),
            ("<your-token-here-please>", Some("is a placeholder, not a secret")),
            ("0123456789abcde", Some("is shorter than 16 characters")),
            ("xxxxxxxxxxxxxxxxxxxxxxxx", Some("repeats a handful of characters")),
            ("0123456789abcdef", None),
        ] {
            assert_eq!(Secret::new(text.to_owned()).weakness(), expected, "{text}");
        }
    }
}
