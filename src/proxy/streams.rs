//! The event streams of one legacy session: numbered, kept for a while, resumable.
//!
//! An event's id is `<stream>-<position>`: a cursor of one stream, unique in the session
//! (2025-11-25, transports). A client that lost a stream asks with `Last-Event-ID` and gets what it
//! missed, then what follows. What is kept is bounded in number, bytes and time, and the oldest
//! goes first.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::domain::HoldId;
use crate::mcp::sse;

/// The number of the stream that a GET opens.
pub(super) const GENERAL: u64 = 0;
/// Bounds of what is kept per stream and session.
const KEPT_EVENTS: usize = 256;
const KEPT_BYTES: usize = 1024 * 1024;
const KEPT_BYTES_IN_ALL: usize = 2 * 1024 * 1024;
const KEPT_STREAMS: usize = 64;
const KEPT_FOR: Duration = Duration::from_secs(300);
/// How long a client should wait before it resumes, in milliseconds.
const RETRY_MS: u64 = 1_000;
/// How many events may wait for a client that does not read.
const WAITING: usize = 64;

/// The streams of a session.
#[derive(Default)]
pub(super) struct Streams {
    next: u64,
    open: BTreeMap<u64, Stream>,
}

struct Stream {
    position: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
    live: Option<mpsc::Sender<Bytes>>,
    /// The hold whose outcome came when nobody read.
    owed: Option<HoldId>,
    done: Option<Instant>,
}

/// One event that can be sent again.
struct Kept {
    position: u64,
    at: Instant,
    event: Bytes,
}

impl Stream {
    const fn new() -> Self {
        Self { position: 0, kept: VecDeque::new(), bytes: 0, live: None, owed: None, done: None }
    }
}

impl Streams {
    /// Opens a stream for the answer to one POST; `prime` sends a first event without data, so
    /// that the client can resume before anything came.
    pub(super) fn open(&mut self, prime: bool) -> (u64, mpsc::Receiver<Bytes>) {
        self.tidy();
        self.next += 1;
        let number = self.next;
        let (sender, receiver) = mpsc::channel(WAITING);
        let mut stream = Stream::new();
        if prime {
            let event = sse::Event {
                id: Some(format!("{number}-0")),
                data: Some(Bytes::new()),
                retry: Some(RETRY_MS),
                ..sse::Event::default()
            };
            // The channel is new and empty, so this cannot fail.
            let _ = sender.try_send(sse::encode(&event));
        }
        stream.live = Some(sender);
        self.open.insert(number, stream);
        (number, receiver)
    }

    /// Opens, or takes over, the general stream.
    pub(super) fn open_general(&mut self) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let general = self.open.entry(GENERAL).or_insert_with(Stream::new);
        general.live = Some(sender);
        general.done = None;
        receiver
    }

    /// Resumes a stream behind an event id; with the hold whose outcome that stream owes. `None` if
    /// the id is none of ours or is forgotten.
    pub(super) fn resume(
        &mut self,
        last_event: &str,
    ) -> Option<(mpsc::Receiver<Bytes>, Option<HoldId>)> {
        let (number, position) = last_event.split_once('-')?;
        let (number, position): (u64, u64) = (number.parse().ok()?, position.parse().ok()?);
        let stream = self.open.get_mut(&number)?;
        let missed: Vec<Bytes> = stream
            .kept
            .iter()
            .filter(|kept| kept.position > position)
            .map(|kept| kept.event.clone())
            .collect();
        let (sender, receiver) = mpsc::channel(WAITING + missed.len());
        for event in missed {
            // The channel has room for all of them.
            let _ = sender.try_send(event);
        }
        stream.live = stream.done.is_none().then_some(sender);
        Some((receiver, stream.owed.take()))
    }

    /// Puts a message on a stream.
    pub(super) fn message(&mut self, number: u64, data: Bytes) {
        let Some(stream) = self.open.get_mut(&number) else { return };
        stream.position += 1;
        let event = sse::message(data, Some(format!("{number}-{}", stream.position)));
        stream.bytes += event.len();
        let position = stream.position;
        stream.kept.push_back(Kept { position, at: Instant::now(), event: event.clone() });
        while (stream.kept.len() > KEPT_EVENTS || stream.bytes > KEPT_BYTES) && stream.drop_oldest()
        {
        }
        stream.deliver(event);
        self.keep_to_budget();
    }

    /// Lets go of the oldest events of all streams until the session is within its bounds.
    fn keep_to_budget(&mut self) {
        let mut bytes: usize = self.open.values().map(|stream| stream.bytes).sum();
        while bytes > KEPT_BYTES_IN_ALL {
            let oldest = self
                .open
                .values_mut()
                .filter_map(|stream| Some((stream.kept.front()?.at, stream)))
                .min_by_key(|(at, _)| *at);
            let Some((_, stream)) = oldest else { return };
            let before = stream.bytes;
            stream.drop_oldest();
            bytes -= before - stream.bytes;
        }
    }

    /// Sends a sign of life on a stream.
    pub(super) fn comment(&mut self, number: u64) {
        if let Some(stream) = self.open.get_mut(&number) {
            stream.deliver(sse::comment("keep-alive"));
        }
    }

    /// Ends a stream; it can still be resumed for a while.
    pub(super) fn finish(&mut self, number: u64) {
        if let Some(stream) = self.open.get_mut(&number) {
            stream.live = None;
            stream.done = Some(Instant::now());
        }
    }

    /// Ends and forgets all streams. Their numbers are not given again.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Whether a stream has a reader, as far as can be told.
    pub(super) fn has_reader(&self, number: u64) -> bool {
        let live = self.open.get(&number).and_then(|stream| stream.live.as_ref());
        live.is_some_and(|live| !live.is_closed())
    }

    /// Notes that nobody reads the outcome of a hold, which comes next on a stream.
    pub(super) fn owe(&mut self, number: u64, hold: HoldId) {
        if let Some(stream) = self.open.get_mut(&number) {
            stream.owed = Some(hold);
        }
    }

    /// Lets go of what is kept for too long.
    pub(super) fn tidy(&mut self) {
        self.open.retain(|number, stream| {
            *number == GENERAL || stream.done.is_none_or(|done| done.elapsed() < KEPT_FOR)
        });
        for stream in self.open.values_mut() {
            stream.forget_older_than(KEPT_FOR);
        }
        while self.open.len() > KEPT_STREAMS {
            let finished = self.open.iter().find(|(_, stream)| stream.done.is_some());
            let Some(number) = finished.map(|(number, _)| *number) else { break };
            self.open.remove(&number);
        }
    }
}

impl Stream {
    fn forget_older_than(&mut self, age: Duration) {
        while self.kept.front().is_some_and(|kept| kept.at.elapsed() > age) {
            self.drop_oldest();
        }
    }

    /// `false` if there is nothing to let go of.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.kept.pop_front();
        self.bytes -= oldest.as_ref().map_or(0, |kept| kept.event.len());
        oldest.is_some()
    }

    /// Hands an event to the reader; one that is gone or does not read loses the stream and must
    /// resume it.
    fn deliver(&mut self, event: Bytes) {
        if let Some(live) = &self.live
            && live.try_send(event).is_err()
        {
            self.live = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(receiver: &mut mpsc::Receiver<Bytes>) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            all.push(String::from_utf8(event.to_vec()).unwrap());
        }
        all
    }

    #[test]
    fn a_lost_stream_is_resumed_behind_its_last_event() {
        let mut streams = Streams::default();
        let (number, mut first) = streams.open(true);
        streams.message(number, Bytes::from_static(b"{\"a\":1}"));
        assert_eq!(drain(&mut first).len(), 2);
        drop(first);
        streams.message(number, Bytes::from_static(b"{\"a\":2}"));
        streams.message(number, Bytes::from_static(b"{\"a\":3}"));
        streams.finish(number);
        let (mut again, owed) = streams.resume(&format!("{number}-1")).unwrap();
        assert_eq!(owed, None);
        let events = drain(&mut again);
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(events[0].contains("{\"a\":2}") && events[0].contains(&format!("id: {number}-2")));
        assert!(again.is_closed() || again.try_recv().is_err());
    }

    #[test]
    fn foreign_and_forgotten_ids_are_refused() {
        let mut streams = Streams::default();
        for id in ["", "x", "9-1", "1-", "-1", "1-1-1", "99999999999999999999-1"] {
            assert!(streams.resume(id).is_none(), "{id}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut streams = Streams::default();
        let (number, _receiver) = streams.open(false);
        for _ in 0..1000 {
            streams.message(number, Bytes::from(vec![b'x'; 10_000]));
        }
        let stream = &streams.open[&number];
        assert!(stream.bytes <= KEPT_BYTES && stream.kept.len() <= KEPT_EVENTS);
    }

    #[test]
    fn all_streams_together_are_bounded_and_the_newest_events_stay() {
        let mut streams = Streams::default();
        let mut last = 0;
        for _ in 0..20 {
            let (number, _receiver) = streams.open(false);
            for _ in 0..3 {
                streams.message(number, Bytes::from(vec![b'x'; 200_000]));
            }
            last = number;
        }
        let kept: usize = streams.open.values().map(|stream| stream.bytes).sum();
        let counted: usize = streams
            .open
            .values()
            .flat_map(|stream| &stream.kept)
            .map(|kept| kept.event.len())
            .sum();
        assert_eq!(kept, counted);
        assert!(kept <= KEPT_BYTES_IN_ALL && kept > KEPT_BYTES_IN_ALL - 400_000, "{kept}");
        assert_eq!(streams.open[&last].kept.len(), 3);
    }

    #[test]
    fn what_an_idle_stream_keeps_is_let_go_in_time() {
        let mut streams = Streams::default();
        let _receiver = streams.open_general();
        streams.message(GENERAL, Bytes::from_static(b"{}"));
        streams.tidy();
        let stream = streams.open.get_mut(&GENERAL).unwrap();
        assert_eq!(stream.kept.len(), 1);
        stream.forget_older_than(Duration::ZERO);
        assert!(stream.kept.is_empty() && stream.bytes == 0 && stream.position == 1);
    }
}
