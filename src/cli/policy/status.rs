//! `portcullis policy status`.

use std::path::Path;
use std::process::ExitCode;

use super::Format;
use super::shadow::again;
use crate::cli::shown;
use crate::config::Config;
use crate::control::{self, Answer, PolicyQuestion, Question};
use crate::domain::{Digest, JsonText};
use crate::rollout::PolicyStatus;

/// How it is shown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 if the last try to put a revision in force went well, 1 if it \
                        failed or nothing could be asked, 2 if the command line is wrong."
)]
pub(in crate::cli) struct Args {
    /// For people or for machines.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let question = Question::Policy { what: PolicyQuestion::Status };
    let Answer::PolicyStatus { status } = control::ask(&config.data, &question).await? else {
        anyhow::bail!("the running Portcullis answered something else; is it another version?");
    };
    match args.format {
        Format::Json => println!("{}", JsonText::of(&status).as_str()),
        Format::Pretty => print!("{}", pretty(&status)),
    }
    let failed = status.last_attempt.is_some_and(|attempt| attempt.error.is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn pretty(status: &PolicyStatus) -> String {
    let active = &status.active;
    let mut lines = vec![
        format!("active   {}{}", active.revision, named(active.name.as_deref())),
        format!("from     {}", active.source),
        format!("since    {}", active.since),
    ];
    let how = match (status.pinned, status.followed) {
        (true, _) => "pinned: the source is not followed (`policy promote --latest` ends that)",
        (false, true) => "followed",
        (false, false) => "read at start and by `policy reload`",
    };
    lines.push(format!("source   {}, {how}", status.source));
    lines
        .push(format!("signed   {}", if status.signed_only { "required" } else { "not required" }));
    if let Some(reason) = &active.interpreted_because {
        lines.push(format!("slow     interpreted: {reason}"));
    }
    if let Some(attempt) = &status.last_attempt {
        let what = attempt.revision.map_or("something unreadable".to_owned(), |it| it.short());
        let came = match &attempt.error {
            None => "is in force".to_owned(),
            Some(error) => format!("REFUSED: {error}"),
        };
        lines.push(format!("last try {}, {what} from {}: {came}", attempt.at, attempt.source));
    }
    if let Some(shadow) = &status.shadow {
        let (head, asked, flips) = (&shadow.head, shadow.asked, shadow.flips);
        let (name, late, dropped) = (named(head.name.as_deref()), head.not_in_time, head.dropped);
        let seen = format!(
            "{asked} questions, {flips} decided otherwise, {late} not answered in time, {dropped} \
             dropped"
        );
        lines.push(format!(
            "shadow   {}{name} from {}: {seen}{}",
            head.revision.short(),
            head.source,
            again(head.resumed)
        ));
    }
    lines.push("kept     (newest first)".to_owned());
    for kept in status.kept.iter().rev() {
        let mark = if kept.revision == active.revision { '*' } else { ' ' };
        let name = named(kept.name.as_deref());
        let digest: Digest = kept.revision;
        lines.push(format!(
            "       {mark} {}{name}  {}  {}",
            digest.short(),
            kept.since,
            kept.source
        ));
    }
    lines.iter().flat_map(|line| line.lines()).map(|line| shown(line) + "\n").collect()
}

pub(super) fn named(name: Option<&str>) -> String {
    name.map(|name| format!(" ({name})")).unwrap_or_default()
}
