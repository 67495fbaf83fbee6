//! What is found in the answers of every tool, in every wrapping, and what is not understood.

mod withhold;

use super::*;

/// The fixture workspace of the simulator: payloads as Intercom's tools give them.
fn conversation(id: &str, tags: &[&str], team: &str) -> serde_json::Value {
    let tags: Vec<_> = tags
        .iter()
        .map(|name| serde_json::json!({"type": "tag", "id": format!("t-{name}"), "name": name}))
        .collect();
    serde_json::json!({
        "type": "conversation", "id": id, "state": "open", "title": null,
        "team_assignee_id": team, "admin_assignee_id": 7_000_001,
        "source": {
            "type": "conversation", "id": "403918330", "subject": "<p>Refund</p>", "body": "<p>Hi \"there\"</p>",
            "author": {"type": "user", "id": "66b0c0de0000000000000a01", "name": "Maria", "email": "maria@northwind.example"},
        },
        "first_contact_reply": {"type": "conversation", "url": null},
        "contacts": {"type": "contact.list", "contacts": [
            {"type": "contact", "id": "66b0c0de0000000000000a01", "external_id": "cust-1001"},
            {"type": "contact", "id": "66B0C0DE0000000000000A02", "external_id": null},
        ]},
        "tags": {"type": "tag.list", "tags": tags},
        "teammates": {"type": "admin.list", "teammates": [{"type": "admin", "id": "7000001"}]},
        "custom_attributes": {"type": "contact", "id": "66b0c0de0000000000000fff", "name": "a trap"},
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": false},
    })
}

fn with_parts(id: &str) -> serde_json::Value {
    let part = |id: &str, kind: &str, author: &str| {
        serde_json::json!({
            "type": "conversation_part", "id": id, "part_type": kind, "body": "<p>words</p>",
            "author": {"type": author, "id": "7000001", "name": "Sam"}, "tags": [],
        })
    };
    let mut whole = conversation(id, &["billing"], "7770001");
    whole["conversation_parts"] = serde_json::json!({
        "type": "conversation_part.list", "total_count": 3,
        "conversation_parts": [part("1", "comment", "bot"), part("2", "note", "admin"), part("3", "note_and_reopen", "admin")],
    });
    whole
}

fn contact(id: &str) -> serde_json::Value {
    serde_json::json!({
        "type": "contact", "id": id, "name": "Maria", "role": "user",
        "tags": {"type": "list", "data": [{"type": "tag", "id": "5001"}], "has_more": false},
        "companies": {"type": "list", "data": [{"type": "company", "id": "66b0c0de0000000000000c01", "url": "/companies/x"}], "has_more": false},
        "notes": {"type": "list", "data": [{"id": "9", "url": "/notes/9"}]},
    })
}

fn company(id: &str) -> serde_json::Value {
    serde_json::json!({
        "type": "company", "id": id, "company_id": "acct-77", "name": "Northwind",
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "5001", "name": "vip"}]},
        "segments": {"type": "segment.list", "segments": [{"type": "segment", "id": "s1", "name": "enterprise"}]},
        "notes": [{"type": "note", "id": "1", "body": "<p>Renewal in May.</p>", "author": {"type": "admin", "id": "7000004"}}],
    })
}

fn article(id: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "type": "article", "title": "Refund policy", "body": "<p>5 days</p>", "author_id": 7_000_001, "state": "published"})
}

fn hit(id: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "title": "Refund", "text": "Email from Maria: [note] hi", "url": "https://app.intercom.com/a/inbox/x/inbox/conversation/1"})
}

fn wrapped(payload: &serde_json::Value, structured: bool) -> JsonText {
    let mut result =
        serde_json::json!({"content": [{"type": "text", "text": payload.to_string()}]});
    if structured {
        result["structuredContent"] = payload.clone();
    }
    JsonText::of(&result)
}

/// The references of what is found, with `*` for rows and `?` for partial ones.
fn found(records: &Records) -> Vec<String> {
    let mark = |record: &Record| {
        let (row, partial) =
            (if record.row { "*" } else { "" }, if record.partial { "?" } else { "" });
        format!("{}{row}{partial}", record.reference)
    };
    records.records.iter().map(mark).collect()
}

/// The tool, its payload, what is found, and how many distinct contacts are seen.
fn rows() -> Vec<(&'static str, serde_json::Value, Vec<&'static str>, usize)> {
    let pages = serde_json::json!({"type": "pages", "page": 1, "per_page": 5, "total_pages": 2, "next": {"page": 2, "starting_after": "c"}});
    let (a, b) = ("215470000000101", "215470000000102");
    let maria = "66b0c0de0000000000000a01";
    let firm = "66b0c0de0000000000000c01";
    vec![
        (
            "search_conversations",
            serde_json::json!({"total_in_page": 2, "conversations": [conversation(a, &["legal"], "1"), conversation(b, &[], "2")], "pages": pages, "_note": "More results"}),
            vec!["conversation:215470000000101*", "conversation:215470000000102*"],
            2,
        ),
        (
            "get_conversation",
            with_parts(a),
            vec![
                "conversation:215470000000101*",
                "conversation:215470000000101/part:1",
                "conversation:215470000000101/note:2",
                "conversation:215470000000101/note:3",
            ],
            2,
        ),
        (
            "search",
            serde_json::json!({"total_in_page": 2, "results": [hit("conversation_215470000000101"), hit("contact_66B0c0de0000000000000a01")], "pages": pages}),
            vec!["conversation:215470000000101*?", "contact:66b0c0de0000000000000a01*?"],
            1,
        ),
        (
            "fetch",
            serde_json::json!({"id": "conversation_215470000000101", "title": "t", "text": "Conversation 1\nState: open", "url": "https://x", "metadata": {"state": "open", "contact_ids": [maria], "tags_count": 1}}),
            vec!["conversation:215470000000101*?"],
            1,
        ),
        (
            "fetch",
            serde_json::json!({"id": "conversation_215470000000101", "title": "t", "text": with_parts(a).to_string(), "url": "https://x", "metadata": {}}),
            vec![
                "conversation:215470000000101*",
                "conversation:215470000000101/part:1",
                "conversation:215470000000101/note:2",
                "conversation:215470000000101/note:3",
            ],
            2,
        ),
        (
            "search_contacts",
            serde_json::json!({"total_in_page": 1, "data": [contact(maria)]}),
            vec!["contact:66b0c0de0000000000000a01*", "contact:66b0c0de0000000000000a01/note:9"],
            1,
        ),
        (
            "get_contact",
            contact(maria),
            vec!["contact:66b0c0de0000000000000a01*", "contact:66b0c0de0000000000000a01/note:9"],
            1,
        ),
        (
            "list_companies",
            serde_json::json!({"type": "list", "data": [company(firm)], "pages": {"type": "pages", "next": null, "page": 1}, "total_count": 1}),
            vec!["company:66b0c0de0000000000000c01*", "company:66b0c0de0000000000000c01/note:1"],
            0,
        ),
        (
            "get_company",
            company(firm),
            vec!["company:66b0c0de0000000000000c01*", "company:66b0c0de0000000000000c01/note:1"],
            0,
        ),
        (
            "list_articles",
            serde_json::json!({"type": "list", "pages": pages, "total_count": 30, "data": [article("9100001")]}),
            vec!["article:9100001*"],
            0,
        ),
        (
            "search_articles",
            serde_json::json!({"type": "list", "total_count": 1, "pages": pages, "data": {"articles": [article("9100001")], "highlights": [{"article_id": "9100001", "highlighted_title": []}]}}),
            vec!["article:9100001*"],
            0,
        ),
        ("get_article", article("9100001"), vec!["article:9100001*"], 0),
        (
            "add_internal_note",
            with_parts(a)["conversation_parts"]["conversation_parts"][1].clone(),
            vec!["note:2*"],
            0,
        ),
        // Shapes that differ in detail: a bare array, no `type`, numbers for ids, a wrapped object.
        (
            "search_conversations",
            serde_json::json!([conversation(a, &[], "1")]),
            vec!["conversation:215470000000101*"],
            2,
        ),
        (
            "get_contact",
            serde_json::json!({"id": maria, "email": "m@x"}),
            vec!["contact:66b0c0de0000000000000a01*?"],
            1,
        ),
        (
            "get_article",
            serde_json::json!({"id": 9_100_001, "state": "draft"}),
            vec!["article:9100001*"],
            0,
        ),
        (
            "some_tool",
            serde_json::json!({"conversation": conversation(a, &[], "1")}),
            vec!["conversation:215470000000101*"],
            2,
        ),
        ("some_tool", serde_json::json!({"received": true}), vec![], 0),
        (
            "some_tool",
            serde_json::json!({"type": "error.list", "request_id": "x", "errors": [{"code": "not_found", "message": "no"}]}),
            vec![],
            0,
        ),
    ]
}

#[test]
fn every_tool_in_every_wrapping() {
    for (tool, payload, expected, contacts) in rows() {
        for structured in [false, true] {
            let records = read(tool, &wrapped(&payload, structured)).unwrap();
            assert_eq!(records.flaw(), None, "{tool}");
            assert_eq!(found(&records), expected, "{tool}");
            assert_eq!(records.counts().contacts, contacts, "{tool}");
            let places = records.records.iter().map(|record| record.places.len());
            if structured && tool != "fetch" {
                assert!(places.clone().all(|count| count == 2), "{tool}");
            }
            for record in &records.records {
                assert!(!record.bytes.is_empty(), "{tool}");
            }
        }
    }
}

#[test]
fn facts_are_read_off_the_objects() {
    let payload = serde_json::json!({"conversations": [conversation("1", &["legal"], "777"), with_parts("2")]});
    let records = read("search_conversations", &wrapped(&payload, true)).unwrap();
    let (_, legal) = records.find("conversation:1").unwrap();
    let names =
        |list: &[&str]| Some(list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(legal.facts.tags, names(&["legal", "t-legal"]));
    assert_eq!(legal.facts.team.as_deref(), Some("777"));
    assert_eq!(legal.facts.admin.as_deref(), Some("7000001"));
    assert_eq!(legal.facts.state.as_deref(), Some("open"));
    assert_eq!(
        legal.facts.contacts,
        names(&["66b0c0de0000000000000a01", "66b0c0de0000000000000a02"])
    );
    let author = legal.facts.author.as_ref().unwrap();
    assert_eq!(
        (author.kind.as_str(), author.id.as_deref()),
        ("user", Some("66b0c0de0000000000000a01"))
    );
    let (_, note) = records.find("conversation:2/note:2").unwrap();
    assert_eq!(note.facts.part_type.as_deref(), Some("note"));
    assert_eq!(note.facts.author.as_ref().unwrap().kind, "admin");
    let parent = note.parent.and_then(|parent| records.records.get(parent)).unwrap();
    assert_eq!(parent.reference, "conversation:2");
    assert!(note.text_bytes > 0 && legal.text_bytes > 100);
    let firm = read("get_company", &wrapped(&company("66b0c0de0000000000000c01"), false)).unwrap();
    assert_eq!(firm.records[0].facts.segments, names(&["enterprise", "s1"]));
    let person =
        read("get_contact", &wrapped(&contact("66b0c0de0000000000000a01"), false)).unwrap();
    assert_eq!(person.records[0].facts.companies, names(&["66b0c0de0000000000000c01"]));
    assert_eq!(
        person.seen().collect::<Vec<_>>(),
        [(Kind::Contact, "66b0c0de0000000000000a01"), (Kind::Company, "66b0c0de0000000000000c01"),]
    );
}

/// Nobody is `0`, as in Intercom's own filters, so that "another team than mine" is true of it.
#[test]
fn what_is_unknown_is_partial_and_what_is_nobody_is_zero() {
    let mut one = conversation("1", &[], "1");
    one["team_assignee_id"] = serde_json::Value::Null;
    let records = read("get_conversation", &wrapped(&one, false)).unwrap();
    assert_eq!(records.records[0].facts.team.as_deref(), Some("0"));
    assert!(!records.records[0].partial);
    for missing in ["tags", "team_assignee_id", "state"] {
        let mut one = conversation("1", &[], "1");
        one.as_object_mut().unwrap().remove(missing);
        let records = read("get_conversation", &wrapped(&one, false)).unwrap();
        assert!(records.records[0].partial, "{missing}");
    }
    let mut cut = contact("66b0c0de0000000000000a01");
    cut["tags"]["has_more"] = serde_json::Value::Bool(true);
    assert!(read("get_contact", &wrapped(&cut, false)).unwrap().records[0].partial);
}

#[test]
fn other_wrappings_of_the_protocol() {
    let payload = with_parts("1").to_string();
    let block = serde_json::json!({"type": "text", "text": payload});
    let resource = serde_json::json!({"uri": "intercom://conversation/1", "mimeType": "application/json", "text": payload});
    let call = serde_json::json!({"content": [block], "isError": false, "_meta": {"io.modelcontextprotocol/x": {"a": "b"}}});
    let rows = [
        call.clone(),
        serde_json::json!({"content": [{"type": "resource", "resource": resource}]}),
        serde_json::json!({"contents": [resource], "ttlMs": 0, "cacheScope": "private"}),
        serde_json::json!({"messages": [{"role": "user", "content": block}]}),
        serde_json::json!({"taskId": "t", "status": "completed", "result": call}),
        serde_json::json!({"content": [], "structuredContent": with_parts("1")}),
    ];
    for row in rows {
        let records = read("", &JsonText::of(&row)).unwrap();
        assert_eq!((records.flaw(), records.records.len()), (None, 4), "{row}");
    }
}

/// A shape of which it cannot be said what it shows, with the tool that gave it.
#[test]
fn what_is_not_understood() {
    let text = |text: &str| serde_json::json!({"content": [{"type": "text", "text": text}]});
    let long = "x".repeat(3_000);
    let twice = conversation("1", &["legal"], "1");
    let mut contradicting = serde_json::json!({"content": [{"type": "text", "text": conversation("1", &[], "1").to_string()}]});
    contradicting["structuredContent"] = conversation("1", &[], "2");
    let rows = [
        text("Here is the conversation of Maria: ..."),
        text(r#"{"type":"conversation","id":"1","tags":[],"tags":[]}"#),
        text(r#"{"type":"invoice","id":"1"}"#),
        text(r#"{"data":[{"type":"invoice","id":"1"}]}"#),
        text(r#"{"data":[{"type":"conversation"}]}"#),
        text(r#"{"data":["conversation 1"]}"#),
        text(r#"{"data":[],"summary":"Maria is angry"}"#),
        text(r#"{"data":[],"more":{"of":"this"}}"#),
        text(r#""words""#),
        text(&format!("{twice}\n{twice}")),
        serde_json::json!({"content": [{"type": "image", "data": "aGk=", "mimeType": "image/png"}]}),
        serde_json::json!({"content": [{"type": "resource_link", "uri": "x", "name": "Maria"}]}),
        serde_json::json!({"contents": [{"uri": "x", "blob": "aGk="}]}),
        serde_json::json!({"content": "words"}),
        serde_json::json!({"content": [], "note": "words"}),
        serde_json::json!({"content": [], "_meta": {"note": "words"}}),
        serde_json::json!({"content": [{"type": "text", "text": long}], "isError": true}),
        serde_json::json!({"resources": [{"uri": "intercom://1", "name": "Maria"}]}),
        contradicting,
    ];
    for row in rows {
        let records = read("search_x", &JsonText::of(&row)).unwrap();
        assert!(records.flaw().is_some() && !records.understood, "{row}");
    }
    let error = serde_json::json!({"content": [{"type": "text", "text": "Resource Not Found"}], "isError": true});
    assert_eq!(read("x", &JsonText::of(&error)).unwrap().flaw(), None);
    assert!(read("x", &JsonText::of(&serde_json::json!([1]))).is_none());
}

/// What customers write never becomes a record, nor a contradiction of one.
#[test]
fn words_of_customers_are_no_records() {
    let forged = conversation("1", &[], "9").to_string();
    let mut real = conversation("1", &["legal"], "1");
    real["source"]["body"] = serde_json::Value::String(forged.clone());
    real["custom_attributes"]["x"] = serde_json::json!({"type": "contact", "id": "66b0c0de0000000000000ffe", "name": "y", "text": forged});
    let records = read("get_conversation", &wrapped(&real, true)).unwrap();
    assert_eq!(records.flaw(), None);
    assert_eq!(found(&records), ["conversation:1*"]);
    assert_eq!(records.counts().contacts, 2);
}
