//! Refresh tokens when the ephemeral store forgets, falls back or is asked alone.

use reqwest::Method;
use tokenhouse::audit::Actor;
use tokenhouse::model::{EndReason, RotationState, UserState};
use tokenhouse::protocol::GrantType;
use tokenhouse::sessions;

use crate::quiet_instance::QuietInstance;
use crate::test_server::{Backend, all_at_once, claims, on_each_backend, pair, read};

#[actix_web::test]
async fn a_lost_record_signs_no_user_out() {
    on_each_backend(async |server| {
        let fresh = server.pair().await;
        let rotated = pair(&server.refresh(&server.pair().await.refresh).await);
        let at_once = pair(&server.refresh(&server.pair().await.refresh).await);
        for token in [&fresh.refresh, &rotated.refresh, &at_once.refresh] {
            server.lose_record(server.session_of(token)).await;
        }

        assert_eq!(server.verify(&rotated.access).await.status, 200, "access tokens do not depend on it");
        assert_eq!(server.verify(&rotated.refresh).await.status, 200);
        for token in [&fresh.refresh, &rotated.refresh] {
            let next = pair(&server.refresh(token).await);
            assert_eq!(claims(&next.refresh)["gen"].as_i64(), claims(token)["gen"].as_i64().map(|number| number + 1));
            assert_eq!(claims(&next.access)["roles"], claims(&fresh.access)["roles"], "what it says is the same");
            assert_eq!(pair(&server.refresh(&next.refresh).await).refresh.matches('.').count(), 2);
        }
        let request = server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &at_once.refresh)]);
        let answers: Vec<_> = all_at_once(20, &request).await.iter().map(pair).collect();
        assert!(answers.iter().all(|pair| pair.refresh == answers[0].refresh), "rebuilt once");
        assert_eq!(server.count_events("refresh_reused").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_record_that_fell_back_rolls_forward_and_is_reported() {
    on_each_backend(async |server| {
        let first = server.pair().await;
        let session = server.session_of(&first.refresh);
        let previous = server.record(session).await;
        let second = pair(&server.refresh(&first.refresh).await);
        let third = pair(&server.refresh(&second.refresh).await);
        server.roll_back(session, &previous).await;

        let request = server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &third.refresh)]);
        let answers: Vec<_> = all_at_once(10, &request).await.iter().map(pair).collect();

        assert!(answers.iter().all(|pair| pair.refresh == answers[0].refresh));
        assert_eq!(claims(&answers[0].refresh)["gen"], 3);
        assert_eq!(server.count_events("refresh_rolled_forward").await, 1);
        assert_eq!(server.count_events("refresh_reused").await, 0);
        assert_eq!(server.refresh(&answers[0].refresh).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn an_ended_session_is_never_rebuilt() {
    on_each_backend(async |server| {
        let (ended, disabled) = (server.pair().await, server.pair().await);
        let session = server.session_of(&ended.refresh);
        sessions::end_one(server.ctx(), session, EndReason::Admin, Actor::System).await.unwrap();
        server.lose_record(session).await;
        // As when an instance dies after the first of its writes.
        let ctx = server.ctx();
        let user = server.user().await.id;
        let entry = ctx.audit(Actor::System, tokenhouse::audit::AuditEvent::UserDisabled { user });
        ctx.store.database.set_user_state(user, UserState::Disabled, ctx.now(), &entry).await.unwrap();
        server.lose_record(server.session_of(&disabled.refresh)).await;
        let forgetful = QuietInstance::open(server).await;

        for token in [&ended.refresh, &disabled.refresh] {
            for address in [server.running.address, forgetful.address] {
                assert_eq!(server.post_to(address, "/api/token/refresh/", &[("refresh", token)]).await.status, 401);
                assert_eq!(server.post_to(address, "/api/token/verify/", &[("token", token)]).await.status, 401);
            }
            let known = ctx.store.ephemeral.load(server.session_of(token)).await.unwrap().0;
            assert!(!matches!(known, RotationState::Live(_)), "{known:?}");
        }
        for access in [&ended.access, &disabled.access] {
            let verify = server.post_to(forgetful.address, "/api/token/verify/", &[("token", access)]).await;
            assert_eq!(verify.status, 401);
        }
        forgetful.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn no_successor_outlives_the_end_of_its_session() {
    on_each_backend(async |server| {
        let other = QuietInstance::open(server).await;
        for _ in 0..5 {
            let first = server.pair().await;
            let refresh = server.request_to(other.address, Method::POST, "/api/token/refresh/");
            let form = [("refresh", first.refresh.as_str())];
            let refresh = refresh.form(&form);
            let end = server.post("/api/token/blacklist/", &form);

            let (answers, ended) = tokio::join!(all_at_once(10, &refresh), end);

            assert_eq!(ended.status, 200);
            let successors = answers.iter().filter(|answer| answer.status == 200).map(|answer| pair(answer).refresh);
            for token in successors.chain([first.refresh.clone()]) {
                for address in [server.running.address, other.address] {
                    let late = server.post_to(address, "/api/token/refresh/", &[("refresh", &token)]).await;
                    assert_eq!(late.status, 401, "{}", late.text);
                }
            }
        }
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_refresh_runs_no_sql_where_there_is_redis() {
    on_each_backend(async |server| {
        if server.backend == Backend::Embedded {
            return;
        }
        let (client, secret) = server.add_client("app", &[GrantType::RefreshToken], "read write").await;
        let (_, mut oauth) = server.begin_session(&client, "read write").await;
        let mut simplejwt = server.pair().await.refresh;
        let instance = QuietInstance::open(server).await;
        let mut refresh_both = async || {
            let form = [("refresh", simplejwt.as_str())];
            simplejwt = pair(&server.post_to(instance.address, "/api/token/refresh/", &form).await).refresh;
            let form = [("grant_type", "refresh_token"), ("refresh_token", oauth.as_str()), ("scope", "read")];
            let request = server.request_to(instance.address, Method::POST, "/oauth2/token");
            let answer = read(request.basic_auth("app", Some(&secret)).form(&form)).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            oauth = answer.body["refresh_token"].as_str().unwrap().to_owned();
        };
        // The first refresh reads the clients.
        refresh_both().await;
        let before = instance.ctx.store.database.statements();

        for _ in 0..50 {
            refresh_both().await;
        }

        assert_eq!(instance.ctx.store.database.statements() - before, 0);
        instance.stop().await;
    })
    .await;
}
