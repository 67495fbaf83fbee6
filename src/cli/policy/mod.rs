//! `portcullis policy`: one file for each command.

mod asked;
mod bench;
mod bundle;
mod capabilities;
mod check;
mod coverage;
mod eval;
mod explain;
mod impact;
mod init;
mod matrix;
mod promote;
mod record;
mod reload;
mod rollback;
mod schema;
mod shadow;
mod status;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app::policy_source;
use crate::config::Config;
use crate::control::{self, Answer, PolicyQuestion, Question};
use crate::policy::Source;

/// For people or for machines; commands with more to choose from have their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(in crate::cli) enum Format {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object; times are in nanoseconds.
    Json,
}

/// What the exit status of a check says.
const CHECKED: &str = "Exit status: 0 if nothing is wrong, 1 if something is (such as a test that \
                       fails) or the command failed, 2 if the command line is wrong.";

/// What that of an order or a listing says.
const DONE: &str = "Exit status: 0 if it is done, 1 if it failed, 2 if the command line is wrong.";

/// Commands about policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write a bundle to begin with: rules, tests, editor settings, an example for CI.
    #[command(after_help = DONE)]
    Init(init::Args),
    /// Read, check, compile and try a bundle, with its tests.
    Check(check::Args),
    /// Measure how long a question takes.
    #[command(after_help = DONE)]
    Bench(bench::Args),
    /// Print the builtins that rules may use, as OPA's `capabilities.json`.
    #[command(after_help = DONE)]
    Capabilities,
    /// Evaluate a query in Rego, or ask one of the four questions about a call.
    Eval(eval::Args),
    /// Say why a decision fell: every rule that spoke, and where and why the others stopped.
    Explain(explain::Args),
    /// Say what a change of the policies would have done to recorded traffic.
    Impact(impact::Args),
    /// Make recorded decisions into cases that `policy test` runs, without personal values.
    Record(record::Args),
    /// Show who may do what: principals, tools, and what a call comes to.
    Matrix(matrix::Args),
    /// Bundles in one file: build, sign, verify, inspect.
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Run the tests of a bundle.
    Test(test::Args),
    /// Show which lines of the rules the tests evaluate.
    #[command(after_help = CHECKED)]
    Coverage(coverage::Args),
    /// Put the policies of the configuration in force again; a broken bundle changes nothing.
    #[command(after_help = DONE)]
    Reload,
    /// Where policy stands: what decides, since when, and what went wrong.
    Status(status::Args),
    /// Put a kept revision in force, or follow the source again.
    #[command(after_help = DONE)]
    Promote(promote::Args),
    /// Put an earlier revision in force again.
    #[command(after_help = DONE)]
    Rollback(rollback::Args),
    /// Watch live traffic with a candidate that decides nothing.
    #[command(subcommand)]
    Shadow(shadow::Command),
    /// Print the JSON Schema of what rules see, for `opa check -s` and editors.
    #[command(after_help = DONE)]
    Schema(schema::Args),
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(config, args),
        Command::Bench(args) => bench::run(config, args),
        Command::Capabilities => capabilities::run(),
        Command::Eval(args) => eval::run(config, args).await,
        Command::Explain(args) => explain::run(config, args).await,
        Command::Impact(args) => impact::run(config, args).await,
        Command::Record(args) => record::run(config, args).await,
        Command::Matrix(args) => matrix::run(config, args).await,
        Command::Bundle(command) => bundle::run(command),
        Command::Test(args) => test::run(config, args).await,
        Command::Coverage(args) => coverage::run(config, args),
        Command::Reload => reload::run(config).await,
        Command::Status(args) => status::run(config, args).await,
        Command::Promote(args) => promote::run(config, args).await,
        Command::Rollback(args) => rollback::run(config, args).await,
        Command::Shadow(command) => shadow::run(config, command).await,
        Command::Schema(args) => schema::run(&args),
    }
}

/// The bundle that a command is about: the folder or file it names, else the configuration's, else
/// the one that is shipped.
fn source(config: &Path, path: Option<PathBuf>) -> anyhow::Result<Source> {
    Ok(match path {
        Some(path) => Source::at(path),
        None if config.exists() => configured(&Config::load(config)?)?,
        None => Source::Shipped,
    })
}

/// The configuration's bundle, if it can be read here.
fn configured(config: &Config) -> anyhow::Result<Source> {
    policy_source(config)
        .context("the configured policies are on a server; name a folder or bundle")
}

/// Gives an order to the running server and prints what came of it.
async fn order(config: &Path, what: PolicyQuestion) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    match control::ask(&config.data, &Question::Policy { what }).await? {
        Answer::Done { text } => println!("{text}"),
        _ => {
            anyhow::bail!("the running Portcullis answered something else; is it another version?")
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::Subcommand as _;

    #[test]
    fn every_command_says_what_its_exit_status_means() {
        let mut all = vec![super::Command::augment_subcommands(clap::Command::new("policy"))];
        let mut looked_at = 0;
        while let Some(mut command) = all.pop() {
            all.extend(command.get_subcommands().cloned());
            if !command.has_subcommands() {
                let help = command.render_long_help().to_string();
                assert!(help.to_lowercase().contains("exit status"), "{help}");
                looked_at += 1;
            }
        }
        assert!(looked_at > 20, "{looked_at}");
    }
}
