//! Live traffic and single records: the log, as people read it.
//!
//! Records hold no contents and no personal values, so whoever may read at all may read all of them.
//! They are read from the log's files, a page from the end at a time; nothing is kept here.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;

use super::Console;
use super::asked;
use super::extract::Signed;
use super::hold::tool_title;
use super::page::{Fault, Frame, html, with_status};
use super::text::Seen;
use super::turns::Turn;
use crate::audit::{self, Entry, Follow, From, Link, Look};
use crate::domain::{CallFacts, Event, PrincipalId, Seq, Subject, Timestamp};

/// Rows of one page.
const ROWS: usize = 50;
/// Decisions among which those of one principal are looked for.
const LATELY: usize = 300;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/live", get(live)).route("/records/{seq}", get(record))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    tool: String,
    agent: String,
    verdict: String,
}

impl Wanted {
    /// Whether something is looked for that may be rare: the log is then read to where it is found.
    fn is_filtered(&self) -> bool {
        [&self.tool, &self.agent, &self.verdict].iter().any(|value| !value.is_empty())
    }

    /// The question, or what is wrong with it.
    fn question(&self) -> Result<audit::Filter, String> {
        Ok(audit::Filter {
            kind: Some(String::from("decision")),
            principal: asked::agent(&self.agent)?,
            tool: asked::text(&self.tool),
            verdict: asked::verdict(&self.verdict)?,
            ..audit::Filter::default()
        })
    }
}

#[derive(Template)]
#[template(path = "live.html", config = "src/console/askama.toml")]
struct LivePage {
    frame: Frame,
    wanted: Wanted,
    problem: String,
    rows: Vec<Line>,
    feed: u64,
}

#[derive(Template)]
#[template(path = "record.html", config = "src/console/askama.toml")]
struct RecordPage {
    frame: Frame,
    seq: u64,
    /// What it says, if it can be read.
    facts: Option<Facts>,
    text: Seen<String>,
    /// How it stands in the chain, if that was asked or is not in order.
    found: Option<Found>,
}

/// What a record says of itself.
struct Facts {
    at: Timestamp,
    hash: String,
    hold: Option<String>,
}

/// What came of looking at a record.
struct Found {
    /// `good` or `bad`.
    kind: &'static str,
    short: &'static str,
    words: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Verify {
    verify: String,
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

async fn live(
    State(console): State<Arc<Console>>,
    signed: Signed,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Fault> {
    super::areas::reads(&signed)?;
    let wanted = asked::query(wanted);
    let question = match &wanted {
        Ok(wanted) => wanted.question(),
        Err(problem) => Err(problem.clone()),
    };
    let mut page = LivePage {
        frame: Frame::signed(&console, &signed, "/live", "Live"),
        wanted: wanted.unwrap_or_default(),
        problem: String::new(),
        rows: Vec::new(),
        feed: console.desk.last_change(),
    };
    match question {
        Ok(filter) => {
            let turn = page.wanted.is_filtered().then(|| console.looks.begin()).transpose()?;
            let entries = last(console.data.clone(), filter, ROWS, turn).await?;
            page.rows = entries.iter().rev().map(Line::of).collect();
            Ok(html(&page))
        }
        Err(problem) => {
            page.problem = problem;
            Ok(with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// The last decisions, of everybody; `None` if they cannot be read now, which is no reason to show nothing of
/// the page that they stand on.
pub(super) async fn decisions(console: &Console, count: usize) -> Option<Vec<Entry>> {
    let filter = audit::Filter { kind: Some(String::from("decision")), ..audit::Filter::default() };
    last(console.data.clone(), filter, count, None).await.ok()
}

/// What a principal lately did, newest first; `None` if that cannot be read now. Looked for in the last
/// decisions of everybody, so that a long log costs no more than a short one. A call that is asked for
/// again and again while it waits is one.
pub(super) async fn lately(console: &Console, who: &PrincipalId) -> Option<Vec<Line>> {
    let all = decisions(console, LATELY).await?;
    let mut known = HashSet::new();
    let own = all.iter().rev().filter(|entry| match &entry.record.event {
        Event::Decision { call, .. } => {
            call.principal == *who && known.insert((call.method.clone(), call.arguments))
        }
        _ => false,
    });
    Some(own.map(Line::of).take(10).collect())
}

/// The last records that match, read away from the threads that serve. The turn lasts as long as the reading,
/// which goes on when whoever asked is gone.
pub(super) async fn last(
    folder: PathBuf,
    filter: audit::Filter,
    count: usize,
    turn: Option<Turn>,
) -> Result<Vec<Entry>, Fault> {
    let read = move || {
        let _turn = turn;
        audit::tail(&folder, filter, From::Last(count), Follow::No)?.collect()
    };
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
    pub(super) fn of(entry: &Entry) -> Self {
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
    Path(seq): Path<String>,
    Query(Verify { verify }): Query<Verify>,
) -> Result<Response, Fault> {
    super::areas::reads(&signed)?;
    let nowhere = |text: &str| Fault::new(StatusCode::NOT_FOUND, "Nothing here", text);
    let Ok(seq) = seq.parse() else {
        return Err(nowhere("Records have numbers, from 0: this is none."));
    };
    let folder = console.data.clone();
    let looked = tokio::task::spawn_blocking(move || audit::look(&folder, Seq(seq))).await;
    let Some(Look { line, entry, link }) = unreadable(looked)? else {
        return Err(nowhere("The log does not reach so far."));
    };
    let line = line.unwrap_or_default();
    let found = (verify == "true" || entry.is_err()).then(|| Found::of(&link));
    let text = match &entry {
        Ok(_) => pretty(&line).unwrap_or(line),
        Err(_) => line,
    };
    Ok(html(&RecordPage {
        frame: Frame::signed(&console, &signed, "/history", &format!("Record {seq}")),
        seq,
        facts: entry.ok().map(|entry| Facts {
            at: entry.record.at,
            hash: entry.hash.to_string(),
            hold: match &entry.record.event {
                Event::Hold { hold, .. } => Some(hold.to_string()),
                _ => None,
            },
        }),
        text: Seen(text),
        found,
    }))
}

fn pretty(line: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

impl Found {
    fn of(link: &Link) -> Self {
        let (kind, short) = match link {
            Link::Whole => ("good", "Verified:"),
            Link::Newest => ("good", "Verified, and the newest:"),
            Link::Broken { .. } => ("bad", "Not as it was written:"),
        };
        Self { kind, short, words: link.to_string() }
    }
}
