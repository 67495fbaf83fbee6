//! What holds for every text: nothing is lost, no element comes from data, time is bounded.

use std::time::{Duration, Instant};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use super::{article, reviewed, update};

/// Pieces of which hostile and harmless bodies are made.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<a href='https://x.example/'>",
        "</a>",
        "<ul><li>",
        "</li>",
        "</ul>",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<table><tr><td>",
        "</td></tr></table>",
        "<img src=x onerror=alert(1) alt='a b'>",
        "<iframe src='//e.example'>",
        "</iframe>",
        "<svg><style>",
        "<textarea>",
        "</textarea>",
        "<plaintext>",
        "&amp;",
        "&#x202e;",
        "&lt;script&gt;",
        "\u{202e}",
        "\u{200b}",
        "\u{e0041}",
        "\n",
        "  ",
        "\0",
        "<h2>",
        "</h2>",
        "<pre>",
        "</pre>",
        "<br>",
        "<p style='display:none'>",
        "<math><mtext>",
        "<noscript>",
        "<template>",
        "<![CDATA[",
        "<?php",
        "<div ",
        "'",
        "\"",
        "<x-y onx=1>",
    ]);
    prop_oneof![
        fixed.prop_map(str::to_owned),
        "[a-z]{1,6} ",
        "\\PC{1,4}",
        prop::sample::select(vec!["one ", "two ", "three "]).prop_map(str::to_owned),
    ]
}

fn body() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

/// The text of one side of the red-line and of the source diff.
fn sides(body: &Body, side: Change) -> (String, String) {
    let keeps = |change: Change| change == Change::Same || change == side;
    let mut rendered = String::new();
    for block in &body.rendered {
        let parts = block.parts.iter().filter(|one| keeps(one.change));
        rendered.extend(parts.map(|one| one.part.text()));
    }
    let segments = body.source.iter().flat_map(|line| &line.segments);
    let source = segments.filter(|one| keeps(one.change)).map(|one| one.text.as_str()).collect();
    (rendered, source)
}

fn without_breaks(document: &Document) -> String {
    document.blocks.iter().flat_map(|block| &block.parts).map(Part::text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost(old in body(), new in body()) {
        let review = reviewed("update_article", &update(&new), Some(&article("draft", &old)));
        let body = review.body.as_ref().unwrap();
        prop_assert!(body.compared);
        let (rendered, source) = sides(body, Change::Removed);
        prop_assert_eq!(&source, &old);
        prop_assert_eq!(rendered, without_breaks(&Document::read(&old)));
        let (rendered, source) = sides(body, Change::Added);
        prop_assert_eq!(&source, &new);
        prop_assert_eq!(rendered, without_breaks(&Document::read(&new)));
    }

    #[test]
    fn the_same_question_has_the_same_answer(old in body(), new in body()) {
        let once = reviewed("update_article", &update(&new), Some(&article("draft", &old)));
        let twice = reviewed("update_article", &update(&new), Some(&article("draft", &old)));
        prop_assert_eq!(once, twice);
        let same = reviewed("update_article", &update(&new), Some(&article("draft", &new)));
        prop_assert!(!same.body.unwrap().changes());
    }

    #[test]
    fn the_preview_has_only_elements_of_the_list(new in body()) {
        let review = reviewed("create_article", &json!({"title": "t", "body": new}), None);
        if let Some(page) = review.body.unwrap().preview {
            let body = page.split_once("</head>").unwrap().1;
            for (name, attributes) in elements(body) {
                let known = ["body", "html"].contains(&name.as_str());
                prop_assert!(known || super::super::preview::ALLOWED.contains(&name.as_str()), "<{}>", name);
                for attribute in attributes {
                    prop_assert!(["alt", "colspan", "rowspan", "start"].contains(&attribute.as_str()), "{}", attribute);
                }
            }
            // Cleaning what is clean changes nothing, for it reads as itself.
            let inner = body.strip_prefix("<body>").unwrap().strip_suffix("</body></html>").unwrap();
            let again = reviewed("create_article", &json!({"title": "t", "body": inner}), None);
            let again = again.body.unwrap().preview.unwrap();
            prop_assert_eq!(again, page.clone());
        }
    }

    #[test]
    fn what_is_shown_of_a_text_has_nothing_hidden(text in "\\PC*", more in body()) {
        let text = text + &more;
        let shown = plain(&text).into_owned();
        let joins = |c: char| matches!(c, '\u{200d}' | '\u{fe0f}' | '\n' | '\t');
        let still_hidden = shown.chars().any(|c| crate::domain::is_hidden(c) && !joins(c));
        prop_assert!(!still_hidden, "{:?}", shown);
        let length: usize = visible(&text).iter().map(|piece| match piece {
            Visible::Text(text) => text.chars().count(),
            Visible::Mark(mark) => mark.count,
        }).sum();
        prop_assert_eq!(length, text.chars().count());
    }
}

/// The elements of a page with their attributes, as a browser's tokenizer reads them.
fn elements(page: &str) -> Vec<(String, Vec<String>)> {
    #[derive(Default)]
    struct Names(std::cell::RefCell<Vec<(String, Vec<String>)>>);
    impl TokenSink for Names {
        type Handle = ();
        fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
            if let Token::TagToken(tag) = token {
                let attributes = tag.attrs.iter().map(|one| one.name.local.to_string()).collect();
                self.0.borrow_mut().push((tag.name.to_string(), attributes));
            }
            TokenSinkResult::Continue
        }
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(page));
    let tokens = Tokenizer::new(Names::default(), TokenizerOpts::default());
    let _ = tokens.feed(&input);
    tokens.end();
    tokens.sink.0.into_inner()
}

#[test]
fn the_names_of_the_test_are_seen() {
    let found = elements("<p a=1><script>x</script>");
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], (String::from("p"), vec![String::from("a")]));
}

/// Bodies of a megabyte that are made to take long.
#[test]
fn a_megabyte_takes_bounded_time() {
    let megabyte = |piece: &str| piece.repeat((1 << 20) / piece.len());
    let numbered = |with: &str, count: usize| {
        (0..count).map(|at| with.replace("%", &at.to_string())).collect::<String>()
    };
    let mixed = |step: usize| {
        (0..120_000_usize)
            .map(|at| format!("w{} ", at.wrapping_mul(step) % 7919))
            .collect::<String>()
    };
    let rows: Vec<(&str, String, String)> = vec![
        ("lines", "\n".repeat(100_000), "\n".repeat(100_001)),
        ("other lines", numbered("<p>old %</p>\n", 50_000), numbered("<p>new %</p>\n", 50_000)),
        ("words", mixed(17), mixed(31)),
        ("one word", megabyte("a"), megabyte("b")),
        ("two words", megabyte("a b "), megabyte("b a c ")),
        ("nested", megabyte("<div>"), megabyte("<b>")),
        ("nested, closed by nothing", megabyte("<div></b>"), megabyte("<div><p>")),
        ("formatting", numbered("<p><b id=%></p>", 50_000), numbered("<b id=%><p>", 50_000)),
        ("tables", megabyte("<table><tr><td>"), megabyte("<table><b>")),
        ("lists", megabyte("<ul><li>x"), megabyte("<li>x<li>y")),
        (
            "links",
            numbered("<a href=//h%.example>x</a>", 30_000),
            numbered("<a href=//g%.example>y</a>", 30_000),
        ),
        ("hidden", megabyte("\u{200b}\u{200c}"), megabyte("a\u{202e}")),
        ("open comment", megabyte("<!--"), megabyte("<![CDATA[")),
        ("attributes", format!("<p {}>", numbered("a%=1 ", 20_000)), String::new()),
        ("entities", megabyte("&amp;"), megabyte("&notit;")),
        ("open tags", megabyte("<"), megabyte("<a ")),
    ];
    for (name, old, new) in rows {
        let began = Instant::now();
        let review = reviewed("update_article", &update(&new), Some(&article("draft", &old)));
        let took = began.elapsed();
        println!("{name}: {took:?}");
        // Far over what an optimised build takes; without bounds these take minutes and hours.
        assert!(took < Duration::from_secs(30), "{name}: {took:?}");
        let (_, source) = sides(review.body.as_ref().unwrap(), Change::Added);
        assert!(source == new, "{name}: the source is not whole");
    }
}
