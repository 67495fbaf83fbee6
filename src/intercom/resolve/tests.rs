//! Calls of every tool, with arguments that fit and arguments that do not.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::domain::{Timestamp, ToolChange};
use crate::intercom::{Catalogue, ToolDefinition};

/// An upstream that types ids as its documentation does: strings, and numbers for people.
fn listing() -> Vec<ToolDefinition> {
    let both = r#"["string","integer"]"#;
    let mut tools: Vec<ToolDefinition> = Catalogue::shipped()
        .entries()
        .iter()
        .map(|entry| {
            let mut schema = entry.input_schema.as_str().replace(both, r#""string""#);
            for number in ["admin_assignee_id", "help_center_id", "author_id", "parent_id"] {
                let mut value: Value = serde_json::from_str(&schema).unwrap();
                if let Some(argument) = value["properties"].get_mut(number) {
                    argument["type"] = json!("number");
                }
                schema = value.to_string();
            }
            definition(&format!(r#"{{"name":"{}","inputSchema":{schema}}}"#, entry.name))
        })
        .collect();
    let header = r#"{"properties":{"value":{"type":"string","x-mcp-header":"Value"}},"type":"object","required":["value"]}"#;
    tools.push(definition(&format!(r#"{{"name":"foreign","inputSchema":{header}}}"#)));
    tools
}

fn definition(json: &str) -> ToolDefinition {
    ToolDefinition::read(&text(json)).unwrap()
}

fn text(json: &str) -> JsonText {
    JsonText::from_valid(Bytes::from(json.to_owned()))
}

struct House {
    _folder: tempfile::TempDir,
    pins: Pins,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let pins = Pins::open(folder.path().join("pins.json")).unwrap();
    pins.observe(listing(), Timestamp::default()).unwrap();
    House { _folder: folder, pins }
}

#[test]
fn arguments_that_fit_come_out_in_canonical_form() {
    let house = house();
    let long = "https://app.eu.intercom.com/a/inbox/_/inbox/conversation/12";
    let linked = format!(r#"{{ "conversation_id" : "{long}", "body": "<p>a  b</p>" }}"#);
    let cases = [
        (
            "search",
            r#"{"query":"object_type:contacts  email_domain:\"x.example\""}"#,
            Some(r#"{"query":"object_type:contacts email_domain:x.example"}"#),
        ),
        (
            "search",
            r#"{ "query": "object_type:contacts name:a" }"#,
            Some(r#"{"query":"object_type:contacts name:a"}"#),
        ),
        (
            "fetch",
            r#"{"\u0069d":"contact_66B0C0DE0000000000000A01"}"#,
            Some(r#"{"\u0069d":"contact_66b0c0de0000000000000a01"}"#),
        ),
        ("fetch", r#"{"id":"conversation_12"}"#, None),
        ("search_conversations", "{}", None),
        (
            "search_conversations",
            r#"{"ids":["conversation_1","2"],"per_page":150}"#,
            Some(r#"{"ids":["1","2"],"per_page":150}"#),
        ),
        ("search_conversations", r#"{"ids":[3]}"#, Some(r#"{"ids":["3"]}"#)),
        (
            "search_conversations",
            r#"{"team_assignee_id":777,"admin_assignee_id":"5001"}"#,
            Some(r#"{"team_assignee_id":"777","admin_assignee_id":5001}"#),
        ),
        (
            "search_conversations",
            r#"{"source_type":"email","state":"open","statistics_time_to_assignment":{"operator":">=","value":60}}"#,
            None,
        ),
        ("search_conversations", r#"{"starting_after":"abc=","per_page":5.0}"#, None),
        ("get_conversation", r#"{"id":"215470000000101"}"#, None),
        ("get_conversation", r#"{"id":215470000000101}"#, Some(r#"{"id":"215470000000101"}"#)),
        (
            "search_contacts",
            r#"{"contact_ids":["contact_66B0c0de0000000000000a01"]}"#,
            Some(r#"{"contact_ids":["66b0c0de0000000000000a01"]}"#),
        ),
        ("search_contacts", r#"{"custom_attributes":{"plan":"pro","n":1.50}}"#, None),
        ("search_contacts", r#"{"email":"a\u0040x.example"}"#, None),
        (
            "get_contact",
            r#"{"id":"contact_66b0c0de0000000000000a01"}"#,
            Some(r#"{"id":"66b0c0de0000000000000a01"}"#),
        ),
        ("list_companies", r#"{"name":"Acme","page":2,"per_page":60}"#, None),
        (
            "get_company",
            r#"{"id":"company_66b0c0de0000000000000c01"}"#,
            Some(r#"{"id":"66b0c0de0000000000000c01"}"#),
        ),
        ("list_articles", r#"{"page":1,"per_page":150}"#, None),
        ("search_articles", r#"{"phrase":"refund","state":"draft","highlight":true}"#, None),
        ("get_article", r#"{"id":9100001}"#, Some(r#"{"id":"9100001"}"#)),
        (
            "create_article",
            r#"{"title":"T","author_id":"5001","parent_id":1,"parent_type":"collection"}"#,
            Some(r#"{"title":"T","author_id":5001,"parent_id":1,"parent_type":"collection"}"#),
        ),
        ("update_article", r#"{"id":"1","state":"published"}"#, None),
        ("add_internal_note", &linked, Some(r#"{"conversation_id":"12","body":"<p>a  b</p>"}"#)),
        (
            "foreign",
            "{\"more\":\t[1, 1.0],\"value\":\"x\"}",
            Some(r#"{"more":[1,1.0],"value":"x"}"#),
        ),
    ];
    for (tool, arguments, expected) in cases {
        let resolved = house.pins.resolve(tool, Some(&text(arguments)));
        let resolved = resolved.unwrap_or_else(|refusal| panic!("{tool} {arguments}: {refusal}"));
        let expected = expected.unwrap_or(arguments);
        assert_eq!(resolved.arguments.as_str(), expected, "{tool}");
        assert_eq!(resolved.effect, Catalogue::shipped().effect(tool));
        let again = house.pins.resolve(tool, Some(&resolved.arguments)).unwrap();
        assert_eq!(again.arguments, resolved.arguments, "idempotent: {tool}");
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused_with_advice() {
    let house = house();
    let filter = "at least one of `contact_ids`, `name`, `email`, `email_domain`, `phone`, `custom_attributes` is needed";
    let cases = [
        ("search", "{}", "`query` is missing"),
        ("search", r#"{"query":""}"#, "`query` must say what is searched"),
        (
            "search",
            r#"{"q":"x"}"#,
            "`q` is not an argument of this tool, which takes `query`; `query` is missing",
        ),
        ("fetch", r#"{"id":"12"}"#, "`id` does not say what it names"),
        ("fetch", r#"{"id":null}"#, "`id` must be a string"),
        ("search_conversations", r#"{"ids":"1"}"#, "`ids` must be a list"),
        ("search_conversations", r#"{"ids":["1","x"]}"#, "`ids[1]` is not such an id"),
        ("search_conversations", r#"{"per_page":0}"#, "`per_page` must be at least 1"),
        ("search_conversations", r#"{"per_page":151}"#, "`per_page` must be at most 150"),
        (
            "search_conversations",
            r#"{"state":"new"}"#,
            "`state` must be one of `open`, `closed`, `snoozed`",
        ),
        (
            "search_conversations",
            r#"{"created_at":{"operator":">","value":1}}"#,
            "`created_at` is not an argument",
        ),
        (
            "search_conversations",
            r#"{"team_assignee_id":"0777"}"#,
            "`team_assignee_id` begins with a zero",
        ),
        (
            "search_conversations",
            r#"{"statistics_time_to_assignment":{"operator":"~","value":1}}"#,
            "`statistics_time_to_assignment.operator` must be one of",
        ),
        ("get_conversation", "{}", "`id` is missing"),
        ("get_conversation", r#"{"id":"1","extra":1}"#, "`extra` is not an argument"),
        ("get_conversation", r#"{"id":["1"]}"#, "`id` must be"),
        (
            "get_conversation",
            r#"{"id":"https://app.intercom.com.evil.example/a/inbox/_/inbox/conversation/1"}"#,
            "`id` is a link to another place",
        ),
        ("search_contacts", "{}", filter),
        ("search_contacts", r#"{"per_page":5,"email":null}"#, filter),
        (
            "get_contact",
            r#"{"id":"jane@example.com"}"#,
            "`id` is not such an id; write the contact's id",
        ),
        ("list_companies", r#"{"per_page":61}"#, "`per_page` must be at most 60"),
        (
            "get_company",
            r#"{"id":"contact_66b0c0de0000000000000c01"}"#,
            "`id` names another kind of object",
        ),
        ("list_articles", r#"{"page":"1"}"#, "`page` must be a whole number"),
        ("search_articles", "{}", "at least one of `phrase`, `state`"),
        (
            "get_article",
            r#"{"id":"1-refund"}"#,
            "`id` is not such an id; write the article's digits",
        ),
        ("create_article", r#"{"title":"T"}"#, "`author_id` is missing"),
        (
            "create_article",
            r#"{"title":"T","author_id":5001,"parent_id":1}"#,
            "`parent_type` is missing",
        ),
        (
            "create_article",
            r#"{"title":"T","author_id":5e3}"#,
            "`author_id` is not such an id; write digits alone",
        ),
        ("update_article", r#"{"id":"1"}"#, "at least one of `title`, `author_id`"),
        (
            "update_article",
            r#"{"id":"1","state":"deleted"}"#,
            "`state` must be one of `published`, `draft`",
        ),
        ("add_internal_note", r#"{"conversation_id":"1"}"#, "`body` is missing"),
        (
            "add_internal_note",
            r#"{"conversation_id":"1?x","body":""}"#,
            "`conversation_id` is not such an id",
        ),
        ("foreign", "{}", "`value` is missing"),
        ("foreign", "[]", "`arguments` must be an object"),
        ("foreign", "\"{}\"", "`arguments` must be an object"),
    ];
    for (tool, arguments, expected) in cases {
        let refusal = house.pins.resolve(tool, Some(&text(arguments))).unwrap_err();
        let said = refusal.to_string();
        assert_eq!(refusal.code(), "tool.invalid_arguments");
        let start = format!("the arguments of `{tool}` are not valid: {expected}");
        assert!(said.starts_with(&start), "{tool} {arguments}:\n{said}\n{start}");
        assert!(!said.contains("jane") && !said.contains("evil"), "{said}");
    }
}

#[test]
fn absent_arguments_are_none() {
    let house = house();
    for arguments in [None, Some(&JsonText::null()), Some(&JsonText::empty_object())] {
        let resolved = house.pins.resolve("list_articles", arguments).unwrap();
        assert_eq!(resolved.arguments.as_str(), "{}");
    }
}

#[test]
fn mirrors_and_digest_are_the_pinned_definitions() {
    let house = house();
    let resolved = house.pins.resolve("foreign", Some(&text(r#"{"value":"x"}"#))).unwrap();
    assert_eq!(&*resolved.mirrors, [("Value".to_owned(), vec!["value".to_owned()])]);
    assert_eq!(resolved.effect, Effect::Write);
    let foreign = listing().into_iter().find(|it| it.name == "foreign").unwrap();
    assert_eq!(resolved.definition, Some(foreign.digest));
}

#[test]
fn tools_that_cannot_be_called() {
    let house = house();
    let mut changed = listing();
    changed.retain(|it| it.name != "get_contact");
    changed.push(definition(r#"{"name":"new_tool","inputSchema":{}}"#));
    for it in &mut changed {
        if it.name == "get_article" {
            *it = definition(r#"{"name":"get_article","inputSchema":{"type":"object"}}"#);
        }
    }
    let events = house.pins.observe(changed, Timestamp::default()).unwrap();
    assert_eq!(events.len(), 2);
    assert!(events.iter().any(|event| event.change == ToolChange::New));
    let cases = [
        ("get_article", "tool.changed", "`get_article` is blocked: its definition changed"),
        ("new_tool", "tool.not_pinned", "`new_tool` is blocked: it is new"),
        ("get_contact", "tool.unknown", "there is no tool `get_contact`"),
        ("delete_everything", "tool.unknown", "there is no tool `delete_everything`"),
        ("Search", "tool.unknown", "there is no tool `Search`"),
        ("search\u{200b}", "tool.unknown", "there is no tool `search\\u{200b}`"),
        ("submit_mcp_feedback", "tool.refused", "`submit_mcp_feedback` is not available"),
    ];
    for (tool, code, start) in cases {
        let refusal = house.pins.resolve(tool, None).unwrap_err();
        assert_eq!(refusal.code(), code);
        assert!(refusal.to_string().starts_with(start), "{refusal}");
    }
    assert!(house.pins.usable().iter().all(|it| it.definition.name != "submit_mcp_feedback"));
}
