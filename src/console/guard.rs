//! What every request must be, and what every answer carries.
//!
//! A request names one of our hosts (a name that somebody else points at us is not served), uses GET,
//! HEAD or POST and nothing that stands for another method, and a POST comes from our own pages: the
//! browser says so in `Sec-Fetch-Site`, which no page can forge, and in `Origin`. The latter reads
//! `null` under `Referrer-Policy: no-referrer`, so the former decides where it is there; all browsers
//! of the last years send it to https and to this machine. Programs that send neither must not send
//! cookies. Answers may not be framed, guessed at, kept, or given to other sites' windows.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Method, StatusCode};

use super::Console;
use super::page::Fault;

/// What pages may load and do: our own files, forms to ourselves, no text as script. The frame of a
/// preview obeys it as well, so the one style of the preview ([`crate::review::STYLE`]) is named by its
/// digest.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-5IPGBjvxztiFPa8UpEVtl40t15vEtHgYdiCCqrCZN0s='; img-src 'self'; \
                      connect-src 'self'; manifest-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The names under which the page is served.
pub(super) struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Where browsers find it, for links.
    url: String,
    tls: bool,
}

impl Names {
    pub(super) fn new(address: SocketAddr, url: &str) -> Self {
        let mut names = Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            url: url.to_owned(),
            tls: url.starts_with("https:"),
        };
        if let Some((_, host)) = url.split_once("://") {
            names.add(if names.tls { "https" } else { "http" }, host);
        }
        if address.ip().is_loopback() {
            for name in ["127.0.0.1", "localhost", "[::1]"] {
                names.add("http", &format!("{name}:{}", address.port()));
            }
        }
        names
    }

    fn add(&mut self, scheme: &str, host: &str) {
        self.origins.push(format!("{scheme}://{host}"));
        // A browser leaves the usual port out.
        let usual = if scheme == "https" { ":443" } else { ":80" };
        if let Some(bare) = host.strip_suffix(usual) {
            self.origins.push(format!("{scheme}://{bare}"));
            self.hosts.push(bare.to_owned());
        }
        self.hosts.push(host.to_owned());
    }

    /// Where browsers find the page: scheme, host and port.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn check(&self, request: &Request) -> Result<(), Fault> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let authority = request.uri().authority().map(|it| it.as_str().to_ascii_lowercase());
        let known = |name: &String| self.hosts.contains(name);
        let mut named = host.iter().chain(&authority).peekable();
        if hosts.next().is_some() || named.peek().is_none() || !named.all(known) {
            return Err(Fault::new(
                StatusCode::MISDIRECTED_REQUEST,
                "Another address",
                "This page is not served under the name that was asked for. Its address is \
                 `console.url` in the configuration.",
            ));
        }
        Ok(())
    }

    /// Whether a request that may change something comes from our own pages.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        let text =
            |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let site = text(HeaderName::from_static("sec-fetch-site"));
        match (site, text(ORIGIN)) {
            (Some(site), origin) => {
                let ours = |origin: &str| self.origins.iter().any(|own| own == origin);
                site == "same-origin" && origin.is_none_or(|it| it == "null" || ours(it))
            }
            (None, Some(origin)) => self.origins.iter().any(|own| own == origin),
            // No browser: then nothing may depend on what a browser keeps.
            (None, None) => !headers.contains_key(COOKIE),
        }
    }
}

/// Looks at every request and dresses every answer.
pub(super) async fn guard(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = match check(&console.names, &request) {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    let tls = console.names.tls;
    dress(answer.headers_mut(), tls);
    answer
}

fn check(names: &Names, request: &Request) -> Result<(), Fault> {
    names.check(request)?;
    let headers = request.headers();
    let fetch = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match *request.method() {
        Method::GET | Method::HEAD => {
            let foreign = fetch("sec-fetch-site") == Some("cross-site");
            let document = fetch("sec-fetch-dest").is_none_or(|it| it == "document");
            // Other sites may link here and nothing else: no frames, no pictures, no scripts.
            if foreign && !document {
                return Err(Fault::foreign());
            }
            Ok(())
        }
        Method::POST if names.is_own(headers) => Ok(()),
        Method::POST => Err(Fault::foreign()),
        _ => Err(Fault::method()),
    }
}

fn dress(headers: &mut HeaderMap, tls: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(REFERRER_POLICY, "no-referrer");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-embedder-policy"), "require-corp");
    set(HeaderName::from_static("origin-agent-cluster"), "?1");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    );
    if tls {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
