//! The HTTP door: what a request must be before anybody reads its body.
//!
//! Refused here, each with words that say what to do: a head that is too large, a foreign Host or
//! Origin (DNS rebinding), another path or method, other media types, compressed bodies, bodies
//! without a length over HTTP/1 (a proxy in front could frame them otherwise), bodies that are too
//! large or too slow.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, ORIGIN,
    TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::body::ReplyBody;
use super::reply::whole;
use crate::mcp::reply::{self, INVALID_REQUEST};

/// The path of the endpoint.
pub const PATH: &str = "/mcp";

/// Which hosts and origins are ours.
pub(super) struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// A refusal at the door.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
    extra: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), extra: Vec::new() }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.extra.push((name, value));
        self
    }

    /// The answer: a JSON-RPC error without id, which clients show.
    pub(super) fn into_response(self) -> Response<ReplyBody> {
        let body = reply::error(None, INVALID_REQUEST, &self.text, None);
        let mut response = whole(self.status, body.into());
        for (name, value) in self.extra {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Names {
    /// The names of a listener: its loopback names with its port, and those of the configuration.
    pub(super) fn new(port: u16, loopback: bool, hosts: &[String], origins: &[String]) -> Self {
        let mut all: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        if loopback {
            for name in ["127.0.0.1", "localhost", "[::1]"] {
                all.push(format!("{name}:{port}"));
            }
        }
        let mut allowed: Vec<String> =
            origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        for host in &all {
            allowed.push(format!("http://{host}"));
            allowed.push(format!("https://{host}"));
        }
        Self { hosts: all, origins: allowed }
    }

    /// Checks Host (or `:authority`) and Origin.
    pub(super) fn check(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = one(headers, &HOST)?.map(|value| value.to_str().unwrap_or_default().to_owned());
        let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
        for name in [&host, &authority].into_iter().flatten() {
            if !self.hosts.contains(&name.to_ascii_lowercase()) {
                let text = "this host name is not served here; add it to `allowed_hosts` in the \
                            configuration if it is yours";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "http.host", text));
            }
        }
        if host.is_none() && authority.is_none() {
            let text = "the request names no host";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "http.host", text));
        }
        if let Some(origin) = one(headers, &ORIGIN)? {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            if !self.origins.contains(&origin) {
                let text = "this origin may not call; add it to `allowed_origins` in the \
                            configuration if it is yours";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "http.origin", text));
            }
        }
        Ok(())
    }
}

/// Checks the size of a head. A connection has a limit of its own, but reads in large pieces and takes a head in
/// that came with the last of them.
pub(super) fn check_head(request: &Request<Incoming>) -> Result<(), Refusal> {
    /// Bytes, as HTTP/1 writes them.
    const LARGEST: usize = 64 * 1024;
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target + fields.sum::<usize>() > LARGEST {
        let text = "the request's head is larger than 64 KiB; send less in its headers";
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refusal::new(status, "http.head", text));
    }
    Ok(())
}

/// Checks path and method.
pub(super) fn check_target(request: &Request<Incoming>) -> Result<(), Refusal> {
    if request.uri().path() != PATH {
        let text = "there is nothing here; the MCP endpoint is `/mcp`";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "http.path", text));
    }
    if request.uri().query().is_some() {
        let text = "the MCP endpoint takes no query; credentials belong into `Authorization`";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "http.query", text));
    }
    if !matches!(*request.method(), Method::POST | Method::GET | Method::DELETE) {
        let text = "only POST, GET and DELETE are served here";
        let allow = HeaderValue::from_static("POST, GET, DELETE");
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "http.method", text)
            .with(http::header::ALLOW, allow));
    }
    Ok(())
}

/// The one `Authorization` header.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    Ok(one(headers, &AUTHORIZATION)?.map(HeaderValue::as_bytes))
}

/// The one header of a name.
pub(super) fn one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        let text = format!("the header `{name}` comes twice");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "http.header_twice", text));
    }
    Ok(first)
}

/// Checks the media types and the framing of a POST.
pub(super) fn check_post(request: &Request<Incoming>) -> Result<(), Refusal> {
    let headers = request.headers();
    let content_type = one(headers, &CONTENT_TYPE)?.and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        let text = "`Content-Type` must be `application/json`";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.content_type", text));
    }
    let encoding = one(headers, &CONTENT_ENCODING)?;
    if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let text = "compressed bodies are not accepted; send the body as it is";
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "http.content_encoding",
            text,
        ));
    }
    if !(accepts(headers, "application/json") && accepts(headers, "text/event-stream")) {
        let text = "`Accept` must list `application/json` and `text/event-stream`";
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "http.accept", text));
    }
    if request.version() < Version::HTTP_2 {
        // `listen` lets no head through that has a Content-Length beside it.
        if let Some(coding) = one(headers, &TRANSFER_ENCODING)? {
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                return Ok(());
            }
            let text = "the only `Transfer-Encoding` that is accepted is `chunked`";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "http.transfer_encoding", text));
        }
        if !headers.contains_key(CONTENT_LENGTH) {
            let text = "`Content-Length` is missing, and so is `Transfer-Encoding: chunked`";
            return Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "http.content_length", text));
        }
    }
    Ok(())
}

/// Whether a GET may be answered with an event stream.
pub(super) fn check_get(headers: &HeaderMap) -> Result<(), Refusal> {
    if accepts(headers, "text/event-stream") {
        return Ok(());
    }
    let text = "`Accept` must list `text/event-stream`";
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "http.accept", text))
}

/// Bodies up to so many bytes are copied: less work than a buffer that cannot be used again.
const SMALL: usize = 8 * 1024;

/// Reads a body of at most `limit` bytes within `time`.
pub(super) async fn body(
    mut body: Incoming,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Refusal> {
    let too_large = || {
        let text = format!("the body is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "http.body_too_large", text)
            .with(http::header::CONNECTION, HeaderValue::from_static("close"))
    };
    let exact = hyper::body::Body::size_hint(&body).lower();
    if exact > limit as u64 {
        return Err(too_large());
    }
    let read = async {
        let mut first = Bytes::new();
        let mut more = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                Refusal::new(StatusCode::BAD_REQUEST, "http.body", "the body broke off")
            })?;
            let Ok(data) = frame.into_data() else {
                let text = "trailers are not accepted";
                return Err(Refusal::new(StatusCode::BAD_REQUEST, "http.trailers", text));
            };
            if first.len() + more.len() + data.len() > limit {
                return Err(too_large());
            }
            if first.is_empty() && more.is_empty() {
                // A small one leaves the buffer of its connection, which it would keep from being used
                // again for as long as the call waits.
                let small = data.len() <= SMALL;
                first = if small { Bytes::copy_from_slice(&data) } else { data };
            } else {
                more.extend_from_slice(&std::mem::take(&mut first));
                more.extend_from_slice(&data);
            }
        }
        Ok(if more.is_empty() { first } else { more.freeze() })
    };
    match tokio::time::timeout(time, read).await {
        Ok(read) => read,
        Err(_) => {
            let text = "the body came too slowly";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "http.body_timeout", text)
                .with(http::header::CONNECTION, HeaderValue::from_static("close")))
        }
    }
}

/// `application/json`, with no parameter but a charset of UTF-8.
fn is_json(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    media.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| {
            parameter.eq_ignore_ascii_case("charset=utf-8")
                || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

/// Whether the `Accept` headers list a media type, by itself or by a wildcard; a quality of zero
/// refuses it.
fn accepts(headers: &HeaderMap, media: &str) -> bool {
    let family = media.split('/').next().unwrap_or_default();
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let wanted = name == media || name == "*/*" || name == format!("{family}/*");
            wanted
                && !parts.any(|parameter| {
                    let zero = parameter.strip_prefix("q=").map(str::trim);
                    zero.is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_exact() {
        for (value, good) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("APPLICATION/JSON;charset=UTF-8", true),
            ("application/json; charset=latin1", false),
            ("application/json-patch+json", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_json(value), good, "{value}");
        }
    }

    #[test]
    fn accept_lists() {
        for (value, json, events) in [
            ("application/json, text/event-stream", true, true),
            ("*/*", true, true),
            ("text/*, application/json;q=0.5", true, true),
            ("application/json", true, false),
            ("application/json;q=0, text/event-stream", false, true),
            ("application/jsonx", false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(value));
            assert_eq!(accepts(&headers, "application/json"), json, "{value}");
            assert_eq!(accepts(&headers, "text/event-stream"), events, "{value}");
        }
    }
}
