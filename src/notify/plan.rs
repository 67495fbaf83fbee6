//! What is due: from a hold as it is and what was told of it, nothing else. Pure.

use std::time::Duration;

use super::outbox::{Notice, State};
use crate::config::{Hears, Occasion};
use crate::domain::{Hold, HoldState, Timestamp};
use crate::holds::HoldView;

/// A hold, as far as messages go.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) view: HoldView,
}

impl Facts {
    pub(super) fn of(hold: &Hold) -> Self {
        Self { view: HoldView::from(hold) }
    }

    /// Whether people can still decide.
    fn waits(&self) -> bool {
        self.view.state.is_undecided()
    }

    /// Whether a notice that has not arrived is needed no more: nobody is asked to decide what is
    /// decided. What has arrived stays known, so that nobody is told twice.
    pub(super) fn is_moot(&self, occasion: Occasion, notice: &Notice) -> bool {
        let over = match occasion {
            Occasion::Settled => false,
            Occasion::Released => self.view.state.is_final(),
            _ => !self.waits(),
        };
        over && notice.state == State::Waiting
    }
}

/// The occasions that a channel is to be told of now and was not yet. `sent` says what became of
/// earlier notices.
pub(super) fn wanted(
    facts: &Facts,
    hears: &Hears,
    escalate_after: Option<Duration>,
    now: Timestamp,
    sent: &dyn Fn(Occasion) -> Option<State>,
) -> Vec<Occasion> {
    let opened = facts.view.opened_at;
    let release = &facts.view.release;
    let hear = |groups: &[String]| {
        let named = || groups.iter().any(|group| hears.groups.contains(group));
        hears.groups.is_empty() || groups.is_empty() || named()
    };
    let ours = hear(&release.groups);
    // Rules may let others decide after a while: these are told then, who were told of nothing before.
    let escalation = release.escalate.as_ref().filter(|it| opened.plus(it.after) <= now);
    let called = escalation.is_some_and(|it| hear(&it.groups));
    let is_told = || Occasion::ALL.into_iter().any(|it| sent(it).is_some());
    if !ours && !called {
        return Vec::new();
    }
    let half = facts.view.expires_at.since(opened) / 2;
    // Whoever was told of the opening has been told; a reminder of what never arrived is noise.
    let is_known = !hears.on.contains(&Occasion::Opened)
        || sent(Occasion::Opened).is_some_and(|state| state != State::Waiting);
    let due = |occasion: &Occasion| match occasion {
        Occasion::Opened => facts.waits() && ours,
        Occasion::Reminder => facts.waits() && ours && is_known && opened.plus(half) <= now,
        Occasion::Escalated => {
            let late = escalate_after.is_some_and(|after| opened.plus(after) <= now);
            facts.waits() && (called && !ours || ours && is_known && (late || called))
        }
        Occasion::Released => !facts.waits() && !facts.view.state.is_final() && is_told(),
        // How it ended is told to whoever knew that it began.
        Occasion::Settled => facts.view.state.is_final() && is_told(),
    };
    // That nobody knows how it ended is told to them in any case.
    let lost = facts.view.state == HoldState::Unknown && !hears.on.contains(&Occasion::Settled);
    let on = hears.on.iter().copied().chain(lost.then_some(Occasion::Settled));
    on.filter(|it| sent(*it).is_none() && due(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ClientHint, Digest, Escalation, HoldId, HoldState, OnRelease, Release, Risk,
    };

    const OPENED: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    /// A hold of an hour that editors may release.
    fn hold(state: HoldState) -> Facts {
        let release = Release {
            groups: vec!["editors".to_owned()],
            people: 1,
            expires: Duration::from_secs(3600),
            ..Release::default()
        };
        Facts {
            view: HoldView {
                id: HoldId::from_random(1),
                version: 1,
                state,
                risk: Risk::Medium,
                revision: 1,
                revises: None,
                principal: "agent".parse().unwrap(),
                client: ClientHint::default(),
                tool: "update_article".to_owned(),
                opened_at: OPENED,
                expires_at: OPENED.plus(Duration::from_secs(3600)),
                reasons: Vec::new(),
                release,
                approvals: Vec::new(),
                own: None,
                assignee: None,
                first_assignee: None,
                edits: Vec::new(),
                changed: None,
                notes: Vec::new(),
                on_release: OnRelease::Send,
                binding: Digest::of("x", &[]),
                outcome: None,
                delivered: false,
            },
        }
    }

    #[test]
    fn what_is_due_follows_from_the_hold_and_what_was_told() {
        use Occasion::{Escalated, Opened, Released, Reminder, Settled};
        use State::{Arrived, GivenUp, Waiting};
        let all = Occasion::ALL.to_vec();
        let escalate = Some(Duration::from_secs(600));
        for (state, minutes, told, expected) in [
            (HoldState::Pending, 0, vec![], vec![Opened]),
            (HoldState::Stale, 0, vec![], vec![Opened]),
            (HoldState::Approved, 0, vec![], vec![]),
            (HoldState::Executed, 0, vec![], vec![]),
            // Nobody is reminded of what they were not told.
            (HoldState::Pending, 59, vec![], vec![Opened]),
            (HoldState::Pending, 59, vec![(Opened, Waiting)], vec![]),
            (HoldState::Pending, 9, vec![(Opened, Arrived)], vec![]),
            (HoldState::Pending, 10, vec![(Opened, Arrived)], vec![Escalated]),
            (HoldState::Pending, 29, vec![(Opened, Arrived), (Escalated, Arrived)], vec![]),
            (HoldState::Pending, 30, vec![(Opened, GivenUp), (Escalated, Waiting)], vec![Reminder]),
            (HoldState::Pending, 30, vec![(Opened, Arrived)], vec![Reminder, Escalated]),
            (HoldState::Claimed, 30, vec![(Opened, Arrived)], vec![Released]),
            (HoldState::Approved, 30, vec![(Opened, Arrived), (Released, Waiting)], vec![]),
            (HoldState::Executed, 30, vec![(Opened, Arrived), (Released, Arrived)], vec![Settled]),
            (HoldState::Rejected, 5, vec![(Opened, Arrived)], vec![Settled]),
            (HoldState::Expired, 60, vec![(Opened, Arrived), (Settled, Waiting)], vec![]),
        ] {
            let now = OPENED.plus(Duration::from_secs(minutes * 60));
            let sent =
                |it: Occasion| told.iter().find(|(at, _)| *at == it).map(|(_, state)| *state);
            let hears = Hears { on: all.clone(), groups: Vec::new() };
            let due = wanted(&hold(state), &hears, escalate, now, &sent);
            assert_eq!(due, expected, "{state:?} after {minutes} min, told {told:?}");
            // Whoever hears of less is told of less, and other groups of nothing.
            let hears = Hears { on: vec![Escalated], groups: vec!["editors".to_owned()] };
            let due = wanted(&hold(state), &hears, escalate, now, &sent);
            let late =
                minutes >= 10 && matches!(state, HoldState::Pending) && sent(Escalated).is_none();
            assert_eq!(due, if late { vec![Escalated] } else { vec![] });
            let hears = Hears { on: all.clone(), groups: vec!["others".to_owned()] };
            assert!(wanted(&hold(state), &hears, escalate, now, &sent).is_empty());
        }
    }

    #[test]
    fn whom_rules_let_decide_later_is_told_then() {
        use Occasion::{Escalated, Opened, Settled};
        let leads = Hears { on: Occasion::ALL.to_vec(), groups: vec!["leads".to_owned()] };
        let editors = Hears { groups: vec!["editors".to_owned()], ..leads.clone() };
        for (state, minutes, hears, told, expected) in [
            (HoldState::Pending, 19, &leads, vec![], vec![]),
            (HoldState::Pending, 20, &leads, vec![], vec![Escalated]),
            (HoldState::Pending, 40, &leads, vec![Escalated], vec![]),
            (HoldState::Executed, 40, &leads, vec![], vec![]),
            (HoldState::Executed, 40, &leads, vec![Escalated], vec![Settled]),
            (HoldState::Pending, 20, &editors, vec![Opened], vec![]),
        ] {
            let mut facts = hold(state);
            let (after, groups) = (Duration::from_secs(1200), vec!["leads".to_owned()]);
            facts.view.release.escalate = Some(Escalation { after, groups });
            let now = OPENED.plus(Duration::from_secs(minutes * 60));
            let sent = |it: Occasion| told.contains(&it).then_some(State::Arrived);
            assert_eq!(wanted(&facts, hears, None, now, &sent), expected, "{state:?} {minutes}");
        }
    }

    /// Whoever asks for nothing but new calls still hears of one that nobody can account for.
    #[test]
    fn an_unknown_outcome_is_told_to_all_who_were_asked() {
        let hears = Hears { on: vec![Occasion::Opened], groups: Vec::new() };
        let now = OPENED.plus(Duration::from_secs(60));
        let sent = |it: Occasion| (it == Occasion::Opened).then_some(State::Arrived);
        for (state, expected) in
            [(HoldState::Unknown, vec![Occasion::Settled]), (HoldState::Executed, vec![])]
        {
            assert_eq!(wanted(&hold(state), &hears, None, now, &sent), expected);
        }
    }

    #[test]
    fn what_is_decided_asks_nobody_any_more() {
        let waiting = Notice::new(OPENED);
        for (state, notice, occasion, moot) in [
            (HoldState::Pending, waiting.clone(), Occasion::Opened, false),
            (HoldState::Approved, waiting.clone(), Occasion::Opened, true),
            (HoldState::Rejected, waiting.clone(), Occasion::Reminder, true),
            (HoldState::Rejected, waiting.clone(), Occasion::Settled, false),
            (HoldState::Rejected, waiting.arrived(None), Occasion::Opened, false),
            (HoldState::Approved, waiting.clone(), Occasion::Released, false),
            (HoldState::Executed, waiting.clone(), Occasion::Released, true),
        ] {
            assert_eq!(hold(state).is_moot(occasion, &notice), moot, "{state:?} {occasion:?}");
        }
    }

    #[test]
    fn failures_are_repeated_with_growing_pauses_and_then_given_up() {
        let mut notice = Notice::new(OPENED);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let next = notice.failed("away", OPENED, 0.5);
            pauses.push(next.next_at.since(OPENED).as_secs());
            for (chance, part) in [(0.0, 0.8), (1.0, 1.2)] {
                let spread = notice.failed("away", OPENED, chance).next_at.since(OPENED);
                let expected = next.next_at.since(OPENED).mul_f64(part);
                assert_eq!(spread.as_secs(), expected.as_secs());
            }
            notice = next;
        }
        assert_eq!(pauses, [5, 30, 120, 600, 1800, 3600, 7200, 7200, 7200]);
        assert_eq!(notice.state, State::Waiting);
        let last = notice.failed(&"x".repeat(1000), OPENED, 0.5);
        assert_eq!((last.state, last.attempts), (State::GivenUp, 10));
        assert_eq!(last.fault.unwrap().len(), 200);
    }
}
