//! Objects on their way out: the differences between API versions, and what lists leave out.
//!
//! The workspace holds version 2.14. Only the differences that matter to somebody who reads or edits answers are made here.

use serde_json::{Value, json};

use super::data::{World, at, put, text_at};
use super::options::{ApiVersion, Options, Parts};

/// A conversation as `get_conversation` gives it.
pub(super) fn whole_conversation(world: &World, conversation: &Value, options: &Options) -> Value {
    match options.parts {
        Parts::With => shaped(world, conversation.clone(), options.api),
        Parts::Without => listed_conversation(world, conversation, options),
    }
}

/// A conversation as lists give it: everything but the parts.
pub(super) fn listed_conversation(world: &World, conversation: &Value, options: &Options) -> Value {
    let item: serde_json::Map<String, Value> = conversation
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "conversation_parts")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    shaped(world, Value::Object(item), options.api)
}

fn shaped(world: &World, mut conversation: Value, api: ApiVersion) -> Value {
    match api {
        ApiVersion::V2_14 => {}
        ApiVersion::V2_13 => each_part(&mut conversation, |part| {
            if let Some(author) = part.get_mut("author").and_then(Value::as_object_mut) {
                author.retain(|key, _| key != "from_ai_agent" && key != "is_ai_answer");
            }
        }),
        ApiVersion::V2_15 | ApiVersion::V2_16 => {
            newer(world, &mut conversation);
            if api == ApiVersion::V2_16 {
                newest(&mut conversation);
            }
        }
    }
    conversation
}

/// What 2.15 brought.
fn newer(world: &World, conversation: &mut Value) {
    if let Some(agent) = conversation.get_mut("ai_agent").filter(|agent| agent.is_object()) {
        let state = match text_at(agent, "resolution_state") {
            "routed_to_team" => "escalated",
            "abandoned" => "negative_feedback",
            other => other,
        };
        let state = state.to_owned();
        put(agent, "resolution_state", state);
    }
    each_part(conversation, |part| {
        let id = format!("<part-{}@mail.example>", text_at(part, "id"));
        put(part, "message_id", id);
    });
    let contact = at(conversation, "contacts.contacts")
        .and_then(Value::as_array)
        .and_then(|list| list.first())
        .map(|stub| text_at(stub, "id"));
    let company = contact
        .and_then(|id| world.contacts.get(id))
        .and_then(company_of)
        .and_then(|id| world.companies.get(id))
        .cloned();
    put(conversation, "company", company.unwrap_or(Value::Null));
}

/// What 2.16 brought.
fn newest(conversation: &mut Value) {
    let priority = if text_at(conversation, "priority") == "priority" { "high" } else { "none" };
    put(conversation, "priority", priority);
    let channel = text_at(conversation, "source.type").to_owned();
    put(conversation, "channel", channel);
    for (key, value) in [
        ("external_references", json!([])),
        ("sales_agent", Value::Null),
        ("scorecards", json!([])),
        ("monitor_evaluations", json!([])),
    ] {
        put(conversation, key, value);
    }
    let author = text_at(conversation, "source.author.email").to_owned();
    if let Some(source) = conversation.get_mut("source") {
        put(
            source,
            "recipients",
            json!([{"type": "to", "email": "help@support.example"}, {"type": "cc", "email": format!("assistant.{author}")}]),
        );
        put(source, "reply_to", json!([author]));
    }
}

fn each_part(conversation: &mut Value, change: impl Fn(&mut Value)) {
    let parts = conversation
        .get_mut("conversation_parts")
        .and_then(|list| list.get_mut("conversation_parts"))
        .and_then(Value::as_array_mut);
    parts.into_iter().flatten().for_each(change);
}

/// The id of a contact's first company.
pub(super) fn company_of(contact: &Value) -> Option<&str> {
    at(contact, "companies.data")?.as_array()?.first()?.get("id")?.as_str()
}

/// A contact.
pub(super) fn contact(contact: &Value, options: &Options) -> Value {
    let mut contact = contact.clone();
    if options.api == ApiVersion::V2_16 {
        let owner = contact.get("owner_id").map(ToString::to_string).unwrap_or_default();
        put(&mut contact, "owner_id", owner);
    }
    contact
}

/// A company.
pub(super) fn company(company: &Value, options: &Options) -> Value {
    let mut company = company.clone();
    if options.api == ApiVersion::V2_16 {
        put(
            &mut company,
            "notes",
            json!([{"type": "note", "id": "1", "body": "<p>Renewal in May.</p>", "author": {"type": "admin", "id": "7000004", "name": "Jonas Weber", "email": "jonas.weber@support.example"}}]),
        );
    }
    company
}

/// An article; `whole` is false in lists, which leave statistics out.
pub(super) fn article(article: &Value, options: &Options, whole: bool) -> Value {
    let mut article = article.clone();
    let Some(members) = article.as_object_mut() else { return article };
    if !whole {
        members.remove("statistics");
    }
    if options.api == ApiVersion::V2_16 {
        members.remove("parent_id");
        members.remove("parent_type");
        let author = members.get("author_id").cloned().unwrap_or_default();
        let plain = stripped(members.get("body").and_then(Value::as_str).unwrap_or_default());
        let news = [
            ("body_markdown", json!(plain)),
            ("created_by_id", author.clone()),
            ("updated_by_id", author),
            ("has_unpublished_changes", json!(false)),
            ("help_center_audience", json!("everyone")),
        ];
        members.extend(news.map(|(key, value)| (key.to_owned(), value)));
    } else {
        // `parent_ids` came with 2.16, yet the examples of older versions show it: kept.
        members.remove("body_markdown");
    }
    article
}

/// HTML as plain text: tags and comments removed, the common entities decoded, white space collapsed.
pub(super) fn stripped(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let end = if tag.starts_with("!--") { "-->" } else { ">" };
        rest = tag.split_once(end).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let entities = [
        ("&nbsp;", " "),
        ("&middot;", "\u{b7}"),
        ("&rsquo;", "\u{2019}"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let text = entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        let cases = [
            ("<p>a &amp; b</p><p>c</p>", "a & b c"),
            ("x<!-- <b>hidden</b> -->y", "x y"),
            ("&lt;p&gt;", "<p>"),
            ("open <b", "open"),
        ];
        for (html, want) in cases {
            assert_eq!(stripped(html), want);
        }
    }

    #[test]
    fn versions_differ_where_the_reference_says_so() {
        let world = World::new(1);
        let first = world.conversations.values().next().unwrap();
        let served =
            |api| whole_conversation(&world, first, &Options { api, ..Options::default() });
        assert_eq!(
            text_at(&served(ApiVersion::V2_14), "ai_agent.resolution_state"),
            "routed_to_team"
        );
        assert_eq!(text_at(&served(ApiVersion::V2_15), "ai_agent.resolution_state"), "escalated");
        assert_eq!(text_at(&served(ApiVersion::V2_15), "company.name"), "Northwind Sails AB");
        assert_eq!(text_at(&served(ApiVersion::V2_16), "priority"), "none");
        assert!(!served(ApiVersion::V2_13).to_string().contains("from_ai_agent"));
        let contact = world.contacts.values().next().unwrap();
        let newest =
            super::contact(contact, &Options { api: ApiVersion::V2_16, ..Options::default() });
        assert!(newest.get("owner_id").is_some_and(Value::is_string));
    }
}
