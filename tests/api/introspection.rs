//! Introspection (RFC 7662) and revocation (RFC 7009).

use std::time::Duration;

use serde_json::{Value, json};
use tokenhouse::protocol::{AuthMethod, GrantType};

use crate::test_server::{Answer, TestServer, claims, new_client, on_each_backend};

const BOTH: [GrantType; 2] = [GrantType::ClientCredentials, GrantType::RefreshToken];

/// A session at the client `web`, whose tokens are for `urn:api`.
struct Web {
    secret: String,
    access: String,
    refresh: String,
}

#[actix_web::test]
async fn a_client_is_told_what_its_own_tokens_say() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;

        let access = web.introspect(server, &web.access).await;
        let refresh = web.introspect(server, &web.refresh).await;

        let mut says = claims(&web.access);
        says["active"] = json!(true);
        says["token_type"] = json!("Bearer");
        for name in ["active", "iss", "sub", "client_id", "scope", "exp", "iat", "jti", "sid", "token_type"] {
            assert_eq!(access[name], says[name], "{name}");
        }
        assert!(access["aud"] == json!("urn:api") || access["aud"] == json!(["urn:api"]), "{}", access["aud"]);
        let says = claims(&web.refresh);
        assert_eq!((&refresh["active"], &refresh["scope"]), (&json!(true), &json!("read")));
        for name in ["iss", "client_id", "exp", "iat", "sid"] {
            assert_eq!(refresh[name], says[name], "{name}");
        }
        assert_eq!(refresh["sub"], access["sub"]);
    })
    .await;
}

#[actix_web::test]
async fn others_are_told_of_tokens_that_are_meant_for_them_and_of_all_with_the_right_to_it() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;
        let simplejwt = server.pair().await;
        let mut api = new_client("api", &BOTH, "");
        api.metadata.audience = vec!["urn:api".to_owned()];
        let api = server.add_new_client(api).await.1.unwrap();
        let named = server.add_client("urn:api", &BOTH, "").await.1;
        let stranger = server.add_client("stranger", &BOTH, "read").await.1;
        let auditor = server.add_client("auditor", &BOTH, "tokenhouse:introspect").await.1;

        // For each caller: web's access token, web's refresh token, the SimpleJWT-compatible API's access and refresh
        // token.
        let table = [
            ("web", &web.secret, [true, true, false, false]),
            ("api", &api, [true, false, false, false]),
            ("stranger", &stranger, [false, false, false, false]),
            ("auditor", &auditor, [true, true, true, true]),
        ];
        for (caller, secret, expected) in table {
            let tokens = [&web.access, &web.refresh, &simplejwt.access, &simplejwt.refresh];
            for (token, expected) in tokens.into_iter().zip(expected) {
                let answer = introspect(server, (caller, secret), token).await;
                assert_eq!(answer.body["active"], expected, "{caller}: {}", answer.text);
                assert!(expected || answer.body == json!({ "active": false }), "{caller}: {}", answer.text);
                assert_eq!(answer.headers["cache-control"], "no-store");
            }
        }
        // An identifier with a colon does not go into HTTP Basic as it is (RFC 6749 section 2.3.1).
        let encoded = introspect(server, ("urn%3Aapi", &named), &web.access).await;
        assert_eq!(encoded.body["active"], true, "a resource server may go by its identifier");
    })
    .await;
}

#[actix_web::test]
async fn who_does_not_authenticate_is_told_nothing() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;
        let mut public = new_client("public", &[GrantType::RefreshToken], "tokenhouse:introspect");
        public.metadata.token_endpoint_auth_method = AuthMethod::None;
        server.add_new_client(public).await;

        let as_public = server.post("/oauth2/introspect", &[("client_id", "public"), ("token", &web.access)]).await;
        let as_simplejwt =
            server.post("/oauth2/introspect", &[("client_id", "simplejwt"), ("token", &web.access)]).await;
        let as_nobody = server.post("/oauth2/introspect", &[("token", &web.access)]).await;
        let wrong = introspect(server, ("web", "not the secret"), &web.access).await;

        assert_eq!((as_public.status, &as_public.body["error"]), (400, &json!("unauthorized_client")));
        assert_eq!((as_simplejwt.status, &as_simplejwt.body["error"]), (400, &json!("unauthorized_client")));
        assert_eq!((as_nobody.status, &as_nobody.body["error"]), (401, &json!("invalid_client")));
        assert_eq!((wrong.status, &wrong.body["error"]), (401, &json!("invalid_client")));
        let no_token = server.post_as("web", &web.secret, "/oauth2/introspect", &[("token", "")]).await;
        assert_eq!((no_token.status, &no_token.body["error"]), (400, &json!("invalid_request")));
    })
    .await;
}

#[actix_web::test]
async fn a_token_is_active_until_its_last_second_and_garbage_never_is() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;
        let own = client_token(server, &web.secret).await;
        let garbage = ["x", "a.b.c", &web.access[1..], &format!("{}x", web.access), &web.refresh.to_uppercase(), "é\0"];
        for garbage in garbage {
            assert_eq!(web.introspect(server, garbage).await, json!({ "active": false }));
        }
        server.clock.advance(Duration::from_secs(297));
        assert_eq!(web.introspect(server, &web.access).await["active"], true);
        assert_eq!(web.introspect(server, &own).await["active"], true);

        server.clock.advance(Duration::from_secs(3));

        assert_eq!(web.introspect(server, &web.access).await, json!({ "active": false }));
        assert_eq!(web.introspect(server, &own).await, json!({ "active": false }));
        assert_eq!(web.introspect(server, &web.refresh).await["active"], true);
    })
    .await;
}

#[actix_web::test]
async fn revoking_either_token_ends_the_session() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;
        for hint in [None, Some("access_token"), Some("refresh_token"), Some("nonsense")] {
            for revoke_access in [true, false] {
                let web = web.again(server).await;
                let mut form = vec![("token", if revoke_access { &*web.access } else { &*web.refresh })];
                form.extend(hint.map(|hint| ("token_type_hint", hint)));

                let answer = server.post_as("web", &web.secret, "/oauth2/revoke", &form).await;

                assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{hint:?}");
                assert_eq!(web.introspect(server, &web.access).await, json!({ "active": false }));
                assert_eq!(web.introspect(server, &web.refresh).await, json!({ "active": false }));
                assert_eq!(web.refresh(server).await.body["error"], "invalid_grant");
                let again = server.post_as("web", &web.secret, "/oauth2/revoke", &form).await;
                assert_eq!(again.status, 200, "a retry finds what it asked for");
            }
        }
        assert_eq!(web.refresh(server).await.status, 200, "the first session lives on");
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_revoked_is_left_alone() {
    on_each_backend(async |server| {
        let web = Web::open(server).await;
        let simplejwt = server.pair().await;
        let own = client_token(server, &web.secret).await;
        let revoke =
            async |token: &str| server.post_as("web", &web.secret, "/oauth2/revoke", &[("token", token)]).await;

        for foreign in [&simplejwt.access, &simplejwt.refresh, "garbage", "a.b.c"] {
            assert_eq!(revoke(foreign).await.status, 200, "{foreign}");
        }
        assert_eq!(server.verify(&simplejwt.access).await.status, 200, "another client's session lives on");
        assert_eq!(server.refresh(&simplejwt.refresh).await.status, 200);
        let refused = revoke(&own).await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("unsupported_token_type")));
        assert_eq!(revoke("").await.body["error"], "invalid_request");
        let nobody = server.post("/oauth2/revoke", &[("token", &web.refresh)]).await;
        assert_eq!((nobody.status, &nobody.body["error"]), (401, &json!("invalid_client")));
        assert_eq!(web.introspect(server, &web.refresh).await["active"], true);
    })
    .await;
}

#[actix_web::test]
async fn a_public_client_revokes_its_own_tokens() {
    on_each_backend(async |server| {
        let mut new = new_client("native", &[GrantType::RefreshToken], "read");
        new.metadata.token_endpoint_auth_method = AuthMethod::None;
        let (client, _) = server.add_new_client(new).await;
        let (_, token) = server.begin_session(&client, "read").await;

        let answer = server.post("/oauth2/revoke", &[("client_id", "native"), ("token", &token)]).await;

        assert_eq!(answer.status, 200);
        let form = [("client_id", "native"), ("grant_type", "refresh_token"), ("refresh_token", &token)];
        assert_eq!(server.post("/oauth2/token", &form).await.body["error"], "invalid_grant");
    })
    .await;
}

impl Web {
    async fn open(server: &TestServer) -> Self {
        let mut new = new_client("web", &BOTH, "read write");
        new.metadata.audience = vec!["urn:api".to_owned()];
        let (_, secret) = server.add_new_client(new).await;
        Self { secret: secret.unwrap(), access: String::new(), refresh: String::new() }.again(server).await
    }

    /// Another session.
    async fn again(&self, server: &TestServer) -> Self {
        let client = server.ctx().store.database.client(&"web".parse().unwrap()).await.unwrap().unwrap();
        let (_, refresh) = server.begin_session(&client, "read").await;
        let session = Self { secret: self.secret.clone(), access: String::new(), refresh };
        let answer = session.refresh(server).await;
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), ..session }
    }

    async fn refresh(&self, server: &TestServer) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", self.refresh.as_str())];
        server.post_as("web", &self.secret, "/oauth2/token", &form).await
    }

    async fn introspect(&self, server: &TestServer, token: &str) -> Value {
        introspect(server, ("web", &self.secret), token).await.body
    }
}

async fn introspect(server: &TestServer, (client, secret): (&str, &str), token: &str) -> Answer {
    server.post_as(client, secret, "/oauth2/introspect", &[("token", token)]).await
}

async fn client_token(server: &TestServer, secret: &str) -> String {
    let answer = server.post_as("web", secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
    answer.body["access_token"].as_str().unwrap().to_owned()
}
