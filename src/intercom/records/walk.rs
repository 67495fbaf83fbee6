//! Through an answer from the outside in: the protocol's result, its blocks, their payloads, the
//! objects in them.

use std::sync::Arc;

use super::envelope::{self, Row, Rows};
use super::facts::Facts;
use super::outline::{self, Outline};
use super::place::{Document, Place, limits};
use super::{Kind, MAX_RECORDS, Mention, Record, Records};
use crate::domain::JsonText;
use crate::mcp::json::{self, Tree, Value};

/// How deep JSON may be packed into strings of JSON.
const MAX_PACKING: usize = 4;
/// The longest text of an error that is taken for words of the server and nothing else.
const MAX_ERROR_WORDS: usize = 2_000;
/// Members of results that tell of the answer, not of what was asked for.
const TOLD: [&str; 15] = [
    "isError",
    "resultType",
    "requestState",
    "ttlMs",
    "ttl",
    "cacheScope",
    "pollIntervalMs",
    "pollInterval",
    "taskId",
    "status",
    "statusMessage",
    "createdAt",
    "lastUpdatedAt",
    "role",
    "nextCursor",
];

pub(super) fn read(tool: &str, result: &JsonText) -> Option<Records> {
    let tree = Arc::new(Tree::read(result.bytes().clone(), &limits()).ok()?);
    let root = tree.root().filter(|root| root.kind() == json::Kind::Object)?;
    let mut walk = Walk {
        tool: outline::of_tool(tool),
        failed: false,
        base: 0,
        found: Records { understood: true, ..Records::default() },
    };
    walk.put(Document { tree: tree.clone(), within: None, is_content: false });
    walk.result(root);
    Some(walk.found)
}

/// What Intercom tells or asks on the way: there is room for names and numbers, words could be about
/// anything.
pub(super) fn message(params: &JsonText) -> Option<Records> {
    const NAMES: [&str; 7] =
        ["progressToken", "requestId", "level", "logger", "uri", "taskId", "elicitationId"];
    let tree = Tree::read(params.bytes().clone(), &limits()).ok()?;
    let root = tree.root().filter(|root| root.kind() == json::Kind::Object)?;
    let mut found = Records { understood: true, ..Records::default() };
    let plain = |member: Value<'_>| {
        let is_name = member.key().is_some_and(|key| NAMES.contains(&key.as_ref()));
        // The acknowledgement of a subscription: what the client itself named.
        let is_filter = member.key().is_some_and(|key| key == "notifications")
            && member.children().all(|one| one.children().all(envelope::is_scalar));
        let is_meta = member.is("_meta") && envelope::is_harmless_meta(member);
        envelope::is_wordless(member)
            || is_name && envelope::is_scalar(member)
            || is_filter
            || is_meta
    };
    if !root.children().all(plain) {
        found.flawed("it has words that could be about anything");
    }
    Some(found)
}

struct Walk {
    /// What the tool is about.
    tool: Option<Kind>,
    /// Whether the result says that the tool failed.
    failed: bool,
    /// The number of the value that is the whole of what is being looked at.
    base: usize,
    found: Records,
}

/// A record whose inside is being looked at.
struct Inside {
    record: usize,
    /// The first value that is not in it.
    end: usize,
    text_bytes: usize,
}

impl Walk {
    /// A result of the protocol. All of these stand in the first text.
    fn result(&mut self, result: Value<'_>) {
        self.failed |= result.get("isError").is_some_and(|flag| flag.bytes() == b"true");
        for member in result.children() {
            let Some(key) = member.key() else { continue };
            match (key.as_ref(), member.kind()) {
                ("content" | "contents", json::Kind::Array) => {
                    member.children().for_each(|block| self.block(block));
                }
                ("messages", json::Kind::Array) => {
                    for message in member.children() {
                        message.get("content").into_iter().for_each(|block| self.block(block));
                    }
                }
                ("structuredContent", _) => self.payload(0, member),
                // A finished task.
                ("result", json::Kind::Object) if result.get("taskId").is_some() => {
                    self.result(member);
                }
                ("_meta", _) if envelope::is_harmless_meta(member) => {}
                (key, _) if TOLD.contains(&key) && envelope::is_scalar(member) => {}
                _ if envelope::is_wordless(member) => {}
                _ => self.found.flawed("it has a member that no known answer has"),
            }
        }
    }

    /// A block of content, or the content of a resource.
    fn block(&mut self, block: Value<'_>) {
        let resource = block.get("resource").filter(|it| it.kind() == json::Kind::Object);
        let kind = block.get("type").and_then(Value::text);
        match (kind.as_deref(), resource) {
            (Some("resource"), Some(resource)) => self.block(resource),
            (Some("text") | None, None) => match block.get("text") {
                Some(text) if block.get("blob").is_none() => self.words(0, text),
                _ => self.found.flawed("it has a block that is no text"),
            },
            _ => self.found.flawed("it has a block that is no text"),
        }
    }

    /// A text of the answer: JSON, or the words of an error.
    fn words(&mut self, document: usize, text: Value<'_>) {
        match self.packed(document, text, true) {
            Some((document, tree)) => {
                tree.root().into_iter().for_each(|root| self.payload(document, root));
            }
            None if text.kind() == json::Kind::String && text.range().len() == 2 => {}
            None if self.failed && text.range().len() <= MAX_ERROR_WORDS => {}
            None => self.found.flawed("it has text that is not JSON"),
        }
    }

    /// The JSON in a string, as a text of its own.
    fn packed(
        &mut self,
        document: usize,
        text: Value<'_>,
        is_content: bool,
    ) -> Option<(usize, Arc<Tree>)> {
        let is_packed = text.kind() == json::Kind::String && Document::may_hold_json(text.bytes());
        if !is_packed || self.packing(document) >= MAX_PACKING {
            return None;
        }
        let decoded = text.text()?.into_owned();
        let tree = Arc::new(Tree::read(decoded.into(), &limits()).ok()?);
        let within = Some((document, text.number()));
        let number = self.put(Document { tree: tree.clone(), within, is_content });
        Some((number, tree))
    }

    fn packing(&self, document: usize) -> usize {
        let outer = |document: &usize| {
            let document = self.found.documents.get(*document)?;
            document.within.map(|(outer, _)| outer)
        };
        std::iter::successors(Some(document), outer).count()
    }

    fn put(&mut self, document: Document) -> usize {
        self.found.documents.push(document);
        self.found.documents.len() - 1
    }

    /// What a tool gave: an object of Intercom, or a list of them in its envelope.
    fn payload(&mut self, document: usize, root: Value<'_>) {
        let is_short = root.range().len() <= MAX_ERROR_WORDS;
        match envelope::rows(root, self.tool) {
            Err(_) if self.failed && is_short && root.children().all(envelope::is_scalar) => {}
            Ok(rows) => self.inside(document, root, &rows, None),
            Err(why) => {
                self.found.flawed(why);
                // What can be found counts all the same.
                self.inside(document, root, &Rows::default(), None);
            }
        }
    }

    /// Everything in a value, in the order of the text.
    fn inside(&mut self, document: usize, root: Value<'_>, rows: &Rows, within: Option<usize>) {
        let Some(tree) = self.found.documents.get(document).map(|it| it.tree.clone()) else {
            return;
        };
        let mut open: Vec<Inside> = Vec::new();
        // Attributes are named by Intercom's customers: nothing in them is what it says it is.
        let mut named_by_customers = 0;
        let base = std::mem::replace(&mut self.base, root.number());
        let mut number = root.number();
        while let Some(value) = tree.value(number).filter(|_| number < root.next()) {
            while open.last().is_some_and(|last| number >= last.end) {
                self.close(open.pop());
            }
            match value.kind() {
                json::Kind::String => {
                    if let Some(last) = open.last_mut() {
                        last.text_bytes += value.range().len().saturating_sub(2);
                    }
                    let record = open.last().map(|last| last.record).or(within);
                    self.string(document, value, record);
                }
                json::Kind::Object if number >= named_by_customers => {
                    let parent = open.last().map(|last| last.record).or(within);
                    if value.is("custom_attributes") {
                        named_by_customers = value.next();
                    } else if let Some(record) = self.object(document, value, rows, parent) {
                        open.push(Inside { record, end: value.next(), text_bytes: 0 });
                    }
                }
                json::Kind::Array => {
                    self.ids(document, value, open.last().map(|last| last.record).or(within));
                }
                json::Kind::Number => {
                    self.id(document, value, open.last().map(|last| last.record).or(within));
                }
                _ => {}
            }
            number += 1;
        }
        while let Some(last) = open.pop() {
            self.close(Some(last));
        }
        self.base = base;
    }

    fn close(&mut self, ended: Option<Inside>) {
        let Some(ended) = ended else { return };
        if let Some(record) = self.found.records.get_mut(ended.record) {
            record.text_bytes = record.text_bytes.max(ended.text_bytes);
        }
    }

    /// A string: an id that refers to something, or JSON in prose.
    fn string(&mut self, document: usize, value: Value<'_>, record: Option<usize>) {
        self.id(document, value, record);
        if !Document::may_hold_json(value.bytes()) {
            return;
        }
        let in_prose = record
            .and_then(|record| self.found.records.get(record))
            .is_none_or(|record| record.partial && record.row);
        if !in_prose || value.key().is_none_or(|key| record.is_some() && key != "text") {
            return;
        }
        if let Some((packed, tree)) = self.packed(document, value, false)
            && let Some(root) = tree.root()
        {
            self.inside(packed, root, &Rows::default(), record);
        }
    }

    /// An object: gives the number of the record that begins with it.
    fn object(
        &mut self,
        document: usize,
        object: Value<'_>,
        rows: &Rows,
        parent: Option<usize>,
    ) -> Option<usize> {
        let outline = Outline::of(object);
        let row = rows.row(object);
        let place = |partial| Place { document, value: object.number(), partial };
        let kind = match envelope::class(object, &outline, row) {
            envelope::Class::Record(kind) => kind,
            envelope::Class::Mention(kind) => {
                self.mention(
                    kind,
                    outline.id.and_then(|id| outline::plain_id(kind, id)),
                    place(false),
                    parent,
                );
                return None;
            }
            envelope::Class::Highlight => {
                let kind = Kind::Article;
                let id = outline.article_id.and_then(|id| outline::plain_id(kind, id));
                self.mention(kind, id, place(false), parent);
                return None;
            }
            envelope::Class::Strange => {
                self.found.flawed("it has an entry of a kind that is not known");
                Kind::Other
            }
            envelope::Class::Nothing => return None,
        };
        let (facts, whole) = Facts::of(kind, &outline);
        let id = outline.bare_id(kind);
        if id.is_none() && row != Row::No {
            self.found.flawed("it has an entry without an id");
        }
        self.record(kind, id, parent, row, facts, (place(!whole), object))
    }

    fn record(
        &mut self,
        kind: Kind,
        id: Option<String>,
        parent: Option<usize>,
        row: Row,
        facts: Facts,
        (place, object): (Place, Value<'_>),
    ) -> Option<usize> {
        if self.found.records.len() >= MAX_RECORDS {
            self.found.flawed("it has more records than are looked at");
            return None;
        }
        let reference = self.reference(kind, id.as_deref(), parent, place);
        if let Some(number) = self.found.by_reference.get(&reference).copied() {
            self.again(number, parent, row, facts, place);
            return Some(number);
        }
        let number = self.found.records.len();
        self.found.by_reference.insert(reference.clone(), number);
        let (row, bytes) = (row != Row::No, object.range());
        self.found.records.push(Record {
            kind,
            id,
            reference,
            parent,
            row,
            partial: place.partial,
            text_bytes: 0,
            bytes,
            facts,
            places: vec![place],
        });
        Some(number)
    }

    /// Another place of a record that is known already.
    fn again(
        &mut self,
        number: usize,
        parent: Option<usize>,
        row: Row,
        facts: Facts,
        place: Place,
    ) {
        let Some(record) = self.found.records.get_mut(number) else { return };
        let agrees = record.facts.join(facts);
        record.row |= row != Row::No;
        if parent == Some(number) {
            // Prose that holds the whole object: what is not in the one is in the other.
            if !place.partial
                && let Some(prose) = record.places.last_mut()
            {
                prose.partial = false;
            }
        } else {
            record.places.push(place);
        }
        record.partial = record.places.iter().any(|place| place.partial);
        if !agrees {
            self.found.flawed("two places of one record contradict each other");
        }
    }

    /// The name of a record. Messages and notes have ids within what they are in; what has no id is
    /// named by its place in its text, which is the same in a structured twin.
    fn reference(
        &self,
        kind: Kind,
        id: Option<&str>,
        parent: Option<usize>,
        place: Place,
    ) -> String {
        let outer = parent.filter(|_| !kind.is_named());
        let outer = outer
            .and_then(|outer| self.found.records.get(outer))
            .map(|outer| format!("{}/", outer.reference))
            .unwrap_or_default();
        let word = kind.as_str();
        match id {
            Some(id) => format!("{outer}{word}:{id}"),
            None => format!("{outer}{word}:@{}", place.value.saturating_sub(self.base)),
        }
    }

    /// A list of ids.
    fn ids(&mut self, document: usize, array: Value<'_>, within: Option<usize>) {
        let lists = [
            ("contact_ids", Kind::Contact),
            ("company_ids", Kind::Company),
            ("conversation_ids", Kind::Conversation),
            ("article_ids", Kind::Article),
        ];
        let Some((_, kind)) = lists.into_iter().find(|(key, _)| array.is(key)) else { return };
        for id in array.children() {
            let place = Place { document, value: id.number(), partial: false };
            self.mention(kind, outline::plain_id(kind, id), place, within);
        }
    }

    /// A member that names something.
    fn id(&mut self, document: usize, value: Value<'_>, within: Option<usize>) {
        let members = [("contact_id", Kind::Contact), ("conversation_id", Kind::Conversation)];
        let Some((_, kind)) = members.into_iter().find(|(key, _)| value.is(key)) else { return };
        let place = Place { document, value: value.number(), partial: false };
        self.mention(kind, outline::plain_id(kind, value), place, within);
    }

    fn mention(&mut self, kind: Kind, id: Option<String>, place: Place, within: Option<usize>) {
        if let Some(id) = id.filter(|_| kind.is_named()) {
            self.found.mentions.push(Mention { kind, id, place, within });
        }
    }
}
