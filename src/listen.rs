//! One accept loop for every listener: limits, time-outs, drain.
//!
//! HTTP/1 and HTTP/2 on one port. A connection may idle for long, but a request head that began
//! must end soon: hyper has one clock for both, so a watchdog looks at the difference (bytes came,
//! no request did). On an HTTP/2 connection it rests after the first request, for there bytes come
//! without a request (acknowledged pings, windows), and hyper bounds what a head may be. No HTTP/1
//! head reaches a handler that has a bare LF as a line end, or a `Content-Length` beside a
//! `Transfer-Encoding`; a request whose body comes in chunks is the last of its connection. When the
//! process is to end, the listener closes at once, requests under way get the drain time, and idle
//! connections are closed.

mod lines;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use lines::Lines;

/// Bounds of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// HTTP/2 streams per connection.
    pub streams: u32,
    /// For a request head, from its first byte.
    pub header_timeout: Duration,
    /// For a connection without a request.
    pub idle_timeout: Duration,
    /// For requests under way when the process is to end.
    pub drain: Duration,
}

/// The other end of the connection that a request came by: an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves a listener until `shutdown` turns true and what was under way has ended.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    handler: H,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            _ = shutdown.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, slot)) = accepted else { continue };
        let clock = Arc::new(HeadClock::default());
        let watched = Watched::new(stream, clock.clone());
        let service = {
            let (handler, clock) = (handler.clone(), clock.clone());
            service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                let under_way = clock.request_began(request.version());
                let is_last = ends_connection(&request);
                // On the heap, for as long as it is worked on: hyper keeps room for it within every
                // connection, also while a stream is all that is left of a request.
                let answer = Box::pin(handler(request));
                async move {
                    let mut answer = answer.await;
                    if is_last {
                        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(answer.map(|body| Counted { body, _under_way: under_way }))
                }
            })
        };
        let connection = (watched, builder(&limits), service);
        let end = (graceful.watcher(), shutdown.clone());
        let (header_timeout, idle_timeout) = (limits.header_timeout, limits.idle_timeout);
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                ended = converse(connection, end) => if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                },
                () = clock.expired(header_timeout, idle_timeout) => {
                    tracing::debug!("connection closed: a request head came too slowly, or none");
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(drain = ?limits.drain, "requests were cut off when the drain time ended");
    }
}

/// Answers the requests of one connection.
///
/// Which HTTP it is, is found out here: hyper's own look takes the first 24 bytes away from the rest, and its buffer
/// then doubles to hold both, in every connection for as long as it lives.
async fn converse<S, B>(
    (mut watched, builder, service): (Watched, auto::Builder<TokioExecutor>, S),
    (watcher, mut shutdown): (Watcher, watch::Receiver<bool>),
) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let is_http2 = tokio::select! {
        found = watched.begins_http2() => found?,
        _ = shutdown.wait_for(|stop| *stop) => return Ok(()),
    };
    let builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    let connection = builder.serve_connection(TokioIo::new(watched), service).into_owned();
    watcher.watch(connection).await
}

/// Whether no further request may come on its connection: a body in chunks has no length by which
/// [`Lines`] could tell where the next head begins.
fn ends_connection(request: &Request<Incoming>) -> bool {
    request.version() < Version::HTTP_2 && request.headers().contains_key(TRANSFER_ENCODING)
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(64 * 1024)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

type Slot = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, Slot)> {
    let slot = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY");
            }
            Some((stream, Peer(peer), slot))
        }
        Err(error) => {
            // Out of descriptors, or the client was gone already: pause instead of spinning.
            tracing::warn!(%error, "connection not accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Knows whether a request head has begun and not ended.
struct HeadClock {
    start: Instant,
    /// Milliseconds after `start` at which bytes came while no request was under way; 0 for never.
    head_began: AtomicU64,
    under_way: AtomicUsize,
    /// Bytes say nothing of heads any more.
    rests: AtomicBool,
    /// Whether any byte ever came: until then hyper does not know which HTTP it is, and no clock of
    /// its runs.
    spoke: AtomicBool,
}

/// A request under way; it ends when its answer's body is gone, however that comes about.
struct UnderWay(Arc<HeadClock>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, which keeps its request under way.
struct Counted<B> {
    body: B,
    _under_way: UnderWay,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Default for HeadClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            head_began: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            rests: AtomicBool::new(false),
            spoke: AtomicBool::new(false),
        }
    }
}

impl HeadClock {
    fn bytes_came(&self) {
        self.spoke.store(true, Ordering::Relaxed);
        if self.under_way.load(Ordering::Relaxed) == 0 && !self.rests.load(Ordering::Relaxed) {
            let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            // The first byte of a head counts, not the last.
            let _ = self.head_began.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn request_began(self: &Arc<Self>, version: Version) -> UnderWay {
        if version == Version::HTTP_2 {
            self.rests.store(true, Ordering::Relaxed);
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.head_began.store(0, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// Resolves when a head takes longer than `limit`, or nothing at all comes for `idle`. It looks no
    /// more often than something can be late: thousands of connections wait at a time.
    async fn expired(&self, limit: Duration, idle: Duration) {
        loop {
            let now = self.start.elapsed();
            let began = self.head_began.load(Ordering::Relaxed);
            // A head that has not begun is late after `limit` at the earliest.
            let late = if began == 0 { now } else { Duration::from_millis(began) } + limit;
            let silent = if self.spoke.load(Ordering::Relaxed) { Duration::MAX } else { idle };
            let due = late.min(silent);
            if due <= now {
                return;
            }
            tokio::time::sleep(due - now).await;
        }
    }
}

/// A connection whose reads are seen by the clock, and its heads by the check of their lines.
struct Watched {
    stream: TcpStream,
    clock: Arc<HeadClock>,
    lines: Lines,
    /// What was read, and checked, before hyper read anything.
    first: Bytes,
}

impl Watched {
    fn new(stream: TcpStream, clock: Arc<HeadClock>) -> Self {
        Self { stream, clock, lines: Lines::default(), first: Bytes::new() }
    }

    /// Whether the client begins with the preface of HTTP/2. What was read for that is read once more.
    async fn begins_http2(&mut self) -> std::io::Result<bool> {
        /// RFC 9113, section 3.4.
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        /// As much as hyper has room for: a whole head, mostly.
        const ROOM: usize = 8 * 1024;
        let mut first = Vec::with_capacity(ROOM);
        while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
            if self.read_buf(&mut first).await? == 0 {
                break;
            }
        }
        let is_http2 = first.starts_with(PREFACE);
        self.first = first.into();
        Ok(is_http2)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.first.is_empty() {
            let count = self.first.len().min(buffer.remaining());
            buffer.put_slice(&self.first.split_to(count));
            if self.first.is_empty() {
                // An empty rest would keep the memory of the whole.
                self.first = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = pin!(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.clock.bytes_came();
            if let Some(new) = buffer.filled_mut().get_mut(before..) {
                self.lines.check(new);
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        pin!(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        pin!(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        pin!(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        pin!(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use hyper_util::client::legacy::Client;
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::mpsc;
    use tokio_stream::StreamExt as _;

    use super::*;

    const HEAD: Duration = Duration::from_millis(300);
    /// Longer than a head may take and the watchdog needs to see it.
    const LONG: Duration = Duration::from_millis(2500);
    const DEADLINE: Duration = Duration::from_secs(20);

    /// A listener whose answers are one event at once and one after [`LONG`].
    async fn listener() -> (std::net::SocketAddr, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections: 8,
            streams: 8,
            header_timeout: HEAD,
            idle_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(1),
        };
        let handler = |_request| async {
            let (sender, receiver) = mpsc::channel(4);
            tokio::spawn(async move {
                sender.send(Bytes::from_static(b"first")).await.unwrap();
                tokio::time::sleep(LONG).await;
                let _ = sender.send(Bytes::from_static(b"last")).await;
            });
            let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
            Response::new(http_body_util::StreamBody::new(
                stream.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))),
            ))
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, handler, limits, stopped));
        (address, stop)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stream_may_be_idle_for_longer_than_a_head_may_take() {
        let (address, _stop) = listener().await;
        for http2 in [false, true] {
            let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .http2_only(http2)
                // Frames that are no requests, all the time.
                .http2_keep_alive_interval(Duration::from_millis(50))
                .build_http();
            let read = async {
                let request = Request::get(format!("http://{address}/")).body(Full::default());
                let answer = client.request(request.unwrap()).await.unwrap();
                answer.into_body().collect().await.map(|body| body.to_bytes())
            };
            let all = tokio::time::timeout(DEADLINE, read).await.unwrap();
            assert_eq!(all.unwrap(), "firstlast", "HTTP/2: {http2}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_head_that_comes_slowly_is_cut_off() {
        let (address, _stop) = listener().await;
        for start in ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(start.as_bytes()).await.unwrap();
            let mut all = Vec::new();
            let ended = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut all)).await;
            // Cut off may also be a reset; staying open is the fault.
            assert!(ended.is_ok(), "{start:?} stays open");
        }
    }
}
