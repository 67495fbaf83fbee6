//! `portcullis policy bench`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::Format;
use super::asked::{CallerArgs, Word, read};
use crate::clock;
use crate::domain::Question;
use crate::policy::{Asked, Ruleset, Timing};

/// What is measured.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's, else the one that is shipped.
    #[arg(long, short)]
    bundle: Option<PathBuf>,
    /// The call in YAML or JSON, as for `policy eval --question`; `-` reads standard input.
    #[arg(long, short, value_name = "FILE")]
    input: PathBuf,
    /// The question.
    #[arg(long, short, value_enum, default_value = "admit")]
    question: Word,
    #[command(flatten)]
    caller: CallerArgs,
    /// How often it is asked.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// How the times are printed.
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let ruleset = Ruleset::load(&super::source(config, args.bundle)?)?;
    let mut asked = Asked::read(&read(&args.input)?)?;
    args.caller.put_into(&mut asked, None);
    let question = Question::from(args.question);
    let count = usize::try_from(args.count)?;
    let timing = ruleset.time(question, &asked, clock::now(), count)?;
    let of = |times: &[Duration]| [50, 99].map(|percent| Timing::percentile(times, percent));
    let [evaluated, road] = [of(&timing.evaluated), of(&timing.road)];
    if args.format == Format::Json {
        let nanoseconds = |[p50, p99]: [Duration; 2]| json!({"p50": p50.as_nanos().to_string(), "p99": p99.as_nanos().to_string()});
        let times = json!({
            "question": question,
            "count": args.count,
            "decided_by": ruleset.interpreted_because().map_or("bytecode", |_| "interpreter"),
            "evaluated": nanoseconds(evaluated),
            "road": nanoseconds(road),
            "kept": timing.keeps,
        });
        println!("{}", serde_json::to_string_pretty(&times)?);
        return Ok(ExitCode::SUCCESS);
    }
    let row = |name: &str, [p50, p99]: [Duration; 2]| {
        println!("{name:<28} p50 {:>9.1} us   p99 {:>9.1} us", micros(p50), micros(p99));
    };
    row(&format!("{} evaluated", question.as_str()), evaluated);
    if timing.keeps {
        row("  where the answer is kept", road);
    }
    if let Some(why) = ruleset.interpreted_because() {
        println!("decided by the interpreter, which is slower: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
