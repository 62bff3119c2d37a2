//! Applications are told that a session is over (OpenID Connect Back-Channel Logout 1.0).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::audit::Actor;
use tokenhouse::clients::NewClient;
use tokenhouse::config::Config;
use tokenhouse::model::{BackchannelLogout, EndReason, SubjectType};
use tokenhouse::{browser_sessions, users};

use crate::admin::{AdminClient, assert_problem};
use crate::authorization::{application, code, exchange, request, sign_in};
use crate::browser::Browser;
use crate::logout_receiver::{LogoutReceiver, SILENCE};
use crate::support::until;
use crate::test_server::{Answer, TestServer, backends, claims, header, on_each_backend, on_each_backend_with, read};

/// A server that may call applications on this machine.
fn near(config: &mut Config) {
    config.outbound.allow = vec!["127.0.0.1".parse().unwrap()];
}

/// An application that wants to be told.
fn listener(id: &str, receiver: &LogoutReceiver) -> NewClient {
    let mut new = application(id);
    new.backchannel_logout_uri = Some(receiver.url("/out"));
    new
}

/// Adds the application and signs the person on in a browser that is signed in; returns the tokens.
async fn authorize(server: &TestServer, browser: &Browser<'_>, new: NewClient, more: &[(&str, &str)]) -> Answer {
    let (client, secret) = server.add_new_client(new).await;
    let code = code(browser, client.id.as_str(), more).await;
    let tokens = exchange(server, &client, &secret.unwrap(), &code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    tokens
}

fn id_token(tokens: &Answer) -> Value {
    claims(tokens.body["id_token"].as_str().unwrap())
}

/// What lies in the outbox, whenever it is tried.
async fn outbox(server: &TestServer) -> Vec<BackchannelLogout> {
    let some_day = server.clock.now().plus(Duration::from_hours(1000));
    server.ctx().store.database.due_backchannel_logouts(some_day, 100).await.unwrap()
}

async fn log_out(browser: &Browser<'_>) -> Answer {
    let page = browser.get("/logout").await;
    browser.submit(&page, &[("answer", "confirm")]).await
}

#[actix_web::test]
async fn an_application_is_told_of_the_sign_out_in_a_logout_token() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(200).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let tokens = authorize(server, &browser, listener("app", &receiver), &[]).await;

        log_out(&browser).await;
        let heard = receiver.next().await;

        assert!(heard.head.starts_with("POST /out HTTP/1.1\r\n"), "{}", heard.head);
        assert!(
            heard.head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"),
            "{}",
            heard.head
        );
        assert_eq!(heard.form.keys().collect::<Vec<_>>(), ["logout_token"]);
        let token = &heard.form["logout_token"];
        server.ctx().keys.verifying_keys().signed_payload(token, "logout+jwt").unwrap();
        let (says, signed_in) = (claims(token), id_token(&tokens));
        assert_eq!((&header(token)["typ"], &header(token)["alg"]), (&json!("logout+jwt"), &json!("ES256")));
        for claim in ["iss", "sub", "aud", "sid"] {
            assert_eq!(says[claim], signed_in[claim], "{claim}");
        }
        assert_eq!(says["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        assert!(says["jti"].is_string() && says.get("nonce").is_none());
        let life = says["exp"].as_i64().unwrap() - says["iat"].as_i64().unwrap();
        assert!((1..=120).contains(&life), "{life}");
        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
        assert_eq!(receiver.connections(), 1);
    })
    .await;
}

#[actix_web::test]
async fn every_application_of_the_browser_session_is_told_also_those_whose_sessions_outlive_it() {
    on_each_backend_with(near, async |server| {
        let (one, two) = (LogoutReceiver::answering(200).await, LogoutReceiver::answering(200).await);
        let elsewhere = LogoutReceiver::answering(200).await;
        let (browser, other) = (Browser::of(server), Browser::of(server));
        sign_in(server, &browser).await;
        sign_in(server, &other).await;
        let mut new = listener("one", &one);
        new.sign_on.subject_type = SubjectType::Pairwise;
        let first = authorize(server, &browser, new, &[]).await;
        let second = authorize(server, &browser, listener("two", &two), &[("scope", "openid offline_access")]).await;
        authorize(server, &browser, application("deaf"), &[]).await;
        authorize(server, &other, listener("elsewhere", &elsewhere), &[]).await;

        log_out(&browser).await;

        for (receiver, tokens) in [(&one, &first), (&two, &second)] {
            let says = claims(&receiver.next().await.form["logout_token"]);
            assert_eq!((&says["sid"], &says["sub"]), (&id_token(tokens)["sid"], &id_token(tokens)["sub"]));
        }
        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
        assert_eq!((one.connections(), two.connections(), elsewhere.connections()), (1, 1, 0));
        let introspect = async |tokens: &Answer| {
            let token = tokens.body["access_token"].as_str().unwrap();
            read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(token)).await.status
        };
        assert_eq!((introspect(&first).await, introspect(&second).await), (401, 200));
    })
    .await;
}

#[actix_web::test]
async fn an_application_that_fails_is_told_again_later_and_later_with_a_new_token() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(503).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, listener("app", &receiver), &[]).await;

        log_out(&browser).await;
        let first = receiver.next().await;
        let tried = outbox(server).await;
        receiver.answer(400);
        server.clock.advance(Duration::from_secs(11));
        let second = receiver.next().await;
        let again = outbox(server).await;
        receiver.answer(204);
        server.clock.advance(Duration::from_secs(21));
        let third = receiver.next().await;

        let waits = |notices: &[BackchannelLogout]| (notices.len(), notices[0].tries);
        assert_eq!((waits(&tried), waits(&again)), ((1, 1), (1, 2)));
        let of = |heard: &crate::logout_receiver::Heard| claims(&heard.form["logout_token"]);
        assert_eq!(of(&first)["sid"], of(&third)["sid"]);
        assert_ne!(of(&first)["jti"], of(&second)["jti"]);
        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
        assert_eq!(receiver.connections(), 3);
    })
    .await;
}

#[actix_web::test]
async fn a_queued_back_channel_logout_survives_a_restart() {
    for backend in backends() {
        let server = TestServer::open(backend, &near).await;
        let receiver = LogoutReceiver::answering(500).await;
        let before = {
            let browser = Browser::of(&server);
            sign_in(&server, &browser).await;
            let tokens = authorize(&server, &browser, listener("app", &receiver), &[]).await;
            log_out(&browser).await;
            receiver.next().await;
            id_token(&tokens)
        };
        let server = server.restart().await;
        receiver.answer(200);
        server.clock.advance(Duration::from_secs(11));

        let says = claims(&receiver.next().await.form["logout_token"]);

        assert_eq!((&says["sid"], &says["sub"]), (&before["sid"], &before["sub"]));
        until("the outbox is empty", async || outbox(&server).await.is_empty()).await;
        server.close().await;
    }
}

#[actix_web::test]
async fn an_application_that_never_answers_is_given_up_after_a_day() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(500).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, listener("app", &receiver), &[]).await;
        log_out(&browser).await;
        receiver.next().await;

        server.later(Duration::from_hours(24)).await;

        until("it is given up", async || outbox(server).await.is_empty()).await;
        assert_eq!(receiver.connections(), 1);
    })
    .await;
}

#[actix_web::test]
async fn of_several_instances_one_tells_the_application() {
    on_each_backend_with(near, async |server| {
        let second = server.second_instance(server.clock.clone()).await;
        let third = server.second_instance(server.clock.clone()).await;
        let receiver = LogoutReceiver::answering(200).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        for number in 0..10 {
            authorize(server, &browser, listener(&format!("app{number}"), &receiver), &[]).await;
        }

        log_out(&browser).await;

        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
        assert_eq!(receiver.connections(), 10);
        second.stop().await;
        third.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn an_application_that_does_not_answer_holds_up_neither_the_others_nor_the_person() {
    on_each_backend_with(near, async |server| {
        let (deaf, quick) = (LogoutReceiver::answering(SILENCE).await, LogoutReceiver::answering(200).await);
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        for number in 0..3 {
            authorize(server, &browser, listener(&format!("deaf{number}"), &deaf), &[]).await;
        }
        authorize(server, &browser, listener("quick", &quick), &[]).await;

        let answer = log_out(&browser).await;
        quick.next().await;

        assert_eq!(answer.status, 200);
        until("only the deaf are left", async || outbox(server).await.len() == 3).await;
    })
    .await;
}

#[actix_web::test]
async fn an_address_behind_our_own_wall_is_not_called_unless_it_is_allowed() {
    on_each_backend(async |server| {
        let receiver = LogoutReceiver::answering(200).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, listener("app", &receiver), &[]).await;
        let mut new = application("by-name");
        new.backchannel_logout_uri = Some(format!("http://localhost:{}/out", receiver.address.port()));
        authorize(server, &browser, new, &[]).await;

        log_out(&browser).await;

        until("both were tried", async || outbox(server).await.iter().all(|notice| notice.tries == 1)).await;
        assert_eq!(outbox(server).await.len(), 2);
        assert_eq!(receiver.connections(), 0);
    })
    .await;
}

#[actix_web::test]
async fn a_redirect_is_not_followed_and_counts_as_no_answer() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(307).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, listener("app", &receiver), &[]).await;

        log_out(&browser).await;
        receiver.next().await;

        until("it was tried", async || outbox(server).await.iter().all(|notice| notice.tries == 1)).await;
        assert_eq!((outbox(server).await.len(), receiver.connections()), (1, 1));
    })
    .await;
}

#[actix_web::test]
async fn an_end_that_the_application_brought_about_is_no_news_to_it() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(200).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let (client, secret) = server.add_new_client(listener("app", &receiver)).await;
        let secret = secret.unwrap();
        let once = code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, &secret, &once).await;
        let twice = code(&browser, "app", &[]).await;
        exchange(server, &client, &secret, &twice).await;

        let token = tokens.body["refresh_token"].as_str().unwrap();
        assert_eq!(server.post_as("app", &secret, "/oauth2/revoke", &[("token", token)]).await.status, 200);
        assert_eq!(exchange(server, &client, &secret, &twice).await.status, 400);

        assert!(outbox(server).await.is_empty());
        assert_eq!(receiver.connections(), 0);
    })
    .await;
}

#[actix_web::test]
async fn every_end_of_a_session_is_told_to_its_application_and_counted_in_the_receipt() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(200).await;
        let admin_api = AdminClient::of(server).await;
        let (client, secret) = server.add_new_client(listener("app", &receiver)).await;
        let secret = secret.unwrap();
        let user = server.user().await;
        let begin_session = async |scope: &str| {
            server.clock.advance(Duration::from_secs(1));
            let browser = Browser::of(server);
            sign_in(server, &browser).await;
            let code = code(&browser, "app", &[("scope", scope)]).await;
            let tokens = exchange(server, &client, &secret, &code).await;
            assert_eq!(tokens.status, 200, "{}", tokens.text);
            id_token(&tokens)["sid"].as_str().unwrap().to_owned()
        };
        let told = async || claims(&receiver.next().await.form["logout_token"])["sid"].as_str().unwrap().to_owned();

        let sid = begin_session("openid").await;
        assert_eq!(admin_api.delete(&format!("/admin/v1/sessions/{sid}")).await.status, 200);
        assert_eq!(told().await, sid, "one session, by an administrator");

        let sid = begin_session("openid").await;
        let receipt = admin_api.post("/admin/v1/revocations", &json!({ "user": user.id })).await;
        assert_eq!((&receipt.body["sessions_ended"], &receipt.body["backchannel_logouts"]), (&json!(1), &json!(1)));
        assert_eq!(told().await, sid, "all of a user");

        for scope in ["openid", "openid offline_access"] {
            let sid = begin_session(scope).await;
            let browser_session =
                admin_api.get(&format!("/admin/v1/browser-sessions?user={}", user.id)).await.body["items"][0]["id"]
                    .clone();
            let receipt =
                admin_api.delete(&format!("/admin/v1/browser-sessions/{}", browser_session.as_str().unwrap())).await;
            assert_eq!(receipt.body["backchannel_logouts"], 1, "{scope}: {}", receipt.text);
            assert_eq!(told().await, sid, "a browser session, {scope}");
        }

        let sid = begin_session("openid").await;
        let all = browser_sessions::end_others(
            server.ctx(),
            user.id,
            tokenhouse::model::BrowserSessionId(server.ctx().random.uuid()),
        )
        .await;
        assert_eq!((all.unwrap(), told().await), (1, sid), "all others, from the account page");

        let (sid, offline) = (begin_session("openid").await, begin_session("openid offline_access").await);
        users::disable(server.ctx(), user.id, Actor::System).await.unwrap();
        let mut heard = [told().await, told().await, told().await];
        heard.sort_unstable();
        assert!(heard.contains(&sid) && heard.contains(&offline), "a user who is disabled: {heard:?}");
        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
    })
    .await;
}

#[actix_web::test]
async fn an_application_that_is_gone_is_told_nothing() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(503).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, listener("app", &receiver), &[]).await;
        log_out(&browser).await;
        receiver.next().await;
        let admin_api = AdminClient::of(server).await;

        assert_eq!(admin_api.delete("/admin/v1/clients/app").await.status, 200);
        server.clock.advance(Duration::from_secs(11));

        until("the outbox is empty", async || outbox(server).await.is_empty()).await;
        assert_eq!(receiver.connections(), 1);
    })
    .await;
}

#[actix_web::test]
async fn a_logout_token_is_good_for_nothing_here() {
    on_each_backend_with(near, async |server| {
        let receiver = LogoutReceiver::answering(200).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let (client, secret) = server.add_new_client(listener("app", &receiver)).await;
        let secret = secret.unwrap();
        let code = code(&browser, "app", &[]).await;
        exchange(server, &client, &secret, &code).await;
        log_out(&browser).await;
        let token = receiver.next().await.form["logout_token"].clone();
        sign_in(server, &browser).await;

        let userinfo = read(server.request(Method::GET, "/oauth2/userinfo").bearer_auth(&token)).await;
        let introspected = server.post_as("app", &secret, "/oauth2/introspect", &[("token", &token)]).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
        let refreshed = server.post_as("app", &secret, "/oauth2/token", &form).await;
        let hinted = browser.get(&request("app", &[("id_token_hint", &token)])).await;
        let signed_out = browser.get(&format!("/oauth2/logout?id_token_hint={token}")).await;

        assert_eq!(userinfo.status, 401);
        assert_eq!(introspected.body, json!({ "active": false }));
        assert_eq!(refreshed.body["error"], "invalid_grant");
        assert_eq!(crate::browser::parameters(&hinted)["error"], "invalid_request");
        assert!(signed_out.text.contains("id=\"logout-confirm\""), "{}", signed_out.text);
        assert_problem(&server.admin(&token, Method::GET, "/admin/v1/sessions", None).await, 401);
    })
    .await;
}

#[actix_web::test]
async fn the_browser_sessions_of_a_user_are_listed_and_one_is_ended() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (one, two) = (Browser::of(server), Browser::of(server));
        sign_in(server, &one).await;
        sign_in(server, &two).await;
        authorize(server, &one, application("app"), &[]).await;
        let path = format!("/admin/v1/browser-sessions?user={}", server.user().await.id);

        let list = admin_api.get(&path).await;
        let sessions = admin_api.get("/admin/v1/sessions?client=app").await;
        let first = sessions.body["items"][0]["browser_session_id"].as_str().unwrap().to_owned();
        let receipt = admin_api.delete(&format!("/admin/v1/browser-sessions/{first}")).await;

        assert_eq!(list.body["items"].as_array().unwrap().len(), 2, "{}", list.text);
        assert!(list.body["items"][0]["user_agent"].is_object() && !list.text.contains("cookie"), "{}", list.text);
        assert_eq!((receipt.status, &receipt.body["sessions_ended"]), (200, &json!(1)), "{}", receipt.text);
        assert_eq!(admin_api.get(&path).await.body["items"].as_array().unwrap().len(), 1);
        let silent = async |browser: &Browser<'_>| {
            crate::browser::parameters(&browser.get(&request("app", &[("prompt", "none")])).await)
        };
        assert_eq!(silent(&one).await["error"], "login_required");
        assert!(silent(&two).await.contains_key("code"));
        assert_problem(&admin_api.delete("/admin/v1/browser-sessions/nobody").await, 404);
        assert_problem(&admin_api.get("/admin/v1/browser-sessions").await, 400);
        let listed = admin_api.get("/admin/v1/sessions?client=app").await;
        assert_eq!(listed.body["items"][0]["ended"]["reason"], "admin");
    })
    .await;
}

#[actix_web::test]
async fn ending_all_sessions_of_a_user_signs_every_browser_out() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        authorize(server, &browser, application("app"), &[("scope", "openid offline_access")]).await;
        let user = server.user().await.id;
        server.clock.advance(Duration::from_secs(1));

        let receipt = admin_api.post("/admin/v1/revocations", &json!({ "user": user })).await;

        assert_eq!((&receipt.body["sessions_ended"], &receipt.body["backchannel_logouts"]), (&json!(1), &json!(0)));
        let silent = browser.get(&request("app", &[("prompt", "none")])).await;
        assert_eq!(crate::browser::parameters(&silent)["error"], "login_required");
        let list = admin_api.get(&format!("/admin/v1/browser-sessions?user={user}")).await;
        assert_eq!(list.body["items"], json!([]));
    })
    .await;
}

#[test]
fn what_an_application_did_itself_is_no_news() {
    let quiet: Vec<EndReason> = EndReason::ALL.into_iter().filter(|reason| !reason.is_notified()).collect();
    assert_eq!(quiet, [EndReason::Revoked, EndReason::ClientRemoved, EndReason::CodeReused]);
}
