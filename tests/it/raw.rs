//! HTTP/1 by hand: requests that no client library would send, and answers byte by byte.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::stand::Stand;

/// Nothing here takes longer, unless it waits for ever.
const PATIENCE: Duration = Duration::from_secs(8);

/// A request whose every part a test can bend.
#[derive(Clone)]
pub(crate) struct Raw {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Raw {
    /// A POST that is in order, with the agent's key.
    pub(crate) fn post(stand: &Stand, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = [
            ("Host", address(stand)),
            ("Authorization", format!("Bearer {}", stand.key)),
            ("Content-Type", "application/json".to_owned()),
            ("Accept", "application/json, text/event-stream".to_owned()),
            ("Content-Length", body.len().to_string()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { line: "POST /mcp HTTP/1.1".to_owned(), headers, body }
    }

    /// A modern call of a tool, with its mirrored headers: in order as it is.
    pub(crate) fn call(stand: &Stand, tool: &str, arguments: &Value) -> Self {
        let params = serde_json::json!({"name": tool, "arguments": arguments});
        Self::modern(stand, "tools/call", &params).set("Mcp-Name", tool)
    }

    /// A modern request with its version and method mirrored.
    pub(crate) fn modern(stand: &Stand, method: &str, params: &Value) -> Self {
        Self::post(stand, modern_body(method, params).to_string())
            .set("MCP-Protocol-Version", MODERN)
            .set("Mcp-Method", method)
    }

    /// The same with another request line.
    pub(crate) fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    /// The same with one header of this name.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.add(name, value)
    }

    /// The same with one more header.
    pub(crate) fn add(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without the headers of this name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// The same with another body and its length.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.set("Content-Length", &length)
    }

    /// The request as it goes on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

pub(crate) const MODERN: &str = "2026-07-28";

/// A modern request with the envelope that it must have.
pub(crate) fn modern_body(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = serde_json::json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// `127.0.0.1:port` of a stand.
pub(crate) fn address(stand: &Stand) -> String {
    stand.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned()
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The JSON-RPC message in it, plain or in an event stream.
    pub(crate) fn message(&self) -> Value {
        let data = self.body.lines().rev().find_map(|line| line.strip_prefix("data:"));
        serde_json::from_str(data.unwrap_or(&self.body)).unwrap_or_default()
    }

    /// The code of its JSON-RPC error.
    pub(crate) fn code(&self) -> Option<i64> {
        self.message()["error"]["code"].as_i64()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The other side closed it.
    pub closed: bool,
}

impl Connection {
    /// A connection to the server of a stand; `None` if it is gone.
    pub(crate) fn open(stand: &Stand) -> Option<Self> {
        let stream = TcpStream::connect(address(stand)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Some(Self { stream, unread: Vec::new(), closed: false })
    }

    /// Writes what can be written: the other side may have answered and closed already.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Whether the other side has closed by now; does not wait.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let mut buffer = [0; 1024];
        let read = self.stream.read(&mut buffer);
        self.stream.set_nonblocking(false).unwrap();
        match read {
            Ok(0) => true,
            Ok(length) => {
                self.unread.extend(&buffer[..length]);
                false
            }
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// The next answer; `None` if the connection was closed before.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, length)) = parse(&self.unread, self.closed) {
                self.unread.drain(..length);
                return Some(answer);
            }
            if self.closed {
                return None;
            }
            if !self.read() {
                let unread = String::from_utf8_lossy(&self.unread);
                panic!("nothing came and nothing closed; unread: {unread:?}");
            }
        }
    }

    /// All answers until the other side closes; `closed` stays false if it does not for long.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        while !self.closed && self.read() {}
        let mut answers = Vec::new();
        while let Some((answer, length)) = parse(&self.unread, self.closed) {
            self.unread.drain(..length);
            answers.push(answer);
        }
        answers
    }

    /// Reads on; false if nothing came for long.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(length) => self.unread.extend(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => self.closed = true,
        }
        true
    }
}

/// Sends bytes on a connection of their own; the first answer.
pub(crate) fn exchange(stand: &Stand, bytes: &[u8]) -> Option<Answer> {
    let mut connection = Connection::open(stand)?;
    connection.write(bytes);
    connection.answer()
}

/// The first answer in a buffer and its length, if it is there as a whole.
fn parse(buffer: &[u8], closed: bool) -> Option<(Answer, usize)> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer { status, head, body: String::new() };
    let rest = &buffer[end..];
    let (body, length) = if answer.header("transfer-encoding") == Some("chunked") {
        chunks(rest)?
    } else {
        let length = match answer.header("content-length") {
            Some(length) => length.parse().ok()?,
            None if closed => rest.len(),
            None => 0,
        };
        // An answer to HEAD has a length and no body.
        let length = if closed { length.min(rest.len()) } else { length };
        (rest.get(..length)?.to_vec(), length)
    };
    answer.body = String::from_utf8(body).unwrap();
    Some((answer, end + length))
}

/// The body of a chunked answer and its length on the wire, if it is there as a whole.
fn chunks(mut rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (whole, mut body) = (rest.len(), Vec::new());
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        let chunk = rest.get(line + 2..line + 2 + size)?;
        body.extend(chunk);
        rest = rest.get(line + 2 + size + 2..)?;
        if size == 0 {
            return Some((body, whole - rest.len()));
        }
    }
}
