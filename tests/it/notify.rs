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
