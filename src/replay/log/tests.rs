//! Each decision of a call that was held is one of its own.

use serde_json::json;

use super::*;
use crate::clock;
use crate::domain::{CallFacts, Digest, HoldId, Opened};
use crate::store::{self, Store};

fn facts(number: u128) -> serde_json::Value {
    json!({
        "id": CallId(uuid::Uuid::from_u128(number)),
        "principal": "bot",
        "client": {"name": "", "version": ""},
        "revision": "2025-11-25",
        "method": "tools/call",
        "subject": {"kind": "tool", "name": "update_article", "effect": "write"},
        "arguments": Digest::of("test", &[]),
    })
}

fn decision(number: u128, verdict: &str) -> Event {
    let ruleset = Digest::of("test", &[]);
    let decision =
        json!({"question": "admit", "verdict": verdict, "reasons": [], "ruleset": ruleset});
    serde_json::from_value(json!({"type": "decision", "call": facts(number), "decision": decision}))
        .unwrap()
}

fn opened(number: u128) -> Event {
    let call: CallFacts = serde_json::from_value(facts(number)).unwrap();
    let digest = Digest::of("test", &[]);
    let opened: Opened = serde_json::from_value(json!({
        "binding": {"origin": "", "principal": "bot", "tool": "update_article",
            "definition": digest, "arguments": digest, "ruleset": digest},
        "call": call,
        "sealed": "",
        "on_release": "send",
        "reasons": [],
        "release": {"groups": [], "people": 1, "expires_seconds": 60},
        "expires_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let hold = HoldId::from_random(number);
    Event::Hold { hold, event: HoldEvent::Opened(Box::new(opened)) }
}

/// A question of the tape.
fn entry(question: Question, number: u128, at: Timestamp, again: bool) -> Entry {
    let rounds = json!([{"asked": {"approver": {"id": "ann"}}, "others": "allow",
        "said": {"verdict": "allow", "rules": []}}]);
    let digest = Digest::of("test", &[]);
    let call = CallId(uuid::Uuid::from_u128(number));
    serde_json::from_value(json!({"call": call, "again": again, "at": at, "ruleset": digest,
        "counted": true, "question": question, "rounds": rounds}))
    .unwrap()
}

#[tokio::test]
async fn what_is_decided_of_a_held_call_later_is_not_what_was_decided_when_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = Store::open(&data, &store::Options::default()).unwrap();
    let begin = clock::now().millis() - 60_000;
    let at = |second: i64| Timestamp::from_millis(begin + second * 1000);
    let approver: ApproverId = "ann".parse().unwrap();
    let events = [
        // Held, changed and released under other rules.
        decision(1, "hold"),
        opened(1),
        decision(1, "hold"),
        decision(1, "allow"),
        decision(2, "deny"),
        Event::Hold { hold: HoldId::from_random(1), event: HoldEvent::Revoked { approver } },
    ];
    for (second, event) in (0..).zip(events) {
        let _receipt = store.log().append_at(event, at(second)).await.unwrap();
    }
    let call = |number| CallId(uuid::Uuid::from_u128(number));
    let came = |number| entry(Question::Admit, number, Timestamp::default(), false);
    let (hold, allow, deny) = (Some(Verdict::Hold), Some(Verdict::Allow), Some(Verdict::Deny));
    // Since when, of which calls: what was decided of the two, and what nothing is kept of.
    for (since, only, decided, unkept) in [
        (0, vec![], [hold, deny], (2, 1)),
        (0, vec![call(1)], [hold, None], (2, 1)),
        (0, vec![call(2)], [None, deny], (0, 0)),
        // It came before that.
        (1, vec![], [None, deny], (2, 1)),
        (3, vec![], [None, deny], (1, 1)),
        (6, vec![], [None, None], (0, 0)),
    ] {
        let mut log = Log::read(&data, at(since), &only).unwrap();
        let taken = [log.takes(&came(1)).flatten(), log.takes(&came(2)).flatten()];
        assert_eq!(taken, decided, "{since} {only:?}");
        let now = log.unkept();
        assert_eq!((now.calls, now.wishes), unkept, "{since} {only:?}");
    }
    // The tape has nothing of the second.
    let mut log = Log::read(&data, Timestamp::default(), &[]).unwrap();
    log.takes(&came(1));
    assert_eq!(log.unkept(), Unkept { calls: 3, answers: 0, wishes: 1 });

    // Later questions, each a little after a second: since when, and what is decided.
    for (since, asked, decided, unkept) in [
        (0, vec![1, 2], vec![hold, allow], 0),
        // Of the first the tape has nothing.
        (0, vec![2], vec![allow], 1),
        (3, vec![1, 2], vec![None, allow], 0),
        (3, vec![1], vec![None], 1),
        (0, vec![1, 2, 4], vec![hold, allow, None], 0),
    ] {
        let mut log = Log::read(&data, at(since), &[call(1)]).unwrap();
        log.takes(&came(1));
        let again = |second: &i64| {
            let asked = at(*second).plus(std::time::Duration::from_millis(500));
            entry(Question::Admit, 1, asked, true)
        };
        let found: Vec<Option<Verdict>> =
            asked.iter().map(|second| log.takes(&again(second)).flatten()).collect();
        assert_eq!((found, log.unkept().calls), (decided, unkept), "{since} {asked:?}");
    }
    // What people did, and lists, of which the log has no decisions.
    let mut log = Log::read(&data, at(2), &[]).unwrap();
    let asked = |question, second| entry(question, 1, at(second), false);
    for (question, second, taken) in [
        (Question::Approve, 1, false),
        (Question::Approve, 4, true),
        (Question::Visible, 1, false),
        (Question::Visible, 4, true),
    ] {
        assert_eq!(log.takes(&asked(question, second)).is_some(), taken, "{question:?} {second}");
    }
    assert_eq!(log.unkept().wishes, 0);
    let mut log = Log::read(&data, at(0), &[call(2)]).unwrap();
    assert!(log.takes(&asked(Question::Approve, 4)).is_none());
    assert!(log.takes(&asked(Question::Visible, 4)).is_none());
}
