//! Damage to files and database: never a silent "all is well".

use super::*;

/// A closed log of six notes, one group each.
async fn log_of_six() -> (tempfile::TempDir, PathBuf, PathBuf, Vec<Receipt>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let receipts = fill(&store, &["zero", "one", "two", "three", "four", "five"]).await;
    drop(store);
    let file = segment::list(&path).unwrap()[0].path(&path);
    (dir, path, file, receipts)
}

fn lines_of(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

fn write_lines(file: &Path, lines: &[String]) {
    fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// The line with its own hash made right again, as a forger would.
fn forged(line: &str, seq: u64) -> String {
    let record = line::read(line.as_bytes()).unwrap().0;
    let mut chain = line::Chain { next: seq, head: record.prev };
    let mut out = Vec::new();
    let event = line::event_text(&record.event).unwrap();
    chain.write(&record.at.to_string(), &event, &mut out);
    String::from_utf8(out).unwrap().trim_end().to_owned()
}

type Change = fn(&mut Vec<String>);

/// What is changed, the line that `verify` names, and what it says.
const CHANGES: [(&str, Change, u64, &str); 9] = [
    ("a word", |l| l[2] = l[2].replace("two", "2wo"), 3, "not the hash of this line"),
    ("a time", |l| l[2] = l[2].replacen("\"at\":\"2", "\"at\":\"1", 1), 3, "not the hash"),
    ("a line is missing", |l| drop(l.remove(2)), 3, "record 3 where 2 should be"),
    ("a line is doubled", |l| l.insert(3, l[2].clone()), 4, "record 2 where 3 should be"),
    ("two are exchanged", |l| l.swap(2, 3), 3, "record 3 where 2 should be"),
    ("no record", |l| l[2] = String::from("{}"), 3, "not a record"),
    ("an empty line", |l| l.insert(2, String::new()), 3, "not a record"),
    ("the first is missing", |l| drop(l.remove(0)), 1, "record 1 where 0 should be"),
    (
        "a forged line with its own hash",
        |l| l[2] = forged(&l[2].replace("two", "2wo"), 2),
        4,
        "`prev` is not the hash",
    ),
];

#[tokio::test]
async fn a_break_in_the_middle_is_named_and_never_rebuilt_over() {
    let (_dir, path, file, _) = log_of_six().await;
    let whole = lines_of(&file);
    for (what, change, line, says) in CHANGES {
        let mut lines = whole.clone();
        change(&mut lines);
        assert_ne!(lines, whole, "{what}");
        write_lines(&file, &lines);
        let found = audit::verify(&path).unwrap().first_break.unwrap();
        assert_eq!(found.line, line, "{what}: {found}");
        assert!(found.to_string().contains(says), "{what}: {found}");
        // Without the database every line is looked at before anything is built on it.
        let _ = fs::remove_dir_all(path.join("db"));
        let error = Store::open(&path, &options()).unwrap_err();
        let place = format!("-1.jsonl, line {line}`");
        assert!(error.to_string().contains(&place), "{what}: {error}");
        assert_eq!(lines_of(&file), lines, "{what}: nothing was changed");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_found_by_verify() {
    let (_dir, path, file, _) = log_of_six().await;
    let whole = fs::read(&file).unwrap();
    for bit in (0..whole.len() * 8).step_by(5) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, bytes).unwrap();
        let report = audit::verify(&path).unwrap();
        // The very last newline makes the last line unfinished instead.
        let is_found = !report.is_whole() || (report.unfinished_bytes > 0 && report.records == 5);
        assert!(is_found, "bit {bit}");
    }
}

#[tokio::test]
async fn an_acknowledged_last_record_is_never_given_up() {
    let (_dir, path, file, _) = log_of_six().await;
    let whole = fs::read(&file).unwrap();
    let (start, _) = segment::last_line(&file, u64::MAX).unwrap();
    let start = usize::try_from(start).unwrap();
    let cuts = (start..whole.len()).step_by(23).chain([0, 1, start - 1, whole.len() - 1]);
    let cut = cuts.map(|at| (whole[..at].to_vec(), "but record 5 ends at"));
    let flipped = [start + 1, start + 100, whole.len() - 1].map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        (bytes, "record 5 is not the one that was acknowledged")
    });
    for (bytes, says) in cut.chain(flipped) {
        fs::write(&file, &bytes).unwrap();
        let error = Store::open(&path, &options()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "nothing was changed");
    }
    fs::remove_file(&file).unwrap();
    let error = Store::open(&path, &options()).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    fs::write(&file, &whole).unwrap();
    assert_eq!(Store::open(&path, &options()).unwrap().1, Recovery::default());
}

/// The database follows a step behind, but a hold is in it before anybody hears of the hold.
#[tokio::test]
async fn a_hold_is_in_the_database_when_it_is_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    fill(&store, &["zero", "one"]).await;
    let receipt = store.log().append(hold_event(1, opened())).await.unwrap();
    // What a crash at this moment leaves.
    let crashed = dir.path().join("crashed");
    copy(&path, &crashed);
    fs::set_permissions(&crashed, fs::Permissions::from_mode(0o700)).unwrap();
    drop(store);
    let (store, recovery) = Store::open(&crashed, &options()).unwrap();
    assert_eq!(recovery, Recovery::default());
    let holds = store.hold_events().unwrap();
    assert_eq!(holds, [(HoldId::from_random(1), receipt.at(), opened())]);
}

/// Six records of which the database knows five: the process died between the two.
async fn log_ahead_of_the_database() -> (tempfile::TempDir, PathBuf, PathBuf, Vec<Receipt>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let mut receipts = fill(&store, &["zero", "one", "two", "three", "four"]).await;
    drop(store);
    copy(&path.join("db"), &dir.path().join("db"));
    let store = open(&path);
    receipts.push(store.log().append(hold_event(1, opened())).await.unwrap());
    drop(store);
    let file = segment::list(&path).unwrap()[0].path(&path);
    (dir, path, file, receipts)
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[tokio::test]
async fn a_torn_unacknowledged_end_is_cut_and_kept_aside() {
    let (dir, path, file, receipts) = log_ahead_of_the_database().await;
    let whole = fs::read(&file).unwrap();
    let (start, _) = segment::last_line(&file, u64::MAX).unwrap();
    let start = usize::try_from(start).unwrap();
    let mut flipped = whole.clone();
    flipped[start + 200] ^= 1;
    let mut zeros = whole.clone();
    zeros[start..].fill(0);
    let cuts = (start + 1..whole.len()).step_by(97).chain([whole.len() - 1]);
    for bytes in cuts.map(|at| whole[..at].to_vec()).chain([flipped, zeros]) {
        fs::write(&file, &bytes).unwrap();
        copy(&dir.path().join("db"), &path.join("db"));
        let unfinished = audit::verify(&path).unwrap();
        assert_eq!(unfinished.records, 5);
        let (store, recovery) = Store::open(&path, &options()).unwrap();
        let torn = bytes[start..].to_vec();
        let recovered_bytes = torn.len() as u64;
        assert_eq!(recovery, Recovery { recovered_bytes, reindexed: 0, rebuilt: false });
        let next = store.log().append(note("after")).await.unwrap();
        assert_eq!(next.seq(), Seq(5));
        drop(store);
        let report = audit::verify(&path).unwrap();
        assert!(report.is_whole() && report.head == next.hash() && report.unfinished_bytes == 0);
        assert_eq!(record(&path, Seq(4)).hash, receipts[4].hash());
        let kept: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "bin"))
            .collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(fs::read(&kept[0]).unwrap(), torn);
        fs::remove_file(&kept[0]).unwrap();
    }
}

#[tokio::test]
async fn records_that_only_the_files_have_are_indexed() {
    let (dir, path, _, receipts) = log_ahead_of_the_database().await;
    copy(&dir.path().join("db"), &path.join("db"));
    let (store, recovery) = Store::open(&path, &options()).unwrap();
    assert_eq!(recovery, Recovery { recovered_bytes: 0, reindexed: 1, rebuilt: false });
    let holds = store.hold_events().unwrap();
    assert_eq!(holds, [(HoldId::from_random(1), receipts[5].at(), opened())]);
    assert_eq!(fill(&store, &["after"]).await[0].seq(), Seq(6));
}

#[tokio::test]
async fn a_lost_or_damaged_database_is_made_anew() {
    let (_dir, path, _, receipts) = log_of_six().await;
    let damages: [fn(&Path); 4] = [
        |db| fs::remove_dir_all(db).unwrap(),
        |db| fs::write(db.join("db"), vec![0xa5; 600_000]).unwrap(),
        |db| fs::write(db.join("db"), "").unwrap(),
        |db| {
            let mut bytes = fs::read(db.join("db")).unwrap();
            for at in (0..bytes.len()).step_by(61) {
                bytes[at] ^= 0x10;
            }
            fs::write(db.join("db"), bytes).unwrap();
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage(&path.join("db"));
        let (store, recovery) = Store::open(&path, &options()).unwrap();
        let expected = Recovery { recovered_bytes: 0, reindexed: 6, rebuilt: true };
        assert_eq!(recovery, expected, "damage {number}");
        drop(store);
        assert_eq!(audit::verify(&path).unwrap().head, receipts[5].hash());
        let (_, recovery) = Store::open(&path, &options()).unwrap();
        assert_eq!(recovery, Recovery::default(), "damage {number}");
    }
    let aside = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name());
    let aside = aside.filter(|name| name.to_string_lossy().starts_with("db.corrupt-")).count();
    assert_eq!(aside, 3);
}

#[tokio::test]
async fn a_missing_exchanged_or_shortened_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Store::open(&path, &Options { rotate_bytes: 1, ..options() }).unwrap().0;
    fill(&store, &["zero", "one", "two", "three"]).await;
    drop(store);
    let files: Vec<_> = segment::list(&path).unwrap().iter().map(|n| n.path(&path)).collect();
    assert_eq!(files.len(), 4);
    let whole: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let changes: [(&str, &dyn Fn()); 6] = [
        ("first missing", &|| fs::remove_file(&files[0]).unwrap()),
        ("middle missing", &|| fs::remove_file(&files[1]).unwrap()),
        ("last missing", &|| fs::remove_file(&files[3]).unwrap()),
        ("shortened", &|| fs::write(&files[1], &whole[1][..40]).unwrap()),
        ("emptied", &|| fs::write(&files[1], "").unwrap()),
        ("exchanged", &|| {
            fs::write(&files[1], &whole[2]).unwrap();
            fs::write(&files[2], &whole[1]).unwrap();
        }),
    ];
    for (what, change) in changes {
        change();
        let refused = Store::open(&path, &options());
        assert!(matches!(refused, Err(OpenError::Corrupt { .. })), "{what}: {refused:?}");
        // A log whose last file is gone is whole in itself; only the database knows.
        assert_eq!(audit::verify(&path).unwrap().is_whole(), what == "last missing", "{what}");
        for (file, bytes) in files.iter().zip(&whole) {
            fs::write(file, bytes).unwrap();
        }
    }
    assert_eq!(Store::open(&path, &options()).unwrap().1, Recovery::default());
}
