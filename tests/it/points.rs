//! SIGKILL at every labelled point of the release path, cycle after cycle: nothing is sent twice, and what
//! may have been sent is never sent again.
//!
//! The points are what a bystander can see: a record in the log's file, written and perhaps not yet durable,
//! and the call at Intercom. The moment it is seen the process is killed, so it is at this point or, on
//! a busy machine, at one that follows. `PORTCULLIS_POINTS` says how many cycles there are; two processes share them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcullis::control::{self, Wish};
use portcullis::domain::{HoldId, HoldState};
use portcullis::simulator::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::DEADLINE;
use crate::live::TASKS;
use crate::load::created;
use crate::stand::{Setup, Stand, number, until, wish};

/// Where the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Approved,
    Claimed,
    Sending,
    /// Intercom has the call and works on it.
    Arrived,
    /// Intercom has worked for about as long as it does, so that the answer is on its way.
    Answering,
    Executed,
    Delivered,
}

use Point::{Answering, Approved, Arrived, Claimed, Delivered, Executed, Sending};

const POINTS: [Point; 7] = [Approved, Claimed, Sending, Arrived, Answering, Executed, Delivered];

/// How long Intercom works on a call.
const WORK: Duration = Duration::from_millis(6);

/// How a call is held: as a task, which is sent when it is released, or in rounds, which send it while the
/// client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Task,
    Rounds,
}

impl Point {
    /// The event whose record is waited for.
    const fn event(self) -> Option<&'static str> {
        match self {
            Approved => Some("approved"),
            Claimed => Some("claimed"),
            Sending => Some("sending"),
            Executed => Some("executed"),
            Delivered => Some("delivered"),
            Arrived | Answering => None,
        }
    }

    /// What may be found of the call when the process is back.
    fn allows(self, state: HoldState) -> bool {
        use HoldState as S;
        match state {
            // Claimed by the process that died: released, and not sent.
            S::Approved | S::Claimed => self <= Sending,
            // Taken up and sent by the one that is back.
            S::Executed => true,
            // It was sending when it died, or had come that far before the signal reached it.
            S::Unknown => self <= Executed,
            // The record that was seen was not yet durable.
            S::Pending => self == Approved,
            _ => false,
        }
    }
}

/// Rules that hold every write, and nothing else to load.
fn policies() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/conformance");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with("_test.rego") {
            std::fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    let waits = "# METADATA\n# title: Writes wait\npackage portcullis.rules.admit\n\nimport rego.v1\n\n\
        # METADATA\n# title: Every write waits\nhold contains {\"rule\": \"writes_wait\", \"text\": \"writes \
        wait\", \"release\": {\"groups\": [], \"people\": 1, \"expires_seconds\": 36000}} if {\n\
        \tinput.tool.effect == \"write\"\n}\n";
    std::fs::write(folder.path().join("waits.rego"), waits).unwrap();
    let anybody = "# METADATA\n# title: Anybody\npackage portcullis.rules.approve\n\nimport rego.v1\n\n\
        # METADATA\n# title: Whoever is an approver\nallow contains {\"rule\": \"anybody\", \"text\": \"anybody \
        releases\"} if {\n\tinput.hold.release.people == 1\n}\n";
    std::fs::write(folder.path().join("approve.rego"), anybody).unwrap();
    let line = format!("policies: {}\n", folder.path().display());
    (folder, line)
}

#[test]
fn killed_at_any_point_of_a_release_nothing_is_sent_twice() {
    let cycles = number("PORTCULLIS_POINTS", 14);
    let began = Instant::now();
    // A process that starts stops its thread, so each half has threads of its own.
    let halves = [0, 1].map(|half| {
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(lives(half, cycles))
        })
    });
    let mut found: BTreeMap<(Point, String), u64> = BTreeMap::new();
    for half in halves {
        for (what, times) in half.join().unwrap() {
            *found.entry(what).or_default() += times;
        }
    }
    let found: Vec<String> = found
        .iter()
        .map(|((point, state), times)| format!("{point:?} -> {state}: {times}"))
        .collect();
    println!(
        "kill -9 at points: {cycles} cycles in {:.0} s; {}; 0 sent twice, 0 unknown sent again",
        began.elapsed().as_secs_f64(),
        found.join(", ")
    );
}

/// Every second cycle, in a process of its own.
async fn lives(half: u64, cycles: u64) -> BTreeMap<(Point, String), u64> {
    let (_policies, line) = policies();
    let more =
        format!("{line}holds: {{ wait: 100ms, poll: 100ms, pending_per_principal: 10000 }}\n");
    let latency = u64::try_from(WORK.as_millis()).unwrap();
    let simulator = Options { latency, keep: 1_000_000, ..Options::default() };
    let setup = Setup { simulator, roles: "conformance", more, ..Setup::default() };
    let mut stand = Stand::start(setup).await;
    let mut found = BTreeMap::new();
    let mut unknown = Vec::new();
    for cycle in (half..cycles).step_by(2) {
        let point = POINTS[usize::try_from(cycle / 2).unwrap() % POINTS.len()];
        let form = if cycle / 2 % 3 == 2 { Form::Rounds } else { Form::Task };
        let title = format!("point {cycle}");
        let id = hold(&stand, form, &title).await;
        die_at(&mut stand, point, form, &title, id).await;
        stand.serve();
        let state = stand.hold(id).await.0.state;
        assert!(point.allows(state), "{title}, {form:?}, killed at {point:?}: it is {state}");
        if state == HoldState::Unknown {
            unknown.push((title.clone(), stand.sent(&title)));
        }
        if state == HoldState::Pending {
            stand.approve(id).await.unwrap();
        }
        *found.entry((point, state.to_string())).or_default() += 1;
        end(&stand, form, &title, id).await;
        let sent = stand.sent(&title);
        assert!(sent <= 1, "{title}, killed at {point:?}: sent {sent} times");
    }
    for (title, sent) in unknown {
        assert_eq!(stand.sent(&title), sent, "{title} was unknown and was sent again");
    }
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    found
}

/// Makes a call that waits.
async fn hold(stand: &Stand, form: Form, title: &str) -> HoldId {
    let reply = ask(stand, form, title).await.unwrap();
    match form {
        Form::Task => reply["result"]["taskId"].as_str().unwrap().parse().unwrap(),
        Form::Rounds => {
            assert_eq!(reply["result"]["resultType"], "input_required", "{reply}");
            stand.holds().await[0].id
        }
    }
}

/// The call, from a server that may die meanwhile.
async fn ask(stand: &Stand, form: Form, title: &str) -> Option<Value> {
    let capabilities = match form {
        Form::Task => serde_json::from_str(TASKS).unwrap(),
        Form::Rounds => json!({}),
    };
    let params = json!({"name": "create_article", "arguments": created(title)});
    let reply = stand.client().try_modern("tools/call", params, capabilities).await?;
    Some(reply.answer().clone())
}

/// Releases the call, has it sent and its outcome fetched, and kills the process when it is at a point.
async fn die_at(stand: &mut Stand, point: Point, form: Form, title: &str, id: HoldId) {
    let mut log = Tail::of(&stand.data());
    let (data, key) = (stand.data(), stand.approver_key.clone());
    let client = stand.client();
    let arguments = created(title);
    let driving = tokio::spawn(async move {
        let _dies = control::ask(&data, &wish(id, &key, Wish::Approve)).await;
        // Whoever waits fetches the outcome, which in rounds is what has it sent.
        let (method, params, capabilities) = match form {
            Form::Task => (
                "tasks/get",
                json!({"taskId": id.to_string()}),
                serde_json::from_str(TASKS).unwrap(),
            ),
            Form::Rounds => {
                let params = json!({"name": "create_article", "arguments": arguments});
                ("tools/call", params, json!({}))
            }
        };
        for _ in 0..50 {
            let asked = client.try_modern(method, params.clone(), capabilities.clone()).await;
            if asked.is_none() {
                return;
            }
        }
    });
    let began = Instant::now();
    let is_there = |log: &mut Tail, stand: &Stand| match point.event() {
        Some(event) => log.has(event, id),
        None => stand.sent(title) > 0,
    };
    while !is_there(&mut log, stand) {
        assert!(began.elapsed() < DEADLINE, "{title} never came to {point:?}");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    if point == Answering {
        tokio::time::sleep(WORK).await;
    }
    stand.kill();
    tokio::time::timeout(DEADLINE, driving).await.unwrap().unwrap();
}

/// Brings a call to its end.
async fn end(stand: &Stand, form: Form, title: &str, id: HoldId) {
    until("the call has an end", async || {
        if form == Form::Rounds {
            ask(stand, form, title).await.unwrap();
        }
        stand.hold(id).await.0.state.is_final()
    })
    .await;
}

/// What is written to the log's files from now on.
struct Tail {
    folder: PathBuf,
    read: BTreeMap<PathBuf, u64>,
    text: String,
}

impl Tail {
    fn of(data: &Path) -> Self {
        let mut tail = Self { folder: data.to_owned(), read: BTreeMap::new(), text: String::new() };
        tail.more();
        assert!(!tail.read.is_empty(), "the log is in {}", tail.folder.display());
        tail.text.clear();
        tail
    }

    fn more(&mut self) {
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|it| it != "jsonl") {
                continue;
            }
            let from = self.read.entry(path.clone()).or_default();
            let mut file = File::open(&path).unwrap();
            file.seek(SeekFrom::Start(*from)).unwrap();
            let mut bytes = Vec::new();
            *from += file.read_to_end(&mut bytes).unwrap() as u64;
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Whether a hold's event was written since.
    fn has(&mut self, event: &str, id: HoldId) -> bool {
        self.more();
        let (event, id) = (format!("\"event\":\"{event}\""), id.to_string());
        self.text.lines().any(|line| line.contains(&event) && line.contains(&id))
    }
}
