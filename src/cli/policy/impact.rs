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

use crate::cli::audit::call_id;
use crate::clock;
use crate::config::{self, Config, Keep};
use crate::domain::{CallId, Question, Timestamp};
use crate::policy::{Bundle, Replay, Source};
use crate::replay::{Change, Comparison, Fixture, Impact, Log, Past, Unkept, Why, fixtures};
use crate::rollout;
use crate::store::Sealer;
use crate::tape::{self, Reader};

/// How far is looked back where nothing else is said.
const BACK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The exit status if nothing could be asked again, and if something was not answered in time.
const NOTHING: u8 = 2;
const LATE: u8 = 3;

/// What is compared with what, and how it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "What rules were asked is kept if the configuration says so:\n\n  \
    replay: { keep: calls }     what `visible`, `admit` and `approve` were asked\n  \
    replay: { keep: answers }   also what `disclose` was asked, so that redaction is compared\n\n\
    In CI, where there is no log, compare with recorded cases: --fixtures DIR. \
    `portcullis policy record` makes them.\n\n\
    Exit status: 0 if nothing is found that `--fail-on` names, 1 if something is or the command \
    failed, 2 if nothing could be asked again (or the command line is wrong), 3 if nothing that \
    `--fail-on` names is found but not every question was answered in time.")]
pub(in crate::cli) struct Args {
    /// Compare on these decisions alone, by their ids as in `Record: ...`.
    #[arg(value_name = "ID", value_parser = call_id, conflicts_with = "fixtures")]
    decisions: Vec<CallId>,
    /// The candidate: its folder, or its bundle in one file.
    #[arg(long, value_name = "DIR")]
    candidate: PathBuf,
    /// Compare on recorded traffic; what is done if `--fixtures` is not given.
    #[arg(long, conflicts_with = "fixtures")]
    from_audit: bool,
    /// Compare on the cases (`*.cases.yaml`) of a folder.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// How far back, such as `36h`; `7d` if decisions are not named.
    #[arg(long, value_parser = span)]
    since: Option<Duration>,
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
            for past in cases(folder)? {
                match past {
                    Ok(past) => drop(comparison.add(&past).await),
                    Err((question, why)) => comparison.missing(question, why, 1),
                }
            }
            (format!("the cases of `{}`", folder.display()), Vec::new())
        }
        (None, Some(config)) => {
            let since = ago(args.since, &args.decisions);
            recorded(&mut comparison, config, since, &args.decisions).await?;
            let from = match args.decisions.len() {
                0 => format!("what was recorded since {since}"),
                named => format!("{named} decisions that are named"),
            };
            (from, notes(config))
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
    Ok(status(&found.impact, args.fail_on))
}

fn status(impact: &Impact, fail_on: FailOn) -> ExitCode {
    if impact.changes.keys().any(|change| fail_on.is_on(*change)) {
        return ExitCode::FAILURE;
    }
    let late = impact.not_in_time();
    if late > 0 {
        eprintln!("{late} questions were not answered in time, so nothing is known of those");
        return ExitCode::from(LATE);
    }
    if impact.asked() == 0 {
        eprintln!("nothing could be asked again, so nothing is known of the candidate");
        return ExitCode::from(NOTHING);
    }
    ExitCode::SUCCESS
}

/// The cases of a folder, of which there must be some.
fn cases(folder: &Path) -> anyhow::Result<Vec<Fixture>> {
    let shown = folder.display();
    let cases = fixtures(&Source::at(folder.to_owned()))
        .with_context(|| format!("there are no cases to compare on in `{shown}`"))?;
    if cases.is_empty() {
        bail!(
            "`{shown}` has no cases (`*.cases.yaml`), so there is nothing to compare; `portcullis \
             policy record` makes some of recorded decisions"
        );
    }
    Ok(cases)
}

/// Asks about everything that the log has since then, or about what is named.
async fn recorded(
    comparison: &mut Comparison<'_>,
    config: &Config,
    since: Timestamp,
    only: &[CallId],
) -> anyhow::Result<()> {
    let mut log = Log::read(&config.data, since, only)?;
    for entry in open(config, since)? {
        let Ok(entry) = entry else {
            comparison.unread(1);
            continue;
        };
        // Beyond what the log had when it was read, or before what is wanted.
        let Some(decided) = log.takes(&entry) else { continue };
        comparison.add(&Past::of(entry, decided)).await;
    }
    let Unkept { calls, answers, wishes } = log.unkept();
    comparison.missing(Question::Admit, Why::NotKept, calls);
    comparison.missing(Question::Disclose, Why::NotKept, answers);
    comparison.missing(Question::Approve, Why::NotKept, wishes);
    let unknown = only.iter().filter(|call| !log.has(**call)).count() as u64;
    comparison.missing(Question::Admit, Why::Unknown, unknown);
    Ok(())
}

/// What can be done about what was not kept.
fn notes(config: &Config) -> Vec<String> {
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
        Keep::Answers => return Vec::new(),
    };
    vec![advice]
}

/// What is said of parts of the tape that cannot be read.
pub(super) fn unread(count: u64) -> String {
    format!(
        "{count} parts of what was kept cannot be read: they are damaged, or sealed under another \
         `pseudonyms.key`; their decisions count as not kept"
    )
}

/// The tape of an installation: what was kept since then, and perhaps some before.
pub(super) fn open(config: &Config, since: Timestamp) -> anyhow::Result<Reader> {
    let sealer = Sealer::load(&config.data)?;
    Ok(tape::read(&config.data, tape::lockbox(config, &sealer)?, since)?)
}

/// A kept revision, for past questions.
pub(super) fn revision(config: &Config, word: &str) -> anyhow::Result<Replay> {
    let bundle = rollout::kept_bundle(&config.data, word)?;
    Replay::of(&bundle).with_context(|| format!("the kept revision `{word}` cannot be loaded"))
}

/// The moment that lies so far back: a week if nothing is said, but named decisions may be of any time.
pub(super) fn ago(span: Option<Duration>, named: &[CallId]) -> Timestamp {
    let span = match span {
        None if !named.is_empty() => return Timestamp::default(),
        span => span.unwrap_or(BACK),
    };
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(clock::now().millis().saturating_sub(millis))
}

pub(super) fn span(text: &str) -> Result<Duration, &'static str> {
    config::span(text).ok_or("a duration is written such as `30m`, `36h` or `7d`")
}
