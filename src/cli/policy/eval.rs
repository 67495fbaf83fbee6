//! `portcullis policy eval`: flags as in `opa eval` where OPA has them.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asked::{self, CallerArgs, Word, read};
use crate::cli::shown;
use crate::clock;
use crate::config::Config;
use crate::domain::{Finding, Obligation, Question, Verdict};
use crate::policy::{
    Answer, Asked, EvalError, LoadErrors, Results, Ruled, Ruleset, Source, question_of,
};

/// What is evaluated.
#[derive(Debug, clap::Args)]
#[command(after_help = "A question's document (YAML or JSON) holds what matters of a call:\n\n  \
    tool: update_article\n  arguments: {id: \"1\", state: published}\n\n\
    also: method, params, effect, pinned, revision, client, principal {id, kind, roles, groups, \
    attributes, on_behalf_of}, now, environment; `tools` for visible, `answer` {kind, method, bytes} \
    for disclose, `approver` {id, groups} and `hold` {release, approvals} for approve.\n\n\
    Exit status: 0 a result (for a question: not denied), 1 undefined, denied or an error, 2 usage.")]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's, else the one that is shipped.
    #[arg(long, short)]
    bundle: Option<PathBuf>,
    /// More rules or data: a `.rego` or `.json` file, or a folder of them. May be repeated.
    #[arg(long, short, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// The input document in JSON or YAML; `-` reads standard input. For a question: the call.
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, short, value_enum, default_value_t = Format::Pretty)]
    format: Format,
    /// Ask this question instead of a query, in the way of the road.
    #[arg(long, short, value_enum, conflicts_with = "query")]
    question: Option<Word>,
    #[command(flatten)]
    caller: CallerArgs,
    /// Read requests from standard input, one JSON object a line (`bundle`, `query`, `input`), and
    /// answer each with a line.
    #[arg(long, conflicts_with_all = ["query", "question", "input", "bundle", "data"])]
    batch: bool,
    /// The query, such as `data.portcullis.admit.answer`.
    #[arg(required_unless_present_any = ["question", "batch"])]
    query: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Pretty,
    /// As `opa eval` prints it.
    Json,
    /// The value alone; a text without quotes.
    Raw,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    if args.batch {
        return batch();
    }
    let ruleset = Ruleset::load_with(&super::source(config, args.bundle)?, &args.data)?;
    let input = args.input.as_deref().map(read).transpose()?;
    if let Some(word) = args.question {
        let Some(text) = input else {
            bail!("a question needs a call: give `--input FILE` or `-`")
        };
        let mut asked = Asked::read(&text)?;
        let config = config.exists().then(|| Config::load(config)).transpose()?;
        args.caller.put_into(&mut asked, config.as_ref());
        if asked.environment.is_none() {
            asked.environment = config.as_ref().map(|config| config.environment.clone());
        }
        // The road brings ids to one form and refuses what does not fit before rules are asked.
        let mut refused = None;
        if word != Word::Visible {
            let data = config.as_ref().map(|config| config.data.as_path());
            refused = asked::resolve(&mut asked, data)?.own.into_iter().next();
        }
        if let Some(reason) = refused.as_ref().and_then(|finding| finding.reasons.first()) {
            eprintln!("note: Portcullis itself refuses this call: {}", reason.text);
        }
        if word != Word::Admit && refused.take().is_some() {
            // The other questions are asked of calls that were in order.
            asked.pinned = None;
        }
        let mut ruled = ruleset.rule_on(word.into(), &asked, clock::now()).await?;
        // Nothing that rules say of such a call counts.
        if let Some(own) = refused {
            ruled.finding = own;
        }
        return print_ruled(&ruleset, word.into(), &ruled, args.format);
    }
    args.caller.refuse_without("`--question`")?;
    let query = args.query.unwrap_or_default();
    print_results(&ruleset.query(&query, input.as_deref())?, args.format)
}

fn print_results(results: &Results, format: Format) -> anyhow::Result<ExitCode> {
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(results)?),
        _ if results.is_undefined() => println!("undefined"),
        Format::Pretty => {
            for value in results.values() {
                println!("{}", serde_json::to_string_pretty(&value)?);
            }
        }
        Format::Raw => {
            for value in results.values() {
                match value.text() {
                    Some(text) => println!("{}", shown(text)),
                    None => println!("{}", serde_json::to_string(&value)?),
                }
            }
        }
    }
    Ok(if results.is_undefined() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_ruled(
    ruleset: &Ruleset,
    question: Question,
    ruled: &Ruled,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let finding = &ruled.finding;
    match format {
        Format::Json => {
            let mut answer = json!({
                "question": question,
                "revision": ruleset.revision(),
                "verdict": finding.verdict,
                "reasons": finding.reasons,
            });
            let more = [
                ("release", serde_json::to_value(&finding.release)?),
                ("obligations", serde_json::to_value(duties(finding))?),
                ("fault", serde_json::to_value(finding.fault)?),
                ("tools", serde_json::to_value(&ruled.tools)?),
            ];
            if let Value::Object(members) = &mut answer {
                let given = more.into_iter().filter(|(_, value)| !value.is_null());
                members.extend(given.map(|(key, value)| (key.to_owned(), value)));
            }
            println!("{}", serde_json::to_string_pretty(&answer)?);
        }
        Format::Raw => println!("{}", finding.verdict),
        Format::Pretty => {
            println!("{}", finding.verdict);
            for reason in &finding.reasons {
                let at = reason.at.as_deref().unwrap_or("-");
                println!("  {}  {}  {}", shown(&reason.rule), shown(at), shown(&reason.text));
            }
            for obligation in &finding.obligations {
                println!("  obligation  {}", shown(&serde_json::to_string(obligation)?));
            }
            if let Some(release) = &finding.release {
                println!("  release  {}", serde_json::to_string(release)?);
            }
            if let Some(tools) = &ruled.tools {
                println!("  tools  {}", shown(&tools.join(", ")));
            }
        }
    }
    let denied = finding.verdict == Verdict::Deny;
    Ok(if denied { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is demanded, if anything is.
fn duties(finding: &Finding) -> Option<&[Obligation]> {
    (!finding.obligations.is_empty()).then_some(&finding.obligations)
}

/// One request of `--batch`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    bundle: Option<PathBuf>,
    query: String,
    #[serde(default)]
    input: Value,
}

/// The answer to a request: exactly one of `result`, `undefined`, `error` and `refused`.
#[derive(Debug, Default, Serialize)]
struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undefined: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why the bundle is not loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<String>>,
    /// `bytecode` or `interpreter`, for the four questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'static str>,
    /// What the interpreter says, if it is something else than bytecode.
    #[serde(skip_serializing_if = "Option::is_none")]
    interpreter: Option<Box<Self>>,
}

fn batch() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    // Requests for one bundle come one after the other.
    let mut loaded: Option<(Option<PathBuf>, Result<Ruleset, LoadErrors>)> = None;
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let request: Request = serde_json::from_str(&line)
            .with_context(|| format!("line {} of standard input is no request", number + 1))?;
        let same = loaded.take().filter(|(bundle, _)| *bundle == request.bundle);
        let (bundle, ruleset) = same.unwrap_or_else(|| {
            let source = request.bundle.clone().map_or(Source::Shipped, Source::Folder);
            (request.bundle.clone(), Ruleset::load(&source))
        });
        let reply = match &ruleset {
            Ok(ruleset) => reply(ruleset, &request)?,
            Err(errors) => {
                let refused = errors.problems().iter().map(ToString::to_string).collect();
                Reply { refused: Some(refused), ..Reply::default() }
            }
        };
        loaded = Some((bundle, ruleset));
        serde_json::to_writer(&mut out, &reply)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn reply(ruleset: &Ruleset, request: &Request) -> anyhow::Result<Reply> {
    let input = request.input.to_string();
    let Some(question) = question_of(&request.query) else {
        let answer = ruleset.query(&request.query, Some(&input));
        return Ok(of(answer.map(|results| results.values().next())));
    };
    let both = ruleset.ask_raw(question, &input)?;
    let interpreter = (!both.agree()).then(|| Box::new(of(both.interpreter)));
    let decided_by =
        if ruleset.interpreted_because().is_some() { "interpreter" } else { "bytecode" };
    Ok(Reply { decided_by: Some(decided_by), interpreter, ..of(both.road) })
}

fn of(answer: Result<Option<Answer>, EvalError>) -> Reply {
    let value = match answer {
        Ok(Some(value)) => serde_json::to_value(value).map_err(|error| error.to_string()),
        Ok(None) => return Reply { undefined: Some(true), ..Reply::default() },
        Err(error) => Err(error.to_string()),
    };
    match value {
        Ok(value) => Reply { result: Some(value), ..Reply::default() },
        Err(error) => Reply { error: Some(error), ..Reply::default() },
    }
}
