//! The commands about policies that need no running Portcullis, by the real binary.

use std::process::Command;

use serde_json::{Value, json};

use crate::stand::{binary, ran};

/// Exit status and standard output of `portcullis policy ...` with this on its standard input.
fn policy(args: &[&str], input: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    ran(folder.path(), &[&["policy"], args].concat(), input)
}

fn json_of(args: &[&str], input: &str) -> Value {
    let (_, out, error) = policy(args, input);
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{args:?}: {out}{error}"))
}

#[test]
fn a_query_is_answered_as_opa_does() {
    let result = json_of(&["eval", "-f", "json", "-i", "-", "x := input.a + 1"], "{\"a\": 1}");
    assert_eq!(result["result"][0]["bindings"]["x"], 2);
    assert_eq!(result["result"][0]["expressions"][0]["text"], "x := input.a + 1");
    for (format, query, input, printed, status) in [
        ("raw", "upper(input.a)", "a: ab", "AB\n", 0),
        ("raw", "[input.a]", "a: 1", "[1]\n", 0),
        ("pretty", "{\"k\": input.a}", "a: true", "{\n  \"k\": true\n}\n", 0),
        ("pretty", "input.never", "{}", "undefined\n", 1),
        ("json", "input.never", "{}", "{}\n", 1),
        ("raw", "data.portcullis.admit.answer.verdict", "{}", "deny\n", 0),
    ] {
        let (code, out, error) = policy(&["eval", "-f", format, "-i", "-", query], input);
        assert_eq!((out.as_str(), code), (printed, status), "{query}: {error}");
    }
    for (args, input, said, status) in [
        (&["eval", "foo.bar(1)"][..], "", "could not find function", 1),
        (&["eval", "1 +"], "", "the query", 1),
        (&["eval", "-i", "-", "1"], "{\"a\": 1, \"a\": 2}", "the same key twice", 1),
        (&["eval", "-i", "-", "1"], "a: [", "1:", 1),
        (&["eval", "-b", "none", "1"], "", "cannot be read", 1),
        (&["eval"], "", "required", 2),
        (&["eval", "-q", "admit"], "", "a question needs a call", 1),
    ] {
        let (code, _, error) = policy(args, input);
        assert!(code == status && error.contains(said), "{args:?}: {code} {error}");
    }
}

#[test]
fn a_question_is_asked_as_somebody() {
    let held = "tool: update_article\narguments: {id: \"1\", title: new}\n";
    let ask = |question: &str, more: &[&str], input: &str| {
        let args = [&["eval", "-f", "json", "-i", "-", "-q", question][..], more].concat();
        json_of(&args, input)
    };
    let found = ask("admit", &["--as", "bot", "--roles", "article-editor,x"], held);
    assert_eq!(found["verdict"], "hold");
    assert_eq!(found["reasons"][0]["rule"], "admit.write_waits");
    assert!(found["reasons"][0]["at"].as_str().unwrap().starts_with("admit.rego:"));
    assert_eq!(found["release"]["groups"], json!(["kb-editors"]));
    let found = ask("admit", &["--roles", "support-reader"], held);
    assert_eq!(found["verdict"], "deny");
    let found = ask("visible", &["--roles", "article-editor"], "tools: [search, update_article]");
    assert_eq!(found["tools"], json!(["update_article"]));
    let answer = "tool: search\nanswer: {kind: result, bytes: 5}\n";
    assert_eq!(ask("disclose", &["--roles", "support-reader"], answer)["verdict"], "allow");
    assert_eq!(ask("disclose", &[], answer)["verdict"], "deny");
    let approve = format!(
        "{held}principal: {{on_behalf_of: ann}}\napprover: {{id: bob, groups: [kb-editors]}}\n\
         hold: {{release: {{groups: [kb-editors], people: 1, expires_seconds: 60}}}}\n"
    );
    assert_eq!(ask("approve", &[], &approve)["verdict"], "allow");
    assert_eq!(ask("approve", &[], &approve.replace("bob", "ann"))["verdict"], "deny");
    for (input, said) in [
        ("tol: x", "unknown field `tol`"),
        ("arguments: {}", "which call?"),
        ("tool: x\nmethod: ping", "not both"),
        ("tool: x\nprincipal: {id: \"a b\"}", "principal.id"),
    ] {
        let (code, _, error) = policy(&["eval", "-i", "-", "-q", "admit"], input);
        assert!(code == 1 && error.contains(said), "{input}: {error}");
    }
}

/// What the road would refuse before rules are asked is no `allow` here.
#[test]
fn a_question_is_about_the_call_as_the_road_has_it() {
    let ask = |input: &str| {
        let args = ["eval", "-f", "json", "-i", "-", "-q", "admit", "--roles", "support-reader"];
        policy(&args, input)
    };
    let (code, _, error) = ask("tool: search\narguments: {query: \"refund OR x\"}\n");
    assert!(code == 1 && error.contains("Portcullis itself refuses this call"), "{code} {error}");
    for id in ["215470000000101", "conversation_215470000000101"] {
        let (code, out, error) =
            ask(&format!("tool: get_conversation\narguments: {{id: \"{id}\"}}\n"));
        assert!(code == 0 && out.contains("allow") && error.is_empty(), "{id}: {out} {error}");
    }
}

#[test]
fn rules_and_data_are_added_for_a_query() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("more.json");
    std::fs::write(&data, "{\"limits\": {\"a\": 5}}").unwrap();
    let data = data.to_str().unwrap();
    let (code, out, error) = policy(&["eval", "-d", data, "-f", "raw", "data.limits.a"], "");
    assert_eq!((out.as_str(), code), ("5\n", 0), "{error}");
}

#[test]
fn a_batch_answers_line_by_line() {
    let query = "data.portcullis.admit.answer";
    let lines = [
        json!({"query": query, "input": {}}),
        json!({"query": "1 + input.a", "input": {"a": 1}}),
        json!({"query": "input.a", "input": {}}),
        json!({"bundle": "/none", "query": query, "input": {}}),
    ];
    let input = lines.map(|line| line.to_string()).join("\n");
    let (code, out, error) = policy(&["eval", "--batch"], &input);
    assert_eq!(code, 0, "{error}");
    let replies: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(replies[0]["result"]["verdict"], "deny");
    assert_eq!(replies[0]["decided_by"], "bytecode");
    assert_eq!(replies[1]["result"], 2);
    assert_eq!(replies[2]["undefined"], true);
    assert!(replies[3]["refused"][0].as_str().unwrap().contains("cannot be read"));
}

#[test]
fn schemas_and_capabilities_are_printed() {
    let schema = json_of(&["schema", "--question", "admit"], "");
    assert_eq!(schema["properties"]["tool"]["properties"]["name"]["type"], "string");
    assert_eq!(schema["properties"]["answer"], Value::Null);
    let all = json_of(&["schema"], "");
    assert_eq!(all["properties"]["answer"]["properties"]["bytes"]["type"], "number");
    assert_eq!(json_of(&["schema", "data"], "")["title"], "data");
    let capabilities = json_of(&["capabilities"], "");
    let names = capabilities["builtins"].as_array().unwrap();
    assert!(names.iter().any(|builtin| builtin["name"] == "sprintf"));
    assert!(!names.iter().any(|builtin| builtin["name"] == "http.send"));
}

#[test]
fn a_question_is_measured() {
    let args = ["bench", "-i", "-", "--count", "50", "-f", "json", "--roles", "support-reader"];
    let times = json_of(&args, "tool: search");
    let nanoseconds: u64 = times["evaluated"]["p50"].as_str().unwrap().parse().unwrap();
    assert!(nanoseconds > 0 && times["decided_by"] == "bytecode", "{times}");
}

#[test]
fn output_that_cannot_be_written_is_told_and_a_reader_that_left_is_not() {
    let matrix = || {
        let mut command = Command::new(binary());
        command.args(["policy", "matrix", "--config", "/nonexistent"]);
        command.stderr(std::process::Stdio::piped());
        command
    };
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = matrix().stdout(full).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: standard output cannot be written: "), "{told}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = matrix().stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
