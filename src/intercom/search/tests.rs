//! Queries read, refused, and written in their one spelling.

use proptest::prelude::*;

use super::*;

/// Queries, and their one spelling.
#[test]
fn a_query_has_one_spelling() {
    let rows = [
        ("object_type:conversations", "object_type:conversations"),
        ("  state:open   object_type:conversations ", "object_type:conversations state:open"),
        ("object_type:conversations state:eq:open", "object_type:conversations state:open"),
        (
            "object_type:contacts email_domain:\"example.com\"",
            "object_type:contacts email_domain:example.com",
        ),
        (
            "object_type:conversations source_body:contains:\"refund now\" limit:20",
            "object_type:conversations source_body:contains:\"refund now\" limit:20",
        ),
        (
            "object_type:conversations contact_ids:in:contact_507F1F77BCF86CD799439011",
            "object_type:conversations contact_ids:in:507f1f77bcf86cd799439011",
        ),
        (
            "object_type:conversations id:\"https://app.intercom.com/a/inbox/_/inbox/conversation/215\"",
            "object_type:conversations id:215",
        ),
        ("object_type:conversations id:in:conversation_1,2", "object_type:conversations id:in:1,2"),
        (
            "object_type:conversations created_at:lt:2026-02-01 created_at:gte:2026-01-01",
            "object_type:conversations created_at:lt:2026-02-01 created_at:gte:2026-01-01",
        ),
        (
            "object_type:contacts custom_attributes.plan:neq:\"a,b\" q:x",
            "object_type:contacts custom_attributes.plan:neq:\"a,b\" q:x",
        ),
        (
            "starting_after:\"WzE3MDAwMDA=\" object_type:contacts name:\"Zoë\"",
            "object_type:contacts name:\"Zoë\" starting_after:WzE3MDAwMDA=",
        ),
        (
            "object_type:conversations source_subject:\"http://shop.example\"",
            "object_type:conversations source_subject:\"http://shop.example\"",
        ),
    ];
    for (query, spelling) in rows {
        assert_eq!(Search::read(query).unwrap().to_query(), spelling, "{query}");
    }
}

/// Queries that two readers could read differently, or that name what is not there.
#[test]
fn an_unclear_query_is_refused_with_an_instruction() {
    let rows = [
        ("", "must say what is searched"),
        ("state:open", "must say what is searched"),
        ("object_type:companies", "takes `conversations` or `contacts`"),
        ("object_type:Conversations", "takes `conversations` or `contacts`"),
        ("object_type:neq:conversations", "takes no operator in `object_type`"),
        ("object_type:conversations object_type:contacts", "names `object_type` twice"),
        ("object_type:conversations object_type:conversations", "names `object_type` twice"),
        ("object_type:conversations refund", "is not `key:value`"),
        ("object_type:conversations OR state:open", "is not `key:value`"),
        ("object_type:conversations (state:open)", "is not `key:value`"),
        ("object_type:conversations -state:open", "names a field"),
        ("object_type:conversations \"state\":open", "is not `key:value`"),
        ("object_type:conversations nonsense:1", "names a field"),
        ("object_type:conversations STATE:open", "names a field"),
        ("object_type:contacts state:open", "names a field"),
        ("object_type:contacts custom_attributes.:x", "names a field"),
        ("object_type:conversations state:", "has no value in `state`"),
        ("object_type:conversations state:\"\"", "has no value in `state`"),
        ("object_type:conversations state:\" \"", "has no value in `state`"),
        ("object_type:conversations state::open", "colon in the value of `state`"),
        ("object_type:conversations state:EQ:open", "colon in the value of `state`"),
        ("object_type:conversations state:eq:neq:open", "colon in the value of `state`"),
        ("object_type:conversations source_subject:http://x", "colon in the value"),
        ("object_type:conversations q:\"neq:open\"", "reads like an operator"),
        ("object_type:conversations state:open state:closed", "names `state` twice"),
        ("object_type:conversations state:open state:neq:closed", "names `state` twice"),
        ("object_type:conversations created_at:gt:1 created_at:gt:2", "names `created_at` twice"),
        ("object_type:conversations q:a q:b", "names `q` twice"),
        ("object_type:conversations limit:5 limit:150", "names `limit` twice"),
        ("object_type:conversations starting_after:a starting_after:b", "twice"),
        ("object_type:conversations limit:0", "takes 1 to 150"),
        ("object_type:conversations limit:151", "takes 1 to 150"),
        ("object_type:conversations limit:05", "takes 1 to 150"),
        ("object_type:conversations limit:+5", "takes 1 to 150"),
        ("object_type:conversations limit:\"5\"", "takes 1 to 150"),
        ("object_type:conversations limit:lte:5", "takes no operator in `limit`"),
        ("object_type:conversations q:\"open", "open quote in `q`"),
        ("object_type:conversations q:\"a\"b", "behind the closing quote"),
        ("object_type:conversations q:\"a\"state:open", "behind the closing quote"),
        ("object_type:conversations q:a\"b", "quote or a backslash"),
        ("object_type:conversations q:\"a\\\"b\"", "behind the closing quote"),
        ("object_type:conversations q:\"a\\\\\"", "quote or a backslash"),
        ("object_type:conversations\tstate:open", "a tab or an unusual space"),
        ("object_type:conversations\u{a0}state:open", "a tab or an unusual space"),
        ("object_type:conversations q:\"a\nb\"", "a line break"),
        ("object_type:conversations state:Open", "one lower-case word in `state`"),
        ("object_type:conversations state:open,closed", "comma in a value"),
        ("object_type:conversations state:in:open,", "empty value"),
        ("object_type:conversations state:in:\"open, closed\"", "space in a list"),
        ("object_type:conversations team_assignee_id:07", "has an id in `team_assignee_id`"),
        ("object_type:conversations id:contact_507f1f77bcf86cd799439011", "names another kind"),
        ("object_type:conversations created_at:gt:yesterday", "unix seconds or YYYY-MM-DD"),
        ("object_type:conversations statistics_time_to_assignment:gt:1e3", "takes digits"),
    ];
    for (query, says) in rows {
        let fault = Search::read(query).expect_err(query).to_string();
        assert!(fault.contains(says), "{query}: {fault}");
    }
}

/// Tools and arguments, and the query that would say the same.
#[test]
fn every_listing_tool_gives_the_same_form() {
    let rows = [
        (
            "search",
            r#"{"query":"object_type:conversations state:open"}"#,
            Some("object_type:conversations state:open"),
        ),
        (
            "search_conversations",
            r#"{"ids":["1","2"],"state":"open","admin_assignee_id":7,"per_page":20,"starting_after":"x","statistics_time_to_assignment":{"operator":">=","value":60}}"#,
            Some(
                "object_type:conversations admin_assignee_id:7 id:in:1,2 state:open \
                 statistics_time_to_assignment:gte:60 limit:20 starting_after:x",
            ),
        ),
        (
            "search_contacts",
            r#"{"name":"Ann","email_domain":"example.com","custom_attributes":{"plan":"pro"}}"#,
            Some(
                "object_type:contacts custom_attributes.plan:pro email_domain:example.com \
                 name:contains:Ann",
            ),
        ),
        (
            "list_companies",
            r#"{"tag_id":"9","page":2}"#,
            Some("object_type:companies tag_id:9 starting_after:2"),
        ),
        (
            "search_articles",
            r#"{"phrase":"refund","state":"draft","highlight":true}"#,
            Some("object_type:articles state:draft q:refund"),
        ),
        ("list_articles", r#"{"per_page":25}"#, Some("object_type:articles limit:25")),
        ("list_articles", r#"{"per_page":25.0}"#, Some("object_type:articles limit:25")),
        ("list_articles", r#"{"per_page":2.5e1}"#, Some("object_type:articles limit:25")),
        ("get_conversation", r#"{"id":"1"}"#, None),
        ("update_article", r#"{"id":"1","state":"draft"}"#, None),
    ];
    for (tool, arguments, query) in rows {
        let arguments = JsonText::from_valid(arguments.to_owned().into());
        let search = Search::of(tool, &arguments).map(|search| search.to_query());
        assert_eq!(search.as_deref(), query, "{tool}");
    }
}

proptest! {
    /// Whatever is accepted is the same in its one spelling, which is its own spelling.
    #[test]
    fn the_spelling_is_stable(tokens in proptest::collection::vec(
        "(state|q|limit|source_body|name|id|created_at|email|starting_after|contact_ids)(:(eq|neq|in|gt|lt|contains))?:(\"[ -~]{0,6}\"|[a-z0-9,.:\"_-]{0,6})", 0..5),
        object in "(conversations|contacts)")
    {
        let query = format!("object_type:{object} {}", tokens.join(" "));
        if let Ok(search) = Search::read(&query) {
            let spelling = search.to_query();
            let again = Search::read(&spelling);
            prop_assert_eq!(again.as_ref(), Ok(&search), "{}", spelling);
        }
    }
}
