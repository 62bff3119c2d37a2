//! What comes along with every page, and what never gets onto one.

use super::{assert_page, first_page, stranger};
use crate::authorization::{request, sign_in};
use crate::browser::{Browser, location};
use crate::test_server::{Answer, TestServer, USER, on_each_backend};

/// One answer of every kind of page.
async fn one_of_each(server: &TestServer) -> Vec<Answer> {
    server.add_new_client(stranger("app")).await;
    let (nobody, ada) = (Browser::of(server), Browser::of(server));
    sign_in(server, &ada).await;
    let asked = first_page(&nobody, "app", &[]).await;
    vec![
        nobody.get("/login").await,
        nobody.submit(&asked, &[("username", USER.0), ("password", "wrong")]).await,
        asked,
        first_page(&ada, "app", &[]).await,
        first_page(&ada, "app", &[("prompt", "select_account")]).await,
        first_page(&ada, "app", &[("response_mode", "form_post"), ("prompt", "nonsense")]).await,
        ada.get("/account").await,
        ada.get("/account?done=password&done=browser_session").await,
        nobody.get("/consent?interaction=AAAAAAAAAAAAAAAAAAAAAA").await,
        Browser::of(server).get("/login?interaction=AAAAAAAAAAAAAAAAAAAAAA").await,
        nobody.get(&request("nobody", &[])).await,
        nobody.get(&request("app", &[("redirect_uri", "https://evil.example.com/")])).await,
        nobody.post("/login", &[("username", "a"), ("username", "b")]).await,
        nobody.get("/oauth2/authorize/nonsense").await,
    ]
}

#[actix_web::test]
async fn every_page_forbids_frames_caches_referrers_and_foreign_resources() {
    on_each_backend(async |server| {
        for page in one_of_each(server).await {
            assert!(page.text.starts_with("<!doctype html>"), "{} {}", page.status, page.text);
            let header = |name: &str| page.headers[name].to_str().unwrap();
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self'"), "{policy}");
            assert!(policy.ends_with("; base-uri 'none'; frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("referrer-policy"), "no-referrer");
            assert_eq!(header("cache-control"), "no-store");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("content-type"), "text/html; charset=utf-8");
        }
    })
    .await;
}

#[actix_web::test]
async fn an_error_page_names_the_request_as_the_log_does_and_leads_nowhere() {
    on_each_backend(async |server| {
        let page = Browser::of(server).get(&request("nobody", &[("state", "https://evil.example.com")])).await;

        assert_page(&page, 400);
        assert!(page.text.contains(page.headers["x-request-id"].to_str().unwrap()), "{}", page.text);
        assert!(page.text.contains("invalid_request"), "{}", page.text);
        assert!(location(&page).is_none());
        assert!(!page.text.contains("evil.example.com") && !page.text.contains("app.example.com"), "{}", page.text);
        assert!(!page.text.contains("<a ") && !page.text.contains("<form"), "{}", page.text);
    })
    .await;
}

#[actix_web::test]
async fn nothing_of_a_request_is_markup_on_a_page() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;
        let browser = Browser::of(server);
        let planted = "\"><svg onload=alert(1)>'<!--";
        let names = [
            "client_id",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "nonce",
            "prompt",
            "max_age",
            "display",
            "login_hint",
            "ui_locales",
            "acr_values",
            "claims",
            "response_mode",
            "code_challenge",
            "unknown",
        ];
        for name in names {
            for more in [vec![(name, planted)], vec![(name, planted), ("response_mode", "form_post")]] {
                let page = first_page(&browser, "app", &more).await;
                assert!(!page.text.contains("<svg") && !page.text.contains("<!--"), "{name}: {}", page.text);
            }
        }
        for address in ["/login", "/login/account", "/consent", "/account"] {
            for name in ["interaction", "account", "done", "csrf", "x\"><svg onload=alert(1)>"] {
                let query: String =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, planted).finish();
                let page = browser.get(&format!("{address}?{query}")).await;
                assert!(!page.text.contains("<svg"), "{address} {name}: {}", page.text);
            }
        }
        let asked = first_page(&browser, "app", &[]).await;
        let again = browser.submit(&asked, &[("username", planted), ("password", planted)]).await;
        assert_page(&again, 403);
        assert!(again.text.contains("&lt;svg onload=alert(1)&gt;") && !again.text.contains("<svg"), "{}", again.text);
    })
    .await;
}

#[actix_web::test]
async fn names_of_applications_and_people_are_text_on_every_page() {
    on_each_backend(async |server| {
        let planted = "<img src=x onerror=1>";
        let mut new = stranger("app");
        new.metadata.client_name = Some(planted.to_owned());
        server.add_new_client(new).await;
        let user = ("<b>ada</b>", "a fine long password");
        server.add_user(user, false).await;
        let browser = Browser::of(server);
        let asked = first_page(&browser, "app", &[]).await;
        let consent = browser.submit(&asked, &[("username", user.0), ("password", user.1)]).await;
        let back = browser.submit(&consent, &[("answer", "accept")]).await;
        let choose = first_page(&browser, "app", &[("prompt", "select_account")]).await;
        let account = browser.get("/account").await;

        assert_eq!(back.status, 303, "{}", back.text);
        for page in [asked, consent, choose, account] {
            assert_page(&page, 200);
            assert!(!page.text.contains("<img src=x") && !page.text.contains("<b>"), "{}", page.text);
            assert!(page.text.contains("&lt;img src=x onerror=1&gt;"), "{}", page.text);
        }
    })
    .await;
}

#[actix_web::test]
async fn what_a_page_needs_is_kept_by_browsers_under_the_name_of_its_content() {
    on_each_backend(async |server| {
        let page = server.get("/login").await;
        let path = page.text.split("<link rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let path = path.replace("&#x2f;", "/");

        let style = server.get(&path).await;
        let previous = server.get("/assets/pages.0000000000000000.css").await;

        assert_eq!((style.status, &style.headers["content-type"]), (200, &"text/css; charset=utf-8".parse().unwrap()));
        assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!((previous.status, &previous.headers["cache-control"]), (200, &"no-store".parse().unwrap()));
        assert_eq!(previous.text, style.text);
        for path in ["/assets/nothing.css", "/assets/..%2f..%2fCargo.toml", "/assets/pages"] {
            assert_eq!(server.get(path).await.status, 404, "{path}");
        }
    })
    .await;
}
