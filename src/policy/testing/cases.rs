//! Cases decided as on the road: the same input, the same evaluation, the same reading of the answer.

use std::collections::BTreeSet;
use std::time::Instant;

use regorus::Value;
use serde_json::Value as Json;

use super::case_file::{self, Case};
use super::{TestOutcome, TestResult};
use crate::domain::{Finding, Question, Timestamp};
use crate::policy::asked::Matter;
use crate::policy::bundle::{File, FileKind};
use crate::policy::engine::{Budget, entry_point};
use crate::policy::kind::Kind;
use crate::policy::load::Checked;
use crate::policy::problem::LoadErrors;
use crate::policy::{Visible, settled, shown};

/// Decides every case.
pub(super) fn run(
    files: &[File],
    checked: &mut Checked,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<TestResult>, LoadErrors> {
    let mut results = Vec::new();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.kind == FileKind::Cases) {
        let cases = match case_file::read(file) {
            Ok(cases) => cases,
            Err(faults) => {
                problems.extend(faults);
                continue;
            }
        };
        let mut names = BTreeSet::new();
        for (at, case) in cases {
            if !names.insert(case.name.clone()) {
                problems.push(case_file::problem(file, at, "another case has this name"));
            }
            let name = format!("{}: {}", file.name, case.name);
            if !wanted(&name) {
                continue;
            }
            let began = Instant::now();
            let outcome = match decide(&case, checked) {
                Ok(differences) if differences.is_empty() => TestOutcome::Passed,
                Ok(differences) => {
                    let text = differences.join("; ");
                    TestOutcome::Failed(case_file::problem(file, at, &text).of(Kind::TestFailed))
                }
                Err(text) => {
                    problems.push(case_file::problem(file, at, &text));
                    continue;
                }
            };
            results.push(TestResult {
                name,
                file: file.name.clone(),
                line: u32::try_from(at.line).unwrap_or(u32::MAX),
                outcome,
                prints: Vec::new(),
                took: began.elapsed(),
            });
        }
    }
    LoadErrors::check(problems).map(|_| results)
}

/// What was decided otherwise than expected.
fn decide(case: &Case, checked: &mut Checked) -> Result<Vec<String>, String> {
    let question = case.question;
    // Cases that name no time are decided at the same time always.
    let put = case.asked.put(question, Timestamp::default()).map_err(|error| error.to_string())?;
    let want = checked.loaded.prepared.wants.of_question(question);
    let answer = put.document(want).and_then(|document| {
        cover(checked, question, document.value.clone());
        checked.loaded.prepared.ask(question, document.value, Budget::TRIAL)
    });
    let sites = &checked.loaded.sites;
    let Matter::Visible { tools, .. } = &put.matter else {
        return Ok(differences(case, &settled(question, answer, sites)));
    };
    let seen = shown(answer, tools, sites);
    let mut found = of_tools(case, &seen);
    found.extend(differences(case, &seen.finding));
    Ok(found)
}

/// The interpreter sees the document too: only it knows which lines are evaluated. What it says does
/// not matter here.
fn cover(checked: &mut Checked, question: Question, document: Value) {
    checked.engine.set_input(document);
    let evaluate = std::panic::AssertUnwindSafe(|| {
        checked.engine.eval_rule(entry_point(question).to_owned()).is_ok()
    });
    let _ = std::panic::catch_unwind(evaluate);
}

fn of_tools(case: &Case, seen: &Visible) -> Vec<String> {
    let Some(tools) = &case.expect.tools else { return Vec::new() };
    let tools: BTreeSet<String> = tools.iter().cloned().collect();
    let list = |tools: Vec<&String>| tools.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let rows = [
        ("also shown", list(seen.tools.difference(&tools).collect())),
        ("not shown", list(tools.difference(&seen.tools).collect())),
    ];
    let rows = rows.into_iter().filter(|(_, tools)| !tools.is_empty());
    rows.map(|(what, tools)| format!("{what}: {tools}")).collect()
}

fn differences(case: &Case, finding: &Finding) -> Vec<String> {
    let expect = &case.expect;
    let reasons: Vec<String> = finding
        .reasons
        .iter()
        .map(|reason| {
            let at = reason.at.as_deref().unwrap_or("portcullis");
            format!("{} ({at}: {})", reason.rule, reason.text)
        })
        .collect();
    let said = format!("the verdict is {} by {}", finding.verdict, reasons.join(", "));
    let mut differences = Vec::new();
    if expect.verdict.is_some_and(|verdict| verdict != finding.verdict) {
        differences.push(said.clone());
    }
    if let Some(rule) = &expect.rule
        && !finding.reasons.iter().any(|reason| is_rule(case, rule, &reason.rule))
    {
        differences.push(format!("the rule `{rule}` did not speak; {said}"));
    }
    if let Some(expected) = &expect.obligations {
        differences.extend(of_obligations(case, expected, finding));
    }
    differences
}

/// Whether a rule is meant, with its question or without.
fn is_rule(case: &Case, meant: &str, rule: &str) -> bool {
    rule == meant || rule == format!("{}.{meant}", case.question.as_str())
}

fn of_obligations(case: &Case, expected: &[Json], finding: &Finding) -> Vec<String> {
    let mut left: Vec<(String, Json)> = finding
        .obligations
        .iter()
        .map(|one| (one.reason.rule.clone(), one.duty.written()))
        .collect();
    let mut differences = Vec::new();
    for wanted in expected {
        let fits = |(rule, duty): &(String, Json)| match wanted.as_str() {
            Some(name) => is_rule(case, name, rule),
            None => duty == wanted,
        };
        match left.iter().position(fits) {
            Some(index) => drop(left.remove(index)),
            None => differences.push(format!("the obligation {wanted} is not demanded")),
        }
    }
    let more = left.into_iter();
    differences.extend(more.map(|(rule, duty)| format!("{rule} also demands {duty}")));
    differences
}
