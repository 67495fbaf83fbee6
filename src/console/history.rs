//! History: what was held and what became of it, and what was allowed or denied, found by everything that
//! is known of it without its contents.
//!
//! All of the question stands in the address: it works without scripts, can be kept as a link, and the
//! export takes the same. Nothing here is taken from memory alone: the log is asked.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;

use super::Console;
use super::areas::reads;
use super::asked::{self, one_of, text};
use super::export::{decided_by, export, most};
use super::extract::Signed;
use super::hold::tool_title;
use super::page::{Fault, Frame, time_text, with_status};
use super::records::{Line, last};
use super::text::Seen;
use crate::audit;
use crate::desk::{Lookback, PastRow};
use crate::domain::{HoldState, Seq, Timestamp, Verdict};

/// Rows of one page.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/history", get(history)).route("/history/export/{form}", get(export))
}

/// What somebody looks for, as it stands in the address.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    verdict: String,
    state: String,
    tool: String,
    agent: String,
    person: String,
    approver: String,
    rule: String,
    revision: String,
    article: String,
    since: String,
    until: String,
    page: String,
    /// Decisions before this position.
    before: String,
}

/// What is asked of the log: calls that waited for a person, by what became of them, or calls that policy
/// let through or refused at once.
pub(super) enum Asked {
    Held(Lookback),
    Decided(audit::Filter),
}

#[derive(Template)]
#[template(path = "history.html", config = "src/console/askama.toml")]
struct HistoryPage {
    frame: Frame,
    wanted: Wanted,
    problem: String,
    rows: Vec<Row>,
    lines: Vec<Line>,
    total: usize,
    from: usize,
    /// Since when held calls are looked through, if the log has older ones.
    since: Option<String>,
    /// How many lines about held calls cannot be read.
    unreadable: usize,
    previous: Option<String>,
    next: Option<String>,
    /// The question, for the links of the export.
    query: String,
}

/// A held call in one line.
struct Row {
    id: String,
    verb: String,
    object: Option<Seen<String>>,
    state: &'static str,
    agent: String,
    by: String,
    used: &'static str,
    rule: Seen<String>,
    revision: String,
    opened_at: Timestamp,
    opened: String,
    first: u64,
    last: u64,
}

impl Row {
    fn of(row: PastRow) -> Self {
        let hold = row.hold;
        let reason = hold.reasons.into_iter().next();
        Self {
            id: hold.id.to_string(),
            verb: tool_title(&hold.tool),
            object: row.object.map(Seen),
            state: hold.state.as_str(),
            agent: hold.principal.to_string(),
            by: decided_by(&hold.approvals, hold.own.as_ref()),
            used: row.used.words(),
            rule: Seen(reason.map(|it| it.title.unwrap_or(it.rule)).unwrap_or_default()),
            revision: row.revision.chars().skip("sha256:".len()).take(8).collect(),
            opened_at: hold.opened_at,
            opened: time_text(hold.opened_at),
            first: row.records.first().map_or(0, |seq| seq.0),
            last: row.records.last().map_or(0, |seq| seq.0),
        }
    }
}

impl Wanted {
    fn parts(&self) -> [(&'static str, &str); 11] {
        [
            ("verdict", &self.verdict),
            ("state", &self.state),
            ("tool", &self.tool),
            ("agent", &self.agent),
            ("person", &self.person),
            ("approver", &self.approver),
            ("rule", &self.rule),
            ("revision", &self.revision),
            ("article", &self.article),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }

    /// The filters of words that most people leave alone: name, label, value.
    fn texts(&self) -> [(&'static str, &'static str, &str); 5] {
        [
            ("person", "Person", &self.person),
            ("approver", "Approved by", &self.approver),
            ("rule", "Rule", &self.rule),
            ("revision", "Policy revision", &self.revision),
            ("article", "Article id", &self.article),
        ]
    }

    /// Whether held calls are asked for.
    fn is_held(&self) -> bool {
        matches!(self.verdict.as_str(), "" | "hold")
    }

    fn query(&self, more: Option<(&str, String)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.parts().into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some((name, value)) = more {
            query.append_pair(name, &value);
        }
        query.finish()
    }

    fn address(&self, name: &str, value: String) -> String {
        format!("/history?{}", self.query(Some((name, value))))
    }

    /// Whether filters are set beside the first ones.
    fn more(&self) -> bool {
        self.parts().iter().skip(4).any(|(_, value)| !value.is_empty())
    }

    /// The question, or what is wrong with it.
    pub(super) fn question(&self) -> Result<Asked, String> {
        match asked::verdict(&self.verdict)? {
            None | Some(Verdict::Hold) => self.lookback().map(Asked::Held),
            Some(verdict) => self.filter(verdict).map(Asked::Decided),
        }
    }

    fn lookback(&self) -> Result<Lookback, String> {
        let page: Option<usize> =
            one_of(&self.page, "page", "pages are numbers from 0", |page| page.parse().ok())?;
        Ok(Lookback {
            state: asked::state(&self.state)?,
            tool: text(&self.tool),
            principal: asked::agent(&self.agent)?,
            approver: asked::approver(&self.approver)?,
            person: text(&self.person),
            rule: text(&self.rule),
            revision: text(&self.revision),
            article: text(&self.article),
            since: asked::moment(&self.since, false)?,
            until: asked::moment(&self.until, true)?,
            skip: page.unwrap_or_default().saturating_mul(ROWS),
            take: Some(ROWS),
        })
    }

    fn filter(&self, verdict: Verdict) -> Result<audit::Filter, String> {
        let Lookback { tool, principal, rule, revision, since, until, .. } = self.lookback()?;
        for (name, value) in self.parts() {
            let held = matches!(name, "state" | "person" | "approver" | "article");
            if held && !value.is_empty() {
                return Err(format!(
                    "`{name}` is known of held calls only: it goes with the verdict `hold`, not with \
                     `{verdict}`"
                ));
            }
        }
        let place = "it is the position of a record, a number from 0";
        Ok(audit::Filter {
            kind: Some(String::from("decision")),
            verdict: Some(verdict),
            before: one_of(&self.before, "position", place, |seq| seq.parse().ok().map(Seq))?,
            principal,
            tool,
            rule,
            revision,
            since,
            until,
            ..audit::Filter::default()
        })
    }
}

async fn history(
    State(console): State<Arc<Console>>,
    signed: Signed,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Fault> {
    reads(&signed)?;
    let wanted = asked::query(wanted);
    let question = match &wanted {
        Ok(wanted) => wanted.question(),
        Err(problem) => Err(problem.clone()),
    };
    let wanted = wanted.unwrap_or_default();
    let mut page = HistoryPage {
        frame: Frame::signed(&console, &signed, "/history", "History"),
        problem: String::new(),
        rows: Vec::new(),
        lines: Vec::new(),
        total: 0,
        from: 0,
        since: None,
        unreadable: 0,
        previous: None,
        next: None,
        query: wanted.query(None),
        wanted: wanted.clone(),
    };
    match question {
        Ok(Asked::Decided(filter)) => {
            let turn = Some(console.looks.begin()?);
            // One more than is shown tells whether there are older ones.
            let entries = last(console.data.clone(), filter, ROWS + 1, turn).await?;
            page.lines = entries.iter().rev().take(ROWS).map(Line::of).collect();
            let first = page.lines.last().filter(|_| entries.len() > ROWS);
            page.next = first.map(|line| wanted.address("before", line.seq.to_string()));
        }
        Ok(Asked::Held(asked)) => {
            let found = console.desk.history(&signed.person, &asked).await;
            let found = found.map_err(|error| Fault::desk(&error))?;
            (page.from, page.total) = (asked.skip, found.total);
            page.since = found.since.map(time_text);
            page.unreadable = found.unreadable;
            let more = asked.skip + found.rows.len() < found.total;
            page.rows = found.rows.into_iter().map(Row::of).collect();
            let at = asked.skip / ROWS;
            // From behind the end one comes back to the last page.
            let before = at.checked_sub(1).map(|at| at.min(found.total.saturating_sub(1) / ROWS));
            page.previous = before.map(|at| wanted.address("page", at.to_string()));
            page.next = more.then(|| wanted.address("page", (at + 1).to_string()));
        }
        Err(problem) => {
            page.problem = problem;
            return Ok(with_status(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    }
    Ok(with_status(StatusCode::OK, &page))
}
