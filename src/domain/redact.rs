//! What policy may want done to a span that a judge saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Party;

/// What happens to a span. Ordered by strictness; the strictest that any rule demands wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It stays.
    Keep,
    /// A stand-in that Portcullis can turn back.
    Pseudonym,
    /// What lets a person recognise it: `j***@acme.com`, the last four digits.
    Partial,
    /// Something less exact: the year of a birth date, the country of an address.
    Generalise,
    /// The name of its kind.
    Mask,
    /// Nothing, and neither the value that it stands in.
    Drop,
    /// The whole answer is refused.
    Block,
}

impl How {
    /// Every way, the weakest first.
    pub const ALL: [Self; 7] = [
        Self::Keep,
        Self::Pseudonym,
        Self::Partial,
        Self::Generalise,
        Self::Mask,
        Self::Drop,
        Self::Block,
    ];

    /// The word in Rego and in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Pseudonym => "pseudonym",
            Self::Partial => "partial",
            Self::Generalise => "generalise",
            Self::Mask => "mask",
            Self::Drop => "drop",
            Self::Block => "block",
        }
    }
}

/// Which spans a rule is about, and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redact {
    /// The kinds; `*` for every one.
    pub kinds: Vec<String>,
    /// Whose values; empty for everybody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// Where: JSON Pointers in which `*` is any step and `**` any number of them; empty for
    /// everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The lowest confidence that counts, from 0 to 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub least: u8,
    /// What happens to them.
    pub how: How,
    /// How many of each kind it was done to; set when it is done.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub done: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(least: &u8) -> bool {
    *least == 0
}

impl Redact {
    /// Whether it is about a span of this kind.
    #[must_use]
    pub fn is_about(&self, kind: &str) -> bool {
        self.kinds.iter().any(|own| own == kind || own == "*")
    }

    /// What it does to them, in words.
    #[must_use]
    pub fn way(&self) -> String {
        let mut way = match self.how {
            How::Keep => "kept".to_owned(),
            how => how.as_str().to_owned(),
        };
        if !self.parties.is_empty() {
            let parties: Vec<&str> = self.parties.iter().map(|party| party.as_str()).collect();
            way.push_str(&format!(" for {}", parties.join(" and ")));
        }
        if !self.paths.is_empty() {
            way.push_str(&format!(" in {}", self.paths.join(" and ")));
        }
        if self.least > 0 {
            way.push_str(&format!(" from {} % on", self.least));
        }
        way
    }

    /// Whether it is about spans that stand here.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|pattern| matches(pattern, path))
    }
}

/// Whether a path fits a pattern. Both are JSON Pointers; what is outside of a tool's payload begins
/// with `$` in both.
fn matches(pattern: &str, path: &str) -> bool {
    let steps = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, path) = (steps(pattern), steps(path));
    // Which beginnings of the path the pattern so far fits.
    let mut fits = vec![false; path.len() + 1];
    if let Some(first) = fits.first_mut() {
        *first = true;
    }
    for step in &pattern {
        let mut next = vec![false; path.len() + 1];
        let mut some = false;
        for at in 0..=path.len() {
            let here = fits.get(at).copied().unwrap_or_default();
            some |= here;
            let before = at.checked_sub(1);
            let one = before.is_some_and(|before| {
                let fits = fits.get(before).copied().unwrap_or_default();
                // The step before the first slash is empty, or `$`.
                let is_any = step == "*" && before > 0;
                fits && (is_any || path.get(before) == Some(step))
            });
            if let Some(slot) = next.get_mut(at) {
                *slot = if step == "**" { some && at > 0 } else { one };
            }
        }
        fits = next;
    }
    fits.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_paths() {
        for (pattern, path, fits) in [
            ("/source/body", "/source/body", true),
            ("/source/body", "/source/body/x", false),
            ("/*/body", "/source/body", true),
            ("/*/body", "/a/b/body", false),
            ("/**/name", "/source/author/name", true),
            ("/**/name", "/name", true),
            ("/**/name", "$/name", false),
            ("/**", "/a/b", true),
            ("/**", "", true),
            ("$/**", "$/content/0/text", true),
            ("$/content/*/text", "$/content/0/text", true),
            ("/custom_attributes/**", "/custom_attributes/a", true),
            ("/custom_attributes/**", "/custom_attributes", true),
            ("/a/**/b/**/c", "/a/x/b/y/z/c", true),
            ("/a/**/b/**/c", "/a/x/y/z/c", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn stricter_is_greater_and_words_are_read_back() {
        assert!(How::ALL.is_sorted());
        for how in How::ALL {
            let text = serde_json::to_string(&how).unwrap();
            assert_eq!(text, format!("\"{}\"", how.as_str()));
            assert_eq!(serde_json::from_str::<How>(&text).unwrap(), how);
        }
    }
}
