//! The tools of the Help Center, two of which write.

use serde_json::{Value, json};

use super::{Fault, Scene, paging};
use crate::simulator::data::{APP, TEAMMATES, World, put, text_at};
use crate::simulator::objects;

/// Members that a write may set.
const WRITABLE: [&str; 7] =
    ["title", "author_id", "description", "body", "state", "parent_id", "parent_type"];

/// `list_articles`: newest change first.
pub(super) fn list(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let hits = newest_first(world.articles.values().collect());
    let (items, pages) =
        paging::by_number(&hits, scene.number("page"), scene.number("per_page").unwrap_or(25));
    let data: Vec<Value> =
        items.into_iter().map(|one| objects::article(one, scene.options, false)).collect();
    Ok(json!({"type": "list", "pages": pages, "total_count": hits.len(), "data": data}))
}

/// `search_articles`: at least one filter; gives ten at most, as no paging is documented.
pub(super) fn search(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    if !["phrase", "state", "help_center_id"]
        .iter()
        .any(|filter| scene.arguments.contains_key(*filter))
    {
        return Err(Fault::Text(
            "At least one search parameter must be provided: phrase, state, help_center_id"
                .to_owned(),
        ));
    }
    let phrase = scene.text("phrase").map(str::to_lowercase);
    let hits = world.articles.values().filter(|one| {
        phrase.as_ref().is_none_or(|phrase| {
            ["title", "description", "body"]
                .iter()
                .any(|member| text_at(one, member).to_lowercase().contains(phrase))
        }) && scene.text("state").is_none_or(|state| text_at(one, "state") == state)
            && scene
                .number("help_center_id")
                .is_none_or(|id| one.get("help_center_id").and_then(Value::as_u64) == Some(id))
    });
    let hits = newest_first(hits.collect());
    let (items, pages) = paging::by_number(&hits, None, 10);
    let highlights: Vec<Value> = match (&phrase, scene.flag("highlight")) {
        (Some(phrase), Some(true)) => items.iter().map(|one| highlight(one, phrase)).collect(),
        _ => Vec::new(),
    };
    let articles: Vec<Value> =
        items.into_iter().map(|one| objects::article(one, scene.options, false)).collect();
    Ok(
        json!({"type": "list", "total_count": hits.len(), "data": {"articles": articles, "highlights": highlights}, "pages": pages}),
    )
}

/// `get_article`.
pub(super) fn read(world: &World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let id = scene.text("id").and_then(|id| id.parse().ok());
    let article = id
        .and_then(|id: u64| world.articles.get(&id))
        .ok_or_else(|| Fault::not_found("Article"))?;
    Ok(objects::article(article, scene.options, true))
}

/// `create_article`: a draft unless it says otherwise.
pub(super) fn create(world: &mut World, scene: &Scene<'_>) -> Result<Value, Fault> {
    if scene.arguments.contains_key("parent_id") && !scene.arguments.contains_key("parent_type") {
        return Err(Fault::Api(
            "parameter_not_found",
            "parent_type is required when parent_id is given".to_owned(),
        ));
    }
    check_author(scene)?;
    let now = world.tick();
    let id = world.articles.last_key_value().map_or(1, |(last, _)| last + 1);
    let mut article = json!({
        "id": id.to_string(), "type": "article", "workspace_id": APP, "parent_id": null, "parent_type": null, "parent_ids": [], "help_center_id": 1,
        "statistics": {"type": "article_statistics", "views": 0, "conversations": 0, "reactions": 0, "happy_reaction_percentage": 0, "neutral_reaction_percentage": 0, "sad_reaction_percentage": 0},
        "tags": {"type": "tag.list", "tags": []}, "title": "", "description": null, "body": "", "author_id": null, "state": "draft", "created_at": now, "updated_at": now, "url": null, "default_locale": "en",
    });
    write(&mut article, scene, now);
    world.articles.insert(id, article.clone());
    Ok(objects::article(&article, scene.options, true))
}

/// `update_article`: what is not named stays, the state included.
pub(super) fn update(world: &mut World, scene: &Scene<'_>) -> Result<Value, Fault> {
    let id: Option<u64> = scene.text("id").and_then(|id| id.parse().ok());
    let id = id
        .filter(|id| world.articles.contains_key(id))
        .ok_or_else(|| Fault::not_found("Article"))?;
    if !WRITABLE.iter().any(|member| scene.arguments.contains_key(*member)) {
        return Err(Fault::Text(format!(
            "At least one field to update must be provided: {}",
            WRITABLE.join(", ")
        )));
    }
    check_author(scene)?;
    let now = world.tick();
    let article = world.articles.get_mut(&id).ok_or_else(|| Fault::not_found("Article"))?;
    write(article, scene, now);
    Ok(objects::article(article, scene.options, true))
}

fn write(article: &mut Value, scene: &Scene<'_>, now: i64) {
    for member in WRITABLE {
        if let Some(value) = scene.arguments.get(member) {
            put(article, member, value.clone());
        }
    }
    if let Some(parent) = scene.number("parent_id") {
        put(article, "parent_ids", json!([parent]));
    }
    let url = if text_at(article, "state") == "published" {
        json!(format!("https://help.example/en/articles/{}", text_at(article, "id")))
    } else {
        Value::Null
    };
    put(article, "url", url);
    put(article, "updated_at", now);
}

fn check_author(scene: &Scene<'_>) -> Result<(), Fault> {
    let known = |id: u64| TEAMMATES.iter().any(|mate| mate.id == id);
    if scene.arguments.contains_key("author_id") && !scene.number("author_id").is_some_and(known) {
        return Err(Fault::Api(
            "parameter_invalid",
            "author_id must belong to a teammate of this workspace".to_owned(),
        ));
    }
    Ok(())
}

fn highlight(article: &Value, phrase: &str) -> Value {
    let mark = |member: &str| json!([{"type": "highlight", "text": phrase}, {"type": "plain", "text": objects::stripped(text_at(article, member))}]);
    json!({"article_id": text_at(article, "id"), "highlighted_title": mark("title"), "highlighted_summary": [mark("body")]})
}

fn newest_first(mut articles: Vec<&Value>) -> Vec<&Value> {
    articles.sort_by_key(|one| std::cmp::Reverse(one.get("updated_at").and_then(Value::as_i64)));
    articles
}
