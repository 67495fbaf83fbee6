//! `portcullis policy`: one file for each command.

mod bundle;
mod check;
mod reload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app::policy_source;
use crate::config::Config;
use crate::policy::Source;

/// Commands about policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Read, check, compile and try a bundle, with its tests.
    Check(check::Args),
    /// Bundles in one file: build, sign, verify, inspect.
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Put the policies of the configuration in force again; a broken bundle changes nothing.
    Reload,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(args) => check::run(config, args),
        Command::Bundle(command) => bundle::run(command),
        Command::Reload => reload::run(config).await,
    }
}

/// The bundle that a command is about: the folder or file it names, else the configuration's, else the one
/// that is shipped.
fn source(config: &Path, path: Option<PathBuf>) -> anyhow::Result<Source> {
    Ok(match path {
        Some(path) => Source::at(path),
        None if config.exists() => policy_source(&Config::load(config)?),
        None => Source::Shipped,
    })
}
