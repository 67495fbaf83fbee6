//! The one pass over a document: grammar, limits and everything that must be refused.
//!
//! Iterative, with a stack of open containers, so that depth costs no call stack. What is kept of the
//! document is the affair of a [`Sink`]: the places of the root's members, or of every value.

use std::borrow::Cow;
use std::ops::Range;

use super::keys::{Keys, Scope};
use super::scan::next_special;
use super::text::decode;
use super::{JsonError, JsonFault, Kind, Limits};

/// A number with more digits than this is no number that anyone computes with.
const MAX_NUMBER: usize = 400;

/// Where the parts of an accepted document lie.
pub(super) struct Outline {
    pub(super) kind: Kind,
    /// The value, without the whitespace around it.
    pub(super) value: Range<usize>,
    /// The root's members, if it is an object.
    pub(super) members: Vec<MemberSpan>,
}

/// One member of the root object.
pub(super) struct MemberSpan {
    /// The key with its quotes.
    pub(super) key: Range<usize>,
    /// Whether the key is written with escapes.
    pub(super) escaped: bool,
    /// The value.
    pub(super) value: Range<usize>,
}

/// What is told of a document while it is read. Nothing of it counts if the reader refuses the rest.
pub(super) trait Sink {
    /// A key was read, in the object that is open at this depth.
    fn key(&mut self, depth: usize, span: Range<usize>, escaped: bool);
    /// A value begins at this byte.
    fn begin(&mut self, kind: Kind, at: usize);
    /// The value that began last and has not ended ends before this byte.
    fn end(&mut self, depth: usize, at: usize);
}

/// Keeps the members of the root, if it is an object.
#[derive(Default)]
struct Members(Vec<MemberSpan>);

impl Sink for Members {
    fn key(&mut self, depth: usize, span: Range<usize>, escaped: bool) {
        if depth == 1 {
            self.0.push(MemberSpan { key: span, escaped, value: 0..0 });
        }
    }

    fn begin(&mut self, _: Kind, at: usize) {
        if let Some(member) = self.0.last_mut()
            && member.value.start == 0
        {
            member.value.start = at;
        }
    }

    fn end(&mut self, depth: usize, at: usize) {
        if depth == 1
            && let Some(member) = self.0.last_mut()
        {
            member.value.end = at;
        }
    }
}

/// Checks the document and finds its parts.
pub(super) fn outline(bytes: &[u8], limits: &Limits) -> Result<Outline, JsonError> {
    let mut members = Members::default();
    let (kind, value) = read(bytes, limits, &mut members)?;
    Ok(Outline { kind, value, members: members.0 })
}

/// Checks the document and tells `sink` of it; gives the root's kind and place.
pub(super) fn read(
    bytes: &[u8],
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<(Kind, Range<usize>), JsonError> {
    if bytes.len() > limits.max_bytes {
        return Err(JsonError { kind: JsonFault::TooLarge, offset: limits.max_bytes });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(JsonError { kind: JsonFault::ByteOrderMark, offset: 0 });
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(JsonError { kind: JsonFault::Utf8, offset: error.valid_up_to() });
    }
    let mut reader = Reader {
        bytes,
        at: 0,
        max_depth: limits.max_depth,
        nul: limits.nul,
        open: Vec::new(),
        keys: Keys::default(),
        sink,
    };
    reader.document()
}

struct Reader<'a, 's, S> {
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
    nul: bool,
    /// The containers that are open: an object with its keys, or an array.
    open: Vec<Option<Scope<'a>>>,
    keys: Keys<'a>,
    sink: &'s mut S,
}

impl<'a, S: Sink> Reader<'a, '_, S> {
    fn document(&mut self) -> Result<(Kind, Range<usize>), JsonError> {
        self.space();
        let start = self.at;
        let kind = kind_at(self.peek());
        // Each turn reads the beginning of one value, then closes what ends with it.
        while self.begin_value()? || !self.end_value()? {}
        let value = start..self.at;
        self.space();
        if self.at < self.bytes.len() {
            return Err(self.fault(JsonFault::Trailing));
        }
        Ok((kind, value))
    }

    /// Reads a scalar or an empty container (`false`), or enters a container up to its first value
    /// (`true`).
    fn begin_value(&mut self) -> Result<bool, JsonError> {
        self.sink.begin(kind_at(self.peek()), self.at);
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'{') => self.enter(true),
            Some(b'[') => self.enter(false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(_) => Err(self.fault(JsonFault::Expected("a value"))),
            None => Err(self.fault(JsonFault::UnexpectedEnd)),
        }
    }

    fn enter(&mut self, object: bool) -> Result<bool, JsonError> {
        if self.open.len() >= self.max_depth {
            return Err(self.fault(JsonFault::TooDeep));
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(if object { b'}' } else { b']' }) {
            self.at += 1;
            return Ok(false);
        }
        self.open.push(object.then(|| self.keys.open()));
        if object {
            self.key()?;
        }
        Ok(true)
    }

    /// After a value: closes containers until another value follows (`false`) or the root has ended
    /// (`true`).
    fn end_value(&mut self) -> Result<bool, JsonError> {
        loop {
            self.sink.end(self.open.len(), self.at);
            let Some(top) = self.open.last() else { return Ok(true) };
            let object = top.is_some();
            self.space();
            match (self.peek(), object) {
                (Some(b','), _) => {
                    self.at += 1;
                    self.space();
                    if object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    self.at += 1;
                    if let Some(Some(scope)) = self.open.pop() {
                        self.keys.close(&scope);
                    }
                }
                (None, _) => return Err(self.fault(JsonFault::UnexpectedEnd)),
                (_, true) => return Err(self.fault(JsonFault::Expected("`,` or `}`"))),
                (_, false) => return Err(self.fault(JsonFault::Expected("`,` or `]`"))),
            }
        }
    }

    /// Reads a key, its colon and the space before the value.
    fn key(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => {}
            None => return Err(self.fault(JsonFault::UnexpectedEnd)),
            Some(_) => return Err(self.fault(JsonFault::Expected("a key in quotes"))),
        }
        let start = self.at;
        let escaped = self.string()?;
        let span = start..self.at;
        let raw = self.bytes.get(start + 1..self.at - 1).unwrap_or_default();
        let key = if escaped { self.decoded(&span)? } else { Cow::Borrowed(raw) };
        if let Some(Some(scope)) = self.open.last_mut()
            && !self.keys.insert(scope, key)
        {
            return Err(JsonError { kind: JsonFault::DuplicateKey, offset: start });
        }
        self.space();
        match self.peek() {
            Some(b':') => self.at += 1,
            None => return Err(self.fault(JsonFault::UnexpectedEnd)),
            Some(_) => return Err(self.fault(JsonFault::Expected("`:`"))),
        }
        self.space();
        self.sink.key(self.open.len(), span, escaped);
        Ok(())
    }

    fn decoded(&self, span: &Range<usize>) -> Result<Cow<'a, [u8]>, JsonError> {
        let text = self.bytes.get(span.clone()).and_then(decode);
        // INVARIANT: `string` accepted the text, so it decodes.
        let fault = JsonError { kind: JsonFault::Escape, offset: span.start };
        text.map(|text| Cow::Owned(text.into_bytes())).ok_or(fault)
    }

    /// Reads a string from its opening to behind its closing quote; tells whether it has escapes.
    fn string(&mut self) -> Result<bool, JsonError> {
        let mut at = self.at + 1;
        let mut escaped = false;
        loop {
            at = next_special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(_) => {
                    return Err(JsonError { kind: JsonFault::ControlCharacter, offset: at });
                }
                None => return Err(JsonError { kind: JsonFault::UnexpectedEnd, offset: at }),
            }
        }
    }

    /// Checks the escape whose backslash is at `at`; returns the place behind it.
    fn escape(&self, at: usize) -> Result<usize, JsonError> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
            Some(b'u') => {}
            None => return Err(JsonError { kind: JsonFault::UnexpectedEnd, offset: at }),
            Some(_) => return Err(JsonError { kind: JsonFault::Escape, offset: at }),
        }
        let bad = JsonError { kind: JsonFault::Escape, offset: at };
        let lone = JsonError { kind: JsonFault::LoneSurrogate, offset: at };
        match self.hex(at + 2).ok_or(bad)? {
            0xD800..0xDC00 => {
                let pair = self.bytes.get(at + 6..at + 8) == Some(b"\\u");
                match pair.then(|| self.hex(at + 8)).flatten() {
                    Some(0xDC00..0xE000) => Ok(at + 12),
                    _ => Err(lone),
                }
            }
            0xDC00..0xE000 => Err(lone),
            0 if !self.nul => Err(JsonError { kind: JsonFault::Nul, offset: at }),
            _ => Ok(at + 6),
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits
            .iter()
            .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let zero = self.peek() == Some(b'0');
        let digits = self.digits()?;
        if zero && digits > 1 {
            return Err(JsonError { kind: JsonFault::Number, offset: start });
        }
        let mut integer = true;
        let mut exponent = false;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            (integer, exponent) = (false, true);
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let range = JsonError { kind: JsonFault::NumberRange, offset: start };
        if self.at - start > MAX_NUMBER {
            return Err(range);
        }
        // Short numbers without exponent are in range; the others are rare enough to be converted.
        if digits < 19 && !exponent {
            return Ok(());
        }
        let text = self.bytes.get(start..self.at).map(std::str::from_utf8);
        let Some(Ok(text)) = text else { return Err(range) };
        let fits = if integer {
            text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
        } else {
            text.parse::<f64>().is_ok_and(f64::is_finite)
        };
        if fits { Ok(()) } else { Err(range) }
    }

    /// One digit or more; returns how many.
    fn digits(&mut self) -> Result<usize, JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.fault(JsonFault::Number)) } else { Ok(count) }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<bool, JsonError> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.fault(JsonFault::Expected("a value")));
        }
        self.at += word.len();
        Ok(false)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn fault(&self, kind: JsonFault) -> JsonError {
        JsonError { kind, offset: self.at }
    }
}

/// The kind of the value that begins with this byte, if any does.
pub(super) const fn kind_at(byte: Option<u8>) -> Kind {
    match byte {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'-' | b'0'..=b'9') => Kind::Number,
        _ => Kind::Null,
    }
}
