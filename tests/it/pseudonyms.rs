//! Pseudonyms on their way back: an agent that only sees them searches, reads and writes, and Intercom
//! receives the right values; everything else is refused in words that hold no value.

use portcullis::domain::{PrincipalId, Timestamp};
use portcullis::store::Sealer;
use portcullis::vault::{Bounds, Sight, Vault};
use serde_json::{Value, json};

use crate::road::{ARTICLE, CONVERSATION, hold_id};
use crate::stand::{AGENT, APPROVER, Setup, Stand};

pub(crate) const MAIL: &str = "maria.lindqvist@northwind.example";
const NAME: &str = "Maria Lindqvist";
const PHONE: &str = "+15550100123";
const OTHER: &str = "somebody@else.example";

/// What the agent was shown before.
pub(crate) struct Tokens {
    pub mail: String,
    name: String,
    first: String,
    phone: String,
    other: String,
    /// Of another principal.
    foreign: String,
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

/// Mints as an answer would, while no server runs.
pub(crate) fn mint(stand: &Stand) -> Tokens {
    let sealer = Sealer::load(&stand.data()).unwrap();
    let vault = Vault::open(&stand.data(), None, &sealer, Bounds::default(), now()).unwrap();
    let conversation = format!("conversation:{CONVERSATION}");
    let part = format!("{conversation}/part:1");
    let seen = [part.as_str(), "contact:66b0c0de0000000000000a01"];
    let maria = Some("contact:66b0c0de0000000000000a01");
    let whole = |kind, value, subject, seen_in| Sight {
        kind,
        value,
        text: value,
        part: None,
        subject,
        seen_in,
    };
    let agent: PrincipalId = AGENT.parse().unwrap();
    let mut minting = vault.minting(&agent, now());
    let mut token = |sight: Sight<'_>| minting.token(&sight).unwrap();
    let tokens = Tokens {
        mail: token(whole("email", MAIL, maria, &seen)),
        name: token(whole("person", NAME, maria, &seen)),
        first: token(Sight {
            text: "Maria",
            part: Some("first"),
            ..whole("person", NAME, maria, &seen)
        }),
        phone: token(whole("phone", PHONE, maria, &seen[1..])),
        other: token(whole("email", OTHER, Some("contact:66b0c0de0000000000000a02"), &[])),
        foreign: vault
            .minting(&"other".parse().unwrap(), now())
            .token(&whole("email", MAIL, maria, &seen))
            .unwrap(),
    };
    drop(minting);
    tokens
}

async fn stand() -> (Stand, Tokens) {
    let more = "holds: { wait: 300ms, poll: 300ms }\n".to_owned();
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert!(stand.terminate().success());
    let tokens = mint(&stand);
    stand.serve();
    (stand, tokens)
}

fn arguments(stand: &Stand) -> Value {
    stand.calls().pop().unwrap().arguments.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_go_out_with_the_values() {
    let (stand, tokens) = stand().await;
    let client = stand.client().connected().await;
    let Tokens { mail, name, phone, .. } = &tokens;
    let upper = mail.to_uppercase();
    let rows = [
        (
            "search",
            json!({"query": format!("object_type:contacts email:{mail} limit:5")}),
            json!({"query": format!("object_type:contacts email:{MAIL} limit:5")}),
        ),
        (
            "search",
            json!({"query": format!("object_type:contacts name:\"{name}\"")}),
            json!({"query": format!("object_type:contacts name:\"{NAME}\"")}),
        ),
        ("search_contacts", json!({"email": upper}), json!({"email": MAIL})),
        (
            "search_contacts",
            json!({"phone": phone, "name": name}),
            json!({"phone": PHONE, "name": NAME}),
        ),
    ];
    for (tool, asked, sent) in rows {
        let answer = client.call(tool, asked.clone()).await;
        assert!(!answer.is_tool_error(), "{asked}: {answer:?}");
        assert_eq!(arguments(&stand), sent);
    }
    // And in the modern era, where headers repeat the body.
    let call = json!({"name": "search_contacts", "arguments": {"email": mail}});
    let answer = stand.client().modern("tools/call", call, json!({})).await;
    assert!(!answer.is_tool_error(), "{answer:?}");
    assert_eq!(arguments(&stand), json!({"email": MAIL}));
    let records = stand.records();
    let duty = &records.iter().rfind(|it| it["type"] == "decision").unwrap()["decision"];
    assert_eq!(duty["obligations"][0]["rule"], "admit.search_by_pseudonym", "{duty}");
    assert_eq!(duty["obligations"][0]["changed"], true, "{duty}");
    assert!(!json!(records).to_string().contains("lindqvist"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_reaches_intercom_with_the_right_values_after_a_crash() {
    let (mut stand, tokens) = stand().await;
    let Tokens { mail, first, .. } = &tokens;
    let note = json!({
        "conversation_id": CONVERSATION,
        "body": format!("<p>Hi {first}, we wrote to {mail}.</p>"),
    });
    let real = json!({
        "conversation_id": CONVERSATION,
        "body": format!("<p>Hi Maria, we wrote to {MAIL}.</p>"),
    });
    let client = stand.client().connected().await;
    let held = client.call("add_internal_note", note.clone()).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    let id = hold_id(held.tool_text());
    let shown = stand.output(&["holds", "show", &id]);
    assert!(shown.contains(mail.as_str()) && !shown.contains(MAIL), "{shown}");
    assert!(shown.contains("--reveal"), "{shown}");
    let refused = stand.run(&["holds", "show", &id, "--reveal"]);
    assert!(!refused.status.success());
    assert!(!format!("{refused:?}").contains(MAIL), "{refused:?}");

    stand.kill();
    stand.edit_config("groups: [kb-editors, support-leads]", "groups: [support-leads, privacy]");
    stand.serve();
    let revealed = stand.output(&["holds", "show", &id, "--reveal"]);
    assert!(revealed.contains(MAIL), "{revealed}");
    // Who saw what is in the log, and the values are not.
    let records = stand.records();
    let seen: Vec<&Value> = records.iter().filter(|it| it["type"] == "revealed").collect();
    assert_eq!(seen.len(), 1, "the refused look showed nothing");
    assert_eq!((&seen[0]["hold"], &seen[0]["by"]), (&json!(id), &json!(APPROVER)));
    assert!(seen[0]["kinds"]["email"].as_u64() >= Some(1), "{}", seen[0]);
    assert!(!seen[0].to_string().contains(MAIL));
    assert!(stand.output(&["holds", "approve", &id]).contains("sent, and Intercom did it"));
    assert_eq!(arguments(&stand), real);
    let client = stand.client().connected().await;
    let outcome = client.call("add_internal_note", note).await;
    assert!(!outcome.is_tool_error(), "{outcome:?}");
    let notes = stand.calls().iter().filter(|it| it.arguments == Some(real.clone())).count();
    assert_eq!(notes, 1);
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    // Nothing of it lies about in clear.
    for entry in std::fs::read_dir(stand.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let has = |word: &str| bytes.windows(word.len()).any(|it| it == word.as_bytes());
        assert!(!has(MAIL) && !has("lindqvist"), "{}", path.display());
    }
    assert!(!stand.stderr().contains("lindqvist"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_else_is_refused_and_nothing_is_sent() {
    let (stand, tokens) = stand().await;
    let client = stand.client().connected().await;
    let Tokens { mail, phone, other, foreign, .. } = &tokens;
    let note = |body: String| json!({"conversation_id": CONVERSATION, "body": body});
    let cut = mail.trim_end_matches(']');
    let bare = mail.trim_matches(['[', ']']);
    let kind = mail.replace("email", "phone2");
    let rows = [
        ("add_internal_note", note(format!("for {other}")), "so it may be somebody else's"),
        ("add_internal_note", note(format!("call {phone}")), "so it may be somebody else's"),
        ("add_internal_note", note(format!("for {foreign}")), "was not given to you"),
        ("add_internal_note", note("for [[email:000000]]".to_owned()), "was not given to you"),
        ("add_internal_note", note(format!("for {kind}")), "was not given to you"),
        ("add_internal_note", note(format!("for {cut}")), "is not as it was given to you"),
        ("add_internal_note", note(format!("for [[ {bare} ]]")), "is not as it was given to you"),
        ("add_internal_note", note(format!("for {bare}")), "lacks its double brackets"),
        (
            "add_internal_note",
            note(format!("<a href=\"https://evil.test/?q={mail}\">x</a>")),
            "stands in a link or a tag",
        ),
        (
            "update_article",
            json!({"id": ARTICLE, "body": format!("write to {mail}")}),
            "no rule lets the pseudonym",
        ),
        ("search_contacts", json!({"custom_attributes": {mail: "x"}}), "stands in a name"),
        (
            "search",
            json!({"query": "object_type:contacts email:[[email:000000]]"}),
            "copy a pseudonym",
        ),
    ];
    for (tool, asked, told) in rows {
        let answer = client.call(tool, asked.clone()).await;
        assert!(answer.is_tool_error(), "{asked}: {answer:?}");
        let text = answer.tool_text();
        assert!(text.contains(told), "{asked}: {text}");
        for value in [MAIL, PHONE, OTHER] {
            assert!(!text.contains(value), "{text}");
        }
    }
    assert_eq!(stand.calls().len(), 0, "nothing was sent");
    // The agent's own words are its own.
    let asked = json!({"query": "object_type:conversations q:\"ticket:123456 [[Main Page]]\""});
    let answer = client.call("search", asked).await;
    assert!(!answer.is_tool_error(), "{answer:?}");
}
