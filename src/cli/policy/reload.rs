//! `portcullis policy reload`.

use std::path::Path;
use std::process::ExitCode;

use crate::control::PolicyQuestion;

pub(super) async fn run(config: &Path) -> anyhow::Result<ExitCode> {
    super::order(config, PolicyQuestion::Reload).await
}
