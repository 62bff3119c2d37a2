//! Exchanging an authorization code: what it is bound to, how long it is good, and who can harm it.

use std::time::Duration;

use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::model::{EndReason, Pkce, Secret, SessionFilter, SignOn, SigningAlgorithm, SubjectType};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::{authorize, browser_sessions, clients, sessions, users};

use crate::authorization::{CALLBACK, VERIFIER, application, code, exchange, request, sign_in, sign_in_as};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{ADMIN, Answer, TestServer, USER, claims, on_each_backend, on_each_backend_with};

const NO_PKCE: [(&str, &str); 2] = [("code_challenge", "(absent)"), ("code_challenge_method", "(absent)")];

fn assert_refused(answer: &Answer, about: &str) {
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")), "{about}: {}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store", "{about}");
}

async fn present(server: &TestServer, client: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
    let form = [&[("grant_type", "authorization_code")], fields].concat();
    server.post_as(client, secret, "/oauth2/token", &form).await
}

async fn renew(server: &TestServer, client: &str, secret: &str, tokens: &Answer) -> Answer {
    let refresh = tokens.body["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    server.post_as(client, secret, "/oauth2/token", &form).await
}

#[actix_web::test]
async fn a_code_is_good_for_its_client_its_address_and_its_verifier_alone() {
    on_each_backend(async |server| {
        let secret = server.add_new_client(application("app")).await.1.unwrap();
        let other = server.add_new_client(application("other")).await.1.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = &*code(&browser, "app", &[]).await;
        let wrong = "x".repeat(43);

        let (uri, verifier) = (("redirect_uri", CALLBACK), ("code_verifier", VERIFIER));
        assert_refused(&present(server, "other", &other, &[("code", code), uri, verifier]).await, "another client");
        let elsewhere = ("redirect_uri", "https://app.example.com/other");
        assert_refused(
            &present(server, "app", &secret, &[("code", code), elsewhere, verifier]).await,
            "another address",
        );
        assert_refused(&present(server, "app", &secret, &[("code", code), uri]).await, "no verifier");
        let wrong = ("code_verifier", &*wrong);
        assert_refused(&present(server, "app", &secret, &[("code", code), uri, wrong]).await, "another verifier");
        assert_refused(&present(server, "app", &secret, &[("code", "x"), uri, verifier]).await, "no such code");

        // None of these has harmed it.
        let good = present(server, "app", &secret, &[("code", code), uri, verifier]).await;
        assert_eq!(good.status, 200, "{}", good.text);
    })
    .await;
}

#[actix_web::test]
async fn a_finder_of_a_used_code_cannot_end_what_it_has_issued() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let other = server.add_new_client(application("other")).await.1.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = &*code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, &secret, code).await;

        let (uri, verifier) = (("redirect_uri", CALLBACK), ("code_verifier", VERIFIER));
        for answer in [
            present(server, "other", &other, &[("code", code), uri, verifier]).await,
            present(server, "app", &secret, &[("code", code), uri]).await,
            present(server, "app", &secret, &[("code", code), ("redirect_uri", "https://x.example/"), verifier]).await,
        ] {
            assert_refused(&answer, "a finder");
        }
        assert_eq!(present(server, "app", "wrong", &[("code", code), uri, verifier]).await.status, 401);

        assert_eq!(renew(server, "app", &secret, &tokens).await.status, 200);
        assert_eq!(server.count_events("code_reused").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_verifier_without_a_challenge_is_refused() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.sign_on = SignOn { pkce: Some(Pkce::Optional), ..SignOn::default() };
        let secret = server.add_new_client(new).await.1.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = &*code(&browser, "app", &NO_PKCE).await;

        let uri = ("redirect_uri", CALLBACK);
        let with = present(server, "app", &secret, &[("code", code), uri, ("code_verifier", VERIFIER)]).await;
        let no_address = present(server, "app", &secret, &[("code", code)]).await;
        let without = present(server, "app", &secret, &[("code", code), uri]).await;

        assert_refused(&with, "downgraded");
        assert_refused(&no_address, "nothing binds it");
        assert_eq!(without.status, 200, "{}", without.text);
    })
    .await;
}

#[actix_web::test]
async fn a_code_is_good_for_a_minute() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let early = code(&browser, "app", &[]).await;
        let late = code(&browser, "app", &[]).await;

        server.clock.advance(Duration::from_secs(58));
        let early = exchange(server, &client, secret.as_deref().unwrap(), &early).await;
        server.clock.advance(Duration::from_secs(3));
        let late = exchange(server, &client, secret.as_deref().unwrap(), &late).await;

        assert_eq!(early.status, 200, "{}", early.text);
        assert_refused(&late, "61 seconds");
    })
    .await;
}

#[actix_web::test]
async fn a_code_that_comes_again_after_half_a_minute_ends_what_it_has_issued() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        for wait in [31, 61] {
            let code = code(&browser, "app", &[]).await;
            let tokens = exchange(server, &client, &secret, &code).await;
            let access = tokens.body["access_token"].as_str().unwrap();
            assert_eq!(server.post("/oauth2/userinfo", &[("access_token", access)]).await.status, 200);

            server.clock.advance(Duration::from_secs(wait));
            assert_refused(&exchange(server, &client, &secret, &code).await, "again");

            assert_refused(&renew(server, "app", &secret, &tokens).await, "the session");
            let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
            assert_eq!(info.status, 401, "the access token");
        }
    })
    .await;
}

#[actix_web::test]
async fn nothing_that_was_taken_away_meanwhile_comes_with_a_code() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let ctx = server.ctx();
        let user = server.user().await.id;
        for what in [
            "password",
            "disabled",
            "user sessions",
            "client",
            "client sessions",
            "scope",
            "browser_session",
            "address",
            "all",
            "removed",
        ] {
            let browser = Browser::of(server);
            sign_in(server, &browser).await;
            let code = code(&browser, "app", &[]).await;
            let browser_session = ctx.store.database.live_browser_sessions(user, ctx.now()).await.unwrap()[0].id;

            let by = Actor::System;
            let filter = SessionFilter::default();
            match what {
                "password" => drop(users::change_password(ctx, user, &Secret::new(USER.1), by).await.unwrap()),
                "disabled" => drop(users::disable(ctx, user, by).await.unwrap()),
                "user sessions" => {
                    let filter = SessionFilter { user: Some(user), ..filter };
                    sessions::end_matching(ctx, &filter, EndReason::Admin, by).await.unwrap();
                }
                "client" => drop(clients::disable(ctx, &client.id, by).await.unwrap()),
                "client sessions" => {
                    let filter = SessionFilter { client: Some(client.id.clone()), ..filter };
                    sessions::end_matching(ctx, &filter, EndReason::Admin, by).await.unwrap();
                }
                "scope" => {
                    let less = clients::ClientChange {
                        scope: Some(tokenhouse::protocol::Scope::parse("openid").unwrap()),
                        ..clients::ClientChange::default()
                    };
                    clients::change(ctx, &client.id, less, by).await.unwrap();
                }
                "address" => {
                    let other = tokenhouse::protocol::RedirectUri::parse("https://app.example.com/other").unwrap();
                    let moved =
                        clients::ClientChange { redirect_uris: Some(vec![other]), ..clients::ClientChange::default() };
                    clients::change(ctx, &client.id, moved, by).await.unwrap();
                }
                "browser_session" => {
                    let ended = browser_sessions::end(ctx, browser_session, EndReason::SignedOut, by).await.unwrap();
                    assert!(ended.is_some());
                }
                "all" => drop(sessions::end_matching(ctx, &filter, EndReason::Admin, by).await.unwrap()),
                _ => drop(users::remove(ctx, user, by).await.unwrap()),
            }
            let answer = exchange(server, &client, &secret, &code).await;

            assert!(answer.status >= 400 && answer.body.get("access_token").is_none(), "{what}: {}", answer.text);
            if what == "removed" {
                break;
            }
            users::enable(ctx, user, Actor::System).await.unwrap();
            clients::enable(ctx, &client.id, Actor::System).await.unwrap();
            let again = clients::ClientChange {
                scope: Some(client.scope.clone()),
                redirect_uris: Some(client.redirect_uris.clone()),
                ..clients::ClientChange::default()
            };
            clients::change(ctx, &client.id, again, Actor::System).await.unwrap();
            server.clock.advance(Duration::from_secs(1));
        }
    })
    .await;
}

#[actix_web::test]
async fn without_the_grant_there_is_no_refresh_token_and_without_openid_no_id_token() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.grants = vec![GrantType::AuthorizationCode];
        let (client, secret) = server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let code = code(&browser, "app", &[("scope", "read offline_access")]).await;
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;

        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert_eq!(tokens.body["scope"], "read", "offline_access needs the grant refresh_token");
        assert!(tokens.body.get("refresh_token").is_none() && tokens.body.get("id_token").is_none());
    })
    .await;
}

#[actix_web::test]
async fn a_session_ends_with_its_browser_session_unless_it_was_granted_to_outlive_it() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let bound = code(&browser, "app", &[("scope", "openid")]).await;
        let bound = exchange(server, &client, &secret, &bound).await;
        let offline = code(&browser, "app", &[("scope", "openid offline_access")]).await;
        let offline = exchange(server, &client, &secret, &offline).await;
        let ctx = server.ctx();
        let browser_session =
            ctx.store.database.live_browser_sessions(server.user().await.id, ctx.now()).await.unwrap()[0].id;

        browser_sessions::end(ctx, browser_session, EndReason::SignedOut, Actor::System).await.unwrap();

        assert_refused(&renew(server, "app", &secret, &bound).await, "bound to the browser session");
        assert_eq!(renew(server, "app", &secret, &offline).await.status, 200);
        let silent = browser.get(&request("app", &[("prompt", "none")])).await;
        assert_eq!(parameters(&silent)["error"], "login_required");
    })
    .await;
}

#[actix_web::test]
async fn applications_with_pairwise_names_of_people_cannot_join_them() {
    on_each_backend(async |server| {
        let mut subjects = Vec::new();
        for (id, sector) in [("one", "one.example"), ("sister", "one.example"), ("two", "two.example")] {
            let mut new = application(id);
            new.sign_on = SignOn {
                subject_type: SubjectType::Pairwise,
                sector_identifier: Some(sector.to_owned()),
                ..SignOn::default()
            };
            let (client, secret) = server.add_new_client(new).await;
            let browser = Browser::of(server);
            sign_in(server, &browser).await;
            let code = code(&browser, id, &[]).await;
            let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;
            let access = tokens.body["access_token"].as_str().unwrap();
            let told = claims(tokens.body["id_token"].as_str().unwrap())["sub"].clone();
            let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
            assert_eq!((&info.body["sub"], &claims(access)["sub"]), (&told, &told));
            subjects.push(told);
        }

        assert_eq!(subjects[0], subjects[1]);
        assert_ne!(subjects[0], subjects[2]);
        assert!(!subjects.contains(&json!(server.user().await.id)));
    })
    .await;
}

#[actix_web::test]
async fn each_application_gets_id_tokens_and_userinfo_signed_as_it_has_registered() {
    let more =
        |config: &mut tokenhouse::config::Config| config.keys.additional_algorithms = vec![SigningAlgorithm::EdDsa];
    on_each_backend_with(more, async |server| {
        let mut new = application("app");
        new.sign_on = SignOn {
            id_token_signed_response_alg: Some(SigningAlgorithm::EdDsa),
            userinfo_signed_response_alg: Some(SigningAlgorithm::Es256),
            ..SignOn::default()
        };
        let (client, secret) = server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[("scope", "openid profile")]).await;
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;
        let access = tokens.body["access_token"].as_str().unwrap();

        let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;

        assert_eq!(crate::test_server::header(tokens.body["id_token"].as_str().unwrap())["alg"], "EdDSA");
        assert_eq!(info.headers["content-type"], "application/jwt");
        let head = crate::test_server::header(&info.text);
        assert_eq!((&head["typ"], &head["alg"]), (&json!("JWT"), &json!("ES256")));
        let says = claims(&info.text);
        assert_eq!((&says["aud"], &says["iss"]), (&json!("app"), &json!(server.config.issuer)));
        assert_eq!(says["preferred_username"], "ada");
    })
    .await;
}

#[actix_web::test]
async fn claims_asked_for_by_name_are_told_where_they_were_asked_for() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let asked = r#"{"userinfo":{"roles":{"essential":true}},"id_token":{"preferred_username":null}}"#;
        let code = code(&browser, "app", &[("scope", "openid"), ("claims", asked)]).await;
        let tokens = exchange(server, &client, &secret, &code).await;

        let says = claims(tokens.body["id_token"].as_str().unwrap());
        let access = tokens.body["access_token"].as_str().unwrap();
        let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;

        assert_eq!(says["preferred_username"], "ada");
        assert!(says.get("roles").is_none() && info.body.get("preferred_username").is_none());
        assert_eq!(info.body["roles"], json!(["reader"]));
        // After a refresh, too: what userinfo shows belongs to the session.
        let next = renew(server, "app", &secret, &tokens).await;
        let access = next.body["access_token"].as_str().unwrap();
        let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
        assert_eq!(info.body["roles"], json!(["reader"]));
    })
    .await;
}

#[actix_web::test]
async fn what_an_application_may_not_have_by_a_scope_it_does_not_have_by_name() {
    on_each_backend(async |server| {
        let everything = r#"{"userinfo":{"email":null,"roles":null},"id_token":{"email":null,"groups":null}}"#;
        for trusted in [true, false] {
            let id = if trusted { "own" } else { "strange" };
            let mut new = application(id);
            (new.trusted, new.scope) = (trusted, Scope::parse("openid").unwrap());
            let (client, secret) = server.add_new_client(new).await;
            let browser = Browser::of(server);
            sign_in(server, &browser).await;
            let page = browser.follow(&request(id, &[("scope", "openid"), ("claims", everything)])).await;
            let back = if trusted { page } else { browser.submit(&page, &[("answer", "accept")]).await };
            let tokens = exchange(server, &client, &secret.unwrap(), &parameters(&back)["code"]).await;

            let says = claims(tokens.body["id_token"].as_str().unwrap());
            let access = tokens.body["access_token"].as_str().unwrap();
            let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
            for claim in ["email", "roles", "groups"] {
                assert!(
                    says.get(claim).is_none() && info.body.get(claim).is_none(),
                    "{id} {claim}: {says} {}",
                    info.text
                );
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn claims_asked_for_by_name_are_gone_with_the_scope_that_asks_for_them() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let asked = r#"{"userinfo":{"roles":null},"id_token":{"preferred_username":null}}"#;
        let by_name = [("scope", "openid"), ("claims", asked)];
        let tokens = exchange(server, &client, &secret, &code(&browser, "app", &by_name).await).await;
        let access = tokens.body["access_token"].as_str().unwrap();
        assert_eq!(server.post("/oauth2/userinfo", &[("access_token", access)]).await.body["roles"], json!(["reader"]));
        assert_eq!(claims(tokens.body["id_token"].as_str().unwrap())["preferred_username"], "ada");
        let previous = code(&browser, "app", &by_name).await;

        let admin = server.admin_token().await;
        let less = json!({ "scope": "openid email" });
        assert_eq!(
            server.admin(&admin, reqwest::Method::PATCH, "/admin/v1/clients/app", Some(&less)).await.status,
            200
        );

        let info = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
        assert!(info.status == 200 && info.body.get("roles").is_none(), "{}", info.text);
        let late = exchange(server, &client, &secret, &previous).await;
        let says = claims(late.body["id_token"].as_str().unwrap());
        assert!(says.get("preferred_username").is_none(), "{says}");
    })
    .await;
}

#[actix_web::test]
async fn rights_over_this_server_are_gone_with_the_administrators_own() {
    on_each_backend(async |server| {
        let mut new = application("console");
        new.scope = Scope::parse("openid tokenhouse:admin").unwrap();
        let (client, secret) = server.add_new_client(new).await;
        let ctx = server.ctx();
        let browser = Browser::of(server);
        sign_in_as(server, &browser, ADMIN).await;
        let code = code(&browser, "console", &[("scope", "openid tokenhouse:admin")]).await;

        let less = users::UserChange { admin: Some(false), ..users::UserChange::default() };
        let grace = ctx.store.database.user_to_sign_in(ADMIN.0).await.unwrap().unwrap().0;
        users::change(ctx, grace.id, less, Actor::System).await.unwrap();

        let answer = exchange(server, &client, secret.as_deref().unwrap(), &code).await;
        assert!(answer.status == 400 && answer.body.get("access_token").is_none(), "{}", answer.text);
    })
    .await;
}

#[actix_web::test]
async fn a_code_is_worth_nothing_once_the_person_has_taken_back_their_word() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.trusted = false;
        let (client, secret) = server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let page = browser.follow(&request("app", &[])).await;
        let allowed = browser.submit(&page, &[("answer", "accept")]).await;
        let code = &parameters(&allowed)["code"];

        authorize::withdraw(server.ctx(), server.user().await.id, &client.id).await.unwrap();

        assert_refused(&exchange(server, &client, secret.as_deref().unwrap(), code).await, "withdrawn");
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_takes_a_removed_ones_name_inherits_no_consent() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.trusted = false;
        let (client, _) = server.add_new_client(new.clone()).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let page = browser.follow(&request("app", &[])).await;
        browser.submit(&page, &[("answer", "accept")]).await;
        let silent = request("app", &[("prompt", "none")]);
        assert!(parameters(&browser.get(&silent).await).contains_key("code"));

        clients::remove(server.ctx(), &client.id, Actor::System).await.unwrap();
        server.clock.advance(Duration::from_secs(1));
        server.add_new_client(new).await;

        assert_eq!(parameters(&browser.get(&silent).await)["error"], "consent_required");
    })
    .await;
}

#[actix_web::test]
async fn a_strangers_application_knows_of_a_person_what_they_agreed_to() {
    on_each_backend(async |server| {
        for (id, trusted) in [("own", true), ("stranger", false)] {
            let mut new = application(id);
            new.trusted = trusted;
            let (client, secret) = server.add_new_client(new).await;
            for (scope, roles) in [("openid", trusted), ("openid roles", true)] {
                let browser = Browser::of(server);
                sign_in(server, &browser).await;
                let mut answer = browser.follow(&request(id, &[("scope", scope)])).await;
                if location(&answer).is_none() {
                    answer = browser.submit(&answer, &[("answer", "accept")]).await;
                }
                let tokens = exchange(server, &client, secret.as_deref().unwrap(), &parameters(&answer)["code"]).await;
                let says = claims(tokens.body["access_token"].as_str().unwrap());
                assert_eq!(says.get("roles").is_some(), roles, "{id} {scope}");
                let audience = if trusted { server.config.issuer.as_str() } else { "stranger" };
                assert_eq!(says["aud"], audience, "{id}");
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn nothing_that_an_application_with_pairwise_names_gets_holds_the_users_own() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.sign_on = SignOn { subject_type: SubjectType::Pairwise, ..SignOn::default() };
        let (client, secret) = server.add_new_client(new).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, &secret, &code).await;

        let own = server.user().await.id.to_string();
        for name in ["access_token", "refresh_token", "id_token"] {
            let token = tokens.body[name].as_str().unwrap();
            assert!(!claims(token).to_string().contains(&own), "{name}");
            let told = server.post_as("app", &secret, "/oauth2/introspect", &[("token", token)]).await;
            assert!(!told.text.contains(&own), "{name}: {}", told.text);
        }
    })
    .await;
}
