//! What was found, for programs.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{FailOn, Found};
use crate::cli::report::{Found as Finding, Item, Report};
use crate::domain::Question;
use crate::policy::{Replay, Severity, Source};
use crate::replay::{Change, Impact, Row};

const HELP: &str = "look at the decision with `portcullis policy explain ID`; if the difference is \
                    meant, say so in the review";

/// All of it.
pub(super) fn json(found: &Found) -> Json {
    let mut all = serde_json::to_value(&found.impact).unwrap_or_default();
    if let Some(all) = all.as_object_mut() {
        all.insert("source".to_owned(), json!(found.candidate));
        all.insert("from".to_owned(), json!(found.from));
        all.insert("notes".to_owned(), json!(found.notes));
    }
    all
}

/// Each difference at the rule behind it, if that is the candidate's: the most dangerous first. Before
/// them stands what is not among them, and why.
pub(super) fn report(
    found: &Found,
    source: &Source,
    candidate: &Replay,
    fail_on: FailOn,
) -> Report {
    let places: BTreeMap<String, String> =
        Question::ALL.into_iter().flat_map(|question| candidate.rules_of(question)).collect();
    let item = |row: &Row| Item::found(finding(row, &places, fail_on));
    let mut items: Vec<Item> = left_out(&found.impact).into_iter().map(Item::found).collect();
    items.extend(found.impact.rows.iter().map(item));
    Report { items, ..Report::of("policy impact", source) }
}

/// What the list of differences does not have.
fn left_out(impact: &Impact) -> Vec<Finding> {
    let note = |(count, code, help, text): (u64, &'static str, &'static str, String)| {
        let (severity, file) = (Severity::Warning, String::new());
        (count > 0).then_some(Finding { code, help, severity, file, line: 0, column: 0, text })
    };
    let (beyond, late, unread) = (impact.beyond_rows, impact.not_in_time(), impact.unread);
    let unasked: u64 = impact.not_replayable.values().sum();
    let notes = [
        (beyond, "impact-left-out", "`--format json` has the counts of all", {
            format!("{beyond} more differences are left out here, the least dangerous ones")
        }),
        (late, "impact-not-in-time", "`portcullis policy bench` measures the rules", {
            format!("{late} questions were not answered in time; nothing is known of those")
        }),
        (unasked, "impact-not-asked", "`--format json` says why", {
            format!("{unasked} decisions could not be asked again")
        }),
        (unread, "impact-unread", "look at `pseudonyms.key` and the data folder", {
            super::unread(unread)
        }),
    ];
    notes.into_iter().filter_map(note).collect()
}

fn finding(row: &Row, places: &BTreeMap<String, String>, fail_on: FailOn) -> Finding {
    let at = row.rules.iter().find_map(|rule| places.get(rule));
    let (file, line) = at.and_then(|at| at.rsplit_once(':')).unwrap_or_default();
    let severity = if fail_on.is_on(row.change) { Severity::Error } else { Severity::Warning };
    Finding {
        code: code(row.change),
        help: HELP,
        severity,
        file: file.to_owned(),
        line: line.parse().unwrap_or_default(),
        column: 0,
        text: format!(
            "{}: {} of {} by {} in decision {} ({}){}",
            row.change.as_str(),
            row.question.as_str(),
            row.tool,
            row.approver.as_ref().unwrap_or(&row.principal),
            row.decision,
            row.rules.join(", "),
            row.demands.iter().map(|demand| format!("; {demand}")).collect::<String>()
        ),
    }
}

const fn code(change: Change) -> &'static str {
    match change {
        Change::DenyToAllow => "impact-deny-to-allow",
        Change::DenyToHold => "impact-deny-to-hold",
        Change::HoldToAllow => "impact-hold-to-allow",
        Change::AllowToHold => "impact-allow-to-hold",
        Change::HoldToDeny => "impact-hold-to-deny",
        Change::AllowToDeny => "impact-allow-to-deny",
        Change::Release => "impact-release",
        Change::Obligations => "impact-obligations",
    }
}
