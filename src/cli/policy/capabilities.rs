//! `portcullis policy capabilities`.

use std::process::ExitCode;

use crate::policy;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&policy::capabilities())?);
    Ok(ExitCode::SUCCESS)
}
