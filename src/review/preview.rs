//! The preview of a text: a page for `<iframe sandbox="" srcdoc>`, cleaned by ammonia besides.
//!
//! Three walls: the frame's sandbox runs nothing, its own Content-Security-Policy loads nothing, and
//! the allow list leaves no element that could do either. A frame's page also obeys the policy of the
//! page around it, so its one style sheet is named there by its digest ([`STYLE`]).
//!
//! Ammonia builds a tree as browsers do, which takes quadratic time for some nestings. A text that is
//! nested like that has no preview; the red-line and the source, which need no tree, show it all.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::document::Document;

/// The style of the page in the frame, all of it.
pub const STYLE: &str = "html{color-scheme:light;background:#fff;color:#1b1e23;font:16px/1.55 system-ui,sans-serif}body{margin:16px;max-width:42em;overflow-wrap:anywhere}img{display:inline-block;padding:.2em .5em;border:1px dashed #8a909a;border-radius:4px;color:#555}pre{white-space:pre-wrap;background:#f3f4f6;padding:8px;border-radius:4px}table{border-collapse:collapse}td,th{border:1px solid #c9ced6;padding:4px 8px;text-align:left}blockquote{margin-left:0;padding-left:12px;border-left:3px solid #c9ced6}";

/// No text longer than this, and none nested deeper or crossed more often, gets a tree.
const LONGEST: usize = 2 << 20;
const DEEPEST: usize = 150;
const CROSSED: usize = 100;
/// How often a text is cleaned again until nothing changes.
const PASSES: usize = 4;

/// The elements that may be in the page.
pub(super) const ALLOWED: [&str; 55] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// The page for the frame; `None` if the text is too long or too nested to be laid out safely, or is
/// never clean.
pub(super) fn page(html: &str, document: &Document) -> Option<String> {
    let seen = &document.seen;
    if html.len() > LONGEST || seen.depth > DEEPEST || seen.misnested > CROSSED {
        return None;
    }
    let clean = clean(html)?;
    Some(format!(
        "<!doctype html><html><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <style>{STYLE}</style></head><body>{clean}</body></html>"
    ))
}

/// The text cleaned until cleaning changes nothing; `None` if that takes too many passes. Where an element
/// is taken away, what it kept apart may be read otherwise: `<h2><x-y><h2>` is one heading in another, and
/// without `<x-y>` one behind the other. What is shown is what was looked at only if it reads as itself.
fn clean(html: &str) -> Option<String> {
    let mut clean = CLEANER.clean(html).to_string();
    for _ in 0..PASSES {
        let again = CLEANER.clean(&clean).to_string();
        if again == clean {
            return Some(clean);
        }
        clean = again;
    }
    None
}

/// Elements of the allow list with no attribute that leads or loads anywhere.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();

    builder
        .tags(HashSet::from(ALLOWED))
        .clean_content_tags(HashSet::from([
            "script", "style", "template", "noscript", "title", "textarea",
        ]))
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([
            ("img", HashSet::from(["alt"])),
            ("td", HashSet::from(["colspan", "rowspan"])),
            ("th", HashSet::from(["colspan", "rowspan"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::new())
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .strip_comments(true);
    builder
});
