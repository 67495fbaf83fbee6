//! `/_sim/`: the switches and the witness for tests in other processes. No credential is asked for; bind to loopback.
//!
//! | request | what |
//! |---|---|
//! | `GET /_sim/received` | everything received and kept |
//! | `DELETE /_sim/received` | forget it |
//! | `GET /_sim/options` | the switches |
//! | `PATCH /_sim/options` | turn switches: a JSON object of some of them |
//! | `POST /_sim/notify` | `{method, params?}` to everybody who listens; `{}` means `notifications/tools/list_changed` |
//! | `DELETE /_sim/sessions` | forget all sessions |
//! | `GET /_sim/health` | name, address and token |

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;

pub(super) async fn received(State(shared): State<Arc<Shared>>) -> Response {
    axum::Json(shared.received.all()).into_response()
}

pub(super) async fn forget(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.received.clear();
    StatusCode::NO_CONTENT
}

pub(super) async fn options(State(shared): State<Arc<Shared>>) -> Response {
    axum::Json(shared.options().as_ref()).into_response()
}

pub(super) async fn change(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let patch: Value = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    match shared.options().patched(&patch) {
        Ok(next) => {
            shared.set(|options| *options = next);
            axum::Json(shared.options().as_ref()).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

pub(super) async fn notify(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method =
        asked.get("method").and_then(Value::as_str).unwrap_or("notifications/tools/list_changed");
    let params = asked.get("params").cloned().unwrap_or_else(|| json!({}));
    axum::Json(json!({"reached": shared.notify(method, &params)})).into_response()
}

pub(super) async fn forget_sessions(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.forget_sessions();
    StatusCode::NO_CONTENT
}

pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    axum::Json(json!({"name": "intercom-simulator", "url": format!("{}/mcp", shared.url), "token": shared.options().token})).into_response()
}
