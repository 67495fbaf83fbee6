//! `portcullis policy record`: recorded decisions as cases that `policy test` runs, masked.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::impact::{ago, open, revision, span, unread};
use crate::cli::audit::call_id;
use crate::cli::shown;
use crate::config::{Config, Keep};
use crate::domain::{CallId, Digest, Question};
use crate::policy::Replay;
use crate::replay::{Choice, Writer};

/// Cases where decisions are not named, and nothing else is said.
const MOST: u64 = 100;

/// Which records, and where the cases go.
#[derive(Debug, clap::Args)]
#[command(after_help = "Put the file into the bundle's folder under a name that ends in \
    `.cases.yaml`, and `portcullis policy test` decides the cases each time. Personal values are \
    replaced; a record that is decided otherwise without them is left out and counted.\n\n\
    Exit status: 0 if there is a case, and one of each decision that is named (one of the answer \
    alone does not do); 1 if not, or the command failed; 2 if the command line is wrong.")]
pub(in crate::cli) struct Args {
    /// Only these decisions, each of them; else one for each caller, tool, verdict and rule.
    #[arg(value_name = "ID", value_parser = call_id)]
    decisions: Vec<CallId>,
    /// How far back, such as `36h`; `7d` if decisions are not named.
    #[arg(long, value_parser = span)]
    since: Option<Duration>,
    /// The most cases; 100 if decisions are not named.
    #[arg(long)]
    most: Option<u64>,
    /// The file; else standard output. It must not be there.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let since = ago(args.since, &args.decisions);
    let mut missing: BTreeSet<CallId> = args.decisions.iter().copied().collect();
    let choice = if missing.is_empty() { Choice::Kinds } else { Choice::Each };
    // Whoever names decisions wants them all.
    let most = args.most.unwrap_or(if missing.is_empty() { MOST } else { u64::MAX });
    let mut rulesets: HashMap<Digest, Option<Replay>> = HashMap::new();
    let (mut writer, mut read, mut gone, mut damaged) = (Writer::new(choice), 0_u64, 0_u64, 0_u64);
    for entry in open(&config, since)? {
        if writer.made.cases >= most {
            break;
        }
        let Ok(entry) = entry else {
            damaged += 1;
            continue;
        };
        let named = entry.call.is_some_and(|call| args.decisions.contains(&call));
        let is_named = args.decisions.is_empty() || named;
        if entry.at < since || !is_named {
            continue;
        }
        read += 1;
        let kept = rulesets
            .entry(entry.ruleset)
            .or_insert_with(|| revision(&config, &entry.ruleset.to_string()).ok());
        let before = writer.made.cases;
        match kept {
            Some(ruleset) => writer.add(&entry, ruleset).await,
            None => gone += 1,
        }
        // The case of an answer does not say what was decided on the call, nor one of later.
        if writer.made.cases > before
            && entry.question == Question::Admit
            && !entry.again
            && let Some(call) = entry.call
        {
            missing.remove(&call);
        }
    }
    if damaged > 0 {
        eprintln!("{}", unread(damaged));
    }
    if read == 0 {
        let advice = match config.replay.keep {
            Keep::Nothing => {
                "; write `replay: { keep: calls }` into the configuration and start again"
            }
            Keep::Calls | Keep::Answers => "",
        };
        bail!("nothing is kept of such decisions{advice}");
    }
    let made = writer.made;
    let text = writer.finish();
    match &args.output {
        Some(path) => {
            let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
            let mut file = file.with_context(|| format!("`{}` cannot be made", path.display()))?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
        }
        None => print!("{text}"),
    }
    let counts = [
        (made.cases, "cases"),
        (made.alike, "records like one of them"),
        (made.otherwise, "records that are decided otherwise without their personal values"),
        (made.unmasked, "records that cannot be masked"),
        (made.late, "records that were not decided in time"),
        (gone, "records of revisions that are no longer kept"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    eprintln!("{}", shown(&told.join(", ")));
    for call in &missing {
        eprintln!("of the decision {call} there is no case");
    }
    let done = made.cases > 0 && missing.is_empty();
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
