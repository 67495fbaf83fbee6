//! `portcullis plugin`: one file for each command.

mod add;
mod cases;
mod check;
mod edit;
mod inspect;
mod list;
mod new;
mod opened;
mod run;
mod sign;
mod test;

use std::path::Path;
use std::process::ExitCode;

/// Commands about plugins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write a plugin to begin with, in the language of your choice.
    New(new::Args),
    /// Check components as when they are loaded.
    Check(check::Args),
    /// Show what a component is, wants and offers.
    Inspect(inspect::Args),
    /// Run a plugin's golden cases.
    Test(test::Args),
    /// Let a plugin look at a call, an answer or a text, and show what it sees.
    Run(run::Args),
    /// Answer for a component with a key: writes its signature beside it.
    Sign(sign::Args),
    /// Add a plugin to the configuration, pinned by its digest.
    Add(add::Args),
    /// Take a plugin out of the configuration; its file is kept.
    Remove {
        /// Its name in the configuration.
        name: String,
    },
    /// List the plugins of the configuration, and whether their files are what it says.
    List(list::Args),
    /// Put the plugins of the configuration in force; a set that is not in order changes nothing.
    Reload,
    /// Which plugins look, and how they do.
    Status(list::Args),
}

pub(super) async fn run(config: &Path, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New(args) => new::run(args),
        Command::Check(args) => check::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Test(args) => test::run(args),
        Command::Run(args) => run::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Add(args) => add::add(config, args),
        Command::Remove { name } => add::remove(config, name),
        Command::List(args) => list::list(config, args),
        Command::Reload => list::reload(config).await,
        Command::Status(args) => list::status(config, args).await,
    }
}
