//! `portcullis tools`.

use std::process::ExitCode;

use super::shown;
use crate::clock;
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::domain::Digest;
use crate::intercom::{PinRow, PinStatus, Pins};

/// Commands about tools.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List Intercom's tools, and whether their definitions are the pinned ones.
    List {
        /// Read Intercom's list first; needs a running server.
        #[arg(long)]
        refresh: bool,
    },
    /// Show how the offered definition of a tool differs from the pinned one.
    Diff {
        /// The tool.
        tool: String,
    },
    /// Accept the definition that Intercom offers now. Look at `diff` first.
    Pin {
        /// The tool.
        tool: String,
        /// Accept only the definition with this digest, as `diff` named it.
        #[arg(long)]
        digest: Option<Digest>,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    crate::config::private::make_folder(&config.data)?;
    if let Command::List { refresh: true } = command
        && let Answer::Done { text } = control::ask(&config.data, &Question::RefreshTools).await?
    {
        println!("{text}");
    }
    let pins = Pins::open(config.data.join("pins.json"))?;
    match command {
        Command::List { .. } => list(&pins.list()),
        Command::Diff { tool } => match pins.diff(&tool) {
            Some(diff) => println!("{diff}"),
            None if pins.list().iter().any(|row| row.name == tool) => {
                println!("`{}` is offered as it is pinned", shown(&tool));
            }
            None => anyhow::bail!(
                "`{}` is no tool that Intercom ever offered; see `portcullis tools list`",
                shown(&tool)
            ),
        },
        Command::Pin { tool, digest } => {
            let event = pins.pin(&tool, digest, clock::now())?;
            println!("`{}` is pinned as {}", shown(&event.name), event.definition);
            // A running server takes the pin over by itself within seconds; this makes it at once.
            if control::is_running(&config.data).await {
                let _ = control::ask(&config.data, &Question::RefreshTools).await;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(rows: &[PinRow]) {
    if rows.is_empty() {
        println!("no tools yet: the first list of Intercom pins them all");
    }
    for row in rows {
        let digest = row.pinned.map_or_else(|| "-".to_owned(), |(digest, ..)| digest.short());
        let known = if row.known { "" } else { "  not in the catalogue" };
        println!(
            "{:<24} {:<6} {:<9} {digest}{known}",
            shown(&row.name),
            row.effect.as_str(),
            row.status.as_str()
        );
        if let PinStatus::Unusable(reason) = &row.status {
            println!("    {}", shown(reason));
        }
        for warning in &row.warnings {
            println!("    {}", shown(warning));
        }
        if matches!(row.status, PinStatus::Changed | PinStatus::New) {
            println!("    hidden and denied; see `portcullis tools diff {}`", shown(&row.name));
        }
    }
}
