//! One level of an object: its members in order, as slices of the buffer they came in.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::reader::MemberSpan;
use super::text::{as_str, decode, quote, skip_space, skip_string, skip_value, slice};
use crate::domain::JsonText;

/// The members of one object, in order. Values and keys that nobody changes keep their bytes.
#[derive(Clone, Default)]
pub struct Object {
    members: Vec<Member>,
    /// The text this was split from, as long as nothing was changed.
    source: Option<Bytes>,
}

#[derive(Clone)]
struct Member {
    /// The key as written, with its quotes.
    raw: Bytes,
    /// The decoded key, if it is written with escapes.
    decoded: Option<Box<str>>,
    value: JsonText,
}

impl Member {
    fn key(&self) -> &str {
        if let Some(decoded) = &self.decoded {
            return decoded;
        }
        let inner = self.raw.get(1..self.raw.len().saturating_sub(1)).unwrap_or_default();
        // INVARIANT: the raw key was cut from UTF-8 at its quotes.
        std::str::from_utf8(inner).unwrap_or_default()
    }

    fn is(&self, key: &str) -> bool {
        match &self.decoded {
            Some(decoded) => **decoded == *key,
            None => {
                self.raw.len() == key.len() + 2
                    && self.raw.get(1..=key.len()) == Some(key.as_bytes())
            }
        }
    }
}

impl Object {
    /// Splits one level of an object that the strict reader accepted; `None` if the value is none.
    /// Looks only for where values end, so it must not be given text that nobody read strictly.
    #[must_use]
    pub fn parse(text: &JsonText) -> Option<Self> {
        let bytes = text.bytes();
        let start = skip_space(bytes, 0);
        if bytes.get(start) != Some(&b'{') {
            return None;
        }
        let mut spans = Vec::new();
        let mut at = skip_space(bytes, start + 1);
        if bytes.get(at) == Some(&b'}') {
            return Some(Self::of_spans(bytes, start..at + 1, &spans));
        }
        loop {
            if bytes.get(at) != Some(&b'"') {
                return None;
            }
            let key = at..skip_string(bytes, at)?;
            at = skip_space(bytes, key.end);
            if bytes.get(at) != Some(&b':') {
                return None;
            }
            at = skip_space(bytes, at + 1);
            let value = at..skip_value(bytes, at)?;
            at = skip_space(bytes, value.end);
            let escaped = memchr::memchr(b'\\', bytes.get(key.clone())?).is_some();
            spans.push(MemberSpan { key, escaped, value });
            match bytes.get(at)? {
                b',' => at = skip_space(bytes, at + 1),
                b'}' => return Some(Self::of_spans(bytes, start..at + 1, &spans)),
                _ => return None,
            }
        }
    }

    /// Cuts the members out of the buffer they were found in.
    pub(super) fn of_spans(bytes: &Bytes, whole: Range<usize>, spans: &[MemberSpan]) -> Self {
        let members = spans
            .iter()
            .map(|span| {
                let raw = bytes.slice(span.key.clone());
                let decoded = span.escaped.then(|| decode(&raw)).flatten().map(Into::into);
                Member { raw, decoded, value: slice(bytes, span.value.clone()) }
            })
            .collect();
        Self { members, source: Some(bytes.slice(whole)) }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&JsonText> {
        self.members.iter().find(|member| member.is(key)).map(|member| &member.value)
    }

    /// The decoded string under a key; `None` if it is absent or no string.
    #[must_use]
    pub fn str(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key).and_then(as_str)
    }

    /// The object under a key, split; `None` if it is absent or no object.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Self> {
        self.get(key).and_then(Self::parse)
    }

    /// Whether the key is there, whatever its value.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The members in order: decoded key, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &JsonText)> {
        self.members.iter().map(|member| (member.key(), &member.value))
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Sets a key: in its place if it is there, at the end if not.
    pub fn set(&mut self, key: &str, value: JsonText) {
        self.source = None;
        if let Some(member) = self.members.iter_mut().find(|member| member.is(key)) {
            member.value = value;
            return;
        }
        let raw = quote(key).bytes().clone();
        let decoded = (raw.len() != key.len() + 2).then(|| key.into());
        self.members.push(Member { raw, decoded, value });
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<JsonText> {
        let index = self.members.iter().position(|member| member.is(key))?;
        self.source = None;
        Some(self.members.remove(index).value)
    }

    /// Keeps the members whose key passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let before = self.members.len();
        self.members.retain(|member| keep(member.key()));
        if self.members.len() != before {
            self.source = None;
        }
    }

    /// The object as text: the very bytes it was split from if nothing was changed, else written anew
    /// around the unchanged bytes of its keys and values.
    #[must_use]
    pub fn to_text(&self) -> JsonText {
        if let Some(source) = &self.source {
            return JsonText::from_valid(source.clone());
        }
        let mut out = Vec::with_capacity(self.written_len());
        out.push(b'{');
        self.write_members(&mut out);
        out.push(b'}');
        JsonText::from_valid(out.into())
    }

    /// The same in memory of its own: members are parts of the text they were split from, and keep all of it.
    #[must_use]
    pub fn detached(&self) -> Self {
        let copy = Bytes::copy_from_slice(self.to_text().bytes());
        Self::parse(&JsonText::from_valid(copy)).unwrap_or_default()
    }

    /// Appends the members, separated by commas, without braces.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        for (index, member) in self.members.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&member.raw);
            out.push(b':');
            out.extend_from_slice(member.value.bytes());
        }
    }

    /// How many bytes the members take when written, at most.
    pub(crate) fn written_len(&self) -> usize {
        let each = |member: &Member| member.raw.len() + member.value.bytes().len() + 2;
        self.members.iter().map(each).sum::<usize>() + 2
    }
}

impl PartialEq for Object {
    /// Same members in the same order with the same text.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Object {}

impl<'a> FromIterator<(&'a str, JsonText)> for Object {
    fn from_iter<I: IntoIterator<Item = (&'a str, JsonText)>>(members: I) -> Self {
        let mut object = Self::default();
        for (key, value) in members {
            object.set(key, value);
        }
        object
    }
}

impl std::fmt::Debug for Object {
    /// Shows the size only: keys and values may hold personal data, and debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Object({} members)", self.members.len())
    }
}
