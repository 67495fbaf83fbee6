//! A client that sends exactly what a test gives it, and reads JSON and event streams.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Nothing in a test waits longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    key: String,
    session: Option<String>,
    next_id: AtomicI64,
}

/// A whole answer: status, headers, and every JSON message in it, in order.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub messages: Vec<Value>,
}

impl Reply {
    /// The last message: the answer.
    pub(crate) fn answer(&self) -> &Value {
        self.messages.last().unwrap_or_else(|| panic!("no message in {self:?}"))
    }

    /// The text of a tool's result.
    pub(crate) fn tool_text(&self) -> &str {
        self.answer()["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("no text in {:?}", self.answer()))
    }

    pub(crate) fn is_tool_error(&self) -> bool {
        self.answer()["result"]["isError"] == true
    }
}

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self {
            http,
            url: url.to_owned(),
            key: key.to_owned(),
            session: None,
            next_id: AtomicI64::new(1),
        }
    }

    /// Opens a legacy session.
    pub(crate) async fn initialize(&mut self, version: &str) -> Reply {
        let params = json!({"protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        let reply = self.request("initialize", params).await;
        if let Some(id) = reply.headers.get("mcp-session-id") {
            self.session = Some(id.to_str().unwrap().to_owned());
            let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
            assert_eq!(self.post(&note.to_string()).await.status, StatusCode::ACCEPTED);
        }
        reply
    }

    /// A client with an open session of 2025-06-18.
    pub(crate) async fn connected(mut self) -> Self {
        let reply = self.initialize("2025-06-18").await;
        assert!(self.session.is_some(), "{reply:?}");
        self
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Sends a request in this client's session, or without one.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Reply {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.post(&message.to_string()).await
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Sends a modern request with its mirrored headers; `capabilities` are the client's.
    pub(crate) async fn modern(
        &self,
        method: &str,
        mut params: Value,
        capabilities: Value,
    ) -> Reply {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        });
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str());
        let mut headers = vec![
            ("mcp-protocol-version".to_owned(), "2026-07-28".to_owned()),
            ("mcp-method".to_owned(), method.to_owned()),
        ];
        if let Some(name) = name {
            headers.push(("mcp-name".to_owned(), name.to_owned()));
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(Method::POST, &headers, message.to_string()).await
    }

    /// POSTs a body as it is.
    pub(crate) async fn post(&self, body: &str) -> Reply {
        self.send(Method::POST, &[], body.to_owned()).await
    }

    /// Sends an HTTP request with the usual headers, which `headers` replace by name.
    pub(crate) async fn send(
        &self,
        method: Method,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let response = self.open(method, headers, body).await;
        tokio::time::timeout(DEADLINE, read(response)).await.expect("the answer ends in time")
    }

    /// As [`Client::send`], but returns the open response, to be read event by event.
    pub(crate) async fn open(
        &self,
        method: Method,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Response<Incoming> {
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = self.url.parse().unwrap();
        let all = request.headers_mut();
        all.insert("content-type", "application/json".parse().unwrap());
        all.insert("accept", "application/json, text/event-stream".parse().unwrap());
        all.insert("authorization", format!("Bearer {}", self.key).parse().unwrap());
        if let Some(session) = &self.session {
            all.insert("mcp-session-id", session.parse().unwrap());
        }
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            all.insert(name, value.parse().unwrap());
        }
        let sent = tokio::time::timeout(DEADLINE, self.http.request(request)).await;
        sent.expect("the head comes in time").unwrap()
    }
}

async fn read(response: Response<Incoming>) -> Reply {
    let (head, body) = response.into_parts();
    // A stream that is cut off by the other side gives what came until then.
    let mut bytes = Vec::new();
    let mut body = body;
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let stream = head.headers.get("content-type").is_some_and(|it| it == "text/event-stream");
    let messages = if stream {
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect()
    } else {
        serde_json::from_str(&text).into_iter().collect()
    };
    Reply { status: head.status, headers: head.headers, text, messages }
}
