//! Others than Intercom: servers that the configuration names, such as the organisation's identity
//! provider or whoever is told of held calls. Nothing of an agent ever goes there.
//!
//! Redirects are not followed, for they may lead anywhere, also into our own network; answers are
//! read whole, up to a bound, within one time-out.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};

use super::wire::{AGENT, Http, http_client, root_cause};

/// Bytes of an answer that are read.
const LARGEST: usize = 1 << 20;

/// Why there is no answer. Never shows what was sent.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// No connection, or it broke.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Whom.
        host: String,
        /// Why not.
        why: String,
    },
    /// Too slow.
    #[error("{host} did not answer within {within:?}")]
    Timeout {
        /// Who.
        host: String,
        /// The bound.
        within: Duration,
    },
    /// Too long.
    #[error("the answer of {0} has more than {LARGEST} bytes")]
    TooLarge(String),
}

/// A client for servers that are not Intercom.
#[derive(Clone)]
pub struct Outside {
    client: Http,
    timeout: Duration,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outside")
    }
}

impl Outside {
    /// Prepares TLS; asks nothing yet. `ca_file` holds further roots in PEM.
    ///
    /// # Errors
    /// If TLS cannot be prepared.
    pub fn new(ca_file: Option<&Path>, timeout: Duration) -> std::io::Result<Self> {
        Ok(Self { client: http_client(ca_file, timeout)?, timeout })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// If there is no whole answer.
    pub async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OutsideError> {
        let host = request.uri().host().unwrap_or("the server").to_owned();
        let (within, asked) = (self.timeout, self.asked(request, &host));
        let answered = tokio::time::timeout(within, asked).await;
        answered.map_err(|_| OutsideError::Timeout { host: host.clone(), within })?
    }

    async fn asked(
        &self,
        request: Request<Bytes>,
        host: &str,
    ) -> Result<Response<Bytes>, OutsideError> {
        let unreachable = |why| OutsideError::Unreachable { host: host.to_owned(), why };
        let mut request = request.map(Full::new);
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        let answer = self.client.request(request).await;
        let (head, mut body) =
            answer.map_err(|error| unreachable(root_cause(&error)))?.into_parts();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| unreachable(root_cause(&error)))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > LARGEST {
                return Err(OutsideError::TooLarge(host.to_owned()));
            }
            whole.extend_from_slice(&data);
        }
        Ok(Response::from_parts(head, whole.freeze()))
    }
}
