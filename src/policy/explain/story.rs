//! The story of each rule: what its probes say, told with values, rules behind it and roles that
//! would turn it around.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, LiteralStmt, Ref, Rule, Span};
use regorus::{Engine, Value};

use super::super::engine::caught;
use super::super::syntax::{
    References, Visit, each, head_exprs, root, source_of_statement, statement,
};
use super::condition::Condition;
use super::probe::{Body, Probes, Seen, Trace};
use super::rules::{Rules, Site, references};
use super::{Case, Helper, Read, Stop, Story, StoryOutcome, shown};
use crate::domain::Question;

/// How deep helpers of helpers are told.
const DEPTH: usize = 4;
/// How many cases of a condition are told.
const CASES: usize = 6;
/// How many distinct calls of functions are told for one condition.
const CALLS: usize = 3;

/// Tells stories about one input.
pub(super) struct Teller<'a> {
    engine: &'a Engine,
    rules: &'a Rules,
    input: &'a Value,
    /// The input with one more role each.
    with_roles: &'a [(String, Value)],
    /// For `visible`: the tool in question.
    tool: Option<&'a str>,
}

impl<'a> Teller<'a> {
    pub(super) const fn new(
        engine: &'a Engine,
        rules: &'a Rules,
        input: &'a Value,
        with_roles: &'a [(String, Value)],
        tool: Option<&'a str>,
    ) -> Self {
        Self { engine, rules, input, with_roles, tool }
    }

    /// The rules of a question. For `visible`, a rule speaks if it names the tool.
    pub(super) fn question(&self, question: Question, sites: &[Site]) -> Vec<Story> {
        let tool = self.tool;
        // A rule of a set has one body; what has none says nothing.
        let (sites, bodies): (Vec<&Site>, Vec<Body>) = sites
            .iter()
            .flat_map(|site| site.bodies(&[]).into_iter().map(move |body| (site, body)))
            .unzip();
        let mut probes = Probes::of(self.engine, bodies.clone());
        let mut stories = Vec::new();
        for (number, (site, body)) in sites.into_iter().zip(&bodies).enumerate() {
            let trace = probes.trace(number, self.input);
            let spoke = |trace: &Trace| match (trace, tool) {
                (Trace::Holds(said), Some(tool)) => said.contains(&Value::from(tool)),
                (Trace::Holds(_), None) => true,
                _ => false,
            };
            let turned = |probes: &mut Probes, input: &Value| match tool {
                None => probes.speaks(number, input) != spoke(&trace),
                Some(_) => spoke(&probes.trace(number, input)) != spoke(&trace),
            };
            let depends = self.depends_on_roles(site);
            let roles = self.with_roles.iter().filter(|_| depends);
            let turned_by_roles = roles
                .filter(|(_, input)| turned(&mut probes, input))
                .map(|(role, _)| role.clone())
                .collect();
            let outcome = match (trace, tool) {
                (Trace::Holds(said), Some(tool)) if !said.contains(&Value::from(tool)) => {
                    self.names_others(site, body, tool, &said)
                }
                (trace, _) => self.outcome(site, body, trace, DEPTH),
            };
            let rule = site.own_name().map(|name| format!("{}.{name}", question.as_str()));
            let (set, at) = (site.name.clone(), site.at(site.span()));
            stories.push(Story { set, rule, at, outcome, turned_by_roles });
        }
        stories
    }

    fn outcome(&self, site: &Site, body: &Body, trace: Trace, depth: usize) -> StoryOutcome {
        let conditions = &body.conditions;
        match trace {
            Trace::Holds(said) => {
                let mut distinct: Vec<Value> = Vec::new();
                for one in said {
                    if !distinct.contains(&one) {
                        distinct.push(one);
                    }
                }
                StoryOutcome::Spoke { said: distinct.iter().map(shown::json).collect() }
            }
            Trace::Stopped(index, seen) => match conditions.get(index) {
                Some(condition) => StoryOutcome::Stopped(Box::new(Stop {
                    satisfied: index,
                    conditions: conditions.len(),
                    ..self.stop(site, condition, &seen, depth)
                })),
                None => StoryOutcome::Unclear { text: String::from("it stopped nowhere") },
            },
            Trace::Headless => StoryOutcome::Stopped(Box::new(self.headless(site, body, depth))),
            Trace::Failed(index, trouble) => {
                let condition = index.and_then(|index| conditions.get(index));
                let span = condition.map_or(site.span(), |condition| &condition.span);
                let failed_at = trouble.at.unwrap_or_else(|| site.at(span));
                StoryOutcome::Failed { failed_at, text: trouble.text }
            }
            Trace::Whole(why) => StoryOutcome::Unclear { text: why },
        }
    }

    /// A condition that does not hold.
    fn stop(&self, site: &Site, stmt: &LiteralStmt, seen: &[Seen], depth: usize) -> Stop {
        let condition = Condition::of(stmt);
        let seen = self.of_tool(seen);
        let mut needs: Vec<String> = Vec::new();
        for case in &seen {
            let need = condition.need(case);
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        if needs.is_empty() {
            needs.push(condition.need_unseen());
        }
        needs.truncate(CASES);
        let cases = seen.iter().take(CASES).map(|case| Case {
            variables: case.variables.iter().map(|(name, value)| read(name, Some(value))).collect(),
            operands: condition
                .values(case)
                .into_iter()
                .map(|(text, value)| read(text, value))
                .collect(),
        });
        let mut references = References::default();
        let mut note = |visit: Visit<'_>| references.note(&visit);
        statement(stmt, &mut note);
        let (reads, mut helpers) = self.behind(site, references, depth);
        let mut calls: Vec<Helper> = Vec::new();
        for call in seen.iter().flat_map(|case| condition.calls(case)) {
            if depth > 0
                && calls.len() < CALLS
                && let Some(helper) = self.call(site, call.function, &call.arguments, depth - 1)
                && !calls.iter().any(|other| other.name == helper.name)
            {
                calls.push(helper);
            }
        }
        helpers.extend(calls);
        Stop {
            stopped_at: site.at(&stmt.span),
            expression: source_of_statement(stmt),
            satisfied: 0,
            conditions: 0,
            needs,
            cases: cases.collect(),
            more_cases: seen.len().saturating_sub(CASES),
            reads,
            helpers,
        }
    }

    /// Of the ways to a condition of a list those that are about the tool in question, if any.
    fn of_tool(&self, seen: &[Seen]) -> Vec<Seen> {
        let Some(tool) = self.tool.map(Value::from) else { return seen.to_vec() };
        let is_it = |value: &Value| *value == tool || value["name"] == tool;
        let about = |case: &&Seen| case.variables.iter().any(|(_, value)| is_it(value));
        let of_tool: Vec<Seen> = seen.iter().filter(about).cloned().collect();
        if of_tool.is_empty() { seen.to_vec() } else { of_tool }
    }

    /// Every condition holds, but what the rule says has no value.
    fn headless(&self, site: &Site, body: &Body, depth: usize) -> Stop {
        let (span, parts) = head_of(site);
        let (reads, helpers) = self.behind(site, references(parts), depth);
        let conditions = body.conditions.len();
        Stop {
            stopped_at: site.at(span),
            expression: body.head.clone(),
            satisfied: conditions,
            conditions,
            needs: vec![String::from(
                "every condition holds, but what the rule says has no value; each of its parts \
                 would have to be there",
            )],
            cases: Vec::new(),
            more_cases: 0,
            reads,
            helpers,
        }
    }

    /// A rule of a list that speaks of other tools than the one in question.
    fn names_others(&self, site: &Site, body: &Body, tool: &str, said: &[Value]) -> StoryOutcome {
        let names: BTreeSet<Value> = said.iter().cloned().collect();
        let names = Value::from(names);
        let (span, parts) = head_of(site);
        let (reads, helpers) = self.behind_rule(site, references(parts));
        let conditions = body.conditions.len();
        StoryOutcome::Stopped(Box::new(Stop {
            stopped_at: site.at(span),
            expression: format!("{} == {}", body.head, shown::json(&Value::from(tool))),
            satisfied: conditions,
            conditions: conditions + 1,
            needs: vec![format!("`{}` would have to be {tool} too", body.head)],
            cases: vec![Case {
                variables: Vec::new(),
                operands: vec![read(&format!("every {}", body.head), Some(&names))],
            }],
            more_cases: 0,
            reads,
            helpers,
        }))
    }

    /// As [`Self::behind`], with all that the rule's conditions name.
    fn behind_rule(&self, site: &Site, mut references: References) -> (Vec<Read>, Vec<Helper>) {
        each(&site.rule, &mut |visit| references.note(&visit));
        self.behind(site, references, 0)
    }

    /// The parts of the input behind what a condition names, and the rules among it.
    fn behind(
        &self,
        site: &Site,
        references: References,
        depth: usize,
    ) -> (Vec<Read>, Vec<Helper>) {
        let named = self.rules.named_by(&site.module, references);
        let mut reads: Vec<Read> = named.inputs.iter().map(|path| self.input_at(path)).collect();
        for rule in &named.rules {
            let inputs = self.rules.inputs_of(&BTreeSet::from([rule.clone()]));
            for path in inputs.difference(&named.inputs) {
                let read = Read { through: Some(rule.clone()), ..self.input_at(path) };
                if !reads.iter().any(|other| other.expression == read.expression) {
                    reads.push(read);
                }
            }
        }
        let helpers = named.rules.iter().filter(|_| depth > 0);
        let helpers = helpers.filter_map(|rule| self.helper(rule, depth - 1)).collect();
        (reads, helpers)
    }

    /// A rule that is not a function.
    fn helper(&self, path: &str, depth: usize) -> Option<Helper> {
        let sites: Vec<&Site> = self.rules.at(path).collect();
        if sites.is_empty() || sites.iter().any(|site| site.arguments().is_some()) {
            return None;
        }
        let value = caught(|| {
            let mut engine = Engine::clone(self.engine);
            engine.set_input(self.input.clone());
            engine.eval_rule(path.to_owned())
        });
        let value = value.ok()?.ok().filter(|value| *value != Value::Undefined);
        let bodies = sites.iter().flat_map(|site| self.bodies(site, &[], depth)).collect();
        Some(Helper { name: path.to_owned(), value: value.as_ref().map(shown::json), bodies })
    }

    /// A function of the bundle with these arguments.
    fn call(
        &self,
        site: &Site,
        function: &Ref<Expr>,
        arguments: &[&Value],
        depth: usize,
    ) -> Option<Helper> {
        let (name, path) = root(function);
        let rule = self.rules.resolve(&site.module, &name, &path)?;
        let values: Vec<String> =
            arguments.iter().map(|it| shown::rego(it)).collect::<Option<_>>()?;
        let sites: Vec<&Site> = self.rules.at(&rule).collect();
        let bodies: Vec<Story> =
            sites.iter().flat_map(|site| self.bodies(site, &values, depth)).collect();
        let value = bodies.iter().find_map(|story| match &story.outcome {
            StoryOutcome::Spoke { said } => said.first().cloned(),
            _ => None,
        });
        let shown: Vec<String> = arguments.iter().map(|value| shown::short(value)).collect();
        Some(Helper { name: format!("{rule}({})", shown.join(", ")), value, bodies })
    }

    fn bodies(&self, site: &Site, arguments: &[String], depth: usize) -> Vec<Story> {
        let bodies = site.bodies(arguments);
        let mut probes = Probes::of(self.engine, bodies.clone());
        let mut stories = Vec::new();
        for (number, body) in bodies.iter().enumerate() {
            let trace = probes.trace(number, self.input);
            let spoke = matches!(trace, Trace::Holds(_));
            let outcome = self.outcome(site, body, trace, depth);
            let first = body.conditions.get(0);
            let at = match (number, first) {
                (1.., Some(first)) => site.at(&first.span),
                _ => site.at(site.span()),
            };
            let set = format!("data.{}.{}", site.package, site.name);
            stories.push(Story { set, rule: None, at, outcome, turned_by_roles: Vec::new() });
            // The `else` branches behind one that gives a value are not asked.
            if spoke {
                break;
            }
        }
        stories
    }

    fn depends_on_roles(&self, site: &Site) -> bool {
        let mut references = References::default();
        each(&site.rule, &mut |visit| references.note(&visit));
        let named = self.rules.named_by(&site.module, references);
        let roles = ["principal", "roles"];
        let leads = |path: &Vec<String>| path.iter().zip(roles).all(|(name, role)| name == role);
        named.inputs.iter().any(leads) || self.rules.inputs_of(&named.rules).iter().any(leads)
    }

    fn input_at(&self, path: &[String]) -> Read {
        let value = path.iter().fold(self.input, |value, name| &value[name.as_str()]);
        let mut expression = String::from("input");
        for name in path {
            expression.push('.');
            expression.push_str(name);
        }
        let value = Some(value).filter(|value| **value != Value::Undefined);
        read(&expression, value)
    }
}

/// The expressions of what a rule says, and where they stand.
fn head_of(site: &Site) -> (&Span, Vec<&Ref<Expr>>) {
    match &*site.rule {
        Rule::Spec { head, .. } => (site.span(), head_exprs(head)),
        Rule::Default { value, .. } => (site.span(), vec![value]),
    }
}

fn read(expression: &str, value: Option<&Value>) -> Read {
    Read { expression: expression.to_owned(), value: value.map(shown::json), through: None }
}
