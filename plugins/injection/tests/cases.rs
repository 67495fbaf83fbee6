//! Attacks and ordinary texts, as data. All texts are this project's own.

use injection::{Config, look};
use kit::{Document, Form, Leaf, Phase, Report};
use serde::Deserialize;

/// The texts of `cases.json`.
#[derive(Default, Deserialize)]
struct Cases {
    orders: Vec<Attack>,
    hidden: Vec<Attack>,
    calls: Vec<Attack>,
    definitions: Vec<Attack>,
    ordinary: Vec<String>,
    shown: Vec<String>,
    plain_writes: Vec<String>,
    plain_definitions: Vec<String>,
}

#[derive(Deserialize)]
struct Attack {
    name: String,
    text: String,
    #[serde(default)]
    form: String,
    /// The kind and label, where a list has several.
    #[serde(default)]
    kind: String,
}

fn cases() -> Cases {
    // An empty list would fail no test, so what does not parse must not become one.
    let cases: Result<Cases, _> = serde_json::from_str(include_str!("cases.json"));
    assert!(cases.is_ok(), "{:?}", cases.err());
    cases.unwrap_or_default()
}

fn report(text: &str, form: Form, phase: Phase) -> Report {
    let leaf = Leaf { path: "/body".to_owned(), text: text.to_owned(), form, ..Leaf::default() };
    look(&Document { phase, leaves: vec![leaf], ..Document::default() }, &Config::default())
}

fn spans(report: &Report, text: &str) -> String {
    let one = |f: &kit::Finding| {
        format!("{} {} {} {:?}", f.kind, f.confidence, f.reason, text.get(f.bytes()))
    };
    report.findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Checks that each attack of a list gets a label.
fn attacks(list: &[Attack], phase: Phase, label: &str) {
    let mut missed = Vec::new();
    for Attack { name, text, form, kind } in list {
        let html = form == "html" || phase == Phase::Call;
        let report = report(text, if html { Form::Html } else { Form::Text }, phase);
        let label = if kind.is_empty() { label } else { kind };
        if !report.labels.iter().any(|given| given == label) {
            missed.push(format!("{name}: {}", spans(&report, text)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Checks that no text of a list gets one of the labels.
fn silence(list: &[String], forms: &[Form], phase: Phase, labels: &[&str]) {
    let mut wrong = Vec::new();
    for text in list {
        for form in forms {
            let report = report(text, *form, phase);
            if report.labels.iter().any(|label| labels.contains(&label.as_str())) {
                wrong.push(format!("{text:?}: {}", spans(&report, text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn orders_to_agents_are_labelled() {
    attacks(&cases().orders, Phase::Answer, "instructions");
}

#[test]
fn hidden_text_is_labelled() {
    attacks(&cases().hidden, Phase::Answer, "hidden_text");
}

#[test]
fn data_on_its_way_out_is_labelled() {
    attacks(&cases().calls, Phase::Call, "encoded_data");
}

#[test]
fn poisoned_definitions_are_labelled() {
    attacks(&cases().definitions, Phase::Definition, "instructions");
}

#[test]
fn ordinary_requests_are_no_orders() {
    let ordinary = cases().ordinary;
    silence(&ordinary, &[Form::Text, Form::Html], Phase::Answer, &["instructions", "hidden_text"]);
    silence(
        &ordinary,
        &[Form::Text],
        Phase::Call,
        &["instructions", "encoded_data", "data_in_url"],
    );
}

#[test]
fn what_is_shown_is_not_hidden() {
    silence(&cases().shown, &[Form::Html], Phase::Answer, &["hidden_text", "instructions"]);
}

#[test]
fn plain_writes_carry_nothing_out() {
    let all = ["encoded_data", "data_in_url", "hidden_text", "instructions"];
    silence(&cases().plain_writes, &[Form::Html, Form::Text], Phase::Call, &all);
}

#[test]
fn plain_definitions_are_no_orders() {
    silence(
        &cases().plain_definitions,
        &[Form::Text],
        Phase::Definition,
        &["instructions", "hidden_text"],
    );
}
