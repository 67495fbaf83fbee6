//! People whom an OpenID Connect provider vouches for: code flow with PKCE, state and nonce.
//!
//! What a browser must bring back is sealed in a cookie of its own, so nothing is kept here before
//! somebody comes back, and a state is good once and for ten minutes. Tokens are checked by the
//! `openidconnect` library (signature by the provider's keys, issuer, audience, times, nonce), with
//! asymmetric algorithms only, whatever the provider's metadata offer. What counts is the ID token:
//! nothing else is asked of the provider, and its tokens are dropped at once.
//!
//! Names are in small letters. An address of mail counts as a name only if the provider verified it.
//! Who is known by name here has the rights that are known here; others have those that the
//! configuration gives to their groups at the provider.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AsyncHttpClient, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::sessions::Told;
use super::sign_in::{Opened, SignIn, SignInError};
use crate::config;
use crate::domain::{ApproverId, Role, Timestamp};

/// How long somebody may take at the provider.
pub const AWAY: Duration = Duration::from_secs(10 * 60);
/// How long what the provider says of itself is believed.
const METADATA: Duration = Duration::from_secs(60 * 60);
/// How much the provider's clock may differ from ours.
const SKEW: Duration = Duration::from_secs(60);
/// What the sealed cookie is for.
const SEAL: &str = "oidc";

/// Why the provider's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider.
    #[error("your organisation's login does not answer as it should: {0}")]
    Provider(String),
    /// Another browser, another time, or a second time.
    #[error("this login was not begun in this browser, or too long ago; begin again")]
    NotBegun,
    /// The provider's own refusal.
    #[error("your organisation's login refused: {0}")]
    Refused(String),
    /// The token is not good.
    #[error("what your organisation's login said could not be verified; begin again")]
    Token(String),
    /// No name, or none that can be used.
    #[error("your organisation's login gave no name that can be used here: {0}")]
    Name(&'static str),
    /// Nobody who may come in.
    #[error("you are not among those who may come in; whoever runs Portcullis can change that")]
    Stranger,
    /// A fresh proof was asked for, and the provider gave an old one.
    #[error("your organisation's login gave no fresh proof; sign in there again")]
    NotFresh,
    /// Ours.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

/// All claims of a token that the library has no field for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    other: HashMap<String, serde_json::Value>,
}

impl AdditionalClaims for Claims {}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type OidcClient = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Everything but these is refused: a shared secret proves nothing about who signed.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a browser brings back, sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    fresh: bool,
    begun_at: Timestamp,
}

/// A login that was begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What it brings back, for its own cookie.
    pub cookie: String,
}

/// What the provider sent a browser back with.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
}

/// The provider.
pub struct Provider {
    settings: config::Oidc,
    redirect: String,
    metadata: tokio::sync::Mutex<Option<(CoreProviderMetadata, Timestamp)>>,
    /// States that were used, until they are too old anyway.
    used: Mutex<HashMap<String, Timestamp>>,
}

impl Provider {
    /// The provider of a configuration; browsers come back to `redirect`.
    #[must_use]
    pub fn new(settings: config::Oidc, redirect: String) -> Self {
        Self { settings, redirect, metadata: tokio::sync::Mutex::default(), used: Mutex::default() }
    }

    /// Begins a login. `fresh` asks the provider for a new proof, whoever is signed in there.
    ///
    /// # Errors
    /// If the provider cannot be asked.
    pub async fn begin<H>(
        &self,
        sign_in: &SignIn,
        http: &H,
        next: &str,
        fresh: bool,
        now: Timestamp,
    ) -> Result<Begun, OidcError>
    where
        H: for<'c> AsyncHttpClient<'c>,
    {
        let client = self.client(http, METADATA, now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in self.settings.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if fresh {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        let kept = Kept {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            next: next.to_owned(),
            fresh,
            begun_at: now,
        };
        let kept = serde_json::to_vec(&kept).map_err(|_| SignInError::Machine)?;
        let cookie = sign_in.sealer.seal(SEAL, &kept).map_err(|_| SignInError::Machine)?;
        Ok(Begun { url: url.into(), cookie })
    }

    /// Ends a login: who it is, with a session of their own, and where they wanted to go.
    ///
    /// # Errors
    /// If the browser did not begin it, or the provider's word is not good.
    pub async fn finish<H>(
        &self,
        sign_in: &SignIn,
        http: &H,
        cookie: &str,
        answer: Answer,
        browser: &str,
        now: Timestamp,
    ) -> Result<(Opened, String), OidcError>
    where
        H: for<'c> AsyncHttpClient<'c>,
    {
        let kept = self.taken(sign_in, cookie, &answer, now)?;
        if let Some(error) = answer.error {
            let plain =
                error.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_');
            return Err(OidcError::Refused(plain.take(60).collect()));
        }
        let code = AuthorizationCode::new(answer.code.ok_or(OidcError::NotBegun)?);
        let client = self.client(http, METADATA, now).await?;
        let exchange = client.exchange_code(code).map_err(provider)?;
        let answered = exchange
            .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier))
            .request_async(http)
            .await
            .map_err(|error| OidcError::Provider(short(&error)))?;
        let token = answered.id_token();
        let token = token.ok_or_else(|| OidcError::Token("there is no ID token".to_owned()))?;
        let nonce = Nonce::new(kept.nonce);
        let verified = |client: &OidcClient| {
            let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
            let claims = token.claims(&verifier, &nonce);
            claims.cloned().map_err(|error| OidcError::Token(short(&error)))
        };
        let claims = match verified(&client) {
            Ok(claims) => claims,
            // The provider may have a new key. Only a token that it gave us itself leads here, so
            // nobody else can make us ask again and again.
            Err(_) => verified(&self.client(http, Duration::ZERO, now).await?)?,
        };
        let stepped_up_at = kept.fresh.then(|| claims.auth_time()).flatten();
        let stepped_up_at = stepped_up_at.map(|at| Timestamp::from_millis(at.timestamp_millis()));
        if kept.fresh && stepped_up_at.is_none_or(|at| at.plus(SKEW) < kept.begun_at) {
            return Err(OidcError::NotFresh);
        }
        let claims = serde_json::to_value(&claims).map_err(|_| SignInError::Machine)?;
        let (name, told) = self.person(sign_in, &claims)?;
        let stepped_up_at = stepped_up_at.map(|_| now);
        let opened = sign_in.by_provider(&name, told, stepped_up_at, browser, now).await?;
        Ok((opened, kept.next))
    }

    /// What the browser brought back, if it is good, this once.
    fn taken(
        &self,
        sign_in: &SignIn,
        cookie: &str,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Kept, OidcError> {
        let opened = sign_in.sealer.open(SEAL, cookie).map_err(|_| OidcError::NotBegun)?;
        let kept: Kept = serde_json::from_slice(&opened).map_err(|_| OidcError::NotBegun)?;
        let state = answer.state.as_deref().unwrap_or_default();
        let is_ours: bool = kept.state.as_bytes().ct_eq(state.as_bytes()).into();
        let is_old = now < kept.begun_at || now.since(kept.begun_at) >= AWAY;
        let other = answer.iss.as_ref().is_some_and(|iss| *iss != self.settings.issuer);
        if !is_ours || is_old || other {
            return Err(OidcError::NotBegun);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, at| now.since(*at) < AWAY);
        if used.insert(kept.state.clone(), now).is_some() {
            return Err(OidcError::NotBegun);
        }
        Ok(kept)
    }

    /// Who the claims speak of, in our words.
    fn person(
        &self,
        sign_in: &SignIn,
        claims: &serde_json::Value,
    ) -> Result<(ApproverId, Told), OidcError> {
        let claim = self.settings.name_claim.as_str();
        let text = |claim: &str| claims.get(claim).and_then(serde_json::Value::as_str);
        let name = text(claim).ok_or(OidcError::Name("the claim is not there"))?;
        let verified = claims.get("email_verified").and_then(serde_json::Value::as_bool);
        if claim == "email" && verified != Some(true) {
            return Err(OidcError::Name("the address is not verified"));
        }
        let known = sign_in.people().spelled(name);
        let is_known = known.is_some();
        let name = match known {
            Some(known) => known,
            None => name
                .to_ascii_lowercase()
                .parse()
                .map_err(|_| OidcError::Name("it must be 1 to 128 of `A-Z a-z 0-9 . _ @ : -`"))?,
        };
        let theirs = match claims.get(&self.settings.groups_claim) {
            Some(serde_json::Value::Array(groups)) => {
                groups.iter().filter_map(serde_json::Value::as_str).collect()
            }
            Some(serde_json::Value::String(group)) => vec![group.as_str()],
            _ => Vec::new(),
        };
        let ours = self.settings.groups.iter().filter(|it| theirs.contains(&it.from.as_str()));
        let (mut groups, mut roles) = (BTreeSet::new(), BTreeSet::<Role>::new());
        for group in ours {
            groups.extend(group.groups.iter().cloned());
            roles.extend(&group.roles);
        }
        if roles.is_empty() && !is_known {
            // What they released as one of us counts no more from here on.
            sign_in.people().sent_away(&name).map_err(SignInError::from)?;
            return Err(OidcError::Stranger);
        }
        let display = text("name").unwrap_or(name.as_str());
        let visible = display.chars().filter(|letter| !crate::domain::is_hidden(*letter));
        let display = visible.take(80).collect();
        let told = Told {
            display,
            groups: groups.into_iter().collect(),
            roles: roles.into_iter().collect(),
        };
        Ok((name, told))
    }

    /// The library's client, by metadata that are younger than `age`.
    async fn client<H>(
        &self,
        http: &H,
        age: Duration,
        now: Timestamp,
    ) -> Result<OidcClient, OidcError>
    where
        H: for<'c> AsyncHttpClient<'c>,
    {
        let mut kept = self.metadata.lock().await;
        let young = kept.as_ref().filter(|(_, at)| now.since(*at) < age);
        let metadata = match young {
            Some((metadata, _)) => metadata.clone(),
            None => {
                let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(provider)?;
                let asked = CoreProviderMetadata::discover_async(issuer, http).await;
                let metadata = asked.map_err(|error| OidcError::Provider(short(&error)))?;
                *kept = Some((metadata.clone(), now));
                metadata
            }
        };
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let id = ClientId::new(self.settings.client_id.clone());
        let redirect = RedirectUrl::new(self.redirect.clone()).map_err(provider)?;
        Ok(Client::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
    }
}

fn provider(error: impl std::error::Error) -> OidcError {
    OidcError::Provider(short(&error))
}

/// An error and its causes, bounded, for our own log and the person.
fn short(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text.chars().filter(|letter| !letter.is_control()).take(300).collect()
}
