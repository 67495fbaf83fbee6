//! Server-sent events: an incremental decoder and an encoder (WHATWG HTML, section 9.2).
//!
//! Streams stay streams: an event is returned with the chunk that completes it, and its data is a slice
//! of that chunk where one chunk holds the line. The decoder bounds what it keeps, and stays silent
//! about an event that never ends: it is never passed on in part.

use bytes::{Bytes, BytesMut};

/// One event. Fields that the sender did not write are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

/// What a stream is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A comment, without its colon: keeps connections alive and is passed on.
    Comment(Bytes),
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
#[derive(Debug)]
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

/// A reconnection time as bytes.
#[must_use]
pub fn retry(millis: u64) -> Bytes {
    encode(&Event { retry: Some(millis), ..Event::default() })
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Result<Vec<Item>, SseError> {
        let mut decoder = Decoder::new(1000);
        let mut items = Vec::new();
        for chunk in chunks {
            items.extend(decoder.push(Bytes::copy_from_slice(chunk))?);
        }
        Ok(items)
    }

    fn data(text: &str) -> Event {
        Event { data: Some(Bytes::copy_from_slice(text.as_bytes())), ..Event::default() }
    }

    fn comment_item(text: &'static str) -> Item {
        Item::Comment(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        let some = |text: &str| Some(text.to_owned());
        let rows: Vec<(&[u8], Vec<Item>)> = vec![
            (b"", vec![]),
            (b"\n\n\r\r\n", vec![]),
            (b"data: a\n\n", vec![Item::Event(data("a"))]),
            (b"data:a\r\rdata:  b\r\n\r\n", vec![Item::Event(data("a")), Item::Event(data(" b"))]),
            (b"data: a\ndata\ndata:b\n\n", vec![Item::Event(data("a\n\nb"))]),
            (b"data\n\n", vec![Item::Event(data(""))]),
            (b"data\ndata\ndata\n\n", vec![Item::Event(data("\n\n"))]),
            (b"\xef\xbb\xbfdata: a\n\n", vec![Item::Event(data("a"))]),
            (b"\xef\xbb\xbf\ndata: a\n\n", vec![Item::Event(data("a"))]),
            (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", vec![Item::Event(data("a"))]),
            (b": hi\n:\n\n", vec![comment_item(" hi"), comment_item("")]),
            (
                b"data: a\n: between\ndata: b\n\n",
                vec![comment_item(" between"), Item::Event(data("a\nb"))],
            ),
            (
                b"event: x\nid: 1\nretry: 250\ndata: a\n\n",
                vec![Item::Event(Event {
                    event: some("x"),
                    id: some("1"),
                    retry: Some(250),
                    ..data("a")
                })],
            ),
            (b"event: x\nevent:\ndata: a\n\n", vec![Item::Event(data("a"))]),
            (
                b"id: 1\ndata:\n\ndata: b\n\n",
                vec![Item::Event(Event { id: some("1"), ..data("") }), Item::Event(data("b"))],
            ),
            (b"id\ndata: a\n\n", vec![Item::Event(Event { id: some(""), ..data("a") })]),
            (b"id: a\0b\ndata: a\n\n", vec![Item::Event(data("a"))]),
            (
                b"retry: 3000\n\n",
                vec![Item::Event(Event { retry: Some(3000), ..Event::default() })],
            ),
            (
                b"retry: 1.5\nretry: -1\nretry:\nretry: 1s\ndata: a\n\n",
                vec![Item::Event(data("a"))],
            ),
            (b"retry: 99999999999999999999999\ndata: a\n\n", vec![Item::Event(data("a"))]),
            (b"Data: a\nDATA: b\ndata : c\n data: d\nfoo: e\n\n", vec![]),
            (b"data: a:b: c\n\n", vec![Item::Event(data("a:b: c"))]),
            (b"data: a\0b\n\n", vec![Item::Event(data("a\0b"))]),
            // Without its blank line an event is not there.
            (b"data: a\n\ndata: b\n", vec![Item::Event(data("a"))]),
            (b"data: a\n\ndata: b", vec![Item::Event(data("a"))]),
        ];
        for (stream, items) in rows {
            let shown = String::from_utf8_lossy(stream);
            assert_eq!(decode(&[stream]).as_ref(), Ok(&items), "{shown:?}");
            for cut in 0..=stream.len() {
                let (head, tail) = stream.split_at(cut);
                assert_eq!(decode(&[head, b"", tail]).as_ref(), Ok(&items), "{shown:?} at {cut}");
            }
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(decode(&bytes).as_ref(), Ok(&items), "{shown:?} by bytes");
        }
    }

    #[test]
    fn an_event_is_there_with_the_chunk_that_ends_it() {
        let mut decoder = Decoder::new(100);
        let push =
            |decoder: &mut Decoder, chunk: &'static str| decoder.push(chunk.into()).unwrap().len();
        assert_eq!(push(&mut decoder, "data: a\r\n"), 0);
        assert!(!decoder.is_between_events());
        assert_eq!(push(&mut decoder, "\r"), 1);
        assert!(decoder.is_between_events());
        assert_eq!(push(&mut decoder, "\nda"), 0);
        assert!(!decoder.is_between_events());
        assert_eq!(push(&mut decoder, "ta: b\n\n: c\n"), 2);
        assert!(decoder.is_between_events());
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let line = [b"data: ".as_slice(), &[b'x'; 1000]].concat();
        assert_eq!(decode(&[&line]), Err(SseError::TooLarge(1000)), "a line without end");
        let by_bytes: Vec<&[u8]> = line.chunks(1).collect();
        assert_eq!(decode(&by_bytes), Err(SseError::TooLarge(1000)));
        assert_eq!(
            decode(&[&b"data: x\n".repeat(200)]),
            Err(SseError::TooLarge(1000)),
            "an event without end"
        );
        assert_eq!(
            decode(&[&b"junk\n".repeat(300)]),
            Err(SseError::TooLarge(1000)),
            "unknown fields"
        );
        assert_eq!(
            decode(&[&[b":".as_slice(), &[b'x'; 1000], b"\n"].concat()]),
            Err(SseError::TooLarge(1000))
        );
        assert_eq!(
            decode(&[&b": x\n".repeat(2000)]).map(|items| items.len()),
            Ok(2000),
            "comments end by themselves"
        );
        assert_eq!(decode(&[&b"data: x\n\n".repeat(2000)]).map(|items| items.len()), Ok(2000));
    }

    #[test]
    fn types_and_ids_are_text() {
        for stream in [b"event: \xff\n\n".as_slice(), b"id: \xff\n\n"] {
            assert_eq!(decode(&[stream]), Err(SseError::Utf8));
        }
    }

    #[test]
    fn data_is_a_slice_of_its_chunk() {
        let chunk = Bytes::from_static(b"event: message\ndata: {\"a\":1}\n\n");
        let items = Decoder::new(1000).push(chunk.clone()).unwrap();
        let [Item::Event(event)] = &items[..] else { panic!("one event") };
        assert!(chunk.as_ptr_range().contains(&event.data.as_ref().unwrap().as_ptr()));
    }

    #[test]
    fn nothing_that_is_encoded_begins_another_field() {
        let nasty = "a\nid: 9\r\n\r\ndata: b\0";
        let event = Event { event: Some(nasty.into()), id: Some(nasty.into()), ..data("x") };
        let items =
            decode(&[&encode(&event), &comment(nasty), &retry(5), &message("y".into(), None)])
                .unwrap();
        let flat = "aid: 9data: b".to_owned();
        let expected = [
            Item::Event(Event { event: Some(flat.clone()), id: Some(flat.clone()), ..data("x") }),
            comment_item(" aid: 9data: b"),
            Item::Event(Event { retry: Some(5), ..Event::default() }),
            Item::Event(data("y")),
        ];
        assert_eq!(items, expected);
    }

    fn events() -> impl Strategy<Value = Event> {
        let word = proptest::option::of("[^\r\n\0]{1,8}");
        let lines = proptest::option::of(proptest::collection::vec("[^\r\n]{0,8}", 1..4));
        (word.clone(), word, lines, proptest::option::of(any::<u64>())).prop_map(
            |(event, id, lines, retry)| Event {
                event,
                id,
                data: lines.map(|lines| lines.join("\n").into()),
                retry,
            },
        )
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(list in proptest::collection::vec(events(), 0..6), ends in prop::sample::select(vec!["\n", "\r", "\r\n"])) {
            let stream: Vec<u8> = list.iter().flat_map(|event| encode(event).to_vec()).collect();
            let stream = String::from_utf8(stream).unwrap().replace('\n', ends);
            let expected: Vec<Item> = list.into_iter().filter(|event| *event != Event::default()).map(Item::Event).collect();
            prop_assert_eq!(decode(&[stream.as_bytes()]), Ok(expected));
        }

        #[test]
        fn any_chunking_gives_the_same_items(
            pieces in proptest::collection::vec(prop::sample::select(vec![
                "data", "data: x", ":", ": c", "\n", "\r", "\r\n", "\n\n", "event: e", "id: 1", "retry: 7", "\u{feff}", "\u{e9}", " ", "\0", "junk",
            ]), 0..30),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream = pieces.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&chunks), decode(&[&stream]));
        }

        #[test]
        fn arbitrary_bytes_never_panic(chunks in proptest::collection::vec(any::<Vec<u8>>(), 0..5)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let _ = decode(&chunks);
        }
    }
}
