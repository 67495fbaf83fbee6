//! The whole flow of personal data: an agent that only ever sees pseudonyms reads, searches and drafts a note,
//! a person releases it, and Intercom receives the right values and nobody else's.

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::live::other;
use crate::road::{CONVERSATION, hold_id};
use crate::stand::{Setup, Stand};

const MARIA: &str = "66b0c0de0000000000000a01";
/// What is Maria's alone, in lower case; none of it may be where an agent or a reader of logs looks.
const RAW: [&str; 5] = ["lindqvist", "maria", "5550100123", "555 010 0123", "12 harbour lane"];
/// What the agent guesses.
const GUESS: &str = "tomasz.wrona@orchard.example";

#[derive(Clone, Copy, PartialEq)]
enum Era {
    Legacy,
    Modern,
}

/// An agent of one era.
struct Agent {
    era: Era,
    client: Client,
}

impl Agent {
    async fn new(client: Client, era: Era) -> Self {
        let client = if era == Era::Legacy { client.connected().await } else { client };
        Self { era, client }
    }

    async fn ask(&self, tool: &str, arguments: Value) -> Reply {
        let reply = match self.era {
            Era::Legacy => self.client.call(tool, arguments).await,
            Era::Modern => {
                let params = json!({"name": tool, "arguments": arguments});
                self.client.modern("tools/call", params, json!({})).await
            }
        };
        assert_clean(tool, &reply.text);
        reply
    }

    /// The payload of an answer that is none of an error.
    async fn read(&self, tool: &str, arguments: Value) -> Value {
        let reply = self.ask(tool, arguments).await;
        assert!(!reply.is_tool_error(), "{reply:?}");
        serde_json::from_str(reply.tool_text()).unwrap()
    }

    /// What a refusal says.
    async fn refused(&self, tool: &str, arguments: Value) -> String {
        let reply = self.ask(tool, arguments).await;
        assert!(reply.is_tool_error(), "{reply:?}");
        reply.tool_text().to_owned()
    }
}

/// Asserts that nothing of Maria is in a text, and no value that the agent guessed.
fn assert_clean(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for gone in RAW {
        let at = lower.find(gone);
        let around = at.map(|at| lower.get(at.saturating_sub(80)..at + 40));
        assert!(at.is_none(), "{what}: {gone} in ...{around:?}...");
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} in {value}"))
}

/// The last call of a tool that Intercom received.
fn received(stand: &Stand, tool: &str) -> Value {
    let calls = stand.calls();
    let last = calls.iter().rfind(|it| it.tool.as_deref() == Some(tool)).unwrap();
    last.arguments.clone().unwrap()
}

async fn stand() -> Stand {
    let more = "plugins: { shipped: true }\nholds: { wait: 300ms, poll: 300ms }\n".to_owned();
    let roles = "support-reader, note-writer";
    Stand::start(Setup { more, roles, ..Setup::default() }).await
}

/// Another contact, as Intercom has it.
async fn somebody_else(stand: &Stand) -> Value {
    let client = Client::new(&stand.simulator.url(), stand.simulator.token()).connected().await;
    let reply = client.call("search_contacts", json!({"email_domain": "example.com"})).await;
    let found: Value = serde_json::from_str(reply.tool_text()).unwrap();
    let all = found["data"].as_array().unwrap();
    all.iter().find(|one| one["phone"].is_string() && one["id"] != MARIA).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_agent_works_with_pseudonyms_alone() {
    whole_flow(Era::Legacy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_agent_works_with_pseudonyms_alone() {
    whole_flow(Era::Modern).await;
}

async fn whole_flow(era: Era) {
    let stand = stand().await;
    let agent = Agent::new(stand.client(), era).await;

    let contact = agent.read("get_contact", json!({"id": MARIA})).await;
    let [name, mail, phone] = ["/name", "/email", "/phone"].map(|it| text(&contact, it));
    for (token, kind) in [(name, "person"), (mail, "email"), (phone, "phone")] {
        assert!(token.starts_with(&format!("[[{kind}:")) && token.ends_with("]]"), "{token}");
    }
    let suffix = |token: &str| {
        token.trim_matches(['[', ']']).split([':', '/']).nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(suffix(name), suffix(mail), "one person, one suffix");

    // A search by what was shown finds the same person, under the same pseudonyms.
    for (key, token, real) in [
        ("email", mail, "maria.lindqvist@northwind.example"),
        ("phone", phone, "+15550100123"),
        ("name", name, "Maria Lindqvist"),
    ] {
        let found = agent.read("search_contacts", json!({key: token})).await;
        assert_eq!(received(&stand, "search_contacts"), json!({key: real}));
        let first = &found["data"][0];
        assert_eq!((text(first, "/id"), text(first, &format!("/{key}"))), (MARIA, token));
    }
    let conversation = agent.read("get_conversation", json!({"id": CONVERSATION})).await;
    assert_eq!(text(&conversation, "/source/author/email"), mail);
    assert_eq!(text(&conversation, "/source/author/name"), name);
    assert!(text(&conversation, "/source/body").contains(phone), "{conversation}");

    write(&stand, &agent, [name, mail, phone]).await;
    refuse(&stand, &agent, mail).await;

    // Somebody else's pseudonyms are others, and none of his own is mine.
    let second = Agent::new(other(&stand).await, era).await;
    let seen = second.read("get_contact", json!({"id": MARIA})).await;
    assert!(text(&seen, "/email").starts_with("[[email:"));
    assert_ne!(text(&seen, "/email"), mail);
    let told = second.refused("search_contacts", json!({"email": mail})).await;
    assert!(told.contains("was not given to you"), "{told}");
    nothing_lies_about(&stand);
}

/// A note with pseudonyms is held, shown with them, and sent with the values.
async fn write(stand: &Stand, agent: &Agent, [name, mail, phone]: [&str; 3]) {
    let body = |name: &str, mail: &str, phone: &str| {
        json!({"conversation_id": CONVERSATION,
            "body": format!("<p>{name} asks for a refund: {mail}, or call {phone}.</p>")})
    };
    let (note, real) = (
        body(name, mail, phone),
        body("Maria Lindqvist", "maria.lindqvist@northwind.example", "+15550100123"),
    );
    let held = agent.ask("add_internal_note", note.clone()).await;
    let id = match agent.era {
        Era::Legacy => hold_id(held.tool_text()),
        Era::Modern => {
            assert_eq!(held.answer()["result"]["resultType"], "input_required", "{held:?}");
            let holds = stand.output(&["holds", "list", "--json"]);
            assert_clean("holds list", &holds);
            let holds: Value = serde_json::from_str(&holds).unwrap();
            text(&holds, "/0/id").to_owned()
        }
    };
    let shown = stand.output(&["holds", "show", &id]);
    assert_clean("holds show", &shown);
    for token in [name, mail, phone] {
        assert!(shown.contains(token), "{token} in {shown}");
    }
    let has_note = |stand: &Stand| {
        stand.calls().iter().filter(|it| it.tool.as_deref() == Some("add_internal_note")).count()
    };
    assert_eq!(has_note(stand), 0, "a note was sent before anybody released it");
    stand.output(&["holds", "approve", &id]);
    let outcome = match agent.era {
        Era::Legacy => agent.ask("add_internal_note", note).await,
        Era::Modern => {
            let mut again = json!({"name": "add_internal_note", "arguments": note});
            again["requestState"] = held.answer()["result"]["requestState"].clone();
            agent.client.modern("tools/call", again, json!({})).await
        }
    };
    assert!(!outcome.is_tool_error(), "{outcome:?}");
    assert_clean("the note's answer", &outcome.text);
    assert_eq!(received(stand, "add_internal_note"), real);
    assert_eq!(has_note(stand), 1);
}

/// Pseudonyms of others, unknown ones and altered ones reach nobody.
async fn refuse(stand: &Stand, agent: &Agent, mail: &str) {
    let raw = somebody_else(stand).await;
    let id = text(&raw, "/id");
    let other = agent.read("get_contact", json!({"id": id})).await;
    for path in ["/name", "/email", "/phone"] {
        assert!(!other.to_string().contains(text(&raw, path)), "{path} in {other}");
    }
    let sent = stand.calls().len();
    let note = |body: String| json!({"conversation_id": CONVERSATION, "body": body});
    let altered = mail.replace("]]", "0]]");
    let rows = [
        (note(format!("for {}", text(&other, "/email"))), "so it may be somebody else's"),
        (note(format!("{mail} knows {}", text(&other, "/name"))), "so it may be somebody else's"),
        (note("for [[email:000000]]".to_owned()), "was not given to you"),
        (note(format!("for {altered}")), "was not given to you"),
        (note(format!("for {}", mail.trim_end_matches(']'))), "is not as it was given to you"),
    ];
    for (asked, words) in rows {
        let told = agent.refused("add_internal_note", asked.clone()).await;
        assert!(told.contains(words), "{asked}: {told}");
    }
    assert_eq!(stand.calls().len(), sent, "something was sent");
}

/// Nothing of Maria is in the data folder or in what the server says of itself.
fn nothing_lies_about(stand: &Stand) {
    assert_clean("stderr", &stand.stderr());
    assert_clean("records", &json!(stand.records()).to_string());
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    let mut folders = vec![stand.data()];
    let mut logs = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                logs += usize::from(path.extension().is_some_and(|it| it == "jsonl"));
                let text = String::from_utf8_lossy(&bytes).to_lowercase();
                for gone in ["lindqvist", "5550100123", "harbour lane", "orchard.example"] {
                    assert!(!text.contains(gone), "{gone} in {}", path.display());
                }
            }
        }
    }
    assert!(logs > 0, "no log was read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_are_counted_and_pseudonyms_are_none() {
    let more = "plugins: { shipped: true }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let agent = Agent::new(stand.client(), Era::Modern).await;
    let contact = agent.read("get_contact", json!({"id": MARIA})).await;
    let mail = text(&contact, "/email");
    for _ in 0..50 {
        agent.read("search_contacts", json!({"email": GUESS})).await;
        agent.read("search_contacts", json!({"email": mail})).await;
    }
    let guess = json!({"query": format!("object_type:contacts email:{GUESS}")});
    let told = agent.refused("search", guess).await;
    assert!(told.contains("more than 50 personal values were searched for"), "{told}");
    assert!(!told.contains(GUESS), "{told}");
    // Who works with what he was shown goes on.
    let found = agent.read("search_contacts", json!({"email": mail})).await;
    assert_eq!(text(&found, "/data/0/id"), MARIA);
    nothing_lies_about(&stand);
}
