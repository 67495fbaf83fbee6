//! One object, one spelling: ids in arguments are brought to one form before any rule looks.
//!
//! Intercom takes a conversation as `215470000000101`, `conversation_215470000000101` or a link
//! into its app; a rule that compares ids must not be passed by writing the same id another way.
//! Each id becomes the shortest form that the tool takes: the bare id, or for `fetch` the id with
//! its prefix. What cannot be read in exactly one way is refused, never passed as it came: other
//! hosts, ports, queries, percent-encoding, digits that are not ASCII, leading zeros.
//!
//! Only the ids are written anew, as splices: all other members keep their bytes.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use crate::domain::JsonText;
use crate::mcp::json::{self, Kind, Object};

/// The hosts of links into Intercom's app, by region.
const APP_HOSTS: [&str; 3] = ["app.intercom.com", "app.eu.intercom.com", "app.au.intercom.com"];

/// An argument that holds an id, or a list of ids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdField {
    /// The argument's name.
    pub(super) field: String,
    /// What the id names.
    pub(super) kind: IdKind,
    /// How it is written in JSON.
    pub(super) form: IdForm,
    /// The argument is a list of such ids.
    #[serde(default)]
    pub(super) each: bool,
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdKind {
    /// A conversation: digits.
    Conversation,
    /// A contact: 24 hex digits or a UUID.
    Contact,
    /// A company: 24 hex digits, a UUID or digits.
    Company,
    /// A Help Center article: digits.
    Article,
    /// A conversation, contact or company: the prefix tells which, and stays.
    Any,
    /// A team, teammate, collection or Help Center, which have digits and no other spelling.
    Number,
}

/// Whether an id is a JSON string or a JSON number. Only ids of digits can be numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdForm {
    /// `"123"`
    String,
    /// `123`
    Number,
}

/// An argument whose id was refused: which one and why, without its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{argument}` {fault}; {expected}")]
pub(super) struct IdRefused {
    argument: String,
    fault: Fault,
    expected: &'static str,
}

/// What was wrong with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("is not such an id")]
    Shape,
    #[error("names another kind of object")]
    OtherKind,
    #[error("begins with a zero, which would be a second spelling of the same id")]
    LeadingZero,
    #[error(
        "is a link to another place than https://app.intercom.com, https://app.eu.intercom.com \
         or https://app.au.intercom.com"
    )]
    Host,
    #[error("is a link with a query, a fragment, an escape or an odd character")]
    Decorated,
    #[error("is a link that does not lead to such an object")]
    Path,
    #[error("does not say what it names: a bare id could be a conversation, contact or company")]
    Bare,
}

/// `arguments` with every id of `fields` in its one form; all other members keep their bytes.
/// Members of another JSON type are left for the schema to refuse.
///
/// # Errors
/// The first id that cannot be read in exactly one way.
pub(super) fn normalise(mut arguments: Object, fields: &[IdField]) -> Result<Object, IdRefused> {
    for id in fields {
        let Some(value) = arguments.get(&id.field) else { continue };
        let canonical = if id.each { each(value, id)? } else { one(value, id, None)? };
        if let Some(canonical) = canonical {
            arguments.set(&id.field, canonical);
        }
    }
    Ok(arguments)
}

fn each(value: &JsonText, id: &IdField) -> Result<Option<JsonText>, IdRefused> {
    let Some(elements) = json::elements(value) else { return Ok(None) };
    let mut text = String::with_capacity(value.as_str().len());
    text.push('[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let canonical = one(element, id, Some(at))?;
        text.push_str(canonical.as_ref().unwrap_or(element).as_str());
    }
    text.push(']');
    Ok(Some(JsonText::from_valid(Bytes::from(text))))
}

/// The canonical text of one id, or nothing if the value is neither text nor number.
fn one(value: &JsonText, id: &IdField, at: Option<usize>) -> Result<Option<JsonText>, IdRefused> {
    let text: Cow<'_, str> = match json::kind(value) {
        Kind::String => match json::as_str(value) {
            Some(text) => text,
            None => return Ok(None),
        },
        // A number is taken by its spelling: `1e3`, `1.0` and `-1` are not digits alone.
        Kind::Number => Cow::Borrowed(value.as_str()),
        _ => return Ok(None),
    };
    let refused = |fault| IdRefused {
        argument: at.map_or_else(|| id.field.clone(), |at| format!("{}[{at}]", id.field)),
        fault,
        expected: id.kind.expected(),
    };
    let canonical = canonical(id.kind, &text).map_err(refused)?;
    let written = match id.form {
        // Past 2^53 a reader in JavaScript would see another id than the one that was judged.
        IdForm::Number if canonical.len() > 15 => return Err(refused(Fault::Shape)),
        IdForm::Number => canonical,
        // INVARIANT: a canonical id holds ASCII letters, digits, `_` and `-` only.
        IdForm::String => Cow::Owned(format!("\"{canonical}\"")),
    };
    Ok(Some(JsonText::from_valid(Bytes::from(written.into_owned()))))
}

/// The one form of an id. Idempotent: a canonical id is its own canonical form.
pub(super) fn canonical(kind: IdKind, text: &str) -> Result<Cow<'_, str>, Fault> {
    if kind == IdKind::Number {
        return digits(text).map(Cow::Borrowed);
    }
    let (named, id) = match text.split_once(':') {
        Some((scheme, rest)) => linked(scheme, rest)?,
        None => prefixed(text),
    };
    let named = match (named, kind) {
        (Some(IdKind::Article) | None, IdKind::Any) => {
            return Err(if named.is_some() { Fault::OtherKind } else { Fault::Bare });
        }
        (Some(named), IdKind::Any) => named,
        (Some(named), kind) if named != kind => return Err(Fault::OtherKind),
        (_, kind) => kind,
    };
    let bare = named.bare(id)?;
    Ok(if kind == IdKind::Any { Cow::Owned(format!("{}{bare}", named.prefix())) } else { bare })
}

/// Takes the prefix off, if there is one that Intercom uses.
fn prefixed(text: &str) -> (Option<IdKind>, &str) {
    [IdKind::Conversation, IdKind::Contact, IdKind::Company]
        .into_iter()
        .find_map(|kind| Some((Some(kind), text.strip_prefix(kind.prefix())?)))
        .unwrap_or((None, text))
}

/// Reads a link into Intercom's app, already cut at its first colon.
fn linked<'a>(scheme: &str, rest: &'a str) -> Result<(Option<IdKind>, &'a str), Fault> {
    if scheme != "https" {
        return Err(if scheme.eq_ignore_ascii_case("http") { Fault::Host } else { Fault::Shape });
    }
    let rest = rest.strip_prefix("//").ok_or(Fault::Host)?;
    let (host, path) = rest.split_once('/').ok_or(Fault::Path)?;
    // Compared as a whole: user info, ports, trailing dots and look-alikes are all another host.
    if !APP_HOSTS.contains(&host) {
        return Err(Fault::Host);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
    if !path.bytes().all(plain) {
        return Err(Fault::Decorated);
    }
    let mut segments = [""; 9];
    let mut count = 0;
    for segment in path.split('/') {
        let slot = segments.get_mut(count).ok_or(Fault::Path)?;
        *slot = segment;
        count += 1;
    }
    let segments = segments.get(..count).unwrap_or_default();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(Fault::Path);
    }
    let (kind, id) = match segments {
        ["a", "inbox", _, "inbox", "conversation", id] => (IdKind::Conversation, *id),
        ["a", "inbox", _, "inbox", "admin" | "team", owner, "conversation", id]
            if digits(owner).is_ok() =>
        {
            (IdKind::Conversation, *id)
        }
        ["a", "apps", _, "users", id] | ["a", "apps", _, "users", id, "all-conversations"] => {
            (IdKind::Contact, *id)
        }
        ["a", "apps", _, "companies", id] | ["a", "apps", _, "companies", id, "users"] => {
            (IdKind::Company, *id)
        }
        ["a", "apps", _, "articles", id] => (IdKind::Article, *id),
        _ => return Err(Fault::Path),
    };
    Ok((Some(kind), id))
}

impl IdKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Conversation => "conversation_",
            Self::Contact => "contact_",
            Self::Company => "company_",
            Self::Article | Self::Any | Self::Number => "",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Conversation => {
                "write the conversation's digits, `conversation_<digits>` or \
                 `https://app.intercom.com/a/inbox/<app>/inbox/conversation/<digits>`"
            }
            Self::Contact => {
                "write the contact's id (24 hex digits or a UUID), `contact_<id>` or \
                 `https://app.intercom.com/a/apps/<app>/users/<id>`"
            }
            Self::Company => {
                "write the company's id (24 hex digits, a UUID or digits), `company_<id>` or \
                 `https://app.intercom.com/a/apps/<app>/companies/<id>`"
            }
            Self::Article => "write the article's digits",
            Self::Any => {
                "write `conversation_<digits>`, `contact_<id>`, `company_<id>` or the link that \
                 `search` gave"
            }
            Self::Number => "write digits alone",
        }
    }

    /// Checks the id itself and brings it to one case.
    fn bare(self, id: &str) -> Result<Cow<'_, str>, Fault> {
        match self {
            Self::Conversation | Self::Article | Self::Number => digits(id).map(Cow::Borrowed),
            Self::Contact => hex(id).ok_or(Fault::Shape),
            Self::Company => match hex(id) {
                Some(hex) => Ok(hex),
                None => digits(id).map(Cow::Borrowed),
            },
            Self::Any => Err(Fault::Bare),
        }
    }
}

/// 1 to 19 ASCII digits without a leading zero (`0` itself is "nobody" in Intercom's filters).
fn digits(text: &str) -> Result<&str, Fault> {
    if text.is_empty() || text.len() > 19 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Shape);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(Fault::LeadingZero);
    }
    Ok(text)
}

/// 24 hex digits or a UUID, in lower case.
fn hex(text: &str) -> Option<Cow<'_, str>> {
    let uuid = text.len() == 36;
    let fits = |(at, byte): (usize, u8)| {
        if uuid && matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    if !(uuid || text.len() == 24) || !text.bytes().enumerate().all(fits) {
        return None;
    }
    Some(if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    })
}

#[cfg(test)]
mod tests;
