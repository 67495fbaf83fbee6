//! History: what was held and what became of it, and what was allowed or denied, found by everything that
//! is known of it without its contents.
//!
//! All of the question stands in the address: it works without scripts, can be kept as a link, and the
//! export takes the same. Nothing here is taken from memory alone: the log is asked.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::Console;
use super::areas::reads;
use super::extract::Signed;
use super::hold::tool_title;
use super::page::{Fault, Frame, html, time_text};
use super::records::{Line, last};
use super::text::Seen;
use crate::audit;
use crate::desk::{Lookback, PastRow};
use crate::domain::{ApproverId, HoldState, OwnAnswer, Seq, Timestamp, Verdict};
use crate::holds::OwnView;

/// Rows of one page.
const ROWS: usize = 50;
/// Rows of an export.
const MOST: usize = 20_000;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/history", get(history)).route("/history/export/{form}", get(export))
}

/// What somebody looks for, as it stands in the address.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Wanted {
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
    page: usize,
    /// Decisions before this position.
    before: String,
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

    /// How many filters are set beside the first ones.
    fn more(&self) -> bool {
        self.parts().iter().skip(4).any(|(_, value)| !value.is_empty())
    }

    /// The question about held calls.
    fn lookback(&self) -> Result<Lookback, String> {
        Ok(Lookback {
            state: one_of(&self.state, "state", |name| {
                HoldState::ALL.into_iter().find(|state| state.as_str() == name)
            })?,
            tool: text(&self.tool),
            principal: one_of(&self.agent, "agent", |name| name.parse().ok())?,
            approver: one_of(&self.approver, "approver", |name| name.parse().ok())?,
            person: text(&self.person),
            rule: text(&self.rule),
            revision: text(&self.revision),
            article: text(&self.article),
            since: one_of(&self.since, "from", |time| moment(time, false))?,
            until: one_of(&self.until, "to", |time| moment(time, true))?,
            skip: self.page.saturating_mul(ROWS),
            take: Some(ROWS),
        })
    }

    /// The verdict, if decisions are wanted instead of held calls.
    fn decisions(&self) -> Option<Verdict> {
        [Verdict::Allow, Verdict::Deny].into_iter().find(|it| it.as_str() == self.verdict)
    }

    /// The question about decisions that held nothing.
    fn filter(&self, verdict: Verdict) -> Result<audit::Filter, String> {
        let Lookback { tool, principal, rule, revision, since, until, .. } = self.lookback()?;
        for (name, value) in self.parts() {
            let held = matches!(name, "state" | "person" | "approver" | "article");
            if held && !value.is_empty() {
                return Err(format!(
                    "`{name}` is known of held calls only; choose the verdict hold"
                ));
            }
        }
        Ok(audit::Filter {
            kind: Some(String::from("decision")),
            verdict: Some(verdict),
            before: one_of(&self.before, "before", |seq| seq.parse().ok().map(Seq))?,
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

fn text(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn one_of<T>(
    value: &str,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(value) = text(value) else { return Ok(None) };
    let read = read(&value);
    read.map(Some).ok_or_else(|| format!("`{value}` is not understood as {name}"))
}

/// A day, or a day and a time, in UTC; a day is meant from its beginning or to its end.
fn moment(words: &str, end: bool) -> Option<Timestamp> {
    let whole = match (words.len(), end) {
        (10, false) => format!("{words}T00:00:00Z"),
        (10, true) => format!("{words}T23:59:59.999Z"),
        (16, false) => format!("{words}:00Z"),
        (16, true) => format!("{words}:59.999Z"),
        _ => words.to_owned(),
    };
    let time: jiff::Timestamp = whole.parse().ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}

async fn history(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    reads(&signed)?;
    let mut page = HistoryPage {
        frame: Frame::signed(&console, &signed, "/history", "History"),
        problem: String::new(),
        rows: Vec::new(),
        lines: Vec::new(),
        total: 0,
        from: 0,
        previous: None,
        next: None,
        query: wanted.query(None),
        wanted,
    };
    let wanted = page.wanted.clone();
    if let Some(verdict) = wanted.decisions() {
        match wanted.filter(verdict) {
            Ok(filter) => {
                let entries = last(console.data.clone(), filter, ROWS).await?;
                let first = entries.first().map(|entry| entry.record.seq.0);
                let more = first.filter(|_| entries.len() == ROWS);
                page.next = more.map(|seq| wanted.address("before", seq.to_string()));
                page.lines = entries.iter().rev().map(Line::of).collect();
            }
            Err(problem) => page.problem = problem,
        }
        return Ok(html(&page));
    }
    match wanted.lookback() {
        Ok(asked) => {
            let found = console.desk.history(&signed.person, &asked).await;
            let found = found.map_err(|error| Fault::desk(&error))?;
            (page.from, page.total) = (asked.skip, found.total);
            let more = asked.skip + found.rows.len() < found.total;
            page.rows = found.rows.into_iter().map(Row::of).collect();
            let at = wanted.page;
            page.previous = (at > 0).then(|| wanted.address("page", (at - 1).to_string()));
            page.next = more.then(|| wanted.address("page", (at + 1).to_string()));
        }
        Err(problem) => page.problem = problem,
    }
    Ok(html(&page))
}

/// Everything that matches, as lines of JSON or as a table: what the log says, without contents.
async fn export(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(form): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    reads(&signed)?;
    let wrong =
        |problem: String| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Not understood", problem);
    let is_csv = match form.as_str() {
        "csv" => true,
        "jsonl" => false,
        _ => return Err(super::page::nothing_here().await),
    };
    let text = if let Some(verdict) = wanted.decisions() {
        let filter = wanted.filter(verdict).map_err(wrong)?;
        let entries = last(console.data.clone(), filter, MOST).await?;
        let lines = entries.iter().rev();
        match is_csv {
            true => table(&DECISIONS, lines.map(decision)),
            false => lines.fold(String::new(), |text, entry| text + &entry.line + "\n"),
        }
    } else {
        let asked = wanted.lookback().map_err(wrong)?;
        let found = console.desk.history_export(&signed.person, &asked).await;
        let rows = found.map_err(|error| Fault::desk(&error))?.rows;
        match is_csv {
            true => table(&HOLDS, rows.iter().map(held)),
            false => rows.iter().fold(String::new(), |mut text, row| {
                // A value of ours is always JSON, and writing to a String cannot fail.
                let _ = writeln!(text, "{}", serde_json::to_string(row).unwrap_or_default());
                text
            }),
        }
    };
    let (kind, name) = match is_csv {
        true => ("text/csv; charset=utf-8", "attachment; filename=\"history.csv\""),
        false => ("application/jsonl", "attachment; filename=\"history.jsonl\""),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, text).into_response())
}

const HOLDS: [&str; 13] = [
    "hold",
    "opened",
    "changed",
    "state",
    "tool",
    "agent",
    "risk",
    "approved by",
    "used",
    "rule",
    "policy revision",
    "first record",
    "last record",
];
const DECISIONS: [&str; 7] =
    ["record", "at", "verdict", "tool", "agent", "rules", "policy revision"];

fn held(row: &PastRow) -> Vec<String> {
    let hold = &row.hold;
    let rules: Vec<&str> = hold.reasons.iter().map(|it| it.rule.as_str()).collect();
    let at = |seq: Option<&Seq>| seq.map(|seq| seq.0.to_string()).unwrap_or_default();
    vec![
        hold.id.to_string(),
        hold.opened_at.to_string(),
        row.changed_at.to_string(),
        hold.state.to_string(),
        hold.tool.clone(),
        hold.principal.to_string(),
        hold.risk.as_str().to_owned(),
        decided_by(&hold.approvals, hold.own.as_ref()),
        row.used.words().to_owned(),
        rules.join(" "),
        row.revision.clone(),
        at(row.records.first()),
        at(row.records.last()),
    ]
}

fn decision(entry: &audit::Entry) -> Vec<String> {
    let record = &entry.record;
    let crate::domain::Event::Decision { call, decision, .. } = &record.event else {
        return Vec::new();
    };
    let rules: Vec<&str> = decision.reasons.iter().map(|it| it.rule.as_str()).collect();
    vec![
        record.seq.0.to_string(),
        record.at.to_string(),
        decision.verdict.as_str().to_owned(),
        call.subject.tool().unwrap_or(&call.method).to_owned(),
        call.principal.to_string(),
        rules.join(" "),
        decision.ruleset.to_string(),
    ]
}

/// Who decided: approvers, or the person whom the agent acts for, who is named as such.
fn decided_by(approvals: &[ApproverId], own: Option<&OwnView>) -> String {
    let approvers = approvals.iter().map(ToString::to_string);
    let own = own.filter(|own| own.answer != OwnAnswer::Left);
    let own = own.map(|own| format!("{} (self-confirmation)", own.by));
    approvers.chain(own).collect::<Vec<_>>().join(", ")
}

/// A table as RFC 4180 has it. What a spreadsheet would take for a formula is text.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = head.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| self::cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_table_and_no_program() {
        let rows = vec![vec!["a,b".to_owned(), "=1+1".to_owned(), "say \"x\"".to_owned()]];
        let text = table(&["one", "two", "three"], rows.into_iter());
        assert_eq!(text, "one,two,three\r\n\"a,b\",'=1+1,\"say \"\"x\"\"\"\r\n");
    }

    #[test]
    fn days_are_meant_whole() {
        let at = |words: &str, end| moment(words, end).map(Timestamp::millis);
        assert_eq!(at("1970-01-02", false), Some(86_400_000));
        assert_eq!(at("1970-01-02", true), Some(2 * 86_400_000 - 1));
        assert_eq!(at("1970-01-02T00:01", true), Some(86_400_000 + 119_999));
        assert_eq!(at("1970-01-02T00:00:01Z", false), Some(86_401_000));
        assert_eq!(at("yesterday", false), None);
    }
}
