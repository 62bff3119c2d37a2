//! Tokens that are bound to a key (RFC 7800): good nowhere without the proof of it. No endpoint takes a proof yet, so
//! the rules are handed one here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::json;
use tokenhouse::clients::ClientAuthentication;
use tokenhouse::digest;
use tokenhouse::error::Error;
use tokenhouse::grants::{self, CodeExchange, Grant, TokenRequest, TokenResponse};
use tokenhouse::model::{Confirmation, PossessionProof, Secret, Thumbprint};
use tokenhouse::protocol::{AuthMethod, ErrorCode, GrantType, Scope, TokenScheme};
use tokenhouse::token_status::PresentedToken;

use crate::authorization::{CALLBACK, VERIFIER, application, code, sign_in};
use crate::browser::Browser;
use crate::test_server::{Answer, TestServer, claims, on_each_backend, read};

const KEY: PossessionProof = PossessionProof { proven: Confirmation::DpopKey(Thumbprint::of([7; 32])) };
const OTHER_KEY: PossessionProof = PossessionProof { proven: Confirmation::DpopKey(Thumbprint::of([8; 32])) };

/// A client of the token endpoint.
struct Caller {
    id: &'static str,
    secret: String,
}

impl Caller {
    /// Asks the rules of the token endpoint.
    async fn ask(
        &self,
        server: &TestServer,
        proof: Option<PossessionProof>,
        grant: Grant,
    ) -> Result<TokenResponse, Error> {
        let credentials = ClientAuthentication::Secret {
            client_id: self.id.to_owned(),
            secret: Secret::new(self.secret.clone()),
            method: AuthMethod::ClientSecretBasic,
        };
        grants::exchange(server.ctx(), TokenRequest { credentials, proof, grant }).await
    }

    async fn renew(
        &self,
        server: &TestServer,
        proof: Option<PossessionProof>,
        token: &str,
    ) -> Result<TokenResponse, Error> {
        let grant = Grant::RefreshToken { refresh_token: Secret::new(token), scope: None };
        self.ask(server, proof, grant).await
    }

    /// Asks the token endpoint itself.
    async fn renew_by_http(&self, server: &TestServer, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        server.post_as(self.id, &self.secret, "/oauth2/token", &form).await
    }

    async fn introspect(&self, server: &TestServer, token: &str) -> serde_json::Value {
        server.post_as(self.id, &self.secret, "/oauth2/introspect", &[("token", token)]).await.body
    }
}

/// An application and the tokens of a session that is bound to [`KEY`].
async fn bound_session(server: &TestServer) -> (Caller, TokenResponse) {
    let (_, secret) = server.add_new_client(application("app")).await;
    let app = Caller { id: "app", secret: secret.unwrap() };
    let browser = Browser::of(server);
    sign_in(server, &browser).await;
    let grant = Grant::AuthorizationCode(CodeExchange {
        code: Secret::new(code(&browser, "app", &[]).await),
        redirect_uri: Some(CALLBACK.to_owned()),
        code_verifier: Some(Secret::new(VERIFIER)),
    });
    let tokens = app.ask(server, Some(KEY), grant).await.unwrap();
    (app, tokens)
}

/// A service and a token of its own with rights over this server that is bound to [`KEY`].
async fn bound_service(server: &TestServer) -> (Caller, String) {
    let scope = "tokenhouse:admin tokenhouse:events tokenhouse:introspect";
    let (_, secret) = server.add_client("service", &[GrantType::ClientCredentials], scope).await;
    let service = Caller { id: "service", secret };
    let scope = Some(Scope::parse("tokenhouse:admin tokenhouse:events").unwrap());
    let grant = Grant::ClientCredentials { scope, resource: Vec::new() };
    let tokens = service.ask(server, Some(KEY), grant).await.unwrap();
    assert_eq!(tokens.token_type, TokenScheme::Dpop);
    (service, tokens.access_token)
}

#[actix_web::test]
async fn what_is_issued_with_a_proof_says_which_key_it_is_bound_to() {
    on_each_backend(async |server| {
        let (_, tokens) = bound_session(server).await;
        let (service, own) = bound_service(server).await;
        let refresh = tokens.refresh_token.unwrap();

        let cnf = json!(KEY.proven);
        for token in [&tokens.access_token, &refresh, &own] {
            assert_eq!(claims(token)["cnf"], cnf);
            // Others are told which proof to ask for (RFC 9449 section 6.2).
            let told = service.introspect(server, token).await;
            assert_eq!((&told["active"], &told["cnf"]), (&json!(true), &cnf), "{told}");
        }
        assert_eq!(tokens.token_type, TokenScheme::Dpop);
        assert_eq!(service.introspect(server, &own).await["token_type"], "DPoP");
        let session = server.session_of(&refresh);
        let row = server.ctx().store.database.session(session).await.unwrap().unwrap();
        assert_eq!(row.confirmation, Some(KEY.proven));
        assert_eq!(server.record(session).await.grant.confirmation, Some(KEY.proven));
    })
    .await;
}

#[actix_web::test]
async fn a_bound_access_token_without_its_proof_opens_nothing() {
    on_each_backend(async |server| {
        let (_, tokens) = bound_session(server).await;
        let (_, own) = bound_service(server).await;
        let get = |path: &'static str, token: &str| read(server.request(Method::GET, path).bearer_auth(token));

        let refused = [
            get("/oauth2/userinfo", &tokens.access_token).await,
            read(server.request(Method::POST, "/oauth2/userinfo").bearer_auth(&tokens.access_token)).await,
            server.post("/oauth2/userinfo", &[("access_token", &tokens.access_token)]).await,
            get("/admin/v1/users", &own).await,
            get("/status/events", &own).await,
        ];

        for answer in refused {
            assert_eq!((answer.status, &answer.body["code"]), (401, &json!("invalid_token")), "{}", answer.text);
            assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        }
        // With the proof, and under the scheme that goes with it, the rules take it.
        let present = |scheme, proof| PresentedToken { scheme, token: Secret::new(own.clone()), proof };
        let scopes = ["tokenhouse:admin"];
        assert!(present(TokenScheme::Dpop, Some(KEY)).admit(server.ctx(), &scopes).await.is_ok());
        for refused in [present(TokenScheme::Bearer, Some(KEY)), present(TokenScheme::Dpop, Some(OTHER_KEY))] {
            let refusal = refused.admit(server.ctx(), &scopes).await;
            assert_eq!(refusal.unwrap_err().oauth_code(), Some(ErrorCode::InvalidToken), "{refused:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_bound_refresh_token_without_its_proof_is_refused_and_not_used_up() {
    on_each_backend(async |server| {
        let (app, tokens) = bound_session(server).await;
        let first = tokens.refresh_token.unwrap();
        let second = app.renew(server, Some(KEY), &first).await.unwrap().refresh_token.unwrap();
        assert_eq!(claims(&second)["cnf"], json!(KEY.proven));

        // The used one, too: shown by a thief it would end the session.
        for token in [&second, &first] {
            let answer = app.renew_by_http(server, token).await;
            assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")), "{}", answer.text);
            let other = app.renew(server, Some(OTHER_KEY), token).await;
            assert_eq!(other.unwrap_err().oauth_code(), Some(ErrorCode::InvalidGrant));
            assert_eq!(server.refresh(token).await.status, 401);
        }

        let third = app.renew(server, Some(KEY), &second).await.unwrap().refresh_token.unwrap();
        assert_eq!(server.count_events("refresh_reused").await, 0);
        // A record that was lost is made again with the binding.
        let session = server.session_of(&third);
        server.lose_record(session).await;
        assert_eq!(app.renew_by_http(server, &third).await.body["error"], "invalid_grant");
        let fourth = app.renew(server, Some(KEY), &third).await.unwrap();
        assert_eq!(claims(&fourth.access_token)["cnf"], json!(KEY.proven));
        assert_eq!(server.record(session).await.grant.confirmation, Some(KEY.proven));
    })
    .await;
}

#[actix_web::test]
async fn a_client_gives_a_bound_token_back_without_a_proof() {
    on_each_backend(async |server| {
        let (app, tokens) = bound_session(server).await;
        let refresh = tokens.refresh_token.unwrap();

        let answer = server.post_as("app", &app.secret, "/oauth2/revoke", &[("token", &refresh)]).await;

        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(app.renew(server, Some(KEY), &refresh).await.is_err());
    })
    .await;
}

#[actix_web::test]
async fn a_bound_code_is_exchanged_by_who_proves_its_key_and_lost_to_nobody_else() {
    on_each_backend(async |server| {
        let (_, secret) = server.add_new_client(application("app")).await;
        let app = Caller { id: "app", secret: secret.unwrap() };
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        bind_code(server, &code).await;
        let grant = || {
            Grant::AuthorizationCode(CodeExchange {
                code: Secret::new(code.clone()),
                redirect_uri: Some(CALLBACK.to_owned()),
                code_verifier: Some(Secret::new(VERIFIER)),
            })
        };

        for proof in [None, Some(OTHER_KEY)] {
            let refusal = app.ask(server, proof, grant()).await;
            assert_eq!(refusal.unwrap_err().oauth_code(), Some(ErrorCode::InvalidGrant), "{proof:?}");
        }

        let tokens = app.ask(server, Some(KEY), grant()).await.unwrap();
        assert_eq!(claims(&tokens.refresh_token.unwrap())["cnf"], json!(KEY.proven));
    })
    .await;
}

/// Binds a code to [`KEY`], as the authorization endpoint will by a parameter.
async fn bind_code(server: &TestServer, code: &str) {
    let key = format!("code:{}", URL_SAFE_NO_PAD.encode(digest::sha256(code.as_bytes())));
    let ephemeral = &server.ctx().store.ephemeral;
    let text = ephemeral.peek(&key).await.unwrap().unwrap();
    let mut stands_for: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(stands_for.get("confirmation").is_none(), "nothing binds it yet");
    stands_for["confirmation"] = json!(KEY.proven);
    assert!(ephemeral.update_once(&key, &text, &stands_for.to_string()).await.unwrap());
}
