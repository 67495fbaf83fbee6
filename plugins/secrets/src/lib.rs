//! Finds secrets: tokens, keys, passwords, private keys, signed links.
//!
//! Four ways lead to a secret, and each is a module: it names itself by its shape ([`token`],
//! [`pem`]), it stands in a place of a link that is made for secrets ([`link`]), a word near it says
//! so ([`near`], with the words in [`cues`]), or the member that holds it is named so ([`field`]).
//! Texts are read as a person reads them (`kit::unfold`), and words that are base64 of text are
//! looked into. A secret that was found is found again wherever it is repeated.
//!
//! What is no secret, however random it looks, is left alone: ids, UUIDs, digests, numbers of orders,
//! versions, links without credentials.

mod bytes;
mod config;
mod cues;
mod field;
mod grade;
mod link;
mod measure;
mod near;
mod pem;
mod shapes;
mod text;
mod token;

pub use config::{Config, ConfigError};

use kit::kinds::{PASSWORD, SECRET};
use kit::unfold::View;
use kit::{Description, Document, Finding, Form, Leaf, Phase, Plugin, Report};
use std::ops::Range;

/// The plugin.
#[derive(Debug)]
pub struct Secrets;

impl Plugin for Secrets {
    fn describe() -> Description {
        Description {
            name: "secrets",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Finds tokens, keys, passwords, private keys and signed links.",
            kinds: &[SECRET, PASSWORD],
            labels: &["secrets"],
            phases: &[Phase::Call, Phase::Answer, Phase::Definition],
            tools: &[],
            config_schema: config::SCHEMA,
        }
    }

    fn inspect(document: &Document, config: &str) -> Result<Report, String> {
        let config = Config::parse(config).map_err(|error| error.to_string())?;
        Ok(look(document, &config))
    }
}

kit::export!(Secrets);

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: &'static str,
    pub(crate) confidence: u8,
    pub(crate) reason: &'static str,
}

impl Hit {
    pub(crate) const fn secret(bytes: Range<usize>, confidence: u8, reason: &'static str) -> Self {
        Self { start: bytes.start, end: bytes.end, kind: SECRET, confidence, reason }
    }

    pub(crate) const fn password(
        bytes: Range<usize>,
        confidence: u8,
        reason: &'static str,
    ) -> Self {
        Self { start: bytes.start, end: bytes.end, kind: PASSWORD, confidence, reason }
    }
}

/// Looks at a document.
#[must_use]
pub fn look(document: &Document, config: &Config) -> Report {
    let mut report = Report::default();
    let mut known: Vec<(String, Hit)> = Vec::new();
    for (number, leaf) in document.leaves.iter().enumerate() {
        leaf_of(number, leaf, config, &mut report.findings, &mut known);
    }
    report.findings.sort_by_key(|finding| (finding.leaf, finding.start));
    repeated(document, &known, &mut report.findings);
    report.findings.sort_by_key(|finding| (finding.leaf, finding.start));
    if report.findings.iter().any(|finding| finding.reason != "signed_attachment") {
        report.labels.push("secrets".to_owned());
    }
    report
}

fn leaf_of(
    number: usize,
    leaf: &Leaf,
    config: &Config,
    findings: &mut Vec<Finding>,
    known: &mut Vec<(String, Hit)>,
) {
    if leaf.text.len() < 4 || leaf.form == Form::Number {
        return;
    }
    let view = View::of(&leaf.text, leaf.form);
    let mut hits = Vec::new();
    if leaf.form != Form::Key {
        field::scan(&leaf.path, view.text(), &mut hits);
    }
    text::scan(view.text(), config, &mut hits);
    for hit in best(hits) {
        let value = view.text().get(hit.start..hit.end).unwrap_or("");
        if hit.confidence < config.least || config.allows(value) {
            continue;
        }
        for bytes in view.pieces(hit.start..hit.end) {
            let mut finding = Finding::new(number, &bytes, hit.kind, hit.confidence);
            finding.reason = hit.reason;
            finding.party = leaf.party;
            if leaf.text.get(bytes).is_some_and(|written| written != value) {
                finding.value = Some(value.to_owned());
            }
            findings.push(finding);
        }
        let plain = value.bytes().all(|byte| byte.is_ascii_alphabetic());
        let again =
            !plain && value.len() >= 8 && hit.confidence >= 80 && hit.reason != "signed_attachment";
        if again && known.len() < 64 && !known.iter().any(|(other, _)| other == value) {
            known.push((value.to_owned(), hit));
        }
    }
}

/// Of findings that overlap, the surest; of equally sure ones, the longest.
fn best(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        let Some(last) = kept.last_mut().filter(|last| hit.start < last.end) else {
            kept.push(hit);
            continue;
        };
        let weight = |hit: &Hit| (hit.confidence, hit.end - hit.start);
        let (winner, loser) =
            if weight(&hit) > weight(last) { (hit, last.clone()) } else { (last.clone(), hit) };
        *last = winner;
        // What sticks out of the surer one is secret as well.
        if loser.confidence >= 80 {
            last.start = last.start.min(loser.start);
            last.end = last.end.max(loser.end);
        }
    }
    kept
}

/// The same secret where nothing says that it is one. The findings are in the order of the document.
fn repeated(document: &Document, known: &[(String, Hit)], findings: &mut Vec<Finding>) {
    let first = findings.len();
    for (value, hit) in known {
        for (number, leaf) in document.leaves.iter().enumerate() {
            for (start, found) in leaf.text.match_indices(value.as_str()) {
                let bytes = start..start + found.len();
                let sorted = findings.get(..first).unwrap_or(&[]);
                let next = sorted.partition_point(|f| {
                    (f.leaf as usize, f.end as usize) <= (number, bytes.start)
                });
                if sorted
                    .get(next)
                    .is_some_and(|f| f.leaf as usize == number && f.bytes().start < bytes.end)
                {
                    continue;
                }
                let mut finding = Finding::new(number, &bytes, hit.kind, hit.confidence);
                finding.reason = "repeated";
                finding.party = leaf.party;
                findings.push(finding);
            }
        }
    }
}
