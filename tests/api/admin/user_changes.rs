//! Changing a user: what others may rely on afterwards, in every session and on every instance.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::app::upkeep;
use tokenhouse::audit::Actor;
use tokenhouse::model::{Device, SessionId};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::sessions::{self, NewSession, Proof, Settled};
use tokenhouse::users::{self, UserChange};

use super::{Desk, assert_problem, begin};
use crate::house::{ADMIN, Answer, Backend, House, Pair, USER, claims, on_each_backend, pair};
use crate::support::private_redis::PrivateRedis;

const PASSWORD: &str = "a long enough one";

#[actix_web::test]
async fn other_roles_and_groups_are_in_the_next_tokens_of_every_live_session() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let (shop, secret) = house.add_client("shop", &[GrantType::RefreshToken], "read").await;
        let (one, two) = (house.pair().await, house.pair().await);
        let spent = pair(&house.refresh(&two.refresh).await);
        let shops = begin(house, &house.user().await, &shop, "read", &[&house.config.issuer]).await;

        let changed = desk.patch(&path(house).await, &json!({ "roles": ["clerk"], "groups": ["shop", "bank"] })).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_eq!((&changed.body["roles"], &changed.body["groups"]), (&json!(["clerk"]), &json!(["shop", "bank"])));
        let first = pair(&house.refresh(&one.refresh).await);
        let repeated = pair(&house.refresh(&two.refresh).await);
        assert_eq!(repeated.refresh, spent.refresh, "it is the same successor, and what it says is new");
        let form = [("grant_type", "refresh_token"), ("refresh_token", shops.refresh.as_str())];
        let there = house.post_as("shop", &secret, "/oauth2/token", &form).await;
        for access in [first.access.as_str(), repeated.access.as_str(), there.body["access_token"].as_str().unwrap()] {
            assert_rights(access, &json!(["clerk"]), &json!(["shop", "bank"]));
        }
        let none = desk.patch(&path(house).await, &json!({ "roles": [], "groups": null })).await;
        assert_eq!((&none.body["roles"], &none.body["groups"]), (&json!([]), &json!([])));
        assert_rights(&pair(&house.refresh(&first.refresh).await).access, &Value::Null, &Value::Null);
        assert_rights(&house.pair().await.access, &Value::Null, &Value::Null);
        assert_eq!(house.count_events("user_changed").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn a_record_that_was_lost_is_made_again_with_the_present_roles() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let tokens = house.pair().await;
        house.lose_record(house.session_of(&tokens.refresh)).await;

        assert_eq!(desk.patch(&path(house).await, &json!({ "roles": ["clerk"] })).await.status, 200);

        assert_rights(&pair(&house.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    })
    .await;
}

#[actix_web::test]
async fn a_hot_state_that_fell_back_gets_the_present_roles() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let tokens = house.pair().await;
        let session = house.session_of(&tokens.refresh);
        let former = house.record(session).await;
        assert_eq!(desk.patch(&path(house).await, &json!({ "roles": ["clerk"] })).await.status, 200);
        house.roll_back(session, &former).await;

        // As after Redis has been told of recent ends again.
        house.ctx().store.memory.doubt_rights();
        upkeep::regrant_where_in_doubt(house.running.ctx.clone()).await.unwrap();
        wait_for_roles(house, &tokens, &json!(["clerk"])).await;

        assert_rights(&pair(&house.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    })
    .await;
}

#[actix_web::test]
async fn a_sign_in_under_way_does_not_bring_former_rights_back() {
    on_each_backend(async |house| {
        let ctx = house.ctx();
        let client = ctx.store.client(&"direct".parse().unwrap()).await.unwrap().unwrap();
        for change in [
            UserChange { roles: Some(Some(vec!["clerk".to_owned()])), ..UserChange::default() },
            UserChange { groups: Some(Some(vec!["shop".to_owned()])), ..UserChange::default() },
            UserChange { admin: Some(true), ..UserChange::default() },
            UserChange { admin: Some(false), ..UserChange::default() },
        ] {
            let user = house.user().await;
            let new = NewSession {
                id: SessionId(ctx.random.uuid_at(ctx.now())),
                user: &user,
                at: ctx.now(),
                client: &client,
                scope: Scope::default(),
                audience: Vec::new(),
                device: Device::default(),
                proof: Proof { at: ctx.now(), amr: Vec::new() },
                login: None,
                claims: Vec::new(),
            };
            let beginning = sessions::begin(ctx, new).await.unwrap();

            users::change(ctx, user.id, change, Actor::System).await.unwrap();

            let settled = sessions::settle(ctx, &beginning).await.unwrap();
            assert_eq!(settled, Settled::Refused);
            assert_eq!(ctx.store.ledger.session(beginning.session.id).await.unwrap(), None);
        }
        let change: UserChange = serde_json::from_value(json!({ "profile": { "name": "Ada" } })).unwrap();
        let user = house.user().await;
        let new = NewSession {
            id: SessionId(ctx.random.uuid_at(ctx.now())),
            user: &user,
            at: ctx.now(),
            client: &client,
            scope: Scope::default(),
            audience: Vec::new(),
            device: Device::default(),
            proof: Proof { at: ctx.now(), amr: Vec::new() },
            login: None,
            claims: Vec::new(),
        };
        let beginning = sessions::begin(ctx, new).await.unwrap();
        users::change(ctx, user.id, change, Actor::System).await.unwrap();
        assert_eq!(sessions::settle(ctx, &beginning).await.unwrap(), Settled::Begun);
    })
    .await;
}

#[actix_web::test]
async fn of_changes_and_refreshes_at_once_the_last_change_is_what_tokens_say() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let path = path(house).await;
        for round in 0..5 {
            let tokens = house.pair().await;
            let refresh =
                house.request(Method::POST, "/api/token/refresh/").form(&[("refresh", tokens.refresh.as_str())]);
            let changes = async {
                let mut calls = tokio::task::JoinSet::new();
                for number in 0..6 {
                    let request = house.request(Method::PATCH, &path).bearer_auth(&desk.token);
                    let request = request.json(&json!({ "roles": [format!("{round}-{}", number % 3)] }));
                    calls.spawn(crate::house::read(request));
                }
                calls.join_all().await
            };
            let (answers, _) = tokio::join!(changes, crate::house::all_at_once(6, &refresh));

            assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
            let roles = house.user().await.roles;
            assert_eq!(house.record(house.session_of(&tokens.refresh)).await.grant.roles, roles);
        }
    })
    .await;
}

#[actix_web::test]
async fn who_is_no_longer_an_administrator_is_out_at_once_and_stays_signed_in_elsewhere() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let eve = house.add_user(("eve", PASSWORD), true).await;
        let over_the_house = |scope: &str| {
            let body = json!({ "username": "eve", "password": PASSWORD, "scope": scope });
            async move { pair(&house.post_json("/api/token/", &body).await) }
        };
        let (admin, auditor) =
            (over_the_house("tokenhouse:admin").await, over_the_house("tokenhouse:admin.read").await);
        let plain = pair(&house.obtain(("eve", PASSWORD)).await);
        let second = house.second_instance(house.clock.clone()).await;

        let changed = desk.patch(&format!("/admin/v1/users/{}", eve.id), &json!({ "admin": false })).await;

        assert_eq!((changed.status, &changed.body["admin"]), (200, &json!(false)), "{}", changed.text);
        for tokens in [&admin, &auditor] {
            assert_problem(&house.admin(&tokens.access, Method::GET, "/admin/v1/users", None).await, 401);
            for address in [house.running.address, second.address] {
                let refused = house.post_to(address, "/api/token/refresh/", &[("refresh", &tokens.refresh)]).await;
                assert_eq!(refused.status, 401, "{}", refused.text);
            }
        }
        assert_eq!(house.refresh(&plain.refresh).await.status, 200);
        let body = json!({ "username": "eve", "password": PASSWORD, "scope": "tokenhouse:admin" });
        assert_eq!(house.post_json("/api/token/", &body).await.status, 400);
        let events = house.audit_events().await;
        let event = events.iter().find(|event| event["event"] == "user_changed").unwrap();
        assert_eq!((&event["changed"], &event["admin"]), (&json!(["admin"]), &json!(false)));
        assert_eq!(house.count_events("session_ended").await, 2);
        second.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn another_address_is_unique_signs_in_and_is_not_verified_unless_it_is_said_so() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let path = path(house).await;
        desk.post("/admin/v1/users", &json!({ "username": "bob", "email": "bob@example.org" })).await;
        let state = |answer: &Answer| (answer.body["email"].clone(), answer.body["email_verified"].clone());

        let first = desk.patch(&path, &json!({ "email": "ada@example.org", "email_verified": true })).await;
        assert_eq!(state(&first), (json!("ada@example.org"), json!(true)), "{}", first.text);
        let same = desk.patch(&path, &json!({ "email": "ada@example.org" })).await;
        assert_eq!(state(&same), state(&first));
        let other = desk.patch(&path, &json!({ "email": "ada@example.com" })).await;
        assert_eq!(state(&other), (json!("ada@example.com"), json!(false)));
        assert_eq!(house.obtain(("ADA@example.com", USER.1)).await.status, 200);
        assert_eq!(house.obtain(("ada@example.org", USER.1)).await.status, 401, "it is nobody's now");

        for taken in ["bob@example.org", "Bob@Example.org"] {
            let refused = desk.patch(&path, &json!({ "email": taken, "roles": ["thief"] })).await;
            assert_problem(&refused, 409);
        }
        assert_eq!(house.user().await.roles, ["reader"], "nothing of a refused change is kept");
        let none = desk.patch(&path, &json!({ "email": null })).await;
        assert_eq!(state(&none), (Value::Null, json!(false)));
        assert_problem(&desk.patch(&path, &json!({ "email_verified": true })).await, 400);
        assert_eq!(desk.post("/admin/v1/users", &json!({ "username": "ada@example.com" })).await.status, 201);
    })
    .await;
}

#[actix_web::test]
async fn of_many_who_change_to_one_address_at_once_one_gets_it() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..6 {
            let id = house.add_user((&format!("user{number}"), PASSWORD), false).await.id;
            let request = house.request(Method::PATCH, &format!("/admin/v1/users/{id}")).bearer_auth(&desk.token);
            calls.spawn(crate::house::read(request.json(&json!({ "email": "one@example.org" }))));
        }

        let mut statuses: Vec<u16> = calls.join_all().await.iter().map(|answer| answer.status).collect();

        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    })
    .await;
}

#[actix_web::test]
async fn of_changes_to_several_parts_at_once_none_is_lost() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let path = path(house).await;
        let parts = [
            json!({ "email": "ada@example.org" }),
            json!({ "roles": ["clerk"] }),
            json!({ "groups": ["shop"] }),
            json!({ "profile": { "name": "Ada" } }),
            json!({ "profile": { "nickname": "A" } }),
            json!({ "profile": { "address": { "locality": "London" } } }),
            json!({ "profile": { "address": { "country": "GB" } } }),
        ];
        let mut calls = tokio::task::JoinSet::new();
        for part in &parts {
            let request = house.request(Method::PATCH, &path).bearer_auth(&desk.token);
            calls.spawn(crate::house::read(request.json(part)));
        }
        for answer in calls.join_all().await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }

        let user = desk.get(&path).await.body;

        assert_eq!((&user["email"], &user["roles"]), (&json!("ada@example.org"), &json!(["clerk"])));
        assert_eq!(user["groups"], json!(["shop"]));
        assert_eq!((&user["profile"]["name"], &user["profile"]["nickname"]), (&json!("Ada"), &json!("A")));
        assert_eq!(user["profile"]["address"], json!({ "locality": "London", "country": "GB" }));
    })
    .await;
}

#[actix_web::test]
async fn a_profile_is_merged_shown_and_dated() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let new = json!({ "username": "bob", "email": "bob@example.org", "email_verified": true,
            "profile": { "name": "Bob Roe", "birthdate": "1990-02-28", "address": { "country": "GB" } } });
        let added = desk.post("/admin/v1/users", &new).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let began = house.clock.now().seconds();
        assert_eq!(added.body["email_verified"], true);
        assert!((began - 60..=began).contains(&added.body["profile"]["updated_at"].as_i64().unwrap()));
        let path = format!("/admin/v1/users/{}", added.body["id"].as_str().unwrap());
        house.clock.advance(Duration::from_secs(100));

        let patch =
            json!({ "profile": { "name": "Robert Roe", "birthdate": null, "address": { "locality": "Bath" } } });
        let request = house.request(Method::PATCH, &path).bearer_auth(&desk.token);
        let request = request.header("content-type", "application/merge-patch+json").body(patch.to_string());
        let changed = crate::house::read(request).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        let profile = &changed.body["profile"];
        assert_eq!((&profile["name"], &profile["birthdate"]), (&json!("Robert Roe"), &Value::Null));
        assert_eq!(profile["address"], json!({ "country": "GB", "locality": "Bath" }));
        assert!(profile["updated_at"].as_i64().unwrap() >= began + 100);
        assert_eq!(desk.get(&path).await.body, changed.body);
        house.clock.advance(Duration::from_secs(100));
        let roles = desk.patch(&path, &json!({ "roles": ["clerk"] })).await;
        assert_eq!(&roles.body["profile"], profile, "roles are no claims of the profile");
        let none = desk.patch(&path, &json!({ "profile": null })).await;
        assert_eq!(none.body["profile"].as_object().unwrap().keys().collect::<Vec<_>>(), ["updated_at"]);
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_changed_is_refused_and_nothing_is() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let path = path(house).await;
        let before = desk.get(&path).await.body;
        for body in [
            json!({ "username": "eve" }),
            json!({ "id": "x" }),
            json!({ "state": "disabled" }),
            json!({ "password": PASSWORD }),
            json!({ "not_before": 0 }),
            json!({ "admin": null }),
            json!({ "admin": "yes" }),
            json!({ "email_verified": null }),
            json!({ "email": "nowhere" }),
            json!({ "roles": "clerk" }),
            json!({ "roles": [""] }),
            json!({ "roles": vec!["x"; 101] }),
            json!({ "groups": ["x".repeat(201)] }),
            json!({ "profile": [] }),
            json!({ "profile": { "name": 1 } }),
            json!({ "profile": { "sub": "eve" } }),
            json!({ "profile": { "updated_at": 1 } }),
            json!({ "profile": { "picture": "javascript:alert(1)" } }),
            json!({ "profile": { "address": { "planet": "x" } } }),
            json!({ "roles": ["clerk"], "profile": { "birthdate": "yesterday" } }),
            json!([]),
            json!(["eve@example.org"]),
        ] {
            let refused = desk.patch(&path, &body).await;
            assert_problem(&refused, 400);
        }
        let said = desk.patch(&path, &json!({ "profile": { "nick": "x" } })).await;
        assert!(
            said.body["detail"].as_str().unwrap().starts_with("there is no claim \"nick\"; there are"),
            "{}",
            said.text
        );
        assert_problem(
            &desk.post("/admin/v1/users", &json!({ "username": "eve", "profile": { "sub": "x" } })).await,
            400,
        );
        assert_problem(&desk.post("/admin/v1/users", &json!({ "username": "eve", "email_verified": true })).await, 400);
        for nobody in ["00000000-0000-0000-0000-000000000000", "ada", "%00"] {
            assert_problem(&desk.patch(&format!("/admin/v1/users/{nobody}"), &json!({ "roles": [] })).await, 404);
        }
        assert_eq!(desk.get(&path).await.body, before);
        assert_eq!(house.count_events("user_changed").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn what_is_so_already_is_no_change() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let path = path(house).await;
        let first = desk.patch(&path, &json!({ "roles": ["clerk"], "profile": { "name": "Ada" } })).await;
        let head = house.ctx().store.ledger.feed_head().await.unwrap();
        house.clock.advance(Duration::from_secs(10));

        let again = desk.patch(&path, &json!({ "roles": ["clerk"], "profile": { "name": "Ada" } })).await;
        let nothing = desk.patch(&path, &json!({})).await;

        assert_eq!((&again.body, &nothing.body), (&first.body, &first.body));
        assert_eq!(house.count_events("user_changed").await, 1);
        assert_eq!(house.ctx().store.ledger.feed_head().await.unwrap(), head);
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
    let house = House::open(Backend::Embedded, &settings).await;
    let desk = Desk::of(&house).await;
    let eve = house.add_user(("eve", PASSWORD), true).await.id;
    let body = json!({ "username": "eve", "password": PASSWORD, "scope": "tokenhouse:admin" });
    let eves = pair(&house.post_json("/api/token/", &body).await);
    let (path, tokens) = (path(&house).await, house.pair().await);

    redis.freeze();

    let change = json!({ "roles": ["clerk"] });
    let kept = desk.patch(&path, &change).await;
    assert_problem(&kept, 503);
    assert!(kept.headers.contains_key("retry-after"));
    assert!(kept.body["detail"].as_str().unwrap().contains("repeat the call to finish it"), "{}", kept.text);
    assert_eq!(house.user().await.roles, ["clerk"], "the ledger has it");
    let profile = desk.patch(&path, &json!({ "profile": { "name": "Ada" } })).await;
    assert_eq!(profile.status, 200, "sessions do not know of it: {}", profile.text);
    let admin = desk.patch(&format!("/admin/v1/users/{eve}"), &json!({ "admin": false })).await;
    assert_eq!((admin.status, &admin.body["admin"]), (202, &json!(false)), "{}", admin.text);
    assert_problem(&house.admin(&eves.access, Method::GET, "/admin/v1/users", None).await, 401);

    redis.thaw();

    wait_for_roles(&house, &tokens, &json!(["clerk"])).await;
    let repeated = desk.patch(&path, &change).await;
    assert_eq!(repeated.status, 200, "{}", repeated.text);
    assert_rights(&pair(&house.refresh(&tokens.refresh).await).access, &json!(["clerk"]), &Value::Null);
    assert_eq!(house.refresh(&eves.refresh).await.status, 401);
    assert_eq!(house.count_events("user_changed").await, 3, "repeating changed nothing more");
    redis.kill();
    house.close().await;
}

/// The address of the house's user.
async fn path(house: &House) -> String {
    format!("/admin/v1/users/{}", house.user().await.id)
}

#[track_caller]
fn assert_rights(access: &str, roles: &Value, groups: &Value) {
    let claims = claims(access);
    assert_eq!((&claims["roles"], &claims["groups"]), (roles, groups));
}

/// Waits until the background work has brought the session's record up.
async fn wait_for_roles(house: &House, tokens: &Pair, roles: &Value) {
    let session = house.session_of(&tokens.refresh);
    for _ in 0..200 {
        let known = house.ctx().store.hot.load(session).await;
        if let Ok((tokenhouse::model::HotSession::Live(record), _)) = known
            && json!(record.grant.roles) == *roles
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session's record was not brought up");
}

#[actix_web::test]
async fn an_administrator_can_give_up_the_right_and_is_out() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let own = claims(&desk.token)["sub"].as_str().unwrap().to_owned();

        let changed = desk.patch(&format!("/admin/v1/users/{own}"), &json!({ "admin": false })).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_problem(&desk.get("/admin/v1/users").await, 401);
        assert_eq!(house.obtain(ADMIN).await.status, 200);
    })
    .await;
}
