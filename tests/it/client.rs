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

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Nothing in a test waits longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    key: String,
    session: Option<String>,
    /// What it says of itself; the log repeats it.
    name: String,
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
            name: "test".to_owned(),
            next_id: AtomicI64::new(1),
        }
    }

    /// The same, under a name by which the log's records can be told apart.
    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The id of the next request.
    pub(crate) fn count_from(&self, id: i64) {
        self.next_id.store(id, Ordering::Relaxed);
    }

    /// Opens a legacy session.
    pub(crate) async fn initialize(&mut self, version: &str) -> Reply {
        let params = json!({"protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": self.name, "version": "1"}});
        let reply = self.request("initialize", params).await;
        if self.enter(&reply) {
            assert_eq!(self.post(INITIALIZED).await.status, StatusCode::ACCEPTED);
        }
        reply
    }

    /// As [`Client::connected`], from a server that may die meanwhile.
    pub(crate) async fn try_connected(mut self, version: &str) -> Option<Self> {
        let params = json!({"protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": self.name, "version": "1"}});
        let (id, body) = self.message("initialize", params);
        let reply = self.try_send(&[], id, body).await?;
        assert!(self.enter(&reply), "{reply:?}");
        let noted = self.ask_http(Method::POST, &[], INITIALIZED).await?;
        assert_eq!(noted.status(), StatusCode::ACCEPTED);
        Some(self)
    }

    fn enter(&mut self, reply: &Reply) -> bool {
        if let Some(id) = reply.headers.get("mcp-session-id") {
            self.session = Some(id.to_str().unwrap().to_owned());
        }
        self.session.is_some()
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
        self.post(&self.message(method, params).1).await
    }

    /// As [`Client::call`], from a server that may die meanwhile: `None` if no whole answer came.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Option<Reply> {
        let params = json!({"name": tool, "arguments": arguments});
        let (id, body) = self.message("tools/call", params);
        self.try_send(&[], id, body).await
    }

    /// As [`Client::modern`], from a server that may die meanwhile.
    pub(crate) async fn try_modern(
        &self,
        method: &str,
        params: Value,
        capabilities: Value,
    ) -> Option<Reply> {
        let (id, headers, body) = self.modern_message(method, params, capabilities);
        self.try_send(&headers, id, body).await
    }

    /// A request of this client and its id.
    fn message(&self, method: &str, params: Value) -> (i64, String) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        (id, message.to_string())
    }

    async fn try_send(
        &self,
        headers: &[(String, String)],
        id: i64,
        body: impl Into<Bytes>,
    ) -> Option<Reply> {
        let response = self.ask_http(Method::POST, headers, body).await?;
        let reply =
            tokio::time::timeout(DEADLINE, read(response)).await.expect("the answer ends in time");
        reply.messages.last().is_some_and(|last| last["id"] == id).then_some(reply)
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Sends a modern request with its mirrored headers; `capabilities` are the client's.
    pub(crate) async fn modern(&self, method: &str, params: Value, capabilities: Value) -> Reply {
        let (_, headers, body) = self.modern_message(method, params, capabilities);
        self.send(Method::POST, &headers, body).await
    }

    fn modern_message(
        &self,
        method: &str,
        mut params: Value,
        capabilities: Value,
    ) -> (i64, Vec<(String, String)>, String) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": self.name, "version": "1"},
        });
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str());
        let mut headers = vec![
            ("mcp-protocol-version".to_owned(), "2026-07-28".to_owned()),
            ("mcp-method".to_owned(), method.to_owned()),
        ];
        if let Some(name) = name {
            headers.push(("mcp-name".to_owned(), name.to_owned()));
        }
        let (id, body) = self.message(method, params);
        (id, headers, body)
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
        let request = self.http_request(method, headers, body);
        let sent = tokio::time::timeout(DEADLINE, self.http.request(request)).await;
        sent.expect("the head comes in time").unwrap()
    }

    /// The open response of a server that may die meanwhile; slowness is a failure all the same.
    async fn ask_http(
        &self,
        method: Method,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Option<Response<Incoming>> {
        let request = self.http_request(method, headers, body);
        let sent = tokio::time::timeout(DEADLINE, self.http.request(request)).await;
        sent.expect("the head comes in time, or the connection ends").ok()
    }

    fn http_request(
        &self,
        method: Method,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
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
        request
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
    // A cut may go through a letter; the message that it is in is no whole one then.
    let text = String::from_utf8_lossy(&bytes).into_owned();
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
