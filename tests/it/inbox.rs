//! What an approver comes to in the inbox and after a decision: the next call that is theirs, what was put
//! aside, what they looked for, and the names of what calls are about. By the real binary.

use http::StatusCode;
use portcullis::control::Wish;
use portcullis::domain::{HoldId, HoldState};
use serde_json::json;

use crate::browser::Browser;
use crate::client::Client;
use crate::load::created;
use crate::page::{act, ann, grantable, held, person, setup};
use crate::road::{ARTICLE, hold_id};
use crate::stand::{Stand, told, until, wish};

/// Decides on a hold; the hold that the page then leads to.
async fn rejected(browser: &mut Browser, id: HoldId) -> Option<HoldId> {
    let done = act(browser, id, "reject", &[("words", "no")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let page = browser.get(done.header("location")).await;
    let (before, _) = page.text.split_once("\" id=\"next\"")?;
    Some(before.rsplit('/').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_decision_one_comes_to_the_next_call_that_is_theirs() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    stand.kill();
    let key = stand.add_key("principals", "other");
    stand.serve();
    // Of no group, so that changes of articles are not for her.
    let mut eve = person(&stand, "eve").await;
    held(&stand, "update_article", json!({"id": ARTICLE, "title": "not for eve"})).await;
    let mut ids = Vec::new();
    for number in 0..14 {
        ids.push(held(&stand, "create_article", created(&format!("flood {number}"))).await);
    }
    let client = Client::new(&stand.url, &key).connected().await;
    let reply = client.call("create_article", created("of another agent")).await;
    let other: HoldId = hold_id(reply.tool_text()).parse().unwrap();
    assert!(eve.get("/").await.text.contains("calls</b> from <bdi>agent</bdi>"));
    act(&mut eve, ids[1], "snooze", &[("minutes", "30")]).await;
    // Whoever floods hides nobody else's call; then come theirs, one after the other.
    let mut at = ids[0];
    for expected in std::iter::once(other).chain(ids[2..].iter().copied()) {
        assert_eq!(rejected(&mut eve, at).await, Some(expected));
        at = expected;
    }
    // What is put aside, and what is not for her, is nothing to come to.
    assert_eq!(rejected(&mut eve, at).await, None);
    assert_eq!(stand.holds().await.iter().filter(|it| it.state == HoldState::Pending).count(), 2);
}

/// Whoever puts a call aside has it back as soon as it is another, wherever it is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_aside_is_back_when_it_changes_and_not_before() {
    let release = json!({"groups": [], "people": 2, "expires_seconds": 7200});
    let (setup, _bundle) = setup(release);
    let stand = Stand::start(setup).await;
    let mut bob = person(&stand, "bob").await;
    let id = held(&stand, "create_article", created("turning")).await;
    let edited = Wish::Edit { arguments: created("turning round").to_string() };
    for (what, change) in [
        ("extended", Wish::Extend { seconds: 60 }),
        ("given", Wish::Assign { to: Some("ann".parse().unwrap()) }),
        ("released by one of two", Wish::Approve),
        ("edited", edited),
    ] {
        let put = act(&mut bob, id, "snooze", &[("minutes", "60")]).await;
        assert_eq!(put.header("location"), "/", "{what}: {}", put.text);
        for _ in 0..2 {
            // Looking at it changes nothing.
            let page = bob.get(&format!("/holds/{id}")).await;
            assert!(page.text.contains("Put aside by you until"), "{what}: {}", page.text);
            assert!(!bob.get("/").await.text.contains("turning"), "{what}");
        }
        let done = told(stand.ask(&wish(id, &stand.approver_key, change)).await);
        if what == "extended" {
            // Not by these rules: so nothing changed, and it stays aside.
            assert!(done.is_err(), "{done:?}");
            assert!(!bob.get("/").await.text.contains("turning"), "{what}");
            continue;
        }
        done.unwrap();
        assert!(bob.get("/").await.text.contains("turning"), "{what}");
        let page = bob.get(&format!("/holds/{id}")).await;
        assert!(!page.text.contains("Put aside by you until"), "{what}: {}", page.text);
        assert!(page.text.contains("Put aside for 2 h"), "{what}: {}", page.text);
    }
    // What nobody has seen, nobody puts aside.
    let page = bob.get(&format!("/holds/{id}")).await;
    let (version, binding) = (page.field("version"), page.field("binding"));
    told(stand.ask(&wish(id, &stand.approver_key, Wish::Assign { to: None })).await).unwrap();
    let old = [("version", version.as_str()), ("binding", binding.as_str()), ("minutes", "60")];
    let late = bob.post(&format!("/holds/{id}/snooze"), &old).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(bob.get("/").await.text.contains("turning"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_for_and_cannot_be_read_shows_nothing_and_says_so() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut ann = ann(&stand).await;
    held(&stand, "create_article", created("looked for")).await;
    for (query, words) in [
        ("/?agent=agent", None),
        ("/?agent=+agent+&risk=&show=", None),
        ("/?agent=no%20body", Some("`no body` is no agent: names are")),
        ("/?agent=%3Cb%3E", Some("`&lt;b&gt;` is no agent: names are")),
        ("/?risk=enormous", Some("`enormous` is no risk: there are `high`, `medium`, `low`")),
        ("/?show=everything&agent=agent", Some("`everything` is no part of the inbox: there are")),
        ("/?page=last", Some("the address is not understood: ")),
    ] {
        let page = ann.get(query).await;
        assert_eq!(page.text.contains("looked for"), words.is_none(), "{query}: {}", page.text);
        let status = words.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.status, status, "{query}");
        assert!(page.text.contains(words.unwrap_or_default()), "{query}: {}", page.text);
        assert!(!page.text.contains("rel=\"next\""), "{query}");
    }
}

/// A change of an article that says no title is told by the one that the article had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_told_by_the_title_of_what_it_changes() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut ann = ann(&stand).await;
    let client = stand.client().connected().await;
    let there = client.call("get_article", json!({"id": ARTICLE})).await;
    let there: serde_json::Value = serde_json::from_str(there.tool_text()).unwrap();
    let title = there["title"].as_str().unwrap();
    held(&stand, "update_article", json!({"id": ARTICLE, "body": "<p>other words</p>"})).await;
    let row = format!("<b><bdi>{title}</bdi></b>");
    // It is noted right after the call is held.
    until("the article was read", async || ann.get("/").await.text.contains(&row)).await;
    stand.kill();
    for file in stand.log_files() {
        assert!(!std::fs::read_to_string(file).unwrap().contains(title), "in plain words");
    }
    stand.serve();
    ann.base = stand.console.clone().unwrap();
    assert!(ann.get("/").await.text.contains(&row), "also after a restart");
    let page = ann.get("/?tool=update_article").await;
    assert!(!page.text.contains(&format!("article:{ARTICLE}")), "{}", page.text);
}
