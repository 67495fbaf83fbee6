//! What is found and what is left alone, on sentences that the trainer does not have.

use names::{find, is_first_name, is_surname, is_word, looks_worth_it};
use proptest::prelude::*;

/// The text without its brackets, and what stands in them.
fn read(marked: &str) -> (String, Vec<String>) {
    let names = marked
        .split('[')
        .skip(1)
        .filter_map(|part| part.split_once(']'))
        .map(|(name, _)| name.to_owned());
    (marked.replace(['[', ']'], ""), names.collect())
}

#[test]
fn finds_names_and_leaves_the_rest() {
    let mut wrong = Vec::new();
    for line in include_str!("cases.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (text, expected) = read(&line.replace("\\n", "\n"));
        let found: Vec<_> = find(&text, 0.5)
            .into_iter()
            .filter_map(|n| text.get(n.bytes).map(str::to_owned))
            .collect();
        if found != expected {
            wrong.push(format!("{line}\n   found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn knows_names_and_words() {
    for name in ["Sarah", "josé", "JOSE", "Łukasz", "Anna"] {
        assert!(is_first_name(name), "{name}");
    }
    for name in ["Smith", "Müller", "muller", "García", "Nguyen"] {
        assert!(is_surname(name), "{name}");
    }
    for word in ["will", "Mark", "table", "invoice", "commande"] {
        assert!(is_word(word), "{word}");
    }
    for word in ["", " ", "invoice", "subscription", "!!"] {
        assert!(!is_first_name(word) && !is_surname(word), "{word}");
    }
}

#[test]
fn says_where_looking_is_worth_it() {
    for line in ["Thanks, Jörg", "i think cheryl wright did it", "hi jane", "Ольга звонила"]
    {
        assert!(looks_worth_it(line), "{line}");
    }
    for line in
        ["", "the page is blank", "it is not working since the last update", "12:30 - 14:00, 5%"]
    {
        assert!(!looks_worth_it(line), "{line}");
    }
}

/// Each would take minutes if a text were read again from each of its words.
#[test]
fn long_texts_are_read_once() {
    for part in [
        "a.",
        "a-",
        "1.",
        "a@",
        "'",
        "X ",
        "中",
        "김",
        "ア",
        "http://a ",
        "O'",
        "\n",
        "a.b@",
        "\u{300}",
        "Ab-",
    ] {
        let text = part.repeat(60_000);
        let _ = find(&text, 0.5);
        let _ = looks_worth_it(&text);
    }
}

proptest! {
    #[test]
    fn any_text_gives_ranges_of_it(text in "\\PC{0,200}", threshold in 0.0_f32..1.0) {
        let mut last = 0;
        for name in find(&text, threshold) {
            prop_assert!(text.get(name.bytes.clone()).is_some_and(|n| !n.is_empty()));
            prop_assert!(name.bytes.start >= last);
            prop_assert!((threshold..=1.0).contains(&name.confidence) || (name.confidence - threshold).abs() < 1e-4);
            last = name.bytes.end;
        }
        let _ = looks_worth_it(&text);
    }

    #[test]
    fn mixtures_of_words_and_signs_give_ranges(words in prop::collection::vec("(?:Jane|O'Brien|van|de|J|\\.|,|-|@|://|www|a@b.c|\n|é|中|김|さん|\u{200b}|'|’s|\\d| ){1}", 0..40)) {
        let text = words.concat();
        for name in find(&text, 0.1) {
            prop_assert!(text.get(name.bytes).is_some());
        }
    }

    #[test]
    fn a_lower_threshold_finds_no_less(text in "(?:[A-Z][a-z]{1,8}|[a-z]{1,6}|,|\\.)(?: (?:[A-Z][a-z]{1,8}|[a-z]{1,6}|,|\\.)){0,20}") {
        let covered = |t: f32| find(&text, t).into_iter().map(|n| n.bytes.len()).sum::<usize>();
        prop_assert!(covered(0.2) >= covered(0.6));
    }
}
