//! Stories of events against a second model of the state machine.

use super::*;

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
        2 => Just(confirmed(OwnAnswer::Accepted)),
        1 => Just(confirmed(OwnAnswer::Left)),
        1 => Just(confirmed(OwnAnswer::Declined)),
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
        any::<bool>().prop_map(|unread| HoldEvent::Delivered { disclose: None, unread }),
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
    /// What the person whom the agent acts for said could be sent.
    own: Option<Digest>,
}

impl Model {
    fn follow(&mut self, event: &HoldEvent) {
        match event {
            HoldEvent::Approved { approver, binding, .. } => {
                self.released.push((approver.clone(), *binding));
            }
            HoldEvent::SelfConfirmed { answer: OwnAnswer::Accepted, binding, .. } => {
                self.own = Some(*binding);
            }
            HoldEvent::Stale { .. } | HoldEvent::Reopened { .. } | HoldEvent::Edited(_) => {
                self.released.clear();
                self.own = None;
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
        own in any::<bool>(),
        tries in proptest::collection::vec((any_event(), 0i64..9_000), 0..60),
    ) {
        let confirm = if own { Confirm::Requester } else { Confirm::Never };
        let release = Release { distinct_groups, confirm, ..opened(people).release };
        let mut now = Hold::open(HoldId::from_random(7), T0, Opened { release, ..opened(people) });
        let mut model = Model::default();
        let (mut at, mut sent, mut events) = (T0, 0, 1);
        let mut released = false;
        for (event, later) in tries {
            at = Timestamp::from_millis(at.millis() + later);
            let Ok(next) = now.apply(at, &event) else { continue };
            events += 1;
            model.follow(&event);
            prop_assert!(may_follow(now.state).contains(&next.state), "{} {}", now.state, next.state);
            prop_assert_eq!(next.version, events);
            released |= next.state == HoldState::Approved;
            prop_assert_eq!(next.released.is_some(), released);
            prop_assert_eq!(now.state.is_final() && now.state != next.state, false);
            match &event {
                HoldEvent::Sending => {
                    sent += 1;
                    let of_this = |it: &&(ApproverId, Digest)| it.1 == now.binding().digest();
                    let by: std::collections::BTreeSet<_> =
                        model.released.iter().filter(of_this).map(|it| &it.0).collect();
                    prop_assert_eq!(by.len(), model.released.len(), "each by another, of this");
                    // By enough people, or by the requester alone where that is enough.
                    let alone = model.own == Some(now.binding().digest())
                        && now.opened.release.is_confirmable()
                        && by.is_empty();
                    prop_assert!(alone || by.len() >= now.opened.release.people as usize);
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
