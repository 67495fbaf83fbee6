//! What rules may ask of a record, read off the members that Intercom's objects have.

use super::Kind;
use super::outline::{Outline, plain_id};
use crate::mcp::json::{self, Value};

/// The facts of a record; what is not in the answer is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Names and ids of its tags.
    pub tags: Option<Vec<String>>,
    /// The team it is assigned to; `0` is none.
    pub team: Option<String>,
    /// The teammate it is assigned to; `0` is nobody.
    pub admin: Option<String>,
    /// `open`, `closed`, `snoozed`; `published`, `draft`.
    pub state: Option<String>,
    /// Names and ids of its segments.
    pub segments: Option<Vec<String>>,
    /// Ids of its companies.
    pub companies: Option<Vec<String>>,
    /// Ids of its contacts.
    pub contacts: Option<Vec<String>>,
    /// Who wrote it.
    pub author: Option<Author>,
    /// What kind of message or event a part is.
    pub part_type: Option<String>,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// `user`, `lead`, `contact`, `admin`, `bot`, `team`.
    pub kind: String,
    /// The id, if there is one.
    pub id: Option<String>,
}

impl Facts {
    /// The facts of an object, and whether some that its kind has are missing.
    pub(super) fn of(kind: Kind, outline: &Outline<'_>) -> (Self, bool) {
        let mut whole = true;
        let mut list = |value: Option<Value<'_>>, key: &str, of: Kind| {
            let (names, is_whole) = names(value?, key, of)?;
            whole &= is_whole;
            Some(names)
        };
        let metadata = outline.metadata.filter(|_| outline.is_prose());
        let under = |key: &str| metadata.and_then(|metadata| metadata.get(key));
        let mut facts = Self {
            tags: list(outline.tags, "tags", Kind::Other),
            segments: list(outline.segments, "segments", Kind::Other),
            companies: list(outline.companies, "companies", Kind::Company),
            contacts: list(outline.contacts, "contacts", Kind::Contact)
                .or_else(|| list(under("contact_ids"), "", Kind::Contact)),
            team: outline.team.and_then(assignee),
            admin: outline.admin.and_then(assignee),
            state: outline.state.or_else(|| under("state")).and_then(text),
            author: author(outline),
            part_type: outline.part_type.and_then(text),
        };
        if let Some(id) = outline.company.and_then(|company| company.get("id"))
            && let Some(id) = plain_id(Kind::Company, id)
        {
            facts.companies.get_or_insert_default().push(id);
        }
        whole &= match kind {
            Kind::Conversation => {
                facts.tags.is_some() && facts.team.is_some() && facts.state.is_some()
            }
            Kind::Contact => facts.tags.is_some() && facts.companies.is_some(),
            Kind::Company => facts.tags.is_some() && facts.segments.is_some(),
            Kind::Article => facts.state.is_some(),
            // Without it a message cannot be told from a note.
            Kind::Part => facts.part_type.is_some(),
            Kind::Note | Kind::Admin | Kind::Other => true,
        };
        (facts, whole && !outline.is_prose())
    }

    /// Takes in what another place says of the same record; `false` if the two contradict.
    pub(super) fn join(&mut self, other: Self) -> bool {
        join_list(&mut self.tags, other.tags);
        join_list(&mut self.segments, other.segments);
        join_list(&mut self.companies, other.companies);
        join_list(&mut self.contacts, other.contacts);
        join_one(&mut self.team, other.team)
            & join_one(&mut self.admin, other.admin)
            & join_one(&mut self.state, other.state)
            & join_one(&mut self.author, other.author)
            & join_one(&mut self.part_type, other.part_type)
    }
}

fn join_list(own: &mut Option<Vec<String>>, other: Option<Vec<String>>) {
    for name in other.into_iter().flatten() {
        let own = own.get_or_insert_default();
        if !own.contains(&name) {
            own.push(name);
        }
    }
}

fn join_one<T: PartialEq>(own: &mut Option<T>, other: Option<T>) -> bool {
    match (&own, other) {
        (_, None) => true,
        (Some(own), Some(other)) => *own == other,
        (None, other) => {
            *own = other;
            true
        }
    }
}

/// Names and ids in a list of Intercom's (`{type, tags: [..], has_more}`, `{type, data: [..]}` or the
/// bare array), and whether the list is whole.
fn names(value: Value<'_>, key: &str, of: Kind) -> Option<(Vec<String>, bool)> {
    let (array, whole) = match value.kind() {
        json::Kind::Array => (value, true),
        json::Kind::Object => {
            let more = value.get("has_more").is_some_and(|more| more.bytes() == b"true");
            (value.get(key).or_else(|| value.get("data"))?, !more)
        }
        _ => return None,
    };
    if array.kind() != json::Kind::Array {
        return None;
    }
    let mut names = Vec::new();
    let mut put = |name: Option<String>| {
        if let Some(name) = name
            && !names.contains(&name)
        {
            names.push(name);
        }
    };
    for element in array.children() {
        if element.kind() == json::Kind::Object {
            put(element.get("name").filter(|_| of == Kind::Other).and_then(text));
            put(element.get("id").and_then(|id| plain_id(of, id)));
        } else {
            put(plain_id(of, element));
        }
    }
    Some((names, whole))
}

/// An assignee: Intercom's own filters call nobody `0`.
fn assignee(value: Value<'_>) -> Option<String> {
    match value.kind() {
        json::Kind::Null => Some(String::from("0")),
        _ => plain_id(Kind::Admin, value),
    }
}

fn author(outline: &Outline<'_>) -> Option<Author> {
    let own = outline.author.or_else(|| outline.source.and_then(|source| source.get("author")));
    match own {
        Some(author) => {
            let kind = author.get("type").and_then(text)?;
            let of = super::outline::of_type(&kind).unwrap_or(Kind::Other);
            Some(Author { kind, id: author.get("id").and_then(|id| plain_id(of, id)) })
        }
        None => {
            let id = plain_id(Kind::Admin, outline.author_id?)?;
            Some(Author { kind: String::from("admin"), id: Some(id) })
        }
    }
}

fn text(value: Value<'_>) -> Option<String> {
    value.text().map(std::borrow::Cow::into_owned)
}
