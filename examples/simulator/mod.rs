//! A simulator of Intercom's hosted MCP server: the outside world of Portcullis, for tests, benchmarks and demonstrations.
//!
//! It speaks Streamable HTTP of both eras and the deprecated SSE pair, offers Intercom's 14 tools over an invented workspace
//! that follows from a seed, signs clients in by OAuth or API token, and keeps everything it received, so that a test can ask
//! what reached Intercom. What is unknown about the real server, or can go wrong with it, is a switch (`Options`) that can be
//! turned while it runs: from Rust, from the command line, or by HTTP under `/_sim/` (no credential there: bind to loopback).
//!
//! It stands outside the road. It shares no parsing, no catalogue and no type with the product, reads JSON with `serde_json`
//! and serves HTTP with `axum`, so that one bug cannot hide on both sides. It must never be given a real token.
//!
//! | module | what |
//! |---|---|
//! | `options` | the switches |
//! | `data`, `objects`, `ids` | the workspace, its shapes by API version, spellings of ids |
//! | `tools`, `dsl` | what the tools do; the query language of `search` |
//! | `calls` | JSON-RPC without HTTP: methods, wrapping, answers |
//! | `http` | the doors: streamable (legacy), modern, sse, oauth, control |
//! | `received`, `limits` | the witness; the rate limit |

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod calls;
mod data;
mod dsl;
mod http;
mod ids;
mod limits;
mod objects;
pub mod options;
mod received;
mod rng;
mod switches;
#[cfg(test)]
mod tests;
pub mod tokens;
mod tools;

pub use options::Options;
pub use received::Received;

/// A running simulator. Dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    token: String,
    shared: Arc<http::Shared>,
    end: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Binds and serves until stopped or dropped. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(listen: SocketAddr, options: Options) -> std::io::Result<Simulator> {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let token = options.token.clone();
        let shared = Arc::new(http::Shared::new(format!("http://{addr}"), options));
        let (end, ended) = oneshot::channel();
        let server = tokio::spawn(http::serve(listener, Arc::clone(&shared), ended));
        Ok(Simulator { addr, token, shared, end: Some(end), server })
    }

    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The MCP endpoint: `http://<address>/mcp`.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }

    /// The API token it was started with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Everything received and kept, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.all()
    }

    /// How many of what was received and kept are such.
    pub fn count(&self, is: impl Fn(&Received) -> bool) -> usize {
        self.shared.received.count(is)
    }

    /// Forgets what was received.
    pub fn clear_received(&self) {
        self.shared.received.clear();
    }

    /// The switches in force.
    pub fn options(&self) -> Arc<Options> {
        self.shared.options()
    }

    /// Turns switches: `simulator.set(|options| options.tools = ToolSet::Six)`. Takes effect with the next message; the count
    /// of `trouble_after` and `trouble_times` starts anew. The seed is fixed at the start.
    pub fn set(&self, change: impl FnOnce(&mut Options)) {
        self.shared.set(change);
    }

    /// Sends a notification to every client that listens, such as `notifications/tools/list_changed`; gives the number of
    /// streams it went to.
    pub fn notify(&self, method: &str, params: Value) -> usize {
        self.shared.notify(method, &params)
    }

    /// Ends every session, as a restart of the real server would: their ids give 404 from now on.
    pub fn forget_sessions(&self) {
        self.shared.forget_sessions();
    }

    /// Waits until the simulator ends by itself, which it does not do: for a command that only simulates.
    pub async fn wait(mut self) {
        let _ = (&mut self.server).await;
    }

    /// Ends all streams and sessions, and frees the port.
    pub async fn stop(mut self) {
        self.shared.forget_sessions();
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), &mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
