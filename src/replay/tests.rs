//! What a candidate would have done: counted, listed and bounded.

use serde_json::json;

use super::fixtures::folder;
use super::report::MOST_ROWS;
use super::*;
use crate::domain::{Demand, Duty, Fault};
use crate::policy::{Asked, Bundle, Source};

/// Rules that say nothing in time of a draft.
const SLOW: &str = "named if {\n\tinput.arguments.state == \"draft\"\n\tsome a in numbers.range(1, 3000)\n\
                    \tsome b in numbers.range(1, 3000)\n\ta * b == 10000000\n}\n\
                    named if input.arguments.state == \"published\"\n";

fn replay(rules: &str) -> Replay {
    let folder = folder(rules);
    Replay::of(&Bundle::read(&Source::Folder(folder.path().to_owned())).unwrap()).unwrap()
}

/// A recorded call of `create_article` with this state; nothing allowed it, or a rule denied it.
fn past(state: &str, rule: &str) -> Past {
    let asked = json!({"tool": "create_article", "principal": {"id": "bot"},
        "arguments": {"state": state}});
    let asked = Asked::read(&asked.to_string()).unwrap();
    let said = Said {
        verdict: Verdict::Deny,
        rules: vec![rule.to_owned()],
        demands: Vec::new(),
        release: None,
        fault: None,
        tools: None,
    };
    Past {
        name: state.to_owned(),
        question: Question::Admit,
        rounds: vec![Kept { asked, others: Verdict::Allow, said }],
        counted: true,
        decided: Some(Verdict::Deny),
        verdict_only: false,
    }
}

/// That the candidate says nothing in time is neither a difference nor that there is none.
#[tokio::test]
async fn what_is_not_answered_in_time_is_told_apart() {
    let (candidate, quick) = (replay(SLOW), replay("named if input.arguments.state\n"));
    for base in [None, Some(&quick)] {
        let mut comparison = Comparison::new(&candidate, base);
        assert_eq!(comparison.add(&past("draft", "admit.r")).await, None);
        assert!(comparison.add(&past("published", "admit.r")).await.is_some());
        let impact = comparison.finish();
        let total = impact.totals["admit"];
        assert_eq!((total.records, total.asked, total.not_in_time), (2, 1, 1), "{impact:?}");
        assert_eq!((impact.asked(), impact.not_in_time(), impact.changes.len()), (1, 1, 0));
        assert!(impact.not_replayable.is_empty(), "{impact:?}");
    }
}

/// What another judge denied stays denied, whatever policy would have said in time.
#[tokio::test]
async fn what_others_denied_needs_no_answer() {
    let (slow, quick) = (replay(SLOW), replay("named if input.arguments.state\n"));
    // One that was edited was judged twice.
    let twice = |others, again| {
        let mut past = past("draft", "admit.r");
        past.rounds[0].others = others;
        let mut second = past.rounds[0].clone();
        second.others = again;
        past.rounds.push(second);
        past
    };
    let late = |mut past: Past| {
        past.rounds.iter_mut().for_each(|it| it.said.fault = Some(Fault::PolicyTimeout));
        past
    };
    use Verdict::{Allow, Deny, Hold};
    let rows = [
        ("denied now", twice(Deny, Deny), &slow, None, (1, 0)),
        ("held now", twice(Hold, Deny), &slow, None, (0, 1)),
        ("denied by both", twice(Deny, Deny), &quick, Some(&slow), (1, 0)),
        ("held by both", twice(Hold, Deny), &quick, Some(&slow), (0, 1)),
        ("denied then", late(twice(Deny, Deny)), &quick, None, (1, 0)),
        ("allowed then", late(twice(Deny, Allow)), &quick, None, (0, 0)),
    ];
    for (name, past, candidate, base, (unchanged, not_in_time)) in rows {
        let mut comparison = Comparison::new(candidate, base);
        let said = comparison.add(&past).await;
        assert_eq!(said.is_some(), unchanged == 1, "{name}: {said:?}");
        let impact = comparison.finish();
        let total = impact.totals["admit"];
        let found = (total.unchanged, total.not_in_time);
        assert_eq!((total.records, found), (1, (unchanged, not_in_time)), "{name}: {impact:?}");
    }
}

/// The rows begin with what is most dangerous, and those are the last to be left out.
#[test]
fn the_most_dangerous_rows_are_first_and_stay() {
    let ruleset = replay("named if input.arguments.state\n");
    let said = |verdict| Said {
        verdict,
        rules: vec!["r".to_owned()],
        demands: Vec::new(),
        release: None,
        fault: None,
        tools: None,
    };
    let mut impact = Impact::new(&ruleset, None);
    let (deny, hold, allow) = (said(Verdict::Deny), said(Verdict::Hold), said(Verdict::Allow));
    for number in 0..MOST_ROWS {
        impact.compared(&past(&number.to_string(), "r"), true, &allow, &deny);
    }
    for (name, was, would) in [("held", &hold, &allow), ("open", &deny, &allow)] {
        impact.compared(&past(name, "r"), true, was, would);
    }
    let impact = impact.finished(&ruleset);
    assert_eq!((impact.rows.len(), impact.beyond_rows), (MOST_ROWS, 2));
    let names: Vec<&str> = impact.rows.iter().map(|row| row.decision.as_str()).collect();
    assert_eq!(names[..4], ["open", "held", "0", "1"]);
    assert_eq!(names.last(), Some(&(MOST_ROWS - 3).to_string().as_str()));
}

/// What is demanded otherwise is told also where the verdict is another.
#[test]
fn demands_that_changed_are_told_with_a_flip() {
    let ruleset = replay("named if input.arguments.state\n");
    let said = |verdict, duties: &[(&str, serde_json::Value)]| Said {
        verdict,
        rules: vec!["r".to_owned()],
        demands: duties
            .iter()
            .map(|(rule, duty)| {
                assert!(serde_json::from_value::<Duty>(duty.clone()).is_ok(), "{duty}");
                Demand { rule: (*rule).to_owned(), duty: duty.clone() }
            })
            .collect(),
        release: None,
        fault: None,
        tools: None,
    };
    let cap = json!({"cap": {"argument": "per_page", "most": 20}});
    let mask = json!({"redact": {"kinds": ["email"], "how": "mask"}});
    let was = said(Verdict::Allow, &[("small", cap), ("private", mask)]);
    let would = said(Verdict::Hold, &[("one", json!({"rows": {"most": 5}}))]);
    let mut impact = Impact::new(&ruleset, None);
    impact.compared(&past("draft", "r"), true, &was, &would);
    // Of a written case only the verdict is known.
    let written = Past { verdict_only: true, ..past("published", "r") };
    impact.compared(&written, true, &said(Verdict::Allow, &[]), &would);
    let impact = impact.finished(&ruleset);
    let demands =
        ["- cap `per_page` at 20 (small)", "- email: mask (private)", "+ at most 5 records (one)"];
    assert_eq!(impact.rows[0].demands, demands);
    assert_eq!(impact.rows[1].demands, [""; 0]);
    let counted: Vec<(&str, u64)> =
        impact.demands.iter().map(|it| (it.demand.as_str(), it.count)).collect();
    assert_eq!(counted, [("+ at most 5 records (one)", 1), ("- cap `per_page` at 20 (small)", 1)]);
    let redacted: Vec<(&str, &str, &str)> =
        impact.redactions.iter().map(|it| (&*it.kind, &*it.was, &*it.would)).collect();
    assert_eq!(redacted, [("email", "mask", "nothing")]);
}

/// Of a list it is told which tools a candidate shows or hides.
#[tokio::test]
async fn a_list_differs_by_tool() {
    let folder = folder("named if input.arguments.state\n");
    let rules = "package portcullis.rules.visible\n\nimport rego.v1\n\n\
                 show contains tool.name if { some tool in input.tools; tool.name != \"search\" }\n";
    std::fs::write(folder.path().join("visible.rego"), rules).unwrap();
    let candidate = Replay::of(&Bundle::read(&Source::Folder(folder.path().into())).unwrap());
    let candidate = candidate.unwrap();
    let asked = json!({"principal": {"id": "bot"}, "tools": ["search", "fetch", "get_article"]});
    let asked = Asked::read(&asked.to_string()).unwrap();
    let list = |shown: &[&str]| {
        let mut past = past("list", "visible.r");
        (past.question, past.decided) = (Question::Visible, None);
        let said = Said {
            verdict: Verdict::Allow,
            tools: Some(shown.iter().map(|name| (*name).to_owned()).collect()),
            ..past.rounds[0].said.clone()
        };
        past.rounds = vec![Kept { asked: asked.clone(), others: Verdict::Allow, said }];
        past
    };
    let mut comparison = Comparison::new(&candidate, None);
    comparison.add(&list(&["fetch", "get_article"])).await.unwrap();
    comparison.add(&list(&["search", "fetch"])).await.unwrap();
    let impact = comparison.finish();
    let total = impact.totals["visible"];
    assert_eq!((total.records, total.asked, total.unchanged), (2, 2, 1));
    let rows: Vec<(Change, &str)> =
        impact.rows.iter().map(|row| (row.change, row.tool.as_str())).collect();
    assert_eq!(rows, [(Change::DenyToAllow, "get_article"), (Change::AllowToDeny, "search")]);
}
