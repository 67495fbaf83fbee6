//! `portcullis policy`: one file for each command.

mod asked;
mod check;
mod coverage;
mod eval;
mod explain;
mod format;
mod matrix;
mod reload;
mod test;

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
    /// Evaluate a query in Rego, or ask one of the four questions about a call.
    Eval(eval::Args),
    /// Say why a decision fell: every rule that spoke, and where and why the others stopped.
    Explain(explain::Args),
    /// Show who may do what: principals, tools, and what a call comes to.
    Matrix(matrix::Args),
    /// Run the tests of a bundle.
    Test(test::Args),
    /// Show which lines of the rules the tests evaluate.
    Coverage(coverage::Args),
    /// Put the policies of the configuration in force again; a broken bundle changes nothing.
    Reload,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(args) => check::run(config, args),
        Command::Eval(args) => eval::run(config, args).await,
        Command::Explain(args) => explain::run(config, args).await,
        Command::Matrix(args) => matrix::run(config, args).await,
        Command::Test(args) => test::run(config, args).await,
        Command::Coverage(args) => coverage::run(config, args),
        Command::Reload => reload::run(config).await,
    }
}

/// The bundle that a command is about: the folder it names, else the configuration's, else the one
/// that is shipped.
fn source(config: &Path, folder: Option<PathBuf>) -> anyhow::Result<Source> {
    Ok(match folder {
        Some(folder) => Source::Folder(folder),
        None if config.exists() => policy_source(&Config::load(config)?),
        None => Source::Shipped,
    })
}
