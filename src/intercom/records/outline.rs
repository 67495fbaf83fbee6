//! The members of one object that tell what it is, gathered in one pass over it.

use std::borrow::Cow;

use super::Kind;
use crate::intercom::ids::{self, IdKind};
use crate::mcp::json::{self, Value};

/// What an object has of the members that matter.
#[derive(Default, Clone, Copy)]
pub(super) struct Outline<'a> {
    pub(super) kind: Option<Value<'a>>,
    pub(super) id: Option<Value<'a>>,
    pub(super) url: Option<Value<'a>>,
    pub(super) text: Option<Value<'a>>,
    pub(super) metadata: Option<Value<'a>>,
    pub(super) part_type: Option<Value<'a>>,
    pub(super) tags: Option<Value<'a>>,
    pub(super) team: Option<Value<'a>>,
    pub(super) admin: Option<Value<'a>>,
    pub(super) state: Option<Value<'a>>,
    pub(super) source: Option<Value<'a>>,
    pub(super) author: Option<Value<'a>>,
    pub(super) author_id: Option<Value<'a>>,
    pub(super) contacts: Option<Value<'a>>,
    pub(super) companies: Option<Value<'a>>,
    pub(super) company: Option<Value<'a>>,
    pub(super) segments: Option<Value<'a>>,
    pub(super) article_id: Option<Value<'a>>,
    pub(super) errors: Option<Value<'a>>,
    /// It has members that a mere reference to something does not have.
    pub(super) more: bool,
}

impl<'a> Outline<'a> {
    pub(super) fn of(object: Value<'a>) -> Self {
        let mut found = Self::default();
        for member in object.children() {
            let escaped;
            let key = match member.raw_key() {
                Some(key) => key,
                None => {
                    escaped = member.key().unwrap_or_default();
                    escaped.as_bytes()
                }
            };
            let slot = match key {
                b"type" => &mut found.kind,
                b"id" => &mut found.id,
                b"url" => &mut found.url,
                b"external_id" | b"category" | b"applied_at" | b"applied_by" => continue,
                key => {
                    found.more = true;
                    match key {
                        b"text" => &mut found.text,
                        b"metadata" => &mut found.metadata,
                        b"part_type" => &mut found.part_type,
                        b"tags" => &mut found.tags,
                        b"team_assignee_id" => &mut found.team,
                        b"admin_assignee_id" => &mut found.admin,
                        b"state" => &mut found.state,
                        b"source" => &mut found.source,
                        b"author" => &mut found.author,
                        b"author_id" => &mut found.author_id,
                        b"contacts" => &mut found.contacts,
                        b"companies" => &mut found.companies,
                        b"company" => &mut found.company,
                        b"segments" => &mut found.segments,
                        b"article_id" => &mut found.article_id,
                        b"errors" => &mut found.errors,
                        _ => continue,
                    }
                }
            };
            *slot = Some(member);
        }
        found
    }

    /// What its own `type`, `part_type` or prefixed id says that it is; `Err` if it has a type that
    /// no record has.
    pub(super) fn named(&self) -> Result<Option<Kind>, ()> {
        if let Some(part) = self.part_type {
            return Ok(Some(part_kind(part.text().as_deref())));
        }
        match self.kind.and_then(Value::text) {
            Some(word) => of_type(&word).map(Some).ok_or(()),
            None => Ok(self.prefixed().map(|(kind, _)| kind)),
        }
    }

    /// Whether it is a hit of `search` or an answer of `fetch`: prose under an id.
    pub(super) fn is_prose(&self) -> bool {
        self.kind.is_none() && self.id.is_some() && self.text.is_some()
    }

    /// Kind and bare id, if its id has a prefix or its link leads to one.
    pub(super) fn prefixed(&self) -> Option<(Kind, String)> {
        if self.kind.is_some() {
            return None;
        }
        let id = self.id.and_then(Value::text)?;
        named_id(&id).or_else(|| self.url.and_then(Value::text).and_then(|url| named_id(&url)))
    }

    /// Its id in the one form.
    pub(super) fn bare_id(&self, kind: Kind) -> Option<String> {
        match self.prefixed() {
            Some((named, id)) if named == kind => Some(id),
            _ => self.id.and_then(|id| plain_id(kind, id)),
        }
    }
}

/// What a word in `type` means, if it names something that can be a record.
pub(super) fn of_type(word: &str) -> Option<Kind> {
    match word {
        "contact" | "user" | "lead" | "visitor" => Some(Kind::Contact),
        "company" => Some(Kind::Company),
        "conversation" => Some(Kind::Conversation),
        "article" | "internal_article" => Some(Kind::Article),
        "note" => Some(Kind::Note),
        "conversation_part" | "ticket_part" => Some(Kind::Part),
        "admin" | "teammate" => Some(Kind::Admin),
        "ticket" => Some(Kind::Other),
        _ => None,
    }
}

/// What stands under a key, or in the list under it, if nothing else says so.
pub(super) fn of_key(key: &str) -> Option<Kind> {
    match key {
        "contact" | "contacts" | "users" | "leads" => Some(Kind::Contact),
        "company" | "companies" => Some(Kind::Company),
        "conversation" | "conversations" => Some(Kind::Conversation),
        "article" | "articles" => Some(Kind::Article),
        "note" | "notes" => Some(Kind::Note),
        "conversation_parts" | "ticket_parts" | "parts" => Some(Kind::Part),
        "admins" | "teammates" => Some(Kind::Admin),
        "ticket" | "tickets" => Some(Kind::Other),
        _ => None,
    }
}

/// What a tool is about, by its name.
pub(super) fn of_tool(tool: &str) -> Option<Kind> {
    let about = |word: &str| tool.contains(word);
    match tool {
        _ if about("note") => Some(Kind::Note),
        _ if about("conversation") => Some(Kind::Conversation),
        _ if about("contact") => Some(Kind::Contact),
        _ if about("compan") => Some(Kind::Company),
        _ if about("article") => Some(Kind::Article),
        _ => None,
    }
}

/// Internal text is `note`, or begins with `note_`; a part whose type is no text is taken for one.
fn part_kind(word: Option<&str>) -> Kind {
    match word {
        Some(word) if word != "note" && !word.starts_with("note_") => Kind::Part,
        _ => Kind::Note,
    }
}

/// Kind and bare id of an id that says what it names: a prefix, or a link into the app.
fn named_id(text: &str) -> Option<(Kind, String)> {
    if let Some(id) = text.strip_prefix("article_") {
        let id = ids::canonical(IdKind::Article, id).ok()?;
        return Some((Kind::Article, id.into_owned()));
    }
    let id = ids::canonical(IdKind::Any, text).ok()?;
    let (prefix, bare) = id.split_once('_')?;
    let kind = match prefix {
        "conversation" => Kind::Conversation,
        "contact" => Kind::Contact,
        "company" => Kind::Company,
        _ => return None,
    };
    Some((kind, bare.to_owned()))
}

/// An id as text: strings and numbers, in the one form where there is one.
pub(super) fn plain_id(kind: Kind, value: Value<'_>) -> Option<String> {
    let text: Cow<'_, str> = match value.kind() {
        json::Kind::String => value.text()?,
        json::Kind::Number => Cow::Owned(value.json().as_str().to_owned()),
        _ => return None,
    };
    let id_kind = match kind {
        Kind::Contact => IdKind::Contact,
        Kind::Company => IdKind::Company,
        Kind::Conversation => IdKind::Conversation,
        Kind::Article => IdKind::Article,
        Kind::Note | Kind::Part | Kind::Admin | Kind::Other => return non_empty(text.into_owned()),
    };
    let canonical = ids::canonical(id_kind, &text).map(Cow::into_owned);
    non_empty(canonical.unwrap_or_else(|_| text.into_owned()))
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
