//! `portcullis policy`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app::policy_source;
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::policy::{Ruleset, Source};

/// Commands about policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Read, check, compile and try a bundle, with its tests.
    Check {
        /// The bundle's folder; else the configuration's.
        folder: Option<PathBuf>,
    },
    /// Put the policies of the configuration in force again; a broken bundle changes nothing.
    Reload,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { folder } => {
            let source = match folder {
                Some(folder) => Source::Folder(folder),
                None if config.exists() => policy_source(&Config::load(config)?),
                None => Source::Shipped,
            };
            let ruleset = Ruleset::load(&source)?;
            println!("ok: policy revision {}", ruleset.revision());
        }
        Command::Reload => {
            let config = Config::load(config)?;
            if let Answer::Done { text } =
                control::ask(&config.data, &Question::ReloadPolicies).await?
            {
                println!("{text}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
