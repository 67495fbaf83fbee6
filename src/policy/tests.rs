//! Tests of whole rulesets: what the shipped rules decide, what load refuses, what faults become,
//! and that bytecode and interpreter agree.

mod agree;
mod answers;
mod decide;
mod explain;
mod faults;
mod mutation;
mod refuse;
mod security;
mod testing;
mod warned;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::bundle::{File, FileKind};
use super::*;
use crate::domain::{
    CallId, Effect, JsonText, PrincipalKind, Revision, Subject, Timestamp, TrailView,
};
use crate::intercom::records::Content;

fn facts() -> Facts {
    Facts {
        now: Timestamp::from_millis(1_700_000_000_123),
        environment: "test".into(),
        trail: TrailView::default(),
        seen: std::sync::Arc::default(),
    }
}

/// An answer without content.
fn nothing(kind: AnswerKind, method: Option<String>, bytes: u64) -> AnswerFacts {
    AnswerFacts { kind, method, bytes, content: Content::nothing() }
}

fn principal(roles: &[&str]) -> Principal {
    Principal {
        id: "bot".parse().unwrap(),
        kind: PrincipalKind::Agent,
        roles: roles.iter().map(ToString::to_string).collect(),
        groups: Vec::new(),
        attributes: BTreeMap::new(),
        on_behalf_of: Some(String::from("ann")),
    }
}

fn call(roles: &[&str], method: &str, subject: Subject, payload: &str) -> Call {
    Call {
        id: CallId(uuid::Uuid::nil()),
        at: facts().now,
        principal: Arc::new(principal(roles)),
        revision: Revision::V2025_11_25,
        client: ClientHint {
            name: String::from("client"),
            version: String::from("1"),
            address: None,
        },
        method: method.to_owned(),
        subject,
        payload: JsonText::from_valid(payload.to_owned().into()),
        continuation: None,
        meta: crate::domain::CallMeta::default(),
    }
}

fn tool_call(roles: &[&str], name: &str, effect: Effect, payload: &str) -> Call {
    let definition = Some(Digest::of("test", &[]));
    let subject = Subject::Tool { name: name.to_owned(), effect, definition };
    call(roles, "tools/call", subject, payload)
}

fn folder(name: &str) -> Source {
    Source::Folder(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies").join(name))
}

fn load(source: &Source) -> Ruleset {
    Ruleset::load(source).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The library, and rules that only deny except where `rules` says otherwise: pairs of file name
/// and text. A `portcullis.rules.*` package that is missing is filled in.
fn bundle(rules: &[(&str, &str)]) -> Vec<File> {
    let mut files = bundle::files(&Source::Shipped).unwrap();
    files.retain(|file| file.kind == FileKind::Library);
    for (name, text) in rules {
        let kind = match *name {
            name if name.ends_with("_test.rego") => FileKind::Tests,
            name if name.ends_with(".cases.yaml") => FileKind::Cases,
            name if name.ends_with(".json") || name.ends_with(".yaml") => FileKind::Data,
            _ => FileKind::Rules,
        };
        files.push(File { name: (*name).to_owned(), text: (*text).to_owned(), kind });
    }
    for question in Question::ALL.map(Question::as_str) {
        let package = format!("package portcullis.rules.{question}\n");
        if !rules.iter().any(|(_, text)| text.starts_with(&package)) {
            let rule = match question {
                "visible" => "hide contains \"nothing\"",
                _ => "deny contains {\"rule\": \"filler\", \"text\": \"filler\"}",
            };
            let (name, text) = (format!("filler_{question}.rego"), package + "\n" + rule + "\n");
            files.push(File { name, text, kind: FileKind::Rules });
        }
    }
    files
}

fn admit(body: &str) -> String {
    format!("package portcullis.rules.admit\n\nimport rego.v1\n\n{body}\n")
}
