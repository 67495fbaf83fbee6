//! Through a message from the outside in, and through everything in each text of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use super::names::is_known;
use super::payload::{
    Document, Packing, Parts, Spot, Text, Unreadable, form_of, key_of, limits, packed, party_of,
    step, type_of, unpacked,
};
use crate::domain::{Form, JsonText, Leaf, Party};
use crate::intercom::records::Records;
use crate::mcp::json::{Kind, Tree, Value};

/// How often a text may be packed into strings of what a tool gave.
const MAX_PACKING: usize = 3;
/// Numbers of fewer digits are no numbers of people.
const DIGITS: usize = 7;
/// Members of the protocol that name something in it. They are opaque, and an edited one would not
/// be known to whoever gave it.
const NAMES: [&str; 8] = [
    "progressToken",
    "requestId",
    "taskId",
    "elicitationId",
    "requestState",
    "nextCursor",
    "resultType",
    "method",
];

pub(super) struct Walk<'a> {
    pub(super) found: Parts,
    /// The readings of what the tool gave, by their leaves.
    payloads: Vec<Range<usize>>,
    records: Option<Arc<Known<'a>>>,
    /// Which text of the records each text is.
    same: Vec<Option<usize>>,
    /// How often each text is packed into strings of what the tool gave: the same for a text and its
    /// structured twin.
    packed: Vec<usize>,
}

/// What is known from reading the same answer for its records.
struct Known<'a> {
    /// The texts that were read.
    trees: Vec<&'a Arc<Tree>>,
    /// Their numbers, by the string that they are packed in.
    packed: HashMap<(usize, usize), usize>,
    /// Where records begin, in each text, in order.
    standing: Vec<Vec<(usize, &'a str)>>,
}

/// A container whose inside is being looked at.
#[derive(Clone, Copy)]
struct Frame<'a> {
    /// The first value that is not in it.
    end: usize,
    /// How long the path is that leads to it.
    path: usize,
    /// The number of its next element; `None` in objects.
    element: Option<usize>,
    owner: Option<&'a str>,
    party: Party,
    /// It, or what it is in, is named by Intercom's customers.
    is_custom: bool,
}

impl<'a> Known<'a> {
    fn of(records: &'a Records) -> Self {
        let mut known = Self { trees: Vec::new(), packed: HashMap::new(), standing: Vec::new() };
        for (number, (tree, within)) in records.texts().enumerate() {
            known.trees.push(tree);
            known.standing.push(Vec::new());
            within.map(|within| known.packed.insert(within, number));
        }
        for (document, value, reference) in records.standing() {
            if let Some(list) = known.standing.get_mut(document) {
                list.push((value, reference));
            }
        }
        known.standing.iter_mut().for_each(|list| list.sort_unstable_by_key(|(value, _)| *value));
        known
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(records: Option<&'a Records>) -> Self {
        let records = records.map(Known::of).filter(|known| !known.trees.is_empty()).map(Arc::new);
        Self {
            found: Parts::default(),
            payloads: Vec::new(),
            records,
            same: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Reads the message itself.
    pub(super) fn message(&mut self, text: &JsonText) -> Result<Arc<Tree>, Unreadable> {
        let known = self.records.as_ref().and_then(|known| known.trees.first()).copied();
        let known = known.filter(|tree| tree.text() == text.bytes()).cloned();
        let tree = match known {
            Some(tree) => tree,
            None => {
                self.records = None;
                let tree = Tree::read(text.bytes().clone(), &limits()).map_err(|_| Unreadable)?;
                Arc::new(tree)
            }
        };
        self.put(Text::Json(tree.clone()), None, self.records.is_some().then_some(0), 0);
        Ok(tree)
    }

    fn put(
        &mut self,
        text: Text,
        within: Option<(Spot, Packing)>,
        same: Option<usize>,
        packed: usize,
    ) -> usize {
        self.same.push(same);
        self.packed.push(packed);
        self.found.put(Document { text, within })
    }

    /// A result of the protocol: what the tool gave, and what is said of it.
    pub(super) fn result(&mut self, result: Value<'_>, path: &str) {
        let is_task = result.get("taskId").is_some();
        for member in result.children() {
            let key = key_of(member);
            let path = inner(path, &key);
            match (key.as_ref(), member.kind()) {
                ("content" | "contents", Kind::Array) => {
                    for (number, block) in member.children().enumerate() {
                        self.block(block, &format!("{path}/{number}"));
                    }
                }
                ("messages", Kind::Array) => {
                    for (number, message) in member.children().enumerate() {
                        match message.get("content").filter(|it| it.kind() == Kind::Object) {
                            Some(block) => self.block(block, &format!("{path}/{number}/content")),
                            None => self.values(0, message, &format!("{path}/{number}")),
                        }
                    }
                }
                ("structuredContent", _) => self.payload(0, member),
                ("result", Kind::Object) if is_task => self.result(member, &path),
                ("error", Kind::Object) if is_task => self.values(0, member, &path),
                _ => self.values(0, member, &path),
            }
        }
    }

    /// A block of content, or the content of a resource.
    fn block(&mut self, block: Value<'_>, path: &str) {
        if block.kind() != Kind::Object {
            return self.values(0, block, path);
        }
        for member in block.children() {
            let key = key_of(member);
            let path = inner(path, &key);
            match (key.as_ref(), member.kind()) {
                ("text", Kind::String) => self.words(member, path),
                ("resource", Kind::Object) => self.block(member, &path),
                ("blob" | "data", Kind::String) => self.blob(member, path),
                _ => self.values(0, member, &path),
            }
        }
    }

    /// A text of the answer: what the tool gave as JSON, or words.
    fn words(&mut self, text: Value<'_>, path: String) {
        let spot = Spot { document: 0, value: text.number() };
        match self.packed(spot, text, 0) {
            Some((document, tree)) => {
                tree.root().into_iter().for_each(|root| self.payload(document, root));
            }
            None => self.string(spot, text, path, None, Party::Unknown),
        }
    }

    /// Bytes in base64; those that are text are looked at.
    fn blob(&mut self, blob: Value<'_>, path: String) {
        let spot = Spot { document: 0, value: blob.number() };
        let Some(text) = unpacked(blob) else { return };
        let within = Some((spot, Packing::Base64));
        let starts_as_json = text.trim_start().starts_with(['{', '[']);
        let tree = starts_as_json
            .then(|| Tree::read(text.clone().into_bytes().into(), &limits()).ok())
            .flatten()
            .map(Arc::new);
        if let Some(tree) = tree {
            let document = self.put(Text::Json(tree.clone()), within, None, 0);
            tree.root().into_iter().for_each(|root| self.payload(document, root));
            return;
        }
        let document = self.put(Text::Words(text.clone()), within, None, 0);
        let (form, owner, party) = (form_of(&text), None, Party::Unknown);
        let leaf = Leaf { document, path, text, form, owner, party };
        self.found.leaf(Spot { document, value: 0 }, leaf);
    }

    /// What the tool gave, whose paths have no prefix. It may be there twice.
    fn payload(&mut self, document: usize, root: Value<'_>) {
        let from = self.found.leaves.len();
        self.values(document, root, "");
        let own = from..self.found.leaves.len();
        for other in &self.payloads {
            self.found.join_twins(other, &own);
        }
        if self.found.leaves.len() == own.end {
            self.payloads.push(own);
        }
    }

    /// Everything in a value, in the order of the text.
    pub(super) fn values(&mut self, document: usize, root: Value<'_>, path: &str) {
        let top = Top { path: path.to_owned(), owner: None, party: Party::Unknown };
        self.inside(document, root, top, false);
    }

    fn inside(&mut self, document: usize, root: Value<'_>, top: Top<'a>, is_custom: bool) {
        let Some(tree) = self.tree(document) else { return };
        let Top { mut path, owner, party } = top;
        let is_protocol = path.starts_with('$');
        let same = self.same.get(document).copied().flatten();
        let records = self.records.clone();
        let mut standing = Standing::new(records.as_deref(), same, root.number());
        let base = path.len();
        let mut open: Vec<Frame<'a>> = Vec::new();
        let outer = Frame { end: root.next(), path: base, element: None, owner, party, is_custom };
        let mut number = root.number();
        while let Some(value) = tree.value(number).filter(|_| number < root.next()) {
            while open.last().is_some_and(|last| number >= last.end) {
                open.pop();
            }
            let frame = open.last_mut();
            path.truncate(frame.as_ref().map_or(base, |frame| frame.path));
            match frame.map(|frame| &mut frame.element) {
                Some(Some(element)) => {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "/{element}");
                    *element += 1;
                }
                Some(None) => step(&mut path, &key_of(value)),
                None => {}
            }
            let frame = open.last().copied().unwrap_or(outer);
            let spot = Spot { document, value: number };
            if number != root.number() {
                self.key(spot, value, &path, frame);
            }
            match value.kind() {
                Kind::Object | Kind::Array => {
                    open.push(entered(value, frame, path.len(), standing.at(number)));
                }
                Kind::String if is_protocol && NAMES.iter().any(|name| value.is(name)) => {}
                Kind::String => {
                    let whose = (frame.owner, frame.party, frame.is_custom);
                    self.text(spot, value, path.clone(), whose);
                }
                Kind::Number => self.number(spot, value, &path, frame),
                Kind::Null | Kind::Bool => {}
            }
            number += 1;
        }
    }

    fn tree(&self, document: usize) -> Option<Arc<Tree>> {
        match &self.found.documents.get(document)?.text {
            Text::Json(tree) => Some(tree.clone()),
            Text::Words(_) => None,
        }
    }

    /// The name of a member, if it is one that somebody made up.
    fn key(&mut self, spot: Spot, value: Value<'_>, path: &str, frame: Frame<'a>) {
        let known = match value.raw_key() {
            Some(raw) => raw.is_empty() || (!frame.is_custom && is_known(raw)),
            None => value.key_range().is_none(),
        };
        if known {
            return;
        }
        let (path, text) = (path.to_owned(), key_of(value).into_owned());
        let (owner, party) = (frame.owner.map(str::to_owned), frame.party);
        let leaf = Leaf { document: spot.document, path, text, form: Form::Key, owner, party };
        self.found.leaf(spot, leaf);
    }

    /// A string: JSON of its own, or words.
    fn text(
        &mut self,
        spot: Spot,
        value: Value<'_>,
        path: String,
        (owner, party, is_custom): (Option<&'a str>, Party, bool),
    ) {
        let level = self.packed.get(spot.document).copied().unwrap_or_default() + 1;
        match self.packed(spot, value, level) {
            Some((document, tree)) => {
                let top = Top { path, owner, party };
                tree.root().into_iter().for_each(|root| {
                    self.inside(document, root, top.clone(), is_custom);
                });
            }
            // What a record is tells judges how to read it; what a block of the protocol is does not.
            None if !is_custom && path.starts_with('$') && is_type(value) => {}
            None => self.string(spot, value, path, owner, party),
        }
    }

    fn string(
        &mut self,
        spot: Spot,
        value: Value<'_>,
        path: String,
        owner: Option<&str>,
        party: Party,
    ) {
        let owner = owner.map(str::to_owned);
        let Some(text) = value.text().filter(|text| !text.is_empty()) else { return };
        let (text, form) = (text.clone().into_owned(), form_of(&text));
        self.found.leaf(spot, Leaf { document: spot.document, path, text, form, owner, party });
    }

    fn number(&mut self, spot: Spot, value: Value<'_>, path: &str, frame: Frame<'a>) {
        let digits = value.bytes().iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits < DIGITS || (!frame.is_custom && is_moment(value)) {
            return;
        }
        let text = String::from_utf8_lossy(value.bytes()).into_owned();
        let (document, path, form) = (spot.document, path.to_owned(), Form::Number);
        let (owner, party) = (frame.owner.map(str::to_owned), frame.party);
        self.found.leaf(spot, Leaf { document, path, text, form, owner, party });
    }

    /// The JSON in a string, as a text of its own.
    fn packed(&mut self, spot: Spot, value: Value<'_>, level: usize) -> Option<(usize, Arc<Tree>)> {
        if level > MAX_PACKING {
            return None;
        }
        let same = self.same.get(spot.document).copied().flatten();
        let known = self.records.clone();
        let known = known.as_deref();
        let number = known.and_then(|known| known.packed.get(&(same?, spot.value))).copied();
        let tree = match number.and_then(|number| known?.trees.get(number)) {
            Some(tree) => Arc::clone(tree),
            None => packed(value)?,
        };
        let within = Some((spot, Packing::Plain));
        Some((self.put(Text::Json(tree.clone()), within, number, level), tree))
    }
}

/// Where a walk begins.
#[derive(Clone)]
struct Top<'a> {
    path: String,
    owner: Option<&'a str>,
    party: Party,
}

/// The records of one text, asked for in order.
struct Standing<'k, 'a>(&'k [(usize, &'a str)]);

impl<'k, 'a> Standing<'k, 'a> {
    fn new(known: Option<&'k Known<'a>>, document: Option<usize>, from: usize) -> Self {
        let list = known.and_then(|known| known.standing.get(document?));
        let list = list.map(Vec::as_slice).unwrap_or_default();
        let first = list.partition_point(|(value, _)| *value < from);
        Self(list.get(first..).unwrap_or_default())
    }

    /// The record that begins with a value.
    fn at(&mut self, number: usize) -> Option<&'a str> {
        while let [(value, reference), rest @ ..] = self.0 {
            if *value > number {
                return None;
            }
            self.0 = rest;
            if *value == number {
                return Some(reference);
            }
        }
        None
    }
}

/// What is known inside of a container.
fn entered<'a>(
    value: Value<'_>,
    outer: Frame<'a>,
    path: usize,
    record: Option<&'a str>,
) -> Frame<'a> {
    let is_custom = outer.is_custom
        || ["custom_attributes", "ticket_attributes"].into_iter().any(|key| value.is(key));
    let is_object = value.kind() == Kind::Object;
    let own = (is_object && !is_custom)
        .then(|| type_of(value).and_then(|word| party_of(&word)).or_else(|| words_of(value)))
        .flatten();
    // The id of a hit of `search` tells what it is.
    let named = || {
        let kind = record?.split_once(':')?.0;
        (kind == "contact" || kind == "company").then_some(Party::Customer)
    };
    Frame {
        end: value.next(),
        path,
        element: (!is_object).then_some(0),
        owner: record.or(outer.owner),
        party: own.or_else(named).unwrap_or(outer.party),
        is_custom,
    }
}

/// Who wrote what stands in an object.
fn words_of(object: Value<'_>) -> Option<Party> {
    party_of(&type_of(object.get("author").filter(|author| author.kind() == Kind::Object)?)?)
}

/// Whether a string is a plain word that says what something is.
fn is_type(value: Value<'_>) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.' | b'"');
    value.is("type") && value.range().len() <= 40 && value.bytes().iter().all(is_plain)
}

/// Whether a number is a moment or an id, by Intercom's own name for it.
fn is_moment(value: Value<'_>) -> bool {
    value.raw_key().is_some_and(|key| {
        let is_one = key == b"id" || key.ends_with(b"_id") || key.ends_with(b"_at");
        let waits = key == b"snoozed_until" || key == b"waiting_since";
        (is_one || waits) && is_known(key)
    })
}

fn inner(path: &str, key: &str) -> String {
    let mut inner = path.to_owned();
    step(&mut inner, key);
    inner
}
