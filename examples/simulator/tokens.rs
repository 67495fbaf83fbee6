//! Tokens beside the workspace's own: what each of them may not do.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use super::options::Permission;

/// A token and the permissions that it lacks: `TOKEN`, or `TOKEN=read-articles+write-articles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limited {
    /// The token.
    pub token: String,
    /// What it may not do.
    pub missing: Vec<Permission>,
}

impl FromStr for Limited {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (token, missing) = text.split_once('=').unwrap_or((text, ""));
        if token.is_empty() {
            return Err("expected TOKEN or TOKEN=PERMISSION+PERMISSION".to_owned());
        }
        let missing = missing.split('+').filter(|name| !name.is_empty());
        let missing = missing.map(|name| {
            Permission::from_str(name, false).map_err(|why| format!("`{name}`: {why}"))
        });
        Ok(Self { token: token.to_owned(), missing: missing.collect::<Result<_, _>>()? })
    }
}

impl TryFrom<String> for Limited {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Limited> for String {
    fn from(limited: Limited) -> Self {
        limited.to_string()
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |it: &Permission| it.to_possible_value().map(|it| it.get_name().to_owned());
        let names: Vec<String> = self.missing.iter().filter_map(value).collect();
        match names.is_empty() {
            true => write!(f, "{}", self.token),
            false => write!(f, "{}={}", self.token, names.join("+")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_as_they_are_read() {
        for text in ["tok", "tok=read-articles", "tok=read-articles+write-conversations"] {
            assert_eq!(text.parse::<Limited>().unwrap().to_string(), text);
        }
        for (text, why) in [("", "expected"), ("=read-articles", "expected"), ("tok=x", "`x`")] {
            assert!(text.parse::<Limited>().unwrap_err().contains(why), "{text}");
        }
    }
}
