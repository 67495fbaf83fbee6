//! One exchange with Intercom: a request that was sent, and everything that comes back for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::fault::Fault;
use super::leg::Leg;
use super::wire::{EventBody, WireAnswer, WireBody};
use super::{Upstream, write};
use crate::domain::{Call, Era};
use crate::gate::Spent;
use crate::mcp::json::Limits;
use crate::mcp::message::{
    Incoming, Message, Notification, Request, RequestId, ResponseBody, read_message, split_answer,
};
use crate::mcp::sse;

/// The largest message that is read from Intercom, in bytes.
const MESSAGE_LIMITS: Limits = Limits { max_bytes: 16 * 1024 * 1024, max_depth: 64, nul: true };
/// The call that waits for news.
const SUBSCRIBE: &str = "subscriptions/listen";
/// How often a stream that broke off is resumed, and the longest pause before.
const RESUMES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What comes back.
#[derive(Debug)]
pub enum FromServer {
    /// The end: the answer to the request.
    Answer(Answer),
    /// Something told on the way.
    Notification(Notification),
    /// Something asked of the client (legacy era).
    Request(Request),
}

/// Intercom's answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Result or error.
    pub body: ResponseBody,
    /// Its size on the wire, in bytes.
    pub bytes: usize,
}

/// A request that was sent. Dropping it before the answer closes the stream, which cancels in the
/// modern era, and records that the client went away.
pub struct Exchange {
    upstream: Arc<Upstream>,
    leg: Arc<Leg>,
    spent: Spent,
    id: RequestId,
    source: Source,
    ready: VecDeque<FromServer>,
    resumes: u32,
}

enum Source {
    Whole(Bytes),
    Events(Events),
    Done,
}

/// An event stream with what is needed to resume it.
struct Events {
    body: Box<EventBody>,
    last_id: Option<String>,
    pause: Duration,
}

impl Exchange {
    pub(super) fn new(
        upstream: Arc<Upstream>,
        leg: Arc<Leg>,
        spent: Spent,
        id: RequestId,
        answer: WireAnswer,
    ) -> Self {
        let source = match answer.body {
            WireBody::Empty => Source::Done,
            WireBody::Json(bytes) => Source::Whole(bytes),
            WireBody::Events(body) => Source::Events(Events::new(body)),
        };
        Self { upstream, leg, spent, id, source, ready: VecDeque::new(), resumes: 0 }
    }

    /// The leg it is on.
    #[must_use]
    pub const fn leg(&self) -> &Arc<Leg> {
        &self.leg
    }

    /// The call that was sent.
    #[must_use]
    pub const fn call(&self) -> &Call {
        self.spent.call()
    }

    /// The spent permit, to record the end with.
    pub const fn spent(&mut self) -> &mut Spent {
        &mut self.spent
    }

    /// Whether Intercom answers by an event stream.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        matches!(self.source, Source::Events(_))
    }

    /// Our request id at Intercom, by which a cancellation names it.
    #[must_use]
    pub const fn id(&self) -> &RequestId {
        &self.id
    }

    /// The next thing that comes back; after the answer nothing does.
    ///
    /// # Errors
    /// If the stream ends without an answer, is malformed, or falls silent. The fault is recorded.
    pub async fn next(&mut self) -> Result<FromServer, Fault> {
        let next = self.advance().await;
        if let Err(fault) = &next {
            self.spent.complete(fault.outcome(), 0, None);
        }
        next
    }

    async fn advance(&mut self) -> Result<FromServer, Fault> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            // Borrowed while waiting, for this future may be dropped at any await and called again.
            let data = match &mut self.source {
                Source::Done => return Err(Fault::Lost),
                Source::Whole(bytes) => {
                    let bytes = std::mem::take(bytes);
                    self.source = Source::Done;
                    let size = bytes.len();
                    return self
                        .whole(bytes)
                        .map(|body| FromServer::Answer(Answer { body, bytes: size }));
                }
                Source::Events(events) => match events.next().await {
                    Ok(Some(data)) => data,
                    Ok(None) | Err(Fault::Lost) => {
                        let resumed = self.resume().await;
                        self.source = resumed.map_or(Source::Done, Source::Events);
                        continue;
                    }
                    // A subscription is silent until there is news; TCP finds out if nobody is there.
                    Err(Fault::Timeout(_)) if self.spent.call().method == SUBSCRIBE => continue,
                    Err(fault) => {
                        self.source = Source::Done;
                        return Err(fault);
                    }
                },
            };
            // A stream that goes on may break off again: the limit is for one place in it.
            self.resumes = 0;
            self.event(data)?;
        }
    }

    fn whole(&self, bytes: Bytes) -> Result<ResponseBody, Fault> {
        let response = split_answer(bytes, &MESSAGE_LIMITS)
            .map_err(|error| Fault::Malformed(error.to_string()))?;
        if response.id.as_ref() == Some(&self.id) {
            Ok(response.body)
        } else {
            Err(Fault::Malformed("it answers another request".to_owned()))
        }
    }

    fn event(&mut self, data: Bytes) -> Result<(), Fault> {
        let size = data.len();
        let incoming = read_message(data, &MESSAGE_LIMITS)
            .map_err(|error| Fault::Malformed(error.to_string()))?;
        let messages = match incoming {
            Incoming::One(message) => vec![message],
            Incoming::Batch(messages) => messages,
        };
        for message in messages {
            match message {
                Message::Notification(note) => self.ready.push_back(FromServer::Notification(note)),
                Message::Request(request) => self.ready.push_back(FromServer::Request(request)),
                Message::Response(response) if response.id.as_ref() == Some(&self.id) => {
                    let answer = Answer { body: response.body, bytes: size };
                    self.ready.push_back(FromServer::Answer(answer));
                }
                Message::Response(_) => {
                    tracing::warn!(call = %self.spent.call().id, "answer to another request dropped");
                }
            }
        }
        Ok(())
    }

    /// Resumes a legacy stream behind its last event; `None` if it cannot be. Only streams that gave
    /// ids can.
    async fn resume(&mut self) -> Option<Events> {
        let Source::Events(broken) = &self.source else { return None };
        if self.leg.era() == Era::Modern {
            return None;
        }
        let (last_id, mut pause) = (broken.last_id.clone()?, broken.pause);
        while self.resumes < RESUMES {
            self.resumes += 1;
            tokio::time::sleep(pause).await;
            let session = self.leg.session();
            let headers = write::legacy_headers(session.as_deref(), Some(&last_id));
            match self.upstream.wire.get(self.upstream.token_of(&self.leg), headers).await {
                Ok(WireAnswer { body: WireBody::Events(body), .. }) => {
                    let mut events = Events::new(body);
                    events.last_id = Some(last_id);
                    return Some(events);
                }
                Ok(_) => return None,
                Err(_) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
        None
    }
}

impl Events {
    fn new(body: Box<EventBody>) -> Self {
        Self { body, last_id: None, pause: Duration::from_secs(1) }
    }

    /// The data of the next event that has some.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let event = match self.body.next().await? {
                None => return Ok(None),
                Some(sse::Item::Comment(_)) => continue,
                Some(sse::Item::Event(event)) => event,
            };
            if event.id.is_some() {
                self.last_id = event.id;
            }
            if let Some(millis) = event.retry {
                self.pause = Duration::from_millis(millis).min(LONGEST_PAUSE);
            }
            match event.data {
                Some(data) if !data.trim_ascii().is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
    }
}

/// The stream on which a legacy server sends what belongs to no request.
pub struct ServerStream {
    events: Events,
    ready: VecDeque<FromServer>,
}

impl ServerStream {
    pub(super) fn new(body: Box<EventBody>) -> Self {
        Self { events: Events::new(body), ready: VecDeque::new() }
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Errors
    /// If the stream breaks or is malformed.
    pub async fn next(&mut self) -> Result<Option<FromServer>, Fault> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            let Some(data) = self.events.next().await? else { return Ok(None) };
            let incoming = read_message(data, &MESSAGE_LIMITS)
                .map_err(|error| Fault::Malformed(error.to_string()))?;
            let messages = match incoming {
                Incoming::One(message) => vec![message],
                Incoming::Batch(messages) => messages,
            };
            self.ready.extend(messages.into_iter().filter_map(|message| match message {
                Message::Notification(note) => Some(FromServer::Notification(note)),
                Message::Request(request) => Some(FromServer::Request(request)),
                // An answer on this stream belongs to no open exchange of ours.
                Message::Response(_) => None,
            }));
        }
    }
}

/// The code of a body that is a JSON-RPC error and answers our request.
pub(super) fn error_for(body: &Bytes, id: &RequestId) -> Option<i64> {
    let response = split_answer(body.clone(), &MESSAGE_LIMITS).ok()?;
    match response.body {
        ResponseBody::Error(error) if response.id.as_ref() == Some(id) => Some(error.code),
        _ => None,
    }
}
