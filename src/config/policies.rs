//! Where policies come from: `policies: FOLDER`, or a section that names a folder, a bundle or a
//! bundle server, and the keys that must have signed what comes.

use std::path::PathBuf;
use std::time::Duration;

use super::check::{HOUR, MINUTE, SECOND, check_pem, read_url};
use super::private;
use super::section::Section;
use super::{Policies, PolicyOrigin, PolicyServer};

/// Bytes of the largest bundle; the reader's own bound is the same.
const MAX_BUNDLE_BYTES: usize = 8 << 20;

pub(super) fn policies(root: &Section<'_>) -> Policies {
    if root.is_text("policies") {
        let origin = root.path("policies").map(|(at, path)| {
            if let Err(problem) = check_folder(&path) {
                root.refuse(at, "policies", &problem);
            }
            PolicyOrigin::Folder(path)
        });
        return Policies { origin: origin.unwrap_or_default(), ..Policies::default() };
    }
    let section = root.section("policies");
    let mut origins = Vec::new();
    if let Some((at, path)) = section.path("folder") {
        if let Err(problem) = check_folder(&path) {
            section.refuse(at, "folder", &problem);
        }
        origins.push(PolicyOrigin::Folder(path));
    }
    if let Some((at, path)) = section.path("bundle") {
        if let Err(problem) = check_file(&path) {
            section.refuse(at, "bundle", &problem);
        }
        origins.push(PolicyOrigin::Bundle(path));
    }
    origins.extend(server(&section).map(|server| PolicyOrigin::Server(Box::new(server))));
    let watch = section.flag("watch", false);
    let keys = keys(&section);
    let named = ["folder", "bundle", "url"].into_iter().filter(|key| section.has(key).is_some());
    let named: Vec<&str> = named.collect();
    match (named.as_slice(), root.has("policies")) {
        (_, None) => {}
        ([], Some(_)) => section.missing("folder", "folder: ./policies"),
        ([_], Some(_)) => {}
        ([_, second, ..], Some(_)) => {
            let at = section.has(second).unwrap_or(section.at);
            section.refuse(at, second, "is one source too many; keep one of them");
        }
    }
    if watch && section.has("url").is_some() {
        let at = section.has("watch").unwrap_or(section.at);
        section.refuse(
            at,
            "watch",
            "is for a folder or bundle; a server is asked every `interval`",
        );
    }
    section.finish();
    Policies { origin: origins.pop().unwrap_or_default(), keys, watch }
}

fn check_folder(path: &std::path::Path) -> Result<(), String> {
    if !path.is_dir() {
        return Err(format!(
            "names `{}`, which is not a folder; make it, or leave the key out for the shipped \
             policies",
            path.display()
        ));
    }
    private::check_not_writable(path).map_err(|error| format!("is not safe: {error}"))
}

fn check_file(path: &std::path::Path) -> Result<(), String> {
    if !path.is_file() {
        let shown = path.display();
        return Err(format!(
            "names `{shown}`, which is not a file; make it with `portcullis policy bundle build`"
        ));
    }
    private::check_not_writable(path).map_err(|error| format!("is not safe: {error}"))
}

/// The bundle server, if there is one; its other keys are for it alone.
fn server(section: &Section<'_>) -> Option<PolicyServer> {
    let url = section.text("url").and_then(|text| match read_url(&text.text) {
        Ok(url) => Some(url),
        Err(rule) => {
            section.refuse_url("url", &text, rule);
            None
        }
    });
    let token = section.secret("token");
    let ca_file = section.path("ca_file").map(|(at, path)| {
        if let Err(problem) = check_pem(&path) {
            section.refuse(at, "ca_file", &problem);
        }
        path
    });
    let interval = section.span("interval", MINUTE, &(SECOND..=HOUR * 24));
    let timeout = section.span("timeout", SECOND * 10, &(Duration::from_millis(100)..=MINUTE * 5));
    let max_bytes = section.size("max_bytes", MAX_BUNDLE_BYTES, &(1 << 10..=MAX_BUNDLE_BYTES));
    if section.has("url").is_none() {
        for key in ["token", "ca_file", "interval", "timeout", "max_bytes"] {
            if let Some(at) = section.has(key) {
                section.refuse(at, key, "is for a bundle server; name one by `url`, or remove it");
            }
        }
    }
    Some(PolicyServer { url: url?, token, ca_file, interval, timeout, max_bytes })
}

/// The public keys. A key that is named and not there must not read as "no key wanted".
pub(super) fn keys(section: &Section<'_>) -> Vec<PathBuf> {
    let one = section.path("key");
    let several = section.paths("keys");
    for key in ["key", "keys"] {
        let empty = section.is_empty(key) || (key == "keys" && several.is_empty());
        if let Some(at) = section.stands(key).filter(|_| empty) {
            section.refuse(at, key, "names no key; name a PEM file, or remove it");
        }
    }
    if let (Some(_), Some(at)) = (&one, section.has("keys")) {
        section.refuse(at, "keys", "stands beside `key`; keep one of them");
    }
    let mut keys = Vec::new();
    for (key, (at, path)) in
        one.map(|one| ("key", one)).into_iter().chain(several.into_iter().map(|it| ("keys", it)))
    {
        if let Err(problem) = check_key(&path) {
            section.refuse(at, key, &problem);
        }
        keys.push(path);
    }
    keys
}

fn check_key(path: &std::path::Path) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read(path)
        .map_err(|error| format!("names `{shown}`, which cannot be read: {error}"))?;
    if !text.windows(16).any(|part| part == b"PUBLIC KEY-----\n" || part == b"PUBLIC KEY-----\r") {
        return Err(format!(
            "names `{shown}`, which holds no public key; it must have `-----BEGIN PUBLIC KEY-----`"
        ));
    }
    private::check_not_writable(path).map_err(|error| format!("is not safe: {error}"))
}
