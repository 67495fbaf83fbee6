//! Grants: which calls go through without a person, since when and by whom, and how one is given.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;

use super::Console;
use super::decide::{answered, shown};
use super::extract::{Fields, Posted, Signed};
use super::hold::{Card, left, tool_title};
use super::page::{Fault, Frame, html, time_text, with_status};
use super::text::Seen;
use crate::clock;
use crate::desk::{DeskError, Offer};
use crate::domain::{Grant, GrantId, HoldId};
use crate::gate::Granting;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/grants", get(grants))
        .route("/grants/{id}/revoke", post(revoke))
        .route("/holds/{id}/grant", get(offer).post(give))
}

#[derive(Template)]
#[template(path = "grants.html", config = "src/console/askama.toml")]
struct GrantsPage {
    frame: Frame,
    rows: Vec<Row>,
    /// Whether the reader may take one back.
    revokes: bool,
}

/// A grant, ready to be drawn.
struct Row {
    id: String,
    tool: String,
    agent: String,
    only: Vec<(String, String)>,
    left: u32,
    calls: u32,
    by: String,
    hold: String,
    until: crate::domain::Timestamp,
    until_text: String,
    ends_in: String,
}

#[derive(Template)]
#[template(path = "grant.html", config = "src/console/askama.toml")]
struct OfferPage {
    frame: Frame,
    card: Card,
    offer: Offer,
    calls: u32,
    minutes: u64,
    problem: String,
}

/// What is looked at before a grant is given.
struct Wanted {
    fields: Option<Vec<String>>,
    calls: u32,
    minutes: u64,
}

async fn grants(State(console): State<Arc<Console>>, signed: Signed) -> Result<Response, Fault> {
    let all = console.desk.grants(&signed.person).map_err(|error| Fault::desk(&error))?;
    let revokes = console.desk.may_revoke_grants(&signed.person);
    let frame = Frame::signed(&console, &signed, "/grants", "Grants");
    Ok(html(&GrantsPage { frame, rows: all.into_iter().map(Row::of).collect(), revokes }))
}

impl Row {
    fn of(grant: Grant) -> Self {
        let (left_calls, until) = (grant.left(), grant.given.until);
        Self {
            id: grant.id.to_string(),
            tool: tool_title(&grant.given.tool),
            agent: grant.given.principal.to_string(),
            only: grant.given.only.into_iter().collect(),
            left: left_calls,
            calls: grant.given.calls,
            by: grant.given.by.to_string(),
            hold: grant.given.hold.to_string(),
            until,
            until_text: time_text(until),
            ends_in: left(until.since(clock::now()).as_secs()),
        }
    }
}

async fn revoke(
    State(console): State<Arc<Console>>,
    Path(id): Path<GrantId>,
    Posted { signed, .. }: Posted,
) -> Result<Response, Fault> {
    let revoked = console.desk.revoke_grant(&signed.person, id).await;
    match revoked {
        // One that ended meanwhile is what was wanted.
        Ok(_) | Err(DeskError::Invalid(_)) => Ok(Redirect::to("/grants").into_response()),
        Err(error) => Err(Fault::desk(&error)),
    }
}

async fn offer(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(id): Path<HoldId>,
) -> Result<Response, Fault> {
    // Which fields are conditions is chosen by what calls of late have in common.
    let wanted = Wanted { fields: None, calls: 5, minutes: 30 };
    page(&console, &signed, id, wanted, (StatusCode::OK, String::new())).await
}

impl Wanted {
    fn of(fields: &Fields) -> Self {
        // What is no number is refused like one that is too large.
        Self {
            fields: Some(fields.all("field").map(str::to_owned).collect()),
            calls: fields.get("calls").parse().unwrap_or_default(),
            minutes: fields.get("minutes").parse().unwrap_or_default(),
        }
    }
}

async fn page(
    console: &Console,
    signed: &Signed,
    id: HoldId,
    Wanted { fields, calls, minutes }: Wanted,
    (status, problem): (StatusCode, String),
) -> Result<Response, Fault> {
    let desk = &console.desk;
    let failed = |error: DeskError| Fault::desk(&error);
    let offer = desk.offer(&signed.person, id, fields.as_deref()).await.map_err(failed)?;
    let Some(offer) = offer else {
        let text = "The rules do not let people give a grant on this call. What publishes, what \
                    overwrites a published article, and what takes several people is never granted.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "No grant here", text));
    };
    let card = Card::of(desk.detail(&signed.person, id).await.map_err(failed)?);
    if card.is_long() {
        return Err(too_long());
    }
    let frame = Frame::signed(console, signed, "/grants", "Approve similar calls");
    Ok(with_status(status, &OfferPage { frame, card, offer, calls, minutes, problem }))
}

/// A grant releases the call that it is given on, and this page does not show all of it.
fn too_long() -> Fault {
    let text = "This call is too long to be released together with a grant. Read it to its end on its \
                own page and release it there; a grant can be given on a shorter one.";
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Read it to its end", text)
}

async fn give(
    State(console): State<Arc<Console>>,
    Path(id): Path<HoldId>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let shown = shown(id, &fields)?;
    let wanted = Wanted::of(&fields);
    if !fields.get("count").is_empty() {
        return page(&console, &signed, id, wanted, (StatusCode::OK, String::new())).await;
    }
    let detail = console.desk.detail(&signed.person, id).await;
    if Card::of(detail.map_err(|error| Fault::desk(&error))?).is_long() {
        return Err(too_long());
    }
    let Wanted { fields: chosen, calls, minutes } = wanted;
    let granting = Granting { calls, minutes, fields: chosen.unwrap_or_default() };
    match console.desk.grant(&signed.person, &shown, &granting).await {
        Ok(_) => Ok(Redirect::to("/grants").into_response()),
        Err(DeskError::Invalid(words)) => {
            let wanted = Wanted { fields: Some(granting.fields), calls, minutes };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(&console, &signed, id, wanted, (status, words)).await
        }
        refused => answered(&console, &signed, id, refused, "").await,
    }
}
