//! `portcullis policy explain`: why a decision fell.
//!
//! Shows values of the call: for the operator's own terminal. What the agent would read is at the
//! end, as it would read it.

mod pretty;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::asked::{self, CallerArgs, Word};
use crate::clock;
use crate::config::Config;
use crate::domain::{Decision, Question, Verdict, decide, told};
use crate::gate::refusal;
use crate::policy::{Asked, Explanation, Ruleset, Source};

/// What is explained.
#[derive(Debug, clap::Args)]
#[command(after_help = "The call is a short document in YAML or JSON:\n\n  \
    tool: get_contact\n  arguments: {id: \"1\"}\n\n\
    `portcullis policy eval --help` lists what else it may hold.")]
pub(in crate::cli) struct Args {
    /// The call: a file, or `-` for standard input.
    #[arg(long, short, value_name = "FILE")]
    input: PathBuf,
    /// The question.
    #[arg(long, short, value_enum, default_value_t = Word::Admit)]
    question: Word,
    #[command(flatten)]
    caller: CallerArgs,
    /// The bundle's folder; else the configuration's, else the one that is shipped.
    #[arg(long, short)]
    bundle: Option<PathBuf>,
    /// How it is shown.
    #[arg(long, short, value_enum, default_value_t = Format::Pretty)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Pretty,
    /// For programs.
    Json,
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
    let config = config.exists().then(|| Config::load(config)).transpose()?;
    let source = match (args.bundle, &config) {
        (Some(path), _) => Source::at(path),
        (None, Some(config)) => super::configured(config)?,
        (None, None) => Source::Shipped,
    };
    let ruleset = Ruleset::load(&source)?;
    let mut asked = Asked::read(&asked::read(&args.input)?)?;
    args.caller.put_into(&mut asked, config.as_ref());
    let explained = explain(&ruleset, args.question.into(), asked, config.as_ref()).await?;
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&explained)?),
        Format::Pretty => print!("{}", pretty::text(&explained)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(
    ruleset: &Ruleset,
    question: Question,
    mut asked: Asked,
    config: Option<&Config>,
) -> anyhow::Result<Explained> {
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
    let explanation = ruleset.explain(question, &asked, clock::now()).await?;
    let mut findings = own;
    findings.push(explanation.finding.clone());
    let decision = decide(question, explanation.revision, findings);
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
