//! Holds: every transition, and stories of events against a second model.

mod stories;
mod used;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    CallFacts, CallId, ClientHint, Confirm, Effect, Mark, PrincipalId, Release, Revision, Subject,
};

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
            target: None,
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
        release: Release {
            people,
            expires: Duration::from_secs(60),
            extend: Duration::from_secs(30),
            ..Release::default()
        },
        expires_at: T0.plus(Duration::from_secs(60)),
        target: None,
        object: None,
        risk: Risk::Medium,
        revises: None,
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
        groups: Vec::new(),
    }
}

fn confirmed(answer: OwnAnswer) -> HoldEvent {
    HoldEvent::SelfConfirmed {
        by: "jane".to_owned(),
        answer,
        binding: opened(1).binding.digest(),
        valid_until: T0.plus(Duration::from_secs(90)),
    }
}

fn reopened(release: Release) -> HoldEvent {
    HoldEvent::Reopened {
        binding: Box::new(opened(1).binding),
        release: Box::new(release),
        changed: None,
        target: None,
    }
}

/// The call with other arguments, by `name`, who saw `shown`.
fn edited(name: &str, shown: &Binding, people: u32) -> HoldEvent {
    let binding = Binding { arguments: Digest::of("edited", &[]), ..shown.clone() };
    HoldEvent::Edited(Box::new(Edited {
        approver: person(name),
        shown: shown.digest(),
        fields: vec!["title".to_owned()],
        sealed: "edited".to_owned(),
        binding,
        release: opened(people).release,
        reasons: Vec::new(),
        risk: Risk::High,
    }))
}

fn version(body: &str, at: i64) -> TargetVersion {
    let mark = |text: &str| Mark::of(&Digest::of("part", &[text.as_bytes()]));
    TargetVersion {
        digest: Digest::of("version", &[body.as_bytes()]),
        parts: [("body".to_owned(), mark(body)), ("title".to_owned(), mark("t"))].into(),
        updated_at: Some(Timestamp::from_millis(at)),
        title: None,
    }
}

fn targeted(body: &str) -> HoldEvent {
    HoldEvent::Targeted { target: Box::new(version(body, 0)), risk: Risk::High }
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
    let reopened = reopened(opened(1).release);
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
        (
            1,
            vec![HoldEvent::Delivered { disclose: None, unread: false }],
            "`delivered` cannot follow `pending`",
        ),
        (
            1,
            vec![
                ok.clone(),
                claim,
                send,
                executed,
                HoldEvent::Delivered { disclose: None, unread: false },
            ],
            "executed",
        ),
    ];
    for (people, events, expected) in cases {
        assert_eq!(run(people, &events), expected, "{events:?}");
    }
}

/// The person whom the agent acts for counts alone, once, where rules say so, and never beside others.
#[test]
fn a_self_confirmation_is_no_approval() {
    let confirmable = |people| {
        let release = Release { confirm: Confirm::Requester, ..opened(people).release };
        Hold::open(HoldId::from_random(7), T0, Opened { release, ..opened(people) })
    };
    let told = |hold: &Hold, events: &[HoldEvent]| {
        let after = events.iter().try_fold(hold.clone(), |hold, event| hold.apply(T0, event));
        after.map_or_else(|error| error.to_string(), |hold| hold.state.to_string())
    };
    let (accepted, declined, left) = (
        confirmed(OwnAnswer::Accepted),
        confirmed(OwnAnswer::Declined),
        confirmed(OwnAnswer::Left),
    );
    let refused = "`self_confirmed` cannot follow `pending`";
    let risky =
        Hold { opened: Opened { risk: Risk::High, ..confirmable(1).opened }, ..confirmable(1) };
    let edit = edited("ann", &opened(1).binding, 1);
    for (hold, events, expected) in [
        (confirmable(1), vec![accepted.clone()], "approved"),
        (confirmable(1), vec![declined.clone()], "rejected"),
        (confirmable(1), vec![left.clone()], "pending"),
        (confirmable(1), vec![left.clone(), approved("ann")], "approved"),
        (confirmable(1), vec![left.clone(), accepted.clone()], refused),
        (confirmable(1), vec![edit, accepted.clone()], refused),
        (confirmable(2), vec![accepted.clone()], refused),
        (confirmable(2), vec![approved("ann"), accepted.clone()], refused),
        (hold(1), vec![accepted.clone()], refused),
        (hold(1), vec![declined], refused),
        (risky, vec![accepted.clone()], refused),
        (
            confirmable(1),
            vec![accepted.clone(), approved("ann")],
            "`approved` cannot follow `approved`",
        ),
        (
            confirmable(1),
            vec![accepted.clone(), HoldEvent::Revoked { approver: person("ann") }],
            "revoked",
        ),
    ] {
        assert_eq!(told(&hold, &events), expected, "{events:?}");
    }
    let done = confirmable(1).apply(T0, &accepted).unwrap();
    assert!(done.approvals.is_empty() && done.own.is_some());
    let late = confirmable(1).opened.expires_at;
    assert!(confirmable(1).apply(late, &accepted).is_err());
    // What changed since is asked anew.
    let stale = done.apply(T0, &HoldEvent::Stale { changed: "x".into() }).unwrap();
    assert!(stale.own.is_none());
    let version = confirmable(1).apply(T0, &targeted("a")).unwrap();
    assert!(version.apply(T0, &accepted).is_err(), "of another version, and risky");
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
        groups: Vec::new(),
    };
    assert_eq!(hold(1).apply(T0, &other), Err(IllegalTransition::OtherBinding));
    let version = hold(1).apply(T0, &targeted("a")).unwrap();
    let old = approved("ann");
    assert_eq!(version.apply(T0, &old), Err(IllegalTransition::OtherBinding), "of another version");
}

#[test]
fn a_binding_of_old_is_read_and_keeps_its_digest() {
    let binding = hold(1).binding().clone();
    let mut text = serde_json::to_value(&binding).unwrap();
    text.as_object_mut().unwrap().remove("plugins");
    let old: Binding = serde_json::from_value(text).unwrap();
    assert_ne!(old, binding, "no set of plugins is that of a record of old");
    assert_ne!(old.digest(), binding.digest());
    assert!(
        Hold::open(HoldId::from_random(1), T0, Opened { binding: old.clone(), ..opened(1) })
            .is_of(&binding)
    );
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

#[test]
fn an_edit_waits_for_approvals_of_its_own_and_keeps_what_the_agent_asked() {
    let before = hold(2).apply(T0, &approved("bob")).unwrap();
    let asked = before.binding().clone();
    let edit = edited("ann", &asked, 2);
    let now = before.apply(T0, &edit).unwrap();
    assert_eq!((now.state, now.approvals.len(), now.version), (HoldState::Pending, 0, 3));
    assert_eq!((now.original.as_deref(), now.opened.sealed.as_str()), (Some("sealed"), "edited"));
    assert_eq!((now.asked, now.opened.risk), (asked.arguments, Risk::High));
    assert!(now.is_of(&asked), "the agent comes back with its own arguments");
    assert!(now.is_of(now.binding()), "or with those that it was told of");
    assert_eq!(now.apply(T0, &approved("bob")), Err(IllegalTransition::OtherBinding));
    // A second edit keeps the agent's call, not the first edit's.
    let again = edited("bob", now.binding(), 1);
    let twice = now.apply(T0, &again).unwrap();
    assert_eq!((twice.edits.len(), twice.original.as_deref()), (2, Some("sealed")));
    // What was on the screen is no longer there.
    assert_eq!(now.apply(T0, &edit), Err(IllegalTransition::OtherBinding));
    let other = Binding { tool: "create_article".into(), ..asked.clone() };
    let mut moved = edited("ann", &asked, 1);
    if let HoldEvent::Edited(edited) = &mut moved {
        edited.binding = other;
    }
    assert_eq!(before.apply(T0, &moved), Err(IllegalTransition::OtherBinding));
    let late = before.opened.expires_at;
    assert!(matches!(before.apply(late, &edit), Err(IllegalTransition::Time { .. })));
}

#[test]
fn a_wait_is_lengthened_within_its_limit_and_before_its_end() {
    let hold = hold(1);
    let (ends, limit) = (hold.opened.expires_at, hold.opened.release.latest(T0));
    let extend = |until| HoldEvent::Extended { approver: person("ann"), until };
    let just_after = |at: Timestamp| at.plus(Duration::from_millis(1));
    for (at, until, fits) in [
        (T0, limit, true),
        (T0, just_after(limit), false),
        (T0, ends, false),
        (T0, just_after(ends), true),
        (ends, limit, false),
    ] {
        let event = extend(until);
        assert_eq!(hold.apply(at, &event).is_ok(), fits, "{at} {until}");
    }
    let longer = hold.apply(T0, &extend(limit)).unwrap();
    assert!(longer.apply(ends, &approved("ann")).is_ok());
    assert!(longer.apply(ends, &HoldEvent::Expired).is_err());
    assert!(longer.apply(limit, &approved("ann")).is_err());
}

#[test]
fn the_moment_between_the_begin_of_a_wait_and_its_record_lengthens_nothing() {
    for (extend, more) in [(0, 0), (30, 30_002)] {
        let release = Release { extend: Duration::from_secs(extend), ..opened(1).release };
        let expires_at = T0.plus(release.expires);
        let opened = Opened { release, expires_at, ..opened(1) };
        let hold = Hold::open(HoldId::from_random(7), T0.plus(Duration::from_millis(2)), opened);
        assert_eq!(hold.latest(), expires_at.plus(Duration::from_millis(more)));
    }
}

#[test]
fn each_approval_of_distinct_groups_stands_for_another() {
    let release = Release { people: 2, distinct_groups: true, ..opened(2).release };
    let hold = Hold::open(HoldId::from_random(7), T0, Opened { release, ..opened(2) });
    let by = |name: &str, groups: &[&str]| {
        let mut event = approved(name);
        if let HoldEvent::Approved { groups: of, .. } = &mut event {
            *of = groups.iter().map(ToString::to_string).collect();
        }
        event
    };
    let one = hold.apply(T0, &by("ann", &["kb", "legal"])).unwrap();
    let same = one.apply(T0, &by("bob", &["kb"])).unwrap();
    assert_eq!(same.state, HoldState::Approved, "ann stands for the other group");
    let one = hold.apply(T0, &by("ann", &["kb"])).unwrap();
    let refused = one.apply(T0, &by("bob", &["kb"]));
    assert_eq!(refused, Err(IllegalTransition::SameGroup(person("bob"))));
    assert!(hold.apply(T0, &by("eve", &[])).is_err(), "who stands for no group adds nothing");
    assert_eq!(one.apply(T0, &by("bob", &["legal"])).unwrap().state, HoldState::Approved);
}

#[test]
fn an_unknown_outcome_can_be_noted_and_nothing_else() {
    let noted = |effected| HoldEvent::Noted { by: person("ann"), effected, text: String::new() };
    let mut now = hold(1);
    for event in [approved("ann"), HoldEvent::Claimed, HoldEvent::Sending] {
        assert!(now.apply(T0, &noted(Effected::Yes)).is_err());
        now = now.apply(T0, &event).unwrap();
    }
    let unknown = now.apply(T0, &HoldEvent::Unknown { reason: "lost".into() }).unwrap();
    let no = unknown.apply(T0, &noted(Effected::No)).unwrap();
    let both = no.apply(T0, &noted(Effected::Yes)).unwrap();
    assert_eq!((both.state, both.notes.len()), (HoldState::Unknown, 2));
    assert!(both.apply(T0, &HoldEvent::Sending).is_err());
    let executed = now.apply(T0, &HoldEvent::Executed { sealed: String::new() }).unwrap();
    assert!(executed.apply(T0, &noted(Effected::Yes)).is_err());
}

#[test]
fn a_hold_that_is_handed_on_shows_whom_it_was_given_to_first() {
    let give =
        |by: &str, to: Option<&str>| HoldEvent::Assigned { by: person(by), to: to.map(person) };
    let hold = hold(1).apply(T0, &give("ann", Some("bob"))).unwrap();
    let hold = hold.apply(T0, &give("bob", Some("eve"))).unwrap();
    assert_eq!(hold.assignee(), Some(&person("eve")));
    assert_eq!(hold.assignments[0].to, Some(person("bob")));
    let hold = hold.apply(T0, &give("ann", None)).unwrap();
    assert_eq!(hold.assignee(), None);
    let over = hold.apply(T0, &HoldEvent::Cancelled { reason: "x".into() }).unwrap();
    assert!(over.apply(T0, &give("ann", None)).is_err());
}

#[test]
fn the_version_of_a_target_is_noted_once_and_what_changed_is_told() {
    let hold = hold(1).apply(T0, &targeted("a")).unwrap();
    assert_eq!(hold.binding().target, Some(version("a", 0).digest));
    assert!(hold.apply(T0, &targeted("b")).is_err(), "somebody may have looked at it");
    let early = self::hold(2).apply(T0, &approved("ann")).unwrap();
    assert!(early.apply(T0, &targeted("a")).is_err(), "somebody released it already");
    let was = version("a", 0);
    assert_eq!(was.what_changed(&version("a", 9)), None);
    let words = was.what_changed(&version("b", 9)).unwrap();
    assert!(words.contains("its body") && !words.contains("title"), "{words}");
}

#[test]
fn records_of_old_are_read_and_new_ones_say_no_more_than_they_must() {
    let old = r#"{"event":"approved","approver":"ann","binding":"BINDING","valid_until":"1970-01-01T00:18:10.000Z"}"#;
    let old = old.replace("BINDING", &opened(1).binding.digest().to_string());
    let event: HoldEvent = serde_json::from_str(&old).unwrap();
    assert!(matches!(&event, HoldEvent::Approved { groups, .. } if groups.is_empty()));
    assert_eq!(serde_json::to_string(&event).unwrap(), old);
    let text = serde_json::to_string(&HoldEvent::Opened(Box::new(opened(1)))).unwrap();
    for name in ["target", "object", "risk", "revises"] {
        assert!(!text.contains(&format!("\"{name}\"")), "{name}: {text}");
    }
    let HoldEvent::Opened(read) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
    assert_eq!(*read, opened(1));
}
