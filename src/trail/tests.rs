//! The trail is the fold of its records, whatever happens between, and counts what is being asked.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::clock::Past;
use super::fold::Fold;
use super::person::DAY;
use super::*;
use crate::domain::{
    CallFacts, CallId, ClientHint, Decision, Digest, Effect, Event, Label, Mark, PrincipalKind,
    Question, Record, Revision, Seq, Subject, Thing, Timestamp,
};
use crate::store::{Options, Store};

const NOON: i64 = 1_785_240_000_000;

fn who(number: usize) -> PrincipalId {
    format!("agent-{number}").parse().unwrap()
}

fn agent(number: usize) -> Arc<Principal> {
    Arc::new(Principal {
        id: who(number),
        kind: PrincipalKind::Agent,
        roles: Vec::new(),
        groups: Vec::new(),
        attributes: BTreeMap::new(),
        on_behalf_of: None,
    })
}

fn moment(wall: i64) -> Moment {
    Moment { wall: Timestamp::from_millis(wall), uptime: None }
}

fn trail(at: i64) -> Trail {
    Fold::default().start(moment(at))
}

fn mark(number: u8) -> Mark {
    Mark::of(&Digest::of("test", &[&[number]]))
}

fn record(at: Timestamp, event: Event) -> Record {
    Record { seq: Seq(0), at, prev: Digest::from_bytes([0; 32]), event }
}

fn decision(who: &PrincipalId, verdict: Verdict, trail: Option<Step>) -> Event {
    let digest = Digest::of("test", &[]);
    let subject =
        Subject::Tool { name: "get_contact".to_owned(), effect: Effect::Read, definition: None };
    let call = CallFacts {
        id: CallId(uuid::Uuid::nil()),
        principal: who.clone(),
        client: ClientHint::default(),
        revision: Revision::V2026_07_28,
        method: "tools/call".to_owned(),
        subject,
        arguments: digest,
    };
    let question = Question::Admit;
    let (reasons, faults) = (Vec::new(), Vec::new());
    let decision = Decision {
        question,
        verdict,
        reasons,
        obligations: Vec::new(),
        release: None,
        faults,
        ruleset: digest,
    };
    Event::Decision { call, decision, trail: trail.map(Box::new) }
}

fn shown(who: &PrincipalId, trail: Step, back: bool) -> Event {
    Event::Trail { call: CallId(uuid::Uuid::nil()), principal: who.clone(), trail, back }
}

/// What an agent does.
#[derive(Debug, Clone)]
enum Act {
    Call(Verdict),
    See(Vec<u8>),
    Label(u32),
    TakeBack,
    /// Asked about and dropped: nothing stays.
    Nothing,
}

fn acts() -> impl Strategy<Value = Vec<(i64, usize, Act)>> {
    let verdict = prop_oneof![Just(Verdict::Allow), Just(Verdict::Hold), Just(Verdict::Deny)];
    let act = prop_oneof![
        3 => verdict.prop_map(Act::Call),
        3 => proptest::collection::vec(0u8..20, 0..6).prop_map(Act::See),
        1 => (1u32..2000).prop_map(Act::Label),
        1 => Just(Act::TakeBack),
        1 => Just(Act::Nothing),
    ];
    // From moments to many hours between two acts.
    let pause = prop_oneof![0i64..3_000, 0i64..200_000, 0i64..DAY / 3];
    proptest::collection::vec((pause, 0usize..3, act), 1..40)
}

/// Does one thing and gives the record of it.
fn perform(
    trail: &Trail,
    agent: &Arc<Principal>,
    act: &Act,
    last: &mut Option<Step>,
) -> Option<Event> {
    let who = &agent.id;
    let weighed = trail.weigh(agent, Tally { calls: 1, writes: 1, ..Tally::default() });
    match act {
        Act::Call(verdict) => {
            let tally = match verdict {
                Verdict::Deny => Tally { denials: 1, ..Tally::default() },
                _ => Tally { calls: 1, writes: 1, ..Tally::default() },
            };
            let decided = Decided { tool: "get_contact", verdict: *verdict };
            let step = weighed.keep(tally, Some(decided)).unwrap();
            *last = Some(step.clone());
            Some(decision(who, *verdict, Some(step)))
        }
        Act::See(marks) => {
            let marks: std::collections::BTreeSet<Mark> = marks.iter().copied().map(mark).collect();
            let seen = BTreeMap::from([(Thing::Contacts, marks)]);
            let tally = Tally { rows: 2, bytes: 100, unknown: 1, seen, ..Tally::default() };
            Some(shown(who, weighed.keep(tally, None)?, false))
        }
        Act::Label(minutes) => {
            let label = Label { name: format!("l{}", minutes % 3), minutes: *minutes };
            let tally = Tally { labels: [label].into(), ..Tally::default() };
            Some(shown(who, weighed.keep(tally, None)?, false))
        }
        Act::TakeBack => {
            let step = last.take()?;
            trail.take_back(who, &step);
            Some(shown(who, step, true))
        }
        Act::Nothing => None,
    }
}

proptest! {
    /// After any number of records a fold of them is the live state, for every principal.
    #[test]
    fn the_fold_of_the_log_is_the_live_state(acts in acts()) {
        let mut live = trail(NOON);
        let mut now = NOON;
        let mut lines: Vec<String> = Vec::new();
        let mut steps: [Option<Step>; 3] = [None, None, None];
        for (pause, number, act) in acts {
            now += pause;
            live.clock = Clock::start(&Past::default(), moment(now));
            let event = perform(&live, &agent(number), &act, &mut steps[number]);
            let at = Timestamp::from_millis(now);
            lines.extend(event.map(|event| serde_json::to_string(&record(at, event)).unwrap()));
            let mut fold = Fold::default();
            for line in &lines {
                fold.apply(line.as_bytes()).unwrap();
            }
            for number in 0..3 {
                let live = live.lock().view(&who(number), now + 100, u64::MAX);
                prop_assert_eq!(fold.state.view(&who(number), now + 100, u64::MAX), live);
            }
        }
    }
}

#[test]
fn calls_at_once_do_not_share_the_last_place() {
    let trail = trail(NOON);
    let agent = agent(0);
    let one = || Tally { calls: 1, ..Tally::default() };
    let asked: Vec<_> = (0..32).map(|_| trail.weigh(&agent, one())).collect();
    // Each sees itself and all before it, while none is decided.
    for (place, weighed) in asked.iter().enumerate() {
        assert_eq!(weighed.view().minute.calls, place as u64 + 1);
    }
    assert_eq!(trail.view(&agent.id).minute.calls, 32);
    assert_eq!(trail.view(&who(1)), TrailView::default());
    for (place, weighed) in asked.into_iter().enumerate() {
        if place < 10 {
            assert!(weighed.keep(one(), None).is_some());
        }
    }
    assert_eq!(trail.view(&agent.id).minute.calls, 10);
    assert_eq!(trail.weigh(&agent, one()).keep(Tally::default(), None), None);
    assert_eq!(trail.view(&agent.id).day.calls, 10);
}

#[test]
fn beyond_the_number_of_trails_all_share_one() {
    let mut state = State::default();
    let tally = Tally { calls: 1, ..Tally::default() };
    for number in 0..10_005 {
        state.apply(&who(number), NOON, &tally, None);
    }
    assert_eq!(state.view(&who(3), NOON, u64::MAX).day.calls, 1);
    assert_eq!(state.view(&who(10_001), NOON, u64::MAX).day.calls, 5);
    assert_eq!(state.view(&who(99_999), NOON, u64::MAX).day.calls, 5);
    // Two days later the old ones are gone.
    state.apply(&who(10_001), NOON + 2 * DAY, &tally, None);
    assert_eq!(state.view(&who(3), NOON + 2 * DAY, u64::MAX), TrailView::default());
    assert_eq!(state.view(&who(10_001), NOON + 2 * DAY, u64::MAX).day.calls, 1);
}

/// A log of one call each ten minutes for some days, in many files.
async fn written(folder: &std::path::Path, steps: i64) -> i64 {
    let options = Options { rotate_bytes: 4_000, ..Options::default() };
    let (store, _) = Store::open(folder, &options).unwrap();
    let mut now = NOON;
    for number in 0..steps {
        now = NOON + number * 10 * 60 * 1000;
        let at = Timestamp::from_millis(now);
        let step = Step { at, clock: None, add: Tally { calls: 1, ..Tally::default() } };
        // Records of other kinds stand between.
        let _receipt = store.log().append_at(Event::Stopped, at).await.unwrap();
        let event = decision(&who(0), Verdict::Allow, Some(step));
        let _receipt = store.log().append_at(event, at).await.unwrap();
    }
    now
}

#[tokio::test]
async fn a_start_reads_back_the_last_day_from_the_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    let rebuild = |wall| Trail::rebuild(folder.path(), moment(wall)).unwrap().view(&who(0));
    assert_eq!(rebuild(NOON), TrailView::default());
    let end = written(folder.path(), 400).await;
    assert!(crate::store::segment::list(folder.path()).unwrap().len() > 20);
    let view = rebuild(end);
    assert_eq!((view.day.calls, view.hour.calls, view.minute.calls), (145, 7, 1));
    assert_eq!(view.recent.len(), 20);
    assert_eq!((view.recent[0].seconds_ago, view.recent[1].seconds_ago), (0, 600));
    // The wall clock set back or forward by an hour changes nothing.
    for hour in [-3_600_000, 3_600_000] {
        assert_eq!(rebuild(end + hour), view);
    }
    assert_eq!(rebuild(end + 3 * DAY), TrailView::default());
}

#[tokio::test]
async fn a_damaged_record_of_the_last_day_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    let end = written(folder.path(), 400).await;
    let names = crate::store::segment::list(folder.path()).unwrap();
    let damage = |name: crate::store::segment::SegmentName| {
        let path = name.path(folder.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"calls\":1", "\"calls\":x")).unwrap();
    };
    // What is older than a day is not looked at.
    damage(names[0]);
    assert!(Trail::rebuild(folder.path(), moment(end)).is_ok());
    let last = names[names.len() - 1];
    damage(last);
    let error = Trail::rebuild(folder.path(), moment(end)).unwrap_err().to_string();
    assert!(error.contains(&last.to_string()) && error.contains("audit verify"), "{error}");
}

/// Measured, not asserted closely: the machine is shared. The bound only catches another order.
#[test]
fn weighing_and_keeping_is_quick() {
    let trail = trail(NOON);
    let agent = agent(0);
    let rounds = 20_000;
    let begun = std::time::Instant::now();
    for _ in 0..rounds {
        let weighed = trail.weigh(&agent, Tally { calls: 1, ..Tally::default() });
        let decided = Decided { tool: "get_contact", verdict: Verdict::Allow };
        let tally = Tally { calls: 1, ..Tally::default() };
        assert!(weighed.keep(tally, Some(decided)).is_some());
    }
    let each = begun.elapsed() / rounds;
    println!("weigh and keep: {each:?}");
    let begun = std::time::Instant::now();
    for _ in 0..rounds {
        assert!(trail.view(&agent.id).day.calls > 0);
    }
    println!("view: {:?}", begun.elapsed() / rounds);
    assert!(each < Duration::from_micros(200), "{each:?}");
}
