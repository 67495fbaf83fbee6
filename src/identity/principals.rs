//! Credentials of agents: the second stop of the road.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::bearer::{Unauthenticated, UnauthenticatedKind, token};
use super::key_file::{Holder as _, KeyFile, KeysError, digest_of, has_key_form};
use super::key_table::{BadKey, KeyTable};
use crate::config::{Config, IdentityMode, Secret};
use crate::domain::{ApproverId, Digest, Principal, PrincipalId, PrincipalKind, Timestamp};

/// A request's principal, proven.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who.
    pub principal: Arc<Principal>,
    /// Which credential proved it, as a digest: sessions are bound to it. Says nothing of the
    /// credential itself, but is as good as a name: not for logs.
    pub credential: Digest,
    /// In pass-through mode, the agent's own token, which goes on to Intercom.
    pub token: Option<Secret>,
    /// The address that the connection comes from, if it is known.
    pub address: Option<IpAddr>,
}

/// Who may call, by credential.
pub struct Identity {
    mode: Mode,
    /// Portcullis itself, whose calls can be held too.
    own: Option<Arc<Principal>>,
}

enum Mode {
    Keys { principals: HashMap<PrincipalId, Arc<Principal>>, keys: KeyTable<PrincipalId> },
    Passthrough { roles: Vec<String> },
    Anonymous(Arc<Principal>),
}

/// Portcullis itself, for the calls that it makes of its own accord.
///
/// # Errors
/// Never: the name is a good one.
pub fn own_principal() -> Result<Arc<Principal>, crate::domain::ParseIdError> {
    Ok(Arc::new(Principal {
        id: crate::domain::OWN_PRINCIPAL.parse()?,
        kind: PrincipalKind::Portcullis,
        roles: Vec::new(),
        groups: Vec::new(),
        attributes: std::collections::BTreeMap::default(),
        on_behalf_of: None,
    }))
}

impl Identity {
    /// Opens the keys of a configuration's data folder.
    ///
    /// # Errors
    /// If the key file is there but is not private, or is not a key file.
    pub fn open(config: &Config) -> Result<Self, KeysError> {
        let mode = match &config.identity {
            IdentityMode::Keys => Mode::Keys {
                principals: config
                    .principals
                    .iter()
                    .map(|principal| (principal.id.clone(), principal.clone()))
                    .collect(),
                keys: KeyTable::open(KeyFile::of(&config.data))?,
            },
            IdentityMode::Passthrough { roles } => Mode::Passthrough { roles: roles.clone() },
            IdentityMode::Anonymous(principal) => Mode::Anonymous(principal.clone()),
        };
        Ok(Self { mode, own: own_principal().ok() })
    }

    /// The principal behind the one `Authorization` header of a request. A request with several
    /// must be refused before this.
    ///
    /// # Errors
    /// Without a good credential.
    pub fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Authenticated, Unauthenticated> {
        match &self.mode {
            Mode::Keys { principals, keys } => {
                let key = token(authorization)?;
                if !has_key_form(key, PrincipalId::PREFIX) {
                    return Err(Unauthenticated::new(UnauthenticatedKind::Malformed));
                }
                let credential = digest_of(key);
                let name = keys.find(&credential, now).map_err(refusal)?;
                let principal = principals
                    .get(&name)
                    .ok_or(Unauthenticated::new(UnauthenticatedKind::UnknownPrincipal))?;
                Ok(Authenticated {
                    principal: principal.clone(),
                    credential,
                    token: None,
                    address: None,
                })
            }
            Mode::Passthrough { roles } => pass_through(token(authorization)?, roles),
            Mode::Anonymous(principal) => Ok(Authenticated {
                principal: principal.clone(),
                credential: Digest::of("portcullis/anonymous/v1", &[]),
                token: None,
                address: None,
            }),
        }
    }

    /// Whether a credential that proved a principal would still do so: a stream that it opened must
    /// not outlive it for long.
    #[must_use]
    pub fn is_good(&self, credential: &Digest, now: Timestamp) -> bool {
        match &self.mode {
            Mode::Keys { principals, keys } => {
                keys.find(credential, now).is_ok_and(|name| principals.contains_key(&name))
            }
            Mode::Passthrough { .. } | Mode::Anonymous(_) => true,
        }
    }

    /// The principal of a name as it stands today: a held call is judged again with it.
    #[must_use]
    pub fn principal(&self, id: &PrincipalId) -> Option<Arc<Principal>> {
        // The name is taken: no configuration has it.
        if let Some(own) = self.own.as_ref().filter(|own| own.id == *id) {
            return Some(own.clone());
        }
        match &self.mode {
            Mode::Keys { principals, .. } => principals.get(id).cloned(),
            Mode::Passthrough { roles } => id
                .as_str()
                .starts_with(PASSTHROUGH_PREFIX)
                .then(|| Arc::new(pass_through_principal(id.clone(), roles))),
            Mode::Anonymous(principal) => (principal.id == *id).then(|| principal.clone()),
        }
    }

    /// The keys, where agents have keys of ours.
    pub(super) const fn keys(&self) -> Option<&KeyTable<PrincipalId>> {
        match &self.mode {
            Mode::Keys { keys, .. } => Some(keys),
            Mode::Passthrough { .. } | Mode::Anonymous(_) => None,
        }
    }

    /// Reads the key file again if it changed; says whether it did. To be called every second: a
    /// revoked key must stop working within two.
    ///
    /// # Errors
    /// If the file cannot be trusted any more. No key works until it can.
    pub fn reload(&self) -> Result<bool, KeysError> {
        match &self.mode {
            Mode::Keys { keys, .. } => keys.reload(),
            Mode::Passthrough { .. } | Mode::Anonymous(_) => Ok(false),
        }
    }
}

/// The principal of an agent's own Intercom token: a name made from its digest. Intercom judges
/// the token; we only tell one from another.
fn pass_through(token: &[u8], roles: &[String]) -> Result<Authenticated, Unauthenticated> {
    let malformed = Unauthenticated::new(UnauthenticatedKind::Malformed);
    // A key of ours is a mistake here, and must not be shown to Intercom.
    // Keys, tokens, sessions and links of ours, which would go on to Intercom.
    let ours = [PrincipalId::PREFIX, ApproverId::PREFIX, "pct_", "pcw_", "pcs_"];
    if ours.iter().any(|prefix| token.starts_with(prefix.as_bytes())) {
        return Err(malformed);
    }
    let credential = Digest::of("portcullis/passthrough/v1", &[token]);
    // All of the digest: a name that two tokens can be made to share would share their holds.
    let digits = credential.to_string();
    let digits = digits.rsplit(':').next().unwrap_or_default();
    let id = format!("{PASSTHROUGH_PREFIX}{digits}").parse().map_err(|_| malformed)?;
    let token = std::str::from_utf8(token).map_err(|_| malformed)?;
    let principal = Arc::new(pass_through_principal(id, roles));
    Ok(Authenticated {
        principal,
        credential,
        token: Some(Secret::new(token.to_owned())),
        address: None,
    })
}

/// What names made from the digest of an agent's own token begin with.
const PASSTHROUGH_PREFIX: &str = "passthrough:";

fn pass_through_principal(id: PrincipalId, roles: &[String]) -> Principal {
    Principal {
        id,
        kind: PrincipalKind::PassThrough,
        roles: roles.to_vec(),
        groups: Vec::new(),
        attributes: std::collections::BTreeMap::new(),
        on_behalf_of: None,
    }
}

fn refusal(bad: BadKey) -> Unauthenticated {
    Unauthenticated::new(match bad {
        BadKey::Unknown => UnauthenticatedKind::Unknown,
        BadKey::Expired => UnauthenticatedKind::Expired,
        BadKey::Revoked => UnauthenticatedKind::Revoked,
        BadKey::Unreadable => UnauthenticatedKind::KeysUnreadable,
    })
}
