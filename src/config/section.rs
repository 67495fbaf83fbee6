//! A cursor over one mapping of the file: typed values with defaults, bounds and suggestions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use super::unit::{self, show_size, show_span};
use super::walk::{Asked, Walk, nearest, one_of};
use crate::domain::JsonText;
use crate::yaml::{Entry, Node, Position, Resolved, Value};

/// A mapping of the file, or its absence, which reads as one without keys.
pub(super) struct Section<'w> {
    walk: &'w Walk<'w>,
    /// `limits`, `principals[]`, or empty for the whole file.
    path: String,
    /// Where it begins.
    pub(super) at: Position,
    entries: &'w [Entry],
    /// Something else than a mapping stands there, which was reported: nothing more to say.
    odd: bool,
    asked: RefCell<Vec<&'static str>>,
}

/// A text of the file.
pub(super) struct Text {
    pub(super) at: Position,
    /// The text, references filled in.
    pub(super) text: String,
    /// What may be shown of it: the text as it stands in the file.
    pub(super) shown: String,
}

impl<'w> Section<'w> {
    pub(super) fn new(
        walk: &'w Walk<'w>,
        path: String,
        at: Position,
        node: Option<&'w Node>,
    ) -> Self {
        let mut odd = false;
        let entries = match node.map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.as_slice(),
            Some(_) if node.is_some_and(|node| !node.is_null()) => {
                odd = true;
                let what =
                    if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
                let found = node.map_or("nothing", Node::kind);
                let text = format!("{what} must be a mapping of keys to values, not {found}");
                walk.problem(at, text);
                &[]
            }
            _ => &[],
        };
        Self { walk, path, at, entries, odd, asked: RefCell::default() }
    }

    /// Ends the section: what nobody asked for is unknown.
    pub(super) fn finish(self) {
        let known = self.asked.borrow();
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let key: String = entry.key.chars().take(80).collect();
            let hint = match nearest(&key, &known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", one_of(&known)),
            };
            self.walk.problem(entry.key_at, format!("unknown key `{}`; {hint}", self.name(&key)));
        }
    }

    /// The path of one of its keys.
    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn find(&self, key: &'static str, asked: Asked) -> Option<&'w Node> {
        self.asked.borrow_mut().push(key);
        self.walk.ask(self.name(key), asked);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(&entry.node)
    }

    fn wrong_kind(&self, key: &str, expected: &str, node: &Node) {
        let name = self.name(key);
        self.walk.problem(node.at, format!("`{name}` must be {expected}, not {}", node.kind()));
    }

    /// Reports a value that is not in order.
    pub(super) fn refuse(&self, at: Position, key: &str, text: &str) {
        self.walk.problem(at, format!("`{}` {text}", self.name(key)));
    }

    /// Reports an absent key at the section's beginning.
    pub(super) fn missing(&self, key: &str, example: &str) {
        if self.odd {
            return;
        }
        let name = self.name(key);
        self.walk.problem(self.at, format!("`{name}` is missing; add it, such as `{example}`"));
    }

    /// A section inside this one.
    pub(super) fn section(&self, key: &'static str) -> Section<'w> {
        let node = self.find(key, Asked::default());
        let at = self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_at);
        let section = Section::new(self.walk, self.name(key), at.unwrap_or(self.at), node);
        Section { odd: section.odd || self.odd, ..section }
    }

    /// Where a key stands, if the file has it with any value.
    pub(super) fn has(&self, key: &str) -> Option<Position> {
        let entry = self.entries.iter().find(|entry| entry.key == key && !entry.node.is_null());
        entry.map(|entry| entry.key_at)
    }

    /// Where a key stands, whatever its value, also none.
    pub(super) fn stands(&self, key: &str) -> Option<Position> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_at)
    }

    /// Whether a key is there without a value.
    pub(super) fn is_empty(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.node.is_null())
    }

    /// Whether a key's value is one text rather than a mapping.
    pub(super) fn is_text(&self, key: &str) -> bool {
        let scalar = |node: &Node| !node.is_null() && matches!(node.value, Value::Scalar(_));
        self.entries.iter().any(|entry| entry.key == key && scalar(&entry.node))
    }

    /// The mappings of a list.
    pub(super) fn list(&self, key: &'static str) -> Vec<Section<'w>> {
        let path = format!("{}[]", self.name(key));
        let node = self.find(key, Asked::default());
        match node.map(|node| &node.value) {
            Some(Value::List(items)) => items
                .iter()
                .map(|item| Section::new(self.walk, path.clone(), item.at, Some(item)))
                .collect(),
            _ => {
                if let Some(node) = node {
                    self.wrong_kind(key, "a list (each item begins with `- `)", node);
                }
                Vec::new()
            }
        }
    }

    /// A text, if it is there.
    pub(super) fn text(&self, key: &'static str) -> Option<Text> {
        let node = self.find(key, Asked::default())?;
        self.read_text(key, node)
    }

    /// A text with a default.
    pub(super) fn text_or(&self, key: &'static str, default: &str) -> Text {
        let asked = Asked { default: Some(default.to_owned()), ..Asked::default() };
        self.find(key, asked).and_then(|node| self.read_text(key, node)).unwrap_or_else(|| Text {
            at: self.at,
            text: default.to_owned(),
            shown: default.to_owned(),
        })
    }

    fn read_text(&self, key: &str, node: &Node) -> Option<Text> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(key, "text", node);
            return None;
        };
        if !matches!(scalar.resolve(), Resolved::Text(_)) {
            self.wrong_kind(key, "text (put it in quotes)", node);
            return None;
        }
        let filled = self.walk.fill(node.at, scalar)?;
        let shown = scalar.text.chars().take(80).collect();
        let text = filled.text.as_str().to_owned();
        if text.is_empty() || text.chars().any(char::is_control) {
            self.refuse(
                node.at,
                key,
                "is empty or holds control characters; write some plain text",
            );
            return None;
        }
        Some(Text { at: node.at, text, shown })
    }

    /// The texts of a list, each once.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        let Some(node) = self.find(key, Asked::default()) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.wrong_kind(key, "a list of texts, such as `[one, two]`", node);
            return Vec::new();
        };
        let mut texts: Vec<Text> = Vec::new();
        for text in items.iter().filter_map(|item| self.read_text(key, item)) {
            if texts.iter().any(|other| other.text == text.text) {
                self.refuse(text.at, key, &format!("has `{}` twice; keep one", text.shown));
            } else {
                texts.push(text);
            }
        }
        texts
    }

    /// The names of a list: roles, groups, plugins. No wildcards, by their characters.
    pub(super) fn names(&self, key: &'static str) -> Vec<String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@:/-".contains(&b);
        let mut names = Vec::new();
        for Text { at, text, shown } in self.texts(key) {
            if text.len() <= 128 && text.bytes().all(allowed) {
                names.push(text);
            } else {
                let rule = "which is not a name; use 1 to 128 of `A-Z a-z 0-9 . _ @ : / -`";
                self.refuse(at, key, &format!("has `{shown}`, {rule}"));
            }
        }
        names
    }

    /// One name, by the same characters.
    pub(super) fn name_of(&self, key: &'static str) -> Option<String> {
        let Text { at, text, shown } = self.text(key)?;
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        if text.len() <= 64 && text.bytes().all(allowed) {
            return Some(text);
        }
        let rule = "which is not a name; use 1 to 64 of `a-z 0-9 _ -`";
        self.refuse(at, key, &format!("is `{shown}`, {rule}"));
        None
    }

    /// Some of some words.
    pub(super) fn words<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Vec<T> {
        let choices: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
        let read = |text: Text| {
            let found = words.iter().find(|(word, _)| *word == text.text);
            if found.is_none() {
                let hint = one_of(&choices);
                self.refuse(text.at, key, &format!("has `{}`; use {hint}", text.shown));
            }
            found.map(|(_, value)| *value)
        };
        self.texts(key).into_iter().filter_map(read).collect()
    }

    /// Anything, as JSON.
    pub(super) fn json(&self, key: &'static str) -> Option<JsonText> {
        let node = self.find(key, Asked::default())?;
        match node.to_json() {
            Ok(value) => Some(JsonText::of(&value)),
            Err(fault) => {
                self.refuse(fault.at, key, &fault.text);
                None
            }
        }
    }

    /// Free names and texts.
    pub(super) fn attributes(&self, key: &'static str) -> BTreeMap<String, String> {
        let Some(node) = self.find(key, Asked::default()) else { return BTreeMap::new() };
        let Value::Map(entries) = &node.value else {
            self.wrong_kind(key, "a mapping of names to texts", node);
            return BTreeMap::new();
        };
        entries
            .iter()
            .filter_map(|entry| {
                let name = format!("{key}.{}", entry.key);
                Some((entry.key.clone(), self.read_text(&name, &entry.node)?.text))
            })
            .collect()
    }

    /// Refuses the text of an address; one with `@` may hold a password, and is not shown.
    pub(super) fn refuse_url(&self, key: &'static str, text: &Text, rule: &str) {
        let what = match text.text.contains('@') {
            true => rule.to_owned(),
            false => format!("is `{}`, but {rule}", text.shown),
        };
        self.refuse(text.at, key, &what);
    }

    /// A credential. Never shown, and noted if it stands in the file itself.
    pub(super) fn secret(&self, key: &'static str) -> Option<Secret> {
        let node = self.find(key, Asked::default())?;
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(key, "text", node);
            return None;
        };
        if !self.walk.source.secrets && scalar.text.contains("${") {
            return Some(Secret::unread());
        }
        let filled = self.walk.fill(node.at, scalar)?;
        let secret = Secret::new(filled.text.as_str().to_owned());
        if let Some(weakness) = secret.weakness() {
            self.refuse(node.at, key, &format!("{weakness}; use a real one"));
            return None;
        }
        if !secret.expose().bytes().all(|b| b.is_ascii_graphic()) {
            let text =
                "holds a space or a character outside ASCII; give the bare token, without `Bearer`";
            self.refuse(node.at, key, text);
            return None;
        }
        if !filled.drawn {
            self.walk.note_literal_secret(node.at);
        }
        Some(secret)
    }

    /// A path; a relative one starts from the configuration file's folder.
    pub(super) fn path(&self, key: &'static str) -> Option<(Position, PathBuf)> {
        self.text(key).map(|text| (text.at, self.walk.source.beside(&text.text)))
    }

    /// Paths of a list, each once.
    pub(super) fn paths(&self, key: &'static str) -> Vec<(Position, PathBuf)> {
        let texts = self.texts(key).into_iter();
        texts.map(|text| (text.at, self.walk.source.beside(&text.text))).collect()
    }

    /// One of some words; the first is the default.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let choices: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
        let (word, first) = words.first()?;
        let asked = Asked { default: Some((*word).to_owned()), choices: choices.clone() };
        let text = match self.find(key, asked) {
            None => return Some(*first),
            Some(node) => self.read_text(key, node)?,
        };
        let found = words.iter().find(|(word, _)| *word == text.text);
        if found.is_none() {
            let hint = match nearest(&text.text, &choices) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("use {}", one_of(&choices)),
            };
            self.refuse(text.at, key, &format!("cannot be `{}`; {hint}", text.shown));
        }
        found.map(|(_, value)| *value)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        let read = |text: &str| text.parse().ok();
        let expected = "`true` or `false`";
        self.measured(key, default, &bool::to_string, read, expected, &(false..=true))
    }

    /// A duration within bounds.
    pub(super) fn span(
        &self,
        key: &'static str,
        default: Duration,
        bounds: &RangeInclusive<Duration>,
    ) -> Duration {
        let show = |span: &Duration| show_span(*span);
        self.measured(
            key,
            default,
            &show,
            unit::span,
            "a duration such as `500ms`, `30s`, `5m` or `4h`",
            bounds,
        )
    }

    /// A size in bytes within bounds.
    pub(super) fn size(
        &self,
        key: &'static str,
        default: usize,
        bounds: &RangeInclusive<usize>,
    ) -> usize {
        let show = |bytes: &usize| show_size(*bytes as u64);
        let read = |text: &str| unit::size(text).and_then(|bytes| usize::try_from(bytes).ok());
        self.measured(key, default, &show, read, "a size such as `512KiB` or `4MiB`", bounds)
    }

    /// A whole number within bounds.
    pub(super) fn count(
        &self,
        key: &'static str,
        default: usize,
        bounds: &RangeInclusive<usize>,
    ) -> usize {
        let read = |text: &str| text.parse().ok();
        self.measured(key, default, &usize::to_string, read, "a whole number", bounds)
    }

    /// A plain scalar with a default, a form and bounds.
    fn measured<T: PartialOrd>(
        &self,
        key: &'static str,
        default: T,
        show: &dyn Fn(&T) -> String,
        read: impl FnOnce(&str) -> Option<T>,
        expected: &str,
        bounds: &RangeInclusive<T>,
    ) -> T {
        let asked = Asked { default: Some(show(&default)), ..Asked::default() };
        let Some(node) = self.find(key, asked) else { return default };
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(key, expected, node);
            return default;
        };
        let Some(filled) = self.walk.fill(node.at, scalar) else { return default };
        let shown: String = scalar.text.chars().take(80).collect();
        match read(&filled.text) {
            Some(value) if bounds.contains(&value) => value,
            Some(_) => {
                let (least, most) = (show(bounds.start()), show(bounds.end()));
                let text = format!("is `{shown}`, but must be between `{least}` and `{most}`");
                self.refuse(node.at, key, &text);
                default
            }
            None => {
                self.refuse(node.at, key, &format!("is `{shown}`, but must be {expected}"));
                default
            }
        }
    }
}
