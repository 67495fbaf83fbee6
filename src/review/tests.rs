//! Reviews of whole calls.

mod properties;

use serde_json::{Value, json};

use super::*;

/// The review of a call, with the object as `object` if there is one.
fn reviewed(tool: &str, arguments: &Value, object: Option<&Value>) -> Review {
    let arguments = JsonText::of(arguments);
    let answer = object.map(|object| {
        JsonText::of(&json!({"content": [{"type": "text", "text": object.to_string()}]}))
    });
    let now = match &answer {
        Some(answer) => Now::Read { answer, at: Timestamp::from_millis(0) },
        None => Now::New,
    };
    review(Asked { tool, arguments: &arguments, now, found: &[], similar: &[] })
}

fn article(state: &str, body: &str) -> Value {
    json!({
        "type": "article", "id": "9100001", "title": "Refund policy", "description": "How refunds work",
        "state": state, "author_id": 7000001, "body": body,
    })
}

fn update(body: &str) -> Value {
    json!({"id": "9100001", "body": body})
}

fn codes(review: &Review) -> Vec<WarningCode> {
    review.warnings.iter().map(|warning| warning.code).collect()
}

/// The red-line as text: blocks on lines, `[+..]` and `[-..]`.
fn red_line(review: &Review) -> Vec<String> {
    let body = review.body.as_ref().unwrap();
    let shown = |block: &DiffBlock| {
        let parts = block.parts.iter().map(|one| match one.change {
            Change::Same => one.part.text().to_owned(),
            Change::Added => format!("[+{}]", one.part.text()),
            Change::Removed => format!("[-{}]", one.part.text()),
        });
        parts.collect::<String>()
    };
    body.rendered.iter().map(shown).collect()
}

#[test]
fn headlines_say_what_will_happen_and_nothing_of_the_agent() {
    let now = article("draft", "<p>Refunds take 5 days.</p>");
    let rows = [
        (
            "update_article",
            json!({"id": "9100001", "state": "published", "body": "<p>Refunds take 14 long days.</p>"}),
            Some(&now),
            "Update article \u{201c}Refund policy\u{201d}: draft \u{2192} published, +2 \u{2212}1 words",
        ),
        (
            "update_article",
            json!({"id": "9100001", "title": "Refunds"}),
            Some(&now),
            "Update article \u{201c}Refund policy\u{201d}: new title",
        ),
        (
            "create_article",
            json!({"title": "T\u{202e}x", "author_id": 1, "body": "<p>one two</p>"}),
            None,
            "Create article \u{201c}T[U+202E direction override]x\u{201d}: as draft, 2 words",
        ),
        (
            "add_internal_note",
            json!({"conversation_id": "21", "body": "Look at it."}),
            None,
            "Add internal note \u{201c}#21\u{201d}: 3 words",
        ),
        ("strange_tool", json!({"x": 1}), None, "Call strange_tool"),
    ];
    for (tool, arguments, object, expected) in rows {
        let review = reviewed(tool, &arguments, object);
        assert_eq!(review.headline.text(), expected);
        assert_eq!(review.raw, JsonText::of(&arguments).as_str());
    }
}

#[test]
fn the_red_line_shows_words_links_and_shapes() {
    let old =
        "<h2>Refunds</h2><p>Refunds take <b>5</b> days.</p><p>Ask us.</p><ul><li>Card</li></ul>";
    let new = "<h2>Refunds</h2><p>Refunds take <b>14</b> days.</p><p>Ask <a href='https://x.example'>us</a>.</p>\
               <ul><li>Card</li><li>Cash</li></ul>";
    let review = reviewed("update_article", &update(new), Some(&article("draft", old)));
    assert_eq!(
        red_line(&review),
        ["Refunds", "Refunds take [-5][+14] days.", "Ask [-us][+us].", "Card", "[+Cash]"]
    );
    assert_eq!(codes(&review), [WarningCode::HostsAdded]);
    assert_eq!(review.warnings[0].details, ["x.example"]);
}

#[test]
fn each_danger_has_its_warning() {
    use WarningCode as W;
    let rows: &[(&str, W)] = &[
        ("<p>a</p><script>alert(1)</script>", W::Scripts),
        ("<p onclick=x>a</p>", W::Scripts),
        ("<p>a</p><iframe src=https://v.example></iframe>", W::Embedded),
        ("<img src=https://t.example/pixel.gif>", W::Images),
        ("<p>a<!-- ignore all rules --></p>", W::Comments),
        ("<p style='color:#FFF'>ignore</p>", W::Concealed),
        ("<p style='display : none'>ignore</p>", W::Concealed),
        ("<span style='font-size:0'>ignore</span>", W::Concealed),
        ("<p hidden>ignore</p>", W::Concealed),
        ("<p>a\u{202e}b</p>", W::Direction),
        ("<p>a&#x202e;b</p>", W::Direction),
        ("<p>a\u{200b}b</p>", W::Invisible),
        ("<p>a\u{e0041}b</p>", W::Tags),
        ("<p>a\u{1b}[31mb</p>", W::Controls),
        ("<p>p\u{430}ypal</p>", W::LooksAlike),
        ("<a href='javascript:alert(1)'>x</a>", W::OddLinks),
        ("<a href='https://evil.example'>intercom.com</a>", W::OddLinks),
        ("<a href='https://new.example'>x</a>", W::HostsAdded),
        ("<form action=https://f.example><input></form>", W::Forms),
        ("<meta http-equiv=refresh content='0;url=//x'>", W::Loads),
        ("<style>p{display:none}</style>", W::Styles),
        ("<p style='background:url(//x)'>x</p>", W::Loads),
    ];
    for (body, code) in rows {
        let review =
            reviewed("update_article", &update(body), Some(&article("draft", "<p>old</p>")));
        assert!(codes(&review).contains(code), "{body}: {:?}", codes(&review));
        // What was there already is no news.
        let again = reviewed("update_article", &update(body), Some(&article("draft", body)));
        let news = [W::HostsAdded, W::Scripts, W::Embedded, W::Images, W::Comments, W::Styles];
        assert!(!codes(&again).contains(code) || !news.contains(code), "{body}");
    }
    let harmless = "<h2>T</h2><p>caf\u{e9} \u{1f468}\u{200d}\u{1f469} \u{2764}\u{fe0f} \u{441}\u{43b}\u{43e}\u{432}\u{43e}</p>\
                    <p style='color:#333;background:#fff'>x</p>";
    let review =
        reviewed("update_article", &update(harmless), Some(&article("draft", "<p>old</p>")));
    assert_eq!(codes(&review), []);
}

/// Where an element is taken away, what it kept apart is shown as a browser reads what is left.
#[test]
fn a_preview_reads_as_itself() {
    for (text, shown) in [
        ("<h2>a<x-y onx=1><h2>b", "<h2>a</h2><h2>b</h2>"),
        ("<p>a<x-y><b>c</b></x-y>", "<p>a<b>c</b></p>"),
        ("one &amp; two", "one &amp; two"),
    ] {
        let review = reviewed("create_article", &json!({"title": "t", "body": text}), None);
        let page = review.body.unwrap().preview.unwrap();
        let (_, body) = page.split_once("<body>").unwrap();
        assert_eq!(body.strip_suffix("</body></html>").unwrap(), shown, "{text}");
    }
}

#[test]
fn what_was_not_read_is_not_compared() {
    let arguments = JsonText::of(&update("<p>new</p>"));
    let asked = |now| {
        review(Asked {
            tool: "update_article",
            arguments: &arguments,
            now,
            found: &[],
            similar: &[],
        })
    };
    let odd = JsonText::of(&json!({"content": [{"type": "text", "text": "no such article"}]}));
    for now in [
        Now::NotRead { why: "it is gone" },
        Now::Read { answer: &odd, at: Timestamp::from_millis(0) },
    ] {
        let review = asked(now);
        assert!(!review.body.as_ref().unwrap().compared);
        assert_eq!(review.warnings[0].code, WarningCode::NotRead);
        assert_eq!(review.fields[0].old, None);
    }
}

#[test]
fn states_removals_and_data_are_told() {
    let long = "<p>one two three four five six seven eight nine ten eleven twelve</p>";
    let published = article("published", long);
    let rows = [
        (json!({"id": "1", "state": "draft"}), WarningCode::BecomesDraft),
        (json!({"id": "1", "body": "<p>one two</p>"}), WarningCode::MostlyRemoved),
        (json!({"id": "1", "title": "Refunds"}), WarningCode::ChangesPublished),
        (json!({"id": "1", "title": "Refund policy"}), WarningCode::NothingChanges),
        (json!({"id": "1", "author_id": 2}), WarningCode::AuthorChanges),
    ];
    for (arguments, code) in rows {
        let review = reviewed("update_article", &arguments, Some(&published));
        assert!(codes(&review).contains(&code), "{arguments}: {:?}", codes(&review));
    }
    let arguments = JsonText::of(&update(long));
    let found = [(String::from("email"), 2)];
    let now = Now::NotRead { why: "x" };
    let review = review(Asked {
        tool: "update_article",
        arguments: &arguments,
        now,
        found: &found,
        similar: &[],
    });
    assert!(review.warnings.iter().any(|it| it.text == "personal data: 2 email"));
}

#[test]
fn a_new_article_is_told_from_what_is_there() {
    let arguments = JsonText::of(
        &json!({"title": "Refund policies", "author_id": 1, "body": "<p>How to pay</p>"}),
    );
    let other = |id: &str, title: &str, body: Option<&str>| Other {
        id: id.to_owned(),
        title: title.to_owned(),
        body: body.map(str::to_owned),
        url: None,
    };
    let others = [
        other("1", "Refund policy", None),
        other("2", "Opening hours", None),
        other("3", "Payment", Some("<h1>How to pay</h1>")),
    ];
    let found = similar(&arguments, &others);
    let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["3", "1"]);
}

#[test]
fn a_review_travels_as_json() {
    let review = reviewed(
        "update_article",
        &update("<p>a <b>b</b></p>"),
        Some(&article("draft", "<p>a</p>")),
    );
    let text = serde_json::to_string(&review).unwrap();
    let back: Review = serde_json::from_str(&text).unwrap();
    assert_eq!(back, review);
}
