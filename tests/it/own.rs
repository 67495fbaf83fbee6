//! What Portcullis itself asks the user of an agent whose call is held: a link to look at, and where
//! rules let them, whether it may be sent.

use portcullis::control::Wish;
use portcullis::domain::{HoldId, HoldState, OwnAnswer};
use portcullis::simulator::options::Speak;
use portcullis::simulator::{Options, Received};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Reply};
use crate::live::{CONVERSATION, Live, Modern, declaring, legacy, other};
use crate::pseudonyms::{MAIL, mint};
use crate::stand::{Setup, Stand, told, until, wish};

const PAGE: &str = "https://approve.example.com";
const CONSOLE: &str =
    "console: { listen: \"127.0.0.1:0\", url: \"https://approve.example.com\" }\n";
const SHORT: &str = "holds: { wait: 300ms, poll: 300ms }\n";
const FORM: &str = r#"{"elicitation": {}}"#;
const LINK: &str = r#"{"elicitation": {"url": {}}}"#;
const BOTH: &str = r#"{"elicitation": {"form": {}, "url": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}}"#;
const TICKED: &str = r#"{"action": "accept", "content": {"send": true}}"#;

/// A stand under the shipped rules, with `conditions` put over those of notes and articles.
async fn stand_with(conditions: Value, more: &str, simulator: Options) -> (Stand, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/default");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("admit_test.rego") {
            // It says which conditions the shipped rules have.
            continue;
        }
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    set_conditions(&folder, &conditions);
    let more = format!("policies: {}\n{more}", folder.path().display());
    let agent = "on_behalf_of: jane@example.com";
    let roles = "support-reader, knowledge-author, note-writer";
    (Stand::start(Setup { simulator, roles, agent, more, ..Setup::default() }).await, folder)
}

fn set_conditions(folder: &TempDir, conditions: &Value) {
    let roles = folder.path().join("roles.json");
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(&roles).unwrap()).unwrap();
    for tool in ["add_internal_note", "create_article", "update_article"] {
        let release = &mut all["releases"]["tools"][tool];
        release.as_object_mut().unwrap().remove("confirm");
        for (key, value) in conditions.as_object().unwrap() {
            release[key.as_str()] = value.clone();
        }
    }
    std::fs::write(&roles, all.to_string()).unwrap();
}

fn own() -> Value {
    json!({"confirm": "requester"})
}

fn note(body: &str) -> Value {
    json!({"name": "add_internal_note",
        "arguments": {"conversation_id": CONVERSATION.to_string(), "body": body}})
}

/// A modern call, under the id of nothing else.
async fn modern(client: &Client, params: &Value, capabilities: &str) -> Reply {
    Modern::new("call", "tools/call", params.clone(), declaring(capabilities)).send(client).await
}

/// The next round of a call: what was asked is answered, if `answer` says so.
fn next(params: &Value, before: &Reply, answer: Option<&str>) -> Value {
    let mut params = params.clone();
    params["requestState"] = before.answer()["result"]["requestState"].clone();
    assert!(params["requestState"].is_string(), "{before:?}");
    if let Some(answer) = answer {
        let answer: Value = serde_json::from_str(answer).unwrap();
        params["inputResponses"] = json!({ "portcullis": answer });
    }
    params
}

fn question(reply: &Reply) -> &Value {
    let result = &reply.answer()["result"];
    assert_eq!(result["resultType"], "input_required", "{reply:?}");
    let question = &result["inputRequests"]["portcullis"];
    assert_eq!(question["method"], "elicitation/create", "{reply:?}");
    &question["params"]
}

fn asks_nothing(reply: &Reply) -> bool {
    let result = &reply.answer()["result"];
    result["resultType"] == "input_required" && result.get("inputRequests").is_none()
}

async fn the_hold(stand: &Stand) -> HoldId {
    stand.holds().await[0].id
}

/// How many notes with this body reached Intercom.
fn noted(stand: &Stand, body: &str) -> usize {
    let has = |it: &Received| it.arguments.as_ref().is_some_and(|it| it["body"] == body);
    stand.calls().iter().filter(|it| has(it)).count()
}

/// Repeats a round until the call has an outcome.
async fn outcome(client: &Client, params: &Value, first: Reply, capabilities: &str) -> Reply {
    let mut reply = first;
    until("the call has an outcome", async || {
        if asks_nothing(&reply) {
            reply = modern(client, &next(params, &reply, None), capabilities).await;
        }
        !asks_nothing(&reply)
    })
    .await;
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_user_is_shown_where_a_held_call_waits_and_that_decides_nothing() {
    let more = format!("{CONSOLE}{SHORT}");
    let (stand, _policies) = stand_with(json!({}), &more, Options::default()).await;
    let client = stand.client();
    for action in ["accept", "decline", "cancel"] {
        let params = note(action);
        let first = modern(&client, &params, LINK).await;
        let id = the_hold(&stand).await;
        let asked = question(&first);
        assert_eq!(
            (&asked["mode"], &asked["url"]),
            (&json!("url"), &json!(format!("{PAGE}/holds/{id}")))
        );
        assert!(asked.get("elicitationId").is_none() && asked.get("requestedSchema").is_none());
        let answer = format!(r#"{{"action": "{action}"}}"#);
        let second = modern(&client, &next(&params, &first, Some(&answer)), LINK).await;
        assert!(asks_nothing(&second), "shown once: {second:?}");
        assert_eq!(stand.hold(id).await.0.state, HoldState::Pending, "{action}");
        assert_eq!(noted(&stand, action), 0);
        stand.approve(id).await.unwrap();
        let last = outcome(&client, &params, second, LINK).await;
        assert!(!last.is_tool_error(), "{last:?}");
        assert_eq!(noted(&stand, action), 1);
    }
    // Who did not declare it is told in words, in the end and in a task.
    let plain = modern(&client, &note("plain"), FORM).await;
    assert!(asks_nothing(&plain), "{plain:?}");
    let task = modern(&client, &note("task"), BOTH).await;
    let id = the_hold(&stand).await;
    let message = task.answer()["result"]["statusMessage"].as_str().unwrap();
    assert!(message.ends_with(&format!(" at {PAGE}/holds/{id}")), "{message}");
    let old = stand.client().connected().await;
    let pending = old.request("tools/call", note("old")).await;
    assert!(pending.tool_text().contains(&format!("at {PAGE}/holds/hold_")), "{pending:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_a_public_address_is_offered_to_nobody() {
    let more = format!("console: {{ listen: \"127.0.0.1:0\" }}\n{SHORT}");
    let (stand, _policies) = stand_with(json!({}), &more, Options::default()).await;
    let reply = modern(&stand.client(), &note("a"), LINK).await;
    assert!(asks_nothing(&reply), "{reply:?}");
    let mut client = stand.client();
    client.initialize_as("2025-11-25", serde_json::from_str(LINK).unwrap()).await;
    let reply = client.request("tools/call", note("a")).await;
    assert!(reply.messages.len() == 1 && !reply.text.contains("http"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_user_is_shown_the_page_by_number_and_told_when_it_is_over() {
    let (stand, _policies) = stand_with(json!({}), CONSOLE, Options::default()).await;
    let mut client = stand.client();
    client.initialize_as("2025-11-25", serde_json::from_str(LINK).unwrap()).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", note("shown"))).await;
    let asked = live.note("elicitation/create").await;
    let id = the_hold(&stand).await;
    assert_eq!(asked["params"]["mode"], "url");
    assert_eq!(asked["params"]["url"], format!("{PAGE}/holds/{id}"));
    assert_eq!(asked["params"]["elicitationId"], id.to_string());
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
    assert_eq!(client.post(&answer.to_string()).await.status, 202);
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    stand.approve(id).await.unwrap();
    let rest = live.rest().await;
    assert_eq!(rest.len(), 2, "asked once: {rest:?}");
    assert_eq!(rest[0]["method"], "notifications/elicitation/complete");
    assert_eq!(rest[0]["params"]["elicitationId"], id.to_string());
    assert!(rest[1]["result"]["isError"].is_null() || rest[1]["result"]["isError"] == false);
    assert_eq!(noted(&stand, "shown"), 1);
    // A revision that has forms only.
    let mut old = stand.client();
    old.initialize_as("2025-06-18", serde_json::from_str(LINK).unwrap()).await;
    let mut live = Live::post(&old, &legacy(1, "tools/call", note("older"))).await;
    until("it is held", async || stand.holds().await.len() == 2).await;
    stand.approve(the_hold(&stand).await).await.unwrap();
    assert_eq!(live.rest().await.len(), 1, "nothing but the outcome");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_user_confirms_declines_or_leaves_a_call_of_their_own() {
    let more = format!("{CONSOLE}{SHORT}");
    let (stand, _policies) = stand_with(own(), &more, Options::default()).await;
    let client = stand.client();
    // Also with tasks, and before the link.
    for capabilities in [FORM, BOTH] {
        let body = format!("<p>confirmed \u{202e} {}</p>", capabilities.len());
        let params = note(&body);
        let first = modern(&client, &params, capabilities).await;
        let asked = question(&first);
        let text = asked["message"].as_str().unwrap();
        let whole = format!(r#"  body: "<p>confirmed \u202e {}</p>""#, capabilities.len());
        assert!(text.contains(&whole) && text.contains("`add_internal_note`"), "{text}");
        assert!(text.contains(&format!("conversation_id: \"{CONVERSATION}\"")), "{text}");
        assert_eq!(asked["requestedSchema"]["required"], json!(["send"]));
        // Not ticked is no answer: it is asked again.
        let unticked = r#"{"action": "accept", "content": {"send": false}}"#;
        let again = modern(&client, &next(&params, &first, Some(unticked)), capabilities).await;
        assert_eq!(question(&again)["message"], asked["message"]);
        let id = the_hold(&stand).await;
        let sent = modern(&client, &next(&params, &again, Some(TICKED)), capabilities).await;
        let view = stand.hold(id).await.0;
        let own = view.own.unwrap();
        assert_eq!((own.by.as_str(), own.answer), ("jane@example.com", OwnAnswer::Accepted));
        assert!(view.approvals.is_empty(), "no approver had a part in it");
        if capabilities == FORM {
            let last = outcome(&client, &params, sent, capabilities).await;
            assert!(!last.is_tool_error() && last.tool_text().contains("confirmed"), "{last:?}");
        } else {
            assert_eq!(sent.answer()["result"]["taskId"], id.to_string());
            until("it is sent", async || stand.hold(id).await.0.state == HoldState::Executed).await;
        }
        assert_eq!(noted(&stand, &body), 1);
    }
    // Declined.
    let params = note("declined");
    let first = modern(&client, &params, FORM).await;
    let last = next(&params, &first, Some(r#"{"action": "decline"}"#));
    let last = modern(&client, &last, FORM).await;
    assert!(last.tool_text().starts_with("REJECTED: jane@example.com, whom"), "{last:?}");
    let refused = stand.approve(the_hold(&stand).await).await.unwrap_err();
    assert!(refused.contains("rejected"), "{refused}");
    // Left: the approvers decide, and the user is not asked again but shown where it waits.
    let params = note("left");
    let first = modern(&client, &params, r#"{"elicitation": {"form": {}, "url": {}}}"#).await;
    let left = next(&params, &first, Some(r#"{"action": "cancel"}"#));
    let left = modern(&client, &left, LINK).await;
    assert_eq!(question(&left)["mode"], "url");
    let id = the_hold(&stand).await;
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    let again = modern(&client, &params, FORM).await;
    assert!(asks_nothing(&again), "{again:?}");
    stand.approve(id).await.unwrap();
    let last = outcome(&client, &params, again, FORM).await;
    assert!(!last.is_tool_error(), "{last:?}");
    assert_eq!((noted(&stand, "declined"), noted(&stand, "left")), (0, 1));
    // The record says what it was.
    let records = stand.records();
    let said = |answer: &str| {
        let is = |it: &&Value| it["event"] == "self_confirmed" && it["answer"] == answer;
        records.iter().filter(is).count()
    };
    assert_eq!((said("accepted"), said("declined"), said("left")), (2, 1, 1));
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_foreign_and_replayed_answers_release_nothing() {
    let (stand, _policies) = stand_with(own(), SHORT, Options::default()).await;
    let client = stand.client();
    let params = note("mine");
    let ticked: Value = serde_json::from_str(TICKED).unwrap();
    // An answer that nobody asked for: without a state it is for Intercom, and another call.
    let mut forged = params.clone();
    forged["inputResponses"] = json!({ "portcullis": ticked });
    let reply = modern(&client, &forged, "{}").await;
    assert!(asks_nothing(&reply), "{reply:?}");
    let beside = the_hold(&stand).await;
    // A state that asks nothing.
    let plain = modern(&client, &params, "{}").await;
    assert!(asks_nothing(&plain));
    let id = the_hold(&stand).await;
    assert_ne!(id, beside);
    let refused = modern(&client, &next(&params, &plain, Some(TICKED)), FORM).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.answer()["error"]["code"]),
        (400, &json!(-32602))
    );
    // Altered, of another principal, for other arguments.
    let asked = modern(&client, &params, FORM).await;
    let good = next(&params, &asked, Some(TICKED));
    let mut altered = good.clone();
    let state = good["requestState"].as_str().unwrap();
    let (start, end) = state.split_at(state.len() / 2);
    let other_letter = if end.starts_with('A') { 'B' } else { 'A' };
    altered["requestState"] = json!(format!("{start}{other_letter}{}", &end[1..]));
    assert_eq!(modern(&client, &altered, FORM).await.status, 400);
    assert_eq!(modern(&other(&stand).await, &good, FORM).await.status, 400);
    let mut otherwise = good.clone();
    otherwise["arguments"]["body"] = json!("other");
    let refused = modern(&client, &otherwise, FORM).await;
    assert!(refused.text.contains("another call"), "{refused:?}");
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    // Answered by leaving it: the same state ticks nothing any more.
    let left = next(&params, &asked, Some(r#"{"action": "cancel"}"#));
    modern(&client, &left, FORM).await;
    let replayed = modern(&client, &good, FORM).await;
    assert!(asks_nothing(&replayed), "{replayed:?}");
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    // Used once: the outcome comes again, and is not made again.
    let params = note("twice");
    let asked = modern(&client, &params, FORM).await;
    let good = next(&params, &asked, Some(TICKED));
    for _ in 0..3 {
        let sent = modern(&client, &good, FORM).await;
        let last = outcome(&client, &params, sent, FORM).await;
        assert!(!last.is_tool_error(), "{last:?}");
    }
    assert_eq!((noted(&stand, "twice"), noted(&stand, "mine")), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_user_is_asked_on_the_stream_and_answers_once() {
    let (stand, _policies) = stand_with(own(), "", Options::default()).await;
    let mut client = stand.client();
    client.initialize_as("2025-06-18", serde_json::from_str(FORM).unwrap()).await;
    let mut stranger = stand.client();
    stranger.initialize_as("2025-06-18", serde_json::from_str(FORM).unwrap()).await;
    for (body, action, sent) in [
        ("yes", TICKED, 1),
        ("no", r#"{"action": "decline"}"#, 0),
        ("?", r#"{"action": "cancel"}"#, 1),
    ] {
        let mut live = Live::post(&client, &legacy(1, "tools/call", note(body))).await;
        let asked = live.note("elicitation/create").await;
        assert!(
            asked["params"]["message"].as_str().unwrap().contains(&format!("body: \"{body}\""))
        );
        assert!(asked["params"].get("mode").is_none(), "the revision has none");
        let result: Value = serde_json::from_str(action).unwrap();
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
        assert_eq!(stranger.post(&answer).await.status, 400, "another session");
        assert_eq!(noted(&stand, body), 0);
        assert_eq!(client.post(&answer).await.status, 202);
        assert_eq!(client.post(&answer).await.status, 400, "a second answer");
        let id = the_hold(&stand).await;
        if body == "?" {
            until("it is left to the approvers", async || stand.hold(id).await.0.own.is_some())
                .await;
            stand.approve(id).await.unwrap();
        }
        let rest = live.rest().await;
        assert_eq!(rest.len(), 1, "{rest:?}");
        let text = rest[0]["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text.starts_with("REJECTED: jane@example.com"), body == "no", "{text}");
        assert_eq!(noted(&stand, body), sent, "{body}");
    }
    // An approver is quicker: the question is taken back.
    let mut live = Live::post(&client, &legacy(9, "tools/call", note("late"))).await;
    let asked = live.note("elicitation/create").await;
    stand.approve(the_hold(&stand).await).await.unwrap();
    let rest = live.rest().await;
    assert_eq!(rest[0]["method"], "notifications/cancelled", "{rest:?}");
    assert_eq!(rest[0]["params"]["requestId"], asked["id"]);
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
    assert_eq!(client.post(&answer.to_string()).await.status, 400);
    assert_eq!(noted(&stand, "late"), 1);
}

/// Where other people must decide, the user is not asked, whatever rules say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_where_others_must_decide() {
    for (conditions, asked) in [
        (json!({}), false),
        (json!({"confirm": "never"}), false),
        (json!({"confirm": "requester", "people": 2}), false),
        (json!({"confirm": "requester", "step_up_minutes": 5}), false),
        (json!({"confirm": "requester", "actions": ["reject"]}), false),
        (own(), true),
    ] {
        let (stand, _policies) = stand_with(conditions.clone(), SHORT, Options::default()).await;
        let reply = modern(&stand.client(), &note("a"), FORM).await;
        assert_eq!(!asks_nothing(&reply), asked, "{conditions} {reply:?}");
        if !asked {
            continue;
        }
        // An agent that acts for nobody, a call that is public, one too long for a dialog, and one that
        // somebody else has a hand in already.
        assert!(asks_nothing(&modern(&other(&stand).await, &note("a"), FORM).await));
        let public = json!({"name": "create_article",
            "arguments": {"title": "t", "author_id": 7_000_001, "state": "published"}});
        assert!(asks_nothing(&modern(&stand.client(), &public, FORM).await));
        let overwrites =
            json!({"name": "update_article", "arguments": {"id": "9100001", "title": "t"}});
        assert!(asks_nothing(&modern(&stand.client(), &overwrites, FORM).await));
        let draft = json!({"name": "create_article",
            "arguments": {"title": "t", "author_id": 7_000_001, "state": "draft"}});
        assert!(!asks_nothing(&modern(&stand.client(), &draft, FORM).await));
        assert!(asks_nothing(&modern(&stand.client(), &note(&"x".repeat(12_000)), FORM).await));
        let edited = json!({"conversation_id": CONVERSATION.to_string(), "body": "edited"});
        let held = modern(&stand.client(), &note("to edit"), FORM).await;
        let edit = Wish::Edit { arguments: edited.to_string() };
        let key = stand.approver_key.clone();
        told(stand.ask(&wish(the_hold(&stand).await, &key, edit)).await).unwrap();
        let late =
            modern(&stand.client(), &next(&note("to edit"), &held, Some(TICKED)), FORM).await;
        outcome(&stand.client(), &note("to edit"), late, FORM).await;
        assert_eq!((noted(&stand, "to edit"), noted(&stand, "edited")), (0, 1));
    }
}

/// What was shown must be what is, by rules and by bytes, when the answer comes and when it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_what_changed_meanwhile_does_not_count() {
    let (stand, policies) = stand_with(own(), SHORT, Options::default()).await;
    let client = stand.client();
    let params = note("changed");
    let asked = modern(&client, &params, FORM).await;
    let id = the_hold(&stand).await;
    set_conditions(&policies, &json!({"confirm": "requester", "extend_seconds": 60}));
    stand.output(&["policy", "reload"]);
    // Other rules: it is asked again, about the call as they have it now.
    let again = modern(&client, &next(&params, &asked, Some(TICKED)), FORM).await;
    assert!(question(&again)["message"].as_str().unwrap().contains("changed"));
    assert_eq!(stand.hold(id).await.0.state, HoldState::Pending);
    set_conditions(&policies, &json!({}));
    stand.output(&["policy", "reload"]);
    let never = modern(&client, &next(&params, &again, Some(TICKED)), FORM).await;
    assert!(asks_nothing(&never), "{never:?}");
    let view = stand.hold(id).await.0;
    assert_eq!((view.state, view.own.is_none()), (HoldState::Pending, true));
    assert_eq!(noted(&stand, "changed"), 0);
}

/// An answer is to the version that was shown, and of the person who was asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_for_what_was_asked_and_of_whom() {
    let (mut stand, _policies) = stand_with(own(), SHORT, Options::default()).await;
    let client = stand.client();
    let params = note("versions");
    let asked = modern(&client, &params, FORM).await;
    let id = the_hold(&stand).await;
    // Somebody was told to look at it meanwhile: nothing that would be sent is another.
    let key = stand.approver_key.clone();
    let assign = || Wish::Assign { to: Some("bob".parse().unwrap()) };
    told(stand.ask(&wish(id, &key, assign())).await).unwrap();
    for answer in [TICKED, r#"{"action": "decline"}"#] {
        let again = modern(&client, &next(&params, &asked, Some(answer)), FORM).await;
        assert!(question(&again)["message"].as_str().unwrap().contains("versions"), "{again:?}");
        let view = stand.hold(id).await.0;
        assert_eq!((view.state, view.own.is_none()), (HoldState::Pending, true), "{answer}");
    }
    let asked = modern(&client, &params, FORM).await;
    // The agent acts for somebody else by now.
    assert!(stand.terminate().success());
    stand.edit_config("on_behalf_of: jane@example.com", "on_behalf_of: joe@example.com");
    stand.serve();
    let client = stand.client();
    for answer in [TICKED, r#"{"action": "decline"}"#] {
        let again = modern(&client, &next(&params, &asked, Some(answer)), FORM).await;
        question(&again);
        let view = stand.hold(id).await.0;
        assert_eq!((view.state, view.own.is_none()), (HoldState::Pending, true), "{answer}");
    }
    assert_eq!(noted(&stand, "versions"), 0);
    let asked = modern(&client, &params, FORM).await;
    let sent = modern(&client, &next(&params, &asked, Some(TICKED)), FORM).await;
    outcome(&client, &params, sent, FORM).await;
    assert_eq!(stand.hold(id).await.0.own.unwrap().by, "joe@example.com");
    assert_eq!(noted(&stand, "versions"), 1);

    // On a stream of the legacy era.
    let mut client = stand.client();
    client.initialize_as("2025-06-18", serde_json::from_str(FORM).unwrap()).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", note("stream"))).await;
    let first = live.note("elicitation/create").await;
    let id = the_hold(&stand).await;
    told(stand.ask(&wish(id, &key, assign())).await).unwrap();
    let answer = |asked: &Value| {
        let result: Value = serde_json::from_str(TICKED).unwrap();
        json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string()
    };
    assert_eq!(client.post(&answer(&first)).await.status, 202);
    let second = live.note("elicitation/create").await;
    assert_ne!(second["id"], first["id"]);
    let view = stand.hold(id).await.0;
    assert_eq!((view.state, view.own.is_none()), (HoldState::Pending, true));
    assert_eq!(client.post(&answer(&second)).await.status, 202);
    assert_eq!(live.rest().await.len(), 1);
    assert_eq!(noted(&stand, "stream"), 1);
}

/// Nobody confirms what they are not shown: real values in place of pseudonyms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_pseudonyms_stand_for_is_confirmed_by_nobody() {
    let (mut stand, _policies) = stand_with(own(), SHORT, Options::default()).await;
    assert!(stand.terminate().success());
    let token = mint(&stand).mail;
    stand.serve();
    let client = stand.client();
    let params = note(&format!("wrote to {token}"));
    let first = modern(&client, &params, FORM).await;
    assert!(asks_nothing(&first), "{first:?}");
    let words = "its user cannot confirm it";
    let id = the_hold(&stand).await;
    let task = modern(&client, &note(&format!("task for {token}")), BOTH).await;
    let message = task.answer()["result"]["statusMessage"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
    let mut old = stand.client();
    old.initialize_as("2025-06-18", serde_json::from_str(FORM).unwrap()).await;
    let pending = old.request("tools/call", params.clone()).await;
    assert_eq!(pending.messages.len(), 1, "nothing is asked: {pending:?}");
    assert!(pending.tool_text().contains(words), "{pending:?}");
    // People decide; the value is sent.
    assert!(stand.hold(id).await.0.own.is_none());
    stand.approve(id).await.unwrap();
    let last = outcome(&client, &params, first, FORM).await;
    assert!(!last.is_tool_error(), "{last:?}");
    assert_eq!(noted(&stand, &format!("wrote to {MAIL}")), 1);
    // The same without a pseudonym is asked, and the agent is told nothing of it.
    let plain = modern(&client, &note("plain"), FORM).await;
    question(&plain);
}

/// A call with answers for Intercom, held, goes on with them, though the rounds of Portcullis have a
/// state of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_beside_the_arguments_survives_the_rounds() {
    let simulator = Options { speak: Speak::Modern, ..Options::default() };
    let (stand, _policies) = stand_with(own(), SHORT, simulator).await;
    let client = stand.client();
    let mut first = note("beside");
    first["requestState"] = json!("theirs");
    first["inputResponses"] = json!({"theirs": {"action": "decline"}});
    let asked = modern(&client, &first, FORM).await;
    assert!(question(&asked)["message"].as_str().unwrap().contains("and beside it: "));
    let sent = modern(&client, &next(&note("beside"), &asked, Some(TICKED)), FORM).await;
    outcome(&client, &note("beside"), sent, FORM).await;
    let calls = stand.calls();
    let sent = calls.iter().find(|it| it.tool.as_deref() == Some("add_internal_note")).unwrap();
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body["params"]["requestState"], "theirs");
    assert_eq!(body["params"]["inputResponses"], json!({"theirs": {"action": "decline"}}));
    assert_eq!(stand.holds().await.len(), 1);
}

/// A client that answers no rounds by itself is told in words, and the identical call goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_rounds_is_told_that_its_call_waits() {
    let more = "holds: { wait: 300ms, poll: 300ms, clients: [{ name: te*, rounds: 0 }] }\n";
    let (stand, _policies) = stand_with(own(), more, Options::default()).await;
    let client = stand.client();
    let pending = modern(&client, &note("words"), FORM).await;
    assert!(pending.tool_text().starts_with("PENDING"), "{pending:?}");
    stand.approve(the_hold(&stand).await).await.unwrap();
    let mut last = pending;
    until("the call has an outcome", async || {
        last = modern(&client, &note("words"), FORM).await;
        !last.tool_text().starts_with("PENDING")
    })
    .await;
    assert!(!last.is_tool_error(), "{last:?}");
    assert_eq!((stand.holds().await.len(), noted(&stand, "words")), (1, 1));
}
