//! Past questions that are hard to ask again: damaged, of another time, named one by one, of calls that
//! were held, without an answer in time; and where none come from.

use std::time::Duration;

use portcullis::config::Config;
use portcullis::control::Wish;
use portcullis::domain::{CallId, Finding, Judge, Question, Reason, TrailView, Verdict};
use portcullis::intercom::records::Content;
use portcullis::policy::{AnswerFacts, AnswerKind, Facts};
use portcullis::store::Sealer;
use portcullis::tape::{Round, Tape};
use serde_json::{Value, json};

use crate::impact::{KEEP, impact, path, settled, stand, tape};
use crate::live::{ARTICLE, CONVERSATION};
use crate::rollout::{folder, rules, write};
use crate::stand::{Stand, told, until, wish};

/// A stand that has read three things, one of which is denied.
async fn read_three(active: &tempfile::TempDir) -> Stand {
    let stand = stand(active.path(), KEEP).await;
    let client = stand.client().connected().await;
    client.call("get_conversation", json!({"id": CONVERSATION})).await;
    for _ in 0..2 {
        client.call("get_article", json!({"id": ARTICLE})).await;
    }
    settled(&stand).await;
    stand
}

/// The ids of decisions on calls of a tool.
fn decisions(stand: &Stand, tool: &str) -> Vec<String> {
    let records = stand.records().into_iter();
    let of_tool = |it: &Value| it["type"] == "decision" && it["call"]["subject"]["name"] == tool;
    records.filter(of_tool).map(|it| it["call"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_in_every_format() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let mut stand = read_three(&active).await;
    assert!(stand.terminate().success());
    // One frame of several is damaged.
    stand.serve();
    stand.client().connected().await.call("get_article", json!({"id": ARTICLE})).await;
    settled(&stand).await;
    let mut files: Vec<_> = std::fs::read_dir(stand.data().join("tape"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    let last = files.last().unwrap();
    let mut bytes = std::fs::read(last).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(last, bytes).unwrap();
    let words = "1 parts of what was kept cannot be read";
    for format in ["pretty", "json", "html", "github", "sarif"] {
        let output =
            stand.run(&["policy", "impact", "--candidate", path(&candidate), "--format", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        let told = if format == "json" { r#""unread": 1"# } else { words };
        assert!(text.contains(told), "{format}: {text}");
    }
    let output = stand.run(&["policy", "record"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(words) && output.status.success(), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn named_decisions_are_asked_again_alone() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let stand = read_three(&active).await;
    let (denied, read) = (decisions(&stand, "get_conversation"), decisions(&stand, "get_article"));
    assert_eq!((denied.len(), read.len()), (1, 2));
    let named = |ids: &[&str]| {
        let (report, code) = impact(&stand, &[&["--candidate", path(&candidate)], ids].concat());
        (report["totals"]["admit"]["asked"].clone(), report["changes"].clone(), code)
    };
    assert_eq!(named(&[&denied[0]]), (json!(1), json!({"deny_to_allow": 1}), 1));
    assert_eq!(named(&[&read[0], &read[1]]), (json!(2), json!({}), 0));
    // One that nobody made is told; alone it is no "nothing differs".
    let none = uuid::Uuid::now_v7().to_string();
    let (report, code) = impact(&stand, &["--candidate", path(&candidate), &none]);
    let why = "the log has no such decision in that time";
    assert_eq!((code, &report["not_replayable"][why]), (2, &json!(1)), "{report}");
    let wrong = stand.run(&["policy", "impact", "--candidate", path(&candidate), "x"]);
    assert_eq!(wrong.status.code(), Some(2));

    // Each of those named is a case, also where another is like it.
    let record = |ids: &[&str]| {
        let output = stand.run(&[&["policy", "record"], ids].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (text.matches("question: \"admit\"").count(), told, output.status.code().unwrap())
    };
    let (cases, told, code) = record(&[&read[0], &read[1]]);
    assert_eq!((cases, code), (2, 0), "{told}");
    let (cases, told, code) = record(&[&read[0], &none]);
    assert_eq!((cases, code), (1, 1), "{told}");
    assert!(told.contains(&format!("of the decision {none} there is no case")), "{told}");
}

/// A file of what was kept has questions of before the time that is wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_before_are_left_out_one_by_one() {
    let active = folder("one", true);
    let mut stand = read_three(&active).await;
    let ruleset = tape(&stand)[0].ruleset;
    assert!(stand.terminate().success());
    std::fs::remove_dir_all(stand.data().join("tape")).unwrap();
    let config = Config::load(&stand.config()).unwrap();
    let kept = Tape::open(&config, &Sealer::load(&config.data).unwrap()).unwrap();
    for (hours, tool) in [(30, "get_contact"), (20, "get_article"), (0, "get_company")] {
        let mut rounds = kept.rounds();
        rounds.add(|| round(ruleset, tool, Duration::from_secs(hours * 3600)));
        kept.call(rounds);
    }
    drop(kept);
    for (since, tools) in [
        ("7d", &["get_contact", "get_article", "get_company"][..]),
        ("25h", &["get_article", "get_company"]),
        ("1h", &["get_company"]),
    ] {
        let text = stand.output(&["policy", "record", "--since", since]);
        for tool in ["get_contact", "get_article", "get_company"] {
            assert_eq!(text.contains(tool), tools.contains(&tool), "{since} {tool}: {text}");
        }
    }
}

/// Whoever names decisions wants them all: of each the call, not its answer alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_each_decision_that_is_named_there_is_a_case() {
    let active = folder("one", true);
    let mut stand = read_three(&active).await;
    let ruleset = tape(&stand)[0].ruleset;
    assert!(stand.terminate().success());
    std::fs::remove_dir_all(stand.data().join("tape")).unwrap();
    let config = Config::load(&stand.config()).unwrap();
    let kept = Tape::open(&config, &Sealer::load(&config.data).unwrap()).unwrap();
    let keep = |tool: &str| {
        let one = round(ruleset, tool, Duration::ZERO);
        let id = one.call.id.to_string();
        let mut rounds = kept.rounds();
        rounds.add(|| one);
        kept.call(rounds);
        id
    };
    let calls: Vec<String> = (0..103).map(|_| keep("get_article")).collect();
    // The rules deny what is said to have been allowed: that makes no case. Its answer makes one.
    let other = keep("get_conversation");
    let (kind, content) = (AnswerKind::Result, Content::nothing());
    kept.answer(&AnswerFacts { kind, method: None, bytes: 9, content }, || {
        let mut round = round(ruleset, "get_conversation", Duration::ZERO);
        round.call.id = CallId(other.parse().unwrap());
        round.said.reasons = vec![Reason::new("disclose.one", "may")];
        round
    });
    drop(kept);
    let named: Vec<&str> = calls.iter().map(String::as_str).collect();
    for (most, ids, cases, code) in [
        (&[][..], &named[..], 103, 0),
        (&["--most", "2"], &named[..3], 2, 1),
        (&["--most", "3"], &named[..3], 3, 0),
        (&[], &[other.as_str()], 1, 1),
    ] {
        let output = stand.run(&[&["policy", "record"], most, ids].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let found = (text.matches("\n- name: ").count(), output.status.code());
        assert_eq!(found, (cases, Some(code)), "{told}{text}");
        assert_eq!(told.contains("there is no case"), code == 1, "{told}");
    }
}

/// A call that a rule allowed so long ago.
fn round(ruleset: portcullis::domain::Digest, tool: &str, ago: Duration) -> Round {
    use portcullis::domain::{
        Call, CallMeta, ClientHint, Effect, JsonText, Principal, PrincipalKind, Revision, Subject,
    };
    let now = portcullis::clock::now().minus(ago);
    let principal = Principal {
        id: "agent".parse().unwrap(),
        kind: PrincipalKind::Agent,
        roles: Vec::new(),
        groups: Vec::new(),
        attributes: std::collections::BTreeMap::new(),
        on_behalf_of: None,
    };
    let subject = Subject::Tool { name: tool.to_owned(), effect: Effect::Read, definition: None };
    let call = Call {
        id: CallId(uuid::Uuid::now_v7()),
        at: now,
        principal: principal.into(),
        revision: Revision::V2025_11_25,
        client: ClientHint::default(),
        method: "tools/call".to_owned(),
        subject,
        payload: JsonText::empty_object(),
        continuation: None,
        meta: CallMeta::default(),
    };
    let facts = Facts {
        now,
        environment: "test".into(),
        trail: TrailView::default(),
        seen: std::sync::Arc::default(),
    };
    let said = Finding {
        judge: Judge::Policy,
        verdict: Verdict::Allow,
        reasons: vec![Reason::new("admit.one", "may")],
        obligations: Vec::new(),
        release: None,
        fault: None,
    };
    Round { ruleset, counted: true, call, facts, others: Verdict::Allow, said }
}

/// A held call that is released under other rules was still held when it came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_not_what_was_decided_when_the_call_came() {
    let hold = "hold contains {\"rule\": \"waits\", \"text\": \"waits\", \"release\": {\"groups\": [], \
                \"people\": 1, \"expires_seconds\": 600}} if input.tool.name == \"create_article\"\n";
    let active = folder("one", false);
    let mut text = rules("one", false);
    text[0].1.push_str(hold);
    write(active.path(), &text);
    let more = format!("{KEEP}holds: {{ wait: 300ms }}\n");
    let stand = stand(active.path(), &more).await;
    let before = tempfile::tempdir().unwrap();
    write(before.path(), &text);
    let client = stand.client().connected().await;
    let call = json!({"title": "t", "author_id": 7_000_001, "state": "draft"});
    let pending = client.call("create_article", call).await;
    assert!(pending.tool_text().starts_with("PENDING"), "{pending:?}");
    write(active.path(), &rules("two", false));
    stand.output(&["policy", "reload"]);
    let id = stand.holds().await[0].id;
    until("it is sent", async || {
        // Other rules: the first time people are told so.
        let _told = stand.approve(id).await;
        stand.sent("t") == 1
    })
    .await;
    let calls = decisions(&stand, "create_article");
    assert_eq!(calls.len(), 2, "judged when it came, and when it was released");
    until("it is kept", async || {
        tape(&stand)
            .iter()
            .any(|it| it.name() == calls[0] && it.question == Question::Admit && it.again)
    })
    .await;
    // The rules of then hold it as they did, and again what was released under others.
    let (report, code) = impact(&stand, &["--candidate", path(&before), &calls[0]]);
    assert_eq!((code, &report["changes"]), (0, &json!({"allow_to_hold": 1})), "{report}");
    let total = &report["totals"]["admit"];
    assert_eq!((&total["records"], &total["asked"]), (&json!(2), &json!(2)), "{report}");
    // Those of now would have let it pass.
    let (report, _) = impact(&stand, &["--candidate", path(&active), &calls[0]]);
    assert_eq!(report["changes"], json!({"hold_to_allow": 1}), "{report}");
    let told = stand.output(&["policy", "explain", &calls[0]]);
    assert!(told.starts_with("HOLD") && told.contains("judged again"), "{told}");
}

/// Who sees which tools, who may decide and how many must are compared like what is decided on calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_people_and_edits_are_asked_again() {
    let with = |word: &str, people: u32, visible: &str, approve: &str| {
        let hold = format!(
            "hold contains {{\"rule\": \"waits\", \"text\": \"waits\", \"release\": {{\"groups\": [], \
             \"people\": {people}, \"expires_seconds\": 600}}}} if input.tool.name == \"create_article\"\n"
        );
        let folder = folder(word, false);
        let mut text = rules(word, false);
        for (name, file) in &mut text {
            match *name {
                "admit.rego" => file.push_str(&hold),
                "visible.rego" => {
                    *file = file.replace("input.tools", &format!("input.tools; {visible}"))
                }
                "approve.rego" => file.push_str(approve),
                _ => {}
            }
            *file = file
                .replace("if some tool in input.tools; ", "if {\n\tsome tool in input.tools\n\t");
        }
        let visible = &mut text.iter_mut().find(|(name, _)| *name == "visible.rego").unwrap().1;
        visible.push_str("}\n");
        write(folder.path(), &text);
        folder
    };
    let active = with("one", 1, "tool.name", "");
    let more = format!("{KEEP}holds: {{ wait: 300ms }}\n");
    let stand = stand(active.path(), &more).await;
    let client = stand.client().connected().await;
    client.request("tools/list", json!({})).await;
    let call = json!({"title": "t", "author_id": 7_000_001, "state": "draft"});
    let pending = client.call("create_article", call).await;
    assert!(pending.tool_text().starts_with("PENDING"), "{pending:?}");
    let id = stand.holds().await[0].id;
    let arguments = json!({"title": "better", "author_id": 7_000_001, "state": "draft"});
    let edit = Wish::Edit { arguments: arguments.to_string() };
    let done = told(stand.ask(&wish(id, &stand.approver_key, edit)).await);
    assert!(done.is_ok(), "{done:?}");
    until("it is sent", async || stand.sent("better") == 1).await;
    settled(&stand).await;
    until("the list is kept", async || {
        tape(&stand).iter().any(|it| it.question == Question::Visible)
    })
    .await;
    let decisions = decisions(&stand, "create_article");
    assert_eq!(decisions.len(), 3, "when it came, when it was changed, when it was released");

    // The same rules: everything is asked, nothing differs.
    let (same, code) = impact(&stand, &["--candidate", path(&active), "--fail-on", "any"]);
    assert_eq!((code, &same["changes"]), (0, &json!({})), "{same}");
    for (question, least) in [("visible", 1), ("approve", 2), ("admit", 3)] {
        let total = &same["totals"][question];
        assert!(total["asked"].as_u64().unwrap() >= least, "{question}: {same}");
        assert_eq!(total["asked"], total["records"], "{question}: {same}");
    }
    // Another list, another approver, more people.
    let deny =
        "deny contains {\"rule\": \"not_ann\", \"text\": \"no\"} if input.approver.id == \"ann\"\n";
    let other = with("two", 2, "tool.name != \"create_article\"", deny);
    let (report, _) = impact(&stand, &["--candidate", path(&other)]);
    let rows: Vec<&Value> = report["rows"].as_array().unwrap().iter().collect();
    let of = |question: &str| -> Vec<&Value> {
        rows.iter().filter(|row| row["question"] == question).copied().collect()
    };
    for row in of("visible") {
        assert_eq!(
            (&row["change"], &row["tool"]),
            (&json!("allow_to_deny"), &json!("create_article"))
        );
    }
    assert!(!of("visible").is_empty(), "{report}");
    let wishes = of("approve");
    assert!(wishes.len() >= 2, "{report}");
    for row in wishes {
        let found = json!([row["change"], row["approver"], row["action"], row["principal"]]);
        assert_eq!(found, json!(["allow_to_deny", "ann", "edit", "agent"]), "{row}");
        assert!(
            row["rules"] == json!(["approve.not_ann"]) && row["decision"] == decisions[0],
            "{row}"
        );
    }
    let held = of("admit");
    assert_eq!(held.len(), 3, "{report}");
    for row in held {
        assert_eq!(row["change"], "release", "{row}");
        assert_eq!(row["demands"], json!(["- people: 1", "+ people: 2"]), "{row}");
    }
    // For people and pages the person is named.
    for format in ["pretty", "html", "github"] {
        let all = ["policy", "impact", "--candidate", path(&other), "--format", format];
        let text = String::from_utf8(stand.run(&all).stdout).unwrap();
        assert!(text.contains("ann") && text.contains("not_ann"), "{format}: {text}");
    }
    // Of one decision that is named there are the wishes, and no list.
    let (report, _) = impact(&stand, &["--candidate", path(&other), &decisions[0]]);
    assert!(report["totals"]["visible"].is_null(), "{report}");
    assert!(report["totals"]["approve"]["asked"].as_u64().unwrap() >= 2, "{report}");
    let cases = stand.output(&["policy", "record"]);
    for question in ["visible", "approve"] {
        assert!(cases.contains(&format!("question: \"{question}\"")), "{cases}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_that_are_not_there_are_no_agreement() {
    let candidate = folder("one", false);
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("missing");
    for (place, words) in [
        (missing.to_str().unwrap(), "No such file"),
        (path(&empty), "there are no cases to compare on"),
        (path(&candidate), "has no cases (`*.cases.yaml`)"),
    ] {
        let output = std::process::Command::new(crate::stand::binary())
            .args(["policy", "impact", "--candidate", path(&candidate), "--fixtures", place])
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{place}: {told}");
        assert!(told.contains(words) && output.stdout.is_empty(), "{place}: {told}");
    }
}

/// What the rules do not answer in time is a status of its own, whatever `--fail-on` names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_do_not_answer_in_time_end_with_a_status_of_their_own() {
    let slow = folder("slow", false);
    let deny = "deny contains {\"rule\": \"loop\", \"text\": \"slow\"} if {\n\
                \tinput.arguments.id == \"late\"\n\tsome a in numbers.range(1, 3000)\n\
                \tsome b in numbers.range(1, 3000)\n\ta * b == 10000000\n}\n";
    let mut text = rules("slow", false);
    text[0].1.push_str(deny);
    write(slow.path(), &text);
    let cases = tempfile::tempdir().unwrap();
    let case = |name: &str, verdict: &str| {
        format!(
            "- name: {name}\n  as: {{id: bot}}\n  tool: get_article\n  arguments: {{id: {name}}}\n  \
             expect: {{verdict: {verdict}}}\n"
        )
    };
    for (late, verdict, fail_on, code) in [
        (true, "allow", "any", 3),
        (true, "allow", "none", 3),
        (false, "allow", "any", 0),
        (true, "deny", "any", 1),
    ] {
        let mut text = case("soon", verdict);
        if late {
            text.push_str(&case("late", "allow"));
        }
        std::fs::write(cases.path().join("a.cases.yaml"), text).unwrap();
        let output = std::process::Command::new(crate::stand::binary())
            .args(["policy", "impact", "--candidate", path(&slow), "--fixtures", path(&cases)])
            .args(["--fail-on", fail_on])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{late} {verdict}: {text}");
        assert_eq!(text.contains("late       1: not answered in time"), late, "{text}");
        assert!(!text.contains("allow -> deny"), "{text}");
    }
}
