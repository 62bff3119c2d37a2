//! Signing users in to applications: from an application's request to its tokens.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;
use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::authorize::{Interaction, InteractionId, Next, PromptPage, Step};
use tokenhouse::browser_sessions;
use tokenhouse::clients::NewClient;
use tokenhouse::model::{Client, Consent, Secret, UserAgent};
use tokenhouse::protocol::{ErrorCode, GrantType, RedirectUri, Scope};

use crate::browser::{Browser, location, parameters};
use crate::quiet_instance::QuietInstance;
use crate::test_server::{
    Answer, Backend, TestServer, USER, all_at_once, claims, header, new_client, on_each_backend, read,
};

/// Where the application of these tests is answered.
pub const CALLBACK: &str = "https://app.example.com/cb";

/// RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application that signs users in.
pub fn application(id: &str) -> NewClient {
    let scope = "openid profile email offline_access roles groups read";
    let mut new = new_client(id, &[GrantType::AuthorizationCode, GrantType::RefreshToken], scope);
    new.metadata.redirect_uris = vec![RedirectUri::parse(CALLBACK).unwrap()];
    new.metadata.trusted = true;
    new
}

/// The path of a request that an application makes.
pub fn request(client: &str, more: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid read"),
        ("state", "s1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(more.iter().copied());
    parameters.retain(|_, value| *value != "(absent)");
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/oauth2/authorize?{query}")
}

/// Puts the cookies of a new browser session of the server's user into a browser, without a page.
pub async fn sign_in(server: &TestServer, browser: &Browser<'_>) {
    sign_in_as(server, browser, USER).await;
}

/// The same for another user.
pub async fn sign_in_as(server: &TestServer, browser: &Browser<'_>, (name, password): (&str, &str)) {
    let ctx = server.ctx();
    let cookies = browser_sessions::Browser {
        secret: browser_sessions::Browser::new_secret(ctx),
        session_cookie: None,
        user_agent: UserAgent::default(),
    };
    let new = browser_sessions::sign_in(ctx, &cookies, name, &Secret::new(password)).await.unwrap().unwrap();
    let cookie = |what: &str| format!("tokenhouse-insecure-development-{what}");
    browser.set_cookies(BTreeMap::from([
        (cookie("browser"), cookies.secret.expose().to_owned()),
        (cookie("browser-session"), new.cookie.expose().to_owned()),
    ]));
}

/// A code for the application, from a browser that is signed in.
pub async fn code(browser: &Browser<'_>, client: &str, more: &[(&str, &str)]) -> String {
    let answer = browser.get(&request(client, more)).await;
    parameters(&answer).remove("code").unwrap_or_else(|| panic!("a code: {:?}", location(&answer)))
}

/// Exchanges a code.
pub async fn exchange(server: &TestServer, client: &Client, secret: &str, code: &str) -> Answer {
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    server.post_as(client.id.as_str(), secret, "/oauth2/token", &form).await
}

#[actix_web::test]
async fn an_application_signs_a_person_on_with_a_code() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let answer = browser.get(&request("app", &[])).await;
        let back = parameters(&answer);
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &back["code"]).await;

        assert_eq!(answer.status, 303);
        assert!(location(&answer).unwrap().starts_with("https://app.example.com/cb?code="), "{:?}", location(&answer));
        assert_eq!((&*back["state"], &*back["iss"]), ("s1", &*server.config.issuer));
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert_eq!(tokens.headers["cache-control"], "no-store");
        let id_token = tokens.body["id_token"].as_str().unwrap();
        let (says, access) = (claims(id_token), claims(tokens.body["access_token"].as_str().unwrap()));
        assert_eq!(header(id_token)["typ"], "JWT");
        assert_eq!(
            (&says["nonce"], &says["aud"], &says["iss"]),
            (&json!("n1"), &json!("app"), &json!(server.config.issuer))
        );
        assert_eq!((&says["sub"], &says["sid"]), (&access["sub"], &access["sid"]));
        assert_eq!((&says["amr"], &says["acr"]), (&json!(["pwd"]), &json!("urn:tokenhouse:acr:password")));
        assert_eq!(tokens.body["scope"], "openid read");
        assert!(tokens.body["refresh_token"].is_string());
    })
    .await;
}

#[actix_web::test]
async fn a_code_is_used_once_and_its_second_use_ends_what_the_first_has_issued() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        let first = exchange(server, &client, &secret, &code).await;

        let second = exchange(server, &client, &secret, &code).await;

        assert_eq!((second.status, &second.body["error"]), (400, &json!("invalid_grant")));
        let form = [("grant_type", "refresh_token"), ("refresh_token", first.body["refresh_token"].as_str().unwrap())];
        assert_eq!(server.post_as("app", &secret, "/oauth2/token", &form).await.body["error"], "invalid_grant");
        assert_eq!(server.count_events("code_reused").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn of_fifty_uses_of_a_code_at_once_one_succeeds() {
    on_each_backend(async |server| {
        let (_, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;

        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let request = server.request(Method::POST, "/oauth2/token").basic_auth("app", Some(&secret)).form(&form);
        let answers = all_at_once(50, &request).await;

        let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(good.len(), 1);
        // The tokens and the session have the same status index, whichever use of the code has written what.
        let claims = claims(good[0].body["access_token"].as_str().unwrap());
        let session = claims["sid"].as_str().unwrap().parse().unwrap();
        let session = server.ctx().store.database.session(session).await.unwrap().unwrap();
        assert_eq!(claims["status"]["status_list"]["idx"], session.status_index);
        let others = answers.iter().filter(|answer| answer.status != 200);
        assert!(
            others.clone().all(|answer| answer.body["error"] == "invalid_grant"),
            "{:?}",
            others.collect::<Vec<_>>()
        );
    })
    .await;
}

#[actix_web::test]
async fn userinfo_tells_what_the_scope_asks_for() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[("scope", "openid profile roles")]).await;
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;
        let access = tokens.body["access_token"].as_str().unwrap();

        let by_get = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(access)).await;
        let by_header = read(server.request(Method::POST, "/oauth2/userinfo").bearer_auth(access)).await;
        let by_body = server.post("/oauth2/userinfo", &[("access_token", access)]).await;
        let without = server.get("/oauth2/userinfo").await;

        assert_eq!(by_get.status, 200, "{}", by_get.text);
        assert_eq!(by_get.body["sub"], claims(access)["sub"]);
        assert_eq!((&by_get.body["preferred_username"], &by_get.body["roles"]), (&json!("ada"), &json!(["reader"])));
        assert_eq!((&by_header.body, &by_body.body), (&by_get.body, &by_get.body));
        assert_eq!(without.status, 401);
        assert!(without.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    })
    .await;
}

#[actix_web::test]
async fn a_refresh_brings_a_new_id_token_of_the_same_person_and_session() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        let first = exchange(server, &client, &secret, &code).await;

        let form = [("grant_type", "refresh_token"), ("refresh_token", first.body["refresh_token"].as_str().unwrap())];
        let second = server.post_as("app", &secret, "/oauth2/token", &form).await;

        assert_eq!(second.status, 200, "{}", second.text);
        let of = |answer: &Answer| claims(answer.body["id_token"].as_str().unwrap());
        for claim in ["iss", "sub", "aud", "sid", "auth_time"] {
            assert_eq!(of(&second)[claim], of(&first)[claim], "{claim}");
        }
        assert!(of(&second).get("nonce").is_none());
    })
    .await;
}

#[actix_web::test]
async fn without_a_browser_session_nothing_is_answered_silently() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);

        let silent = browser.get(&request("app", &[("prompt", "none")])).await;
        let asked = browser.get(&request("app", &[])).await;

        assert_eq!(parameters(&silent)["error"], "login_required");
        assert!(location(&asked).unwrap().starts_with("/login?interaction="));
    })
    .await;
}

#[actix_web::test]
async fn an_authorization_with_a_browser_session_and_a_remembered_consent_runs_no_sql_where_there_is_redis() {
    on_each_backend(async |server| {
        if server.backend == Backend::Embedded {
            return;
        }
        let mut new = application("app");
        new.metadata.trusted = false;
        let (client, _) = server.add_new_client(new).await;
        server.add_new_client(application("own")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        agree(server, &client, "openid read").await;
        let instance = QuietInstance::open(server).await;
        let browser = browser.at_instance(instance.address);
        // The first reads client, browser session, user and consent.
        code(&browser, "app", &[]).await;
        code(&browser, "own", &[]).await;
        let before = instance.ctx.store.database.statements();

        for _ in 0..20 {
            code(&browser, "app", &[("prompt", "none")]).await;
            code(&browser, "own", &[("prompt", "none")]).await;
        }

        assert_eq!(instance.ctx.store.database.statements() - before, 0);
        instance.stop().await;
    })
    .await;
}

/// The server's user agrees to what the application asks for.
async fn agree(server: &TestServer, client: &Client, scope: &str) {
    let ctx = server.ctx();
    let user = server.user().await.id;
    let scope = Scope::parse(scope).unwrap();
    let event = AuditEvent::ConsentGiven { user, client: client.id.clone(), scope: scope.clone() };
    let consent = Consent { user_id: user, client_id: client.id.clone(), scope, given_at: ctx.now() };
    ctx.store.database.give_consent(&consent, &ctx.audit(Actor::User(user), event)).await.unwrap();
}

#[actix_web::test]
async fn a_person_who_was_signed_in_before_an_application_was_registered_enters_it() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        server.clock.advance(std::time::Duration::from_secs(5));
        let (client, secret) = server.add_new_client(application("app")).await;

        let code = code(&browser, "app", &[]).await;

        assert_eq!(exchange(server, &client, secret.as_deref().unwrap(), &code).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn of_several_tabs_each_may_choose_and_one_answers() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.metadata.trusted = false;
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let asked = location(&browser.get(&request("app", &[("prompt", "select_account")])).await).unwrap();
        let id = InteractionId::try_from(asked.split_once("interaction=").unwrap().1.to_owned()).unwrap();
        let (ctx, user, cookies) = (server.ctx(), server.user().await.id, as_the_rules_know(&browser));
        let open = async || Interaction::open(ctx, &cookies, id.clone()).await.unwrap();

        let (first, second, third) = (open().await, open().await, open().await);
        assert_eq!(first.step(), Step::Prompt(PromptPage::Account));
        for tab in [first, second] {
            let next = tab.keep_account(ctx).await.unwrap();
            assert!(matches!(next, Next::Prompt(PromptPage::Consent, _)), "{next:?}");
        }
        let (yes, no) = (open().await, open().await);
        let Next::Answer(answer) = yes.allow(ctx, user).await.unwrap() else { panic!("it was agreed to") };

        assert!(answer.parameters.iter().any(|(name, _)| *name == "code"));
        assert_eq!(no.deny(ctx, user).await.unwrap_err().oauth_code(), Some(ErrorCode::InvalidRequest));
        assert_eq!(third.keep_account(ctx).await.unwrap_err().oauth_code(), Some(ErrorCode::InvalidRequest));
        let elsewhere = browser_sessions::Browser { secret: browser_sessions::Browser::new_secret(ctx), ..cookies };
        assert_eq!(
            Interaction::open(ctx, &elsewhere, id).await.unwrap_err().oauth_code(),
            Some(ErrorCode::InvalidRequest)
        );
    })
    .await;
}

fn as_the_rules_know(browser: &Browser<'_>) -> browser_sessions::Browser {
    let cookies = browser.cookies();
    let cookie = |what: &str| Secret::new(cookies[&format!("tokenhouse-insecure-development-{what}")].clone());
    browser_sessions::Browser {
        secret: cookie("browser"),
        session_cookie: Some(cookie("browser-session")),
        user_agent: UserAgent::default(),
    }
}
