//! Edits of leaves, carried out on the bytes that write them.
//!
//! A leaf's edit becomes a splice of the text that it stands in, and a text's splices become those of
//! the string that it is packed in, up to the message. Markup stays whole; numbers stay valid; a
//! member's new name is one that its object does not have.

use std::collections::BTreeMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::html;
use super::payload::{Packing, Payload, Spot, Text};
use crate::domain::{Form, JsonText};
use crate::mcp::json::{self, Splice, Value};

/// One span of a leaf, and what is written in its place; an empty span is a place where something is
/// put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The leaf's number.
    pub leaf: usize,
    /// The bytes of its text.
    pub bytes: Range<usize>,
    /// What stands there instead.
    pub new: New,
}

/// What is written in the place of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum New {
    /// A text. A number becomes one as a whole.
    Text(String),
    /// A number in the place of a number; must be one.
    Number(u64),
    /// Nothing: the whole value is empty.
    Empty,
}

/// An edit of something that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an edit is of something that the message does not have")]
pub struct Misplaced;

/// The message with the edits carried out. Spans that overlap are one; the first of them, the longer
/// one before the others, says what is written.
///
/// # Errors
/// If an edit is of no leaf, or of bytes that the leaf does not have.
pub fn edit(payload: &Payload, edits: &[Edit]) -> Result<JsonText, Misplaced> {
    let mut all = Splices::new(payload);
    for (leaf, edits) in by_leaf(edits) {
        all.leaf(leaf, &edits)?;
    }
    all.keys()?;
    all.carry_out()
}

/// The edits of each leaf, in order and apart from each other.
fn by_leaf(edits: &[Edit]) -> BTreeMap<usize, Vec<Edit>> {
    let mut leaves: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        leaves.entry(edit.leaf).or_default().push(edit.clone());
    }
    for edits in leaves.values_mut() {
        edits.sort_by_key(|edit| (edit.bytes.start, std::cmp::Reverse(edit.bytes.end)));
        let mut apart: Vec<Edit> = Vec::with_capacity(edits.len());
        for edit in edits.drain(..) {
            match apart.last_mut().filter(|last| edit.bytes.start < last.bytes.end) {
                Some(last) => {
                    last.bytes.end = last.bytes.end.max(edit.bytes.end);
                    if edit.new == New::Empty {
                        last.new = New::Empty;
                    }
                }
                None => apart.push(edit),
            }
        }
        *edits = apart;
    }
    leaves
}

struct Splices<'a> {
    payload: &'a Payload,
    /// By document.
    splices: Vec<Vec<Splice>>,
    /// New names of members, by the object that they are in.
    names: BTreeMap<(usize, usize), Vec<(usize, String)>>,
}

impl<'a> Splices<'a> {
    fn new(payload: &'a Payload) -> Self {
        let splices = vec![Vec::new(); payload.documents().len()];
        Self { payload, splices, names: BTreeMap::new() }
    }

    fn add(&mut self, document: usize, splices: Vec<Splice>) -> Result<(), Misplaced> {
        self.splices.get_mut(document).ok_or(Misplaced)?.extend(splices);
        Ok(())
    }

    /// All edits of one leaf, at every place where it stands.
    fn leaf(&mut self, number: usize, edits: &[Edit]) -> Result<(), Misplaced> {
        let leaf = self.payload.leaves.get(number).ok_or(Misplaced)?;
        let own = splices_of(&leaf.text, leaf.form, edits)?;
        let whole = edits.iter().find_map(|edit| match (&edit.new, leaf.form) {
            (New::Empty, Form::Key) => None,
            (New::Empty, Form::Number) => Some(String::from("null")),
            (New::Empty, _) => Some(String::from("\"\"")),
            (New::Number(number), Form::Number) => Some(number.to_string()),
            (New::Text(text), Form::Number) => Some(json::quote(text).as_str().to_owned()),
            _ => None,
        });
        let spots: Vec<Spot> = self.payload.spots_of(number).collect();
        for spot in spots {
            let Some(value) = self.payload.value(spot) else {
                // A text that is no JSON is one leaf.
                let whole = whole.as_ref().map(|_| vec![Splice::new(0..leaf.text.len(), "")]);
                self.add(spot.document, whole.unwrap_or_else(|| own.clone()))?;
                continue;
            };
            match (&whole, leaf.form) {
                (Some(whole), _) => {
                    self.add(spot.document, vec![Splice::new(value.range(), whole.clone())])?;
                }
                (None, Form::Key) => {
                    let parent = value.parent().ok_or(Misplaced)?.number();
                    let name = Splice::apply(&own, leaf.text.as_bytes()).ok_or(Misplaced)?;
                    let name = String::from_utf8(name).map_err(|_| Misplaced)?;
                    self.names.entry((spot.document, parent)).or_default().push((spot.value, name));
                }
                (None, _) => {
                    self.add(spot.document, value.carried(&own).ok_or(Misplaced)?)?;
                }
            }
        }
        Ok(())
    }

    /// Gives members their new names, each another.
    fn keys(&mut self) -> Result<(), Misplaced> {
        for ((document, object), names) in std::mem::take(&mut self.names) {
            let object = self.payload.value(Spot { document, value: object }).ok_or(Misplaced)?;
            let is_new = |value: &Value<'_>| names.iter().any(|(own, _)| *own == value.number());
            let mut taken: Vec<String> = object
                .children()
                .filter(|value| !is_new(value))
                .filter_map(|value| value.key().map(std::borrow::Cow::into_owned))
                .collect();
            let mut splices = Vec::with_capacity(names.len());
            for (value, name) in &names {
                let name = free(name, &taken);
                let value =
                    self.payload.value(Spot { document, value: *value }).ok_or(Misplaced)?;
                let range = value.key_range().ok_or(Misplaced)?;
                splices.push(Splice::new(range, json::quote(&name).as_str()));
                taken.push(name);
            }
            self.add(document, splices)?;
        }
        Ok(())
    }

    /// Carries everything outwards to the message.
    fn carry_out(mut self) -> Result<JsonText, Misplaced> {
        // A text inside another has the higher number, so it is finished first.
        for number in (1..self.splices.len()).rev() {
            let own = self.splices.get_mut(number).map(std::mem::take).unwrap_or_default();
            if own.is_empty() {
                continue;
            }
            let own = Splice::apart(own);
            let document = self.payload.documents().get(number).ok_or(Misplaced)?;
            let (spot, packing) = document.within.ok_or(Misplaced)?;
            let string = self.payload.value(spot).ok_or(Misplaced)?;
            let carried = match packing {
                Packing::Plain => string.carried(&own).ok_or(Misplaced)?,
                Packing::Base64 => {
                    let text = match &document.text {
                        Text::Json(tree) => tree.text(),
                        Text::Words(text) => text.as_bytes(),
                    };
                    let text = Splice::apply(&own, text).ok_or(Misplaced)?;
                    let text = json::quote(&STANDARD.encode(text));
                    vec![Splice::new(string.range(), text.as_str())]
                }
            };
            self.add(spot.document, carried)?;
        }
        let own = Splice::apart(self.splices.first_mut().map(std::mem::take).unwrap_or_default());
        let text = self.payload.text();
        if own.is_empty() {
            return Ok(text);
        }
        let text = Splice::apply(&own, text.bytes()).ok_or(Misplaced)?;
        Ok(JsonText::from_valid(text.into()))
    }
}

/// The edits of a leaf as splices of its text.
fn splices_of(text: &str, form: Form, edits: &[Edit]) -> Result<Vec<Splice>, Misplaced> {
    let tags = if form == Form::Html { html::tags(text) } else { Vec::new() };
    let mut splices = Vec::with_capacity(edits.len());
    for edit in edits {
        let new = match &edit.new {
            New::Text(new) => new.clone(),
            New::Number(number) => number.to_string(),
            New::Empty => String::new(),
        };
        if edit.bytes.is_empty() && text.is_char_boundary(edit.bytes.start) {
            splices.push(Splice::new(edit.bytes.clone(), new));
            continue;
        }
        let span = widened(text, edit.bytes.clone()).ok_or(Misplaced)?;
        if form != Form::Html {
            splices.push(Splice::new(span, new));
            continue;
        }
        let mut new = Some(new);
        for piece in html::pieces(text, &tags, span) {
            let fitted = html::fitted(&new.take().unwrap_or_default(), &piece);
            // An attribute must have a name.
            let is_lost = piece.is_bare && fitted.is_empty();
            let fitted = if is_lost { String::from("_") } else { fitted };
            splices.push(Splice::new(piece.range, fitted));
        }
    }
    let splices = joined(splices);
    if form == Form::Html { untagged(text, &tags, splices) } else { Ok(splices) }
}

/// What keeps a bracket text: behind it, no name begins with the first; the second opens a value that
/// nothing ends.
const SIGNS: [char; 2] = ['_', '"'];

/// Splices that make no tag of what was none: in `<Jo b>`, a `b` in place of `Jo ` would. Where one would
/// arise, what is new gets a sign that shows and keeps it text.
fn untagged(
    text: &str,
    tags: &[html::Tag],
    mut splices: Vec<Splice>,
) -> Result<Vec<Splice>, Misplaced> {
    if memchr::memchr_iter(b'<', text.as_bytes()).count() == tags.len() {
        return Ok(splices);
    }
    for sign in SIGNS {
        let edited = Splice::apply(&splices, text.as_bytes()).ok_or(Misplaced)?;
        let edited = String::from_utf8(edited).map_err(|_| Misplaced)?;
        let mut made = Vec::new();
        let (mut next, mut longer, mut shorter) = (0, 0, 0);
        for tag in html::tags(&edited) {
            // Where it begins in the text as it was. No new text has a bracket in it.
            while let Some(splice) = splices.get(next)
                && splice.range.start + longer <= tag.range.start + shorter
            {
                longer += splice.new.len();
                shorter += splice.range.len();
                next += 1;
            }
            let began = (tag.range.start + shorter).saturating_sub(longer);
            if tags.binary_search_by_key(&began, |tag| tag.range.start).is_err() {
                made.push(next);
            }
        }
        if made.is_empty() {
            break;
        }
        made.dedup();
        for place in made {
            if let Some(splice) = splices.get_mut(place) {
                splice.new.insert(0, sign);
            }
        }
    }
    Ok(splices)
}

/// Splices in order; those that overlap are one, which says what the first does.
fn joined(mut splices: Vec<Splice>) -> Vec<Splice> {
    splices.sort_by_key(|splice| (splice.range.start, std::cmp::Reverse(splice.range.end)));
    let mut apart: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        match apart.last_mut().filter(|last| splice.range.start < last.range.end) {
            Some(last) => last.range.end = last.range.end.max(splice.range.end),
            None => apart.push(splice),
        }
    }
    apart
}

/// A span that cuts through no character and no percent-escape; `None` if it is not in the text.
fn widened(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    if span.start >= span.end || span.end > text.len() {
        return None;
    }
    let (mut start, mut end) = (span.start, span.end);
    start = html::percent_around(text, start).map_or(start, |escape| escape.start);
    end = html::percent_around(text, end).map_or(end, |escape| escape.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Some(start..end)
}

/// A name that is not taken.
fn free(name: &str, taken: &[String]) -> String {
    let is_taken = |name: &str| taken.iter().any(|other| other == name);
    let name = if name.is_empty() { "_" } else { name };
    if !is_taken(name) {
        return name.to_owned();
    }
    let numbered = (2_usize..).map(|number| format!("{name} {number}"));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
}
