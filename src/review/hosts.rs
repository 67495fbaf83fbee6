//! Where the links of a text lead, and which of them deceive.
//!
//! Addresses are read as browsers do (the `url` library), so that what is shown is where a click
//! goes. A host with letters beyond a-z is shown in both forms.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::document::Document;
use super::visible::plain;

/// A link of the new text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// What stands on it.
    pub text: String,
    /// The address as written.
    pub address: String,
    /// Where it leads.
    pub host: String,
    /// Whether the old text has none to there.
    pub added: bool,
    /// What is odd about it, in words.
    pub odd: Vec<String>,
}

/// Where an address leads, in words that fit behind a link.
#[must_use]
pub fn destination(address: &str) -> String {
    match target(address) {
        Target::Host { shown, .. } => shown,
        Target::Here => String::from("same site"),
        Target::Other(scheme) => format!("{scheme}: address"),
    }
}

/// Where an address leads.
enum Target {
    /// To a host; `ascii` is the form that goes over the wire.
    Host { ascii: String, shown: String },
    /// Somewhere on the Help Center itself.
    Here,
    /// To what is no host.
    Other(String),
}

fn target(address: &str) -> Target {
    // The base stands for the Help Center; a browser reads `//host` and `/path` against it.
    let Ok(base) = Url::parse("https://help-center.invalid/") else { return Target::Here };
    let Ok(url) = base.join(address) else { return Target::Other(String::from("broken")) };
    if !matches!(url.scheme(), "http" | "https" | "ftp") {
        return Target::Other(url.scheme().to_owned());
    }
    match url.host() {
        Some(Host::Domain("help-center.invalid")) | None => Target::Here,
        Some(Host::Domain(ascii)) => {
            let (unicode, _) = idna(ascii);
            let shown = if unicode == ascii {
                ascii.to_owned()
            } else {
                format!("{} ({ascii})", plain(&unicode))
            };
            Target::Host { ascii: ascii.to_owned(), shown }
        }
        Some(host) => Target::Host { ascii: host.to_string(), shown: host.to_string() },
    }
}

/// The letters behind a host's `xn--` form, and whether they could be read.
fn idna(ascii: &str) -> (String, bool) {
    let (unicode, read) = idna::domain_to_unicode(ascii);
    (unicode, read.is_ok())
}

/// The hosts that a document's links lead to, in their form on the wire.
pub(super) fn hosts(document: &Document) -> BTreeSet<String> {
    let links = document.seen.links.iter();
    links
        .filter_map(|(address, _)| match target(address) {
            Target::Host { ascii, .. } => Some(ascii),
            Target::Here | Target::Other(_) => None,
        })
        .collect()
}

/// The links of the new document, each address once.
pub(super) fn links(old: Option<&Document>, new: &Document) -> Vec<Link> {
    let known: BTreeSet<&str> = old
        .map(|old| old.seen.links.iter().map(|(address, _)| &**address).collect())
        .unwrap_or_default();
    let mut met = BTreeSet::new();
    let mut out = Vec::new();
    for (address, text) in &new.seen.links {
        if met.insert((address, text)) {
            out.push(Link {
                text: text.trim().to_owned(),
                address: address.to_string(),
                host: destination(address),
                added: !known.contains(&**address),
                odd: odd(address, text),
            });
        }
    }
    out
}

/// What is odd about a link.
fn odd(address: &str, text: &str) -> Vec<String> {
    let mut odd = Vec::new();
    match target(address) {
        Target::Other(scheme) if matches!(scheme.as_str(), "mailto" | "tel") => {}
        Target::Other(scheme) => odd.push(format!("its address is of the kind `{scheme}:`")),
        Target::Here => {}
        Target::Host { ascii, .. } => {
            if address.contains('@')
                && Url::parse(address).is_ok_and(|url| !url.username().is_empty())
            {
                odd.push(String::from("what stands before the `@` is not the host"));
            }
            let (unicode, _) = idna(&ascii);
            if let Some(scripts) = mixed_scripts(&unicode) {
                odd.push(format!("its host mixes {scripts}, which can look alike"));
            } else if !unicode.is_ascii() || ascii.contains("xn--") {
                odd.push(String::from(
                    "its host has letters beyond a-z, which can look like others",
                ));
            }
            let claimed = claimed_host(text);
            if claimed.as_ref().is_some_and(|claimed| !is_within(&ascii, claimed)) {
                let claimed = claimed.unwrap_or_default();
                odd.push(format!("its text says `{}`, which is another host", plain(&claimed)));
            }
        }
    }
    odd
}

/// The host that a link's text names, if the text is an address itself.
fn claimed_host(text: &str) -> Option<String> {
    let word = text.trim();
    if word.contains(char::is_whitespace) || !word.contains('.') || word.contains('@') {
        return None;
    }
    let full = if word.contains("://") { word.to_owned() } else { format!("https://{word}") };
    let url = Url::parse(&full).ok()?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let ending = host.rsplit('.').next()?;
    // `index.html` and `v1.2` are no hosts.
    let is_host = ending.len() >= 2
        && ending.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !matches!(
            ending,
            "html" | "htm" | "pdf" | "png" | "jpg" | "txt" | "json" | "js" | "csv"
        );
    is_host.then(|| host.to_owned())
}

fn is_within(host: &str, claimed: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches("www.").to_owned();
    let (host, claimed) = (bare(host), bare(claimed));
    host == claimed || host.ends_with(&format!(".{claimed}"))
}

/// The scripts that one part of a name mixes, in words; `None` if none does.
pub(super) fn mixed_scripts(name: &str) -> Option<String> {
    name.split(['.', '-', ' ']).find_map(|label| {
        let scripts: BTreeSet<&str> = label.chars().filter_map(script).collect();
        let looks_alike = scripts.contains("Latin") || scripts.contains("Cyrillic");
        (scripts.len() > 1 && looks_alike)
            .then(|| scripts.into_iter().collect::<Vec<_>>().join(" and ") + " letters")
    })
}

/// The script of a letter, of those that have letters which look like Latin ones.
const fn script(letter: char) -> Option<&'static str> {
    match letter {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some("Latin"),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some("Greek"),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' => {
            Some("Cyrillic")
        }
        '\u{531}'..='\u{58f}' => Some("Armenian"),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some("Cherokee"),
        '\u{ff21}'..='\u{ff5a}' => Some("full-width"),
        '\u{1d400}'..='\u{1d7ff}' => Some("mathematical"),
        '\u{2c80}'..='\u{2cff}' => Some("Coptic"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_say_where_they_lead_and_what_is_odd() {
        // Address, text, where it leads, words of what is odd.
        let rows = [
            ("https://intercom.com/a", "here", "intercom.com", ""),
            ("/articles/1", "here", "same site", ""),
            ("//evil.example/x", "here", "evil.example", ""),
            ("mailto:a@b.example", "mail", "mailto: address", ""),
            ("javascript:alert(1)", "x", "javascript: address", "kind `javascript:`"),
            (" java\nscript:alert(1)", "x", "javascript: address", "kind `javascript:`"),
            ("data:text/html,x", "x", "data: address", "kind `data:`"),
            ("https://intercom.com@evil.example/", "x", "evil.example", "before the `@`"),
            ("https://evil.example", "intercom.com", "evil.example", "another host"),
            ("https://help.intercom.com", "intercom.com", "help.intercom.com", ""),
            ("https://\u{456}ntercom.com", "x", "xn--", "mixes Cyrillic and Latin"),
            ("https://xn--e1afmkfd.example", "x", "xn--e1afmkfd", "beyond a-z"),
            ("https://1.2.3.4/", "x", "1.2.3.4", ""),
            ("https://evil.example", "v1.2", "evil.example", ""),
            ("https:\\\\evil.example", "x", "evil.example", ""),
        ];
        for (address, text, host, words) in rows {
            assert!(destination(address).contains(host), "{address}: {}", destination(address));
            let odd = odd(address, text).join("; ");
            assert_eq!(odd.is_empty(), words.is_empty(), "{address}: {odd}");
            assert!(odd.contains(words), "{address}: {odd}");
        }
    }
}
