//! `portcullis policy shadow`: what a candidate would have decided.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::Format;
use super::status::named;
use crate::cli::shown;
use crate::config::Config;
use crate::control::{self, Answer, PolicyQuestion, Question};
use crate::domain::{JsonText, Timestamp};
use crate::gate::{Change, ShadowReport};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

const FOUND: &str = "Exit status: 0 if there is nothing that `--fail-on` names, 1 if there is or the \
                     command failed, 2 if the command line is wrong.";

/// Commands about a candidate in shadow.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Check a candidate and put it beside the road, in place of the one that is there.
    #[command(after_help = super::DONE)]
    Start {
        /// Its folder, or its bundle in one file.
        path: PathBuf,
        /// Why, for the log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take the candidate away and show what it has seen.
    #[command(after_help = FOUND)]
    Stop {
        /// Why, for the log.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Show what the candidate has seen so far.
    #[command(after_help = FOUND)]
    Report {
        /// Show it again every two seconds.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        how: How,
    },
}

/// How a report is shown and judged.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct How {
    /// For people or for machines.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// End with status 1 if there are such differences.
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,
}

/// Differences that fail a check.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    /// The candidate lets pass what is denied now.
    DenyToAllow,
    /// Any difference.
    Any,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Start { path, reason } => {
            // The server stands elsewhere.
            let path = std::path::absolute(path)?;
            super::order(config, PolicyQuestion::ShadowStart { path, reason }).await
        }
        Command::Stop { reason, how } => {
            let report = ask(config, PolicyQuestion::ShadowStop { reason }).await?;
            Ok(show(&report, how))
        }
        Command::Report { watch: false, how } => {
            Ok(show(&ask(config, PolicyQuestion::ShadowReport).await?, how))
        }
        Command::Report { watch: true, how } => loop {
            let report = ask(config, PolicyQuestion::ShadowReport).await?;
            if std::io::stdout().is_terminal() {
                // From the top of an empty screen.
                print!("\u{1b}[2J\u{1b}[H");
            }
            let code = show(&report, how);
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
            tokio::time::sleep(EVERY).await;
        },
    }
}

async fn ask(config: &Path, what: PolicyQuestion) -> anyhow::Result<ShadowReport> {
    let config = Config::load(config)?;
    match control::ask(&config.data, &Question::Policy { what }).await? {
        Answer::Shadow { report } => Ok(*report),
        _ => {
            anyhow::bail!("the running Portcullis answered something else; is it another version?")
        }
    }
}

fn show(report: &ShadowReport, how: How) -> ExitCode {
    match how.format {
        Format::Json => println!("{}", JsonText::of(report).as_str()),
        Format::Pretty => print!("{}", pretty(report)),
    }
    let found = match how.fail_on {
        None => false,
        Some(FailOn::DenyToAllow) => report.changes.contains_key(&Change::DenyToAllow),
        Some(FailOn::Any) => !report.changes.is_empty(),
    };
    if found { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Says that the process was started anew meanwhile.
pub(super) fn again(resumed: Option<Timestamp>) -> String {
    resumed.map(|at| format!(", again since {at} after a restart")).unwrap_or_default()
}

fn pretty(report: &ShadowReport) -> String {
    let (head, asked) = (&report.head, report.asked.values().sum::<u64>());
    let name = named(head.name.as_deref());
    let mut lines = vec![
        format!("candidate  {}{name}, from {}", head.revision.short(), head.source),
        format!("watches    since {}{}; it decides nothing", head.since, again(head.resumed)),
    ];
    let by_question: Vec<String> =
        report.asked.iter().map(|(question, count)| format!("{question} {count}")).collect();
    let by_question = by_question.join(", ");
    let (late, dropped) = (head.not_in_time, head.dropped);
    lines.push(format!(
        "asked      {asked} ({by_question}), {late} not answered in time, {dropped} dropped"
    ));
    if report.changes.is_empty() {
        lines.push("differs    nowhere".to_owned());
    }
    for (change, count) in &report.changes {
        lines.push(format!("differs    {count} x {}", change.as_str()));
    }
    if !report.flips.is_empty() {
        let columns = ("count", "change", "question", "tool", "principal", "rule");
        let (count, change, question, tool, principal, rule) = columns;
        lines.push(String::new());
        lines.push(format!(
            "{count:>7}  {change:<14} {question:<8} {tool:<22} {principal:<20} {rule}"
        ));
    }
    for flip in &report.flips {
        let row = &flip.row;
        let last = flip.calls.back().map(|call| format!("  last {call}")).unwrap_or_default();
        lines.push(format!(
            "{:>7}  {:<14} {:<8} {:<22} {:<20} {}{last}",
            flip.count,
            row.change.as_str(),
            row.question,
            row.tool.as_deref().unwrap_or("-"),
            row.approver.as_ref().map_or(row.principal.as_str(), |it| it.as_str()),
            row.rule,
        ));
        lines.extend(flip.demands.iter().map(|demand| format!("{:>7}  {demand}", "")));
    }
    for (count, what) in [
        (report.beyond_rows, "more differences have no row of their own"),
        (report.unrecorded, "differences are in this report only, not in the log"),
    ] {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    lines.iter().map(|line| shown(line) + "\n").collect()
}
