//! What a user may do changes: in every session and on every instance, whatever happens meanwhile.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::app::jobs::refresh_claims;
use tokenhouse::audit::Actor;
use tokenhouse::model::{Acr, SessionId, UserAgent};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::sessions::{self, NewSession, Proof, SettleOutcome};
use tokenhouse::users::{self, UserChange};

use super::{AdminClient, assert_problem, begin, user_path};
use crate::support::private_redis::PrivateRedis;
use crate::test_server::{ADMIN, Backend, Pair, TestServer, claims, on_each_backend, pair};

const PASSWORD: &str = "a long enough one";

#[actix_web::test]
async fn other_roles_and_groups_are_in_the_next_tokens_of_every_live_session() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (shop, secret) = server.add_client("shop", &[GrantType::RefreshToken], "read roles groups").await;
        let (one, two) = (server.pair().await, server.pair().await);
        let spent = pair(&server.refresh(&two.refresh).await);
        let shops = begin(server, &server.user().await, &shop, "read roles groups", &[&server.config.issuer]).await;

        let changed =
            admin_api.patch(&user_path(server).await, &json!({ "roles": ["clerk"], "groups": ["shop", "bank"] })).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_eq!((&changed.body["roles"], &changed.body["groups"]), (&json!(["clerk"]), &json!(["shop", "bank"])));
        let first = pair(&server.refresh(&one.refresh).await);
        let repeated = pair(&server.refresh(&two.refresh).await);
        assert_eq!(repeated.refresh, spent.refresh, "it is the same successor, and what it says is new");
        let form = [("grant_type", "refresh_token"), ("refresh_token", shops.refresh.as_str())];
        let there = server.post_as("shop", &secret, "/oauth2/token", &form).await;
        for access in [first.access.as_str(), repeated.access.as_str(), there.body["access_token"].as_str().unwrap()] {
            assert_rights(access, &json!(["clerk"]), &json!(["shop", "bank"]));
        }
        let none = admin_api.patch(&user_path(server).await, &json!({ "roles": [], "groups": null })).await;
        assert_eq!((&none.body["roles"], &none.body["groups"]), (&json!([]), &json!([])));
        assert_rights(&pair(&server.refresh(&first.refresh).await).access, &Value::Null, &Value::Null);
        assert_rights(&server.pair().await.access, &Value::Null, &Value::Null);
        assert_eq!(server.count_events("user_changed").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn a_record_that_was_lost_is_made_again_with_the_present_roles() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let tokens = server.pair().await;
        server.lose_record(server.session_of(&tokens.refresh)).await;

        assert_eq!(admin_api.patch(&user_path(server).await, &json!({ "roles": ["clerk"] })).await.status, 200);

        assert_rights(&pair(&server.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    })
    .await;
}

#[actix_web::test]
async fn an_ephemeral_store_that_fell_back_gets_the_present_roles() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let tokens = server.pair().await;
        let session = server.session_of(&tokens.refresh);
        let previous = server.record(session).await;
        assert_eq!(admin_api.patch(&user_path(server).await, &json!({ "roles": ["clerk"] })).await.status, 200);
        server.roll_back(session, &previous).await;

        // As after Redis has been told of recent ends again.
        server.ctx().store.memory.doubt_rights();
        refresh_claims::where_in_doubt(server.running.ctx.clone()).await.unwrap();
        wait_for_roles(server, &tokens, &json!(["clerk"])).await;

        assert_rights(&pair(&server.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    })
    .await;
}

#[actix_web::test]
async fn a_sign_in_under_way_does_not_bring_previous_rights_back() {
    on_each_backend(async |server| {
        let ctx = server.ctx();
        let client = ctx.store.client(&"simplejwt".parse().unwrap()).await.unwrap().unwrap();
        for change in [
            UserChange { roles: Some(Some(vec!["clerk".to_owned()])), ..UserChange::default() },
            UserChange { groups: Some(Some(vec!["shop".to_owned()])), ..UserChange::default() },
            UserChange { admin: Some(true), ..UserChange::default() },
            UserChange { admin: Some(false), ..UserChange::default() },
        ] {
            let user = server.user().await;
            let new = NewSession {
                id: SessionId(ctx.random.uuid_at(ctx.now())),
                status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
                user: &user,
                at: ctx.now(),
                client: &client,
                scope: Scope::default(),
                audience: Vec::new(),
                user_agent: UserAgent::default(),
                proof: Proof { at: ctx.now(), amr: Vec::new(), acr: Acr::Password },
                browser_session: None,
                claims: Vec::new(),
                confirmation: None,
            };
            let beginning = sessions::begin(ctx, new);

            users::change(ctx, user.id, change, Actor::System).await.unwrap();

            let settled = sessions::settle(ctx, &beginning).await.unwrap();
            assert_eq!(settled, SettleOutcome::Refused);
            assert_eq!(ctx.store.database.session(beginning.session.id).await.unwrap(), None);
        }
        let change: UserChange = serde_json::from_value(json!({ "profile": { "name": "Ada" } })).unwrap();
        let user = server.user().await;
        let new = NewSession {
            id: SessionId(ctx.random.uuid_at(ctx.now())),
            status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
            user: &user,
            at: ctx.now(),
            client: &client,
            scope: Scope::default(),
            audience: Vec::new(),
            user_agent: UserAgent::default(),
            proof: Proof { at: ctx.now(), amr: Vec::new(), acr: Acr::Password },
            browser_session: None,
            claims: Vec::new(),
            confirmation: None,
        };
        let beginning = sessions::begin(ctx, new);
        users::change(ctx, user.id, change, Actor::System).await.unwrap();
        assert_eq!(sessions::settle(ctx, &beginning).await.unwrap(), SettleOutcome::Begun);
    })
    .await;
}

#[actix_web::test]
async fn of_changes_and_refreshes_at_once_the_last_change_is_what_tokens_say() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let path = user_path(server).await;
        for round in 0..5 {
            let tokens = server.pair().await;
            let refresh =
                server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", tokens.refresh.as_str())]);
            let changes = async {
                let mut calls = tokio::task::JoinSet::new();
                for number in 0..6 {
                    let request = server.request(Method::PATCH, &path).bearer_auth(&admin_api.token);
                    let request = request.json(&json!({ "roles": [format!("{round}-{}", number % 3)] }));
                    calls.spawn(crate::test_server::read(request));
                }
                calls.join_all().await
            };
            let (answers, _) = tokio::join!(changes, crate::test_server::all_at_once(6, &refresh));

            assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
            let roles = server.user().await.roles;
            assert_eq!(server.record(server.session_of(&tokens.refresh)).await.grant.roles, roles);
        }
    })
    .await;
}

#[actix_web::test]
async fn who_is_no_longer_an_administrator_is_out_at_once_and_stays_signed_in_elsewhere() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let eve = server.add_user(("eve", PASSWORD), true).await;
        let over_this_server = |scope: &str| {
            let body = json!({ "username": "eve", "password": PASSWORD, "scope": scope });
            async move { pair(&server.post_json("/api/token/", &body).await) }
        };
        let (admin, auditor) =
            (over_this_server("tokenhouse:admin").await, over_this_server("tokenhouse:admin.read").await);
        let plain = pair(&server.obtain(("eve", PASSWORD)).await);
        let second = server.second_instance(server.clock.clone()).await;

        let changed = admin_api.patch(&format!("/admin/v1/users/{}", eve.id), &json!({ "admin": false })).await;

        assert_eq!((changed.status, &changed.body["admin"]), (200, &json!(false)), "{}", changed.text);
        for tokens in [&admin, &auditor] {
            assert_problem(&server.admin(&tokens.access, Method::GET, "/admin/v1/users", None).await, 401);
            for address in [server.running.address, second.address] {
                let refused = server.post_to(address, "/api/token/refresh/", &[("refresh", &tokens.refresh)]).await;
                assert_eq!(refused.status, 401, "{}", refused.text);
            }
        }
        assert_eq!(server.refresh(&plain.refresh).await.status, 200);
        let body = json!({ "username": "eve", "password": PASSWORD, "scope": "tokenhouse:admin" });
        assert_eq!(server.post_json("/api/token/", &body).await.status, 400);
        let events = server.audit_events().await;
        let event = events.iter().find(|event| event["event"] == "user_changed").unwrap();
        assert_eq!((&event["changed"], &event["admin"]), (&json!(["admin"]), &json!(false)));
        assert_eq!(server.count_events("session_ended").await, 2);
        second.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_change_while_redis_is_away_is_kept_says_so_and_is_in_force_when_it_is_back() {
    if crate::support::only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&[]) else { return };
    let url = redis.url();
    let settings = |config: &mut tokenhouse::config::Config| {
        config.redis.url = Some(tokenhouse::model::Secret::new(url.clone()));
    };
    let server = TestServer::open(Backend::Embedded, &settings).await;
    let admin_api = AdminClient::of(&server).await;
    let eve = server.add_user(("eve", PASSWORD), true).await.id;
    let body = json!({ "username": "eve", "password": PASSWORD, "scope": "tokenhouse:admin" });
    let eves = pair(&server.post_json("/api/token/", &body).await);
    let (path, tokens) = (user_path(&server).await, server.pair().await);

    redis.freeze();

    let change = json!({ "roles": ["clerk"] });
    let kept = admin_api.patch(&path, &change).await;
    assert_problem(&kept, 503);
    assert!(kept.headers.contains_key("retry-after"));
    assert!(kept.body["detail"].as_str().unwrap().contains("repeat the call to finish it"), "{}", kept.text);
    assert_eq!(server.user().await.roles, ["clerk"], "the database has it");
    let profile = admin_api.patch(&path, &json!({ "profile": { "name": "Ada" } })).await;
    assert_eq!(profile.status, 200, "sessions do not know of it: {}", profile.text);
    let admin = admin_api.patch(&format!("/admin/v1/users/{eve}"), &json!({ "admin": false })).await;
    assert_eq!((admin.status, &admin.body["admin"]), (202, &json!(false)), "{}", admin.text);
    assert_problem(&server.admin(&eves.access, Method::GET, "/admin/v1/users", None).await, 401);

    redis.thaw();

    wait_for_roles(&server, &tokens, &json!(["clerk"])).await;
    let repeated = admin_api.patch(&path, &change).await;
    assert_eq!(repeated.status, 200, "{}", repeated.text);
    assert_rights(&pair(&server.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    assert_eq!(server.refresh(&eves.refresh).await.status, 401);
    assert_eq!(server.count_events("user_changed").await, 3, "repeating changed nothing more");
    redis.kill();
    server.close().await;
}

#[actix_web::test]
async fn an_administrator_can_give_up_the_right_and_is_out() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let own = claims(&admin_api.token)["sub"].as_str().unwrap().to_owned();

        let changed = admin_api.patch(&format!("/admin/v1/users/{own}"), &json!({ "admin": false })).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_problem(&admin_api.get("/admin/v1/users").await, 401);
        assert_eq!(server.obtain(ADMIN).await.status, 200);
    })
    .await;
}

#[track_caller]
fn assert_rights(access: &str, roles: &Value, groups: &Value) {
    let claims = claims(access);
    assert_eq!((&claims["roles"], &claims["groups"]), (roles, groups));
}

/// Waits until the background work has brought the session's record up.
async fn wait_for_roles(server: &TestServer, tokens: &Pair, roles: &Value) {
    let session = server.session_of(&tokens.refresh);
    for _ in 0..200 {
        let known = server.ctx().store.ephemeral.load(session).await;
        if let Ok((tokenhouse::model::RotationState::Live(record), _)) = known
            && json!(record.grant.roles) == *roles
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session's record was not brought up");
}
