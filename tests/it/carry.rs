//! Questions of a modern Intercom for the user of a legacy client: what is true when the answer comes
//! counts, not what was true when the user was asked.

use portcullis::domain::HoldState;
use portcullis::simulator::Options;
use portcullis::simulator::options::{Definition, Question, Speak};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{Live, legacy, reading};
use crate::obligations::bundle;
use crate::stand::{Setup, Stand, until};

const RULES: &str = r#"
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "all", "text": "what is not said otherwise is allowed"} if input.principal.id

deny contains {"rule": "public", "text": "a published article stays"} if {
	input.tool.name == "update_article"
	input.target.state == "published"
}

hold contains {
	"rule": "answered",
	"text": "an answer about a note waits",
	"release": {"groups": [], "people": 1, "expires_seconds": 600},
} if {
	input.tool.name == "add_internal_note"
	input.continuation
}
"#;

const DRAFT: &str = "9100003";
/// The most rounds of questions of one call.
const ROUNDS: usize = 10;

async fn stand_asking(question: Question, tool: &str, more: &str) -> Stand {
    let question_tool = Some(tool.to_owned());
    let simulator = Options { speak: Speak::Modern, question, question_tool, ..Options::default() };
    let more = format!("policies: rules\n{more}");
    Stand::start(Setup { simulator, more, ..bundle(RULES) }).await
}

async fn session(stand: &Stand) -> Client {
    let mut client = stand.client();
    client.initialize_as("2025-11-25", json!({"roots": {}})).await;
    client
}

/// A call whose user was just asked, and the question.
async fn asked(client: &Client, params: Value) -> (Live, Value) {
    let mut live = Live::post(client, &legacy(1, "tools/call", params)).await;
    let asked = live.note("roots/list").await;
    (live, asked["id"].clone())
}

fn answer(question: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": question, "result": {"roots": []}}).to_string()
}

fn text(rest: &[Value]) -> &str {
    let result = &rest.last().unwrap()["result"];
    assert_eq!(result["isError"], true, "{rest:?}");
    result["content"][0]["text"].as_str().unwrap()
}

/// How often a tool was called with answers, or without.
fn calls(stand: &Stand, tool: &str) -> usize {
    stand.calls().iter().filter(|it| it.tool.as_deref() == Some(tool)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_changed_while_the_user_was_asked_is_not_called_again() {
    let stand = stand_asking(Question::Roots, "get_conversation", "").await;
    let client = session(&stand).await;
    let (mut live, question) = asked(&client, reading(0)).await;
    stand.simulator.set(|options| options.definition = Definition::Description);
    stand.output(&["tools", "list", "--refresh"]);
    assert_eq!(client.post(&answer(&question)).await.status, 202);
    let rest = live.rest().await;
    assert!(text(&rest).contains("portcullis tools diff get_conversation"), "{rest:?}");
    assert_eq!(calls(&stand, "get_conversation"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_would_change_is_read_again_when_the_answer_comes() {
    let stand = stand_asking(Question::Roots, "update_article", "").await;
    let client = session(&stand).await;
    let params = json!({"name": "update_article", "arguments": {"id": DRAFT, "title": "mine"}});
    let (mut live, question) = asked(&client, params).await;
    // Meanwhile somebody publishes it, whom nobody asks.
    let mut other = stand.client();
    other.initialize_as("2025-11-25", json!({})).await;
    let published = other.call("update_article", json!({"id": DRAFT, "state": "published"})).await;
    assert!(!published.is_tool_error(), "{published:?}");
    assert_eq!(client.post(&answer(&question)).await.status, 202);
    let rest = live.rest().await;
    assert!(text(&rest).contains("a published article stays"), "{rest:?}");
    assert_eq!(stand.sent("mine"), 1, "the first round alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_while_the_user_is_asked_ends_the_call() {
    let stand = stand_asking(Question::Roots, "get_conversation", "").await;
    let client = session(&stand).await;
    let (_live, question) = asked(&client, reading(0)).await;
    stand.output(&["principals", "revoke", "agent"]);
    let is_it = |it: &Value| it["type"] == "refused" && it["code"] == "credential.revoked";
    until("the call ends", async || stand.records().iter().any(is_it)).await;
    assert_eq!(client.post(&answer(&question)).await.status, 401);
    assert_eq!(calls(&stand, "get_conversation"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_does_not_answer_is_not_waited_for_for_ever() {
    let more = "holds: { wait: 300ms }\n";
    let stand = stand_asking(Question::Roots, "get_conversation", more).await;
    let client = session(&stand).await;
    let (mut live, question) = asked(&client, reading(0)).await;
    let rest = live.rest().await;
    assert_eq!(rest[0]["method"], "notifications/cancelled", "{rest:?}");
    assert_eq!(rest[0]["params"]["requestId"], question);
    assert!(text(&rest).contains("did not answer in time"), "{rest:?}");
    assert_eq!(client.post(&answer(&question)).await.status, 400);
    assert_eq!(calls(&stand, "get_conversation"), 1);
}

/// Its agent could not come back for it: the answers are part of what would wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_answers_that_would_have_to_wait_is_denied() {
    let stand = stand_asking(Question::Roots, "add_internal_note", "").await;
    let client = session(&stand).await;
    let arguments = json!({"conversation_id": crate::live::CONVERSATION.to_string(), "body": "b"});
    let params = json!({"name": "add_internal_note", "arguments": arguments});
    let (mut live, question) = asked(&client, params).await;
    assert_eq!(client.post(&answer(&question)).await.status, 202);
    let rest = live.rest().await;
    assert!(text(&rest).contains("a person must release this call"), "{rest:?}");
    let holds = stand.holds().await;
    assert!(holds.iter().all(|it| it.state != HoldState::Pending), "{}", holds.len());
    assert_eq!(calls(&stand, "add_internal_note"), 1);
    let verdict =
        |it: &Value| (it["type"] == "decision").then(|| it["decision"]["verdict"].clone());
    let last = stand.records().iter().rev().find_map(verdict);
    assert_eq!(last, Some(json!("deny")), "the record says what was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_what_would_not_be_passed_on() {
    let stand = stand_asking(Question::None, "get_conversation", "").await;
    let always = json!({"requestState": "s", "inputRequests": {"r": {"method": "roots/list"}}});
    stand.simulator.set(|options| {
        options.results.insert("get_conversation".to_owned(), always);
    });
    let client = session(&stand).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
    for _ in 0..ROUNDS {
        let asked = live.note("roots/list").await;
        assert_eq!(client.post(&answer(&asked["id"])).await.status, 202);
    }
    let rest = live.rest().await;
    assert_eq!(rest.len(), 1, "not asked once more: {rest:?}");
    assert!(text(&rest).contains("asked too often"), "{rest:?}");
    assert_eq!(calls(&stand, "get_conversation"), ROUNDS + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_too_many_questions_hears_that_its_call_did_not_go_on() {
    let stand = stand_asking(Question::Roots, "get_conversation", "").await;
    let client = session(&stand).await;
    let mut open = Vec::new();
    for number in 0..64 {
        let mut live = Live::post(&client, &legacy(number, "tools/call", reading(0))).await;
        live.note("roots/list").await;
        open.push(live);
    }
    let reply = client.post(&legacy(64, "tools/call", reading(0)).to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let told = reply.tool_text();
    assert!(
        told.contains("the call did not go on") && told.contains("too many questions"),
        "{told}"
    );
    assert_eq!(calls(&stand, "get_conversation"), 65);
}

/// A released call declares that nobody can be asked. An Intercom that asks all the same did not carry it
/// out, and one that gives a task may have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_call_that_is_answered_with_a_question_has_failed() {
    let stand = stand_asking(Question::None, "add_internal_note", "holds: { wait: 30s }\n").await;
    let text = RULES.replace("\tinput.continuation\n", "");
    assert_ne!(text, RULES);
    std::fs::write(stand.folder.path().join("rules/admit.rego"), text).unwrap();
    stand.output(&["policy", "reload"]);
    for (result, state, words) in [
        (
            json!({"resultType": "input_required", "requestState": "s",
                "inputRequests": {"r": {"method": "roots/list"}}}),
            HoldState::Failed,
            "FAILED: the call was released but not executed: Intercom wants to ask something",
        ),
        // No question by the protocol's word for one: nobody can say that nothing was done.
        (
            json!({"requestState": "s", "inputRequests": {}}),
            HoldState::Unknown,
            "UNKNOWN: the call was released and sent",
        ),
        (
            json!({"resultType": "task", "taskId": "t", "status": "working"}),
            HoldState::Unknown,
            "UNKNOWN: the call was released and sent",
        ),
        (
            json!({"resultType": "complete", "content": [{"type": "text", "text": "noted"}]}),
            HoldState::Executed,
            "noted",
        ),
    ] {
        stand.simulator.set(|options| {
            options.results.insert("add_internal_note".to_owned(), result.clone());
        });
        let client = session(&stand).await;
        let arguments = json!({"conversation_id": crate::live::CONVERSATION.to_string(),
            "body": result.to_string()});
        let params = json!({"name": "add_internal_note", "arguments": arguments});
        let waiting = tokio::spawn(async move { client.request("tools/call", params).await });
        let pending = async || {
            let holds = stand.holds().await;
            holds.iter().find(|it| it.state == HoldState::Pending).map(|it| it.id)
        };
        until("it is held", async || pending().await.is_some()).await;
        let id = pending().await.unwrap();
        stand.approve(id).await.unwrap();
        let told = waiting.await.unwrap();
        assert!(told.tool_text().contains(words), "{result}: {told:?}");
        assert_eq!(stand.hold(id).await.0.state, state, "{result}");
        let sent = stand.calls().pop().unwrap();
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        let declared = &body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(*declared, json!({}), "{body}");
    }
}
