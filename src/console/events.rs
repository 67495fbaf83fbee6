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
use tokio::sync::{broadcast, mpsc};
use tokio::time::MissedTickBehavior;
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
    let may_read = || {
        let signed = Signed::of(&console, &headers).ok().flatten();
        signed.is_some_and(|signed| reads(&signed).is_ok())
    };
    let newest = || console.desk.last_change();
    tokio::select! {
        () = relay(&mut changes, (last, newest), (HEARTBEAT, may_read), &send) => {}
        _ = draining.wait_for(|it| *it) => {}
        () = send.closed() => {}
    }
}

/// Writes what changes until nobody takes it, or whoever does may not any more: that is looked at with every
/// heartbeat, however much changes between them.
async fn relay(
    changes: &mut broadcast::Receiver<Change>,
    (mut last, newest): (u64, impl Fn() -> u64),
    (heartbeat, may_read): (Duration, impl Fn() -> bool),
    send: &mpsc::Sender<Bytes>,
) {
    let mut heartbeat = tokio::time::interval(heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    loop {
        let words = tokio::select! {
            change = changes.recv() => match change {
                Ok(change) if change.id <= last => continue,
                Ok(change) => {
                    last = change.id;
                    written(&change)
                }
                Err(RecvError::Lagged(_)) => again(newest()),
                Err(RecvError::Closed) => return,
            },
            _ = heartbeat.tick() => match may_read() {
                true => String::from(": alive\n\n"),
                false => return,
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{HoldId, HoldState};

    /// The next change follows as soon as the one before is taken, so that the stream is never quiet.
    #[tokio::test]
    async fn rights_are_looked_at_while_changes_flow() {
        let (tell, mut changes) = broadcast::channel(8);
        let (send, mut receive) = mpsc::channel(1);
        let change = |id| Change {
            id,
            hold: HoldId::from_random(1),
            version: id,
            state: HoldState::Pending,
        };
        let beat = Duration::from_millis(20);
        let relayed = relay(&mut changes, (0, || 0), (beat, || false), &send);
        let flow = async {
            let mut id = 0;
            loop {
                id += 1;
                tell.send(change(id)).unwrap();
                let _taken: Bytes = receive.recv().await.unwrap();
            }
        };
        let ended = async {
            tokio::select! {
                () = relayed => {}
                () = flow => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    }
}
