//! `portcullis policy reload`.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;
use crate::control::{self, Answer, Question};

pub(super) async fn run(config: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    if let Answer::Done { text } = control::ask(&config.data, &Question::ReloadPolicies).await? {
        println!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}
