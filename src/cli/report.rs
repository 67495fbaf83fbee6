//! How the commands about policies and plugins say what they found: for people, and for machines.
//!
//! One list of items serves every command and every format: a test that passed, was skipped or
//! failed; a file without findings, or a finding. So a CI system that reads one of the formats reads
//! all of the commands, and the exit status follows from the same list: 0 if nothing failed, else 1.

mod junit;
mod pretty;
mod sarif;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::cli::shown;
use crate::policy::{Problem, Severity, Source};

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Format {
    /// For people: the source line with a mark.
    Pretty,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML.
    Junit,
    /// Test Anything Protocol, version 14.
    Tap,
}

/// What a command has to say.
pub(in crate::cli) struct Report {
    /// The command, such as `policy check`.
    pub(in crate::cli) command: &'static str,
    /// Where the files lie, if names of files are to be read from there.
    pub(in crate::cli) folder: Option<PathBuf>,
    /// The texts of the files, by their names.
    pub(in crate::cli) texts: BTreeMap<String, String>,
    /// Whether warnings fail.
    pub(in crate::cli) strict: bool,
    /// Whether people see what passed too.
    pub(in crate::cli) verbose: bool,
    pub(in crate::cli) items: Vec<Item>,
    /// Members of the JSON object beside the common ones.
    pub(in crate::cli) more: Vec<(&'static str, Json)>,
    /// Lines for people below the items.
    pub(in crate::cli) notes: Vec<String>,
}

/// One thing that was looked at.
pub(in crate::cli) struct Item {
    /// A test's name, or a file's.
    pub(in crate::cli) name: String,
    /// The file of the bundle; empty for the bundle as a whole.
    pub(in crate::cli) file: String,
    /// From 1; 0 if there is no line.
    pub(in crate::cli) line: u32,
    pub(in crate::cli) outcome: Outcome,
    /// What a test printed.
    pub(in crate::cli) output: Vec<String>,
    pub(in crate::cli) took: Option<Duration>,
}

/// How it ended.
pub(in crate::cli) enum Outcome {
    Passed,
    Skipped,
    Found(Found),
}

/// Something that is wrong.
pub(in crate::cli) struct Found {
    /// What kind of fault it is, as machines know it.
    pub(in crate::cli) code: &'static str,
    /// What to do about this kind of fault.
    pub(in crate::cli) help: &'static str,
    pub(in crate::cli) severity: Severity,
    /// Empty for the whole.
    pub(in crate::cli) file: String,
    /// From 1; 0 if there is no line.
    pub(in crate::cli) line: u32,
    /// From 1; 0 if there is no column.
    pub(in crate::cli) column: u32,
    /// What is wrong.
    pub(in crate::cli) text: String,
}

impl From<Problem> for Found {
    fn from(problem: Problem) -> Self {
        let Problem { file, line, column, kind, text } = problem;
        let (code, help, severity) = (kind.code(), kind.help(), kind.severity());
        Self { code, help, severity, file, line, column, text }
    }
}

impl Item {
    /// A problem on its own.
    pub(in crate::cli) fn found(problem: impl Into<Found>) -> Self {
        let problem = problem.into();
        let name = match problem.file.as_str() {
            "" => "the bundle".to_owned(),
            file if problem.line == 0 => file.to_owned(),
            file => format!("{file}:{}:{}", problem.line, problem.column),
        };
        Self {
            name,
            file: problem.file.clone(),
            line: problem.line,
            outcome: Outcome::Found(problem),
            output: Vec::new(),
            took: None,
        }
    }

    /// A file in which nothing was found.
    pub(in crate::cli) fn clean(file: &str) -> Self {
        Self {
            name: file.to_owned(),
            file: file.to_owned(),
            line: 0,
            outcome: Outcome::Passed,
            output: Vec::new(),
            took: None,
        }
    }

    fn problem(&self) -> Option<&Found> {
        match &self.outcome {
            Outcome::Found(problem) => Some(problem),
            Outcome::Passed | Outcome::Skipped => None,
        }
    }
}

impl Report {
    /// A report of a command about policies.
    pub(in crate::cli) fn of(command: &'static str, source: &Source) -> Self {
        Self {
            command,
            folder: match source {
                Source::Folder(folder) => Some(PathBuf::from(folder)),
                _ => None,
            },
            texts: source.texts().into_iter().collect(),
            strict: false,
            verbose: false,
            items: Vec::new(),
            more: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Writes the report on standard output; gives the exit status.
    pub(in crate::cli) fn print(&self, format: Format) -> anyhow::Result<ExitCode> {
        let text = match format {
            Format::Pretty => self.pretty(colour()),
            Format::Json => format!("{:#}\n", self.json()),
            Format::Sarif => self.sarif()?,
            Format::Github => self.github(),
            Format::Junit => self.junit()?,
            Format::Tap => self.tap(),
        };
        print!("{text}");
        Ok(self.exit_code())
    }

    fn exit_code(&self) -> ExitCode {
        let fails = self.items.iter().any(|item| self.fails(item));
        if fails { ExitCode::from(1) } else { ExitCode::SUCCESS }
    }

    /// Whether an item makes the command fail.
    fn fails(&self, item: &Item) -> bool {
        item.problem().is_some_and(|problem| self.strict || problem.severity == Severity::Error)
    }

    /// How many passed, were skipped, are errors, are warnings.
    fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for item in &self.items {
            let [passed, skipped, errors, warnings] = &mut counts;
            *match &item.outcome {
                Outcome::Passed => passed,
                Outcome::Skipped => skipped,
                Outcome::Found(problem) => match problem.severity {
                    Severity::Error => errors,
                    Severity::Warning => warnings,
                },
            } += 1;
        }
        counts
    }

    /// A file's path as the caller of the command can open it.
    fn path(&self, file: &str) -> String {
        match &self.folder {
            // What begins with `lib/` is built in.
            Some(folder) if !file.is_empty() && !file.starts_with("lib/") => {
                folder.join(file).display().to_string()
            }
            _ => file.to_owned(),
        }
    }

    fn json(&self) -> Json {
        let [passed, skipped, errors, warnings] = self.counts();
        let items: Vec<Json> = self.items.iter().map(|item| self.item(item)).collect();
        let mut all = json!({
            "command": self.command,
            "passed": passed,
            "skipped": skipped,
            "errors": errors,
            "warnings": warnings,
            "items": items,
        });
        if let Some(all) = all.as_object_mut() {
            let more = self.more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            all.extend(more);
        }
        all
    }

    fn item(&self, item: &Item) -> Json {
        let mut one = json!({
            "name": item.name,
            "file": self.path(&item.file),
            "line": item.line,
            "outcome": match item.outcome {
                Outcome::Passed => "passed",
                Outcome::Skipped => "skipped",
                Outcome::Found(_) => "found",
            },
        });
        if let (Some(one), Some(problem)) = (one.as_object_mut(), item.problem()) {
            one.extend([
                ("code".to_owned(), json!(problem.code)),
                ("severity".to_owned(), json!(problem.severity.as_str())),
                (
                    "at".to_owned(),
                    json!({
                        "file": self.path(&problem.file),
                        "line": problem.line,
                        "column": problem.column,
                    }),
                ),
                ("text".to_owned(), json!(problem.text)),
                ("help".to_owned(), json!(problem.help)),
            ]);
        }
        if let Some(one) = one.as_object_mut() {
            if !item.output.is_empty() {
                one.insert("output".to_owned(), json!(item.output));
            }
            if let Some(took) = item.took {
                one.insert("seconds".to_owned(), json!(took.as_secs_f64()));
            }
        }
        one
    }

    fn github(&self) -> String {
        let mut text = String::new();
        for problem in self.items.iter().filter_map(Item::problem) {
            let level = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let mut place = format!("title={}", of_property(problem.code));
            if !problem.file.is_empty() {
                place.push_str(&format!(",file={}", of_property(&self.path(&problem.file))));
            }
            if problem.line > 0 {
                place.push_str(&format!(",line={},col={}", problem.line, problem.column));
            }
            let said = of_data(&format!("{} ({})", problem.text, problem.help));
            text.push_str(&format!("::{level} {place}::{said}\n"));
        }
        text
    }

    fn tap(&self) -> String {
        let mut text = format!("TAP version 14\n1..{}\n", self.items.len());
        for (number, item) in (1..).zip(&self.items) {
            let ok = if self.fails(item) { "not ok" } else { "ok" };
            let name = shown(&item.name).replace('#', "\\#");
            let skip = if matches!(item.outcome, Outcome::Skipped) { " # SKIP" } else { "" };
            text.push_str(&format!("{ok} {number} - {name}{skip}\n"));
            if let Some(problem) = item.problem() {
                let place =
                    format!("{}:{}:{}", self.path(&problem.file), problem.line, problem.column);
                let rows = [
                    ("message", problem.text.as_str()),
                    ("code", problem.code),
                    ("severity", problem.severity.as_str()),
                    ("at", &place),
                    ("help", problem.help),
                ];
                // A JSON string is a YAML string too.
                let rows = rows.map(|(key, value)| format!("  {key}: {}\n", json!(value)));
                text.push_str(&format!("  ---\n{}  ...\n", rows.concat()));
            }
            for line in &item.output {
                text.push_str(&format!("# {}\n", shown(line)));
            }
        }
        text
    }
}

/// Whether standard output takes colours.
pub(in crate::cli) fn colour() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !unwanted
}

fn of_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn of_property(text: &str) -> String {
    of_data(text).replace(':', "%3A").replace(',', "%2C")
}
