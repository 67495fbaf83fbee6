//! What reached the simulator: the witness of every test about what a firewall let through.
//!
//! A message is noted before anything else happens to it, before credentials are checked and before trouble strikes, so a
//! message that is absent here did not arrive. Bodies and headers are kept as they came, credentials included: the simulator
//! is the outside world and its tokens are invented. The log is a ring; its size is a switch.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

/// One message that reached the simulator. A batch is several of these with one body.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Received {
    /// Place in the order of arrival, from 1, never reused.
    pub serial: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// HTTP method and path, such as `POST /mcp`.
    pub http: String,
    /// JSON-RPC method; empty for answers, for plain HTTP and for what could not be read.
    pub method: String,
    /// JSON-RPC id, if any.
    pub request_id: Option<Value>,
    /// The tool named by a `tools/call`.
    pub tool: Option<String>,
    /// The arguments of a `tools/call`.
    pub arguments: Option<Value>,
    /// Value of `Mcp-Session-Id`, or of `sessionId` on the SSE door.
    pub session: Option<String>,
    /// Headers by lower-case name; several values are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body, with replacement characters where it is not UTF-8.
    pub body: String,
}

/// The ring of what was received.
#[derive(Debug, Default)]
pub(super) struct Log {
    inner: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Received>,
    last: u64,
}

impl Log {
    /// Notes one HTTP request: an entry per JSON-RPC message in it, or one entry when there is none.
    pub(super) fn note(
        &self,
        http: &str,
        headers: &HeaderMap,
        body: &[u8],
        parsed: Option<&Value>,
        session: Option<&str>,
        keep: usize,
    ) {
        let plain = Received {
            serial: 0,
            at: now_ms(),
            http: http.to_owned(),
            method: String::new(),
            request_id: None,
            tool: None,
            arguments: None,
            session: session.map(str::to_owned),
            headers: joined(headers),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        match parsed {
            Some(Value::Array(batch)) if !batch.is_empty() => {
                batch.iter().for_each(|one| self.push(describe(&plain, one), keep))
            }
            Some(one) => self.push(describe(&plain, one), keep),
            None => self.push(plain, keep),
        }
    }

    fn push(&self, mut entry: Received, keep: usize) {
        let mut ring = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last += 1;
        entry.serial = ring.last;
        while ring.entries.len() >= keep.max(1) {
            ring.entries.pop_front();
        }
        ring.entries.push_back(entry);
    }

    /// Everything kept, oldest first.
    pub(super) fn all(&self) -> Vec<Received> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.iter().cloned().collect()
    }

    /// How many of what is kept are such. Nothing is copied, so that whoever asks again and again is in nobody's way.
    pub(super) fn count(&self, is: impl Fn(&Received) -> bool) -> usize {
        let ring = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        ring.entries.iter().filter(|one| is(one)).count()
    }

    /// Forgets everything; serial numbers go on.
    pub(super) fn clear(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.clear();
    }
}

fn describe(plain: &Received, message: &Value) -> Received {
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let params = message.get("params");
    let call = (method == "tools/call").then_some(params).flatten();
    Received {
        method: method.to_owned(),
        request_id: message.get("id").cloned(),
        tool: call.and_then(|params| params.get("name")).and_then(Value::as_str).map(str::to_owned),
        arguments: call.and_then(|params| params.get("arguments")).cloned(),
        ..plain.clone()
    }
}

fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.as_str().to_owned())
            .and_modify(|old| {
                old.push_str(", ");
                old.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    all
}

pub(super) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}
