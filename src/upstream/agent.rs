//! A small MCP client of the legacy era over the same wire, for `portcullis demo`: an agent that
//! calls Portcullis as it would call Intercom. It spends no permit, because what it calls is the
//! agents' side of Portcullis, never Intercom.

use http::{HeaderName, HeaderValue};

use super::fault::Fault;
use super::wire::{Wire, WireBody};
use crate::config::Secret;
use crate::domain::{JsonText, Revision};
use crate::mcp::headers::{PROTOCOL_VERSION, SESSION_ID};
use crate::mcp::json::{self, Limits, Object};
use crate::mcp::message::{
    Incoming, Message, Notification, Request, RequestId, ResponseBody, read_message,
};
use crate::mcp::sse;

/// A client with an open session.
pub struct Agent {
    wire: Wire,
    key: Secret,
    session: Option<HeaderValue>,
    next_id: i64,
}

impl Agent {
    /// Connects to an endpoint and initializes.
    ///
    /// # Errors
    /// If it cannot be reached or refuses.
    pub async fn connect(
        settings: &crate::config::Upstream,
        key: Secret,
        name: &str,
    ) -> Result<Self, Fault> {
        let wire = Wire::new(settings).map_err(|error| Fault::Unreachable(error.to_string()))?;
        let mut agent = Self { wire, key, session: None, next_id: 0 };
        let mut client = Object::default();
        client.set("name", json::quote(name));
        client.set("version", json::quote(env!("CARGO_PKG_VERSION")));
        let mut params = Object::default();
        params.set("protocolVersion", json::quote(Revision::NEWEST_LEGACY.as_str()));
        params.set("capabilities", JsonText::empty_object());
        params.set("clientInfo", client.to_text());
        agent.request("initialize", params).await?;
        let note = Notification {
            method: "notifications/initialized".to_owned(),
            params: Object::default(),
            meta: Object::default(),
        };
        agent.wire.post(Some(&agent.key), agent.headers(), note.write()).await?;
        Ok(agent)
    }

    /// Calls a tool and returns its result.
    ///
    /// # Errors
    /// If the call fails as a whole; a tool's error is a result.
    pub async fn call(&mut self, tool: &str, arguments: JsonText) -> Result<Object, Fault> {
        let mut params = Object::default();
        params.set("name", json::quote(tool));
        params.set("arguments", arguments);
        self.request("tools/call", params).await
    }

    /// Sends a request and returns its result.
    ///
    /// # Errors
    /// If it fails as a whole.
    pub async fn request(&mut self, method: &str, params: Object) -> Result<Object, Fault> {
        self.next_id += 1;
        let id = RequestId::from(self.next_id);
        let request =
            Request { id: id.clone(), method: method.to_owned(), params, meta: Object::default() };
        let answer = self.wire.post(Some(&self.key), self.headers(), request.write()).await?;
        super::reject_status(&answer)?;
        if let Some(session) = answer.headers.get(SESSION_ID) {
            self.session = Some(session.clone());
        }
        let mut events = match answer.body {
            WireBody::Json(bytes) => return result_for(&id, bytes)?.ok_or(Fault::Lost),
            WireBody::Empty => return Err(Fault::Lost),
            WireBody::Events(events) => events,
        };
        while let Some(item) = events.next().await? {
            let sse::Item::Event(sse::Event { data: Some(data), .. }) = item else { continue };
            if data.is_empty() {
                continue;
            }
            if let Some(result) = result_for(&id, data)? {
                return Ok(result);
            }
        }
        Err(Fault::Lost)
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let Some(session) = &self.session else { return Vec::new() };
        let version = HeaderValue::from_static(Revision::NEWEST_LEGACY.as_str());
        vec![
            (HeaderName::from_static(SESSION_ID), session.clone()),
            (HeaderName::from_static(PROTOCOL_VERSION), version),
        ]
    }
}

/// The result in a message, if it answers our request.
fn result_for(id: &RequestId, bytes: bytes::Bytes) -> Result<Option<Object>, Fault> {
    let incoming = read_message(bytes, &Limits::default())
        .map_err(|error| Fault::Malformed(error.to_string()))?;
    let Incoming::One(Message::Response(response)) = incoming else { return Ok(None) };
    if response.id.as_ref() != Some(id) {
        return Ok(None);
    }
    match response.body {
        ResponseBody::Result(text) => Object::parse(&text)
            .map(Some)
            .ok_or_else(|| Fault::Malformed("its result is no object".to_owned())),
        ResponseBody::Error(error) => Err(Fault::Refused { code: error.code }),
    }
}
