//! Signing in with a password: how often one may try, and what a password may be.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::authentication::{Attempt, password};
use tokenhouse::config::{self, Config, Network, Rate};
use tokenhouse::gate::audience;
use tokenhouse::model::{Acr, Secret, SessionId};
use tokenhouse::protocol::Scope;
use tokenhouse::sessions::{self, NewSession, Proof, SettleOutcome};
use tokenhouse::users::{self, NewUser};

use crate::test_server::{Answer, TestServer, USER, all_at_once, on_each_backend, on_each_backend_with, read};

#[actix_web::test]
async fn attempts_are_reserved_before_anything_is_hashed() {
    // The queue of hashes holds no more than the limit. Were attempts hashed first and counted afterwards, two hundred
    // at once would overflow it, and some would be answered 503.
    let slow = |config: &mut Config| {
        config.limits.by_account = Rate::of(10, config::Duration::minutes(1));
        config.passwords.queue = 10;
        config.passwords.memory_kib = 8 * 1024;
    };
    on_each_backend_with(slow, async |server| {
        let wrong = json!({ "username": USER.0, "password": "not the password" });
        let answers = all_at_once(200, &server.request(Method::POST, "/api/token/").json(&wrong)).await;

        let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((with(401), with(429)), (10, 190));
        for answer in answers.iter().filter(|answer| answer.status == 429) {
            let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.body["code"], "too_many_requests");
        }
        assert_eq!(server.count_events("sign_in_failed").await, 10);
        assert_eq!(server.obtain(USER).await.status, 429, "the right password is not looked at either");
    })
    .await;
}

#[actix_web::test]
async fn attempts_count_for_the_account_however_it_is_spelled() {
    on_each_backend_with(five_a_minute, async |server| {
        add_with_address(server, "Bob", "Bob@Example.com").await;
        for spelling in ["Bob", "bob", "BOB", "bob@example.com", "BOB@EXAMPLE.COM"] {
            assert_eq!(server.obtain((spelling, "not the password")).await.status, 401, "{spelling}");
        }

        // The right password does not help now, and the answer does not tell that both spellings name one account.
        for spelling in [" bob ", "bOB@example.com"] {
            let refused = server.obtain((spelling, "bob's long password")).await;
            assert_eq!((refused.status, &refused.body["code"]), (401, &json!("no_active_account")), "{spelling}");
        }
        assert_eq!(server.obtain(("bob", "not the password")).await.status, 401);
        assert_eq!(server.obtain(("BOB", "not the password")).await.status, 429, "the sixth of this name");
        for spelling in ["nobody", "NOBODY", " nobody", "nobody ", "NoBody"] {
            assert_eq!(server.obtain((spelling, "not the password")).await.status, 401, "{spelling}");
        }
        assert_eq!(server.obtain(("nobody", "not the password")).await.status, 429, "unknown names are counted too");
        assert_eq!(server.obtain(USER).await.status, 200, "other accounts are not concerned");
    })
    .await;
}

#[actix_web::test]
async fn a_name_or_an_address_in_any_case_signs_in_and_starts_the_count_over() {
    on_each_backend_with(five_a_minute, async |server| {
        add_with_address(server, "Bob", "Bob@Example.com").await;
        for spelling in ["bob", "BOB@example.com", "Bob@Example.com"] {
            for _ in 0..4 {
                assert_eq!(server.obtain((spelling, "not the password")).await.status, 401);
            }
            assert_eq!(server.obtain((spelling, "bob's long password")).await.status, 200, "{spelling}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_flood_from_elsewhere_does_not_lock_a_user_out_at_home() {
    let behind_a_proxy = |config: &mut Config| {
        five_a_minute(config);
        config.trusted_proxies = vec!["127.0.0.1".parse::<Network>().unwrap()];
    };
    on_each_backend_with(behind_a_proxy, async |server| {
        let home = "192.0.2.1";
        assert_eq!(obtain_from(server, home, USER).await.status, 200);

        // The proxy adds whom it speaks to at the end; what stands before it is the caller's own invention.
        let flood =
            ["198.51.100.7", "192.0.2.1, 198.51.100.7", "192.0.2.1, 127.0.0.1, 198.51.100.7", "192.0.2.1, unknown"];
        for attempt in 0..20 {
            let refused = obtain_from(server, flood[attempt % flood.len()], (USER.0, "not the password")).await;
            assert_eq!(refused.status, if attempt < 5 { 401 } else { 429 }, "{attempt}");
        }

        assert_eq!(obtain_from(server, home, USER).await.status, 200, "at home all is well");
        assert_eq!(obtain_from(server, "203.0.113.9", USER).await.status, 429, "elsewhere the count holds");
        for attempt in 0..8 {
            let refused = obtain_from(server, home, (USER.0, "not the password")).await;
            assert_eq!(refused.status, if attempt < 5 { 401 } else { 429 }, "at home there is a count as well");
        }
    })
    .await;
}

#[actix_web::test]
async fn one_address_may_try_only_so_often_whatever_the_accounts() {
    let limited = |config: &mut Config| {
        config.limits.by_address = Rate::of(4, config::Duration::minutes(1));
        config.trusted_proxies = vec!["127.0.0.1".parse::<Network>().unwrap()];
    };
    on_each_backend_with(limited, async |server| {
        // On a socket for both families an IPv4 address is shown inside an IPv6 one.
        for (attempt, address) in ["198.51.100.7", "::ffff:198.51.100.7"].into_iter().cycle().take(4).enumerate() {
            let refused = obtain_from(server, address, (&format!("user{attempt}"), "not the password")).await;
            assert_eq!(refused.status, 401);
        }

        let fifth = obtain_from(server, "198.51.100.7", ("somebody", "not the password")).await;

        assert_eq!(fifth.status, 429);
        assert!(fifth.headers.contains_key("retry-after"));
        for other in ["198.51.100.8", "::ffff:198.51.100.9"] {
            assert_eq!(obtain_from(server, other, USER).await.status, 200, "{other} is not concerned");
        }
    })
    .await;
}

#[actix_web::test]
async fn forwarded_headers_of_strangers_are_not_believed() {
    let limited = |config: &mut Config| config.limits.by_address = Rate::of(4, config::Duration::minutes(1));
    on_each_backend_with(limited, async |server| {
        for attempt in 0..4 {
            let pretended = format!("198.51.100.{attempt}");
            let refused = obtain_from(server, &pretended, (&format!("user{attempt}"), "not the password")).await;
            assert_eq!(refused.status, 401);
        }

        assert_eq!(obtain_from(server, "198.51.100.9", USER).await.status, 429, "all of them came from one address");
    })
    .await;
}

#[actix_web::test]
async fn both_limits_can_be_switched_off() {
    let off = |config: &mut Config| {
        config.limits.by_account = Rate::Off;
        config.limits.by_address = Rate::Off;
    };
    on_each_backend_with(off, async |server| {
        for _ in 0..70 {
            assert_eq!(server.obtain((USER.0, "not the password")).await.status, 401);
        }
        assert_eq!(server.obtain(USER).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn a_password_of_1024_bytes_counts_to_its_last_byte_and_a_longer_one_is_refused() {
    on_each_backend(async |server| {
        let longest = "ü".repeat(512);
        server.add_user(("long", &longest), false).await;
        let with_another_end = format!("{}y!", &longest[..1022]);
        let too_long = format!("{longest}x");

        assert_eq!(server.obtain(("long", &longest)).await.status, 200);
        assert_eq!(server.obtain(("long", &with_another_end)).await.status, 401);
        assert_eq!(server.obtain(("long", &longest[..1022])).await.status, 401);
        assert_eq!(server.obtain(("long", &too_long)).await.status, 401);
        assert_eq!(server.obtain((USER.0, &format!("{} ", USER.1))).await.status, 401, "blanks count too");
        let user = server.user().await;
        users::change_password(server.ctx(), user.id, &Secret::new(too_long), Actor::System).await.unwrap_err();
    })
    .await;
}

#[actix_web::test]
async fn a_hash_is_made_again_at_the_next_sign_in_once_the_parameters_have_changed() {
    on_each_backend(async |server| {
        let old = stored_hash(server).await;
        assert_eq!(server.obtain(USER).await.status, 200);
        assert_eq!(stored_hash(server).await, old, "nothing has changed yet");
        let mut config = server.config.clone();
        config.passwords.iterations = 2;
        let second = server.instance_with(config).await;
        let on_second = async |password: &str| {
            let url = format!("http://{}/api/token/", second.address);
            read(server.http.post(url).json(&json!({ "username": USER.0, "password": password }))).await.status
        };

        assert_eq!(on_second("not the password").await, 401);
        assert_eq!(stored_hash(server).await, old, "a wrong password changes nothing");
        assert_eq!(on_second(USER.1).await, 200);

        let new = stored_hash(server).await;
        assert!(old.contains("t=1") && new.contains("t=2"), "{old} {new}");
        assert_eq!(on_second(USER.1).await, 200);
        assert_eq!(stored_hash(server).await, new);
        second.stop().await;
    })
    .await;
}

fn five_a_minute(config: &mut Config) {
    config.limits.by_account = Rate::of(5, config::Duration::minutes(1));
}

async fn obtain_from(server: &TestServer, forwarded_for: &str, (username, password): (&str, &str)) -> Answer {
    let request = server
        .request(Method::POST, "/api/token/")
        .header("X-Forwarded-For", forwarded_for)
        .header("X_Forwarded_For", "192.0.2.200")
        .header("X-Real-IP", "192.0.2.201")
        .header("Forwarded", "for=192.0.2.202");
    read(request.json(&json!({ "username": username, "password": password }))).await
}

async fn add_with_address(server: &TestServer, username: &str, email: &str) {
    let new = NewUser {
        username: username.to_owned(),
        email: Some(email.to_owned()),
        password: Some(Secret::new("bob's long password")),
        ..NewUser::default()
    };
    users::add(server.ctx(), new, Actor::System).await.unwrap();
}

async fn stored_hash(server: &TestServer) -> String {
    server.ctx().store.database.user_to_sign_in(USER.0).await.unwrap().unwrap().1.unwrap()
}

#[actix_web::test]
async fn a_sign_in_that_began_before_a_password_was_changed_begins_no_session() {
    on_each_backend(async |server| {
        let ctx = server.ctx();
        let client = ctx.store.client(&"simplejwt".parse().unwrap()).await.unwrap().unwrap();
        let (user, at) = (server.user().await, ctx.now());
        let new = Secret::new("another fine long password");
        users::change_password(ctx, user.id, &new, Actor::System).await.unwrap();

        // By this instance's clock, and by one that is ahead.
        for at in [at, at.plus(Duration::from_mins(1))] {
            let user_agent = tokenhouse::model::UserAgent::default();
            let audience = audience::registered_or_default(ctx, &client);
            let stale = NewSession {
                id: SessionId(ctx.random.uuid_at(at)),
                status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
                user: &user,
                at,
                client: &client,
                scope: Scope::empty(),
                audience,
                user_agent,
                proof: Proof { at, amr: Vec::new(), acr: Acr::Password },
                browser_session: None,
                claims: Vec::new(),
                confirmation: None,
            };
            let beginning = sessions::begin(ctx, stale);

            let settled = sessions::settle(ctx, &beginning).await.unwrap();

            assert_eq!(settled, SettleOutcome::Refused);
        }
        assert_eq!(server.obtain((USER.0, new.expose())).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn a_password_that_an_administrator_has_set_meanwhile_is_not_changed_by_who_proved_the_previous() {
    on_each_backend(async |server| {
        let ctx = server.ctx();
        let previous = Secret::new(USER.1);
        let attempt = Attempt { identifier: USER.0, password: &previous, address: None };
        let proven = password::verify(ctx, attempt).await.unwrap().unwrap();
        let set = Secret::new("set by an administrator");
        users::change_password(ctx, proven.user().id, &set, Actor::System).await.unwrap();

        let own = Secret::new("what somebody wants");
        assert!(users::change_own_password(ctx, &proven.proven_password(), &own).await.unwrap().is_none());

        assert_eq!(server.obtain((USER.0, own.expose())).await.status, 401);
        assert_eq!(server.obtain((USER.0, set.expose())).await.status, 200);
    })
    .await;
}
