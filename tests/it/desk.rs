//! What people do with holds, from the agent's call to what Intercom receives: edits, questions, quorums,
//! longer waits, and objects that changed while a call waited.

use std::io::Write as _;

use portcullis::control::{Answer, Question, Wish};
use portcullis::desk::Shown;
use portcullis::domain::{HoldId, HoldState};
use portcullis::simulator::{Options, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load::created;
use crate::races::bundle;
use crate::road::{ARTICLE, CONVERSATION, hold_id};
use crate::stand::{Setup, Stand, told, until, wish};

fn waiting() -> Setup {
    let more = "holds: { wait: 100ms, poll: 100ms }\n".to_owned();
    let roles = "support-reader, knowledge-author, note-writer";
    Setup { more, roles, ..Setup::default() }
}

/// The shipped rules, with these conditions of release for every tool.
fn with_release(release: &str) -> (Setup, TempDir) {
    let bundle = bundle();
    let path = bundle.path().join("roles.json");
    let mut rules: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let release: Value = serde_json::from_str(release).unwrap();
    for tool in ["create_article", "update_article", "add_internal_note"] {
        rules["releases"]["tools"][tool] = release.clone();
    }
    std::fs::write(path, rules.to_string()).unwrap();
    let mut setup = waiting();
    setup.more.push_str(&format!("policies: {}\n", bundle.path().display()));
    (setup, bundle)
}

fn update(title: &str) -> Value {
    json!({"id": ARTICLE, "title": title})
}

/// A call of a legacy client that is now held.
async fn held(stand: &Stand, tool: &str, arguments: Value) -> HoldId {
    let text = answered(stand, tool, arguments).await;
    assert!(text.starts_with("PENDING"), "{text}");
    hold_id(&text).parse().unwrap()
}

async fn answered(stand: &Stand, tool: &str, arguments: Value) -> String {
    let client = stand.client().connected().await;
    client.call(tool, arguments).await.tool_text().to_owned()
}

async fn wished(stand: &Stand, id: HoldId, what: Wish) -> Result<String, String> {
    told(stand.ask(&wish(id, &stand.approver_key, what)).await)
}

async fn state(stand: &Stand, id: HoldId) -> HoldState {
    stand.hold(id).await.0.state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_article_that_changed_since_the_look_is_not_overwritten() {
    let stand = Stand::start(waiting()).await;
    let first = held(&stand, "update_article", update("first")).await;
    let second = held(&stand, "update_article", update("second")).await;
    let seen = stand.hold(second).await.0;
    stand.approve(first).await.unwrap();
    assert_eq!(stand.sent("first"), 1);
    // Changed before the approval: who decides looks again.
    let refused = stand.approve(second).await.unwrap_err();
    assert!(refused.contains("changed at Intercom") && refused.contains("its title"), "{refused}");
    let view = stand.hold(second).await.0;
    assert_eq!((view.state, view.approvals.len()), (HoldState::Pending, 0));
    assert!(view.changed.unwrap().contains("its title"));
    // What was on the screen before is no longer what would be approved.
    let key = stand.approver_key.clone();
    let shown = Shown { binding: Some(seen.binding), ..Shown::now(second) };
    let old = told(stand.ask(&Question::Hold { key, shown, wish: Wish::Approve }).await);
    assert!(old.unwrap_err().contains("look at it again"));
    assert_eq!(stand.sent("second"), 0);
    stand.approve(second).await.unwrap();
    assert_eq!((stand.sent("second"), state(&stand, second).await), (1, HoldState::Executed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_article_that_changed_between_approval_and_sending_goes_back_to_the_approvers() {
    let stand = Stand::start(waiting()).await;
    let params = json!({"name": "update_article", "arguments": update("rounds")});
    let client = stand.client();
    client.modern("tools/call", params.clone(), json!({})).await;
    let rounds = stand.holds().await[0].id;
    stand.approve(rounds).await.unwrap();
    assert_eq!(state(&stand, rounds).await, HoldState::Approved);
    let other = held(&stand, "update_article", update("in between")).await;
    stand.approve(other).await.unwrap();
    client.modern("tools/call", params.clone(), json!({})).await;
    until("it waits again", async || state(&stand, rounds).await == HoldState::Pending).await;
    let view = stand.hold(rounds).await.0;
    assert!(view.changed.unwrap().contains("its title"));
    assert_eq!((view.approvals.len(), stand.sent("rounds")), (0, 0));
    stand.approve(rounds).await.unwrap();
    until("it is sent", async || {
        client.modern("tools/call", params.clone(), json!({})).await;
        stand.sent("rounds") == 1
    })
    .await;
    let mut events = stand.records();
    events.retain(|it| it["type"] == "hold" && it["hold"] == rounds.to_string().as_str());
    let names: Vec<&str> = events.iter().map(|it| it["event"].as_str().unwrap()).collect();
    let stale = names.iter().position(|name| *name == "stale").unwrap();
    assert_eq!(names[stale + 1], "reopened", "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_came_since_the_look_is_read_before_a_note_goes_out() {
    let stand = Stand::start(waiting()).await;
    let note = |body: &str| json!({"conversation_id": CONVERSATION, "body": body});
    let first = held(&stand, "add_internal_note", note("<p>one</p>")).await;
    let second = held(&stand, "add_internal_note", note("<p>two</p>")).await;
    stand.approve(first).await.unwrap();
    let refused = stand.approve(second).await.unwrap_err();
    assert!(refused.contains("its newest message"), "{refused}");
    stand.approve(second).await.unwrap();
    assert_eq!(state(&stand, second).await, HoldState::Executed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_not_changed_until_it_can() {
    let mut stand = Stand::start(waiting()).await;
    let id = held(&stand, "update_article", update("away")).await;
    let elsewhere = Simulator::start(([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let intercom = std::mem::replace(&mut stand.simulator, elsewhere);
    let address = intercom.addr();
    intercom.stop().await;
    let answer = stand.approve(id).await.unwrap();
    assert!(answer.contains("not sent yet"), "{answer}");
    assert_eq!(state(&stand, id).await, HoldState::Approved);
    stand.simulator = Simulator::start(address, Options::default()).await.unwrap();
    until("it is sent by itself", async || state(&stand, id).await == HoldState::Executed).await;
    assert_eq!(stand.sent("away"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_call_is_sent_and_the_agent_is_told_what_was_changed() {
    let stand = Stand::start(waiting()).await;
    let asked = json!({"id": ARTICLE, "title": "asked", "description": "d"});
    let id = held(&stand, "update_article", asked.clone()).await;
    let edit = |arguments: Value| Wish::Edit { arguments: arguments.to_string() };
    for (arguments, words) in [
        (json!({"id": "9100002", "title": "other"}), "cannot change which object"),
        (json!({"id": ARTICLE, "titel": "x"}), "are not valid"),
        (asked.clone(), "nothing is changed"),
        (json!(["x"]), "no JSON object"),
    ] {
        let refused = wished(&stand, id, edit(arguments)).await.unwrap_err();
        assert!(refused.contains(words), "{words}: {refused}");
        assert_eq!(state(&stand, id).await, HoldState::Pending);
    }
    let better = json!({"id": ARTICLE, "title": "better"});
    let done = wished(&stand, id, edit(better.clone())).await.unwrap();
    assert!(done.contains("description, title changed, approved by ann"), "{done}");
    assert_eq!((stand.sent("asked"), stand.sent("better")), (0, 1));
    let received = stand.calls().into_iter().rfind(|it| it.arguments.is_some()).unwrap();
    assert_eq!(received.arguments, Some(better));
    // The agent comes back with what it asked, and reads what became of it.
    let client = stand.client().connected().await;
    let outcome = client.call("update_article", asked).await;
    let result = outcome.answer()["result"].to_string();
    assert!(result.contains("better"), "{result}");
    assert!(result.contains("ann changed `description`, `title`"), "{result}");
    assert_eq!(stand.sent("asked") + stand.sent("better"), 1);
    let Ok(Answer::Hold { hold, contents }) =
        stand.ask(&wish(id, &stand.approver_key, Wish::Show { reveal: false })).await
    else {
        panic!("not shown")
    };
    assert!(contents.original.unwrap().contains("asked"));
    assert_eq!(hold.edits[0].fields, ["description", "title"]);
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_made_in_the_editor_of_whoever_edits() {
    let stand = Stand::start(waiting()).await;
    let id = held(&stand, "create_article", created("draft of an agent")).await;
    let editor = stand.folder.path().join("editor");
    let mut file = std::fs::File::create(&editor).unwrap();
    file.write_all(b"#!/bin/sh\nsed -i 's/draft of an agent/checked/' \"$1\"\n").unwrap();
    drop(file);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&editor, mode).unwrap();
    let run = |editor: &std::path::Path| {
        std::process::Command::new(crate::stand::binary())
            .arg("--config")
            .arg(stand.config())
            .args(["holds", "edit", &id.to_string()])
            .env("PORTCULLIS_APPROVER_KEY", &stand.approver_key)
            .env_remove("VISUAL")
            .env("EDITOR", editor)
            .output()
            .unwrap()
    };
    let unchanged = run(std::path::Path::new("true"));
    assert!(String::from_utf8(unchanged.stderr).unwrap().contains("nothing was changed"));
    let edited = run(&editor);
    assert!(edited.status.success(), "{edited:?}");
    assert_eq!((stand.sent("checked"), stand.sent("draft of an agent")), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_by_a_later_revision() {
    let stand = Stand::start(waiting()).await;
    let first = held(&stand, "update_article", update("too loud")).await;
    let question = "say it more calmly".to_owned();
    wished(&stand, first, Wish::Ask { question }).await.unwrap();
    let text = answered(&stand, "update_article", update("too loud")).await;
    assert!(text.starts_with("CHANGES REQUESTED"), "{text}");
    assert!(text.contains("ann: say it more calmly"), "{text}");
    let other = json!({"id": "9100002", "title": "something else"});
    let other = held(&stand, "update_article", other).await;
    let second = held(&stand, "update_article", update("calm")).await;
    let third = held(&stand, "update_article", update("calmer")).await;
    let view = stand.hold(second).await.0;
    assert_eq!((view.revision, view.revises), (2, Some(first)));
    for id in [other, third] {
        assert_eq!(stand.hold(id).await.0.revises, None, "nobody asked for this one");
    }
    let shown = stand.output(&["holds", "show", &second.to_string()]);
    assert!(shown.contains("revision   2"), "{shown}");
    stand.approve(second).await.unwrap();
    assert_eq!((stand.sent("too loud"), stand.sent("calm")), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_say_what_people_may_do_and_for_how_long() {
    let release = r#"{"groups": ["kb-editors"], "people": 1, "expires_seconds": 600,
        "extend_seconds": 120, "actions": ["reject", "extend", "assign", "ask"]}"#;
    let (setup, _bundle) = with_release(release);
    let stand = Stand::start(setup).await;
    let id = held(&stand, "create_article", created("limited")).await;
    let before = stand.hold(id).await.0.expires_at;
    let refused = stand.approve(id).await.unwrap_err();
    assert!(refused.contains("do not let people approve"), "{refused}");
    let edit = Wish::Edit { arguments: created("other").to_string() };
    assert!(wished(&stand, id, edit).await.is_err());
    wished(&stand, id, Wish::Extend { seconds: 60 }).await.unwrap();
    wished(&stand, id, Wish::Extend { seconds: 3600 }).await.unwrap();
    let after = stand.hold(id).await.0.expires_at;
    assert_eq!(after.since(before).as_secs(), 120, "as far as the rules go");
    let refused = wished(&stand, id, Wish::Extend { seconds: 60 }).await.unwrap_err();
    assert!(refused.contains("at most"), "{refused}");
    for to in ["bob", "ann"] {
        let to = Some(to.parse().unwrap());
        wished(&stand, id, Wish::Assign { to }).await.unwrap();
    }
    let view = stand.hold(id).await.0;
    assert_eq!(view.assignee.unwrap().as_str(), "ann");
    assert_eq!(view.first_assignee.unwrap().as_str(), "bob");
    assert_eq!(view.version, 5);
    stand.reject(id, "no").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_of_two_groups_release_and_one_is_not_enough() {
    let release = r#"{"groups": ["kb-editors", "support-leads"], "people": 2,
        "expires_seconds": 600, "distinct_groups": true}"#;
    let (setup, _bundle) = with_release(release);
    let mut stand = Stand::start(setup).await;
    stand.kill();
    let bob = "- { id: bob, groups: [kb-editors] }";
    stand.edit_config(bob, &format!("{bob}\n  - {{ id: eve, groups: [kb-editors] }}"));
    stand.edit_config("[kb-editors, support-leads]", "[support-leads]");
    let (bob, eve) = (stand.add_key("people", "bob"), stand.add_key("people", "eve"));
    stand.serve();
    let id = held(&stand, "create_article", created("by two")).await;
    let approve = async |key: &str| told(stand.ask(&wish(id, key, Wish::Approve)).await);
    assert!(approve(&bob).await.unwrap().contains("1 of 2"));
    assert!(approve(&bob).await.unwrap_err().contains("already approved"));
    assert!(approve(&eve).await.unwrap_err().contains("another group"));
    assert_eq!((state(&stand, id).await, stand.sent("by two")), (HoldState::Pending, 0));
    approve(&stand.approver_key).await.unwrap();
    assert_eq!(stand.sent("by two"), 1);
    // A refusal ends it, whoever released it before.
    let id = held(&stand, "create_article", created("refused")).await;
    told(stand.ask(&wish(id, &bob, Wish::Approve)).await).unwrap();
    stand.reject(id, "no").await.unwrap();
    let late = told(stand.ask(&wish(id, &eve, Wish::Approve)).await).unwrap_err();
    assert!(late.contains("is rejected"), "{late}");
    assert_eq!(stand.sent("refused"), 0);
}

/// A grant is as good as whoever gave it: calls wait again when that person has left, or the group.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_of_somebody_who_left_lets_nothing_through() {
    let release = r#"{"groups": ["kb-editors"], "people": 1, "expires_seconds": 600,
                      "grantable": true}"#;
    let (setup, _bundle) = with_release(release);
    let stand = Stand::start(setup).await;
    stand.output(&["people", "add", "mia", "--group", "kb-editors"]);
    let mia = stand.add_key("people", "mia");
    let first = held(&stand, "create_article", created("first")).await;
    let granting =
        portcullis::gate::Granting { calls: 5, minutes: 5, fields: vec!["author_id".to_owned()] };
    let by_mia = async |id, what: Wish| told(stand.ask(&wish(id, &mia, what)).await);
    until("her key is known", async || {
        by_mia(first, Wish::Grant { granting: granting.clone() }).await.is_ok()
    })
    .await;
    answered(&stand, "create_article", created("second")).await;
    assert_eq!((stand.sent("first"), stand.sent("second")), (1, 1));
    // A wish that is refused in any case, for the reason that comes first.
    let other = held(&stand, "update_article", update("other")).await;
    let many = portcullis::gate::Granting { calls: 99, ..granting };
    stand.output(&["people", "group", "mia"]);
    until("she left the group", async || {
        let refused = by_mia(other, Wish::Grant { granting: many.clone() }).await.unwrap_err();
        refused.contains("kb-editors")
    })
    .await;
    held(&stand, "create_article", created("third")).await;
    stand.output(&["people", "group", "mia", "kb-editors"]);
    until("she is back", async || {
        let refused = by_mia(other, Wish::Grant { granting: many.clone() }).await.unwrap_err();
        refused.contains("1 to 20 calls")
    })
    .await;
    answered(&stand, "create_article", created("fourth")).await;
    assert_eq!((stand.sent("third"), stand.sent("fourth")), (0, 1));
    stand.output(&["people", "remove", "mia"]);
    until("she is gone", async || {
        by_mia(first, Wish::Approve).await.is_err_and(|words| words.contains("no approver's key"))
    })
    .await;
    held(&stand, "create_article", created("fifth")).await;
    assert_eq!(stand.sent("fifth"), 0);
}

/// What was a draft when a grant was given may be public by now: then its calls wait again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_on_a_draft_ends_where_the_draft_is_published() {
    let release = r#"{"groups": [], "people": 1, "expires_seconds": 600, "grantable": true}"#;
    let (setup, _bundle) = with_release(release);
    let stand = Stand::start(setup).await;
    let mut draft = None;
    for id in 9_100_001..9_100_061 {
        let text = answered(&stand, "get_article", json!({"id": id.to_string()})).await;
        if text.contains(r#""state":"draft""#) {
            draft = Some(id.to_string());
            break;
        }
    }
    let id = draft.unwrap();
    let update = |title: &str| json!({"id": id, "title": title});
    let granting = portcullis::gate::Granting { calls: 5, minutes: 5, fields: Vec::new() };
    let first = held(&stand, "update_article", update("first")).await;
    wished(&stand, first, Wish::Grant { granting }).await.unwrap();
    answered(&stand, "update_article", update("second")).await;
    let kept = json!({"id": id, "title": "third", "state": "draft"});
    answered(&stand, "update_article", kept).await;
    let sent = |title: &str| stand.sent(title);
    assert_eq!((sent("first"), sent("second"), sent("third")), (1, 1, 1));
    let publish = json!({"id": id, "title": "public", "state": "published"});
    let published = held(&stand, "update_article", publish).await;
    stand.approve(published).await.unwrap();
    assert_eq!(sent("public"), 1);
    held(&stand, "update_article", update("fourth")).await;
    assert_eq!(sent("fourth"), 0);
}

/// Whoever released a call and was taken out of the list before it is sent does not count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_by_somebody_who_left_meanwhile_does_not_count() {
    let release = r#"{"groups": ["kb-editors"], "people": 2, "expires_seconds": 600}"#;
    let (setup, _bundle) = with_release(release);
    let stand = Stand::start(setup).await;
    stand.output(&["people", "add", "mia", "--group", "kb-editors"]);
    let mia = stand.add_key("people", "mia");
    let id = held(&stand, "create_article", created("by one and a half")).await;
    let by_mia = async || told(stand.ask(&wish(id, &mia, Wish::Approve)).await);
    until("her key is known", async || by_mia().await.is_ok()).await;
    assert_eq!(stand.hold(id).await.0.approvals.len(), 1);
    stand.output(&["people", "remove", "mia"]);
    until("she is gone", async || {
        by_mia().await.is_err_and(|words| words.contains("no approver's key"))
    })
    .await;
    let answer = stand.approve(id).await;
    let view = stand.hold(id).await.0;
    assert_eq!((view.state, view.approvals.len()), (HoldState::Pending, 0), "{answer:?}");
    assert!(view.changed.unwrap().contains("mia released it and may not decide any more"));
    assert_eq!(stand.sent("by one and a half"), 0);
    let to_nobody = wished(&stand, id, Wish::Assign { to: Some("mia".parse().unwrap()) }).await;
    assert!(to_nobody.unwrap_err().contains("nobody is called `mia`"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_of_what_was_opened_and_a_stale_screen_decides_nothing() {
    let stand = Stand::start(waiting()).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(held(&stand, "create_article", created(&format!("batch {number}"))).await);
    }
    let batch = async |ids: &[HoldId]| {
        let shown = ids.iter().copied().map(Shown::now).collect();
        told(stand.ask(&Question::Batch { key: stand.approver_key.clone(), shown }).await)
    };
    let refused = batch(&ids).await.unwrap_err();
    assert!(refused.contains("open"), "{refused}");
    for id in &ids {
        stand.hold(*id).await;
    }
    // One moved on since it was opened.
    let to = Some("bob".parse().unwrap());
    wished(&stand, ids[0], Wish::Assign { to }).await.unwrap();
    assert!(batch(&ids).await.unwrap_err().contains(&ids[0].to_string()));
    let version = stand.hold(ids[0]).await.0.version;
    let public = held(&stand, "update_article", update("public")).await;
    let view = stand.hold(public).await.0;
    assert!(batch(&[ids[0], public]).await.unwrap_err().contains("one tool"));
    assert!(batch(&[public]).await.unwrap_err().contains("high risk"), "{view:?}");
    let key = stand.approver_key.clone();
    let shown = Shown { if_version: Some(version - 1), ..Shown::now(ids[0]) };
    let old = told(stand.ask(&Question::Hold { key, shown, wish: Wish::Approve }).await);
    assert!(old.unwrap_err().contains("look at it again"));
    let done = batch(&ids).await.unwrap();
    assert_eq!(done.lines().count(), 3, "{done}");
    for number in 0..3 {
        assert_eq!(stand.sent(&format!("batch {number}")), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_saw_of_an_unknown_outcome_is_told_and_nothing_is_sent_again() {
    let mut stand = Stand::start(waiting()).await;
    let id = held(&stand, "create_article", created("lost")).await;
    let refused = wished(
        &stand,
        id,
        Wish::Note { effected: portcullis::domain::Effected::Yes, text: String::new() },
    )
    .await;
    assert!(refused.unwrap_err().contains("cannot follow"));
    stand.simulator.set(|options| options.latency = 3_000);
    let (data, key) = (stand.data(), stand.approver_key.clone());
    let approving = tokio::spawn(async move {
        portcullis::control::ask(&data, &wish(id, &key, Wish::Approve)).await
    });
    until("it arrived", async || stand.sent("lost") == 1).await;
    stand.kill();
    let _ = approving.await;
    stand.simulator.set(|options| options.latency = 0);
    stand.serve();
    assert_eq!(state(&stand, id).await, HoldState::Unknown);
    // It stands among what waits until somebody has looked.
    let listed = || stand.output(&["holds", "list"]).contains(&id.to_string());
    assert!(listed());
    stand.output(&["holds", "note", &id.to_string(), "yes", "seen", "in", "the", "list"]);
    assert!(!listed());
    let text = answered(&stand, "create_article", created("lost")).await;
    assert!(text.contains("looked at Intercom: it took effect"), "{text}");
    assert_eq!(stand.sent("lost"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_lets_so_many_calls_like_one_through_and_nothing_else() {
    let release = r#"{"groups": [], "people": 1, "expires_seconds": 600, "grantable": true}"#;
    let (setup, _bundle) = with_release(release);
    let stand = Stand::start(setup).await;
    let grant = |calls, fields: &[&str]| Wish::Grant {
        granting: portcullis::gate::Granting {
            calls,
            minutes: 5,
            fields: fields.iter().map(ToString::to_string).collect(),
        },
    };
    let id = held(&stand, "create_article", created("first")).await;
    for (wish, words) in
        [(grant(21, &[]), "1 to 20 calls"), (grant(2, &["parent_id"]), "cannot be a condition")]
    {
        assert!(wished(&stand, id, wish).await.unwrap_err().contains(words), "{words}");
    }
    wished(&stand, id, grant(2, &["author_id"])).await.unwrap();
    assert_eq!(stand.sent("first"), 1);
    // Others' articles and what is public wait as before.
    let public = json!({"title": "public", "author_id": 7_000_001, "state": "published"});
    held(&stand, "create_article", public).await;
    held(&stand, "create_article", json!({"title": "other", "author_id": 7_000_003})).await;
    for title in ["second", "third"] {
        answered(&stand, "create_article", created(title)).await;
        assert_eq!(stand.sent(title), 1, "{title}");
    }
    let fourth = held(&stand, "create_article", created("fourth")).await;
    wished(&stand, fourth, grant(5, &[])).await.unwrap();
    let list = stand.output(&["holds", "grants"]);
    let last = list.lines().find(|line| line.contains("5 of 5")).unwrap();
    let last = last.split_whitespace().next().unwrap().to_owned();
    let list = stand.output(&["holds", "grants", "--revoke", &last]);
    assert!(!list.contains(&last), "{list}");
    held(&stand, "create_article", created("fifth")).await;
    // What is published already, nobody grants.
    let article = held(&stand, "update_article", update("sixth")).await;
    let refused = wished(&stand, article, grant(5, &[])).await.unwrap_err();
    assert!(refused.contains("never granted"), "{refused}");
    let records = stand.records();
    let grants = records.iter().filter(|it| it["type"] == "grant");
    let events: Vec<&str> = grants.map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["given", "used", "used", "given", "revoked"]);
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}
