//! The page on which people see to their own account.

use serde_json::json;

use super::{assert_page, first_page, has, hidden, stranger};
use crate::authorization::{exchange, sign_in};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{Answer, TestServer, USER, on_each_backend};

/// Sends a form of the account page.
async fn send(browser: &Browser<'_>, action: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = hidden(&browser.get("/account").await, "csrf");
    browser.post(action, &[&[("csrf", &*csrf)], fields].concat()).await
}

async fn is_signed_in(browser: &Browser<'_>) -> bool {
    browser.get("/account").await.status == 200
}

/// The identifiers of the browser sessions that the page offers to end.
fn browser_sessions_to_end(page: &Answer) -> Vec<String> {
    let buttons = page.text.split("name=\"browser_session\" value=\"").skip(1);
    buttons.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// A browser in which the server's user is signed in.
async fn signed_in(server: &TestServer) -> Browser<'_> {
    let browser = Browser::of(server);
    sign_in(server, &browser).await;
    browser
}

#[actix_web::test]
async fn who_is_not_signed_in_signs_in_first_and_comes_to_the_account() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        let asked = browser.get("/account").await;
        assert_eq!((asked.status, location(&asked).as_deref()), (303, Some("/login")));

        let account = browser.sign_in(&browser.follow("/account").await).await;

        assert_page(&account, 200);
        assert!(account.text.contains("this browser") && account.text.contains("127.0.0.1"), "{}", account.text);
        assert_eq!(location(&browser.get("/login").await).as_deref(), Some("/account"));
    })
    .await;
}

#[actix_web::test]
async fn a_person_ends_one_of_their_sign_ins_or_all_others() {
    on_each_backend(async |server| {
        let (here, there, elsewhere) = (signed_in(server).await, signed_in(server).await, signed_in(server).await);
        let others = browser_sessions_to_end(&here.get("/account").await);
        assert_eq!(others.len(), 2);

        let ended = send(&here, "/account/browser-sessions/end", &[("browser_session", &others[0])]).await;
        assert_eq!((ended.status, location(&ended).as_deref()), (303, Some("/account?done=browser_session")));
        let still = [is_signed_in(&there).await, is_signed_in(&elsewhere).await];
        assert_eq!(still.iter().filter(|is_in| **is_in).count(), 1);

        send(&here, "/account/browser-sessions/end-others", &[]).await;
        assert!(is_signed_in(&here).await);
        assert!(!is_signed_in(&there).await && !is_signed_in(&elsewhere).await);
    })
    .await;
}

#[actix_web::test]
async fn no_user_ends_the_sign_in_of_another() {
    on_each_backend(async |server| {
        let ada = signed_in(server).await;
        let additional = signed_in(server).await;
        let browser_session = browser_sessions_to_end(&ada.get("/account").await).remove(0);
        server.add_user(("mary", "a fine long password"), false).await;
        let mary = Browser::of(server);
        mary.submit(&mary.get("/login").await, &[("username", "mary"), ("password", "a fine long password")]).await;

        send(&mary, "/account/browser-sessions/end", &[("browser_session", &browser_session)]).await;

        assert!(is_signed_in(&ada).await && is_signed_in(&additional).await);
    })
    .await;
}

#[actix_web::test]
async fn a_form_without_the_token_of_its_browser_changes_nothing() {
    on_each_backend(async |server| {
        let (here, there) = (signed_in(server).await, signed_in(server).await);
        let browser_session = browser_sessions_to_end(&here.get("/account").await).remove(0);
        let password = [
            ("current_password", USER.1),
            ("new_password", "quite another one"),
            ("new_password_again", "quite another one"),
        ];

        for csrf in ["", "nonsense", &hidden(&there.get("/account").await, "csrf")] {
            let with = |fields: &[(&'static str, &str)]| -> Vec<(String, String)> {
                let own = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                own.chain([("csrf".to_owned(), csrf.to_owned())]).collect()
            };
            for (action, fields) in [
                ("/account/browser-sessions/end", with(&[("browser_session", &browser_session)])),
                ("/account/browser-sessions/end-others", with(&[])),
                ("/account/applications/withdraw", with(&[("client", "app")])),
                ("/account/password", with(&password)),
            ] {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                let answer = here.post(action, &fields).await;
                assert_page(&answer, 403);
                assert!(has(&answer, "stopped"), "{action}: {}", answer.text);
            }
        }
        assert!(is_signed_in(&there).await);
        assert_eq!(server.obtain(USER).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn withdrawing_an_application_ends_its_tokens_and_it_has_to_ask_again() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(stranger("app")).await;
        let secret = secret.unwrap();
        let browser = signed_in(server).await;
        let back = browser.submit(&first_page(&browser, "app", &[]).await, &[("answer", "accept")]).await;
        let tokens = exchange(server, &client, &secret, &parameters(&back)["code"]).await;
        assert!(browser.get("/account").await.text.contains("value=\"app\""));

        let answer = send(&browser, "/account/applications/withdraw", &[("client", "app")]).await;

        assert_eq!(location(&answer).as_deref(), Some("/account?done=withdrawn"));
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.body["refresh_token"].as_str().unwrap())];
        let refreshed = server.post_as("app", &secret, "/oauth2/token", &form).await;
        assert_eq!(refreshed.body["error"], json!("invalid_grant"));
        assert!(!browser.get("/account").await.text.contains("value=\"app\""));
        assert!(has(&first_page(&browser, "app", &[]).await, "consent-accept"));
    })
    .await;
}

#[actix_web::test]
async fn a_new_password_needs_the_current_one_and_signs_out_everywhere_else() {
    on_each_backend(async |server| {
        let (here, there) = (signed_in(server).await, signed_in(server).await);
        let change = async |current: &str, new: &str, again: &str| {
            let fields = [("current_password", current), ("new_password", new), ("new_password_again", again)];
            send(&here, "/account/password", &fields).await
        };

        for (answer, status, says) in [
            (change("wrong", "quite another one", "quite another one").await, 403, "The current password is not right"),
            (change(USER.1, "quite another one", "quite an other one").await, 400, "not the same both times"),
            (change(USER.1, "short", "short").await, 400, "at least 8 characters"),
            (change(USER.1, "password1", "password1").await, 400, "most common"),
            (change(USER.1, "", "").await, 400, "Fill in all three fields"),
        ] {
            assert_page(&answer, status);
            assert!(has(&answer, "problem") && answer.text.contains(says), "{says}: {}", answer.text);
        }
        assert!(is_signed_in(&there).await);

        let changed = change(USER.1, "quite another one", "quite another one").await;

        assert_eq!((changed.status, location(&changed).as_deref()), (303, Some("/account?done=password")));
        assert!(is_signed_in(&here).await && !is_signed_in(&there).await);
        assert_eq!(server.obtain(USER).await.status, 401);
        assert_eq!(server.obtain((USER.0, "quite another one")).await.status, 200);
    })
    .await;
}
