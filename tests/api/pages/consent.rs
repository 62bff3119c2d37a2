//! The question whether an application may have what it asks for.

use serde_json::json;

use super::{assert_page, first_page, has, hidden, stranger};
use crate::authorization::{exchange, sign_in};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{TestServer, on_each_backend};

/// The consent page of a user who is signed in.
async fn asked(server: &TestServer, browser: &Browser<'_>, more: &[(&str, &str)]) -> crate::test_server::Answer {
    sign_in(server, browser).await;
    first_page(browser, "app", more).await
}

#[actix_web::test]
async fn the_page_says_who_asks_for_what_and_where_it_leads() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;
        let page = asked(server, &Browser::of(server), &[("scope", "openid email read")]).await;

        assert_page(&page, 200);
        for id in ["consent-accept", "consent-deny"] {
            assert!(has(&page, id), "{id}");
        }
        for says in ["ada", "see your email address", "read</bdi>", "app.example.com", "withdraw this at any time"] {
            assert!(page.text.contains(says), "{says}: {}", page.text);
        }
    })
    .await;
}

#[actix_web::test]
async fn what_was_allowed_once_is_not_asked_again_until_more_is_wanted() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(stranger("app")).await;
        let browser = Browser::of(server);
        let page = asked(server, &browser, &[]).await;

        let back = browser.submit(&page, &[("answer", "accept")]).await;
        let again = first_page(&browser, "app", &[]).await;
        let more = first_page(&browser, "app", &[("scope", "openid read email")]).await;

        let tokens = exchange(server, &client, &secret.unwrap(), &parameters(&back)["code"]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert!(parameters(&again).contains_key("code"));
        assert!(has(&more, "consent-accept"), "{}", more.text);
    })
    .await;
}

#[actix_web::test]
async fn what_an_application_asks_for_by_name_is_asked_too() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(stranger("app")).await;
        let browser = Browser::of(server);
        let page = asked(server, &browser, &[("scope", "openid")]).await;
        browser.submit(&page, &[("answer", "accept")]).await;

        let by_name = [("scope", "openid"), ("claims", r#"{"userinfo":{"roles":null},"id_token":{"email":null}}"#)];
        let silently =
            browser.get(&crate::authorization::request("app", &[&by_name[..], &[("prompt", "none")]].concat())).await;
        assert_eq!(parameters(&silently)["error"], "consent_required");
        let page = first_page(&browser, "app", &by_name).await;
        assert!(page.text.contains("see your email address"), "{}", page.text);
        let back = browser.submit(&page, &[("answer", "accept")]).await;

        let tokens = exchange(server, &client, &secret.unwrap(), &parameters(&back)["code"]).await;
        assert_eq!(tokens.body["scope"], "openid");
        let access = tokens.body["access_token"].as_str().unwrap();
        assert_eq!(server.post("/oauth2/userinfo", &[("access_token", access)]).await.body["roles"], json!(["reader"]));
        assert!(parameters(&first_page(&browser, "app", &by_name).await).contains_key("code"));
    })
    .await;
}

#[actix_web::test]
async fn an_application_that_is_denied_is_told_so() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;
        let browser = Browser::of(server);
        let page = asked(server, &browser, &[]).await;

        let back = browser.submit(&page, &[("answer", "deny")]).await;

        assert_eq!(parameters(&back)["error"], json!("access_denied"));
        assert!(!parameters(&back).contains_key("code"));
        assert!(has(&first_page(&browser, "app", &[]).await, "consent-accept"));
    })
    .await;
}

#[actix_web::test]
async fn an_answer_without_the_token_of_its_browser_allows_nothing() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;
        let browser = Browser::of(server);
        let page = asked(server, &browser, &[]).await;
        let (interaction, user) = (hidden(&page, "interaction"), hidden(&page, "user"));

        for csrf in ["", "nonsense"] {
            let form = [("csrf", csrf), ("interaction", &*interaction), ("user", &*user), ("answer", "accept")];
            let answer = browser.post("/consent", &form).await;
            assert_page(&answer, 403);
            assert!(has(&answer, "consent-accept"));
        }
        assert_eq!(server.count_events("consent_given").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn an_answer_counts_only_for_the_user_who_was_asked() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;
        server.add_user(("mary", "a fine long password"), false).await;
        let browser = Browser::of(server);
        let asked_ada = asked(server, &browser, &[]).await;
        // In another tab Mary signs in.
        let other_tab = browser.submit(&asked_ada, &[("answer", "other")]).await;
        browser.submit(&other_tab, &[("username", "mary"), ("password", "a fine long password")]).await;

        let answer = browser.submit(&asked_ada, &[("answer", "accept")]).await;

        assert_page(&answer, 403);
        assert!(answer.text.contains("mary") && has(&answer, "consent-accept"), "{}", answer.text);
        assert_eq!(server.count_events("consent_given").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn an_unverified_application_is_marked_and_asked_about_each_time() {
    on_each_backend(async |server| {
        let mut new = stranger("app");
        new.trusted = true;
        new.sign_on.unverified = true;
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        let page = asked(server, &browser, &[]).await;

        let back = browser.submit(&page, &[("answer", "accept")]).await;
        let again = first_page(&browser, "app", &[]).await;

        assert!(page.text.contains("Nobody has vouched for this application"), "{}", page.text);
        assert!(location(&back).unwrap().contains("code="));
        assert!(has(&again, "consent-accept"), "{}", again.text);
    })
    .await;
}
