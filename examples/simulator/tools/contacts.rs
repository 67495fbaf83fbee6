//! `search_contacts` and `get_contact`.

use serde_json::{Value, json};

use super::{Fault, Scene, paging};
use crate::simulator::data::{World, text_at};
use crate::simulator::ids::{self, Kind};
use crate::simulator::objects;

const FILTERS: [&str; 6] =
    ["contact_ids", "name", "email", "email_domain", "phone", "custom_attributes"];

/// `search_contacts`: at least one filter; name by part, e-mail exactly.
pub(super) fn search(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    if !FILTERS.iter().any(|filter| scene.arguments.contains_key(*filter)) {
        return Err(Fault::Text(format!(
            "At least one search parameter must be provided: {}",
            FILTERS.join(", ")
        )));
    }
    let ids = scene.texts("contact_ids");
    let hits = world
        .contacts
        .values()
        .filter(|one| {
            ids.as_ref().is_none_or(|ids| ids.contains(&text_at(one, "id"))) && fits(one, scene)
        })
        .collect();
    let page = paging::by_cursor(
        hits,
        "created_at",
        scene.number("per_page"),
        scene.text("starting_after"),
        scene.options,
    )?;
    let items: Vec<Value> =
        page.items.iter().map(|one| objects::contact(one, scene.options)).collect();
    let mut answer = json!({"total_in_page": items.len(), "data": items, "pages": page.pages});
    super::search::note(
        &mut answer,
        page.next.as_deref(),
        "call this tool again with starting_after: ",
    );
    Ok(answer)
}

/// `get_contact`.
pub(super) fn read(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    Ok(objects::contact(find(world, scene.text("id").unwrap_or_default())?, scene.options))
}

/// A contact by any spelling of its id.
pub(super) fn find<'a>(world: &'a World, spelling: &str) -> Result<&'a Value, Fault> {
    ids::plain(Kind::Contact, spelling)
        .and_then(|id| world.contacts.get(id))
        .ok_or_else(|| Fault::not_found("User"))
}

fn fits(one: &Value, scene: &Scene<'_>) -> bool {
    let lower = |path: &str| text_at(one, path).to_lowercase();
    let wanted = |name: &str| scene.text(name).map(str::to_lowercase);
    let attributes = scene.arguments.get("custom_attributes").and_then(Value::as_object);
    wanted("name").is_none_or(|name| lower("name").contains(&name))
        && wanted("email").is_none_or(|email| lower("email") == email)
        && wanted("email_domain").is_none_or(|domain| {
            lower("email").rsplit_once('@').is_some_and(|(_, host)| host == domain)
        })
        && wanted("phone").is_none_or(|phone| digits(&lower("phone")) == digits(&phone))
        && attributes.is_none_or(|wanted| {
            wanted.iter().all(|(name, value)| {
                one.get("custom_attributes").and_then(|all| all.get(name)) == Some(value)
            })
        })
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}
