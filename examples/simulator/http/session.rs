//! Sessions of the legacy era: who is connected, on which streams they can be reached, and what they were asked.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::flow::{Piece, Sink};

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    /// The revision agreed on.
    pub(super) revision: String,
    stream: Mutex<Option<Sink>>,
    asked: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    cancelled: Mutex<HashSet<String>>,
}

impl Session {
    pub(super) fn new(revision: String, stream: Option<Sink>) -> Session {
        Session {
            revision,
            stream: Mutex::new(stream),
            asked: Mutex::default(),
            cancelled: Mutex::default(),
        }
    }

    /// Makes this the stream on which the server speaks by itself; the former one ends.
    pub(super) fn listen(&self, stream: Sink) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }

    /// Sends a message on that stream. False when there is none.
    pub(super) fn say(&self, message: String) -> bool {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.as_ref().is_some_and(|stream| stream.send(Piece::Message(message)).is_ok())
    }

    /// The stream itself.
    pub(super) fn stream(&self) -> Option<Sink> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a question; the receiver gets the client's response.
    pub(super) fn ask(&self, id: &Value) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), sender);
        receiver
    }

    /// Takes what a client posts besides requests: answers to questions, cancellations.
    pub(super) fn hear(&self, message: &Value) {
        if message.get("method").and_then(Value::as_str) == Some("notifications/cancelled") {
            let id =
                message.pointer("/params/requestId").map(ToString::to_string).unwrap_or_default();
            self.cancelled.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        } else if message.get("method").is_none()
            && let Some(asked) = message.get("id").and_then(|id| {
                self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id.to_string())
            })
        {
            let _ = asked.send(message.clone());
        }
    }

    /// Whether a request was cancelled; asking forgets it.
    pub(super) fn was_cancelled(&self, id: &Value) -> bool {
        self.cancelled.lock().unwrap_or_else(PoisonError::into_inner).remove(&id.to_string())
    }
}

/// All sessions by id.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    pub(super) fn add(&self, id: String, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&session));
        session
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn remove(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id).is_some()
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn notify(&self, method: &str, params: &Value) -> usize {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string();
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.values().filter(|session| session.say(message.clone())).count()
    }
}
