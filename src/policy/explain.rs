//! Why a decision fell: every rule that could have spoken, whether it did, and if not, at which
//! condition it stopped, with the values there and what would have to differ.
//!
//! Off the road: an operator asks, on a terminal of their own, so values of the input are shown
//! here and nowhere else. The verdict is asked for by the road's own way; the bodies of the rules
//! are then taken apart by the same engine ([`probe`]), so what is said here is what decides. What
//! cannot be taken apart is said to be so, never guessed.

mod condition;
mod order;
mod probe;
mod rules;
mod shown;
mod story;

use regorus::Value;
use serde::Serialize;

use self::rules::Rules;
use self::story::Teller;
use super::engine::Budget;
use super::wants::Want;
use super::{Asked, Misasked, Ruled, Ruleset, answer, lint, trial};
use crate::domain::{Digest, Finding, Question, Timestamp, Verdict};

/// What policy says of one question, rule by rule.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Which question.
    pub question: Question,
    /// The policy revision.
    pub revision: Digest,
    /// What policy found, as on the road; for `visible`, `deny` if the tool is not shown.
    #[serde(skip)]
    pub finding: Finding,
    /// The whole input document, for another engine to be asked the same; `null` if it is too large.
    pub input: serde_json::Value,
    /// Every rule that may speak on the question.
    pub rules: Vec<Story>,
    /// What the verdict would be if the principal had one more of the roles in the bundle's data.
    pub with_role: Vec<WithRole>,
}

/// One rule of the question.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    /// The set it adds to, such as `deny`; for helpers the rule's path.
    pub set: String,
    /// Its name in decisions, such as `admit.write_waits`, if it has one.
    pub rule: Option<String>,
    /// `file:line`.
    pub at: String,
    /// What its METADATA calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: StoryOutcome,
    /// Roles of which one more would turn this around: it would speak, or no longer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub turned_by_roles: Vec<String>,
}

/// What came of a rule.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StoryOutcome {
    /// Every condition holds.
    Spoke {
        /// What it says, one for each way in which its conditions hold.
        said: Vec<serde_json::Value>,
    },
    /// A condition does not hold.
    Stopped(Box<Stop>),
    /// A condition ends in an error, which denies.
    Failed {
        /// `file:line` of what failed.
        failed_at: String,
        /// The engine's words.
        text: String,
    },
    /// The engine does not take this rule apart.
    Unclear {
        /// Why.
        text: String,
    },
}

/// Where a rule stopped.
#[derive(Debug, Clone, Serialize)]
pub struct Stop {
    /// `file:line` of the condition.
    pub stopped_at: String,
    /// The condition, as written.
    pub expression: String,
    /// How many conditions before it hold.
    pub satisfied: usize,
    /// How many there are.
    pub conditions: usize,
    /// What would have to differ, in words.
    pub needs: Vec<String>,
    /// The values there, one for each way in which the conditions before hold; the first few.
    pub cases: Vec<Case>,
    /// How many more such ways there are.
    pub more_cases: usize,
    /// The parts of the input that the condition names, and those behind the rules that it names.
    pub reads: Vec<Read>,
    /// The rules that the condition names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<Helper>,
}

/// The values at a condition.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Case {
    /// The variables bound before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Read>,
    /// The operands.
    pub operands: Vec<Read>,
}

/// An expression and its value.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Read {
    /// As written.
    pub expression: String,
    /// `None` if it has none.
    pub value: Option<serde_json::Value>,
    /// The rule through which a condition reads this, if not by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

/// A rule that a condition names.
#[derive(Debug, Clone, Serialize)]
pub struct Helper {
    /// Its path; for a function with the arguments.
    pub name: String,
    /// What it gives; `None` if nothing.
    pub value: Option<serde_json::Value>,
    /// Its bodies.
    pub bodies: Vec<Story>,
}

/// A verdict under one more role.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct WithRole {
    /// The role.
    pub role: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The rules that would speak.
    pub rules: Vec<String>,
}

/// The most roles that are tried.
const MOST_ROLES: usize = 200;

impl Ruleset {
    /// Says why policy answers a written question as it does, with values of the input: for an
    /// operator's own terminal, never for a record or an agent. `visible` is about the document's
    /// tool.
    ///
    /// # Errors
    /// The document does not make a question.
    pub async fn explain(
        &self,
        question: Question,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Explanation, Misasked> {
        let tool = match (question, &asked.tool) {
            (Question::Visible, Some(tool)) => Some(tool.as_str()),
            (Question::Visible, None) => {
                return Err(Misasked(String::from("which tool? Give `tool`")));
            }
            _ => None,
        };
        let put = asked.put(question, now)?;
        let Ruled { mut finding, tools } = self.rule_on_put(&put).await;
        if let (Some(tool), Some(shown)) = (tool, tools)
            && !shown.iter().any(|name| name == tool)
        {
            finding.verdict = Verdict::Deny;
        }
        let (input, rules, with_role) = match put.document(&Want::Whole) {
            Ok(document) => {
                let (rules, with_role) = self.told(question, tool, &document.value);
                (shown::json(&document.value), rules, with_role)
            }
            // The finding says what is wrong with the call.
            Err(_) => Default::default(),
        };
        let revision = self.revision();
        Ok(Explanation { question, revision, finding, input, rules, with_role })
    }

    fn told(
        &self,
        question: Question,
        tool: Option<&str>,
        input: &Value,
    ) -> (Vec<Story>, Vec<WithRole>) {
        let mut engine = regorus::Engine::clone(&self.prepared.interpreter);
        let rules = Rules::of(engine.get_modules());
        let roles = roles_to_try(&self.prepared.data, input);
        let inputs: Vec<(String, Value)> = roles
            .into_iter()
            .filter_map(|role| Some((role.clone(), with_role(input, &role)?)))
            .collect();
        let package = format!("portcullis.rules.{}", question.as_str());
        let sites = rules.named(&package, lint::words(question));
        let teller = Teller::new(&engine, &rules, input, &inputs, tool);
        let mut stories = teller.question(question, &sites);
        for story in &mut stories {
            let site = story.rule.as_ref().and_then(|rule| self.sites.get(rule));
            story.title = site.and_then(|site| site.note.title.clone());
        }
        let verdicts =
            inputs.iter().filter_map(|(role, input)| self.verdict(question, role, input));
        (stories, verdicts.collect())
    }

    /// The verdict if the principal had a role more; nothing for lists.
    fn verdict(&self, question: Question, role: &str, input: &Value) -> Option<WithRole> {
        if question == Question::Visible {
            return None;
        }
        let answer = self.prepared.interpret(question, input.clone(), Budget::TRIAL).ok()?;
        let ruling = answer::ruling(question, &answer, &self.sites).ok()?;
        let rules = ruling.reasons.into_iter().map(|reason| reason.rule).collect();
        Some(WithRole { role: role.to_owned(), verdict: ruling.verdict, rules })
    }
}

/// The roles in the bundle's data that the principal does not have.
fn roles_to_try(data: &Value, input: &Value) -> Vec<String> {
    let held = &input["principal"]["roles"];
    let has = |role: &Value| match held {
        Value::Array(held) => held.contains(role),
        _ => false,
    };
    let names = trial::role_names(data);
    names.into_iter().filter(|role| !has(&Value::from(role.as_str()))).take(MOST_ROLES).collect()
}

/// The input with one role more.
fn with_role(input: &Value, role: &str) -> Option<Value> {
    let mut input = input.clone();
    let principal = input.as_object_mut().ok()?.get_mut(&Value::from("principal"))?;
    let roles = principal.as_object_mut().ok()?.get_mut(&Value::from("roles"))?;
    roles.as_array_mut().ok()?.push(Value::from(role));
    Some(input)
}
