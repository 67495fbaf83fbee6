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
            // Holds wait for the database too; other records only for the file.
            let in_index = matches!(operation, Operation::IndexWrite | Operation::IndexSync);
            let event = || if in_index { hold_event(1, opened()) } else { note("after") };
            let first = log.append(event()).await.unwrap();
            faults.plan(operation, after, Failure::Error(ErrorKind::StorageFull));
            let mut acknowledged = vec![first];
            let cause = loop {
                match log.append(event()).await {
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
                let found = record(&path, receipt.seq());
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
        let in_index = operation == Operation::IndexSync;
        let event = || if in_index { hold_event(1, opened()) } else { note("one") };
        let (one, two) = tokio::join!(log.append(event()), log.append(event()));
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

/// The database is behind the records that nobody waits for it with; its failure still ends the log.
#[tokio::test]
async fn a_database_that_fails_or_hangs_behind_the_records_is_noticed() {
    let hanging = mpsc::channel();
    let failures = [
        (Failure::Error(ErrorKind::StorageFull), "injected"),
        (Failure::Block(hanging.1), "longer than 20 ms"),
    ];
    for (failure, says) in failures {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let faults = Faults::default();
        let options = Options { stall: Duration::from_millis(20), ..options() };
        let store = Store::open_with(&path, &options, &faults).unwrap().0;
        faults.plan(Operation::IndexWrite, 0, failure);
        let log = store.log();
        let receipt = log.append(note("one")).await.unwrap();
        let cause = log.failed().await;
        assert!(cause.contains(says), "{cause}");
        drop(store);
        assert_eq!(record(&path, Seq(0)).hash, receipt.hash());
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
