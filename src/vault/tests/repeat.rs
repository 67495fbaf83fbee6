//! What was minted is repeated only while minting would give the same.

use proptest::prelude::*;

use super::*;

/// Values of a few people, some of them alike.
const KINDS: [&str; 3] = ["person", "email", "phone"];
const VALUES: [&str; 6] =
    ["Jane Doe", "doe, jane", "Jane", "jane@acme.com", "+1 555 0100", "Bob Roe"];
const SUBJECTS: [Option<&str>; 5] =
    [None, Some("contact:1"), Some("contact:2"), Some("user"), Some("admin:9")];
const PARTS: [Option<&str>; 3] = [None, Some("first"), Some("last")];
const RECORDS: [&str; 3] = ["conversation:1", "conversation:2", "conversation:3/part:7"];

/// A value of a payload, by its places in these lists.
type One = (usize, usize, usize, usize, usize);

fn minted(vault: &Vault, payload: &[One], now: i64) -> (Vec<Option<String>>, Option<Repeat>) {
    let mut minting = vault.minting(&who("bot"), at(now));
    let tokens = payload.iter().map(|(kind, value, subject, part, record)| {
        minting.token(&Sight {
            kind: KINDS[*kind],
            value: VALUES[*value],
            text: VALUES[*value].split(' ').next().unwrap(),
            part: PARTS[*part],
            subject: SUBJECTS[*subject],
            seen_in: &[RECORDS[*record]],
        })
    });
    (tokens.collect(), minting.repeat())
}

fn payloads() -> impl Strategy<Value = Vec<Vec<One>>> {
    let one =
        (0..KINDS.len(), 0..VALUES.len(), 0..SUBJECTS.len(), 0..PARTS.len(), 0..RECORDS.len());
    prop::collection::vec(prop::collection::vec(one, 0..6), 1..5)
}

proptest! {
    /// Payloads are read again and again, in any order and after any time.
    #[test]
    fn a_repeat_is_what_minting_would_give(
        payloads in payloads(),
        reads in prop::collection::vec((0..5_usize, 0..DAY / 8), 1..60),
        most in 2..12_usize,
    ) {
        let valid = std::time::Duration::from_millis(u64::try_from(DAY).unwrap());
        let bounds = Bounds { valid, per_principal: most, total: 1000 };
        let vault = vault(bounds);
        let mut kept: HashMap<usize, (Vec<Option<String>>, Repeat)> = HashMap::new();
        let mut now = 0;
        for (number, wait) in reads {
            now += wait;
            let number = number % payloads.len();
            let repeated = kept.get(&number).filter(|(_, repeat)| vault.repeat(repeat, at(now)));
            let repeated = repeated.map(|(tokens, _)| tokens.clone());
            let (tokens, repeat) = minted(&vault, &payloads[number], now);
            if let Some(repeated) = repeated {
                prop_assert_eq!(&repeated, &tokens);
            }
            match repeat {
                Some(repeat) => kept.insert(number, (tokens, repeat)),
                None => kept.remove(&number),
            };
        }
    }
}

#[test]
fn what_is_read_again_is_repeated_until_something_changes() {
    let vault = vault(Bounds::default());
    let jane: [One; 2] = [(0, 0, 1, 0, 0), (1, 3, 1, 0, 0)];
    let bob: [One; 1] = [(0, 5, 2, 0, 1)];
    assert!(minted(&vault, &jane, 0).1.is_none(), "it was new");
    let (tokens, repeat) = minted(&vault, &jane, 1);
    let repeat = repeat.unwrap();
    assert!(vault.repeat(&repeat, at(2)));
    assert!(minted(&vault, &bob, 3).1.is_none());
    assert!(!vault.repeat(&repeat, at(4)), "somebody new came");
    let (again, repeat) = minted(&vault, &jane, 5);
    assert_eq!(again, tokens);
    assert!(vault.repeat(&repeat.unwrap(), at(6)));
}

/// A value that is only ever repeated is seen all the same: it outlives one that is not.
#[test]
fn a_repeat_is_a_sight() {
    let valid = std::time::Duration::from_millis(u64::try_from(DAY).unwrap());
    let vault = vault(Bounds { valid, ..Bounds::default() });
    let jane: [One; 1] = [(1, 3, 1, 0, 0)];
    minted(&vault, &jane, 0);
    let (tokens, repeat) = minted(&vault, &jane, 1);
    let (mut repeat, mut repeats) = (repeat.unwrap(), 0);
    for step in 1..=200 {
        let now = step * DAY / 100;
        if vault.repeat(&repeat, at(now)) {
            repeats += 1;
        } else {
            // It has to be written down again, or its file would lose it.
            let (again, new) = minted(&vault, &jane, now);
            assert_eq!(again, tokens);
            repeat = new.unwrap_or(repeat);
        }
    }
    assert!((50..200).contains(&repeats), "{repeats}");
    assert!(vault.value(&who("bot"), &token(tokens[0].as_deref().unwrap()), at(2 * DAY)).is_some());
}
