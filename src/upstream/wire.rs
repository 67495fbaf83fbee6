//! HTTP towards Intercom: one pooled client, TLS by rustls, redirects never followed.
//!
//! Nothing of the agent's request head is copied: every header is written here. Bodies are read
//! under a cap; an event stream is handed on event by event.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::fault::Fault;
use crate::config::Secret;
use crate::mcp::sse;

/// The largest answer that is read, in bytes.
const ANSWER_CAP: usize = 16 * 1024 * 1024;
/// The life of an unused connection: shorter than what servers grant, for a call on a connection
/// that the server is just closing is lost.
const POOL_IDLE: Duration = Duration::from_secs(25);
/// How often a connection without traffic is asked whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A pooled client over TLS.
pub(super) type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes the client; `ca_file` holds further roots in PEM.
pub(super) fn http_client(
    ca_file: Option<&Path>,
    connect_timeout: Duration,
) -> Result<Http, std::io::Error> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(KEEPALIVE));
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(super::tls::client_config(ca_file)?)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .build(https))
}

/// The HTTP client for Intercom.
pub(super) struct Wire {
    client: Http,
    url: Uri,
    answer_timeout: Duration,
    idle_timeout: Duration,
}

/// An answer's head, and its body in the form it has.
pub(super) struct WireAnswer {
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: WireBody,
}

/// An answer's body.
pub(super) enum WireBody {
    /// None.
    Empty,
    /// One JSON text.
    Json(Bytes),
    /// An event stream.
    Events(Box<EventBody>),
}

impl Wire {
    pub(super) fn new(settings: &crate::config::Upstream) -> Result<Self, std::io::Error> {
        let client = http_client(settings.ca_file.as_deref(), settings.connect_timeout)?;
        Ok(Self {
            client,
            url: settings.url.clone(),
            answer_timeout: settings.answer_timeout,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// POSTs one message.
    pub(super) async fn post(
        &self,
        token: Option<&Secret>,
        extra: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<WireAnswer, Fault> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        self.send(request, token, extra).await
    }

    /// Opens the stream of server messages.
    pub(super) async fn get(
        &self,
        token: Option<&Secret>,
        extra: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<WireAnswer, Fault> {
        let mut request = Request::new(Full::default());
        let accept = HeaderValue::from_static("text/event-stream");
        request.headers_mut().insert(header::ACCEPT, accept);
        self.send(request, token, extra).await
    }

    /// Ends a session.
    pub(super) async fn delete(
        &self,
        token: Option<&Secret>,
        extra: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<WireAnswer, Fault> {
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::DELETE;
        self.send(request, token, extra).await
    }

    async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        token: Option<&Secret>,
        extra: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<WireAnswer, Fault> {
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(token) = token {
            let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
            let mut value = HeaderValue::from_str(&text).map_err(|_| Fault::Unauthorized)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        headers.extend(extra.into_iter().map(|(name, value)| (Some(name), value)));
        let answer = tokio::time::timeout(self.answer_timeout, self.client.request(request)).await;
        match answer {
            Err(_) => Err(Fault::Timeout(self.answer_timeout)),
            Ok(Err(error)) if error.is_connect() => Err(Fault::Unreachable(root_cause(&error))),
            Ok(Err(error)) => {
                tracing::warn!(error = %root_cause(&error), "exchange with Intercom failed");
                Err(Fault::Lost)
            }
            Ok(Ok(response)) => self.read(response).await,
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Result<WireAnswer, Fault> {
        let (head, body) = response.into_parts();
        let media = head.headers.get(header::CONTENT_TYPE).map(media_type).unwrap_or_default();
        let body = if media == "text/event-stream" && head.status.is_success() {
            WireBody::Events(Box::new(EventBody::new(body, self.idle_timeout)))
        } else {
            let bytes = tokio::time::timeout(self.answer_timeout, collect(body))
                .await
                .map_err(|_| Fault::Timeout(self.answer_timeout))??;
            match media.as_str() {
                _ if bytes.is_empty() => WireBody::Empty,
                "application/json" => WireBody::Json(bytes),
                _ if head.status.is_success() => {
                    let text = "its media type is neither JSON nor an event stream";
                    return Err(Fault::Malformed(text.to_owned()));
                }
                _ => WireBody::Empty,
            }
        };
        Ok(WireAnswer { status: head.status, headers: head.headers, body })
    }
}

/// Our name towards servers.
pub(super) const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// An event stream from Intercom, read incrementally.
pub(super) struct EventBody {
    body: Incoming,
    decoder: sse::Decoder,
    ready: VecDeque<sse::Item>,
    idle_timeout: Duration,
}

impl EventBody {
    fn new(body: Incoming, idle_timeout: Duration) -> Self {
        let decoder = sse::Decoder::new(ANSWER_CAP);
        Self { body, decoder, ready: VecDeque::new(), idle_timeout }
    }

    /// The next event or comment; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Result<Option<sse::Item>, Fault> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            let frame = tokio::time::timeout(self.idle_timeout, self.body.frame())
                .await
                .map_err(|_| Fault::Timeout(self.idle_timeout))?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Fault::Lost),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        let items = self
                            .decoder
                            .push(data)
                            .map_err(|error| Fault::Malformed(error.to_string()))?;
                        self.ready.extend(items);
                    }
                }
            }
        }
    }
}

async fn collect(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut whole = BytesMut::new();
    let mut first = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Fault::Lost)?.into_data() else { continue };
        if first.len() + whole.len() + data.len() > ANSWER_CAP {
            return Err(Fault::TooLarge(ANSWER_CAP));
        }
        // Most answers arrive in one frame and are then never copied.
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// The media type of a `Content-Type` value, in lower case, without parameters.
fn media_type(value: &HeaderValue) -> String {
    let text = value.to_str().unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The innermost words of an error.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
