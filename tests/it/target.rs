//! Rules that look at what a write would change: the article as it is, not only as it is to be.

use serde_json::json;

use crate::obligations::bundle;
use crate::road::{ARTICLE, hold_id};
use crate::stand::{Setup, Stand};

const RULES: &str = r#"
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "methods", "text": "methods are allowed"} if {
	input.subject.kind == "method"
	input.principal.id
}

allow contains {"rule": "own_looks", "text": "Portcullis looks at what a call would change"} if {
	input.principal.kind == "portcullis"
	input.tool.effect == "read"
}

hold contains {
	"rule": "draft",
	"text": "a draft changes with one person",
	"release": {"groups": [], "people": 1, "expires_seconds": 600},
} if input.target.state == "draft"

hold contains {
	"rule": "public",
	"text": "a published article changes with two people",
	"release": {"groups": [], "people": 2, "expires_seconds": 600},
} if input.target.state == "published"

# Would turn a change of one article into a change of another.
oblige contains {
	"rule": "elsewhere",
	"text": "another article is changed",
	"set": {"argument": "id", "value": "9100003"},
} if {
	input.tool.name == "update_article"
	input.arguments.title == "elsewhere"
}

hold contains {
	"rule": "note",
	"text": "a note waits",
	"release": {"groups": [], "people": 1, "expires_seconds": 600},
} if {
	input.target.type == "conversation"
	count(input.target.contacts) == 1
}
"#;

const DRAFT: &str = "9100003";
const CONVERSATION: &str = "215470000000101";

fn setup() -> Setup {
    Setup { more: "policies: rules\nholds: { wait: 300ms }\n".to_owned(), ..bundle(RULES) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_target_is_read_and_decides() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let rows = [
        ("update_article", json!({"id": ARTICLE, "title": "t"}), "get_article", "two people"),
        ("update_article", json!({"id": DRAFT, "title": "t"}), "get_article", "one person"),
        (
            "add_internal_note",
            json!({"conversation_id": CONVERSATION, "body": "b"}),
            "get_conversation",
            "a note waits",
        ),
        (
            "update_article",
            json!({"id": "9199999", "title": "t"}),
            "get_article",
            "does not show it",
        ),
        (
            "update_article",
            json!({"id": ARTICLE, "title": "elsewhere"}),
            "get_article",
            "a rule changes which object the call is about",
        ),
    ];
    for (tool, arguments, look, told) in rows {
        let answer = client.call(tool, arguments.clone()).await;
        assert!(answer.tool_text().contains(told), "{tool} {arguments}: {answer:?}");
        let looked = stand.calls().pop().unwrap();
        assert_eq!(looked.tool.as_deref(), Some(look), "{tool} {arguments}");
    }
    let records = stand.records();
    let own = records.iter().filter(|it| {
        it["type"] == "decision"
            && it["call"]["principal"] == "portcullis"
            && it["call"]["subject"]["kind"] == "tool"
    });
    assert_eq!(own.count(), 5, "every look is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_changed_asks_the_people_again() {
    let stand = Stand::start(setup()).await;
    let client = stand.client().connected().await;
    let title = client.call("update_article", json!({"id": DRAFT, "title": "Late"})).await;
    let late = hold_id(title.tool_text()).parse().unwrap();
    let publish = client.call("update_article", json!({"id": DRAFT, "state": "published"})).await;
    let publish = hold_id(publish.tool_text()).parse().unwrap();
    assert!(stand.approve(publish).await.unwrap().contains("Intercom did it"));
    let refused = stand.approve(late).await.unwrap_err();
    assert!(refused.contains("the conditions of release changed"), "{refused}");
    let again = stand.approve(late).await.unwrap();
    assert!(again.contains("1 of 2"), "{again}");
    assert_eq!(stand.sent("Late"), 0);
}
