//! `portcullis policy record`: recorded decisions as cases that `policy test` runs, masked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::impact::{ago, open, revision, span};
use crate::cli::shown;
use crate::config::{Config, Keep};
use crate::domain::{CallId, Digest};
use crate::policy::Replay;
use crate::replay::Writer;

/// Which records, and where the cases go.
#[derive(Debug, clap::Args)]
#[command(after_help = "Put the file into the bundle's folder under a name that ends in \
    `.cases.yaml`, and `portcullis policy test` decides the cases each time. Personal values are \
    replaced; a record that is decided otherwise without them is left out and counted.")]
pub(in crate::cli) struct Args {
    /// Only these decisions; else one for each caller, tool, verdict and rule.
    decisions: Vec<String>,
    /// How far back, such as `36h` or `7d`.
    #[arg(long, default_value = "7d", value_parser = span)]
    since: Duration,
    /// The most cases.
    #[arg(long, default_value_t = 100)]
    most: u64,
    /// The file; else standard output. It must not be there.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let wanted = args
        .decisions
        .iter()
        .map(|id| id.parse().map(CallId).with_context(|| format!("`{id}` is no decision's id")));
    let wanted: Vec<CallId> = wanted.collect::<Result<_, _>>()?;
    let mut rulesets: HashMap<Digest, Option<Replay>> = HashMap::new();
    let (mut writer, mut read, mut gone) = (Writer::default(), 0_u64, 0_u64);
    for entry in open(&config, ago(args.since))? {
        if writer.made.cases >= args.most {
            break;
        }
        let Ok(entry) = entry else { continue };
        if !wanted.is_empty() && !wanted.contains(&entry.call) {
            continue;
        }
        read += 1;
        let kept = rulesets
            .entry(entry.ruleset)
            .or_insert_with(|| revision(&config, &entry.ruleset.to_string()).ok());
        match kept {
            Some(ruleset) => writer.add(&entry, ruleset).await,
            None => gone += 1,
        }
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
        (gone, "records of revisions that are no longer kept"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    eprintln!("{}", shown(&told.join(", ")));
    Ok(if made.cases > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
