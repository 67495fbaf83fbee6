//! Names of things, each its own type.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The position of a record in the log, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl std::fmt::Display for Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A call's own identifier (UUID version 7): never a client's request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub uuid::Uuid);

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not an identifier of the expected kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not {what}")]
pub struct ParseIdError {
    text: String,
    what: &'static str,
}

impl ParseIdError {
    pub(super) fn new(text: &str, what: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), what }
    }
}

/// A hold's identifier: 128 random bits, written `hold_<32 hex digits>`. Unguessable, because an
/// agent may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u128);

impl HoldId {
    /// From 128 bits that the caller drew from a secure source.
    #[must_use]
    pub const fn from_random(bits: u128) -> Self {
        Self(bits)
    }
}

impl std::fmt::Display for HoldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hold_{:032x}", self.0)
    }
}

impl std::str::FromStr for HoldId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError::new(text, "a hold id (`hold_` and 32 hex digits)");
        let hex = text.strip_prefix("hold_").ok_or_else(wrong)?;
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != 32 || !hex.bytes().all(digits) {
            return Err(wrong());
        }
        u128::from_str_radix(hex, 16).map(Self).map_err(|_| wrong())
    }
}

impl Serialize for HoldId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HoldId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(ParseIdError::new(text, $what)) }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// Who calls. 1 to 128 of `A-Z a-z 0-9 . _ @ : -`: safe in logs, paths, shells and Rego.
    PrincipalId,
    "a principal's name (1 to 128 of `A-Z a-z 0-9 . _ @ : -`)"
);
name!(
    /// Who may release a hold; a type of its own, so that a principal can never stand in for one.
    ApproverId,
    "an approver's name (1 to 128 of `A-Z a-z 0-9 . _ @ : -`)"
);

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@:-".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{HoldId, PrincipalId};

    #[test]
    fn hold_ids_round_trip_and_refuse_other_spellings() {
        let id = HoldId::from_random(0xabc);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "hold_",
            "hold_ABCD",
            "HOLD_00000000000000000000000000000abc",
            "abc",
            "hold_+0000000000000000000000000000abc",
        ] {
            assert!(bad.parse::<HoldId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_refuse_what_could_break_a_line() {
        for bad in ["", "a b", "a\nb", "é", "a/b", &"x".repeat(129)] {
            assert!(bad.parse::<PrincipalId>().is_err(), "{bad:?}");
        }
        assert!("ci-bot@example.com".parse::<PrincipalId>().is_ok());
    }
}
