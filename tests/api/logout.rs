//! Signing out in the browser: OpenID Connect RP-Initiated Logout 1.0, Front-Channel Logout 1.0 and the page `/logout`.
//! The names of the certification's modules stand beside the tests that demand the same.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::browser_sessions;
use tokenhouse::clients::NewClient;
use tokenhouse::model::{Secret, UserAgent};
use tokenhouse::protocol::RedirectUri;

use crate::authorization::{application, code, exchange, request, sign_in, sign_in_as};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{Answer, TestServer, USER, claims, on_each_backend, on_each_backend_with, read};

const BYE: &str = "https://app.example.com/bye?from=server";

/// An application that may have people sent back to it.
fn leaving(id: &str) -> NewClient {
    let mut new = application(id);
    new.name = Some(format!("The {id}"));
    new.post_logout_redirect_uris = vec![RedirectUri::parse(BYE).unwrap()];
    new
}

/// Signs the person on at a new application; returns its ID token.
async fn authorize(server: &TestServer, browser: &Browser<'_>, new: NewClient) -> String {
    let (client, secret) = server.add_new_client(new).await;
    let code = code(browser, client.id.as_str(), &[]).await;
    let tokens = exchange(server, &client, &secret.unwrap(), &code).await;
    tokens.body["id_token"].as_str().unwrap_or_else(|| panic!("{}", tokens.text)).to_owned()
}

fn logout(parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/oauth2/logout?{query}")
}

/// Whether a user is signed in in this browser, as an application finds it.
async fn is_signed_in(browser: &Browser<'_>) -> bool {
    parameters(&browser.get(&request("app", &[("prompt", "none")])).await).contains_key("code")
}

#[track_caller]
fn assert_asks(answer: &Answer) {
    assert_eq!((answer.status, location(answer)), (200, None), "{}", answer.text);
    assert!(answer.text.contains("id=\"logout-confirm\""), "{}", answer.text);
}

#[track_caller]
fn assert_gone(answer: &Answer) {
    assert_eq!((answer.status, location(answer)), (200, None), "{}", answer.text);
    assert!(answer.text.contains("You are signed out") && !answer.text.contains("http-equiv"), "{}", answer.text);
}

/// The same token with another header, without a signature.
fn unsigned(token: &str) -> String {
    use base64::Engine;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", token.split('.').nth(1).unwrap())
}

/// `oidcc-rp-initiated-logout-discovery-endpoint-verification`,
/// `oidcc-backchannel-logout-discovery-endpoint-verification`,
/// `oidcc-frontchannel-logout-discovery-endpoint-verification`
#[actix_web::test]
async fn the_metadata_names_where_to_sign_out_and_how_applications_learn_of_it() {
    on_each_backend(async |server| {
        let metadata = server.get("/.well-known/openid-configuration").await.body;

        assert_eq!(metadata["end_session_endpoint"], format!("{}/oauth2/logout", server.config.issuer));
        for name in
            ["backchannel_logout", "backchannel_logout_session", "frontchannel_logout", "frontchannel_logout_session"]
        {
            assert_eq!(metadata[format!("{name}_supported")], true, "{name}");
        }
        // No iframe that tells one site what a browser does at another (threat: messages without a check of their
        // origin).
        assert_eq!(metadata.get("check_session_iframe"), None::<&Value>);
    })
    .await;
}

/// `oidcc-rp-initiated-logout`, `oidcc-backchannel-rp-initiated-logout`
#[actix_web::test]
async fn an_application_signs_the_person_out_and_gets_the_browser_back() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;
        authorize(server, &browser, application("other")).await;
        assert!(is_signed_in(&browser).await);

        let answer = browser
            .get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "a b&c=d")]))
            .await;

        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(location(&answer).unwrap(), format!("{BYE}&state=a+b%26c%3Dd"));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!browser.has_cookie("browser-session"), "the cookie is taken away");
        let silent = browser.get(&request("app", &[("prompt", "none")])).await;
        assert_eq!(parameters(&silent)["error"], "login_required");
        let sessions = server
            .ctx()
            .store
            .database
            .live_browser_sessions(server.user().await.id, server.clock.now())
            .await
            .unwrap();
        assert!(sessions.is_empty());
        assert_eq!(server.count_events("browser_session_ended").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_cookie_that_was_kept_is_worth_nothing_after_the_sign_out() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;
        let kept = browser.cookies();

        browser.get(&logout(&[("id_token_hint", &hint)])).await;
        browser.set_cookies(kept);

        assert!(!is_signed_in(&browser).await);
    })
    .await;
}

/// `oidcc-rp-initiated-logout-no-state`
#[actix_web::test]
async fn without_a_state_the_address_is_the_registered_one_to_the_byte() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;

        let answer = browser.get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;

        assert_eq!(location(&answer).as_deref(), Some(BYE));
    })
    .await;
}

/// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`,
/// `oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`
#[actix_web::test]
async fn an_address_that_was_not_registered_is_never_gone_to() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;
        for other in [
            "https://evil.example/",
            "https://app.example.com/bye",
            "https://app.example.com/bye?from=server&x=y",
            "https://app.example.com/bye?from=server#x",
            "https://app.example.com/bye/?from=server",
            "https://APP.example.com/bye?from=server",
            "https://app.example.com:443/bye?from=server",
            "https://app.example.com@evil.example/bye?from=server",
            "http://app.example.com/bye?from=server",
            "//app.example.com/bye?from=server",
            "javascript:alert(1)",
        ] {
            let answer = browser.get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", other)])).await;
            assert_eq!((answer.status, location(&answer)), (400, None), "{other}: {}", answer.text);
        }
        assert!(is_signed_in(&browser).await, "and no user was signed out by it");
    })
    .await;
}

/// `oidcc-rp-initiated-logout-modified-id-token-hint`, `oidcc-rp-initiated-logout-bad-id-token-hint`,
/// `oidcc-rp-initiated-logout-no-id-token-hint`
#[actix_web::test]
async fn without_an_id_token_of_ours_the_person_is_asked_and_stays_here() {
    on_each_backend(async |server| {
        let foreign = TestServer::open(server.backend, &|_| ()).await;
        let there = Browser::of(&foreign);
        sign_in(&foreign, &there).await;
        let foreign_hint = authorize(&foreign, &there, leaving("app")).await;
        foreign.close().await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;
        let tampered = format!("{}x{}", &hint[..hint.len() - 10], &hint[hint.len() - 9..]);

        for bad in [&*unsigned(&hint), &foreign_hint, &tampered, "nonsense", "a.b.c"] {
            let ways =
                [("id_token_hint", bad), ("post_logout_redirect_uri", BYE), ("state", "s"), ("client_id", "app")];
            assert_asks(&browser.get(&logout(&ways)).await);
        }
        let page = browser.get(&logout(&[("client_id", "app"), ("post_logout_redirect_uri", BYE)])).await;
        assert_asks(&page);
        assert!(page.text.contains("The app"), "{}", page.text);
        assert!(is_signed_in(&browser).await);

        assert_gone(&browser.submit(&page, &[("answer", "confirm")]).await);
        assert!(!is_signed_in(&browser).await);
        assert_gone(&browser.get(&logout(&[("client_id", "app"), ("post_logout_redirect_uri", BYE)])).await);
    })
    .await;
}

/// `oidcc-rp-initiated-logout-no-params`, `oidcc-rp-initiated-logout-only-state`
#[actix_web::test]
async fn a_bare_request_asks_and_then_says_that_no_user_is_signed_in() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        for path in [
            "/oauth2/logout",
            "/oauth2/logout?state=x",
            "/logout",
            "/oauth2/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example",
        ] {
            let browser = Browser::of(server);
            sign_in(server, &browser).await;

            let page = browser.get(path).await;
            assert_asks(&page);
            assert!(page.text.contains("ada"), "{}", page.text);
            assert!(is_signed_in(&browser).await, "{path}");
            let stays = browser.submit_once(&page, &[("answer", "stay")]).await;
            assert_eq!(location(&stays).as_deref(), Some("/account"), "{path}");
            assert!(is_signed_in(&browser).await, "{path}");
            assert_gone(&browser.submit(&page, &[("answer", "confirm")]).await);
            assert!(!is_signed_in(&browser).await, "{path}");
            assert_gone(&browser.get(path).await);
        }
    })
    .await;
}

/// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`
#[actix_web::test]
async fn without_an_address_the_browser_stays_on_a_page_that_says_so() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;

        let answer = browser.get(&logout(&[("id_token_hint", &hint), ("state", "s"), ("ui_locales", "de")])).await;

        assert_eq!((answer.status, location(&answer)), (200, None), "{}", answer.text);
        assert_eq!(answer.headers["content-language"], "de");
        assert!(!is_signed_in(&browser).await);
    })
    .await;
}

#[actix_web::test]
async fn an_id_token_of_another_user_signs_no_user_out_unasked() {
    on_each_backend(async |server| {
        let (mine, theirs) = (Browser::of(server), Browser::of(server));
        sign_in(server, &mine).await;
        let hint = authorize(server, &mine, leaving("app")).await;
        sign_in_as(server, &theirs, crate::test_server::ADMIN).await;

        let page = theirs.get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;

        assert_asks(&page);
        assert!(is_signed_in(&theirs).await);
        let refused = theirs.get(&logout(&[("id_token_hint", &hint), ("client_id", "other")])).await;
        assert_eq!((refused.status, location(&refused)), (400, None));
        let twice = format!("/oauth2/logout?id_token_hint={hint}&id_token_hint={hint}");
        assert_eq!(theirs.get(&twice).await.status, 400);
        assert!(is_signed_in(&theirs).await);
    })
    .await;
}

#[actix_web::test]
async fn an_expired_id_token_is_good_enough_and_one_of_a_previous_session_brings_the_browser_back() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;
        server.later(std::time::Duration::from_hours(1)).await;
        let leave = logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);

        let first = browser.get(&leave).await;
        let second = browser.get(&leave).await;

        assert_eq!((location(&first).as_deref(), location(&second).as_deref()), (Some(BYE), Some(BYE)));
        assert_eq!(server.count_events("browser_session_ended").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_request_by_post_is_repeated_by_get_which_brings_the_cookies() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let hint = authorize(server, &browser, leaving("app")).await;

        // Another site's form: the browser keeps its cookies back.
        let form = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "s")];
        let answer = Browser::of(server).post("/oauth2/logout", &form).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(is_signed_in(&browser).await);
        let arrived = browser.get(&location(&answer).unwrap()).await;

        assert_eq!(location(&arrived).unwrap(), format!("{BYE}&state=s"));
        assert!(!is_signed_in(&browser).await);
        let long = Browser::of(server).post("/oauth2/logout", &[("id_token_hint", &*"x".repeat(9000))]).await;
        assert_eq!(long.status, 413);
        let odd = read(server.request(Method::POST, "/oauth2/logout").body("a=b\r\nSet-Cookie: x=y")).await;
        assert_eq!((odd.status, location(&odd)), (400, None));
    })
    .await;
}

#[actix_web::test]
async fn another_sites_form_signs_no_user_out() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let (browser, other) = (Browser::of(server), Browser::of(server));
        sign_in(server, &browser).await;
        sign_in(server, &other).await;
        let stolen = crate::browser::Form::in_page(&other.get("/logout").await.text).hidden;
        let token = stolen.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();

        for form in [
            vec![("answer", "confirm")],
            vec![("answer", "confirm"), ("csrf", ""), ("csrf", "x")],
            vec![("answer", "confirm"), ("csrf", &*token)],
        ] {
            let answer = browser.post("/logout", &form).await;
            assert!([400, 403].contains(&answer.status) && location(&answer).is_none(), "{form:?}: {}", answer.text);
        }

        assert!(is_signed_in(&browser).await);
    })
    .await;
}

/// `oidcc-frontchannel-rp-initiated-logout`
#[actix_web::test]
async fn the_last_page_signs_the_person_out_of_applications_in_the_browser() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let mut app = leaving("app");
        app.sign_on.frontchannel_logout_uri = Some("https://app.example.com/out?x=1".to_owned());
        app.sign_on.frontchannel_logout_session_required = true;
        let hint = authorize(server, &browser, app).await;
        let mut plain = application("plain");
        plain.redirect_uris.push(RedirectUri::parse("https://plain.example:8443/cb").unwrap());
        plain.sign_on.frontchannel_logout_uri = Some("https://plain.example:8443/out".to_owned());
        authorize(server, &browser, plain).await;
        let mut elsewhere = application("elsewhere");
        elsewhere.sign_on.frontchannel_logout_uri = Some("https://app.example.com/elsewhere".to_owned());
        server.add_new_client(elsewhere).await;

        let page =
            browser.get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")])).await;

        assert_eq!((page.status, location(&page)), (200, None), "{}", page.text);
        let frames = frames(&page.text);
        let issuer: String = url::form_urlencoded::byte_serialize(server.config.issuer.as_bytes()).collect();
        let own =
            format!("https://app.example.com/out?x=1&iss={issuer}&sid={}", claims(&hint)["sid"].as_str().unwrap());
        assert_eq!(frames, [own, "https://plain.example:8443/out".to_owned()]);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let mut allowed: Vec<&str> =
            policy.split("; ").find_map(|part| part.strip_prefix("frame-src ")).unwrap().split(' ').collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["https://app.example.com/out", "https://plain.example:8443/out"]);
        let unescaped = page.text.replace("&#x2f;", "/");
        assert!(unescaped.contains("https://app.example.com/bye?from=server&amp;state=s"), "{unescaped}");
        assert!(!browser.has_cookie("browser-session") && !is_signed_in(&browser).await);
    })
    .await;
}

/// The addresses of the frames in a page.
fn frames(html: &str) -> Vec<String> {
    let sources = html.split("<iframe src=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    sources.map(|source| source.replace("&amp;", "&").replace("&#x2f;", "/")).collect()
}

#[actix_web::test]
async fn the_page_that_asks_can_be_neither_framed_nor_kept() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let page = browser.get("/logout").await;

        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(json!(page.status), 200);
    })
    .await;
}

#[actix_web::test]
async fn the_cookie_is_taken_away_as_it_was_given_and_every_address_has_the_path_of_the_issuer() {
    let under_a_path =
        |config: &mut tokenhouse::config::Config| config.issuer = "https://id.example.com/here".to_owned();
    on_each_backend_with(under_a_path, async |server| {
        let ctx = server.ctx();
        let secret = browser_sessions::Browser::new_secret(ctx);
        let cookies = browser_sessions::Browser { secret, session_cookie: None, user_agent: UserAgent::default() };
        let new = browser_sessions::sign_in(ctx, &cookies, USER.0, &Secret::new(USER.1)).await.unwrap().unwrap();
        let browser = Browser::of(server);
        browser.set_cookies(BTreeMap::from([
            ("__Host-tokenhouse-browser".to_owned(), cookies.secret.expose().to_owned()),
            ("__Host-tokenhouse-browser-session".to_owned(), new.cookie.expose().to_owned()),
        ]));

        let posted = browser.post("/oauth2/logout", &[("state", "s")]).await;
        let page = browser.get("/logout").await;
        let form = crate::browser::Form::in_page(&page.text);
        let mut values: Vec<(&str, &str)> = form.hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
        values.push(("answer", "stay"));
        let stays = browser.post("/logout", &values).await;
        *values.last_mut().unwrap() = ("answer", "confirm");
        let gone = browser.post("/logout", &values).await;

        assert_eq!(location(&posted).as_deref(), Some("/here/oauth2/logout?state=s"));
        assert_eq!(form.action, "/here/logout");
        assert_eq!(location(&stays).as_deref(), Some("/here/account"));
        assert_gone(&gone);
        let cookie = gone.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("__Host-tokenhouse-browser-session=;"), "{cookie}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=0"] {
            assert!(cookie.split("; ").any(|one| one == part), "{part}: {cookie}");
        }
    })
    .await;
}
