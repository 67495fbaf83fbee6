//! Which kinds of span somebody looks for in answers.
//!
//! A rule that redacts a kind nobody looks for finds nothing, and nothing would say so. So a kind that
//! a rule names must be announced by a plugin that looks at answers, or stand in a line of
//! configuration that accepts its absence. Which tools a plugin looks at is not asked here: that is
//! a line which somebody wrote, in the plugin's description or in configuration.

use std::collections::BTreeSet;

/// The kinds that a set of plugins finds in answers, and those that may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// What plugins that look at answers find.
    pub kinds: BTreeSet<String>,
    /// What an operator accepts to be found by nobody; `*` for everything.
    pub without: BTreeSet<String>,
}

impl Announced {
    /// Whether a rule that redacts this kind (`*` for every one) does so for a set that looks for it,
    /// or that may lack it.
    #[must_use]
    pub fn covers(&self, kind: &str) -> bool {
        let found = if kind == "*" { !self.kinds.is_empty() } else { self.kinds.contains(kind) };
        found || self.accepts(kind)
    }

    /// Whether configuration says that nobody has to look for it.
    #[must_use]
    pub fn accepts(&self, kind: &str) -> bool {
        self.without.contains(kind) || self.without.contains("*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_announced_or_accepted() {
        let set = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        for (kinds, without, kind, covered) in [
            (&["email"][..], &[][..], "email", true),
            (&["email"], &[], "person", false),
            (&["email"], &[], "*", true),
            (&[], &[], "*", false),
            (&[], &["email"], "email", true),
            (&[], &["email"], "*", false),
            (&[], &["*"], "email", true),
            (&[], &["*"], "*", true),
        ] {
            let announced = Announced { kinds: set(kinds), without: set(without) };
            assert_eq!(announced.covers(kind), covered, "{kinds:?} {without:?} {kind}");
        }
    }
}
