//! A server that has the newest policy bundle. Nothing of an agent ever goes there.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use super::wire::{AGENT, Http, http_client, root_cause};
use crate::config::{PolicyServer, Secret};

/// What the server has.
pub enum Fetched {
    /// The bundle that we have already.
    Unchanged,
    /// A bundle.
    Bundle {
        /// Its bytes.
        bytes: Bytes,
        /// The server's name for them.
        etag: Option<String>,
    },
}

/// Why there is no bundle. Never shows the token.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("the bundle server cannot be reached: {0}")]
    Unreachable(String),
    /// Too slow.
    #[error("the bundle server did not answer within {0:?}")]
    Timeout(Duration),
    /// Another answer than a bundle.
    #[error("the bundle server answered {0}")]
    Status(StatusCode),
    /// A redirect, which may lead anywhere.
    #[error("the bundle server answered {0}; redirects are not followed, name the place itself")]
    Redirect(StatusCode),
    /// Too long.
    #[error("the bundle server's answer has more than {0} bytes")]
    TooLarge(usize),
}

/// The server and how to ask it.
pub struct BundleServer {
    client: Http,
    url: Uri,
    token: Option<Secret>,
    timeout: Duration,
    max_bytes: usize,
}

impl BundleServer {
    /// Prepares TLS; asks nothing yet.
    ///
    /// # Errors
    /// If TLS cannot be prepared.
    pub fn new(settings: &PolicyServer) -> std::io::Result<Self> {
        Ok(Self {
            client: http_client(settings.ca_file.as_deref(), settings.timeout)?,
            url: settings.url.clone(),
            token: settings.token.clone(),
            timeout: settings.timeout,
            max_bytes: settings.max_bytes,
        })
    }

    /// Asks for the bundle, if it is another than that of `etag`.
    ///
    /// # Errors
    /// If there is none.
    pub async fn fetch(&self, etag: Option<&str>) -> Result<Fetched, FetchError> {
        tokio::time::timeout(self.timeout, self.ask(etag))
            .await
            .map_err(|_| FetchError::Timeout(self.timeout))?
    }

    async fn ask(&self, etag: Option<&str>) -> Result<Fetched, FetchError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/gzip, */*"));
        if let Some(token) = &self.token {
            let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| FetchError::Unreachable("the token is no header value".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(header::IF_NONE_MATCH, etag);
        }
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| FetchError::Unreachable(root_cause(&error)))?;
        let status = answer.status();
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::Unchanged),
            _ if status.is_redirection() => return Err(FetchError::Redirect(status)),
            _ => return Err(FetchError::Status(status)),
        }
        let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.map(str::to_owned);
        let bytes = self.collect(answer.into_body()).await?;
        Ok(Fetched::Bundle { bytes, etag })
    }

    async fn collect(&self, mut body: Incoming) -> Result<Bytes, FetchError> {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| FetchError::Unreachable(root_cause(&error)))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > self.max_bytes {
                return Err(FetchError::TooLarge(self.max_bytes));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }
}
