//! How long policy takes: `cargo bench --bench policy`, criterion's own report and a table with p50
//! and p99 beside it.
//!
//! Each row is one question put to one bundle; "kept" is the same question where its answer is kept,
//! as the road does it if the rules look at nothing that differs from call to call.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot begin ends")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;
use portcullis::domain::{Question, Timestamp};
use portcullis::policy::{Asked, Ruleset, Source, Timing};

const ROUNDS: usize = 5_000;

struct Row {
    name: String,
    ruleset: Ruleset,
    question: Question,
    asked: Asked,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(folder.path());
    for row in &rows {
        let now = Timestamp::from_millis(1_785_196_800_000);
        let times = row.ruleset.time(row.question, &row.asked, now, ROUNDS).unwrap();
        let micros =
            |times: &[Duration], percent| Timing::percentile(times, percent).as_secs_f64() * 1e6;
        let mut line = format!(
            "{:<52} p50 {:>8.1} us  p99 {:>8.1} us",
            row.name,
            micros(&times.evaluated, 50),
            micros(&times.evaluated, 99)
        );
        if times.keeps {
            write!(line, "   kept: p50 {:.1} us", micros(&times.road, 50)).unwrap();
        }
        println!("{line}");
    }
    println!("memory of one revision of the shipped bundle: {} KiB", kib_of_a_revision());
    let mut criterion = Criterion::default().configure_from_args().sample_size(50);
    for row in &rows {
        let now = Timestamp::from_millis(1_785_196_800_000);
        criterion.bench_function(&row.name, |bencher| {
            bencher.iter_custom(|rounds| {
                let rounds = usize::try_from(rounds).unwrap_or(usize::MAX);
                let times = row.ruleset.time(row.question, &row.asked, now, rounds).unwrap();
                times.evaluated.iter().sum()
            });
        });
    }
    criterion.final_summary();
}

fn rows(folder: &Path) -> Vec<Row> {
    let shipped = || Ruleset::load(&Source::Shipped).unwrap();
    let call = |bytes: usize| asked("article-editor", "update_article", bytes);
    let read = asked("support-reader", "get_conversation", 900);
    let answer = Asked {
        answer: Some(serde_json::from_str(r#"{"kind": "result", "bytes": 40960}"#).unwrap()),
        ..read.clone()
    };
    let mut rows = vec![
        row("admit, shipped, 1 KB, allowed", shipped(), Question::Admit, read),
        row("admit, shipped, 1 KB, held", shipped(), Question::Admit, call(900)),
        row("admit, shipped, 30 KB", shipped(), Question::Admit, call(30_000)),
        row("disclose, shipped, 40 KB answer", shipped(), Question::Disclose, answer),
        row("visible, shipped", shipped(), Question::Visible, call(0)),
    ];
    for (name, more) in [("members of", ""), ("whole", "\tcount(record) > 0\n")] {
        let ruleset = Ruleset::load(&Source::Folder(on_records(folder, name, more))).unwrap();
        let name = format!("disclose, {name} records, 40 KB answer");
        rows.push(row(&name, ruleset, Question::Disclose, listed()));
    }
    for count in [1, 100, 1_000] {
        let bundle = bundle(folder, &format!("rules-{count}"), &many_rules(count), "{}");
        rows.push(row(&format!("admit, {count} rules"), bundle, Question::Admit, call(900)));
    }
    for count in [10, 100, 10_000] {
        let bundle = bundle(folder, &format!("roles-{count}"), BY_ROLE, &many_roles(count));
        rows.push(row(
            &format!("admit, {count} role bindings"),
            bundle,
            Question::Admit,
            asked("role-7", "update_article", 900),
        ));
    }
    rows
}

fn row(name: &str, ruleset: Ruleset, question: Question, asked: Asked) -> Row {
    let interpreted = ruleset.interpreted_because().map(|why| format!(" (interpreter: {why})"));
    Row { name: format!("{name}{}", interpreted.unwrap_or_default()), ruleset, question, asked }
}

fn asked(role: &str, tool: &str, bytes: usize) -> Asked {
    Asked::read(
        &serde_json::json!({
            "principal": {"id": "bot", "roles": [role], "groups": ["g"], "on_behalf_of": "ann"},
            "tool": tool,
            "arguments": {"id": "1", "state": "draft", "body": "x".repeat(bytes)},
        })
        .to_string(),
    )
    .unwrap()
}

/// A bundle that looks at the records of answers, as such rules are written: where each is taken as a
/// whole, all of it is built.
fn on_records(folder: &Path, name: &str, more: &str) -> PathBuf {
    let rules = format!(
        "package portcullis.rules.disclose\n\nimport rego.v1\n\n\
         allow contains {{\"rule\": \"any\", \"text\": \"any\"}} if input.principal.id == \"bot\"\n\n\
         oblige contains {{\"rule\": \"vip\", \"text\": \"vip\", \"drop\": record.ref}} if {{\n\
         \tsome record in input.answer.records\n\trecord.type == \"conversation\"\n{more}\
         \t\"vip\" in record.tags\n\tnot record.partial\n}}\n"
    );
    bundle(folder, name, &many_rules(1), "{}");
    let folder = folder.join(name);
    fs::write(folder.join("disclose.rego"), rules).unwrap();
    folder
}

/// A page of conversations, of about 40 KB.
fn listed() -> Asked {
    let conversation = |number: usize| {
        serde_json::json!({
            "type": "conversation", "id": format!("{}", 215_470_000_000_000_u64 + number as u64),
            "title": "t".repeat(60), "state": "open", "priority": "not_priority",
            "team_assignee_id": "701", "admin_assignee_id": 7_000_001,
            "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "plain"}]},
            "contacts": {"type": "contact.list", "contacts": [
                {"type": "contact", "id": format!("66b0c0de{number:016}")}]},
            "source": {"type": "conversation", "body": "b".repeat(120),
                "author": {"type": "user", "id": format!("66b0c0de{number:016}")}},
        })
    };
    let list: Vec<_> = (0..60).map(conversation).collect();
    let text = serde_json::json!({"type": "conversation.list", "conversations": list}).to_string();
    assert!((35_000..45_000).contains(&text.len()), "{}", text.len());
    let result = serde_json::json!({"content": [{"type": "text", "text": text}]});
    let asked = serde_json::json!({
        "principal": {"id": "bot", "roles": ["support-reader"]},
        "tool": "search_conversations",
        "arguments": {},
        "answer": {"kind": "result", "bytes": text.len(), "result": result},
    });
    Asked::read(&asked.to_string()).unwrap()
}

/// A rule for each of many tools and states, as tables of rules are written.
fn many_rules(count: usize) -> String {
    let mut text = String::from("package portcullis.rules.admit\n\nimport rego.v1\n\n");
    text.push_str(
        "allow contains {\"rule\": \"any\", \"text\": \"any\"} if input.principal.id == \"bot\"\n",
    );
    for number in 1..count {
        write!(
            text,
            "\ndeny contains {{\"rule\": \"r{number}\", \"text\": \"no\"}} if {{\n\
             \tinput.tool.name == \"tool_{number}\"\n\tinput.arguments.state == \"published\"\n}}\n"
        )
        .unwrap();
    }
    text
}

const BY_ROLE: &str = "package portcullis.rules.admit\n\nimport rego.v1\n\n\
    allow contains {\"rule\": \"by_role\", \"text\": \"a role has it\"} if {\n\
    \tsome role in input.principal.roles\n\tinput.tool.name in data.bindings[role].tools\n}\n";

fn many_roles(count: usize) -> String {
    let tools = ["search", "update_article", "get_article"];
    let roles: serde_json::Map<String, serde_json::Value> = (0..count)
        .map(|number| (format!("role-{number}"), serde_json::json!({"tools": tools})))
        .collect();
    serde_json::json!({"bindings": roles}).to_string()
}

fn bundle(folder: &Path, name: &str, admit: &str, data: &str) -> Ruleset {
    let folder: PathBuf = folder.join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("admit.rego"), admit).unwrap();
    fs::write(folder.join("data.json"), data).unwrap();
    for (question, rule) in [
        ("visible", "hide contains \"nothing\""),
        ("disclose", "deny contains {\"rule\": \"filler\", \"text\": \"filler\"}"),
        ("approve", "deny contains {\"rule\": \"filler\", \"text\": \"filler\"}"),
    ] {
        let text = format!("package portcullis.rules.{question}\n\nimport rego.v1\n\n{rule}\n");
        fs::write(folder.join(format!("{question}.rego")), text).unwrap();
    }
    Ruleset::load(&Source::Folder(folder)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// By how much the process grows for each of some more revisions.
fn kib_of_a_revision() -> usize {
    const MANY: usize = 40;
    let resident = || {
        let pages = fs::read_to_string("/proc/self/statm").ok()?;
        pages.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4)
    };
    let before = resident().unwrap_or_default();
    let kept: Vec<Ruleset> = (0..MANY).map(|_| Ruleset::load(&Source::Shipped).unwrap()).collect();
    let after = resident().unwrap_or_default();
    after.saturating_sub(before) / kept.len()
}
