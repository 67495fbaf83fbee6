//! For whoever operates Portcullis: is it well, and what is it doing?
//!
//! A listener of its own, switched on by `ops.listen`, so that monitoring never meets the agents' side.
//! Nothing is counted here: each look asks the rooms that know. No value of a call or an answer is in
//! any of it, and no name of a principal.
//!
//! | path | answer |
//! |---|---|
//! | `/healthz` | 200 while records can be written, else 503; a JSON text says what is wrong, also what does not stop the road, such as a bundle that was refused |
//! | `/readyz` | 200 while new calls are taken: the log works and no stop is under way |
//! | `/metrics` | the metrics in the OpenMetrics text format |

mod health;
mod metrics;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::gate::Gate;
use crate::listen::{self, Limits};
use crate::rollout::Rollout;

pub use health::{Check, Health};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The rooms that are asked.
pub struct Ops {
    gate: Arc<Gate>,
    rollout: Arc<Rollout>,
    draining: watch::Receiver<bool>,
}

impl Ops {
    /// Puts them together; `draining` turns true when the process is to end.
    #[must_use]
    pub const fn new(
        gate: Arc<Gate>,
        rollout: Arc<Rollout>,
        draining: watch::Receiver<bool>,
    ) -> Self {
        Self { gate, rollout, draining }
    }

    /// Serves until the process is to end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, limits: Limits) {
        let shutdown = self.draining.clone();
        let handler = move |request| {
            let ops = self.clone();
            async move { ops.answer(&request) }
        };
        listen::serve(listener, handler, limits, shutdown).await;
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let text = "only GET and HEAD are served here\n".to_owned();
            let mut answer = whole(StatusCode::METHOD_NOT_ALLOWED, TEXT, text);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri().path() {
            "/healthz" => self.state(Health::is_well),
            "/readyz" => self.state(Health::is_ready),
            "/metrics" => match metrics::text(self) {
                Ok(text) => whole(StatusCode::OK, OPENMETRICS, text),
                Err(error) => {
                    tracing::error!(%error, "metrics could not be written");
                    let text = "the metrics could not be written\n".to_owned();
                    whole(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text)
                }
            },
            _ => {
                let text = "there is /healthz, /readyz and /metrics\n".to_owned();
                whole(StatusCode::NOT_FOUND, TEXT, text)
            }
        }
    }

    fn state(&self, good: fn(&Health) -> bool) -> Response<Full<Bytes>> {
        let health = Health::of(self);
        let good = good(&health);
        let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        match serde_json::to_string_pretty(&health) {
            Ok(text) => whole(status, JSON, text + "\n"),
            Err(error) => whole(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
        }
    }
}

fn whole(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::<Bytes>::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
