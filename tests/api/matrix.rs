//! A change that takes rights away takes them everywhere: every change against every endpoint, on two instances.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokenhouse::app::feed_follower::FeedFollower;
use tokenhouse::app::serve::Running;
use tokenhouse::protocol::GrantType;

use crate::test_server::{ADMIN, Answer, Pair, TestServer, new_client, on_each_backend, pair, read};

/// Who makes the changes; the user whose tokens are at stake is `ADMIN`.
const ROOT: (&str, &str) = ("root", "the root of all rights");

/// What a token hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// The user's session at the SimpleJWT-compatible API.
    SimpleJwtSession,
    /// The user's session at the client `web`.
    WebSession,
    /// The token that `web` has for itself.
    OwnToken,
    /// The right of `web` to another one like it.
    ClientCredentials,
    /// The user's password.
    Password,
}

use Hold::{ClientCredentials, OwnToken, Password, SimpleJwtSession, WebSession};

#[actix_web::test]
async fn a_disabled_user_passes_nowhere() {
    after(&[SimpleJwtSession, WebSession, Password], async |case| {
        case.admin(Method::POST, &format!("/users/{}/disable", case.user), json!({})).await;
    })
    .await;
}

#[actix_web::test]
async fn a_removed_user_passes_nowhere() {
    after(&[SimpleJwtSession, WebSession, Password], async |case| {
        case.admin(Method::DELETE, &format!("/users/{}", case.user), json!({})).await;
    })
    .await;
}

#[actix_web::test]
async fn a_changed_password_ends_what_the_old_one_began() {
    after(&[SimpleJwtSession, WebSession, Password], async |case| {
        let new = json!({ "password": "a new long password" });
        case.admin(Method::POST, &format!("/users/{}/password", case.user), new).await;
        assert_eq!(case.server.obtain((ADMIN.0, "a new long password")).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn who_is_no_longer_an_administrator_has_no_session_over_this_server() {
    after(&[SimpleJwtSession], async |case| {
        case.admin(Method::PATCH, &format!("/users/{}", case.user), json!({ "admin": false })).await;
    })
    .await;
}

#[actix_web::test]
async fn other_roles_end_nothing() {
    after(&[], async |case| {
        case.admin(Method::PATCH, &format!("/users/{}", case.user), json!({ "roles": ["clerk"], "groups": [] })).await;
    })
    .await;
}

#[actix_web::test]
async fn a_disabled_client_passes_nowhere() {
    after(&[WebSession, OwnToken, ClientCredentials], async |case| {
        case.admin(Method::POST, "/clients/web/disable", json!({})).await;
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_is_enabled_again_begins_anew() {
    after(&[WebSession, OwnToken], async |case| {
        case.admin(Method::POST, "/clients/web/disable", json!({})).await;
        case.admin(Method::POST, "/clients/web/enable", json!({})).await;
    })
    .await;
}

#[actix_web::test]
async fn a_removed_client_passes_nowhere() {
    after(&[WebSession, OwnToken, ClientCredentials], async |case| {
        case.admin(Method::DELETE, "/clients/web", json!({})).await;
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_takes_a_removed_one_s_name_has_none_of_its_tokens() {
    after(&[WebSession, OwnToken, ClientCredentials], async |case| {
        case.admin(Method::DELETE, "/clients/web", json!({})).await;
        case.server.add_new_client(web()).await;
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawn_scope_is_good_nowhere() {
    after(&[WebSession, OwnToken, ClientCredentials], async |case| {
        case.admin(Method::PATCH, "/clients/web", json!({ "scope": "read" })).await;
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawn_audience_is_good_nowhere() {
    after(&[WebSession, OwnToken], async |case| {
        case.admin(Method::PATCH, "/clients/web", json!({ "tokenhouse_audience": ["urn:other"] })).await;
    })
    .await;
}

#[actix_web::test]
async fn an_ended_session_passes_nowhere() {
    after(&[SimpleJwtSession, WebSession], async |case| {
        for refresh in [&case.simplejwt.refresh, &case.web.refresh] {
            let session = case.server.session_of(refresh);
            case.admin(Method::DELETE, &format!("/sessions/{session}"), json!({})).await;
        }
    })
    .await;
}

#[actix_web::test]
async fn all_sessions_of_a_user_end_at_once() {
    after(&[SimpleJwtSession, WebSession], async |case| {
        let receipt = case.admin(Method::POST, "/revocations", json!({ "user": case.user })).await;
        assert_eq!(receipt.body["sessions_ended"], 4, "with those that looking on began: {}", receipt.text);
    })
    .await;
}

#[actix_web::test]
async fn all_tokens_of_a_client_end_at_once() {
    after(&[WebSession, OwnToken], async |case| {
        let receipt = case.admin(Method::POST, "/revocations", json!({ "client": "web" })).await;
        assert_eq!(receipt.body["sessions_ended"], 1, "{}", receipt.text);
    })
    .await;
}

#[actix_web::test]
async fn what_was_issued_before_a_moment_passes_nowhere_after_it() {
    after(&[SimpleJwtSession, WebSession, OwnToken], async |case| {
        let now = case.server.clock.now().to_string();
        case.admin(Method::POST, "/revocations", json!({ "issued_before": now })).await;
    })
    .await;
}

#[actix_web::test]
async fn when_everything_is_revoked_nothing_passes() {
    after(&[SimpleJwtSession, WebSession, OwnToken], async |case| {
        case.admin(Method::POST, "/revocations", json!({ "all": true })).await;
    })
    .await;
}

/// Everything passes before `change`; after it nothing that hangs on one of `gone`, and all the rest still.
async fn after(gone: &[Hold], change: impl AsyncFn(&Case<'_>)) {
    on_each_backend(async |server| {
        let case = Case::open(server).await;
        let second = server.second_instance(server.clock.clone()).await;
        let mut follower = FeedFollower::begin(&second.ctx).await.unwrap();
        for address in [server.running.address, second.address] {
            for (hold, endpoint, passes) in case.observe(address).await {
                assert!(passes, "before: {hold:?} at {endpoint}");
            }
        }
        server.clock.advance(Duration::from_secs(2));

        change(&case).await;

        // Here everything is known at once. The second instance knows of the ends of sessions at once, and learns of
        // clients and `not_before`s from the change feed.
        let at_once = [SimpleJwtSession, WebSession, Password];
        for (hold, endpoint, passes) in case.observe(server.running.address).await {
            assert_eq!(passes, !gone.contains(&hold), "{hold:?} at {endpoint}");
        }
        for (hold, endpoint, passes) in case.observe(second.address).await {
            assert!(
                !passes || !gone.contains(&hold) || !at_once.contains(&hold),
                "second instance: {hold:?} at {endpoint}"
            );
        }
        follower.follow(&second.ctx).await.unwrap();
        for (hold, endpoint, passes) in case.observe(second.address).await {
            assert_eq!(passes, !gone.contains(&hold), "second instance, told: {hold:?} at {endpoint}");
        }
        case.new_tokens_are_good(gone, &second).await;
        second.stop().await;
    })
    .await;
}

/// A server with a user who holds every kind of token.
struct Case<'a> {
    server: &'a TestServer,
    /// A token of another user, for the admin API.
    root: String,
    user: Value,
    secret: String,
    auditor: String,
    /// Good at the admin API too.
    simplejwt: Pair,
    web: Pair,
    /// Of `web` for itself.
    own: String,
}

impl<'a> Case<'a> {
    async fn open(server: &'a TestServer) -> Self {
        let root = server.add_user(ROOT, true).await;
        let ask = json!({ "username": ROOT.0, "password": ROOT.1, "scope": "tokenhouse:admin" });
        let root_token = pair(&server.post_json("/api/token/", &ask).await).access;
        let ask = json!({ "username": ADMIN.0, "password": ADMIN.1, "scope": "tokenhouse:admin" });
        let simplejwt = pair(&server.post_json("/api/token/", &ask).await);
        let (client, secret) = server.add_new_client(web()).await;
        let (_, auditor) = server.add_client("auditor", &[], "tokenhouse:introspect").await;
        let user = crate::test_server::claims(&simplejwt.access)["sub"].clone();
        assert_ne!(user, json!(root.id));
        let subject = server.ctx().store.database.user_to_sign_in(ADMIN.0).await.unwrap().unwrap().0;
        let (_, refresh) = server.begin_session_of(&subject, &client, "read write").await;
        let mut case = Self {
            server,
            root: root_token,
            user,
            secret: secret.unwrap(),
            auditor,
            simplejwt,
            web: Pair { access: String::new(), refresh },
            own: String::new(),
        };
        let answer = read(case.refresh_web(server.running.address)).await;
        case.web.access = access_token(&answer);
        case.own = access_token(&read(case.client_credentials(server.running.address)).await);
        case
    }

    /// A call to the admin API that must succeed.
    async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        let path = format!("/admin/v1{}", path.replace('"', ""));
        let answer = self.server.admin(&self.root, method, &path, Some(&body)).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text);
        answer
    }

    /// Which endpoints of an instance let the tokens pass.
    async fn observe(&self, address: SocketAddr) -> Vec<(Hold, &'static str, bool)> {
        let simplejwt = |path: &str, name: &str, token: &str| {
            self.server.request_to(address, Method::POST, path).form(&[(name, token)])
        };
        let admin = self.server.request_to(address, Method::GET, "/admin/v1/keys").bearer_auth(&self.simplejwt.access);
        let sign_in = json!({ "username": ADMIN.0, "password": ADMIN.1 });
        let sign_in = self.server.request_to(address, Method::POST, "/api/token/").json(&sign_in);
        let endpoints = [
            (
                SimpleJwtSession,
                "verify of the access token",
                simplejwt("/api/token/verify/", "token", &self.simplejwt.access),
            ),
            (
                SimpleJwtSession,
                "verify of the refresh token",
                simplejwt("/api/token/verify/", "token", &self.simplejwt.refresh),
            ),
            (SimpleJwtSession, "introspection of the access token", self.introspect(address, &self.simplejwt.access)),
            (SimpleJwtSession, "introspection of the refresh token", self.introspect(address, &self.simplejwt.refresh)),
            (SimpleJwtSession, "admin API", admin),
            (SimpleJwtSession, "refresh", simplejwt("/api/token/refresh/", "refresh", &self.simplejwt.refresh)),
            (WebSession, "introspection of the access token", self.introspect(address, &self.web.access)),
            (WebSession, "introspection of the refresh token", self.introspect(address, &self.web.refresh)),
            (WebSession, "refresh", self.refresh_web(address)),
            (OwnToken, "introspection", self.introspect(address, &self.own)),
            (ClientCredentials, "token endpoint", self.client_credentials(address)),
            (Password, "sign-in", sign_in),
        ];
        let mut seen = Vec::new();
        for (hold, endpoint, request) in endpoints {
            let answer = read(request).await;
            assert!(answer.status < 500, "{hold:?} at {endpoint}: {}", answer.text);
            seen.push((hold, endpoint, answer.status == 200 && answer.body["active"] != false));
        }
        seen
    }

    /// Whoever may still obtain tokens gets good ones, in the same second too.
    async fn new_tokens_are_good(&self, gone: &[Hold], second: &Running) {
        for address in [self.server.running.address, second.address] {
            if !gone.contains(&Password) {
                let new = pair(&self.server.obtain(ADMIN).await);
                assert_eq!(read(self.introspect(address, &new.access)).await.body["active"], true);
            }
            if !gone.contains(&ClientCredentials) {
                let new = access_token(&read(self.client_credentials(address)).await);
                let seen = read(self.introspect(address, &new)).await;
                assert_eq!(seen.body["active"], true, "a new token of the client");
            }
        }
    }

    fn introspect(&self, address: SocketAddr, token: &str) -> RequestBuilder {
        let request = self.server.request_to(address, Method::POST, "/oauth2/introspect");
        request.basic_auth("auditor", Some(&self.auditor)).form(&[("token", token)])
    }

    fn refresh_web(&self, address: SocketAddr) -> RequestBuilder {
        let form = [("grant_type", "refresh_token"), ("refresh_token", self.web.refresh.as_str())];
        self.server.request_to(address, Method::POST, "/oauth2/token").basic_auth("web", Some(&self.secret)).form(&form)
    }

    fn client_credentials(&self, address: SocketAddr) -> RequestBuilder {
        let form = [("grant_type", "client_credentials"), ("scope", "read write")];
        self.server.request_to(address, Method::POST, "/oauth2/token").basic_auth("web", Some(&self.secret)).form(&form)
    }
}

fn access_token(answer: &Answer) -> String {
    answer.body["access_token"].as_str().unwrap().to_owned()
}

fn web() -> tokenhouse::clients::NewClient {
    let mut new = new_client("web", &[GrantType::ClientCredentials, GrantType::RefreshToken], "read write");
    new.metadata.audience = vec!["urn:web".to_owned()];
    new
}
