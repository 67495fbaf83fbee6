//! Prints what is found in payloads: `scan FILE.jsonl`, each line an object with `payload`, or a
//! payload. For measuring on material of one's own.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a tool for measuring; it prints, and may stop"
)]

use kit::{Document, Form, Leaf, Phase};
use serde_json::Value;

fn leaves(value: &Value, path: &str, out: &mut Vec<Leaf>) {
    match value {
        Value::String(text) => {
            let form =
                if text.contains('<') && text.contains('>') { Form::Html } else { Form::Text };
            out.push(Leaf { path: path.to_owned(), text: text.clone(), form, ..Leaf::default() });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| leaves(item, &format!("{path}/{n}"), out))
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| leaves(member, &format!("{path}/{key}"), out))
        }
        _ => {}
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: scan FILE.jsonl [call|definition]")?;
    let phase = match std::env::args().nth(2).as_deref() {
        Some("call") => Phase::Call,
        Some("definition") => Phase::Definition,
        _ => Phase::Answer,
    };
    for line in std::fs::read_to_string(file)?.lines() {
        let value: Value = serde_json::from_str(line)?;
        let payload = if value["payload"].is_null() { &value } else { &value["payload"] };
        let mut document = Document { phase, ..Document::default() };
        leaves(payload, "", &mut document.leaves);
        let report = injection::look(&document, &injection::Config::default());
        for f in report.findings {
            let leaf = &document.leaves[f.leaf as usize];
            println!(
                "{}\t{}\t{}\t{}\t{}\t{}",
                value["id"],
                leaf.path,
                f.kind,
                f.confidence,
                f.reason,
                &leaf.text[f.bytes()]
            );
        }
    }
    Ok(())
}
