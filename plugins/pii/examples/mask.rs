//! Masks payloads, one a line, as the development set has them: `mask < payloads.jsonl > out.jsonl`.
//!
//! It makes leaves as the contract says, keeps one dictionary per session, and puts a token over each
//! finding, so that the scorer can say what leaked. With `--bench N` it prints times instead.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for people who measure"
)]

use kit::{Document, Entry, Finding, Form, Leaf, Party, Phase};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

/// Collects the leaves of a value, in its order.
fn collect(value: &Value, path: &str, depth: u8, out: &mut Vec<Leaf>) {
    let mut push = |text: &str, path: &str, form| {
        let path = path.to_owned();
        out.push(Leaf {
            document: 1,
            path,
            text: text.to_owned(),
            form,
            owner: None,
            party: Party::Unknown,
        });
    };
    match value {
        Value::String(text) => match packed(text, depth) {
            Some(inner) => collect(&inner, path, depth + 1, out),
            None => push(
                text,
                path,
                if text.contains('<') || text.contains('&') { Form::Html } else { Form::Text },
            ),
        },
        Value::Number(number) => {
            let text = number.to_string();
            if text.len() >= 7 {
                push(&text, path, Form::Number);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                collect(item, &format!("{path}/{n}"), depth, out);
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                if !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                    out.push(Leaf {
                        path: path.clone(),
                        text: key.clone(),
                        form: Form::Key,
                        document: 1,
                        ..Leaf::default()
                    });
                }
                collect(item, &path, depth, out);
            }
        }
        _ => {}
    }
}

/// JSON that is packed in a string.
fn packed(text: &str, depth: u8) -> Option<Value> {
    (depth < 2 && text.starts_with(['{', '['])).then(|| serde_json::from_str(text).ok()).flatten()
}

/// A text with tokens over its findings.
fn masked(text: &str, findings: &[&Finding]) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for finding in findings {
        let bytes = finding.bytes();
        if bytes.start < from {
            continue;
        }
        out.push_str(&text[from..bytes.start]);
        let plain = finding
            .subject
            .clone()
            .or_else(|| finding.value.clone())
            .unwrap_or_else(|| text[bytes.clone()].to_owned());
        let hash = plain
            .bytes()
            .fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        out.push_str(&format!("[[{}:{:06x}]]", finding.kind, hash & 0xff_ffff));
        from = bytes.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Writes a value with the leaves' new texts, in the order of `collect`.
fn rebuild(value: &Value, depth: u8, next: &mut dyn FnMut() -> Option<String>) -> Value {
    match value {
        Value::String(text) => match packed(text, depth) {
            Some(inner) => {
                let new = rebuild(&inner, depth + 1, next);
                if new == inner { value.clone() } else { Value::String(new.to_string()) }
            }
            None => next().map_or_else(|| value.clone(), Value::String),
        },
        Value::Number(number) if number.to_string().len() >= 7 => {
            next().map_or_else(|| value.clone(), Value::String)
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|i| rebuild(i, depth, next)).collect())
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, item)| {
                    let plain = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                    let key =
                        if plain { key.clone() } else { next().unwrap_or_else(|| key.clone()) };
                    (key, rebuild(item, depth, next))
                })
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// What a later answer of the session may repeat.
fn remember(document: &Document, findings: &[Finding], to: &mut Vec<Entry>) {
    for finding in findings.iter().filter(|f| f.reason == "field" && f.party != Party::Teammate) {
        let text = document.leaves[finding.leaf as usize].text[finding.bytes()].to_owned();
        let entry = Entry {
            kind: finding.kind.to_owned(),
            value: finding.value.clone().unwrap_or(text),
            subject: finding.subject.clone(),
        };
        if !to.contains(&entry) {
            to.push(entry);
        }
    }
}

/// The default policy of the shipped bundle, as far as it matters here.
fn wanted(tool: &str, finding: &Finding) -> bool {
    let public = tool.contains("article");
    finding.confidence >= 50
        && (!public
            || matches!(finding.kind, "secret" | "password" | "card" | "iban")
            || finding.reason == "field" && finding.kind != "person")
}

fn bench(lines: &[Value], rounds: usize) {
    let config = pii::Config::default();
    let documents: Vec<(usize, Document)> = lines
        .iter()
        .map(|line| {
            let mut leaves = Vec::new();
            collect(&line["payload"], "", 0, &mut leaves);
            let document = Document {
                phase: Phase::Answer,
                tool: line["tool"].as_str().unwrap_or_default().to_owned(),
                leaves,
                dictionary: Vec::new(),
            };
            (line["payload"].to_string().len(), document)
        })
        .filter(|(size, _)| (8_000..=40_000).contains(size))
        .collect();
    // The best of each payload's rounds is what the work costs; the rest is the machine.
    let mut best = vec![f64::MAX; documents.len()];
    let mut times = Vec::new();
    for _ in 0..rounds {
        for ((_, document), best) in documents.iter().zip(&mut best) {
            let start = Instant::now();
            std::hint::black_box(pii::inspect(document, &config));
            let ms = start.elapsed().as_secs_f64() * 1e3;
            *best = best.min(ms);
            times.push(ms);
        }
    }
    let show = |name: &str, times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let at = |p: f64| times.get((times.len() as f64 * p) as usize).copied().unwrap_or_default();
        println!("{name}: p50 {:.3} ms, p90 {:.3} ms, p99 {:.3} ms", at(0.5), at(0.9), at(0.99));
    };
    let bytes: usize = documents.iter().map(|d| d.0).sum();
    println!(
        "{} payloads of 8-40 KB, mean {} bytes",
        documents.len(),
        bytes / documents.len().max(1)
    );
    show("all runs", &mut times);
    show("best of each payload", &mut best);
}

fn main() {
    let lines: Vec<Value> = std::io::stdin()
        .lock()
        .lines()
        .map(|l| serde_json::from_str(&l.unwrap()).unwrap())
        .collect();
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|a| a == "--bench") {
        bench(&lines, arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(50));
        return;
    }
    let explain = arguments.get(1).is_some_and(|a| a == "--explain");
    let config = pii::Config::default();
    let mut sessions: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut to = std::io::BufWriter::new(std::io::stdout().lock());
    for line in &lines {
        let tool = line["tool"].as_str().unwrap_or_default();
        let session = line["session"].as_str().map(str::to_owned);
        let mut leaves = Vec::new();
        collect(&line["payload"], "", 0, &mut leaves);
        let dictionary =
            session.as_ref().and_then(|s| sessions.get(s)).cloned().unwrap_or_default();
        let document = Document { phase: Phase::Answer, tool: tool.to_owned(), leaves, dictionary };
        let start = Instant::now();
        let report = pii::inspect(&document, &config);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        if explain {
            for f in &report.findings {
                let leaf = &document.leaves[f.leaf as usize];
                writeln!(
                    to,
                    "{} {} {:?} {} {} {} {:?} {:?} {:?}",
                    line["id"],
                    leaf.path,
                    &leaf.text[f.bytes()],
                    f.kind,
                    f.confidence,
                    f.reason,
                    f.value,
                    f.subject,
                    f.party
                )
                .unwrap();
            }
            continue;
        }
        let mut n = 0;
        let new = rebuild(&line["payload"], 0, &mut || {
            let findings: Vec<&Finding> = report
                .findings
                .iter()
                .filter(|f| f.leaf as usize == n && wanted(tool, f))
                .collect();
            let text = &document.leaves[n].text;
            n += 1;
            (!findings.is_empty()).then(|| masked(text, &findings))
        });
        if let Some(session) = session {
            remember(&document, &report.findings, sessions.entry(session).or_default());
        }
        writeln!(to, "{}", serde_json::json!({"id": line["id"], "payload": new, "ms": ms}))
            .unwrap();
    }
}
