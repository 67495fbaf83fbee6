//! Many people and many held calls at once, by both doors of people; proofs that must be fresh, and those
//! who may decide only after a while.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use portcullis::clock;
use portcullis::config::Config;
use portcullis::control::{self, Question, Wish};
use portcullis::desk::Shown;
use portcullis::domain::{HoldId, HoldState};
use portcullis::identity::{Accounts, ApproverKeys, Scope};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::console::with_password;
use crate::load::created;
use crate::races::bundle;
use crate::road::{ARTICLE, hold_id};
use crate::stand::{Setup, Stand, number, told, until, wish};

const PASSWORD: &str = "four random words here";
const PEOPLE: usize = 64;

fn setup(releases: &[(&str, Value)]) -> (Setup, tempfile::TempDir) {
    let bundle = bundle();
    let path = bundle.path().join("roles.json");
    let mut rules: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (tool, release) in releases {
        rules["releases"]["tools"][tool] = release.clone();
    }
    std::fs::write(path, rules.to_string()).unwrap();
    let more = format!(
        "console: {{ listen: \"127.0.0.1:0\" }}\npolicies: {}\n\
         holds: {{ wait: 100ms, poll: 100ms, pending_per_principal: 10000 }}\n\
         limits: {{ connections: 4000, calls_in_flight: 8000 }}\n",
        bundle.path().display()
    );
    let roles = "support-reader, knowledge-author";
    (Setup { more, roles, ..Setup::default() }, bundle)
}

async fn held(stand: &Stand, tool: &str, arguments: Value) -> HoldId {
    let client = stand.client().connected().await;
    let text = client.call(tool, arguments).await.tool_text().to_owned();
    assert!(text.starts_with("PENDING"), "{text}");
    hold_id(&text).parse().unwrap()
}

/// How a person decides.
enum Door {
    /// By the command line's socket, with a key.
    Socket(String),
    /// By the interface for programs, with a token.
    Api(Box<Browser>, String),
}

/// 64 people, every other one of whom uses the other door.
fn people(stand: &Stand) -> Vec<Door> {
    let config = Config::load(&stand.config()).unwrap();
    let (accounts, keys) = (Accounts::of(&config.data), ApproverKeys::of(&config.data));
    let now = clock::now();
    let person = |number: usize| {
        let name = format!("person-{number}");
        accounts.add(&config, &name, &[], &[], now).unwrap();
        if number.is_multiple_of(2) {
            let issued = keys.add(&config, &name, now, None).unwrap();
            return Door::Socket(issued.key.expose().to_owned());
        }
        let (_, token) = accounts.add_token(&name, &Scope::ALL, now, None).unwrap();
        Door::Api(Box::new(Browser::new(stand)), format!("Bearer {}", token.expose()))
    };
    (0..PEOPLE).map(person).collect()
}

/// What one person was answered: whether it counts, and the words of a refusal.
async fn decide(
    door: &Door,
    data: &std::path::Path,
    shown: &Shown,
    approves: bool,
) -> Option<String> {
    match door {
        Door::Socket(key) => {
            let (key, shown) = (key.clone(), shown.clone());
            let wish = match approves {
                true => Wish::Approve,
                false => Wish::Reject { reason: "no".to_owned() },
            };
            told(control::ask(data, &Question::Hold { key, shown, wish }).await).err()
        }
        Door::Api(browser, token) => {
            let version = format!("\"{}\"", shown.if_version.unwrap());
            let headers = [
                ("authorization", token.as_str()),
                ("content-type", "application/json"),
                ("if-match", version.as_str()),
            ];
            let decision = if approves { "approve" } else { "reject" };
            let binding = shown.binding.unwrap().to_string();
            let body = json!({"decision": decision, "binding": binding, "words": "no"});
            let path = format!("/api/v1/holds/{}/decision", shown.id);
            let page = browser.clone().send(Method::POST, &path, &headers, body.to_string()).await;
            match page.status {
                StatusCode::OK => None,
                StatusCode::CONFLICT => {
                    let answer: Value = serde_json::from_str(&page.text).unwrap();
                    assert_eq!(answer["hold"]["id"], shown.id.to_string(), "how it stands now");
                    Some(answer["error"].as_str().unwrap().to_owned())
                }
                other => panic!("{other} {}", page.text),
            }
        }
    }
}

/// Everybody decides on every hold at once, half of them otherwise: one decision counts, and has the one
/// effect. A second process on the same data ends with 75 all the while. The whole of it is 1,000 holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_crowd_on_many_holds_one_each_counts() {
    let count = number("PORTCULLIS_CROWD", 12);
    let anybody = json!({"groups": [], "people": 1, "expires_seconds": 3600});
    let (setup, _bundle) = setup(&[("create_article", anybody)]);
    let stand = Arc::new(Stand::start(setup).await);
    let people = people(&stand);
    until("the last one is known", async || {
        let Door::Api(browser, token) = people.last().unwrap() else { panic!() };
        let headers = [("authorization", token.as_str())];
        let mut browser = browser.clone();
        let page = browser.send(Method::GET, "/api/v1/grants", &headers, String::new()).await;
        page.status == StatusCode::OK
    })
    .await;
    let titles: Vec<String> = (0..count).map(|number| format!("crowd {number}")).collect();
    let opening = titles.iter().map(|title| held(&stand, "create_article", created(title)));
    let ids: Vec<HoldId> = futures_util::stream::iter(opening).buffered(24).collect().await;
    let began = Instant::now();
    let second = || {
        let second = stand.run(&["serve"]);
        assert_eq!(second.status.code(), Some(75), "{second:?}");
    };
    let (mut released, mut refused) = (0, 0);
    for (turn, (ids, titles)) in ids.chunks(4).zip(titles.chunks(4)).enumerate() {
        if turn.is_multiple_of(64) {
            second();
        }
        let race = ids.iter().zip(titles).map(async |(id, title)| {
            let view = stand.hold(*id).await.0;
            let shown = Shown {
                if_version: Some(view.version),
                binding: Some(view.binding),
                ..Shown::now(*id)
            };
            let data = stand.data();
            let all = people.iter().enumerate().map(|(who, door)| {
                decide(door, &data, &shown, !(who / 2 + turn).is_multiple_of(2))
            });
            let answers = join_all(all).await;
            let won: Vec<usize> =
                answers.iter().enumerate().filter(|(_, it)| it.is_none()).map(|it| it.0).collect();
            assert_eq!(won.len(), 1, "{title}: {answers:?}");
            for words in answers.into_iter().flatten() {
                let told = words.contains("cannot follow") || words.contains("has changed since");
                assert!(told, "{words}");
            }
            let approved = !(won[0] / 2 + turn).is_multiple_of(2);
            let expected = if approved { HoldState::Executed } else { HoldState::Rejected };
            assert_eq!(stand.hold(*id).await.0.state, expected, "{title}");
            assert_eq!(stand.sent(title), usize::from(approved), "{title}");
            approved
        });
        for approved in join_all(race).await {
            if approved { released += 1 } else { refused += 1 }
        }
    }
    second();
    println!(
        "{PEOPLE} people on {count} holds: {released} released, {refused} refused, in {:?}",
        began.elapsed()
    );
    let all =
        stand.calls().iter().filter(|it| it.tool.as_deref() == Some("create_article")).count();
    assert_eq!(all, released, "each effect once, and no other");
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

/// What publishes takes a fresh second proof: a password of the morning is not enough, a token never is,
/// and a code that was just given is, for as long as the conditions say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_publishes_takes_a_fresh_proof() {
    let (setup, _bundle) = setup(&[]);
    let stand = Stand::start(setup).await;
    assert!(with_password(&stand, &["people", "add", "ann"], PASSWORD));
    let scopes = ["--scope", "holds:read", "--scope", "holds:decide"];
    let token = stand.output(&[&["people", "token", "add", "ann"][..], &scopes].concat());
    let token = token.lines().last().unwrap().to_owned();
    let mut browser = Browser::once_signed_in(&stand, "ann", PASSWORD).await;
    let unpublish = json!({"id": ARTICLE, "title": "fresh", "state": "draft"});
    let id = held(&stand, "update_article", unpublish).await;
    let page = browser.get(&format!("/holds/{id}")).await;
    let (version, binding) = (page.field("version"), page.field("binding"));
    let form =
        [("version", version.as_str()), ("binding", binding.as_str()), ("seen", binding.as_str())];
    let approve = format!("/holds/{id}/approve");
    let asked = browser.post(&approve, &form).await;
    assert_eq!(asked.header("location"), format!("/step-up?next=/holds/{id}"), "{}", asked.text);
    // A script cannot give such a proof.
    let door = Door::Api(Box::new(Browser::new(&stand)), format!("Bearer {token}"));
    let Door::Api(api, bearer) = &door else { panic!() };
    let tag = format!("\"{version}\"");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("if-match", tag.as_str()),
    ];
    let body = json!({"decision": "approve", "binding": binding}).to_string();
    let path = format!("/api/v1/holds/{id}/decision");
    let refused = api.clone().send(Method::POST, &path, &headers, body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("portcullis.step_up"), "{}", refused.text);
    assert_eq!((stand.hold(id).await.0.state, stand.sent("fresh")), (HoldState::Pending, 0));
    // The code of an app, given now.
    let page = browser.get("/account/second-factor").await;
    let offer = page.field("offer");
    let secret = page.text.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let secret = totp_rs::Secret::Encoded(secret.replace(' ', "")).to_bytes().unwrap();
    let sha1 = totp_rs::Algorithm::SHA1;
    let totp = totp_rs::TOTP::new(sha1, 6, 1, 30, secret, None, "x".to_owned()).unwrap();
    let code = totp.generate(u64::try_from(clock::now().millis() / 1000).unwrap());
    let fields = [("offer", offer.as_str()), ("code", code.as_str()), ("password", PASSWORD)];
    let enrolled = browser.post("/account/second-factor", &fields).await;
    assert_eq!(enrolled.status, StatusCode::SEE_OTHER, "{}", enrolled.text);
    let page = browser.get(&format!("/holds/{id}")).await;
    let (version, binding) = (page.field("version"), page.field("binding"));
    let form =
        [("version", version.as_str()), ("binding", binding.as_str()), ("seen", binding.as_str())];
    let done = browser.post(&approve, &form).await;
    assert_eq!(done.header("location"), format!("/holds/{id}?done=true"), "{}", done.text);
    assert_eq!((stand.hold(id).await.0.state, stand.sent("fresh")), (HoldState::Executed, 1));
}

/// Who is asked only after a while may not decide before, and may then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_after_a_while_decides_after_it() {
    let release = json!({"groups": ["support-leads"], "people": 1, "expires_seconds": 3600,
        "escalate": {"after_seconds": 4, "groups": ["kb-editors"]}});
    let (setup, _bundle) = setup(&[("create_article", release)]);
    let mut stand = Stand::start(setup).await;
    stand.kill();
    let bob = stand.add_key("people", "bob");
    stand.serve();
    let id = held(&stand, "create_article", created("escalated")).await;
    let opened = stand.hold(id).await.0.opened_at;
    let approve = async || told(stand.ask(&wish(id, &bob, Wish::Approve)).await);
    let early = approve().await.unwrap_err();
    assert!(early.contains("it asks for a member of support-leads"), "{early}");
    assert!(clock::now().since(opened).as_secs() < 4, "too slow to tell");
    until("it is escalated", async || clock::now().since(opened).as_millis() >= 4_000).await;
    approve().await.unwrap();
    assert_eq!((stand.hold(id).await.0.state, stand.sent("escalated")), (HoldState::Executed, 1));
}
