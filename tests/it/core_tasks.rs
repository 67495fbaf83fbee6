//! Core tasks of revision 2025-11-25: any tool call of a client that speaks them, and above all one that
//! waits for a person.

use portcullis::domain::HoldState;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::leaving::told;
use crate::live::{reading, writing};
use crate::stand::{Setup, Stand};

async fn session(stand: &Stand) -> Client {
    let mut client = stand.client();
    let reply = client.initialize_as("2025-11-25", json!({"tasks": {}})).await;
    let tasks = &reply.answer()["result"]["capabilities"]["tasks"];
    assert_eq!(tasks["requests"]["tools"]["call"], json!({}), "{reply:?}");
    client
}

/// Calls as a task; the task.
async fn task(client: &Client, mut call: Value) -> Value {
    call["task"] = json!({"ttl": 600_000});
    let reply = client.request("tools/call", call).await;
    let task = reply.answer()["result"]["task"].clone();
    assert_eq!((&task["status"], &task["ttl"]), (&json!("working"), &json!(600_000)), "{reply:?}");
    task
}

async fn about(client: &Client, method: &str, task: &Value) -> Reply {
    client.request(method, json!({"taskId": task["taskId"]})).await
}

fn code(reply: &Reply) -> i64 {
    reply.answer()["error"]["code"].as_i64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_call_can_be_a_task() {
    let stand = Stand::start(Setup::default()).await;
    let client = session(&stand).await;
    let listed = client.request("tools/list", json!({})).await;
    let tools = listed.answer()["result"]["tools"].as_array().unwrap().clone();
    assert!(tools.iter().all(|tool| tool["execution"]["taskSupport"] == "optional"), "{tools:?}");

    // A read: its answer is what it would have been, with the task that it belongs to.
    let plain = client.request("tools/call", reading(0)).await;
    let read = task(&client, reading(0)).await;
    let result = about(&client, "tasks/result", &read).await;
    let mut answer = result.answer()["result"].clone();
    let related = answer.as_object_mut().unwrap().remove("_meta").unwrap();
    assert_eq!(related["io.modelcontextprotocol/related-task"]["taskId"], read["taskId"]);
    let mut expected = plain.answer()["result"].clone();
    expected.as_object_mut().unwrap().remove("_meta");
    assert_eq!(answer["content"], expected["content"]);
    let state = about(&client, "tasks/get", &read).await;
    assert_eq!(state.answer()["result"]["status"], "completed", "{state:?}");

    // A call that is denied ends as one that failed, in words for the agent.
    let denied = task(&client, json!({"name": "no_such_tool", "arguments": {}})).await;
    let result = about(&client, "tasks/result", &denied).await;
    assert!(result.is_tool_error(), "{result:?}");
    let state = about(&client, "tasks/get", &denied).await;
    assert_eq!(state.answer()["result"]["status"], "failed", "{state:?}");

    // What ended cannot be cancelled; what is not ours does not exist.
    assert_eq!(code(&about(&client, "tasks/cancel", &read).await), -32602);
    let others = session(&stand).await;
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        assert_eq!(code(&about(&others, method, &read).await), -32602, "{method}");
        let unknown = json!({"taskId": "none"});
        assert_eq!(code(&about(&client, method, &unknown).await), -32602, "{method}");
    }
    let list = client.request("tasks/list", json!({})).await;
    assert_eq!(list.answer()["result"]["tasks"].as_array().unwrap().len(), 2, "{list:?}");
    let list = others.request("tasks/list", json!({})).await;
    assert_eq!(list.answer()["result"]["tasks"], json!([]), "{list:?}");
    assert_eq!(stand.calls().len(), 2, "the denied one reached nobody");

    // Other revisions have none of it.
    let mut older = stand.client();
    let reply = older.initialize("2025-06-18").await;
    assert_eq!(reply.answer()["result"]["capabilities"]["tasks"], Value::Null);
    assert_eq!(code(&about(&older, "tasks/get", &read).await), -32601);
    let list = older.request("tools/list", json!({})).await;
    assert!(!list.text.contains("taskSupport"), "{list:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_call_waits_as_a_task_for_as_long_as_it_takes() {
    // Shorter than it takes: as a task it does not count.
    let more = "holds: { wait: 100ms, poll: 100ms }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = session(&stand).await;
    let titles = ["released", "refused", "withdrawn"];
    let mut tasks = Vec::new();
    for title in titles {
        tasks.push(task(&client, writing(title)).await);
    }
    crate::stand::until("all wait", async || stand.holds().await.len() == titles.len()).await;
    let hold_of = async |title: &str| {
        for hold in stand.holds().await {
            if stand.hold(hold.id).await.1["title"] == title {
                return hold;
            }
        }
        panic!("no hold for {title}");
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for task in &tasks {
        let state = about(&client, "tasks/get", task).await;
        let state = &state.answer()["result"];
        assert_eq!(state["status"], "working", "{state}");
        assert!(state["statusMessage"].as_str().unwrap().contains("person"), "{state}");
    }

    stand.approve(hold_of("released").await.id).await.unwrap();
    let result = about(&client, "tasks/result", &tasks[0]).await;
    assert!(!result.is_tool_error() && result.tool_text().contains("released"), "{result:?}");
    assert_eq!(stand.sent("released"), 1);
    // The agent has it when it asked for it, and not when it was there to be asked for.
    crate::stand::until("it was taken", async || told(&stand) == [true, false]).await;
    // Asked again it is the same answer, and nothing is sent again.
    let again = about(&client, "tasks/result", &tasks[0]).await;
    assert_eq!(again.answer()["result"]["content"], result.answer()["result"]["content"]);
    assert_eq!(stand.sent("released"), 1);

    stand.reject(hold_of("refused").await.id, "not like this").await.unwrap();
    let result = about(&client, "tasks/result", &tasks[1]).await;
    assert!(result.tool_text().starts_with("REJECTED"), "{result:?}");
    let state = about(&client, "tasks/get", &tasks[1]).await;
    assert_eq!(state.answer()["result"]["status"], "failed", "{state:?}");

    let withdrawn = hold_of("withdrawn").await.id;
    let state = about(&client, "tasks/cancel", &tasks[2]).await;
    assert_eq!(state.answer()["result"]["status"], "cancelled", "{state:?}");
    let is_withdrawn = async || stand.hold(withdrawn).await.0.state == HoldState::Cancelled;
    crate::stand::until("the hold is withdrawn", is_withdrawn).await;
    assert_eq!(code(&about(&client, "tasks/result", &tasks[2]).await), -32602);
    assert_eq!((stand.sent("refused"), stand.sent("withdrawn")), (0, 0));
}
