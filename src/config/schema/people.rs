//! The part of the schema about the approvers' page.

use schemars::JsonSchema;

use super::Span;

/// The approvers' page, where people read held calls and decide.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Console {
    /// Where it is served: IP address and port of its own. Left out, nowhere.
    #[schemars(example = "127.0.0.1:8788")]
    listen: Option<String>,
    /// Where browsers find it, if a TLS proxy stands in front: `https://name[:port]`.
    #[schemars(example = "https://approve.example.com")]
    url: Option<String>,
    /// A session without a request ends after this.
    #[schemars(extend("default" = "1h"))]
    idle_timeout: Option<Span>,
    /// A session ends after this in any case.
    #[schemars(extend("default" = "12h"))]
    session_lifetime: Option<Span>,
    oidc: Option<Oidc>,
}

/// An OpenID Connect provider that vouches for people.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Oidc {
    /// Its name, to which `/.well-known/openid-configuration` is appended.
    #[schemars(example = "https://login.example.com")]
    issuer: Option<String>,
    /// Our name there. The address to register is `<url of the page>/login/oidc/callback`.
    client_id: Option<String>,
    /// Our secret there, if it gave one.
    #[schemars(example = "${file:oidc-secret}")]
    client_secret: Option<String>,
    /// A PEM file of roots to trust in addition to the built-in ones.
    ca_file: Option<String>,
    /// What is asked for besides `openid`; `email` and `profile` if left out.
    scopes: Option<Vec<String>>,
    /// The claim that becomes the name in records and rules. `email` counts only if verified.
    #[schemars(extend("default" = "email"))]
    name_claim: Option<String>,
    /// The claim that lists groups.
    #[schemars(extend("default" = "groups"))]
    groups_claim: Option<String>,
    /// What the provider's groups mean here. Who is in none is not let in, unless known by name.
    groups: Option<Vec<OidcGroup>>,
}

/// What a provider's group means here.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OidcGroup {
    /// The provider's group.
    from: String,
    /// Groups, which holds ask for.
    groups: Option<Vec<String>>,
    /// Roles; `approver` if left out.
    roles: Option<Vec<PersonRole>>,
}

/// What a person may do with Portcullis itself.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum PersonRole {
    Admin,
    Approver,
    Auditor,
}
