//! Bytecode and interpreter give the same answers, and no answer belongs to another question.

use proptest::prelude::*;
use regorus::Value;

use super::*;
use crate::policy::engine::{Budget, Prepared};
use crate::policy::input::Document;

fn words(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(list).prop_map(str::to_owned), 1 => "[a-z]{0,5}"]
}

fn payloads() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
        ]
    });
    proptest::collection::btree_map(words(&["id", "state", "body", "list", "risk"]), value, 0..4)
        .prop_map(|map| serde_json::to_string(&map).unwrap())
}

const ROLES: &[&str] =
    &["support-reader", "note-writer", "article-editor", "knowledge-author", "conformance"];
const TOOLS: &[&str] = &["search", "get_article", "update_article", "create_article", "x"];
const METHODS: &[&str] = &["tools/list", "ping", "initialize", "resources/read", "prompts/get"];

prop_compose! {
    fn any_call()(
        roles in proptest::collection::vec(words(ROLES), 0..3),
        tool in proptest::option::weighted(0.7, words(TOOLS)),
        method in words(METHODS),
        write in any::<bool>(),
        pinned in any::<bool>(),
        payload in payloads(),
    ) -> Call {
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let effect = if write { Effect::Write } else { Effect::Read };
        let definition = pinned.then(|| Digest::of("test", &[]));
        match tool {
            Some(name) => {
                call(&roles, "tools/call", Subject::Tool { name, effect, definition }, &payload)
            }
            None => call(&roles, &method, Subject::Method, &payload),
        }
    }
}

fn any_answer() -> impl Strategy<Value = AnswerFacts> {
    let method = proptest::option::of(words(&["roots/list", "sampling/createMessage"]));
    (proptest::sample::select(&AnswerKind::ALL[..]), method, any::<u32>())
        .prop_map(|(kind, method, bytes)| nothing(kind, method, bytes.into()))
}

/// Rules with loops, `every`, comprehensions, functions and nested data, to try more than the
/// shipped bundles use.
const RICH: &str = r#"
deny contains {"rule": "every_ok", "text": "every element is small"} if {
	every one in input.arguments.list { one < 10 }
}

deny contains {"rule": "lists_differ", "text": "the state is no text"} if {
	lower(input.arguments.state) != input.arguments.state
}

deny contains {"rule": "every_of_object", "text": "no value is null"} if {
	every key, value in input.arguments { value != null; key != "risk" }
}

allow contains {"rule": "by_name", "text": sprintf("%s of %d", [name, count(names)])} if {
	some name in names
	startswith(name, "s")
}

names := {role | some role in input.principal.roles; count(role) > 2}

hold contains {"rule": "risky", "text": text, "release": {"groups": [g | some g in names], "people": 2, "expires_seconds": 60}} if {
	risk := object.get(input.arguments, "risk", 0)
	is_number(risk)
	text := describe(risk)
}

describe(risk) := "high" if {
	risk > 5
} else := "low" if {
	risk > 0
} else := "none"
"#;

fn prepared(files: &[File]) -> Prepared {
    let loaded = load::load(files).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.prepared.obstacle, None, "bytecode does not decide here");
    loaded.prepared
}

/// Bytecode on what the rules want, and the interpreter on everything, give the same value, or both
/// the same failure.
fn agree(
    prepared: &Prepared,
    question: Question,
    document: impl Fn(&Want) -> Document,
) -> Result<(), TestCaseError> {
    let want = prepared.wants.of_question(question);
    let fast = prepared.ask(question, document(want).value, Budget::TRIAL);
    let slow = prepared.interpret(question, document(&Want::Whole).value, Budget::TRIAL);
    prop_assert_eq!(fast, slow);
    Ok(())
}

#[test]
fn bytecode_and_interpreter_agree() {
    let bundles = [
        bundle::files(&Source::Shipped).unwrap(),
        bundle::files(&folder("conformance")).unwrap(),
        bundle(&[("rich.rego", &admit(RICH))]),
    ];
    for files in bundles {
        let prepared = prepared(&files);
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(300)
        });
        runner
            .run(&(any_call(), any_answer()), |(call, answer)| {
                agree(&prepared, Question::Admit, |want| {
                    input::admit(&call, &facts(), want).unwrap()
                })?;
                agree(&prepared, Question::Disclose, |want| {
                    input::disclose(&call, &answer, &facts(), want).unwrap()
                })?;
                let tools = TOOLS.iter().map(|name| ToolFacts {
                    name: (*name).to_owned(),
                    effect: call.subject.effect(),
                    pinned: !name.starts_with('c'),
                    labels: Arc::from(["instructions".to_owned()].as_slice()),
                });
                let tools: Vec<_> = tools.collect();
                agree(&prepared, Question::Visible, |want| {
                    input::visible(&call.principal, &call.client, &tools, &facts(), want)
                })
            })
            .unwrap();
    }
}

/// Once, the engine's bytecode passed `every` whose condition was false.
#[test]
fn every_that_fails_does_not_pass() {
    let body = "allow contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.principal.id\n\
                \tevery one in input.arguments.list { one < 10 }\n}";
    let prepared = prepared(&bundle(&[("a.rego", &admit(body))]));
    for (list, verdict) in [
        ("[]", "allow"),
        ("[1,2]", "allow"),
        ("[1,20]", "deny"),
        ("[20,1]", "deny"),
        ("[20]", "deny"),
        ("[[]]", "deny"),
    ] {
        let payload = format!("{{\"list\":{list}}}");
        let call = tool_call(&["r"], "x", Effect::Read, &payload);
        let document = |want: &Want| input::admit(&call, &facts(), want).unwrap();
        agree(&prepared, Question::Admit, document).unwrap();
        let input = document(&Want::Whole).value;
        let answer = prepared.ask(Question::Admit, input, Budget::DEFAULT);
        assert_eq!(answer.unwrap()["verdict"], Value::from(verdict), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_never_belong_to_another_call() {
    let ruleset = Arc::new(load(&Source::Shipped));
    let tasks = (0..4).map(|_| {
        let ruleset = Arc::clone(&ruleset);
        tokio::spawn(async move {
            let allowed = tool_call(&["support-reader"], "search", Effect::Read, "{}");
            let denied = tool_call(&[], "search", Effect::Read, "{}");
            let oversized = " ".repeat(MAX_CALL_BYTES + 1);
            let failing = tool_call(&["support-reader"], "search", Effect::Read, &oversized);
            for _ in 0..300 {
                let facts = facts();
                assert_eq!(ruleset.admit(&allowed, &facts).await.verdict, Verdict::Allow);
                assert!(ruleset.admit(&failing, &facts).await.fault.is_some());
                let found = ruleset.admit(&denied, &facts).await;
                assert_eq!((found.verdict, found.fault), (Verdict::Deny, None));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// On bytecode each of these would be a `deny` that is lost in silence.
#[tokio::test]
async fn what_can_fail_unseen_is_left_to_the_interpreter() {
    for (condition, more, fails) in [
        ("input.arguments.list + 1 == 2", "", true),
        ("input.arguments.list % 2 == 1", "", true),
        ("input.arguments.list - {1} == {2}", "", true),
        ("two == 1", "two := 1 if input.method\n\ntwo := 2 if input.tool", true),
        ("two(1) == 1", "two(x) := 1 if input.method\n\ntwo(x) := 2 if input.tool", true),
        ("any == 1", "any := one if some one in input.arguments.list", true),
        ("{k: v | some v in input.arguments.list; k := \"same\"}.same == 1", "", true),
        ("base64.encode(input.arguments.list) == \"a\"", "", true),
        ("helpers.one == 2", "import data.helpers", false),
        ("some k, v in input.arguments\n\tk == v", "", false),
        ("\"a\", 1 in {\"a\": 2}", "", false),
        ("{\n\tone := input.arguments.missing\n\tnot one == 1\n}", "", false),
        ("{\n\tunused := input.arguments.missing\n\tinput.method\n}", "", false),
        ("ignores(input.arguments.missing)", "ignores(_) := true", false),
    ] {
        let rule = "deny contains {\"rule\": \"a\", \"text\": \"a\"} if ";
        let allow = "allow contains {\"rule\": \"b\", \"text\": \"b\"} if input.principal.id";
        let (import, more) = if more.starts_with("import") { (more, "") } else { ("", more) };
        let several = condition.contains('\n') && !condition.starts_with('{');
        let body = if several { format!("{{\n\t{condition}\n}}") } else { condition.to_owned() };
        let rules = admit(&format!("{import}\n\n{allow}\n\n{rule}{body}\n\n{more}"));
        let helpers = "package helpers\n\none := 1\n";
        let files = bundle(&[("a.rego", &rules), ("helpers.rego", helpers)]);
        let ruleset = Ruleset::new(&files, load::load_unchecked(&files).unwrap());
        assert!(ruleset.interpreted_because().is_some(), "{condition}");
        let call = tool_call(&["r"], "x", Effect::Read, r#"{"list":[1,2]}"#);
        let found = ruleset.admit(&call, &facts()).await;
        assert_eq!(found.fault.is_some(), fails, "{condition}: {found:?}");
        assert_eq!(found.verdict == Verdict::Deny, fails, "{condition}: {found:?}");
    }
}
