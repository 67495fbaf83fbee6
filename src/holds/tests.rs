//! The view against a real store: replays, claims left behind, limits.

use std::path::{Path, PathBuf};

use super::*;
use crate::domain::{
    ApproverId, CallFacts, CallId, ClientHint, Digest, Effect, OnRelease, Release, Revision, Risk,
    Subject,
};
use crate::store::{Options, Store, segment};

pub(super) fn opened(number: u8, expires_at: Timestamp) -> Opened {
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

/// The file of a log that has one, for those who damage it.
pub(super) fn log_file(data: &Path) -> PathBuf {
    segment::list(data).unwrap()[0].path(data)
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
    Holds::replay(store.log(), 100, store.hold_events().unwrap())
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

/// A wall clock that was set back since gives nobody more time: neither while people are waited for, nor
/// once it was released, nor across a restart.
#[test]
fn a_clock_that_was_set_back_prolongs_nothing() {
    let ahead = clock::now().plus(Duration::from_secs(3600));
    let waiting = Hold::open(HoldId::from_random(1), ahead, opened(1, ahead));
    let later = ahead.plus(Duration::from_secs(60));
    let open = Hold::open(HoldId::from_random(2), ahead, opened(2, later));
    let released = open.apply(ahead, &approved(&open, ahead)).unwrap();
    for (hold, expected) in [(waiting, HoldEvent::Expired), (released, HoldEvent::Lapsed)] {
        let id = hold.id;
        let entry = Entry::new(hold.clone(), ahead);
        assert_eq!(entry.due(|_| false), Some((id, expected)));
        assert_eq!(entry.time(&hold), ahead);
        // With time left by both clocks nothing is due.
        assert_eq!(Entry::new(open.clone(), ahead).due(|_| false), None);
    }
}

/// Each end moves by itself: a wait that is over by the clock that nobody sets does not begin anew because
/// the end of a release moved.
#[test]
fn a_release_gives_a_wait_no_new_end() {
    let ahead = clock::now().plus(Duration::from_secs(3600));
    let hold = Hold::open(HoldId::from_random(1), ahead, opened(1, ahead));
    let entry = Entry::new(hold.clone(), ahead);
    entry.show(
        Hold { valid_until: Some(ahead.plus(Duration::from_secs(60))), ..hold },
        clock::now(),
    );
    assert_eq!(entry.due(|_| false).map(|(_, event)| event), Some(HoldEvent::Expired));
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

/// A number from the environment, for the run whose figures are reported.
fn many() -> u32 {
    std::env::var("PORTCULLIS_HOLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

/// Memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Many open holds of many agents are opened, found again after a restart, and looked through.
#[tokio::test]
async fn many_open_holds_come_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("data"), &Options::default()).unwrap();
    let (holds, all) = (Arc::new(replayed(&store)), many());
    let later = clock::now().plus(Duration::from_secs(3_600));
    let began = std::time::Instant::now();
    for group in 0..all.div_ceil(500) {
        let numbers = (group * 500)..((group + 1) * 500).min(all);
        let opening = numbers.map(|number| {
            let holds = holds.clone();
            async move {
                let mut opened = opened(1, later);
                // Twenty of each agent, as the usual limit has it.
                opened.binding.principal = format!("agent-{}", number / 20).parse().unwrap();
                opened.binding.arguments = Digest::of("many", &[&number.to_be_bytes()]);
                opened.sealed = "x".repeat(700);
                let (binding, id) = (opened.binding.clone(), HoldId::from_random(number.into()));
                holds.attach_or_open(&binding, None, || (id, opened)).await.unwrap();
            }
        });
        futures_util::future::join_all(opening).await;
    }
    let opened_in = began.elapsed();
    let before = resident();
    let began = std::time::Instant::now();
    let next = replayed(&store);
    let restart = began.elapsed();
    let memory = resident().saturating_sub(before);
    let began = std::time::Instant::now();
    let mut waiting = 0_u32;
    next.for_each(|hold| waiting += u32::from(hold.state == HoldState::Pending));
    assert_eq!(waiting, all);
    println!(
        "{all} open holds: opened in {opened_in:?}, read back in {restart:?}, {memory} bytes, \
         looked through in {:?}",
        began.elapsed()
    );
    assert!(restart < Duration::from_secs(30), "{restart:?}");
}
