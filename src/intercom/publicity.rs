//! What a call would do to what customers can read: by this people sort what waits, and a release
//! that publishes asks for a fresh proof.
//!
//! What the object is now may not be known. A call that names a state is then taken to change it,
//! which asks for more and never for less.

use serde_json::Value;

use crate::domain::{JsonText, Risk};

/// What a call would do to what is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Publicity {
    /// Nothing: what it changes only teammates see.
    Private,
    /// It is not known.
    Unknown,
    /// It changes what is published and stays so.
    Overwrites,
    /// It makes something public.
    Publishes,
    /// It takes something away from the public.
    Unpublishes,
}

impl Publicity {
    /// What a call with these arguments would do, if its target has this state now.
    #[must_use]
    pub fn of(tool: &str, arguments: &JsonText, now: Option<&str>) -> Self {
        let arguments: Value = serde_json::from_str(arguments.as_str()).unwrap_or_default();
        // A state of another kind than a text is refused by the schema; it must not count as none.
        let wanted = arguments.get("state").map(|state| state.as_str().unwrap_or("published"));
        match (tool, wanted, now) {
            ("add_internal_note", ..) => Self::Private,
            ("create_article", None | Some("draft"), _) => Self::Private,
            ("create_article", Some(_), _) => Self::Publishes,
            ("update_article", None | Some("draft"), Some("draft")) => Self::Private,
            ("update_article", Some("draft"), _) => Self::Unpublishes,
            ("update_article", None | Some("published"), Some("published")) => Self::Overwrites,
            ("update_article", None, _) => Self::Unknown,
            ("update_article", Some(_), _) => Self::Publishes,
            _ => Self::Unknown,
        }
    }

    /// Whether it publishes or unpublishes.
    #[must_use]
    pub const fn is_changed(self) -> bool {
        matches!(self, Self::Publishes | Self::Unpublishes)
    }

    /// How much harm it can do.
    #[must_use]
    pub const fn risk(self) -> Risk {
        match self {
            Self::Private => Risk::Low,
            Self::Unknown => Risk::Medium,
            Self::Overwrites | Self::Publishes | Self::Unpublishes => Risk::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Publicity::{Overwrites, Private, Publishes, Unknown, Unpublishes};

    #[test]
    fn what_is_not_known_counts_as_more() {
        let (draft, public) = (Some("draft"), Some("published"));
        for (tool, wanted, now, expected) in [
            ("create_article", "{}", None, Private),
            ("create_article", r#"{"state":"draft"}"#, None, Private),
            ("create_article", r#"{"state":"published"}"#, None, Publishes),
            ("create_article", r#"{"state":7}"#, None, Publishes),
            ("update_article", "{}", None, Unknown),
            ("update_article", "{}", draft, Private),
            ("update_article", "{}", public, Overwrites),
            ("update_article", r#"{"state":"draft"}"#, None, Unpublishes),
            ("update_article", r#"{"state":"draft"}"#, draft, Private),
            ("update_article", r#"{"state":"draft"}"#, public, Unpublishes),
            ("update_article", r#"{"state":"published"}"#, None, Publishes),
            ("update_article", r#"{"state":"published"}"#, draft, Publishes),
            ("update_article", r#"{"state":"published"}"#, public, Overwrites),
            ("update_article", r#"{"state":"new"}"#, public, Publishes),
            ("update_article", "{}", Some("new"), Unknown),
            ("add_internal_note", "{}", None, Private),
            ("delete_everything", "{}", None, Unknown),
        ] {
            let arguments = JsonText::from_valid(wanted.to_owned().into_bytes().into());
            let found = Publicity::of(tool, &arguments, now);
            assert_eq!(found, expected, "{tool} {wanted} {now:?}");
        }
    }
}
