//! `portcullis policy test`: the tests of a bundle.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use regex::Regex;
use serde_json::json;

use super::coverage;
use crate::cli::report::{Format, Item, Outcome, Report};
use crate::policy::{FileCoverage, Kind, Problem, Source, TestOutcome, TestResult, test};

/// What is tested, and how it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = super::CHECKED)]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's.
    folder: Option<PathBuf>,
    /// Run only tests whose name matches; `package.test_name`, or `file: name` of a case.
    #[arg(long, short, value_name = "REGEX")]
    run: Option<Regex>,
    /// Also name the tests that passed.
    #[arg(long, short)]
    verbose: bool,
    /// Say which part of the lines was evaluated.
    #[arg(long)]
    coverage: bool,
    /// Fail if less than so many per cent of the lines were evaluated.
    #[arg(long, value_name = "PERCENT")]
    threshold: Option<f64>,
    /// Run again whenever the bundle changes.
    #[arg(long, short)]
    watch: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
}

/// How often a watched bundle is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let source = super::source(config, args.folder.clone())?;
    loop {
        let before = source.fingerprint();
        let code = once(&source, &args)?;
        if !args.watch {
            return Ok(code);
        }
        println!("watching for changes (Ctrl-C ends)");
        while source.fingerprint() == before {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn once(source: &Source, args: &Args) -> anyhow::Result<ExitCode> {
    let wanted = |name: &str| args.run.as_ref().is_none_or(|run| run.is_match(name));
    let with_coverage = args.coverage || args.threshold.is_some();
    let mut report = Report { verbose: args.verbose, ..Report::of("policy test", source) };
    match test(source, &wanted, with_coverage) {
        Ok(run) => {
            report.items.extend(run.results.into_iter().map(item));
            if with_coverage {
                covered(&mut report, &run.coverage, args.threshold);
            }
            if report.items.is_empty() {
                report.notes.push("no test was run".to_owned());
            }
        }
        Err(errors) => report.items.extend(errors.problems().iter().cloned().map(Item::found)),
    }
    report.print(args.format).context("cannot write the report")
}

fn item(result: TestResult) -> Item {
    Item {
        name: result.name,
        file: result.file,
        line: result.line,
        outcome: match result.outcome {
            TestOutcome::Passed => Outcome::Passed,
            TestOutcome::Skipped => Outcome::Skipped,
            TestOutcome::Failed(problem) => Outcome::Found(problem.into()),
        },
        output: result.prints,
        took: Some(result.took),
    }
}

fn covered(report: &mut Report, files: &[FileCoverage], threshold: Option<f64>) {
    let percent = FileCoverage::percent(files);
    report.notes.push(format!("coverage: {percent:.1} % of the lines of rules were evaluated"));
    let files_json: Vec<_> = files.iter().map(coverage::json).collect();
    report.more.push(("coverage", json!({"percent": percent, "files": files_json})));
    if let Some(threshold) = threshold.filter(|threshold| percent < *threshold) {
        let text = format!("{percent:.1} % of the lines are covered, {threshold} % are demanded");
        report.items.push(Item::found(Problem::of_bundle(text).of(Kind::Coverage)));
    }
}
