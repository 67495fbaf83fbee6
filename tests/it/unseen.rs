//! Rules that redact what no plugin looks for: refused where it can be seen before, denied where not.

use portcullis::control::{PolicyQuestion, Question};
use serde_json::Value;

use crate::live::reading;
use crate::stand::{Setup, Stand};

/// A rule of one's own beside the shipped ones; its kinds are what `kinds` evaluates to.
fn files(kinds: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/default");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        files.push((format!("rules/{name}"), std::fs::read_to_string(entry.path()).unwrap()));
    }
    files.push(("rules/own.rego".to_owned(), rule(kinds)));
    files
}

fn rule(kinds: &str) -> String {
    format!(
        "package portcullis.rules.disclose\n\nimport rego.v1\n\n# METADATA\n# title: Own numbers\n\
         oblige contains {{\"rule\": \"own\", \"text\": \"own numbers are masked\", \"redact\": {{\n\
         \t\"kinds\": {kinds},\n\t\"how\": \"mask\",\n}}}} if {{\n\tinput.answer.kind == \"result\"\n}}\n"
    )
}

/// What is said of a kind that nobody looks for.
fn is_told(text: &str, kind: &str, place: &str) {
    for part in [&format!("redacts `{kind}`"), place, &format!("without: [{kind}]")] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_nobody_looks_for_is_refused_everywhere() {
    // Without the plugins that come along, and with no line that accepts it, nothing starts.
    let mut stand = Stand::start(Setup::default()).await;
    stand.kill();
    stand.edit_config("plugins: { shipped: false, without: ['*'] }", "plugins: { shipped: false }");
    for command in [&["config", "check"][..], &["policy", "check"], &["serve"]] {
        let output = stand.run(command);
        let text = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
        is_told(&text, "email", "privacy.rego:");
        is_told(&text, "card", "privacy.rego:");
    }
    stand.edit_config("plugins: { shipped: false }", "plugins: { shipped: false, without: ['*'] }");
    assert!(stand.output(&["config", "check"]).starts_with("ok: "));
    stand.output(&["policy", "check", "--strict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reload_takes_a_kind_that_nobody_looks_for() {
    let kinds = "[\"own_number\"]";
    let more = "policies: ./rules\nplugins: { shipped: false, without: ['*'] }\n".to_owned();
    let stand = Stand::start(Setup { more, files: files(kinds), ..Setup::default() }).await;
    let reload = async |what: Question| stand.ask(&what).await.map_err(|error| error.to_string());
    // Plugins: the acceptance is taken back while rules need it. The set in force stays.
    let before = stand.records().len();
    let accepted = "plugins: { shipped: false, without: ['*'] }";
    let all_but_ours: Vec<&str> = portcullis::plugin::SHIPPED
        .iter()
        .flat_map(|it| it.kinds.iter().copied())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let but_ours = format!("plugins: {{ shipped: false, without: [{}] }}", all_but_ours.join(", "));
    stand.edit_config(accepted, &but_ours);
    is_told(&reload(Question::ReloadPlugins).await.unwrap_err(), "own_number", "own.rego:8:");
    let refused = stand.records().split_off(before);
    assert!(refused.iter().any(|it| it["type"] == "plugins" && !it["refused"].is_null()));
    let client = stand.client().connected().await;
    let read = client.request("tools/call", reading(0)).await;
    assert!(!read.is_tool_error(), "{read:?}");
    // Without the rule the smaller acceptance is enough, and is in force.
    let own = stand.folder.path().join("rules/own.rego");
    std::fs::remove_file(&own).unwrap();
    reload(Question::Policy { what: PolicyQuestion::Reload }).await.unwrap();
    reload(Question::ReloadPlugins).await.unwrap();
    // Policies: the rule comes back, and is not taken.
    std::fs::write(&own, rule(kinds)).unwrap();
    let what = Question::Policy { what: PolicyQuestion::Reload };
    is_told(&reload(what).await.unwrap_err(), "own_number", "own.rego:8:");
    assert!(!client.request("tools/call", reading(1)).await.is_tool_error());
    // Kinds that are computed are not seen beforehand: the answer is denied.
    std::fs::write(&own, rule("[sprintf(\"%s_number\", [input.tool.effect])]")).unwrap();
    reload(Question::Policy { what: PolicyQuestion::Reload }).await.unwrap();
    let read = client.request("tools/call", reading(2)).await;
    assert!(read.is_tool_error(), "{read:?}");
    let records = stand.records();
    let disclosed = records.iter().rev().find(|it| !it["outcome"]["disclose"].is_null());
    let rules = &disclosed.unwrap()["outcome"]["disclose"]["reasons"];
    let is_ours = |it: &Value| it["rule"] == "portcullis.redact_unseen";
    assert!(rules.as_array().unwrap().iter().any(is_ours), "{rules}");
    assert!(stand.calls().len() >= 3, "it is the answers that were judged");
}
