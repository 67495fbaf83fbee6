//! `subscriptions/listen` and the tasks extension, with upstreams of both eras.

use portcullis::simulator::Options;
use portcullis::simulator::options::{Definition, Speak};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{
    CONVERSATION, Modern, TASKS, asking_policies, declaring, methods, other, reading, speaking,
    writing,
};
use crate::stand::{Setup, Stand};

fn listening(filter: Value, id: &str) -> Modern {
    let params = json!({"notifications": filter});
    Modern::new(id, "subscriptions/listen", params, declaring(TASKS))
}

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_tell_of_changed_tools() {
    for speak in [Speak::Legacy, Speak::Modern] {
        let stand = speaking(speak).await;
        let client = stand.client();
        let list = async || Modern::new(1, "tools/list", json!({}), json!({})).send(&client).await;
        let before = list().await.answer()["result"]["tools"].as_array().unwrap().len();
        let filter = json!({"toolsListChanged": true, "promptsListChanged": false});
        let mut live = listening(filter, "sub").open(&client).await;
        let mut silent = listening(json!({}), "none").open(&client).await;
        for (live, id, tools) in [(&mut live, "sub", true), (&mut silent, "none", false)] {
            let first = live.message().await.unwrap().1;
            assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
            assert_eq!(first["params"]["_meta"][SUBSCRIPTION], id);
            let honoured = &first["params"]["notifications"];
            assert_eq!(honoured["toolsListChanged"] == true, tools, "{speak:?} {first}");
            assert!(honoured["promptsListChanged"] != true);
        }
        // Intercom says nothing of the change; it is seen when anybody lists.
        stand.simulator.set(|options| options.definition = Definition::Poisoned);
        assert_eq!(list().await.answer()["result"]["tools"].as_array().unwrap().len(), before - 1);
        let told = live.note("notifications/tools/list_changed").await;
        assert_eq!(told["params"]["_meta"][SUBSCRIPTION], "sub", "{speak:?}");
        // Pinning it is a change as well.
        stand.output(&["tools", "pin", "get_conversation"]);
        live.note("notifications/tools/list_changed").await;
        // What Intercom tells by itself is told on.
        if speak == Speak::Modern {
            stand.simulator.notify("notifications/tools/list_changed", json!({}));
            live.note("notifications/tools/list_changed").await;
        }
        // A stop ends the subscription in order.
        let mut stand = stand;
        assert!(stand.terminate().success());
        let end = live.rest().await.pop().unwrap();
        assert_eq!(end["id"], "sub", "{end}");
        assert_eq!(end["result"]["resultType"], "complete");
        assert_eq!(end["result"]["_meta"][SUBSCRIPTION], "sub");
        let end = silent.rest().await;
        assert_eq!(end.len(), 1, "{speak:?}: nothing outside the filter: {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_tell_of_held_calls() {
    for speak in [Speak::Legacy, Speak::Modern] {
        let stand = speaking(speak).await;
        let client = stand.client();
        let held = Modern::new(1, "tools/call", writing("held"), declaring(TASKS));
        let held = held.send(&client).await;
        let id = held.answer()["result"]["taskId"].as_str().unwrap().to_owned();
        let other = other(&stand).await;
        let filter = json!({"taskIds": [id, "unknown"]});
        let mut live = listening(filter.clone(), "mine").open(&client).await;
        let mut theirs = listening(filter, "theirs").open(&other).await;
        let first = live.message().await.unwrap().1;
        assert_eq!(first["params"]["notifications"]["taskIds"], json!([id]), "{speak:?}");
        let first = theirs.message().await.unwrap().1;
        assert!(first["params"]["notifications"]["taskIds"].is_null(), "{speak:?} {first}");
        stand.output(&["holds", "approve", &id]);
        let mut states = Vec::new();
        let task = loop {
            let task = live.note("notifications/tasks").await["params"].clone();
            assert_eq!(task["taskId"], id.as_str());
            assert_eq!(task["_meta"][SUBSCRIPTION], "mine");
            assert!(task["resultType"].is_null());
            states.push(task["status"].as_str().unwrap().to_owned());
            if states.last().is_some_and(|it| it == "completed") {
                break task;
            }
            assert!(states.len() < 10, "{states:?}");
        };
        assert!(task["result"]["content"][0]["text"].as_str().unwrap().contains("held"));
        assert!(task["result"]["isError"] != true, "{task}");
        let mut stand = stand;
        assert!(stand.terminate().success());
        let ended = live.rest().await;
        let again = ended.iter().filter(|it| it["params"]["status"] == "completed").count();
        assert_eq!(again, 0, "{speak:?}: the end is told once: {ended:?}");
        assert_eq!(theirs.rest().await.len(), 1, "another principal hears nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_intercom_belong_to_their_principal() {
    let simulator = Options { speak: Speak::Modern, tasks: Some(1), ..Options::default() };
    let (_policies, more) = asking_policies();
    let setup = Setup { simulator, roles: "support-reader, asker", more, ..Setup::default() };
    let stand = Stand::start(setup).await;
    let client = stand.client();
    let other = other(&stand).await;
    let made = Modern::new(1, "tools/call", reading(0), declaring(TASKS)).send(&client).await;
    let made = &made.answer()["result"];
    assert_eq!(made["resultType"], "task", "{made}");
    let id = made["taskId"].as_str().unwrap();
    let ask = async |client: &Client, method: &str, id: &str, capabilities: &str| {
        let params = json!({"taskId": id, "inputResponses": {}});
        let mut params = params;
        if method != "tasks/update" {
            params.as_object_mut().unwrap().remove("inputResponses");
        }
        Modern::new(7, method, params, declaring(capabilities)).send(client).await
    };
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let theirs = ask(&other, method, id, TASKS).await;
        assert_eq!(theirs.answer()["error"]["code"], -32602, "{method} {theirs:?}");
        let unknown = ask(&client, method, "0000", TASKS).await;
        assert_eq!(unknown.answer()["error"]["code"], -32602, "{method}");
        let undeclared = ask(&client, method, id, "{}").await;
        assert_eq!(undeclared.status, 400, "{method}");
        let error = &undeclared.answer()["error"];
        assert_eq!(error["code"], -32021, "{method}");
        assert!(
            error["data"]["requiredCapabilities"]["extensions"]["io.modelcontextprotocol/tasks"]
                .is_object(),
            "{error}"
        );
    }
    assert!(methods(&stand, "tasks/get").is_empty(), "nothing of that reached Intercom");
    let states =
        [ask(&client, "tasks/get", id, TASKS).await, ask(&client, "tasks/get", id, TASKS).await];
    assert_eq!(states[0].answer()["result"]["status"], "working", "{states:?}");
    assert_eq!(states[1].answer()["result"]["status"], "completed", "{states:?}");
    let text = states[1].answer()["result"]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(&CONVERSATION.to_string()));
    for state in &states {
        assert_eq!(state.answer()["result"]["taskId"], id);
        assert_eq!(state.answer()["result"]["resultType"], "complete");
    }
    for method in ["tasks/update", "tasks/cancel"] {
        assert_eq!(
            ask(&client, method, id, TASKS).await.answer()["result"]["resultType"],
            "complete"
        );
    }
    for got in methods(&stand, "tasks/get") {
        let body: Value = serde_json::from_str(&got.body).unwrap();
        assert_ne!(body["params"]["taskId"], id, "the id is sealed for the client");
        assert_eq!(body["params"]["taskId"], got.headers["mcp-name"].as_str());
    }
    // Clients that did not declare the extension get no task.
    let plain = Modern::new(1, "tools/call", reading(0), json!({})).send(&client).await;
    assert_eq!(plain.answer()["result"]["resultType"], "complete", "{plain:?}");
}
