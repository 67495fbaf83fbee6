//! The runner of tests and cases, and coverage.

use super::*;
use crate::policy::testing::{self, TestOutcome, TestResult};

/// Rules that allow `x` for the role `r` and cap its page.
const RULES: &str = "# METADATA\n# title: By role\nallow contains {\"rule\": \"by_role\", \"text\": \"a role\"} if {\n\
    \tinput.tool.name == \"x\"\n\tsome role in input.principal.roles\n\trole == \"r\"\n}\n\n\
    deny contains {\"rule\": \"never\", \"text\": \"never\"} if {\n\tinput.tool.name == \"y\"\n\
    \tinput.arguments.state == \"z\"\n}\n\n\
    oblige contains {\"rule\": \"page\", \"text\": \"small pages\", \"cap\": {\"argument\": \"per_page\", \"most\": 5}} if {\n\
    \tinput.tool.name == \"x\"\n}";

fn results(name: &str, text: &str) -> Result<Vec<TestResult>, LoadErrors> {
    let files = bundle(&[("a.rego", &admit(RULES)), (name, text)]);
    let mut checked = load::check(&files)?;
    testing::run(&files, &mut checked, &|_| true)
}

/// The one failure of a file of tests: `line: text`.
fn failure(name: &str, text: &str) -> String {
    let results = results(name, text).unwrap_or_else(|errors| panic!("{errors}"));
    let failed: Vec<String> = results
        .iter()
        .filter_map(|result| match &result.outcome {
            TestOutcome::Failed(problem) => Some(format!("{}: {}", problem.line, problem.text)),
            TestOutcome::Passed | TestOutcome::Skipped => None,
        })
        .collect();
    assert!(failed.len() <= 1, "{failed:?}");
    failed.into_iter().next().unwrap_or_default()
}

fn rego_failure(body: &str) -> String {
    failure("a_test.rego", &format!("package a_test\n\nimport rego.v1\n\n{body}\n"))
}

#[test]
fn a_failed_test_names_the_line_that_did_not_hold() {
    let asked = "input as {\"tool\": {\"name\": \"x\"}, \"principal\": {\"roles\": [\"r\"]}}";
    for (body, expected) in [
        (
            format!(
                "test_a if {{\n\tdata.portcullis.admit.answer.verdict == \"allow\" with {asked}\n}}"
            ),
            "",
        ),
        (
            format!(
                "test_a if {{\n\tx := data.portcullis.admit.answer with {asked}\n\tx.verdict == \"deny\"\n\ttrue\n}}"
            ),
            "7: this is undefined or false; the left side is \"allow\"",
        ),
        (
            format!(
                "test_a if {{\n\tdata.portcullis.admit.answer.verdict == \"deny\" with {asked}\n}}"
            ),
            "6: this is undefined or false; the left side is \"allow\"",
        ),
        (
            "test_a if {\n\t1 == 1\n\tinput.x.y\n\tinput.z\n}".to_owned(),
            "7: this is undefined or false",
        ),
        ("test_a if {\n\t1 == 1\n\tnot 2 == 2\n}".to_owned(), "7: what `not` denies here is true"),
        (
            "test_a if {\n\tsome x in [1, 2]\n\tx == 3\n}".to_owned(),
            "7: this is undefined or false",
        ),
        (
            "test_a if {\n\tevery x in [1, 2] { x < 2 }\n}".to_owned(),
            "6: this is undefined or false",
        ),
        ("test_a := 1".to_owned(), "5: it is not true"),
        ("test_a if {\n\tlower(1) == \"x\"\n}".to_owned(), "6: it ends in an error:"),
        ("test_a if false\n\ntest_a if true".to_owned(), ""),
    ] {
        let found = rego_failure(&body);
        assert!(
            found.starts_with(expected) && expected.is_empty() == found.is_empty(),
            "{body}: {found}"
        );
    }
}

#[test]
fn tests_are_filtered_skipped_and_printed() {
    let text = "package a_test\n\nimport rego.v1\n\ntest_b if {\n\tprint(\"said\", 1)\n}\n\n\
                todo_test_c if false\n\nhelper if false\n\ntest_a if true\n";
    let results = results("a_test.rego", text).unwrap();
    let seen: Vec<_> = results.iter().map(|it| (it.name.as_str(), it.line, &it.outcome)).collect();
    assert_eq!(
        seen,
        [
            ("a_test.test_b", 5, &TestOutcome::Passed),
            ("a_test.todo_test_c", 9, &TestOutcome::Skipped),
            ("a_test.test_a", 13, &TestOutcome::Passed),
        ]
    );
    assert!(results[0].prints.len() == 1 && results[0].prints[0].contains("said 1"));
    let files = bundle(&[("a.rego", &admit(RULES)), ("a_test.rego", text)]);
    let mut checked = load::check(&files).unwrap_or_else(|errors| panic!("{errors}"));
    let some = testing::run(&files, &mut checked, &|name| name.ends_with("_a")).unwrap();
    assert_eq!(some.len(), 1);
}

#[test]
fn cases_are_decided_as_on_the_road() {
    let role = "as: {roles: [r]}, tool: x";
    for (case, expected) in [
        (format!("{{{role}, expect: {{verdict: allow, rule: by_role, obligations: [page]}}}}"), ""),
        (
            format!(
                "{{{role}, expect: {{obligations: [{{cap: {{argument: per_page, most: 5}}}}]}}}}"
            ),
            "",
        ),
        (
            "{as: {roles: [s]}, tool: x, expect: {verdict: deny, rule: admit.nothing_allows}}"
                .to_owned(),
            "",
        ),
        ("{tool: y, arguments: {state: z}, expect: {rule: never}}".to_owned(), ""),
        (
            "{question: disclose, tool: x, answer: {kind: result}, expect: {verdict: deny}}"
                .to_owned(),
            "",
        ),
        ("{question: visible, tools: [x, y], expect: {tools: []}}".to_owned(), ""),
        (
            "{question: approve, tool: x, approver: {id: ann}, expect: {verdict: deny}}".to_owned(),
            "",
        ),
        ("{method: ping, expect: {verdict: deny}}".to_owned(), ""),
        (
            format!("{{{role}, expect: {{verdict: deny}}}}"),
            "2: the verdict is allow by admit.by_role (a.rego:7: a role)",
        ),
        (
            format!("{{{role}, expect: {{rule: other}}}}"),
            "2: the rule `other` did not speak; the verdict is allow",
        ),
        (
            format!("{{{role}, expect: {{obligations: []}}}}"),
            "2: admit.page also demands {\"cap\":",
        ),
        (
            format!("{{{role}, expect: {{obligations: [page, page]}}}}"),
            "2: the obligation \"page\" is not",
        ),
        ("{question: visible, tools: [x], expect: {tools: [x]}}".to_owned(), "2: not shown: x"),
    ] {
        let text = format!("# cases\n- {}\n", case.replacen('{', "{name: one, ", 1));
        let found = failure("a.cases.yaml", &text);
        assert!(
            found.starts_with(expected) && expected.is_empty() == found.is_empty(),
            "{case}: {found}"
        );
    }
}

#[test]
fn cases_are_read_strictly() {
    for (text, place, words) in [
        ("x: 1\n", "a.cases.yaml:1:1", "is a list"),
        (
            "- name: a\n  verdct: deny\n  expect: {verdict: deny}\n",
            "a.cases.yaml:1:3",
            "unknown field `verdct`",
        ),
        ("- name: a\n  tool: x\n  expect: {}\n", "a.cases.yaml:1:3", "`expect` is empty"),
        ("- {name: a, expect: {verdict: deny}}\n", "a.cases.yaml:1:3", "which call?"),
        (
            "- {name: a, tool: x, method: y, expect: {verdict: deny}}\n",
            "a.cases.yaml:1:3",
            "not both",
        ),
        ("- {name: a, tool: x, expect: {verdict: maybe}}\n", "a.cases.yaml:1:3", "maybe"),
        (
            "- {name: a, question: disclose, tool: x, answer: {kind: z}, expect: {verdict: deny}}\n",
            "a.cases.yaml:1:3",
            "no kind of answer",
        ),
        (
            "- {name: a, tool: x, expect: {verdict: deny}}\n- {name: a, tool: x, expect: {verdict: deny}}\n",
            "a.cases.yaml:2:3",
            "has this name",
        ),
        ("- &a {}\n", "a.cases.yaml:1:6", "anchors"),
    ] {
        let errors = results("a.cases.yaml", text).err().unwrap_or_else(|| panic!("{text}"));
        let found: Vec<String> = errors.problems().iter().map(ToString::to_string).collect();
        assert!(
            found.iter().any(|it| it.starts_with(place) && it.contains(words)),
            "{text}: {found:?}"
        );
    }
    let files = bundle(&[
        ("a.rego", &admit(RULES)),
        ("a.cases.yaml", "- {name: a, tool: x, expect: {verdict: allow}}\n"),
    ]);
    let errors = load::load(&files).err().unwrap().to_string();
    assert!(errors.contains("the test `a.cases.yaml: a` fails: the verdict is deny"), "{errors}");
}

#[test]
fn coverage_means_evaluated() {
    let cover = |case: &str| {
        let files = bundle(&[("a.rego", &admit(RULES)), ("a.cases.yaml", case)]);
        let mut checked = load::check(&files).unwrap_or_else(|errors| panic!("{errors}"));
        checked.engine.set_enable_coverage(true);
        testing::run(&files, &mut checked, &|_| true).unwrap();
        let found = coverage::of(&files, &checked.engine).unwrap();
        found.into_iter().find(|file| file.file == "a.rego").unwrap()
    };
    let x = cover("- {name: a, as: {roles: [r]}, tool: x, expect: {verdict: allow}}\n");
    // The rule that denies was looked at as far as its first condition.
    assert_eq!(x.not_covered.into_iter().collect::<Vec<_>>(), [13, 15]);
    assert!(x.covered.contains(&8) && !x.covered.contains(&11));
    let none = cover("[]\n");
    assert!(none.covered.is_empty() && none.not_covered.len() > 5);
    assert!(FileCoverage::percent(&[none]) < 0.1);
    assert!((FileCoverage::percent(&[]) - 100.0).abs() < 0.1);
}
