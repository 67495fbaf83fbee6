//! What a record shows of a call: what it was about, and nothing that could be somebody's data.
//!
//! Arguments are a keyed digest. Names of tools, prompts and tasks are shown (of a tool that there is not,
//! it is what the client wrote); the address of a resource is the client's text, which can be anybody's (`mailto:...`), so of it the
//! scheme is shown and the rest is a keyed digest, too: equal ones can be told to be equal.

use super::Gate;
use crate::domain::{Call, CallFacts, Digest, Subject};
use crate::store::Sealer;

/// What a record shows of a call's digest: keyed, so that short arguments cannot be guessed.
#[must_use]
pub fn recorded_digest(sealer: &Sealer, call: Digest) -> Digest {
    sealer.mac("portcullis/arguments/v1", &[call.as_bytes()])
}

/// What a record shows of a subject.
fn recorded_subject(sealer: &Sealer, subject: &Subject) -> Subject {
    let keyed = |text: &str| {
        let digest = sealer.mac("portcullis/subject/v1", &[text.as_bytes()]);
        format!("~{}", digest.short())
    };
    match subject {
        Subject::Resource { uri } => {
            let scheme = uri.split_once(':').map(|(scheme, _)| scheme).filter(|it| is_scheme(it));
            let scheme = scheme.map(|scheme| format!("{scheme}:")).unwrap_or_default();
            Subject::Resource { uri: format!("{scheme}{}", keyed(uri)) }
        }
        Subject::Prompt { name } if !is_name(name) => Subject::Prompt { name: keyed(name) },
        shown => shown.clone(),
    }
}

/// RFC 3986, 3.1; a longer one is no scheme that anybody uses.
fn is_scheme(text: &str) -> bool {
    let plain = |one: u8| one.is_ascii_alphanumeric() || b"+-.".contains(&one);
    (1..=16).contains(&text.len())
        && text.starts_with(|one: char| one.is_ascii_alphabetic())
        && text.bytes().all(plain)
}

/// Whether a text is a name as servers give them, and not a sentence or an address.
fn is_name(text: &str) -> bool {
    let plain = |one: u8| one.is_ascii_alphanumeric() || b"_-./".contains(&one);
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

impl Gate {
    /// The facts of a call for its record.
    pub(super) fn facts_of(&self, call: &Call) -> CallFacts {
        let subject = recorded_subject(&self.sealer, &call.subject);
        CallFacts::of(call, subject, self.keyed(call))
    }

    /// The digest of a call for records.
    pub(super) fn keyed(&self, call: &Call) -> Digest {
        recorded_digest(&self.sealer, call.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_wrote_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::load(folder.path()).unwrap();
        let resource = |uri: &str| Subject::Resource { uri: uri.to_owned() };
        let prompt = |name: &str| Subject::Prompt { name: name.to_owned() };
        let shown = |subject: &Subject| match recorded_subject(&sealer, subject) {
            Subject::Resource { uri: text } | Subject::Prompt { name: text } => text,
            other => format!("{other:?}"),
        };
        for (subject, start) in [
            (resource("mailto:anna@example.com"), "mailto:~"),
            (resource("https://example.com/anna"), "https:~"),
            (resource("anna@example.com"), "~"),
            (resource("anna example:com"), "~"),
            (resource(""), "~"),
            (prompt("anna@example.com"), "~"),
            (prompt("summary"), "summary"),
        ] {
            let text = shown(&subject);
            assert!(text.starts_with(start) && !text.contains("anna"), "{text}");
            assert_eq!(text, shown(&subject), "equal ones can be told to be equal");
        }
        assert_ne!(shown(&resource("mailto:a@b.c")), shown(&resource("mailto:a@b.d")));
    }
}
