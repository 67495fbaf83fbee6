//! The `Authorization` header and the refusals it can earn (RFC 6750).

/// Longest credential that is looked at. Keys are 47 bytes; tokens of Intercom some 60.
const MAX_TOKEN: usize = 4096;

/// A request without a good credential. Answered with [`Unauthenticated::status`] and
/// [`Unauthenticated::challenge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .kind.description())]
pub struct Unauthenticated {
    /// What was wrong with it.
    pub kind: UnauthenticatedKind,
}

/// What was wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnauthenticatedKind {
    /// There was none.
    Missing,
    /// Not `Bearer` and a token of the expected form.
    Malformed,
    /// No key of ours.
    Unknown,
    /// A key whose time is over.
    Expired,
    /// A key that was taken back.
    Revoked,
    /// A good key of a name that configuration no longer knows.
    UnknownPrincipal,
    /// Our own key file cannot be trusted at the moment; the client did nothing wrong.
    KeysUnreadable,
}

impl UnauthenticatedKind {
    /// A short code for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::UnknownPrincipal => "unknown_principal",
            Self::KeysUnreadable => "keys_unreadable",
        }
    }

    /// What the client is told. Unknown and removed look the same: who exists is not its business.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "a Portcullis key is required: Authorization: Bearer pcl_...",
            Self::Malformed => {
                "the Authorization header is not `Bearer` and a credential of the expected form"
            }
            Self::Unknown | Self::UnknownPrincipal => "the key is not known",
            Self::Expired => "the key has expired",
            Self::Revoked => "the key was revoked",
            Self::KeysUnreadable => "keys cannot be checked at the moment",
        }
    }
}

impl Unauthenticated {
    pub(super) const fn new(kind: UnauthenticatedKind) -> Self {
        Self { kind }
    }

    /// The HTTP status: 401, or 503 where the fault is ours.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            UnauthenticatedKind::KeysUnreadable => 503,
            _ => 401,
        }
    }

    /// RFC 6750's `error`; `None` for a request without a credential, which gets none (3.1).
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        match self.kind {
            UnauthenticatedKind::Missing | UnauthenticatedKind::KeysUnreadable => None,
            _ => Some("invalid_token"),
        }
    }

    /// The value of `WWW-Authenticate` to send with a 401.
    #[must_use]
    pub fn challenge(&self) -> String {
        match self.error() {
            None => r#"Bearer realm="portcullis""#.to_owned(),
            Some(error) => format!(
                r#"Bearer realm="portcullis", error="{error}", error_description="{}""#,
                self.kind.description()
            ),
        }
    }
}

/// The token of an `Authorization: Bearer` value: RFC 6750's `b64token`, nothing around it.
pub(super) fn token(authorization: Option<&[u8]>) -> Result<&[u8], Unauthenticated> {
    let malformed = Unauthenticated::new(UnauthenticatedKind::Malformed);
    let value = authorization.ok_or(Unauthenticated::new(UnauthenticatedKind::Missing))?;
    let (scheme, rest) = value.split_at_checked(7).ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(malformed);
    }
    let token = rest.trim_ascii_start();
    let body = match token.iter().rposition(|b| *b != b'=') {
        Some(last) => token.get(..=last).unwrap_or_default(),
        None => &[],
    };
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
    if body.is_empty() || token.len() > MAX_TOKEN || !body.iter().all(allowed) {
        return Err(malformed);
    }
    Ok(token)
}
