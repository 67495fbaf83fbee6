//! Cases of duties: fulfilled, refused, and never got past.

use proptest::prelude::*;

use super::*;

fn text(json: &str) -> JsonText {
    JsonText::from_valid(json.to_owned().into_bytes().into())
}

fn set(argument: &str, value: &str) -> Duty {
    Duty::Set { argument: argument.to_owned(), value: text(value) }
}

fn cap(argument: &str, most: u64) -> Duty {
    Duty::Cap { argument: argument.to_owned(), most }
}

fn filter(field: &str, operator: &str, values: &[&str]) -> Duty {
    Duty::Filter(Filter {
        field: field.to_owned(),
        operator: Operator::read(operator).unwrap(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    })
}

/// Tool, arguments, duties, and the arguments that fulfil them.
#[test]
fn duties_are_fulfilled() {
    let team = || filter("team_assignee_id", "eq", &["7"]);
    let rows = [
        (
            "list_articles",
            r#"{"page":2}"#,
            vec![cap("per_page", 10)],
            r#"{"page":2,"per_page":10}"#,
        ),
        ("list_articles", "{}", vec![cap("per_page", 25)], "{}"),
        ("list_articles", r#"{"per_page":10}"#, vec![cap("per_page", 10)], r#"{"per_page":10}"#),
        ("list_articles", r#"{"per_page":11}"#, vec![cap("per_page", 10)], r#"{"per_page":10}"#),
        (
            "list_articles",
            r#"{"per_page":150}"#,
            vec![cap("per_page", 20), cap("per_page", 9)],
            r#"{"per_page":9}"#,
        ),
        ("search_conversations", "{}", vec![cap("per_page", 4)], r#"{"per_page":4}"#),
        ("get_article", r#"{"id":"1"}"#, vec![cap("per_page", 4)], r#"{"id":"1"}"#),
        (
            "search",
            r#"{"query":"object_type:conversations"}"#,
            vec![cap("per_page", 4)],
            r#"{"query":"object_type:conversations limit:4"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations limit:100"}"#,
            vec![cap("per_page", 4), team()],
            r#"{"query":"object_type:conversations team_assignee_id:7 limit:4"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations limit:3 q:refund"}"#,
            vec![cap("per_page", 4)],
            r#"{"query":"object_type:conversations limit:3 q:refund"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations team_assignee_id:in:7,8 q:refund"}"#,
            vec![team()],
            r#"{"query":"object_type:conversations team_assignee_id:7 q:refund"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations team_assignee_id:in:7,8,9"}"#,
            vec![filter("team_assignee_id", "in", &["9", "8", "1"])],
            r#"{"query":"object_type:conversations team_assignee_id:in:8,9"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations team_assignee_id:7"}"#,
            vec![filter("team_assignee_id", "in", &["7", "8"])],
            r#"{"query":"object_type:conversations team_assignee_id:7"}"#,
        ),
        (
            "search",
            r#"{"query":"object_type:conversations state:in:open,snoozed"}"#,
            vec![filter("state", "neq", &["snoozed"])],
            r#"{"query":"object_type:conversations state:open"}"#,
        ),
        (
            "search_conversations",
            r#"{"state":"open"}"#,
            vec![team(), filter("state", "in", &["open"])],
            r#"{"state":"open","team_assignee_id":"7"}"#,
        ),
        (
            "search_conversations",
            r#"{"team_assignee_id":7}"#,
            vec![team()],
            r#"{"team_assignee_id":7}"#,
        ),
        (
            "search_articles",
            r#"{"phrase":"x"}"#,
            vec![filter("state", "eq", &["published"])],
            r#"{"phrase":"x","state":"published"}"#,
        ),
        (
            "create_article",
            r#"{"title":"T","state":"published"}"#,
            vec![set("state", "\"draft\"")],
            r#"{"title":"T","state":"draft"}"#,
        ),
        (
            "create_article",
            r#"{"title":"T"}"#,
            vec![set("author_id", "5"), set("author_id", "5")],
            r#"{"title":"T","author_id":5}"#,
        ),
        (
            "foreign",
            r#"{"a":1}"#,
            vec![set("b", "[1]"), Duty::Rows { most: 1 }],
            r#"{"a":1,"b":[1]}"#,
        ),
    ];
    for (tool, arguments, duties, expected) in rows {
        let fulfilled = fulfil(tool, &text(arguments), &duties)
            .unwrap_or_else(|unfit| panic!("{tool} {arguments}: {unfit}"));
        assert_eq!(fulfilled.arguments.as_str(), expected, "{tool} {arguments}");
        assert_eq!(fulfilled.changed.contains(&true), arguments != expected);
        let again = fulfil(tool, &fulfilled.arguments, &duties).unwrap();
        assert_eq!(again.arguments, fulfilled.arguments, "once is enough: {tool} {arguments}");
        assert!(!again.changed.contains(&true), "{tool} {arguments}");
    }
}

/// Tool, arguments, duties, and what the agent is told.
#[test]
fn what_cannot_be_fulfilled_is_refused() {
    let team = |operator, values| vec![filter("team_assignee_id", operator, values)];
    let rows = [
        ("list_articles", "{}", vec![cap("perpage", 4)], "`perpage`, which `list_articles` cannot"),
        ("get_article", r#"{"id":"1"}"#, vec![set("state", "\"draft\"")], "`state`, which"),
        (
            "create_article",
            r#"{"title":"T"}"#,
            vec![set("state", "\"draft\""), set("state", "\"published\"")],
            "two rules demand",
        ),
        ("get_conversation", r#"{"id":"1"}"#, team("eq", &["7"]), "`team_assignee_id`, which"),
        ("search_contacts", "{}", team("eq", &["7"]), "`team_assignee_id`, which"),
        ("search_conversations", "{}", team("in", &["7", "8"]), "`team_assignee_id`, which"),
        ("search_conversations", "{}", team("neq", &["7"]), "`team_assignee_id`, which"),
        ("search_conversations", "{}", vec![filter("per_page", "eq", &["7"])], "`per_page`, which"),
        (
            "search_conversations",
            "{}",
            vec![filter("ai_agent_participated", "eq", &["maybe"])],
            "which",
        ),
        (
            "update_article",
            r#"{"id":"1"}"#,
            vec![filter("state", "eq", &["draft"])],
            "`state`, which",
        ),
        (
            "search_conversations",
            r#"{"team_assignee_id":8}"#,
            team("eq", &["7"]),
            "limited to 7 for",
        ),
        (
            "search",
            r#"{"query":"object_type:contacts"}"#,
            team("eq", &["7"]),
            "`team_assignee_id`, which",
        ),
        (
            "search",
            r#"{"query":"object_type:conversations"}"#,
            team("eq", &["x y"]),
            "`team_assignee_id`, which",
        ),
        (
            "search",
            r#"{"query":"object_type:conversations team_assignee_id:8"}"#,
            team("eq", &["7"]),
            "limited to 7 for",
        ),
        (
            "search",
            r#"{"query":"object_type:conversations team_assignee_id:neq:8"}"#,
            team("in", &["7", "9"]),
            "limited to one of 7, 9",
        ),
        (
            "search",
            r#"{"query":"object_type:conversations state:neq:open"}"#,
            vec![filter("state", "neq", &["snoozed"])],
            "limited to anything but snoozed",
        ),
        ("search", r#"{"query":"nonsense"}"#, team("eq", &["7"]), "is not `key:value`"),
    ];
    for (tool, arguments, duties, says) in rows {
        let unfit = fulfil(tool, &text(arguments), &duties).expect_err(tool).to_string();
        assert!(unfit.contains(says), "{tool} {arguments}: {unfit}");
    }
}

proptest! {
    /// Whatever is asked, what comes out asks within the limits, or nothing does.
    #[test]
    fn nothing_gets_past_a_limit(
        asked in proptest::collection::vec(0u8..5, 0..3),
        allowed in proptest::collection::vec(0u8..5, 1..4),
        limit in proptest::option::of(1u64..150), most in 1u64..150)
    {
        let list = |ids: &[u8]| {
            let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            ids.dedup();
            ids
        };
        let (asked, allowed) = (list(&asked), list(&allowed));
        let mut query = "object_type:conversations".to_owned();
        if !asked.is_empty() {
            query.push_str(&format!(" team_assignee_id:in:{}", asked.join(",")));
        }
        if let Some(limit) = limit {
            query.push_str(&format!(" limit:{limit}"));
        }
        let arguments = JsonText::of(&serde_json::json!({"query": query}));
        let values: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let duties = [filter("team_assignee_id", "in", &values), cap("per_page", most)];
        match fulfil("search", &arguments, &duties) {
            Ok(fulfilled) => {
                let search = Search::of("search", &fulfilled.arguments).unwrap();
                prop_assert!(search.limit.unwrap_or(DEFAULT_LIMIT) <= most);
                let found = search.filters.iter().find(|one| one.field == "team_assignee_id").unwrap();
                prop_assert!(found.values.iter().all(|value| allowed.contains(value)));
                prop_assert!(asked.is_empty() || found.values.iter().all(|value| asked.contains(value)));
            }
            Err(_) => prop_assert!(asked.iter().all(|value| !allowed.contains(value))),
        }
    }
}
