//! What an approver does with one call beside releasing it: edits that touch nothing else, giving it to a
//! colleague, reading it to its end, what a revision changed. By the real binary.

use http::StatusCode;
use portcullis::domain::HoldState;
use serde_json::{Value, json};

use crate::page::{act, ann, grantable, held, person, setup};
use crate::stand::{Stand, until};

/// A field that nobody touched is sent as the agent gave it, though a browser sends every line end as two
/// characters and drops the first one of a text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_leaves_what_was_not_touched() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let body = "\n<p>one</p>\r<p>two</p>\r\n<p>three</p>\n";
    let call = json!({"title": "before", "author_id": 7_000_001, "body": body});
    let id = held(&stand, "create_article", call.clone()).await;
    let page = browser.get(&format!("/holds/{id}/edit")).await;
    assert!(page.text.contains("spellcheck=\"true\">\n\n&#60;p&#62;one"), "{}", page.text);
    let base = stand.hold(id).await.1.to_string();
    let fields = [
        ("base", base.as_str()),
        ("field.title", "after"),
        ("field.body", "\r\n<p>one</p>\r\n<p>two</p>\r\n<p>three</p>\r\n"),
    ];
    let done = act(&mut browser, id, "edit", &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    until("it is sent", async || stand.sent("after") == 1).await;
    let sent = stand.calls().into_iter().filter_map(|it| it.arguments);
    let sent: Vec<Value> = sent.filter(|it| it["title"] == "after").collect();
    assert_eq!(sent[0]["body"], body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_given_to_a_colleague_and_back() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let _bob = person(&stand, "bob").await;
    let call = json!({"title": "whose", "author_id": 7_000_001});
    let id = held(&stand, "create_article", call).await;
    let address = format!("/holds/{id}");
    let page = browser.get(&address).await;
    let choice = "<option value=\"bob\">bob</option>";
    assert!(page.text.contains(choice) && !page.text.contains("<option value=\"ann\">"));
    for (to, expected) in [("bob", Some("bob")), ("", None)] {
        let done = act(&mut browser, id, "assign", &[("to", to)]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let assignee = stand.hold(id).await.0.assignee.map(|it| it.to_string());
        assert_eq!(assignee.as_deref(), expected);
    }
    let nobody = act(&mut browser, id, "assign", &[("to", "eve")]).await;
    assert!(nobody.text.contains("nobody is called"), "{}", nobody.text);
}

/// The end of a text is only where the text is; and what a revision changed stands in a view of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_is_read_beside_the_one_before() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let call = |word: &str| json!({"title": "guide", "author_id": 7_000_001, "body": format!("<p>the {word} text</p>")});
    let first = held(&stand, "create_article", call("old")).await;
    let page = browser.get(&format!("/holds/{first}?tab=fields")).await;
    assert!(!page.text.contains("?tab=since"), "there is nothing before it");
    for (tab, has_end) in [("change", true), ("source", true), ("raw", true), ("fields", false)] {
        let page = browser.get(&format!("/holds/{first}?tab={tab}")).await;
        assert_eq!(page.text.contains("id=\"end\""), has_end, "{tab}");
    }
    let done = act(&mut browser, first, "ask", &[("words", "say new")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(stand.hold(first).await.0.state, HoldState::ChangesRequested);
    let second = held(&stand, "create_article", call("new")).await;
    let page = browser.get(&format!("/holds/{second}?tab=since")).await;
    let view = page.text.split("id=\"sheet\"").nth(1).unwrap().split("</section>").next().unwrap();
    for part in ["revision 1", "body", ">old</del>", ">new</ins>"] {
        assert!(view.contains(part), "{part} is not in {view}");
    }
    assert!(!view.contains("title") || !view.contains("guide"), "what stays is not shown: {view}");
}
