//! Which objects of a payload are records: the entries of its lists, the one object that it is, and
//! what stands inside those.

use std::borrow::Cow;

use super::Kind;
use super::outline::{Outline, of_key};
use crate::mcp::json::{self, Value};

/// Members of envelopes whose words tell of the list, not of what is in it.
const WORDS: [&str; 8] =
    ["type", "_note", "url", "request_id", "next_cursor", "starting_after", "cursor", "object"];
/// Keys under which somebody is named who did something: a reference, however much it tells.
const DOERS: [&str; 8] = [
    "author",
    "assigned_to",
    "applied_by",
    "created_by",
    "updated_by",
    "owner",
    "last_closed_by",
    "performed_by",
];

/// Keys of objects whose `type` is the channel, which may be called `conversation`.
const CHANNELS: [&str; 2] = ["source", "first_contact_reply"];

/// The lists of a payload, and its single objects, by their numbers, with what their place makes
/// them.
#[derive(Default)]
pub(super) struct Rows {
    lists: Vec<(usize, Option<Kind>)>,
    singles: Vec<(usize, Option<Kind>)>,
}

/// Whether an object is one of the things that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// It is, and its place says this of its kind.
    Yes(Option<Kind>),
    /// It is part of something, or nothing of interest.
    No,
}

/// What an object is.
pub(super) enum Class {
    /// A record.
    Record(Kind),
    /// A reference to something.
    Mention(Kind),
    /// What a search found in an article.
    Highlight,
    /// An entry of a kind that is not known.
    Strange,
    /// Nothing of interest.
    Nothing,
}

impl Rows {
    pub(super) fn row(&self, object: Value<'_>) -> Row {
        let of = |list: &[(usize, Option<Kind>)], number: usize| {
            list.iter().find(|(own, _)| *own == number).map(|(_, kind)| *kind)
        };
        let listed = || object.parent().and_then(|parent| of(&self.lists, parent.number()));
        match of(&self.singles, object.number()).or_else(listed) {
            Some(kind) => Row::Yes(kind),
            None => Row::No,
        }
    }
}

/// Finds the lists and single objects of a payload.
///
/// # Errors
/// Why its shape is none that is known.
pub(super) fn rows(root: Value<'_>, tool: Option<Kind>) -> Result<Rows, &'static str> {
    let mut rows = Rows::default();
    match root.kind() {
        json::Kind::Object => {
            let outline = Outline::of(root);
            if is_error_list(root, &outline) {
                return Ok(rows);
            }
            let is_record = matches!(outline.named(), Ok(Some(_))) || outline.prefixed().is_some();
            // A tool of one object that has no `type`.
            let is_one = outline.kind.is_none() && outline.id.is_some() && tool.is_some();
            if is_record || is_one {
                rows.singles.push((root.number(), tool));
            } else {
                envelope(root, tool, 0, &mut rows)?;
            }
        }
        json::Kind::Array => list(root, tool, &mut rows)?,
        json::Kind::String => return Err("it has text that is not JSON"),
        json::Kind::Null | json::Kind::Bool | json::Kind::Number => {}
    }
    Ok(rows)
}

fn envelope(
    object: Value<'_>,
    tool: Option<Kind>,
    depth: usize,
    rows: &mut Rows,
) -> Result<(), &'static str> {
    for member in object.children() {
        let key = member.key().unwrap_or_default();
        let kind = of_key(&key).or(tool);
        match member.kind() {
            json::Kind::Array if key == "highlights" => {}
            json::Kind::Array => list(member, kind, rows)?,
            json::Kind::Object if key == "pages" && is_pages(member) => {}
            json::Kind::Object if member.children().next().is_none() => {}
            json::Kind::Object => {
                let outline = Outline::of(member);
                if matches!(outline.named(), Ok(Some(_))) || of_key(&key).is_some() {
                    rows.singles.push((member.number(), kind));
                } else if depth == 0 && key == "data" {
                    envelope(member, tool, depth + 1, rows)?;
                } else {
                    return Err("it has a member that no known answer has");
                }
            }
            json::Kind::String if WORDS.contains(&key.as_ref()) || member.range().len() == 2 => {}
            json::Kind::String => return Err("it has words beside its entries"),
            json::Kind::Null | json::Kind::Bool | json::Kind::Number => {}
        }
    }
    Ok(())
}

fn list(array: Value<'_>, kind: Option<Kind>, rows: &mut Rows) -> Result<(), &'static str> {
    if array.children().any(|element| element.kind() != json::Kind::Object) {
        return Err("it has a list of something that is no object");
    }
    rows.lists.push((array.number(), kind));
    Ok(())
}

/// `pages`: numbers, and where the next page begins.
fn is_pages(pages: Value<'_>) -> bool {
    pages.children().all(|member| match member.kind() {
        json::Kind::Object => {
            member.key().is_some_and(|key| key == "next") && member.children().all(is_scalar)
        }
        json::Kind::Array => false,
        _ => true,
    })
}

/// Intercom's own error, which names no record.
fn is_error_list(root: Value<'_>, outline: &Outline<'_>) -> bool {
    let named = outline.kind.and_then(Value::text).is_some_and(|word| word == "error.list");
    let known = |member: Value<'_>| {
        member.key().is_some_and(|key| matches!(key.as_ref(), "type" | "request_id" | "errors"))
    };
    let plain =
        |error: Value<'_>| error.kind() == json::Kind::Object && error.children().all(is_scalar);
    named
        && root.children().all(known)
        && outline.errors.is_some_and(|errors| errors.children().all(plain))
}

/// What an object is, by itself and by where it stands.
pub(super) fn class(object: Value<'_>, outline: &Outline<'_>, row: Row) -> Class {
    let named = outline.named();
    if let Row::Yes(by_place) = row {
        return match named {
            Ok(Some(kind)) => Class::Record(kind),
            Ok(None) => by_place.map_or(Class::Strange, Class::Record),
            Err(()) => Class::Strange,
        };
    }
    let key = object.key();
    if key.as_ref().is_some_and(|key| CHANNELS.contains(&key.as_ref())) {
        return Class::Nothing;
    }
    let under = || match &key {
        Some(key) => of_key(key),
        None => list_key(object).and_then(|list| of_key(&list)),
    };
    let kind = match named {
        Ok(Some(kind)) => kind,
        Ok(None) if outline.article_id.is_some() => return Class::Highlight,
        Ok(None) if outline.id.is_some() => match under() {
            Some(kind) => kind,
            None => return Class::Nothing,
        },
        Ok(None) | Err(()) => return Class::Nothing,
    };
    let does = key.is_some_and(|key| DOERS.contains(&key.as_ref()));
    match kind {
        Kind::Note | Kind::Part => Class::Record(kind),
        Kind::Admin => Class::Nothing,
        _ if outline.id.is_none() => Class::Nothing,
        _ if does || !outline.more => Class::Mention(kind),
        _ => Class::Record(kind),
    }
}

/// What the list is called that an object stands in: `notes` in `notes: [..]` and in
/// `notes: {data: [..]}`.
fn list_key(object: Value<'_>) -> Option<Cow<'_, str>> {
    let list = object.parent()?;
    match list.key()? {
        key if key == "data" => list.parent()?.key(),
        key => Some(key),
    }
}

/// Whether a value is no container.
pub(super) fn is_scalar(value: Value<'_>) -> bool {
    !matches!(value.kind(), json::Kind::Array | json::Kind::Object)
}

/// Whether there are no words in a value.
pub(super) fn is_wordless(value: Value<'_>) -> bool {
    match value.kind() {
        json::Kind::Array | json::Kind::Object => value.children().all(is_wordless),
        json::Kind::String => value.range().len() == 2,
        json::Kind::Null | json::Kind::Bool | json::Kind::Number => true,
    }
}

/// Whether `_meta` holds nothing but what the protocol itself puts there.
pub(super) fn is_harmless_meta(meta: Value<'_>) -> bool {
    meta.kind() == json::Kind::Object
        && meta.children().all(|member| {
            let protocol =
                member.key().is_some_and(|key| key.starts_with("io.modelcontextprotocol/"));
            protocol || is_wordless(member)
        })
}
