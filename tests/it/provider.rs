//! An OpenID Connect provider that keeps to the standard, and can be bent in one place at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::Digest as _;
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "portcullis";
pub(crate) const CLIENT_SECRET: &str = "b7d1f0c2a9e84d55";

/// Where it does not keep to the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bend {
    Nowhere,
    Nonce,
    Audience,
    TwoAudiences,
    Issuer,
    Expired,
    NotSigned,
    SignedWithTheSecret,
    OtherKey,
    NoToken,
    AnsweringIssuer,
    OldProof,
}

/// Who is signed in there, and what it does.
pub(crate) struct Provider {
    pub issuer: String,
    pub bend: Mutex<Bend>,
    pub claims: Mutex<Value>,
    key: Mutex<(EcdsaKeyPair, String)>,
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    count: Mutex<u64>,
}

impl Provider {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            bend: Mutex::new(Bend::Nowhere),
            claims: Mutex::new(json!({})),
            key: Mutex::new((pair(), "first".to_owned())),
            codes: Mutex::default(),
            count: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// The provider signs with a new key from now on.
    pub(crate) fn rotate(&self) {
        *self.key.lock().unwrap() = (pair(), "second".to_owned());
    }

    fn id_token(&self, asked: &HashMap<String, String>, bend: Bend) -> String {
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let mut claims = json!({
            "iss": self.issuer,
            "sub": "248289761001",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked.get("nonce"),
        });
        let more = self.claims.lock().unwrap().clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if asked.contains_key("max_age") {
            claims["auth_time"] = json!(if bend == Bend::OldProof { now - 3600 } else { now });
        }
        match bend {
            Bend::Nonce => claims["nonce"] = json!("another"),
            Bend::Audience => claims["aud"] = json!("somebody-else"),
            Bend::TwoAudiences => claims["aud"] = json!([CLIENT, "somebody-else"]),
            Bend::Issuer => claims["iss"] = json!("https://evil.example"),
            Bend::Expired => claims["exp"] = json!(now - 300),
            _ => {}
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.key.lock().unwrap().1.clone());
        match bend {
            Bend::NotSigned => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims))
            }
            Bend::SignedWithTheSecret => {
                let key = EncodingKey::from_secret(CLIENT_SECRET.as_bytes());
                jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
            }
            Bend::OtherKey => jsonwebtoken::encode(&header, &claims, &signing(&pair())).unwrap(),
            _ => {
                let key = signing(&self.key.lock().unwrap().0);
                jsonwebtoken::encode(&header, &claims, &key).unwrap()
            }
        }
    }
}

fn pair() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn signing(pair: &EcdsaKeyPair) -> EncodingKey {
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

async fn discovery(State(this): State<Arc<Provider>>) -> Json<Value> {
    let issuer = &this.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than we take.
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn jwks(State(this): State<Arc<Provider>>) -> Json<Value> {
    let key = this.key.lock().unwrap();
    // 0x04, then 32 bytes each.
    let point = key.0.public_key().as_ref();
    let part = |range| URL_SAFE_NO_PAD.encode(&point[range]);
    let (x, y) = (part(1..33), part(33..65));
    let one = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.1, "x": x, "y": y});
    Json(json!({"keys": [one]}))
}

/// Whoever asks is signed in there already.
async fn authorize(
    State(this): State<Arc<Provider>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    assert!(asked["state"].len() >= 16 && asked["nonce"].len() >= 16);
    let code = {
        let mut count = this.count.lock().unwrap();
        *count += 1;
        format!("code-{count}")
    };
    let issuer = match *this.bend.lock().unwrap() {
        Bend::AnsweringIssuer => "https://evil.example".to_owned(),
        _ => this.issuer.clone(),
    };
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.append_pair("code", &code)
        .append_pair("state", &asked["state"])
        .append_pair("iss", &issuer);
    let to = format!("{}?{}", asked["redirect_uri"], back.finish());
    this.codes.lock().unwrap().insert(code, asked);
    Redirect::to(&to).into_response()
}

async fn token(
    State(this): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Response {
    let refused =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}")));
    if headers.get("authorization").is_none_or(|sent| sent != basic.as_str()) {
        return refused("invalid_client");
    }
    // A code is good once.
    let Some(asked) = this.codes.lock().unwrap().remove(&sent["code"]) else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&sent["code_verifier"]));
    if challenge != asked["code_challenge"] || sent["redirect_uri"] != asked["redirect_uri"] {
        return refused("invalid_grant");
    }
    let bend = *this.bend.lock().unwrap();
    let mut answer = json!({"access_token": "a", "token_type": "Bearer", "expires_in": 300});
    if bend != Bend::NoToken {
        answer["id_token"] = json!(this.id_token(&asked, bend));
    }
    Json(answer).into_response()
}
