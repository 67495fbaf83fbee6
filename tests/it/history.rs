//! History where there is more of it than a page has, and where it is asked what it does not know.

use std::collections::BTreeSet;

use http::StatusCode;
use portcullis::audit::{self, Filter, Follow, From};
use portcullis::domain::{Event, HoldEvent, HoldId};
use portcullis::store::{Options, Store};
use serde_json::Value;

use crate::load::created;
use crate::page::{ann, grantable, held, setup};
use crate::stand::Stand;

/// Held calls that the log had before the server started.
const BEFORE: usize = 260;

/// Writes as many withdrawn calls as one that is there.
async fn fill(stand: &Stand) {
    let holds = Filter { kind: Some("hold".into()), ..Filter::default() };
    let first = audit::tail(&stand.data(), holds, From::Start, Follow::No).unwrap().next();
    let Event::Hold { event: opened, .. } = first.unwrap().unwrap().record.event else { panic!() };
    let (store, _) = Store::open(&stand.data(), &Options::default()).unwrap();
    for number in 0..BEFORE {
        let hold = HoldId::from_random(number as u128);
        let cancelled = HoldEvent::Cancelled { reason: "x".into() };
        for event in [opened.clone(), cancelled] {
            store.log().append_later(Event::Hold { hold, event }).unwrap();
        }
    }
    let _receipt = store.log().append(Event::Stopped).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_what_all_pages_have() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    held(&stand, "create_article", created("first")).await;
    stand.kill();
    fill(&stand).await;
    stand.serve();
    browser.base = stand.console.clone().unwrap();
    let ids = |text: &str| -> BTreeSet<String> {
        let ends = |it: &str| it.chars().take(37).collect();
        text.match_indices("hold_").map(|(at, _)| ends(&text[at..])).collect()
    };
    let mut shown = BTreeSet::new();
    for page in 0..6 {
        let at = page * 50;
        let page = browser.get(&format!("/history?tool=create_article&page={page}")).await;
        let (first, last) = (at + 1, (at + 50).min(BEFORE + 1));
        let words = format!("{first}–{last} of {}", BEFORE + 1);
        assert!(page.text.contains(&words), "{words}: {}", page.text);
        shown.extend(ids(&page.text));
    }
    assert_eq!(shown.len(), BEFORE + 1);
    for form in ["csv", "jsonl"] {
        // A page in the address is none of the export's.
        let path = format!("/history/export/{form}?tool=create_article&page=3");
        let export = browser.get(&path).await;
        assert_eq!(ids(&export.text), shown, "{form}");
        let named = format!("attachment; filename=\"history.{form}\"");
        assert_eq!(export.header("content-disposition"), named);
    }
    // A grant that is thought of is compared with the newest of them, and says so.
    let id = held(&stand, "create_article", created("another")).await;
    let offer = browser.get(&format!("/holds/{id}/grant")).await;
    assert!(offer.text.contains("of the newest 100 of 261 other calls"), "{}", offer.text);
    assert!(offer.text.contains("of the newest 100 lately"), "{}", offer.text);
    let offer = browser.get(&format!("/api/v1/holds/{id}/grant")).await;
    let offer: Value = serde_json::from_str(&offer.text).unwrap();
    assert_eq!((&offer["of"], &offer["total"]), (&Value::from(100), &Value::from(261)));
    stand.reject(id, "no").await.unwrap();
    // A program gets a bounded part of it as well.
    let part = browser.get("/api/v1/history?take=100000").await;
    let part: Value = serde_json::from_str(&part.text).unwrap();
    assert_eq!((part["holds"].as_array().unwrap().len(), &part["total"]), (200, &Value::from(262)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_history_does_not_understand_is_named_with_what_there_is() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    for (path, words) in [
        ("/history?verdict=maybe", "`maybe` is no verdict: there are `allow`, `hold`, `deny`"),
        (
            "/history?state=open",
            "`open` is no state of a held call: there are `pending`, `approved`",
        ),
        ("/history?page=x", "`x` is no page: pages are numbers from 0"),
        ("/history?since=never", "`never` is no time: write a day, such as "),
        ("/history?agent=two+words", "`two words` is no agent: names are "),
        ("/history?verdit=deny", "unknown field `verdit`, expected one of `verdict`, `state`"),
        ("/history?tool=a&tool=b", "duplicate field `tool`"),
        ("/history?verdict=deny&state=pending", "`state` is known of held calls only"),
        ("/history?verdict=deny&before=x", "`x` is no position: it is the position of a record"),
        ("/history/export/csv?verdict=maybe", "`maybe` is no verdict: there are "),
        ("/history/export/jsonl?page=x", "`x` is no page: "),
        ("/live?verdict=maybe", "`maybe` is no verdict: there are `allow`, `hold`, `deny`"),
        ("/live?agent=two+words", "`two words` is no agent: names are "),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", page.text);
        assert!(page.text.contains(words), "{path}: {}", page.text);
        assert!(!page.text.contains("Nothing here"), "{path}: nothing was looked for");
    }
    // What became of a held call and what policy said are two things.
    for (path, words) in [
        ("/history", "Its state is what became of it"),
        ("/history?verdict=hold", "Its state is what became of it"),
        ("/history?verdict=deny", "with the verdict deny: none of them has a state"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(page.text.contains(words), "{path}: {}", page.text);
        assert!(page.text.contains("the newest 20,000 at most"), "{path}: {}", page.text);
    }
}
