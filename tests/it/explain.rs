//! `policy explain` about calls that were really made, and about calls in documents.

use serde_json::{Value, json};

use crate::road::ARTICLE;
use crate::stand::{AGENT, Setup, Stand};

/// A stand, one denied call of a legacy client, and its record's id.
async fn denied() -> (Stand, String) {
    let setup = Setup { roles: "article-editor", ..Setup::default() };
    let stand = Stand::start(setup).await;
    let client = stand.client().connected().await;
    let refused =
        client.call("create_article", json!({"title": "secret title", "author_id": 1})).await;
    assert!(refused.is_tool_error(), "{refused:?}");
    let id = refused.tool_text().rsplit("Record: ").next().unwrap().to_owned();
    (stand, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_explained_by_its_record_and_again_by_its_call() {
    let (stand, id) = denied().await;
    let told = stand.output(&["policy", "explain", &id]);
    for part in [
        "DENY  admit: create_article by agent",
        "admit.tool_outside_roles  admit.rego:",
        "no role of this principal uses the tool create_article",
        "the log keeps a keyed digest of the arguments and not the arguments",
        &format!("Record: {id}"),
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    assert!(!told.contains("secret title") && !told.contains("another revision"), "{told}");

    // The same arguments are known by their digest; others are not taken for them.
    let call = stand.folder.path().join("call.json");
    let explain = |document: &str| {
        std::fs::write(&call, document).unwrap();
        stand.output(&["policy", "explain", &id, "-i", call.to_str().unwrap()])
    };
    let again = explain(r#"{"arguments": {"author_id": 1, "title": "secret title"}}"#);
    for part in [
        "these are the recorded arguments",
        "`data.access.tools` would have to hold \"create_article\"",
        "speaks with one more role of: knowledge-author",
        "knowledge-author         hold   admit.write_waits",
    ] {
        assert!(again.contains(part), "{part:?} is not in\n{again}");
    }
    let other = explain(r#"{"arguments": {"author_id": 1, "title": "another title"}}"#);
    assert!(other.contains("these are not the recorded arguments"), "{other}");
    let wrong = stand.folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "tool: get_article\n").unwrap();
    let output = stand.run(&["policy", "explain", &id, "-i", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("the record is of a call of `create_article`"), "{error}");

    // Policies of another revision are warned of.
    stand
        .edit_config("data: data\n", &format!("data: data\npolicies: {}\n", shipped_with_a_role()));
    let told = stand.output(&["policy", "explain", &id]);
    assert!(told.contains("another revision now"), "{told}");
    let json =
        stand.output(&["policy", "explain", &id, "-i", call.to_str().unwrap(), "-f", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["recorded"]["decision"]["verdict"], "deny");
    assert_eq!(json["decision"]["verdict"], "hold");
    let notes = json["notes"].as_array().unwrap();
    assert!(notes.iter().any(|it| it == "the record says deny, policy now says hold"), "{notes:?}");
}

/// What was kept of a question is explained by the rules that answered it, whatever is in force by now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_question_is_explained_by_the_revision_that_decided() {
    let more = "replay: { keep: calls }\n".to_owned();
    let stand = Stand::start(Setup { roles: "article-editor", more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let arguments = json!({"title": "new", "author_id": 1});
    let refused = client.call("create_article", arguments).await;
    let id = refused.tool_text().rsplit("Record: ").next().unwrap().to_owned();
    crate::stand::until("the question is kept", async || {
        stand.output(&["policy", "explain", &id]).contains("asked as it was kept")
    })
    .await;
    stand
        .edit_config("data: data\n", &format!("data: data\npolicies: {}\n", shipped_with_a_role()));
    let told = stand.output(&["policy", "explain", &id, "-f", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["decision"]["verdict"], "deny", "{told}");
    assert_eq!(told["decision"]["ruleset"], told["recorded"]["decision"]["ruleset"]);
    assert!(told["recorded"]["notes"].to_string().contains("revision that decided"), "{told}");
}

/// The shipped bundle in a folder, in which an editor may also create.
fn shipped_with_a_role() -> String {
    let folder = tempfile::tempdir().unwrap().keep();
    for entry in
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/default")).unwrap()
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with("_test.rego") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.replace(
                "\"update_article\"\n\t\t\t]",
                "\"update_article\", \"create_article\"\n\t\t\t]",
            );
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    folder.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_and_answers_are_explained_from_the_log() {
    let more = "holds: { wait: 100ms, poll: 100ms }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let read = client.call("get_article", json!({"id": ARTICLE})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    let held = client.call("update_article", json!({"id": ARTICLE, "title": "x"})).await;
    let hold = crate::road::hold_id(held.tool_text());
    let told = stand.output(&["policy", "explain", &hold]);
    for part in ["HOLD  admit: update_article", "released by 1 of approvers of kb-editors", &hold] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    let records = stand.records();
    let is_read = |it: &&Value| it["call"]["subject"]["name"] == "get_article";
    let id = records.iter().find(is_read).unwrap()["call"]["id"].as_str().unwrap();
    let told = stand.output(&["policy", "explain", id]);
    assert!(told.contains("ALLOW  admit: get_article") && told.contains("answered: "), "{told}");

    for (id, why) in [
        ("nonsense", "is not the id of a call"),
        ("00000000-0000-7000-8000-000000000000", "has no decision on the call"),
        ("hold_00000000000000000000000000000000", "has no hold"),
    ] {
        let output = stand.run(&["policy", "explain", id]);
        assert_eq!(output.status.code(), Some(1), "{id}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(why), "{id}: {error}");
    }
}

/// A principal of the configuration brings its roles; ids are brought to one form, and arguments
/// that do not fit are refused as on the road.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_asked_about_as_the_road_would() {
    let setup = Setup { roles: "article-editor", ..Setup::default() };
    let stand = Stand::start(setup).await;
    let file = stand.folder.path().join("call.yaml");
    let explain = |document: &str, more: &[&str]| {
        std::fs::write(&file, document).unwrap();
        let path = file.to_str().unwrap();
        let arguments = [&["policy", "explain", "-i", path, "-f", "json"], more].concat();
        serde_json::from_str::<Value>(&stand.output(&arguments)).unwrap()
    };
    let read = "tool: get_conversation\narguments: {id: conversation_215470000000101}\n";
    let told = explain(read, &["--as", AGENT]);
    assert_eq!(told["asked"], "get_conversation by agent (article-editor)");
    assert_eq!(told["decision"]["verdict"], "allow", "{told:#}");
    let told = explain(read, &["--as", AGENT, "--roles", "nobody"]);
    assert_eq!(told["decision"]["verdict"], "deny");
    let told = explain("tool: update_article\narguments: {title: x}\n", &["--as", AGENT]);
    assert_eq!(told["decision"]["reasons"][0]["rule"], "tool.invalid_arguments");
    assert!(told["agent"].as_str().unwrap().contains("`id` is missing"), "{told}");
    let told = explain("tool: get_contact\n", &["--as", AGENT, "-q", "visible"]);
    assert_eq!(told["decision"]["verdict"], "deny");
    assert_eq!(told["rules"][0]["turned_by_roles"], json!(["note-writer", "support-reader"]));
}
