//! Why decisions fall: which rules spoke, where the others stopped, and what would have to differ.

use std::collections::BTreeSet;

use super::*;
use serde_json::{Value, json};

async fn explain(ruleset: &Ruleset, question: Question, asked: &Value) -> Explanation {
    let asked = Asked::read(&asked.to_string()).unwrap();
    ruleset.explain(question, &asked, facts().now).await.unwrap()
}

/// The one rule of a bundle that allows by this body, asked about a call with these arguments.
async fn story(rules: &str, arguments: &Value) -> Story {
    let files = bundle(&[("admit.rego", &admit(rules))]);
    let loaded = load::load_unchecked(&files).unwrap_or_else(|errors| panic!("{errors}\n{rules}"));
    let ruleset = Ruleset::new(&files, loaded);
    let asked =
        json!({"tool": "search", "arguments": arguments, "principal": {"roles": ["editor"]}});
    let told = explain(&ruleset, Question::Admit, &asked).await;
    told.rules.into_iter().find(|story| story.rule.as_deref() == Some("admit.a")).unwrap()
}

fn allow(body: &str) -> String {
    format!("allow contains {{\"rule\": \"a\", \"text\": \"t\"}} if {{\n{body}\n}}")
}

fn stop(story: Story) -> Stop {
    match story.outcome {
        StoryOutcome::Stopped(stop) => *stop,
        other => panic!("{other:?}"),
    }
}

/// Body, arguments, the condition that stops it (from 0), and what it needs.
#[tokio::test]
async fn each_condition_says_what_it_needs() {
    let none = json!({});
    let rows: [(&str, Value, usize, &[&str]); 27] = [
        (
            "input.tool.effect == \"write\"",
            none.clone(),
            0,
            &["`input.tool.effect` would have to be \"write\""],
        ),
        (
            "\"write\" == input.tool.effect",
            none.clone(),
            0,
            &["`input.tool.effect` would have to be \"write\""],
        ),
        (
            "input.tool.pinned\ninput.tool.name != \"search\"",
            none.clone(),
            1,
            &["`input.tool.name` would have to be different from \"search\""],
        ),
        (
            "input.arguments.n < 5",
            json!({"n": 7}),
            0,
            &["`input.arguments.n` would have to be less than 5"],
        ),
        (
            "5 > input.arguments.n",
            json!({"n": 7}),
            0,
            &["`input.arguments.n` would have to be less than 5"],
        ),
        (
            "input.arguments.n == input.arguments.m",
            json!({"n": 7, "m": 8}),
            0,
            &["`input.arguments.n` would have to be equal to `input.arguments.m`"],
        ),
        ("input.arguments.n < 5", none.clone(), 0, &["`input.arguments.n` would have to be there"]),
        ("input.arguments.n", none.clone(), 0, &["`input.arguments.n` would have to be there"]),
        (
            "input.arguments.n",
            json!({"n": false}),
            0,
            &["`input.arguments.n` would have to be true"],
        ),
        (
            "input.arguments[\"n\"]",
            json!({"n": false}),
            0,
            &["`input.arguments[\"n\"]` would have to be true"],
        ),
        (
            "input.tool.name in {\"x\", \"y\"}",
            none.clone(),
            0,
            &["`input.tool.name` would have to be one of [\"x\",\"y\"]"],
        ),
        (
            "\"x\" in input.principal.roles",
            none.clone(),
            0,
            &["`input.principal.roles` would have to hold \"x\""],
        ),
        (
            "not input.tool.pinned",
            none.clone(),
            0,
            &["`input.tool.pinned` would have to be false, or not there"],
        ),
        (
            "not input.tool.name in {\"search\"}",
            none.clone(),
            0,
            &["`input.tool.name in {\"search\"}` must not hold"],
        ),
        (
            "some x in input.arguments.l\nx == 3",
            json!({"l": [1, 2, 1]}),
            1,
            &["`x` would have to be 3"],
        ),
        (
            "some x in input.arguments.l",
            json!({"l": []}),
            0,
            &["`input.arguments.l` would have to hold something"],
        ),
        (
            "some [x, 1] in input.arguments.l\nx",
            json!({"l": [2]}),
            0,
            &["`input.arguments.l` would have to hold something of that form"],
        ),
        (
            "some i, x in input.arguments.l\ni > 5\nx",
            json!({"l": [2]}),
            1,
            &["`i` would have to be more than 5"],
        ),
        (
            "every x in input.arguments.l {\n\tx > 1\n\tx < 9\n}",
            json!({"l": [1, 5, 10]}),
            0,
            &["it would have to hold for each of [1,10] too"],
        ),
        (
            "every k, x in input.arguments.l { k == x }",
            json!({"l": {"a": "a", "b": "c"}}),
            0,
            &["it would have to hold for \"c\" too"],
        ),
        (
            "startswith(input.tool.name, \"get_\")",
            none.clone(),
            0,
            &["`startswith` would have to give something else than false for these values"],
        ),
        (
            "count(input.arguments.l) == 2",
            json!({"l": [1]}),
            0,
            &["`count(input.arguments.l)` would have to be 2"],
        ),
        (
            "x := input.arguments.n\nx",
            none.clone(),
            0,
            &["`input.arguments.n` would have to be there"],
        ),
        (
            "count([x | some x in input.arguments.l; x > 1]) > 1",
            json!({"l": [1, 2]}),
            0,
            &["`count([x | some x in input.arguments.l; x > 1])` would have to be more than 1"],
        ),
        (
            "# a comment with \"quotes\" and { braces\ninput.tool.pinned # more\n`raw` == input.tool.name",
            none.clone(),
            1,
            &["`input.tool.name` would have to be \"raw\""],
        ),
        (
            "input.arguments.state ==\n\t\t\"draft\"",
            json!({"state": "published"}),
            0,
            &["`input.arguments.state` would have to be \"draft\""],
        ),
        (
            "x := input.arguments.n; y := x + 1\ny == 3",
            json!({"n": 1}),
            2,
            &["`y` would have to be 3"],
        ),
    ];
    for (body, arguments, index, needs) in rows {
        let stop = stop(story(&allow(body), &arguments).await);
        assert_eq!(stop.needs, needs, "{body}");
        assert_eq!(stop.satisfied, index, "{body}");
        let line: usize = stop.stopped_at.rsplit_once(':').unwrap().1.parse().unwrap();
        let text = admit(&allow(body));
        let first = stop.expression.lines().next().unwrap();
        assert!(text.lines().nth(line - 1).unwrap().contains(first), "{}: {body}", stop.stopped_at);
    }
}

/// What stands behind a condition is told too: rules with `else`, functions with their arguments,
/// imports under other names, and the parts of the input that they read.
#[tokio::test]
async fn rules_behind_a_condition_are_told() {
    let helpers = "package helpers\n\nimport rego.v1\n\n\
        level := \"high\" if {\n\tinput.arguments.n > 100\n} else := \"middle\" if {\n\
        \tinput.arguments.n > 10\n}\n\n\
        big(x, limit) if {\n\tx > limit\n\tx < 1000\n}\n\n\
        teams contains team if {\n\tsome team in input.principal.groups\n}\n";
    let rules = "import data.helpers as h\nimport input.arguments as given\n\n\
        allow contains {\"rule\": \"a\", \"text\": \"t\"} if {\n\tdata.helpers.level == \"high\"\n}\n\
        allow contains {\"rule\": \"b\", \"text\": \"t\"} if {\n\th.big(given.n, 5)\n}\n\
        allow contains {\"rule\": \"c\", \"text\": \"t\"} if {\n\tlocal\n}\n\
        local if \"x\" in h.teams\n";
    let files = bundle(&[("admit.rego", &admit(rules)), ("helpers.rego", helpers)]);
    let loaded = load::load_unchecked(&files).unwrap_or_else(|errors| panic!("{errors}"));
    let ruleset = Ruleset::new(&files, loaded);
    let asked =
        json!({"tool": "search", "arguments": {"n": 3}, "principal": {"roles": ["editor"]}});
    let told = explain(&ruleset, Question::Admit, &asked).await;
    let [a, b, c] = <[Story; 3]>::try_from(told.rules).unwrap().map(stop);

    assert_eq!(a.needs, ["`data.helpers.level` would have to be there"]);
    let level = &a.helpers[0];
    assert_eq!((level.name.as_str(), &level.value), ("data.helpers.level", &None));
    let stops: Vec<_> = level.bodies.iter().cloned().map(|it| stop(it).needs.concat()).collect();
    let need = |most| format!("`input.arguments.n` would have to be more than {most}");
    assert_eq!(stops, [need(100), need(10)]);
    assert_eq!(
        (a.reads[0].expression.as_str(), &a.reads[0].value),
        ("input.arguments.n", &Some(json!(3)))
    );
    assert_eq!(a.reads[0].through.as_deref(), Some("data.helpers.level"));

    let big = &b.helpers.iter().find(|it| it.name == "data.helpers.big(3, 5)").unwrap();
    assert_eq!(stop(big.bodies[0].clone()).needs, ["`x` would have to be more than `limit`"]);
    assert_eq!(
        b.cases[0].operands,
        [Read { expression: "given.n".to_owned(), value: Some(json!(3)), through: None }]
    );

    let local = stop(c.helpers[0].bodies[0].clone());
    assert_eq!(local.needs, ["`h.teams` would have to hold \"x\""]);
    assert_eq!(local.helpers[0].name, "data.helpers.teams");
    assert_eq!(c.reads[0].expression, "input.principal.groups");
}

#[tokio::test]
async fn what_spoke_says_so_and_odd_rules_are_not_guessed_at() {
    let said = |story: Story| match story.outcome {
        StoryOutcome::Spoke { said } => said.len(),
        other => panic!("{other:?}"),
    };
    let many =
        "allow contains {\"rule\": \"a\", \"text\": x} if {\n\tsome x in input.arguments.l\n}";
    assert_eq!(said(story(many, &json!({"l": ["p", "q", "p"]})).await), 2);
    assert_eq!(
        said(story("allow contains {\"rule\": \"a\", \"text\": \"t\"}", &json!({})).await),
        1
    );

    let headless = "allow contains {\"rule\": \"a\", \"text\": input.arguments.t} if {\n\tinput.tool.pinned\n}";
    let stopped = stop(story(headless, &json!({})).await);
    assert_eq!((stopped.satisfied, stopped.conditions), (1, 1));
    assert!(stopped.needs[0].contains("no value"), "{:?}", stopped.needs);
    assert_eq!(
        stopped.reads[0],
        Read { expression: "input.arguments.t".to_owned(), value: None, through: None }
    );

    let broken = allow("\tinput.tool.pinned\n\tcount(input.arguments.n) > 1");
    match story(&broken, &json!({"n": 5})).await.outcome {
        StoryOutcome::Failed { failed_at, text } => {
            assert_eq!(failed_at, "admit.rego:7");
            assert!(text.contains("count"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    // The engine itself puts conditions into another order where one needs what another binds.
    let turned = allow("\tsome x\n\tx > 5\n\tinput.arguments.n = x");
    assert_eq!(said(story(&turned, &json!({"n": 6})).await), 1);
    let stopped = stop(story(&turned, &json!({"n": 4})).await);
    assert_eq!(stopped.needs, ["`x` would have to be more than 5"]);
}

/// What the probes say spoke is what decided, for every role, tool and question of the shipped
/// rules.
#[tokio::test]
async fn the_rules_that_spoke_are_those_of_the_decision() {
    let ruleset = load(&Source::Shipped);
    let roles = ["support-reader", "note-writer", "article-editor", "knowledge-author", "nobody"];
    let tools = ["search", "update_article", "x"];
    let mut seen = 0;
    for role in roles {
        for tool in tools {
            let asked = json!({"tool": tool, "principal": {"roles": [role]}});
            let told = explain(&ruleset, Question::Admit, &asked).await;
            let deciding: BTreeSet<&str> = match told.finding.reasons.as_slice() {
                [one] if one.rule == "admit.nothing_allows" => BTreeSet::new(),
                reasons => reasons.iter().map(|reason| reason.rule.as_str()).collect(),
            };
            let set = told.finding.verdict.as_str();
            let spoke: BTreeSet<&str> = told
                .rules
                .iter()
                .filter(|story| story.set == set)
                .filter(|story| matches!(story.outcome, StoryOutcome::Spoke { .. }))
                .filter_map(|story| story.rule.as_deref())
                .collect();
            assert_eq!(spoke, deciding, "{role} {tool}");
            // Nothing stays unclear, and a role that would turn the verdict is found.
            assert!(told.rules.iter().all(|story| !matches!(
                story.outcome,
                StoryOutcome::Unclear { .. } | StoryOutcome::Failed { .. }
            )));
            let turning = told.with_role.iter().filter(|it| it.verdict != told.finding.verdict);
            let expected = match (role, tool) {
                ("nobody", "search") | ("article-editor" | "knowledge-author", "search") => 2,
                ("nobody", "update_article") => 2,
                ("support-reader" | "note-writer", "update_article") => 2,
                _ => 0,
            };
            let held: Vec<_> = turning.map(|it| it.role.as_str()).collect();
            assert_eq!(held.len(), expected, "{role} {tool}: {held:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 15);
}

#[tokio::test]
async fn a_tool_that_is_not_shown_is_explained() {
    let ruleset = load(&Source::Shipped);
    for (name, pinned, verdict, show, hide) in [
        ("search", true, Verdict::Deny, false, false),
        ("get_article", false, Verdict::Deny, true, true),
        ("list_articles", true, Verdict::Allow, true, false),
    ] {
        let asked =
            json!({"tool": name, "pinned": pinned, "principal": {"roles": ["article-editor"]}});
        let told = explain(&ruleset, Question::Visible, &asked).await;
        assert_eq!(told.finding.verdict, verdict, "{name}");
        let spoke: Vec<bool> = told
            .rules
            .iter()
            .map(|story| matches!(story.outcome, StoryOutcome::Spoke { .. }))
            .collect();
        assert_eq!(spoke, [show, hide, false], "{name}: {:?}", told.rules);
        let turned = &told.rules[0].turned_by_roles;
        let expected: &[&str] =
            if name == "search" { &["note-writer", "support-reader"] } else { &[] };
        assert_eq!(turned, expected, "{name}");
    }
}
