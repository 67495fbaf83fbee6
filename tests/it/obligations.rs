//! What rules demand of arguments, through the real binary: what Intercom receives, what the agent
//! is told, what an approver sees.

use serde_json::json;

use crate::road::{ARTICLE, hold_id};
use crate::stand::{Setup, Stand};

const CONTACT: &str = "66b0c0de0000000000000a01";

/// A rule file beside the default bundle's own.
const RULES: &str = r#"
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "reads", "text": "reads are allowed"} if {
	input.tool.effect == "read"
	input.principal.id in {"agent", "portcullis"}
}

allow contains {"rule": "methods", "text": "methods are allowed"} if {
	input.subject.kind == "method"
	input.principal.id
}

hold contains {"rule": "writes_wait", "text": "writes wait"} if input.tool.effect == "write"

oblige contains {
	"rule": "own_team",
	"text": "only the conversations of team 701 are found",
	"filter": {"field": "team_assignee_id", "operator": "eq", "values": [701]},
} if input.search.object == "conversations"

oblige contains {
	"rule": "small_pages",
	"text": "a page has at most 2 entries",
	"cap": {"argument": "per_page", "most": 2},
} if {
	input.tool.effect == "read"
	# Its look at what a call would change has no pages.
	input.principal.kind != "portcullis"
}

oblige contains {
	"rule": "drafts_only",
	"text": "articles are changed as drafts",
	"set": {"argument": "state", "value": "draft"},
} if input.tool.name == "update_article"

oblige contains {
	"rule": "say_why",
	"text": "whoever looks at a person says why",
	"reason": {"least": 12},
} if input.tool.name == "get_contact"

deny contains {
	"rule": "not_curious",
	"text": "curiosity is no reason",
} if contains(input.reason, "curious")

# Demands another title each time it looks.
oblige contains {
	"rule": "restless",
	"text": "never content",
	"set": {"argument": "title", "value": concat("", [input.arguments.title, "!"])},
} if {
	input.tool.name == "create_article"
	startswith(input.arguments.title, "restless")
}
"#;

const OTHERS: &str = r#"
package portcullis.rules.QUESTION

import rego.v1

allow contains {"rule": "all", "text": "all"} if input.principal.id
"#;

const VISIBLE: &str = r"
package portcullis.rules.visible

import rego.v1

show contains tool.name if some tool in input.tools
";

fn setup() -> Setup {
    let more = "policies: rules\nholds: { wait: 300ms, poll: 300ms }\n".to_owned();
    Setup { more, ..bundle(RULES) }
}

/// A stand with a bundle in `rules` that has these rules for `admit` and allows the rest.
pub(crate) fn bundle(admit: &str) -> Setup {
    bundle_of(admit, &OTHERS.replace("QUESTION", "disclose"))
}

/// As [`bundle`], with these rules for `disclose`.
pub(crate) fn bundle_of(admit: &str, disclose: &str) -> Setup {
    let files = [
        ("admit", admit.to_owned()),
        ("disclose", disclose.to_owned()),
        ("approve", OTHERS.replace("QUESTION", "approve")),
        ("visible", VISIBLE.to_owned()),
    ];
    let file = |(name, text): (&str, String)| (format!("rules/{name}.rego"), text);
    Setup { files: files.map(file).into(), ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_limited_and_the_agent_is_told() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let rows = [
        (
            "search",
            json!({"query": "object_type:conversations  state:open limit:50"}),
            json!({"query": "object_type:conversations state:open team_assignee_id:701 limit:2"}),
            "a page has at most 2 entries; only the conversations of team 701 are found",
        ),
        (
            "search_conversations",
            json!({"state": "open"}),
            json!({"state": "open", "team_assignee_id": "701", "per_page": 2}),
            "a page has at most 2 entries; only the conversations of team 701 are found",
        ),
        (
            "list_articles",
            json!({"per_page": 100}),
            json!({"per_page": 2}),
            "a page has at most 2 entries",
        ),
        ("list_articles", json!({"per_page": 1}), json!({"per_page": 1}), ""),
        ("get_article", json!({"id": ARTICLE}), json!({"id": ARTICLE}), ""),
    ];
    for (tool, asked, sent, told) in rows {
        let answer = client.call(tool, asked.clone()).await;
        assert!(!answer.is_tool_error(), "{answer:?}");
        let received = stand.calls().pop().unwrap();
        assert_eq!(received.arguments, Some(sent), "{tool} {asked}");
        let blocks = answer.answer()["result"]["content"].as_array().unwrap().clone();
        let note = blocks.last().unwrap()["text"].as_str().unwrap();
        assert_eq!(note.starts_with("Note by Portcullis: "), !told.is_empty(), "{note}");
        assert!(told.is_empty() || note.ends_with(told), "{note}");
    }
    let elsewhere = json!({"query": "object_type:conversations team_assignee_id:702"});
    let before = stand.calls().len();
    let refused = client.call("search", elsewhere).await;
    assert!(refused.is_tool_error());
    assert!(refused.tool_text().contains("`team_assignee_id` is limited to 701"), "{refused:?}");
    assert_eq!(stand.calls().len(), before, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_call_waits_as_the_rules_want_it() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let asked = json!({"id": ARTICLE, "title": "Limits", "state": "published"});
    let held = client.call("update_article", asked.clone()).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    let id = hold_id(held.tool_text());
    let wanted = json!({"id": ARTICLE, "title": "Limits", "state": "draft"});
    let (_, seen) = stand.hold(id.parse().unwrap()).await;
    assert_eq!(seen, wanted, "the approver sees what would be sent");
    stand.approve(id.parse().unwrap()).await.unwrap();
    let outcome = client.call("update_article", asked).await;
    assert!(!outcome.is_tool_error(), "{outcome:?}");
    let note = outcome.answer()["result"]["content"].as_array().unwrap().last().unwrap().clone();
    assert!(note["text"].as_str().unwrap().contains("articles are changed as drafts"), "{note}");
    let received = stand.calls().pop().unwrap();
    assert_eq!(received.arguments, Some(wanted));

    let restless = json!({"title": "restless", "author_id": 5001});
    let refused = client.call("create_article", restless).await;
    assert!(refused.tool_text().contains("other arguments each time"), "{refused:?}");
    let records = stand.records();
    let decision = records.iter().rfind(|it| it["type"] == "decision").unwrap();
    assert_eq!(decision["decision"]["verdict"], "deny");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_is_asked_for_judged_and_not_sent() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let list = client.request("tools/list", json!({})).await;
    for tool in list.answer()["result"]["tools"].as_array().unwrap() {
        let argument = &tool["inputSchema"]["properties"]["portcullis_reason"];
        assert_eq!(argument["type"], "string", "{tool}");
    }
    let rows = [
        (json!(null), "with the argument `portcullis_reason`"),
        (json!("short"), "at least 12 characters"),
        (json!("            .            "), "at least 12 characters"),
        (json!("I am just curious about her"), "curiosity is no reason"),
        (json!("x".repeat(501)), "at most 500 characters"),
        (json!(7), "must be a text"),
        (json!("ticket 4711 asks for the phone number"), ""),
    ];
    for (reason, told) in rows {
        let before = stand.calls().len();
        let mut arguments = json!({"id": CONTACT});
        if !reason.is_null() {
            arguments["portcullis_reason"] = reason.clone();
        }
        let answer = client.call("get_contact", arguments).await;
        let text = answer.answer().to_string();
        assert!(text.contains(told), "{reason}: {text}");
        if told.is_empty() {
            assert!(!answer.is_tool_error(), "{answer:?}");
            let sent = stand.calls().pop().unwrap().arguments;
            assert_eq!(sent, Some(json!({"id": CONTACT})), "the reason is not sent");
        } else {
            assert_eq!(stand.calls().len(), before, "{reason}");
        }
    }
    let held = json!({"id": ARTICLE, "title": "Why", "portcullis_reason": "typo on the page"});
    let held = client.call("update_article", held).await;
    let id = hold_id(held.tool_text());
    let shown = stand.output(&["holds", "show", &id]);
    assert!(shown.contains("the agent says, not verified: typo on the page"), "{shown}");
    let log = stand.records();
    assert!(!log.iter().any(|record| record.to_string().contains("ticket 4711")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_whose_duties_changed_is_not_released() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let asked = json!({"id": ARTICLE, "title": "Limits", "state": "published"});
    let held = client.call("update_article", asked.clone()).await;
    let id = hold_id(held.tool_text());
    let file = stand.folder.path().join("rules/admit.rego");
    let rules = std::fs::read_to_string(&file).unwrap();
    let rules = rules.replace(
        r#""argument": "state", "value": "draft""#,
        r#""argument": "description", "value": "d""#,
    );
    std::fs::write(&file, rules).unwrap();
    stand.output(&["policy", "reload"]);
    let refused = stand.approve(id.parse().unwrap()).await.unwrap_err();
    assert!(refused.contains("demands other arguments by now"), "{refused}");
    let told = client.call("update_article", asked).await;
    assert!(told.tool_text().starts_with("PENDING"), "a new hold: {told:?}");
    assert_ne!(hold_id(told.tool_text()), id);
    assert_eq!(stand.sent("Limits"), 0);
}
