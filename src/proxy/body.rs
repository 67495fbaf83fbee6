//! Bodies of our answers: whole, or a stream that is flushed event by event.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

/// How often a stream asks whether it may go on.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// A body.
pub enum ReplyBody {
    /// Known as a whole, in parts that are never copied together.
    Whole(VecDeque<Bytes>),
    /// Comes as it is made; ends when the sender is gone.
    Stream(EventStream),
}

/// The events of a stream.
pub struct EventStream {
    events: mpsc::Receiver<Bytes>,
    /// Asked from time to time; at `false` the stream ends.
    may_go_on: Option<(Interval, MayGoOn)>,
}

type MayGoOn = Box<dyn Fn() -> bool + Send + Sync>;

impl ReplyBody {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Whole(VecDeque::new())
    }

    /// Makes a stream end soon after `may_go_on` says no: whoever opened it may have lost the right
    /// to it since. A whole body is not touched.
    #[must_use]
    pub(super) fn while_it(self, may_go_on: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        match self {
            Self::Stream(_) => self.asking(ASK_EVERY, Box::new(may_go_on)),
            whole @ Self::Whole(_) => whole,
        }
    }

    fn asking(self, every: Duration, may_go_on: MayGoOn) -> Self {
        match self {
            Self::Stream(stream) => {
                let mut ticks = tokio::time::interval(every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                ticks.reset();
                Self::Stream(EventStream { may_go_on: Some((ticks, may_go_on)), ..stream })
            }
            whole @ Self::Whole(_) => whole,
        }
    }
}

impl From<mpsc::Receiver<Bytes>> for ReplyBody {
    fn from(events: mpsc::Receiver<Bytes>) -> Self {
        Self::Stream(EventStream { events, may_go_on: None })
    }
}

impl EventStream {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some((ticks, may_go_on)) = &mut self.may_go_on {
            while ticks.poll_tick(context).is_ready() {
                if !may_go_on() {
                    self.events.close();
                    return Poll::Ready(None);
                }
            }
        }
        self.events.poll_recv(context)
    }
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(VecDeque::from([bytes]))
    }
}

impl From<Box<[Bytes; 3]>> for ReplyBody {
    fn from(parts: Box<[Bytes; 3]>) -> Self {
        let parts: Box<[Bytes]> = parts;
        Self::Whole(Vec::from(parts).into())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(parts) => Poll::Ready(parts.pop_front().map(|part| Ok(Frame::data(part)))),
            Self::Stream(stream) => {
                stream.poll(context).map(|item| item.map(|item| Ok(Frame::data(item))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(parts) if parts.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(parts) => {
                SizeHint::with_exact(parts.iter().map(|part| part.len() as u64).sum())
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_when_it_may_not_go_on() {
        let (sender, receiver) = mpsc::channel(4);
        let good = Arc::new(AtomicBool::new(true));
        let asked = good.clone();
        let ask = Box::new(move || asked.load(Ordering::Relaxed));
        let mut body = ReplyBody::from(receiver).asking(Duration::from_millis(5), ask);
        for _ in 0..3 {
            sender.send(Bytes::from_static(b"event")).await.unwrap();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "event");
        }
        good.store(false, Ordering::Relaxed);
        // Nothing comes any more, and the sender stays: the stream ends all the same.
        let end = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap();
        assert!(end.is_none() && sender.is_closed());
    }
}
