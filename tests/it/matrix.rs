//! Least privilege: who sees which tool and what a call of it comes to, cell by cell from a table,
//! for the shipped bundles and over the wire in both eras; and the commands that show it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portcullis::domain::{JsonText, Question, Revision, Timestamp, Verdict};
use portcullis::policy::{Asked, Caller, Ruleset, Source};
use serde_json::{Value, json};

use crate::closed::arguments;
use crate::stand::{Setup, Stand};

/// A column for each principal of [`ROLES`]. `allow` and `hold` mean that the tool is also shown,
/// `-` that it is hidden and a call is denied.
const DEFAULT: &str = "
                      none stranger reader note-writer editor author  note-and-editor
search_conversations  -    -        allow  allow       allow  allow   allow
get_conversation      -    -        allow  allow       allow  allow   allow
search_contacts       -    -        allow  allow       -      -       allow
get_contact           -    -        allow  allow       -      -       allow
list_companies        -    -        allow  allow       -      -       allow
get_company           -    -        allow  allow       -      -       allow
list_articles         -    -        allow  allow       allow  allow   allow
search_articles       -    -        allow  allow       allow  allow   allow
get_article           -    -        allow  allow       allow  allow   allow
create_article        -    -        -      -           -      hold    -
update_article        -    -        -      -           hold   hold    hold
add_internal_note     -    -        -      hold        -      -       hold
search                -    -        allow  allow       -      -       allow
fetch                 -    -        allow  allow       -      -       allow
submit_mcp_feedback   -    -        -      -           -      -       -
delete_contact        -    -        -      -           -      -       -
";

/// The principals of [`DEFAULT`] and their roles.
const ROLES: [(&str, &[&str]); 7] = [
    ("none", &[]),
    ("stranger", &["a-role-that-nobody-wrote"]),
    ("reader", &["support-reader"]),
    ("note-writer", &["note-writer"]),
    ("editor", &["article-editor"]),
    ("author", &["knowledge-author"]),
    ("note-and-editor", &["note-writer", "article-editor"]),
];

/// What a principal may do with a tool: whether it is shown, and what a call comes to.
type May = (bool, Verdict);

const NOTHING: May = (false, Verdict::Deny);

/// The table as principal and tool to what may be done.
fn table() -> BTreeMap<(&'static str, &'static str), May> {
    let mut lines = DEFAULT.trim_start_matches('\n').lines();
    let names: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(names, ROLES.map(|(name, _)| name));
    let mut cells = BTreeMap::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let tool = words.next().unwrap();
        let words: Vec<&str> = words.collect();
        assert_eq!(words.len(), names.len(), "{line}");
        for (name, word) in names.iter().zip(words) {
            let may = match word {
                "allow" => (true, Verdict::Allow),
                "hold" => (true, Verdict::Hold),
                "-" => NOTHING,
                other => panic!("{other}"),
            };
            assert_eq!(cells.insert((*name, tool), may), None, "{tool} twice");
        }
    }
    cells
}

fn tools() -> Vec<&'static str> {
    let lines = DEFAULT.trim_start_matches('\n').lines().skip(1);
    lines.map(|line| line.split_whitespace().next().unwrap()).collect()
}

/// What can be different about a call without a difference in who calls what.
struct Mode {
    name: &'static str,
    revision: Revision,
    pinned: bool,
}

const MODES: [Mode; 3] = [
    Mode { name: "legacy", revision: Revision::V2025_11_25, pinned: true },
    Mode { name: "modern", revision: Revision::V2026_07_28, pinned: true },
    Mode { name: "changed definition", revision: Revision::V2025_11_25, pinned: false },
];

/// What a bundle says of one principal in one mode, for every tool of the table.
async fn said(ruleset: &Ruleset, roles: &[&str], mode: &Mode) -> Vec<(&'static str, May)> {
    let names = tools().into_iter().map(|name| name.to_owned().into()).collect();
    let asked = Asked {
        principal: Caller {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Caller::default()
        },
        revision: Some(mode.revision),
        pinned: Some(mode.pinned),
        tools: Some(names),
        ..Asked::default()
    };
    let now = Timestamp::from_millis(0);
    let listed = ruleset.rule_on(Question::Visible, &asked, now).await.unwrap();
    let shown: BTreeSet<String> = listed.tools.unwrap().into_iter().collect();
    let mut cells = Vec::new();
    for tool in tools() {
        let arguments = JsonText::of(&arguments(tool)).into();
        let asked = Asked { tool: Some(tool.to_owned()), arguments, ..asked.clone() };
        let ruled = ruleset.rule_on(Question::Admit, &asked, now).await.unwrap();
        assert_eq!(ruled.finding.fault, None, "{tool}");
        cells.push((tool, (shown.contains(tool), ruled.finding.verdict)));
    }
    cells
}

#[tokio::test]
async fn the_shipped_bundles_give_what_the_table_says_and_nothing_else() {
    let table = table();
    let default = Ruleset::load(&Source::Shipped).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/conformance");
    let conformance = Ruleset::load(&Source::Folder(folder)).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for mode in &MODES {
        for (name, roles) in ROLES {
            for (tool, may) in said(&default, roles, mode).await {
                let expected = if mode.pinned { table[&(name, tool)] } else { NOTHING };
                count += 1;
                if may != expected {
                    let mode = mode.name;
                    wrong.push(format!("{mode}: {name} {tool}: {may:?}, expected {expected:?}"));
                }
            }
        }
        // The bundle for the protocol's test suite: its one role may do everything, others nothing.
        for (roles, may) in
            [(&["conformance"][..], (true, Verdict::Allow)), (&["support-reader"], NOTHING)]
        {
            for (tool, found) in said(&conformance, roles, mode).await {
                count += 1;
                if found != may {
                    wrong.push(format!("{}: conformance {roles:?} {tool}: {found:?}", mode.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cells are wrong\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, (ROLES.len() + 2) * tools().len() * MODES.len());
}

/// A stand whose principals are those of the table, and their keys.
async fn stand() -> (Stand, BTreeMap<&'static str, String>) {
    let more = "holds: { wait: 100ms, poll: 100ms }\n".to_owned();
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert!(stand.terminate().success());
    let principals: String = ROLES
        .iter()
        .map(|(name, roles)| format!("  - {{ id: {name}, roles: [{}] }}\n", roles.join(", ")))
        .collect();
    stand.edit_config("principals:\n", &format!("principals:\n{principals}"));
    let keys = ROLES.map(|(name, _)| (name, stand.add_key("principals", name)));
    stand.serve();
    (stand, keys.into())
}

fn names(list: &Value) -> BTreeSet<String> {
    let tools = list["result"]["tools"].as_array().unwrap_or_else(|| panic!("{list}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_calls_over_the_wire_are_those_of_the_table_in_both_eras() {
    let (stand, keys) = stand().await;
    let table = table();
    let mut called = 0;
    for (name, roles) in ROLES {
        let expected: BTreeSet<String> =
            tools().into_iter().filter(|tool| table[&(name, *tool)].0).map(str::to_owned).collect();
        let client = crate::client::Client::new(&stand.url, &keys[name]);
        let modern = client.modern("tools/list", json!({}), json!({})).await;
        // Who has no role may not even ask for a list.
        let known = roles.iter().any(|role| *role != "a-role-that-nobody-wrote");
        let mut session = crate::client::Client::new(&stand.url, &keys[name]);
        let opened = session.initialize("2025-06-18").await;
        if known {
            assert_eq!(names(modern.answer()), expected, "{name}, modern");
            assert_eq!(modern.answer()["result"]["cacheScope"], "private", "{name}");
            let legacy = session.request("tools/list", json!({})).await;
            assert_eq!(names(legacy.answer()), expected, "{name}, legacy");
        } else {
            assert!(modern.answer()["error"].is_object(), "{name}: {modern:?}");
            assert!(opened.answer()["error"].is_object(), "{name}: {opened:?}");
            assert!(expected.is_empty());
        }
        for tool in tools() {
            let may = table[&(name, tool)];
            // Portcullis' own looks at what a write would change are calls of other tools.
            let of_tool = || {
                let calls = stand.calls();
                calls.iter().filter(|it| it.tool.as_deref() == Some(tool)).count()
            };
            let before = of_tool();
            let params = json!({"name": tool, "arguments": arguments(tool)});
            let mut replies = vec![client.modern("tools/call", params.clone(), json!({})).await];
            if known {
                replies.push(session.request("tools/call", params).await);
            }
            let sent = of_tool() - before;
            called += replies.len();
            match may {
                (true, Verdict::Allow) => assert_eq!(sent, replies.len(), "{name} {tool}"),
                (true, Verdict::Hold) => {
                    assert_eq!(sent, 0, "{name} {tool} was sent unheld");
                    let modern = &replies[0].answer()["result"];
                    assert_eq!(modern["resultType"], "input_required", "{name} {tool}: {modern}");
                    let legacy = replies[1].tool_text();
                    assert!(legacy.starts_with("PENDING"), "{name} {tool}: {legacy}");
                }
                _ => {
                    assert_eq!(sent, 0, "{name} {tool} was sent though it is hidden");
                    for reply in replies {
                        let text = reply.tool_text();
                        assert!(reply.is_tool_error(), "{name} {tool}: {reply:?}");
                        assert!(text.starts_with("Portcullis refused"), "{name} {tool}: {text}");
                    }
                }
            }
        }
    }
    assert_eq!(called, (5 * 2 + 2) * tools().len());
}

/// The command's table is the table; compared with itself it holds, and a change is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_prints_the_table_and_compares_it() {
    let (stand, _) = stand().await;
    let table = table();
    let csv = stand.output(&["policy", "matrix", "--format", "csv"]);
    let mut seen = 0;
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let Some(may) = ROLES.iter().find(|(name, _)| *name == fields[0]).map(|(name, _)| {
            table[&(*name, *tools().iter().find(|it| **it == fields[1]).unwrap())]
        }) else {
            continue;
        };
        assert_eq!((fields[2], fields[3]), (&*may.0.to_string(), may.1.as_str()), "{line}");
        seen += 1;
    }
    // Neither the tool that is always refused nor the one that nobody has is in the catalogue's list.
    assert_eq!(seen, ROLES.len() * (tools().len() - 2));

    let file = stand.folder.path().join("matrix.csv");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &csv).unwrap();
    assert!(stand.output(&["policy", "matrix", "--expect", path]).starts_with("ok: "));
    let tighter = csv.replace("reader,get_contact,true,allow", "reader,get_contact,false,deny");
    assert_ne!(tighter, csv);
    std::fs::write(&file, tighter).unwrap();
    let output = stand.run(&["policy", "matrix", "--expect", path]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let line = "LOOSER    reader get_contact: expected hidden, deny; is shown, allow";
    assert!(told.contains(line), "{told}");

    let page = stand.output(&["policy", "matrix", "--format", "html", "--principal", "editor"]);
    assert!(
        page.contains("admit.write_waits &#34;Writes wait for a person&#34; (admit.rego:"),
        "{page}"
    );
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script"), "{page}");
    assert_eq!(page.matches("<td ").count(), tools().len() - 2);
}
