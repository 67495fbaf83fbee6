//! Exports of History: everything that matches, as lines of JSON or as a table. They have what the log
//! says and nothing of what calls contain.
//!
//! One is made at a time, for each may read the whole log.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::Console;
use super::areas::reads;
use super::asked;
use super::extract::Signed;
use super::history::{Asked, Wanted};
use super::page::{Fault, nothing_here};
use super::records::last;
use super::turns::Turn;
use crate::audit::Entry;
use crate::desk::PastRow;
use crate::domain::{ApproverId, Event, OwnAnswer, Seq};
use crate::holds::{ARCHIVED, OwnView};
use crate::identity::Person;

/// Rows of an export, the newest: as many as held calls are looked through.
const MOST: usize = ARCHIVED;

/// How many that is, for people.
pub(super) fn most() -> String {
    format!("{},{:03}", MOST / 1_000, MOST % 1_000)
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Lines,
}

/// What is written, and whether there was more of it.
struct Written {
    text: String,
    is_cut: bool,
    /// How many lines of the log could not be read.
    unreadable: usize,
}

pub(super) async fn export(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(form): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Fault> {
    reads(&signed)?;
    let form = match form.as_str() {
        "csv" => Form::Csv,
        "jsonl" => Form::Lines,
        _ => return Err(nothing_here().await),
    };
    let question = asked::query(wanted).and_then(|wanted| wanted.question());
    let question = question.map_err(|problem| {
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Not understood", format!("{problem}."))
    })?;
    let turn = console.exports.begin()?;
    // In a task of its own: the reading goes on when whoever asked is gone, and so does its turn.
    let writing =
        tokio::spawn(async move { write(&console, &signed.person, form, question, turn).await });
    let Written { text, is_cut, unreadable } =
        writing.await.map_err(|_| Fault::unavailable())??;
    let (kind, end) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "csv"),
        Form::Lines => ("application/jsonl", "jsonl"),
    };
    // Whoever gets the file has no page beside it that says so.
    let mut part = if is_cut { format!("-newest-{MOST}") } else { String::new() };
    if unreadable > 0 {
        part.push_str(&format!("-without-{unreadable}-lines"));
    }
    let name = HeaderValue::try_from(format!("attachment; filename=\"history{part}.{end}\""));
    let name = name.unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind)), (CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

async fn write(
    console: &Console,
    person: &Person,
    form: Form,
    question: Asked,
    turn: Turn,
) -> Result<Written, Fault> {
    match question {
        Asked::Decided(filter) => {
            let entries = last(console.data.clone(), filter, MOST + 1, Some(turn.clone())).await?;
            let lines = entries.iter().rev().take(MOST);
            let text = match form {
                Form::Csv => table(&DECISIONS, lines.map(decision)),
                Form::Lines => lines.fold(String::new(), |text, entry| text + &entry.line + "\n"),
            };
            Ok(Written { text, is_cut: entries.len() > MOST, unreadable: 0 })
        }
        Asked::Held(asked) => {
            let found = console.desk.history_export(person, &asked).await;
            let found = found.map_err(|error| Fault::desk(&error))?;
            let text = match form {
                Form::Csv => table(&HOLDS, found.rows.iter().map(held)),
                Form::Lines => found.rows.iter().fold(String::new(), |mut text, row| {
                    // A value of ours is always JSON, and writing to a String cannot fail.
                    let _ = writeln!(text, "{}", serde_json::to_string(row).unwrap_or_default());
                    text
                }),
            };
            Ok(Written { text, is_cut: found.since.is_some(), unreadable: found.unreadable })
        }
    }
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

fn decision(entry: &Entry) -> Vec<String> {
    let record = &entry.record;
    let Event::Decision { call, decision, .. } = &record.event else {
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
pub(super) fn decided_by(approvals: &[ApproverId], own: Option<&OwnView>) -> String {
    let approvers = approvals.iter().map(ToString::to_string);
    let own = own.filter(|own| own.answer != OwnAnswer::Left);
    let own = own.map(|own| format!("{} (self-confirmation)", own.by));
    approvers.chain(own).collect::<Vec<_>>().join(", ")
}

/// A table as RFC 4180 has it, every cell in quotes.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = line(head.iter().copied());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str)));
    }
    text
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    cells.map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A cell in quotes, in which a spreadsheet finds no formula.
///
/// Names of tools, agents and rules come from others, and a spreadsheet runs what begins like a formula,
/// in quotes or not. Many also split at `;` or at tabs, as their user's language has it: quotes that do not
/// begin such a part are letters to them, and what follows the separator begins a cell. An apostrophe in
/// front makes it text, wherever a cell may begin.
fn cell(text: &str) -> String {
    let mut cell = String::from("\"");
    let mut begins = true;
    for letter in text.chars() {
        // The wide ones are taken for the others in some languages; a tab or a line's end hides one.
        if begins
            && matches!(
                letter,
                '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'
            )
        {
            cell.push('\'');
        }
        begins = match letter {
            ';' | ',' | '"' | '\t' | '\r' | '\n' => true,
            ' ' => begins,
            _ => false,
        };
        if letter == '"' {
            cell.push('"');
        }
        cell.push(letter);
    }
    cell.push('"');
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_table_and_no_program() {
        for (text, expected) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("a,b", r#""a,b""#),
            ("say \"x\"", r#""say ""x""""#),
            ("two\nlines", "\"two\nlines\""),
            ("ann, bob", r#""ann, bob""#),
            ("a-b+c=d@e", r#""a-b+c=d@e""#),
            ("=1+1", r#""'=1+1""#),
            ("+1", r#""'+1""#),
            ("-1", r#""'-1""#),
            ("@SUM(A1)", r#""'@SUM(A1)""#),
            ("\t=1", "\"'\t'=1\""),
            ("\r=1", "\"'\r'=1\""),
            ("  =1", r#""  '=1""#),
            ("a;=1;+2", r#""a;'=1;'+2""#),
            ("a\t@x", "\"a\t'@x\""),
            ("a; -x", r#""a; '-x""#),
            ("a,=1", r#""a,'=1""#),
            ("a\n=1", "\"a\n'=1\""),
            ("\"=1", r#""""'=1""#),
            ("＝1", r#""'＝1""#),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
        let rows = [vec!["a,b".to_owned(), "c".to_owned()], vec![String::new(), "d".to_owned()]];
        let text = table(&["one", "two"], rows.into_iter());
        assert_eq!(text, "\"one\",\"two\"\r\n\"a,b\",\"c\"\r\n\"\",\"d\"\r\n");
    }
}
