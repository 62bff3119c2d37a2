//! Each kind of token is taken where it belongs and nowhere else (RFC 8725 section 3.11).

use reqwest::Method;
use serde_json::json;
use tokenhouse::config::Config;
use tokenhouse::protocol::{Scope, TokenType};

use crate::authorization::{application, code, exchange, request, sign_in, sign_in_as};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{ADMIN, Answer, TestServer, on_each_backend, on_each_backend_with, read};

/// One token of each kind, all of one session of an administrator.
struct Kinds {
    secret: String,
    access: String,
    refresh: String,
    id: String,
    logout: String,
}

impl Kinds {
    async fn open(server: &TestServer) -> Self {
        let mut new = application("app");
        new.metadata.scope = Scope::parse("openid offline_access tokenhouse:admin").unwrap();
        let (client, secret) = server.add_new_client(new).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in_as(server, &browser, ADMIN).await;
        let code = code(&browser, "app", &[("scope", "openid tokenhouse:admin")]).await;
        let tokens = exchange(server, &client, &secret, &code).await;
        let text = |name: &str| tokens.body[name].as_str().unwrap().to_owned();
        let logout = server.ctx().keys.sign(
            server.config.keys.id_token_algorithm,
            TokenType::Logout,
            &json!({
                "iss": server.config.issuer,
                "aud": "app",
                "sub": crate::test_server::claims(&text("id_token"))["sub"],
                "sid": crate::test_server::claims(&text("id_token"))["sid"],
                "iat": 0,
            }),
        );
        Self {
            secret,
            access: text("access_token"),
            refresh: text("refresh_token"),
            id: text("id_token"),
            logout: logout.unwrap(),
        }
    }

    async fn renew(&self, server: &TestServer, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        server.post_as("app", &self.secret, "/oauth2/token", &form).await
    }

    async fn introspect(&self, server: &TestServer, token: &str) -> bool {
        let answer = server.post_as("app", &self.secret, "/oauth2/introspect", &[("token", token)]).await;
        answer.body["active"].as_bool().unwrap()
    }
}

#[actix_web::test]
async fn no_kind_of_token_passes_for_another() {
    on_each_backend(async |server| {
        let kinds = Kinds::open(server).await;

        for (name, token) in [("refresh", &kinds.refresh), ("id", &kinds.id), ("logout", &kinds.logout)] {
            let info = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(token)).await;
            assert_eq!(info.status, 401, "{name} as access token");
            let admin = server.admin(token, Method::GET, "/admin/v1/users", None).await;
            assert_eq!(admin.status, 401, "{name} at the admin API");
        }
        for (name, token) in [("access", &kinds.access), ("id", &kinds.id), ("logout", &kinds.logout)] {
            assert_eq!(kinds.renew(server, token).await.body["error"], "invalid_grant", "{name} as refresh token");
        }
        for (name, token) in [("id", &kinds.id), ("logout", &kinds.logout)] {
            assert!(!kinds.introspect(server, token).await, "{name} is active");
        }
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        for (name, token) in [("access", &kinds.access), ("refresh", &kinds.refresh), ("logout", &kinds.logout)] {
            let back =
                parameters(&browser.get(&request("app", &[("id_token_hint", &**token), ("scope", "openid")])).await);
            assert_eq!(back["error"], "invalid_request", "{name} as hint");
        }
        // Each is good where it belongs.
        let info = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(&kinds.access)).await;
        assert_eq!(info.status, 200, "{}", info.text);
        assert!(kinds.introspect(server, &kinds.access).await && kinds.introspect(server, &kinds.refresh).await);
        assert_eq!(kinds.renew(server, &kinds.refresh).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn what_is_told_of_a_token_is_never_told_of_another_of_the_same_session() {
    on_each_backend(async |server| {
        let kinds = Kinds::open(server).await;
        let narrow = {
            let form = [("grant_type", "refresh_token"), ("refresh_token", &*kinds.refresh), ("scope", "openid")];
            server.post_as("app", &kinds.secret, "/oauth2/token", &form).await
        };
        let narrow = narrow.body["access_token"].as_str().unwrap();

        for _ in 0..2 {
            assert_eq!(server.admin(&kinds.access, Method::GET, "/admin/v1/users", None).await.status, 200);
            assert_eq!(server.admin(narrow, Method::GET, "/admin/v1/users", None).await.status, 403);
            for (token, scope) in [(&*kinds.access, "openid tokenhouse:admin"), (narrow, "openid")] {
                let told = server.post_as("app", &kinds.secret, "/oauth2/introspect", &[("token", token)]).await;
                assert_eq!(told.body["scope"], scope);
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn over_tls_cookies_are_of_this_host_alone_and_kept_from_scripts_and_other_sites() {
    let public = |config: &mut Config| config.issuer = "https://id.example.com".to_owned();
    on_each_backend_with(public, async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);

        let begun = browser.get(&request("app", &[])).await;
        let page = browser.get(&location(&begun).unwrap()).await;
        let form = crate::browser::Form::in_page(&page.text);
        let hidden: Vec<(&str, &str)> = form.hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
        let person = [("username", crate::test_server::USER.0), ("password", crate::test_server::USER.1)];
        let signed_in = browser.post("/login", &[&hidden[..], &person].concat()).await;

        for (answer, name) in
            [(&begun, "__Host-tokenhouse-browser="), (&signed_in, "__Host-tokenhouse-browser-session=")]
        {
            let cookie = answer.headers["set-cookie"].to_str().unwrap();
            assert!(cookie.starts_with(name), "{cookie}");
            for part in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
                assert!(cookie.contains(part), "{part}: {cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert_eq!(signed_in.status, 303);
        assert!(
            location(&signed_in).unwrap().starts_with("https://id.example.com/oauth2/authorize/")
                || location(&signed_in).unwrap().starts_with("/oauth2/authorize/")
        );
    })
    .await;
}
