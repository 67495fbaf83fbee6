//! `portcullis policy explain`: why a decision fell.
//!
//! Shows values of the call: for the operator's own terminal. What the agent would read is at the
//! end, as it would read it.

mod pretty;
mod recorded;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use self::recorded::Recorded;
use super::Format;
use super::asked::{self, CallerArgs, Word};
use crate::clock;
use crate::config::Config;
use crate::domain::{Decision, Question, TrailView, Verdict, decide, told};
use crate::gate::refusal;
use crate::policy::{Asked, Explanation, Ruleset};
use crate::rollout;

/// What is explained.
#[derive(Debug, clap::Args)]
#[command(after_help = "The call is a short document in YAML or JSON:\n\n  \
    tool: get_contact\n  arguments: {id: \"1\"}\n\n\
    `portcullis policy eval --help` lists what else it may hold. With RECORD, what the log knows of \
    the call need not be repeated.\n\n\
    Exit status: 0 if it is told, whatever was decided; 1 if it failed, 2 if the command line is \
    wrong.")]
pub(in crate::cli) struct Args {
    /// A recorded decision: the call's id, as in the `Record: ...` of a refusal, or a hold's.
    #[arg(required_unless_present = "input")]
    record: Option<String>,
    /// The call: a file, or `-` for standard input.
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The question.
    #[arg(long, short, value_enum, default_value_t = Word::Admit)]
    question: Word,
    #[command(flatten)]
    caller: CallerArgs,
    /// The bundle's folder; else the configuration's, else the one that is shipped.
    #[arg(long, short)]
    bundle: Option<PathBuf>,
    /// How it is shown.
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
struct Explained {
    /// Who asks for what, in a few words.
    asked: String,
    /// Verdict and reasons of policy and of Portcullis' own checks together.
    decision: Decision,
    /// What should be known of how the call came to policy.
    notes: Vec<String>,
    #[serde(flatten)]
    explanation: Explanation,
    /// What the agent reads.
    agent: String,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let named = args.bundle.is_some();
    let source = super::source(config, args.bundle);
    let path = config;
    let config = path.exists().then(|| Config::load(path)).transpose()?;
    // A record can be shown whatever became of the policies.
    let ruleset = source.and_then(|source| Ok(Ruleset::load(&source)?));
    let now = ruleset.as_ref().ok().map(Ruleset::revision);
    let mut recorded = match (&args.record, &config) {
        (Some(id), Some(config)) => Some(Recorded::find(&config.data, id, now)?),
        (Some(_), None) => bail!(
            "there is no configuration `{}`, so no log to look into; name one with `--config FILE`",
            path.display()
        ),
        (None, _) => None,
    };
    let explained = match &args.input {
        Some(input) => {
            let text = asked::read(input)?;
            let mut asked = Asked::read(&text)?;
            args.caller.put_into(&mut asked, config.as_ref());
            let case = Case { config: config.as_ref(), recorded: recorded.as_ref() };
            Some(explain(&ruleset?, args.question.into(), asked, case).await?)
        }
        None => match (&mut recorded, &config) {
            (Some(recorded), Some(config)) => {
                explain_kept(recorded, config, args.question.into(), (named, ruleset.ok())).await?
            }
            _ => None,
        },
    };
    match args.format {
        Format::Json => {
            let all = Output { recorded: recorded.as_ref(), explained: explained.as_ref() };
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
        Format::Pretty => {
            let texts = [recorded.map(|it| it.text()), explained.map(|it| pretty::text(&it))];
            print!("{}", texts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The ruleset that decided a record: the one in force, or the one of then if it is kept.
fn deciding(recorded: &mut Recorded, config: &Config, now: Option<Ruleset>) -> Option<Ruleset> {
    let then = recorded.decision.ruleset;
    if now.as_ref().is_some_and(|now| now.revision() == then) {
        return now;
    }
    let bundle = rollout::kept_bundle(&config.data, &then.to_string()).ok();
    let Some(kept) = bundle.and_then(|bundle| Ruleset::of(&bundle).ok()) else { return now };
    recorded.note_kept();
    Some(kept)
}

/// Explains a record rule by rule, if its question was kept and there are rules to ask.
async fn explain_kept(
    recorded: &mut Recorded,
    config: &Config,
    question: Question,
    (named, ruleset): (bool, Option<Ruleset>),
) -> anyhow::Result<Option<Explained>> {
    let Some(asked) = recorded.kept(question, config)? else {
        recorded.note_unkept();
        return Ok(None);
    };
    // A bundle that is named is what is asked about.
    let ruleset = if named { ruleset } else { deciding(recorded, config, ruleset) };
    let Some(ruleset) = ruleset else { return Ok(None) };
    let case = Case { config: Some(config), recorded: Some(recorded) };
    let mut explained = explain(&ruleset, question, asked, case).await?;
    let note = "asked as it was kept, with the time, the trail and the findings of then";
    explained.notes.insert(0, note.to_owned());
    Ok(Some(explained))
}

/// Everything, for programs.
#[derive(Debug, Serialize)]
struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<&'a Recorded>,
    #[serde(flatten)]
    explained: Option<&'a Explained>,
}

/// What is known beside the document.
struct Case<'a> {
    config: Option<&'a Config>,
    recorded: Option<&'a Recorded>,
}

async fn explain(
    ruleset: &Ruleset,
    question: Question,
    mut asked: Asked,
    Case { config, recorded }: Case<'_>,
) -> anyhow::Result<Explained> {
    if let (Some(recorded), Some(config)) = (recorded, config) {
        recorded.fill(&mut asked, config)?;
    }
    if asked.environment.is_none() {
        asked.environment = config.map(|config| config.environment.clone());
    }
    if asked.tool.is_none() && asked.method.is_none() {
        bail!("which call? Give `tool` (and `arguments`), or `method` (and `params`)");
    }
    let mut notes = Vec::new();
    let resolved = match question {
        // A list is asked for without arguments.
        Question::Visible => asked::Resolved::default(),
        _ => asked::resolve(&mut asked, config.map(|config| config.data.as_path()))?,
    };
    if let (Some(recorded), Some(config), Some(arguments)) = (recorded, config, &resolved.arguments)
    {
        notes.push(recorded.compare(arguments, config)?);
    }
    let mut own = resolved.own;
    if question != Question::Admit && !own.is_empty() {
        // The other questions are asked of calls that were in order.
        asked.pinned = None;
        let texts = own.drain(..).flat_map(|finding| finding.reasons).map(|reason| reason.text);
        notes.extend(texts.map(|text| format!("{text}; the call is taken as it is written")));
    }
    if resolved.from_catalogue {
        notes.push(String::from(
            "no tools are pinned here yet, so the tool is taken as the built-in catalogue knows it",
        ));
    }
    if asked.trail == TrailView::default() && ruleset.looks_at_trail(question) {
        notes.push(String::from(
            "rules here look at what the principal did before, which is taken as nothing; give \
             `trail` in the document",
        ));
    }
    let is_seen = !asked.findings.is_empty() || !asked.labels.is_empty();
    if !is_seen && ruleset.looks_at_findings(question) {
        notes.push(String::from(
            "rules here look at what plugins saw, and it is taken as nothing; give `findings` or \
             `labels` in the document",
        ));
    }
    if asked.target.is_none() && ruleset.looks_at_targets() {
        notes.push(String::from(
            "rules here look at what a write would change, which is not known; give `target` in \
             the document",
        ));
    }
    let explanation = ruleset.explain(question, &asked, clock::now()).await?;
    let mut findings = own;
    findings.push(explanation.finding.clone());
    let decision = decide(question, explanation.revision, findings);
    if question == Question::Admit {
        notes.extend(recorded.and_then(|recorded| recorded.turned(decision.verdict)));
    }
    let agent = agent_text(question, &asked, &decision);
    Ok(Explained { asked: summary(&asked), decision, notes, explanation, agent })
}

/// Who asks for what.
fn summary(asked: &Asked) -> String {
    let caller = &asked.principal;
    let what = asked.tool.as_deref().or(asked.method.as_deref()).unwrap_or_default();
    let who = caller.id.as_deref().unwrap_or("someone");
    match caller.roles.as_slice() {
        [] => format!("{what} by {who}, who has no role"),
        roles => format!("{what} by {who} ({})", roles.join(", ")),
    }
}

/// What an agent reads of a decision.
fn agent_text(question: Question, asked: &Asked, decision: &Decision) -> String {
    match (question, decision.verdict) {
        (Question::Visible, Verdict::Deny) => {
            String::from("The tool is not in the list that the agent gets.")
        }
        (Question::Approve, _) => String::from("Nothing: this is between policy and the approver."),
        (_, Verdict::Allow) => String::from("Nothing: the call goes on."),
        (_, Verdict::Hold) => {
            let why = told(&decision.reasons);
            format!("PENDING: this call is held and waits for a person: {why}")
        }
        (_, Verdict::Deny) => {
            let what = match (&asked.tool, &asked.method) {
                (Some(tool), _) => format!("the tool `{tool}`"),
                (None, method) => format!("`{}`", method.as_deref().unwrap_or_default()),
            };
            refusal(&what, decision)
        }
    }
}
