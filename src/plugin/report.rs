//! A plugin's report, checked against what it was given and what it said of itself.
//!
//! Nothing of a report is forwarded: it becomes spans of texts that we have, labels that were
//! announced, and an opinion that can only make a verdict stricter.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::call::Failure;
use super::contract::exports::portcullis::plugin::inspector;
use super::contract::portcullis::plugin::types::{self, Opinion};
use super::description::{Description, is_word};
use crate::domain::{Fault, Finding, Judge, Leaf, Party, Reason, Span, Verdict, is_hidden};

/// Findings of one report.
const MOST_FINDINGS: usize = 10_000;
const VALUE_BYTES: usize = 1024;
const SUBJECT_BYTES: usize = 256;
const REASON_BYTES: usize = 64;
const OPINION_CHARS: usize = 200;

/// What a good report says.
#[derive(Debug, Default)]
pub struct Seen {
    /// Spans of the leaves, checked.
    pub spans: Vec<Span>,
    /// What the whole is.
    pub labels: BTreeSet<String>,
    /// `hold` or `deny`, and why, in the plugin's words: untrusted.
    pub opinion: Option<(Verdict, String)>,
    /// What it wrote to the log, for whoever tries it out: untrusted.
    pub log: Vec<String>,
}

/// Reads a report, or says what is wrong with it.
pub(super) fn read(
    plugin: &Arc<str>,
    description: &Description,
    leaves: &[Leaf],
    report: inspector::Report,
) -> Result<Seen, Failure> {
    if report.findings.len() > MOST_FINDINGS {
        return Err(wrong("it has more than 10000 findings"));
    }
    let spans = report.findings.into_iter().map(|found| span(plugin, description, leaves, found));
    let spans = spans.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if !report.labels.iter().all(|label| description.labels.contains(label)) {
        return Err(wrong("it gives a label that it does not announce"));
    }
    let labels = report.labels.into_iter().collect();
    // There is no opinion that loosens: `allow` is not a word of the contract.
    let (verdict, text) = match report.opinion {
        None => return Ok(Seen { spans, labels, ..Seen::default() }),
        Some(Opinion::Hold(text)) => (Verdict::Hold, text),
        Some(Opinion::Deny(text)) => (Verdict::Deny, text),
    };
    let text = text.chars().filter(|it| !is_hidden(*it)).take(OPINION_CHARS).collect();
    Ok(Seen { spans, labels, opinion: Some((verdict, text)), log: Vec::new() })
}

fn wrong(text: &str) -> Failure {
    Failure::new(Fault::PluginInvalidResult, text)
}

fn span(
    plugin: &Arc<str>,
    description: &Description,
    leaves: &[Leaf],
    found: types::Finding,
) -> Result<Span, &'static str> {
    let (start, end) = (found.start as usize, found.end as usize);
    let leaf = found.leaf as usize;
    let text = &leaves.get(leaf).ok_or("a finding is of a leaf that there is not")?.text;
    if start >= end || end > text.len() {
        return Err("a finding is empty or ends outside its leaf");
    }
    if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
        return Err("a finding begins or ends inside a character");
    }
    if !description.kinds.contains(&found.kind) {
        return Err("a finding is of a kind that is not announced");
    }
    if found.confidence > 100 {
        return Err("a finding's confidence is over 100");
    }
    if found.reason.len() > REASON_BYTES || !found.reason.bytes().all(|b| (32..127).contains(&b)) {
        return Err("a finding's reason is not a few words of plain ASCII");
    }
    if found.value.as_ref().is_some_and(|value| value.is_empty() || value.len() > VALUE_BYTES) {
        return Err("a finding's value is empty or larger than 1 KiB");
    }
    let is_name = |name: &String| !name.is_empty() && name.len() <= SUBJECT_BYTES;
    if !found.subject.as_ref().is_none_or(is_name) {
        return Err("a finding's subject is empty or larger than 256 bytes");
    }
    if !found.part.as_ref().is_none_or(|part| is_word(part, b"_", 16)) {
        return Err("a finding's part is not a short word of lower case letters");
    }
    Ok(Span {
        leaf,
        bytes: start..end,
        kind: found.kind,
        confidence: found.confidence,
        reason: found.reason,
        value: found.value,
        subject: found.subject,
        part: found.part,
        party: match found.party {
            types::Party::Unknown => Party::Unknown,
            types::Party::Customer => Party::Customer,
            types::Party::Teammate => Party::Teammate,
            types::Party::Bot => Party::Bot,
        },
        plugin: plugin.clone(),
    })
}

/// What an opinion demands. Its words may be made of what customers wrote, so agents do not read
/// them.
pub(super) fn finding(plugin: &str, verdict: Verdict, text: &str) -> Finding {
    let rule = if verdict == Verdict::Deny { "plugin.deny" } else { "plugin.hold" };
    let text = format!("the plugin `{plugin}`: {text}");
    Finding {
        judge: Judge::Plugin(plugin.to_owned()),
        verdict,
        reasons: vec![Reason { internal: true, ..Reason::new(rule, text) }],
        obligations: Vec::new(),
        release: None,
        fault: None,
    }
}
