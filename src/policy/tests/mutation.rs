//! Whether the tests of the shipped bundles would notice a mistake: each mistake is made, one at a
//! time, and some test of the bundle must fail. And every line of a rule that allows is evaluated.
//!
//! Names and words of rules (`"rule"`, `"text"`) are left alone: they decide nothing.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, Rule, RuleHead};

use super::*;
use crate::policy::syntax::{self, Visit, text_of};
use crate::policy::testing;

/// The part of the mutants that tests must notice.
const KILLED: f64 = 0.9;

/// A rule set with one mistake.
struct Mutant {
    what: String,
    files: Vec<File>,
}

/// Every bundle that lies in `policies`, but for the library.
fn shipped() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut names: Vec<String> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "lib")
        .collect();
    names.sort();
    names
}

#[test]
fn the_tests_of_shipped_bundles_notice_mistakes() {
    for name in shipped() {
        let files = bundle::files(&folder(&name)).unwrap();
        assert!(passes(&files), "{name}: the tests fail without a mistake");
        let mutants = mutants(&files);
        assert!(mutants.len() >= 5, "{name}: {} mutants", mutants.len());
        let survivors: Vec<&str> = mutants
            .iter()
            .filter(|mutant| passes(&mutant.files))
            .map(|mutant| mutant.what.as_str())
            .collect();
        let killed = mutants.len() - survivors.len();
        println!("{name}: {killed} of {} mutants noticed; not: {survivors:#?}", mutants.len());
        let enough = killed as f64 >= KILLED * mutants.len() as f64;
        assert!(enough, "{name}: {killed} of {}: {survivors:#?}", mutants.len());
    }
}

#[test]
fn the_tests_of_shipped_bundles_evaluate_every_line_that_allows() {
    for name in shipped() {
        let source = folder(&name);
        let run = crate::policy::test(&source, &|_| true, true).unwrap();
        let covered: BTreeSet<(String, u32)> = run
            .coverage
            .into_iter()
            .flat_map(|file| file.covered.into_iter().map(move |line| (file.file.clone(), line)))
            .collect();
        let files = bundle::files(&source).unwrap();
        let mut engine = load::tests_engine(&files).unwrap();
        let mut missing = Vec::new();
        for (file, rule) in rules(&files, &mut engine) {
            let Rule::Spec { head: RuleHead::Set { refr, .. }, .. } = &*rule else { continue };
            if matches!(text_of(refr).as_str(), "allow" | "show") {
                let lines = coverage::lines(&rule).into_iter().map(|line| (file.clone(), line));
                missing.extend(lines.filter(|line| !covered.contains(line)));
            }
        }
        assert!(missing.is_empty(), "{name}: no test evaluates {missing:?}");
    }
}

/// Whether every test of a bundle passes; without a look at why one does not.
fn passes(files: &[File]) -> bool {
    let Ok(mut engine) = load::tests_engine(files) else { return false };
    let rego = testing::all_pass(files, &mut engine);
    if !rego || !files.iter().any(|file| file.kind == FileKind::Cases) {
        return rego;
    }
    let Ok(loaded) = load::load_unchecked(files) else { return false };
    let mut checked = load::Checked { loaded, engine, warnings: Vec::new() };
    let results = testing::run(files, &mut checked, &|name| name.contains(".cases.yaml: "));
    results.is_ok_and(|results| testing::problems(results).is_empty())
}

/// The bundle's own rules with their files.
fn rules(
    files: &[File],
    engine: &mut regorus::Engine,
) -> Vec<(String, regorus::unstable::Ref<Rule>)> {
    let is_rules =
        |name: &str| files.iter().any(|it| it.name == name && it.kind == FileKind::Rules);
    let modules = engine.get_modules().clone();
    let of_file = |module: regorus::unstable::Ref<regorus::unstable::Module>| {
        let file = module.package.span.source.get_path().clone();
        module.policy.iter().map(|rule| (file.clone(), rule.clone())).collect::<Vec<_>>()
    };
    modules.into_iter().flat_map(of_file).filter(|(file, _)| is_rules(file)).collect()
}

/// Every bundle with one mistake.
fn mutants(files: &[File]) -> Vec<Mutant> {
    let mut engine = load::tests_engine(files).unwrap();
    let mut mutants = Vec::new();
    for (file, rule) in rules(files, &mut engine) {
        let text = &files.iter().find(|it| it.name == file).unwrap().text;
        let mut edits: Vec<(u32, usize, usize, &str, String)> = Vec::new();
        let span = rule.span();
        let (start, end) = (span.start as usize, span.end as usize);
        edits.push((span.line, start, end, "dropped rule", String::new()));
        for (line, start, end) in conditions(&rule) {
            let written = &text[start..end];
            let negated = match written.strip_prefix("not ") {
                Some(denied) => denied.to_owned(),
                None => format!("not {written}"),
            };
            edits.push((line, start, end, "negated", negated));
            edits.push((line, start, end, "dropped condition", "true".to_owned()));
        }
        for (line, start, end, other) in constants(&rule) {
            edits.push((line, start, end, "changed", other));
        }
        for (line, start, end, how, new) in edits {
            let mut files = files.to_vec();
            let changed = files.iter_mut().find(|it| it.name == file).unwrap();
            let what = format!("{file}:{line}: {how} `{}`", first_line(&text[start..end]));
            changed.text.replace_range(start..end, &new);
            // What is no Rego any more is no mistake that anybody could load.
            if load::tests_engine(&files).is_ok() {
                mutants.push(Mutant { what, files });
            }
        }
    }
    mutants
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The conditions of a rule that bind nothing, with their places.
fn conditions(rule: &Rule) -> Vec<(u32, usize, usize)> {
    let Rule::Spec { bodies, .. } = rule else { return Vec::new() };
    let stmts = bodies.iter().flat_map(|body| &body.query.stmts);
    stmts
        .filter(|stmt| match &stmt.literal {
            Literal::Expr { expr, .. } => !matches!(**expr, Expr::AssignExpr { .. }),
            Literal::NotExpr { .. } => true,
            _ => false,
        })
        .map(|stmt| {
            let text = stmt.span.source.get_contents();
            let (start, end) = (stmt.span.start as usize, stmt.span.end as usize);
            // The engine's spans of strings leave out the quotes.
            let start = start - usize::from(text[..start].ends_with('"'));
            (stmt.span.line, start, end + usize::from(text[end..].starts_with('"')))
        })
        .collect()
}

/// The constants of a rule and what they become.
fn constants(rule: &Rule) -> Vec<(u32, usize, usize, String)> {
    let mut left_alone = BTreeSet::new();
    let mut found = Vec::new();
    syntax::evaluated(rule, &mut |visit| {
        let Visit::Expr(expr) = visit else { return };
        if let Expr::Object { fields, .. } = expr {
            for (_, key, value) in fields {
                left_alone.insert(key.span().start);
                if matches!(key.span().text().trim_matches('"'), "rule" | "text") {
                    syntax::expr(value, &mut |visit| {
                        if let Visit::Expr(part) = visit {
                            left_alone.insert(part.span().start);
                        }
                    });
                }
            }
        }
        let span = expr.span();
        let other = match expr {
            Expr::String { .. } => format!("{}x", span.text()),
            Expr::Number { .. } => (span.text().parse::<u64>().unwrap() + 1).to_string(),
            Expr::Bool { .. } if span.text() == "true" => "false".to_owned(),
            Expr::Bool { .. } => "true".to_owned(),
            _ => return,
        };
        if !left_alone.contains(&span.start) {
            found.push((span.line, span.start as usize, span.end as usize, other));
        }
    });
    found
}
