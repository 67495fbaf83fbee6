//! A browser for tests of the approvers' page: cookies, forms, and the headers that browsers add.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::stand::{Stand, until};

/// What was answered.
pub(crate) struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// A header's text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The value of the first field of a name.
    pub(crate) fn field(&self, name: &str) -> String {
        let at = self.text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| {
            panic!("no field {name} in {} {}", self.status, self.text);
        });
        let value = self.text[at..].split("value=\"").nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
    }
}

/// One browser with its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    pub base: String,
    pub cookies: BTreeMap<String, String>,
    /// The form token of the page that was read last.
    pub form_token: String,
}

impl Browser {
    pub(crate) fn new(stand: &Stand) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: stand.console.clone().unwrap(),
            cookies: BTreeMap::new(),
            form_token: String::new(),
        }
    }

    /// A browser in which somebody who has a password is signed in.
    pub(crate) async fn signed_in(stand: &Stand, name: &str, password: &str) -> Self {
        let mut browser = Self::new(stand);
        let page = browser.sign_in(name, password, "").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// As [`Browser::signed_in`], as soon as the server has seen the account.
    pub(crate) async fn once_signed_in(stand: &Stand, name: &str, password: &str) -> Self {
        let mut browser = Self::new(stand);
        until("the account counts", async || {
            browser.sign_in(name, password, "").await.status == StatusCode::SEE_OTHER
        })
        .await;
        browser
    }

    /// Fills in the login page.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str, code: &str) -> Page {
        self.get("/login").await;
        let fields = [("name", name), ("password", password), ("code", code), ("next", "/account")];
        self.post("/login", &fields).await
    }

    /// Reads a page, as if its address had been typed in.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let headers = [("sec-fetch-site", "none"), ("sec-fetch-dest", "document")];
        let page = self.send(Method::GET, path, &headers, String::new()).await;
        if page.text.contains("name=\"form_token\"") {
            self.form_token = page.field("form_token");
        }
        page
    }

    /// Sends a form of the page that was read last.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = self.form(fields);
        let origin = self.base.clone();
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("origin", origin.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send(Method::POST, path, &headers, body).await
    }

    /// The body of a form with its token.
    pub(crate) fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("form_token", &self.form_token);
        form.extend_pairs(fields);
        form.finish()
    }

    /// Sends anything, with the cookies of this browser, and keeps those that come back.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        let (head, body) = self.answer(method, path, headers, body).await.into_parts();
        for line in head.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            // What a browser asks of a `__Host-` cookie before it keeps it.
            for part in ["; Secure", "; HttpOnly", "; Path=/"] {
                assert!(line.contains(part), "{line}");
            }
            assert!(line.starts_with("__Host-") && !line.contains("Domain"), "{line}");
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = body.collect().await.unwrap().to_bytes();
        Page {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(text.to_vec()).unwrap(),
        }
    }

    /// The status of an answer that may have no end. Its cookies are not kept.
    pub(crate) async fn status(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> StatusCode {
        self.answer(method, path, headers, body).await.status()
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let all: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", all.join("; "));
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        self.client.request(request).await.unwrap()
    }
}
