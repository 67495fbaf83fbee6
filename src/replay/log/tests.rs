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

#[tokio::test]
async fn what_is_decided_of_a_held_call_later_is_not_what_was_decided_when_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = Store::open(&data, &store::Options::default()).unwrap();
    let begin = clock::now().millis() - 60_000;
    let events = [
        // Held, changed and released under other rules.
        decision(1, "hold"),
        opened(1),
        decision(1, "hold"),
        decision(1, "allow"),
        decision(2, "deny"),
    ];
    for (second, event) in (0..).zip(events) {
        let at = Timestamp::from_millis(begin + second * 1000);
        let _receipt = store.log().append_at(event, at).await.unwrap();
    }
    let call = |number| CallId(uuid::Uuid::from_u128(number));
    // Since when, of which calls: what was decided of the two, and what nothing is kept of.
    for (since, only, decided, unkept) in [
        (0, vec![], [Some(Verdict::Hold), Some(Verdict::Deny)], (0, 2)),
        (0, vec![call(1)], [Some(Verdict::Hold), None], (0, 2)),
        (0, vec![call(2)], [None, Some(Verdict::Deny)], (0, 0)),
        // It came before that.
        (1, vec![], [None, Some(Verdict::Deny)], (0, 2)),
        (3, vec![], [None, Some(Verdict::Deny)], (0, 1)),
        (5, vec![], [None, None], (0, 0)),
    ] {
        let since = Timestamp::from_millis(begin + since * 1000);
        let mut log = Log::read(&data, since, &only).unwrap();
        assert_eq!([log.asked(call(1)), log.asked(call(2))], decided, "{since} {only:?}");
        let now = log.unkept();
        assert_eq!((now.calls, now.again), unkept, "{since} {only:?}");
    }
    // The tape has nothing of the second.
    let mut log = Log::read(&data, Timestamp::default(), &[]).unwrap();
    log.asked(call(1));
    assert_eq!(log.unkept(), Unkept { calls: 1, again: 2, answers: 0 });
}
