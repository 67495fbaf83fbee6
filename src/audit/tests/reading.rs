//! What is read of a log that is long, damaged, or rewritten by somebody who can count hashes.

use super::*;
use crate::audit::{Link, Named, Reader};
use crate::store::Flaw;
use crate::store::line::Chain;

/// A file of a day with notes, written by hand.
fn day(path: &Path, name: &str, chain: &mut Chain, at: &str, notes: &[&str]) {
    let mut out = Vec::new();
    for text in notes {
        chain.write(at, &line::event_text(&note(text)).unwrap(), &mut out);
    }
    fs::write(path.join(name), out).unwrap();
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn told(path: &Path, filter: Filter, from: From) -> Result<Vec<u64>, audit::ReadError> {
    let tail = audit::tail(path, filter, from, Follow::No)?;
    tail.map(|entry| Ok(entry?.record.seq.0)).collect()
}

/// The last records are looked for from the end, and no file is opened that cannot have one: in the first
/// files of this log nothing can be read.
#[test]
fn what_lies_too_far_back_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::START;
    let path = dir.path();
    day(path, "audit-20260101-1.jsonl", &mut chain, "2026-01-01T10:00:00.000Z", &["a", "b"]);
    day(path, "audit-20260102-1.jsonl", &mut chain, "2026-01-02T10:00:00.000Z", &["c", "d"]);
    day(path, "audit-20260102-2.jsonl", &mut chain, "2026-01-02T09:00:00.000Z", &["e"]);
    day(path, "audit-20260103-1.jsonl", &mut chain, "2026-01-03T10:00:00.000Z", &["f", "g"]);
    fs::write(path.join("audit-20260104-1.jsonl"), "").unwrap();
    fs::write(path.join("audit-20260101-1.jsonl"), "no record\n").unwrap();
    let since = |text: &str| Filter { since: Some(time(text)), ..Filter::default() };
    let until = |text: &str| Filter { until: Some(time(text)), ..since("2026-01-02T00:00:00Z") };
    let before = |seq| Filter { before: Some(Seq(seq)), ..Filter::default() };
    let who = |name: &str| Filter { principal: Some(name.parse().unwrap()), ..Filter::default() };
    for (filter, count, expected) in [
        (Filter::default(), 2, Some(vec![5, 6])),
        (Filter::default(), 5, Some(vec![2, 3, 4, 5, 6])),
        (Filter::default(), 6, None),
        (since("2026-01-02T00:00:00Z"), 99, Some(vec![2, 3, 4, 5, 6])),
        (since("2026-01-02T09:30:00Z"), 99, Some(vec![2, 3, 5, 6])),
        (since("2026-01-03T00:00:00Z"), 99, Some(vec![5, 6])),
        (since("2026-01-05T00:00:00Z"), 99, Some(vec![])),
        (since("2026-01-01T23:00:00Z"), 99, None),
        (until("2026-01-02T09:30:00Z"), 99, Some(vec![4])),
        (before(4), 2, Some(vec![2, 3])),
        (before(6), 2, Some(vec![4, 5])),
        (before(99), 1, Some(vec![6])),
        (before(0), 9, Some(vec![])),
        (who("agent"), 3, Some(vec![4, 5, 6])),
        (Filter { since: Some(time("2026-01-02T00:00:00Z")), ..who("agen") }, 3, Some(vec![])),
    ] {
        let found = told(path, filter.clone(), From::Last(count));
        assert_eq!(found.ok(), expected, "{filter:?} {count}");
    }
    // What is asked for by its position is found by halving.
    assert_eq!(told(path, Filter::default(), From::Seq(Seq(3))).unwrap(), [3, 4, 5, 6]);
    assert_eq!(record(path, Seq(5)).record.seq, Seq(5));
}

/// A reading goes on where it ended, and what it found is read again at its place.
#[tokio::test]
async fn a_reading_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Store::open(&path, &Options { rotate_bytes: 1_500, ..options() }).unwrap().0;
    let mut tail = audit::tail(&path, Filter::default(), From::Start, Follow::No).unwrap();
    let (mut reader, mut count) = (Reader::new(&path), 0);
    for round in 0..6 {
        assert!(tail.next().is_none());
        fill(&store, &["a", &"b".repeat(round * 400), "c"]).await;
        for entry in tail.by_ref() {
            let entry = entry.unwrap();
            assert_eq!(entry.record.seq, Seq(count));
            assert_eq!(reader.read(entry.place).unwrap(), entry);
            count += 1;
        }
        assert_eq!(count, 3 * (round as u64 + 1));
    }
    assert!(segment::list(&path).unwrap().len() > 2);
    // The last of them are those that were there, whatever comes.
    let mut last = audit::tail(&path, Filter::default(), From::Last(2), Follow::No).unwrap();
    fill(&store, &["more"]).await;
    assert_eq!(
        last.by_ref().map(|entry| entry.unwrap().record.seq.0).collect::<Vec<_>>(),
        [16, 17]
    );
}

/// Writes a record anew with other words and the hash that belongs to them.
fn forge(lines: &mut [Vec<u8>], at: usize) {
    let (record, _) = line::read(&lines[at]).unwrap();
    let mut chain = Chain { next: record.seq.0, head: record.prev };
    let mut out = Vec::new();
    let event = line::event_text(&note("forged")).unwrap();
    chain.write(&record.at.to_string(), &event, &mut out);
    out.pop();
    lines[at] = out;
}

#[tokio::test]
async fn a_record_is_looked_at_with_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    fill(&store, &["zero", "one", "two", "three", "four", "five"]).await;
    drop(store);
    let file = segment::list(&path).unwrap()[0].path(&path);
    let whole: Vec<Vec<u8>> =
        fs::read(&file).unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let whole = &whole[..6];
    type Change = fn(&mut Vec<Vec<u8>>);
    let good: [&str; 6] = ["whole", "whole", "whole", "whole", "whole", "newest"];
    let cases: [(&str, Change, [&str; 6]); 9] = [
        ("nothing", |_| {}, good),
        (
            // Its own hash is right: only the one behind it, which is bound to it, tells.
            "another record with a good hash",
            |lines| forge(lines, 2),
            ["whole", "whole", "3 prev", "3 prev", "whole", "newest"],
        ),
        ("the newest with a good hash", |lines| forge(lines, 5), good),
        (
            "one letter",
            |lines| {
                let at = lines[2].len() - 100;
                lines[2][at] ^= 1;
            },
            ["whole", "2 hash", "2 hash", "2 hash", "whole", "newest"],
        ),
        (
            "no record",
            |lines| lines[3] = b"\x00 not a record".to_vec(),
            ["whole", "whole", "3 shape", "3 shape", "3 shape", "newest"],
        ),
        (
            "two that are no records",
            |lines| {
                lines[3] = Vec::new();
                lines[4] = b"}".to_vec();
            },
            ["whole", "whole", "3 shape", "3 shape", "3 shape", "4 shape"],
        ),
        (
            "no record at the end",
            |lines| lines[5] = b"{".to_vec(),
            ["whole", "whole", "whole", "whole", "5 shape", "5 shape"],
        ),
        (
            "one is missing",
            |lines| drop(lines.remove(2)),
            ["whole", "2 seq", "2 seq", "2 seq", "whole", "newest"],
        ),
        (
            "another position",
            |lines| lines[2].splice(7..8, *b"50").for_each(drop),
            ["whole", "2 seq", "2 seq", "2 seq", "whole", "newest"],
        ),
    ];
    for (what, change, expected) in cases {
        let mut lines = whole.to_vec();
        change(&mut lines);
        lines.push(Vec::new());
        fs::write(&file, lines.join(&b'\n')).unwrap();
        for (seq, expected) in expected.into_iter().enumerate() {
            let look = audit::look(&path, Seq(seq as u64)).unwrap().unwrap();
            let link = match &look.link {
                Link::Whole => "whole".to_owned(),
                Link::Newest => "newest".to_owned(),
                Link::Broken { at, flaw } => {
                    let flaw = match flaw {
                        Flaw::Shape(_) => "shape",
                        Flaw::Seq { .. } => "seq",
                        Flaw::Prev => "prev",
                        Flaw::Hash => "hash",
                    };
                    format!("{at} {flaw}")
                }
            };
            assert_eq!(link, expected, "{what}: {seq}");
            // The line is shown where it can be read and where it cannot.
            match &look.entry {
                Ok(entry) => assert_eq!(entry.record.seq, Seq(seq as u64), "{what}"),
                Err(_) => assert!(link.contains("shape") || link.contains("seq"), "{what}: {seq}"),
            }
            let is_gone = link == format!("{seq} seq");
            assert_eq!(look.line.is_none(), is_gone, "{what}: {seq}");
        }
        assert_eq!(audit::look(&path, Seq(7)).unwrap(), None, "{what}");
    }
}

#[tokio::test]
async fn records_are_looked_up_by_what_they_are_about() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = open(&path);
    let hold = HoldId::from_random(1);
    let in_passing = HoldEvent::Cancelled { reason: hold.to_string() };
    for event in [
        hold_event(1, opened()),
        note("between"),
        hold_event(2, in_passing),
        hold_event(1, HoldEvent::Expired),
        note("behind"),
    ] {
        let _receipt = store.log().append(event).await.unwrap();
    }
    drop(store);
    let found = |named| -> Vec<(u64, bool)> {
        let found = audit::look_up(&path, named).unwrap();
        found.iter().map(|(seq, look)| (seq.0, look.link.is_good())).collect()
    };
    assert_eq!(found(Named::Hold(hold)), [(0, true), (3, true)]);
    assert_eq!(found(Named::Call(CallId(uuid::Uuid::nil()))), [(0, true)]);
    assert_eq!(found(Named::At(Seq(4))), [(4, true)]);
    assert_eq!(found(Named::At(Seq(5))), []);
    assert_eq!(found(Named::Hold(HoldId::from_random(3))), []);
    // One that was changed is found as long as it has its name.
    let file = segment::list(&path).unwrap()[0].path(&path);
    let text = fs::read_to_string(&file).unwrap();
    for (from, to, changed) in [
        ("\"event\":\"expired\"", "\"event\":\"revoked\"", 3),
        ("\"event\":\"expired\"", "\"event\":\"expirex\"", 3),
        ("{\"seq\":3,", "{\"seq\":7,", 7),
        ("{\"seq\":3,", "{\"seq\":1,", 1),
        ("{\"seq\":3,", "{\"saq\":3,", 3),
    ] {
        assert!(text.contains(from));
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        assert_eq!(found(Named::Hold(hold)), [(0, true), (changed, false)], "{from} {to}");
    }
}
