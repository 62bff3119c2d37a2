//! Refresh tokens when the ephemeral store forgets, falls back or is asked alone.

use reqwest::Method;
use tokenhouse::audit::Actor;
use tokenhouse::model::{EndReason, RotationState, UserState};
use tokenhouse::protocol::GrantType;
use tokenhouse::sessions;

use crate::behind::QuietInstance;
use crate::house::{Backend, all_at_once, claims, on_each_backend, pair, read};

#[actix_web::test]
async fn a_lost_record_signs_nobody_out() {
    on_each_backend(async |house| {
        let fresh = house.pair().await;
        let rotated = pair(&house.refresh(&house.pair().await.refresh).await);
        let at_once = pair(&house.refresh(&house.pair().await.refresh).await);
        for token in [&fresh.refresh, &rotated.refresh, &at_once.refresh] {
            house.lose_record(house.session_of(token)).await;
        }

        assert_eq!(house.verify(&rotated.access).await.status, 200, "access tokens do not depend on it");
        assert_eq!(house.verify(&rotated.refresh).await.status, 200);
        for token in [&fresh.refresh, &rotated.refresh] {
            let next = pair(&house.refresh(token).await);
            assert_eq!(claims(&next.refresh)["gen"].as_i64(), claims(token)["gen"].as_i64().map(|number| number + 1));
            assert_eq!(claims(&next.access)["roles"], claims(&fresh.access)["roles"], "what it says is the same");
            assert_eq!(pair(&house.refresh(&next.refresh).await).refresh.matches('.').count(), 2);
        }
        let request = house.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &at_once.refresh)]);
        let answers: Vec<_> = all_at_once(20, &request).await.iter().map(pair).collect();
        assert!(answers.iter().all(|pair| pair.refresh == answers[0].refresh), "rebuilt once");
        assert_eq!(house.count_events("refresh_reused").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_record_that_fell_back_rolls_forward_and_is_reported() {
    on_each_backend(async |house| {
        let first = house.pair().await;
        let session = house.session_of(&first.refresh);
        let previous = house.record(session).await;
        let second = pair(&house.refresh(&first.refresh).await);
        let third = pair(&house.refresh(&second.refresh).await);
        house.roll_back(session, &previous).await;

        let request = house.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &third.refresh)]);
        let answers: Vec<_> = all_at_once(10, &request).await.iter().map(pair).collect();

        assert!(answers.iter().all(|pair| pair.refresh == answers[0].refresh));
        assert_eq!(claims(&answers[0].refresh)["gen"], 3);
        assert_eq!(house.count_events("refresh_rolled_forward").await, 1);
        assert_eq!(house.count_events("refresh_reused").await, 0);
        assert_eq!(house.refresh(&answers[0].refresh).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn an_ended_session_is_never_rebuilt() {
    on_each_backend(async |house| {
        let (ended, disabled) = (house.pair().await, house.pair().await);
        let session = house.session_of(&ended.refresh);
        sessions::end_one(house.ctx(), session, EndReason::Admin, Actor::System).await.unwrap();
        house.lose_record(session).await;
        // As when an instance dies after the first of its writes.
        let ctx = house.ctx();
        let user = house.user().await.id;
        let entry = ctx.audit(Actor::System, tokenhouse::audit::AuditEvent::UserDisabled { user });
        ctx.store.database.set_user_state(user, UserState::Disabled, ctx.now(), &entry).await.unwrap();
        house.lose_record(house.session_of(&disabled.refresh)).await;
        let forgetful = QuietInstance::open(house).await;

        for token in [&ended.refresh, &disabled.refresh] {
            for address in [house.running.address, forgetful.address] {
                assert_eq!(house.post_to(address, "/api/token/refresh/", &[("refresh", token)]).await.status, 401);
                assert_eq!(house.post_to(address, "/api/token/verify/", &[("token", token)]).await.status, 401);
            }
            let known = ctx.store.ephemeral.load(house.session_of(token)).await.unwrap().0;
            assert!(!matches!(known, RotationState::Live(_)), "{known:?}");
        }
        for access in [&ended.access, &disabled.access] {
            let verify = house.post_to(forgetful.address, "/api/token/verify/", &[("token", access)]).await;
            assert_eq!(verify.status, 401);
        }
        forgetful.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn no_successor_outlives_the_end_of_its_session() {
    on_each_backend(async |house| {
        let other = QuietInstance::open(house).await;
        for _ in 0..5 {
            let first = house.pair().await;
            let refresh = house.request_to(other.address, Method::POST, "/api/token/refresh/");
            let form = [("refresh", first.refresh.as_str())];
            let refresh = refresh.form(&form);
            let end = house.post("/api/token/blacklist/", &form);

            let (answers, ended) = tokio::join!(all_at_once(10, &refresh), end);

            assert_eq!(ended.status, 200);
            let successors = answers.iter().filter(|answer| answer.status == 200).map(|answer| pair(answer).refresh);
            for token in successors.chain([first.refresh.clone()]) {
                for address in [house.running.address, other.address] {
                    let late = house.post_to(address, "/api/token/refresh/", &[("refresh", &token)]).await;
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
    on_each_backend(async |house| {
        if house.backend == Backend::Embedded {
            return;
        }
        let (client, secret) = house.add_client("app", &[GrantType::RefreshToken], "read write").await;
        let (_, mut oauth) = house.begin_session(&client, "read write").await;
        let mut simplejwt = house.pair().await.refresh;
        let instance = QuietInstance::open(house).await;
        let mut refresh_both = async || {
            let form = [("refresh", simplejwt.as_str())];
            simplejwt = pair(&house.post_to(instance.address, "/api/token/refresh/", &form).await).refresh;
            let form = [("grant_type", "refresh_token"), ("refresh_token", oauth.as_str()), ("scope", "read")];
            let request = house.request_to(instance.address, Method::POST, "/oauth2/token");
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
