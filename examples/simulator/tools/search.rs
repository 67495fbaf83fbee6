//! `search` and `fetch`: hits and whole objects as prose.

use serde_json::{Value, json};

use super::{Fault, Scene, companies, contacts, conversations, paging};
use crate::simulator::data::{World, at, put, text_at};
use crate::simulator::dsl::{self, ObjectType, Query, QueryError};
use crate::simulator::ids::{self, Kind};
use crate::simulator::objects::stripped;
use crate::simulator::options::{Options, QueryFault};

/// `search`: one query string, short hits.
pub(super) fn search(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let query = match Query::read(scene.text("query").unwrap_or_default()) {
        Ok(query) => query,
        Err(QueryError::Meaning(_)) if scene.options.query_fault == QueryFault::Empty => {
            return Ok(json!({"total_in_page": 0, "results": []}));
        }
        Err(QueryError::Meaning(message) | QueryError::Form(message)) => {
            return Err(Fault::Text(message));
        }
    };
    let (all, member): (Box<dyn Iterator<Item = &Value>>, _) = match query.object_type {
        ObjectType::Conversations => (Box::new(world.conversations.values()), "updated_at"),
        ObjectType::Contacts => (Box::new(world.contacts.values()), "created_at"),
    };
    let hits = all.filter(|one| dsl::fits(&query, one)).collect();
    let page = paging::by_cursor(
        hits,
        member,
        query.limit,
        query.starting_after.as_deref(),
        scene.options,
    )?;
    let results: Vec<Value> =
        page.items.iter().map(|one| hit(query.object_type, one, scene.options)).collect();
    let mut answer =
        json!({"total_in_page": results.len(), "results": results, "pages": page.pages});
    note(&mut answer, page.next.as_deref(), "add to your query: starting_after:");
    Ok(answer)
}

/// `fetch`: one object by prefixed id or link, as prose.
pub(super) fn fetch(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let spelling = scene.text("id").unwrap_or_default();
    let Some((kind, id)) = ids::named(spelling) else {
        return Err(Fault::Text(format!(
            "Invalid ID format: {spelling}. Use conversation_<id>, contact_<id>, company_<id> or an Intercom URL"
        )));
    };
    let (title, text, metadata) = match kind {
        Kind::Conversation => {
            let one = conversations::find(world, id)?;
            (title(one), thread(one), conversation_facts(one))
        }
        Kind::Contact => {
            let one = contacts::find(world, id)?;
            (
                text_at(one, "name").to_owned(),
                contact_prose(one),
                json!({"role": text_at(one, "role"), "created_at": at(one, "created_at")}),
            )
        }
        Kind::Company => {
            let one = companies::find(world, id)?;
            (
                text_at(one, "name").to_owned(),
                company_prose(one),
                json!({"company_id": text_at(one, "company_id"), "plan": text_at(one, "plan.name")}),
            )
        }
    };
    Ok(
        json!({"id": kind.prefixed(id), "title": title, "text": text, "url": kind.link(id, scene.options.region), "metadata": metadata}),
    )
}

/// Adds `_note` when there is another page.
pub(super) fn note(answer: &mut Value, next: Option<&str>, how: &str) {
    if let Some(cursor) = next {
        put(
            answer,
            "_note",
            format!("More results available. To get the next page, {how}{cursor}"),
        );
    }
}

fn hit(kind: ObjectType, one: &Value, options: &Options) -> Value {
    let id = text_at(one, "id");
    let (kind, title, text) = match kind {
        ObjectType::Conversations => {
            let (channel, name, email) = (
                text_at(one, "source.type"),
                text_at(one, "source.author.name"),
                text_at(one, "source.author.email"),
            );
            let snippet: String = stripped(text_at(one, "source.body")).chars().take(160).collect();
            (
                Kind::Conversation,
                title(one),
                format!("{} conversation from {name} ({email}): {snippet}", capital(channel)),
            )
        }
        ObjectType::Contacts => (
            Kind::Contact,
            text_at(one, "name").to_owned(),
            format!("{} {} {}", text_at(one, "role"), text_at(one, "email"), text_at(one, "phone")),
        ),
    };
    json!({"id": kind.prefixed(id), "title": title, "text": text, "url": kind.link(id, options.region)})
}

fn title(conversation: &Value) -> String {
    let subject = stripped(text_at(conversation, "source.subject"));
    if subject.is_empty() {
        at(conversation, "custom_attributes")
            .and_then(|all| all.get("AI Title"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    } else {
        subject
    }
}

fn thread(conversation: &Value) -> String {
    let mut lines = vec![
        format!("Conversation {}", text_at(conversation, "id")),
        format!("State: {}", text_at(conversation, "state")),
    ];
    lines.push(format!(
        "Initial message from {}: {}",
        signature(conversation, "source.author"),
        stripped(text_at(conversation, "source.body"))
    ));
    for part in at(conversation, "conversation_parts.conversation_parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let kind = text_at(part, "part_type");
        match part.get("body").and_then(Value::as_str) {
            Some(body) if kind == "comment" => {
                lines.push(format!("{}: {}", signature(part, "author"), stripped(body)))
            }
            Some(body) => {
                lines.push(format!("[{kind}] {}: {}", signature(part, "author"), stripped(body)))
            }
            None => lines.push(format!("[{kind}]")),
        }
    }
    lines.join("\n")
}

fn signature(value: &Value, path: &str) -> String {
    let author = at(value, path).unwrap_or(&Value::Null);
    format!(
        "{} <{}> ({})",
        text_at(author, "name"),
        text_at(author, "email"),
        text_at(author, "type")
    )
}

fn conversation_facts(one: &Value) -> Value {
    let contacts: Vec<&str> = at(one, "contacts.contacts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|stub| text_at(stub, "id"))
        .collect();
    json!({
        "state": text_at(one, "state"), "priority": text_at(one, "priority"), "source_type": text_at(one, "source.type"), "contact_ids": contacts,
        "tags_count": at(one, "tags.tags").and_then(Value::as_array).map_or(0, Vec::len), "ai_agent_participated": at(one, "ai_agent_participated"),
    })
}

fn contact_prose(one: &Value) -> String {
    let mut lines = vec![format!("Contact {}", text_at(one, "id"))];
    for (label, path) in [
        ("Name", "name"),
        ("Email", "email"),
        ("Phone", "phone"),
        ("Role", "role"),
        ("City", "location.city"),
        ("Country", "location.country"),
    ] {
        lines.push(format!("{label}: {}", text_at(one, path)));
    }
    for (name, value) in
        at(one, "custom_attributes").and_then(Value::as_object).into_iter().flatten()
    {
        lines.push(format!(
            "{name}: {}",
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        ));
    }
    lines.join("\n")
}

fn company_prose(one: &Value) -> String {
    let lines = [
        ("Name", "name"),
        ("Company ID", "company_id"),
        ("Website", "website"),
        ("Industry", "industry"),
        ("Billing", "custom_attributes.billing_contact"),
    ];
    lines.map(|(label, path)| format!("{label}: {}", text_at(one, path))).join("\n")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
