//! `policy init` and the profiles that it writes: checked and tested by the commands it prints, and
//! each in force in front of the simulator.

use std::path::Path;
use std::process::{Command, Output};

use portcullis::policy::{Bundle, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Reply;
use crate::live::other;
use crate::road::{ARTICLE, CONVERSATION, hold_id};
use crate::stand::{Setup, Stand, binary};

const CONTACT: &str = "66b0c0de0000000000000a01";
const DRAFT: &str = "9100003";

fn portcullis(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(binary()).current_dir(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_profile_passes_the_commands_that_init_prints() {
    for profile in Bundle::profiles() {
        let folder = tempfile::tempdir().unwrap();
        let init = portcullis(folder.path(), &["policy", "init", "--profile", profile]);
        assert!(init.status.success(), "{init:?}");
        let said = text(&init.stdout);
        let next: Vec<&str> =
            said.lines().filter_map(|line| line.strip_prefix("  portcullis ")).collect();
        assert_eq!(next.len(), 3, "{said}");
        for command in next {
            let words: Vec<&str> = command.split_whitespace().collect();
            let output = portcullis(folder.path(), &words);
            assert!(output.status.success(), "{profile}: {command}: {output:?}");
        }
        let written = folder.path().join("policies");
        let bundle = Bundle::read(&Source::Folder(written.clone())).unwrap();
        assert_eq!(bundle, Bundle::profile(profile).unwrap(), "what lies beside is no part of it");
        let capabilities = std::fs::read(written.join(".regal/capabilities.json")).unwrap();
        let printed = portcullis(folder.path(), &["policy", "capabilities"]);
        assert_eq!(text(&capabilities), text(&printed.stdout));
        let read = |name: &str| std::fs::read_to_string(written.join(name)).unwrap();
        let editor: Value = serde_json::from_str(&read(".vscode/settings.json")).unwrap();
        assert_eq!(editor["opa.languageServers"], json!(["regal"]));
        assert!(read(".regal/config.yaml").contains("file: .regal/capabilities.json"));
        // What the example for CI runs is what was run here.
        let workflow = read(".github/workflows/policy.yml");
        for line in
            workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: portcullis "))
        {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(portcullis(&written, &words).status.success(), "{profile}: {line}");
        }
    }
}

#[test]
fn init_overwrites_nothing_and_names_the_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = portcullis(folder.path(), &["policy", "init", "--profile", "nothing"]);
    assert_eq!(unknown.status.code(), Some(2));
    for profile in Bundle::profiles() {
        assert!(text(&unknown.stderr).contains(profile), "{unknown:?}");
    }
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join(".hidden"), "mine").unwrap();
    let full = portcullis(folder.path(), &["policy", "init", "mine"]);
    assert_eq!(full.status.code(), Some(1));
    assert!(text(&full.stderr).contains("is not empty"), "{full:?}");
    assert_eq!(std::fs::read_dir(&mine).unwrap().count(), 1);
    let spaced = portcullis(folder.path(), &["policy", "init", "it's mine"]);
    assert!(text(&spaced.stdout).contains(r"--strict 'it'\''s mine'"), "{spaced:?}");
}

/// A stand with a profile as `init` writes it, and this file changed.
async fn stand(
    profile: &str,
    roles: &'static str,
    agent: &'static str,
    changed: &[(&str, &str)],
) -> (Stand, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let init = portcullis(folder.path(), &["policy", "init", "--profile", profile]);
    assert!(init.status.success(), "{init:?}");
    let policies = folder.path().join("policies");
    for (name, text) in changed {
        std::fs::write(policies.join(name), text).unwrap();
    }
    let more = format!("policies: {}\nholds: {{ wait: 100ms, poll: 100ms }}\n", policies.display());
    (Stand::start(Setup { roles, agent, more, ..Setup::default() }).await, folder)
}

fn refused(reply: &Reply, words: &str) {
    assert!(reply.is_tool_error() && reply.tool_text().contains(words), "{words}: {reply:?}");
}

fn allowed(reply: &Reply) -> Value {
    assert!(!reply.is_tool_error(), "{reply:?}");
    serde_json::from_str(reply.tool_text()).unwrap()
}

fn sent(stand: &Stand) -> Value {
    stand.calls().pop().unwrap().arguments.unwrap()
}

const TEAM: &str = "7770001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_support_sees_its_team_and_writes_nothing() {
    let attributes = r#"attributes: { team: "7770001" }"#;
    let (stand, _folder) = stand("read-only-support", "support-reader", attributes, &[]).await;
    let agent = stand.client().connected().await;
    let found = allowed(&agent.call("search_conversations", json!({"per_page": 100})).await);
    assert_eq!(sent(&stand), json!({"per_page": 50, "team_assignee_id": TEAM}));
    let found = found["conversations"].as_array().unwrap();
    assert!(!found.is_empty() && found.iter().all(|one| one["team_assignee_id"] == TEAM));

    let first: u64 = CONVERSATION.parse().unwrap();
    let (mut own, mut others) = (0, 0);
    for id in first..first + 12 {
        let reply = agent.call("get_conversation", json!({"id": id.to_string()})).await;
        if reply.is_tool_error() {
            refused(&reply, "conversations are for the team that they are assigned to");
            others += 1;
        } else {
            assert_eq!(allowed(&reply)["team_assignee_id"], TEAM);
            assert!(!reply.text.contains(r#"\"part_type\":\"note\""#), "{reply:?}");
            own += 1;
        }
    }
    assert!(own > 0 && others > 0, "{own} {others}");
    let with_note = agent.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(with_note.text.contains("internal notes are for teammates"), "{with_note:?}");
    allowed(&agent.call("get_contact", json!({"id": CONTACT})).await);
    let note = json!({"conversation_id": CONVERSATION, "body": "b"});
    refused(&agent.call("add_internal_note", note).await, "only reads");

    // The other principal has the role and no team.
    let teamless = other(&stand).await.connected().await;
    let before = stand.calls().len();
    for (tool, arguments) in [
        ("search_conversations", json!({"state": "open"})),
        ("get_conversation", json!({"id": CONVERSATION})),
        ("search", json!({"query": "object_type:conversations"})),
    ] {
        refused(&teamless.call(tool, arguments).await, "has no team");
    }
    let fetch = json!({"id": format!("conversation_{CONVERSATION}")});
    let fetched = teamless.call("fetch", fetch).await;
    refused(&fetched, "conversations are for the team");
    assert_eq!(stand.calls().len(), before + 1, "only `fetch` was sent");
    allowed(&teamless.call("get_contact", json!({"id": CONTACT})).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_support_ends_at_its_budget_of_contacts() {
    let attributes = r#"attributes: { team: "7770001" }"#;
    let limits = "limits: { rows: 50, contacts_a_day: 60 }\n";
    let limits = [("limits.yaml", limits)];
    let (stand, _folder) = stand("read-only-support", "support-reader", attributes, &limits).await;
    let agent = stand.client().connected().await;
    let first =
        allowed(&agent.call("search_contacts", json!({"name": "a", "per_page": 150})).await);
    assert_eq!(first["data"].as_array().unwrap().len(), 50);
    // The same ones again are no others.
    allowed(&agent.call("search_contacts", json!({"name": "a", "per_page": 50})).await);
    let cursor = &first["pages"]["next"]["starting_after"];
    let next = agent
        .call("search_contacts", json!({"name": "a", "per_page": 50, "starting_after": cursor}))
        .await;
    refused(&next, "more than 60 different contacts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn knowledge_author_drafts_and_asks() {
    let (stand, _folder) = stand("knowledge-author", "knowledge-author", "", &[]).await;
    let agent = stand.client().connected().await;
    let new = json!({"title": "New", "author_id": 7_000_001, "state": "published"});
    let made = allowed(&agent.call("create_article", new).await);
    assert_eq!((&made["state"], &sent(&stand)["state"]), (&json!("draft"), &json!("draft")));
    allowed(&agent.call("get_article", json!({"id": ARTICLE})).await);
    refused(&agent.call("get_contact", json!({"id": CONTACT})).await, "no role of this principal");

    let draft = agent.call("update_article", json!({"id": DRAFT, "title": "Draft"})).await;
    assert!(draft.tool_text().starts_with("PENDING"), "{draft:?}");
    let draft = hold_id(draft.tool_text()).parse().unwrap();
    assert!(stand.approve(draft).await.unwrap().contains("Intercom did it"));
    assert_eq!(stand.sent("Draft"), 1);
    for public in [
        json!({"id": ARTICLE, "title": "Public"}),
        json!({"id": DRAFT, "title": "Public", "state": "published"}),
    ] {
        let held = agent.call("update_article", public).await;
        assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
        let held = hold_id(held.tool_text()).parse().unwrap();
        assert!(stand.approve(held).await.unwrap().contains("1 of 2"));
    }
    assert_eq!(stand.sent("Public"), 0);
    let nowhere = agent.call("update_article", json!({"id": "9199999", "title": "t"})).await;
    refused(&nowhere, "does not show it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quality_analyst_sees_articles_and_counts() {
    let (stand, _folder) = stand("quality-analyst", "quality-analyst", "", &[]).await;
    let agent = stand.client().connected().await;
    allowed(&agent.call("get_article", json!({"id": ARTICLE})).await);
    let list = allowed(&agent.call("list_articles", json!({})).await);
    assert!(list.to_string().contains("title"), "{list}");
    for (tool, arguments, things) in [
        ("search_conversations", json!({"state": "open"}), "conversations"),
        ("list_companies", json!({}), "companies"),
        ("search_contacts", json!({"custom_attributes": {"plan": "team"}}), "contacts"),
    ] {
        let reply = agent.call(tool, arguments).await;
        let count = allowed(&reply);
        assert_eq!(sent(&stand)["per_page"], 1);
        let left = count.get(things).or_else(|| count.get("data"));
        assert_eq!(left, Some(&json!([])), "{count}");
        assert!(count["pages"]["total_pages"].as_u64().unwrap() > 1, "{count}");
        assert!(!reply.text.contains('@') && !reply.text.contains("66b0c0de"), "{reply:?}");
    }
    let before = stand.calls().len();
    for (tool, arguments, words) in [
        ("get_conversation", json!({"id": CONVERSATION}), "no role of this principal"),
        ("get_contact", json!({"id": CONTACT}), "no role of this principal"),
        ("search", json!({"query": "object_type:contacts"}), "no role of this principal"),
        ("search_contacts", json!({"email": "maria@northwind.example"}), "point at a person"),
        ("update_article", json!({"id": ARTICLE, "title": "t"}), "only reads"),
    ] {
        refused(&agent.call(tool, arguments).await, words);
    }
    assert_eq!(stand.calls().len(), before, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lockdown_is_for_named_people_with_a_reason() {
    let people = [("people.yaml", "people:\n  ann: { until: 4102444800 }\n")];
    let (stand, folder) = stand("lockdown", "support-reader", "on_behalf_of: ann", &people).await;
    let agent = stand.client().connected().await;
    let why = |why: &str| json!({"id": CONTACT, "portcullis_reason": why});
    refused(&agent.call("get_contact", json!({"id": CONTACT})).await, "portcullis_reason");
    refused(&agent.call("get_contact", why("too short a one")).await, "at least 20 characters");
    allowed(&agent.call("get_contact", why("incident 4711, phone number needed")).await);
    let write =
        json!({"id": ARTICLE, "title": "t", "portcullis_reason": "incident 4711, wrong words"});
    refused(&agent.call("update_article", write).await, "nothing is changed");
    // Nobody else even begins.
    let mut nobody = other(&stand).await;
    let reply = nobody.initialize("2025-06-18").await;
    assert!(nobody.session().is_none(), "{reply:?}");

    // The time is over, for sessions that are open, too.
    let file = folder.path().join("policies/people.yaml");
    std::fs::write(file, "people:\n  ann: { until: 1767225600 }\n").unwrap();
    stand.output(&["policy", "reload"]);
    let late = agent.call("get_contact", why("incident 4711, phone number needed")).await;
    refused(&late, "everything is locked");
}
