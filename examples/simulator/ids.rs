//! The spellings of one object's id: plain, with a prefix, or as a link of the web application.
//!
//! Accepts what Intercom documents and nothing else; where a tool takes only one kind of object, a prefix of another kind is
//! not an id.

use super::data::APP;
use super::options::Region;

/// Kinds of objects that links and prefixes can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Conversation,
    Contact,
    Company,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Conversation, Kind::Contact, Kind::Company];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Conversation => "conversation_",
            Kind::Contact => "contact_",
            Kind::Company => "company_",
        }
    }

    /// The id with its prefix.
    pub(super) fn prefixed(self, id: &str) -> String {
        format!("{}{id}", self.prefix())
    }

    /// The object's page in the web application.
    pub(super) fn link(self, id: &str, region: Region) -> String {
        let host = match region {
            Region::Us => "app.intercom.com",
            Region::Eu => "app.eu.intercom.com",
        };
        match self {
            Kind::Conversation => format!("https://{host}/a/inbox/{APP}/inbox/conversation/{id}"),
            Kind::Contact => format!("https://{host}/a/apps/{APP}/users/{id}/all-conversations"),
            Kind::Company => format!("https://{host}/a/apps/{APP}/companies/{id}/users"),
        }
    }
}

/// The plain id of an object of a known kind.
pub(super) fn plain(kind: Kind, text: &str) -> Option<&str> {
    match named(text) {
        Some((found, id)) => (found == kind).then_some(id),
        None => is_plain(text).then_some(text),
    }
}

/// Kind and plain id of a spelling that names its kind.
pub(super) fn named(text: &str) -> Option<(Kind, &str)> {
    if let Some(path) = app_path(text) {
        return from_path(path);
    }
    Kind::ALL
        .into_iter()
        .find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))
        .filter(|(_, id)| is_plain(id))
}

fn app_path(text: &str) -> Option<&str> {
    [
        "https://app.intercom.com/a/",
        "https://app.eu.intercom.com/a/",
        "https://app.au.intercom.com/a/",
    ]
    .into_iter()
    .find_map(|start| text.strip_prefix(start))
}

fn from_path(path: &str) -> Option<(Kind, &str)> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let found = segments.windows(2).find_map(|pair| match *pair {
        ["conversation" | "conversations", id] => Some((Kind::Conversation, id)),
        ["users" | "contacts", id] => Some((Kind::Contact, id)),
        ["companies", id] => Some((Kind::Company, id)),
        _ => None,
    });
    found.filter(|(_, id)| is_plain(id))
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        use Kind::*;
        let cases = [
            (Conversation, "215470000000101", Some("215470000000101")),
            (Conversation, "conversation_215470000000101", Some("215470000000101")),
            (
                Conversation,
                "https://app.intercom.com/a/inbox/_/inbox/conversation/215470000000101",
                Some("215470000000101"),
            ),
            (
                Conversation,
                "https://app.eu.intercom.com/a/inbox/x/inbox/admin/1/conversation/9?view=List#part",
                Some("9"),
            ),
            (Conversation, "contact_66b0", None),
            (Conversation, "https://evil.example/a/inbox/_/inbox/conversation/1", None),
            (Conversation, "conversation_", None),
            (Conversation, "12 3", None),
            (Contact, "contact_66b0c0de0000000000000a01", Some("66b0c0de0000000000000a01")),
            (
                Contact,
                "c9b1c1de-0000-4000-8000-000000000000",
                Some("c9b1c1de-0000-4000-8000-000000000000"),
            ),
            (
                Contact,
                "https://app.intercom.com/a/apps/ws/users/66b0/all-conversations",
                Some("66b0"),
            ),
            (Company, "company_66c0", Some("66c0")),
            (Company, "https://app.intercom.com/a/apps/ws/companies/66c0/users", Some("66c0")),
        ];
        for (kind, text, want) in cases {
            assert_eq!(plain(kind, text), want, "{text}");
        }
    }

    #[test]
    fn a_link_leads_back_to_its_object() {
        for kind in Kind::ALL {
            for region in [Region::Us, Region::Eu] {
                assert_eq!(named(&kind.link("66b0", region)), Some((kind, "66b0")));
            }
        }
    }
}
