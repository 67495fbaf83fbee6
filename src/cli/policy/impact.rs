//! `portcullis policy impact`: what a change of the policies would have done to recorded traffic.
//!
//! Reads the data folder, also while the server runs, and changes nothing in it. Nothing is sent.

mod machine;
mod page;
mod pretty;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use askama::Template as _;

use crate::clock;
use crate::config::{self, Config, Keep};
use crate::domain::{Question, Timestamp};
use crate::policy::{Bundle, Replay, Source};
use crate::replay::{Change, Comparison, Impact, Log, Past, Why, fixtures};
use crate::rollout;
use crate::store::Sealer;
use crate::tape::{self, Reader};

/// What is compared with what, and how it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "What rules were asked is kept if the configuration says so:\n\n  \
    replay: { keep: calls }     what `admit` was asked\n  \
    replay: { keep: answers }   also what `disclose` was asked, so that redaction is compared\n\n\
    In CI, where there is no log, compare with recorded cases: --fixtures DIR. \
    `portcullis policy record` makes them.\n\n\
    Exit status: 0 if nothing is found that `--fail-on` names, 1 if something is, 2 if nothing could \
    be asked again.")]
pub(in crate::cli) struct Args {
    /// The candidate: its folder, or its bundle in one file.
    #[arg(long, value_name = "DIR")]
    candidate: PathBuf,
    /// Compare on recorded traffic; what is done if `--fixtures` is not given.
    #[arg(long, conflicts_with = "fixtures")]
    from_audit: bool,
    /// Compare on the cases (`*.cases.yaml`) of a folder.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// How far back, such as `36h` or `7d`.
    #[arg(long, default_value = "7d", value_parser = span)]
    since: Duration,
    /// Compare with what this kept revision says, instead of with what was decided: digits of its
    /// digest, or its name.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// End with status 1 if there are such differences.
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// How it is told.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    #[value(alias = "table")]
    Pretty,
    /// One JSON object.
    Json,
    /// A page for a browser, in one file.
    Html,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Differences that fail a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum FailOn {
    /// The candidate lets pass what was denied.
    #[default]
    DenyToAllow,
    /// Any difference.
    Any,
    /// Nothing.
    None,
}

impl FailOn {
    fn is_on(self, change: Change) -> bool {
        match self {
            Self::DenyToAllow => change == Change::DenyToAllow,
            Self::Any => true,
            Self::None => false,
        }
    }
}

/// What was found, with where it was looked for.
struct Found {
    impact: Impact,
    /// The candidate, as it was named.
    candidate: String,
    /// Where the past questions came from.
    from: String,
    /// What people should do to see more.
    notes: Vec<String>,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let source = Source::at(args.candidate.clone());
    let candidate = Replay::of(&Bundle::read(&source)?)?;
    let config = config.exists().then(|| Config::load(config)).transpose()?;
    let base = match (&args.base, &config) {
        (None, _) => None,
        (Some(word), Some(config)) => Some(revision(config, word)?),
        (Some(_), None) => bail!("`--base` needs a configuration, whose data folder has revisions"),
    };
    let mut comparison = Comparison::new(&candidate, base.as_ref());
    let (from, notes) = match (&args.fixtures, &config) {
        (Some(folder), _) => {
            for past in fixtures(&Source::at(folder.clone()))? {
                match past {
                    Ok(past) => drop(comparison.add(&past).await),
                    Err((question, why)) => comparison.missing(question, why, 1),
                }
            }
            (format!("the cases of `{}`", folder.display()), Vec::new())
        }
        (None, Some(config)) => {
            let since = ago(args.since);
            let unread = recorded(&mut comparison, config, since).await?;
            (format!("what was recorded since {since}"), notes(config, unread))
        }
        (None, None) => bail!(
            "there is no configuration, so no recorded traffic: name one with `--config FILE`, or \
             give `--fixtures DIR`"
        ),
    };
    let candidate_name = args.candidate.display().to_string();
    let found = Found { impact: comparison.finish(), candidate: candidate_name, from, notes };
    match args.format {
        Format::Pretty => print!("{}", pretty::text(&found)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&machine::json(&found))?),
        Format::Html => println!("{}", page::Page::of(&found).render()?),
        Format::Github | Format::Sarif => {
            let format = match args.format {
                Format::Github => crate::cli::report::Format::Github,
                _ => crate::cli::report::Format::Sarif,
            };
            machine::report(&found, &source, &candidate, args.fail_on).print(format)?;
        }
    }
    if found.impact.asked() == 0 {
        eprintln!("nothing could be asked again, so nothing is known of the candidate");
        return Ok(ExitCode::from(2));
    }
    let fails = found.impact.changes.keys().any(|change| args.fail_on.is_on(*change));
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Asks about everything that the log has since then. Gives how many parts of the tape are unreadable.
async fn recorded(
    comparison: &mut Comparison<'_>,
    config: &Config,
    since: Timestamp,
) -> anyhow::Result<u64> {
    let mut unread = 0;
    let mut log = Log::read(&config.data, since)?;
    for entry in open(config, since)? {
        let Ok(entry) = entry else {
            unread += 1;
            continue;
        };
        match entry.question {
            Question::Admit => {
                // Beyond what the log had when it was read, or before what is wanted.
                let Some(decided) = log.asked(entry.call) else { continue };
                comparison.add(&Past::of(entry, Some(decided))).await;
            }
            _ if log.answered(entry.call) => drop(comparison.add(&Past::of(entry, None)).await),
            _ => {}
        }
    }
    let (calls, answers) = log.unasked();
    comparison.missing(Question::Admit, Why::NotKept, calls);
    comparison.missing(Question::Disclose, Why::NotKept, answers);
    Ok(unread)
}

/// What can be done about what was not kept.
fn notes(config: &Config, unread: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if unread > 0 {
        notes.push(format!(
            "{unread} parts of what was kept cannot be read: they are damaged, or sealed under \
             another `pseudonyms.key`; their decisions count as not kept"
        ));
    }
    let file = config.file.as_deref().unwrap_or(Path::new("the configuration")).display();
    let advice = match config.replay.keep {
        Keep::Nothing => format!(
            "nothing is kept of what rules are asked: write `replay: {{ keep: calls }}` (or `answers`) \
             into {file} and start the server again; what comes from then on can be asked again"
        ),
        Keep::Calls => format!(
            "of answers nothing is kept, so redaction is not compared: `replay: {{ keep: answers }}` \
             in {file}"
        ),
        Keep::Answers => return notes,
    };
    notes.push(advice);
    notes
}

/// The tape of an installation.
pub(super) fn open(config: &Config, since: Timestamp) -> anyhow::Result<Reader> {
    let sealer = Sealer::load(&config.data)?;
    Ok(tape::read(&config.data, tape::lockbox(config, &sealer)?, since)?)
}

/// A kept revision, for past questions.
pub(super) fn revision(config: &Config, word: &str) -> anyhow::Result<Replay> {
    let bundle = rollout::kept_bundle(&config.data, word)?;
    Replay::of(&bundle).with_context(|| format!("the kept revision `{word}` cannot be loaded"))
}

/// The moment that lies so far back.
pub(super) fn ago(span: Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(clock::now().millis().saturating_sub(millis))
}

pub(super) fn span(text: &str) -> Result<Duration, &'static str> {
    config::span(text).ok_or("a duration is written such as `30m`, `36h` or `7d`")
}
