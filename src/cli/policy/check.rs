//! `portcullis policy check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::policy::Ruleset;

/// What is checked.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's.
    folder: Option<PathBuf>,
}

pub(super) fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let ruleset = Ruleset::load(&super::source(config, args.folder)?)?;
    println!("ok: policy revision {}", ruleset.revision());
    Ok(ExitCode::SUCCESS)
}
