//! `portcullis holds edit`, `grants` and `test`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{ApproverKey, ask, tell};
use crate::config::Config;
use crate::control::{self, Answer, Question, Wish};
use crate::desk::Shown;
use crate::domain::{GrantId, HoldId};
use crate::holds::{Archive, HoldView};

/// The holds in the log's files, when no server runs. Takes no lock, so that a server can start.
pub(super) fn stored(config: &Config) -> anyhow::Result<Vec<HoldView>> {
    if !config.data.exists() {
        return Ok(Vec::new());
    }
    let found = Archive::new(&config.data).find(|_| true, 0, usize::MAX)?;
    Ok(found.holds.iter().map(|past| HoldView::from(&past.hold)).collect())
}

/// Lets the server make a call that waits, and says where it is seen.
pub(super) async fn test(config: &Config) -> anyhow::Result<()> {
    tell(control::ask(&config.data, &Question::TestHold).await?);
    match &config.console {
        Some(console) => {
            println!("see it on the approvers' page, {}", console.url_at(console.listen))
        }
        None => println!("the approvers' page is not switched on: see `console` in the README"),
    }
    Ok(())
}

/// Lists the grants in force, after one was taken back if that is asked.
pub(super) async fn grants(
    data: &Path,
    revoke: Option<GrantId>,
    key: &ApproverKey,
) -> anyhow::Result<()> {
    let key = key.read()?.expose().to_owned();
    let Answer::Grants { grants } = control::ask(data, &Question::Grants { key, revoke }).await?
    else {
        anyhow::bail!("the running Portcullis answered something else")
    };
    if grants.is_empty() {
        println!("no grant is in force");
    }
    for grant in grants {
        let given = &grant.given;
        let only: Vec<String> =
            given.only.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        println!(
            "{}  {} by {}: {} of {} calls left until {}, from {} [{}]",
            grant.id,
            given.tool,
            given.principal,
            grant.left(),
            given.calls,
            given.until,
            given.by,
            only.join(", ")
        );
    }
    Ok(())
}

/// Shows the arguments in an editor and releases the call as it was left there, if it was changed.
pub(super) async fn edit(
    data: &Path,
    id: HoldId,
    arguments: Option<PathBuf>,
    key: &ApproverKey,
) -> anyhow::Result<()> {
    let show = ask(data, key, Shown::now(id), Wish::Show { reveal: false }).await?;
    let Answer::Hold { hold, contents } = show else {
        anyhow::bail!("the running Portcullis answered something else")
    };
    let text = match arguments {
        Some(path) => std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?,
        None => edited(&contents.arguments)?,
    };
    // What was in the editor is what was looked at.
    let shown =
        Shown { if_version: Some(hold.version), binding: Some(hold.binding), ..Shown::now(id) };
    tell(ask(data, key, shown, Wish::Edit { arguments: text }).await?);
    Ok(())
}

/// What a person made of a JSON text in their editor.
fn edited(arguments: &str) -> anyhow::Result<String> {
    let value: serde_json::Value = serde_json::from_str(arguments)?;
    let before = serde_json::to_string_pretty(&value)?;
    // Only this user may read it.
    let file = tempfile::Builder::new().prefix("portcullis-").suffix(".json").tempfile()?;
    std::fs::write(file.path(), &before)?;
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().context("EDITOR is empty")?;
    let status = std::process::Command::new(program).args(words).arg(file.path()).status();
    let status = status.with_context(|| format!("cannot run the editor `{editor}`"))?;
    anyhow::ensure!(
        status.success(),
        "the editor `{editor}` ended with {status}; nothing was sent"
    );
    let after = std::fs::read_to_string(file.path())?;
    anyhow::ensure!(after.trim() != before.trim(), "nothing was changed, so nothing was sent");
    Ok(after)
}
