//! `GET /ui/events`: what changed, as it changes.
//!
//! An event says which hold changed and nothing else; whoever wants to see it asks for the page, with
//! their own rights. Events are numbered, so that a browser that was away goes on where it was
//! (`Last-Event-ID`); if that is too long ago it is told to look at everything again. A session that
//! ends ends the stream: it is looked at with every heartbeat.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::Console;
use super::areas::reads;
use super::extract::Signed;
use super::page::Fault;
use crate::holds::Change;

/// How often a stream without news says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/ui/events", get(events))
}

#[derive(Deserialize)]
struct After {
    after: Option<u64>,
}

async fn events(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    reads(&signed)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (send, receive) = mpsc::channel(64);
    tokio::spawn(feed(console, headers, last.or(after), send));
    let stream = ReceiverStream::new(receive).map(Ok::<Bytes, Infallible>);
    let kind = HeaderValue::from_static("text/event-stream");
    let buffering = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(([(CONTENT_TYPE, kind), buffering], Body::from_stream(stream)).into_response())
}

/// Writes events until the browser, the session or the process ends.
async fn feed(
    console: Arc<Console>,
    headers: HeaderMap,
    after: Option<u64>,
    send: mpsc::Sender<Bytes>,
) {
    let (mut changes, missed) = console.desk.changes(after);
    let mut draining = console.draining.clone();
    let mut last = after.unwrap_or_default();
    let mut first = String::from("retry: 3000\n\n");
    match missed {
        Some(missed) => {
            for change in missed {
                last = change.id;
                first.push_str(&written(&change));
            }
        }
        None => {
            last = console.desk.last_change();
            first.push_str(&again(last));
        }
    }
    if send.send(first.into()).await.is_err() {
        return;
    }
    loop {
        let words = tokio::select! {
            change = changes.recv() => match change {
                Ok(change) if change.id <= last => continue,
                Ok(change) => {
                    last = change.id;
                    written(&change)
                }
                Err(RecvError::Lagged(_)) => again(console.desk.last_change()),
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(HEARTBEAT) => {
                let signed = Signed::of(&console, &headers).ok().flatten();
                if signed.is_none_or(|signed| reads(&signed).is_err()) {
                    return;
                }
                String::from(": alive\n\n")
            }
            _ = draining.wait_for(|it| *it) => return,
            () = send.closed() => return,
        };
        if send.send(words.into()).await.is_err() {
            return;
        }
    }
}

fn written(change: &Change) -> String {
    let Change { id, hold, version, .. } = change;
    format!("id: {id}\nevent: hold\ndata: {{\"hold\":\"{hold}\",\"version\":{version}}}\n\n")
}

fn again(last: u64) -> String {
    format!("id: {last}\nevent: again\ndata: {{}}\n\n")
}
