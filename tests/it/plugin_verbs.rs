//! The commands about plugins that need no running Portcullis and no compiler for WebAssembly, by the
//! real binary and a plugin that is shipped.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stand::ran;

/// Exit status, standard output and standard error of `portcullis plugin ...` in a folder.
fn plugin(folder: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    ran(folder, &[&["plugin"], args].concat(), input)
}

/// A folder with a shipped plugin in it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/dist/secrets.wasm");
    std::fs::copy(shipped, folder.path().join("secrets.wasm")).unwrap();
    folder
}

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

/// What cannot be loaded is told with its sort, and so that a script can tell it from a wrong command.
#[test]
fn what_is_no_plugin_is_told() {
    let folder = folder();
    write(&folder, "words.wasm", "hello");
    write(&folder, "module.wasm", b"\0asm\x01\0\0\0");
    write(&folder, "empty.wasm", b"\0asm\x0d\0\x01\0");
    write(&folder, "broken.wasm", b"\0asm\x0d\0\x01\0\xff\xff");
    let cut = std::fs::read(folder.path().join("secrets.wasm")).unwrap();
    write(&folder, "cut.wasm", &cut[..cut.len() / 2]);
    for (file, status, code) in [
        ("secrets.wasm", 0, Value::Null),
        ("words.wasm", 1, json!("plugin/format")),
        ("module.wasm", 1, json!("plugin/format")),
        ("empty.wasm", 1, json!("plugin/export")),
        ("broken.wasm", 1, json!("plugin/compile")),
        ("cut.wasm", 1, json!("plugin/compile")),
    ] {
        let (ended, out, error) = plugin(folder.path(), &["check", "--format", "json", file], "");
        let report: Value =
            serde_json::from_str(&out).unwrap_or_else(|_| panic!("{file}: {error}"));
        assert_eq!((ended, &report["items"][0]["code"]), (status, &code), "{file}: {report}");
    }
    let (ended, _, error) = plugin(folder.path(), &["check", "none.wasm"], "");
    assert!(ended == 1 && error.contains("cannot read `none.wasm`"), "{error}");
    assert_eq!(plugin(folder.path(), &["check"], "").0, 2);
}

#[test]
fn a_component_says_what_it_is() {
    let folder = folder();
    let args = ["inspect", "--format", "json", "secrets.wasm"];
    let (_, out, error) = plugin(folder.path(), &args, "");
    let said: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{error}"));
    assert_eq!(said["name"], "secrets");
    let imports = said["imports"].as_array().unwrap();
    assert!(imports.iter().all(|it| it.as_str().unwrap().starts_with("portcullis:plugin/")));
    let digest =
        Command::new("sha256sum").arg(folder.path().join("secrets.wasm")).output().unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap();
    assert!(said["digest"].as_str().unwrap().contains(&digest[..64]));
}

const CASES: &str = r#"
- name: good
  leaves: [{path: /a, text: "ä AKIAIOSFODNN7EXAMPLQ and"}]
  expect: {findings: [{leaf: 0, text: AKIAIOSFODNN7EXAMPLQ, kind: secret, start: 3}]}
- name: missed
  leaves: [{path: /a, text: nothing here}]
  expect: {findings: [{leaf: 0, text: nothing, kind: secret}]}
- name: surplus
  leaves: [{path: /a, text: AKIAIOSFODNN7EXAMPLQ}]
  expect: {findings: []}
- name: otherwise
  leaves: [{path: /a, text: AKIAIOSFODNN7EXAMPLQ}]
  expect: {findings: [{leaf: 0, text: AKIAIOSFODNN7EXAMPLQ, kind: secret, reason: never}]}
- name: settings
  config: {least: 101}
  leaves: []
  expect: {findings: []}
- name: refused settings
  config: {least: 101}
  leaves: []
  expect: {failure: true}
"#;

#[test]
fn golden_cases_are_compared_whole() {
    let folder = folder();
    write(&folder, "cases.yaml", CASES);
    let args = ["test", "secrets.wasm", "--format", "json"];
    let (ended, out, error) = plugin(folder.path(), &args, "");
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{error}"));
    assert_eq!(ended, 1, "{report}");
    for (number, (name, text)) in [
        ("good", ""),
        ("missed", "`nothing` in leaf 0 is not found as secret"),
        ("surplus", "`AKIAIOSFODNN7EXAMPLQ` in leaf 0 is also found, as secret"),
        ("otherwise", "`AKIAIOSFODNN7EXAMPLQ` is found as secret at byte 0"),
        ("settings", "it failed: `config/least`"),
        ("refused settings", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let item = &report["items"][number];
        assert_eq!(item["name"], name);
        let said = item["text"].as_str().unwrap_or_default();
        assert!(said.starts_with(text) && said.is_empty() == text.is_empty(), "{name}: {said}");
    }
    let args = ["test", "secrets.wasm", "-r", "good", "--format", "tap"];
    let (ended, out, _) = plugin(folder.path(), &args, "");
    assert_eq!((ended, out.as_str()), (0, "TAP version 14\n1..1\nok 1 - good\n"));
    write(&folder, "cases.yaml", "- {name: x, leaves: [], expects: {}}");
    let (ended, out, _) = plugin(folder.path(), &["test", "secrets.wasm"], "");
    assert!(ended == 1 && out.contains("unknown field `expects`"), "{out}");
}

#[test]
fn a_document_is_looked_at_whatever_its_shape() {
    let folder = folder();
    let key = "AKIAIOSFODNN7EXAMPLQ";
    let answer =
        json!({"content": [{"type": "text", "text": json!({"a": {"b": key}}).to_string()}]});
    for (input, path) in [
        (key.to_owned(), "$"),
        (json!({"tool": "search", "arguments": {"query": key}}).to_string(), "/query"),
        (json!({"params": {"name": "search", "arguments": {"q": key}}}).to_string(), "/q"),
        (answer.to_string(), "/a/b"),
        (json!({"result": answer}).to_string(), "/a/b"),
        (json!({"some": ["thing", key]}).to_string(), "/some/1"),
    ] {
        let args = ["run", "secrets.wasm", "-i", "-", "--json"];
        let (_, out, error) = plugin(folder.path(), &args, &input);
        let seen: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{input}: {error}"));
        let finding = &seen["findings"][0];
        assert_eq!((&finding["path"], &finding["text"]), (&json!(path), &json!(key)), "{input}");
    }
    let (ended, out, _) = plugin(folder.path(), &["run", "secrets.wasm", "-i", "-"], key);
    assert!(ended == 0 && out.contains("^^^^^^^^^^^^^^^^^^^^ secret"), "{out}");
}

#[test]
fn a_new_plugin_has_the_name_it_was_given_everywhere() {
    let folder = folder();
    for language in ["rust", "python", "js", "c"] {
        let name = format!("my-{language}");
        let (ended, out, error) = plugin(folder.path(), &["new", "-l", language, &name], "");
        assert_eq!(ended, 0, "{error}");
        let commands: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(commands.len(), 3, "{out}");
        assert!(folder.path().join(commands[0]).is_file(), "{out}");
        let build = std::fs::read_to_string(folder.path().join(commands[0])).unwrap();
        assert!(build.contains(&format!("{name}.wasm")), "{build}");
        let (ended, _, error) = plugin(folder.path(), &["new", "-l", language, &name], "");
        assert!(ended == 1 && error.contains("is not empty"), "{error}");
        let mut grep = Command::new("grep");
        grep.args(["-rIl", "customer[-_]number", &name]).current_dir(folder.path());
        let left = grep.output().unwrap().stdout;
        assert_eq!(String::from_utf8(left).unwrap(), "", "{language}");
    }
    assert_eq!(plugin(folder.path(), &["new", "Bad_Name"], "").0, 2);
}
