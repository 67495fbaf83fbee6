//! An answer on its way: events or JSON, whole or in pieces, with keep-alive comments, cut or complete.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::simulator::options::Options;

/// Something to write to a stream.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// A JSON-RPC message.
    Message(String),
    /// Any other event, with its name.
    Event(&'static str, String),
    /// Half of a message, and then the connection is cut.
    Half(String),
}

/// The sending end of a stream.
pub(super) type Sink = UnboundedSender<Piece>;

/// A new stream of events.
pub(super) fn events(options: &Options, ids: bool) -> (Sink, Body) {
    let (sink, pieces) = unbounded_channel();
    (sink, body(Flow::new(pieces, options, ids)))
}

/// One event that holds a message.
pub(super) fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// A body of known text, slowed down or cut if need be.
pub(super) fn text(text: String, options: &Options, cut: bool) -> Body {
    if options.piece.is_none() && !cut {
        return Body::from(text);
    }
    let (_, pieces) = unbounded_channel();
    let mut flow = Flow::new(pieces, options, false);
    flow.queue(text.as_bytes(), cut);
    body(flow)
}

fn body(flow: Flow) -> Body {
    Body::from_stream(stream::unfold(flow, |mut flow| async move {
        flow.next().await.map(|item| (item, flow))
    }))
}

/// The state of a stream between two polls.
struct Flow {
    pieces: UnboundedReceiver<Piece>,
    ready: VecDeque<Bytes>,
    cut: bool,
    keep_alive: Duration,
    piece: Option<usize>,
    delay: Duration,
    /// Number of the next event, if events carry ids.
    number: Option<u64>,
}

impl Flow {
    fn new(pieces: UnboundedReceiver<Piece>, options: &Options, ids: bool) -> Flow {
        let mut flow = Flow {
            pieces,
            ready: VecDeque::new(),
            cut: false,
            keep_alive: Duration::from_millis(options.keep_alive.max(1)),
            piece: options.piece,
            delay: Duration::from_millis(options.piece_delay),
            number: ids.then_some(1),
        };
        if ids {
            flow.ready.push_back(Bytes::from_static(b"id: 0\ndata: \n\n"));
        }
        flow
    }

    async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                if self.piece.is_some() {
                    tokio::time::sleep(self.delay).await;
                }
                return Some(Ok(bytes));
            }
            if self.cut {
                // A pause, so that the half that was written leaves before the connection does.
                tokio::time::sleep(Duration::from_millis(5)).await;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            tokio::select! {
                piece = self.pieces.recv() => self.take(piece?),
                () = tokio::time::sleep(self.keep_alive) => return Some(Ok(Bytes::from_static(b": keepalive\n\n"))),
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        let id = self
            .number
            .as_mut()
            .map(|number| {
                *number += 1;
                format!("id: {}\n", *number - 1)
            })
            .unwrap_or_default();
        match piece {
            Piece::Message(message) => {
                self.queue(format!("{id}{}", event(&message)).as_bytes(), false)
            }
            Piece::Event(name, data) => {
                self.queue(format!("{id}event: {name}\ndata: {data}\n\n").as_bytes(), false)
            }
            Piece::Half(message) => self.queue(format!("{id}{}", event(&message)).as_bytes(), true),
        }
    }

    fn queue(&mut self, bytes: &[u8], cut: bool) {
        let bytes = if cut { bytes.get(..bytes.len() / 2).unwrap_or_default() } else { bytes };
        self.cut |= cut;
        match self.piece {
            Some(size) => self.ready.extend(bytes.chunks(size.max(1)).map(Bytes::copy_from_slice)),
            None => self.ready.push_back(Bytes::copy_from_slice(bytes)),
        }
    }
}
