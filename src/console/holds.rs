//! The inbox: what waits for people, each agent's calls together, the most urgent first.
//!
//! One page and one list: the script asks for the same address again and takes the list out of the
//! answer, so a live row is drawn by the same lines as a loaded one and with the reader's own rights.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use super::Console;
use super::asked::{self, one_of, text, there_are};
use super::extract::{Posted, Signed};
use super::hold::{left, tool_title};
use super::page::{Fault, Frame, html, status_of, time_text, with_status};
use super::text::Seen;
use crate::clock;
use crate::desk::{self, Decided, Filter, Flood, Shown};
use crate::domain::{PrincipalId, Risk, Timestamp};
use crate::identity::{Pause, Person};

const RISKS: [Risk; 3] = [Risk::High, Risk::Medium, Risk::Low];
/// The parts of the inbox by their names in the address.
const PARTS: [&str; 4] = ["mine", "unassigned", "expiring", "aside"];
/// Rows of one page: what a phone loads in a moment.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(inbox))
        .route("/batch", post(batch))
        .route("/agents/{name}/pause", post(pause))
        .route("/agents/{name}/resume", post(resume))
}

/// What somebody wants to see.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    show: String,
    tool: String,
    agent: String,
    risk: String,
    page: usize,
}

#[derive(Template)]
#[template(path = "inbox.html", config = "src/console/askama.toml")]
struct InboxPage {
    frame: Frame,
    /// Why what was looked for cannot be read.
    problem: String,
    groups: Vec<Group>,
    floods: Vec<Flood>,
    paused: Vec<Pause>,
    wanted: Wanted,
    shown: usize,
    total: usize,
    aside: usize,
    waiting: usize,
    from: usize,
    last_decision: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    feed: u64,
    fresh: bool,
}

/// The rows of one agent.
struct Group {
    agent: String,
    rows: Vec<Row>,
}

/// What came of a batch.
#[derive(Template)]
#[template(path = "batch.html", config = "src/console/askama.toml")]
struct BatchPage {
    frame: Frame,
    results: Vec<Released>,
    problem: String,
}

/// What came of one hold of a batch.
struct Released {
    id: String,
    done: bool,
    words: String,
}

/// One row, ready to be drawn.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) risk: &'static str,
    pub(super) verb: String,
    pub(super) object: Option<Seen<String>>,
    pub(super) agent: String,
    pub(super) rule: Option<Seen<String>>,
    pub(super) opened_at: Timestamp,
    pub(super) opened: String,
    pub(super) left: String,
    pub(super) soon: bool,
    pub(super) state: &'static str,
    pub(super) given: usize,
    pub(super) people: u32,
    pub(super) assignee: Option<String>,
    pub(super) revision: u32,
    /// What keeps the reader from releasing it.
    pub(super) barred: Option<Seen<String>>,
    /// Whether the reader opened it as it is now.
    pub(super) opened_by_me: bool,
}

impl Row {
    pub(super) fn of(row: desk::Row) -> Self {
        let hold = row.hold;
        let reason = hold.reasons.into_iter().next();
        let rule = reason.map(|it| Seen(it.title.unwrap_or(it.text)));
        Self {
            id: hold.id.to_string(),
            version: hold.version,
            risk: hold.risk.as_str(),
            verb: tool_title(&hold.tool),
            object: row.object.map(Seen),
            agent: hold.principal.to_string(),
            rule,
            opened_at: hold.opened_at,
            opened: time_text(hold.opened_at),
            left: left(row.seconds_left),
            soon: row.seconds_left < 15 * 60,
            state: hold.state.as_str(),
            given: hold.approvals.len(),
            people: hold.release.people,
            assignee: hold.assignee.map(|it| it.to_string()),
            revision: hold.revision,
            barred: row.barred.map(Seen),
            opened_by_me: row.opened,
        }
    }

    /// Whether it can be released with others: opened, not of high risk, and the reader may.
    fn in_batch(&self) -> bool {
        self.opened_by_me && self.barred.is_none() && self.risk != "high" && self.state == "pending"
    }
}

impl InboxPage {
    /// Whether any row can be released with others.
    fn has_batch(&self) -> bool {
        self.groups.iter().any(|group| group.rows.iter().any(Row::in_batch))
    }
}

/// Rows that stand together.
fn groups(rows: Vec<Row>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        match groups.last_mut() {
            Some(group) if group.agent == row.agent => group.rows.push(row),
            _ => groups.push(Group { agent: row.agent.clone(), rows: vec![row] }),
        }
    }
    groups
}

async fn inbox(
    State(console): State<Arc<Console>>,
    signed: Signed,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Fault> {
    let wanted = asked::query(wanted);
    let filter = match &wanted {
        Ok(wanted) => wanted.filter(&signed.person),
        Err(problem) => Err(problem.clone()),
    };
    let wanted = wanted.unwrap_or_default();
    let (filter, problem) = match filter {
        Ok(filter) => (filter, String::new()),
        Err(problem) => (Filter { take: Some(0), ..Filter::default() }, problem),
    };
    let page = console.desk.inbox(&signed.person, &filter).map_err(|error| Fault::desk(&error))?;
    let from = filter.skip;
    let crowd: usize = page.floods.iter().map(|flood| flood.count).sum();
    let more = problem.is_empty() && from + page.rows.len() + crowd < page.total;
    let now = clock::now();
    let last_decision = page.last_decision.map(|at| ago(now, at));
    let previous = (wanted.page > 0).then(|| wanted.address(wanted.page - 1));
    let next = more.then(|| wanted.address(wanted.page + 1));
    let fresh = page.waiting == 0 && page.last_decision.is_none();
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = InboxPage {
        frame: Frame::signed(&console, &signed, "/", "Inbox"),
        problem,
        feed: console.desk.last_change(),
        shown: page.rows.len(),
        groups: groups(page.rows.into_iter().map(Row::of).collect()),
        floods: page.floods,
        paused: console.desk.paused(),
        total: page.total,
        aside: page.aside,
        waiting: page.waiting,
        from,
        last_decision,
        previous,
        next,
        fresh,
        wanted,
    };
    Ok(with_status(status, &page))
}

impl Wanted {
    fn filter(&self, person: &Person) -> Result<Filter, String> {
        let all = Filter {
            tool: text(&self.tool),
            principal: asked::agent(&self.agent)?,
            risk: one_of(&self.risk, "risk", &there_are(RISKS.map(Risk::as_str)), |name| {
                RISKS.into_iter().find(|it| it.as_str() == name)
            })?,
            grouped: true,
            skip: self.page.saturating_mul(ROWS),
            take: Some(ROWS),
            ..Filter::default()
        };
        let shown =
            one_of(&self.show, "part of the inbox", &there_are(PARTS), |name| match name {
                "mine" => Some(Filter { assignee: Some(person.id.clone()), ..all.clone() }),
                "unassigned" => Some(Filter { unassigned: true, ..all.clone() }),
                "expiring" => Some(Filter { expiring_seconds: Some(30 * 60), ..all.clone() }),
                "aside" => Some(Filter { aside: true, ..all.clone() }),
                _ => None,
            })?;
        Ok(shown.unwrap_or(all))
    }

    fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let page = page.to_string();
        let parts = [
            ("show", &self.show),
            ("tool", &self.tool),
            ("agent", &self.agent),
            ("risk", &self.risk),
            ("page", &page),
        ];
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/?{}", query.finish())
    }

    fn shows(&self, what: &str) -> bool {
        self.show == what
    }
}

/// Releases the rows that somebody selected, each as they opened it.
async fn batch(
    State(console): State<Arc<Console>>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let mut shown = Vec::new();
    for field in fields.all("hold") {
        let (id, version) = field.split_once(' ').ok_or_else(Fault::form)?;
        let (id, version) = (id.parse(), version.parse());
        let (Ok(id), Ok(version)) = (id, version) else { return Err(Fault::form()) };
        // What the reader saw when they opened it is what the desk remembers.
        shown.push(Shown { if_version: Some(version), ..Shown::now(id) });
    }
    let released = console.desk.batch(&signed.person, &shown).await;
    let frame = Frame::signed(&console, &signed, "/", "Released together");
    Ok(match released {
        Ok(each) => {
            let results = shown.iter().zip(each).map(Released::of).collect();
            html(&BatchPage { frame, results, problem: String::new() })
        }
        Err(error) => {
            let page = BatchPage { frame, results: Vec::new(), problem: error.to_string() };
            with_status(status_of(&error), &page)
        }
    })
}

impl Released {
    fn of((shown, came): (&Shown, Result<Decided, desk::DeskError>)) -> Self {
        let (done, words) = match came {
            Ok(decided) => (true, decided.words),
            Err(error) => (false, error.to_string()),
        };
        Self { id: shown.id.to_string(), done, words }
    }
}

async fn pause(
    State(console): State<Arc<Console>>,
    Path(name): Path<PrincipalId>,
    Posted { signed, .. }: Posted,
) -> Result<Response, Fault> {
    set_pause(&console, &signed, &name, true).await
}

async fn resume(
    State(console): State<Arc<Console>>,
    Path(name): Path<PrincipalId>,
    Posted { signed, .. }: Posted,
) -> Result<Response, Fault> {
    set_pause(&console, &signed, &name, false).await
}

async fn set_pause(
    console: &Console,
    signed: &Signed,
    name: &PrincipalId,
    pause: bool,
) -> Result<Response, Fault> {
    let done = console.desk.pause(&signed.person, name, pause).await;
    done.map_err(|error| Fault::desk(&error))?;
    Ok(Redirect::to("/").into_response())
}

/// How long ago something was, in words.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> String {
    match now.since(at).as_secs() {
        0..60 => String::from("just now"),
        seconds => format!("{} ago", left(seconds)),
    }
}
