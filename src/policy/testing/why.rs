//! Which line of a failed test did not hold.
//!
//! The engine only says that a test is not true. So the test's module is loaded once more with a
//! probe for each beginning of the body: the first probe that is not true ends in the statement that
//! stopped the test. Where that compares two sides, one more round asks for their values.

use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Ref, Rule};
use regorus::{Engine, Value};

use super::{Failure, passes};
use crate::policy::bundle::File;
use crate::policy::kind::Kind;
use crate::policy::load;
use crate::policy::problem::Problem;

const PROBE: &str = "portcullis_probe";
/// Letters of a value that are shown.
const MOST: usize = 300;

/// The problem of a test that failed, at the statement that stopped it.
pub(super) fn problem(
    files: &[File],
    module: &Module,
    rules: &[Ref<Rule>],
    failure: Failure,
) -> Problem {
    let file = module.package.span.source.get_path();
    let place = rules.first().map(|rule| rule.span());
    let at_rule = |text: String| match place {
        Some(span) => Problem::at(Kind::TestFailed, file, span, text),
        None => Problem::of_file(file, text).of(Kind::TestFailed),
    };
    match failure {
        Failure::Panic => at_rule("the engine panics".to_owned()),
        Failure::Error(message) => {
            let problem = Problem::of_engine(file, &message);
            let text = format!("it ends in an error: {}", problem.text);
            if problem.line == 0 {
                at_rule(text)
            } else {
                Problem { text, ..problem }.of(Kind::TestFailed)
            }
        }
        // Of several definitions one must hold; the last is as good as any to look at.
        Failure::NotTrue => rules
            .last()
            .and_then(|rule| stopped(files, module, rule))
            .unwrap_or_else(|| at_rule("it is not true".to_owned())),
    }
}

fn stopped(files: &[File], module: &Module, rule: &Rule) -> Option<Problem> {
    let Rule::Spec { bodies, .. } = rule else { return None };
    let query = &bodies.first()?.query;
    let source = module.package.span.source.get_contents();
    let mut probes = String::new();
    for (number, stmt) in query.stmts.iter().enumerate() {
        let body = text(source, query.stmts.first()?.span.start, stmt.span.end)?;
        probes.push_str(&format!("\n{PROBE}_{number} if {{\n{body}\n}}\n"));
    }
    let mut engine = with_probes(files, module, &probes)?;
    let holds = |engine: &mut Engine, number: usize| {
        passes(engine, &path(module, &number.to_string())).is_ok()
    };
    let number = (0..query.stmts.len()).find(|number| !holds(&mut engine, *number))?;
    let stmt = query.stmts.get(number)?;
    let mut text = match &stmt.literal {
        Literal::NotExpr { .. } => "what `not` denies here is true".to_owned(),
        _ => "this is undefined or false".to_owned(),
    };
    for (side, value) in sides(files, module, query, number).unwrap_or_default() {
        text.push_str(&format!("; {side} is {value}"));
    }
    Some(Problem::at(Kind::TestFailed, module.package.span.source.get_path(), &stmt.span, text))
}

/// The two sides of a comparison with their values.
fn sides(
    files: &[File],
    module: &Module,
    query: &Query,
    number: usize,
) -> Option<Vec<(&'static str, String)>> {
    let stmt = query.stmts.get(number)?;
    let Literal::Expr { expr, .. } = &stmt.literal else { return None };
    let (Expr::BoolExpr { lhs, rhs, .. } | Expr::AssignExpr { lhs, rhs, .. }) = &**expr else {
        return None;
    };
    let source = module.package.span.source.get_contents();
    let before = match number.checked_sub(1).and_then(|before| query.stmts.get(before)) {
        Some(last) => text(source, query.stmts.first()?.span.start, last.span.end)?,
        None => "",
    };
    let with = with_of(source, stmt, expr)?;
    let mut probes = String::new();
    for (side, expr) in [("left", lhs), ("right", rhs)] {
        let expr = text(source, expr.span().start, expr.span().end)?;
        probes.push_str(&format!(
            "\n{PROBE}_{side} := {PROBE}_value if {{\n{before}\n{PROBE}_value := {expr} {with}\n}}\n"
        ));
    }
    let mut engine = with_probes(files, module, &probes)?;
    let is_literal = |expr: &Expr| {
        matches!(
            expr,
            Expr::String { .. } | Expr::Number { .. } | Expr::Bool { .. } | Expr::Null { .. }
        )
    };
    let mut sides = Vec::new();
    for (side, words, expr) in [("left", "the left side", lhs), ("right", "the right side", rhs)] {
        if is_literal(expr) {
            continue;
        }
        engine.set_input(Value::new_object());
        let value = match engine.eval_rule(path(module, side)).ok()? {
            Value::Undefined => "undefined".to_owned(),
            value => value.to_json_str().ok()?.chars().take(MOST).collect(),
        };
        sides.push((words, value));
    }
    Some(sides)
}

/// The `with` modifiers of a statement as written.
fn with_of<'a>(source: &'a str, stmt: &LiteralStmt, expr: &Expr) -> Option<&'a str> {
    if stmt.with_mods.is_empty() {
        return Some("");
    }
    let rest = text(source, expr.span().end, stmt.span.end)?;
    rest.get(rest.find("with")?..)
}

/// The text between two places of the syntax tree. The engine's spans of strings leave out the
/// quotes, which belong to it.
fn text(source: &str, start: u32, end: u32) -> Option<&str> {
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    let quote = ['"', '`'];
    let start = if source.get(..start)?.ends_with(quote) { start - 1 } else { start };
    let end = if source.get(end..)?.starts_with(quote) { end + 1 } else { end };
    source.get(start..end)
}

fn path(module: &Module, probe: &str) -> String {
    format!("data.{}.{PROBE}_{probe}", crate::policy::syntax::text_of(&module.package.refr))
}

/// An engine in which the module has these rules too.
fn with_probes(files: &[File], module: &Module, probes: &str) -> Option<Engine> {
    let name = module.package.span.source.get_path();
    let mut files = files.to_vec();
    files.iter_mut().find(|file| file.name == *name)?.text.push_str(probes);
    load::tests_engine(&files).ok()
}
