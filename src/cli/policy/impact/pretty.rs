//! What was found, for people.

use super::Found;
use crate::cli::shown;
use crate::replay::{Base, By};

/// Rules that never spoke, by name; JSON has all.
const SILENT: usize = 30;

pub(super) fn text(found: &Found) -> String {
    let impact = &found.impact;
    let base = match &impact.base {
        Base::Recorded => "what was decided".to_owned(),
        Base::Revision { revision } => format!("revision {}", revision.short()),
    };
    let mut lines = vec![
        format!("candidate  {}, from {}", impact.candidate.short(), found.candidate),
        format!("compared   with {base}, on {}; nothing is executed", found.from),
    ];
    for (question, total) in &impact.totals {
        lines.push(format!(
            "{question:<10} {} records: {} asked again, {} of them unchanged",
            total.records, total.asked, total.unchanged
        ));
    }
    if impact.totals.is_empty() {
        lines.push("records    none".to_owned());
    }
    for (why, count) in &impact.not_replayable {
        lines.push(format!("not asked  {count}: {why}"));
    }
    let late = impact.not_in_time();
    if late > 0 {
        let known = "not answered in time, so nothing is known of them";
        lines.push(format!("late       {late}: {known}"));
    }
    if impact.changes.is_empty() && impact.asked() > 0 {
        lines.push("differs    nowhere".to_owned());
    }
    for (change, count) in &impact.changes {
        lines.push(format!("differs    {count} x {}", change.as_str()));
    }
    if !impact.by.is_empty() {
        lines.push(String::new());
        lines.push(row("count", ("change", "question", "tool", "principal"), "rules", "decisions"));
        lines.extend(impact.by.iter().map(difference));
    }
    if !impact.redactions.is_empty() {
        lines.push(String::new());
        lines.push("redacted otherwise".to_owned());
        lines.extend(
            impact
                .redactions
                .iter()
                .map(|it| format!("{:>7}  {}: {} -> {}", it.count, it.kind, it.was, it.would)),
        );
    }
    if !impact.demands.is_empty() {
        lines.push(String::new());
        lines.push("demanded otherwise".to_owned());
        lines.extend(impact.demands.iter().map(|it| format!("{:>7}  {}", it.count, it.demand)));
    }
    if !impact.silent.is_empty() {
        lines.push(String::new());
        lines.push("rules that never spoke".to_owned());
        let silent = impact.silent.iter().take(SILENT);
        lines.extend(silent.map(|it| format!("         {}  {}", it.rule, it.at)));
        if impact.silent.len() > SILENT {
            lines.push(format!("         and {} more", impact.silent.len() - SILENT));
        }
    }
    if impact.beyond_rows > 0 {
        lines.push(format!("{} more differences have no row of their own", impact.beyond_rows));
    }
    if impact.unread > 0 {
        lines.push(format!("note: {}", super::unread(impact.unread)));
    }
    lines.extend(found.notes.iter().map(|note| format!("note: {note}")));
    lines.iter().map(|line| shown(line) + "\n").collect()
}

fn difference(by: &By) -> String {
    let mut decisions = by.decisions.join(" ");
    if by.count > by.decisions.len() as u64 {
        decisions.push_str(" ...");
    }
    let who = by.approver.as_ref().unwrap_or(&by.principal);
    let what = (by.change.as_str(), by.question.as_str(), by.tool.as_str(), who.as_str());
    row(&by.count.to_string(), what, &by.rules.join(", "), &decisions)
}

fn row(count: &str, what: (&str, &str, &str, &str), rules: &str, decisions: &str) -> String {
    let (change, question, tool, principal) = what;
    format!(
        "{count:>7}  {change:<14} {question:<8} {tool:<22} {principal:<20} {rules}  {decisions}"
    )
}
