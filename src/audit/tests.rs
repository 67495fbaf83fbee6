//! Log and store as a whole, on real files. Here and not in `store`, because this room sees both.

mod crash;
mod damage;
mod failure;
mod reading;

use std::{
    collections::BTreeSet,
    fs,
    num::NonZero,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    audit::{self, Entry, Filter, Follow, From, LogError, Receipt},
    domain::{
        Binding, CallFacts, CallId, ClientHint, Digest, Effect, Event, HoldEvent, HoldId, Opened,
        Release, Revision, Seq, Subject, Timestamp,
    },
    store::{
        OpenError, Options, Recovery, Store,
        fault::{Failure, Faults, Operation},
        line, segment,
    },
};

/// A small store: no reserve to write, and a file of its own for each group if asked.
fn options() -> Options {
    Options { ballast_bytes: 0, stall: Duration::from_secs(30), ..Options::default() }
}

fn open(path: &Path) -> Store {
    Store::open(path, &options()).unwrap().0
}

fn note(text: &str) -> Event {
    Event::Refused {
        principal: "agent".parse().unwrap(),
        code: String::from("test"),
        text: text.to_owned(),
    }
}

/// So few to a thread that several read.
fn five(_: usize) -> NonZero<usize> {
    NonZero::new(5).unwrap()
}

fn hold_event(id: u128, event: HoldEvent) -> Event {
    Event::Hold { hold: HoldId::from_random(id), event }
}

fn opened() -> HoldEvent {
    let digest = Digest::of("test", &[]);
    let call = CallFacts {
        id: CallId(uuid::Uuid::nil()),
        principal: "agent".parse().unwrap(),
        client: ClientHint::default(),
        revision: Revision::V2025_11_25,
        method: String::from("tools/call"),
        subject: Subject::Tool {
            name: String::from("update_article"),
            effect: Effect::Write,
            definition: Some(digest),
        },
        arguments: digest,
    };
    let binding = Binding {
        origin: String::from("https://mcp.example.com"),
        principal: call.principal.clone(),
        tool: String::from("update_article"),
        definition: digest,
        arguments: digest,
        ruleset: digest,
        plugins: Some(digest),
        target: None,
    };
    HoldEvent::Opened(Box::new(Opened {
        binding,
        call,
        sealed: String::from("sealed"),
        on_release: crate::domain::OnRelease::Send,
        reasons: Vec::new(),
        release: Release { expires: Duration::from_secs(60), ..Release::default() },
        expires_at: Timestamp::from_millis(60_000),
        target: None,
        object: None,
        risk: crate::domain::Risk::Medium,
        revises: None,
    }))
}

/// The record at a position.
fn record(path: &Path, seq: Seq) -> Entry {
    audit::look(path, seq).unwrap().unwrap().entry.unwrap()
}

/// A log of one group per note; returns the receipts.
async fn fill(store: &Store, notes: &[&str]) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for text in notes {
        receipts.push(store.log().append(note(text)).await.unwrap());
    }
    receipts
}

#[tokio::test]
async fn the_chain_goes_on_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut last = None;
    for start in 0..3 {
        let (store, recovery) = Store::open(&path, &options()).unwrap();
        assert_eq!(recovery, Recovery::default());
        let first = store.log().append(Event::Stopped).await.unwrap();
        store.log().append_later(note("queued")).unwrap();
        let third = store.log().append(Event::Stopped).await.unwrap();
        assert_eq!((first.seq(), third.seq()), (Seq(start * 3), Seq(start * 3 + 2)));
        store.log().append_later(note("written before the end")).unwrap();
        let log = store.log();
        drop(store);
        assert_eq!(log.append(Event::Stopped).await, Err(LogError::Closed));
        let record = record(&path, third.seq());
        assert_eq!((record.hash, record.record.at), (third.hash(), third.at()));
        last = Some(third);
        let store = open(&path);
        assert_eq!(store.log().health().records, start * 3 + 4);
        drop(store);
        // The queued note is taken back to keep the arithmetic of the loop plain.
        fs::remove_dir_all(path.join("db")).unwrap();
        let file = segment::list(&path).unwrap()[0].path(&path);
        let (offset, _) = segment::last_line(&file, u64::MAX).unwrap();
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(offset).unwrap();
        assert!(Store::open(&path, &options()).unwrap().1.rebuilt);
    }
    let report = audit::verify(&path).unwrap();
    assert_eq!((report.records, report.head), (9, last.unwrap().hash()));
    assert!(report.is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_get_distinct_receipts_of_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Store::open(&path, &Options { rotate_bytes: 20_000, ..options() }).unwrap().0;
    let first = store.log().append(Event::Stopped).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let log = store.log();
            tokio::spawn(async move {
                let mut receipts = Vec::new();
                for step in 0..25 {
                    log.append_later(note("later")).unwrap();
                    receipts.push(log.append(note(&format!("{task}/{step}"))).await.unwrap());
                }
                assert!(receipts.is_sorted_by_key(Receipt::seq), "a caller's own order is kept");
                receipts
            })
        })
        .collect();
    let mut receipts = Vec::new();
    for task in tasks {
        receipts.extend(task.await.unwrap());
    }
    assert_eq!(receipts.iter().map(Receipt::seq).collect::<BTreeSet<_>>().len(), 16 * 25);
    assert!(store.log().health().groups < 16 * 50 + 1, "groups were formed");
    let report = audit::verify(&path).unwrap();
    assert!(report.is_whole() && report.files > 1, "{report:?}");
    assert_eq!(report.records, 1 + 16 * 50);
    // The only match is far from the end.
    let stopped = Filter { kind: Some(String::from("stopped")), ..Filter::default() };
    let mut tail = audit::tail(&path, stopped, From::Last(1), Follow::No).unwrap();
    assert_eq!(tail.next().unwrap().unwrap().hash, first.hash());
    assert!(tail.next().is_none());
    for receipt in &receipts {
        assert_eq!(record(&path, receipt.seq()).hash, receipt.hash());
    }
    drop(store);
    assert_eq!(Store::open(&path, &options()).unwrap().1, Recovery::default());
}

#[tokio::test]
async fn a_full_queue_refuses_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let faults = Faults::default();
    let (release, block) = std::sync::mpsc::channel();
    faults.plan(Operation::Sync, 0, Failure::Block(block));
    let store = Store::open_with(&path, &Options { queue: 4, ..options() }, &faults).unwrap().0;
    // Two may be under way already, and half of the room is for what nobody waits for.
    let refused = (0..5).find_map(|_| store.log().append_later(note("x")).err());
    assert!(matches!(refused, Some(LogError::Busy { queued: 2 })), "{refused:?}");
    drop(release);
    let appended = loop {
        match store.log().append(note("y")).await {
            Err(LogError::Busy { .. }) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(appended.is_ok() && store.log().health().is_good());
}

#[tokio::test]
async fn holds_come_back_in_order_until_long_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let log = store.log();
    let days = |days: u64| {
        Timestamp::from_millis(line::now().millis() - i64::try_from(days * 86_400_000).unwrap())
    };
    let executed = || HoldEvent::Executed { sealed: String::from("answer") };
    let events = [
        (1, opened(), 400, true),
        (2, opened(), 32, false),
        (2, executed(), 32, false),
        (3, opened(), 32, true),
        (3, executed(), 31, true),
        (2, HoldEvent::Delivered { disclose: None, unread: false }, 31, false),
        (4, opened(), 32, true),
        (4, executed(), 32, true),
        (4, HoldEvent::Delivered { disclose: None, unread: false }, 29, true),
        (5, opened(), 92, false),
        (5, HoldEvent::Expired, 91, false),
        (1, HoldEvent::Stale { changed: String::from("x") }, 399, true),
    ];
    let mut all = Vec::new();
    let mut kept = Vec::new();
    for (id, event, age, is_kept) in events {
        let at = days(age);
        log.append_later(note("between")).unwrap();
        let receipt = log.append_at(hold_event(id, event.clone()), at).await.unwrap();
        assert_eq!(receipt.at(), at);
        all.push((HoldId::from_random(id), at, event));
        if is_kept {
            kept.push(all.last().cloned().unwrap());
        }
    }
    assert_eq!(store.hold_events().unwrap(), all);
    assert_eq!(store.hold_events_by(five).unwrap(), all);
    drop(store);
    let store = open(&path);
    assert_eq!(store.hold_events().unwrap(), kept);
    drop(store);
    // Made anew from the lines, the index knows the same.
    fs::remove_dir_all(path.join("db")).unwrap();
    let (store, recovery) = Store::open(&path, &options()).unwrap();
    assert_eq!(recovery, Recovery { recovered_bytes: 0, reindexed: 24, rebuilt: true });
    assert_eq!(store.hold_events().unwrap(), kept);
}

#[tokio::test]
async fn a_changed_line_of_a_hold_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    for id in 0..12 {
        let _ = store.log().append(hold_event(id, opened())).await.unwrap();
    }
    fill(&store, &["behind"]).await;
    drop(store);
    let file = segment::list(&path).unwrap()[0].path(&path);
    let text = fs::read_to_string(&file).unwrap();
    // Whichever of them it is, and whichever thread reads it.
    for at in [0, 4, 5, 11] {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[at] = lines[at].replace("\"sealed\":\"sealed\"", "\"sealed\":\"seeled\"");
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let store = open(&path);
        for events in [store.hold_events(), store.hold_events_by(five)] {
            let error = events.unwrap_err().to_string();
            assert!(error.contains(&format!("-1.jsonl, line {}", at + 1)), "{error}");
        }
    }
}

#[tokio::test]
async fn the_log_is_read_by_place_end_and_filter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Store::open(&path, &Options { rotate_bytes: 1500, ..options() }).unwrap().0;
    for number in 0..40 {
        let event = match number % 4 {
            0 => hold_event(number, opened()),
            _ => note(&"x".repeat(usize::try_from(number).unwrap() * 40)),
        };
        let _ = store.log().append(event).await.unwrap();
    }
    let seqs = |filter: Filter, from| -> Vec<u64> {
        let tail = audit::tail(&path, filter, from, Follow::No).unwrap();
        tail.map(|entry| entry.unwrap().record.seq.0).collect()
    };
    let holds = || Filter { kind: Some(String::from("hold")), ..Filter::default() };
    assert_eq!(seqs(Filter::default(), From::Start), (0..40).collect::<Vec<_>>());
    assert_eq!(seqs(Filter::default(), From::Last(2)), [38, 39]);
    assert_eq!(seqs(Filter::default(), From::Last(0)), [0; 0]);
    assert_eq!(seqs(Filter::default(), From::Last(99)), (0..40).collect::<Vec<_>>());
    assert_eq!(seqs(holds(), From::Last(2)), [32, 36]);
    assert_eq!(seqs(holds(), From::Last(10)), (0..40).step_by(4).collect::<Vec<_>>());
    assert_eq!(seqs(holds(), From::Last(11)), (0..40).step_by(4).collect::<Vec<_>>());
    let one = Filter { hold: Some(HoldId::from_random(8)), ..Filter::default() };
    assert_eq!(seqs(one, From::Start), [8]);
    let tool = Filter { tool: Some(String::from("update_article")), ..holds() };
    assert_eq!(seqs(tool, From::Seq(Seq(30))), [32, 36]);
    for seq in 0..40 {
        assert_eq!(seqs(Filter::default(), From::Seq(Seq(seq))), (seq..40).collect::<Vec<_>>());
        assert_eq!(record(&path, Seq(seq)).record.seq, Seq(seq));
    }
    assert_eq!(audit::look(&path, Seq(40)).unwrap(), None);
    assert_eq!(seqs(Filter::default(), From::Seq(Seq(40))), [0; 0]);

    // A follower blocks until more is written, over the beginning of a new file too.
    let mut follower = audit::tail(&path, Filter::default(), From::Last(1), Follow::Yes).unwrap();
    let follower = std::thread::spawn(move || {
        follower.by_ref().take(6).map(|entry| entry.unwrap().record.seq.0).collect::<Vec<_>>()
    });
    fill(&store, &["a", &"b".repeat(1600), "c", "d", "e"]).await;
    assert_eq!(follower.join().unwrap(), [39, 40, 41, 42, 43, 44]);
}

#[test]
fn the_folder_is_closed_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/data");
    drop(open(&path));
    let mut folders = vec![path.clone()];
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(folder).unwrap() {
            let (path, found) = entry.map(|e| (e.path(), e.metadata().unwrap())).unwrap();
            match found.is_dir() {
                true => folders.push(path),
                false => assert_eq!(found.permissions().mode() & 0o777, 0o600, "{path:?}"),
            }
        }
    }
    for mode in [0o750, 0o701, 0o720] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Store::open(&path, &options());
        assert!(matches!(refused, Err(OpenError::Permissions { .. })), "{mode:o}");
    }
}

#[test]
fn the_reserve_is_laid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    for bytes in [100_000, 50_000, 0] {
        drop(Store::open(&path, &Options { ballast_bytes: bytes, ..options() }).unwrap());
        let found = fs::metadata(path.join("ballast")).map_or(0, |found| found.len());
        assert_eq!(found, bytes);
    }
}
