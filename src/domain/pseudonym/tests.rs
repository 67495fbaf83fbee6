//! Tests of the grammar.

use proptest::prelude::*;

use super::*;

fn token(text: &str) -> Token {
    let inside = text.trim_start_matches("[[").trim_end_matches("]]");
    let (kind, rest) = inside.split_once(':').unwrap();
    let (suffix, part) = match rest.split_once('/') {
        Some((suffix, part)) => (suffix, Some(part)),
        None => (rest, None),
    };
    Token::new(kind, suffix, part).unwrap()
}

#[test]
fn what_agents_make_of_a_pseudonym_is_read() {
    for (text, expected) in [
        ("[[email:7f3a9c]]", "[[email:7f3a9c]]"),
        ("[[person:7f3a9c/first]]", "[[person:7f3a9c/first]]"),
        ("[[birth_date:7f3a9c01]]", "[[birth_date:7f3a9c01]]"),
        ("[[Email:7F3A9C]]", "[[email:7f3a9c]]"),
        ("[[PERSON:7f3a9c/FIRST]]", "[[person:7f3a9c/first]]"),
        ("\\[\\[email:7f3a9c\\]\\]", "[[email:7f3a9c]]"),
        ("\\[[birth\\_date:7f3a9c\\]]", "[[birth_date:7f3a9c]]"),
        ("&#91;&#91;email&#58;7f3a9c&#93;&#93;", "[[email:7f3a9c]]"),
        ("&#x5b;&#x5B;email:7f3a9c&#x5d;&#x5D;", "[[email:7f3a9c]]"),
        ("&lbrack;&lsqb;person:7f3a9c&sol;last&rbrack;&rsqb;", "[[person:7f3a9c/last]]"),
        ("%5B%5Bemail%3A7f3a9c%5D%5D", "[[email:7f3a9c]]"),
        ("%255b%255bemail%253a7f3a9c%255d%255d", "[[email:7f3a9c]]"),
        ("[[[email:7f3a9c]]](x)", "[[email:7f3a9c]]"),
    ] {
        let found = find(text);
        let [one] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!(one.what, Seen::Token(token(expected)), "{text}");
        let around = format!("Hi {text}, und \u{fc}berall");
        let [one] = find(&around).try_into().unwrap();
        assert_eq!(one.what, Seen::Token(token(expected)), "{around}");
    }
}

#[test]
fn what_is_altered_is_told_and_not_mended() {
    for text in [
        "[[email:7f3a9]]",
        "[[email:7f3a9c]",
        "[[email:7f3a9c",
        "[[email:7f3a9c/]]",
        "[[email: 7f3a9c]]",
        "[[ email:7f3a9c ]]",
        "[[email:7f3a9g]]",
        "[[email=7f3a9c]]",
        "[[email\u{ff1a}7f3a9c]]",
        "[[e\u{200b}mail:7f3a9c]]",
        "[[email:7f3a\u{200b}9c]]",
        "[[per-son:7f3a9c]]",
        "[[person:7f3a9c/fir st]]",
        "[[person:7f3a9c first]]",
        "[[\u{435}mail:7f3a9c]]",
        "&#91;&#91;email:7f3a9&#93;&#93;",
    ] {
        let around = format!("to {text} and");
        let found = find(&around);
        let [one] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!(one.what, Seen::Altered, "{text}");
        assert_eq!(one.bytes.start, 3, "{text}");
    }
}

#[test]
fn what_lost_its_brackets_is_left_to_whoever_knows() {
    for text in [
        "[email:7f3a9c]",
        "[email:7f3a9c]]",
        "email:7f3a9c",
        "(email:7f3a9c)",
        "{{email:7f3a9c}}",
        "\u{27e6}email:7f3a9c\u{27e7}",
        "\u{3010}email:7f3a9c\u{3011}",
        "\u{ff3b}\u{ff3b}email:7f3a9c\u{ff3d}\u{ff3d}",
        "[~[email:7f3a9c]]",
        "[ [email:7f3a9c] ]",
    ] {
        let found = find(text);
        let [one] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!(one.what, Seen::Bare(token("[[email:7f3a9c]]")), "{text}");
    }
}

#[test]
fn other_texts_hold_nothing() {
    for text in [
        "",
        "[[]]",
        "[[Main Page]]",
        "[[Help:Contents]]",
        "a[[0]] = b[[1]]",
        "[[1,2],[3,4]]",
        "see https://example.com:8080/a?b=%5B1%5D at 12:30:45",
        "if [[ -f x ]]; then echo; fi",
        "&amp;&lt;b&gt; 100% \\o/ :-)",
        "[link](https://example.com)",
        "\u{e9}\u{4e2d}\u{6587}\u{3002}\u{ff3b}x\u{ff3d}",
        "note: abcdefg",
    ] {
        assert_eq!(find(text), [], "{text}");
        assert_eq!(defused(text), text);
    }
}

#[test]
fn texts_of_others_are_defused_visibly_and_once() {
    for (text, expected) in [
        ("I am [[email:7f3a9c]]!", "I am [~[email:7f3a9c]]!"),
        ("&#91;&#91;email:7f3a9c&#93;&#93;", "&#91;~&#91;email:7f3a9c&#93;&#93;"),
        ("\\[\\[email:7f3a9c\\]\\]", "\\[~\\[email:7f3a9c\\]\\]"),
        ("[[[email:7f3a9c]]]", "[[~[email:7f3a9c]]]"),
        ("[[email:7f3]]", "[~[email:7f3]]"),
        // One in another, or behind other brackets.
        ("[[person:00ff00[[email:7f3a9c]]", "[~[person:00ff00[~[email:7f3a9c]]"),
        ("[[person:00ff00&#91;%5Bemail:7f3a9c]]", "[~[person:00ff00&#91;~%5Bemail:7f3a9c]]"),
        ("[\u{27e6}[[email:7f3a9c]]", "[\u{27e6}[~[email:7f3a9c]]"),
    ] {
        assert_eq!(defused(text), expected);
        assert_eq!(defused(expected), expected);
        let mut spliced = text.to_owned();
        for place in imitations(text).into_iter().rev() {
            spliced.insert_str(place, mark());
        }
        assert_eq!(spliced, expected);
    }
}

#[test]
fn replacing_leaves_the_rest() {
    let text = "Hi [[person:7f3a9c/first]], your [[EMAIL:7f3a9c]] [[email:7f3a9]] email:7f3a9c";
    let by = |token: &Token| (token.kind() == "person").then(|| "Jane".to_owned());
    let expected = "Hi Jane, your [[EMAIL:7f3a9c]] [[email:7f3a9]] email:7f3a9c";
    assert_eq!(replaced(text, by), expected);
    assert_eq!(respelled("a %5B%5BEmail:7f3a9c%5D%5D b"), "a [[email:7f3a9c]] b");
    assert!(matches!(respelled("nothing"), Cow::Borrowed(_)));
}

#[test]
fn parts_that_do_not_fit_make_no_token() {
    for (kind, suffix, part) in [
        ("", "7f3a9c", None),
        ("Email", "7f3a9c", None),
        ("e mail", "7f3a9c", None),
        ("1email", "7f3a9c", None),
        ("email", "7f3a9", None),
        ("email", "7F3A9C", None),
        ("email", "7f3a9g", None),
        ("email", "7f3a9c", Some("")),
        ("email", "7f3a9c", Some("a/b")),
    ] {
        assert_eq!(Token::new(kind, suffix, part), None, "{kind} {suffix} {part:?}");
    }
    assert_eq!(Token::new(&"k".repeat(MOST_KIND + 1), "7f3a9c", None), None);
}

fn any_token() -> impl Strategy<Value = Token> {
    ("[a-z][a-z0-9_]{0,11}", "[0-9a-f]{6,12}", proptest::option::of("[a-z][a-z0-9_]{0,7}"))
        .prop_map(|(kind, suffix, part)| Token::new(&kind, &suffix, part.as_deref()).unwrap())
}

/// Texts full of what the grammar is made of.
fn crowded() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("[[".to_owned()),
        Just("]]".to_owned()),
        Just(":".to_owned()),
        Just("/".to_owned()),
        Just("~".to_owned()),
        Just("\\[".to_owned()),
        Just("&#91;".to_owned()),
        Just("&#91".to_owned()),
        Just("&".to_owned()),
        Just("%5B".to_owned()),
        Just("%".to_owned()),
        Just("\u{200b}".to_owned()),
        Just("\u{27e6}".to_owned()),
        Just("email".to_owned()),
        Just("7f3a9c".to_owned()),
        Just("person:00ff00".to_owned()),
        "[a-f0-9]{1,8}",
        any_token().prop_map(|token| token.to_string()),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_found(tokens in proptest::collection::vec(any_token(), 1..6), between in "[a-z ,.]{0,9}") {
        let mut text = between.clone();
        for token in &tokens {
            text.push_str(&token.to_string());
            text.push_str(&between);
        }
        let found: Vec<Token> = find(&text)
            .into_iter()
            .map(|one| match one.what {
                Seen::Token(token) => token,
                other => panic!("{other:?} in {text}"),
            })
            .collect();
        prop_assert_eq!(&found, &tokens);
        let emptied = replaced(&text, |_| Some(String::new())).into_owned();
        prop_assert_eq!(emptied, between.repeat(tokens.len() + 1));
    }

    #[test]
    fn sightings_are_in_order_and_between_characters(text in crowded()) {
        let mut last = 0;
        for one in find(&text) {
            prop_assert!(one.bytes.start >= last && one.bytes.end > one.bytes.start, "{text:?}");
            prop_assert!(text.get(one.bytes.clone()).is_some());
            prop_assert!(one.bytes.contains(&one.inside));
            last = one.bytes.end;
        }
    }

    #[test]
    fn nothing_is_left_in_a_defused_text(text in crowded()) {
        let once = defused(&text).into_owned();
        let left: Vec<_> = find(&once).into_iter().filter(|one| !matches!(one.what, Seen::Bare(_))).collect();
        prop_assert!(left.is_empty(), "{text:?} -> {once:?}: {left:?}");
        prop_assert_eq!(&defused(&once), &once);
        prop_assert_eq!(once.replace('~', ""), text.replace('~', ""));
        // Nor is there in a part of it, which is all that an agent may copy.
        for (at, _) in once.char_indices() {
            let left = find(&once[at..]).into_iter().find(|one| !matches!(one.what, Seen::Bare(_)));
            prop_assert!(left.is_none(), "{text:?} -> {once:?} from {at}: {left:?}");
        }
    }
}
