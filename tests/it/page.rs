//! What approvers find on their page beside one held call: grants, batches, floods, what is put aside, and
//! what was before. By the real binary, as a browser without scripts asks.

use http::{Method, StatusCode};
use portcullis::control::Wish;
use portcullis::domain::{HoldId, HoldState};
use portcullis::gate::Granting;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, Page};
use crate::console::with_password;
use crate::load::created;
use crate::races::bundle;
use crate::road::{ARTICLE, hold_id};
use crate::stand::{Setup, Stand, told, until, wish};

const PASSWORD: &str = "four random words here";

/// Held calls that answer at once, the page, and these conditions for new articles.
pub(crate) fn setup(release: Value) -> (Setup, TempDir) {
    let bundle = bundle();
    let path = bundle.path().join("roles.json");
    let mut rules: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for tool in ["create_article", "add_internal_note"] {
        rules["releases"]["tools"][tool] = release.clone();
    }
    std::fs::write(path, rules.to_string()).unwrap();
    let more = format!(
        "console: {{ listen: \"127.0.0.1:0\" }}\npolicies: {}\n\
         holds: {{ wait: 100ms, poll: 100ms, pending_per_principal: 100 }}\n",
        bundle.path().display()
    );
    let roles = "support-reader, knowledge-author, note-writer";
    (Setup { more, roles, ..Setup::default() }, bundle)
}

pub(crate) fn grantable() -> Value {
    json!({"groups": [], "people": 1, "expires_seconds": 3600, "grantable": true})
}

pub(crate) async fn held(stand: &Stand, tool: &str, arguments: Value) -> HoldId {
    let client = stand.client().connected().await;
    let text = client.call(tool, arguments).await.tool_text().to_owned();
    assert!(text.starts_with("PENDING"), "{text}");
    hold_id(&text).parse().unwrap()
}

/// Ann's browser, and her account.
pub(crate) async fn ann(stand: &Stand) -> Browser {
    person(stand, "ann").await
}

pub(crate) async fn person(stand: &Stand, name: &str) -> Browser {
    person_with(stand, name, &[]).await
}

/// As [`person`], with more words of the command that adds them.
pub(crate) async fn person_with(stand: &Stand, name: &str, more: &[&str]) -> Browser {
    assert!(with_password(stand, &[&["people", "add", name], more].concat(), PASSWORD));
    Browser::once_signed_in(stand, name, PASSWORD).await
}

/// Sends a form of a hold's page as it is now.
pub(crate) async fn act(
    browser: &mut Browser,
    id: HoldId,
    action: &str,
    more: &[(&str, &str)],
) -> Page {
    let page = browser.get(&format!("/holds/{id}")).await;
    let (version, binding) = (page.field("version"), page.field("binding"));
    let proof = [("version", version.as_str()), ("binding", binding.as_str())];
    browser.post(&format!("/holds/{id}/{action}"), &[&proof, more].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_outlives_the_process_and_is_taken_back_on_its_page() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let empty = browser.get("/grants").await;
    assert!(empty.text.contains("No grant is in force"), "{}", empty.text);
    // Two like it were held before, and one of another author.
    for title in ["one", "two"] {
        held(&stand, "create_article", created(title)).await;
    }
    held(&stand, "create_article", json!({"title": "other", "author_id": 7_000_003})).await;
    let id = held(&stand, "create_article", created("first")).await;
    let offer = browser.get(&format!("/holds/{id}/grant")).await;
    assert!(offer.text.contains("author_id = 7000001"), "{}", offer.text);
    assert!(offer.text.contains("<strong>2</strong> of the 3 other calls"), "{}", offer.text);
    let fields = [("calls", "3"), ("minutes", "30")];
    // Counting gives nothing.
    let again = [&fields[..], &[("count", "again")]].concat();
    let counted = act(&mut browser, id, "grant", &again).await;
    assert!(counted.text.contains("<strong>3</strong> of the 3"), "{}", counted.text);
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    for (calls, minutes, words) in
        [("21", "30", "1 to 20 calls"), ("3", "61", "1 to 60 minutes"), ("x", "1", "1 to 20 calls")]
    {
        let wrong = act(&mut browser, id, "grant", &[("calls", calls), ("minutes", minutes)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains(words), "{words}: {}", wrong.text);
    }
    let given = [&fields[..], &[("field", "author_id")]].concat();
    let given = act(&mut browser, id, "grant", &given).await;
    assert_eq!(given.header("location"), "/grants", "{}", given.text);
    assert_eq!(stand.sent("first"), 1);
    let client = stand.client().connected().await;
    client.call("create_article", created("second")).await;
    assert_eq!(stand.sent("second"), 1);
    for kill in [true, false] {
        if kill {
            stand.kill()
        } else {
            assert!(stand.terminate().success())
        }
        stand.serve();
        browser.base = stand.console.clone().unwrap();
        let page = browser.get("/grants").await;
        assert!(page.text.contains("2 of 3"), "{}", page.text);
        assert!(page.text.contains("author_id = 7000001") && page.text.contains("ann"));
    }
    let client = stand.client().connected().await;
    client.call("create_article", created("third")).await;
    assert_eq!(stand.sent("third"), 1);
    let page = browser.get("/grants").await;
    assert!(page.text.contains("1 of 3"), "{}", page.text);
    let grant = page.text.split("<tr id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let revoked = browser.post(&format!("/grants/{grant}/revoke"), &[]).await;
    assert_eq!(revoked.header("location"), "/grants");
    held(&stand, "create_article", created("fourth")).await;
    stand.kill();
    stand.serve();
    // Taken back is taken back, also after a restart.
    held(&stand, "create_article", created("fifth")).await;
    assert_eq!(stand.sent("fourth") + stand.sent("fifth"), 0);
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_offered_what_cannot_be_granted() {
    let plain = json!({"groups": [], "people": 1, "expires_seconds": 3600});
    let (setup, _bundle) = setup(plain);
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let id = held(&stand, "create_article", created("plain")).await;
    let page = browser.get(&format!("/holds/{id}")).await;
    assert!(!page.text.contains("Approve similar"), "{}", page.text);
    let offer = browser.get(&format!("/holds/{id}/grant")).await;
    assert_eq!(offer.status, StatusCode::FORBIDDEN);
    let given = act(&mut browser, id, "grant", &[("calls", "3"), ("minutes", "30")]).await;
    assert_eq!(given.status, StatusCode::FORBIDDEN, "{}", given.text);
    assert_eq!(stand.sent("plain"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_say_whose_they_are_and_a_batch_is_of_what_was_opened() {
    let (setup, _bundle) =
        setup(json!({"groups": ["kb-editors"], "people": 1, "expires_seconds": 3600}));
    let stand = Stand::start(setup).await;
    let mut eve = person(&stand, "eve").await;
    let mut ann = ann(&stand).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(held(&stand, "create_article", created(&format!("batch {number}"))).await);
    }
    let page = eve.get("/").await;
    assert_eq!(page.text.matches("Not for you: it asks for a member of kb-editors").count(), 3);
    let page = eve.get(&format!("/holds/{}", ids[0])).await;
    assert!(page.text.contains("<strong>Not for you:</strong> it asks for a member of kb-editors"));
    assert!(page.text.contains("id=\"approve\" disabled"), "{}", page.text);
    let page = ann.get("/").await;
    assert!(!page.text.contains("Not for you") && !page.text.contains("name=\"hold\""));
    for id in &ids[..2] {
        ann.get(&format!("/holds/{id}")).await;
    }
    // Parts that the script takes over from a page are no look at the call.
    let parts = [("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty"), ("x-parts", "1")];
    ann.send(Method::GET, &format!("/holds/{}", ids[2]), &parts, String::new()).await;
    let page = ann.get("/").await;
    assert_eq!(page.text.matches("name=\"hold\"").count(), 2, "{}", page.text);
    let row = |id: HoldId, version: u64| format!("{id} {version}");
    let version = stand.hold(ids[0]).await.0.version;
    let rows: Vec<String> = ids.iter().map(|id| row(*id, version)).collect();
    let fields: Vec<(&str, &str)> = rows.iter().map(|it| ("hold", it.as_str())).collect();
    let all = ann.post("/batch", &fields).await;
    assert!(all.text.contains("Nothing was released") && all.text.contains("first, as it is now"));
    let twice = ann.post("/batch", &[fields[0], fields[0]]).await;
    assert!(twice.text.contains("each hold once"), "{}", twice.text);
    let two = ann.post("/batch", &fields[..2]).await;
    assert_eq!(two.text.matches("chip good").count(), 2, "{}", two.text);
    let sent = |number: u32| stand.sent(&format!("batch {number}"));
    assert_eq!((sent(0), sent(1), sent(2)), (1, 1, 0));
    // A screen of before releases nothing.
    told(stand.ask(&wish(ids[2], &stand.approver_key, Wish::Assign { to: None })).await).unwrap();
    let old = ann.post("/batch", &fields[2..]).await;
    assert!(old.text.contains("Nothing was released"), "{}", old.text);
    assert_eq!(sent(2), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_one_row_and_its_agent_is_paused_with_one_press() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    for number in 0..12 {
        held(&stand, "create_article", created(&format!("flood {number}"))).await;
    }
    let page = browser.get("/").await;
    assert!(page.text.contains("<b>12 calls</b> from <bdi>agent</bdi>"), "{}", page.text);
    assert!(!page.text.contains("flood 3"));
    let page = browser.get("/?agent=agent").await;
    assert_eq!(page.text.matches("flood ").count(), 12, "{}", page.text);
    let paused = browser.post("/agents/agent/pause", &[]).await;
    assert_eq!(paused.header("location"), "/");
    let denied = async |stand: &Stand, title: &str| {
        let client = stand.client().connected().await;
        let reply = client.call("create_article", created(title)).await;
        assert!(reply.tool_text().contains("a person paused this agent"), "{reply:?}");
    };
    let read = json!({"id": ARTICLE});
    denied(&stand, "while paused").await;
    let client = stand.client().connected().await;
    let reply = client.call("get_article", read.clone()).await;
    assert!(reply.tool_text().contains("paused"), "reads are calls: {reply:?}");
    let page = browser.get("/").await;
    assert!(page.text.contains("<strong>agent</strong> is paused by ann"), "{}", page.text);
    // What waits is decided as before, and a restart lets nobody call again.
    let waiting = stand.holds().await[0].id;
    assert!(stand.approve(waiting).await.is_ok());
    stand.kill();
    stand.serve();
    denied(&stand, "after a restart").await;
    let sent = |stand: &Stand| (0..12).map(|it| stand.sent(&format!("flood {it}"))).sum::<usize>();
    assert_eq!((sent(&stand), stand.hold(waiting).await.0.state), (0, HoldState::Approved));
    assert!(stand.output(&["principals", "paused"]).contains("agent"));
    assert!(stand.output(&["principals", "resume", "agent"]).contains("may call again"));
    let client = stand.client().connected().await;
    assert!(!client.call("get_article", read).await.is_tool_error());
    until("what was released goes on", async || sent(&stand) == 1).await;
    let changes: Vec<Value> =
        stand.records().into_iter().filter(|it| it["type"] == "principal").collect();
    let changes: Vec<&str> = changes.iter().map(|it| it["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["key_added", "paused", "resumed"]);
    let nobody = stand.run(&["principals", "pause", "nobody"]);
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("no agent is called"));
    let own = stand.run(&["principals", "pause", "portcullis"]);
    assert!(String::from_utf8(own.stderr).unwrap().contains("no agent is called"));
}

/// Who is paused is read at the start: what a hand did to the file by then is recorded, and told once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_hand_paused_or_let_call_again_is_recorded() {
    let mut stand = Stand::start(Setup::default()).await;
    stand.output(&["principals", "pause", "agent"]);
    let file = stand.data().join("paused.json");
    let agent = std::fs::read_to_string(&file).unwrap();
    let other = agent.replace("\"agent\"", "\"other\"");
    let told = |stand: &Stand| -> Vec<String> {
        let all = stand.output(&["audit", "tail", "--type", "principal", "-n", "0"]);
        let words = |line: &str| line.split_once("agent     ").unwrap().1.to_owned();
        all.lines().map(words).filter(|it| !it.contains(" key ")).collect()
    };
    for (what, text, expected) in [
        ("nothing", Some(&*agent), &[][..]),
        (
            "another instead",
            Some(&*other),
            &["agent resumed in the file itself", "other paused in the file itself"],
        ),
        ("nothing more", Some(&*other), &[]),
        ("nobody", Some("[]"), &["other resumed in the file itself"]),
        ("one again", Some(&*agent), &["agent paused in the file itself"]),
        ("no file", None, &["agent resumed in the file itself"]),
        ("no file still", None, &[]),
    ] {
        stand.kill();
        match text {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => drop(std::fs::remove_file(&file)),
        }
        let before = told(&stand).len();
        stand.serve();
        assert_eq!(told(&stand).split_off(before), expected, "{what}");
    }
    // What is done in the proper way is told by it alone.
    for verb in ["pause", "resume"] {
        stand.output(&["principals", verb, "agent"]);
        let before = told(&stand).len();
        stand.kill();
        stand.serve();
        assert_eq!(told(&stand).split_off(before), [""; 0], "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_aside_is_out_of_ones_own_way_alone() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let (mut ann, mut bob) = (ann(&stand).await, person(&stand, "bob").await);
    let id = held(&stand, "create_article", created("later")).await;
    for (action, field, odd) in
        [("snooze", "minutes", "soon"), ("extend", "minutes", "-5"), ("note", "effected", "maybe")]
    {
        let refused = act(&mut ann, id, action, &[(field, odd)]).await;
        assert_eq!(refused.status, 422, "{action}: {}", refused.text);
        assert!(refused.text.contains(odd) && refused.text.contains("Nothing was changed"));
    }
    let put = act(&mut ann, id, "snooze", &[("minutes", "30")]).await;
    assert_eq!(put.header("location"), "/", "{}", put.text);
    assert!(!ann.get("/").await.text.contains("later"));
    assert!(bob.get("/").await.text.contains("later"));
    stand.kill();
    stand.serve();
    for browser in [&mut ann, &mut bob] {
        browser.base = stand.console.clone().unwrap();
    }
    let page = ann.get("/").await;
    assert!(page.text.contains("1 put aside by you") && !page.text.contains("later"));
    assert!(ann.get("/?show=aside").await.text.contains("later"));
    // What changes is back.
    told(stand.ask(&wish(id, &stand.approver_key, Wish::Assign { to: None })).await).unwrap();
    assert!(ann.get("/").await.text.contains("later"));
    act(&mut ann, id, "snooze", &[("minutes", "30")]).await;
    assert!(!ann.get("/").await.text.contains("later"));
    act(&mut ann, id, "snooze", &[("minutes", "0")]).await;
    assert!(ann.get("/").await.text.contains("later"));
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    assert!(!stand.records().iter().any(|it| it.to_string().contains("snooze")), "it is private");
    assert_eq!(act(&mut ann, id, "snooze", &[("minutes", "1440")]).await.header("location"), "/");
    let page = ann.get(&format!("/holds/{id}")).await;
    let until: Vec<&str> = page.text.split("Put aside by you until <time datetime=\"").collect();
    let until = until[1].split('"').next().unwrap();
    let expires = stand.hold(id).await.0.expires_at.to_string();
    assert!(until < expires.as_str(), "back before it expires: {until} {expires}");
}

/// A release that waits for its agent is taken back by the one who gave it, from where they see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_released_is_undone_while_it_is_not_claimed() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let (mut ann, mut bob) = (ann(&stand).await, person(&stand, "bob").await);
    let params = json!({"name": "create_article", "arguments": created("undone")});
    stand.client().modern("tools/call", params, json!({})).await;
    let id = stand.holds().await[0].id;
    let done = act(&mut ann, id, "approve", &[]).await;
    let page = ann.get(done.header("location")).await;
    assert!(page.text.contains("id=\"toast\"") && page.text.contains("<button>Undo</button>"));
    // Nobody else is told that they did it, whatever link they follow.
    let page = bob.get(done.header("location")).await;
    assert!(!page.text.contains("id=\"toast\""), "{}", page.text);
    let undone = act(&mut ann, id, "revoke", &[]).await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER, "{}", undone.text);
    assert_eq!((stand.hold(id).await.0.state, stand.sent("undone")), (HoldState::Revoked, 0));
    let page = ann.get("/history?state=revoked").await;
    assert!(page.text.contains("<td>never used</td>"), "{}", page.text);
}

/// Nothing expires unseen because somebody put it aside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_soon_is_not_put_aside() {
    let (setup, _bundle) = setup(json!({"groups": [], "people": 1, "expires_seconds": 600}));
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let id = held(&stand, "create_article", created("urgent")).await;
    let put = act(&mut browser, id, "snooze", &[("minutes", "30")]).await;
    assert_eq!(put.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(put.text.contains("it expires too soon to be put aside"), "{}", put.text);
    assert!(browser.get("/").await.text.contains("urgent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_read_from_the_log_by_everything_that_is_known() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let rejected = held(&stand, "create_article", created("rejected one")).await;
    stand.reject(rejected, "no").await.unwrap();
    let update = json!({"id": ARTICLE, "title": "executed one"});
    let executed = held(&stand, "update_article", update).await;
    stand.approve(executed).await.unwrap();
    let waiting = held(&stand, "create_article", created("waiting one")).await;
    let client = stand.client().connected().await;
    client.call("get_article", json!({"id": ARTICLE})).await;
    // Whatever the memory of the process knows, the log knows it.
    stand.kill();
    stand.serve();
    browser.base = stand.console.clone().unwrap();
    let today = portcullis::clock::now().to_string();
    let today = &today[..10];
    let revision = stand.records().iter().rev().find(|it| it["type"] == "decision").unwrap()
        ["decision"]["ruleset"].as_str().unwrap()["sha256:".len()..][..10].to_owned();
    let all = [("rejected one", rejected), ("executed one", executed), ("waiting one", waiting)];
    for (query, expected) in [
        ("", &[0, 1, 2][..]),
        ("state=executed", &[1]),
        ("tool=create_article", &[0, 2]),
        ("agent=agent", &[0, 1, 2]),
        ("agent=other", &[]),
        ("approver=ann", &[1]),
        ("approver=bob", &[]),
        ("person=ann", &[0, 1]),
        (&format!("article={ARTICLE}"), &[1]),
        ("article=9100002", &[]),
        ("rule=WRITE", &[0, 1, 2]),
        ("rule=no+such+rule", &[]),
        (&format!("revision={revision}"), &[0, 1, 2]),
        ("revision=00000000", &[]),
        (&format!("since={today}&until={today}"), &[0, 1, 2]),
        ("until=2020-01-01", &[]),
        ("state=executed&approver=ann&tool=update_article&since=2020-01-01", &[1]),
    ] {
        let page = browser.get(&format!("/history?{query}")).await;
        for (at, (title, id)) in all.iter().enumerate() {
            let shown = page.text.contains(&id.to_string());
            assert_eq!(shown, expected.contains(&at), "{query}: {title}\n{}", page.text);
        }
        let csv = browser.get(&format!("/history/export/csv?{query}")).await;
        assert_eq!(csv.text.lines().count(), expected.len() + 1, "{query}: {}", csv.text);
        let lines = browser.get(&format!("/history/export/jsonl?{query}")).await;
        assert_eq!(lines.text.lines().count(), expected.len(), "{query}: {}", lines.text);
        // An export has nothing of what calls contain.
        assert!(!csv.text.contains(" one") && !lines.text.contains(" one"));
        for line in lines.text.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }
    let page = browser.get("/history?state=executed").await;
    assert!(page.text.contains("executed one") && page.text.contains("<td>used</td>"));
    let page = browser.get("/history?verdict=allow&tool=get_article&agent=agent").await;
    assert!(page.text.contains("Get article") && page.text.contains("verdict allow"));
    let page = browser.get("/history?verdict=deny&tool=get_article").await;
    assert!(page.text.contains("No call matches"), "{}", page.text);
    let page = browser.get("/history?verdict=allow&approver=ann").await;
    assert!(page.text.contains("held calls only"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_verified_where_it_stands() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    held(&stand, "create_article", created("verified")).await;
    let last = stand.records().last().unwrap()["seq"].as_u64().unwrap();
    for (seq, says) in [(0, "Verified:"), (1, "Verified:"), (last, "Verified, and the newest:")] {
        let page = browser.get(&format!("/records/{seq}?verify=true")).await;
        assert!(page.text.contains(&format!("<strong>{says}</strong>")), "{seq}: {}", page.text);
        let page = browser.get(&format!("/records/{seq}")).await;
        assert!(!page.text.contains("Verified"), "{seq}: {}", page.text);
    }
    for (nowhere, says) in
        [((last + 1).to_string(), "does not reach so far"), ("x".into(), "have numbers")]
    {
        let page = browser.get(&format!("/records/{nowhere}?verify=x")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.text);
        assert!(page.text.contains(says), "{}", page.text);
    }
    stand.kill();
    let file = stand.log_files().remove(0);
    let text = std::fs::read_to_string(&file).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let changed = text.replacen(&format!("\"version\":\"{version}\""), "\"version\":\"9.9.9\"", 1);
    assert_ne!(text, changed);
    std::fs::write(&file, changed).unwrap();
    stand.serve();
    browser.base = stand.console.clone().unwrap();
    let seq = stand.records().iter().position(|it| it["type"] == "started").unwrap();
    let page = browser.get(&format!("/records/{seq}?verify=true")).await;
    assert!(page.text.contains("Not as it was written:"), "{}", page.text);
    // A line that is no record is shown as it is, with what is wrong, and so are its neighbours.
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"seq\":1, <i>torn</i>";
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    for (seq, query) in [(1, ""), (0, "?verify=true"), (2, "?verify=true")] {
        let page = browser.get(&format!("/records/{seq}{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(page.text.contains("record 1: not a record"), "{seq}: {}", page.text);
        assert_eq!(page.text.contains("&lt;i&gt;torn"), seq == 1, "{}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_hold_is_harmless_and_goes_the_whole_way() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let told = stand.output(&["holds", "test"]);
    let id: HoldId = told.split_whitespace().next().unwrap().parse().unwrap();
    assert!(told.contains("changes nothing") && told.contains("approvers' page"), "{told}");
    let page = browser.get("/").await;
    assert!(page.text.contains("Search articles") && page.text.contains("portcullis"));
    let done = act(&mut browser, id, "approve", &[]).await;
    assert_eq!(done.header("location"), format!("/holds/{id}?done=true"), "{}", done.text);
    assert_eq!(stand.hold(id).await.0.state, HoldState::Executed);
    let calls = stand.calls();
    assert!(calls.iter().all(|it| it.tool.as_deref() == Some("search_articles")), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_article_is_compared_with_those_that_are_there() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut browser = ann(&stand).await;
    let client = stand.client().connected().await;
    let there = client.call("get_article", json!({"id": ARTICLE})).await;
    let there: Value = serde_json::from_str(there.tool_text()).unwrap();
    let title = there["title"].as_str().unwrap();
    let id = held(&stand, "create_article", created(title)).await;
    let page = browser.get(&format!("/holds/{id}")).await;
    assert!(page.text.contains("Similar articles"), "{}", page.text);
    assert!(page.text.contains("100 % alike") && page.text.contains(ARTICLE), "{}", page.text);
    let diff = stand.output(&["holds", "show", &id.to_string(), "--diff"]);
    assert!(diff.contains("similar articles:") && diff.contains("100 %"), "{diff}");
    assert!(!diff.contains('\u{1b}'), "no colours without a terminal");
    let id = held(&stand, "create_article", created("Zyxwv qponm")).await;
    let page = browser.get(&format!("/holds/{id}")).await;
    assert!(page.text.contains("is like it"), "{}", page.text);
    // A page that is loaded again asks nothing anew, and of who may not decide nobody asks for anything.
    let searches = || {
        let calls = stand.calls().into_iter();
        calls.filter(|it| it.tool.as_deref() == Some("search_articles")).count()
    };
    let before = searches();
    assert!(browser.get(&format!("/holds/{id}")).await.text.contains("is like it"));
    let mut olga = person_with(&stand, "olga", &["--role", "auditor"]).await;
    let page = olga.get(&format!("/holds/{id}")).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("Similar articles"));
    assert_eq!(searches(), before);
    // What cannot be read is told.
    let id = held(&stand, "create_article", created("Vutsr qponm")).await;
    stand.simulator.set(|options| options.latency = 6_000);
    let page = browser.get(&format!("/holds/{id}")).await;
    assert!(page.text.contains("It is not known whether such an article"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_read_on_a_terminal() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let update = json!({"id": ARTICLE, "body": "<h2>New head</h2><p>New words\u{1b}[31m</p>"});
    let id = held(&stand, "update_article", update).await.to_string();
    let diff = stand.output(&["holds", "show", &id, "--diff"]);
    assert!(diff.contains("+ New head") && diff.lines().any(|line| line.starts_with("- ")));
    assert!(!diff.contains('\u{1b}'), "{diff:?}");
    let review: Value =
        serde_json::from_str(&stand.output(&["holds", "show", &id, "--diff", "--json"])).unwrap();
    assert_eq!(review["body"]["compared"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_given_by_command_is_shown_by_the_interface_and_ends_there() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    assert!(with_password(&stand, &["people", "add", "ann"], PASSWORD));
    let scopes = ["--scope", "holds:read", "--scope", "holds:decide"];
    let token = stand.output(&[&["people", "token", "add", "ann"][..], &scopes].concat());
    let token = format!("Bearer {}", token.lines().last().unwrap());
    let mut api = Browser::new(&stand);
    let ask = async |api: &mut Browser, method: http::Method, path: &str, body: Value| {
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let page = api.send(method, path, &headers, body).await;
        (page.status, serde_json::from_str::<Value>(&page.text).unwrap_or_default())
    };
    until("the token counts", async || {
        ask(&mut api, http::Method::GET, "/api/v1/grants", Value::Null).await.0 == StatusCode::OK
    })
    .await;
    let id = held(&stand, "create_article", created("first")).await;
    let (get, post) = (http::Method::GET, http::Method::POST);
    let offer = format!("/api/v1/holds/{id}/grant?fields=author_id");
    let (_, offer) = ask(&mut api, get.clone(), &offer, Value::Null).await;
    assert_eq!((&offer["grantable"], &offer["of"]), (&json!(true), &json!(0)));
    let fields = vec!["author_id".to_owned()];
    let granting = Granting { calls: 3, minutes: 5, fields };
    told(stand.ask(&wish(id, &stand.approver_key, Wish::Grant { granting })).await).unwrap();
    let (_, grants) = ask(&mut api, get.clone(), "/api/v1/grants", Value::Null).await;
    let grant = &grants["grants"][0];
    assert_eq!((&grant["left"], &grant["by"]), (&json!(3), &json!("ann")));
    let path = format!("/api/v1/grants/{}/revoke", grant["id"].as_str().unwrap());
    assert_eq!(ask(&mut api, post.clone(), &path, Value::Null).await.0, StatusCode::OK);
    let again = ask(&mut api, post.clone(), &path, Value::Null).await;
    assert_eq!(again.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, history) =
        ask(&mut api, get.clone(), "/api/v1/history?state=executed", Value::Null).await;
    assert_eq!((&history["total"], &history["holds"][0]["used"]), (&json!(1), &json!("used")));
    let (status, _) = ask(&mut api, get, "/api/v1/history?stat=x", Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, said) = ask(&mut api, post, "/api/v1/principals/agent/pause", Value::Null).await;
    assert_eq!(
        (status, said["words"].as_str().unwrap().contains("paused by ann")),
        (StatusCode::OK, true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_came_in_and_whose_account_changed_is_in_the_log_and_nothing_that_was_typed() {
    let (setup, _bundle) = setup(grantable());
    let mut stand = Stand::start(setup).await;
    let mut jane = person(&stand, "jane").await;
    let account = |stand: &Stand| -> Vec<String> {
        let all = stand.records();
        let all = all.iter().filter(|it| it["type"] == "account");
        all.map(|it| {
            format!("{} {}", it["account"].as_str().unwrap_or("-"), it["change"].as_str().unwrap())
        })
        .collect()
    };
    let mut stranger = Browser::new(&stand);
    for name in ["My-Secret-Password-1", "my secret password 2"] {
        stranger.sign_in(name, "wrong and wrong again", "").await;
    }
    jane.get("/account").await;
    jane.post("/logout", &[]).await;
    for _ in 0..5 {
        stranger.sign_in("jane", "wrong and wrong again", "").await;
    }
    let seen = async |stand: &Stand, what: &str| {
        until(what, async || account(stand).iter().any(|it| it == what)).await;
    };
    for (command, what) in [
        (&["people", "role", "jane", "auditor"][..], "jane roles"),
        (&["people", "group", "jane", "leads"], "jane groups"),
        (&["people", "token", "add", "jane", "--scope", "holds:read"], "jane token_added"),
        (&["people", "passwd", "jane"], "jane set_up"),
        (&["people", "key", "add", "jane"], "jane key_added"),
        (&["people", "key", "revoke", "jane"], "jane key_revoked"),
        (&["people", "add", "joe"], "joe added"),
    ] {
        stand.output(command);
        seen(&stand, what).await;
    }
    // Keys of agents are told where else agents are.
    for (command, what) in [
        (&["principals", "add", "other"], "agent     other key added: "),
        (&["principals", "revoke", "other"], "agent     other key revoked: "),
    ] {
        stand.output(command);
        let told = || stand.output(&["audit", "tail", "--type", "principal", "-n", "0"]);
        until(what, async || told().contains(what)).await;
    }
    // Also what happened while no server ran.
    stand.kill();
    stand.output(&["people", "remove", "jane"]);
    stand.output(&["people", "key", "revoke", "ann"]);
    stand.serve();
    let all = account(&stand);
    let count = |what: &str| all.iter().filter(|it| *it == what).count();
    assert!(count("jane added") == 1 && count("jane removed") == 1, "{all:?}");
    // Somebody whom the configuration lists has keys without an account.
    assert_eq!((count("ann key_added"), count("ann key_revoked")), (1, 1), "{all:?}");
    assert_eq!((count("jane signed_in"), count("jane signed_out")), (1, 1), "{all:?}");
    assert!(count("jane sign_in_failed") >= 5 && count("jane locked_out") >= 1, "{all:?}");
    assert!(count("- sign_in_failed") >= 1, "{all:?}");
    let text = stand.output(&["audit", "tail", "-n", "0", "--json"]);
    for typed in ["Secret", "secret password", "wrong and wrong", PASSWORD, "argon2"] {
        assert!(!text.contains(typed), "{typed}");
    }
    let told = stand.output(&["audit", "tail", "-n", "0"]);
    assert!(told.contains("account   jane signed in: with password"), "{told}");
}
