//! JUnit XML: a suite for each file.

use std::collections::BTreeMap;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::{Item, Outcome, Report};

impl Report {
    pub(super) fn junit(&self) -> anyhow::Result<String> {
        let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
        for item in &self.items {
            let file = if item.file.is_empty() { "bundle" } else { &item.file };
            let suite = suites.entry(file).or_insert_with(|| TestSuite::new(self.path(file)));
            suite.add_test_case(self.case(item));
        }
        let mut xml = Xml::new(self.command);
        xml.add_test_suites(suites.into_values());
        let text = xml.to_string().context("cannot write JUnit XML")?;
        Ok(text + "\n")
    }

    fn case(&self, item: &Item) -> TestCase {
        let status = match &item.outcome {
            Outcome::Skipped => TestCaseStatus::skipped(),
            Outcome::Found(problem) if self.fails(item) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let place = self.path(&problem.file);
                status.set_type(problem.code).set_message(problem.text.as_str());
                status.set_description(format!(
                    "{place}:{}:{}: {}\n{}",
                    problem.line, problem.column, problem.text, problem.help
                ));
                status
            }
            Outcome::Passed | Outcome::Found(_) => TestCaseStatus::success(),
        };
        let mut case = TestCase::new(item.name.as_str(), status);
        case.set_classname(item.file.as_str());
        if let Some(took) = item.took {
            case.set_time(took);
        }
        let mut output = item.output.join("\n");
        if let Some(problem) = item.problem().filter(|_| !self.fails(item)) {
            output = format!("warning {}: {}", problem.code, problem.text);
        }
        if !output.is_empty() {
            case.set_system_out(output);
        }
        case
    }
}
