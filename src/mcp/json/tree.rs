//! Every value of a document with its place, found in the one strict pass.
//!
//! For those who look deep into an answer and then cut it: a flat list of places in the document's
//! order, no copy of any text. Children are reached by skipping over whole subtrees.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::reader::{self, Sink};
use super::text::{decode, slice};
use super::{JsonError, Kind, Limits};
use crate::domain::JsonText;

/// A document with the places of all its values.
pub struct Tree {
    text: Bytes,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    /// Whether the key is written with escapes.
    escaped: bool,
    start: u32,
    end: u32,
    /// The key with its quotes; empty if the value is no member.
    key: (u32, u32),
    /// Number of the container.
    parent: u32,
    /// The number of the first value behind this one's subtree.
    next: u32,
}

/// One value of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    tree: &'a Tree,
    node: &'a Node,
    number: usize,
}

impl Tree {
    /// Reads a document strictly.
    ///
    /// # Errors
    /// The first fault, as [`super::read`]; also a document of 4 GiB or more.
    pub fn read(text: Bytes, limits: &Limits) -> Result<Self, JsonError> {
        // Places are 32 bits wide.
        let most = limits.max_bytes.min(u32::MAX as usize);
        let limits = Limits { max_bytes: most, ..*limits };
        let mut builder =
            Builder { nodes: Vec::with_capacity(text.len() / 24), ..Builder::default() };
        reader::read(&text, &limits, &mut builder)?;
        Ok(Self { text, nodes: builder.nodes })
    }

    /// The whole value.
    #[must_use]
    pub fn root(&self) -> Option<Value<'_>> {
        self.value(0)
    }

    /// The value of a number: numbers are the document's order, without gaps.
    #[must_use]
    pub fn value(&self, number: usize) -> Option<Value<'_>> {
        Some(Value { tree: self, node: self.nodes.get(number)?, number })
    }

    /// The document.
    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }
}

impl<'a> Value<'a> {
    /// Its number in the tree.
    #[must_use]
    pub const fn number(self) -> usize {
        self.number
    }

    /// What it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.node.kind
    }

    /// Where it stands in the document.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.node.start as usize..self.node.end as usize
    }

    /// The number of the first value that is not part of it.
    #[must_use]
    pub const fn next(self) -> usize {
        self.node.next as usize
    }

    /// The container that it is in; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<Value<'a>> {
        (self.number > 0).then(|| self.tree.value(self.node.parent as usize)).flatten()
    }

    /// The decoded key, if it is a member of an object.
    #[must_use]
    pub fn key(self) -> Option<Cow<'a, str>> {
        if self.node.escaped {
            let (start, end) = self.node.key;
            return decode(self.tree.text.get(start as usize..end as usize)?).map(Cow::Owned);
        }
        std::str::from_utf8(self.raw_key()?).ok().map(Cow::Borrowed)
    }

    /// Whether it is the member of this key.
    #[must_use]
    pub fn is(self, key: &str) -> bool {
        if self.node.escaped {
            return self.key().is_some_and(|own| own == key);
        }
        self.raw_key() == Some(key.as_bytes())
    }

    /// The key as it is written, without its quotes; `None` if it has escapes or is none.
    #[must_use]
    pub fn raw_key(self) -> Option<&'a [u8]> {
        let (start, end) = self.node.key;
        let inside = self.tree.text.get(start as usize + 1..(end as usize).checked_sub(1)?);
        inside.filter(|_| !self.node.escaped)
    }

    /// Where its key stands in the document, with its quotes; `None` if it has none.
    #[must_use]
    pub fn key_range(self) -> Option<Range<usize>> {
        let (start, end) = self.node.key;
        (end > start).then_some(start as usize..end as usize)
    }

    /// The document that it is in.
    #[must_use]
    pub const fn document(self) -> &'a Bytes {
        &self.tree.text
    }

    /// Elements or members, in order.
    pub fn children(self) -> impl Iterator<Item = Value<'a>> {
        let first = self.number + 1;
        let inside = move |number: usize| {
            let child = self.tree.value(number)?;
            (number < self.next()).then_some(child)
        };
        std::iter::successors(inside(first), move |child| inside(child.next()))
    }

    /// The member of an object.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.children().find(|child| child.is(key))
    }

    /// The decoded text of a string.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let quoted = self.bytes();
        let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
        if memchr::memchr(b'\\', inner).is_some() {
            return decode(quoted).map(Cow::Owned);
        }
        std::str::from_utf8(inner).ok().map(Cow::Borrowed)
    }

    /// The value as it is written.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.tree.text.get(self.range()).unwrap_or_default()
    }

    /// The value as a text of its own, sharing the document's buffer.
    #[must_use]
    pub fn json(self) -> JsonText {
        slice(&self.tree.text, self.range())
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// Numbers of the values that have begun and not ended.
    open: Vec<u32>,
    key: (u32, u32),
    escaped: bool,
}

impl Sink for Builder {
    fn key(&mut self, _: usize, span: Range<usize>, escaped: bool) {
        self.key = (place(span.start), place(span.end));
        self.escaped = escaped;
    }

    fn begin(&mut self, kind: Kind, at: usize) {
        let number = place(self.nodes.len());
        let parent = self.open.last().copied().unwrap_or_default();
        let (key, escaped) = (std::mem::take(&mut self.key), std::mem::take(&mut self.escaped));
        let start = place(at);
        self.nodes.push(Node { kind, escaped, start, end: start, key, parent, next: number + 1 });
        self.open.push(number);
    }

    fn end(&mut self, _: usize, at: usize) {
        let next = place(self.nodes.len());
        let ended = self.open.pop().and_then(|number| self.nodes.get_mut(number as usize));
        if let Some(node) = ended {
            (node.end, node.next) = (place(at), next);
        }
    }
}

/// A place in a document, which is shorter than 4 GiB.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
