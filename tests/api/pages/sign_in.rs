//! Signing in on the page.

use reqwest::Method;
use tokenhouse::audit::Actor;
use tokenhouse::config::{self, Rate};
use tokenhouse::users;

use super::{assert_page, first_page, has, hidden};
use crate::authorization::{CALLBACK, application, exchange};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{Answer, USER, on_each_backend, on_each_backend_with, read};

#[actix_web::test]
async fn a_person_signs_in_and_goes_back_with_a_code_by_303_alone() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        let asked = first_page(&browser, "app", &[]).await;
        assert_page(&asked, 200);
        for id in ["username", "password", "login-submit"] {
            assert!(has(&asked, id), "{id}: {}", asked.text);
        }

        let form = [("csrf", &*hidden(&asked, "csrf")), ("interaction", &*hidden(&asked, "interaction"))];
        let signed_in =
            browser.post("/login", &[&form[..], &[("username", USER.0), ("password", USER.1)]].concat()).await;
        let back = browser.get(&location(&signed_in).unwrap()).await;

        assert_eq!((signed_in.status, back.status), (303, 303));
        assert!(location(&back).unwrap().starts_with(&format!("{CALLBACK}?code=")), "{:?}", location(&back));
        let tokens = exchange(server, &client, &secret.unwrap(), &parameters(&back)["code"]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
    })
    .await;
}

#[actix_web::test]
async fn the_page_tells_for_which_application_it_is() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.name = Some("Harbour Notes".to_owned());
        new.sign_on.logo_uri = Some("https://cdn.example.com/logo.png?v=1".to_owned());
        new.sign_on.policy_uri = Some("https://notes.example.com/privacy".to_owned());
        new.sign_on.tos_uri = Some("https://notes.example.com/terms".to_owned());
        server.add_new_client(new).await;

        let page = first_page(&Browser::of(server), "app", &[("login_hint", "ada@example.com")]).await;

        let text = page.text.replace("&#x2f;", "/");
        for says in [
            "Harbour Notes",
            "src=\"https://cdn.example.com/logo.png?v=1\"",
            "href=\"https://notes.example.com/privacy\"",
            "href=\"https://notes.example.com/terms\"",
            "value=\"ada@example.com\"",
            "autocomplete=\"username\"",
            "autocomplete=\"current-password\"",
        ] {
            assert!(text.contains(says), "{says}: {text}");
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("img-src 'self' https://cdn.example.com/logo.png;"), "{policy}");
    })
    .await;
}

#[actix_web::test]
async fn a_wrong_password_an_unknown_and_a_disabled_user_get_the_same_page() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let disabled = server.add_user(("mary", "a fine long password"), false).await;
        users::disable(server.ctx(), disabled.id, Actor::System).await.unwrap();
        let browser = Browser::of(server);
        let asked = first_page(&browser, "app", &[]).await;

        let mut pages = Vec::new();
        for (name, password) in [(USER.0, "wrong password"), ("nobody", USER.1), ("mary", "a fine long password")] {
            let page = browser.submit(&asked, &[("username", name), ("password", password)]).await;
            assert_page(&page, 403);
            assert!(page.text.contains("role=\"alert\""), "{}", page.text);
            pages.push(page.text.replace(&format!("value=\"{name}\""), "value=\"…\""));
        }

        assert_eq!((&pages[0], &pages[0]), (&pages[1], &pages[2]));
        assert!(!browser.has_cookie("browser-session"));
    })
    .await;
}

#[actix_web::test]
async fn too_many_tries_are_told_when_to_come_back() {
    let settings =
        |config: &mut tokenhouse::config::Config| config.limits.by_account = Rate::of(1, config::Duration::minutes(5));
    on_each_backend_with(settings, async |server| {
        let browser = Browser::of(server);
        let asked = browser.get("/login").await;
        browser.submit(&asked, &[("username", USER.0), ("password", "wrong")]).await;

        let page = browser.submit(&asked, &[("username", USER.0), ("password", USER.1)]).await;

        assert_page(&page, 429);
        let seconds: u64 = page.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=300).contains(&seconds), "{seconds}");
        assert!(page.text.contains("You can try again in"), "{}", page.text);
        assert!(!browser.has_cookie("browser-session"));
    })
    .await;
}

#[actix_web::test]
async fn a_form_without_the_token_of_its_browser_signs_no_user_in() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let (browser, other) = (Browser::of(server), Browser::of(server));
        let asked = first_page(&browser, "app", &[]).await;
        let foreign = hidden(&other.get("/login").await, "csrf");
        let interaction = hidden(&asked, "interaction");

        for token in ["", "nonsense", &foreign] {
            let form = [("csrf", token), ("interaction", &interaction), ("username", USER.0), ("password", USER.1)];
            let page = browser.post("/login", &form).await;
            assert_page(&page, 403);
            assert!(!browser.has_cookie("browser-session"), "{token}");
        }
    })
    .await;
}

#[actix_web::test]
async fn an_authorization_that_was_begun_in_one_browser_cannot_be_finished_in_another() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let (attacker, victim) = (Browser::of(server), Browser::of(server));
        let asked = first_page(&attacker, "app", &[]).await;
        let interaction = hidden(&asked, "interaction");
        let csrf = hidden(&victim.get("/login").await, "csrf");

        let form = [("csrf", &*csrf), ("interaction", &*interaction), ("username", USER.0), ("password", USER.1)];
        let page = victim.post("/login", &form).await;
        let visit = victim.get(&format!("/login?interaction={interaction}")).await;

        for answer in [page, visit] {
            assert_page(&answer, 400);
            assert!(answer.text.contains("This sign-in has expired"), "{}", answer.text);
        }
        assert!(!victim.has_cookie("browser-session"));
    })
    .await;
}

#[actix_web::test]
async fn a_browser_that_keeps_no_cookies_is_told_so() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let asked = first_page(&Browser::of(server), "app", &[]).await;
        let interaction = hidden(&asked, "interaction");
        let form = [
            ("csrf", &*hidden(&asked, "csrf")),
            ("interaction", &*interaction),
            ("username", USER.0),
            ("password", USER.1),
        ];

        let visit = server.get(&format!("/login?interaction={interaction}")).await;
        let sent = server.post("/login", &form).await;
        let alone = server.post("/login", &form[2..]).await;

        for answer in [visit, sent, alone] {
            assert_page(&answer, 400);
            assert!(answer.text.contains("Your browser did not send our cookie"), "{}", answer.text);
            assert!(answer.headers.get("set-cookie").is_none());
        }
    })
    .await;
}

#[actix_web::test]
async fn a_finished_authorization_is_told_apart_from_a_wrong_one_on_the_way_back() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        let asked = first_page(&browser, "app", &[]).await;
        browser.sign_in(&asked).await;

        let again = browser.sign_in(&asked).await;

        assert_page(&again, 400);
        assert!(again.text.contains("This sign-in has expired"), "{}", again.text);
    })
    .await;
}

#[actix_web::test]
async fn who_is_signed_in_is_asked_again_only_where_the_application_wants_it() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        browser.sign_in(&first_page(&browser, "app", &[]).await).await;

        let silent = first_page(&browser, "app", &[]).await;
        let again = first_page(&browser, "app", &[("prompt", "login")]).await;
        let back = browser.sign_in(&again).await;

        assert!(parameters(&silent).contains_key("code"));
        assert!(again.text.contains("Please enter your password again") && again.text.contains("value=\"ada\""));
        assert!(parameters(&back).contains_key("code"));
    })
    .await;
}

#[actix_web::test]
async fn a_user_goes_on_as_they_are_or_as_another_user() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        server.add_user(("mary", "a fine long password"), false).await;
        let browser = Browser::of(server);
        browser.sign_in(&first_page(&browser, "app", &[]).await).await;
        let choose = async || first_page(&browser, "app", &[("prompt", "select_account")]).await;

        let same = browser.submit(&choose().await, &[("account", "same")]).await;
        let other = browser.submit(&choose().await, &[("account", "other")]).await;
        let back = browser.submit(&other, &[("username", "mary"), ("password", "a fine long password")]).await;

        assert!(parameters(&same).contains_key("code"));
        assert!(has(&other, "login-submit") && !other.text.contains("value=\"ada\""), "{}", other.text);
        assert!(parameters(&back).contains_key("code"));
        assert!(browser.get("/account").await.text.contains("mary"));
    })
    .await;
}

#[actix_web::test]
async fn an_answer_by_form_is_sent_by_one_known_script_or_a_button() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        let state = "\"><svg onload=alert(1)>&'";
        let asked = first_page(&browser, "app", &[("response_mode", "form_post"), ("state", state)]).await;

        let page = browser.sign_in(&asked).await;

        assert_page(&page, 200);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'sha256-") && !policy.contains("form-action"), "{policy}");
        assert_eq!(page.text.matches("<script").count(), 1);
        assert!(!page.text.contains("<svg"), "{}", page.text);
        assert_eq!(hidden(&page, "state"), state);
        assert_eq!(hidden(&page, "iss"), server.config.issuer);
        assert!(!hidden(&page, "code").is_empty() && has(&page, "form-post-continue"));
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_read_is_refused_on_a_page_too() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        browser.get("/login").await;
        let twice: Answer = browser.post("/login", &[("username", "a"), ("username", "b")]).await;
        let json =
            read(server.request(Method::POST, "/login").json(&serde_json::json!({ "username": ["a", "b"] }))).await;
        for answer in [twice, json, browser.get("/login?interaction=x").await, browser.get("/consent").await] {
            assert_page(&answer, 400);
        }
    })
    .await;
}
