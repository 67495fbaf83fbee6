//! Event streams read as they come, requests written by hand, and conditions waited for.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use portcullis::simulator::options::Speak;
use portcullis::simulator::{Options, Received};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, DEADLINE, Reply};
use crate::stand::{Setup, Stand};

/// A conversation that every seed has, and the ones after it.
pub(crate) const CONVERSATION: u64 = 215_470_000_000_101;
/// An article that every seed has.
pub(crate) const ARTICLE: &str = "9100001";
/// The tasks extension, declared.
pub(crate) const TASKS: &str = r#"{"extensions": {"io.modelcontextprotocol/tasks": {}}}"#;

/// One block of an event stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Event {
    pub id: Option<String>,
    pub retry: Option<u64>,
    pub comment: Option<String>,
    pub data: Option<String>,
}

impl Event {
    pub(crate) fn message(&self) -> Option<Value> {
        serde_json::from_str(self.data.as_deref()?).ok()
    }
}

/// An open answer, read event by event. Dropping it closes the connection.
pub(crate) struct Live {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    text: String,
}

impl Live {
    pub(crate) fn of(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body, text: String::new() }
    }

    /// POSTs a message and reads the answer as it comes.
    pub(crate) async fn post(client: &Client, message: &Value) -> Self {
        Self::of(client.open(Method::POST, &[], message.to_string()).await)
    }

    /// Opens the stream of the session, or resumes one.
    pub(crate) async fn get(client: &Client, last_event: Option<&str>) -> Self {
        let headers: Vec<(String, String)> =
            last_event.map(|id| ("last-event-id".to_owned(), id.to_owned())).into_iter().collect();
        Self::of(client.open(Method::GET, &headers, "").await)
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.headers.get("content-type").is_some_and(|it| it == "text/event-stream")
    }

    /// The next block; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return Some(parse(&block));
            }
            let frame = tokio::time::timeout(DEADLINE, self.body.frame()).await;
            match frame.unwrap_or_else(|_| panic!("nothing came; so far: {:?}", self.text)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.text.push_str(std::str::from_utf8(&data).unwrap());
                    }
                }
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next event that carries a message.
    pub(crate) async fn message(&mut self) -> Option<(Option<String>, Value)> {
        let next = async {
            loop {
                let event = self.next().await?;
                if let Some(message) = event.message() {
                    return Some((event.id, message));
                }
            }
        };
        tokio::time::timeout(DEADLINE, next).await.expect("a message comes in time")
    }

    /// The next message of a method.
    pub(crate) async fn note(&mut self, method: &str) -> Value {
        let mut others = Vec::new();
        loop {
            let next = self.message().await;
            let (_, message) = next.unwrap_or_else(|| panic!("no {method}, but {others:?}"));
            if message["method"] == method {
                return message;
            }
            others.push(message);
        }
    }

    /// All messages until the end.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some((_, message)) = self.message().await {
            all.push(message);
        }
        all
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "" => event.comment = Some(value),
            "id" => event.id = Some(value),
            "retry" => event.retry = value.parse().ok(),
            "data" => {
                event.data = Some(event.data.map_or(value.clone(), |old| old + "\n" + &value))
            }
            _ => {}
        }
    }
    event
}

/// A request of the legacy era.
pub(crate) fn legacy(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// The parameters of a call of `get_conversation`.
pub(crate) fn reading(number: u64) -> Value {
    json!({"name": "get_conversation", "arguments": {"id": (CONVERSATION + number).to_string()}})
}

/// The parameters of a call of `update_article`.
pub(crate) fn writing(title: &str) -> Value {
    json!({"name": "update_article", "arguments": {"id": ARTICLE, "title": title}})
}

/// A modern request, written by hand: `meta` is put over what every request has.
pub(crate) struct Modern {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Modern {
    pub(crate) fn new(id: impl Into<Value>, method: &str, mut params: Value, meta: Value) -> Self {
        let mut all = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        });
        for (key, value) in meta.as_object().unwrap() {
            all[key.as_str()] = value.clone();
        }
        params["_meta"] = all;
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str());
        let mut headers = vec![
            ("mcp-protocol-version".to_owned(), "2026-07-28".to_owned()),
            ("mcp-method".to_owned(), method.to_owned()),
        ];
        headers.extend(name.map(|name| ("mcp-name".to_owned(), name.to_owned())));
        Self { headers, body: legacy(id, method, params).to_string() }
    }

    pub(crate) async fn send(&self, client: &Client) -> Reply {
        client.send(Method::POST, &self.headers, self.body.clone()).await
    }

    pub(crate) async fn open(&self, client: &Client) -> Live {
        Live::of(client.open(Method::POST, &self.headers, self.body.clone()).await)
    }
}

/// `_meta` with capabilities of the client, given as JSON text.
pub(crate) fn declaring(capabilities: &str) -> Value {
    let capabilities: Value = serde_json::from_str(capabilities).unwrap();
    json!({"io.modelcontextprotocol/clientCapabilities": capabilities})
}

/// Waits until something is true.
pub(crate) async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < DEADLINE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A client of the principal `other`, whose key is in force.
pub(crate) async fn other(stand: &Stand) -> Client {
    let client = Client::new(&stand.url, &stand.add_key("principals", "other"));
    let begun = Instant::now();
    let list = Modern::new(1, "tools/list", json!({}), json!({}));
    while list.send(&client).await.status == StatusCode::UNAUTHORIZED {
        assert!(begun.elapsed() < DEADLINE, "the key is in force within seconds");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client
}

/// The shipped rules with a role `asker` beside the others, which answers all questions and
/// follows Intercom's tasks.
pub(crate) fn asking_policies() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/default");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let roles = folder.path().join("roles.json");
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(&roles).unwrap()).unwrap();
    let tasks = ["tasks/get", "tasks/update", "tasks/cancel"];
    all["roles"]["asker"] = json!({"title": "Answers", "tools": [], "methods": tasks, "questions": [
        "elicitation/create", "sampling/createMessage", "roots/list", "ping", "input_required"]});
    std::fs::write(&roles, all.to_string()).unwrap();
    let line = format!("policies: {}\n", folder.path().display());
    (folder, line)
}

/// Rules under which nothing is held, for the role `conformance`.
pub(crate) fn open_policies() -> String {
    concat!("policies: ", env!("CARGO_MANIFEST_DIR"), "/policies/conformance\n").to_owned()
}

/// A stand in front of a simulator that speaks so.
pub(crate) async fn speaking(speak: Speak) -> Stand {
    let simulator = Options { speak, ..Options::default() };
    Stand::start(Setup { simulator, ..Setup::default() }).await
}

/// What reached Intercom under a method.
pub(crate) fn methods(stand: &Stand, method: &str) -> Vec<Received> {
    stand.simulator.received().into_iter().filter(|it| it.method == method).collect()
}
