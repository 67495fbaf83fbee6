//! `portcullis policy rollback`: an earlier revision decides again.

use std::path::Path;
use std::process::ExitCode;

use crate::control::PolicyQuestion;

/// Which revision, and why.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Digits of its digest, or its name; the one before the active if left out. It is pinned.
    revision: Option<String>,
    /// Why, for the log.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let Args { revision, reason } = args;
    super::order(config, PolicyQuestion::Rollback { revision, reason }).await
}
