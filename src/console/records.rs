//! History and live traffic: the log, as people read it.
//!
//! Records hold no contents and no personal values, so whoever may read at all may read all of them.
//! They are read from the log's files, a page from the end at a time; nothing is kept here.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;

use super::Console;
use super::extract::Signed;
use super::hold::tool_title;
use super::holds::Row;
use super::page::{Fault, Frame, html};
use super::text::Seen;
use crate::audit::{self, Entry, Follow, From};
use crate::desk::Filter;
use crate::domain::{CallFacts, Event, HoldState, PrincipalId, Seq, Subject, Timestamp, Verdict};

/// Rows of one page.
const ROWS: usize = 50;
/// Decisions among which those of one principal are looked for.
const LATELY: usize = 300;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/history", get(history))
        .route("/live", get(live))
        .route("/records/{seq}", get(record))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    state: String,
    tool: String,
    agent: String,
    verdict: String,
    page: usize,
}

#[derive(Template)]
#[template(path = "history.html", config = "src/console/askama.toml")]
struct HistoryPage {
    frame: Frame,
    rows: Vec<Row>,
    wanted: Wanted,
    total: usize,
    from: usize,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "live.html", config = "src/console/askama.toml")]
struct LivePage {
    frame: Frame,
    wanted: Wanted,
    rows: Vec<Line>,
    feed: u64,
}

#[derive(Template)]
#[template(path = "record.html", config = "src/console/askama.toml")]
struct RecordPage {
    frame: Frame,
    seq: u64,
    at: Timestamp,
    hash: String,
    text: Seen<String>,
    hold: Option<String>,
}

/// A decision in one line.
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) verdict: &'static str,
    pub(super) who: String,
    pub(super) what: Seen<String>,
    pub(super) rules: Seen<String>,
}

async fn history(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let filter = Filter {
        state: HoldState::ALL.into_iter().find(|state| state.as_str() == wanted.state),
        tool: (!wanted.tool.is_empty()).then(|| wanted.tool.clone()),
        principal: wanted.agent.parse().ok(),
        over: true,
        skip: wanted.page.saturating_mul(ROWS),
        take: Some(ROWS),
        ..Filter::default()
    };
    let page = console.desk.inbox(&signed.person, &filter).map_err(|error| Fault::desk(&error))?;
    let from = filter.skip;
    let more = from + page.rows.len() < page.total;
    Ok(html(&HistoryPage {
        frame: Frame::signed(&console, &signed, "/history", "History"),
        rows: page.rows.into_iter().map(Row::of).collect(),
        total: page.total,
        from,
        previous: (wanted.page > 0).then(|| wanted.address(wanted.page - 1)),
        next: more.then(|| wanted.address(wanted.page + 1)),
        wanted,
    }))
}

impl Wanted {
    fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let page = page.to_string();
        let parts =
            [("state", &self.state), ("tool", &self.tool), ("agent", &self.agent), ("page", &page)];
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/history?{}", query.finish())
    }
}

async fn live(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let filter = audit::Filter {
        kind: Some(String::from("decision")),
        principal: wanted.agent.parse().ok(),
        tool: (!wanted.tool.is_empty()).then(|| wanted.tool.clone()),
        verdict: [Verdict::Allow, Verdict::Hold, Verdict::Deny]
            .into_iter()
            .find(|verdict| verdict.as_str() == wanted.verdict),
        ..audit::Filter::default()
    };
    let entries = last(console.data.clone(), filter, ROWS).await?;
    Ok(html(&LivePage {
        frame: Frame::signed(&console, &signed, "/live", "Live"),
        rows: entries.iter().rev().map(Line::of).collect(),
        feed: console.desk.last_change(),
        wanted,
    }))
}

/// The last decisions, of everybody.
pub(super) async fn decisions(console: &Console, count: usize) -> Result<Vec<Entry>, Fault> {
    let filter = audit::Filter { kind: Some(String::from("decision")), ..audit::Filter::default() };
    last(console.data.clone(), filter, count).await
}

/// What a principal lately did, newest first. Looked for in the last decisions of everybody, so that a
/// long log costs no more than a short one.
pub(super) async fn lately(console: &Console, who: &PrincipalId) -> Result<Vec<Line>, Fault> {
    let all = decisions(console, LATELY).await?;
    let lines = all.iter().rev().map(Line::of);
    Ok(lines.filter(|line| line.who == who.as_str()).take(10).collect())
}

/// The last records that match, read away from the threads that serve.
async fn last(folder: PathBuf, filter: audit::Filter, count: usize) -> Result<Vec<Entry>, Fault> {
    let read = move || audit::tail(&folder, filter, From::Last(count), Follow::No)?.collect();
    unreadable(tokio::task::spawn_blocking(read).await)
}

fn unreadable<T, E: std::fmt::Display>(
    read: Result<Result<T, E>, tokio::task::JoinError>,
) -> Result<T, Fault> {
    match read {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => {
            tracing::error!(%error, "records cannot be read");
            Err(Fault::unavailable())
        }
        Err(_) => Err(Fault::unavailable()),
    }
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let record = &entry.record;
        let mut line = Self {
            seq: record.seq.0,
            at: record.at,
            verdict: "",
            who: String::new(),
            what: Seen(String::new()),
            rules: Seen(String::new()),
        };
        if let Event::Decision { call, decision, .. } = &record.event {
            line.verdict = decision.verdict.as_str();
            line.who = call.principal.to_string();
            line.what = Seen(subject(call));
            let rules =
                decision.reasons.iter().map(|it| it.title.as_ref().unwrap_or(&it.rule).clone());
            line.rules = Seen(rules.collect::<Vec<_>>().join(", "));
        }
        line
    }
}

fn subject(call: &CallFacts) -> String {
    match &call.subject {
        Subject::Tool { name, .. } => tool_title(name),
        _ => call.method.clone(),
    }
}

async fn record(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(seq): Path<u64>,
) -> Result<Response, Fault> {
    let folder = console.data.clone();
    let read = move || audit::read(&folder, Seq(seq));
    let Some(entry) = unreadable(tokio::task::spawn_blocking(read).await)? else {
        let text = "The log has no record at this position.";
        return Err(Fault::new(StatusCode::NOT_FOUND, "Nothing here", text));
    };
    let value: serde_json::Value = serde_json::from_str(&entry.line).unwrap_or_default();
    let hold = match &entry.record.event {
        Event::Hold { hold, .. } => Some(hold.to_string()),
        _ => None,
    };
    Ok(html(&RecordPage {
        frame: Frame::signed(&console, &signed, "/history", &format!("Record {seq}")),
        seq,
        at: entry.record.at,
        hash: entry.hash.to_string(),
        text: Seen(serde_json::to_string_pretty(&value).unwrap_or(entry.line)),
        hold,
    }))
}
