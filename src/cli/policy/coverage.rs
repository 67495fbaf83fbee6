//! `portcullis policy coverage`: which lines the tests evaluate.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use crate::cli::report::{Format, Item, Report, colour};
use crate::cli::shown;
use crate::policy::{FileCoverage, Source, TestOutcome, TestResult, test};

/// What is looked at, and how it is told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's.
    folder: Option<PathBuf>,
    /// How to say it.
    #[arg(long, value_enum, default_value = "pretty")]
    format: Output,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// The files with a mark at each line.
    Pretty,
    /// One JSON object.
    Json,
}

pub(super) fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let source = super::source(config, args.folder)?;
    let run = match test(&source, &|_| true, true) {
        Ok(run) => run,
        Err(errors) => {
            let report = Report {
                items: errors.problems().iter().cloned().map(Item::found).collect(),
                ..Report::of("policy coverage", &source)
            };
            let format = match args.format {
                Output::Pretty => Format::Pretty,
                Output::Json => Format::Json,
            };
            return report.print(format);
        }
    };
    let percent = FileCoverage::percent(&run.coverage);
    let is_failed = |it: &&TestResult| matches!(it.outcome, TestOutcome::Failed(_));
    let failed: Vec<&str> = run.results.iter().filter(is_failed).map(|it| &*it.name).collect();
    match args.format {
        Output::Json => {
            let files: Vec<Json> = run.coverage.iter().map(json).collect();
            println!("{:#}", json!({"percent": percent, "files": files, "failed": failed}));
        }
        Output::Pretty => {
            for file in &run.coverage {
                print(&source, file);
            }
            println!(
                "{percent:.1} % of the lines of rules were evaluated by the tests. Evaluated does \
                 not mean satisfied: a condition that was never true counts as well."
            );
            for name in &failed {
                println!("FAIL {}; `portcullis policy test` says why", shown(name));
            }
        }
    }
    // What a failed test evaluated says nothing of what is tested.
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file for machines.
pub(super) fn json(file: &FileCoverage) -> Json {
    json!({
        "file": file.file,
        "percent": FileCoverage::percent(std::slice::from_ref(file)),
        "covered": file.covered,
        "not_covered": file.not_covered,
    })
}

fn print(source: &Source, file: &FileCoverage) {
    let percent = FileCoverage::percent(std::slice::from_ref(file));
    println!("{}  {percent:.1} %", file.file);
    let texts = source.texts();
    let text = texts.iter().find(|(name, _)| *name == file.file).map_or("", |(_, text)| text);
    for (number, line) in (1_u32..).zip(text.lines()) {
        let (mark, paint) = if file.covered.contains(&number) {
            ('+', "32")
        } else if file.not_covered.contains(&number) {
            ('-', "31")
        } else {
            (' ', "0")
        };
        let line = format!("{mark} {number:>4}  {}", shown(&line.replace('\t', "    ")));
        if colour() {
            println!("\u{1b}[{paint}m{line}\u{1b}[0m");
        } else {
            println!("{line}");
        }
    }
    println!();
}
