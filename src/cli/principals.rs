//! `portcullis principals`: the agents that call.

use std::process::ExitCode;

use super::{keys, runtime, shown};
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::domain::PrincipalId;

/// Commands about agents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Keys(keys::Command),
    /// Deny every call of an agent until it may call again. What it has waiting stays.
    Pause {
        /// The name.
        name: PrincipalId,
    },
    /// Let a paused agent call again.
    Resume {
        /// The name.
        name: PrincipalId,
    },
    /// List the agents that are paused.
    Paused,
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let question = match command {
        Command::Keys(command) => return keys::principals(config, command),
        Command::Pause { name } => Question::Pause { principal: name, pause: true },
        Command::Resume { name } => Question::Pause { principal: name, pause: false },
        Command::Paused => Question::Paused,
    };
    match runtime(1)?.block_on(control::ask(&config.data, &question))? {
        Answer::Done { text } => println!("{}", shown(&text)),
        Answer::Paused { paused } if paused.is_empty() => println!("nobody is paused"),
        Answer::Paused { paused } => {
            for one in paused {
                println!("{:<24} by {} since {}", one.principal, shown(&one.by), one.at);
            }
        }
        _ => anyhow::bail!("the running Portcullis answered something else"),
    }
    Ok(ExitCode::SUCCESS)
}
