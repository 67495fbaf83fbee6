//! Pages by cursor and by number.
//!
//! A cursor is base64 of the sort key of the last item shown, as Intercom's look (`WzE3Njk4OTAwMDBd`): it survives writes that
//! happen between two pages and says nothing about totals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Fault;
use crate::simulator::options::{Options, Paging};

const MAX_PER_PAGE: u64 = 150;
const DEFAULT_PER_PAGE: u64 = 5;

/// One page of a cursor tool.
pub(super) struct CursorPage<'a> {
    pub(super) items: Vec<&'a Value>,
    pub(super) pages: Value,
    /// The cursor of the next page, if there is one.
    pub(super) next: Option<String>,
}

/// Cuts a page out of all hits: newest first, by the time in `member` and then by id.
pub(super) fn by_cursor<'a>(
    mut hits: Vec<&'a Value>,
    member: &str,
    per_page: Option<u64>,
    after: Option<&str>,
    options: &Options,
) -> Result<CursorPage<'a>, Fault> {
    let per_page = per_page.unwrap_or(DEFAULT_PER_PAGE).clamp(1, MAX_PER_PAGE);
    let size = usize::try_from(per_page).unwrap_or(usize::MAX);
    let key = |item: &Value| {
        (
            item.get(member).and_then(Value::as_i64).unwrap_or(0),
            item.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        )
    };
    hits.sort_by_cached_key(|item| std::cmp::Reverse(key(item)));
    let total = hits.len();
    let start = match after {
        Some(cursor) => {
            let last = read(cursor).ok_or_else(|| {
                Fault::Api("parameter_invalid", "starting_after is invalid".to_owned())
            })?;
            hits.partition_point(|item| key(item) >= last)
        }
        None => 0,
    };
    let items: Vec<&Value> = hits.iter().skip(start).take(size).copied().collect();
    let next =
        (start + items.len() < total).then(|| items.last().map(|item| write(&key(item)))).flatten();
    let page = start / size + 1;
    let mut pages = json!({"type": "pages", "page": page, "per_page": per_page, "total_pages": total.div_ceil(size)});
    if let (Some(cursor), Some(members)) = (&next, pages.as_object_mut()) {
        let form = match options.paging {
            Paging::Page => json!({"page": page + 1, "starting_after": cursor}),
            Paging::PerPage => json!({"per_page": per_page, "starting_after": cursor}),
        };
        members.insert("next".to_owned(), form);
    }
    Ok(CursorPage { items, pages, next })
}

/// One page of a numbered tool, and its `pages`.
pub(super) fn by_number<'a>(
    hits: &[&'a Value],
    page: Option<u64>,
    per_page: u64,
) -> (Vec<&'a Value>, Value) {
    let page = page.unwrap_or(1).max(1);
    let size = usize::try_from(per_page.max(1)).unwrap_or(usize::MAX);
    let start = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size);
    let items = hits.iter().skip(start).take(size).copied().collect();
    (
        items,
        json!({"type": "pages", "next": null, "page": page, "per_page": per_page, "total_pages": hits.len().div_ceil(size)}),
    )
}

fn write((time, id): &(i64, String)) -> String {
    STANDARD.encode(json!([time, id]).to_string())
}

fn read(cursor: &str) -> Option<(i64, String)> {
    serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()
}
