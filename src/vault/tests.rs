//! Tests of the vault.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;
use crate::domain::pseudonym::{Seen, find};

mod repeat;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn who(name: &str) -> PrincipalId {
    name.parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn sealer() -> Sealer {
    Sealer::load(tempfile::tempdir().unwrap().path()).unwrap()
}

fn vault(bounds: Bounds) -> Vault {
    Vault::in_memory(None, &sealer(), bounds).unwrap()
}

fn whole<'a>(kind: &'a str, value: &'a str, subject: Option<&'a str>) -> Sight<'a> {
    Sight { kind, value, text: value, part: None, subject, seen_in: &[] }
}

fn token(text: &str) -> Token {
    match find(text).as_slice() {
        [one] => match &one.what {
            Seen::Token(token) => token.clone(),
            other => panic!("{text}: {other:?}"),
        },
        other => panic!("{text}: {other:?}"),
    }
}

fn mint(vault: &Vault, name: &str, sight: &Sight<'_>) -> Token {
    token(&vault.minting(&who(name), at(0)).token(sight).unwrap())
}

fn value(vault: &Vault, name: &str, token: &Token) -> Option<String> {
    vault.value(&who(name), token, at(0)).map(|text| text.to_string())
}

#[test]
fn one_person_has_one_suffix_and_each_value_one_token() {
    let vault = vault(Bounds::default());
    let jane = Some("contact:1");
    let mail = mint(&vault, "bot", &whole("email", "Jane@acme.com", jane));
    let name = mint(&vault, "bot", &whole("person", "Jane Doe", jane));
    let other = mint(&vault, "bot", &whole("email", "jane@home.org", jane));
    assert_eq!(mail.suffix(), name.suffix());
    assert!(other.suffix().starts_with(mail.suffix()) && other != mail);
    assert_eq!(mint(&vault, "bot", &whole("email", "jane@ACME.com", None)), mail);
    assert_eq!(mint(&vault, "bot", &whole("person", "doe, jane", jane)), name);
    let bob = mint(&vault, "bot", &whole("email", "bob@acme.com", Some("contact:2")));
    assert_ne!(bob.suffix(), mail.suffix());
    assert_eq!(value(&vault, "bot", &mail).as_deref(), Some("Jane@acme.com"));
    assert_eq!(value(&vault, "bot", &other).as_deref(), Some("jane@home.org"));
    assert_eq!(value(&vault, "bot", &name).as_deref(), Some("Jane Doe"));
}

#[test]
fn parts_of_a_name_come_back_as_they_were() {
    let vault = vault(Bounds::default());
    let part = |text, part| Sight {
        text,
        part: Some(part),
        ..whole("person", "Jane Mary Doe", Some("contact:1"))
    };
    let first = mint(&vault, "bot", &part("Jane", "first"));
    assert_eq!(first.part(), Some("first"));
    assert_eq!(value(&vault, "bot", &first).as_deref(), Some("Jane"));
    let upper = mint(&vault, "bot", &part("JANE", "first"));
    assert_eq!(upper, first);
    let initials = mint(&vault, "bot", &part("J. M. D.", "initials"));
    assert_eq!(value(&vault, "bot", &initials).as_deref(), Some("J. M. D."));
    // What an agent makes of the whole by itself.
    let last = Token::new("person", first.suffix(), Some("last")).unwrap();
    assert_eq!(value(&vault, "bot", &last).as_deref(), Some("Doe"));
    let odd = Token::new("person", first.suffix(), Some("middle")).unwrap();
    assert_eq!(value(&vault, "bot", &odd), None);
    // Another text by the name of the same part is a value of its own.
    let second = mint(&vault, "bot", &part("Mary", "first"));
    assert_ne!(second, first);
    assert_eq!(value(&vault, "bot", &second).as_deref(), Some("Mary"));
    let strange = mint(&vault, "bot", &part("Dr. Doe", "No Word"));
    assert_eq!(strange.part(), None);
}

#[test]
fn people_of_one_name_stay_two() {
    let vault = vault(Bounds::default());
    let one = mint(&vault, "bot", &whole("person", "Maria Garcia", Some("contact:1")));
    let two = mint(&vault, "bot", &whole("person", "Maria Garcia", Some("contact:2")));
    assert_ne!(one.suffix(), two.suffix());
    let again = mint(&vault, "bot", &whole("person", "Maria Garcia", Some("contact:1")));
    assert_eq!(again, one);
    // An address is one thing, whoever has it.
    let one = mint(&vault, "bot", &whole("email", "office@acme.com", Some("contact:1")));
    let two = mint(&vault, "bot", &whole("email", "office@acme.com", Some("contact:2")));
    assert_eq!(one, two);
    let known = vault.provenance(&who("bot"), &one, at(0)).unwrap();
    assert_eq!(known.subjects, ["contact:1", "contact:2"]);
}

#[test]
fn words_for_people_hold_in_one_payload() {
    let vault = vault(Bounds::default());
    let bot = who("bot");
    let mut first = vault.minting(&bot, at(0));
    let ann = token(&first.token(&whole("person", "Ann Lee", Some("p1"))).unwrap());
    let mail = token(&first.token(&whole("email", "ann@lee.org", Some("p1"))).unwrap());
    assert_eq!(ann.suffix(), mail.suffix());
    drop(first);
    let mut second = vault.minting(&bot, at(0));
    let bob = token(&second.token(&whole("person", "Bob Ray", Some("p1"))).unwrap());
    assert_ne!(bob.suffix(), ann.suffix());
    assert_eq!(vault.provenance(&bot, &ann, at(0)).unwrap().subjects, Vec::<String>::new());
}

#[test]
fn a_value_gets_its_person_when_that_is_known() {
    let vault = vault(Bounds::default());
    let mail = mint(&vault, "bot", &whole("email", "ann@lee.org", None));
    let known = mint(&vault, "bot", &whole("email", "ann@lee.org", Some("contact:7")));
    let name = mint(&vault, "bot", &whole("person", "Ann Lee", Some("contact:7")));
    assert_eq!((known, name.suffix()), (mail.clone(), mail.suffix()));
}

#[test]
fn principals_share_nothing() {
    let vault = vault(Bounds::default());
    let sight = whole("email", "jane@acme.com", Some("contact:1"));
    let (one, two) = (mint(&vault, "one", &sight), mint(&vault, "two", &sight));
    assert_ne!(one.suffix(), two.suffix());
    assert_eq!(value(&vault, "two", &one), None);
    assert_eq!(value(&vault, "three", &one), None);
    assert_eq!(vault.dictionary(&who("two"), at(0)).entries().len(), 1);
    assert_eq!(vault.dictionary(&who("three"), at(0)).entries().len(), 0);
}

#[test]
fn a_pseudonym_tells_where_its_value_was_shown() {
    let vault = vault(Bounds::default());
    let seen = ["conversation:5/part:3", "contact:1"];
    let sight = Sight { seen_in: &seen, ..whole("phone", "+1 555 0100", None) };
    let phone = mint(&vault, "bot", &sight);
    for number in 0..60 {
        let record = format!("conversation:{number}");
        let _ = mint(&vault, "bot", &Sight { seen_in: &[&record], ..sight });
    }
    let known = vault.provenance(&who("bot"), &phone, at(0)).unwrap();
    assert_eq!(known.seen_in.len(), 32);
    assert!(known.seen_in.contains(&"conversation:59".to_owned()));
}

#[test]
fn unknown_pseudonyms_are_unknown() {
    let vault = vault(Bounds::default());
    let mail = mint(&vault, "bot", &whole("email", "jane@acme.com", Some("contact:1")));
    for (kind, suffix) in [("phone", mail.suffix()), ("email", "000000"), ("email", "ffffffff")] {
        assert_eq!(value(&vault, "bot", &Token::new(kind, suffix, None).unwrap()), None);
    }
    let part = Token::new("email", mail.suffix(), Some("first")).unwrap();
    assert_eq!(value(&vault, "bot", &part), None);
    let mut minting = vault.minting(&who("bot"), at(0));
    for (kind, text) in [("email", " "), ("Email", "x"), ("", "x"), ("e-mail", "x")] {
        assert_eq!(minting.token(&whole(kind, text, None)), None, "{kind} {text}");
    }
}

#[test]
fn what_is_not_seen_for_long_is_forgotten() {
    let vault = vault(Bounds { valid: Duration::from_secs(24 * 60 * 60), ..Bounds::default() });
    let bot = who("bot");
    let (old, used) = (whole("email", "a@b.c", None), whole("email", "d@e.f", None));
    let (old, used) = (mint(&vault, "bot", &old), mint(&vault, "bot", &used));
    assert!(vault.value(&bot, &used, at(DAY)).is_some());
    assert!(vault.value(&bot, &old, at(DAY + 1)).is_none());
    assert!(vault.value(&bot, &used, at(2 * DAY)).is_some());
    assert_eq!(vault.dictionary(&bot, at(2 * DAY)).entries().len(), 1);
    assert_eq!(vault.dictionary(&bot, at(3 * DAY + 1)).entries().len(), 0);
    // It gets the same name again.
    let again = vault.minting(&bot, at(9 * DAY)).token(&whole("email", "a@b.c", None)).unwrap();
    assert_eq!(again, old.to_string());
}

#[test]
fn the_oldest_goes_and_its_suffix_never_means_another() {
    let vault = vault(Bounds { per_principal: 100, ..Bounds::default() });
    let mut given = HashMap::new();
    for number in 0..2000 {
        let mail = format!("user{number}@acme.com");
        let token = mint(&vault, "bot", &whole("email", &mail, None));
        assert!(given.insert(token.clone(), mail.clone()).is_none());
        assert_eq!(value(&vault, "bot", &token), Some(mail));
    }
    let known = given.iter().filter(|(token, mail)| match value(&vault, "bot", token) {
        Some(value) => {
            assert_eq!(value, **mail);
            true
        }
        None => false,
    });
    assert_eq!(known.count(), 100);
}

#[test]
fn all_principals_together_are_bounded() {
    let vault = vault(Bounds { total: 300, ..Bounds::default() });
    for number in 0..3000 {
        let (name, mail) = (format!("bot{}", number % 7), format!("user{number}@acme.com"));
        let sight = whole("email", &mail, None);
        let _ = vault.minting(&who(&name), at(number)).token(&sight);
    }
    let left: usize = (0..7)
        .map(|it| vault.dictionary(&who(&format!("bot{it}")), at(3000)).entries().len())
        .sum();
    assert!((200..=300).contains(&left), "{left}");
    let newest = vault.dictionary(&who("bot3"), at(3000));
    assert!(newest.entries().iter().any(|it| it.value == "user2999@acme.com"));
}

#[test]
fn equal_beginnings_make_longer_suffixes() {
    // 24 bits are shared by two of 20,000 with near certainty.
    let vault = vault(Bounds { per_principal: 40_000, ..Bounds::default() });
    let mut suffixes = BTreeSet::new();
    let mut longer = 0;
    let bot = who("bot");
    let mut minting = vault.minting(&bot, at(0));
    for number in 0..20_000 {
        let mail = format!("user{number}@acme.com");
        let token = token(&minting.token(&whole("email", &mail, None)).unwrap());
        longer += usize::from(token.suffix().len() > 6);
        assert!(suffixes.insert(token.suffix().to_owned()), "{token}");
    }
    drop(minting);
    assert!((1..200).contains(&longer), "{longer}");
}

#[test]
fn a_restart_forgets_nothing_that_was_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let sealer = Sealer::load(folder.path()).unwrap();
    let open = |now| Vault::open(folder.path(), None, &sealer, Bounds::default(), at(now));
    let vault = open(0).unwrap();
    let jane = Some("contact:1");
    let seen = ["conversation:5"];
    let sight = Sight { seen_in: &seen, ..whole("email", "jane@acme.com", jane) };
    let mail = mint(&vault, "bot", &sight);
    let first = Sight { text: "Janey", part: Some("first"), ..whole("person", "Jane Doe", jane) };
    let first = mint(&vault, "bot", &first);
    let two = mint(&vault, "two", &whole("card", "4111 1111", None));
    drop(vault);
    let path = folder.path().join("pseudonyms.vault");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&path).unwrap();
    for secret in ["jane", "acme", "Doe", "4111", "contact", "bot"] {
        assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()), "{secret}");
    }
    let vault = open(1).unwrap();
    assert_eq!(value(&vault, "bot", &mail).as_deref(), Some("jane@acme.com"));
    assert_eq!(value(&vault, "bot", &first).as_deref(), Some("Janey"));
    assert_eq!(value(&vault, "two", &two).as_deref(), Some("4111 1111"));
    assert_eq!(value(&vault, "one", &mail), None);
    let known = vault.provenance(&who("bot"), &mail, at(1)).unwrap();
    assert_eq!(
        (known.subjects, known.seen_in),
        (vec!["contact:1".to_owned()], vec!["conversation:5".to_owned()])
    );
    let phone = mint(&vault, "bot", &whole("phone", "+1 555", jane));
    assert_eq!(phone.suffix(), mail.suffix());
    drop(vault);
    // What is too old is not taken up.
    let late = open(31 * DAY).unwrap();
    assert_eq!(late.value(&who("bot"), &mail, at(31 * DAY)), None);
}

#[test]
fn a_cut_end_is_dropped_and_other_damage_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sealer = Sealer::load(folder.path()).unwrap();
    let open = || Vault::open(folder.path(), None, &sealer, Bounds::default(), at(0));
    let mut tokens = Vec::new();
    for number in 0..3 {
        let vault = open().unwrap();
        let mail = format!("user{number}@acme.com");
        tokens.push((mint(&vault, "bot", &whole("email", &mail, None)), mail));
        drop(vault);
    }
    let path = folder.path().join("pseudonyms.vault");
    let whole_file = fs::read(&path).unwrap();
    let frame = (whole_file.len() - 24) / 4;
    for cut in [1, 7, frame / 2] {
        fs::write(&path, &whole_file[..whole_file.len() - cut]).unwrap();
        let vault = open().unwrap();
        assert_eq!(value(&vault, "bot", &tokens[0].0).as_ref(), Some(&tokens[0].1));
        assert_eq!(value(&vault, "bot", &tokens[2].0), None);
        // It gets the same name again, and goes on behind what was whole.
        assert_eq!(mint(&vault, "bot", &whole("email", &tokens[2].1, None)), tokens[2].0);
        drop(vault);
        assert!(open().is_ok());
    }
    for place in [0, 10, 30, 120, whole_file.len() / 2] {
        let mut changed = whole_file.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(open().is_err(), "{place}");
    }
    for len in 0..24 {
        fs::write(&path, &whole_file[..len]).unwrap();
        assert!(open().is_ok(), "{len}");
    }
    fs::write(&path, &whole_file).unwrap();
    let key = Secret::new("00ff".repeat(16));
    let other = Vault::open(folder.path(), Some(&key), &sealer, Bounds::default(), at(0));
    assert!(matches!(other, Err(VaultError::OtherKey(_))), "{other:?}");
    assert!(matches!(
        Vault::in_memory(Some(&Secret::new("short".to_owned())), &sealer, Bounds::default()),
        Err(VaultError::Key)
    ));
}

#[test]
fn the_file_is_written_anew_when_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let sealer = Sealer::load(folder.path()).unwrap();
    let bounds = Bounds { per_principal: 50, ..Bounds::default() };
    let vault = Vault::open(folder.path(), None, &sealer, bounds, at(0)).unwrap();
    let mut last = None;
    for number in 0..20_000 {
        let mail = format!("user{number}@{}.com", "a".repeat(50));
        last = Some((mint(&vault, "bot", &whole("email", &mail, None)), mail));
    }
    drop(vault);
    let bytes = fs::metadata(folder.path().join("pseudonyms.vault")).unwrap().len();
    assert!(bytes < 4_000_000, "{bytes}");
    let vault = Vault::open(folder.path(), None, &sealer, bounds, at(0)).unwrap();
    let (token, mail) = last.unwrap();
    assert_eq!(value(&vault, "bot", &token), Some(mail));
    assert_eq!(vault.dictionary(&who("bot"), at(0)).entries().len(), 50);
}

/// People with addresses, numbers and names that are alike.
#[derive(Debug, Clone)]
struct Person {
    contact: u8,
    name: String,
    mail: String,
    phone: String,
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let name = ("(Ann|Bob|Jos\u{e9}|Maria|Li)", "(Lee|Ray|Garcia|O'Brien|Li)")
        .prop_map(|(first, last)| format!("{first} {last}"));
    let mail = ("[a-c]{1,2}", "(acme|home)").prop_map(|(user, host)| format!("{user}@{host}.com"));
    let person = (0u8..6, name, mail, "\\+1 555 01[0-9]{2}")
        .prop_map(|(contact, name, mail, phone)| Person { contact, name, mail, phone });
    proptest::collection::vec(person, 1..8)
}

/// How many mixtures of people are tried.
fn mixtures() -> u32 {
    let text = std::env::var("PORTCULLIS_MIXTURES").unwrap_or_default();
    if text.is_empty() { 2_000 } else { text.parse().unwrap() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(mixtures()))]

    /// Whatever comes in which order, a token stands for the value it was given for.
    #[test]
    fn no_token_is_ever_another_persons(people in people(), owners in proptest::collection::vec(any::<bool>(), 32)) {
        let vault = vault(Bounds { per_principal: 1000, ..Bounds::default() });
        let mut given: HashMap<Token, (Class, String)> = HashMap::new();
        let mut owners = owners.into_iter().cycle();
        for person in &people {
            let subject = format!("contact:{}", person.contact);
            for (kind, value) in [("person", &person.name), ("email", &person.mail), ("phone", &person.phone)] {
                let subject = owners.next().unwrap().then_some(subject.as_str());
                let token = mint(&vault, "bot", &whole(kind, value, subject));
                let class = Class::of(kind);
                let canonical = class.canonical(value).to_string();
                let old = given.insert(token.clone(), (class, canonical.clone()));
                prop_assert!(old.is_none_or(|(_, old)| old == canonical));
            }
        }
        for (token, (class, canonical)) in &given {
            let text = value(&vault, "bot", token).unwrap();
            prop_assert_eq!(&*class.canonical(&text), canonical);
        }
    }
}

use canonical::Class;

/// Not a bound, which would depend on the machine: a figure to look at.
#[test]
fn minting_a_known_value_is_quick() {
    let vault = vault(Bounds::default());
    let bot = who("bot");
    let mails: Vec<String> = (0..1000).map(|it| format!("user{it}@acme.com")).collect();
    let seen = ["conversation:1"];
    let mut minting = vault.minting(&bot, at(0));
    let mut round = || {
        for mail in &mails {
            let sight = Sight { seen_in: &seen, ..whole("email", mail, Some("contact:1")) };
            assert!(minting.token(&sight).is_some());
        }
    };
    round();
    let start = std::time::Instant::now();
    (0..10).for_each(|_| round());
    println!("{:?} for each known value", start.elapsed() / 10_000);
}
