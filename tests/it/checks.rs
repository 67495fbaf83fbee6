//! `policy check`, `policy test` and `policy coverage` as a CI system runs them: exit status, and each
//! machine format read back.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::stand::binary;

/// The shipped bundle with files more.
fn bundle(more: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/default");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    for (name, text) in more {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Exit status and standard output.
fn policy(verb: &str, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binary())
        .args(["policy", verb])
        .arg(folder)
        .args(more)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

const FORBIDDEN: &str = "package portcullis.rules.admit\n\nimport rego.v1\n\n# METADATA\n# title: T\n\
    deny contains {\"rule\": \"x\", \"text\": \"x\"} if {\n\thttp.send({}).status == 200\n}\n";
const WARNED: &str = "package portcullis.rules.admit\n\nimport rego.v1\n\n# METADATA\n# title: T\n\
    deny contains {\"rule\": \"x\", \"text\": \"x\"} if {\n\tinput.tool.name == \"get_artcle\"\n}\n";
const CASES: &str = "- name: a reader reads\n  as: {roles: [support-reader]}\n  tool: get_article\n\
    \x20 expect: {verdict: allow, rule: read_by_role}\n\
    - name: nobody writes\n  as: {roles: [support-reader]}\n  tool: update_article\n\
    \x20 expect: {verdict: hold}\n";

#[test]
fn a_finding_is_read_back_from_every_format() {
    let folder = bundle(&[("x.rego", FORBIDDEN)]);
    let check = |format: &str| {
        let (code, text) = policy("check", folder.path(), &["--format", format]);
        assert_eq!(code, Some(1), "{format}: {text}");
        text
    };
    let pretty = check("pretty");
    for part in ["PC012", "x.rego:8:2", "http.send({}).status == 200", "\u{2500}\u{2500}", "help: "]
    {
        assert!(pretty.contains(part), "{part}: {pretty}");
    }
    let found: Value = serde_json::from_str(&check("json")).unwrap();
    let items = found["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["code"] == "PC012").unwrap();
    assert_eq!((&item["severity"], &item["at"]["line"]), (&"error".into(), &8.into()), "{item}");
    let sarif: Value = serde_json::from_str(&check("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"PC012".into(), &"error".into()),
        "{result}"
    );
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 8);
    let github = check("github");
    assert!(github.starts_with("::error title=PC012,file="), "{github}");
    assert!(github.contains("x.rego,line=8,col=2::"), "{github}");
    let junit = check("junit");
    assert!(junit.contains("<failure message=") && junit.contains("type=\"PC012\""), "{junit}");
    let tap = check("tap");
    assert!(tap.starts_with("TAP version 14\n1.."), "{tap}");
    assert_eq!(tap.lines().filter(|line| line.starts_with("not ok ")).count(), 1, "{tap}");
}

#[test]
fn warnings_fail_where_they_are_to() {
    let folder = bundle(&[("x.rego", WARNED)]);
    let (code, text) = policy("check", folder.path(), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("PC019") && text.contains("do you mean `get_article`?"), "{text}");
    assert_eq!(policy("check", folder.path(), &["--strict"]).0, Some(1));
    assert_eq!(policy("check", bundle(&[]).path(), &["--strict"]).0, Some(0));
    assert_eq!(policy("check", folder.path(), &["--format", "paper"]).0, Some(2));
}

#[test]
fn tests_and_cases_are_run_named_and_counted() {
    let folder = bundle(&[("calls.cases.yaml", CASES)]);
    let (code, text) = policy("test", folder.path(), &["-r", "cases", "-v"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("PASS calls.cases.yaml: a reader reads"), "{text}");
    assert!(text.contains("FAIL calls.cases.yaml: nobody writes"), "{text}");
    assert!(text.contains("the verdict is deny by admit.tool_outside_roles"), "{text}");
    assert!(text.contains("policy test: 1 passed, 1 failed"), "{text}");
    let (code, text) = policy("test", folder.path(), &["-r", "no such test"]);
    assert_eq!((code, text.contains("no test was run")), (Some(0), true), "{text}");
    let whole = bundle(&[]);
    let (code, text) = policy("test", whole.path(), &["--threshold", "90"]);
    assert_eq!(code, Some(0), "{text}");
    let few = ["-r", "roles_add_up", "--threshold", "90", "--format", "json"];
    let (code, text) = policy("test", whole.path(), &few);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(1), "{text}");
    assert!(report["coverage"]["percent"].as_f64().unwrap() < 90.0, "{text}");
    // A bundle whose cases fail is not loaded either.
    assert_eq!(policy("check", folder.path(), &[]).0, Some(1));
    let (code, text) = policy("coverage", whole.path(), &[]);
    assert!(code == Some(0) && text.contains("Evaluated does not mean satisfied"), "{text}");
    // Nor does what a failed test evaluated count as tested.
    let (code, text) = policy("coverage", folder.path(), &[]);
    let told = "FAIL calls.cases.yaml: nobody writes; `portcullis policy test` says why";
    assert!(code == Some(1) && text.contains(told) && !text.contains("a reader reads"), "{text}");
    for (folder, code, failed) in [
        (&folder, Some(1), json!(["calls.cases.yaml: nobody writes"])),
        (&whole, Some(0), json!([])),
    ] {
        let (found, text) = policy("coverage", folder.path(), &["--format", "json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((found, &report["failed"]), (code, &failed), "{text}");
    }
}
