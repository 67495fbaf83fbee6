//! `list_companies` and `get_company`.

use serde_json::{Value, json};

use super::{Fault, Scene, paging};
use crate::simulator::data::{World, at, text_at};
use crate::simulator::ids::{self, Kind};
use crate::simulator::objects;

/// `list_companies`: exact look-ups give one company, everything else a numbered page.
pub(super) fn list(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    for (argument, member) in [("name", "name"), ("company_id", "company_id")] {
        if let Some(wanted) = scene.text(argument) {
            let found = world.companies.values().find(|one| text_at(one, member) == wanted);
            return found
                .map(|one| objects::company(one, scene.options))
                .ok_or_else(|| Fault::Api("company_not_found", "Company Not Found".to_owned()));
        }
    }
    let within = |one: &Value, argument: &str, path: &str| {
        scene.text(argument).is_none_or(|wanted| {
            at(one, path)
                .and_then(Value::as_array)
                .is_some_and(|list| list.iter().any(|entry| text_at(entry, "id") == wanted))
        })
    };
    let hits: Vec<&Value> = world
        .companies
        .values()
        .filter(|one| {
            within(one, "tag_id", "tags.tags") && within(one, "segment_id", "segments.segments")
        })
        .collect();
    let (items, pages) =
        paging::by_number(&hits, scene.number("page"), scene.number("per_page").unwrap_or(15));
    let data: Vec<Value> =
        items.into_iter().map(|one| objects::company(one, scene.options)).collect();
    Ok(json!({"type": "list", "data": data, "pages": pages, "total_count": hits.len()}))
}

/// `get_company`.
pub(super) fn read(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    Ok(objects::company(find(world, scene.text("id").unwrap_or_default())?, scene.options))
}

/// A company by any spelling of its id.
pub(super) fn find<'a>(world: &'a World, spelling: &str) -> Result<&'a Value, Fault> {
    let company = ids::plain(Kind::Company, spelling).and_then(|id| world.companies.get(id));
    company.ok_or_else(|| Fault::Api("company_not_found", "Company Not Found".to_owned()))
}
