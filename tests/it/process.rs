//! The process: one per data folder, a stop that cuts nothing off, a start that names every fault,
//! policies and keys that change while it runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis::control::{self, Wish};
use portcullis::domain::HoldState;
use portcullis::simulator::Options;
use serde_json::json;

use crate::client::Client;
use crate::road::{ARTICLE, CONVERSATION};
use crate::stand::{AGENT, APPROVER, Setup, Stand, binary, told, until, wish};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_data_ends_with_75() {
    let stand = Stand::start(Setup::default()).await;
    let second = stand.run(&["serve"]);
    assert_eq!(second.status.code(), Some(75), "{second:?}");
    assert!(text(second.stderr).contains("is in use by another process"));
    // The first one did not notice, not even by its socket.
    let client = stand.client().connected().await;
    let reply = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!reply.is_tool_error(), "{reply:?}");
    assert!(stand.output(&["holds", "list"]).contains("nothing waits"));
}

/// One client that calls until the server is gone; counts its answers.
async fn caller(client: Client, legacy: bool, answers: Arc<AtomicU64>) -> u64 {
    let client = match legacy {
        true => client.try_connected("2025-11-25").await.unwrap(),
        false => client,
    };
    let mut mine = 0;
    loop {
        let arguments = json!({"id": CONVERSATION});
        let reply = match legacy {
            true => client.try_call("get_conversation", arguments).await,
            false => {
                let params = json!({"name": "get_conversation", "arguments": arguments});
                client.try_modern("tools/call", params, json!({})).await
            }
        };
        let Some(reply) = reply else { return mine };
        assert!(!reply.is_tool_error(), "{reply:?}");
        mine += 1;
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_answers_everything_it_accepted() {
    let simulator = Options { jitter: 80, ..Options::default() };
    let more = "holds: { wait: 40s, poll: 40s }\ndrain: 20s\n".to_owned();
    let mut stand = Stand::start(Setup { simulator, more, ..Setup::default() }).await;
    let answers = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..12)
        .map(|number| {
            let client = stand.client().named(format!("caller {number}"));
            tokio::spawn(caller(client, number % 2 == 0, answers.clone()))
        })
        .collect();
    // Two held calls: one that keeps waiting, and one that is being sent when the stop comes.
    let wait = |client: Client, title: &'static str| {
        let arguments = json!({"id": ARTICLE, "title": title});
        tokio::spawn(async move { client.call("update_article", arguments).await })
    };
    let kept = wait(stand.client().connected().await, "kept");
    until("it is held", async || stand.holds().await.len() == 1).await;
    let released = wait(stand.client().connected().await, "released");
    until("both are held", async || stand.holds().await.len() == 2).await;
    stand.simulator.set(|options| options.latency = 1_500);
    let (data, key, id) = (stand.data(), stand.approver_key.clone(), stand.holds().await[0].id);
    let approving =
        tokio::spawn(
            async move { told(control::ask(&data, &wish(id, &key, Wish::Approve)).await) },
        );
    until("it is being sent", async || {
        stand.sent("released") == 1 && answers.load(Ordering::Relaxed) > 12
    })
    .await;
    let status = stand.terminate();
    assert_eq!(status.code(), Some(0), "{}", stand.stderr());
    assert!(approving.await.unwrap().unwrap().contains("sent, and Intercom did it"));
    let kept = kept.await.unwrap();
    assert!(kept.tool_text().starts_with("PENDING"), "{kept:?}");
    let released = released.await.unwrap();
    let words = released.tool_text();
    assert!(words.starts_with("PENDING") || words.contains("released"), "{words}");
    let records = stand.records();
    for (number, caller) in callers.into_iter().enumerate() {
        let name = format!("caller {number}");
        let decided = records.iter().filter(|it| {
            it["type"] == "decision"
                && it["call"]["method"] == "tools/call"
                && it["call"]["client"]["name"] == name.as_str()
        });
        assert_eq!(decided.count() as u64, caller.await.unwrap(), "{name}");
    }
    assert_eq!(records.last().unwrap()["type"], "stopped", "{:?}", records.last());
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    stand.serve();
    assert_eq!(stand.hold(id).await.0.state, HoldState::Executed);
}

#[test]
fn a_bad_configuration_names_all_its_faults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.yaml");
    let lines = [
        "listen: nowhere",
        "upstraem: { url: \"https://mcp.intercom.com/mcp\" }",
        "upstream: { url: \"ftp://x\", token: \"${NOT_SET_ANYWHERE}\" }",
        "holds: { wait: 5 parsecs }",
        "principals:",
        "  - { id: a, roles: [x] }",
        "  - { id: a, roles: [x] }",
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for command in [&["serve"][..], &["config", "check"]] {
        let run = Command::new(binary()).arg("--config").arg(&path).args(command).output().unwrap();
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        let words = text(run.stderr) + &text(run.stdout);
        for (line, part) in [
            (1, "nowhere"),
            (2, "did you mean `upstream`"),
            (3, "ftp"),
            (3, "NOT_SET_ANYWHERE"),
            (4, "parsecs"),
            (7, "`a`"),
        ] {
            let told =
                words.lines().any(|it| it.contains(&format!(":{line}:")) && it.contains(part));
            assert!(told, "line {line}, {part}: {words}");
        }
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().count() == 1, "nothing was made");
}

/// A role that no policy has gives nothing, and is most often a slip of the pen.
#[test]
fn a_role_that_no_policy_has_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.yaml");
    let lines = [
        "upstream: { url: \"https://mcp.intercom.com/mcp\", token: \"tok_0123456789abcdef\" }",
        "principals:",
        "  - { id: a, roles: [support-reader, support-raeder] }",
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let check =
        Command::new(binary()).arg("--config").arg(&path).args(["config", "check"]).output();
    let words = text(check.unwrap().stdout);
    let warnings: Vec<&str> = words.lines().filter(|line| line.starts_with("warning")).collect();
    let [warning] = warnings[..] else { panic!("{words}") };
    assert!(warning.contains("`a` has the role `support-raeder`"), "{words}");
    assert!(warning.contains("`support-reader`"), "{words}");
}

/// What the compiler of plugins tells of itself would fill a disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_level_the_log_is_of_portcullis_alone() {
    let more = "plugins: { shipped: true }\nlog: { level: trace }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let log = stand.stderr();
    assert!(log.len() < 64 << 10 && !log.contains("\u{1b}["), "{} bytes", log.len());
}

#[test]
fn the_demo_is_for_this_machine_alone() {
    for option in ["--listen", "--console"] {
        let run = Command::new(binary()).args(["demo", "--once", option, "0.0.0.0:0"]).output();
        let run = run.unwrap();
        let said = text(run.stderr);
        assert!(
            run.status.code() == Some(1) && said.contains("on loopback only"),
            "{option}: {said}"
        );
    }
}

/// A key's end that could not be written made the file of keys unreadable, for everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_ends_at_no_time_is_refused_and_nobody_is_shut_out() {
    let stand = Stand::start(Setup::default()).await;
    for kind in [&["principals", "add", AGENT][..], &["people", "key", "add", "ann"]] {
        for days in ["0", "36501", "3000000", "4294967295", "-1", "soon"] {
            let run = stand.run(&[kind, &["--days", days]].concat());
            assert_eq!(run.status.code(), Some(2), "{kind:?} {days}: {run:?}");
        }
        stand.output(&[kind, &["--days", "36500"]].concat());
    }
    assert_eq!(stand.output(&["principals", "list"]).matches("ends 2").count(), 1);
    let client = stand.client().connected().await;
    let reply = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!reply.is_tool_error(), "{reply:?}");
}

/// Who reads the log or decides needs no credential of Intercom's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_and_deciding_take_no_token_of_intercom() {
    let stand = Stand::start(Setup::default()).await;
    let token = format!("\"{}\"", stand.simulator.token());
    stand.edit_config(&token, "\"${NOT_SET_ANYWHERE}\"");
    for command in [
        &["audit", "tail"][..],
        &["audit", "verify"],
        &["holds", "list"],
        &["tools", "list"],
        &["principals", "list"],
        &["people", "list"],
    ] {
        stand.output(command);
    }
    let unknown = stand.run(&["tools", "diff", "no_such_tool"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    let check = stand.run(&["config", "check"]);
    assert!(text(check.stderr).contains("`NOT_SET_ANYWHERE` is not set"));
}

/// The files alone cannot tell that their end is gone; the database beside them can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_tells_of_a_log_that_was_cut_or_taken_away() {
    let mut stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    client.call("get_conversation", json!({"id": CONVERSATION})).await;
    let running = stand.output(&["audit", "verify"]);
    assert!(running.starts_with("ok: ") && running.contains("a server is using it"), "{running}");
    stand.terminate();
    let whole = stand.output(&["audit", "verify"]);
    assert!(whole.contains("it ends where the database says"), "{whole}");
    let log = std::fs::read_dir(stand.data()).unwrap().map(|it| it.unwrap().path());
    let is_log = |path: &PathBuf| path.extension().is_some_and(|it| it == "jsonl");
    let log = log.into_iter().find(is_log).unwrap();
    let lines = std::fs::read_to_string(&log).unwrap();
    let first: String = lines.split_inclusive('\n').take(2).collect();
    std::fs::write(&log, first).unwrap();
    for what in ["the file ends at byte", "the file is missing"] {
        let run = stand.run(&["audit", "verify"]);
        let said = text(run.stdout);
        assert!(run.status.code() == Some(1) && said.starts_with("BROKEN"), "{said}");
        assert!(said.contains(what), "{said}");
        let _ = std::fs::remove_file(&log);
    }
    // A damaged database tells nothing of the log.
    std::fs::write(&log, lines).unwrap();
    std::fs::write(stand.data().join("db/conf"), "no such thing").unwrap();
    let damaged = stand.output(&["audit", "verify"]);
    assert!(damaged.contains("ok: ") && damaged.contains("it is damaged"), "{damaged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_a_file_for_everybody_is_refused() {
    let mut stand = Stand::start(Setup::default()).await;
    assert!(stand.terminate().success());
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(stand.config(), open).unwrap();
    let run = stand.run(&["serve"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let words = text(run.stderr);
    assert!(words.contains("chmod 600"), "{words}");
    assert!(!words.contains(stand.simulator.token()), "{words}");
    // A token that only is named there may be seen by everybody.
    let token = format!("\"{}\"", stand.simulator.token());
    let file = stand.folder.path().join("token");
    std::fs::write(&file, stand.simulator.token()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    stand.edit_config(&token, "\"${file:token}\"");
    stand.serve();
    let client = stand.client().connected().await;
    let reply = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!reply.is_tool_error(), "{reply:?}");
}

#[test]
fn the_demo_runs_once_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(binary())
        .args(["demo", "--once", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = text(run.stdout);
    assert!(run.status.success(), "{words} {:?}", text(run.stderr));
    let mut rest = words.as_str();
    for part in [
        "1. The agent lists tools",
        "6 tools: ",
        "2. It reads a conversation",
        "\"author\":{\"email\":\"[[email:",
        "3. It tries a tool outside its role",
        "Portcullis refused this call",
        "admit.tool_outside_roles",
        "4. It updates a Help Center article",
        "PENDING",
        "Waiting: ",
        "(update_article by demo-agent)",
        "reached Intercom of changes so far: 0 calls",
        "claude mcp add",
        ".cursor/mcp.json",
        ".vscode/mcp.json",
        "npx mcp-remote",
        "/setup#pcs_",
        "holds approve ID",
        "audit verify",
    ] {
        let (_, behind) = rest.split_once(part).unwrap_or_else(|| panic!("{part}: {words}"));
        rest = behind;
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_bundle_leaves_the_old_one_in_force() {
    let bundle = crate::races::bundle();
    let more = format!("policies: {}\n", bundle.path().display());
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let rulesets = || -> Vec<bool> {
        let records = stand.records();
        let offered = records.iter().filter(|it| it["type"] == "ruleset");
        offered.map(|it| it["refused"].is_null()).collect()
    };
    let hang_up = || {
        let pid = stand.pid().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    };
    let whole = std::fs::read_to_string(bundle.path().join("admit.rego")).unwrap();
    std::fs::write(bundle.path().join("admit.rego"), "package portcullis.rules.admit\nallow {")
        .unwrap();
    let reload = stand.run(&["policy", "reload"]);
    assert_eq!(reload.status.code(), Some(1));
    let words = text(reload.stderr);
    assert!(words.contains("the old policy stays in force"), "{words}");
    assert!(words.contains("admit.rego:2:"), "{words}");
    assert_eq!(rulesets(), [false]);
    hang_up();
    until("the hang-up was heard", async || rulesets().len() == 2).await;
    assert_eq!(rulesets(), [false, false]);
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    // A good one counts at once, and decides.
    let denies = "\ndeny contains {\"rule\": \"closed\", \"text\": \"closed today\"} if {\n\
                  \tinput.tool.name == \"get_conversation\"\n}\n";
    std::fs::write(bundle.path().join("admit.rego"), whole + denies).unwrap();
    hang_up();
    until("the new bundle decides", async || {
        let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
        read.is_tool_error() && read.tool_text().contains("closed today")
    })
    .await;
    assert_eq!(rulesets(), [false, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_stops_working_within_two_seconds() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    let modern = stand.client();
    assert_eq!(client.request("ping", json!({})).await.status, 200);
    let began = Instant::now();
    assert!(stand.output(&["principals", "revoke", "agent"]).contains("is revoked"));
    until("the key is dead", async || client.request("ping", json!({})).await.status == 401).await;
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
    let refused = modern.modern("tools/list", json!({}), json!({})).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers.contains_key("www-authenticate"));
    let began = Instant::now();
    assert!(stand.output(&["people", "key", "revoke", APPROVER]).contains("is revoked"));
    let id = portcullis::domain::HoldId::from_random(1);
    until("the approver's key is dead", async || {
        stand.approve(id).await.unwrap_err().contains("no approver's key")
    })
    .await;
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
}
