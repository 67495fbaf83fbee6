//! `portcullis config`.

use std::path::Path;
use std::process::ExitCode;

use crate::app::policy_source;
use crate::config::{Config, schema};
use crate::{plugin, policy};

/// Commands about the configuration.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Report every problem of the configuration file at once.
    Check,
    /// Print the JSON Schema of the file, for editors.
    Schema,
}

pub(super) fn run(path: &Path, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Schema => println!("{}", schema()),
        Command::Check => {
            let config = Config::load(path)?;
            let announced = plugin::announced(&config.plugins)?;
            if let Some(policies) = policy_source(&config) {
                policy::seen_by(&policies, &announced)?;
            }
            for warning in &config.warnings {
                println!("warning: {warning}");
            }
            println!("{}", config.summary());
        }
    }
    Ok(ExitCode::SUCCESS)
}
