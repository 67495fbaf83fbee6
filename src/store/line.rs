//! One record as one line of text, and the chain through the lines.
//!
//! `{"seq":7,"at":"...","prev":"sha256:...","type":...,...,"hash":"sha256:..."}`: the writer puts
//! `seq`, `at` and `prev` before the event and the hash behind it, so that a reader can check the
//! chain on the bytes alone, without trusting (or paying for) a JSON parser. The hash covers a
//! domain name, the previous hash and the line without its own `hash` member. A line holds no raw
//! control, bidirectional or invisible character: whatever an agent put into a name or a reason, a
//! record stays one line and a terminal shows what is there.

use std::io::{self, Write};
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::domain::{Digest, Event, HoldEvent, HoldId, Record, Seq, Timestamp, is_hidden};

/// The domain name in every record's hash.
const DOMAIN: &str = "portcullis/record/v1";
/// `"` + `sha256:` + 64 digits + `"`.
const DIGEST_TEXT: usize = 71;
/// What precedes the digest in the tail of a line.
const HASH_KEY: &[u8] = b",\"hash\":\"";
/// The length of the tail of a line, from the comma before `hash` to the closing brace.
const TAIL: usize = HASH_KEY.len() + DIGEST_TEXT + 2;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The bytes are not those of a record.
    #[error("not a record: {0}")]
    Shape(String),
    /// A record is missing, doubled or out of place.
    #[error("record {found} where {expected} should be")]
    Seq {
        /// The position the chain has reached.
        expected: Seq,
        /// The position the line claims.
        found: Seq,
    },
    /// The line does not follow the one before it.
    #[error("`prev` is not the hash of the record before it")]
    Prev,
    /// The line was changed after it was written.
    #[error("`hash` is not the hash of this line")]
    Hash,
}

/// Where the chain stands: the next position, and the hash of the last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) next: u64,
    pub(crate) head: Digest,
}

impl Chain {
    /// Before the first record.
    pub(crate) const START: Self = Self { next: 0, head: Digest::from_bytes([0; 32]) };

    /// Writes the next record's line, with its newline, to the end of `out`. `event` is what
    /// [`event_text`] wrote.
    pub(crate) fn write(&mut self, at: &str, event: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{{\"seq\":{},\"at\":\"{at}\",\"prev\":\"", self.next);
        out.extend_from_slice(&digest_text(&self.head));
        out.extend_from_slice(b"\",");
        // The event is an object with at least its `type`: its brace becomes our comma.
        out.extend_from_slice(event.get(1..).unwrap_or_default());
        let hash = hash(&self.head, out.get(start..).unwrap_or_default());
        out.pop();
        out.extend_from_slice(HASH_KEY);
        out.extend_from_slice(&digest_text(&hash));
        out.extend_from_slice(b"\"}\n");
        *self = Self { next: self.next + 1, head: hash };
    }

    /// Checks that `line` (without its newline) is the next record, and steps over it.
    ///
    /// # Errors
    /// The first flaw; the chain then stays where it is.
    pub(crate) fn step(&mut self, line: &[u8]) -> Result<(), Flaw> {
        let shape = |what: &str| Flaw::Shape(what.to_owned());
        let Start { seq: found, prev, .. } = Start::of(line).map_err(shape)?;
        let (body, tail) = line
            .len()
            .checked_sub(TAIL)
            .and_then(|at| line.split_at_checked(at))
            .ok_or_else(|| shape("no `hash` at its end"))?;
        let claimed = tail.strip_prefix(HASH_KEY).and_then(|tail| tail.strip_suffix(b"\"}"));
        let claimed = claimed.ok_or_else(|| shape("no `hash` at its end"))?;
        if found != self.next {
            return Err(Flaw::Seq { expected: Seq(self.next), found: Seq(found) });
        }
        if prev.get(..DIGEST_TEXT) != Some(&digest_text(&self.head)) {
            return Err(Flaw::Prev);
        }
        let mut whole = Vec::with_capacity(body.len() + 1);
        whole.extend_from_slice(body);
        whole.push(b'}');
        let hash = hash(&self.head, &whole);
        if claimed != digest_text(&hash) {
            return Err(Flaw::Hash);
        }
        *self = Self { next: self.next + 1, head: hash };
        Ok(())
    }
}

/// What the writer puts before the event, found without a JSON parser.
struct Start<'a> {
    seq: u64,
    /// The text of the time.
    at: &'a [u8],
    /// The line from the digest of the record before on.
    prev: &'a [u8],
}

impl<'a> Start<'a> {
    /// Or what is missing.
    fn of(line: &'a [u8]) -> Result<Self, &'static str> {
        let rest = line.strip_prefix(b"{\"seq\":").ok_or("no `seq` at its start")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at_checked(digits).unwrap_or_default();
        let seq = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        let seq = seq.ok_or("`seq` is not a number")?;
        let rest = rest.strip_prefix(b",\"at\":\"").ok_or("no `at`")?;
        let quote = memchr::memchr(b'"', rest).ok_or("no `at`")?;
        let (at, rest) = rest.split_at_checked(quote).unwrap_or_default();
        let prev = rest.strip_prefix(b"\",\"prev\":\"").ok_or("no `prev`")?;
        Ok(Self { seq, at, prev })
    }
}

/// The event alone, as it stands in a line.
pub(crate) fn event_text(event: &Event) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(768);
    event.serialize(&mut Serializer::with_formatter(&mut out, OneLine(CompactFormatter)))?;
    Ok(out)
}

/// Reads a line as a record and its hash. Says nothing about the chain.
///
/// What the writer puts around the event is read where it stands, so that the event is all that a JSON parser
/// has to build: what it needs for members of two owners costs more than the event itself.
///
/// # Errors
/// If the line is not a record that this version knows.
pub(crate) fn read(line: &[u8]) -> Result<(Record, Digest), Flaw> {
    let shape = |what: &str| Flaw::Shape(what.to_owned());
    let Start { seq, .. } = Start::of(line).map_err(shape)?;
    let at = at_of(line).ok_or_else(|| shape("`at` is no time"))?;
    let prev = prev_of(line).ok_or_else(|| shape("`prev` is no hash"))?;
    let hash = hash_of(line).ok_or_else(|| shape("no `hash` at its end"))?;
    let event = event_of(line).map_err(|error| shape(&error.to_string()))?;
    Ok((Record { seq: Seq(seq), at, prev, event }, hash))
}

/// The event in a line.
///
/// An event is told by its `type`, and that of a hold by its `event` as well; to read members before it is known
/// whose they are, a JSON parser sets them aside, twice here. Events of holds are most of what a start reads, so
/// they are told by the writer's first bytes, and read as they stand: members of the others have other names.
fn event_of(line: &[u8]) -> serde_json::Result<Event> {
    let Some((hold, rest)) = hold_of(line) else { return serde_json::from_slice(line) };
    let event = if rest.starts_with(b",\"event\":\"opened\",") {
        HoldEvent::Opened(serde_json::from_slice(line)?)
    } else {
        serde_json::from_slice(line)?
    };
    Ok(Event::Hold { hold, event })
}

/// Which hold a line of the writer's is about, and what follows its name.
fn hold_of(line: &[u8]) -> Option<(HoldId, &[u8])> {
    let rest = Start::of(line).ok()?.prev.get(DIGEST_TEXT..)?;
    let rest = rest.strip_prefix(b"\",\"type\":\"hold\",\"hold\":\"")?;
    let (id, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
    Some((std::str::from_utf8(id).ok()?.parse().ok()?, rest.strip_prefix(b"\"")?))
}

/// The time that a line claims, from its first bytes.
pub(crate) fn at_of(line: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(Start::of(line).ok()?.at).ok()?.parse().ok()
}

/// The hash of the record before, as a line claims it.
pub(crate) fn prev_of(line: &[u8]) -> Option<Digest> {
    let text = Start::of(line).ok()?.prev.get(..DIGEST_TEXT)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The position that a line claims, from its first bytes.
pub(crate) fn seq_of(line: &[u8]) -> Option<Seq> {
    let digits = line.strip_prefix(b"{\"seq\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok().map(Seq)
}

/// The hash that a line claims, from its last bytes.
pub(crate) fn hash_of(line: &[u8]) -> Option<Digest> {
    let (_, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let text = tail.strip_prefix(HASH_KEY)?.strip_suffix(b"\"}")?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether a line of the writer's is about a hold.
pub(crate) fn is_hold(line: &[u8]) -> bool {
    is_of(line, "hold")
}

/// Whether a line of the writer's is about a grant.
pub(crate) fn is_grant(line: &[u8]) -> bool {
    is_of(line, "grant")
}

/// Whether a line of the writer's has this `type`, which is the first member of every event.
pub(crate) fn is_of(line: &[u8], kind: &str) -> bool {
    /// The longest start of a line: 20 digits, a time of 24 to 30 characters, a digest.
    const START: usize = 200;
    static TYPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\",\"type\":\""));
    let start = line.get(..START).unwrap_or(line);
    let found = TYPE.find(start).and_then(|at| start.get(at + TYPE.needle().len()..));
    let rest = found.and_then(|rest| rest.strip_prefix(kind.as_bytes()));
    rest.is_some_and(|rest| rest.first() == Some(&b'"'))
}

/// The time of the writer's clock; nothing else in the crate's records reads one.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(millis)
}

fn hash(prev: &Digest, line: &[u8]) -> Digest {
    Digest::of(DOMAIN, &[prev.as_bytes(), line])
}

/// A digest's text without the detour through a formatter: it is written twice in every record.
fn digest_text(digest: &Digest) -> [u8; DIGEST_TEXT] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    let mut text = [0; DIGEST_TEXT];
    let digits = digest.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let whole = b"sha256:".iter().copied().chain(digits);
    for (place, byte) in text.iter_mut().zip(whole) {
        *place = byte;
    }
    text
}

/// Compact JSON in which no character can break a line or mislead a terminal. C0 controls never
/// arrive in a fragment: JSON itself escapes them.
struct OneLine(CompactFormatter);

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = fragment;
        while let Some((at, danger)) = plain.char_indices().find(|(_, c)| is_hidden(*c)) {
            let (before, rest) = plain.split_at_checked(at).unwrap_or((plain, ""));
            self.0.write_string_fragment(writer, before)?;
            for unit in danger.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = rest.get(danger.len_utf8()..).unwrap_or_default();
        }
        self.0.write_string_fragment(writer, plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Event {
        Event::Refused {
            principal: "agent".parse().unwrap(),
            code: "parse".to_owned(),
            text: text.to_owned(),
        }
    }

    fn line_of(chain: &mut Chain, event: &Event) -> Vec<u8> {
        let mut out = Vec::new();
        chain.write(&now().to_string(), &event_text(event).unwrap(), &mut out);
        assert_eq!(out.pop(), Some(b'\n'));
        out
    }

    #[test]
    fn a_line_reads_back_as_its_record() {
        let (mut chain, mut reader) = (Chain::START, Chain::START);
        for text in ["", "plain", "\u{202e}evil\r\n{\"seq\":9}\u{1b}[2J\u{2028}", "ünïcode ⟦x⟧"]
        {
            let event = refused(text);
            let prev = chain.head;
            let line = line_of(&mut chain, &event);
            assert_eq!(reader.step(&line), Ok(()));
            let (record, hash) = read(&line).unwrap();
            assert_eq!((record.event, record.prev, hash), (event, prev, chain.head));
            assert_eq!(seq_of(&line), Some(record.seq));
        }
        assert_eq!(reader, chain);
    }

    #[test]
    fn an_event_of_a_hold_reads_as_any_event_does() {
        let digest = Digest::of("test", &[]);
        let mut all = serde_json::json!({
            "type": "hold", "hold": HoldId::from_random(7), "event": "opened",
            "binding": {
                "origin": "https://mcp.example.com", "principal": "agent", "tool": "update_article",
                "definition": digest, "arguments": digest, "ruleset": digest, "plugins": digest, "target": digest,
            },
            "call": {
                "id": uuid::Uuid::nil(), "principal": "agent", "client": {"name": "c", "version": "1"},
                "revision": "2025-11-25", "method": "tools/call",
                "subject": {"kind": "tool", "name": "update_article", "effect": "write", "definition": digest},
                "arguments": digest,
            },
            "sealed": "\u{202e}seq\", \"hash\":\"x\"", "on_release": "send",
            "reasons": [{"rule": "r", "text": "hold"}],
            "release": {"groups": ["kb"], "people": 2, "expires_seconds": 60},
            "expires_at": "2026-12-01T00:00:00.000Z",
            "target": {"digest": digest, "parts": {}, "updated_at": "2026-12-01T00:00:00.000Z", "title": "t"},
            "risk": "high",
            "revises": {"hold": HoldId::from_random(6), "revision": 2},
        });
        let mut chain = Chain::START;
        for optional in ["", "target", "risk", "revises"] {
            all.as_object_mut().unwrap().remove(optional);
            let event: Event = serde_json::from_value(all.clone()).unwrap();
            let line = line_of(&mut chain, &event);
            assert!(hold_of(&line).is_some());
            assert_eq!(read(&line).unwrap().0.event, event);
            assert_eq!(serde_json::from_slice::<Event>(&line).unwrap(), event);
        }
        let states = [
            HoldEvent::Claimed,
            HoldEvent::Stale { changed: "\u{202e}its body".to_owned() },
            HoldEvent::Targeted {
                target: serde_json::from_value(serde_json::json!({"digest": digest, "parts": {}}))
                    .unwrap(),
                risk: crate::domain::Risk::High,
            },
        ];
        for event in states.map(|event| Event::Hold { hold: HoldId::from_random(8), event }) {
            let line = line_of(&mut chain, &event);
            assert!(hold_of(&line).is_some());
            assert_eq!(read(&line).unwrap().0.event, event);
        }
        // What is missing is missed.
        let line = line_of(&mut chain, &serde_json::from_value(all).unwrap());
        let text = String::from_utf8(line).unwrap().replace("\"sealed\"", "\"healed\"");
        assert!(read(text.as_bytes()).unwrap_err().to_string().contains("missing field `sealed`"));
    }

    #[test]
    fn no_deceptive_character_is_written_raw() {
        let all: String = ('\0'..=char::MAX).filter(|c| is_hidden(*c)).collect();
        let mut chain = Chain::START;
        let line = line_of(&mut chain, &refused(&all));
        let text = std::str::from_utf8(&line).unwrap();
        assert!(text.is_ascii() && !text.chars().any(char::is_control));
        assert_eq!(read(&line).unwrap().0.event, refused(&all));
    }

    #[test]
    fn any_flipped_bit_is_seen() {
        let mut chain = Chain::START;
        line_of(&mut chain, &refused("first"));
        let before = chain;
        let line = line_of(&mut chain, &refused("second"));
        for bit in 0..line.len() * 8 {
            let mut bad = line.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let at = before.clone().step(&bad);
            assert!(at.is_err(), "bit {bit}: {}", String::from_utf8_lossy(&bad));
        }
    }
}
