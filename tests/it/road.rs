//! The main road: read, refuse, hold, release, in both eras.

use serde_json::json;

use crate::stand::{Setup, Stand};

pub(crate) const ARTICLE: &str = "9100001";
pub(crate) const CONVERSATION: &str = "215470000000101";

fn quick() -> Setup {
    Setup { more: "holds: { wait: 300ms, poll: 300ms }\n".to_owned(), ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_client_reads_is_refused_is_held_and_gets_the_outcome_once() {
    let stand = Stand::start(quick()).await;
    let client = stand.client().connected().await;
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(read.tool_text().contains(CONVERSATION), "{read:?}");
    let refused = client.call("create_article", json!({"title": "x", "author_id": 1})).await;
    assert!(refused.is_tool_error());
    let text = refused.tool_text();
    let told = "Portcullis refused this call of the tool `create_article`: no role of this principal \
                uses the tool create_article (Tools by role). Use one of the tools in the list of \
                tools, or say that you need another role. Repeating the call will not help. Record: ";
    assert!(text.starts_with(told), "{text}");
    // Names and places of rules are in the record that is named.
    let record = stand.output(&["audit", "tail", "--call", text.rsplit(' ').next().unwrap()]);
    assert!(record.contains("(admit.tool_outside_roles, admit.rego:"), "{record}");
    let update = json!({"id": ARTICLE, "title": "A new title"});
    let held = client.call("update_article", update.clone()).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    assert!(!stand.calls().iter().any(|it| it.tool.as_deref() == Some("update_article")));
    let id = hold_id(held.tool_text());
    assert!(stand.output(&["holds", "approve", &id]).contains("sent, and Intercom did it"));
    let outcome = client.call("update_article", update.clone()).await;
    assert!(!outcome.is_tool_error(), "{outcome:?}");
    assert!(outcome.tool_text().contains("A new title"));
    let sent: Vec<_> = stand
        .calls()
        .into_iter()
        .filter(|it| it.tool.as_deref() == Some("update_article"))
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].arguments, Some(update));
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_client_gets_rounds_or_a_task() {
    let stand = Stand::start(quick()).await;
    let client = stand.client();
    let update = |title: &str| json!({"name": "update_article", "arguments": {"id": ARTICLE, "title": title}});
    let round = client.modern("tools/call", update("one"), json!({})).await;
    assert_eq!(round.answer()["result"]["resultType"], "input_required", "{round:?}");
    let state = round.answer()["result"]["requestState"].clone();
    let id = pending(&stand);
    stand.output(&["holds", "approve", &id]);
    let mut again = update("one");
    again["requestState"] = state;
    let outcome = client.modern("tools/call", again, json!({})).await;
    assert_eq!(outcome.answer()["result"]["resultType"], "complete", "{outcome:?}");
    assert!(!outcome.is_tool_error(), "{outcome:?}");

    let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let task = client.modern("tools/call", update("two"), tasks.clone()).await;
    assert_eq!(task.answer()["result"]["resultType"], "task", "{task:?}");
    let id = task.answer()["result"]["taskId"].as_str().unwrap().to_owned();
    stand.output(&["holds", "reject", &id, "not", "today"]);
    let status = client.modern("tasks/get", json!({"taskId": id}), tasks).await;
    let result = &status.answer()["result"];
    assert_eq!(result["status"], "completed");
    assert!(result["result"]["content"][0]["text"].as_str().unwrap().contains("not today"));
    let sent =
        stand.calls().iter().filter(|it| it.tool.as_deref() == Some("update_article")).count();
    assert_eq!(sent, 1);
}

/// The hold that a text for an agent names.
pub(crate) fn hold_id(text: &str) -> String {
    text.rsplit("Hold: ").next().unwrap().trim().to_owned()
}

/// The one hold that waits.
fn pending(stand: &Stand) -> String {
    let list: serde_json::Value =
        serde_json::from_str(&stand.output(&["holds", "list", "--json"])).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    list[0]["id"].as_str().unwrap().to_owned()
}
