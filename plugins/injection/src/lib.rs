//! Finds texts that speak to an agent instead of to people, texts that nobody sees, and data on its
//! way out.
//!
//! What comes from Intercom was written by anybody: a customer, a former agent. [`instruct`] weighs
//! hints that a text gives orders to a program; [`hidden`] and [`markup`] find what is written so
//! that people do not see it. What an agent writes is looked at for data that leaves unseen:
//! [`encoded`] and [`dressed`] spellings, data in [`links`], data [`split`] over fields.
//!
//! **It is no defence by itself.** Orders can be put in words that nobody foresaw, and no list of words
//! ends. A finding is a label for policy and a reason to hold; the firewall holds writes with or
//! without it. The plugin has no opinion of its own unless it is configured to have one.

mod config;
mod dressed;
mod encoded;
mod hidden;
mod instruct;
mod lexicon;
mod links;
mod marks;
mod markup;
mod rules;
mod split;

pub use config::{Config, ConfigError};

use instruct::{Placed, Stretch, join, signals, weigh};
use kit::kinds::{DATA_IN_URL, ENCODED_DATA, HIDDEN_TEXT, INJECTION};
use kit::unfold::{View, base64_tokens};
use kit::words::long_runs;
use kit::{Description, Document, Finding, Form, Leaf, Opinion, Phase, Plugin, Report};
use std::ops::Range;

/// The label that a document gets with a finding of a kind.
const LABELS: &[(&str, &str)] = &[
    (INJECTION, "instructions"),
    (HIDDEN_TEXT, "hidden_text"),
    (ENCODED_DATA, "encoded_data"),
    (DATA_IN_URL, "data_in_url"),
];

/// No leaf gives more findings than this.
const MOST: usize = 64;

/// Something in a leaf, by the bytes of its text.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) bytes: Range<usize>,
    pub(crate) kind: &'static str,
    pub(crate) confidence: u8,
    pub(crate) reason: &'static str,
    pub(crate) value: Option<String>,
}

impl Found {
    pub(crate) const fn new(
        bytes: Range<usize>,
        kind: &'static str,
        confidence: u8,
        reason: &'static str,
    ) -> Self {
        Self { bytes, kind, confidence, reason, value: None }
    }
}

/// The plugin.
#[derive(Debug)]
pub struct Injection;

impl Plugin for Injection {
    fn describe() -> Description {
        Description {
            name: "injection",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Finds orders to agents, hidden text, and data on its way out.",
            kinds: &[INJECTION, HIDDEN_TEXT, ENCODED_DATA, DATA_IN_URL],
            labels: &["instructions", "hidden_text", "encoded_data", "data_in_url"],
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

kit::export!(Injection);

/// Looks at a document.
#[must_use]
pub fn look(document: &Document, config: &Config) -> Report {
    let mut report = Report::default();
    for (number, leaf) in document.leaves.iter().enumerate() {
        if leaf.text.len() >= 2 && leaf.form != Form::Number {
            let mut found = Vec::new();
            leaf_of(leaf, document.phase, config, &mut found);
            settle(number, leaf, found, config, &mut report.findings);
        }
    }
    if document.phase == Phase::Call {
        for (number, one) in split::scan(document) {
            if let Some(leaf) = document.leaves.get(number) {
                settle(number, leaf, vec![one], config, &mut report.findings);
            }
        }
    }
    for (kind, label) in LABELS {
        if report
            .findings
            .iter()
            .any(|finding| finding.kind == *kind && finding.confidence >= config.threshold)
        {
            report.labels.push((*label).to_owned());
        }
    }
    report.opinion = opinion(&report, config);
    report
}

/// What the operator wants said from a confidence on.
fn opinion(report: &Report, config: &Config) -> Option<Opinion> {
    let worst = report.findings.iter().max_by_key(|finding| finding.confidence)?;
    let words = format!("{} ({}, {} of 100)", worst.kind, worst.reason, worst.confidence);
    if config.deny.is_some_and(|least| worst.confidence >= least) {
        return Some(Opinion::Deny(words));
    }
    config.hold.is_some_and(|least| worst.confidence >= least).then_some(Opinion::Hold(words))
}

fn leaf_of(leaf: &Leaf, phase: Phase, config: &Config, found: &mut Vec<Found>) {
    let text = leaf.text.as_str();
    hidden::scan(text, found);
    for one in found.iter_mut() {
        // What tags and selectors spell may be orders.
        if let Some(value) = one.value.as_deref().filter(|value| weigh(value) >= 25) {
            let spelled = value.to_owned();
            *one = Found { kind: INJECTION, confidence: 99, value: Some(spelled), ..one.clone() };
        }
    }
    if leaf.form == Form::Key {
        return;
    }
    if leaf.form == Form::Html || text.contains("<!--") || text.contains("</") {
        markup::scan(text, phase, found);
    }
    let view = View::of(text, leaf.form);
    orders(text, &view, phase, config, found);
    if phase == Phase::Call {
        encoded::scan(text, found);
        links::scan(text, &config.hosts, found);
    }
}

/// Orders to an agent, in what is read and in words that are base64.
fn orders(text: &str, view: &View<'_>, phase: Phase, config: &Config, found: &mut Vec<Found>) {
    let read = view.text();
    let allowed: Vec<Range<usize>> = config
        .allow
        .iter()
        .flat_map(|own| read.match_indices(own.as_str()).map(|(at, own)| at..at + own.len()))
        .collect();
    let passed = |bytes: &Range<usize>| {
        allowed.iter().any(|own| own.start <= bytes.start && bytes.end <= own.end)
    };
    let mut hints: Vec<Placed> = signals(read, phase == Phase::Definition)
        .into_iter()
        .filter(|signal| !passed(&signal.bytes))
        .map(|signal| Placed {
            raw: view.range(signal.bytes.clone()),
            view: Some(signal.bytes),
            weight: signal.weight,
            name: signal.name,
        })
        .collect();
    // Marks that look like tags are not read, so they are looked for in what is written.
    if !view.is_same() {
        let mut marks = Vec::new();
        marks::tags(text, &mut marks);
        hints.extend(marks.into_iter().map(|mark| Placed {
            raw: mark.bytes,
            view: None,
            weight: mark.weight,
            name: mark.name,
        }));
    }
    for stretch in join(hints) {
        report(&stretch, view, config, found);
    }
    long_runs(read, 24, |start, run| {
        for (bytes, plain) in base64_tokens(run) {
            let confidence = weigh(&plain);
            if confidence >= 25 {
                let bytes = view.range(start + bytes.start..start + bytes.end);
                let packed = Found::new(bytes, INJECTION, confidence.max(90), "packed");
                found.push(Found { value: Some(plain), ..packed });
            }
        }
    });
}

fn report(stretch: &Stretch, view: &View<'_>, config: &Config, found: &mut Vec<Found>) {
    if stretch.confidence < config.least {
        return;
    }
    let mut pieces: Vec<Range<usize>> =
        stretch.view.iter().flat_map(|place| view.pieces(place.clone())).collect();
    if pieces.is_empty() {
        pieces.extend(stretch.raw.clone());
    }
    found.extend(
        pieces
            .into_iter()
            .map(|bytes| Found::new(bytes, INJECTION, stretch.confidence, stretch.reason)),
    );
}

/// Turns what was found in a leaf into findings, without doubles, the surest first if there are many.
fn settle(
    number: usize,
    leaf: &Leaf,
    mut found: Vec<Found>,
    config: &Config,
    findings: &mut Vec<Finding>,
) {
    found.retain(|one| {
        one.confidence >= config.least
            && one.bytes.start < one.bytes.end
            && leaf.text.get(one.bytes.clone()).is_some()
    });
    found.sort_by_key(|one| std::cmp::Reverse(one.confidence));
    let mut kept: Vec<&Found> = Vec::new();
    for one in &found {
        let double = |other: &&Found| {
            other.kind == one.kind
                && other.bytes.start <= one.bytes.start
                && one.bytes.end <= other.bytes.end
        };
        if kept.len() < MOST && !kept.iter().any(double) {
            kept.push(one);
        }
    }
    kept.sort_by_key(|one| one.bytes.start);
    for one in kept {
        let mut finding = Finding::new(number, &one.bytes, one.kind, one.confidence);
        finding.reason = one.reason;
        finding.value = one.value.clone().filter(|value| value.len() <= 1024);
        finding.party = leaf.party;
        findings.push(finding);
    }
}
