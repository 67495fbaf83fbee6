//! Holds: every transition, and stories of events against a second model.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{CallId, ClientHint, Effect, PrincipalId, Revision, Subject};

const T0: Timestamp = Timestamp::from_millis(1_000_000);

fn opened(people: u32) -> Opened {
    let digest = Digest::of("test", &[]);
    let principal: PrincipalId = "agent".parse().unwrap();
    Opened {
        binding: Binding {
            origin: "https://mcp.example.com".into(),
            principal: principal.clone(),
            tool: "update_article".into(),
            definition: digest,
            arguments: digest,
            ruleset: digest,
            plugins: Some(digest),
        },
        call: CallFacts {
            id: CallId(uuid::Uuid::nil()),
            principal,
            client: ClientHint::default(),
            revision: Revision::V2025_11_25,
            method: "tools/call".into(),
            subject: Subject::Tool {
                name: "update_article".into(),
                effect: Effect::Write,
                definition: Some(digest),
            },
            arguments: digest,
        },
        sealed: "sealed".into(),
        on_release: OnRelease::Send,
        reasons: Vec::new(),
        release: Release { groups: Vec::new(), people, expires: Duration::from_secs(60) },
        expires_at: T0.plus(Duration::from_secs(60)),
    }
}

fn hold(people: u32) -> Hold {
    Hold::open(HoldId::from_random(7), T0, opened(people))
}

fn person(name: &str) -> ApproverId {
    name.parse().unwrap()
}

fn approved(name: &str) -> HoldEvent {
    HoldEvent::Approved {
        approver: person(name),
        binding: opened(1).binding.digest(),
        valid_until: T0.plus(Duration::from_secs(90)),
    }
}

/// Applies events one millisecond apart and returns the name of the last state, or the error.
fn run(people: u32, events: &[HoldEvent]) -> String {
    let mut at = T0;
    let mut now = hold(people);
    for event in events {
        at = at.plus(Duration::from_millis(1));
        match now.apply(at, event) {
            Ok(next) => now = next,
            Err(error) => return error.to_string(),
        }
    }
    now.state.to_string()
}

#[test]
fn the_paths_of_the_table() {
    let rejected = HoldEvent::Rejected { approver: person("eve"), reason: "no".into() };
    let executed = HoldEvent::Executed { sealed: "s".into() };
    let unknown = HoldEvent::Unknown { reason: "crash".into() };
    let stale = HoldEvent::Stale { changed: "policy".into() };
    let reopened = HoldEvent::Reopened { binding: opened(1).binding, release: opened(1).release };
    let cancelled = HoldEvent::Cancelled { reason: "x".into() };
    let revoked = HoldEvent::Revoked { approver: person("ann") };
    let ok = approved("ann");
    let (claim, send) = (HoldEvent::Claimed, HoldEvent::Sending);
    let cases: Vec<(u32, Vec<HoldEvent>, &str)> = vec![
        (1, vec![ok.clone()], "approved"),
        (2, vec![ok.clone()], "pending"),
        (2, vec![ok.clone(), approved("bob")], "approved"),
        (
            2,
            vec![ok.clone(), ok.clone()],
            "ann has already approved this hold; another person must",
        ),
        (1, vec![ok.clone(), claim.clone(), send.clone(), executed.clone()], "executed"),
        (1, vec![ok.clone(), claim.clone(), send.clone(), unknown], "unknown"),
        (
            1,
            vec![ok.clone(), claim.clone(), send.clone(), send.clone()],
            "`sending` cannot follow `sending`",
        ),
        (1, vec![claim.clone()], "`claimed` cannot follow `pending`"),
        (1, vec![ok.clone(), send.clone()], "`sending` cannot follow `approved`"),
        (1, vec![executed.clone()], "`executed` cannot follow `pending`"),
        (1, vec![rejected.clone()], "rejected"),
        (1, vec![rejected.clone(), ok.clone()], "`approved` cannot follow `rejected`"),
        (1, vec![ok.clone(), rejected], "`rejected` cannot follow `approved`"),
        (1, vec![ok.clone(), revoked.clone()], "revoked"),
        (1, vec![ok.clone(), claim.clone(), revoked], "`revoked` cannot follow `claimed`"),
        (1, vec![ok.clone(), stale.clone(), reopened.clone()], "pending"),
        (1, vec![ok.clone(), claim.clone(), stale.clone(), cancelled.clone()], "cancelled"),
        (
            1,
            vec![ok.clone(), claim.clone(), stale.clone(), claim.clone()],
            "`claimed` cannot follow `stale`",
        ),
        (1, vec![HoldEvent::Delivered { disclose: None }], "`delivered` cannot follow `pending`"),
        (
            1,
            vec![ok.clone(), claim, send, executed, HoldEvent::Delivered { disclose: None }],
            "executed",
        ),
    ];
    for (people, events, expected) in cases {
        assert_eq!(run(people, &events), expected, "{events:?}");
    }
}

#[test]
fn limits_are_exact_to_the_millisecond() {
    let limit = opened(1).expires_at;
    let just_before = Timestamp::from_millis(limit.millis() - 1);
    assert!(hold(1).apply(just_before, &approved("ann")).is_ok());
    assert!(hold(1).apply(limit, &approved("ann")).is_err());
    assert!(hold(1).apply(just_before, &HoldEvent::Expired).is_err());
    assert!(hold(1).apply(limit, &HoldEvent::Expired).is_ok());
    let ready = hold(1).apply(T0, &approved("ann")).unwrap();
    let until = ready.valid_until.unwrap();
    assert!(ready.apply(Timestamp::from_millis(until.millis() - 1), &HoldEvent::Claimed).is_ok());
    assert!(ready.apply(until, &HoldEvent::Claimed).is_err());
    assert!(ready.apply(until, &HoldEvent::Lapsed).is_ok());
}

#[test]
fn an_approval_of_something_else_is_refused() {
    let other = HoldEvent::Approved {
        approver: person("ann"),
        binding: Digest::of("other", &[]),
        valid_until: T0,
    };
    assert_eq!(hold(1).apply(T0, &other), Err(IllegalTransition::OtherBinding));
}

#[test]
fn a_binding_of_old_is_read_and_keeps_its_digest() {
    let binding = hold(1).binding().clone();
    let mut text = serde_json::to_value(&binding).unwrap();
    text.as_object_mut().unwrap().remove("plugins");
    let old: Binding = serde_json::from_value(text).unwrap();
    assert_ne!(old, binding, "no set of plugins is that of a record of old");
    assert_ne!(old.digest(), binding.digest());
    assert!(old.same_call(&binding));
    let parts = [
        old.origin.as_bytes(),
        old.principal.as_str().as_bytes(),
        old.tool.as_bytes(),
        old.definition.as_bytes(),
        old.arguments.as_bytes(),
        old.ruleset.as_bytes(),
    ];
    assert_eq!(old.digest(), Digest::of("portcullis/binding/v1", &parts));
}

fn any_event() -> impl Strategy<Value = HoldEvent> {
    prop_oneof![
        Just(approved("ann")),
        Just(approved("bob")),
        Just(HoldEvent::Rejected { approver: person("ann"), reason: "no".into() }),
        Just(HoldEvent::Expired),
        Just(HoldEvent::Cancelled { reason: "x".into() }),
        Just(HoldEvent::Revoked { approver: person("ann") }),
        Just(HoldEvent::Lapsed),
        Just(HoldEvent::Claimed),
        Just(HoldEvent::Stale { changed: "x".into() }),
        Just(HoldEvent::Reopened { binding: opened(1).binding, release: opened(2).release }),
        Just(HoldEvent::Sending),
        Just(HoldEvent::Executed { sealed: "s".into() }),
        Just(HoldEvent::Failed { sealed: None, error: "e".into() }),
        Just(HoldEvent::Unknown { reason: "u".into() }),
        Just(HoldEvent::Delivered { disclose: None }),
    ]
}

proptest! {
    /// Whatever order events are tried in: at most one `sending` is ever accepted, never without
    /// enough approvals since the last reopening, and final states stay.
    #[test]
    fn at_most_one_sending_and_only_when_released(
        people in 1u32..3,
        tries in proptest::collection::vec((any_event(), 0i64..20_000), 0..60),
    ) {
        let mut now = hold(people);
        let mut at = T0;
        let mut sent = 0;
        for (event, later) in tries {
            at = Timestamp::from_millis(at.millis() + later);
            let Ok(next) = now.apply(at, &event) else { continue };
            if now.state.is_final() {
                prop_assert_eq!(next.state, now.state);
            }
            if matches!(event, HoldEvent::Sending) {
                sent += 1;
                prop_assert!(now.approvals.len() >= now.opened.release.people as usize);
            }
            if matches!(event, HoldEvent::Claimed) {
                prop_assert!(at < now.valid_until.unwrap());
            }
            now = next;
        }
        prop_assert!(sent <= 1);
    }
}
