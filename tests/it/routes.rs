//! Every address of the approvers' page and of its interface for programs, asked by everybody: what each
//! person gets. The addresses are those that the sources route, so that a new one without a line here fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use http::{Method, StatusCode};
use portcullis::domain::HoldId;
use serde_json::json;

use crate::browser::Browser;
use crate::load::created;
use crate::page::{held, person, person_with, setup};
use crate::stand::{Stand, until};

/// Who asks, in the order of the numbers below. The token is an approver's and has the other scope than
/// the one that the address asks for; a page knows no tokens.
const WHO: [&str; 6] = ["auditor", "admin", "approver", "no role", "signed out", "wrong token"];

/// Method, address as it is routed, what is asked there if it is not the address itself, what is sent with
/// it, and the status for each of [`WHO`].
const TABLE: &str = r#"
GET  /                            = 200 200 200 403 303 303
GET  /holds/{id}                  = 200 200 200 403 303 303
GET  /holds/{id}/edit             = 200 200 200 403 303 303
GET  /holds/{id}/grant            = 200 200 200 403 303 303
GET  /history                     = 200 200 200 403 303 303
GET  /history/export/{form}       = 200 200 200 403 303 303
GET  /live                        = 200 200 200 403 303 303
GET  /records/{seq}               = 200 200 200 403 303 303
GET  /grants                      = 200 200 200 403 303 303
GET  /policy                      = 200 200 200 403 303 303
GET  /plugins                     = 200 200 200 403 303 303
GET  /people                      = 200 200 200 403 303 303
GET  /ui/events                   = 200 200 200 403 303 303
GET  /account                     = 200 200 200 200 303 303
GET  /account/second-factor       = 200 200 200 200 303 303
GET  /step-up                     = 200 200 200 200 303 303
GET  /login                       = 303 303 303 303 200 200
GET  /setup                       = 200 200 200 200 200 200
GET  /login/oidc                  = 404 404 404 404 404 404
GET  /login/oidc/callback         = 404 404 404 404 404 404
GET  /assets/icon.svg             = 200 200 200 200 200 200
GET  asset.path()                 = 200 200 200 200 200 200
POST /slack                       = 404 404 404 404 404 404
POST /login < name=x&password=x   = 403 403 403 403 403 403
POST /setup < code=x              = 403 403 403 403 422 422
POST /account/password < password=x&again=y   = 422 422 422 422 401 401
POST /account/second-factor < offer=x&code=x  = 403 403 403 403 401 401
POST /account/sessions/end < session=x        = 303 303 303 303 401 401
POST /step-up < code=x            = 409 409 409 409 401 401
POST /batch < hold={id} {version} = 403 403 200 403 401 401
POST /holds/{id}/edit < as=json&arguments={edited}              = 403 403 303 403 401 401
POST /holds/{id}/approve          = 403 403 303 403 401 401
POST /holds/{id}/grant < calls=1&minutes=1&field=title          = 403 403 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/reject < words=no       = 403 403 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/ask < words=why         = 403 403 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/assign < to=ann         = 403 403 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/extend < minutes=1      = 403 403 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/snooze < minutes=1      = 303 303 303 403 401 401
POST /holds/{id}/{action} > /holds/{id}/revoke                  = 403 403 409 403 401 401
POST /holds/{id}/{action} > /holds/{id}/note < effected=yes     = 403 403 409 403 401 401
POST /holds/{id}/{action} > /holds/{id}/other                   = 404 404 404 404 401 401
POST /grants/{id}/revoke > /grants/{grant}/revoke               = 403 303 303 403 401 401
POST /agents/{name}/pause         = 403 303 303 403 401 401
POST /agents/{name}/resume        = 403 303 303 403 401 401
GET  /api/v1/openapi.json         = 200 200 200 200 200 200
GET  /api/v1/holds                = 200 200 200 403 401 403
GET  /api/v1/holds/{id}           = 200 200 200 403 401 403
GET  /api/v1/holds/{id}/diff      = 200 200 200 403 401 403
GET  /api/v1/holds/{id}/grant     = 200 200 200 403 401 403
GET  /api/v1/history              = 200 200 200 403 401 403
GET  /api/v1/grants               = 200 200 200 403 401 403
POST /api/v1/batch < {"holds":[{"id":"{id}","version":{version},"binding":"{binding}"}]}         = 403 403 200 403 401 403
POST /api/v1/holds/{id}/decision < {"decision":"reject","words":"no","binding":"{binding}"}      = 403 403 200 403 401 403
POST /api/v1/holds/{id}/assign < {"to":"ann"}                          = 403 403 200 403 401 403
POST /api/v1/holds/{id}/extend < {"seconds":60}                        = 403 403 200 403 401 403
POST /api/v1/holds/{id}/revoke                                         = 403 403 409 403 401 403
POST /api/v1/holds/{id}/note < {"effected":"yes"}                      = 403 403 409 403 401 403
POST /api/v1/holds/{id}/grant < {"binding":"{binding}","calls":1,"minutes":1,"fields":["title"]} = 403 403 200 403 401 403
POST /api/v1/holds/{id}/snooze < {"minutes":1}                         = 200 200 200 403 401 403
POST /api/v1/grants/{id}/revoke > /api/v1/grants/{grant}/revoke        = 403 422 422 403 401 403
POST /api/v1/principals/{name}/pause                                   = 403 200 200 403 401 403
POST /api/v1/principals/{name}/resume                                  = 403 200 200 403 401 403
POST /logout                      = 303 303 303 303 401 401
"#;

/// One line of the table.
struct Row {
    method: Method,
    route: &'static str,
    to: &'static str,
    body: &'static str,
    expected: Vec<u16>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let (asked, numbers) = line.rsplit_once(" = ").unwrap();
        let (method, asked) = asked.split_once(' ').unwrap();
        let (asked, body) = asked.split_once(" < ").unwrap_or((asked, ""));
        let (route, to) = asked.split_once(" > ").unwrap_or((asked, asked));
        let expected: Vec<u16> = numbers.split(' ').map(|it| it.parse().unwrap()).collect();
        assert_eq!(expected.len(), WHO.len(), "{line}");
        let method = method.parse().unwrap();
        Row { method, route: route.trim(), to: to.trim(), body: body.trim(), expected }
    };
    TABLE.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// Every method and address that the sources of the page route.
fn routed() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/console")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.extend(routed_in(&path));
            }
        }
    }
    found
}

fn routed_in(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    for call in text.split(".route(").skip(1) {
        let (mut depth, mut end) = (1, 0);
        for (at, letter) in call.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = at;
                break;
            }
        }
        let (address, served) = call[..end].split_once(',').unwrap();
        let address = match address.trim().strip_prefix('"') {
            Some(literal) => literal.trim_end_matches('"').to_owned(),
            // A constant of the same file, or the address of a file whose digest is in it.
            None => text
                .split_once(&format!("const {}: &str = \"", address.trim()))
                .map_or(address.trim(), |(_, after)| after.split('"').next().unwrap())
                .to_owned(),
        };
        let before = found.len();
        for method in ["get", "post", "put", "delete", "patch", "any"] {
            let names = |it: &str| it.trim_start().starts_with(&format!("{method}("));
            if names(served) || served.contains(&format!(").{method}(")) {
                found.push((method.to_uppercase(), address.clone()));
            }
        }
        assert!(
            found.len() > before,
            "{}: {address} is routed in a way not known here",
            path.display()
        );
    }
    found
}

#[test]
fn every_address_that_is_routed_has_a_line_and_every_line_an_address() {
    let routed = routed();
    let told: BTreeSet<(String, String)> =
        rows().iter().map(|row| (row.method.to_string(), row.route.to_owned())).collect();
    assert!(routed.len() > 50, "addresses are no longer found: {routed:?}");
    assert_eq!(routed.difference(&told).collect::<Vec<_>>(), [] as [&_; 0], "without a line");
    assert_eq!(told.difference(&routed).collect::<Vec<_>>(), [] as [&_; 0], "without an address");
}

/// Those who ask.
struct People {
    sessions: Vec<Browser>,
    stranger: Browser,
    /// Good for reading alone, and for deciding alone.
    tokens: [String; 2],
}

impl People {
    async fn of(stand: &Stand) -> Self {
        let mut sessions = Vec::new();
        for (name, role) in [("olga", "auditor"), ("dan", "admin"), ("ann", "approver")] {
            sessions.push(person_with(stand, name, &["--role", role]).await);
        }
        let mut nemo = person(stand, "nemo").await;
        stand.output(&["people", "role", "nemo"]);
        until("nemo has no role", async || nemo.get("/").await.status == StatusCode::FORBIDDEN)
            .await;
        sessions.push(nemo);
        let token = |scope: &str| {
            let made = stand.output(&["people", "token", "add", "ann", "--scope", scope]);
            format!("Bearer {}", made.lines().last().unwrap())
        };
        let tokens = [token("holds:read"), token("holds:decide")];
        let mut stranger = Browser::new(stand);
        stranger.get("/login").await;
        let mut api = Browser::new(stand);
        until("the tokens count", async || {
            let headers = [("authorization", tokens[1].as_str())];
            let page = api.send(Method::GET, "/api/v1/holds", &headers, String::new()).await;
            page.status == StatusCode::FORBIDDEN
        })
        .await;
        for browser in &mut sessions {
            browser.get("/account").await;
        }
        Self { sessions, stranger, tokens }
    }

    /// What one of [`WHO`] is answered.
    async fn ask(
        &self,
        who: usize,
        (method, to): (&Method, &str),
        body: String,
        version: u64,
    ) -> u16 {
        let browser = self.sessions.get(who).unwrap_or(&self.stranger);
        let (is_api, posts) = (to.starts_with("/api/"), *method == Method::POST);
        let (tag, origin) = (format!("\"{version}\""), browser.base.clone());
        let form_token = browser.form_token.clone();
        let mut headers = Vec::new();
        if WHO[who] == "wrong token" {
            // Reading asks for the one scope, all else for the other; putting aside is reading.
            let reads = !posts || to.ends_with("/snooze");
            headers.push(("authorization", self.tokens[usize::from(reads)].as_str()));
        }
        let mut sent = body;
        if posts {
            headers.extend([("sec-fetch-site", "same-origin"), ("origin", origin.as_str())]);
            if is_api {
                headers.extend([("content-type", "application/json"), ("if-match", tag.as_str())]);
                headers.push(("x-form-token", form_token.as_str()));
            } else {
                headers.push(("content-type", "application/x-www-form-urlencoded"));
                let fields = sent.split('&').filter_map(|field| field.split_once('='));
                sent = browser.form(&fields.collect::<Vec<_>>());
            }
        }
        browser.status(method.clone(), to, &headers, sent).await.as_u16()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_what_their_role_says_at_every_address() {
    let release = json!({"groups": [], "people": 1, "expires_seconds": 3600,
        "extend_seconds": 3600, "grantable": true});
    let (setup, _bundle) = setup(release);
    let stand = Stand::start(setup).await;
    let people = People::of(&stand).await;
    let login = people.stranger.clone().get("/login").await.text;
    let asset = login.split('"').find(|it| it.starts_with("/assets/console-")).unwrap().to_owned();
    let shared = held(&stand, "create_article", created("shared")).await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for Row { method, route, to, body, expected } in rows() {
        for (who, expected) in expected.into_iter().enumerate() {
            // What is done to a hold is done to one of its own.
            let acts = method == Method::POST && (to.contains("{id}") || body.contains("{id}"));
            let id: HoldId = if acts && expected < 400 {
                count += 1;
                held(&stand, "create_article", created(&format!("article-{count}"))).await
            } else {
                shared
            };
            let hold = stand.hold(id).await.0;
            if route.ends_with("/batch") && expected < 400 {
                let page = format!("/holds/{id}");
                people.ask(who, (&Method::GET, &page), String::new(), 0).await;
            }
            let agent = if WHO[who] == "approver" { "agent" } else { "other" };
            let values = BTreeMap::from([
                ("{id}", id.to_string()),
                ("{version}", hold.version.to_string()),
                ("{binding}", hold.binding.to_string()),
                ("{grant}", format!("grant_{}", "0".repeat(32))),
                ("{name}", agent.to_owned()),
                ("{seq}", "0".to_owned()),
                ("{form}", "csv".to_owned()),
                ("{edited}", created(&format!("edited {count}")).to_string()),
                ("asset.path()", asset.clone()),
            ]);
            let filled = |text: &str| {
                values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
            };
            let mut sent = filled(body);
            if to.starts_with("/holds/") {
                sent.push_str(&format!("&version={}&binding={}", hold.version, hold.binding));
            }
            let status = people.ask(who, (&method, &filled(to)), sent, hold.version).await;
            if status != expected {
                wrong.push(format!("{method} {to} as {}: {status}, not {expected}", WHO[who]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
