//! The approvers' page: where it is, how long people stay signed in, and who else vouches for them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::check::{HOUR, MINUTE, check_pem, read_url};
use super::section::Section;
use super::{Secret, walk::Walk};
use crate::domain::Role;

/// The approvers' page.
#[derive(Debug, Clone)]
pub struct Console {
    /// Where it is served.
    pub listen: SocketAddr,
    /// Where browsers find it: scheme, host and port, lower case. That of `listen` if absent.
    pub url: Option<String>,
    /// A session without a request ends after this.
    pub idle_timeout: Duration,
    /// A session ends after this in any case.
    pub session_lifetime: Duration,
    /// Who else vouches for people.
    pub oidc: Option<Oidc>,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Its name, to which `/.well-known/openid-configuration` is appended.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, if it gave one.
    pub client_secret: Option<Secret>,
    /// PEM roots trusted in addition to the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that becomes the name in records and rules.
    pub name_claim: String,
    /// The claim that lists groups.
    pub groups_claim: String,
    /// What its groups mean here. Who is in none of them, and not known by name, is not let in.
    pub groups: Vec<OidcGroup>,
}

/// What a provider's group means here.
#[derive(Debug, Clone)]
pub struct OidcGroup {
    /// The provider's group.
    pub from: String,
    /// Groups of rules.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<Role>,
}

impl Console {
    /// As the configuration has it if it says nothing but where.
    #[must_use]
    pub const fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            url: None,
            idle_timeout: Duration::from_secs(60 * 60),
            session_lifetime: Duration::from_secs(12 * 60 * 60),
            oidc: None,
        }
    }

    /// Where browsers find it, if it listens at `address`: scheme, host and port.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        self.url.clone().unwrap_or_else(|| format!("http://{address}"))
    }
}

pub(super) fn console(
    root: &Section<'_>,
    walk: &Walk<'_>,
    others: &[SocketAddr],
) -> Option<Console> {
    let section = root.section("console");
    let default = Console::at(SocketAddr::from(([127, 0, 0, 1], 0)));
    let url = section.text("url").and_then(|text| match origin(&text.text) {
        Ok(url) => Some(url),
        Err(rule) => {
            section.refuse_url("url", &text, rule);
            None
        }
    });
    let tls = url.as_ref().is_some_and(|url| url.starts_with("https:"));
    let listen = section.text("listen").and_then(|text| {
        let refuse =
            |why: &str| section.refuse(text.at, "listen", &format!("is `{}`, {why}", text.shown));
        match text.text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && others.contains(&address) => {
                refuse("which is taken by another door of Portcullis; give the page its own port");
                None
            }
            Ok(address) if !address.ip().is_loopback() && !tls => {
                refuse(
                    "which others can reach without TLS; use a loopback address, or put a TLS \
                     proxy in front and name its address, such as `url: https://approve.example.com`",
                );
                None
            }
            Ok(address) => Some(address),
            Err(_) => {
                refuse("but must be an IP address and a port, such as `127.0.0.1:8788`");
                None
            }
        }
    });
    if section.has("listen").is_none() && root.has("console").is_some() {
        section.missing("listen", "listen: 127.0.0.1:8788");
    }
    let idle_timeout = section.span("idle_timeout", default.idle_timeout, &(MINUTE..=HOUR * 24));
    let session_lifetime =
        section.span("session_lifetime", default.session_lifetime, &(MINUTE * 5..=HOUR * 24 * 7));
    let oidc = oidc(&section, walk);
    section.finish();
    Some(Console { listen: listen?, url, idle_timeout, session_lifetime, oidc })
}

/// Scheme, host and port of an address without anything else.
fn origin(text: &str) -> Result<String, &'static str> {
    let url = read_url(text)?;
    if url.path() != "/" || url.query().is_some() || text.ends_with('/') {
        return Err("must end with host and port, without a path");
    }
    Ok(text.to_ascii_lowercase())
}

fn oidc(console: &Section<'_>, walk: &Walk<'_>) -> Option<Oidc> {
    let section = console.section("oidc");
    let is_there = console.has("oidc").is_some();
    let issuer = section.text("issuer").and_then(|text| match read_url(&text.text) {
        Ok(url) if url.query().is_some() => {
            section.refuse(text.at, "issuer", "must have no query");
            None
        }
        Ok(_) => Some(text.text),
        Err(rule) => {
            section.refuse_url("issuer", &text, rule);
            None
        }
    });
    let client_id = section.text("client_id").map(|text| text.text);
    for (key, example) in
        [("issuer", "issuer: https://login.example.com"), ("client_id", "client_id: portcullis")]
    {
        if is_there && section.has(key).is_none() {
            section.missing(key, example);
        }
    }
    let client_secret = section.secret("client_secret");
    let ca_file = section.path("ca_file").map(|(at, path)| {
        if let Err(problem) = check_pem(&path) {
            section.refuse(at, "ca_file", &problem);
        }
        path
    });
    let scopes = section.names("scopes");
    let name_claim = section.text_or("name_claim", "email").text;
    let groups_claim = section.text_or("groups_claim", "groups").text;
    let roles = Role::ALL.map(|role| (role.as_str(), role));
    let mut groups = Vec::new();
    for entry in section.list("groups") {
        let from = entry.text("from").map(|text| text.text);
        if from.is_none() && entry.has("from").is_none() {
            entry.missing("from", "from: kb-team");
        }
        let (to, roles) = (entry.names("groups"), entry.words("roles", &roles));
        if let Some(from) = from {
            let roles = if roles.is_empty() { vec![Role::Approver] } else { roles };
            groups.push(OidcGroup { from, groups: to, roles });
        }
        entry.finish();
    }
    if is_there && groups.is_empty() {
        walk.warn(
            "`console.oidc.groups` is empty: of those whom the provider vouches for, only people \
             who are known by name are let in",
        );
    }
    section.finish();
    let scopes = if scopes.is_empty() { default_scopes() } else { scopes };
    Some(Oidc {
        issuer: issuer?,
        client_id: client_id?,
        client_secret,
        ca_file,
        scopes,
        name_claim,
        groups_claim,
        groups,
    })
}

fn default_scopes() -> Vec<String> {
    ["email", "profile"].map(str::to_owned).to_vec()
}
