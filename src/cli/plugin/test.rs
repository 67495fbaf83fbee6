//! `portcullis plugin test`: golden cases, as a plugin is asked on the road.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use regex::Regex;

use super::cases::{self, Case, Expected};
use super::opened::{Bounded, Opened};
use crate::cli::report::{Format, Found, Item, Outcome, Report};
use crate::domain::{Leaf, Span};
use crate::plugin::Seen;
use crate::policy::Severity;
use crate::yaml::Position;

/// What is tested, and how it is told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component: a file, or the name of a plugin that is shipped.
    plugin: PathBuf,
    /// The cases.
    #[arg(default_value = "cases.yaml")]
    cases: PathBuf,
    /// Run only cases whose name matches.
    #[arg(long, short, value_name = "REGEX")]
    run: Option<Regex>,
    /// Also name the cases that passed.
    #[arg(long, short)]
    verbose: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    #[command(flatten)]
    bounds: Bounded,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shown = args.cases.display();
    let text = std::fs::read_to_string(&args.cases)
        .with_context(|| format!("cannot read the cases `{shown}`"))?;
    let file = shown.to_string();
    let (cases, wrong) = cases::read(&text);
    let mut report = Report {
        command: "plugin test",
        folder: None,
        texts: [(file.clone(), text)].into(),
        strict: false,
        verbose: args.verbose,
        items: Vec::new(),
        more: Vec::new(),
        notes: Vec::new(),
    };
    report.items.extend(wrong.iter().map(|it| Item::found(unreadable(&file, it.at, &it.text))));
    if wrong.is_empty() {
        let plugin = Opened::open(&args.plugin, &args.bounds)?;
        for (at, case) in cases {
            if args.run.as_ref().is_none_or(|run| run.is_match(&case.name)) {
                report.items.push(decided(&plugin, &file, at, &case));
            }
        }
        report.notes.extend(report.items.is_empty().then(|| "no case was run".to_owned()));
        report.more.push(("plugin", plugin.json()));
        report.notes.push(plugin.to_string());
    }
    report.print(args.format).context("cannot write the report")
}

fn decided(plugin: &Opened, file: &str, at: Position, case: &Case) -> Item {
    let began = Instant::now();
    let leaves = case.leaves();
    let seen =
        plugin.ask(case.phase(), &case.tool, &leaves, &case.dictionary(), case.config.as_ref());
    let took = began.elapsed();
    let differences = match (&seen, case.expect.failure) {
        (Ok(seen), false) => differences(case, &leaves, seen),
        (Ok(_), true) => vec!["it did not fail".to_owned()],
        (Err(_), true) => Vec::new(),
        (Err(failure), false) => vec![format!("it failed: {failure}")],
    };
    let outcome = if differences.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Found(found(file, at, differences.join("; ")))
    };
    Item {
        name: case.name.clone(),
        file: file.to_owned(),
        line: u32::try_from(at.line).unwrap_or(u32::MAX),
        outcome,
        output: seen.map(|seen| seen.log).unwrap_or_default(),
        took: Some(took),
    }
}

fn found(file: &str, at: Position, text: String) -> Found {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Found {
        code: "plugin/case",
        help: "the case says what the plugin must find, whole: correct whichever is wrong",
        severity: Severity::Error,
        file: file.to_owned(),
        line: number(at.line),
        column: number(at.column),
        text,
    }
}

fn unreadable(file: &str, at: Position, text: &str) -> Found {
    Found {
        code: "plugin/cases",
        help: "a case has `name`, `leaves` and `expect`; see plugins/README.md",
        ..found(file, at, text.to_owned())
    }
}

/// What was seen otherwise than expected.
fn differences(case: &Case, leaves: &[Leaf], seen: &Seen) -> Vec<String> {
    let mut differences = Vec::new();
    if let Some(expected) = &case.expect.findings {
        differences.extend(of_findings(expected, leaves, &seen.spans));
    }
    if let Some(expected) = &case.expect.labels {
        let expected: BTreeSet<String> = expected.iter().cloned().collect();
        if expected != seen.labels {
            let words = |labels: &BTreeSet<String>| {
                Vec::from_iter(labels.iter().map(String::as_str)).join(", ")
            };
            let (given, expected) = (words(&seen.labels), words(&expected));
            differences.push(format!("its labels are [{given}], not [{expected}]"));
        }
    }
    let said = seen.opinion.as_ref().map(|(verdict, _)| *verdict);
    if case.expect.opinion.is_some_and(|expected| expected.verdict() != said) {
        differences.push(match &seen.opinion {
            None => "it has no opinion".to_owned(),
            Some((verdict, why)) => format!("its opinion is {verdict}: {why}"),
        });
    }
    differences
}

/// Each expected finding takes the first that fits; what is left on either side differs.
fn of_findings(expected: &[Expected], leaves: &[Leaf], spans: &[Span]) -> Vec<String> {
    let mut left: Vec<&Span> = spans.iter().collect();
    let mut differences = Vec::new();
    for one in expected {
        match left.iter().position(|span| fits(one, leaves, span)) {
            Some(index) => {
                left.remove(index);
            }
            None => differences.push(match left.iter().find(|span| stands(one, leaves, span)) {
                Some(span) => format!("`{}` is found as {}", one.text, described(span)),
                None => format!("`{}` in leaf {} is not found as {}", one.text, one.leaf, one.kind),
            }),
        }
    }
    let is_told = |span: &Span| expected.iter().any(|one| stands(one, leaves, span));
    differences.extend(left.iter().filter(|span| !is_told(span)).map(|span| {
        format!(
            "`{}` in leaf {} is also found, as {}",
            text(leaves, span),
            span.leaf,
            described(span)
        )
    }));
    differences
}

fn text<'a>(leaves: &'a [Leaf], span: &Span) -> &'a str {
    leaves.get(span.leaf).and_then(|leaf| leaf.text.get(span.bytes.clone())).unwrap_or_default()
}

/// Whether it is the same place and kind.
fn stands(one: &Expected, leaves: &[Leaf], span: &Span) -> bool {
    one.leaf == span.leaf
        && one.kind == span.kind
        && one.text == text(leaves, span)
        && one.start.is_none_or(|start| start == span.bytes.start)
}

fn fits(one: &Expected, leaves: &[Leaf], span: &Span) -> bool {
    let same = |expected: &Option<String>, found: Option<&str>| {
        expected.as_deref().is_none_or(|expected| Some(expected) == found)
    };
    stands(one, leaves, span)
        && one.confidence.is_none_or(|confidence| confidence == span.confidence)
        && same(&one.reason, Some(&span.reason))
        && same(&one.value, span.value.as_deref())
        && same(&one.subject, span.subject.as_deref())
        && same(&one.part, span.part.as_deref())
        && one.party().is_none_or(|party| party == span.party)
}

/// A finding in words, without its text.
fn described(span: &Span) -> String {
    let mut words = format!(
        "{} at byte {}, {} %, {}",
        span.kind, span.bytes.start, span.confidence, span.reason
    );
    for (name, value) in [("value", &span.value), ("subject", &span.subject), ("part", &span.part)]
    {
        if let Some(value) = value {
            words.push_str(&format!(", {name} `{value}`"));
        }
    }
    words.push_str(&format!(", party {}", span.party.as_str()));
    words
}
