//! The closed road: whatever fails, nothing reaches Intercom without a durable record that allows it.
//!
//! Every method of every revision, with every tool, is sent while something is broken. The witness
//! is the simulator's own record, which is held against the log: for each message that arrived there
//! must be an earlier record that allows it, or a hold that was about to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use http::Method as Http;
use http_body_util::BodyExt as _;
use portcullis::domain::{Era, Revision};
use portcullis::intercom::Catalogue;
use portcullis::mcp::methods::{Form, Method, Sender, TABLE};
use portcullis::simulator::Options;
use portcullis::simulator::options::{Definition, Speak};
use serde_json::{Value, json};

use crate::client::{Client, DEADLINE};
use crate::door::intrusions;
use crate::raw::{Connection, Raw};
use crate::stand::{AGENT, Setup, Stand};

const LEGACY: [Revision; 3] = [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25];
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// What passes on purpose for a principal that may only read. `sent` reached Intercom; anything
/// else is how it ended here: the HTTP status, and the JSON-RPC code of an error. A new method or
/// tool makes this list wrong, and whoever adds it says here what becomes of it.
const GOLDEN: &str = "\
initialize                         | sent       | sent       | sent       | -
ping                               | 200        | 200        | 200        | -
tools/list                         | sent       | sent       | sent       | sent
tools/call search_conversations    | sent       | sent       | sent       | sent
tools/call get_conversation        | sent       | sent       | sent       | sent
tools/call search_contacts         | sent       | sent       | sent       | sent
tools/call get_contact             | sent       | sent       | sent       | sent
tools/call list_companies          | sent       | sent       | sent       | sent
tools/call get_company             | sent       | sent       | sent       | sent
tools/call list_articles           | sent       | sent       | sent       | sent
tools/call search_articles         | sent       | sent       | sent       | sent
tools/call get_article             | sent       | sent       | sent       | sent
tools/call create_article          | 200 error  | 200 error  | 200 error  | 200 error
tools/call update_article          | 200 error  | 200 error  | 200 error  | 200 error
tools/call add_internal_note       | 200 error  | 200 error  | 200 error  | 200 error
tools/call search                  | sent       | sent       | sent       | sent
tools/call fetch                   | sent       | sent       | sent       | sent
tools/call submit_mcp_feedback     | 200 error  | 200 error  | 200 error  | 200 error
tools/call a_tool_that_nobody_has  | 200 error  | 200 error  | 200 error  | 200 error
prompts/list                       | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
prompts/get                        | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
resources/list                     | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
resources/templates/list           | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
resources/read                     | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
resources/subscribe                | 200 -31403 | 200 -31403 | 200 -31403 | -
resources/unsubscribe              | 200 -31403 | 200 -31403 | 200 -31403 | -
completion/complete                | 200 -31403 | 200 -31403 | 200 -31403 | 200 -31403
logging/setLevel                   | sent       | sent       | sent       | -
notifications/initialized          | 202        | 202        | 202        | -
notifications/cancelled            | 202        | 202        | 202        | 202
notifications/progress             | sent       | sent       | sent       | -
notifications/roots/list_changed   | sent       | sent       | sent       | -
tasks/get                          | -          | -          | 200 -32602 | sent
tasks/cancel                       | -          | -          | 200 -32602 | sent
tasks/result                       | -          | -          | 200 -32602 | -
tasks/list                         | -          | -          | 200        | -
notifications/tasks/status         | -          | -          | 202        | -
server/discover                    | -          | -          | -          | 200
subscriptions/listen               | -          | -          | -          | sent
tasks/update                       | -          | -          | -          | 200 -31403
";

/// One thing that an agent can send.
#[derive(Debug, Clone, Copy)]
struct Cell {
    revision: Revision,
    method: &'static Method,
    tool: Option<&'static str>,
}

impl Cell {
    /// As what Intercom would see it.
    fn label(&self) -> String {
        match self.tool {
            Some(tool) => format!("{} {tool}", self.method.name),
            None => self.method.name.to_owned(),
        }
    }
}

/// Every method that clients have, in every revision, and every tool, with one that nobody has.
fn cells() -> Vec<Cell> {
    let tools: Vec<&'static str> = tools();
    let mut cells = Vec::new();
    for revision in Revision::ALL {
        let rows = TABLE.iter().filter(|row| row.sender == Sender::Client);
        for method in rows.filter(|row| row.in_revision(revision)) {
            if method.name == "tools/call" {
                let of = |tool: &&'static str| Cell { revision, method, tool: Some(tool) };
                cells.extend(tools.iter().map(of));
            } else {
                cells.push(Cell { revision, method, tool: None });
            }
        }
    }
    cells
}

fn tools() -> Vec<&'static str> {
    let known = Catalogue::shipped().entries().iter().map(|entry| entry.name.as_str());
    known.chain(["a_tool_that_nobody_has"]).collect()
}

/// Arguments that fit the tool's schema.
pub(crate) fn arguments(tool: &str) -> Value {
    match tool {
        "get_conversation" => json!({"id": "215470000000101"}),
        "get_contact" => json!({"id": "66b0c0de0000000000000a01"}),
        "get_company" => json!({"id": "66b0c0de0000000000000c01"}),
        "get_article" => json!({"id": "9100001"}),
        "fetch" => json!({"id": "conversation_215470000000101"}),
        "search" => json!({"query": "object_type:conversations state:open"}),
        "search_contacts" => json!({"email_domain": "example.com"}),
        "search_articles" => json!({"phrase": "refund"}),
        "create_article" => json!({"title": "t", "author_id": 7000001}),
        "update_article" => json!({"id": "9100001", "title": "t"}),
        "add_internal_note" => json!({"conversation_id": "215470000000101", "body": "<p>b</p>"}),
        _ => json!({}),
    }
}

/// The sessions of an agent by revision, and a task of Intercom's that is the agent's.
#[derive(Default)]
struct Agent {
    sessions: BTreeMap<Revision, String>,
    task: String,
}

static NEXT_ID: AtomicI64 = AtomicI64::new(1000);

impl Agent {
    /// Opens a session of every legacy revision, and asks for a task.
    async fn connected(stand: &Stand) -> Self {
        let mut sessions = BTreeMap::new();
        for revision in LEGACY {
            let mut client = stand.client();
            client.initialize(revision.as_str()).await;
            let session = client.session().unwrap_or_else(|| panic!("{}", stand.stderr()));
            sessions.insert(revision, session.to_owned());
        }
        let client = stand.client();
        let call = json!({"name": "get_conversation", "arguments": arguments("get_conversation")});
        let capabilities = json!({"extensions": {TASKS: {}}});
        let reply = client.modern("tools/call", call, capabilities).await;
        let task = reply.answer()["result"]["taskId"].as_str().unwrap_or("no-task").to_owned();
        Self { sessions, task }
    }

    /// The headers and the body of a cell.
    fn message(&self, cell: &Cell) -> (Vec<(String, String)>, String) {
        let mut params = match cell.method.name {
            "initialize" => json!({"protocolVersion": cell.revision.as_str(), "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"}}),
            "tools/call" => {
                let tool = cell.tool.unwrap();
                json!({"name": tool, "arguments": arguments(tool)})
            }
            "prompts/get" => json!({"name": "p"}),
            name if name.starts_with("resources/") && !name.ends_with("list") => {
                json!({"uri": "test://x"})
            }
            "completion/complete" => json!({"ref": {"type": "ref/prompt", "name": "p"},
                "argument": {"name": "a", "value": "b"}}),
            "logging/setLevel" => json!({"level": "info"}),
            "subscriptions/listen" => json!({"notifications": {"toolsListChanged": true}}),
            "tasks/update" => json!({"taskId": self.task, "inputResponses": {}}),
            "tasks/list" => json!({}),
            name if name.starts_with("tasks/") => json!({"taskId": self.task}),
            "notifications/progress" => json!({"progressToken": 1, "progress": 1}),
            "notifications/cancelled" => json!({"requestId": 1}),
            "notifications/tasks/status" => json!({"taskId": "x", "status": "working"}),
            _ => json!({}),
        };
        let mut headers = Vec::new();
        let mut header =
            |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        if cell.revision.era() == Era::Modern {
            header("mcp-protocol-version", cell.revision.as_str());
            header("mcp-method", cell.method.name);
            if let Some(name) =
                ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str())
            {
                header("mcp-name", name);
            }
            let extensions =
                if cell.method.name.starts_with("tasks/") { json!({TASKS: {}}) } else { json!({}) };
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": cell.revision.as_str(),
                "io.modelcontextprotocol/clientCapabilities": {"extensions": extensions},
            });
        } else if cell.method.name != "initialize" {
            header("mcp-protocol-version", cell.revision.as_str());
            if let Some(session) = self.sessions.get(&cell.revision) {
                header("mcp-session-id", session);
            }
        }
        let mut body = json!({"jsonrpc": "2.0", "method": cell.method.name, "params": params});
        if cell.method.form == Form::Request {
            body["id"] = json!(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        }
        (headers, body.to_string())
    }

    /// A cell byte by byte, on a connection that it has for itself.
    fn raw(&self, stand: &Stand, cell: &Cell) -> Raw {
        let (headers, body) = self.message(cell);
        let raw = Raw::post(stand, body).set("Connection", "close");
        headers.iter().fold(raw, |raw, (name, value)| raw.set(name, value))
    }

    /// Sends a cell; the status and the first message that comes back.
    async fn send(&self, client: &Client, cell: &Cell) -> Answered {
        let (headers, body) = self.message(cell);
        let response = client.open(Http::POST, &headers, body).await;
        let status = response.status().as_u16();
        let mut text = String::new();
        let mut body = response.into_body();
        let read = async {
            while let Some(Ok(frame)) = body.frame().await {
                let Ok(data) = frame.into_data() else { continue };
                text.push_str(&String::from_utf8_lossy(&data));
                if let Some(message) = first_message(&text) {
                    return message;
                }
            }
            Value::Null
        };
        let message = tokio::time::timeout(DEADLINE, read).await.unwrap();
        Answered { status, message }
    }
}

fn first_message(text: &str) -> Option<Value> {
    let events = text.split("\n\n").filter(|_| text.contains("\n\n"));
    let data = events.flat_map(str::lines).filter_map(|line| line.strip_prefix("data:"));
    let mut messages = data.filter_map(|data| serde_json::from_str(data.trim()).ok());
    messages.next().or_else(|| serde_json::from_str(text).ok())
}

#[derive(Debug)]
struct Answered {
    status: u16,
    message: Value,
}

impl Answered {
    /// Whether the agent could take it for an answer of Intercom.
    fn is_success(&self) -> bool {
        let result = &self.message["result"];
        result.is_object() && result["isError"] != true && result["resultType"] != "input_required"
    }
}

/// Messages that reached Intercom and that no durable record allowed before.
fn unwitnessed(stand: &Stand) -> Vec<String> {
    // Taken before the log is read: what arrives in between is not yet asked about.
    let arrived = stand.simulator.received();
    let mut allowed: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    for record in stand.records() {
        let label = match record["type"].as_str() {
            Some("decision") if record["decision"]["verdict"] == "allow" => {
                label_of(&record["call"])
            }
            Some("hold") if record["event"] == "opened" => {
                let hold = record["hold"].as_str().unwrap().to_owned();
                held.insert(hold, label_of(&record["call"]));
                continue;
            }
            Some("hold") if record["event"] == "sending" => {
                held[record["hold"].as_str().unwrap()].clone()
            }
            _ => continue,
        };
        allowed.entry(label).or_default().push(millis(&record["at"]));
    }
    let mut received: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for it in arrived {
        let label = match (it.http.as_str(), it.tool.as_deref(), it.method.as_str()) {
            ("GET /mcp", _, _) => "session/listen".to_owned(),
            ("DELETE /mcp", _, _) => "session/end".to_owned(),
            (_, Some(tool), method) => format!("{method} {tool}"),
            (_, None, "") => "answer".to_owned(),
            (_, None, method) => method.to_owned(),
        };
        received.entry(label).or_default().push(i64::try_from(it.at).unwrap());
    }
    let mut wrong = Vec::new();
    for (label, mut times) in received {
        let mut permits = allowed.remove(&label).unwrap_or_default();
        permits.sort_unstable();
        times.sort_unstable();
        for (index, at) in times.iter().enumerate() {
            if permits.get(index).is_none_or(|permit| permit > at) {
                wrong.push(format!(
                    "{label}: number {} of {}, {} allowed",
                    index + 1,
                    times.len(),
                    permits.len()
                ));
            }
        }
    }
    wrong
}

fn label_of(call: &Value) -> String {
    let method = call["method"].as_str().unwrap();
    match call["subject"]["kind"].as_str() {
        Some("tool") => format!("{method} {}", call["subject"]["name"].as_str().unwrap()),
        Some("answer") => "answer".to_owned(),
        _ => method.to_owned(),
    }
}

fn millis(at: &Value) -> i64 {
    at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Intercom of both eras, with tasks; policies in a folder that a test can change.
fn setup(more: &str) -> Setup {
    Setup {
        simulator: Options { speak: Speak::Dual, tasks: Some(1000), ..Options::default() },
        more: format!("holds: {{ wait: 100ms, poll: 100ms }}\ndrain: 1s\n{more}"),
        ..Setup::default()
    }
}

fn with_policies() -> Setup {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/default");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with("_test.rego") {
            files
                .push((format!("policies/{name}"), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    Setup { files, ..setup("policies: policies\n") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_for_a_reader_is_listed() {
    let stand = Stand::start(Setup { roles: "support-reader", ..setup("") }).await;
    let agent = Agent::connected(&stand).await;
    let client = stand.client();
    let mut table: BTreeMap<(usize, String), BTreeMap<Revision, String>> = BTreeMap::new();
    let order: Vec<String> = cells().iter().map(Cell::label).collect();
    for cell in cells() {
        let label = cell.label();
        let count = || received_as(&stand, &label);
        let before = count();
        let answered = agent.send(&client, &cell).await;
        let outcome = match answered.message["error"]["code"].as_i64() {
            _ if count() > before => "sent".to_owned(),
            Some(code) => format!("{} {code}", answered.status),
            None if answered.message["result"]["isError"] == true => {
                format!("{} error", answered.status)
            }
            None => answered.status.to_string(),
        };
        let place = order.iter().position(|other| *other == label).unwrap();
        table.entry((place, label)).or_default().insert(cell.revision, outcome);
    }
    let mut found = String::new();
    for ((_, label), outcomes) in table {
        found.push_str(&format!("{label:34}"));
        for revision in Revision::ALL {
            found.push_str(&format!(
                " | {:10}",
                outcomes.get(&revision).map_or("-", String::as_str)
            ));
        }
        found.truncate(found.trim_end().len());
        found.push('\n');
    }
    assert_eq!(unwitnessed(&stand), [""; 0]);
    assert!(found == GOLDEN, "what passes has changed; if on purpose, say so in GOLDEN:\n{found}");
    // The witness would see a message that took another road.
    let past = Client::new(&stand.simulator.url(), stand.simulator.token());
    let call = json!({"name": "get_contact", "arguments": arguments("get_contact")});
    past.modern("tools/call", call, json!({})).await;
    assert_eq!(unwitnessed(&stand), ["tools/call get_contact: number 5 of 5, 4 allowed"]);
}

fn received_as(stand: &Stand, label: &str) -> usize {
    let label_of = |it: &portcullis::simulator::Received| match &it.tool {
        Some(tool) => format!("{} {tool}", it.method),
        None => it.method.clone(),
    };
    stand.simulator.received().iter().filter(|it| label_of(it) == label).count()
}

const TRUE_AT_RUN_TIME: &str =
    "input.environment.name == \"production\"\n\tinput.principal.id == \"agent\"";

/// Rules that a bundle may have and that fail when an agent comes, with what the log then says.
fn broken_rules() -> Vec<(&'static str, String, &'static str)> {
    let deny = |text: &str, body: &str| {
        format!(
            "deny contains {{\"rule\": \"broken\", \"text\": {text}}} if {{\n\t{TRUE_AT_RUN_TIME}\n\t{body}\n}}"
        )
    };
    let two =
        "two := \"a\" if input.method\n\ntwo := \"b\" if input.environment.name == \"production\"";
    vec![
        ("type error", deny("\"x\"", "input.method + 1 == 2"), "portcullis.policy_error"),
        (
            "builtin error",
            deny("\"x\"", "lower(input.principal.roles) == \"x\""),
            "portcullis.policy_error",
        ),
        ("conflict", format!("{}\n\n{two}", deny("two", "two")), "portcullis.policy_error"),
        ("invalid answer", deny("n", "n := input.now.unix"), "portcullis.policy_invalid_result"),
        (
            "instructions",
            deny("\"x\"", "some a in data.many\n\tsome b in data.many\n\ta > b\n\tb > a"),
            "portcullis.policy_timeout",
        ),
        (
            "deadline",
            deny(
                "\"x\"",
                "some a in numbers.range(1, 3000)\n\tsome b in numbers.range(1, 3000)\n\ta * b == -1",
            ),
            "portcullis.policy_timeout",
        ),
        ("deny", deny("\"x\"", "input.method"), "admit.broken"),
        ("hold", deny("\"x\"", "input.method").replacen("deny", "hold", 1), "admit.broken"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_fail_let_nothing_pass() {
    let stand = Stand::start(with_policies()).await;
    let agent = Agent::connected(&stand).await;
    let policies = stand.folder.path().join("policies");
    let many: Vec<u32> = (0..400).collect();
    std::fs::write(policies.join("many.json"), json!({"many": many}).to_string()).unwrap();
    let mut points = broken_rules();
    points.push(("silence", String::new(), "admit.nothing_allows"));
    for (name, rule, reason) in points {
        let broken = policies.join("broken.rego");
        if name == "silence" {
            // Every rule of the bundle speaks only where it is tried.
            std::fs::remove_file(broken).unwrap();
            let admit = policies.join("admit.rego");
            let text = std::fs::read_to_string(&admit).unwrap();
            let never = " if {\n\tinput.environment.name == \"sample\"\n";
            std::fs::write(&admit, text.replace(" if {\n", never)).unwrap();
        } else {
            let text = format!("package portcullis.rules.admit\n\nimport rego.v1\n\n{rule}\n");
            std::fs::write(broken, text).unwrap();
        }
        stand.output(&["policy", "reload"]);
        let quick = name != "deadline";
        let cells: Vec<Cell> = cells()
            .into_iter()
            .filter(|cell| quick || cell.revision > Revision::V2025_06_18)
            .collect();
        let found = all_refused(&stand, &agent, &cells, name).await;
        let judged = found.iter().filter(|record| record["type"] == "decision");
        let judged: Vec<&Value> =
            judged.filter(|record| record["call"]["principal"] == AGENT).collect();
        let by_reason =
            judged.iter().filter(|record| record["decision"].to_string().contains(reason));
        let tools = cells.iter().filter(|cell| cell.tool.is_some()).count();
        assert!(by_reason.count() >= tools, "{name}: {judged:?}");
        for record in judged {
            assert_ne!(record["decision"]["verdict"], "allow", "{name}: {record}");
        }
    }
}

/// Sends cells, of which none may reach Intercom nor get an answer; the records made meanwhile.
async fn all_refused(stand: &Stand, agent: &Agent, cells: &[Cell], point: &str) -> Vec<Value> {
    let records = stand.records().len();
    let reached = intrusions(stand).len();
    let client = stand.client();
    for cell in cells {
        let answered = agent.send(&client, cell).await;
        // What Portcullis answers by itself is no business of Intercom's.
        let own = matches!(cell.method.name, "ping" | "server/discover" | "tasks/list");
        let success = answered.is_success() && !own;
        assert!(!success, "{point}: {cell:?} was answered {answered:?}");
    }
    let all = intrusions(stand);
    let mut after: Vec<_> = all[reached..].iter().map(|it| (&it.method, &it.tool)).collect();
    // Portcullis' own looks at what held calls would change; each has its record.
    let looks = ["get_article", "get_conversation"];
    let looked = |record: &&Value| {
        record["call"]["principal"] == "portcullis" && record["call"]["method"] == "tools/call"
    };
    let looked = stand.records().split_off(records).iter().filter(looked).count();
    let before = after.len();
    after.retain(|it| !it.1.as_deref().is_some_and(|tool| looks.contains(&tool)));
    assert!(before - after.len() <= looked, "{point}: a read without a record");
    assert_eq!(unwitnessed(stand), [""; 0], "{point}");
    stand.records().split_off(records)
}

/// The builtin that makes the engine panic is not for policies: such a bundle never decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_would_panic_is_never_loaded() {
    let mut stand = Stand::start(with_policies()).await;
    let text = "package portcullis.rules.admit\n\nimport rego.v1\n\ndeny contains {\"rule\": \"panics\", \
                \"text\": \"x\"} if strings.count(input.arguments.title, \"\") > 0\n";
    std::fs::write(stand.folder.path().join("policies/panics.rego"), text).unwrap();
    let reload = stand.run(&["policy", "reload"]);
    assert!(!reload.status.success(), "{reload:?}");
    assert!(String::from_utf8_lossy(&reload.stderr).contains("panics.rego:5"), "{reload:?}");
    // The rules of before are in force still.
    let client = stand.client().connected().await;
    let read = client.call("get_conversation", arguments("get_conversation")).await;
    assert!(!read.is_tool_error(), "{read:?}");
    assert_eq!(unwitnessed(&stand), [""; 0]);
    assert!(stand.terminate().success());
    let start = stand.run(&["serve"]);
    assert!(!start.status.success(), "{start:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_plugin_lets_nothing_pass() {
    let stand =
        Stand::start(setup("plugins: { shipped: false, without: ['*'], required: [redactor] }\n"))
            .await;
    let found = all_refused(&stand, &Agent::default(), &cells(), "plugin absent").await;
    assert!(found.iter().any(|record| record["decision"]["faults"] == json!(["plugin_absent"])));
    // Not even Portcullis' own connection.
    assert!(stand.simulator.received().is_empty(), "{:?}", stand.simulator.received());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_a_known_key_gets_anywhere() {
    let mut stand = Stand::start(setup("")).await;
    let agent = Agent::connected(&stand).await;
    let gone = stand.add_key("principals", "other");
    let config = std::fs::read_to_string(stand.config()).unwrap();
    let without: Vec<&str> = config.lines().filter(|line| !line.contains("id: other")).collect();
    std::fs::write(stand.config(), without.join("\n")).unwrap();
    stand.kill();
    stand.serve();
    let reached = intrusions(&stand).len();
    for key in ["", "nonsense", &gone, &stand.approver_key, stand.simulator.token()] {
        let client = Client::new(&stand.url, key);
        for cell in cells() {
            let answered = agent.send(&client, &cell).await;
            assert_eq!(answered.status, 401, "{cell:?}: {answered:?}");
        }
    }
    assert_eq!(intrusions(&stand).len(), reached);
    assert_eq!(unwitnessed(&stand), [""; 0]);
    // No key and no token was written down on the way.
    let mut texts = vec![("stderr".to_owned(), stand.stderr().into_bytes())];
    collect(&stand.data(), &mut texts);
    assert!(texts.len() > 3, "{}", texts.len());
    for secret in [&stand.key, &gone, &stand.approver_key, stand.simulator.token()] {
        for (name, bytes) in &texts {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds a secret");
        }
    }
}

/// All files below a folder with their contents.
fn collect(folder: &std::path::Path, texts: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.is_file() {
            texts.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_whose_definition_changed_is_hidden_and_denied() {
    let everything = "support-reader, article-editor, note-writer, knowledge-author";
    let stand = Stand::start(Setup { roles: everything, ..setup("") }).await;
    let agent = Agent::connected(&stand).await;
    let client = stand.client();
    let kinds = [
        Definition::Description,
        Definition::Poisoned,
        Definition::Schema,
        Definition::Annotations,
    ];
    let offered = tools().into_iter().filter(|tool| stand_offers(tool));
    for (tool, kind) in offered.zip(kinds.into_iter().cycle()) {
        stand.simulator.set(|options| {
            options.definition = kind;
            options.changed_tool = tool.to_owned();
        });
        let list = client.modern("tools/list", json!({}), json!({})).await;
        let shown = list.text;
        assert!(shown.contains("\"name\""), "{shown}");
        assert!(!shown.contains(&format!("\"{tool}\"")), "{tool} {kind:?}: {shown}");
        let cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.tool == Some(tool)).collect();
        let found = all_refused(&stand, &agent, &cells, tool).await;
        let changed = found.iter().filter(|it| it["decision"].to_string().contains("tool.changed"));
        assert_eq!(changed.count(), 4, "{tool}: {found:?}");
    }
}

/// Whether the simulator has the tool by default.
fn stand_offers(tool: &str) -> bool {
    !matches!(tool, "submit_mcp_feedback" | "a_tool_that_nobody_has")
}

/// The disk is full from one moment on, with every cell on its way: what is judged gets a 503 or no
/// answer at all, and the process ends in favour of its supervisor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_lets_nothing_pass() {
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let mut stand = Stand::start(Setup { wrapper, ..setup("") }).await;
    let mut left: Vec<Cell> = cells();
    let mut refused = BTreeSet::new();
    for round in 0.. {
        assert!(round < 40, "never answered: {left:?}");
        let agent = Agent::connected(&stand).await;
        let reached = intrusions(&stand).len();
        // The first cell needs a record, so that the failure is noticed in every round.
        let sent: Vec<Cell> = cells().into_iter().take(1).chain(left.drain(..)).collect();
        let connected = sent.iter().map(|cell| (*cell, Connection::open(&stand).unwrap()));
        let mut open: Vec<(Cell, Connection)> = connected.collect();
        // Everything is in the sockets before the first of them is read.
        signal(&stand, "-STOP");
        limit_files(&stand);
        for (cell, connection) in &mut open {
            connection.write(&agent.raw(&stand, cell).bytes());
        }
        signal(&stand, "-CONT");
        for (cell, mut connection) in open {
            match connection.answer() {
                None => left.push(cell),
                Some(answer) => {
                    assert_eq!(answer.status == 503, is_judged(&cell), "{cell:?}: {answer:?}");
                    refused.insert(format!("{} {}", cell.revision, cell.label()));
                }
            }
        }
        assert!(!stand.exited().success());
        assert_eq!(intrusions(&stand).len(), reached, "{:?}", intrusions(&stand));
        // A disk with room again, and the log goes on where it was.
        stand.serve();
        assert_eq!(unwitnessed(&stand), [""; 0]);
        assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
        if left.is_empty() {
            break;
        }
    }
    assert_eq!(refused.len(), cells().len());
}

/// Whether a cell cannot be answered without a record.
fn is_judged(cell: &Cell) -> bool {
    let name = cell.method.name;
    let own = matches!(name, "ping" | "server/discover" | "tasks/list" | "tasks/result")
        || (name.starts_with("tasks/") && cell.revision.era() == Era::Legacy);
    cell.method.form == Form::Request && !own
}

fn signal(stand: &Stand, signal: &str) {
    let status =
        std::process::Command::new("kill").args([signal, &stand.pid().to_string()]).status();
    assert!(status.unwrap().success());
}

/// From now on the process can make no file longer.
fn limit_files(stand: &Stand) {
    let mut command = std::process::Command::new("prlimit");
    let status = command.args(["--pid", &stand.pid().to_string(), "--fsize=0:0"]).status();
    assert!(status.unwrap().success());
}

/// The Nth sync of the log fails: N grows, so that it hits one cell after another, and what is
/// recorded after an answer. CI takes more of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_lets_nothing_pass() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: there is no strace");
        return;
    }
    let rounds: u64 = std::env::var("PORTCULLIS_SYNC_FAILURES").map_or(6, |it| it.parse().unwrap());
    let mut stand = Stand::start(setup("")).await;
    // The definitions are pinned, so that a start syncs a handful of times.
    Agent::connected(&stand).await;
    assert!(stand.terminate().success());
    // A subscription is a stream without end.
    let ends = |cell: &Cell| is_judged(cell) && cell.method.name != "subscriptions/listen";
    let mut cells = cells().into_iter().filter(ends).cycle();
    let mut seen = 0;
    for round in 0..rounds {
        let inject = format!("inject=fdatasync:error=EIO:when={}+", 40 + 3 * round);
        let wrapper =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject];
        stand.wrap(&wrapper);
        stand.serve();
        let agent = Agent::connected(&stand).await;
        for cell in cells.by_ref() {
            let reached = received_as(&stand, &cell.label());
            let connection = Connection::open(&stand).and_then(|mut connection| {
                connection.write(&agent.raw(&stand, &cell).bytes());
                connection.answer()
            });
            // Without an answer: the sync of an earlier call's outcome failed, and the process ends.
            let Some(answer) = connection else { break };
            if answer.status == 503 {
                // `initialize` may be at Intercom already when what follows it fails.
                let arrived = received_as(&stand, &cell.label()) - reached;
                assert!(arrived == 0 || cell.method.name == "initialize", "{cell:?}");
                seen += 1;
                break;
            }
            assert!(answer.status < 500, "{cell:?}: {answer:?}");
        }
        assert!(!stand.exited().success());
        assert!(stand.stderr().contains("audit log"), "{}", stand.stderr());
    }
    stand.wrap(&[]);
    stand.serve();
    assert_eq!(unwitnessed(&stand), [""; 0]);
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    println!("{seen} of {rounds} failures met a call");
    assert!(seen > 0);
}
