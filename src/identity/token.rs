//! API tokens of people: for scripts that list or decide, each bound to scopes.
//!
//! A token proves a person but never more than its scopes, and is never a principal: another prefix,
//! another file, another type.

use serde::{Deserialize, Serialize};

use super::accounts::{Account, Accounts, AccountsError};
use super::key_file::{digest_of, random_key};
use crate::config::Secret;
use crate::domain::{Digest, Timestamp};

/// How a token begins.
pub(super) const PREFIX: &str = "pct_";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// List and read holds, history and grants.
    #[serde(rename = "holds:read")]
    HoldsRead,
    /// Decide on holds.
    #[serde(rename = "holds:decide")]
    HoldsDecide,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::HoldsRead, Self::HoldsDecide];

    /// The name in commands and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HoldsRead => "holds:read",
            Self::HoldsDecide => "holds:decide",
        }
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scopes are `holds:read` and `holds:decide`")]
pub struct ParseScopeError;

impl std::str::FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(ParseScopeError)
    }
}

/// One token, as the file keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// A short name for lists and revocation; says nothing of the token.
    pub id: String,
    /// Of the token.
    pub(super) hash: Digest,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Whether it is good now.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Accounts {
    /// Makes a token. Its text is returned once and kept nowhere.
    ///
    /// # Errors
    /// If there is no account, or no randomness.
    pub fn add_token(
        &self,
        name: &str,
        scopes: &[Scope],
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<(Token, Secret), AccountsError> {
        let secret = random_key(PREFIX).map_err(|_| AccountsError::Random)?;
        let hash = digest_of(secret.expose().as_bytes());
        let id: String = hash.short().chars().take(8).collect();
        let scopes = scopes.to_vec();
        let token = Token { id, hash, scopes, created_at: now, expires_at, revoked_at: None };
        self.change_one(name, |account| {
            account.tokens.push(token.clone());
            Ok(())
        })?;
        Ok((token, secret))
    }

    /// Revokes a token by its id.
    ///
    /// # Errors
    /// If there is no account, or no such token in force.
    pub fn revoke_token(
        &self,
        name: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Token, AccountsError> {
        self.change_one(name, |account: &mut Account| {
            let tokens = &mut account.tokens;
            let token = tokens.iter_mut().find(|token| token.id == id && token.is_good(now));
            let Some(token) = token else {
                let (name, id) = (account.name.clone(), id.to_owned());
                return Err(AccountsError::NoSuchToken { name, id });
            };
            token.revoked_at = Some(now);
            Ok(token.clone())
        })
    }
}
