//! Failures of the machine while the log is written.

use std::{io::ErrorKind, sync::mpsc};

use super::*;

#[tokio::test]
async fn the_first_error_fails_the_log_for_good() {
    let operations = [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::IndexWrite,
        Operation::IndexSync,
    ];
    for operation in operations {
        for after in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("data");
            let faults = Faults::default();
            let options = Options { rotate_bytes: 1, ..options() };
            let store = Store::open_with(&path, &options, &faults).unwrap().0;
            let log = store.log();
            let first = log.append(note("before")).await.unwrap();
            faults.plan(operation, after, Failure::Error(ErrorKind::StorageFull));
            let mut acknowledged = vec![first];
            let cause = loop {
                match log.append(note("after")).await {
                    Ok(receipt) => acknowledged.push(receipt),
                    Err(LogError::Poisoned { cause }) => break cause,
                    Err(other) => panic!("{other}"),
                }
            };
            let what = format!("{operation:?} after {after}: {cause}");
            assert_eq!(acknowledged.len(), after + 1, "{what}");
            assert!(cause.contains("injected"), "{what}");
            assert_eq!(log.failed().await, cause, "{what}");
            assert_eq!(log.health().poisoned.as_ref(), Some(&cause), "{what}");
            let poisoned = LogError::Poisoned { cause };
            assert_eq!(log.append(note("again")).await.unwrap_err(), poisoned, "{what}");
            assert_eq!(log.append_later(note("again")).unwrap_err(), poisoned, "{what}");
            drop(store);
            // A restart finds everything acknowledged, and goes on.
            let store = open(&path);
            let _ = store.log().append(note("restarted")).await.unwrap();
            assert!(audit::verify(&path).unwrap().is_whole(), "{what}");
            for receipt in acknowledged {
                let found = audit::read(&path, receipt.seq()).unwrap().unwrap();
                assert_eq!(found.hash, receipt.hash(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_hangs_fails_everybody_at_once() {
    for operation in [Operation::Write, Operation::Sync, Operation::IndexSync] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let faults = Faults::default();
        let options = Options { stall: Duration::from_millis(20), ..options() };
        let store = Store::open_with(&path, &options, &faults).unwrap().0;
        let (release, block) = mpsc::channel();
        faults.plan(operation, 0, Failure::Block(block));
        let log = store.log();
        let (one, two) = tokio::join!(log.append(note("one")), log.append(note("two")));
        for result in [one, two] {
            let Err(LogError::Poisoned { cause }) = result else { panic!("{result:?}") };
            assert!(cause.contains("longer than 20 ms"), "{cause}");
        }
        assert!(!log.health().is_good());
        // The hanging writer keeps the folder: nobody may write beside it.
        drop(store);
        assert!(matches!(Store::open(&path, &options), Err(OpenError::Locked { .. })));
        drop(release);
    }
}

#[tokio::test]
async fn a_caller_that_leaves_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let log = store.log();
    let left = tokio::time::timeout(Duration::ZERO, log.append(note("left"))).await;
    let stayed = log.append(note("stayed")).await.unwrap();
    assert_eq!(stayed.seq(), Seq(1), "{left:?}");
}
