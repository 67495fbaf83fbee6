//! Plugins of an installation: loaded at start, loaded again by command and by SIGHUP, as one set or
//! not at all; what happened is in the log.

use std::path::Path;
use std::process::Command;

use portcullis::control::{Answer, Question};
use portcullis::domain::Event;
use portcullis::plugin::Component;
use portcullis::rollout::PluginsStatus;
use serde_json::json;

use crate::guests::{Found, Guest};
use crate::road::CONVERSATION;
use crate::stand::{Setup, Stand, told, until};

/// Writes a component; the line of configuration that names it.
pub(crate) fn entry(folder: &Path, name: &str, guest: &Guest) -> String {
    let (path, bytes) = (folder.join(format!("{name}.wasm")), guest.bytes());
    std::fs::write(&path, &bytes).unwrap();
    let digest = Component::digest_of(&bytes);
    format!("{{ name: {name}, path: {}, digest: '{digest}' }}", path.display())
}

async fn status(stand: &Stand) -> PluginsStatus {
    match stand.ask(&Question::Plugins).await {
        Ok(Answer::Plugins { status }) => *status,
        other => panic!("{other:?}"),
    }
}

fn names(status: &PluginsStatus) -> Vec<&str> {
    status.plugins.iter().map(|plugin| plugin.name.as_str()).collect()
}

/// Each set that was offered: how many plugins, and whether it was refused.
fn offered(stand: &Stand) -> Vec<(usize, bool)> {
    let records = stand.records();
    let sets = records.into_iter().filter_map(|record| {
        let event: Event = serde_json::from_value(record).ok()?;
        match event {
            Event::Plugins { plugins, refused, .. } => Some((plugins.len(), refused.is_some())),
            _ => None,
        }
    });
    sets.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_is_put_in_force_whole_and_a_broken_one_changes_nothing() {
    let work = tempfile::tempdir().unwrap();
    let one = entry(work.path(), "one", &Guest::named(b"one"));
    let more =
        format!("plugins: {{ shipped: false, without: ['*'], required: [one], list: [{one}] }}\n");
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let first = status(&stand).await;
    assert_eq!(names(&first), ["one"]);
    let client = stand.client().connected().await;
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    // Another one beside it, which lies about the texts that it was given.
    let bad = entry(work.path(), "two", &Guest::finding(&[Found::of(9, 0, 1)]));
    stand.edit_config(&one, &format!("{one}, {bad}"));
    let words = told(stand.ask(&Question::ReloadPlugins).await).unwrap_err();
    assert!(words.contains("the old plugins stay in force"), "{words}");
    assert!(words.contains("plugin `two`: it failed when it was tried"), "{words}");
    let kept = status(&stand).await;
    assert_eq!((kept.revision, names(&kept)), (first.revision, vec!["one"]));
    assert!(kept.last_attempt.unwrap().error.unwrap().contains("`two`"));
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    // Its file is mended, but the configuration still has the old digest; then that is mended too.
    let good = entry(work.path(), "two", &Guest::named(b"two"));
    let words = told(stand.ask(&Question::ReloadPlugins).await).unwrap_err();
    assert!(words.contains("plugin `two`: ") && words.contains("has the digest"), "{words}");
    stand.edit_config(&bad, &good);
    let pid = stand.pid().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    until("both look", async || names(&status(&stand).await) == ["one", "two"]).await;
    assert_ne!(status(&stand).await.revision, first.revision);
    // Without the required one nothing passes.
    stand.edit_config(&format!("{one}, "), "");
    told(stand.ask(&Question::ReloadPlugins).await).unwrap();
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(read.is_tool_error(), "{read:?}");
    assert_eq!(offered(&stand), [(1, false), (1, true), (1, true), (2, false), (1, false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_set_is_followed_and_a_broken_one_is_not() {
    let work = tempfile::tempdir().unwrap();
    let one = entry(work.path(), "one", &Guest::named(b"one"));
    let more =
        format!("plugins: {{ shipped: false, watch: true, without: ['*'], list: [{one}] }}\n");
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let first = status(&stand).await.revision;
    // A component alone is not what its line pins: the old set stays, and the trouble is told.
    let two = entry(work.path(), "two", &Guest::named(b"two"));
    std::fs::copy(work.path().join("two.wasm"), work.path().join("one.wasm")).unwrap();
    let is_refused =
        async || status(&stand).await.last_attempt.is_some_and(|it| it.error.is_some());
    until("it is refused", is_refused).await;
    assert_eq!(status(&stand).await.revision, first);
    // It comes back, and another one stands beside it.
    std::fs::write(work.path().join("one.wasm"), Guest::named(b"one").bytes()).unwrap();
    stand.edit_config(&one, &format!("{one}, {two}"));
    until("both look", async || names(&status(&stand).await) == ["one", "two"]).await;
    assert!(status(&stand).await.last_attempt.unwrap().error.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_broken_plugin_is_none() {
    let work = tempfile::tempdir().unwrap();
    let one = entry(work.path(), "one", &Guest::named(b"one"));
    let more = format!("plugins: {{ shipped: false, without: ['*'], list: [{one}] }}\n");
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert!(stand.terminate().success());
    std::fs::write(work.path().join("one.wasm"), Guest::named(b"other").bytes()).unwrap();
    let run = stand.run(&["serve"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let words = String::from_utf8(run.stderr).unwrap();
    assert!(words.contains("the plugins cannot be used") && words.contains("`one`"), "{words}");
}
