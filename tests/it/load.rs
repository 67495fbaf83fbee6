//! The load that runs while the server is killed: agents of every way of waiting, and people who
//! decide, all of whom write down what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::control::{self, Answer, Question, Wish};
use portcullis::domain::{HoldId, HoldState};
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::road::CONVERSATION;
use crate::stand::{Stand, binary, wish};

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A small generator of chance (splitmix64): the same seed gives the same moments.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// How an agent waits for a held call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Legacy,
    Rounds,
    Task,
}

/// What agents and people were told, by whole answers only.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    /// By client: tool calls tried, and those answered.
    pub(crate) calls: BTreeMap<String, (u64, u64)>,
    /// Call ids of denials.
    pub(crate) denied: Vec<String>,
    /// Held calls by their title.
    pub(crate) held: BTreeMap<String, Waiting>,
    pub(crate) approved: BTreeSet<HoldId>,
    pub(crate) rejected: BTreeSet<HoldId>,
}

/// A call that an agent was told is held.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    way: Way,
    pub(crate) hold: Option<HoldId>,
    state: Option<String>,
    /// The first word of the outcome, or `executed`.
    pub(crate) outcome: Option<String>,
}

pub(crate) type Shared = Arc<Mutex<Ledger>>;

/// Everything that runs against the server during one life of it.
pub(crate) fn load(
    stand: &Stand,
    ledger: &Shared,
    life: u64,
    dice: &mut Dice,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    let mut agent = |name: &str| {
        let name = format!("{name}-{life}");
        let client = stand.client().named(name.clone());
        Agent::new(&name, client, ledger, Dice(dice.below(u64::MAX)))
    };
    for (name, version) in [("old", "2025-03-26"), ("mid", "2025-11-25")] {
        tasks.push(tokio::spawn(agent(name).read_legacy(version)));
    }
    tasks.push(tokio::spawn(agent("new").read_modern()));
    for (name, way) in [
        ("legacy", Way::Legacy),
        ("legacy2", Way::Legacy),
        ("rounds", Way::Rounds),
        ("task", Way::Task),
    ] {
        tasks.push(tokio::spawn(agent(name).write(way)));
    }
    for by_command in [false, false, true] {
        let (data, key) = (stand.data(), stand.approver_key.clone());
        let dice = Dice(dice.below(u64::MAX));
        let command = by_command.then(|| stand.config());
        let person = Person { data, key, command, ledger: ledger.clone(), dice };
        tasks.push(tokio::spawn(person.decide()));
    }
    tasks
}

pub(crate) struct Agent {
    client: Client,
    name: String,
    ledger: Shared,
    dice: Dice,
}

impl Agent {
    pub(crate) fn new(name: &str, client: Client, ledger: &Shared, dice: Dice) -> Self {
        Self { client, name: name.to_owned(), ledger: ledger.clone(), dice }
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn tries(&self) {
        self.ledger().calls.entry(self.name.clone()).or_default().0 += 1;
    }

    /// Notes a whole answer.
    fn heard(&self, reply: &Reply) {
        let mut ledger = self.ledger();
        if reply.answer().get("result").is_some() {
            ledger.calls.get_mut(&self.name).unwrap().1 += 1;
            let text = reply.answer()["result"]["content"][0]["text"].as_str().unwrap_or_default();
            if let Some((_, id)) = text.split_once(" Record: ") {
                ledger.denied.push(id.trim().to_owned());
            }
        }
    }

    fn reading(&mut self) -> (&'static str, Value) {
        match self.dice.below(3) {
            0 => ("submit_mcp_feedback", json!({})),
            _ => ("get_conversation", json!({"id": CONVERSATION})),
        }
    }

    async fn read_legacy(mut self, version: &'static str) {
        let client = std::mem::replace(&mut self.client, Client::new("", ""));
        let Some(client) = client.try_connected(version).await else { return };
        self.client = client;
        loop {
            let (tool, arguments) = self.reading();
            self.tries();
            let Some(reply) = self.client.try_call(tool, arguments).await else { return };
            self.heard(&reply);
        }
    }

    async fn read_modern(mut self) {
        loop {
            let (tool, arguments) = self.reading();
            let params = json!({"name": tool, "arguments": arguments});
            self.tries();
            let Some(reply) = self.client.try_modern("tools/call", params, json!({})).await else {
                return;
            };
            self.heard(&reply);
        }
    }

    /// Writes new things, and asks for the outcome of old ones.
    async fn write(mut self, way: Way) {
        if way == Way::Legacy {
            let client = std::mem::replace(&mut self.client, Client::new("", ""));
            let Some(client) = client.try_connected("2025-06-18").await else { return };
            self.client = client;
        }
        let mut count = 0_u64;
        loop {
            let open = self.open(way);
            let old = !open.is_empty() && self.dice.below(3) > 0;
            let title = if old {
                open[self.dice.below(open.len() as u64) as usize].clone()
            } else {
                count += 1;
                format!("{} number {count}", self.name)
            };
            if self.ask(way, &title).await.is_none() {
                return;
            }
        }
    }

    pub(crate) fn open(&self, way: Way) -> Vec<String> {
        let ledger = self.ledger();
        let open = ledger.held.iter().filter(|(_, it)| it.way == way && it.outcome.is_none());
        open.map(|(title, _)| title.clone()).collect()
    }

    /// Calls, or calls again; `None` if the server is gone.
    pub(crate) async fn ask(&self, way: Way, title: &str) -> Option<()> {
        let arguments = created(title);
        let mut params = json!({"name": "create_article", "arguments": arguments});
        let known = self.ledger().held.get(title).cloned();
        let tasks = json!({"extensions": {TASKS: {}}});
        self.tries();
        let reply = match (way, known) {
            (Way::Legacy, _) => self.client.try_call("create_article", arguments).await?,
            (Way::Task, Some(Waiting { hold: Some(hold), .. })) => {
                let params = json!({"taskId": hold.to_string()});
                // Asking about a task is no tool call.
                self.ledger().calls.get_mut(&self.name).unwrap().0 -= 1;
                let reply = self.client.try_modern("tasks/get", params, tasks).await?;
                self.task(title, &reply.answer()["result"]);
                return Some(());
            }
            (Way::Task, _) => self.client.try_modern("tools/call", params, tasks).await?,
            (Way::Rounds, known) => {
                if let Some(state) = known.and_then(|it| it.state) {
                    params["requestState"] = Value::String(state);
                }
                self.client.try_modern("tools/call", params, json!({})).await?
            }
        };
        self.heard(&reply);
        let result = &reply.answer()["result"];
        assert!(result.is_object(), "{title}: {reply:?}");
        match result["resultType"].as_str() {
            Some("input_required") => {
                let state = result["requestState"].as_str().map(str::to_owned);
                self.note(title, Waiting { way, hold: None, state, outcome: None });
            }
            Some("task") => {
                let hold = result["taskId"].as_str().unwrap().parse().ok();
                self.note(title, Waiting { way, hold, state: None, outcome: None });
            }
            _ => self.outcome(way, title, result),
        }
        Some(())
    }

    fn task(&self, title: &str, task: &Value) {
        match task["status"].as_str() {
            Some("working") => {}
            Some("completed") => self.outcome(Way::Task, title, &task["result"]),
            _ => panic!("{title}: {task}"),
        }
    }

    fn outcome(&self, way: Way, title: &str, result: &Value) {
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let failed = result["isError"] == true;
        if text.starts_with("PENDING") {
            let hold = text.rsplit("Hold: ").next().unwrap().trim().parse().ok();
            assert!(hold.is_some(), "{text}");
            return self.note(title, Waiting { way, hold, state: None, outcome: None });
        }
        let word = if failed {
            text.split(':').next().unwrap().to_owned()
        } else {
            assert!(text.contains(title), "{title}: {text}");
            "executed".to_owned()
        };
        let hold = text.rsplit_once("Hold: ").and_then(|(_, id)| id.trim().parse().ok());
        let hold = hold.or_else(|| self.ledger().held.get(title).and_then(|it| it.hold));
        self.note(title, Waiting { way, hold, state: None, outcome: Some(word) });
    }

    fn note(&self, title: &str, waiting: Waiting) {
        self.ledger().held.insert(title.to_owned(), waiting);
    }
}

/// Decides by the socket, or by the command if there is a configuration.
struct Person {
    data: PathBuf,
    key: String,
    command: Option<PathBuf>,
    ledger: Shared,
    dice: Dice,
}

impl Person {
    async fn decide(mut self) {
        loop {
            let asked = control::ask(&self.data, &Question::Holds { all: false }).await;
            let Ok(Answer::Holds { holds }) = asked else { return };
            let pending: Vec<HoldId> = holds
                .iter()
                .filter(|hold| hold.state == HoldState::Pending)
                .map(|hold| hold.id)
                .collect();
            if pending.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            let id = pending[self.dice.below(pending.len() as u64) as usize];
            let approves = self.dice.below(5) > 0;
            if self.tell(id, approves).await {
                let mut ledger = self.ledger.lock().unwrap();
                if approves { &mut ledger.approved } else { &mut ledger.rejected }.insert(id);
            }
        }
    }

    /// Whether the decision was acknowledged.
    async fn tell(&self, id: HoldId, approves: bool) -> bool {
        let key = self.key.clone();
        if let Some(config) = &self.command {
            let mut command = command_of(config, &key);
            let id = id.to_string();
            match approves {
                true => command.args(["holds", "approve", &id]),
                false => command.args(["holds", "reject", &id, "not", "now"]),
            };
            let run = tokio::task::spawn_blocking(move || command.output().unwrap());
            return run.await.unwrap().status.success();
        }
        let question = match approves {
            true => wish(id, &key, Wish::Approve),
            false => wish(id, &key, Wish::Reject { reason: "not now".to_owned() }),
        };
        matches!(control::ask(&self.data, &question).await, Ok(Answer::Done { .. }))
    }
}

fn command_of(config: &Path, key: &str) -> std::process::Command {
    let mut command = std::process::Command::new(binary());
    command.arg("--config").arg(config).env("PORTCULLIS_APPROVER_KEY", key);
    command
}

/// What makes a new article: calls that do not stand in each other's way.
pub(crate) fn created(title: &str) -> Value {
    json!({"title": title, "author_id": 7_000_001})
}
