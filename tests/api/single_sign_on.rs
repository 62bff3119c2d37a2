//! One sign-in for several applications: when a person is asked, and when they are not.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::clock::Random;
use tokenhouse::config;
use tokenhouse::model::{Client, EndReason, Secret, SessionFilter, SignOn};
use tokenhouse::{clients, sessions, users};

use crate::authorization::{application, code, exchange, request, sign_in};
use crate::browser::{Browser, Form, location, parameters};
use crate::quiet_instance::QuietInstance;
use crate::test_server::{Answer, TestServer, USER, claims, on_each_backend, on_each_backend_with, read};

const OTHER: (&str, &str) = ("bob", "yet another password");

async fn id_token(server: &TestServer, client: &Client, secret: &str, answer: &Answer) -> serde_json::Value {
    let code = &parameters(answer)["code"];
    let tokens = exchange(server, client, secret, code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    claims(tokens.body["id_token"].as_str().unwrap())
}

#[actix_web::test]
async fn one_sign_in_serves_two_applications_each_with_tokens_of_its_own() {
    on_each_backend(async |server| {
        let (one, one_secret) = server.add_new_client(application("one")).await;
        let (two, two_secret) = server.add_new_client(application("two")).await;
        let browser = Browser::of(server);

        let page = browser.follow(&request("one", &[])).await;
        let first = browser.sign_in(&page).await;
        let second = browser.get(&request("two", &[])).await;

        let first = id_token(server, &one, one_secret.as_deref().unwrap(), &first).await;
        let second = id_token(server, &two, two_secret.as_deref().unwrap(), &second).await;
        assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
        assert_ne!(first["sid"], second["sid"]);
        assert_eq!((&first["aud"], &second["aud"]), (&json!("one"), &json!("two")));
    })
    .await;
}

#[actix_web::test]
async fn a_person_proves_again_who_they_are_where_the_application_wants_it() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let first = id_token(server, &client, &secret, &browser.get(&request("app", &[])).await).await;
        server.clock.advance(Duration::from_secs(3));

        for more in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
            let silent = [more, if more.0 == "prompt" { ("max_age", "1") } else { ("prompt", "none") }];
            let page = browser.follow(&request("app", &[more])).await;
            assert_eq!(page.status, 200, "{more:?}: a page, not {:?}", location(&page));
            let again = id_token(server, &client, &secret, &browser.sign_in(&page).await).await;
            assert!(again["auth_time"].as_i64() > first["auth_time"].as_i64(), "{more:?}");
            assert_eq!(again["sub"], first["sub"]);
            server.clock.advance(Duration::from_secs(3));
            if more.0 == "max_age" {
                let silent = parameters(&browser.get(&request("app", &silent)).await);
                assert_eq!(silent["error"], "login_required", "{more:?}");
            }
        }
        let late = parameters(&browser.get(&request("app", &[("max_age", "10000"), ("prompt", "none")])).await);
        assert!(late.contains_key("code"), "{late:?}");
    })
    .await;
}

#[actix_web::test]
async fn an_application_may_register_how_old_a_sign_in_can_be() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.sign_on = SignOn { default_max_age: Some(Duration::from_mins(1)), ..SignOn::default() };
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        assert!(parameters(&browser.get(&request("app", &[("prompt", "none")])).await).contains_key("code"));

        server.clock.advance(Duration::from_secs(62));

        let silent = parameters(&browser.get(&request("app", &[("prompt", "none")])).await);
        assert_eq!(silent["error"], "login_required");
        let asked_for = parameters(&browser.get(&request("app", &[("prompt", "none"), ("max_age", "100")])).await);
        assert!(asked_for.contains_key("code"), "the request's own word counts");
    })
    .await;
}

#[actix_web::test]
async fn a_hint_names_the_one_person_who_may_answer() {
    on_each_backend(async |server| {
        server.add_user(OTHER, false).await;
        let (client, secret) = server.add_new_client(application("app")).await;
        server.add_new_client(application("else")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, &secret, &code).await;
        let hint = tokens.body["id_token"].as_str().unwrap().to_owned();
        let silent = [("prompt", "none"), ("id_token_hint", &*hint)];

        assert!(parameters(&browser.get(&request("app", &silent)).await).contains_key("code"));
        // An expired hint is still one; another application's is none.
        server.clock.advance(Duration::from_hours(1));
        assert!(parameters(&browser.get(&request("app", &silent)).await).contains_key("code"));
        assert_eq!(parameters(&browser.get(&request("else", &silent)).await)["error"], "invalid_request");
        // Somebody else is signed in now.
        let page = browser.follow(&request("app", &[("prompt", "login")])).await;
        browser.submit(&page, &[("username", OTHER.0), ("password", OTHER.1)]).await;
        assert_eq!(parameters(&browser.get(&request("app", &silent)).await)["error"], "login_required");
        // Asked for the first person by name, the second one's password does not do.
        let page = browser.follow(&request("app", &[("id_token_hint", &*hint)])).await;
        let answer = browser.submit(&page, &[("username", OTHER.0), ("password", OTHER.1)]).await;
        assert_eq!(parameters(&answer)["error"], "login_required");
    })
    .await;
}

#[actix_web::test]
async fn when_another_user_signs_in_nothing_carries_the_first_user_any_more() {
    on_each_backend(async |server| {
        let bob = server.add_user(OTHER, false).await;
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let first = exchange(server, &client, &secret, &code(&browser, "app", &[]).await).await;
        let before = browser.cookies();

        let page = browser.follow(&request("app", &[("prompt", "login")])).await;
        let answer = browser.submit(&page, &[("username", OTHER.0), ("password", OTHER.1)]).await;

        let second = id_token(server, &client, &secret, &answer).await;
        assert_eq!(second["sub"], json!(bob.id));
        assert_ne!(second["sid"], claims(first.body["id_token"].as_str().unwrap())["sid"]);
        let form = [("grant_type", "refresh_token"), ("refresh_token", first.body["refresh_token"].as_str().unwrap())];
        assert_eq!(server.post_as("app", &secret, "/oauth2/token", &form).await.body["error"], "invalid_grant");
        browser.set_cookies(before);
        let previous = parameters(&browser.get(&request("app", &[("prompt", "none")])).await);
        assert_eq!(previous["error"], "login_required", "the previous browser session is over");
    })
    .await;
}

#[actix_web::test]
async fn each_sign_in_gives_the_browser_a_new_cookie_and_takes_the_old_one_its_power() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        let browser_session =
            |browser: &Browser<'_>| browser.cookies().into_iter().find(|(name, _)| name.ends_with("browser-session"));
        let planted = ("tokenhouse-insecure-development-browser-session".to_owned(), "p".repeat(43));
        browser.set_cookies([planted.clone()].into());

        let page = browser.follow(&request("app", &[])).await;
        browser.sign_in(&page).await;
        let first = (browser.cookies(), browser_session(&browser).unwrap());
        let page = browser.follow(&request("app", &[("prompt", "login")])).await;
        browser.sign_in(&page).await;
        let second = browser_session(&browser).unwrap();

        assert_ne!(first.1, planted);
        assert_ne!(first.1, second);
        let silent = request("app", &[("prompt", "none")]);
        assert!(parameters(&browser.get(&silent).await).contains_key("code"));
        browser.set_cookies(first.0);
        assert_eq!(parameters(&browser.get(&silent).await)["error"], "login_required");
    })
    .await;
}

#[actix_web::test]
async fn no_order_of_steps_leads_to_a_code_without_the_password() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.trusted = false;
        server.add_new_client(new).await;
        let random = Random::default();
        for _ in 0..10 {
            let browser = Browser::of(server);
            let page = browser.follow(&request("app", &[])).await;
            let form = Form::in_page(&page.text);
            let hidden = |name: &str| {
                form.hidden.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap_or_default()
            };
            let (csrf, interaction) = (hidden("csrf"), hidden("interaction"));
            let (csrf, interaction) = (&*csrf, &*interaction);
            let both = [("csrf", csrf), ("interaction", interaction)];
            for _ in 0..12 {
                let answer = match random.bytes::<1>()[0] % 8 {
                    0 => browser.post("/login", &both).await,
                    1 => browser.post("/login", &[&both[..], &[("username", USER.0), ("password", "")]].concat()).await,
                    2 => browser.post("/login", &[&both[..], &[("username", USER.0), ("step", "done")]].concat()).await,
                    3 => browser.post("/consent", &[&both[..], &[("answer", "accept")]].concat()).await,
                    4 => browser.post("/login/account", &[&both[..], &[("account", "same")]].concat()).await,
                    5 => browser.get(&format!("/oauth2/authorize/{interaction}")).await,
                    6 => browser.get(&format!("/consent?interaction={interaction}")).await,
                    _ => browser.get(&request("app", &[("prompt", "none")])).await,
                };
                let to = location(&answer).unwrap_or_default();
                assert!(!to.contains("code="), "{to}");
                assert!(!browser.has_cookie("browser-session"), "no user has signed in");
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_browser_session_ends_when_it_is_not_used_and_at_its_absolute_end() {
    let short = |config: &mut tokenhouse::config::Config| {
        config.browser_sessions.idle_lifetime = config::Duration::minutes(10);
        config.browser_sessions.absolute_lifetime = config::Duration::minutes(25);
    };
    on_each_backend_with(short, async |server| {
        server.add_new_client(application("app")).await;
        let silent = request("app", &[("prompt", "none")]);
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        for minutes in [9, 9, 6] {
            assert!(parameters(&browser.get(&silent).await).contains_key("code"));
            server.clock.advance(Duration::from_mins(minutes));
            let ctx = server.running.ctx.clone();
            tokenhouse::app::upkeep::note_uses(ctx).await.unwrap();
        }
        server.clock.advance(Duration::from_mins(2));
        assert_eq!(parameters(&browser.get(&silent).await)["error"], "login_required", "the absolute end");

        sign_in(server, &browser).await;
        server.clock.advance(Duration::from_mins(11));
        assert_eq!(parameters(&browser.get(&silent).await)["error"], "login_required", "idle");

        let path = format!("/admin/v1/browser-sessions?user={}", server.user().await.id);
        let listed = server.admin(&server.admin_token().await, Method::GET, &path, None).await;
        assert_eq!(listed.body["items"], json!([]), "what is not believed is not shown: {}", listed.text);
    })
    .await;
}

#[actix_web::test]
async fn every_instance_knows_a_browser_session_and_its_end() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let silent = request("app", &[("prompt", "none")]);
        let other = server.second_instance(server.clock.clone()).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let cookies = browser.cookies();
        let there = Browser::of(server).at_instance(other.address);
        there.set_cookies(cookies);
        assert!(parameters(&there.get(&silent).await).contains_key("code"));

        let ctx = server.ctx();
        let browser_session =
            ctx.store.database.live_browser_sessions(server.user().await.id, ctx.now()).await.unwrap()[0].id;
        tokenhouse::browser_sessions::end(ctx, browser_session, EndReason::SignedOut, Actor::System).await.unwrap();

        assert_eq!(parameters(&browser.get(&silent).await)["error"], "login_required", "here at once");
        let mut tries = 0;
        while parameters(&there.get(&silent).await).get("error").map(String::as_str) != Some("login_required") {
            tries += 1;
            assert!(tries < 100, "the other instance follows the feed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn what_is_taken_from_a_user_or_a_client_is_taken_from_browser_sessions_and_userinfo_too() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let (ctx, user) = (server.ctx(), server.user().await.id);
        let silent = request("app", &[("prompt", "none")]);
        for what in ["password", "disabled", "user sessions", "all", "client", "removed"] {
            let browser = Browser::of(server);
            sign_in(server, &browser).await;
            let tokens = exchange(server, &client, &secret, &code(&browser, "app", &[]).await).await;
            let access = tokens.body["access_token"].as_str().unwrap();
            let info = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(access)).await;
            assert_eq!(info.status, 200, "{what}");

            let by = Actor::System;
            let filter = SessionFilter::default();
            match what {
                "password" => drop(users::change_password(ctx, user, &Secret::new(USER.1), by).await.unwrap()),
                "disabled" => drop(users::disable(ctx, user, by).await.unwrap()),
                "user sessions" => {
                    let filter = SessionFilter { user: Some(user), ..filter };
                    sessions::end_matching(ctx, &filter, EndReason::Admin, by).await.unwrap();
                }
                "all" => drop(sessions::end_matching(ctx, &filter, EndReason::Admin, by).await.unwrap()),
                "client" => drop(clients::disable(ctx, &client.id, by).await.unwrap()),
                _ => drop(users::remove(ctx, user, by).await.unwrap()),
            }

            let info = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(access)).await;
            assert_eq!(info.status, 401, "{what}");
            if what == "client" {
                assert_eq!(browser.get(&silent).await.status, 400, "{what}");
                clients::enable(ctx, &client.id, Actor::System).await.unwrap();
            } else {
                users::enable(ctx, user, Actor::System).await.ok();
                let back = parameters(&browser.get(&silent).await);
                assert_eq!(back.get("error").map(String::as_str), Some("login_required"), "{what}");
            }
            server.clock.advance(Duration::from_secs(1));
        }
    })
    .await;
}

#[actix_web::test]
async fn the_cookie_that_a_renewal_has_replaced_is_good_nowhere() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let silent = request("app", &[("prompt", "none")]);
        // An instance that does not follow the feed: it knows what it has seen.
        let other = QuietInstance::open(server).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let previous = browser.cookies();
        let there = Browser::of(server).at_instance(other.address);
        there.set_cookies(previous.clone());
        assert!(parameters(&there.get(&silent).await).contains_key("code"));

        let page = browser.follow(&request("app", &[("prompt", "login")])).await;
        browser.sign_in(&page).await;
        there.set_cookies(browser.cookies());
        assert!(parameters(&there.get(&silent).await).contains_key("code"));

        there.set_cookies(previous);
        assert_eq!(parameters(&there.get(&silent).await)["error"], "login_required");
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_double_click_at_signing_in_again_ends_nothing() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let tokens = exchange(server, &client, &secret, &code(&browser, "app", &[]).await).await;
        let page = browser.follow(&request("app", &[("prompt", "login")])).await;
        let before = browser.cookies();

        browser.sign_in(&page).await;
        browser.set_cookies(before);
        browser.sign_in(&page).await;

        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.body["refresh_token"].as_str().unwrap())];
        assert_eq!(server.post_as("app", &secret, "/oauth2/token", &form).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn of_two_cookies_of_one_name_neither_counts() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let good: Vec<String> = browser.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let planted = format!("tokenhouse-insecure-development-browser-session={}", "p".repeat(43));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for cookies in [format!("{}; {planted}", good.join("; ")), format!("{planted}; {}", good.join("; "))] {
            let url = format!("http://{}{}", server.running.address, request("app", &[("prompt", "none")]));
            let answer = read(http.get(url).header("Cookie", cookies)).await;
            assert_eq!(parameters(&answer)["error"], "login_required");
        }
    })
    .await;
}
