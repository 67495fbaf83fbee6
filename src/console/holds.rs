//! The inbox: what waits for people, riskiest first.
//!
//! One page and one list: the script asks for the same address again and takes the list out of the
//! answer, so a live row is drawn by the same lines as a loaded one and with the reader's own rights.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::Console;
use super::extract::Signed;
use super::hold::{left, tool_title};
use super::page::{Fault, Frame, html, time_text};
use super::text::Seen;
use crate::clock;
use crate::desk::{self, Filter};
use crate::domain::{ApproverId, OwnAnswer, Risk, Timestamp};
use crate::holds::OwnView;
use crate::identity::Person;

/// Rows of one page: what a phone loads in a moment.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/", get(inbox))
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
    rows: Vec<Row>,
    wanted: Wanted,
    total: usize,
    waiting: usize,
    from: usize,
    last_decision: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    feed: u64,
    fresh: bool,
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
    pub(super) by: String,
    pub(super) used: &'static str,
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
            by: decided_by(&hold.approvals, hold.own.as_ref()),
            used: match hold.state {
                crate::domain::HoldState::Executed => "used",
                crate::domain::HoldState::Lapsed => "never used",
                crate::domain::HoldState::Unknown => "unknown",
                _ => "",
            },
        }
    }
}

async fn inbox(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let filter = wanted.filter(&signed.person);
    let page = console.desk.inbox(&signed.person, &filter).map_err(|error| Fault::desk(&error))?;
    let from = filter.skip;
    let more = from + page.rows.len() < page.total;
    let now = clock::now();
    let last_decision = page.last_decision.map(|at| ago(now, at));
    let previous = (wanted.page > 0).then(|| wanted.address(wanted.page - 1));
    let next = more.then(|| wanted.address(wanted.page + 1));
    let fresh = page.waiting == 0 && page.last_decision.is_none();
    Ok(html(&InboxPage {
        frame: Frame::signed(&console, &signed, "/", "Inbox"),
        feed: console.desk.last_change(),
        rows: page.rows.into_iter().map(Row::of).collect(),
        total: page.total,
        waiting: page.waiting,
        from,
        last_decision,
        previous,
        next,
        fresh,
        wanted,
    }))
}

impl Wanted {
    fn filter(&self, person: &Person) -> Filter {
        let filter = Filter {
            tool: (!self.tool.is_empty()).then(|| self.tool.clone()),
            principal: self.agent.parse().ok(),
            risk: [Risk::High, Risk::Medium, Risk::Low]
                .into_iter()
                .find(|risk| risk.as_str() == self.risk),
            skip: self.page.saturating_mul(ROWS),
            take: Some(ROWS),
            ..Filter::default()
        };
        match self.show.as_str() {
            "mine" => Filter { assignee: Some(person.id.clone()), ..filter },
            "unassigned" => Filter { unassigned: true, ..filter },
            "expiring" => Filter { expiring_seconds: Some(30 * 60), ..filter },
            _ => filter,
        }
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

/// Who decided: approvers, or the person whom the agent acts for, who is named as such.
fn decided_by(approvals: &[ApproverId], own: Option<&OwnView>) -> String {
    let approvers = approvals.iter().map(ToString::to_string);
    let own = own.filter(|own| own.answer != OwnAnswer::Left);
    let own = own.map(|own| format!("{} (self-confirmation)", own.by));
    approvers.chain(own).collect::<Vec<_>>().join(", ")
}

/// How long ago something was, in words.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> String {
    match now.since(at).as_secs() {
        0..60 => String::from("just now"),
        seconds => format!("{} ago", left(seconds)),
    }
}
