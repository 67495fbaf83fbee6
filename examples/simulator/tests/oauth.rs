//! Signing in.

use super::*;

const BACK: &str = "http://127.0.0.1:7777/callback";
/// From RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn form() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/x-www-form-urlencoded".to_owned())]
}

async fn registered(client: &Client) -> String {
    let reply = client.http("POST", "/register", &[], &json!({"redirect_uris": [BACK], "client_name": "t", "token_endpoint_auth_method": "none"}).to_string()).await;
    assert_eq!(reply.status, 201);
    reply.json()["client_id"].as_str().unwrap().to_owned()
}

async fn code(client: &Client, id: &str) -> String {
    let path = format!(
        "/authorize?response_type=code&client_id={id}&redirect_uri={BACK}&state=s%201&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let reply = client.http("GET", &path, &[], "").await;
    assert_eq!(reply.status, 302, "{reply:?}");
    let location = reply.header("location").unwrap();
    assert!(location.starts_with(BACK) && location.ends_with("&state=s%201"), "{location}");
    location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn token(client: &Client, fields: String) -> Reply {
    client.http("POST", "/token", &form(), &fields).await
}

#[tokio::test]
async fn a_client_registers_signs_in_calls_and_rotates() {
    let simulator = start(Options::default()).await;
    let client = Client::new(&simulator);
    let metadata =
        client.http("GET", "/.well-known/oauth-authorization-server", &[], "").await.json();
    assert_eq!(metadata["revocation_endpoint"], metadata["token_endpoint"]);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    let id = registered(&client).await;
    assert_eq!(id.len(), 16);
    let code = code(&client, &id).await;
    let redeem = |verifier: &str| {
        format!(
            "grant_type=authorization_code&client_id={id}&redirect_uri={BACK}&code={code}&code_verifier={verifier}"
        )
    };
    let first = token(&client, redeem(VERIFIER)).await.json();
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("bearer"), &json!(3600)));
    assert_eq!(
        token(&client, redeem(VERIFIER)).await.json()["error"],
        "invalid_grant",
        "a code is spent once"
    );
    let with = Client::new(&simulator).with_token(first["access_token"].as_str().unwrap());
    assert_eq!(
        with.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}))
            .await
            .status,
        200
    );

    let refresh = async |refresh: &Value| {
        token(
            &client,
            format!(
                "grant_type=refresh_token&client_id={id}&refresh_token={}",
                refresh.as_str().unwrap()
            ),
        )
        .await
    };
    let second = refresh(&first["refresh_token"]).await.json();
    let retried = refresh(&first["refresh_token"]).await;
    assert_eq!(retried.status, 200, "the former token is good until the new one is used");
    assert_eq!(refresh(&second["refresh_token"]).await.status, 200);
    assert_eq!(refresh(&first["refresh_token"]).await.status, 400, "and ends then");
}

#[tokio::test]
async fn a_token_expires_and_is_revoked() {
    let simulator = start(Options { token_lifetime: 0, ..Options::default() }).await;
    let client = Client::new(&simulator);
    let id = registered(&client).await;
    let redeem = async || {
        let code = code(&client, &id).await;
        token(&client, format!("grant_type=authorization_code&client_id={id}&redirect_uri={BACK}&code={code}&code_verifier={VERIFIER}")).await.json()["access_token"].as_str().unwrap().to_owned()
    };
    let status = async |token: &str| {
        let reply = Client::new(&simulator)
            .with_token(token)
            .send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}))
            .await;
        (reply.status, reply.body)
    };
    let expired = status(&redeem().await).await;
    assert!(expired.0 == 401 && expired.1.contains("Access token expired"));
    simulator.set(|options| options.token_lifetime = 60);
    let good = redeem().await;
    assert_eq!(status(&good).await.0, 200);
    assert_eq!(token(&client, format!("client_id={id}&token={good}")).await.status, 200);
    assert_eq!(status(&good).await.0, 401);
}

#[tokio::test]
async fn refusals() {
    let simulator = start(Options::default()).await;
    let client = Client::new(&simulator);
    let id = registered(&client).await;
    let foreign = json!({"redirect_uris": ["https://insiders.vscode.dev/redirect"]}).to_string();
    let refused = client.http("POST", "/register", &[], &foreign).await;
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (400, Some("invalid_redirect_uri"))
    );
    assert_eq!(
        client
            .http(
                "POST",
                "/register",
                &[],
                &json!({"redirect_uris": ["http://localhost.evil.example/"]}).to_string()
            )
            .await
            .status,
        400
    );
    for (path, wanted) in [
        (
            format!(
                "/authorize?response_type=code&client_id={id}&redirect_uri=http://127.0.0.1:7778/callback"
            ),
            "Invalid redirect URI",
        ),
        (
            format!("/authorize?response_type=code&client_id=nobody&redirect_uri={BACK}"),
            "Invalid client",
        ),
    ] {
        let reply = client.http("GET", &path, &[], "").await;
        assert!(reply.status == 400 && reply.body.starts_with(wanted), "{reply:?}");
    }
    let plain = client.http("GET", &format!("/authorize?response_type=code&client_id={id}&redirect_uri={BACK}&code_challenge=x&code_challenge_method=plain"), &[], "").await;
    assert!(plain.header("location").unwrap().contains("error=invalid_request"));
    let spent = code(&client, &id).await;
    let wrong = token(&client, format!("grant_type=authorization_code&client_id={id}&redirect_uri={BACK}&code={spent}&code_verifier=wrong")).await;
    assert_eq!(
        (wrong.status, wrong.json()["error_description"].as_str()),
        (400, Some("Invalid PKCE code_verifier"))
    );
    assert_eq!(
        token(&client, "grant_type=refresh_token&client_id=nobody".to_owned()).await.status,
        401
    );
    assert_eq!(client.http("POST", "/token", &[], "{}").await.status, 400);
    assert_eq!(
        client.http("GET", "/.well-known/oauth-protected-resource", &[], "").await.status,
        404
    );
    assert_eq!(
        client.http("GET", "/mcp/.well-known/oauth-authorization-server", &[], "").await.status,
        401
    );
}

#[tokio::test]
async fn switches_open_registration_show_metadata_and_ask_for_consent() {
    let simulator = start(Options {
        registration: Registration::Open,
        resource_metadata: true,
        consent: Consent::Page,
        ..Options::default()
    })
    .await;
    let client = Client::new(&simulator);
    assert_eq!(
        client
            .http(
                "POST",
                "/register",
                &[],
                &json!({"redirect_uris": ["https://a.example/cb"]}).to_string()
            )
            .await
            .status,
        201
    );
    assert_eq!(
        client.http("GET", "/.well-known/oauth-protected-resource/mcp", &[], "").await.json()["resource"],
        simulator.url()
    );
    assert!(
        client
            .http("POST", "/mcp", &[], "{}")
            .await
            .header("www-authenticate")
            .unwrap()
            .contains("resource_metadata=")
    );
    let id = registered(&client).await;
    let query = format!("response_type=code&client_id={id}&redirect_uri={BACK}");
    let page = client.http("GET", &format!("/authorize?{query}"), &[], "").await;
    assert!(page.status == 200 && page.body.contains("<button>Allow</button>"));
    let allowed = client.http("POST", "/authorize", &form(), &query).await;
    assert!(allowed.header("location").unwrap().contains("code="));
    simulator.set(|options| options.consent = Consent::Denied);
    assert!(
        client
            .http("GET", &format!("/authorize?{query}"), &[], "")
            .await
            .header("location")
            .unwrap()
            .contains("error=access_denied")
    );
}
