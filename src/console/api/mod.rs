//! The interface for programs, `/api/v1`: what the pages can do, in JSON.
//!
//! It translates to the desk like the pages do. Who asks comes from the credential: an API token of a
//! person with its scopes, or a session with its form token in a header. Whoever decides names the
//! version that was shown (`If-Match`) and its binding; `Idempotency-Key` makes a repeated request the
//! same wish. GET changes nothing. The description is at `/api/v1/openapi.json`.

mod describe;
mod lists;
mod model;
mod more;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Console;
use super::extract::Caller;
use super::page::status_of;
use crate::desk::{self, Decided, DeskError, Filter};
use crate::domain::{Digest, HoldId};

use model::{Assignment, Decision, Done, Extension, List, Noted, Problem, Shown, Verb};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/api/v1/openapi.json", get(|| async { json(StatusCode::OK, &describe::openapi()) }))
        .route("/api/v1/holds", get(list))
        .route("/api/v1/holds/{id}", get(show))
        .route("/api/v1/holds/{id}/diff", get(diff))
        .route("/api/v1/holds/{id}/decision", post(decide))
        .route("/api/v1/holds/{id}/assign", post(assign))
        .route("/api/v1/holds/{id}/extend", post(extend))
        .route("/api/v1/holds/{id}/revoke", post(revoke))
        .route("/api/v1/holds/{id}/note", post(note))
        .merge(more::routes())
}

/// An answer that says why something was not done.
struct Refused(Box<Response>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

async fn list(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    filter: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(filter) = filter.map_err(|error| wrong(&error.to_string()))?;
    // A program gets every row.
    let filter = Filter { grouped: false, ..filter };
    let page = console.desk.inbox(&person, &filter).map_err(problem)?;
    Ok(json(StatusCode::OK, &List::from(page)))
}

async fn show(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let detail = console.desk.detail(&person, hold(&id)?).await.map_err(problem)?;
    console.desk.opened(&person, &detail);
    let version = detail.hold.version;
    Ok(tagged(version, json(StatusCode::OK, &Shown::from(detail))))
}

async fn diff(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let detail = console.desk.detail(&person, hold(&id)?).await.map_err(problem)?;
    let version = detail.hold.version;
    Ok(tagged(version, json(StatusCode::OK, &detail.review())))
}

async fn decide(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Decision = read(&headers, &body)?;
    let shown = desk::Shown { binding: Some(bound(&asked.binding)?), ..shown(&id, &headers)? };
    let desk = &console.desk;
    let decided = match (asked.decision, &asked.arguments) {
        (Verb::Edit, Some(arguments)) => desk.approve_edited(&person, &shown, arguments).await,
        (Verb::Edit, None) => return Err(wrong("`edit` needs `arguments`")),
        (_, Some(_)) => return Err(wrong("`arguments` are for `edit` alone")),
        (Verb::Approve, None) => desk.approve(&person, &shown).await,
        (Verb::Reject, None) => desk.reject(&person, &shown, &asked.words).await,
        (Verb::Ask, None) => desk.ask_for_changes(&person, &shown, &asked.words).await,
    };
    done(decided)
}

async fn assign(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Assignment = read(&headers, &body)?;
    let to = asked.to.map(|name| name.parse().map_err(|_| wrong("`to` is no person's name")));
    done(console.desk.assign(&person, &shown(&id, &headers)?, to.transpose()?).await)
}

async fn extend(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Extension = read(&headers, &body)?;
    let by = Duration::from_secs(asked.seconds);
    done(console.desk.extend(&person, &shown(&id, &headers)?, by).await)
}

async fn revoke(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    done(console.desk.revoke(&person, &shown(&id, &headers)?).await)
}

async fn note(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Noted = read(&headers, &body)?;
    let shown = shown(&id, &headers)?;
    done(console.desk.note(&person, &shown, asked.effected.into(), &asked.text).await)
}

fn hold(id: &str) -> Result<HoldId, Refused> {
    id.parse().map_err(|_| refused(StatusCode::NOT_FOUND, "there is no such hold"))
}

/// What was shown, as the headers say it.
fn shown(id: &str, headers: &HeaderMap) -> Result<desk::Shown, Refused> {
    let id = hold(id)?;
    let Some(tag) = headers.get(IF_MATCH) else {
        let text = "say which version was shown: `If-Match: \"VERSION\"`, the `ETag` of the hold";
        return Err(refused(StatusCode::PRECONDITION_REQUIRED, text));
    };
    let version = tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let version = version.and_then(|version| version.parse().ok());
    let Some(version) = version else { return Err(wrong("`If-Match` is no `ETag` of a hold")) };
    let key = headers.get("idempotency-key").map(|key| key.to_str().map(str::to_owned));
    let key = key.transpose().map_err(|_| wrong("`Idempotency-Key` must be ASCII"))?;
    Ok(desk::Shown { id, if_version: Some(version), binding: None, key })
}

/// The binding that a decision is made for.
fn bound(text: &str) -> Result<Digest, Refused> {
    text.parse().map_err(|_| wrong("`binding` is not one that `show` gave"))
}

/// A body of JSON that says it is.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Refused> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !matches!(kind, b"application/json" | b"application/json; charset=utf-8") {
        let text = "send `Content-Type: application/json`";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))
}

fn done(decided: Result<Decided, DeskError>) -> Result<Response, Refused> {
    let Decided { hold, words } = decided.map_err(problem)?;
    let version = hold.version;
    Ok(tagged(version, json(StatusCode::OK, &Done { hold: hold.into(), words })))
}

fn problem(error: DeskError) -> Refused {
    let (status, words) = (status_of(&error), error.to_string());
    let (rule, hold) = match error {
        DeskError::Conflict { now, .. } => (None, Some((*now).into())),
        DeskError::Forbidden { rule, .. } => (Some(rule), None),
        DeskError::StepUp { .. } => (Some(String::from("portcullis.step_up")), None),
        DeskError::NoSuchHold(_) | DeskError::Invalid(_) | DeskError::Unavailable(_) => {
            (None, None)
        }
    };
    Refused(Box::new(json(status, &Problem { error: words, rule, hold })))
}

fn wrong(text: &str) -> Refused {
    refused(StatusCode::UNPROCESSABLE_ENTITY, text)
}

fn refused(status: StatusCode, text: &str) -> Refused {
    let problem = Problem { error: text.to_owned(), rule: None, hold: None };
    Refused(Box::new(json(status, &problem)))
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let kind = HeaderValue::from_static("application/json");
            (status, [(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn tagged(version: u64, mut answer: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        answer.headers_mut().insert(ETAG, tag);
    }
    answer
}
