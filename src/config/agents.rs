//! The sections about who may come: identity, principals, approvers, hosts and origins.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::uri::Authority;

use super::IdentityMode;
use super::section::{Section, Text};
use super::walk::Walk;
use crate::domain::{Approver, Principal, PrincipalId, PrincipalKind};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Keys,
    Passthrough,
    Anonymous,
}

pub(super) fn identity(
    root: &Section<'_>,
    walk: &Walk<'_>,
    loopback: bool,
) -> Option<IdentityMode> {
    let section = root.section("identity");
    let modes =
        [("keys", Mode::Keys), ("passthrough", Mode::Passthrough), ("anonymous", Mode::Anonymous)];
    let mode = section.choice("mode", &modes);
    let passthrough = section.section("passthrough");
    let roles = passthrough.names("roles");
    passthrough.finish();
    let anonymous = section.section("anonymous");
    let id = anonymous.text_or("id", "anonymous");
    let everybody = Principal {
        id: principal_id(&anonymous, &id).or_else(|| "anonymous".parse().ok())?,
        kind: PrincipalKind::Anonymous,
        roles: anonymous.names("roles"),
        groups: anonymous.names("groups"),
        attributes: BTreeMap::new(),
        on_behalf_of: None,
    };
    anonymous.finish();
    for (name, own) in [("passthrough", Mode::Passthrough), ("anonymous", Mode::Anonymous)] {
        if let (Some(at), Some(mode)) = (section.has(name), mode)
            && mode != own
        {
            let text = format!("is set, but `identity.mode` is not `{name}`; remove one of them");
            section.refuse(at, name, &text);
        }
    }
    if mode == Some(Mode::Anonymous) && !loopback {
        let text = "cannot be `anonymous` where `listen` is not a loopback address; use `keys`";
        section.refuse(section.has("mode").unwrap_or(section.at), "mode", text);
    }
    section.finish();
    Some(match mode? {
        Mode::Keys => IdentityMode::Keys,
        Mode::Passthrough => {
            walk.warn(
                "`identity.mode` is `passthrough`: agents bring their own Intercom tokens, and \
                 all of them get the same roles",
            );
            IdentityMode::Passthrough { roles }
        }
        Mode::Anonymous => {
            walk.warn(
                "`identity.mode` is `anonymous`: everybody on this machine may call without a key",
            );
            IdentityMode::Anonymous(Arc::new(everybody))
        }
    })
}

pub(super) fn principals(root: &Section<'_>) -> Vec<Arc<Principal>> {
    let mut principals: Vec<Arc<Principal>> = Vec::new();
    for section in root.list("principals") {
        let id = id_of(&section, "support-bot")
            .and_then(|id| Some((id.at, principal_id(&section, &id)?)));
        let roles = section.names("roles");
        let groups = section.names("groups");
        let attributes = section.attributes("attributes");
        let on_behalf_of = section.text("on_behalf_of").map(|text| text.text);
        if let Some((at, id)) = id {
            if principals.iter().any(|other| other.id == id) {
                section.refuse(at, "id", &format!("is `{id}` a second time; keep one"));
            }
            let kind = PrincipalKind::Agent;
            principals.push(Arc::new(Principal {
                id,
                kind,
                roles,
                groups,
                attributes,
                on_behalf_of,
            }));
        }
        section.finish();
    }
    principals
}

pub(super) fn approvers(root: &Section<'_>) -> Vec<Arc<Approver>> {
    let mut approvers: Vec<Arc<Approver>> = Vec::new();
    for section in root.list("approvers") {
        let id = id_of(&section, "jane");
        let groups = section.names("groups");
        if let Some(Text { at, text, shown }) = id {
            match text.parse() {
                Ok(id) if approvers.iter().any(|other| other.id == id) => {
                    section.refuse(at, "id", &format!("is `{id}` a second time; keep one"));
                }
                Ok(id) => approvers.push(Arc::new(Approver { id, groups })),
                Err(_) => section.refuse(at, "id", &not_a_name(&shown)),
            }
        }
        section.finish();
    }
    approvers
}

fn id_of(section: &Section<'_>, example: &str) -> Option<Text> {
    let id = section.text("id");
    if id.is_none() && section.has("id").is_none() {
        section.missing("id", &format!("id: {example}"));
    }
    id
}

/// A principal's name that Portcullis does not use itself.
fn principal_id(section: &Section<'_>, text: &Text) -> Option<PrincipalId> {
    let reserved =
        text.text == crate::domain::OWN_PRINCIPAL || text.text.starts_with("passthrough:");
    if reserved {
        let rule = "which Portcullis uses itself; choose another name";
        section.refuse(text.at, "id", &format!("is `{}`, {rule}", text.shown));
        return None;
    }
    let id = text.text.parse().ok();
    if id.is_none() {
        section.refuse(text.at, "id", &not_a_name(&text.shown));
    }
    id
}

fn not_a_name(shown: &str) -> String {
    format!("is `{shown}`, but must be 1 to 128 of `A-Z a-z 0-9 . _ @ : -`")
}

pub(super) fn allowed_hosts(root: &Section<'_>) -> Vec<String> {
    let key = "allowed_hosts";
    root.texts(key)
        .into_iter()
        .filter_map(|Text { at, text, shown }| {
            let host = is_host(&text).then(|| text.to_ascii_lowercase());
            if host.is_none() {
                let rule = "which is not a host; write `name` or `name:port`, without scheme, path \
                            or wildcard";
                root.refuse(at, key, &format!("has `{shown}`, {rule}"));
            }
            host
        })
        .collect()
}

pub(super) fn allowed_origins(root: &Section<'_>) -> Vec<String> {
    let key = "allowed_origins";
    root.texts(key)
        .into_iter()
        .filter_map(|Text { at, text, shown }| {
            let scheme_is_word = |scheme: &str| {
                !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            let good = text
                .split_once("://")
                .is_some_and(|(scheme, host)| scheme_is_word(scheme) && is_host(host));
            if !good {
                let rule =
                    "which is not an origin; write `https://name[:port]`, without path or wildcard";
                root.refuse(at, key, &format!("has `{shown}`, {rule}"));
            }
            good.then(|| text.to_ascii_lowercase())
        })
        .collect()
}

fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| {
        !authority.host().is_empty() && !text.contains(['@', '*']) && !text.ends_with(':')
    })
}
