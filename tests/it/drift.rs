//! Tools that change under way: hidden and denied until a person pins them; and the pass-through mode.

use portcullis::simulator::Options;
use portcullis::simulator::options::{Annotations, Credential, Definition, Speak, ToolSet};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{Modern, reading, writing};
use crate::stand::{Setup, Stand};

async fn listed(client: &Client) -> Vec<String> {
    let list = client.request("tools/list", json!({})).await;
    let tools = list.answer()["result"]["tools"].as_array().unwrap_or_else(|| panic!("{list:?}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

fn changes(stand: &Stand) -> Vec<(String, String)> {
    let records = stand.records();
    let tools = records.iter().filter(|it| it["type"] == "tool" && it["change"] != "first_seen");
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    tools.map(|it| (text(&it["name"]), text(&it["change"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_tool_is_hidden_and_denied_until_it_is_pinned() {
    for definition in
        [Definition::Description, Definition::Poisoned, Definition::Schema, Definition::Annotations]
    {
        for speak in [Speak::Legacy, Speak::Modern] {
            let simulator = Options { speak, ..Options::default() };
            let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
            let client = stand.client().connected().await;
            let before = listed(&client).await;
            let call = async || client.request("tools/call", reading(0)).await;
            assert!(!call().await.is_tool_error());
            stand.simulator.set(|options| options.definition = definition);
            let case = format!("{definition:?} {speak:?}");
            let after = listed(&client).await;
            assert!(!after.contains(&"get_conversation".to_owned()), "{case}");
            assert_eq!(after.len(), before.len() - 1, "{case}");
            let reached = stand.calls().len();
            let refused = call().await;
            assert!(refused.is_tool_error(), "{case}");
            assert!(
                refused.tool_text().contains("portcullis tools diff get_conversation"),
                "{refused:?}"
            );
            assert_eq!(stand.calls().len(), reached, "{case}");
            let list = stand.output(&["tools", "list"]);
            let line = list.lines().find(|line| line.starts_with("get_conversation")).unwrap();
            assert!(line.contains("changed"), "{case}: {line}");
            let diff = stand.output(&["tools", "diff", "get_conversation"]);
            assert!(diff.lines().any(|line| line.starts_with('+')), "{case}: {diff}");
            stand.output(&["tools", "pin", "get_conversation"]);
            assert_eq!(listed(&client).await, before, "{case}");
            assert!(!call().await.is_tool_error(), "{case}");
            // Back to the former definition is a change too.
            stand.simulator.set(|options| options.definition = Definition::Plain);
            stand.output(&["tools", "list", "--refresh"]);
            assert!(call().await.is_tool_error(), "{case}");
            let name = "get_conversation".to_owned();
            let expected = ["changed", "pinned", "changed"].map(|it| (name.clone(), it.to_owned()));
            assert_eq!(changes(&stand), expected, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_tool_is_hidden_and_a_lost_one_is_gone() {
    let simulator = Options { tools: ToolSet::Thirteen, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let note =
        json!({"conversation_id": crate::live::CONVERSATION.to_string(), "body": "<p>x</p>"});
    assert_eq!(listed(&client).await.len(), 12);
    let unknown = client.call("add_internal_note", note.clone()).await;
    assert!(unknown.is_tool_error());
    stand.simulator.set(|options| {
        options.tools = ToolSet::Fourteen;
        options.extra_tool = true;
    });
    // Intercom tells of the change; nobody lists.
    stand.output(&["tools", "list", "--refresh"]);
    for (tool, arguments) in
        [("add_internal_note", note.clone()), ("submit_mcp_feedback", json!({}))]
    {
        let refused = client.call(tool, arguments).await;
        assert!(refused.is_tool_error(), "{refused:?}");
        assert!(!listed(&client).await.contains(&tool.to_owned()));
    }
    let list = stand.output(&["tools", "list"]);
    for tool in ["add_internal_note", "submit_mcp_feedback"] {
        assert!(list.lines().any(|line| line.starts_with(tool) && line.contains("new")), "{list}");
    }
    stand.output(&["tools", "pin", "add_internal_note"]);
    assert_eq!(listed(&client).await.len(), 13);
    // Fewer tools: the lost ones cannot be called, and come back as they were without a person.
    stand.simulator.set(|options| options.tools = ToolSet::Six);
    assert_eq!(listed(&client).await.len(), 6);
    let gone = client.call("get_article", json!({"id": crate::live::ARTICLE})).await;
    assert!(gone.is_tool_error(), "{gone:?}");
    stand.simulator.set(|options| options.tools = ToolSet::Fourteen);
    assert_eq!(listed(&client).await.len(), 13);
    assert!(stand.calls().iter().all(|it| it.tool.as_deref() != Some("submit_mcp_feedback")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paging_is_no_change_and_annotations_are_ours() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    let before = listed(&client).await;
    for page in [Some(1), Some(5), Some(14), Some(100), None] {
        stand.simulator.set(|options| options.tools_per_page = page);
        assert_eq!(listed(&client).await, before, "{page:?}");
    }
    assert!(changes(&stand).is_empty());
    assert!(
        client.request("tools/list", json!({"cursor": "1"})).await.answer()["error"].is_object()
    );
    // From the first sight on, whatever Intercom says of its tools, the catalogue decides.
    for annotations in [Annotations::Lying, Annotations::Plausible] {
        let simulator = Options { annotations, ..Options::default() };
        let more = "holds: { wait: 100ms }\n".to_owned();
        let stand = Stand::start(Setup { simulator, more, ..Setup::default() }).await;
        let client = stand.client().connected().await;
        let list = client.request("tools/list", json!({})).await;
        for tool in list.answer()["result"]["tools"].as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            let writes = ["update_article", "create_article", "add_internal_note"].contains(&name);
            assert_eq!(tool["annotations"]["readOnlyHint"], !writes, "{annotations:?} {name}");
        }
        assert!(!client.request("tools/call", reading(0)).await.is_tool_error());
        let held = client.request("tools/call", writing("lying")).await;
        assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    }
}

fn passing_through(speak: Speak) -> Setup {
    let identity = "identity: { mode: passthrough, passthrough: { roles: [article-editor] } }\n";
    Setup {
        simulator: Options { speak, ..Options::default() },
        more: format!("{identity}holds: {{ wait: 300ms, poll: 300ms }}\n"),
        own_token: false,
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_pass_through_mode_the_agents_own_token_is_used() {
    for speak in [Speak::Legacy, Speak::Modern] {
        let stand = Stand::start(passing_through(speak)).await;
        let token = stand.simulator.token().to_owned();
        let new = Client::new(&stand.url, &token);
        let reply = Modern::new(1, "tools/call", reading(0), json!({})).send(&new).await;
        assert!(!reply.is_tool_error(), "{speak:?} {reply:?}");
        let old = Client::new(&stand.url, &token).connected().await;
        let reply = old.request("tools/call", reading(0)).await;
        assert!(!reply.is_tool_error(), "{speak:?} {reply:?}");
        for one in stand.simulator.received() {
            assert_eq!(one.headers["authorization"], format!("Bearer {token}"), "{one:?}");
        }
        // A key of Portcullis is a mistake here, and must not travel.
        let count = stand.simulator.received().len();
        for key in [&*stand.key, &*stand.approver_key] {
            let keyed = Client::new(&stand.url, key);
            let refused = Modern::new(1, "tools/call", reading(0), json!({})).send(&keyed).await;
            assert_eq!(refused.status, 401, "{refused:?}");
        }
        assert_eq!(stand.simulator.received().len(), count);
        // A token that Intercom does not take is the agent's own affair.
        stand.simulator.set(|options| options.credential = Credential::Expired);
        let told = Modern::new(1, "tools/call", reading(0), json!({})).send(&new).await;
        assert!(told.is_tool_error(), "{told:?}");
        assert!(told.tool_text().contains("401"), "{told:?}");
        assert!(!told.tool_text().contains("operator"), "{told:?}");
        assert!(!told.text.contains(&token));
        assert!(!stand.stderr().contains(&token));
    }
}

/// The token is not kept, so a released write waits for the agent to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_pass_through_mode_a_released_write_needs_the_repeat() {
    let stand = Stand::start(passing_through(Speak::Legacy)).await;
    let token = stand.simulator.token().to_owned();
    let client = Client::new(&stand.url, &token).connected().await;
    let held = client.request("tools/call", writing("mine")).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    let id = held.tool_text().rsplit("Hold: ").next().unwrap().to_owned();
    stand.output(&["holds", "approve", &id]);
    let writes =
        || stand.calls().iter().filter(|it| it.tool.as_deref() == Some("update_article")).count();
    assert_eq!(writes(), 0, "nobody has a token to send it with");
    let outcome = client.request("tools/call", writing("mine")).await;
    assert!(!outcome.is_tool_error(), "{outcome:?}");
    assert!(outcome.tool_text().contains("mine"));
    assert_eq!(writes(), 1);
    let log = stand.output(&["audit", "tail", "-n", "0", "--json"]);
    assert!(!log.contains(&token));
}
