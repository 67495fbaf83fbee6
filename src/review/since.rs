//! What a later revision of a call changes of the one before it, on which people asked for changes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Budget;
use super::fields::{self, Field};

/// The arguments that differ, the body among them; both as JSON objects.
#[must_use]
pub fn since(earlier: &str, later: &str) -> Vec<Field> {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let (earlier, later) = (read(earlier), read(later));
    let names: BTreeSet<&String> = earlier.keys().chain(later.keys()).collect();
    let mut budget = Budget::of_a_review();
    let value =
        |of: &Map<String, Value>, name: &str| of.get(name).map(fields::text).unwrap_or_default();
    names
        .into_iter()
        .filter(|name| earlier.get(*name) != later.get(*name))
        .map(|name| {
            let (old, new) = (value(&earlier, name), value(&later, name));
            fields::field(name, Some(old), Some(new), &mut budget)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_once() {
        let earlier = r#"{"id":"1","title":"Old title","body":"<p>a b</p>","state":"draft"}"#;
        let later = r#"{"id":"1","title":"New title","body":"<p>a c</p>","parent_id":5}"#;
        let all = since(earlier, later);
        let shown: Vec<_> =
            all.iter().map(|it| (it.name.as_str(), it.old.clone(), it.new.clone())).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown,
            [
                ("body", text("<p>a b</p>"), text("<p>a c</p>")),
                ("parent_id", text(""), text("5")),
                ("state", text("draft"), text("")),
                ("title", text("Old title"), text("New title")),
            ]
        );
        assert!(all.iter().all(|field| field.is_changed() && !field.segments.is_empty()));
        assert!(since(earlier, earlier).is_empty() && since("x", "y").is_empty());
    }
}
