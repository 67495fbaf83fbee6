//! The approvers' page of the real binary: how people come in, and what keeps others out.

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::{Method, StatusCode};

use crate::browser::Browser;
use crate::stand::{Setup, Stand, binary};

const PASSWORD: &str = "four random words here";
const SESSION: &str = "__Host-portcullis";

pub(crate) async fn stand() -> Stand {
    let more = "console: { listen: \"127.0.0.1:0\" }\n".to_owned();
    Stand::start(Setup { more, ..Setup::default() }).await
}

/// Runs a command with a password on its standard input.
pub(crate) fn with_password(stand: &Stand, arguments: &[&str], password: &str) -> bool {
    let mut child = Command::new(binary())
        .arg("--config")
        .arg(stand.config())
        .args(arguments)
        .arg("--password-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    child.wait().unwrap().success()
}

/// Waits until the server has seen what a command changed.
async fn until_signed_in(stand: &Stand, name: &str) -> Browser {
    let started = std::time::Instant::now();
    loop {
        let mut browser = Browser::new(stand);
        if browser.sign_in(name, PASSWORD, "").await.status == StatusCode::SEE_OTHER {
            return browser;
        }
        assert!(started.elapsed() < crate::client::DEADLINE, "{}", stand.stderr());
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_person_comes_in_by_a_link_that_works_once() {
    let stand = stand().await;
    let told = stand.output(&["people", "add", "jane@example.com", "--group", "kb-editors"]);
    assert!(told.contains("jane@example.com is added: approver; groups: kb-editors"), "{told}");
    let code = told.split('#').nth(1).unwrap().trim().to_owned();
    assert!(told.contains("/setup#pcs_") && code.len() == 47, "{told}");
    let file = std::fs::read_to_string(stand.data().join("people.json")).unwrap();
    assert!(!file.contains(&code), "the link's secret is kept nowhere");

    let mut jane = Browser::new(&stand);
    jane.get("/setup").await;
    for (password, again, why) in [
        ("short", "short", "fewer than 12 characters"),
        ("jane@example.com", "jane@example.com", "little more than your name"),
        (PASSWORD, "something else here", "The two passwords differ"),
    ] {
        let fields = [("code", code.as_str()), ("password", password), ("again", again)];
        let page = jane.post("/setup", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(why), "{why}: {}", page.text);
        assert!(!page.text.contains(password) || password.contains("jane"), "echoed");
    }
    // The whole link, as somebody without scripts pastes it.
    let link = format!("{}/setup#{code}", stand.console.as_deref().unwrap());
    let fields = [("code", link.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    let page = jane.post("/setup", &fields).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/"));
    let page = jane.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("jane@example.com") && page.text.contains("kb-editors"));

    let mut eve = Browser::new(&stand);
    eve.get("/setup").await;
    let fields = [("code", code.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    let page = eve.post("/setup", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("not good any more"), "{}", page.text);

    let file = std::fs::read_to_string(stand.data().join("people.json")).unwrap();
    assert!(file.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !file.contains(PASSWORD));
    assert!(!stand.stderr().contains(PASSWORD));

    // Signed out is signed out, also with the old cookie.
    let mut kept = jane.clone();
    jane.get("/account").await;
    let page = jane.post("/logout", &[]).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert!(!jane.cookies.contains_key(SESSION));
    let page = kept.get("/account?x=1").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.header("location"), "/login?next=%2Faccount%3Fx%3D1");
    let mut jane = Browser::signed_in(&stand, "jane@example.com", PASSWORD).await;

    // Rights are those of the moment, and who is removed is out.
    stand.output(&["people", "group", "jane@example.com", "support-leads"]);
    crate::stand::until("the new group counts", async || {
        jane.get("/account").await.text.contains("support-leads")
    })
    .await;
    stand.output(&["people", "remove", "jane@example.com"]);
    crate::stand::until("the session is over", async || {
        jane.get("/account").await.status == StatusCode::SEE_OTHER
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_has_a_price_and_tells_nothing() {
    let stand = stand().await;
    assert!(with_password(&stand, &["people", "add", "jane"], PASSWORD));
    assert!(!with_password(&stand, &["people", "add", "joe"], "password1234"));
    assert!(!stand.output(&["people", "list"]).contains("joe"), "nothing is left behind");
    until_signed_in(&stand, "jane").await;
    for name in ["jane", "nobody"] {
        let mut browser = Browser::new(&stand);
        for _ in 0..5 {
            let page = browser.sign_in(name, "wrong and wrong again", "").await;
            assert_eq!(page.status, StatusCode::FORBIDDEN);
            assert!(page.text.contains("The name, the password or the code is wrong."));
            assert!(!browser.cookies.contains_key(SESSION));
        }
        // Right or wrong, from any browser, in any spelling: whoever guessed waits.
        for spelled in [name.to_owned(), name.to_uppercase()] {
            let page = Browser::new(&stand).sign_in(&spelled, PASSWORD, "").await;
            assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
            assert!(page.text.contains("Too many attempts failed; try again in"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_the_browsers_and_nobody_elses() {
    let stand = stand().await;
    assert!(with_password(&stand, &["people", "add", "jane"], PASSWORD));
    assert!(with_password(&stand, &["people", "add", "joe"], PASSWORD));
    // Who sees the account that came last sees both.
    until_signed_in(&stand, "joe").await;
    // Fixation: what was set before means nothing, and there is a new id with each sign-in.
    let mut jane = until_signed_in(&stand, "jane").await;
    let first = jane.cookies[SESSION].clone();
    assert!(first.len() == 47 && first.starts_with("pcw_"), "256 bits");
    let mut fixed = Browser::new(&stand);
    fixed.cookies.insert(SESSION.to_owned(), format!("pcw_{}", "A".repeat(43)));
    assert_eq!(fixed.sign_in("jane", PASSWORD, "").await.status, StatusCode::SEE_OTHER);
    assert!(!fixed.cookies[SESSION].contains("AAAA") && fixed.cookies[SESSION] != first);
    // The same browser signs in as another: the first is out.
    let mut old = jane.clone();
    jane.cookies.remove(SESSION);
    jane.get("/login").await;
    jane.cookies.insert(SESSION.to_owned(), first);
    let page = jane.post("/login", &[("name", "joe"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER, "the old id is dead");
    // Two cookies of the name: one is somebody else's, so none counts.
    let both = format!("{SESSION}={}; {SESSION}={}", fixed.cookies[SESSION], jane.cookies[SESSION]);
    let mut doubled = Browser::new(&stand);
    let headers = [("cookie", both.as_str())];
    let page = doubled.send(Method::GET, "/account", &headers, String::new()).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);

    // Sessions are listed and ended by their owner only.
    let mut other = Browser::signed_in(&stand, "jane", PASSWORD).await;
    let page = fixed.get("/account").await;
    assert_eq!(page.text.matches("name=\"session\"").count(), 2);
    let names: Vec<_> = page.text.match_indices("name=\"session\" value=\"").collect();
    let names: Vec<_> =
        names.iter().map(|(at, found)| page.text[at + found.len()..][..12].to_owned()).collect();
    let mut joe = jane;
    joe.get("/account").await;
    for name in &names {
        joe.post("/account/sessions/end", &[("session", name)]).await;
    }
    assert_eq!(fixed.get("/account").await.status, StatusCode::OK, "joe ends nothing of jane's");
    for name in &names {
        fixed.post("/account/sessions/end", &[("session", name)]).await;
    }
    assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(fixed.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_counts_only_from_our_own_page_of_this_session() {
    let stand = stand().await;
    assert!(with_password(&stand, &["people", "add", "jane"], PASSWORD));
    let mut jane = until_signed_in(&stand, "jane").await;
    let mut other = Browser::signed_in(&stand, "jane", PASSWORD).await;
    jane.get("/account").await;
    other.get("/account").await;
    let origin = jane.base.clone();
    let form = "application/x-www-form-urlencoded";
    let good = jane.form(&[]);
    let stale = other.form(&[]);
    let own = [("sec-fetch-site", "same-origin"), ("origin", origin.as_str())];
    let kind = |kind| [own[0], own[1], ("content-type", kind)];
    let (no, wrong) = (StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED);
    let media = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let post = Method::POST;
    let tail = &[("content-type", form)];
    let with = |more: &[(&'static str, &'static str)]| [more, tail].concat();
    type Case<'a> = (Method, Vec<(&'a str, &'a str)>, &'a str, StatusCode);
    let cases: Vec<Case<'_>> = vec![
        (post.clone(), kind(form).to_vec(), &stale, no),
        (post.clone(), kind(form).to_vec(), "form_token=", no),
        (post.clone(), kind(form).to_vec(), "", no),
        (post.clone(), kind("text/plain").to_vec(), &good, media),
        (post.clone(), kind("application/json").to_vec(), "{}", media),
        (post.clone(), kind("multipart/form-data; boundary=x").to_vec(), &good, media),
        (post.clone(), own.to_vec(), &good, media),
        (post.clone(), with(&[("sec-fetch-site", "cross-site")]), &good, no),
        (post.clone(), with(&[("sec-fetch-site", "same-site")]), &good, no),
        (post.clone(), with(&[("sec-fetch-site", "none")]), &good, no),
        (post.clone(), with(&[("origin", "https://evil.example")]), &good, no),
        (post.clone(), with(&[("origin", "null")]), &good, no),
        (
            post.clone(),
            with(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")]),
            &good,
            no,
        ),
        // A cookie without anything that says where it comes from.
        (post.clone(), tail.to_vec(), &good, no),
        (Method::GET, kind(form).to_vec(), "", wrong),
        (Method::HEAD, kind(form).to_vec(), "", wrong),
        (Method::GET, [kind(form).as_slice(), &[("purpose", "prefetch")]].concat(), "", wrong),
        (
            Method::GET,
            [kind(form).as_slice(), &[("x-http-method-override", "POST")]].concat(),
            "",
            wrong,
        ),
        (Method::PUT, kind(form).to_vec(), &good, wrong),
        (Method::DELETE, kind(form).to_vec(), &good, wrong),
        (Method::PATCH, kind(form).to_vec(), &good, wrong),
        (Method::OPTIONS, kind(form).to_vec(), "", wrong),
    ];
    for (method, headers, body, expected) in cases {
        let page = jane.send(method.clone(), "/logout", &headers, body.to_owned()).await;
        assert_eq!(page.status, expected, "{method} {headers:?} {body}");
        assert_eq!(jane.get("/account").await.status, StatusCode::OK, "state changed: {method}");
    }
    let page = jane.get("/logout?_method=POST").await;
    assert_eq!(page.status, wrong);
    // Signing somebody in as somebody else needs a form of their own browser.
    let mut victim = Browser::new(&stand);
    victim.form_token = "0".repeat(64);
    let fields = [("name", "jane"), ("password", PASSWORD)];
    assert_eq!(victim.post("/login", &fields).await.status, no);
    let mut attacker = Browser::new(&stand);
    attacker.get("/login").await;
    victim.get("/login").await;
    victim.form_token.clone_from(&attacker.form_token);
    assert_eq!(victim.post("/login", &fields).await.status, no);
    // `Origin: null` is what our own pages send under `no-referrer`.
    jane.get("/account").await;
    let headers = [("sec-fetch-site", "same-origin"), ("origin", "null"), ("content-type", form)];
    let page = jane.send(post, "/logout", &headers, jane.form(&[])).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    // The same form again: the session it was of is over.
    let page = jane.post("/logout", &[]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_dressed_and_no_other_host_is_served() {
    let stand = stand().await;
    let mut browser = Browser::new(&stand);
    let login = browser.get("/login").await;
    let assets = login.text.split('"').filter(|part| part.starts_with("/assets/"));
    let assets: Vec<String> = assets.map(str::to_owned).collect();
    assert_eq!(assets.len(), 4, "{assets:?}");
    let paths = ["/login", "/setup", "/", "/account", "/nothing", "/logout", "/assets/nothing.js"];
    for path in paths.into_iter().chain(assets.iter().map(String::as_str)) {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        let is_file = assets.iter().any(|asset| asset == path);
        let cache = if is_file { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(page.header("cache-control"), cache, "{path}");
        assert!(!page.text.contains("style=\"") && !page.text.contains("onclick"), "{path}");
    }
    // In a frame, as a picture, as a script of another site.
    for kind in ["iframe", "frame", "object", "embed", "image", "script", "empty"] {
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", kind)];
        let page = browser.send(Method::GET, "/login", &headers, String::new()).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{kind}");
    }
    let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    let page = browser.send(Method::GET, "/login", &headers, String::new()).await;
    assert_eq!(page.status, StatusCode::OK, "a link leads here");
    let port = stand.console.as_deref().unwrap().rsplit(':').next().unwrap().to_owned();
    for (host, served) in [
        (format!("127.0.0.1:{port}"), true),
        (format!("LOCALHOST:{port}"), true),
        (format!("evil.example:{port}"), false),
        ("127.0.0.1".to_owned(), false),
        (String::new(), false),
    ] {
        let page = browser.send(Method::GET, "/login", &[("host", &host)], String::new()).await;
        assert_eq!(page.status == StatusCode::OK, served, "{host}");
    }
    // An agent's credentials open nothing here, and the agents' door knows no pages.
    let bearer = format!("Bearer {}", stand.key);
    for path in ["/account", "/"] {
        let headers = [("authorization", bearer.as_str())];
        let page = browser.send(Method::GET, path, &headers, String::new()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_set_up_asked_for_and_good_once() {
    let stand = stand().await;
    assert!(with_password(&stand, &["people", "add", "jane"], PASSWORD));
    let mut jane = until_signed_in(&stand, "jane").await;
    let page = jane.get("/step-up?next=/account").await;
    assert_eq!(page.status, StatusCode::OK);
    let page = jane.post("/step-up", &[("code", "123456"), ("next", "/account")]).await;
    assert!(page.text.contains("You have no second factor yet"), "{}", page.text);

    let page = jane.get("/account/second-factor").await;
    let offer = page.field("offer");
    let secret = page.text.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let secret = totp_rs::Secret::Encoded(secret.replace(' ', "")).to_bytes().unwrap();
    let totp = totp_rs::TOTP::new(totp_rs::Algorithm::SHA1, 6, 1, 30, secret, None, "x".to_owned())
        .unwrap();
    // The codes of a step each, so that nothing here depends on the clock's second.
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let code = |step: i64| totp.generate(now().checked_add_signed(step * 30).unwrap());
    let wrong = [("offer", offer.as_str()), ("code", "000000"), ("password", PASSWORD)];
    assert_eq!(jane.post("/account/second-factor", &wrong).await.status, StatusCode::FORBIDDEN);
    let first = code(-1);
    let wrong =
        [("offer", offer.as_str()), ("code", first.as_str()), ("password", "not the password")];
    assert_eq!(jane.post("/account/second-factor", &wrong).await.status, StatusCode::FORBIDDEN);
    let before = jane.clone();
    let fields = [("offer", offer.as_str()), ("code", first.as_str()), ("password", PASSWORD)];
    let page = jane.post("/account/second-factor", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert_eq!(before.clone().get("/account").await.status, StatusCode::SEE_OTHER, "a new session");
    assert!(jane.get("/account").await.text.contains("set up</span>"));
    let file = std::fs::read_to_string(stand.data().join("people.json")).unwrap();
    assert!(file.contains("\"totp\"") && !file.contains(&totp.get_secret_base32()));

    // The password alone is not enough any more, and no code works twice.
    let mut again = Browser::new(&stand);
    for wrong in ["", "000000", first.as_str()] {
        let page = again.sign_in("jane", PASSWORD, wrong).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{wrong}");
    }
    let second = code(0);
    let page = again.sign_in("jane", PASSWORD, &second).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    again.get("/step-up").await;
    let page = again.post("/step-up", &[("code", &second), ("next", "//evil.example")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "used for signing in");
    let old = again.clone();
    let page = again.post("/step-up", &[("code", &code(1)), ("next", "//evil.example")]).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert_ne!(old.cookies[SESSION], again.cookies[SESSION]);
    assert_eq!(old.clone().get("/account").await.status, StatusCode::SEE_OTHER);

    assert!(stand.output(&["people", "totp-reset", "jane"]).contains("is taken away"));
    until_signed_in(&stand, "jane").await;
}

/// Whoever decides is told whose data is in the call, by kind and number and without the values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_call_says_what_personal_data_is_in_it() {
    let more = "console: { listen: \"127.0.0.1:0\" }\nholds: { wait: 100ms, poll: 100ms }\n\
                plugins: { shipped: true }\n";
    let (more, roles) = (more.to_owned(), "knowledge-author");
    let stand = Stand::start(Setup { more, roles, ..Setup::default() }).await;
    assert!(with_password(&stand, &["people", "add", "jane"], PASSWORD));
    let mut jane = until_signed_in(&stand, "jane").await;
    let agent = stand.client().connected().await;
    let body = "<p>Write to maria.lindqvist@northwind.example or joe@northwind.example.</p>";
    let article = serde_json::json!({"title": "Help", "author_id": 7_000_001, "body": body});
    let told = agent.call("create_article", article).await;
    assert!(told.tool_text().starts_with("PENDING"), "{}", told.tool_text());
    let hold = stand.holds().await[0].id;
    let page = jane.get(&format!("/api/v1/holds/{hold}/diff")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("personal data: 2 email"), "{}", page.text);
}
