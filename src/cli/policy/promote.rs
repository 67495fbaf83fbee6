//! `portcullis policy promote`: another revision decides from now on.

use std::path::Path;
use std::process::ExitCode;

use crate::control::PolicyQuestion;

/// Which revision, and why.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Why, for the log.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// A kept revision: digits of its digest, or its name. It is pinned.
    revision: Option<String>,
    /// The candidate that is in shadow, exactly as it was read. It is pinned.
    #[arg(long)]
    shadow: bool,
    /// Follow the configured source again, and take what it has now.
    #[arg(long, alias = "unpin")]
    latest: bool,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let Args { which, reason } = args;
    let question = match which.revision {
        Some(revision) => PolicyQuestion::Promote { revision, reason },
        None if which.shadow => PolicyQuestion::PromoteShadow { reason },
        None => PolicyQuestion::Follow { reason },
    };
    super::order(config, question).await
}
