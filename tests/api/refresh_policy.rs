//! Refresh tokens at the token endpoint: what each client may set, and what it may ask for.

use std::time::Duration;

use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::clients::{self, ClientChange};
use tokenhouse::model::{Client, Generation, RefreshPolicy, RepeatedRefresh};
use tokenhouse::protocol::GrantType;

use crate::test_server::{Answer, TestServer, all_at_once, claims, on_each_backend};

/// A confidential client that refreshes.
struct App {
    client: Client,
    secret: String,
}

#[actix_web::test]
async fn the_token_endpoint_answers_a_refresh_as_rfc_6749_says() {
    on_each_backend(async |server| {
        let app = App::open(server, "app", RefreshPolicy::default()).await;
        let (session, token) = server.begin_session(&app.client, "read write").await;

        let answer = app.refresh(server, &token, None).await;

        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!(answer.body["scope"], "read write");
        assert_eq!(server.record(session).await.current, Generation { number: 1, branch: 0 });
        let access = claims(answer.body["access_token"].as_str().unwrap());
        assert_eq!((&access["client_id"], &access["sid"]), (&json!("app"), &json!(session)));
        assert!(
            access["token_type"].is_null() && access["user_id"].is_null(),
            "those belong to the SimpleJWT-compatible API"
        );
    })
    .await;
}

#[actix_web::test]
async fn a_strict_client_s_token_works_once() {
    on_each_backend(async |server| {
        let strict = RefreshPolicy {
            retry_window: Some(Duration::ZERO),
            lost_response_window: Some(Duration::ZERO),
            ..RefreshPolicy::default()
        };
        let app = App::open(server, "app", strict).await;
        let (_, token) = server.begin_session(&app.client, "read").await;

        let second = app.refreshed(server, &token).await;
        let third = app.refreshed(server, &second).await;
        assert_refused(&app.refresh(server, &second, None).await, "invalid_grant");
        assert_refused(&app.refresh(server, &third, None).await, "invalid_grant");
        assert_eq!(server.count_events("refresh_reused").await, 1);

        let mut winners = 0;
        for reused in 2..7 {
            let (_, contested) = server.begin_session(&app.client, "read").await;
            let request = app.request(server, &contested, None);
            let answers = all_at_once(20, &request).await;
            winners = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(server.count_events("refresh_reused").await, reused);
            // Where the machine stands still so long that the session ends before the winner is answered, it loses too.
            if winners != 0 {
                break;
            }
        }
        assert_eq!(winners, 1, "one of twenty wins");
    })
    .await;
}

#[actix_web::test]
async fn an_answer_is_lost_for_as_long_as_the_client_says() {
    on_each_backend(async |server| {
        let an_hour = RefreshPolicy { lost_response_window: Some(Duration::from_hours(1)), ..RefreshPolicy::default() };
        let app = App::open(server, "app", an_hour).await;
        let (session, token) = server.begin_session(&app.client, "read").await;
        app.refreshed(server, &token).await;
        server.age_record(session, Duration::from_mins(59)).await;
        app.refreshed(server, &token).await;
        server.age_record(session, Duration::from_mins(61)).await;

        assert_refused(&app.refresh(server, &token, None).await, "invalid_grant");
        assert_eq!(server.count_events("refresh_reused").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_fixed_client_keeps_its_token_to_the_end_of_the_session() {
    on_each_backend(async |server| {
        let app = App::open(server, "app", RefreshPolicy { fixed: true, ..RefreshPolicy::default() }).await;
        let (session, token) = server.begin_session(&app.client, "read").await;
        let record = server.record(session).await;

        let answers = all_at_once(20, &app.request(server, &token, None)).await;

        assert!(answers.iter().all(|answer| answer.status == 200 && answer.body["refresh_token"] == *token));
        assert_eq!(claims(&token)["exp"], record.ends_at.seconds());
        assert_eq!(server.record(session).await, record);
        server.age_record(session, Duration::from_hours(3)).await;
        assert_eq!(claims(&app.refreshed(server, &token).await)["gen"], 0);
        assert_eq!(server.count_events("refresh_reused").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_scope_may_narrow_for_the_access_token_alone() {
    on_each_backend(async |server| {
        let app = App::open(server, "app", RefreshPolicy::default()).await;
        let (session, token) = server.begin_session(&app.client, "read write").await;

        for too_much in ["read write delete", "read delete", "tokenhouse:admin", "read,write", "\"", "delete"] {
            assert_refused(&app.refresh(server, &token, Some(too_much)).await, "invalid_scope");
        }
        assert_eq!(server.record(session).await.current.number, 0, "nothing was consumed");
        let narrow = app.refresh(server, &token, Some("write")).await;
        assert_eq!(narrow.body["scope"], "write");
        assert_eq!(claims(narrow.body["access_token"].as_str().unwrap())["scope"], "write");
        let wide = app.refresh(server, narrow.body["refresh_token"].as_str().unwrap(), None).await;
        assert_eq!(wide.body["scope"], "read write");
    })
    .await;
}

#[actix_web::test]
async fn a_token_of_another_client_is_refused_and_lives_on() {
    on_each_backend(async |server| {
        let app = App::open(server, "app", RefreshPolicy::default()).await;
        let other = App::open(server, "other", RefreshPolicy::default()).await;
        let (session, token) = server.begin_session(&app.client, "read").await;
        let simplejwt = server.pair().await.refresh;
        // RFC 6749 appendix A.17, as the certification looks at it.
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)));

        for foreign in [&token, &simplejwt] {
            assert_refused(&other.refresh(server, foreign, None).await, "invalid_grant");
            assert_refused(&other.refresh(server, foreign, Some("read")).await, "invalid_grant");
        }

        assert_eq!(server.record(session).await.current.number, 0);
        assert_eq!(app.refresh(server, &token, None).await.status, 200);
        assert_eq!(server.refresh(&simplejwt).await.status, 200);
        assert_eq!(server.count_events("refresh_reused").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn the_third_generation_in_a_row_that_was_shown_twice_is_reported() {
    on_each_backend(async |server| {
        let app = App::open(server, "app", RefreshPolicy::default()).await;
        let (_, mut token) = server.begin_session(&app.client, "read").await;

        let mut reported = Vec::new();
        // Twice in a row, then a pause longer than a used token is remembered, then four times in a row.
        let pause = [false; 6];
        for shown_twice in [true, true].into_iter().chain(pause).chain([true, true, true, true]) {
            let next = app.refreshed(server, &token).await;
            if shown_twice {
                assert_eq!(app.refreshed(server, &token).await, next);
                assert_eq!(app.refreshed(server, &token).await, next);
            }
            token = next;
            reported.push(server.count_events("refresh_repeated").await);
        }

        assert_eq!(reported, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    })
    .await;
}

#[actix_web::test]
async fn a_client_may_have_it_end_the_session() {
    on_each_backend(async |server| {
        let policy = RefreshPolicy { on_repeated: RepeatedRefresh::EndSession, ..RefreshPolicy::default() };
        let app = App::open(server, "app", policy).await;
        let (session, mut token) = server.begin_session(&app.client, "read").await;
        for _ in 0..2 {
            let next = app.refreshed(server, &token).await;
            assert_eq!(app.refreshed(server, &token).await, next);
            token = next;
        }
        let last = app.refreshed(server, &token).await;

        assert_refused(&app.refresh(server, &token, None).await, "invalid_grant");

        assert_refused(&app.refresh(server, &last, None).await, "invalid_grant");
        assert_eq!(server.count_events("refresh_repeated").await, 1);
        let ended = server.ctx().store.database.session(session).await.unwrap().unwrap().ended.unwrap();
        assert_eq!(ended.reason.as_str(), "repeated");
    })
    .await;
}

impl App {
    async fn open(server: &TestServer, id: &str, policy: RefreshPolicy) -> Self {
        let (client, secret) = server.add_client(id, &[GrantType::RefreshToken], "read write").await;
        let change = ClientChange { refresh: Some(policy), ..ClientChange::default() };
        let (client, _) = clients::change(server.ctx(), &client.id, change, Actor::System).await.unwrap();
        Self { client, secret }
    }

    fn request(&self, server: &TestServer, token: &str, scope: Option<&str>) -> reqwest::RequestBuilder {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        form.extend(scope.map(|scope| ("scope", scope)));
        let request = server.request(reqwest::Method::POST, "/oauth2/token");
        request.basic_auth(self.client.id.as_str(), Some(&self.secret)).form(&form)
    }

    async fn refresh(&self, server: &TestServer, token: &str, scope: Option<&str>) -> Answer {
        crate::test_server::read(self.request(server, token, scope)).await
    }

    /// The refresh token in an answer that must be a good one.
    async fn refreshed(&self, server: &TestServer, token: &str) -> String {
        let answer = self.refresh(server, token, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["refresh_token"].as_str().unwrap().to_owned()
    }
}

fn assert_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!(error)), "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
}
