//! What a change of the policies would have done to recorded traffic: `policy impact`, the questions
//! that it needs, and the cases that are made of them.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis::config::Config;
use portcullis::domain::{Question, Timestamp, Verdict};
use portcullis::policy::{Bundle, Replay, Source};
use portcullis::replay::{Log, Past};
use portcullis::store::Sealer;
use portcullis::tape::{self, Entry};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{ARTICLE, CONVERSATION, reading};
use crate::rollout::{folder, rules, write};
use crate::stand::{Setup, Stand, number, until};

pub(crate) const KEEP: &str = "replay: { keep: answers }\n";

pub(crate) async fn stand(rules: &Path, more: &str) -> Stand {
    let more = format!("policies: {}\n{more}", rules.display());
    Stand::start(Setup { more, ..Setup::default() }).await
}

pub(crate) fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

/// The report and the exit status.
pub(crate) fn impact(stand: &Stand, arguments: &[&str]) -> (Value, i32) {
    let all = [&["policy", "impact", "--format", "json"], arguments].concat();
    let output = stand.run(&all);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (report, output.status.code().unwrap())
}

/// The questions on the tape.
pub(crate) fn tape(stand: &Stand) -> Vec<Entry> {
    let config = Config::load(&stand.config()).unwrap();
    let lockbox = tape::lockbox(&config, &Sealer::load(&config.data).unwrap()).unwrap();
    let read = tape::read(&config.data, lockbox, Timestamp::default()).unwrap();
    read.map(Result::unwrap).collect()
}

/// Waits until the questions about all decisions of the log are on the tape.
pub(crate) async fn settled(stand: &Stand) {
    settled_since(stand, 0).await;
}

/// Waits until the questions about all decisions of the log but the first are on the tape.
async fn settled_since(stand: &Stand, first: usize) {
    let decisions = stand.records().iter().filter(|it| it["type"] == "decision").count() - first;
    until("all questions are kept", async || {
        tape(stand).iter().filter(|it| it.question == Question::Admit).count() >= decisions
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_compared_with_what_was_decided() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let stand = stand(active.path(), KEEP).await;
    let client = stand.client().connected().await;
    for _ in 0..3 {
        let denied = client.call("get_conversation", json!({"id": CONVERSATION})).await;
        assert!(denied.tool_text().contains("closed"), "{denied:?}");
    }
    let read = client.call("get_article", json!({"id": ARTICLE})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    settled(&stand).await;
    let (sent, records) = (stand.calls().len(), stand.records());

    // The same rules: nothing differs, and everything can be asked.
    let (same, code) = impact(&stand, &["--candidate", path(&active)]);
    let total = &same["totals"]["admit"];
    assert_eq!((code, &same["changes"], &same["not_replayable"]), (0, &json!({}), &json!({})));
    let decisions = records.iter().filter(|it| it["type"] == "decision").count();
    let all = json!({"records": decisions, "asked": decisions, "unchanged": decisions,
        "not_in_time": 0});
    assert_eq!(*total, all);
    assert!(same["totals"]["disclose"]["asked"].as_u64().unwrap() > 0, "{same}");

    let (report, code) = impact(&stand, &["--candidate", path(&candidate)]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(report["changes"], json!({"deny_to_allow": 3}));
    let row = &report["rows"][0];
    let expected =
        json!(["admit", "agent", "get_conversation", "deny", "allow", ["admit.one_closed"]]);
    let found = json!([
        row["question"],
        row["principal"],
        row["tool"],
        row["was"],
        row["would"],
        row["rules"]
    ]);
    assert_eq!(found, expected);
    // Each row names its record.
    let id = row["decision"].as_str().unwrap();
    let of_call = |it: &&Value| it["type"] == "decision" && it["call"]["id"] == id;
    assert_eq!(records.iter().find(of_call).unwrap()["decision"]["verdict"], "deny");
    assert_eq!(report["by"][0]["count"], 3);
    assert_eq!(
        report["candidate"],
        Bundle::read(&Source::at(candidate.path().into())).unwrap().revision().to_string()
    );
    let (_, code) = impact(&stand, &["--candidate", path(&candidate), "--fail-on", "none"]);
    assert_eq!(code, 0);
    // The revision that decided says what was decided.
    let one = Bundle::read(&Source::at(active.path().into())).unwrap().revision().to_string();
    let (back, code) =
        impact(&stand, &["--candidate", path(&active), "--base", &one, "--fail-on", "any"]);
    assert_eq!((code, &back["changes"]), (0, &json!({})), "{back}");

    // For each reader.
    let run = |format: &str| {
        let output =
            stand.run(&["policy", "impact", "--candidate", path(&candidate), "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{format}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = run("table");
    assert!(table.contains("3  deny -> allow") && table.contains(id), "{table}");
    assert!(table.contains("differs    3 x deny -> allow"), "{table}");
    assert!(run("html").contains(&format!("<code>{id}</code>")));
    let github = run("github");
    assert!(
        github.starts_with("::error title=impact-deny-to-allow") && github.contains(id),
        "{github}"
    );
    let sarif: Value = serde_json::from_str(&run("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 3);

    // A decision is explained without being given once more.
    let told = stand.output(&["policy", "explain", id]);
    assert!(told.contains("asked as it was kept") && told.contains("one_closed"), "{told}");

    // Nothing was executed, and nothing was written.
    assert_eq!(stand.calls().len(), sent);
    assert_eq!(stand.records(), records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_again_is_counted_with_its_reason() {
    let active = folder("one", false);
    let mut stand = stand(active.path(), "").await;
    stand.client().modern("tools/call", reading(0), json!({})).await;
    let output = stand.run(&["policy", "impact", "--candidate", path(&active)]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("what policy was asked was not kept"), "{told}");
    assert!(told.contains("replay: { keep: calls }"), "{told}");

    // From now on it is kept; what was before never is.
    let before = stand.records().iter().filter(|it| it["type"] == "decision").count();
    stand.terminate();
    stand.edit_config("policies:", "replay: { keep: answers, answer_size: 0B }\npolicies:");
    stand.serve();
    stand.client().modern("tools/call", reading(0), json!({})).await;
    until("it is kept", async || tape(&stand).iter().any(|it| it.question == Question::Disclose))
        .await;
    let (report, code) = impact(&stand, &["--candidate", path(&active)]);
    let why = &report["not_replayable"];
    assert_eq!(code, 0, "{report}");
    assert!(why["what policy was asked was not kept"].as_u64().unwrap() >= before as u64, "{why}");

    // Rules that look into answers cannot be asked about one whose content was not kept.
    let looking = folder("two", false);
    let deny = "deny contains {\"rule\": \"many\", \"text\": \"many\"} if input.answer.counts.rows > 1000\n";
    let text = std::fs::read_to_string(looking.path().join("disclose.rego")).unwrap();
    std::fs::write(looking.path().join("disclose.rego"), text + deny).unwrap();
    let (report, _) = impact(&stand, &["--candidate", path(&looking)]);
    let why = "the rules look into answers, and this one's content was not kept";
    assert!(report["not_replayable"][why].as_u64().unwrap() > 0, "{report}");

    // Nor rules that make another call of it, which nobody judged; where they change nothing, they can.
    let pages = json!({"name": "list_articles", "arguments": {"per_page": 40}});
    stand.client().modern("tools/call", pages, json!({})).await;
    settled_since(&stand, before).await;
    let why = "the rules change the call into one that was never judged";
    for (most, edited, obligations) in [(30, 1, 0), (90, 0, 1)] {
        let capping = folder("four", false);
        let oblige = format!(
            "oblige contains {{\"rule\": \"small\", \"text\": \"small\", \"cap\": {{\"argument\": \"per_page\", \
             \"most\": {most}}}}} if input.tool.name == \"list_articles\"\n"
        );
        let text = std::fs::read_to_string(capping.path().join("admit.rego")).unwrap();
        std::fs::write(capping.path().join("admit.rego"), text + &oblige).unwrap();
        let (report, _) = impact(&stand, &["--candidate", path(&capping)]);
        assert_eq!(report["not_replayable"][why].as_u64().unwrap_or(0), edited, "{report}");
        assert_eq!(report["changes"]["obligations"].as_u64().unwrap_or(0), obligations, "{report}");
    }

    // Nor rules that count what nobody counted then.
    let counting = folder("three", false);
    let deny =
        "deny contains {\"rule\": \"much\", \"text\": \"much\"} if input.trail.day.contacts > 1\n";
    let text = std::fs::read_to_string(counting.path().join("admit.rego")).unwrap();
    std::fs::write(counting.path().join("admit.rego"), text + deny).unwrap();
    let (report, _) = impact(&stand, &["--candidate", path(&counting)]);
    let why = "the rules look at counts of answers, which were not made then";
    assert!(report["not_replayable"][why].as_u64().unwrap() > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_see_the_time_and_trail_of_then_and_that_it_is_a_replay() {
    let active = folder("one", false);
    let stand = stand(active.path(), KEEP).await;
    for _ in 0..4 {
        stand.client().modern("tools/call", reading(0), json!({})).await;
    }
    settled(&stand).await;
    let first = tape(&stand).iter().find(|it| it.rounds[0].asked.tool.is_some()).unwrap().at;
    let with = |deny: &str| {
        let candidate = folder("two", false);
        let text = std::fs::read_to_string(candidate.path().join("admit.rego")).unwrap();
        let deny = format!(
            "deny contains {{\"rule\": \"new\", \"text\": \"new\"}} if {{\n\tinput.tool.name == \"get_conversation\"\n\t{deny}\n}}\n"
        );
        std::fs::write(candidate.path().join("admit.rego"), text + &deny).unwrap();
        let (report, _) = impact(&stand, &["--candidate", path(&candidate)]);
        report["changes"]["allow_to_deny"].as_u64().unwrap_or(0)
    };
    assert_eq!(with("data.portcullis.replay"), 4);
    assert_eq!(with("input.trail.hour.calls > 2"), 2);
    assert_eq!(with(&format!("input.now.unix < {}", first.millis() / 1000)), 0);
    assert_eq!(with(&format!("input.now.unix > {}", first.millis() / 1000 + 3600)), 0);
    // On the road it is not.
    write(active.path(), &rules("three", false));
    let text = std::fs::read_to_string(active.path().join("admit.rego")).unwrap();
    let deny =
        "deny contains {\"rule\": \"r\", \"text\": \"replayed\"} if data.portcullis.replay\n";
    std::fs::write(active.path().join("admit.rego"), text + deny).unwrap();
    stand.output(&["policy", "reload"]);
    let read = stand.client().modern("tools/call", reading(0), json!({})).await;
    assert!(!read.is_tool_error() && !read.text.contains("replayed"), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_become_masked_cases_that_tests_run_and_impact_reads() {
    let active = folder("one", true);
    let stand = stand(active.path(), KEEP).await;
    let client = stand.client().connected().await;
    let query = "object_type:contacts email:jane.doe@acme.example";
    client.call("search", json!({"query": query})).await;
    for _ in 0..2 {
        client.call("get_conversation", json!({"id": CONVERSATION})).await;
    }
    settled(&stand).await;
    let file = active.path().join("recorded.cases.yaml");
    let output = stand.run(&["policy", "record", "-o", file.to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("records like one of them"), "{told}");
    let cases = std::fs::read_to_string(&file).unwrap();
    assert!(
        cases.contains("object_type:contacts") && cases.contains("admit.one_closed"),
        "{cases}"
    );
    for value in ["jane", "acme", &CONVERSATION.to_string()] {
        assert!(!cases.contains(value), "{value} is in\n{cases}");
    }
    let tested = stand.output(&["policy", "test", path(&active), "-v"]);
    assert!(
        tested.contains("recorded.cases.yaml: admit get_conversation by agent: deny"),
        "{tested}"
    );

    // In CI there is no log.
    let candidate = folder("two", false);
    let run = |candidate: &tempfile::TempDir| {
        let output = std::process::Command::new(crate::stand::binary())
            .args(["policy", "impact", "--candidate", path(candidate)])
            .args(["--fixtures", path(&active), "--format", "json"])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report, output.status.code().unwrap())
    };
    let (report, code) = run(&candidate);
    assert_eq!((code, &report["changes"]["deny_to_allow"]), (1, &json!(1)), "{report}");
    let decision = report["rows"][0]["decision"].as_str().unwrap();
    assert!(
        decision.starts_with("recorded.cases.yaml: admit get_conversation by agent: deny"),
        "{decision}"
    );
    assert_eq!(run(&active).1, 0);
    // What is there is not overwritten.
    let again = stand.run(&["policy", "record", "-o", file.to_str().unwrap()]);
    assert!(!again.status.success() && std::fs::read_to_string(&file).unwrap() == cases);
}

/// Many different calls: reads and writes, searches in many words, what is wrong in several ways.
async fn varied(client: &Client, calls: usize) {
    for index in 0..calls {
        let n = index as u64;
        let (tool, arguments) = match index % 16 {
            0 => ("get_conversation", json!({"id": CONVERSATION + n % 5})),
            1 => (
                "search",
                json!({"query": format!("object_type:conversations state:open q:word{n} limit:{}", n % 150)}),
            ),
            2 => (
                "search_contacts",
                json!({"email": format!("person{n}@acme.example"), "per_page": 1 + n % 150}),
            ),
            3 => ("search_conversations", json!({"per_page": 1 + n % 150})),
            4 => ("get_article", json!({"id": ARTICLE})),
            5 => ("list_articles", json!({"per_page": 1 + n % 150})),
            6 => ("update_article", json!({"id": ARTICLE, "title": format!("title {n}")})),
            7 => (
                "create_article",
                json!({"title": format!("t{n}"), "author_id": 7_000_000 + n, "state": "draft"}),
            ),
            8 => ("no_such_tool", json!({"n": n, "f": 1.5e3, "deep": {"list": [n, null, "ü"]}})),
            9 => ("get_conversation", json!({"id": format!("x{n}")})),
            10 => (
                "search",
                json!({"query": format!("object_type:contacts email:p{n}@acme.example")}),
            ),
            11 => ("get_contact", json!({"id": "66b0c0de0000000000000a01"})),
            12 => ("search", json!({"query": format!("object_type:companies name:c{n}")})),
            13 => ("search_contacts", json!({"name": format!("[[person:{n:06x}]]")})),
            14 => ("fetch", json!({"id": format!("conversation_{}", CONVERSATION + n % 3)})),
            _ => (
                "add_internal_note",
                json!({"conversation_id": CONVERSATION.to_string(), "body": format!("<p>{n}</p>")}),
            ),
        };
        client.modern("tools/call", json!({"name": tool, "arguments": arguments}), json!({})).await;
        if index % 20 == 0 {
            for method in ["tools/list", "prompts/list", "resources/list"] {
                client.modern(method, json!({}), json!({})).await;
            }
        }
    }
}

/// C09: asked again with the recorded revision, every question has the recorded answer: verdict, rules,
/// obligations and conditions of release. `PORTCULLIS_REPLAYS` sets how many are asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_questions_have_the_recorded_answers() {
    let wanted = number("PORTCULLIS_REPLAYS", 3_000);
    let mut asked = 0;
    let mut answers: BTreeMap<(&str, Verdict), u64> = BTreeMap::new();
    for bundle in [Source::Shipped, Source::Folder("policies/read-only-support".into())] {
        let folder = tempfile::tempdir().unwrap();
        let mut more =
            format!("{KEEP}holds: {{ wait: 100ms, poll: 100ms, pending_per_principal: 1000 }}\n");
        if let Source::Folder(from) = &bundle {
            for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
            more.push_str(&format!("policies: {}\n", folder.path().display()));
        }
        let agent = "attributes: { team: \"701\" }";
        let stand = Stand::start(Setup { more, agent, ..Setup::default() }).await;
        let calls = usize::try_from((wanted / 50).clamp(160, 1_000)).unwrap();
        varied(&stand.client(), calls).await;
        // A person decides on some of what is held.
        for hold in stand.holds().await.into_iter().take(8) {
            let _may_be_denied = stand.approve(hold.id).await;
        }
        settled(&stand).await;
        let config = Config::load(&stand.config()).unwrap();
        let revision = Bundle::read(&bundle).unwrap().revision();
        let ruleset = Replay::of(
            &portcullis::rollout::kept_bundle(&config.data, &revision.to_string()).unwrap(),
        )
        .unwrap();
        assert_eq!(ruleset.revision(), revision);
        // The log has the decisions of all that is kept by then.
        let entries = tape(&stand);
        let records = stand.records();
        let mut log = Log::read(&config.data, Timestamp::default(), &[]).unwrap();
        let mut all = Vec::new();
        for entry in entries {
            assert_eq!(entry.ruleset, revision);
            if entry.question == Question::Admit && !entry.again {
                let id = entry.name();
                let record = records
                    .iter()
                    .find(|it| it["type"] == "decision" && it["call"]["id"] == *id)
                    .unwrap();
                obligations(&record["decision"], &entry);
            }
            let decided = log.takes(&entry).unwrap();
            all.push(Past::of(entry, decided));
        }
        assert!(all.len() > calls, "{}", all.len());
        let most = asked + wanted / 2;
        while asked < most {
            for past in &all {
                let was = past.recorded().unwrap_or_else(|why| panic!("{why:?}: {past:?}"));
                let again =
                    past.ask(&ruleset).await.unwrap_or_else(|why| panic!("{why:?}: {past:?}"));
                assert_eq!(was, again, "{past:?}");
                *answers.entry((past.question.as_str(), was.verdict)).or_default() += 1;
                asked += 1;
            }
        }
    }
    println!("C09: {asked} questions asked again, all answered as recorded: {answers:?}");
    assert!(asked >= wanted);
    for verdict in [Verdict::Allow, Verdict::Hold, Verdict::Deny] {
        assert!(answers.contains_key(&("admit", verdict)), "{answers:?}");
    }
    for question in ["visible", "approve", "disclose"] {
        assert!(answers.contains_key(&(question, Verdict::Allow)), "{answers:?}");
    }
}

/// The log has the obligations of the question on the tape, by rule.
fn obligations(decision: &Value, entry: &Entry) {
    if decision["verdict"] == "deny" {
        return;
    }
    let nothing = Vec::new();
    let logged = decision["obligations"].as_array().unwrap_or(&nothing).iter();
    let logged: std::collections::BTreeSet<&str> =
        logged.map(|it| it["rule"].as_str().unwrap()).collect();
    let kept = entry.rounds.iter().flat_map(|round| &round.said.demands);
    assert_eq!(logged, kept.map(|demand| demand.rule.as_str()).collect(), "{decision}");
}
