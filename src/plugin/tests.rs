//! The host against components of every sort, good and hostile. They are written as text and need no
//! guest's compiler.

mod hostile;
mod loading;
mod wat;

use std::sync::Arc;

use super::*;
use crate::config::{self, PluginEntry, PluginSource};
use crate::domain::{Dictionary, Fault, Form, Leaf, Party, Verdict};
use wat::{Found, Guest};

/// A set of these components, in this order: `p0`, `p1`, ...
fn set(guests: &[Guest], change: impl Fn(&mut PluginEntry)) -> Plugins {
    set_of(guests, config::Plugins::default(), change)
}

fn set_of(guests: &[Guest], all: config::Plugins, change: impl Fn(&mut PluginEntry)) -> Plugins {
    let host = Host::start().unwrap();
    let plugins = guests.iter().enumerate().map(|(number, guest)| {
        let component = Component::compile(&host, &guest.bytes()).unwrap();
        let mut entry =
            PluginEntry::new(&format!("p{number}"), PluginSource::Shipped(String::new()));
        change(&mut entry);
        load::plugin(&entry, component, &all).unwrap()
    });
    let plugins = plugins.collect();
    Plugins::of(Some(host), plugins, &all.without)
}

fn leaf(text: &str) -> Leaf {
    Leaf {
        document: 0,
        path: "/body".to_owned(),
        text: text.to_owned(),
        form: Form::Text,
        owner: None,
        party: Party::Customer,
    }
}

fn leaves(texts: &[&str]) -> Arc<[Leaf]> {
    texts.iter().map(|text| leaf(text)).collect()
}

fn nothing() -> Dictionary {
    Dictionary::default()
}

async fn look(plugins: &Plugins, texts: &[&str]) -> Inspection {
    plugins.inspect(Phase::Answer, "get_conversation", &leaves(texts), &nothing()).await
}

fn faults(inspection: &Inspection) -> Vec<Fault> {
    inspection.findings.iter().filter_map(|finding| finding.fault).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_finds_becomes_spans() {
    let found = Found { value: Some("a@b.c"), subject: Some("contact:1"), ..Found::of(1, 2, 5) };
    let guest = Guest::finding(&[found]).labelled(&["odd"]);
    let plugins = set(&[guest], |_| {});
    let seen = look(&plugins, &["one", "\u{e9}abc\u{1f600}"]).await;
    assert!(seen.findings.is_empty(), "{:?}", seen.findings);
    let [span] = seen.spans.as_slice() else { panic!("{:?}", seen.spans) };
    assert_eq!((span.leaf, span.bytes.clone(), span.kind.as_str()), (1, 2..5, "email"));
    assert_eq!(
        (span.value.as_deref(), span.subject.as_deref()),
        (Some("a@b.c"), Some("contact:1"))
    );
    assert_eq!((&*span.plugin, span.confidence, span.party), ("p0", 90, Party::Customer));
    assert_eq!(seen.labels.into_iter().collect::<Vec<_>>(), ["odd"]);
    assert!(seen.looked.contains("p0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_asked_only_for_what_it_looks_at() {
    let plugins = set(&[Guest::finding(&[])], |entry| {
        entry.phases = Some([Phase::Answer].into());
        entry.tools = Some(["get_contact".to_owned()].into());
    });
    for (phase, tool, asked) in [
        (Phase::Answer, "get_contact", true),
        (Phase::Answer, "get_company", false),
        (Phase::Answer, "", false),
        (Phase::Call, "get_contact", false),
    ] {
        assert_eq!(plugins.looks_at(phase, tool), asked, "{phase:?} {tool}");
        let seen = plugins.inspect(phase, tool, &leaves(&["x"]), &nothing()).await;
        assert_eq!(!seen.looked.is_empty(), asked, "{phase:?} {tool}");
    }
    let none = Plugins::none();
    assert!(none.is_empty() && !none.looks_at(Phase::Call, "") && none.facts().is_empty());
}

/// `allow` is no word of the contract; what is said by one plugin stays, whatever others say.
#[tokio::test(flavor = "multi_thread")]
async fn an_opinion_only_tightens() {
    let rows = [
        (vec![Guest::opinion(None), Guest::opinion(Some((0, "wait")))], Verdict::Hold),
        (vec![Guest::opinion(Some((1, "no"))), Guest::opinion(Some((0, "wait")))], Verdict::Deny),
        (vec![Guest::opinion(Some((1, "no"))), Guest::opinion(None)], Verdict::Deny),
    ];
    for (guests, verdict) in rows {
        let plugins = set(&guests, |_| {});
        let seen = look(&plugins, &["x"]).await;
        let decision = crate::domain::decide(
            crate::domain::Question::Admit,
            plugins.revision(),
            seen.findings.clone(),
        );
        assert_eq!(decision.verdict, verdict);
        assert!(decision.faults.is_empty());
        // Its words are for records and approvers.
        assert!(seen.findings.iter().flat_map(|it| &it.reasons).all(|reason| reason.internal));
    }
    let seen = look(&set(&[Guest::opinion(Some((2, "allow")))], |_| {}), &["x"]).await;
    assert_eq!(faults(&seen), [Fault::PluginInvalidResult]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_do_not_fit_deny() {
    let of = |leaf, start, end| Found::of(leaf, start, end);
    let rows: Vec<(Guest, &str)> = vec![
        (Guest::finding(&[of(2, 0, 1)]), "a leaf that there is not"),
        (Guest::finding(&[of(u32::MAX, 0, 1)]), "a leaf that there is not"),
        (Guest::finding(&[of(0, 0, 7)]), "outside its leaf"),
        (Guest::finding(&[of(0, 2, 2)]), "empty"),
        (Guest::finding(&[of(0, 3, 2)]), "empty"),
        (Guest::finding(&[of(0, u32::MAX, 1)]), "empty"),
        (Guest::finding(&[of(0, 1, 3)]), "inside a character"),
        (Guest::finding(&[of(0, 0, 1)]), "inside a character"),
        (Guest::finding(&[Found { kind: "phone", ..of(0, 0, 2) }]), "kind that is not announced"),
        (Guest::finding(&[Found { confidence: 101, ..of(0, 0, 2) }]), "over 100"),
        (Guest::finding(&[Found { reason: "\u{e9}", ..of(0, 0, 2) }]), "plain ASCII"),
        (Guest::finding(&[Found { part: Some("First"), ..of(0, 0, 2) }]), "part"),
        (Guest::finding(&[Found { value: Some(""), ..of(0, 0, 2) }]), "value"),
        (Guest::finding(&[Found { subject: Some(""), ..of(0, 0, 2) }]), "subject"),
        (Guest::finding(&[Found { party: 4, ..of(0, 0, 2) }]), "cannot be read"),
        (Guest::finding(&[]).labelled(&["other"]), "label"),
        (Guest::looking("(i32.const 3)"), "not aligned"),
        (Guest::looking("(i32.const -4)"), "out of bounds"),
        (Guest::report_of(&[("findings", 0, 1 << 20)]), "out of bounds"),
        (Guest::report_of(&[("findings", 0, 150_000)]), "cannot be read"),
        (Guest::report_of(&[("labels", 0, u32::MAX)]), "cannot be read"),
    ];
    for (guest, expected) in rows {
        let seen = look(&set(&[guest], |_| {}), &["\u{e9}\u{e9}ab", "x"]).await;
        assert_eq!(faults(&seen), [Fault::PluginInvalidResult], "{expected}");
        let text = &seen.findings[0].reasons[0].text;
        assert!(text.contains(expected), "{text}, not {expected}");
        assert!(seen.spans.is_empty() && seen.labels.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_a_document_is_not_handed_over() {
    let plugins = set(&[Guest::finding(&[])], |entry| entry.memory = 1 << 20);
    let seen = look(&plugins, &["x".repeat(600 * 1024).as_str()]).await;
    assert_eq!(faults(&seen), [Fault::PluginInputTooLarge]);
    assert!(faults(&look(&plugins, &["x".repeat(300 * 1024).as_str()]).await).is_empty());
}

/// Whoever tries a plugin out sees what it writes; on the road nobody does.
#[test]
fn lines_are_cut_counted_and_marked() {
    let host = Host::start().unwrap();
    let component = Component::compile(&host, &Guest::logging(100).bytes()).unwrap();
    let on = Trial {
        phase: Phase::Answer,
        tool: "",
        leaves: &[leaf("x")],
        dictionary: &[],
        config: None,
    };
    let seen = component.attempt(&host, &Bounds::default(), &on).unwrap();
    assert_eq!(seen.log.len(), 16);
    assert!(seen.log.iter().all(|line| line == "info: hello world"), "{:?}", seen.log);
    let failing = Component::compile(&host, &Guest::refusing("no\u{1b}[31m way").bytes()).unwrap();
    let words = failing.attempt(&host, &Bounds::default(), &on).unwrap_err();
    assert_eq!(words, "it says: no[31m way");
}
