//! Bodies of our answers: whole, or a stream that is flushed event by event.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// A body.
pub enum ReplyBody {
    /// Known as a whole, in parts that are never copied together.
    Whole(VecDeque<Bytes>),
    /// Comes as it is made; ends when the sender is gone.
    Stream(mpsc::Receiver<Bytes>),
}

impl ReplyBody {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Whole(VecDeque::new())
    }
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(VecDeque::from([bytes]))
    }
}

impl From<[Bytes; 3]> for ReplyBody {
    fn from(parts: [Bytes; 3]) -> Self {
        Self::Whole(VecDeque::from(parts))
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
            Self::Stream(receiver) => {
                receiver.poll_recv(context).map(|item| item.map(|item| Ok(Frame::data(item))))
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
