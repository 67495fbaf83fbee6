//! What is left when records are taken out: any subset of them, in any wrapping and spelling.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{article, conversation, hit, wrapped};
use crate::mcp::json as strict;

/// How the result is written.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    structured: bool,
    /// JSON with spaces and lines, in and around the string.
    pretty: bool,
    /// Every letter `r` in the string of JSON is written `\u0072`, every slash `\/`.
    escaped: bool,
}

fn spelled(payload: &Value, how: Spelling) -> JsonText {
    let inner = if how.pretty {
        serde_json::to_string_pretty(payload)
    } else {
        serde_json::to_string(payload)
    };
    let mut string = serde_json::to_string(&inner.unwrap()).unwrap();
    if how.escaped {
        // No escape of JSON holds a plain `r` in the test's payloads but `\r`, which they do not have.
        string = string.replace('r', "\\u0072").replace('/', "\\/");
    }
    let space = if how.pretty { " \n" } else { "" };
    let mut text =
        format!(r#"{{"content":{space}[{space}{{"type":"text","text":{string}}}{space}]"#);
    if how.structured {
        text.push_str(&format!(r#","structuredContent":{space}{payload}"#));
    }
    text.push('}');
    JsonText::from_valid(text.into())
}

fn spellings() -> impl Strategy<Value = Spelling> {
    any::<(bool, bool, bool)>().prop_map(|(structured, pretty, escaped)| Spelling {
        structured,
        pretty,
        escaped,
    })
}

/// A list of conversations with messages, notes and a company, each with a word of its own in it.
fn payloads() -> impl Strategy<Value = Value> {
    let parts = proptest::collection::vec(any::<bool>(), 0..4);
    let conversations = proptest::collection::vec((parts, any::<bool>()), 0..5);
    (conversations, any::<bool>()).prop_map(|(conversations, more)| {
        let list: Vec<Value> = conversations
            .iter()
            .enumerate()
            .map(|(index, (parts, company))| {
                let id = format!("10{index}");
                let mut one = conversation(&id, &["a/b"], "1");
                one["source"]["body"] = json!(format!("<MARK conversation:{id}>"));
                let list: Vec<Value> = parts
                    .iter()
                    .enumerate()
                    .map(|(part, note)| {
                        let (word, kind) = if *note { ("note", "note") } else { ("part", "comment") };
                        json!({"type": "conversation_part", "id": part.to_string(), "part_type": kind,
                               "body": format!("<MARK conversation:{id}/{word}:{part}> \"\u{1f600}\" \\ {{[,]}}")})
                    })
                    .collect();
                one["conversation_parts"] = json!({"type": "conversation_part.list", "total_count": list.len(), "conversation_parts": list});
                if *company {
                    let id = format!("20{index}");
                    one["company"] = json!({"type": "company", "id": id, "name": format!("<MARK company:{id}>"),
                                            "tags": [], "segments": []});
                }
                one
            })
            .collect();
        let total = if more { list.len() + 7 } else { list.len() };
        json!({"type": "list", "total_in_page": list.len(), "total_count": total, "conversations": list})
    })
}

fn outer(records: &Records, number: usize) -> Vec<usize> {
    let up = |number: &usize| records.records[*number].parent;
    std::iter::successors(Some(number), up).collect()
}

/// The payloads of a result: the JSON in its first text, and its structured content.
fn read_back(result: &JsonText) -> (Value, Option<Value>) {
    let result: Value = serde_json::from_str(result.as_str()).unwrap();
    let text = result["content"][0]["text"].as_str().unwrap();
    (serde_json::from_str(text).unwrap(), result.get("structuredContent").cloned())
}

/// The payload without the records whose word is in `gone`, made in a way of its own.
fn expected(value: &Value, gone: &[String]) -> Value {
    let own = |value: &Value| {
        let word = ["body", "name"]
            .iter()
            .find_map(|key| value.get(key)?.as_str())
            .or_else(|| value.get("source")?.get("body")?.as_str());
        word.is_some_and(|word| gone.iter().any(|gone| word.contains(&format!("<MARK {gone}>"))))
    };
    match value {
        Value::Array(list) => {
            list.iter().filter(|one| !own(one)).map(|one| expected(one, gone)).collect()
        }
        Value::Object(members) => {
            let mut left: serde_json::Map<String, Value> = members
                .iter()
                .map(|(key, value)| {
                    let is_gone = key != "source" && value.is_object() && own(value);
                    (key.clone(), if is_gone { Value::Null } else { expected(value, gone) })
                })
                .collect();
            for list in ["conversations", "conversation_parts"] {
                let lengths =
                    |map: &serde_json::Map<String, Value>| Some(map.get(list)?.as_array()?.len());
                let (Some(before), Some(after)) = (lengths(members), lengths(&left)) else {
                    continue;
                };
                for count in ["total_in_page", "total_count"] {
                    if left.get(count) == Some(&json!(before)) {
                        left.insert(count.to_owned(), json!(after));
                    }
                }
            }
            Value::Object(left)
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn any_subset_leaves_valid_json_without_a_trace(
        payload in payloads(),
        how in spellings(),
        pick in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let result = spelled(&payload, how);
        let records = read("search_conversations", &result).unwrap();
        prop_assert_eq!(records.flaw(), None);
        let chosen: Vec<usize> = (0..records.records.len()).filter(|number| pick[number % 64]).collect();
        let gone: Vec<String> = chosen.iter().map(|number| records.records[*number].reference.clone()).collect();
        let orders: Vec<Order<'_>> =
            gone.iter().map(|reference| Order::Drop { reference, text: "not for you" }).collect();
        let edited = match withhold(&records, &orders).unwrap().edited {
            Edited::Same => {
                prop_assert!(gone.is_empty());
                return Ok(());
            }
            Edited::Rest(text) => text,
            Edited::Nothing(_) => return Err(TestCaseError::fail("a list is never nothing")),
        };
        // Strict JSON, and exactly what a second way of removing leaves.
        strict::read(edited.bytes().clone(), &strict::Limits::default()).unwrap();
        let (text, structured) = read_back(&edited);
        let want = expected(&payload, &gone);
        prop_assert_eq!(&text, &want);
        prop_assert_eq!(structured, how.structured.then_some(want));
        // No trace of what left; the bytes of what stays whole are the bytes that came.
        for (number, record) in records.records.iter().enumerate() {
            let left = outer(&records, number).iter().any(|outer| chosen.contains(outer));
            if left {
                let word = format!("<MARK {}>", record.reference);
                prop_assert!(!text.to_string().contains(&word) && !edited.as_str().contains(&word));
            } else if !(0..records.records.len()).any(|inner| chosen.contains(&inner) && outer(&records, inner).contains(&number)) {
                let tree = &records.documents[record.places[0].document].tree;
                let bytes = &tree.text()[record.bytes.clone()];
                let again = read("search_conversations", &edited).unwrap();
                let (_, same) = again.find(&record.reference).unwrap();
                prop_assert_eq!(&again.documents[same.places[0].document].tree.text()[same.bytes.clone()], bytes);
            }
        }
        // Again: there is nothing left of it to take out.
        let again = read("search_conversations", &edited).unwrap();
        prop_assert!(gone.iter().all(|reference| again.find(reference).is_none()));
        prop_assert_eq!(withhold(&again, &[]).unwrap().edited, Edited::Same);
        // What is counted as seen is what is there to be seen.
        let gone = withhold(&records, &orders).unwrap().gone;
        prop_assert_eq!(records.counts_without(&gone), again.counts());
        prop_assert!(records.seen_without(&gone).eq(again.seen()));
    }
}

fn orders<'a>(references: &[&'a str]) -> Vec<Order<'a>> {
    references.iter().map(|reference| Order::Drop { reference, text: "not for you" }).collect()
}

fn rest(records: &Records, orders: &[Order<'_>]) -> String {
    match withhold(records, orders).unwrap().edited {
        Edited::Rest(text) => text.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_other_byte_stays() {
    let text = r#"{ "content" : [{"type":"text","text":"{\"total_in_page\": 3, \"results\":[ {\"id\":\"conversation_1\",\"text\":\"\u0061\"} , {\"id\":\"conversation_2\",\"text\":\"b\"},\n{\"id\":\"conversation_3\",\"text\":\"\/c\"} ],\"pages\":{\"total_pages\":9,\"next\":{\"starting_after\":\"Wz\"}}}"}] ,"isError":false}"#;
    let result = JsonText::from_valid(Bytes::from(text));
    let records = read("search", &result).unwrap();
    let rows = [
        (
            vec!["conversation:1"],
            r#"[ {\"id\":\"conversation_2\",\"text\":\"b\"},\n{\"id\":\"conversation_3\",\"text\":\"\/c\"} ]"#,
            2,
        ),
        (
            vec!["conversation:2"],
            r#"[ {\"id\":\"conversation_1\",\"text\":\"\u0061\"} , {\"id\":\"conversation_3\",\"text\":\"\/c\"} ]"#,
            2,
        ),
        (
            vec!["conversation:3"],
            r#"[ {\"id\":\"conversation_1\",\"text\":\"\u0061\"} , {\"id\":\"conversation_2\",\"text\":\"b\"} ]"#,
            2,
        ),
        (
            vec!["conversation:2", "conversation:3"],
            r#"[ {\"id\":\"conversation_1\",\"text\":\"\u0061\"} ]"#,
            1,
        ),
        (
            vec!["conversation:1", "conversation:3"],
            r#"[ {\"id\":\"conversation_2\",\"text\":\"b\"} ]"#,
            1,
        ),
        (vec!["conversation:1", "conversation:2", "conversation:3"], "[  ]", 0),
    ];
    for (gone, list, left) in rows {
        let words = if gone.len() == 1 {
            "1 conversation".to_owned()
        } else {
            format!("{} conversations", gone.len())
        };
        let expected = format!(
            r#"{{ "content" : [{{"type":"text","text":"{{\"total_in_page\": {left}, \"results\":{list},\"pages\":{{\"total_pages\":9,\"next\":{{\"starting_after\":\"Wz\"}}}}}}"}},{{"type":"text","text":"Portcullis withheld {words}: not for you."}}] ,"isError":false}}"#
        );
        assert_eq!(rest(&records, &orders(&gone)), expected, "{gone:?}");
    }
}

#[test]
fn counts_are_truthful_and_by_rule() {
    let payload = json!({"conversations": [conversation("1", &[], "1"), conversation("2", &[], "1"), conversation("3", &[], "1"), conversation("4", &[], "1")]});
    let records = read("search_conversations", &wrapped(&payload, true)).unwrap();
    let orders = [
        Order::Drop { reference: "conversation:2", text: "legal matters" },
        Order::Drop { reference: "conversation:1", text: "legal matters" },
        // Named by two rules, counted once.
        Order::Drop { reference: "conversation:1", text: "another team" },
        Order::Rows { most: 1, text: "one is enough" },
        Order::Rows { most: 5, text: "five are enough" },
    ];
    let text = rest(&records, &orders);
    assert!(text.contains(r"Portcullis withheld 2 conversations: legal matters.\nPortcullis shows 1 of 2 entries: one is enough."), "{text}");
    assert!(!text.contains("another team"));
    let left = read("search_conversations", &JsonText::from_valid(text.into())).unwrap();
    assert_eq!(
        left.records.iter().map(|one| one.reference.as_str()).collect::<Vec<_>>(),
        ["conversation:3"]
    );
    assert_eq!(
        withhold(&records, &[Order::Rows { most: 4, text: "t" }]).unwrap().edited,
        Edited::Same
    );
    assert_eq!(withhold(&records, &orders[..0]).unwrap().edited, Edited::Same);
    let unknown = Order::Drop { reference: "conversation:9", text: "t" };
    assert_eq!(withhold(&records, &[unknown]), Err(NoSuchRecord("conversation:9".to_owned())));
}

#[test]
fn one_object_that_leaves_leaves_nothing() {
    let task = |result: Value| json!({"taskId": "t", "status": "completed", "result": result});
    let one = conversation("1", &[], "1");
    let call: Value = serde_json::from_str(wrapped(&one, true).as_str()).unwrap();
    let resource = json!({"contents": [{"uri": "x", "text": one.to_string()}]});
    for result in [call.clone(), task(call), resource] {
        let records = read("get_conversation", &JsonText::of(&result)).unwrap();
        let edited = withhold(&records, &orders(&["conversation:1"])).unwrap().edited;
        assert_eq!(
            edited,
            Edited::Nothing("Portcullis withheld 1 conversation: not for you.".to_owned())
        );
    }
}

#[test]
fn what_names_a_withheld_record_leaves_with_it() {
    let maria = "66b0c0de0000000000000a01";
    let payload = json!({
        "total_count": 2, "data": {
            "articles": [article("9100001"), article("9100002")],
            "highlights": [{"article_id": "9100001", "highlighted_title": "secret"}, {"article_id": 9_100_002}],
        },
    });
    let records = read("search_articles", &wrapped(&payload, true)).unwrap();
    let (left, structured) =
        read_back(&JsonText::from_valid(rest(&records, &orders(&["article:9100001"])).into()));
    assert_eq!(
        left,
        json!({"total_count": 1, "data": {"articles": [article("9100002")], "highlights": [{"article_id": 9_100_002}]}})
    );
    assert_eq!(structured, Some(left));
    let mut one = conversation("1", &[], "1");
    one["participants"] = json!([{"type": "user", "id": maria, "name": "Maria", "email": "m@x"}]);
    let records = read("get_conversation", &wrapped(&one, false)).unwrap();
    let text = rest(&records, &orders(&["contact:66b0c0de0000000000000a01"]));
    assert!(!text.contains(maria) && !text.contains("Maria"), "{text}");
}

#[test]
fn words_go_where_the_protocol_has_room_for_them() {
    let payload = json!({"results": [hit("conversation_1"), hit("conversation_2")]}).to_string();
    let text = json!({"type": "text", "text": payload});
    let said = r#""text":"Portcullis withheld 1 conversation: not for you.""#;
    let rows = [
        (json!({"content": [text]}), format!(r#",{{"type":"text",{said}}}]"#)),
        (
            json!({"structuredContent": {"results": [hit("conversation_1"), hit("conversation_2")]}}),
            format!(r#","content":[{{"type":"text",{said}}}]"#),
        ),
        (
            json!({"contents": [{"uri": "x", "text": payload}]}),
            format!(r#",{{"uri":"portcullis://withheld","mimeType":"text/plain",{said}}}]"#),
        ),
        (
            json!({"messages": [{"role": "user", "content": text}]}),
            format!(r#",{{"role":"user","content":{{"type":"text",{said}}}}}]"#),
        ),
        (
            json!({"taskId": "t", "result": {"content": [text]}}),
            format!(r#",{{"type":"text",{said}}}]"#),
        ),
    ];
    for (result, expected) in rows {
        let records = read("search", &JsonText::of(&result)).unwrap();
        let text = rest(&records, &orders(&["conversation:1"]));
        assert!(text.contains(&expected), "{text}");
        serde_json::from_str::<Value>(&text).unwrap();
    }
}
