//! `add_internal_note`, the one tool that writes into a conversation.

use serde_json::{Value, json};

use super::{Fault, Scene, conversations};
use crate::simulator::data::{ME, TEAMMATES, Teammate, World, admin, at, part, put, text_at};

/// Adds a note signed by the authorising teammate. Wakes a conversation that is snoozed and assigned to somebody else.
pub(super) fn add(world: &mut World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let target = conversations::find(world, scene.text("conversation_id").unwrap_or_default())?;
    if at(target, "ticket").is_some_and(Value::is_object) {
        return Err(Fault::Api(
            "action_forbidden",
            "Not authorized to add a note to a ticket".to_owned(),
        ));
    }
    let body = html(scene.text("body").unwrap_or_default());
    if body.is_empty() {
        return Err(Fault::Api("parameter_invalid", "body can't be blank".to_owned()));
    }
    let id: u64 = text_at(target, "id").parse().unwrap_or_default();
    let others = at(target, "admin_assignee_id")
        .and_then(Value::as_u64)
        .is_some_and(|assignee| assignee != ME);
    let wakes = text_at(target, "state") == "snoozed" && others;
    let kind = if wakes { "note_and_unsnooze" } else { "note" };
    let now = world.tick();
    let author =
        admin(TEAMMATES.iter().find(|mate| mate.id == ME).copied().unwrap_or(Teammate::default()));
    let note = part(900_000 + world.revision, kind, Some(body), now, author, None, json!([]));
    let Some(conversation) = world.conversations.get_mut(&id) else {
        return Err(Fault::not_found("Conversation"));
    };
    if wakes {
        for (member, value) in
            [("state", json!("open")), ("open", json!(true)), ("snoozed_until", Value::Null)]
        {
            put(conversation, member, value);
        }
    }
    put(conversation, "updated_at", now);
    append(conversation, note.clone());
    Ok(note)
}

fn append(conversation: &mut Value, note: Value) {
    let Some(list) = conversation.get_mut("conversation_parts") else { return };
    if let Some(parts) = list.get_mut("conversation_parts").and_then(Value::as_array_mut) {
        parts.push(note);
        let count = parts.len();
        put(list, "total_count", count);
    }
}

/// Text as the server stores it: plain text gets a paragraph; white space between block tags becomes an empty paragraph.
fn html(body: &str) -> String {
    let body = body.trim();
    if body.is_empty() || body.starts_with('<') {
        return ["\n", " "].iter().fold(body.to_owned(), |text, space| {
            text.replace(&format!("</p>{space}<p>"), "</p><p></p><p>")
        });
    }
    format!("<p>{body}</p>")
}
