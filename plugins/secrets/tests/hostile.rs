//! Texts that are made to be slow: the work must grow with the text, not with its square.

use kit::{Document, Form, Leaf, Phase};
use secrets::{Config, look};
use std::time::{Duration, Instant};

const PIECES: &[&str] = &[
    "sk-",
    "sk_live_",
    "ghp_a1B2c3",
    "eyJ.",
    "eyJhbGciOiJI.",
    "M.",
    "MTA4NTYyMzQ1Njc4OTAxMjM0NQ.",
    "LS0tLS1CRUdJTi/",
    "1:AA",
    "password:",
    "password ",
    "password=",
    "bearer=",
    "cookie:",
    "Cookie: a=b;",
    "passphrase:",
    "api key",
    "token=",
    "a://",
    "https://a?token=",
    "x://a:b@",
    "-----BEGIN RSA PRIVATE KEY-----",
    "PuTTY-User-Key-File-2",
    "curl -u a:b",
    "private ",
    "-----BEGIN ",
    "sk_live_Q6i3dEHZil2lobbXKhFPbXm5 ",
    "dG9rOmE4ZDIzZjEyXzQ5MGRfNGJkY19iOTBl/",
    "Thunder507? is my password ",
    "a",
    "é",
    "密码",
    "<",
    "<a ",
    "&#",
    "%4",
    "[[",
    "\u{200b}",
];

#[test]
fn the_work_grows_with_the_text() {
    for piece in PIECES {
        let text = piece.repeat(200_000 / piece.len());
        let leaf = Leaf { text, form: Form::Html, ..Leaf::default() };
        let document = Document { phase: Phase::Call, leaves: vec![leaf], ..Document::default() };
        let start = Instant::now();
        let report = look(&document, &Config::default());
        // Where the work grows with the square, this takes minutes.
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{piece:?}: {:?}, {} findings",
            start.elapsed(),
            report.findings.len()
        );
    }
}
