//! What goes wrong in an evaluation denies by its name, and the next one is fine.

use super::*;
use crate::domain::Fault::{
    PolicyError, PolicyInputTooLarge, PolicyInvalidResult, PolicyPanic, PolicyTimeout,
};

/// A ruleset that the checks would refuse: the rules of `admit` replaced by `body`.
fn unchecked(body: &str) -> Ruleset {
    let files = bundle(&[("a.rego", &admit(body))]);
    patient(&files)
}

/// Without checks, and with a deadline that a busy test machine meets.
fn patient(files: &[File]) -> Ruleset {
    let loaded = load::load_unchecked(files).unwrap_or_else(|errors| panic!("{errors}"));
    let apart = apart::Apart::new(std::time::Duration::from_secs(5));
    Ruleset { apart, ..Ruleset::new(files, loaded) }
}

/// A ruleset whose entry point of `admit` is `answer`.
fn answering(answer: &str) -> Ruleset {
    let mut files =
        bundle(&[("a.rego", &admit("deny contains {\"rule\": \"a\", \"text\": \"a\"}"))]);
    let entry = files.iter_mut().find(|file| file.name == "lib/admit.rego").unwrap();
    entry.text = format!("package portcullis.admit\n\nimport rego.v1\n\n{answer}\n");
    patient(&files)
}

/// A call on which the rules below go wrong, and one on which they do not.
fn calls() -> (Call, Call) {
    let bad = r#"{"bad":true,"text":"abc","list":[1,2,3]}"#;
    (tool_call(&["r"], "x", Effect::Read, bad), tool_call(&["r"], "x", Effect::Read, "{}"))
}

const ALLOW: &str = "allow contains {\"rule\": \"b\", \"text\": \"b\"} if input.principal.id\n\n";

#[tokio::test]
async fn evaluations_that_fail_deny_and_leave_nothing_behind() {
    let loops = "deny contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.arguments.bad\n\
                 \tsome a in numbers.range(1, 3000)\n\tsome b in numbers.range(1, 3000)\n\
                 \ta * b == -1\n}";
    let spoken = "deny contains {\"rule\": \"a\", \"text\": \"a\"} if ";
    for (body, fault) in [
        (loops.to_owned(), PolicyTimeout),
        (format!("{spoken}strings.count(input.arguments.text, \"\") == 3"), PolicyPanic),
        (format!("{spoken}lower(input.arguments.list) == \"x\""), PolicyError),
        (format!("{spoken}input.arguments.list + 1 == 2"), PolicyError),
        (
            String::from(
                "deny contains {\"rule\": \"a\", \"text\": x} if x := input.arguments.bad",
            ),
            PolicyInvalidResult,
        ),
    ] {
        let ruleset = unchecked(&format!("{ALLOW}{body}"));
        let (bad, good) = calls();
        for _ in 0..3 {
            let found = ruleset.admit(&bad, &facts()).await;
            assert_eq!((found.verdict, found.fault), (Verdict::Deny, Some(fault)), "{body}");
            assert!(!found.reasons[0].text.contains("abc"), "the input is in {:?}", found.reasons);
            let found = ruleset.admit(&good, &facts()).await;
            assert_eq!((found.verdict, found.fault), (Verdict::Allow, None), "{body}");
        }
    }
}

#[tokio::test]
async fn an_error_names_its_line() {
    let body = format!(
        "{ALLOW}deny contains {{\"rule\": \"a\", \"text\": \"a\"}} if {{\n\
                        \tinput.arguments.bad\n\tinput.arguments.list + 1 == 2\n}}"
    );
    let found = unchecked(&body).admit(&calls().0, &facts()).await;
    assert_eq!(found.reasons[0].rule, "portcullis.policy_error");
    assert_eq!(found.reasons[0].at.as_deref(), Some("a.rego:9"));
}

#[tokio::test]
async fn answers_of_another_shape_deny() {
    let reason = r#"{"rule": "a", "text": "a"}"#;
    let whole = |verdict: &str, rest: &str| {
        format!("answer := {{\"verdict\": {verdict}, \"reasons\": [{reason}], {rest}}}")
    };
    let rest = r#""obligations": [], "release": null"#;
    let cases = [
        String::from("answer := 1 if input.never"),
        String::from("answer := null"),
        String::from("answer := \"true\""),
        String::from("answer := true"),
        String::from("answer := 1"),
        String::from("answer := []"),
        String::from("answer := {}"),
        String::from("answer contains \"allow\""),
        String::from("answer := {\"decision\": \"ALLOW\"}"),
        whole("\"allow \"", rest),
        whole("\"Allow\"", rest),
        whole("\"permit\"", rest),
        whole("true", rest),
        whole("null", rest),
        whole("\"allow\"", r#""obligations": []"#),
        whole("\"allow\"", r#""obligations": [], "release": null, "more": 1"#),
        whole("\"allow\"", r#""obligations": ["redact"], "release": null"#),
        whole("\"allow\"", r#""obligations": null, "release": null"#),
        whole(
            "\"allow\"",
            r#""obligations": [], "release": {"groups": [], "people": 1, "expires_seconds": 1}"#,
        ),
        whole(
            "\"hold\"",
            r#""obligations": [], "release": {"groups": [], "people": 0, "expires_seconds": 1}"#,
        ),
        whole(
            "\"hold\"",
            r#""obligations": [], "release": {"groups": [], "people": 1.5, "expires_seconds": 1}"#,
        ),
        whole(
            "\"hold\"",
            r#""obligations": [], "release": {"groups": [], "people": 1, "expires_seconds": -1}"#,
        ),
        whole(
            "\"hold\"",
            r#""obligations": [], "release": {"groups": [1], "people": 1, "expires_seconds": 1}"#,
        ),
        whole("\"hold\"", r#""obligations": [], "release": {"groups": [], "people": 1}"#),
        format!("answer := {{\"verdict\": \"allow\", \"reasons\": [], {rest}}}"),
        format!("answer := {{\"verdict\": \"allow\", \"reasons\": [\"a\"], {rest}}}"),
        format!(
            "answer := {{\"verdict\": \"allow\", \"reasons\": [{{\"rule\": lower(\"Z\"), \"text\": \"a\"}}], {rest}}}"
        ),
        format!(
            "answer := {{\"verdict\": \"allow\", \"reasons\": [{{\"rule\": \"a\", \"text\": \"\"}}], {rest}}}"
        ),
        format!(
            "answer := {{\"verdict\": \"allow\", \"reasons\": [{{\"rule\": \"a\", \"text\": 1}}], {rest}}}"
        ),
    ];
    for answer in cases {
        let found = answering(&answer).admit(&calls().1, &facts()).await;
        let seen = (found.verdict, found.fault);
        assert_eq!(seen, (Verdict::Deny, Some(PolicyInvalidResult)), "{answer}");
    }
    let fine = answering(&whole("\"allow\"", rest)).admit(&calls().1, &facts()).await;
    assert_eq!((fine.verdict, fine.fault), (Verdict::Allow, None));
    let two = "answer := 1 if input.method\n\nanswer := 2 if input.method";
    let found = answering(two).admit(&calls().1, &facts()).await;
    assert_eq!((found.verdict, found.fault), (Verdict::Deny, Some(PolicyError)));
}

#[tokio::test]
async fn disclose_and_approve_cannot_hold() {
    let hold = "answer := {\"verdict\": \"hold\", \"reasons\": [{\"rule\": \"filler\", \"text\": \"a\"}], \
                \"obligations\": [], \"release\": null}";
    let mut files = bundle(&[]);
    let entry = files.iter_mut().find(|file| file.name == "lib/disclose.rego").unwrap();
    entry.text = format!("package portcullis.disclose\n\nimport rego.v1\n\n{hold}\n");
    let ruleset = patient(&files);
    let answer = nothing(AnswerKind::Result, None, 1);
    let found = ruleset.disclose(&calls().1, &answer, &facts()).await;
    assert_eq!(found.fault, Some(PolicyInvalidResult));
}

#[tokio::test]
async fn a_list_with_an_invented_tool_shows_nothing() {
    for answer in [
        r#"{"tools": ["x", "invented"], "reasons": [{"rule": "tools_shown", "text": "a"}]}"#,
        r#"{"tools": "x", "reasons": [{"rule": "tools_shown", "text": "a"}]}"#,
        r#"{"tools": ["x"], "reasons": []}"#,
        r#"{"tools": ["x"]}"#,
        r#"["x"]"#,
    ] {
        let mut files = bundle(&[]);
        let entry = files.iter_mut().find(|file| file.name == "lib/visible.rego").unwrap();
        // The other rule only declares the name, as the library's own text does.
        entry.text = format!(
            "package portcullis.visible\n\nimport rego.v1\n\nanswer := {answer}\n\n\
                              other := {{\"rule\": \"tools_shown\"}}\n"
        )
        .replace(
            "\n\nother := {\"rule\": \"tools_shown\"}\n",
            if answer.contains("tools_shown") {
                "\n"
            } else {
                "\n\nother := {\"rule\": \"tools_shown\"}\n"
            },
        );
        let ruleset = patient(&files);
        let offered = [ToolFacts {
            name: String::from("x"),
            effect: Effect::Read,
            pinned: true,
            labels: Arc::default(),
        }];
        let seen =
            ruleset.visible(&principal(&["r"]), &ClientHint::default(), &offered, &facts()).await;
        assert!(seen.tools.is_empty(), "{answer}");
        assert_eq!(seen.finding.fault, Some(PolicyInvalidResult), "{answer}");
        assert_eq!(seen.finding.verdict, Verdict::Deny);
    }
}

#[tokio::test]
async fn a_call_over_the_bound_denies_without_evaluation() {
    let ruleset = load(&Source::Shipped);
    let payload = |size: usize| format!("{{\"body\":\"{}\"}}", "x".repeat(size - 11));
    for (size, fault) in [(MAX_CALL_BYTES, None), (MAX_CALL_BYTES + 1, Some(PolicyInputTooLarge))] {
        let call = tool_call(&["article-editor"], "update_article", Effect::Write, &payload(size));
        assert_eq!(call.payload.as_str().len(), size);
        assert_eq!(ruleset.admit(&call, &facts()).await.fault, fault, "{size}");
    }
}

#[tokio::test]
async fn a_call_that_overruns_its_slot_denies_at_the_deadline() {
    // A builtin that compares each with each: the engine's timer does not see inside it.
    let body = format!(
        "{ALLOW}deny contains {{\"rule\": \"a\", \"text\": \"a\"}} if {{\n\
        \tinput.arguments.bad\n\
        \tstrings.any_prefix_match(input.arguments.list, input.arguments.other)\n}}"
    );
    let patient = unchecked(&body);
    let apart = apart::Apart::new(apart::DEADLINE);
    let ruleset = Ruleset { apart, ..patient };
    assert!(ruleset.interpreted_because().is_some());
    let list = |word: &'static str| vec![word; 15_000];
    let text = serde_json::json!({"bad": true, "list": list("xxx"), "other": list("yyy")});
    let slow = tool_call(&["r"], "x", Effect::Read, &text.to_string());
    let started = std::time::Instant::now();
    let found = ruleset.admit(&slow, &facts()).await;
    assert_eq!(found.fault, Some(PolicyTimeout));
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}
