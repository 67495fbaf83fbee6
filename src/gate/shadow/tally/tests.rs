//! Differences between a candidate and what decides, compared, counted and bounded.

use std::time::Duration;

use super::*;
use crate::domain::{Duty, Judge, Obligation, Reason, Release, Timestamp};
use crate::gate::Change;

fn finding(verdict: Verdict, rule: &str) -> Finding {
    let reasons = vec![Reason::new(rule, "")];
    let release = (verdict == Verdict::Hold)
        .then(|| Release { expires: Duration::from_secs(1), ..Release::default() });
    Finding {
        judge: Judge::Policy,
        verdict,
        reasons,
        obligations: Vec::new(),
        release,
        fault: None,
    }
}

fn demanding(least: u64) -> Finding {
    let mut one = finding(Verdict::Allow, "r");
    let reason = Reason::new(format!("least{least}"), "");
    let duty = Duty::Reason { least };
    one.obligations.push(Obligation { reason, duty, changed: false });
    one
}

fn question(principal: &str) -> Compared {
    Compared {
        question: Question::Admit,
        active: Digest::of("a", &[]),
        call: None,
        principal: principal.parse().unwrap(),
        tool: None,
        by: None,
        late: false,
        flips: Vec::new(),
    }
}

fn tally() -> Tally {
    let since = Timestamp::from_millis(0);
    Tally::new(ShadowReport::empty(Digest::of("c", &[]), None, "x".into(), since))
}

fn contrasts(own: Verdict, said: &Finding, says: &Finding) -> Vec<Contrast> {
    let flips = question("bot").findings(own, said, says).flips;
    flips.into_iter().map(|flip| flip.contrast).collect()
}

fn compared(own: Verdict, said: &Finding, says: &Finding) -> Vec<(Change, String)> {
    let contrasts = contrasts(own, said, says).into_iter();
    contrasts.map(|it| (it.change, it.rules.join(","))).collect()
}

/// What is demanded otherwise is told also where the verdict is another.
#[test]
fn a_flip_says_which_demands_changed() {
    let duty = |json: serde_json::Value| serde_json::from_value::<Duty>(json).unwrap();
    let least = |least| duty(serde_json::json!({"reason": {"least": least}}));
    let cap = duty(serde_json::json!({"cap": {"argument": "per_page", "most": 20}}));
    let mask = duty(serde_json::json!({"redact": {"kinds": ["email", "phone"], "how": "mask"}}));
    let one = duty(serde_json::json!(
        {"filter": {"field": "state", "operator": "eq", "values": ["open"]}}
    ));
    let demanding = |verdict: Verdict, duties: &[(&str, &Duty)]| {
        let mut all = finding(verdict, "r");
        let demand = |(rule, duty): &(&str, &Duty)| Obligation {
            reason: Reason::new(*rule, ""),
            duty: (*duty).clone(),
            changed: false,
        };
        all.obligations = duties.iter().map(demand).collect();
        all
    };
    use Verdict::{Allow, Deny, Hold};
    let other = duty(serde_json::json!(
        {"filter": {"field": "state", "operator": "eq", "values": ["closed"]}}
    ));
    let some = duty(serde_json::json!(
        {"filter": {"field": "email", "operator": "in", "values": ["jane@example.com", "x"]}}
    ));
    let rows: [(Finding, Finding, &[&str]); 7] = [
        // Values may be of one call alone, and personal.
        (
            demanding(Allow, &[]),
            demanding(Allow, &[("b", &some)]),
            &["+ only where `email` in 2 values (b)"],
        ),
        // What reads the same is said once.
        (
            demanding(Allow, &[("a", &one), ("b", &mask), ("a", &other)]),
            demanding(Allow, &[]),
            &["- email, phone: mask (b)", "- only where `state` eq 1 value (a)"],
        ),
        (
            demanding(Allow, &[("a", &cap), ("b", &mask)]),
            demanding(Hold, &[("b", &mask), ("c", &one)]),
            &["- cap `per_page` at 20 (a)", "+ only where `state` eq 1 value (c)"],
        ),
        (demanding(Deny, &[]), demanding(Allow, &[("b", &mask)]), &["+ email, phone: mask (b)"]),
        (demanding(Hold, &[("a", &cap)]), demanding(Deny, &[]), &["- cap `per_page` at 20 (a)"]),
        (
            demanding(Allow, &[("a", &least(5))]),
            demanding(Allow, &[("a", &least(9))]),
            &["- a reason of at least 5 characters (a)", "+ a reason of at least 9 characters (a)"],
        ),
        (demanding(Allow, &[("a", &cap)]), demanding(Hold, &[("z", &cap)]), &[]),
    ];
    for (said, says, demands) in rows {
        let [contrast] = contrasts(Allow, &said, &says).try_into().unwrap();
        assert_eq!(contrast.demands, demands, "{contrast:?}");
    }
}

#[test]
fn differences_are_named_with_the_rule_behind_them() {
    use Verdict::{Allow, Deny, Hold};
    for was in [Allow, Hold, Deny] {
        for would in [Allow, Hold, Deny] {
            let (said, says) = (finding(was, "old"), finding(would, "new"));
            // What another judge denies stays denied.
            assert_eq!(compared(Deny, &said, &says), []);
            let found = compared(Allow, &said, &says);
            if was == would {
                assert_eq!(found, []);
            } else {
                let rule = if would > was { "new" } else { "old" };
                let change = Change::of(was, would).unwrap();
                assert_eq!(found, [(change, rule.to_owned())]);
                assert_eq!(change.as_str(), format!("{was} -> {would}"));
            }
        }
    }
    // A candidate that fails denies.
    let failed = Finding { fault: Some(Fault::PolicyError), ..finding(Allow, "broken") };
    let found = compared(Allow, &finding(Allow, "old"), &failed);
    assert_eq!(found, [(Change::AllowToDeny, "broken".to_owned())]);
    // Other people, other demands.
    let mut two = finding(Hold, "two");
    two.release.as_mut().unwrap().people = 2;
    let found = compared(Allow, &finding(Hold, "one"), &two);
    assert_eq!(found, [(Change::Release, "two".to_owned())]);
    // Of a release it is said who may, and how many.
    let asks = |people, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Finding {
            release: Some(Release { people, groups, ..Release::default() }),
            ..finding(Hold, "r")
        }
    };
    let [contrast] = contrasts(Allow, &asks(1, &[]), &asks(2, &["a", "b"])).try_into().unwrap();
    assert_eq!(
        contrast.demands,
        ["- people: 1", "+ people: 2", "- groups: everybody", "+ groups: a or b"]
    );
    assert_eq!(compared(Allow, &demanding(5), &demanding(5)), []);
    let found = compared(Allow, &demanding(5), &demanding(9));
    assert_eq!(found, [(Change::Obligations, "least9,least5".to_owned())]);
    let found = compared(Allow, &demanding(5), &finding(Allow, "r"));
    assert_eq!(found, [(Change::Obligations, "least5".to_owned())]);
}

/// What would have been decided in time is not known: it is neither a difference nor none.
#[test]
fn what_is_not_answered_in_time_is_no_difference() {
    use Verdict::{Allow, Deny};
    let late = Finding { fault: Some(Fault::PolicyTimeout), ..finding(Deny, "late") };
    let (passes, denies) = (finding(Allow, "a"), finding(Deny, "d"));
    let list = |names: &[&str], finding: &Finding| {
        let tools = Some(names.iter().map(|name| (*name).to_owned()).collect());
        Said { tools, ..Said::from(finding) }
    };
    let (all, none) = (list(&["x", "y"], &passes), list(&[], &denies));
    let unknown = list(&[], &late);
    let asked = || question("bot");
    let rows = [
        ("a candidate", asked().findings(Allow, &passes, &late), 1, 0),
        ("what decides", asked().findings(Allow, &late, &passes), 1, 0),
        ("both", asked().findings(Allow, &late, &late), 1, 0),
        ("nobody", asked().findings(Allow, &denies, &passes), 0, 1),
        ("what another judge denies", asked().findings(Deny, &passes, &late), 0, 0),
        ("a candidate's list", asked().said(Allow, all.clone(), unknown.clone()), 1, 0),
        ("the list that decides", asked().said(Allow, unknown, all.clone()), 1, 0),
        ("no list", asked().said(Allow, all, none), 0, 2),
    ];
    for (who, one, late, differences) in rows {
        let mut tally = tally();
        tally.add(one, 0);
        let report = tally.report(0);
        assert_eq!(
            (report.head.not_in_time, report.changes.values().sum()),
            (late, differences),
            "{who}"
        );
        assert_eq!((report.asked["admit"], report.flips.len() as u64), (1, differences), "{who}");
        let state = report.state();
        assert_eq!((state.head, state.asked, state.flips), (report.head, 1, differences), "{who}");
    }
}

#[test]
fn rows_are_bounded_and_say_so() {
    let mut tally = tally();
    for count in 0..MOST_ROWS + 7 {
        let (said, says) = (finding(Verdict::Allow, "old"), finding(Verdict::Deny, "new"));
        let one = question(&format!("bot{count}"));
        tally.add(one.findings(Verdict::Allow, &said, &says), 1);
    }
    let report = tally.report(3);
    assert_eq!((report.flips.len(), report.beyond_rows), (MOST_ROWS, 7));
    assert_eq!((report.head.dropped, report.unrecorded), (3, MOST_ROWS as u64 + 7));
    assert_eq!(report.changes[&Change::AllowToDeny], MOST_ROWS as u64 + 7);
    // Another process goes on where this one was.
    let text = serde_json::to_string(&report).unwrap();
    let again = Tally::new(serde_json::from_str(&text).unwrap());
    assert_eq!(again.report(0), report);
    assert_eq!(again.report(4).head.dropped, 7);
}

/// What is demanded may be of one call alone: it is told of the first, and makes no row of its own.
#[test]
fn demands_make_no_rows() {
    let (mut tally, allow) = (tally(), finding(Verdict::Allow, "r"));
    for least in 1..=9 {
        let reason = Reason::new("r", "");
        let obligations = vec![Obligation { reason, duty: Duty::Reason { least }, changed: false }];
        let says = Finding { obligations, ..allow.clone() };
        tally.add(question("bot").findings(Verdict::Allow, &allow, &says), 0);
    }
    let report = tally.report(0);
    let [flip] = report.flips.clone().try_into().unwrap();
    let first = vec!["+ a reason of at least 1 characters (r)".to_owned()];
    assert_eq!((flip.count, &flip.demands), (9, &first));
    // An earlier version had a row for each list of demands.
    let other = Flip { demands: vec!["+ another (r)".to_owned()], count: 2, ..flip.clone() };
    let of_before = ShadowReport { flips: vec![flip, other], ..report };
    let again = Tally::new(of_before).report(0);
    let [flip] = again.flips.try_into().unwrap();
    assert_eq!((flip.count, flip.demands), (11, first));
}

/// Whatever rules make of their names and demands, a report can be read when the process starts again.
#[test]
fn no_report_is_too_long_to_be_read() {
    let (mut tally, long) = (tally(), "\u{1}\"".repeat(300));
    let duty = |number: u64| Obligation {
        reason: Reason::new(format!("{number}{long}"), ""),
        duty: Duty::Reason { least: number },
        changed: false,
    };
    let says = Finding {
        obligations: (0..30).map(duty).collect(),
        reasons: vec![Reason::new(long.as_str(), "")],
        ..finding(Verdict::Deny, "")
    };
    let name = "b".repeat(120);
    let demands = Finding { verdict: Verdict::Allow, ..says.clone() };
    for number in 0..MOST_ROWS + 1 {
        let tool = Some(format!("{number}{long}"));
        let one = Compared {
            tool,
            call: Some(CallId(uuid::Uuid::nil())),
            by: Some(name.parse().unwrap()),
            ..question(&name)
        };
        tally.add(one.findings(Verdict::Allow, &says, &demands), 0);
    }
    let report = tally.report(0);
    let first = &report.flips[0];
    assert_eq!((report.flips.len(), first.demands.len()), (MOST_ROWS, 21));
    assert_eq!(first.demands[20], "and 10 more");
    assert!(first.demands[0].ends_with("...") && first.demands[0].len() <= 203, "{first:?}");
    let bytes = serde_json::to_vec(&report).unwrap().len() as u64;
    assert!(bytes < ShadowReport::MOST_BYTES, "{bytes}");
    let one = question("bot").findings(Verdict::Allow, &says, &demands);
    assert_eq!(one.records(report.head.revision)[0].demands, first.demands);
}
