//! `portcullis audit`: reads the log's files without a lock, while the server runs or after it.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;

use super::shown;
use crate::audit::{self, Entry, Filter, Follow, From, Look, Named};
use crate::config::Config;
use crate::domain::{
    CallFacts, CallId, Decision, Digest, Effect, Event, GrantEvent, HoldEvent, HoldId, Outcome,
    PluginFacts, PrincipalChange, PrincipalId, RolloutAction, Seq, ShadowFacts, Subject, Tally,
    Verdict,
};
use crate::store::{self, OpenError, Witness};

/// Commands about the log.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the last records, one a line.
    Tail {
        /// How many; 0 for all.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: usize,
        /// Go on with what is written from now on.
        #[arg(long, short)]
        follow: bool,
        /// The records themselves, as JSON lines.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        filter: Wanted,
    },
    /// Walk the whole chain and name the first break, or look at one record and its neighbours.
    Verify {
        /// Only the record at this position, or those of this call or hold: whether each is as it was written
        /// and stands in the chain.
        #[arg(long, value_name = "ID", value_parser = named)]
        record: Option<Named>,
    },
}

/// Which records.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Only records of this type.
    #[arg(long = "type", value_name = "TYPE", value_parser = PossibleValuesParser::new(Event::KINDS))]
    kind: Option<String>,
    /// Only of this principal.
    #[arg(long)]
    principal: Option<PrincipalId>,
    /// Only about this tool.
    #[arg(long)]
    tool: Option<String>,
    /// Only about this call.
    #[arg(long, value_parser = call_id)]
    call: Option<CallId>,
    /// Only about this hold.
    #[arg(long)]
    hold: Option<HoldId>,
    /// Only decisions with this verdict.
    #[arg(long, value_parser = verdict)]
    verdict: Option<Verdict>,
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Tail { lines, follow, json, filter } => {
            let filter = Filter {
                kind: filter.kind,
                principal: filter.principal,
                tool: filter.tool,
                call: filter.call,
                hold: filter.hold,
                verdict: filter.verdict,
                ..Filter::default()
            };
            let from = if lines == 0 { From::Start } else { From::Last(lines) };
            let follow = if follow { Follow::Yes } else { Follow::No };
            for entry in audit::tail(&config.data, filter, from, follow)? {
                let entry = entry?;
                if json {
                    println!("{}", entry.line);
                } else {
                    println!("{}", line(&entry));
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { record: Some(named) } => verify_one(config, named),
        Command::Verify { record: None } => verify(config),
    }
}

/// The whole chain.
fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let report = audit::verify(&config.data)?;
    if report.unfinished_bytes > 0 {
        println!(
            "note: {} bytes at the end are no whole record: being written, or torn by a crash",
            report.unfinished_bytes
        );
    }
    match report.first_break {
        None => whole(config, &report),
        Some(first) => {
            println!("BROKEN after {} good records: {first}", report.records);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// One record, or those of one call or hold, each with its neighbours.
fn verify_one(config: &Config, named: Named) -> anyhow::Result<ExitCode> {
    let found = audit::look_up(&config.data, named)?;
    if found.is_empty() {
        let what = match named {
            Named::At(seq) => format!("record {seq}: it does not reach so far"),
            Named::Call(call) => format!("record of the call {call}"),
            Named::Hold(hold) => format!("record of {hold}"),
        };
        anyhow::bail!(
            "the log in `{}` has no {what}; `portcullis audit verify` tells whether any is missing",
            config.data.display()
        );
    }
    let mut good = 0;
    for (seq, Look { entry, link, .. }) in &found {
        match entry {
            Ok(entry) => println!("{}", line(entry)),
            Err(_) => println!("{seq:>6} cannot be read as a record"),
        }
        good += usize::from(link.is_good());
        let word = if link.is_good() { "ok" } else { "BROKEN" };
        println!("       {word}: {}", shown(&link.to_string()));
    }
    match found.len() - good {
        0 => {
            println!(
                "ok: {good} looked at, with what stands before and behind; each is as it was written"
            );
            Ok(ExitCode::SUCCESS)
        }
        bad => {
            println!("BROKEN: {bad} of {} are not as they were written", found.len());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Tells of a chain without a break, and whether its end is still there.
fn whole(config: &Config, report: &audit::Report) -> anyhow::Result<ExitCode> {
    let compared = match store::compare_end(&config.data) {
        Ok(Witness::Agrees) => "it ends where the database says".to_owned(),
        Ok(Witness::Silent(why)) => format!("its end is not compared with the database: {why}"),
        Err(OpenError::Corrupt { place, what }) => {
            let good = report.records;
            println!("BROKEN after {good} good records: `{place}`: {what}");
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => format!("its end is not compared with the database: {error}"),
    };
    println!(
        "ok: {} records in {} files, the chain is whole; head {}\n{compared}",
        report.records, report.files, report.head
    );
    Ok(ExitCode::SUCCESS)
}

/// One record for people.
pub(super) fn line(entry: &Entry) -> String {
    let record = &entry.record;
    let text = match &record.event {
        Event::Decision { call, decision, .. } => decision_line(call, decision),
        Event::Outcome { call, outcome } => outcome_line(*call, outcome),
        Event::Trail { call, principal, trail, back } => {
            let verb = if *back { "forgets" } else { "adds" };
            format!("trail     {principal} {verb} {} [{call}]", counted(&trail.add))
        }
        Event::Hold { hold, event } => hold_line(*hold, event),
        Event::Grant { grant, event } => match event {
            GrantEvent::Given(given) => format!(
                "grant     {} {} by {}: {} calls until {} [{grant}]",
                given.tool, given.principal, given.by, given.calls, given.until
            ),
            GrantEvent::Used { call } => format!("grant     used [{grant}] [{call}]"),
            GrantEvent::Revoked { by } => format!("grant     revoked by {by} [{grant}]"),
        },
        Event::Started { version, ruleset, .. } => {
            format!("started   portcullis {version}, policy {}", ruleset.short())
        }
        Event::Stopped => "stopped".to_owned(),
        Event::Revealed { hold, by, kinds } => {
            let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            format!("revealed  {hold} to {by}: {}", kinds.join(", "))
        }
        Event::Tool { name, change, definition, .. } => {
            format!("tool      {name} {change:?} {}", definition.short()).to_lowercase()
        }
        Event::Definition { name, definition, labels, .. } => {
            format!("tool      {name} {} is {}", definition.short(), labels.join(", "))
        }
        Event::Ruleset { revision, refused: None } => {
            format!("policy    {} in force", revision.short())
        }
        Event::Ruleset { revision, refused: Some(why) } => {
            format!("policy    {} refused: {why}", revision.short())
        }
        Event::Plugins { revision, plugins, refused } => {
            plugins_line(*revision, plugins, refused.as_deref())
        }
        Event::Rollout { action, revision, by, reason } => {
            let why = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("policy    {} {} by {by}{why}", action_words(*action), revision.short())
        }
        Event::Shadow(facts) => shadow_line(facts),
        Event::Principal { principal, change, by } => principal_line(principal, change, by),
        Event::Account { account, change, detail, count } => {
            let whose = account.as_ref().map_or("(nobody)", |it| it.as_str());
            let detail = detail.as_deref().map(|it| format!(": {it}")).unwrap_or_default();
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            format!("account   {whose} {}{detail}{times}", word(change))
        }
        Event::Refused { principal, code, text } => format!("refused   {principal} {code}: {text}"),
    };
    shown(&format!("{:>6} {} {text}", record.seq, record.at))
}

fn decision_line(call: &CallFacts, decision: &Decision) -> String {
    let what = match &call.subject {
        Subject::Tool { name, effect: Effect::Write, .. } => format!("{name} (write)"),
        Subject::Tool { name, .. } => name.clone(),
        _ => call.method.clone(),
    };
    let mut text =
        format!("{:<9} {} {what}", decision.verdict.as_str().to_uppercase(), call.principal);
    for reason in &decision.reasons {
        let at = reason.at.as_deref().unwrap_or("portcullis");
        text.push_str(&format!(" | {} ({}, {at})", reason.text, reason.rule));
    }
    text.push_str(&format!(" [{}]", call.id));
    text
}

const fn action_words(action: RolloutAction) -> &'static str {
    match action {
        RolloutAction::Promote => "promote",
        RolloutAction::Rollback => "rollback to",
        RolloutAction::Follow => "follow the source again:",
        RolloutAction::ShadowStart => "shadow",
        RolloutAction::ShadowStop => "end of shadow",
    }
}

fn shadow_line(facts: &ShadowFacts) -> String {
    let what = facts.tool.as_deref().unwrap_or_else(|| facts.question.as_str());
    let call = facts.call.map(|call| format!(" [{call}]")).unwrap_or_default();
    let demands: String = facts.demands.iter().map(|demand| format!(" | {demand}")).collect();
    format!(
        "shadow    {} {what}: the candidate {} {} ({}){demands}{call}",
        facts.principal,
        facts.revision.short(),
        facts.would,
        facts.rules.join(", ")
    )
}

fn principal_line(principal: &PrincipalId, change: &PrincipalChange, by: &str) -> String {
    let what = match change {
        PrincipalChange::Paused if by.is_empty() => "paused in the file itself".to_owned(),
        PrincipalChange::Resumed if by.is_empty() => "resumed in the file itself".to_owned(),
        PrincipalChange::Paused => format!("paused by {by}"),
        PrincipalChange::Resumed => format!("resumed by {by}"),
        PrincipalChange::KeyAdded { key } => format!("key added: {key}"),
        PrincipalChange::KeyRevoked { key } => format!("key revoked: {key}"),
    };
    format!("agent     {principal} {what}")
}

/// A value of ours in plain words.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

fn plugins_line(revision: Digest, plugins: &[PluginFacts], refused: Option<&str>) -> String {
    let (revision, names) = (revision.short(), plugins.iter().map(|it| it.name.as_str()));
    match refused {
        Some(why) => format!("plugins   {revision} stays, another set was refused: {why}"),
        None => {
            format!("plugins   {revision} in force: {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

fn outcome_line(call: CallId, outcome: &Outcome) -> String {
    format!(
        "{:<9} {} bytes in {} ms [{call}]",
        format!("{:?}", outcome.kind).to_lowercase(),
        outcome.bytes,
        outcome.millis
    )
}

/// What a step counts, in words.
fn counted(tally: &Tally) -> String {
    let numbers = [
        ("calls", tally.calls),
        ("denials", tally.denials),
        ("writes", tally.writes),
        ("rows", tally.rows),
        ("bytes", tally.bytes),
        ("unknown", tally.unknown),
    ];
    let seen = tally.seen.iter().map(|(thing, marks)| (thing.as_str(), marks.len() as u64));
    let mut words: Vec<String> = numbers
        .into_iter()
        .chain(seen)
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| format!("{number} {name}"))
        .collect();
    words.extend(tally.labels.iter().map(|label| format!("label {}", label.name)));
    words.join(", ")
}

fn hold_line(hold: HoldId, event: &HoldEvent) -> String {
    let more = match event {
        HoldEvent::Opened(opened) => {
            format!("{} by {}", opened.binding.tool, opened.binding.principal)
        }
        HoldEvent::Approved { approver, .. } | HoldEvent::Revoked { approver } => {
            format!("by {approver}")
        }
        HoldEvent::SelfConfirmed { by, answer, .. } => {
            format!("by {by}, whom the agent acts for: {}", answer.words())
        }
        HoldEvent::Rejected { approver, reason } => format!("by {approver}: {reason}"),
        HoldEvent::Stale { changed } => changed.clone(),
        HoldEvent::Cancelled { reason } | HoldEvent::Unknown { reason } => reason.clone(),
        HoldEvent::Failed { error, .. } => error.clone(),
        _ => String::new(),
    };
    format!("hold      {:<10} {more} [{hold}]", event.name())
}

/// What somebody calls a record by.
fn named(text: &str) -> Result<Named, String> {
    if let Ok(seq) = text.parse() {
        return Ok(Named::At(Seq(seq)));
    }
    if let Ok(hold) = text.parse() {
        return Ok(Named::Hold(hold));
    }
    call_id(text).map(Named::Call).map_err(|_| {
        format!(
            "`{text}` is not the position of a record (a number from 0), nor the id of a call or of a hold"
        )
    })
}

pub(super) fn call_id(text: &str) -> Result<CallId, String> {
    text.parse().map(CallId).map_err(|_| format!("`{text}` is not a call id"))
}

fn verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "allow" => Ok(Verdict::Allow),
        "hold" => Ok(Verdict::Hold),
        "deny" => Ok(Verdict::Deny),
        _ => Err("a verdict is `allow`, `hold` or `deny`".to_owned()),
    }
}
