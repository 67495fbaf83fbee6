//! For people: each problem with its source line, a mark under it, and what to do.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
    SourceSpan,
};

use super::{Found, Item, Outcome, Report};
use crate::cli::shown;
use crate::policy::Severity;

/// Columns of the drawing.
const WIDTH: usize = 100;

impl Report {
    pub(super) fn pretty(&self, colour: bool) -> String {
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let draw = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_context_lines(1)
            .with_links(false);
        let mut text = String::new();
        for item in &self.items {
            match &item.outcome {
                Outcome::Passed | Outcome::Skipped if !self.verbose => {}
                Outcome::Passed => text.push_str(&line("PASS", item)),
                Outcome::Skipped => text.push_str(&line("SKIP", item)),
                Outcome::Found(problem) => {
                    if item.took.is_some() {
                        text.push_str(&line("FAIL", item));
                    }
                    let drawn = Drawn::new(self, problem, self.texts.get(&problem.file));
                    // Writing to a String cannot fail.
                    let _ = draw.render_report(&mut text, &drawn);
                }
            }
            for said in &item.output {
                text.push_str(&format!("     print: {}\n", shown(said)));
            }
        }
        text.push_str(&self.summary());
        text
    }

    fn summary(&self) -> String {
        let [passed, skipped, errors, warnings] = self.counts();
        let mut parts = vec![format!("{passed} passed")];
        for (count, word) in [(skipped, "skipped"), (errors, "failed"), (warnings, "warnings")] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        let mut text = format!("{}: {}\n", self.command, parts.join(", "));
        for note in &self.notes {
            text.push_str(note);
            text.push('\n');
        }
        text
    }
}

fn line(word: &str, item: &Item) -> String {
    let took = item.took.map(|took| format!(" ({:.1} ms)", took.as_secs_f64() * 1000.0));
    format!("{word} {}{}\n", shown(&item.name), took.unwrap_or_default())
}

/// A problem as the drawing library wants it.
struct Drawn {
    text: String,
    code: &'static str,
    help: &'static str,
    severity: Severity,
    source: Option<NamedSource<String>>,
    span: Option<SourceSpan>,
}

impl Drawn {
    fn new(report: &Report, problem: &Found, source: Option<&String>) -> Self {
        let place = report.path(&problem.file);
        let span = source.and_then(|source| span(source, problem));
        let mut text = shown(&problem.text);
        if span.is_none() && !place.is_empty() {
            text = format!("{place}: {text}");
        }
        Self {
            text,
            code: problem.code,
            help: problem.help,
            severity: problem.severity,
            source: source
                .filter(|_| span.is_some())
                .map(|source| NamedSource::new(place, source.clone())),
            span,
        }
    }
}

/// From the problem's column to the end of its line.
fn span(source: &str, problem: &Found) -> Option<SourceSpan> {
    let index = usize::try_from(problem.line).ok()?.checked_sub(1)?;
    let line = source.split_inclusive('\n').nth(index)?;
    let before: usize = source.split_inclusive('\n').take(index).map(str::len).sum();
    let column = usize::try_from(problem.column).ok()?.saturating_sub(1);
    let (inside, _) = line.char_indices().nth(column).unwrap_or((0, ' '));
    let length = line.get(inside..)?.trim_end().len().max(1);
    Some(SourceSpan::new((before + inside).into(), length))
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Drawn {}

impl Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}
