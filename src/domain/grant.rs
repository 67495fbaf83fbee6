//! A grant: a person lets calls like one that waited through for a while.
//!
//! Bounded in everything: one principal, one tool, the values of named arguments, a number of calls,
//! and an hour at most from the approval. It is data for rules, which honour it or do not; it never
//! lifts a denial, and never publishes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ApproverId, CallId, HoldId, ParseIdError, PrincipalId, Timestamp};

/// The most calls of one grant.
pub const GRANT_CALLS: u32 = 20;
/// The longest grant.
pub const GRANT_SPAN: Duration = Duration::from_secs(60 * 60);

/// A grant's identifier: 128 random bits, written `grant_<32 hex digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(u128);

impl GrantId {
    /// From 128 bits that the caller drew from a secure source.
    #[must_use]
    pub const fn from_random(bits: u128) -> Self {
        Self(bits)
    }
}

impl std::fmt::Display for GrantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "grant_{:032x}", self.0)
    }
}

impl std::str::FromStr for GrantId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError::new(text, "a grant id (`grant_` and 32 hex digits)");
        let hex = text.strip_prefix("grant_").ok_or_else(wrong)?;
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != 32 || !hex.bytes().all(digits) {
            return Err(wrong());
        }
        u128::from_str_radix(hex, 16).map(Self).map_err(|_| wrong())
    }
}

impl Serialize for GrantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GrantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a grant lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Whose calls.
    pub principal: PrincipalId,
    /// Of which tool.
    pub tool: String,
    /// Arguments that must be there with exactly this value, as JSON.
    pub only: BTreeMap<String, String>,
    /// How many calls.
    pub calls: u32,
    /// Until when.
    pub until: Timestamp,
    /// Who gave it.
    pub by: ApproverId,
    /// The groups of which whoever gives it must be in one; none asks for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The hold that it was given on.
    pub hold: HoldId,
}

/// What happens to a grant. Each is one record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum GrantEvent {
    /// A person gave it.
    Given(Box<Given>),
    /// It let a call through; recorded before the call is sent.
    Used {
        /// Which call.
        call: CallId,
    },
    /// A person took it back.
    Revoked {
        /// Who.
        by: ApproverId,
    },
}

/// A grant as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// What it lets through.
    #[serde(flatten)]
    pub given: Given,
    /// How many calls it has let through.
    pub used: u32,
}

impl Grant {
    /// How many calls are left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.given.calls.saturating_sub(self.used)
    }

    /// Whether it lets a call of this principal and tool through, that has these arguments by name.
    #[must_use]
    pub fn fits(
        &self,
        principal: &PrincipalId,
        tool: &str,
        arguments: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> bool {
        let given = &self.given;
        given.principal == *principal
            && given.tool == tool
            && now < given.until
            && self.left() > 0
            && given.only.iter().all(|(name, value)| arguments.get(name) == Some(value))
    }
}

/// Whether a value may be a condition of a grant: short and plain, since it stands in the log.
#[must_use]
pub fn is_plain_value(json: &str) -> bool {
    let inner = json.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(json);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    !inner.is_empty() && inner.len() <= 64 && inner.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_fits_what_it_names_and_nothing_else() {
        let only = [("state".to_owned(), r#""draft""#.to_owned())].into();
        let grant = Grant {
            id: GrantId::from_random(7),
            given: Given {
                principal: "bot".parse().unwrap(),
                tool: "create_article".to_owned(),
                only,
                calls: 2,
                until: Timestamp::from_millis(1_000),
                by: "ann".parse().unwrap(),
                groups: Vec::new(),
                hold: HoldId::from_random(1),
            },
            used: 1,
        };
        let fits = |principal: &str, tool: &str, state: &str, at: i64| {
            let arguments =
                [("state".to_owned(), state.to_owned()), ("title".to_owned(), r#""t""#.to_owned())];
            let principal = principal.parse().unwrap();
            grant.fits(&principal, tool, &arguments.into(), Timestamp::from_millis(at))
        };
        assert!(fits("bot", "create_article", r#""draft""#, 999));
        assert!(!fits("bot", "create_article", r#""draft""#, 1_000));
        assert!(!fits("bot", "create_article", r#""published""#, 0));
        assert!(!fits("bot", "update_article", r#""draft""#, 0));
        assert!(!fits("other", "create_article", r#""draft""#, 0));
        let spent = Grant { used: 2, ..grant.clone() };
        let none = BTreeMap::new();
        let bot = "bot".parse().unwrap();
        assert!(!spent.fits(&bot, "create_article", &none, Timestamp::default()));
        assert!(!grant.fits(&bot, "create_article", &none, Timestamp::default()));
        assert_eq!(grant.id.to_string().parse(), Ok(grant.id));
        let text = serde_json::to_string(&grant).unwrap();
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
    }

    #[test]
    fn what_stands_in_the_log_is_plain() {
        for (value, plain) in [
            (r#""draft""#, true),
            ("7000001", true),
            ("true", true),
            (r#""ann@example.com""#, false),
            (r#""two words""#, false),
            (r#""""#, false),
            (r#"{"a":1}"#, false),
        ] {
            assert_eq!(is_plain_value(value), plain, "{value}");
        }
    }
}
