//! `portcullis config`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::app::policy_source;
use crate::config::{Config, schema};
use crate::domain::Principal;
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
            let mut warnings = config.warnings.clone();
            if let Some(policies) = policy_source(&config) {
                policy::seen_by(&policies, &announced)?;
                warnings.extend(unknown_roles(&config, policy::roles(&policies)?));
            }
            for warning in warnings {
                println!("warning: {warning}");
            }
            println!("{}", config.summary());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Roles of principals that the policies' data does not have: they give nothing, and nobody is told.
fn unknown_roles(config: &Config, known: Option<BTreeSet<String>>) -> Vec<String> {
    let Some(known) = known else { return Vec::new() };
    let names = known.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
    let of_one = |principal: &Arc<Principal>| {
        let unknown = principal.roles.iter().filter(|role| !known.contains(*role));
        let warning = |role| {
            format!(
                "`{}` has the role `{role}`, which the policies do not; they have {names}",
                principal.id
            )
        };
        unknown.map(warning).collect::<Vec<_>>()
    };
    config.principals.iter().flat_map(of_one).collect()
}
