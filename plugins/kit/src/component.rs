//! The component's side of the contract: the bindings made from `plugins/wit/plugin.wit`, and the way
//! between them and the plain types of [`crate::document`].
//!
//! Texts are moved, never copied, on the way in; on the way out only the constant words of findings
//! become strings, because the canonical ABI takes them out of owned memory.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    reason = "the bindings are generated"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "kit::component",
});

use self::exports::portcullis::plugin::inspector as outer;
use self::portcullis::plugin::types;
use crate::{
    Description, Document, Entry, Finding, Form, Leaf, Opinion, Party, Phase, Plugin, Report,
};

/// Describes a plugin in the words of the contract.
#[must_use]
pub fn describe<P: Plugin>() -> outer::Description {
    let Description { name, version, summary, kinds, labels, phases, tools, config_schema } =
        P::describe();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    outer::Description {
        name: name.to_owned(),
        version: version.to_owned(),
        summary: summary.to_owned(),
        kinds: owned(kinds),
        labels: owned(labels),
        phases: phases.iter().copied().map(phase_out).collect(),
        tools: owned(tools),
        config_schema: config_schema.to_owned(),
    }
}

/// Has a plugin look at a document.
pub fn inspect<P: Plugin>(
    document: outer::Document,
    config: &str,
) -> Result<outer::Report, String> {
    P::inspect(&document_in(document), config).map(report_out)
}

fn document_in(document: types::Document) -> Document {
    let types::Document { phase, tool, leaves, dictionary } = document;
    Document {
        phase: phase_in(phase),
        tool,
        leaves: leaves.into_iter().map(leaf_in).collect(),
        dictionary: dictionary.into_iter().map(entry_in).collect(),
    }
}

fn leaf_in(leaf: types::Leaf) -> Leaf {
    let types::Leaf { document, path, text, form, owner, party } = leaf;
    Leaf { document, path, text, form: form_in(form), owner, party: party_in(party) }
}

fn entry_in(entry: types::Entry) -> Entry {
    let types::Entry { kind, value, subject } = entry;
    Entry { kind, value, subject }
}

fn report_out(report: Report) -> types::Report {
    let Report { findings, labels, opinion } = report;
    types::Report {
        findings: findings.into_iter().map(finding_out).collect(),
        labels,
        opinion: opinion.map(|opinion| match opinion {
            Opinion::Hold(why) => types::Opinion::Hold(why),
            Opinion::Deny(why) => types::Opinion::Deny(why),
        }),
    }
}

fn finding_out(finding: Finding) -> types::Finding {
    let Finding { leaf, start, end, kind, confidence, reason, value, subject, part, party } =
        finding;
    types::Finding {
        leaf,
        start,
        end,
        kind: kind.to_owned(),
        confidence,
        reason: reason.to_owned(),
        value,
        subject,
        part: part.map(ToOwned::to_owned),
        party: party_out(party),
    }
}

const fn phase_in(phase: types::Phase) -> Phase {
    match phase {
        types::Phase::Call => Phase::Call,
        types::Phase::Answer => Phase::Answer,
        types::Phase::Definition => Phase::Definition,
    }
}

const fn phase_out(phase: Phase) -> types::Phase {
    match phase {
        Phase::Call => types::Phase::Call,
        Phase::Answer => types::Phase::Answer,
        Phase::Definition => types::Phase::Definition,
    }
}

const fn form_in(form: types::Form) -> Form {
    match form {
        types::Form::Text => Form::Text,
        types::Form::Html => Form::Html,
        types::Form::Key => Form::Key,
        types::Form::Number => Form::Number,
    }
}

const fn party_in(party: types::Party) -> Party {
    match party {
        types::Party::Unknown => Party::Unknown,
        types::Party::Customer => Party::Customer,
        types::Party::Teammate => Party::Teammate,
        types::Party::Bot => Party::Bot,
    }
}

const fn party_out(party: Party) -> types::Party {
    match party {
        Party::Unknown => types::Party::Unknown,
        Party::Customer => types::Party::Customer,
        Party::Teammate => types::Party::Teammate,
        Party::Bot => types::Party::Bot,
    }
}
