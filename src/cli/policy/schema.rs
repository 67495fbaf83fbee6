//! `portcullis policy schema`.

use std::process::ExitCode;

use super::asked::Word;
use crate::policy;

/// Whose schema.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// `input` or `data`.
    #[arg(value_enum, default_value_t = Document::Input)]
    document: Document,
    /// The input of this question; else of all of them together.
    #[arg(long, short, value_enum)]
    question: Option<Word>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Document {
    /// What is asked.
    Input,
    /// What the shipped rules read of `data`.
    Data,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let schema = match args.document {
        Document::Input => policy::input_schema(args.question.map(Into::into)),
        Document::Data => policy::data_schema(),
    };
    println!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(ExitCode::SUCCESS)
}
