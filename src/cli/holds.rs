//! `portcullis holds`.

mod diff;
mod more;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::shown;
use crate::clock;
use crate::config::{Config, Secret, private};
use crate::control::{self, Answer, Question, Wish};
use crate::desk::{Contents, Shown};
use crate::domain::{ApproverId, Digest, Effected, GrantId, HoldId, OnRelease};
use crate::gate::Granting;
use crate::holds::HoldView;
use more::{edit, grants, stored, test};

/// Commands about held calls.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the calls that wait for a person.
    List {
        /// Also those that are over.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one held call with its arguments, to an approver.
    Show {
        /// The hold.
        id: HoldId,
        #[command(flatten)]
        key: ApproverKey,
        /// Also show what its pseudonyms stand for, if policy shows that to this approver.
        #[arg(long, conflicts_with = "diff")]
        reveal: bool,
        /// Show what it would change, beside what there is now.
        #[arg(long)]
        diff: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Release a held call. It is judged again, and exactly the stored call is sent.
    Approve {
        /// The hold.
        id: HoldId,
        /// The binding that `show` printed: refuse if anything has changed since.
        #[arg(long)]
        binding: Option<Digest>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Refuse a held call; the reason reaches the agent.
    Reject {
        /// The hold.
        id: HoldId,
        /// Why, in words for the agent.
        #[arg(required = true)]
        reason: Vec<String>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Ask the agent for a change; it makes the call again, and that is shown as a later revision.
    Ask {
        /// The hold.
        id: HoldId,
        /// What to change, in words for the agent.
        #[arg(required = true)]
        question: Vec<String>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Change the arguments in your editor (VISUAL, EDITOR), then release the call. It is judged
    /// again, and the agent is told which fields you changed.
    Edit {
        /// The hold.
        id: HoldId,
        /// Take the arguments from this file instead.
        #[arg(long)]
        arguments: Option<PathBuf>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Give a held call to somebody, who is then asked first. It changes nobody's rights.
    Assign {
        /// The hold.
        id: HoldId,
        /// To whom; to nobody in particular if left out.
        to: Option<ApproverId>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Let a held call wait longer, as far as its conditions let people do so.
    Extend {
        /// The hold.
        id: HoldId,
        /// By how many minutes.
        #[arg(default_value_t = 60)]
        minutes: u64,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Say what became of a call whose outcome is unknown, after a look at Intercom.
    Note {
        /// The hold.
        id: HoldId,
        /// `yes` if it took effect, `no` if not, `unclear` if that cannot be told.
        effected: Took,
        /// More about it.
        text: Vec<String>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Release a held call and let calls like it through for a while, where rules say `grantable`.
    Grant {
        /// The hold.
        id: HoldId,
        /// How many calls.
        #[arg(long, default_value_t = 5)]
        calls: u32,
        /// For how many minutes.
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// A field that must have the value of the held call; may be given again. The object that
        /// the call changes always is one.
        #[arg(long = "field")]
        fields: Vec<String>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// List the grants in force.
    Grants {
        /// Take this one back first.
        #[arg(long)]
        revoke: Option<GrantId>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Release several held calls of one tool and one agent, each of which you have shown before.
    Batch {
        /// The holds.
        #[arg(required = true)]
        ids: Vec<HoldId>,
        #[command(flatten)]
        key: ApproverKey,
    },
    /// Make a harmless call that waits, to see that approvers are reached and the page works.
    Test,
    /// Take a release back before it is used.
    Revoke {
        /// The hold.
        id: HoldId,
        #[command(flatten)]
        key: ApproverKey,
    },
}

/// Whether a call took effect.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Took {
    /// It took effect.
    Yes,
    /// It did not.
    No,
    /// It cannot be told.
    Unclear,
}

/// How an approver proves who it is. Never as an argument, which other users could read.
#[derive(Debug, clap::Args)]
pub(super) struct ApproverKey {
    /// A private file with the approver's key; else PORTCULLIS_APPROVER_KEY is read.
    #[arg(long)]
    key_file: Option<PathBuf>,
}

impl ApproverKey {
    fn read(&self) -> anyhow::Result<Secret> {
        let text = match &self.key_file {
            Some(path) => String::from_utf8(private::read(path, 4096)?.to_vec())
                .with_context(|| format!("`{}` is no key file", path.display()))?,
            None => std::env::var("PORTCULLIS_APPROVER_KEY").context(
                "an approver's key is needed: set PORTCULLIS_APPROVER_KEY, or give \
                 `--key-file FILE` (make a key with `portcullis people key add NAME`)",
            )?,
        };
        Ok(Secret::new(text.trim().to_owned()))
    }
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let data = &config.data;
    match command {
        Command::List { all, json } => {
            let holds = if control::is_running(data).await {
                match control::ask(data, &Question::Holds { all }).await? {
                    Answer::Holds { holds } => holds,
                    other => anyhow::bail!("unexpected answer: {other:?}"),
                }
            } else {
                stored(config)?.into_iter().filter(|hold| all || hold.needs_people()).collect()
            };
            list(&holds, json)?;
        }
        Command::Show { id, key, diff: true, json, .. } => {
            match ask(data, &key, Shown::now(id), Wish::Detail).await? {
                Answer::Detail { detail } => diff::show(&detail, json)?,
                _ => anyhow::bail!("the running Portcullis answered something else"),
            }
        }
        Command::Show { id, key, reveal, json, .. } => {
            match ask(data, &key, Shown::now(id), Wish::Show { reveal }).await? {
                Answer::Hold { hold, contents } => show(&hold, &contents, json)?,
                _ => anyhow::bail!("the running Portcullis answered something else"),
            }
        }
        Command::Approve { id, binding, key } => {
            let shown = Shown { binding, ..Shown::now(id) };
            tell(ask(data, &key, shown, Wish::Approve).await?);
        }
        Command::Reject { id, reason, key } => {
            let reason = reason.join(" ");
            tell(ask(data, &key, Shown::now(id), Wish::Reject { reason }).await?);
        }
        Command::Ask { id, question, key } => {
            let question = question.join(" ");
            tell(ask(data, &key, Shown::now(id), Wish::Ask { question }).await?);
        }
        Command::Edit { id, arguments, key } => edit(data, id, arguments, &key).await?,
        Command::Assign { id, to, key } => {
            tell(ask(data, &key, Shown::now(id), Wish::Assign { to }).await?);
        }
        Command::Extend { id, minutes, key } => {
            let seconds = minutes.saturating_mul(60);
            tell(ask(data, &key, Shown::now(id), Wish::Extend { seconds }).await?);
        }
        Command::Note { id, effected, text, key } => {
            let effected = match effected {
                Took::Yes => Effected::Yes,
                Took::No => Effected::No,
                Took::Unclear => Effected::Unclear,
            };
            let text = text.join(" ");
            tell(ask(data, &key, Shown::now(id), Wish::Note { effected, text }).await?);
        }
        Command::Grant { id, calls, minutes, fields, key } => {
            let granting = Granting { calls, minutes, fields };
            tell(ask(data, &key, Shown::now(id), Wish::Grant { granting }).await?);
        }
        Command::Grants { revoke, key } => grants(data, revoke, &key).await?,
        Command::Batch { ids, key } => {
            let key = key.read()?.expose().to_owned();
            let shown = ids.into_iter().map(Shown::now).collect();
            tell(control::ask(data, &Question::Batch { key, shown }).await?);
        }
        Command::Test => test(config).await?,
        Command::Revoke { id, key } => {
            tell(ask(data, &key, Shown::now(id), Wish::Revoke).await?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(data: &Path, key: &ApproverKey, shown: Shown, wish: Wish) -> anyhow::Result<Answer> {
    let key = key.read()?.expose().to_owned();
    Ok(control::ask(data, &Question::Hold { key, shown, wish }).await?)
}

fn list(holds: &[HoldView], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(holds)?);
        return Ok(());
    }
    if holds.is_empty() {
        println!("nothing waits for a person");
    }
    let now = clock::now();
    for hold in holds {
        let left = hold.expires_at.since(now).as_secs() / 60;
        let left = if hold.state.is_final() { String::new() } else { format!("{left} min left") };
        println!(
            "{}  {:<10} {:<18} by {:<20} {left}",
            hold.id,
            hold.state.as_str(),
            shown(&hold.tool),
            hold.principal
        );
        for reason in &hold.reasons {
            println!("    {}", shown(&reason.text));
        }
    }
    Ok(())
}

fn show(hold: &HoldView, contents: &Contents, json: bool) -> anyhow::Result<()> {
    let Contents { arguments, pseudonyms, revealed, beside, reason, original } = contents;
    let (sent, pseudonyms) = (revealed.as_deref(), *pseudonyms);
    if json {
        let arguments: serde_json::Value = serde_json::from_str(arguments)?;
        let beside: Option<serde_json::Value> =
            beside.as_deref().map(serde_json::from_str).transpose()?;
        let sent: Option<serde_json::Value> = sent.map(serde_json::from_str).transpose()?;
        let original: Option<serde_json::Value> =
            original.as_deref().map(serde_json::from_str).transpose()?;
        let all = serde_json::json!({
            "hold": hold, "arguments": arguments, "pseudonyms": pseudonyms, "revealed": sent,
            "beside": beside, "reason": reason, "original": original,
        });
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    println!("hold       {}", hold.id);
    println!("state      {}", hold.state);
    println!("tool       {}", shown(&hold.tool));
    println!(
        "by         {} (client says {} {})",
        hold.principal,
        shown(&hold.client.name),
        shown(&hold.client.version)
    );
    println!("opened     {}", hold.opened_at);
    println!("expires    {}", hold.expires_at);
    for reason in &hold.reasons {
        let at = reason.at.as_deref().unwrap_or("portcullis");
        if let Some(title) = &reason.title {
            println!("rule       {}", shown(title));
        }
        println!("because    {} ({}, {at})", shown(&reason.text), reason.rule);
    }
    if let Some(reason) = reason {
        println!("the agent says, not verified: {}", shown(reason));
    }
    let groups = match hold.release.groups.as_slice() {
        [] => "any approver".to_owned(),
        groups => groups.join(" or "),
    };
    println!("release    {} of {} given, from {groups}", hold.approvals.len(), hold.release.people);
    for person in &hold.approvals {
        println!("approved   {person}");
    }
    if hold.on_release == OnRelease::AwaitRepeat {
        println!("note       sent only while the agent waits in an identical call");
    }
    what_people_did(hold);
    if let Some(outcome) = &hold.outcome {
        println!("outcome    {}", shown(outcome));
    }
    println!("binding    {}", hold.binding);
    println!("arguments, laid out for reading:");
    let value: serde_json::Value = serde_json::from_str(arguments)?;
    for line in serde_json::to_string_pretty(&value)?.lines() {
        println!("  {}", shown(line));
    }
    match (sent, pseudonyms) {
        (Some(sent), _) => println!("arguments, exactly as they will be sent:\n  {}", shown(sent)),
        (None, true) => println!(
            "arguments, as they will be sent with the pseudonyms turned back (see them with \
             `--reveal`):\n  {}",
            shown(arguments)
        ),
        (None, false) => {
            println!("arguments, exactly as they will be sent:\n  {}", shown(arguments));
        }
    }
    if let Some(beside) = beside {
        println!("sent beside them (the agent's answers to Intercom):\n  {}", shown(beside));
    }
    if !hold.state.is_final() {
        println!("to release: portcullis holds approve {} --binding {}", hold.id, hold.binding);
        println!("to refuse:  portcullis holds reject {} REASON", hold.id);
    }
    Ok(())
}

/// What people did about a hold beside releasing it.
fn what_people_did(hold: &HoldView) {
    if let Some(own) = &hold.own {
        println!("self       {}", shown(&own.words()));
    }
    if hold.revision > 1 {
        let earlier = hold.revises.map(|id| format!(", after {id}")).unwrap_or_default();
        println!("revision   {}{earlier}", hold.revision);
    }
    if let Some(assignee) = &hold.assignee {
        let first = hold.first_assignee.as_ref().filter(|first| *first != assignee);
        let first = first.map(|first| format!(" (given to {first} first)")).unwrap_or_default();
        println!("given to   {assignee}{first}");
    }
    for edit in &hold.edits {
        println!("changed    {} by {}", shown(&edit.fields.join(", ")), edit.by);
    }
    if let Some(changed) = hold.changed.as_deref().filter(|_| !hold.state.is_final()) {
        println!("look again {}", shown(changed));
    }
    for note in &hold.notes {
        println!("noted      {} by {} {}", note.effected.words(), note.by, shown(&note.text));
    }
}

fn tell(answer: Answer) {
    if let Answer::Done { text } = answer {
        for line in text.lines() {
            println!("{}", shown(line));
        }
    }
}
