//! `search_conversations` and `get_conversation`.

use serde_json::{Value, json};

use super::{Fault, Scene, paging};
use crate::simulator::data::{World, at, text_at};
use crate::simulator::ids::{self, Kind};
use crate::simulator::objects;

/// `search_conversations`: filters are ANDed; items come without their parts.
pub(super) fn search(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let ids = scene.texts("ids");
    let hits = world
        .conversations
        .values()
        .filter(|one| {
            ids.as_ref().is_none_or(|ids| ids.contains(&text_at(one, "id"))) && fits(one, scene)
        })
        .collect();
    let page = paging::by_cursor(
        hits,
        "updated_at",
        scene.number("per_page"),
        scene.text("starting_after"),
        scene.options,
    )?;
    let items: Vec<Value> = page
        .items
        .iter()
        .map(|one| objects::listed_conversation(world, one, scene.options))
        .collect();
    let mut answer =
        json!({"total_in_page": items.len(), "conversations": items, "pages": page.pages});
    super::search::note(
        &mut answer,
        page.next.as_deref(),
        "call this tool again with starting_after: ",
    );
    Ok(answer)
}

/// `get_conversation`.
pub(super) fn read(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let conversation = find(world, scene.text("id").unwrap_or_default())?;
    Ok(objects::whole_conversation(world, conversation, scene.options))
}

/// A conversation by any spelling of its id.
pub(super) fn find<'a>(world: &'a World, spelling: &str) -> Result<&'a Value, Fault> {
    let id = ids::plain(Kind::Conversation, spelling).and_then(|id| id.parse().ok());
    id.and_then(|id: u64| world.conversations.get(&id))
        .ok_or_else(|| Fault::not_found("Conversation"))
}

fn fits(one: &Value, scene: &Scene<'_>) -> bool {
    let same = |argument: &str, path: &str| {
        scene.text(argument).is_none_or(|wanted| text_at(one, path) == wanted)
    };
    let folded = |argument: &str, path: &str| {
        scene
            .text(argument)
            .is_none_or(|wanted| text_at(one, path).to_lowercase() == wanted.to_lowercase())
    };
    same("source_type", "source.type")
        && same("state", "state")
        && same("team_assignee_id", "team_assignee_id")
        && folded("source_author_name", "source.author.name")
        && folded("source_author_email", "source.author.email")
        && scene.number("admin_assignee_id").is_none_or(|wanted| {
            at(one, "admin_assignee_id").and_then(Value::as_u64) == Some(wanted)
        })
        && scene.flag("ai_agent_participated").is_none_or(|wanted| {
            at(one, "ai_agent_participated").and_then(Value::as_bool) == Some(wanted)
        })
        && same("ai_agent_resolution_state", "ai_agent.resolution_state")
        && ["time_to_assignment", "time_to_admin_reply", "time_to_first_close"]
            .iter()
            .all(|name| compares(one, name, scene))
}

fn compares(one: &Value, name: &str, scene: &Scene<'_>) -> bool {
    let Some(filter) = scene.arguments.get(&format!("statistics_{name}")) else { return true };
    let wanted = filter.get("value").and_then(Value::as_f64).unwrap_or(0.0);
    let Some(actual) = at(one, "statistics").and_then(|all| all.get(name)).and_then(Value::as_f64)
    else {
        return false;
    };
    match text_at(filter, "operator") {
        // The API underneath includes the bound in `<` and `>`.
        "<" | "<=" => actual <= wanted,
        ">" | ">=" => actual >= wanted,
        "!=" => actual != wanted,
        _ => actual == wanted,
    }
}
