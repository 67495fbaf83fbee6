//! Holds: every transition, and stories of events against a second model.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    CallFacts, CallId, ClientHint, Effect, Mark, PrincipalId, Release, Revision, Subject,
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

fn any_event() -> impl Strategy<Value = HoldEvent> {
    let by = |name: &'static str, group: &'static str| {
        let mut event = approved(name);
        if let HoldEvent::Approved { groups, .. } = &mut event {
            groups.push(group.to_owned());
        }
        event
    };
    let until = (0i64..120_000).prop_map(|later| HoldEvent::Extended {
        approver: person("ann"),
        until: Timestamp::from_millis(T0.millis() + later),
    });
    let decisions = prop_oneof![
        4 => Just(by("ann", "a")),
        4 => Just(by("bob", "b")),
        2 => Just(by("eve", "a")),
        1 => Just(HoldEvent::Rejected { approver: person("ann"), reason: "no".into() }),
        1 => Just(HoldEvent::ChangesRequested { approver: person("ann"), question: "?".into() }),
        1 => Just(HoldEvent::Revoked { approver: person("ann") }),
        2 => Just(edited("ann", &opened(1).binding, 1)),
        1 => Just(HoldEvent::Assigned { by: person("ann"), to: Some(person("bob")) }),
        1 => until,
        1 => Just(HoldEvent::Noted { by: person("ann"), effected: Effected::No, text: "n".into() }),
    ];
    let others = prop_oneof![
        Just(targeted("a")),
        Just(HoldEvent::Expired),
        Just(HoldEvent::Cancelled { reason: "x".into() }),
        Just(HoldEvent::Lapsed),
        Just(HoldEvent::Claimed),
        Just(HoldEvent::Claimed),
        Just(HoldEvent::Stale { changed: "x".into() }),
        Just(reopened(opened(2).release)),
        Just(HoldEvent::Sending),
        Just(HoldEvent::Executed { sealed: "s".into() }),
        Just(HoldEvent::Failed { sealed: None, error: "e".into() }),
        Just(HoldEvent::Unknown { reason: "u".into() }),
        Just(HoldEvent::Delivered { disclose: None }),
    ];
    prop_oneof![decisions, others]
}

/// The states that may follow a state, as the table of the design has them.
fn may_follow(from: HoldState) -> &'static [HoldState] {
    use HoldState::*;
    match from {
        Pending => &[Pending, Approved, Rejected, ChangesRequested, Expired, Cancelled],
        Approved => &[Approved, Claimed, Revoked, Stale, Lapsed],
        Claimed => &[Claimed, Sending, Stale, Lapsed],
        Sending => &[Sending, Executed, Failed, Unknown],
        Stale => &[Stale, Pending, Expired, Cancelled],
        Executed => &[Executed],
        Failed => &[Failed],
        Unknown => &[Unknown],
        Rejected => &[Rejected],
        ChangesRequested => &[ChangesRequested],
        Expired => &[Expired],
        Lapsed => &[Lapsed],
        Cancelled => &[Cancelled],
        Revoked => &[Revoked],
    }
}

/// Who released what: a second model, that knows nothing of the fold but what is released.
#[derive(Default)]
struct Model {
    released: Vec<(ApproverId, Digest)>,
}

impl Model {
    fn follow(&mut self, event: &HoldEvent) {
        match event {
            HoldEvent::Approved { approver, binding, .. } => {
                self.released.push((approver.clone(), *binding));
            }
            HoldEvent::Stale { .. } | HoldEvent::Reopened { .. } | HoldEvent::Edited(_) => {
                self.released.clear();
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever order events are tried in: at most one `sending` is ever accepted, never without
    /// enough approvals of exactly what is sent, never late; states follow the table; final ones
    /// stay; the version counts the events.
    #[test]
    fn at_most_one_sending_and_only_when_released(
        people in 1u32..3,
        distinct_groups in any::<bool>(),
        tries in proptest::collection::vec((any_event(), 0i64..9_000), 0..60),
    ) {
        let release = Release { distinct_groups, ..opened(people).release };
        let mut now = Hold::open(HoldId::from_random(7), T0, Opened { release, ..opened(people) });
        let mut model = Model::default();
        let (mut at, mut sent, mut events) = (T0, 0, 1);
        for (event, later) in tries {
            at = Timestamp::from_millis(at.millis() + later);
            let Ok(next) = now.apply(at, &event) else { continue };
            events += 1;
            model.follow(&event);
            prop_assert!(may_follow(now.state).contains(&next.state), "{} {}", now.state, next.state);
            prop_assert_eq!(next.version, events);
            prop_assert_eq!(now.state.is_final() && now.state != next.state, false);
            match &event {
                HoldEvent::Sending => {
                    sent += 1;
                    let of_this = |it: &&(ApproverId, Digest)| it.1 == now.binding().digest();
                    let by: std::collections::BTreeSet<_> =
                        model.released.iter().filter(of_this).map(|it| &it.0).collect();
                    prop_assert_eq!(by.len(), model.released.len(), "each by another, of this");
                    prop_assert!(by.len() >= now.opened.release.people as usize);
                }
                HoldEvent::Claimed => prop_assert!(at < now.valid_until.unwrap()),
                HoldEvent::Approved { .. } => prop_assert!(at < now.opened.expires_at),
                HoldEvent::Extended { .. } => {
                    prop_assert!(next.opened.expires_at <= next.opened.release.latest(T0));
                }
                _ => {}
            }
            now = next;
        }
        prop_assert!(sent <= 1);
        prop_assert_eq!(now.original.is_some(), !now.edits.is_empty());
    }

    /// Never released at or after its expiry, whatever the milliseconds (1,000 runs and more).
    #[test]
    fn expiry_is_exact(offset in -2i64..3, people in 1u32..3, extended in 0i64..30_000) {
        let mut now = hold(people);
        if extended > 0 {
            let until = now.opened.expires_at.plus(Duration::from_millis(extended.unsigned_abs()));
            now = now.apply(T0, &HoldEvent::Extended { approver: person("eve"), until }).unwrap();
        }
        let at = Timestamp::from_millis(now.opened.expires_at.millis() + offset);
        let (mut released, in_time) = (now.clone(), offset < 0);
        for name in ["ann", "bob"].iter().take(people as usize) {
            let next = released.apply(at, &approved(name));
            prop_assert_eq!(next.is_ok(), in_time);
            released = next.unwrap_or(released);
        }
        prop_assert_eq!(released.state == HoldState::Approved, in_time);
        prop_assert_eq!(now.apply(at, &HoldEvent::Expired).is_ok(), !in_time);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// A repeat that differs in anything is another call: it meets neither the hold nor its approval.
    #[test]
    fn an_altered_repeat_is_another_call(
        title in ".{1,20}",
        place in 0usize..60,
        way in 0u8..5,
    ) {
        let written = |text: String| crate::domain::JsonText::from_valid(text.into_bytes().into());
        let payload = serde_json::json!({"id": "9100001", "title": title}).to_string();
        let mut altered: Vec<char> = payload.chars().collect();
        let at = place % altered.len();
        match way {
            0 => { altered.remove(at); }
            1 => altered.insert(at, 'x'),
            2 => altered.insert(at, '\u{200b}'),
            3 => altered[at] = if altered[at] == 'y' { 'z' } else { 'y' },
            _ => altered.insert(at, ' '),
        }
        let digest = |text: String| {
            crate::domain::Call::digest_of("tools/call", "update_article", &written(text), None)
        };
        let with = |arguments| Binding { arguments, ..opened(1).binding };
        let binding = with(digest(payload));
        let other = with(digest(altered.into_iter().collect()));
        let hold = Hold::open(HoldId::from_random(1), T0, Opened { binding: binding.clone(), ..opened(1) });
        prop_assert!(hold.is_of(&binding) && !hold.is_of(&other));
        let event = HoldEvent::Approved {
            approver: person("ann"),
            binding: other.digest(),
            valid_until: T0,
            groups: Vec::new(),
        };
        prop_assert_eq!(hold.apply(T0, &event), Err(IllegalTransition::OtherBinding));
    }
}
