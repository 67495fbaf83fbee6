//! What Intercom asks of a client: relayed to the right one, answered once, refused by default.

use http::Method;
use portcullis::simulator::options::{Question, Speak};
use portcullis::simulator::{Options, Received};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{Live, Modern, asking_policies, declaring, legacy, other, reading};
use crate::stand::{Setup, Stand};

/// The question, its method, what a client declares to be asked it, and an answer.
fn questions() -> [(Question, &'static str, Value, Value); 4] {
    let url = json!({"elicitation": {"form": {}, "url": {}}});
    [
        (
            Question::Elicitation,
            "elicitation/create",
            json!({"elicitation": {}}),
            json!({"action": "accept", "content": {"inbox": "north"}}),
        ),
        (Question::ElicitationUrl, "elicitation/create", url, json!({"action": "decline"})),
        (
            Question::Sampling,
            "sampling/createMessage",
            json!({"sampling": {}}),
            json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "four"}}),
        ),
        (Question::Roots, "roots/list", json!({"roots": {}}), json!({"roots": []})),
    ]
}

async fn asking_stand(simulator: Options, allowed: bool) -> (Stand, tempfile::TempDir) {
    let (policies, more) = asking_policies();
    let roles = if allowed { "support-reader, asker" } else { "support-reader" };
    (Stand::start(Setup { simulator, roles, more, ..Setup::default() }).await, policies)
}

async fn session(stand: &Stand, capabilities: Value) -> Client {
    let mut client = stand.client();
    client.initialize_as("2025-11-25", capabilities).await;
    client
}

/// The answers that reached Intercom.
fn answers(stand: &Stand) -> Vec<Value> {
    let all = stand.simulator.received();
    let plain = |it: &&Received| it.method.is_empty() && it.http == "POST /mcp";
    all.iter().filter(plain).map(|it| serde_json::from_str(&it.body).unwrap()).collect()
}

fn said(reply: &[Value]) -> String {
    reply.last().unwrap()["result"]["content"][1]["text"].as_str().unwrap().to_owned()
}

/// Answers what the client was asked; Intercom hears it, and a second answer is none.
async fn answered_once(client: &Client, live: &mut Live, asked: &Value, result: &Value) {
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
    assert_eq!(client.post(&answer).await.status, 202, "{asked}");
    assert_eq!(client.post(&answer).await.status, 400, "{asked}: a second answer");
    let reply = live.rest().await;
    assert!(said(&reply).contains("was answered"), "{asked} {reply:?}");
    assert!(said(&reply).contains(&result.to_string()), "{asked} {reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_relayed_and_answered_once() {
    let (stand, _policies) = asking_stand(Options::default(), true).await;
    let ping = (Question::Ping, "ping", json!({}), json!({}));
    for (question, method, capabilities, result) in questions().into_iter().chain([ping]) {
        stand.simulator.set(|options| options.question = question);
        stand.simulator.clear_received();
        let client = session(&stand, capabilities).await;
        let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
        let asked = live.note(method).await;
        answered_once(&client, &mut live, &asked, &result).await;
        let received = answers(&stand);
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!(received[0]["result"], result);
        assert!(received[0]["id"].as_str().unwrap().starts_with("sim-"), "Intercom's own id");
        assert_ne!(received[0]["id"], asked["id"], "the client sees an id of ours");
    }
}

/// A modern Intercom asks by `input_required`, which a legacy client does not know: it is asked as its own
/// era does, and the call goes on with the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_of_a_modern_intercom_are_asked_of_legacy_clients() {
    let simulator = Options { speak: Speak::Modern, ..Options::default() };
    let (stand, _policies) = asking_stand(simulator, true).await;
    for (question, method, capabilities, result) in questions() {
        stand.simulator.set(|options| options.question = question);
        stand.simulator.clear_received();
        let client = session(&stand, capabilities).await;
        let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
        let asked = live.note(method).await;
        let is_link = question == Question::ElicitationUrl;
        assert_eq!(asked["params"]["elicitationId"].is_string(), is_link, "{asked}");
        answered_once(&client, &mut live, &asked, &result).await;
        let calls = stand.calls();
        let bodies: Vec<Value> =
            calls.iter().map(|it| serde_json::from_str(&it.body).unwrap()).collect();
        assert_eq!(bodies.len(), 2, "{bodies:?}");
        assert!(bodies[0]["params"].get("inputResponses").is_none(), "{bodies:?}");
        assert!(bodies[1]["params"]["requestState"].is_string(), "{bodies:?}");
        assert_eq!(bodies[0]["params"]["arguments"], bodies[1]["params"]["arguments"]);
    }
    // Each repetition was decided on, and no answer is an end that the agent can read.
    let decided = |it: &&Value| it["type"] == "decision" && it["call"]["method"] == "tools/call";
    assert_eq!(stand.records().iter().filter(decided).count(), 2 * questions().len());
    stand.simulator.set(|options| options.question = Question::Roots);
    let client = session(&stand, json!({"roots": {}})).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
    let asked = live.note("roots/list").await;
    let error =
        json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -1, "message": "no"}});
    assert_eq!(client.post(&error.to_string()).await.status, 202);
    let rest = live.rest().await;
    let text = rest[0]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("did not answer"), "{text}");
    // Where policy lets nobody be asked, nobody is.
    let simulator =
        Options { speak: Speak::Modern, question: Question::Roots, ..Options::default() };
    let (strict, _policies) = asking_stand(simulator, false).await;
    let client = session(&strict, json!({"roots": {}})).await;
    let reply = client.post(&legacy(1, "tools/call", reading(0)).to_string()).await;
    assert!(reply.messages.len() == 1 && reply.is_tool_error(), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_an_answer_too() {
    let simulator = Options { question: Question::Roots, ..Options::default() };
    let (stand, _policies) = asking_stand(simulator, true).await;
    let client = session(&stand, json!({"roots": {}})).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
    let asked = live.note("roots/list").await;
    let error = json!({"code": -1, "message": "no", "data": {"why": [1, 2]}});
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "error": error});
    assert_eq!(client.post(&answer.to_string()).await.status, 202);
    live.rest().await;
    assert_eq!(answers(&stand)[0]["error"], error);
}

/// Refused: by policy, or because the client did not declare it. The call goes on either way, and
/// the client hears nothing of it. A ping is answered by Portcullis itself, whatever policy says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_or_cannot_be_asked_is_refused_to_intercom() {
    for allowed in [false, true] {
        let (stand, _policies) = asking_stand(Options::default(), allowed).await;
        for (question, method, capabilities, _) in questions() {
            stand.simulator.set(|options| options.question = question);
            stand.simulator.clear_received();
            let declared =
                if allowed { json!({"elicitation": {"form": {}}}) } else { capabilities };
            if allowed && question == Question::Elicitation {
                continue;
            }
            let client = session(&stand, declared).await;
            let reply = client.post(&legacy(1, "tools/call", reading(0)).to_string()).await;
            assert_eq!(reply.messages.len(), 1, "{question:?} {reply:?}");
            assert!(said(&reply.messages).contains("-32601"), "{method} {reply:?}");
            let received = answers(&stand);
            assert_eq!(received.len(), 1, "{received:?}");
            assert_eq!(received[0]["error"]["code"], -32601);
        }
        if !allowed {
            stand.simulator.set(|options| options.question = Question::Ping);
            let client = session(&stand, json!({})).await;
            let reply = client.post(&legacy(1, "tools/call", reading(0)).to_string()).await;
            assert!(said(&reply.messages).contains("ping was answered"), "{reply:?}");
            assert!(!said(&reply.messages).contains("error"), "{reply:?}");
        }
        assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    }
}

/// Rules that let a question pass and keep its answer back: Intercom is told at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_policy_keeps_back_is_refused_to_intercom() {
    let simulator = Options { question: Question::Roots, ..Options::default() };
    let (policies, more) = asking_policies();
    let rule = "# METADATA\n# title: Nobody answers\npackage portcullis.rules.admit\n\n\
        import rego.v1\n\ndeny contains {\"rule\": \"mute\", \"text\": \"nobody answers\"} if {\n\
        \tinput.subject.kind == \"answer\"\n\tinput.principal.kind != \"portcullis\"\n}\n";
    std::fs::write(policies.path().join("mute.rego"), rule).unwrap();
    let roles = "support-reader, asker";
    let stand = Stand::start(Setup { simulator, roles, more, ..Setup::default() }).await;
    let client = session(&stand, json!({"roots": {}})).await;
    let mut live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
    let asked = live.note("roots/list").await;
    let secret = json!({"roots": [{"uri": "file:///secret"}]});
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": secret});
    client.post(&answer.to_string()).await;
    assert!(said(&live.rest().await).contains("-32601"));
    let received = answers(&stand);
    assert_eq!(received.len(), 1, "{received:?}");
    assert!(!received[0].to_string().contains("secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_find_the_session_they_are_meant_for() {
    let simulator = Options { question: Question::Elicitation, ..Options::default() };
    let (stand, _policies) = asking_stand(simulator, true).await;
    let capabilities = json!({"elicitation": {}});
    let mut open = Vec::new();
    for number in 0..4 {
        let client = session(&stand, capabilities.clone()).await;
        let mut live = Live::post(&client, &legacy(1, "tools/call", reading(number))).await;
        let asked = live.note("elicitation/create").await;
        open.push((number, client, live, asked["id"].clone()));
    }
    let idle = session(&stand, capabilities).await;
    let foreign = other(&stand).await;
    for (_, client, _, id) in &open {
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": {"action": "cancel"}});
        // A session that was asked nothing cannot answer, nor can another principal in this one.
        assert_eq!(idle.post(&answer.to_string()).await.status, 400);
        let theirs = [("mcp-session-id".to_owned(), client.session().unwrap().to_owned())];
        let refused = foreign.send(Method::POST, &theirs, answer.to_string()).await;
        assert_eq!(refused.status, 404);
    }
    for unknown in [json!("portcullis-99"), json!(1), json!("sim-1")] {
        let answer = json!({"jsonrpc": "2.0", "id": unknown, "result": {}});
        assert_eq!(open[0].1.post(&answer.to_string()).await.status, 400, "{unknown}");
    }
    assert!(answers(&stand).is_empty());
    open.reverse();
    for (number, client, mut live, id) in open {
        let content = json!({"action": "accept", "content": {"inbox": format!("n{number}")}});
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": content});
        assert_eq!(client.post(&answer.to_string()).await.status, 202);
        let reply = live.rest().await;
        assert!(said(&reply).contains(&format!("n{number}")), "{number} {reply:?}");
        let text = reply[0]["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(&(crate::live::CONVERSATION + number).to_string()));
    }
}

/// Modern: questions travel inside results, and the state passes byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modern_questions_pass_with_their_state() {
    let simulator = Options { speak: Speak::Modern, ..Options::default() };
    let (stand, _policies) = asking_stand(simulator, true).await;
    let client = stand.client();
    for (question, method, capabilities, result) in questions() {
        stand.simulator.set(|options| options.question = question);
        let meta = declaring(&capabilities.to_string());
        let asked = Modern::new(1, "tools/call", reading(0), meta.clone()).send(&client).await;
        let told = &asked.answer()["result"];
        assert_eq!(told["resultType"], "input_required", "{question:?} {asked:?}");
        let (key, request) = told["inputRequests"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(request["method"], method);
        let state = told["requestState"].as_str().unwrap();
        let mut params = reading(0);
        params["inputResponses"] = json!({key: result});
        params["requestState"] = json!(state);
        // The client spells its state in another way: the bytes of its spelling arrive.
        let spelled = state.replace('=', "\\u003d").replace('/', "\\/");
        let mut again = Modern::new(2, "tools/call", params.clone(), meta.clone());
        again.body = again.body.replace(state, &spelled);
        stand.simulator.clear_received();
        let outcome = again.send(&client).await;
        assert_eq!(outcome.answer()["result"]["resultType"], "complete", "{outcome:?}");
        assert!(said(&outcome.messages).contains(&result.to_string()), "{outcome:?}");
        let sent = stand.calls().pop().unwrap().body;
        assert!(sent.contains(&format!("\"requestState\":\"{spelled}\"")), "{sent}");
        // An altered state is refused by Intercom, and the refusal passes.
        params["requestState"] = json!(format!("{state}x"));
        let altered = Modern::new(3, "tools/call", params, meta).send(&client).await;
        assert_eq!(altered.answer()["error"]["code"], -32602, "{altered:?}");
        // Nothing is declared, so nothing is asked.
        let plain = Modern::new(4, "tools/call", reading(0), json!({})).send(&client).await;
        assert_eq!(plain.answer()["result"]["resultType"], "complete", "{plain:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modern_questions_are_withheld_where_no_role_answers_them() {
    let simulator =
        Options { speak: Speak::Modern, question: Question::Elicitation, ..Options::default() };
    let (stand, _policies) = asking_stand(simulator, false).await;
    let client = stand.client();
    let meta = declaring(r#"{"elicitation": {}}"#);
    let reply = Modern::new(1, "tools/call", reading(0), meta).send(&client).await;
    assert!(reply.is_tool_error(), "{reply:?}");
    assert!(reply.tool_text().contains("withheld"), "{reply:?}");
    assert!(!reply.text.contains("inputRequests"));
    // A legacy client of a modern Intercom has no way to be asked; it is not even tried.
    let client = session(&stand, json!({"elicitation": {}})).await;
    let reply = client.request("tools/call", reading(0)).await;
    assert!(reply.messages.len() == 1, "{reply:?}");
    assert!(reply.tool_text().len() > 20, "{reply:?}");
}
