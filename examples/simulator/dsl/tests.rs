//! The query language: what is understood and what is refused.

use super::*;
use crate::simulator::data::World;

#[test]
fn queries_that_are_understood() {
    let cases = [
        ("object_type:conversations state:open source_type:email", 2, None),
        ("object_type:contacts email_domain:\"example.com\"", 1, None),
        ("object_type:conversations source_body:contains:\"refund now\" limit:20", 1, Some(20)),
        ("  object_type:conversations\tq:\"a b\"  q:c ", 0, None),
        ("object_type:contacts custom_attributes.plan:neq:team created_at:gt:2026-01-01", 2, None),
        ("object_type:conversations source_subject:http://shop.example", 1, None),
    ];
    for (text, filters, limit) in cases {
        let query = Query::read(text).unwrap();
        assert_eq!((query.filters.len(), query.limit), (filters, limit), "{text}");
    }
}

#[test]
fn queries_that_are_refused() {
    let cases = [
        ("", "Missing object_type"),
        ("state:open", "Missing object_type"),
        ("object_type:companies", "Invalid object_type"),
        ("object_type:conversations nonsense:1", "Unsupported field: nonsense"),
        ("object_type:contacts state:open", "Unsupported field: state"),
        ("object_type:conversations refund", "Invalid token: refund"),
        ("object_type:conversations state:", "Invalid token: state:"),
        ("object_type:conversations q:\"open", "Unterminated quote"),
        ("object_type:conversations limit:151", "Invalid limit"),
        ("object_type:conversations limit:0", "Invalid limit"),
        ("object_type:conversations created_at:gt:yesterday", "Invalid value for created_at"),
        ("object_type:contacts created_at:gte:2026-01-01", "Unsupported operator for created_at"),
    ];
    for (text, want) in cases {
        let (QueryError::Form(message) | QueryError::Meaning(message)) =
            Query::read(text).unwrap_err();
        assert!(message.starts_with(want), "{text}: {message}");
    }
}

#[test]
fn filters_agree_with_the_objects() {
    let world = World::new(1);
    let count = |text: &str| {
        let query = Query::read(text).unwrap();
        let all: Vec<&Value> = match query.object_type {
            ObjectType::Conversations => world.conversations.values().collect(),
            ObjectType::Contacts => world.contacts.values().collect(),
        };
        all.into_iter().filter(|one| fits(&query, one)).count()
    };
    let all = world.conversations.len();
    let split = |filter: &str, other: &str| {
        (
            count(&format!("object_type:conversations {filter}")),
            count(&format!("object_type:conversations {other}")),
        )
    };
    for (filter, other) in [
        ("state:open", "state:neq:open"),
        ("state:in:open,closed", "state:nin:open,closed"),
        ("admin_assignee_id:7000001", "admin_assignee_id:neq:7000001"),
        ("created_at:lt:2026-06-01", "created_at:gt:1780272001"),
    ] {
        let (yes, no) = split(filter, other);
        assert!(yes > 0 && no > 0, "{filter}: {yes}, {no}");
        assert_eq!(yes + no, all, "{filter}");
    }
    assert_eq!(count("object_type:conversations id:215470000000101"), 1);
    assert!(count("object_type:conversations contact_ids:in:66b0c0de0000000000000a01") >= 1);
    assert_eq!(count("object_type:contacts email:maria.lindqvist@northwind.example"), 1);
    assert_eq!(count("object_type:contacts name:contains:lindq role:user"), 1);
    assert_eq!(
        count("object_type:conversations source_body:contains:charge id:215470000000101"),
        0,
        "bodies match whole words"
    );
    assert_eq!(
        count(
            "object_type:conversations source_body:contains:\"twice charged\" id:215470000000101"
        ),
        1
    );
}

#[test]
fn days() {
    let cases = [
        ("1970-01-01", Some(0)),
        ("2000-02-29", Some(951_782_400)),
        ("2026-11-22", Some(1_795_305_600)),
        ("2026-13-01", None),
        ("2026-01", None),
        ("a-b-c", None),
    ];
    for (text, want) in cases {
        assert_eq!(day(text), want, "{text}");
    }
}
