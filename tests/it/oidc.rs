//! Signing in at an organisation's provider: the way there and back, and what is not believed.

use http::{Method, StatusCode};
use serde_json::json;

use crate::browser::{Browser, Page};
use crate::page::{act, held};
use crate::provider::{Bend, CLIENT, CLIENT_SECRET, Provider};
use crate::stand::{Setup, Stand};

const SESSION: &str = "__Host-portcullis";
const AWAY: &str = "__Host-portcullis-oidc";

async fn stand(provider: &Provider) -> Stand {
    let more = format!("holds: {{ wait: 100ms, poll: 100ms }}\n{}", console(provider));
    Stand::start(Setup { more, ..Setup::default() }).await
}

fn console(provider: &Provider) -> String {
    format!(
        "console:\n  listen: \"127.0.0.1:0\"\n  oidc:\n    issuer: \"{}\"\n    client_id: {CLIENT}\n    \
         client_secret: \"{CLIENT_SECRET}\"\n    groups:\n    \
         - {{ from: kb-team, groups: [kb-editors], roles: [approver] }}\n    \
         - {{ from: auditing, roles: [auditor] }}\n",
        provider.issuer
    )
}

fn somebody(name: &str, groups: &[&str]) -> serde_json::Value {
    json!({"email": name, "email_verified": true, "name": "Some Body", "groups": groups})
}

/// Begins in a browser, signs in at the provider, and returns the way back.
async fn away(browser: &mut Browser, begin: &str) -> String {
    let page = browser.get(begin).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let mut outside = browser.clone();
    outside.base.clear();
    outside.cookies.clear();
    let page = outside.send(Method::GET, page.header("location"), &[], String::new()).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    page.header("location").strip_prefix(&browser.base).unwrap().to_owned()
}

/// Comes back with the cookies that a browser sends along when another site leads here.
async fn back(browser: &mut Browser, path: &str) -> Page {
    let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    let strict = browser.cookies.remove(SESSION);
    let page = browser.send(Method::GET, path, &headers, String::new()).await;
    if let Some(strict) = strict {
        browser.cookies.entry(SESSION.to_owned()).or_insert(strict);
    }
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_in_by_their_organisation_with_the_rights_of_their_groups() {
    let provider = Provider::start().await;
    let stand = stand(&provider).await;
    *provider.claims.lock().unwrap() = somebody("Jo.Doe@Example.com", &["kb-team", "other"]);
    let mut jo = Browser::new(&stand);
    let login = jo.get("/login?next=/account%3Fx").await;
    assert!(login.text.contains("href=\"/login/oidc?next=%2Faccount%3Fx\""), "{}", login.text);
    let path = away(&mut jo, "/login/oidc?next=/account%3Fx").await;
    let page = back(&mut jo, &path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("content=\"0; url=/account?x\""), "{}", page.text);
    assert!(!jo.cookies.contains_key(AWAY));
    let account = jo.get("/account").await;
    for part in
        ["jo.doe@example.com", "Some Body", "kb-editors", "approver", "at your organisation"]
    {
        assert!(account.text.contains(part), "{part}: {}", account.text);
    }
    assert!(!account.text.contains("other"), "their words mean nothing here");

    // A proof that is fresh: asked for, and given.
    let page = jo.get("/step-up?next=/account").await;
    assert!(page.text.contains("/login/oidc?next=%2Faccount&#38;fresh=true"), "{}", page.text);
    *provider.bend.lock().unwrap() = Bend::OldProof;
    let path = away(&mut jo, "/login/oidc?next=/account&fresh=true").await;
    assert_eq!(back(&mut jo, &path).await.status, StatusCode::FORBIDDEN);
    *provider.bend.lock().unwrap() = Bend::Nowhere;
    let before = jo.cookies[SESSION].clone();
    let path = away(&mut jo, "/login/oidc?next=/account&fresh=true").await;
    assert_eq!(back(&mut jo, &path).await.status, StatusCode::OK);
    assert_ne!(jo.cookies[SESSION], before);

    // Who is known by name has the rights that are known here, spelled as here.
    *provider.claims.lock().unwrap() = somebody("ANN", &["auditing"]);
    let mut ann = Browser::new(&stand);
    let path = away(&mut ann, "/login/oidc").await;
    assert_eq!(back(&mut ann, &path).await.status, StatusCode::OK);
    let account = ann.get("/account").await;
    assert!(account.text.contains("support-leads") && !account.text.contains("auditor"));
    // The provider's new key is fetched when it is needed.
    provider.rotate();
    let mut late = Browser::new(&stand);
    let path = away(&mut late, "/login/oidc").await;
    let page = back(&mut late, &path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
}

/// Somebody whom only the organisation knows releases a write, and it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_the_organisation_release() {
    let provider = Provider::start().await;
    let stand = stand(&provider).await;
    let arguments = |title: &str| json!({"id": "9100001", "title": title});
    let come = async |groups: &[&str]| {
        *provider.claims.lock().unwrap() = somebody("jo@example.com", groups);
        let mut jo = Browser::new(&stand);
        let path = away(&mut jo, "/login/oidc").await;
        assert_eq!(back(&mut jo, &path).await.status, StatusCode::OK);
        jo
    };
    let mut jo = come(&["kb-team"]).await;
    let id = held(&stand, "update_article", arguments("by jo")).await;
    let done = act(&mut jo, id, "approve", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    crate::stand::until("it is sent", async || stand.sent("by jo") == 1).await;
    let state = stand.hold(id).await.0.state;
    assert!(state.is_final(), "{state:?}");
    let taken = held(&stand, "update_article", arguments("taken")).await;
    let done = act(&mut jo, taken, "assign", &[("to", "jo@example.com")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

/// Once the organisation has taken somebody out of our groups, what they released before counts no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_the_organisation_sends_away_has_released_nothing() {
    let provider = Provider::start().await;
    let two = json!({"groups": [], "people": 2, "expires_seconds": 600});
    let (mut setup, _bundle) = crate::page::setup(two);
    let plain = "console: { listen: \"127.0.0.1:0\" }\n";
    assert!(setup.more.contains(plain));
    setup.more = setup.more.replace(plain, &console(&provider));
    let stand = Stand::start(setup).await;
    let note = || json!({"conversation_id": "215470000000101", "body": "by two"});
    *provider.claims.lock().unwrap() = somebody("jo@example.com", &["kb-team"]);
    let mut jo = Browser::new(&stand);
    let path = away(&mut jo, "/login/oidc").await;
    assert_eq!(back(&mut jo, &path).await.status, StatusCode::OK);
    let id = held(&stand, "add_internal_note", note()).await;
    let done = act(&mut jo, id, "approve", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);

    *provider.claims.lock().unwrap() = somebody("jo@example.com", &["other"]);
    let mut again = Browser::new(&stand);
    let path = away(&mut again, "/login/oidc").await;
    assert_eq!(back(&mut again, &path).await.status, StatusCode::FORBIDDEN);
    let _released = stand.approve(id).await;
    let waits = async || {
        let hold = stand.hold(id).await.0;
        hold.changed.is_some_and(|why| why.contains("jo@example.com")) && hold.state.is_undecided()
    };
    crate::stand::until("it waits for people again", waits).await;
    let noted =
        stand.calls().into_iter().filter(|it| it.tool.as_deref() == Some("add_internal_note"));
    assert_eq!(noted.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_good_is_not_believed() {
    let provider = Provider::start().await;
    let stand = stand(&provider).await;
    *provider.claims.lock().unwrap() = somebody("jo@example.com", &["kb-team"]);
    let refused = async |what: &str, browser: &mut Browser, path: &str| {
        let page = back(browser, path).await;
        assert!(page.status.is_client_error() || page.status.is_server_error(), "{what}");
        assert!(!browser.cookies.contains_key(SESSION), "{what}");
        assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER, "{what}");
    };
    for bend in [
        Bend::Nonce,
        Bend::Audience,
        Bend::TwoAudiences,
        Bend::Issuer,
        Bend::Expired,
        Bend::NotSigned,
        Bend::SignedWithTheSecret,
        Bend::OtherKey,
        Bend::NoToken,
        Bend::AnsweringIssuer,
    ] {
        *provider.bend.lock().unwrap() = bend;
        let mut jo = Browser::new(&stand);
        let path = away(&mut jo, "/login/oidc").await;
        refused(&format!("{bend:?}"), &mut jo, &path).await;
    }
    *provider.bend.lock().unwrap() = Bend::Nowhere;
    for (what, claims) in [
        ("no group of ours", somebody("jo@example.com", &["other"])),
        ("no group", json!({"email": "jo@example.com", "email_verified": true})),
        ("not verified", json!({"email": "ann", "email_verified": false, "groups": ["kb-team"]})),
        ("nothing about it", json!({"email": "ann", "groups": ["kb-team"]})),
        ("no name", json!({"email_verified": true, "groups": ["kb-team"]})),
        ("a name that breaks lines", somebody("jo\n@example.com", &["kb-team"])),
        ("an alias", somebody("ann+x@example.com", &["kb-team"])),
        ("a name that looks alike", somebody("\u{430}nn", &["kb-team"])),
    ] {
        *provider.claims.lock().unwrap() = claims;
        let mut jo = Browser::new(&stand);
        let path = away(&mut jo, "/login/oidc").await;
        refused(what, &mut jo, &path).await;
    }
    *provider.claims.lock().unwrap() = somebody("jo@example.com", &["kb-team"]);
    // Another browser than the one that began: somebody is to be signed in as somebody else.
    let (mut jo, mut eve) = (Browser::new(&stand), Browser::new(&stand));
    let jos = away(&mut jo, "/login/oidc").await;
    refused("without a cookie", &mut Browser::new(&stand), &jos).await;
    let eves = away(&mut eve, "/login/oidc").await;
    refused("the state of another", &mut jo, &eves).await;
    // Eve's code under Jo's state: the proof of who began it is Jo's.
    let part = |path: &str, name: &str| {
        let query = path.split('?').nth(1).unwrap().as_bytes();
        let mut pairs = form_urlencoded::parse(query);
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    let mixed = jos.replace(&part(&jos, "code"), &part(&eves, "code"));
    let mut keeps = jo.clone();
    refused("the code of another", &mut jo, &mixed).await;
    // The state was used, if in vain.
    refused("a state that was used", &mut keeps, &jos).await;
    // And after it was used well.
    let path = away(&mut jo, "/login/oidc").await;
    let mut keeps = jo.clone();
    assert_eq!(back(&mut jo, &path).await.status, StatusCode::OK);
    refused("a state that was used well", &mut keeps, &path).await;
    for path in [
        "/login/oidc/callback",
        "/login/oidc/callback?state=&code=x",
        "/login/oidc/callback?error=access_denied",
    ] {
        refused(path, &mut Browser::new(&stand), path).await;
    }
    // The provider's own refusal, to the browser that asked.
    let mut jo = Browser::new(&stand);
    let path = away(&mut jo, "/login/oidc").await;
    let path = format!("/login/oidc/callback?error=access_denied&state={}", part(&path, "state"));
    let page = back(&mut jo, &path).await;
    assert!(page.text.contains("refused: access_denied"), "{}", page.text);
    for secret in [CLIENT_SECRET, "code-"] {
        assert!(!stand.stderr().contains(secret), "{}", stand.stderr());
    }
    // Nobody is led away.
    let path = away(&mut jo, "/login/oidc?next=//evil.example").await;
    let page = back(&mut jo, &path).await;
    assert!(page.text.contains("content=\"0; url=/\""), "{}", page.text);
}
