//! History where there is more of it than a page has, and where it is asked what it does not know.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

use http::StatusCode;
use portcullis::audit::{self, Filter, Follow, From};
use portcullis::domain::{Event, HoldEvent, HoldId};
use portcullis::store::{Options, Store};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::DEADLINE;
use crate::live::ARTICLE;
use crate::load::created;
use crate::page::{act, ann, grantable, held, setup};
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
    // Behind the last page there is a way back, and no word that nothing matches.
    let behind = browser.get("/history?tool=create_article&page=9").await;
    assert!(behind.text.contains("behind the last one: 261 held calls match"), "{}", behind.text);
    assert!(!behind.text.contains("No held call matches"), "{}", behind.text);
    assert!(behind.text.contains("page=5\" rel=\"prev\""), "{}", behind.text);
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

/// Looking for what is rare may read all of the log, on threads that policies need too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_look_through_the_log_at_a_time_and_agents_do_not_wait_for_them() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    // A file of the log that cannot be opened until somebody writes it.
    let slow = stand.data().join("audit-20200101-1.jsonl");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&slow).status().unwrap().success());
    let mut asked = JoinSet::new();
    for path in ["/live?tool=none", "/history?verdict=deny", "/live?agent=other"] {
        let mut browser = browser.clone();
        asked.spawn(async move { browser.get(path).await });
    }
    let one = async |asked: &mut JoinSet<_>| {
        let next = tokio::time::timeout(DEADLINE, asked.join_next()).await;
        next.expect("an answer in time").unwrap().unwrap()
    };
    let busy = one(&mut asked).await;
    assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE, "{}", busy.text);
    assert!(busy.text.contains("the log is being looked through for others"), "{}", busy.text);
    assert_eq!(busy.header("retry-after"), "10");
    // Whoever goes away does not end the reading, and so gives nobody else a turn.
    asked.abort_all();
    while asked.join_next().await.is_some() {}
    let page = browser.get("/live?verdict=deny").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
    held(&stand, "create_article", created("meanwhile")).await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let _open = std::fs::OpenOptions::new().read(true).write(true).open(&slow).unwrap();
    crate::stand::until("the readings end", async || {
        let page = browser.get("/live?tool=none").await;
        assert!(!page.text.contains("No calls yet"), "{}", page.text);
        page.text.contains("No call matches")
    })
    .await;
}

/// Changes one byte of the log behind the server's back, in the first line with these words.
fn damage(stand: &Stand, words: &str) {
    let file = stand.log_files().remove(0);
    let text = std::fs::read_to_string(&file).unwrap();
    let end = text.find(words).unwrap() + words.len() - 2;
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(b"~", end as u64).unwrap();
}

/// One line that cannot be read takes away what it says, and no page where people decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_stand_where_a_line_of_the_log_cannot_be_read() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let damaged = held(&stand, "create_article", created("damaged")).await;
    let id = held(&stand, "create_article", created("decided")).await;
    damage(&stand, "\"verdict\":\"hold\"");
    let says = "The log cannot be read here now";
    for (path, stays) in
        [(&*format!("/holds/{id}"), "id=\"approve\""), ("/policy", "Kept revisions")]
    {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(page.text.contains(says) && page.text.contains(stays), "{path}: {}", page.text);
    }
    let refused = act(&mut browser, id, "reject", &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let done = act(&mut browser, id, "reject", &[("words", "no")]).await;
    let there = done.header("location").to_owned();
    assert_eq!(browser.get(&there).await.status, StatusCode::OK, "{there}");
    // History goes on behind a line about a held call, and tells how many are missing.
    damage(&stand, "\"event\":\"opened\"");
    let page = browser.get("/history").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(
        page.text.contains("1 line of the log about held calls cannot be read"),
        "{}",
        page.text
    );
    assert!(page.text.contains(&id.to_string()) && !page.text.contains(&damaged.to_string()));
    let later = held(&stand, "create_article", created("later")).await;
    let part = browser.get("/api/v1/history").await;
    let part: Value = serde_json::from_str(&part.text).unwrap();
    assert_eq!((&part["total"], &part["unreadable"]), (&Value::from(2), &Value::from(1)));
    let export = browser.get("/history/export/csv").await;
    assert!(export.text.contains(&later.to_string()), "{}", export.text);
    assert_eq!(
        export.header("content-disposition"),
        "attachment; filename=\"history-without-1-lines.csv\""
    );
}

/// The command says of one record what the page says, by any name that people know it by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_record_is_verified_by_its_position_its_call_or_its_hold() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let id = held(&stand, "create_article", created("verified")).await;
    stand.reject(id, "no").await.unwrap();
    assert!(stand.terminate().success());
    let records = stand.records();
    let find = |name: &str, what: &str| {
        records.iter().find(|it| it[name] == what).unwrap_or_else(|| panic!("{records:?}"))
    };
    let opened = find("event", "opened")["seq"].to_string();
    let decided = records.iter().find(|it| it["decision"]["verdict"] == "hold").unwrap();
    let call = decided["call"]["id"].as_str().unwrap();
    let last = (records.len() - 1).to_string();
    let id = id.to_string();
    let verify = |name: &str| {
        let ended = stand.run(&["audit", "verify", "--record", name]);
        let text = [ended.stdout, ended.stderr].concat();
        (ended.status.code().unwrap(), String::from_utf8(text).unwrap())
    };
    let good = "ok: its hash is that of this line";
    for (name, words) in [
        (&*opened, vec!["create_article by agent", "and the next one follows it"]),
        (call, vec!["HOLD", "create_article by agent", good]),
        (&*id, vec!["opened", "rejected   by ann: no", good]),
        (&*last, vec!["stopped", "nothing follows yet"]),
    ] {
        let (code, text) = verify(name);
        assert!(code == 0 && words.iter().all(|it| text.contains(it)), "{name}: {text}");
        assert!(text.contains("looked at") && !text.contains("BROKEN"), "{name}: {text}");
    }
    let nobody = HoldId::from_random(7).to_string();
    for (name, expected, words) in [
        ("9999", 1, "has no record 9999: it does not reach so far"),
        (&*nobody, 1, "has no record of hold_"),
        ("00000000-0000-0000-0000-000000000000", 1, "has no record of the call 0000"),
        ("x", 2, "`x` is not the position of a record (a number from 0), nor the id of a call"),
    ] {
        let (code, text) = verify(name);
        assert!(code == expected && text.contains(words), "{name}: {code} {text}");
    }
    damage(&stand, "\"event\":\"opened\"");
    for name in [&*opened, call, &*id] {
        let (code, text) = verify(name);
        assert!(code == 1 && text.contains("cannot be read as a record"), "{name}: {text}");
        assert!(
            text.contains(&format!("BROKEN: record {opened}: `hash` is not")),
            "{name}: {text}"
        );
    }
    // A log that is not there to be read is told as such.
    let file = stand.log_files().remove(0);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    for name in [&*opened, &*id] {
        let (code, text) = verify(name);
        assert!(code == 1 && text.contains("error: cannot read `"), "{name}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_page_leads_to_an_older_one_only_if_there_is_one() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let client = stand.client().connected().await;
    let address = "/history?verdict=allow&tool=get_article";
    for count in 1..=51 {
        client.call("get_article", json!({"id": ARTICLE})).await;
        if count < 50 {
            continue;
        }
        let page = browser.get(address).await;
        assert_eq!(page.text.matches("/records/").count(), 50, "{}", page.text);
        let older = page.text.split_once("\" rel=\"next\"").map(|(before, _)| before);
        let older = older.map(|before| before.rsplit('"').next().unwrap().replace("&#38;", "&"));
        assert_eq!(older.is_some(), count == 51, "{count}: {}", page.text);
        let Some(older) = older else { continue };
        let page = browser.get(&older).await;
        assert_eq!(page.text.matches("/records/").count(), 1, "{older}: {}", page.text);
        assert!(!page.text.contains("rel=\"next\""), "{}", page.text);
    }
    let page = browser.get(&format!("{address}&before=1")).await;
    assert!(page.text.contains("No older call matches"), "{}", page.text);
}
