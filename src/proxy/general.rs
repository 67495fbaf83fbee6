//! The general stream of a legacy session: what Intercom sends for no request in particular.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Proxy;
use super::session::Session;
use super::streams::GENERAL;
use super::told::session_call;
use crate::domain::Call;
use crate::mcp::json::Object;
use crate::mcp::message::Notification;
use crate::mcp::methods::{self, Form, Sender};
use crate::upstream::FromServer;

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
        let mut pause = Duration::from_secs(1);
        while session.is_carried_on() {
            let mut stream = match self.upstream.server_stream(&session.leg).await {
                Ok(stream) => stream,
                Err(fault) => {
                    tracing::debug!(%fault, "no stream of Intercom");
                    None
                }
            };
            loop {
                tokio::select! {
                    next = async { match &mut stream {
                        Some(stream) => stream.next().await,
                        None => std::future::pending().await,
                    } } => match next {
                        Ok(Some(message)) => {
                            pause = Duration::from_secs(1);
                            if let Some(bytes) = self.general_message(session, &call, message).await {
                                session.streams(|streams| streams.message(GENERAL, bytes));
                            }
                        }
                        Ok(None) | Err(_) => break,
                    },
                    changed = tools.changed() => if changed.is_ok() {
                        let method = "notifications/tools/list_changed".to_owned();
                        let note = Notification { method, params: Object::default(), meta: Object::default() };
                        session.streams(|streams| streams.message(GENERAL, note.write()));
                    },
                    () = tokio::time::sleep(Duration::from_secs(15)) => {
                        session.streams(|streams| streams.comment(GENERAL));
                        if !session.streams(|streams| streams.has_listener()) {
                            break;
                        }
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(30));
        }
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
                self.may_hear(call, &note).await.then(|| note.write())
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
