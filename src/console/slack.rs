//! Where Slack says that somebody pressed a button.
//!
//! No session and no form: what counts is Slack's signature over the bytes as they came. Whatever is
//! believed is answered at once, for Slack waits three seconds and then sends it again.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use http::{HeaderMap, StatusCode};

use super::Console;
use super::page::{Fault, nothing_here};
use crate::identity::SlackError;

/// Bytes of what Slack sends; it has all of the message.
const LARGEST: usize = 256 << 10;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/slack", post(press)).layer(DefaultBodyLimit::max(LARGEST))
}

async fn press(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Fault> {
    let Some(notifier) = &console.notifier else { return Err(nothing_here().await) };
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let timestamp = text("x-slack-request-timestamp").unwrap_or_default();
    let signature = text("x-slack-signature").unwrap_or_default();
    match notifier.press(timestamp, signature, &body) {
        // What came already was taken when it came first.
        Ok(()) | Err(SlackError::Repeated) => Ok(StatusCode::OK),
        Err(error @ SlackError::Other) => {
            Err(Fault::new(StatusCode::BAD_REQUEST, "Not understood", error.to_string()))
        }
        Err(error) => {
            tracing::warn!(%error, "a press of a button was not believed");
            Err(Fault::new(StatusCode::UNAUTHORIZED, "Not believed", error.to_string()))
        }
    }
}
