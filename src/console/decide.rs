//! What a person's buttons do: each is a form, and the desk checks every right behind it.
//!
//! A form carries the version of the hold and the digest of what was on the screen. Whatever came
//! in between is shown instead, with what the person typed. A long text is released after it was
//! seen to its end: the script watches for that, and without it a page shows all of it once more.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Map, Value};

use super::Console;
use super::extract::{Fields, Posted, Signed};
use super::hold::{Card, Tab, Told, draw};
use super::page::{Fault, Frame, html, status_of, with_status};
use super::text::{RedLine, Seen, Source};
use crate::desk::{Decided, DeskError, Shown};
use crate::domain::{Effected, HoldId};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/holds/{id}/edit", get(edit_page).post(edit))
        .route("/holds/{id}/approve", post(approve))
        .route("/holds/{id}/{action}", post(act))
}

/// The whole call once more, for those without a script.
#[derive(Template)]
#[template(path = "confirm.html", config = "src/console/askama.toml")]
struct ConfirmPage {
    frame: Frame,
    card: Card,
}

#[derive(Template)]
#[template(path = "edit.html", config = "src/console/askama.toml")]
struct EditPage {
    frame: Frame,
    card: Card,
    inputs: Vec<Input>,
    raw: String,
    problem: String,
}

/// A field of the form.
struct Input {
    name: String,
    label: String,
    value: String,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Line,
    Text,
    State,
}

impl ConfirmPage {
    fn red_line(&self) -> RedLine<'_> {
        RedLine(self.card.review.body.as_ref().map_or(&[], |body| &body.rendered))
    }

    fn source(&self) -> Source<'_> {
        Source(self.card.review.body.as_ref().map_or(&[], |body| &body.source))
    }
}

/// What was on the screen: every form of a hold says it.
pub(super) fn shown(id: HoldId, fields: &Fields) -> Result<Shown, Fault> {
    let if_version = fields.get("version").parse().ok();
    let binding = fields.get("binding").parse().ok();
    if if_version.is_some() && binding.is_some() {
        return Ok(Shown { id, if_version, binding, key: None });
    }
    let text = "The form does not say which hold it was made for. Nothing was changed. Load the page again.";
    Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "An incomplete form", text))
}

/// A time that a form says in minutes; `usual` if it says nothing.
fn span(fields: &Fields, usual: u64) -> Result<Duration, DeskError> {
    let minutes = match fields.get("minutes").trim() {
        "" => usual,
        text => text.parse().map_err(|_| {
            DeskError::Invalid(format!(
                "`{text}` is no number of minutes; write one, such as {usual}"
            ))
        })?,
    };
    Ok(Duration::from_secs(minutes.saturating_mul(60)))
}

/// What somebody saw of a call whose outcome is not known.
fn effected(fields: &Fields) -> Result<Effected, DeskError> {
    match fields.get("effected") {
        "yes" => Ok(Effected::Yes),
        "no" => Ok(Effected::No),
        "unclear" => Ok(Effected::Unclear),
        other => Err(DeskError::Invalid(format!(
            "`{other}` does not say whether it took effect: choose yes, no or unclear"
        ))),
    }
}

async fn approve(
    State(console): State<Arc<Console>>,
    Path(id): Path<HoldId>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let shown = shown(id, &fields)?;
    if fields.get("seen") != fields.get("binding") {
        let detail =
            console.desk.detail(&signed.person, id).await.map_err(|error| Fault::desk(&error))?;
        let card = Card::of(detail);
        if card.is_long() {
            let frame = Frame::signed(&console, &signed, "/", "Read it to its end");
            return Ok(html(&ConfirmPage { frame, card }));
        }
    }
    let decided = console.desk.approve(&signed.person, &shown).await;
    answered(&console, &signed, id, decided, "").await
}

async fn act(
    State(console): State<Arc<Console>>,
    Path((id, action)): Path<(HoldId, String)>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let shown = shown(id, &fields)?;
    let (desk, person) = (&console.desk, &signed.person);
    let words = [fields.get("preset"), fields.get("words")]
        .into_iter()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(": ");
    let decided = match action.as_str() {
        "reject" => desk.reject(person, &shown, &words).await,
        "ask" => desk.ask_for_changes(person, &shown, &words).await,
        "snooze" => {
            let snoozed = span(&fields, 120).and_then(|span| desk.snooze(person, &shown, span));
            return match snoozed {
                Ok(_) => Ok(Redirect::to("/").into_response()),
                Err(error) => answered(&console, &signed, id, Err(error), "").await,
            };
        }
        "revoke" => desk.revoke(person, &shown).await,
        "extend" => match span(&fields, 60) {
            Ok(span) => desk.extend(person, &shown, span).await,
            Err(error) => Err(error),
        },
        "assign" => match fields.get("to") {
            "" => desk.assign(person, &shown, None).await,
            name => match name.parse() {
                Ok(to) => desk.assign(person, &shown, Some(to)).await,
                Err(_) => Err(DeskError::Invalid(format!("there is nobody called `{name}`"))),
            },
        },
        "note" => match effected(&fields) {
            Ok(effected) => desk.note(person, &shown, effected, &words).await,
            Err(error) => Err(error),
        },
        _ => return Err(super::page::nothing_here().await),
    };
    answered(&console, &signed, id, decided, fields.get("words")).await
}

/// Back to the hold if it was done; the hold as it is now, with what was typed, if not.
pub(super) async fn answered(
    console: &Console,
    signed: &Signed,
    id: HoldId,
    decided: Result<Decided, DeskError>,
    typed: &str,
) -> Result<Response, Fault> {
    let error = match decided {
        Ok(_) => return Ok(Redirect::to(&format!("/holds/{id}?done=true")).into_response()),
        Err(error) => error,
    };
    match &error {
        DeskError::StepUp { .. } => {
            return Ok(Redirect::to(&format!("/step-up?next=/holds/{id}")).into_response());
        }
        DeskError::NoSuchHold(_) => return Err(Fault::desk(&error)),
        _ => {}
    }
    let words = format!("Nothing was changed by you: {error}.");
    let told =
        Told { status: status_of(&error), problem: words, typed: typed.to_owned(), parts: false };
    draw(console, signed, id, &Tab::default(), told).await
}

async fn edit_page(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(id): Path<HoldId>,
) -> Result<Response, Fault> {
    let detail =
        console.desk.detail(&signed.person, id).await.map_err(|error| Fault::desk(&error))?;
    let raw = detail.contents.arguments.clone();
    Ok(html(&editing(&console, &signed, Card::of(detail), &raw, String::new())))
}

fn editing(console: &Console, signed: &Signed, card: Card, raw: &str, problem: String) -> EditPage {
    let read: Map<String, Value> = serde_json::from_str(raw).unwrap_or_default();
    let inputs = read
        .into_iter()
        .filter_map(|(name, value)| match value {
            // What names the object stays; numbers and the like are edited as JSON.
            Value::String(value) if name != "id" && !name.ends_with("_id") => {
                let kind = match name.as_str() {
                    "state" => Kind::State,
                    "body" | "description" => Kind::Text,
                    _ if value.len() > 120 || value.contains(['\n', '\r']) => Kind::Text,
                    _ => Kind::Line,
                };
                let fields = &card.review.fields;
                let known = fields.iter().find(|field| field.name == name);
                let label = known.map_or_else(|| name.clone(), |field| field.label.clone());
                Some(Input { label, name, value, kind })
            }
            _ => None,
        })
        .collect();
    let frame = Frame::signed(console, signed, "/", "Edit, then approve");
    EditPage { frame, card, inputs, raw: raw.to_owned(), problem }
}

/// A text with line ends of one kind.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

async fn edit(
    State(console): State<Arc<Console>>,
    Path(id): Path<HoldId>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let shown = shown(id, &fields)?;
    let edited = if fields.get("as") == "json" {
        fields.get("arguments").to_owned()
    } else {
        let base: Map<String, Value> = serde_json::from_str(fields.get("base")).unwrap_or_default();
        let edited = base.into_iter().map(|(name, value)| {
            let key = format!("field.{name}");
            // A browser writes line ends as two characters.
            let new = fields.all(&key).next().map(lines);
            match (value, new) {
                // What was not touched stays as it was, with its own line ends.
                (Value::String(old), Some(new)) if lines(&old) == new => (name, Value::String(old)),
                (Value::String(_), Some(new)) => (name, Value::String(new)),
                (value, _) => (name, value),
            }
        });
        Value::Object(edited.collect()).to_string()
    };
    let error = match console.desk.approve_edited(&signed.person, &shown, &edited).await {
        Err(
            error @ (DeskError::Invalid(_)
            | DeskError::Conflict { .. }
            | DeskError::Forbidden { .. }),
        ) => error,
        decided => return answered(&console, &signed, id, decided, "").await,
    };
    let detail =
        console.desk.detail(&signed.person, id).await.map_err(|error| Fault::desk(&error))?;
    let problem = format!("Nothing was changed: {error}.");
    let page = editing(&console, &signed, Card::of(detail), &edited, problem);
    Ok(with_status(status_of(&error), &page))
}
