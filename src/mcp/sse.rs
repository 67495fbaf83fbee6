//! Server-sent events: an incremental decoder and an encoder (WHATWG HTML, section 9.2).
//!
//! Streams stay streams: an event is returned with the chunk that completes it, and its data is a slice
//! of that chunk where one chunk holds the line. The decoder bounds what it keeps, and stays silent
//! about an event that never ends: it is never passed on in part.

use bytes::{Bytes, BytesMut};

/// One event. Fields that the sender did not write are `None`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The type (`event`).
    pub event: Option<String>,
    /// The data, lines joined by a line feed. Not checked to be UTF-8: the JSON reader does. `None`
    /// for a block that sets only an id or a retry time, which browsers do not dispatch but a proxy
    /// must keep.
    pub data: Option<Bytes>,
    /// The id, as written in this event (it is not inherited from an earlier one).
    pub id: Option<String>,
    /// The reconnection time in milliseconds.
    pub retry: Option<u64>,
}

impl std::fmt::Debug for Event {
    /// Shows no data: it may be personal, and debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("event", &self.event)
            .field("id", &self.id)
            .field("retry", &self.retry)
            .field("bytes", &self.data.as_ref().map(Bytes::len))
            .finish()
    }
}

/// What a stream is made of.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A comment, without its colon: keeps connections alive and is passed on.
    Comment(Bytes),
}

impl std::fmt::Debug for Item {
    /// Shows no comment: see [`Event`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Comment(text) => write!(f, "Comment({} bytes)", text.len()),
        }
    }
}

/// Why a stream cannot be read on. The decoder must be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// One event or line is larger than the cap.
    #[error("an event of the stream is larger than {0} bytes")]
    TooLarge(usize),
    /// An event type or id is not UTF-8.
    #[error("an event of the stream has a type or id that is not UTF-8")]
    Utf8,
}

/// The incremental decoder. Any chunking of the same bytes gives the same items.
pub struct Decoder {
    max_event: usize,
    /// The beginning of a line whose end has not come.
    line: BytesMut,
    /// Bytes of the fields of the event being built.
    size: usize,
    event: Event,
    /// All its data, once a second line of it came; until then `event.data` is a slice of a chunk.
    more: BytesMut,
    /// Whether any field was seen since the last blank line.
    touched: bool,
    /// The last chunk ended in CR: a LF that follows belongs to it.
    after_cr: bool,
    /// No line was complete yet, so a byte order mark may lead.
    first_line: bool,
}

impl Decoder {
    /// A decoder that refuses events larger than `max_event` bytes.
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            max_event,
            line: BytesMut::new(),
            size: 0,
            event: Event::default(),
            more: BytesMut::new(),
            touched: false,
            after_cr: false,
            first_line: true,
        }
    }

    /// Takes the next bytes; returns what they complete, in order.
    ///
    /// # Errors
    /// The cap was exceeded, or an event is not text. What was complete before the fault is lost:
    /// nothing of a stream that cannot be read is passed on.
    pub fn push(&mut self, mut chunk: Bytes) -> Result<Vec<Item>, SseError> {
        let mut items = Vec::new();
        if std::mem::take(&mut self.after_cr) {
            if chunk.first() == Some(&b'\n') {
                chunk = chunk.slice(1..);
            } else if chunk.is_empty() {
                self.after_cr = true;
            }
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', &chunk) {
            let head = chunk.split_to(end);
            let carriage_return = chunk.first() == Some(&b'\r');
            chunk = chunk.slice(1..);
            if carriage_return {
                match chunk.first() {
                    Some(b'\n') => chunk = chunk.slice(1..),
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            let line = if self.line.is_empty() {
                head
            } else {
                self.line.extend_from_slice(&head);
                self.line.split().freeze()
            };
            items.extend(self.take_line(line)?);
        }
        self.line.extend_from_slice(&chunk);
        if self.size + self.line.len() > self.max_event {
            return Err(SseError::TooLarge(self.max_event));
        }
        Ok(items)
    }

    /// Whether the stream may end here: not within an event. What is unfinished is never passed on.
    #[must_use]
    pub fn is_between_events(&self) -> bool {
        self.line.is_empty() && !self.touched
    }

    fn take_line(&mut self, mut line: Bytes) -> Result<Option<Item>, SseError> {
        if std::mem::take(&mut self.first_line) && line.starts_with(b"\xef\xbb\xbf") {
            line = line.slice(3..);
        }
        if line.is_empty() {
            self.size = 0;
            let mut event = std::mem::take(&mut self.event);
            if !self.more.is_empty() {
                event.data = Some(self.more.split().freeze());
            }
            return Ok(std::mem::take(&mut self.touched).then_some(Item::Event(event)));
        }
        if self.size + line.len() > self.max_event {
            return Err(SseError::TooLarge(self.max_event));
        }
        let colon = memchr::memchr(b':', &line);
        if colon == Some(0) {
            return Ok(Some(Item::Comment(line.slice(1..))));
        }
        self.size += line.len();
        let (field, value) = match colon {
            Some(colon) => {
                let space = usize::from(line.get(colon + 1) == Some(&b' '));
                (line.slice(..colon), line.slice(colon + 1 + space..))
            }
            None => (line, Bytes::new()),
        };
        self.take_field(&field, value)?;
        Ok(None)
    }

    fn take_field(&mut self, field: &[u8], value: Bytes) -> Result<(), SseError> {
        let text = |value: &[u8]| {
            std::str::from_utf8(value).map(str::to_owned).map_err(|_| SseError::Utf8)
        };
        match field {
            b"data" => match &self.event.data {
                None => self.event.data = Some(value),
                Some(first) => {
                    if self.more.is_empty() {
                        self.more.extend_from_slice(first);
                    }
                    self.more.extend_from_slice(b"\n");
                    self.more.extend_from_slice(&value);
                }
            },
            b"event" => self.event.event = Some(text(&value)?).filter(|name| !name.is_empty()),
            b"id" if !value.contains(&0) => self.event.id = Some(text(&value)?),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.event.retry = text(&value)?.parse().ok();
            }
            // Unknown fields are ignored, as the standard says.
            _ => return Ok(()),
        }
        self.touched = true;
        Ok(())
    }
}

/// An event as bytes. Data is split at every line end; line ends in type or id, and NUL in the id,
/// are left out, so that no field can begin another.
#[must_use]
pub fn encode(event: &Event) -> Bytes {
    let data = event.data.as_deref();
    let mut out = Vec::with_capacity(data.map_or(0, <[u8]>::len) + 64);
    if let Some(name) = &event.event {
        field(&mut out, b"event: ", &one_line(name));
    }
    if let Some(id) = &event.id {
        field(&mut out, b"id: ", &one_line(id));
    }
    if let Some(millis) = event.retry {
        field(&mut out, b"retry: ", millis.to_string().as_bytes());
    }
    if let Some(mut rest) = data {
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(end);
            field(&mut out, b"data: ", line);
            rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
        }
        field(&mut out, b"data: ", rest);
    }
    out.push(b'\n');
    out.into()
}

/// A message as an event: data alone, with an id if resumption is offered.
#[must_use]
pub fn message(data: Bytes, id: Option<String>) -> Bytes {
    encode(&Event { data: Some(data), id, ..Event::default() })
}

/// A comment as bytes.
#[must_use]
pub fn comment(text: &str) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + 4);
    field(&mut out, b": ", &one_line(text));
    out.push(b'\n');
    out.into()
}

/// Appends one line.
fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// The text without line ends and NUL, which would begin another field or void an id.
fn one_line(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)).collect()
}

#[cfg(test)]
mod tests;
