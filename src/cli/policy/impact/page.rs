//! What was found as a page: one file, no scripts, everything escaped by the template.

use askama::Template;

use super::Found;
use crate::domain::Verdict;
use crate::replay::{Base, Impact};

/// The page `impact.html`, in the folder that `askama.toml` names.
#[derive(Template)]
#[template(path = "impact.html", config = "src/cli/policy/pages/askama.toml")]
pub(super) struct Page<'a> {
    found: &'a Found,
    impact: &'a Impact,
    base: String,
    rows: Vec<Shown<'a>>,
    unread: Option<String>,
}

struct Shown<'a> {
    class: &'static str,
    change: &'static str,
    question: &'static str,
    at: String,
    rules: String,
    row: &'a crate::replay::Row,
}

impl<'a> Page<'a> {
    pub(super) fn of(found: &'a Found) -> Self {
        let impact = &found.impact;
        let base = match &impact.base {
            Base::Recorded => "what was decided".to_owned(),
            Base::Revision { revision } => format!("revision {revision}"),
        };
        let shown = |row: &'a crate::replay::Row| Shown {
            class: match row.would {
                Verdict::Allow if row.was == Verdict::Deny => "odd",
                Verdict::Allow => "allow",
                Verdict::Hold => "hold",
                Verdict::Deny => "none",
            },
            change: row.change.as_str(),
            question: row.question.as_str(),
            at: row.at.map(|at| at.to_string()).unwrap_or_default(),
            rules: row.rules.join(", "),
            row,
        };
        let unread = (impact.unread > 0).then(|| super::unread(impact.unread));
        Self { found, impact, base, rows: impact.rows.iter().map(shown).collect(), unread }
    }
}
