//! The view against a real store: replays, claims left behind, limits.

use super::*;
use crate::domain::{
    ApproverId, CallFacts, CallId, ClientHint, Digest, Effect, OnRelease, Release, Revision, Risk,
    Subject,
};
use crate::store::{Options, Store};

fn opened(number: u8, expires_at: Timestamp) -> Opened {
    let digest = Digest::of("test", &[&[number]]);
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
        release: Release { expires: Duration::from_secs(60), ..Release::default() },
        expires_at,
        target: None,
        object: None,
        risk: Risk::Medium,
        revises: None,
    }
}

fn approved(hold: &Hold, valid_until: Timestamp) -> HoldEvent {
    let approver: ApproverId = "ann".parse().unwrap();
    HoldEvent::Approved {
        approver,
        binding: hold.binding().digest(),
        valid_until,
        groups: Vec::new(),
    }
}

/// A hold that waits.
pub(super) fn any_hold() -> Hold {
    Hold::open(HoldId::from_random(1), clock::now(), opened(1, clock::now()))
}

async fn open(holds: &Holds, number: u8, expires_at: Timestamp) -> Hold {
    let opened = opened(number, expires_at);
    let binding = opened.binding.clone();
    let id = HoldId::from_random(u128::from(number));
    holds.attach_or_open(&binding, None, || (id, opened)).await.unwrap()
}

fn replayed(store: &Store) -> Holds {
    let events: Vec<_> = store.hold_events().collect::<Result<_, _>>().unwrap();
    Holds::replay(store.log(), 100, events)
}

/// Every time that was judged is the one that is recorded, so a restart changes nothing: not even
/// of decisions in the last millisecond before a limit.
#[tokio::test]
async fn a_replay_comes_to_the_same_end_to_the_millisecond() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("data"), &Options::default()).unwrap();
    let holds = replayed(&store);
    for number in 0..40 {
        // Some of these are just in time, some are just late; the replay must agree on which.
        let soon = clock::now().plus(Duration::from_millis(u64::from(number % 8)));
        let hold = open(&holds, number, soon).await;
        for event in [approved(&hold, soon), HoldEvent::Claimed, HoldEvent::Sending] {
            if holds.step(hold.id, event).await.is_err() {
                break;
            }
        }
    }
    assert_eq!(replayed(&store).snapshot(|_| true), holds.snapshot(|_| true));
}

/// A claim that the last run left behind is taken over in time, and lapses when it is late.
#[tokio::test]
async fn a_claim_without_its_process_lapses() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("data"), &Options::default()).unwrap();
    let holds = replayed(&store);
    let later = clock::now().plus(Duration::from_secs(60));
    let soon = clock::now().plus(Duration::from_millis(300));
    let mut ids = Vec::new();
    for (number, until) in [(1, later), (2, soon), (3, soon)] {
        let hold = open(&holds, number, later).await;
        holds.step(hold.id, approved(&hold, until)).await.unwrap();
        holds.step(hold.id, HoldEvent::Claimed).await.unwrap();
        ids.push(hold.id);
    }
    while clock::now() < soon {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // As long as its process lives, a claim is that process' own.
    holds.expire().await;
    assert!(holds.snapshot(|_| true).iter().all(|hold| hold.state == HoldState::Claimed));
    let next = replayed(&store);
    assert!(ids.iter().all(|id| next.is_ready(&next.hold(*id).unwrap())));
    assert_eq!(next.claim(ids[0]).await.unwrap().state, HoldState::Claimed);
    assert!(next.claim(ids[0]).await.is_err(), "it is somebody's by now");
    assert!(matches!(next.claim(ids[1]).await, Err(HoldError::Illegal { .. })));
    next.expire().await;
    let states: Vec<_> = ids.iter().map(|id| next.hold(*id).unwrap().state).collect();
    assert_eq!(states, [HoldState::Claimed, HoldState::Lapsed, HoldState::Lapsed]);
}

/// An agent that never comes back for its outcomes is not shut out: the oldest that are over leave
/// the memory, and open holds never do.
#[tokio::test]
async fn outcomes_that_nobody_takes_do_not_shut_an_agent_out() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("data"), &Options::default()).unwrap();
    let mut holds = replayed(&store);
    Arc::get_mut(&mut holds.room).unwrap().memory.kept = (2, usize::MAX);
    let later = clock::now().plus(Duration::from_secs(60));
    let waits = open(&holds, 0, later).await;
    for number in 1..=5 {
        let hold = open(&holds, number, later).await;
        holds.step(hold.id, HoldEvent::Cancelled { reason: "x".into() }).await.unwrap();
    }
    let newest = open(&holds, 6, later).await;
    let all = holds.snapshot(|_| true);
    assert_eq!(all.iter().filter(|hold| hold.state.is_final()).count(), 2);
    for open in [waits.id, newest.id] {
        assert_eq!(holds.hold(open).unwrap().state, HoldState::Pending);
    }
    Arc::get_mut(&mut holds.room).unwrap().memory.kept = (usize::MAX, 0);
    open(&holds, 7, later).await;
    assert!(holds.snapshot(|hold| hold.state.is_final()).is_empty());
}
