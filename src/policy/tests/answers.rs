//! Rules about answers: what they see, what they may have withheld, and what is refused because it
//! cannot be seen.

use super::*;
use crate::domain::Duty;

fn disclose(body: &str) -> String {
    let allow = "allow contains {\"rule\": \"all\", \"text\": \"all\"} if input.principal.id";
    format!("package portcullis.rules.disclose\n\nimport rego.v1\n\n{allow}\n\n{body}\n")
}

fn ruleset(body: &str) -> Ruleset {
    let files = bundle(&[("disclose.rego", &disclose(body))]);
    let loaded = load::load(&files).unwrap_or_else(|errors| panic!("{errors}"));
    Ruleset::new(&files, loaded)
}

fn result(kind: AnswerKind, payload: &str) -> AnswerFacts {
    let text = JsonText::of(&serde_json::json!({"content": [{"type": "text", "text": payload}]}));
    let bytes = text.bytes().len() as u64;
    AnswerFacts { kind, method: None, bytes, content: Content::of_result(Some("search"), &text) }
}

async fn asked(ruleset: &Ruleset, answer: &AnswerFacts) -> Finding {
    ruleset.disclose(&tool_call(&[], "search", Effect::Read, "{}"), answer, &facts()).await
}

const LEGAL: &str = r#"
oblige contains {"rule": "legal", "text": "legal matters", "drop": {"record": r.ref}} if {
	some r in input.answer.records
	"legal" in r.tags
}
"#;

const LIST: &str = r#"{"conversations":[
    {"type":"conversation","id":"1","state":"open","team_assignee_id":"7","tags":{"tags":[{"name":"legal"}]}},
    {"type":"conversation","id":"2","state":"open","team_assignee_id":null,"tags":{"tags":[]}}]}"#;
const PROSE: &str = r#"{"results":[{"id":"conversation_1","text":"legal things"}]}"#;

fn drops(finding: &Finding) -> Vec<(&str, &str)> {
    finding
        .obligations
        .iter()
        .filter_map(|one| match &one.duty {
            Duty::Drop { record } => Some((one.reason.rule.as_str(), record.as_str())),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn rules_see_records_counts_and_content() {
    let rows = [
        ("some r in input.answer.records; r.team == \"7\"", true),
        ("some r in input.answer.records; r.team == \"0\"; r.ref == \"conversation:2\"", true),
        ("some r in input.answer.records; not r.row", false),
        (
            "input.answer.counts == {\"contacts\": 0, \"companies\": 0, \"conversations\": 2, \"articles\": 0, \"notes\": 0, \"parts\": 0, \"rows\": 2}",
            true,
        ),
        ("input.answer.counts.rows > 2", false),
        ("input.answer.content[0].conversations[1].id == \"2\"", true),
        ("input.answer.structured", false),
        ("input.answer.understood", true),
    ];
    for (condition, denied) in rows {
        let rule =
            format!("deny contains {{\"rule\": \"d\", \"text\": \"d\"}} if {{ {condition} }}");
        let found = asked(&ruleset(&rule), &result(AnswerKind::Result, LIST)).await;
        let verdict = if denied { Verdict::Deny } else { Verdict::Allow };
        assert_eq!((found.verdict, found.fault), (verdict, None), "{condition}: {found:?}");
    }
}

#[tokio::test]
async fn a_rule_has_records_withheld() {
    let found = asked(&ruleset(LEGAL), &result(AnswerKind::Result, LIST)).await;
    assert_eq!(found.verdict, Verdict::Allow);
    assert_eq!(drops(&found), [("disclose.legal", "conversation:1")]);
}

/// The rule is silent of prose, because prose has no tags. That must not let it pass.
#[tokio::test]
async fn what_a_rule_cannot_judge_is_withheld_unless_it_says_so() {
    let prose = result(AnswerKind::Result, PROSE);
    let found = asked(&ruleset(LEGAL), &prose).await;
    assert_eq!(drops(&found), [("portcullis.partial_record", "conversation:1")]);
    let aware = format!(
        "{LEGAL}\noblige contains {{\"rule\": \"p\", \"text\": \"p\", \"drop\": {{\"record\": r.ref}}}} if {{\n\tinput.principal.id == \"somebody else\"\n\tsome r in input.answer.records\n\tr.partial\n}}"
    );
    assert_eq!(drops(&asked(&ruleset(&aware), &prose).await), []);
    // Who thought of what a write would change has not thought of answers.
    let of_target = format!(
        "{LEGAL}\ndeny contains {{\"rule\": \"t\", \"text\": \"t\"}} if input.target.partial"
    );
    let found = asked(&ruleset(&of_target), &prose).await;
    assert_eq!(drops(&found), [("portcullis.partial_record", "conversation:1")]);
    // A bundle that does not look for records is not concerned.
    assert_eq!(drops(&asked(&ruleset(""), &prose).await), []);
}

#[tokio::test]
async fn what_is_not_understood_is_denied_where_rules_look_into_answers() {
    let rows_rule = "oblige contains {\"rule\": \"few\", \"text\": \"few\", \"rows\": {\"most\": 5}} if input.principal.id";
    let counts =
        "deny contains {\"rule\": \"many\", \"text\": \"many\"} if input.answer.counts.rows > 5";
    let label = "oblige contains {\"rule\": \"l\", \"text\": \"l\", \"label\": {\"name\": \"l\"}} if input.principal.id";
    for (rules, looks) in
        [(LEGAL, true), (rows_rule, true), (counts, true), (label, false), ("", false)]
    {
        let ruleset = ruleset(rules);
        for (text, understood) in [("words about Maria", false), (LIST, true), ("{}", true)] {
            let found = asked(&ruleset, &result(AnswerKind::Result, text)).await;
            let denied = looks && !understood;
            assert_eq!(found.verdict == Verdict::Deny, denied, "{rules}: {text}");
            if denied {
                assert_eq!(found.reasons[0].rule, "portcullis.answer_not_understood");
                assert!(!found.reasons[0].text.contains("Maria"));
            }
        }
        let words = |text: &'static str| JsonText::from_valid(text.into());
        let rows = [
            (
                AnswerKind::Notification,
                Content::of_message(&words(r#"{"progressToken":"t","progress":1}"#)),
                true,
            ),
            (
                AnswerKind::Notification,
                Content::of_message(&words(
                    r#"{"progressToken":"t","progress":1,"message":"Maria"}"#,
                )),
                false,
            ),
            (
                AnswerKind::Notification,
                Content::of_message(&words(r#"{"level":"info","data":{"who":"Maria"}}"#)),
                false,
            ),
            (AnswerKind::ServerRequest, Content::of_message(&words("{}")), true),
            (
                AnswerKind::ServerRequest,
                Content::of_message(&words(r#"{"message":"Maria?"}"#)),
                false,
            ),
            (AnswerKind::Error, Content::of_error("Not found", None), true),
            (
                AnswerKind::Error,
                Content::of_error("Not found", Some(&words(r#"{"who":{"name":"Maria"}}"#))),
                false,
            ),
            (AnswerKind::List, Content::nothing(), true),
        ];
        for (kind, content, understood) in rows {
            let what = format!("{rules}: {content:?}");
            let answer = AnswerFacts { kind, method: None, bytes: 9, content };
            let found = asked(&ruleset, &answer).await;
            assert_eq!(found.verdict == Verdict::Deny, looks && !understood, "{what}");
        }
    }
}

#[tokio::test]
async fn content_that_is_too_long_to_look_at_is_denied() {
    let rule = "deny contains {\"rule\": \"d\", \"text\": \"d\"} if input.answer.content[0].x";
    let long = format!(r#"{{"results":[],"_note":"{}"}}"#, "x".repeat(300_000));
    let found = asked(&ruleset(rule), &result(AnswerKind::Result, &long)).await;
    assert_eq!(found.fault, Some(crate::domain::Fault::PolicyInputTooLarge));
    assert_eq!(
        asked(&ruleset(LEGAL), &result(AnswerKind::Result, &long)).await.verdict,
        Verdict::Allow
    );
}

/// The largest page that Intercom gives, and the longest thread.
#[tokio::test]
async fn the_largest_answers_are_within_the_budget() {
    let many = |range: std::ops::Range<u32>, one: fn(u32) -> serde_json::Value| {
        range.map(one).collect::<Vec<_>>()
    };
    let page = serde_json::json!({"conversations": many(0..150, |n| serde_json::json!({
        "type": "conversation", "id": n.to_string(), "state": "open", "team_assignee_id": "7",
        "tags": {"tags": [{"name": if n % 2 == 0 { "legal" } else { "vip" }}, {"name": "bug"}]},
    }))});
    let thread = serde_json::json!({
        "type": "conversation", "id": "1", "state": "open", "team_assignee_id": "7", "tags": {"tags": []},
        "conversation_parts": {"conversation_parts": many(0..500, |n| serde_json::json!({
            "type": "conversation_part", "id": n.to_string(), "part_type": if n % 2 == 0 { "note" } else { "comment" },
        }))},
    });
    let notes =
        LEGAL.replace("\"legal\" in r.tags", "r.type == \"note\"").replace("legal", "notes");
    let ruleset = ruleset(&format!("{LEGAL}\n{notes}"));
    for (payload, dropped) in [(page, 75), (thread, 250)] {
        let found = asked(&ruleset, &result(AnswerKind::Result, &payload.to_string())).await;
        assert_eq!((found.fault, drops(&found).len()), (None, dropped), "{:?}", found.reasons);
    }
}

#[tokio::test]
async fn what_is_to_be_redacted_is_read_or_refused() {
    let rule = |redact: &str| {
        format!(
            "oblige contains {{\"rule\": \"r\", \"text\": \"r\", \"redact\": {redact}}} if input.principal.id"
        )
    };
    let whole = r#"{"kinds": ["email", "policy_number"], "parties": {"customer"}, "paths": ["/**/name", "$/**"], "least": 50, "how": "pseudonym"}"#;
    let rows = [
        (r#"{"kinds": ["*"], "how": "mask"}"#, true),
        (whole, true),
        (r#"{"kinds": ["email"]}"#, false),
        (r#"{"how": "mask"}"#, false),
        (r#"{"kinds": [], "how": "mask"}"#, false),
        (r#"{"kinds": ["E-Mail"], "how": "mask"}"#, false),
        (r#"{"kinds": ["email"], "how": "burn"}"#, false),
        (r#"{"kinds": ["email"], "how": "mask", "parties": ["nobody"]}"#, false),
        (r#"{"kinds": ["email"], "how": "mask", "paths": ["name"]}"#, false),
        (r#"{"kinds": ["email"], "how": "mask", "least": 101}"#, false),
        (r#"{"kinds": ["email"], "how": "mask", "most": 1}"#, false),
    ];
    for (redact, good) in rows {
        let files = bundle(&[("disclose.rego", &disclose(&rule(redact)))]);
        // The trial at load asks the rule as well.
        let ruleset = match load::load(&files) {
            Ok(loaded) => Ruleset::new(&files, loaded),
            Err(errors) => {
                assert!(!good, "{redact}: {errors}");
                continue;
            }
        };
        let found = asked(&ruleset, &result(AnswerKind::Result, LIST)).await;
        assert_eq!(found.fault.is_none(), good, "{redact}: {:?}", found.reasons);
        if redact == whole {
            let Duty::Redact(redact) = &found.obligations[0].duty else { panic!("{found:?}") };
            assert_eq!((redact.least, redact.how), (50, crate::domain::How::Pseudonym));
            assert_eq!(redact.parties, [crate::domain::Party::Customer]);
            assert_eq!(redact.paths, ["/**/name", "$/**"]);
            let written = serde_json::to_value(&found.obligations[0]).unwrap();
            let read = serde_json::from_value(written).unwrap();
            assert_eq!(found.obligations[0], read);
        }
    }
}

/// Rules see what plugins saw, and an answer to one is no answer to another.
#[tokio::test]
async fn rules_see_what_plugins_saw() {
    let rules = "deny contains {\"rule\": \"d\", \"text\": \"d\"} if {\n\tsome f in input.findings\n\tf.kind == \"secret\"\n\tf.party == \"customer\"\n}\n\ndeny contains {\"rule\": \"l\", \"text\": \"l\"} if \"instructions\" in input.labels";
    let ruleset = ruleset(rules);
    assert!(ruleset.looks_at_findings(Question::Disclose));
    assert!(!ruleset.looks_at_findings(Question::Admit));
    let found = |kind: &str, party| super::Found {
        kind: kind.to_owned(),
        party,
        confidence: 90,
        count: 1,
        plugin: "p".to_owned(),
        paths: vec!["/a".to_owned()],
    };
    use crate::domain::Party::{Customer, Teammate};
    let rows = [
        (vec![], vec![], Verdict::Allow),
        (vec![found("secret", Customer)], vec![], Verdict::Deny),
        (vec![found("secret", Teammate), found("email", Customer)], vec![], Verdict::Allow),
        (vec![], vec!["instructions".to_owned()], Verdict::Deny),
        (vec![], vec!["secrets".to_owned()], Verdict::Allow),
        (vec![], vec![], Verdict::Allow),
    ];
    for (findings, labels, verdict) in rows {
        let seen = std::sync::Arc::new(super::Seen { findings, labels });
        let facts = Facts { seen, ..facts() };
        let call = tool_call(&[], "search", Effect::Read, "{}");
        let answer = result(AnswerKind::Result, LIST);
        assert_eq!(ruleset.disclose(&call, &answer, &facts).await.verdict, verdict, "{facts:?}");
    }
}
