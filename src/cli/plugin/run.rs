//! `portcullis plugin run`: one document through one plugin, and what it sees in it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value as Json, json};

use super::opened::{Bounded, Opened};
use crate::cli::shown;
use crate::domain::{Form, JsonText, Leaf, Party, Phase, Span};
use crate::plugin::Seen;
use crate::redact::Payload;

/// What is looked at, and how it is told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component: a file, or the name of a plugin that is shipped.
    plugin: PathBuf,
    /// What it looks at: a call (`tool`, `arguments`) or an answer in JSON, or a plain text; `-` for
    /// standard input.
    #[arg(long, short)]
    input: PathBuf,
    /// The tool, if the input does not say.
    #[arg(long, short, default_value = "")]
    tool: String,
    /// What the input is, if it does not say: a call has `arguments`, everything else is an answer.
    #[arg(long, value_enum)]
    phase: Option<PhaseWord>,
    /// The plugin's configuration, in JSON.
    #[arg(long, value_name = "JSON", value_parser = config)]
    settings: Option<Json>,
    /// For machines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    bounds: Bounded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PhaseWord {
    Call,
    Answer,
    Definition,
}

fn config(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Characters of a text on both sides of what was found in it.
const AROUND: usize = 36;

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = read(&args.input)?;
    let (phase, tool, leaves) = document(args, &text)?;
    let plugin = Opened::open(&args.plugin, &args.bounds)?;
    let seen = plugin.ask(phase, &tool, &leaves, &[], args.settings.as_ref());
    let seen = seen.map_err(|failure| anyhow::anyhow!("the plugin failed: {failure}"))?;
    if args.json {
        println!("{:#}", for_machines(&plugin, &leaves, &seen));
    } else {
        print!("{}", for_people(&leaves, &seen));
        println!("{} texts, {} findings; {plugin}", leaves.len(), seen.spans.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// What the input is, the tool it is of, and its texts.
fn document(args: &Args, text: &str) -> anyhow::Result<(Phase, String, Vec<Leaf>)> {
    let phase = |natural| match args.phase {
        None => natural,
        Some(PhaseWord::Call) => Phase::Call,
        Some(PhaseWord::Answer) => Phase::Answer,
        Some(PhaseWord::Definition) => Phase::Definition,
    };
    let Ok(json) = serde_json::from_str::<Json>(text) else {
        let words = Leaf {
            document: 0,
            path: "$".to_owned(),
            text: text.trim_end_matches('\n').to_owned(),
            form: if text.trim_start().starts_with('<') { Form::Html } else { Form::Text },
            owner: None,
            party: Party::Unknown,
        };
        return Ok((phase(Phase::Answer), args.tool.clone(), vec![words]));
    };
    // A message of the protocol, or what is in it.
    let call = json.get("params").unwrap_or(&json);
    if let Some(arguments) = call.get("arguments") {
        let named = call.get("name").or_else(|| call.get("tool")).and_then(Json::as_str);
        let tool = named.unwrap_or(&args.tool).to_owned();
        return Ok((phase(Phase::Call), tool, leaves(arguments, Payload::of_arguments)?));
    }
    let result = json.get("result").unwrap_or(&json);
    let leaves = if result.get("content").is_some_and(Json::is_array) {
        leaves(result, |text| Payload::of_result(text, None))?
    } else {
        leaves(result, Payload::of_arguments)?
    };
    Ok((phase(Phase::Answer), args.tool.clone(), leaves))
}

fn leaves<E: std::error::Error + Send + Sync + 'static>(
    json: &Json,
    payload: impl FnOnce(&JsonText) -> Result<Payload, E>,
) -> anyhow::Result<Vec<Leaf>> {
    let text = JsonText::of(json);
    Ok(payload(&text).context("the input cannot be taken apart")?.leaves().to_vec())
}

fn for_machines(plugin: &Opened, leaves: &[Leaf], seen: &Seen) -> Json {
    let findings: Vec<Json> = seen
        .spans
        .iter()
        .map(|span| {
            let leaf = leaves.get(span.leaf);
            json!({
                "leaf": span.leaf,
                "path": leaf.map(|leaf| leaf.path.as_str()),
                "start": span.bytes.start,
                "end": span.bytes.end,
                "text": leaf.and_then(|leaf| leaf.text.get(span.bytes.clone())),
                "kind": span.kind,
                "confidence": span.confidence,
                "reason": span.reason,
                "value": span.value,
                "subject": span.subject,
                "part": span.part,
                "party": span.party.as_str(),
            })
        })
        .collect();
    let opinion =
        seen.opinion.as_ref().map(|(word, why)| json!({"verdict": word.as_str(), "text": why}));
    json!({
        "plugin": plugin.json(),
        "leaves": leaves.len(),
        "findings": findings,
        "labels": seen.labels,
        "opinion": opinion,
        "log": seen.log,
    })
}

/// Each finding under its text, in the order of the texts.
fn for_people(leaves: &[Leaf], seen: &Seen) -> String {
    let mut text = String::new();
    let mut spans: Vec<&Span> = seen.spans.iter().collect();
    spans.sort_by_key(|span| (span.leaf, span.bytes.start, span.bytes.end));
    let mut last = None;
    for span in spans {
        let Some(leaf) = leaves.get(span.leaf) else { continue };
        if last.replace(span.leaf) != Some(span.leaf) {
            text.push_str(&format!("{}\n", shown(&leaf.path)));
        }
        text.push_str(&marked(leaf, span));
    }
    for label in &seen.labels {
        text.push_str(&format!("label {label}\n"));
    }
    if let Some((word, why)) = &seen.opinion {
        text.push_str(&format!("opinion {}: {}\n", word.as_str(), shown(why)));
    }
    for line in &seen.log {
        text.push_str(&format!("log: {}\n", shown(line)));
    }
    text
}

/// A piece of the text with a mark under what was found, and what it is.
fn marked(leaf: &Leaf, span: &Span) -> String {
    let piece = |range: std::ops::Range<usize>| leaf.text.get(range).unwrap_or_default();
    let before = piece(0..span.bytes.start);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(AROUND);
    let mut head: String = before.chars().skip(skipped).collect();
    if skipped > 0 {
        head.insert(0, '…');
    }
    let behind = piece(span.bytes.end..leaf.text.len()).split('\n').next().unwrap_or_default();
    let tail: String = behind.chars().take(AROUND).collect();
    let more = if behind.chars().nth(AROUND).is_some() { "…" } else { "" };
    let (head, found, tail) = (shown(&head), shown(piece(span.bytes.clone())), shown(&tail));
    let gap = " ".repeat(head.chars().count());
    let mark = "^".repeat(found.chars().count().max(1));
    let mut facts = format!("{} {} % ({})", span.kind, span.confidence, span.reason);
    for (name, value) in [("value", &span.value), ("subject", &span.subject), ("part", &span.part)]
    {
        if let Some(value) = value {
            facts.push_str(&format!(", {name} {}", shown(value)));
        }
    }
    if span.party != Party::Unknown {
        facts.push_str(&format!(", {}", span.party.as_str()));
    }
    format!("  {head}{found}{tail}{more}\n  {gap}{mark} {facts}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bytes: std::ops::Range<usize>, expected: &str) {
        let leaf = Leaf {
            document: 0,
            path: "/a".to_owned(),
            text: text.to_owned(),
            form: Form::Text,
            owner: None,
            party: Party::Unknown,
        };
        let span = Span {
            leaf: 0,
            bytes,
            kind: "email".to_owned(),
            confidence: 90,
            reason: "shape".to_owned(),
            value: None,
            subject: None,
            part: Some("first".to_owned()),
            party: Party::Customer,
            plugin: "x".into(),
        };
        assert_eq!(marked(&leaf, &span), expected);
    }

    #[test]
    fn a_mark_stands_under_what_was_found() {
        check("ü a@b.c!", 3..8, "  ü a@b.c!\n    ^^^^^ email 90 % (shape), part first, customer\n");
        check(
            "one\ntwo three\nfour",
            4..7,
            "  two three\n  ^^^ email 90 % (shape), part first, customer\n",
        );
        let long = format!("{}x{}", "a".repeat(50), "b".repeat(50));
        let (head, tail) = ("a".repeat(36), "b".repeat(36));
        let gap = " ".repeat(37);
        check(
            &long,
            50..51,
            &format!("  …{head}x{tail}…\n  {gap}^ email 90 % (shape), part first, customer\n"),
        );
    }
}
