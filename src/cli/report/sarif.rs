//! SARIF 2.1.0.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_sarif::sarif::{
    ArtifactLocation, Location, PhysicalLocation, Region, ReportingDescriptor, Result, ResultLevel,
    Run, Sarif, ToolComponent, Version,
};

use super::{Found, Item, Report};
use crate::policy::Severity;

impl Report {
    pub(super) fn sarif(&self) -> anyhow::Result<String> {
        let problems: Vec<&Found> = self.items.iter().filter_map(Item::problem).collect();
        let kinds: BTreeMap<&str, &str> =
            problems.iter().map(|problem| (problem.code, problem.help)).collect();
        let rules: Vec<ReportingDescriptor> = kinds
            .iter()
            .map(|(code, help)| {
                ReportingDescriptor::builder()
                    .id(*code)
                    .name(*code)
                    .short_description(&(*help).to_owned())
                    .build()
            })
            .collect();
        let results: Vec<Result> = problems.iter().map(|problem| self.result(problem)).collect();
        let tool = ToolComponent::builder()
            .name("portcullis")
            .version(env!("CARGO_PKG_VERSION"))
            .rules(rules)
            .build();
        let run = Run::builder().tool(tool).results(results).build();
        let sarif = Sarif::builder().version(Version::V2_1_0.to_string()).runs(vec![run]).build();
        let text = serde_json::to_string_pretty(&sarif).context("cannot write SARIF")?;
        Ok(text + "\n")
    }

    fn result(&self, problem: &Found) -> Result {
        let level = match problem.severity {
            Severity::Error => ResultLevel::Error,
            Severity::Warning => ResultLevel::Warning,
        };
        let file = ArtifactLocation::builder().uri(self.path(&problem.file)).build();
        let place = PhysicalLocation::builder().artifact_location(file);
        let place = if problem.line > 0 {
            let region = Region::builder()
                .start_line(i64::from(problem.line))
                .start_column(i64::from(problem.column.max(1)));
            place.region(region.build()).build()
        } else {
            place.build()
        };
        let locations = if problem.file.is_empty() {
            Vec::new()
        } else {
            vec![Location::builder().physical_location(place).build()]
        };
        Result::builder()
            .rule_id(problem.code)
            .message(problem.text.as_str())
            .locations(locations)
            .level(level)
            .build()
    }
}
