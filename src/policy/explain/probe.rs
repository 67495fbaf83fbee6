//! Bodies of rules, taken apart by the engine itself.
//!
//! For every body a module in the rule's own package gets one rule for each beginning of it (the
//! first condition; the first two; ...), one for what the head says where all hold, and one for the
//! values of each condition's operands where those before it hold. So the same engine that decides
//! says how far a body came, and nothing is evaluated twice by different code. The modules live in
//! a copy of the interpreter and never decide.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regorus::unstable::LiteralStmt;
use regorus::{Engine, Value};

use super::super::engine::{Budget, caught};
use super::super::problem::Problem;
use super::super::syntax::source_of_statement;
use super::condition::Condition;
use super::order::{Conditions, named_by};

/// Why an evaluation of a probe gave nothing: where, if it is in the bundle, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) at: Option<String>,
    pub(super) text: String,
}

/// One body of a rule.
#[derive(Clone)]
pub(super) struct Body {
    /// The rule's package.
    pub(super) package: String,
    /// The imports of its file, as written.
    pub(super) imports: Vec<String>,
    /// Conditions that hold beforehand: the arguments of a function.
    pub(super) given: Vec<String>,
    /// The conditions; none for a fact.
    pub(super) conditions: Conditions,
    /// The expression of what the rule gives.
    pub(super) head: String,
}

/// How far a body came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trace {
    /// Every condition holds; what the head gave.
    Holds(Vec<Value>),
    /// Every condition holds, but the head has no value.
    Headless,
    /// The condition of this number, from 0, is the first that does not hold with those before it.
    Stopped(usize, Vec<Seen>),
    /// The condition of this number ends in an error; `None` for the head.
    Failed(Option<usize>, Trouble),
    /// The body cannot be taken apart.
    Whole(String),
}

/// The values at a condition for one way in which those before it hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The variables that those before it bound.
    pub(super) variables: Vec<(String, Value)>,
    /// Of each operand; `None` if it has no value.
    pub(super) operands: Vec<Option<Value>>,
}

impl Body {
    fn conditions(&self) -> Vec<&LiteralStmt> {
        self.conditions.iter().collect()
    }

    /// The first conditions as a query.
    fn first(&self, count: usize) -> String {
        let given = self.given.iter().cloned();
        let own = self.conditions.iter().take(count).map(source_of_statement);
        let text = given.chain(own).collect::<Vec<_>>().join("\n\t");
        if text.is_empty() { "true".to_owned() } else { text }
    }

    /// The rules of this body.
    fn rules(&self, number: usize, with_values: bool) -> String {
        let conditions = self.conditions();
        let all = self.first(conditions.len());
        // Writing to a String cannot fail.
        let mut text = format!("{} := [{} |\n\t{all}\n]\n", said(number), self.head);
        for (index, condition) in conditions.iter().enumerate() {
            let _ =
                writeln!(text, "{} if {{\n\t{}\n}}", holds(number, index), self.first(index + 1));
            if with_values {
                let condition = Condition::of(condition);
                let mut parts = vec![self.variables(index)];
                parts.extend(condition.operands().iter().map(|operand| {
                    format!("[portcullis_value |\n\tportcullis_value := {operand}\n]")
                }));
                let first = self.first(index);
                let _ = writeln!(
                    text,
                    "{} := [[\n\t{}\n] |\n\t{first}\n]",
                    seen(number, index),
                    parts.join(",\n\t")
                );
            }
        }
        text
    }

    /// An object of the variables that the first conditions bind.
    fn variables(&self, count: usize) -> String {
        let mut names = Vec::new();
        for condition in self.conditions.iter().take(count) {
            names.extend(named_by(condition));
        }
        names.sort();
        names.dedup();
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\": {name}")).collect();
        format!("{{{}}}", members.join(", "))
    }
}

fn said(number: usize) -> String {
    format!("portcullis_said_{number}")
}

fn holds(number: usize, index: usize) -> String {
    format!("portcullis_holds_{number}_{index}")
}

fn seen(number: usize, index: usize) -> String {
    format!("portcullis_seen_{number}_{index}")
}

/// Bodies that were taken apart, ready for evaluation.
pub(super) struct Probes {
    bodies: Vec<Body>,
    /// For each body, the engine that has its probes, or why there is none.
    engines: Vec<Result<usize, String>>,
    prepared: Vec<Engine>,
}

impl Probes {
    /// Takes bodies apart. Where the engine refuses some piece (a variable that a later condition
    /// binds), the body stands alone, then without values, then as a whole.
    pub(super) fn of(interpreter: &Engine, bodies: Vec<Body>) -> Self {
        let all: Vec<usize> = (0..bodies.len()).collect();
        if let Ok(engine) = compile(interpreter, &bodies, &all, true) {
            let engines = all.iter().map(|_| Ok(0)).collect();
            return Self { bodies, engines, prepared: vec![engine] };
        }
        let mut prepared = Vec::new();
        let engines = all
            .into_iter()
            .map(|number| {
                let engine = compile(interpreter, &bodies, &[number], true)
                    .or_else(|_| compile(interpreter, &bodies, &[number], false))?;
                prepared.push(engine);
                Ok(prepared.len() - 1)
            })
            .collect();
        Self { bodies, engines, prepared }
    }

    /// How far a body comes with this input.
    pub(super) fn trace(&mut self, number: usize, input: &Value) -> Trace {
        let Some(body) = self.bodies.get(number) else { return Trace::Whole(String::new()) };
        let (package, count) = (body.package.clone(), body.conditions().len());
        let engine = match self.engine(number) {
            Ok(engine) => engine,
            Err(why) => return Trace::Whole(why),
        };
        let whole = evaluate(engine, &package, &said(number), input);
        if let Ok(Value::Array(said)) = &whole
            && !said.is_empty()
        {
            return Trace::Holds(said.iter().cloned().collect());
        }
        for index in 0..count {
            match evaluate(engine, &package, &holds(number, index), input) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => {
                    let cases = evaluate(engine, &package, &seen(number, index), input);
                    return Trace::Stopped(
                        index,
                        cases.map(|it| cases_of(&it)).unwrap_or_default(),
                    );
                }
                Err(trouble) => return Trace::Failed(Some(index), trouble),
            }
        }
        whole.map_or_else(|trouble| Trace::Failed(None, trouble), |_| Trace::Headless)
    }

    /// Whether a body as a whole gives something with this input.
    pub(super) fn speaks(&mut self, number: usize, input: &Value) -> bool {
        let Some(package) = self.bodies.get(number).map(|body| body.package.clone()) else {
            return false;
        };
        let Ok(engine) = self.engine(number) else { return false };
        matches!(
            evaluate(engine, &package, &said(number), input),
            Ok(Value::Array(said)) if !said.is_empty()
        )
    }

    fn engine(&mut self, number: usize) -> Result<&mut Engine, String> {
        match self.engines.get(number) {
            Some(Ok(index)) => {
                self.prepared.get_mut(*index).ok_or_else(|| String::from("it has no engine"))
            }
            Some(Err(why)) => Err(why.clone()),
            None => Err(String::from("it is not known")),
        }
    }
}

/// A copy of the interpreter with the probes of these bodies.
fn compile(
    interpreter: &Engine,
    bodies: &[Body],
    numbers: &[usize],
    with_values: bool,
) -> Result<Engine, String> {
    let mut modules: BTreeMap<(&str, &[String]), String> = BTreeMap::new();
    for number in numbers {
        let Some(body) = bodies.get(*number) else { continue };
        let module = modules.entry((&body.package, &body.imports)).or_default();
        module.push_str(&body.rules(*number, with_values));
    }
    let mut engine = Engine::clone(interpreter);
    engine.set_execution_timer_config(Budget::TRIAL.timer());
    let mut packages = Vec::new();
    for (index, ((package, imports), rules)) in modules.into_iter().enumerate() {
        let ready = format!("portcullis_ready_{index}");
        let text =
            format!("package {package}\n\n{}\n\n{ready} := true\n\n{rules}", imports.join("\n"));
        engine
            .add_policy(format!("{PROBES}{index}.rego"), text)
            .map_err(|error| Problem::of_engine("", &error.to_string()).text)?;
        packages.push((package.to_owned(), ready));
    }
    // The engine looks into modules when it is first asked.
    for (package, ready) in packages {
        evaluate(&mut engine, &package, &ready, &Value::new_object()).map_err(|it| it.text)?;
    }
    Ok(engine)
}

/// Begins the names of files that hold probes.
const PROBES: &str = "(probe) ";

fn evaluate(
    engine: &mut Engine,
    package: &str,
    rule: &str,
    input: &Value,
) -> Result<Value, Trouble> {
    engine.set_input(input.clone());
    let path = format!("data.{package}.{rule}");
    let evaluated = caught(|| engine.eval_rule(path))
        .map_err(|failure| Trouble { at: None, text: failure.text })?;
    evaluated.map_err(|error| {
        let problem = Problem::of_engine("", &error.to_string());
        let known = problem.line > 0 && !problem.file.starts_with(PROBES);
        let at = known.then(|| format!("{}:{}", problem.file, problem.line));
        Trouble { at, text: problem.text }
    })
}

/// Reads `[[{variables}, [operand], ...], ...]`.
fn cases_of(value: &Value) -> Vec<Seen> {
    let Value::Array(cases) = value else { return Vec::new() };
    let read = |case: &Value| {
        let Value::Array(parts) = case else { return None };
        let mut parts = parts.iter();
        let Some(Value::Object(variables)) = parts.next() else { return None };
        let variables = variables
            .iter_sorted()
            .filter_map(|(name, value)| Some((name.as_string().ok()?.to_string(), value.clone())));
        let operands = parts.map(|part| match part {
            Value::Array(values) => values.first().cloned(),
            _ => None,
        });
        Some(Seen { variables: variables.collect(), operands: operands.collect() })
    };
    let mut seen: Vec<Seen> = Vec::new();
    for case in cases.iter().filter_map(read) {
        if !seen.contains(&case) {
            seen.push(case);
        }
    }
    seen
}
