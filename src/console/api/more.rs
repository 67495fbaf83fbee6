//! What concerns more than one hold: grants, batches, agents, what was before, and what one puts aside.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::HeaderMap;

use super::super::Console;
use super::super::extract::Caller;
use super::lists::{
    Batch, Batched, BeforePage, Came, Fields, Granted, Grants, OfferSaid, Said, Snooze,
};
use super::{Refused, bound, done, hold, json, problem, read, shown, wrong};
use crate::desk::{self, Lookback};
use crate::domain::{GrantId, PrincipalId};
use crate::gate::Granting;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/api/v1/history", get(history))
        .route("/api/v1/grants", get(grants))
        .route("/api/v1/grants/{id}/revoke", post(revoke_grant))
        .route("/api/v1/holds/{id}/grant", get(offer).post(grant))
        .route("/api/v1/holds/{id}/snooze", post(snooze))
        .route("/api/v1/batch", post(batch))
        .route("/api/v1/principals/{name}/pause", post(pause))
        .route("/api/v1/principals/{name}/resume", post(resume))
}

async fn history(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    wanted: Result<Query<Lookback>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|error| wrong(&error.to_string()))?;
    let found = console.desk.history(&person, &wanted).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &BeforePage::from(found)))
}

async fn grants(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
) -> Result<Response, Refused> {
    let grants = console.desk.grants(&person).map_err(problem)?;
    Ok(json(StatusCode::OK, &Grants::from(grants)))
}

async fn revoke_grant(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: GrantId = id.parse().map_err(|_| wrong("this is no grant's id"))?;
    let words = console.desk.revoke_grant(&person, id).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &Said { words }))
}

async fn offer(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    fields: Result<Query<Fields>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(Fields { fields }) = fields.map_err(|error| wrong(&error.to_string()))?;
    let fields: Option<Vec<String>> =
        fields.map(|it| it.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect());
    let offer = console.desk.offer(&person, hold(&id)?, fields.as_deref()).await;
    let offer = offer.map_err(problem)?;
    Ok(json(StatusCode::OK, &OfferSaid::from(offer)))
}

async fn grant(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Granted = read(&headers, &body)?;
    let shown = desk::Shown { binding: Some(bound(&asked.binding)?), ..shown(&id, &headers)? };
    let Granted { calls, minutes, fields, .. } = asked;
    let granting = Granting { calls, minutes, fields };
    done(console.desk.grant(&person, &shown, &granting).await)
}

async fn snooze(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Snooze = read(&headers, &body)?;
    let span = Duration::from_secs(asked.minutes.saturating_mul(60));
    let shown = shown(&id, &headers)?;
    let words = console.desk.snooze(&person, &shown, span).map_err(problem)?;
    Ok(json(StatusCode::OK, &Said { words }))
}

async fn batch(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Batch = read(&headers, &body)?;
    let mut shown = Vec::new();
    for one in asked.holds {
        shown.push(desk::Shown {
            if_version: Some(one.version),
            binding: Some(bound(&one.binding)?),
            ..desk::Shown::now(hold(&one.id)?)
        });
    }
    let released = console.desk.batch(&person, &shown).await.map_err(problem)?;
    let holds = shown.iter().zip(released).map(|(one, came)| Came::of(one.id, came)).collect();
    Ok(json(StatusCode::OK, &Batched { holds }))
}

async fn pause(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    set_pause(&console, &person, &name, true).await
}

async fn resume(
    State(console): State<Arc<Console>>,
    Caller(person): Caller,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    set_pause(&console, &person, &name, false).await
}

async fn set_pause(
    console: &Console,
    person: &crate::identity::Person,
    name: &str,
    pause: bool,
) -> Result<Response, Refused> {
    let name: PrincipalId = name.parse().map_err(|_| wrong("this is no principal's name"))?;
    let words = console.desk.pause(person, &name, pause).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &Said { words }))
}
