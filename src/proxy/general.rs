//! The general stream of a legacy session: what Intercom sends for no request in particular.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::Proxy;
use super::session::Session;
use super::streams::GENERAL;
use super::told::session_call;
use crate::domain::Call;
use crate::mcp::json::Object;
use crate::mcp::message::Notification;
use crate::mcp::methods::{self, Form, Sender};
use crate::upstream::{Fault, FromServer, ServerStream};

/// A stream without events gets a comment after so long, and its reader is looked for.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// The pauses between attempts to open the stream at Intercom.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An attempt to open the stream at Intercom.
type Opening = BoxFuture<'static, Result<Option<ServerStream>, Fault>>;

impl Proxy {
    /// Carries what Intercom sends for no request in particular to the session's general stream,
    /// for as long as the client listens. When the process is to end the stream does, at once.
    pub(super) async fn general_stream(self: Arc<Self>, session: Arc<Session>) {
        tokio::select! {
            () = self.carry_general(&session) => {}
            () = self.draining() => session.stop_listening(),
        }
    }

    async fn carry_general(self: &Arc<Self>, session: &Arc<Session>) {
        let call = session_call(session, "session/listen");
        let mut tools = self.upstream.tool_changes();
        let mut signs = tokio::time::interval(SIGN_OF_LIFE);
        signs.tick().await;
        let mut pause = FIRST_PAUSE;
        let mut stream: Option<ServerStream> = None;
        let mut opening = self.open_after(session, Duration::ZERO);
        while !session.is_ended() {
            tokio::select! {
                opened = &mut opening => match opened {
                    Ok(opened) => {
                        stream = opened;
                        // It is open, or Intercom has none: nothing more to open.
                        opening = Box::pin(std::future::pending());
                    }
                    Err(fault) => {
                        tracing::debug!(%fault, "no stream of Intercom");
                        opening = self.open_after(session, pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                },
                next = next_of(&mut stream) => match next {
                    Ok(Some(message)) => {
                        pause = FIRST_PAUSE;
                        if let Some(bytes) = self.general_message(session, &call, message).await {
                            session.streams(|streams| streams.message(GENERAL, bytes));
                        }
                    }
                    Ok(None) | Err(_) => {
                        stream = None;
                        opening = self.open_after(session, pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                },
                changed = tools.changed() => if changed.is_ok() {
                    let method = "notifications/tools/list_changed".to_owned();
                    let note = Notification { method, params: Object::default(), meta: Object::default() };
                    session.streams(|streams| streams.message(GENERAL, note.write()));
                },
                _ = signs.tick() => {
                    session.streams(|streams| streams.comment(GENERAL));
                    if !session.is_carried_on() {
                        return;
                    }
                }
            }
        }
    }

    /// Opens the stream at Intercom after a pause. It stays beside everything else: an Intercom that
    /// does not answer must not silence what Portcullis itself has to tell.
    fn open_after(self: &Arc<Self>, session: &Arc<Session>, pause: Duration) -> Opening {
        let (upstream, leg) = (self.upstream.clone(), session.leg.clone());
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            upstream.server_stream(&leg).await
        })
    }

    async fn general_message(
        self: &Arc<Self>,
        session: &Arc<Session>,
        call: &Call,
        message: FromServer,
    ) -> Option<Bytes> {
        match message {
            FromServer::Notification(note) => {
                methods::find(Sender::Server, Form::Notification, &note.method, session.revision)?;
                if note.method == "notifications/tools/list_changed" {
                    // Told from the pins once the new list was read: a change that stays hidden is
                    // none for the client.
                    self.tools_changed(&session.leg);
                    return None;
                }
                self.may_hear(call, note).await.map(|note| note.write())
            }
            FromServer::Request(question) => {
                let message = self.question(session, call, None, &question).await;
                if message.is_none() {
                    self.upstream.refuse(&session.leg, &question).await;
                }
                message
            }
            FromServer::Answer(_) => None,
        }
    }
}

async fn next_of(stream: &mut Option<ServerStream>) -> Result<Option<FromServer>, Fault> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}
