//! A small HTTP client that hides nothing: what was cut stays cut.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::simulator::Simulator;

pub(super) struct Client {
    addr: std::net::SocketAddr,
    token: String,
    session: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// Whether the body ended as announced.
    pub(super) whole: bool,
}

/// A response that is read piece by piece.
pub(super) struct Open {
    stream: TcpStream,
    seen: String,
}

impl Open {
    /// Reads to the end.
    pub(super) async fn ended(mut self) {
        let _ = self.stream.read_to_end(&mut Vec::new()).await;
    }

    /// Reads until the text appears.
    pub(super) async fn until(&mut self, text: &str) -> String {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "ended without {text}: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        self.seen.clone()
    }
}

impl Client {
    pub(super) fn new(simulator: &Simulator) -> Client {
        Client { addr: simulator.addr(), token: simulator.token().to_owned(), session: None }
    }

    pub(super) async fn connect(simulator: &Simulator, revision: &str) -> Client {
        let mut client = Client::new(simulator);
        let reply = client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}})).await;
        assert_eq!(
            reply.message().pointer("/result/protocolVersion").and_then(Value::as_str),
            Some(revision)
        );
        client.session = reply.header("mcp-session-id").map(str::to_owned);
        assert_eq!(
            client
                .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
                .await
                .status,
            202
        );
        client
    }

    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    pub(super) fn with_token(mut self, token: &str) -> Client {
        self.token = token.to_owned();
        self
    }

    /// The headers of an MCP message, for `http`.
    pub(super) fn usual(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("authorization", format!("Bearer {}", self.token)),
        ];
        headers.extend(self.session.clone().map(|session| ("mcp-session-id", session)));
        headers
    }

    pub(super) async fn send(&self, message: &Value) -> Reply {
        self.post(message, &[]).await
    }

    pub(super) async fn post(&self, message: &Value, extra: &[(&'static str, &str)]) -> Reply {
        let mut headers = self.usual();
        headers.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.http("POST", "/mcp", &headers, &message.to_string()).await
    }

    pub(super) async fn http(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: &str,
    ) -> Reply {
        let mut open = self.open(method, path, headers, body).await;
        let mut bytes = Vec::new();
        let _ = open.stream.read_to_end(&mut bytes).await;
        Reply::read(&String::from_utf8_lossy(&bytes))
    }

    pub(super) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: &str,
    ) -> Open {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.addr,
            body.len()
        );
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        Open { stream, seen: String::new() }
    }
}

impl Reply {
    fn read(text: &str) -> Reply {
        let Some((head, raw)) = text.split_once("\r\n\r\n") else {
            return Reply { status: 0, headers: Vec::new(), body: String::new(), whole: false };
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let chunked =
            headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let announced = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .and_then(|(_, value)| value.parse().ok());
        let (body, whole) = if chunked {
            unchunked(raw.as_bytes())
        } else {
            (raw.to_owned(), announced.is_none_or(|length: usize| length == raw.len()))
        };
        Reply { status, headers, body, whole }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// All messages of the reply, whatever its form.
    pub(super) fn messages(&self) -> Vec<Value> {
        if self.header("content-type") == Some("application/json") {
            return match self.json() {
                Value::Array(all) => all,
                one => vec![one],
            };
        }
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter(|data| !data.trim().is_empty())
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// The last message: the response.
    pub(super) fn message(&self) -> Value {
        self.messages().pop().unwrap_or_else(|| panic!("{self:?}"))
    }

    pub(super) fn code(&self) -> Option<i64> {
        self.message().pointer("/error/code").and_then(Value::as_i64)
    }
}

fn unchunked(mut rest: &[u8]) -> (String, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let from = end + 2;
        if size == 0 {
            return (String::from_utf8(body).unwrap(), true);
        }
        let to = (from + size).min(rest.len());
        body.extend_from_slice(&rest[from..to]);
        rest = rest.get(to + 2..).unwrap_or_default();
    }
    (String::from_utf8_lossy(&body).into_owned(), false)
}
