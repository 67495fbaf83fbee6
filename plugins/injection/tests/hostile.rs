//! Texts that are made to be slow: the work must grow with the text, not with its square.

use injection::{Config, look};
use kit::{Document, Form, Leaf, Phase};
use std::time::{Duration, Instant};

const PIECES: &[&str] = &[
    "<p hidden>",
    "<a",
    "<a \"",
    "<!--",
    "<div style=\"color:#fff\">x",
    "<template>aaa",
    "ai ",
    "ai: ",
    "you are ai ",
    "ignore all previous instructions ",
    "call update_article ",
    "a://",
    "https://a?b=c",
    "![x](https://a?b=c)",
    "data:",
    "data:text/html",
    "6a",
    "6a ",
    "%6a",
    "&#106;",
    "\\u006a",
    "=6A",
    "106 ",
    "01101010 ",
    ".- ",
    "a@",
    "moc.a@b ",
    "j a n e ",
    "YWFh",
    "YWFh/",
    "H4sI",
    "A",
    "\u{200b}",
    "a\u{200b}",
    "\u{e0041}",
    "\u{202e}",
    "ｊ",
    "jа ",
    "無視",
    "[INST]",
    "<|im_start|>",
    "system:\n",
    "<",
    "{",
    "#",
    "i ",
    "i-",
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
