//! Who is told of held calls: real receivers, and what they are sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stand::{Setup, Stand, until};

const SECRET: &str = "whsec_cGlnZW9ucyBjYXJyeSBtZXNzYWdlcw==";
const SECRET_BYTES: &[u8] = b"pigeons carry messages";

/// A receiver of requests, as many as come.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub got: Arc<Mutex<Vec<(HeaderMap, String, String)>>>,
    /// How many of the next requests are answered 503.
    pub fails: Arc<Mutex<usize>>,
}

impl Receiver {
    pub(crate) async fn start(&self) -> SocketAddr {
        self.start_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn start_on(&self, listener: TcpListener) -> SocketAddr {
        let address = listener.local_addr().unwrap();
        let take = async |State(this): State<Self>, request: Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            this.got.lock().unwrap().push((head.headers, head.uri.path().to_owned(), body));
            let mut fails = this.fails.lock().unwrap();
            if *fails > 0 {
                *fails -= 1;
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            StatusCode::OK
        };
        let router = Router::new().fallback(take).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn all(&self) -> Vec<(HeaderMap, Value)> {
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|(head, _, body)| (head.clone(), serde_json::from_str(body).unwrap()))
            .collect()
    }
}

/// What the signature of a Standard Webhook is, computed here.
fn check(headers: &HeaderMap, body: &str) {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, at) = (text("webhook-id"), text("webhook-timestamp"));
    let signature = text("webhook-signature");
    let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET_BYTES);
    let signed = format!("{id}.{at}.{body}");
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(at.parse().unwrap()) < 60, "{at}");
    assert_eq!(text("content-type"), "application/json");
}

fn setup(address: SocketAddr, on: &str) -> Setup {
    let more = format!(
        "console: {{ listen: \"127.0.0.1:0\" }}\n\
         notify: {{ webhooks: [{{ name: pager, url: \"http://{address}/hook\", secret: \"{SECRET}\", on: {on} }}] }}\n"
    );
    Setup { more, ..Setup::default() }
}

/// An agent asks for a write with words that no message may hold.
async fn held(stand: &Stand) {
    let before = stand.holds().await.len();
    let arguments = json!({"name": "update_article", "arguments": {
        "id": "9100001", "title": format!("Whispered title {before}"), "body": "<p>anna.smith@example.com</p>",
    }});
    let client = stand.client();
    tokio::spawn(async move { client.modern("tools/call", arguments, json!({})).await });
    until("the call is held", async || stand.holds().await.len() > before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_signed_repeated_until_it_arrives_and_sent_once() {
    let receiver = Receiver::default();
    *receiver.fails.lock().unwrap() = 1;
    let address = receiver.start().await;
    let stand = Stand::start(setup(address, "[opened, settled]")).await;
    held(&stand).await;
    until("it is told again", async || receiver.all().len() == 2).await;
    let hold = stand.holds().await.remove(0);
    for (headers, path, body) in receiver.got.lock().unwrap().iter() {
        check(headers, body);
        assert_eq!(path, "/hook");
        assert_eq!(headers["webhook-id"], format!("{}.opened.pager", hold.id));
        for secret in ["Whispered", "anna.smith", "<p>", "9100001"] {
            assert!(!body.contains(secret), "{body}");
        }
    }
    let message = &receiver.all()[1].1;
    let data = &message["data"];
    assert_eq!(message["type"], "hold.opened");
    assert_eq!(data["hold"], hold.id.to_string());
    assert_eq!((&data["tool"], &data["principal"]), (&json!("update_article"), &json!("agent")));
    assert_eq!((&data["state"], &data["people"]), (&json!("pending"), &json!(1)));
    let page = stand.console.as_deref().unwrap();
    assert_eq!(data["url"], format!("{page}/holds/{}", hold.id));
    assert!(data["reasons"][0]["rule"].is_string(), "{message}");

    stand.reject(hold.id, "not today").await.unwrap();
    until("it is told how it ended", async || receiver.all().len() == 3).await;
    let (_, message) = receiver.all().remove(2);
    assert_eq!(
        (&message["type"], &message["data"]["state"]),
        (&json!("hold.settled"), &json!("rejected"))
    );
    assert!(!message.to_string().contains("not today"), "words of people stay here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_its_way_outlives_the_process() {
    // An address at which nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut stand = Stand::start(setup(address, "[opened]")).await;
    held(&stand).await;
    until("an attempt failed", async || stand.stderr().contains("did not arrive")).await;
    assert!(!stand.stderr().contains(SECRET) && !stand.stderr().contains("Whispered"));
    stand.kill();
    let receiver = Receiver::default();
    receiver.start_on(TcpListener::bind(address).await.unwrap());
    stand.serve();
    until("it is told", async || receiver.all().len() == 1).await;
    let (headers, _, body) = receiver.got.lock().unwrap()[0].clone();
    check(&headers, &body);
    // Told is told: not once more after another start.
    stand.terminate();
    stand.serve();
    held(&stand).await;
    until("the second is told", async || receiver.all().len() > 1).await;
    let ids: Vec<_> = receiver.all().iter().map(|(head, _)| head["webhook-id"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

/// Slack's interface, as far as messages go.
#[derive(Clone, Default)]
struct FakeSlack {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    refuses: Arc<Mutex<usize>>,
}

const SLACK_TOKEN: &str = "xoxb-1234567890-abcdef";
const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

impl FakeSlack {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let take = async |State(this): State<Self>, request: Request| {
            let (head, body) = request.into_parts();
            let token = head.headers["authorization"].to_str().unwrap();
            assert_eq!(token, format!("Bearer {SLACK_TOKEN}"));
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let method = head.uri.path().strip_prefix("/api/").unwrap().to_owned();
            let mut refuses = this.refuses.lock().unwrap();
            if *refuses > 0 {
                *refuses -= 1;
                return axum::Json(json!({"ok": false, "error": "ratelimited"}));
            }
            let mut got = this.got.lock().unwrap();
            got.push((method, serde_json::from_slice(&body).unwrap()));
            axum::Json(json!({"ok": true, "channel": "C0REAL", "ts": format!("17.{}", got.len())}))
        };
        let router = Router::new().fallback(take).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn of(&self, method: &str) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        got.iter().filter(|(it, _)| it == method).map(|(_, message)| message.clone()).collect()
    }
}

fn slack(address: SocketAddr, more: &str) -> Setup {
    let more = format!(
        "environment: test <!here>\n\
         console: {{ listen: \"127.0.0.1:0\" }}\n\
         notify: {{ slack: {{ token: {SLACK_TOKEN}, channel: C0ASKED, url: \"http://{address}/api\", {more} }} }}\n"
    );
    Setup { more, ..Setup::default() }
}

/// The buttons of a message, by their actions.
fn buttons(message: &Value) -> Vec<String> {
    let blocks = message["blocks"].as_array().unwrap().iter();
    let elements = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
    elements.map(|it| it["action_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_has_one_message_per_hold_which_says_how_it_ended() {
    let fake = FakeSlack::default();
    *fake.refuses.lock().unwrap() = 1;
    let address = fake.start().await;
    let stand = Stand::start(slack(address, "")).await;
    held(&stand).await;
    until("it is posted", async || fake.of("chat.postMessage").len() == 1).await;
    assert!(stand.stderr().contains("it refused: ratelimited"), "{}", stand.stderr());
    assert!(!stand.stderr().contains(SLACK_TOKEN));
    let message = fake.of("chat.postMessage").remove(0);
    assert_eq!(
        (&message["channel"], &message["text"]),
        (&json!("C0ASKED"), &json!("agent wants to use update_article"))
    );
    assert_eq!((&message["unfurl_links"], &message["parse"]), (&json!(false), &json!("none")));
    assert_eq!(buttons(&message), ["portcullis_open"], "without a secret no press is believed");
    let text = message.to_string();
    assert!(text.contains("test &lt;!here&gt;") && !text.contains("<!"), "{text}");
    for secret in ["Whispered", "anna.smith", "9100001"] {
        assert!(!text.contains(secret), "{text}");
    }
    let id = stand.holds().await[0].id;
    stand.reject(id, "not today").await.unwrap();
    until("it is updated", async || fake.of("chat.update").len() == 1).await;
    let message = fake.of("chat.update").remove(0);
    assert_eq!((&message["channel"], &message["ts"]), (&json!("C0REAL"), &json!("17.1")));
    assert_eq!(message["text"], "Rejected: update_article by agent");
    assert_eq!(buttons(&message), ["portcullis_open"]);
}

/// A mail server that takes one mail at a time, and refuses the first for now.
async fn mail_server(got: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut refuses = 1;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 mail\r\n").await.unwrap();
            let (mut mail, mut is_text) = (String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                if is_text && line != "." {
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push('\n');
                    continue;
                }
                let reply = match line.get(..4).unwrap_or(&line) {
                    _ if is_text => {
                        is_text = false;
                        got.lock().unwrap().push(std::mem::take(&mut mail));
                        "250 taken"
                    }
                    "RCPT" if refuses > 0 => {
                        refuses -= 1;
                        "451 later"
                    }
                    "RCPT" | "MAIL" => {
                        mail.push_str(&format!("{line}\n"));
                        "250 fine"
                    }
                    "DATA" => {
                        is_text = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 mail",
                };
                if writer.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_leads_to_the_page_and_says_nothing_of_the_call() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let address = mail_server(got.clone()).await;
    let more = format!(
        "console: {{ listen: \"127.0.0.1:0\" }}\n\
         notify:\n  email: {{ host: 127.0.0.1, port: {}, tls: none, from: gate@example.com, \
         to: [ann@example.com, bob@example.com], on: [opened] }}\n",
        address.port()
    );
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    held(&stand).await;
    until("the mail is there", async || !got.lock().unwrap().is_empty()).await;
    assert!(stand.stderr().contains("did not arrive"), "the first attempt was refused");
    let mail = got.lock().unwrap().remove(0);
    let hold = stand.holds().await.remove(0);
    for part in [
        "MAIL FROM:<gate@example.com>".to_owned(),
        "RCPT TO:<ann@example.com>".to_owned(),
        "RCPT TO:<bob@example.com>".to_owned(),
        "Subject: [production] agent wants to use update_article".to_owned(),
        format!("Message-ID: <{}.opened.Email@portcullis.invalid>", hold.id),
        format!("{}/holds/{}", stand.console.as_deref().unwrap(), hold.id),
        "This mail decides nothing".to_owned(),
    ] {
        let whole = mail.replace("=\n", "");
        assert!(whole.contains(&part), "{part}: {mail}");
    }
    for secret in ["Whispered", "anna.smith", "9100001"] {
        assert!(!mail.contains(secret), "{mail}");
    }
}

/// What Slack sends when somebody presses a button.
async fn press(stand: &Stand, user: &str, button: &Value, signed_with: &str) -> StatusCode {
    let payload = json!({
        "type": "block_actions", "user": {"id": user, "name": "ann"}, "channel": {"id": "C0REAL"},
        "actions": [{"action_id": button["action_id"], "value": button["value"]}],
    });
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", &payload.to_string());
    let body = form.finish();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, signed_with.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{now}:{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (now, signature) = (now.to_string(), format!("v0={hex}"));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-slack-request-timestamp", now.as_str()),
        ("x-slack-signature", signature.as_str()),
    ];
    let mut slack = crate::browser::Browser::new(stand);
    let first = slack.send(http::Method::POST, "/slack", &headers, body.clone()).await.status;
    // Slack sends again what it believes lost; nothing is done twice.
    let again = slack.send(http::Method::POST, "/slack", &headers, body).await.status;
    assert_eq!(first, again);
    first
}

/// A button of a message, with what it carries.
fn button(message: &Value, action: &str) -> Value {
    let blocks = message["blocks"].as_array().unwrap().iter();
    let mut all = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
    all.find(|it| it["action_id"] == action).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_in_slack_decide_for_those_we_know_and_only_if_slack_signed() {
    let fake = FakeSlack::default();
    let address = fake.start().await;
    let more =
        format!("signing_secret: {SIGNING}, approve: true, users: {{ U1: ann, U3: nobody }}");
    let stand = Stand::start(slack(address, &more)).await;
    held(&stand).await;
    until("it is posted", async || fake.of("chat.postMessage").len() == 1).await;
    let message = fake.of("chat.postMessage").remove(0);
    assert_eq!(buttons(&message), ["portcullis_open", "portcullis_approve", "portcullis_reject"]);
    let (approve, reject) =
        (button(&message, "portcullis_approve"), button(&message, "portcullis_reject"));
    assert!(approve["url"].is_null() && approve["confirm"].is_object());
    let state = async || stand.holds().await[0].state.to_string();

    assert_eq!(
        press(&stand, "U1", &approve, "somebody else's secret").await,
        StatusCode::UNAUTHORIZED
    );
    let whispers = async |count: usize| {
        until("somebody is answered", async || fake.of("chat.postEphemeral").len() == count).await;
        fake.of("chat.postEphemeral").remove(count - 1)
    };
    for (count, user) in [(1, "U2"), (2, "U3")] {
        assert_eq!(press(&stand, user, &approve, SIGNING).await, StatusCode::OK);
        let told = whispers(count).await;
        assert_eq!((&told["user"], &told["channel"]), (&json!(user), &json!("C0REAL")));
        assert!(told["text"].as_str().unwrap().contains("does not know you"), "{told}");
    }
    let mut other = approve.clone();
    let value = other["value"].as_str().unwrap().to_owned();
    let last = if value.ends_with('0') { "1" } else { "0" };
    other["value"] = json!(format!("{}{last}", &value[..value.len() - 1]));
    assert_eq!(press(&stand, "U1", &other, SIGNING).await, StatusCode::OK);
    let told = whispers(3).await;
    assert!(told["text"].as_str().unwrap().starts_with("Not done: "), "{told}");
    assert_eq!(state().await, "pending");

    assert_eq!(press(&stand, "U1", &reject, SIGNING).await, StatusCode::OK);
    let told = whispers(4).await;
    assert!(told["text"].as_str().unwrap().contains("rejected by ann"), "{told}");
    assert_eq!(state().await, "rejected");
    until("it is updated", async || fake.of("chat.update").len() == 1).await;
    // A button that was pressed late does nothing.
    assert_eq!(press(&stand, "U1", &approve, SIGNING).await, StatusCode::OK);
    let told = whispers(5).await;
    assert!(told["text"].as_str().unwrap().starts_with("Not done: "), "{told}");

    held(&stand).await;
    until("it is posted", async || fake.of("chat.postMessage").len() == 2).await;
    let approve = button(&fake.of("chat.postMessage")[1], "portcullis_approve");
    assert_eq!(press(&stand, "U1", &approve, SIGNING).await, StatusCode::OK);
    let told = whispers(6).await;
    assert!(!told["text"].as_str().unwrap().starts_with("Not done"), "{told}");
    until("it is sent", async || stand.sent("Whispered title 1") == 1).await;
    let message = async || fake.of("chat.update").last().unwrap()["text"].clone();
    until("it says so", async || message().await == "Released and done: update_article by agent")
        .await;
}
