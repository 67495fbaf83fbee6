//! `portcullis policy matrix`: the table an auditor asks for, and its comparison with a committed
//! one.

mod expected;
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use askama::Template as _;

use self::expected::Expected;
use super::asked;
use crate::cli::shown;
use crate::clock;
use crate::config::{Config, IdentityMode};
use crate::domain::Verdict;
use crate::policy::{Asked, Caller, Cell, Matrix, Ruleset};

/// What is shown, and with what it is compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Keep least privilege in version control:\n\n  \
    portcullis policy matrix --format csv > matrix.csv     when the table is as it should be\n  \
    portcullis policy matrix --expect matrix.csv           in CI: exit status 1 on any difference")]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's, else the one that is shipped.
    folder: Option<PathBuf>,
    /// Only this principal of the configuration, or this role of the bundle. May be repeated.
    #[arg(long, value_name = "ID")]
    principal: Vec<String>,
    /// What all calls have in common, such as arguments: a document as for `policy eval`.
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Compare with this table, as `--format csv` printed it.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// How it is shown.
    #[arg(long, short, value_enum, default_value_t = Format::Pretty)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For the terminal.
    Pretty,
    /// For programs.
    Json,
    /// A page for a browser, in one file.
    Html,
    /// For spreadsheets, and for `--expect`.
    Csv,
}

pub(super) async fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let ruleset = Ruleset::load(&super::source(config, args.folder)?)?;
    let config = config.exists().then(|| Config::load(config)).transpose()?;
    let principals = chosen(principals(&ruleset, config.as_ref()), &args.principal)?;
    let mut pattern = match &args.input {
        Some(path) => Asked::read(&asked::read(path)?)?,
        None => Asked::default(),
    };
    if pattern.environment.is_none() {
        pattern.environment = config.map(|config| config.environment);
    }
    let matrix = ruleset.matrix(principals, &pattern, clock::now()).await?;
    if let Some(path) = &args.expect {
        return compare(&matrix, &Expected::read(path)?, args.format);
    }
    match args.format {
        Format::Pretty => print!("{}", pretty(&matrix)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&matrix)?),
        Format::Html => println!("{}", page::Page::of(&matrix).render()?),
        Format::Csv => print!("{}", expected::csv(&matrix)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The principals of the configuration; without any, the roles of the bundle, each as a principal
/// that has it alone, and one that has none.
fn principals(ruleset: &Ruleset, config: Option<&Config>) -> Vec<(String, Caller)> {
    let mut known = config.map(|config| config.principals.clone()).unwrap_or_default();
    if let Some(IdentityMode::Anonymous(everybody)) = config.map(|config| &config.identity) {
        known.push(everybody.clone());
    }
    if !known.is_empty() {
        let row = |one: &std::sync::Arc<crate::domain::Principal>| {
            (one.id.to_string(), Caller::from(&**one))
        };
        return known.iter().map(row).collect();
    }
    let caller = |roles: Vec<String>| Caller { roles, ..Caller::default() };
    let mut rows: Vec<(String, Caller)> =
        ruleset.roles().into_iter().map(|role| (role.clone(), caller(vec![role]))).collect();
    rows.push((NO_ROLE.to_owned(), caller(Vec::new())));
    rows
}

const NO_ROLE: &str = "(no role)";

fn chosen(
    mut rows: Vec<(String, Caller)>,
    wanted: &[String],
) -> anyhow::Result<Vec<(String, Caller)>> {
    if let Some(unknown) = wanted.iter().find(|id| !rows.iter().any(|(name, _)| name == *id)) {
        let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        bail!("there is no principal `{unknown}`; known are: {}", names.join(", "));
    }
    if !wanted.is_empty() {
        rows.retain(|(name, _)| wanted.contains(name));
    }
    Ok(rows)
}

fn compare(matrix: &Matrix, expected: &Expected, format: Format) -> anyhow::Result<ExitCode> {
    let differences = expected.differences(matrix);
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&differences)?),
        Format::Pretty if differences.is_empty() => {
            let cells: usize = matrix.rows.iter().map(|row| row.cells.len()).sum();
            println!("ok: {cells} cells are as expected");
        }
        Format::Pretty => {
            differences.iter().for_each(|one| println!("{}", shown(&one.to_string())));
            println!("{} cell(s) differ", differences.len());
        }
        Format::Html | Format::Csv => bail!("`--expect` prints `pretty` or `json`"),
    }
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The most columns of principals side by side.
const COLUMNS: usize = 6;

/// A cell in a word: the verdict; a dash for what is neither shown nor callable.
fn word(cell: &Cell) -> &'static str {
    match (cell.visible, cell.admit) {
        (false, Verdict::Deny) => "-",
        (true, Verdict::Deny) => "deny (shown)",
        (true, Verdict::Hold) => "hold",
        (true, Verdict::Allow) => "allow",
        (false, Verdict::Hold) => "hold (hidden)",
        (false, Verdict::Allow) => "allow (hidden)",
    }
}

fn pretty(matrix: &Matrix) -> String {
    let mut text = format!("policy {}\n", matrix.revision);
    let first = matrix.tools.iter().map(|tool| tool.name.len()).max().unwrap_or(0);
    for rows in matrix.rows.chunks(COLUMNS) {
        let width = |row: &crate::policy::MatrixRow| {
            let cells = row.cells.iter().map(|cell| word(cell).len());
            cells.chain([row.principal.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = rows.iter().map(width).collect();
        let mut lines = vec![format!("\n{:first$}  {:<6}", "", "")];
        lines.extend(
            matrix
                .tools
                .iter()
                .map(|tool| format!("{:first$}  {:<6}", tool.name, tool.effect.as_str())),
        );
        for (row, width) in rows.iter().zip(widths) {
            let cells = row.cells.iter().map(word);
            let column = [shown(&row.principal)].into_iter().chain(cells.map(str::to_owned));
            for (line, cell) in lines.iter_mut().zip(column) {
                line.push_str(&format!("  {cell:<width$}"));
            }
        }
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.push_str(
        "\nallow: shown and goes on; hold: shown and waits for a person; -: hidden and denied\n",
    );
    text
}
