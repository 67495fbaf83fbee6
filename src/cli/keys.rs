//! `portcullis principals`, and the keys of `portcullis people`: the same verbs, two kinds of keys
//! that never meet.

use std::process::ExitCode;
use std::time::Duration;

use clap::builder::RangedI64ValueParser;

use crate::clock;
use crate::config::{Config, private};
use crate::domain::Timestamp;
use crate::identity::{ApproverKeys, Holder, KeyFile, PrincipalKeys};

/// Commands about keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key for a known name. It is printed once and kept nowhere.
    Add {
        /// The name.
        name: String,
        /// Days until the key ends by itself.
        #[arg(long, value_parser = days())]
        days: Option<u32>,
    },
    /// List the keys; says nothing of the keys themselves.
    List,
    /// End all keys of a name, or one key by its id. Takes effect within two seconds.
    Revoke {
        /// A name, or a key's id from `list`.
        name_or_id: String,
    },
}

/// How many days a key or a token may be given: one that is over at once helps nobody, and a hundred
/// years are as good as for ever.
pub(super) fn days() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(1..=36_500)
}

/// So many days after a point in time.
pub(super) fn end_after(now: Timestamp, days: u32) -> Timestamp {
    now.plus(Duration::from_secs(u64::from(days) * 86_400))
}

pub(super) fn principals(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    run(&PrincipalKeys::of(&config.data), config, command)
}

pub(super) fn approvers(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    run(&ApproverKeys::of(&config.data), config, command)
}

fn run<N: Holder>(
    keys: &KeyFile<N>,
    config: &Config,
    command: Command,
) -> anyhow::Result<ExitCode> {
    private::make_folder(&config.data)?;
    let now = clock::now();
    match command {
        Command::Add { name, days } => {
            let ends = days.map(|days| end_after(now, days));
            let issued = keys.add(config, &name, now, ends)?;
            println!("key {} of {}; keep it, it is not shown again:", issued.entry.id, name);
            println!("{}", issued.key.expose());
        }
        Command::List => {
            for entry in keys.list()? {
                let state = match (entry.revoked_at, entry.expires_at) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, Some(at)) if at <= now => format!("expired {at}"),
                    (None, Some(at)) => format!("ends {at}"),
                    (None, None) => "good".to_owned(),
                };
                println!("{:<12} {:<24} made {}  {state}", entry.id, entry.name, entry.created_at);
            }
        }
        Command::Revoke { name_or_id } => {
            for entry in keys.revoke(&name_or_id, now)? {
                println!("key {} of {} is revoked", entry.id, entry.name);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
