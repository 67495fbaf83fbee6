//! What holds for every text: spans lie in it, tags and pseudonyms are left alone, and what is masked
//! stays quiet.

use kit::{Document, Finding, Form, Leaf};
use pii::{Config, inspect};
use proptest::prelude::*;

fn document(texts: &[String], form: Form) -> Document {
    let leaf = |(n, text): (usize, &String)| Leaf {
        path: format!("/parts/{n}/body"),
        text: text.clone(),
        form,
        ..Leaf::default()
    };
    let mut leaves: Vec<Leaf> = texts.iter().enumerate().map(leaf).collect();
    for (key, value) in
        [("type", "user"), ("id", "66aa"), ("name", "Jane Doe"), ("email", "jane.doe@example.net")]
    {
        leaves.push(Leaf {
            path: format!("/author/{key}"),
            text: value.to_owned(),
            ..Leaf::default()
        });
    }
    Document { tool: "get_conversation".to_owned(), leaves, ..Document::default() }
}

/// Pieces of which texts that look real are made.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "Jane",
        "Doe",
        "jane.doe@example.net",
        "jane&#64;example.net",
        "<b>",
        "</b>",
        "<br>",
        "<wbr>",
        "&amp;",
        "%40",
        "%2540",
        "\\u0040",
        "+49 171 2345678",
        "(202) 555-0143",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "1 Main Street",
        "12345 Berlin",
        " ",
        " ",
        "\n",
        ", ",
        ". ",
        "at",
        "dot",
        "Hi ",
        "Regards,",
        "password ",
        "hunter2!x",
        "order ",
        "10.2.3.4",
        "93.184.216.34",
        "é",
        "山田",
        "\u{200b}",
        "[[email:7f3a9c]]",
        "[[person:7f3a9c/first]]",
        "born 12.3.1990",
        "amFuZS5kb2VAZXhhbXBsZS5uZXQ",
        "ｊａｎｅ",
        "јаnе",
        "<a href=\"mailto:jane.doe@example.net\">",
        "</a>",
        "J A N E  D O E",
        "five five five one two three four",
        "token=",
        "aB3dE5gH7jK9mN1pQ3sT5vW7",
        "-",
        "@",
        "12.34567, 45.67890",
        "2001:db8:1:2:3:4:5:6",
        "<!-- Jane -->",
    ]);
    prop_oneof![8 => fixed.prop_map(str::to_owned), 1 => ".{0,6}", 1 => "[0-9+(). -]{1,18}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

fn masked(text: &str, findings: &[&Finding]) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for finding in findings {
        out.push_str(&text[from..finding.bytes().start]);
        out.push_str(&format!("[[{}:0abc12]]", finding.kind));
        from = finding.bytes().end;
    }
    out.push_str(&text[from..]);
    out
}

/// Where pseudonyms stand in a text.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(n) = text[from..].find("[[") {
        let start = from + n;
        let Some(m) = text[start..].find("]]") else { break };
        let token = &text[start + 2..start + m];
        let (kind, rest) = token.split_once(':').unwrap_or(("", ""));
        let hex = rest.split('/').next().unwrap_or_default();
        let real = !kind.is_empty()
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && hex.len() >= 4
            && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if real {
            out.push(start..start + m + 2);
        }
        from = start + 2;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn spans_lie_between_characters_and_apart(texts in prop::collection::vec(text(), 1..3), html in any::<bool>()) {
        let document = document(&texts, if html { Form::Html } else { Form::Text });
        let report = inspect(&document, &Config::default());
        let mut last = (0, 0);
        for finding in &report.findings {
            let text = &document.leaves[finding.leaf as usize].text;
            prop_assert!(text.get(finding.bytes()).is_some_and(|t| !t.is_empty()), "{finding:?} in {text:?}");
            prop_assert!(pii::DESCRIPTION.kinds.contains(&finding.kind) && finding.confidence <= 100);
            if last.0 == finding.leaf {
                prop_assert!(finding.start >= last.1, "{finding:?} overlaps in {text:?}");
            }
            last = (finding.leaf, finding.end);
        }
    }

    #[test]
    fn tags_and_pseudonyms_are_left_alone(text in text()) {
        let document = document(std::slice::from_ref(&text), Form::Html);
        let report = inspect(&document, &Config::default());
        for finding in report.findings.iter().filter(|f| f.leaf == 0) {
            let span = &text[finding.bytes()];
            for tag in ["<b>", "</b>", "<br>", "</a>", "<a href"] {
                prop_assert!(!span.contains(tag), "{span:?} of {text:?}");
            }
            for token in tokens(&text) {
                let apart = finding.bytes().end <= token.start || finding.bytes().start >= token.end;
                prop_assert!(apart, "{span:?} touches a pseudonym in {text:?}");
            }
        }
    }

    #[test]
    fn what_is_masked_stays_quiet(text in text()) {
        let first = document(std::slice::from_ref(&text), Form::Html);
        let report = inspect(&first, &Config::default());
        let found: Vec<&Finding> = report.findings.iter().filter(|f| f.leaf == 0).collect();
        let new = masked(&text, &found);
        let second = document(std::slice::from_ref(&new), Form::Html);
        for finding in inspect(&second, &Config::default()).findings.iter().filter(|f| f.leaf == 0) {
            for token in tokens(&new) {
                prop_assert!(finding.bytes().end <= token.start || finding.bytes().start >= token.end, "{finding:?} in {new:?}");
            }
        }
    }

    #[test]
    fn any_text_and_any_key_pass(key in ".{0,12}", text in "\\PC{0,80}", form in 0..4u8) {
        let form = [Form::Text, Form::Html, Form::Key, Form::Number][form as usize];
        let leaf = Leaf { path: format!("/custom_attributes/{}", key.replace('~', "~0").replace('/', "~1")), text: text.clone(), form, ..Leaf::default() };
        let document = Document { leaves: vec![leaf], ..Document::default() };
        for finding in inspect(&document, &Config::default()).findings {
            prop_assert!(text.get(finding.bytes()).is_some());
        }
    }
}

/// An address whose signs before its name stand on the other side of a tag.
#[test]
fn a_tag_between_signs_is_not_taken_along() {
    let text = "-+<a href=\"mailto:jane.doe@example.net\">%40jane.doe@example.net".to_owned();
    let found = inspect(&document(std::slice::from_ref(&text), Form::Html), &Config::default());
    let pieces: Vec<&str> =
        found.findings.iter().filter(|f| f.leaf == 0).map(|f| &text[f.bytes()]).collect();
    assert!(pieces.iter().all(|piece| !piece.contains(['<', '>'])), "{pieces:?}");
    assert_eq!(
        pieces.iter().filter(|piece| **piece == "jane.doe@example.net").count(),
        2,
        "{pieces:?}"
    );
}

/// The work grows with a text and not with its square: a customer may write what they like.
#[test]
fn long_texts_take_long_and_no_longer() {
    let pieces = [
        "jane ",
        "Jane Doe ",
        "a@b.example ",
        "Kim Lee, ",
        "+49 171 2345678 ",
        "1 2 3 4 5 6 7 8 9 ",
        "((((",
        "@@@@",
        "<b>",
        "&amp;",
        "%2525252525",
        "Main Street 5, ",
        "at dot ",
        "token=",
        "J D ",
        "12.3.1990 ",
        "one two three ",
        "AAAAAAAAAAAAAAAA/",
        "山田",
        "password ",
        "[[",
        "ab.cd_ef-gh@",
        "\n",
        "Hi ",
        "10.20.30.40.",
    ];
    for piece in pieces {
        let time = |size: usize| {
            let document = document(&[piece.repeat(size / piece.len())], Form::Html);
            let start = std::time::Instant::now();
            let _ = inspect(&document, &Config::default());
            start.elapsed().as_secs_f64()
        };
        let small = (0..2).map(|_| time(4_000)).fold(f64::MAX, f64::min);
        let large = (0..1).map(|_| time(32_000)).fold(f64::MAX, f64::min);
        assert!(
            large < small.max(0.005) * 50.0,
            "{piece:?}: {small} s for 4 KB, {large} s for 32 KB"
        );
    }
}

/// An address that stands against a pseudonym ends before it.
#[test]
fn an_address_leaves_the_pseudonym_behind_it() {
    let text = "1 Main Street[[email:7f3a9c]]<br>4111 1111 1111 1111".to_owned();
    let document = document(std::slice::from_ref(&text), Form::Html);
    let report = inspect(&document, &Config::default());
    let found: Vec<&str> =
        report.findings.iter().filter(|f| f.leaf == 0).map(|f| &text[f.bytes()]).collect();
    assert_eq!(found, ["1 Main Street", "4111 1111 1111 1111"]);
}
