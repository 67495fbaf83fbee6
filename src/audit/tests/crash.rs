//! A process that dies at any moment, played by this test binary started again.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use super::*;

const FOLDER: &str = "PORTCULLIS_TEST_CRASH_FOLDER";

fn child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "audit::tests::crash::the_child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Appends until it is killed, telling each acknowledged record. Does nothing in a normal run.
#[test]
fn the_child() {
    let Some(path) = std::env::var_os(FOLDER) else { return };
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
    };
    let options = Options { rotate_bytes: 40_000, ..options() };
    let store = match Store::open(Path::new(&path), &options) {
        Ok((store, _)) => store,
        Err(error) => return say(format!("\nrefused {error}\n")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8_u128)
            .map(|task| {
                let log = store.log();
                tokio::spawn(async move {
                    for step in 0.. {
                        let event = match step % 3 {
                            0 => hold_event(task << 64 | step, opened()),
                            _ => note(&"x".repeat(usize::try_from(step % 700).unwrap())),
                        };
                        let receipt = log.append(event).await.unwrap();
                        say(format!("ack {} {}\n", receipt.seq(), receipt.hash()));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut acknowledged = Vec::new();
    for cycle in 0..20_usize {
        let mut child = child(&path);
        let mut seen = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            assert!(!line.starts_with("refused"), "cycle {cycle}: {line}");
            // A line that the kill cut short was not told.
            if let Some((seq, hash)) = line.strip_prefix("ack ").and_then(|l| l.split_once(' '))
                && let (Ok(seq), Ok(hash)) = (seq.parse(), hash.parse::<Digest>())
            {
                acknowledged.push((seq, hash));
                seen += 1;
            }
            // The early cycles die while the store opens or in their first groups.
            if seen >= cycle * cycle {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(acknowledged.len() > 2000, "only {}", acknowledged.len());
    let store = open(&path);
    let report = audit::verify(&path).unwrap();
    assert!(report.is_whole(), "{report:?}");
    let tail = audit::tail(&path, Filter::default(), From::Start, Follow::No).unwrap();
    let hashes: Vec<_> = tail.map(|entry| entry.unwrap().hash).collect();
    let holds = store.hold_events().unwrap().len();
    assert!(holds > 100, "only {holds}");
    for (seq, hash) in acknowledged {
        let seq: u64 = seq;
        assert_eq!(hashes.get(usize::try_from(seq).unwrap()), Some(&hash), "record {seq}");
    }
}

#[test]
fn a_folder_has_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let mut second = child(&path);
    let lines = BufReader::new(second.stdout.take().unwrap()).lines().map_while(Result::ok);
    let refused: Vec<_> = lines.filter(|line| line.starts_with("refused")).collect();
    second.wait().unwrap();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("in use by another process"), "{refused:?}");
    drop(store);
    assert_eq!(Store::open(&path, &options()).unwrap().1, Recovery::default());
}
