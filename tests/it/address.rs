//! Rules about where an agent calls from, in both eras.

use serde_json::json;

use crate::client::Reply;
use crate::live::{CONVERSATION, reading};
use crate::rollout::{rules, write};
use crate::stand::{Setup, Stand};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_let_in_by_the_network_it_calls_from() {
    for (network, inside) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut files = rules("near", false);
        for (name, text) in &mut files {
            if *name == "admit.rego" {
                let rule = format!(
                    "\ndeny contains {{\"rule\": \"far\", \"text\": \"call from the office\"}} if {{\n\
                     \tinput.tool.name\n\
                     \taddress := object.get(input.client, \"address\", \"0.0.0.0\")\n\
                     \tnot net.cidr_contains(\"{network}\", address)\n}}\n"
                );
                text.push_str(&rule);
            }
        }
        write(folder.path(), &files);
        let more = format!("policies: \"{}\"\n", folder.path().display());
        let stand = Stand::start(Setup { more, ..Setup::default() }).await;
        let told = |reply: &Reply| !reply.is_tool_error();
        let modern = stand.client().modern("tools/call", reading(0), json!({})).await;
        assert_eq!(told(&modern), inside, "{network}: {modern:?}");
        let legacy = stand.client().connected().await;
        let reply = legacy.call("get_conversation", json!({"id": CONVERSATION})).await;
        assert_eq!(told(&reply), inside, "{network}: {reply:?}");
        let decisions = stand.records();
        let mut decisions = decisions.iter().filter(|it| it["type"] == "decision");
        assert!(decisions.any(|it| it["call"]["client"]["address"] == "127.0.0.1"));
    }
}
