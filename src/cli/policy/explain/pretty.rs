//! An explanation for people: what spoke first, then what stopped, the nearest first.

use super::Explained;
use crate::cli::shown;
use crate::policy::{Helper, Read, Stop, Story, StoryOutcome};

/// The longest value on a line.
const MOST: usize = 100;
/// How far rules behind rules are shown; JSON has all.
const DEPTH: usize = 3;

pub(super) fn text(explained: &Explained) -> String {
    let explanation = &explained.explanation;
    let mut page = Page::default();
    let decision = &explained.decision;
    page.line(
        0,
        &format!(
            "{}  {}: {}",
            decision.verdict.as_str().to_uppercase(),
            explanation.question.as_str(),
            explained.asked
        ),
    );
    page.line(0, &format!("policy {}", explanation.revision));
    for note in &explained.notes {
        page.line(0, &format!("note: {note}"));
    }
    page.head("Because");
    for reason in &decision.reasons {
        page.line(1, &format!("{}  {}", reason.rule, reason.at.as_deref().unwrap_or("Portcullis")));
        page.line(2, &reason.text);
    }
    if let Some(release) = &decision.release {
        let groups = match release.groups.as_slice() {
            [] => String::from("any approver"),
            groups => format!("approvers of {}", groups.join(", ")),
        };
        let hours = release.expires.as_secs() / 3600;
        page.line(2, &format!("released by {} of {groups}, within {hours} h", release.people));
    }
    let (spoke, mut others): (Vec<&Story>, Vec<&Story>) = explanation
        .rules
        .iter()
        .partition(|story| matches!(story.outcome, StoryOutcome::Spoke { .. }));
    others.sort_by_key(|story| missing(story));
    page.head("Rules that spoke");
    if spoke.is_empty() {
        page.line(1, "none");
    }
    spoke.iter().for_each(|story| page.story(1, story));
    if !others.is_empty() {
        page.head("Rules that did not");
        others.iter().for_each(|story| page.story(1, story));
    }
    let verdict = explanation.finding.verdict;
    let turning: Vec<_> =
        explanation.with_role.iter().filter(|with| with.verdict != verdict).collect();
    if !turning.is_empty() {
        page.head("With one role more");
        for with in turning {
            page.line(
                1,
                &format!("{:<24} {:<6} {}", with.role, with.verdict, with.rules.join(", ")),
            );
        }
    }
    page.head("The agent reads");
    page.line(1, &explained.agent);
    page.0
}

/// How many conditions are missing; rules that failed come first.
fn missing(story: &Story) -> usize {
    match &story.outcome {
        StoryOutcome::Stopped(stop) => stop.conditions - stop.satisfied.min(stop.conditions),
        _ => 0,
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.push_str(&shown(text));
        self.0.push('\n');
    }

    fn head(&mut self, text: &str) {
        self.0.push('\n');
        self.line(0, text);
    }

    fn story(&mut self, depth: usize, story: &Story) {
        let name = story.rule.as_deref().unwrap_or("");
        let set = story.set.rsplit('.').next().unwrap_or_default();
        self.line(depth, format!("{set:<8} {name:<32} {}", story.at).trim_end());
        self.outcome(depth + 1, story, DEPTH);
        let roles = story.turned_by_roles.join(", ");
        let speaks = matches!(story.outcome, StoryOutcome::Spoke { .. });
        match (roles.is_empty(), speaks) {
            (true, _) => {}
            (_, true) => self.line(depth + 1, &format!("silent with one more role of: {roles}")),
            (_, false) => self.line(depth + 1, &format!("speaks with one more role of: {roles}")),
        }
    }

    fn outcome(&mut self, depth: usize, story: &Story, deeper: usize) {
        match &story.outcome {
            StoryOutcome::Spoke { said } => {
                for one in said.iter().take(5) {
                    self.line(depth, &said_text(one));
                }
                if said.len() > 5 {
                    self.line(depth, &format!("and {} more", said.len() - 5));
                }
            }
            StoryOutcome::Stopped(stop) => self.stop(depth, stop, deeper),
            StoryOutcome::Failed { failed_at, text } => {
                self.line(depth, &format!("ends in an error at {failed_at}, which denies: {text}"));
            }
            StoryOutcome::Unclear { text } => {
                self.line(depth, &format!("cannot be taken apart: {text}"));
            }
        }
    }

    fn stop(&mut self, depth: usize, stop: &Stop, deeper: usize) {
        let which = format!("{} of {} hold", stop.satisfied, stop.conditions);
        self.line(depth, &format!("stopped at {} ({which}):", stop.stopped_at));
        for line in stop.expression.lines() {
            self.line(depth + 1, line.trim());
        }
        for need in &stop.needs {
            self.line(depth, &format!("- {need}"));
        }
        for (number, case) in stop.cases.iter().enumerate() {
            let variables: Vec<String> = case.variables.iter().map(pair).collect();
            let operands: Vec<String> = case.operands.iter().map(pair).collect();
            if !variables.is_empty() {
                self.line(depth + 1, &format!("case {}: {}", number + 1, variables.join(", ")));
            }
            operands.iter().for_each(|operand| self.line(depth + 1, operand));
        }
        if stop.more_cases > 0 {
            self.line(depth + 1, &format!("and {} more cases", stop.more_cases));
        }
        let told = |read: &Read| {
            stop.cases
                .iter()
                .flat_map(|case| &case.operands)
                .any(|it| it.expression == read.expression)
        };
        for read in stop.reads.iter().filter(|read| !told(read)) {
            let through = read.through.as_deref();
            let through = through.map(|rule| format!("   (through {rule})")).unwrap_or_default();
            self.line(depth + 1, &format!("{}{through}", pair(read)));
        }
        if deeper > 0 {
            stop.helpers.iter().for_each(|helper| self.helper(depth + 1, helper, deeper - 1));
        }
    }

    fn helper(&mut self, depth: usize, helper: &Helper, deeper: usize) {
        for story in &helper.bodies {
            let value = helper.value.as_ref().map_or_else(|| "nothing".to_owned(), value_text);
            self.line(depth, &format!("{} ({}) gives {value}", helper.name, story.at));
            if !matches!(story.outcome, StoryOutcome::Spoke { .. }) {
                self.outcome(depth + 1, story, deeper);
            }
        }
    }
}

fn pair(read: &Read) -> String {
    let value = read.value.as_ref().map_or_else(|| "not there".to_owned(), value_text);
    let name: Vec<&str> = read.expression.split_whitespace().collect();
    format!("{} = {value}", name.join(" "))
}

/// What a rule says: the words of a reason, or the value itself.
fn said_text(said: &serde_json::Value) -> String {
    match said.get("text").and_then(serde_json::Value::as_str) {
        Some(text) => text.to_owned(),
        None => value_text(said),
    }
}

fn value_text(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain(['…']).collect()
}
