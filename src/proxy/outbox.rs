//! Where the handler of one request puts what goes back to the client: any number of messages, then
//! one last.
//!
//! The door decides what becomes of them: if the last message is the first, it is a plain JSON
//! answer; otherwise an event stream. So the handlers know nothing of HTTP, and one set of handlers
//! serves every door.

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::mpsc;

use crate::domain::JsonText;
use crate::mcp::message::RequestId;
use crate::mcp::reply;

/// One thing for the client.
#[derive(Debug)]
pub(super) enum Out {
    /// A message on the way: notification or request.
    Message(Bytes),
    /// Nothing yet, but it will be a stream.
    Open,
    /// Nothing but a sign of life.
    Comment,
    /// The answer, in parts; the status counts only if nothing went before. On the heap: a channel has room for
    /// 32 of these from the start.
    Last(StatusCode, Box<[Bytes; 3]>),
}

/// The handler's end. Dropping it without an answer ends the stream without one.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    sender: mpsc::Sender<Out>,
}

impl Outbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Out>) {
        // Small: a client that does not read must slow down the exchange, not fill our memory.
        let (sender, receiver) = mpsc::channel(16);
        (Self { sender }, receiver)
    }

    /// A message on the way; `false` if the client is gone.
    pub(super) async fn message(&self, message: Bytes) -> bool {
        self.sender.send(Out::Message(message)).await.is_ok()
    }

    /// Makes the answer a stream, as Intercom's is; `false` if the client is gone.
    pub(super) async fn open(&self) -> bool {
        self.sender.send(Out::Open).await.is_ok()
    }

    /// A sign of life; `false` if the client is gone.
    pub(super) async fn comment(&self) -> bool {
        self.sender.send(Out::Comment).await.is_ok()
    }

    /// A result; `false` if the client is gone.
    pub(super) async fn result(&self, id: &RequestId, result: &JsonText) -> bool {
        self.last(StatusCode::OK, reply::result_parts(id, result)).await
    }

    /// An error; `false` if the client is gone.
    pub(super) async fn error(
        &self,
        status: StatusCode,
        id: &RequestId,
        code: i64,
        text: &str,
        data: Option<&JsonText>,
    ) -> bool {
        let whole = reply::error(Some(id), code, text, data);
        self.last(status, [whole, Bytes::new(), Bytes::new()]).await
    }

    /// Whether the client is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Resolves when the client is gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }

    async fn last(&self, status: StatusCode, parts: [Bytes; 3]) -> bool {
        self.sender.send(Out::Last(status, Box::new(parts))).await.is_ok()
    }
}
