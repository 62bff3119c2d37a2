//! Rows 6 and 7: a database that is killed, and one that is locked.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sqlx::{AnyConnection, Connection as _};
use tokenhouse::model::{Secret, UserState};

use crate::checks::NOTHING;
use crate::history::{Answer, Call, Event};
use crate::postgres::PrivatePostgres;
use crate::recorded_cluster::RecordedCluster;
use crate::server::{Backend, backends};
use crate::settings::{impatient, pass};
use crate::support::only_sqlite;
use crate::times;

/// What any call may take: the wait for a connection (500 ms), twice the time of a statement (2 s), and slack for a
/// busy machine.
const BOUND: Duration = Duration::from_secs(12);

#[actix_web::test]
async fn with_redis_a_dead_database_stops_sign_ins_and_ends_and_nothing_else() {
    if only_sqlite() {
        return;
    }
    let Some(mut postgres) = PrivatePostgres::start().await else { return };
    let cluster = RecordedCluster::open(Backend::Servers, |config, _| {
        impatient(config);
        config.database.url = Secret::new(postgres.url());
    })
    .await;
    let tokens = cluster.instances.sessions(4).await;
    let admin = cluster.server().admin_token().await;
    let user = cluster.server().user().await.id;

    for token in &tokens {
        cluster.instances.next(token).await;
    }
    postgres.kill();
    let mark = cluster.instances.history.mark();
    let (mut spared, mut current) = (tokens[0].clone(), tokens[1].clone());
    for _ in 0..times(3, 40) {
        assert!(matches!(cluster.instances.sign_in(0).await, Answer::Away(Some(_))));
        assert!(matches!(cluster.instances.end(1, &spared).await, Answer::Away(Some(_))));
        let disable = format!("/admin/v1/users/{user}/disable");
        let revoke = json!({ "user": user });
        for (path, body) in [(disable.as_str(), None), ("/admin/v1/revocations", Some(&revoke))] {
            let answer = cluster.server().admin(&admin, Method::POST, path, body).await;
            assert_eq!(
                (answer.status, &answer.headers["retry-after"]),
                (503, &"1".parse().unwrap()),
                "{}",
                answer.text
            );
        }
        current = cluster.instances.next(&current).await;
        spared = cluster.instances.next(&spared).await;
        assert_eq!(cluster.instances.introspect(0, &current).await, Answer::Good);
        assert_eq!(cluster.server().get("/.well-known/jwks.json").await.status, 200);
    }
    let during = cluster.instances.history.since(mark);
    postgres.launch().await;

    let refreshes = during.iter().filter(|event| matches!(event.call, Call::Refresh(_)));
    assert!(refreshes.clone().count() > 0);
    assert!(refreshes.clone().all(Event::is_success), "refreshes go on");
    assert!(cluster.server().user().await.state == UserState::Active, "nothing was half done");
    cluster.instances.next(&spared).await;
    cluster.instances.sessions(1).await;
    cluster.instances.end_at_last(&tokens[2]).await;
    assert_eq!(cluster.instances.refresh(0, &tokens[2]).await, Answer::Refused);
    cluster.check(NOTHING).await;
    cluster.close().await;
}

#[actix_web::test]
async fn without_redis_a_dead_database_costs_503_and_consumes_nothing() {
    if only_sqlite() {
        return;
    }
    let Some(mut postgres) = PrivatePostgres::start().await else { return };
    let cluster = RecordedCluster::open(Backend::Servers, |config, _| {
        impatient(config);
        config.database.url = Secret::new(postgres.url());
        config.redis.url = None;
    })
    .await;
    let mut tokens = cluster.instances.sessions(4).await;
    for _ in 0..times(1, 10) {
        let mut load = crate::clients::LoadClients::at(&cluster.instances);
        load.walk(&tokens);
        pass(500).await;
        postgres.kill();
        pass(200).await;
        let mark = cluster.instances.history.mark();
        assert!(matches!(cluster.instances.sign_in(1).await, Answer::Away(Some(_))));
        assert_eq!(cluster.server().get("/.well-known/jwks.json").await.status, 200);
        pass(u64::try_from(times(1_000, 20_000)).unwrap()).await;
        let during = cluster.instances.history.since(mark);
        postgres.launch().await;
        let current = load.leave().await;

        assert!(during.iter().all(|event| matches!(event.answer, Answer::Away(Some(_)))), "{during:?}");
        assert!(!during.is_empty());
        assert_eq!(current.len(), tokens.len());
        tokens = current;
    }
    cluster.check(NOTHING).await;
    cluster.close().await;
}

#[actix_web::test]
async fn a_locked_database_costs_503_in_bounded_time_and_leaves_nothing_half_done() {
    for backend in backends() {
        let cluster = RecordedCluster::open(backend, |config, _| impatient(config)).await;
        let tokens = cluster.instances.sessions(3).await;
        let mut lock = AnyConnection::connect(cluster.server().config.database.url.expose()).await.unwrap();
        let statement = match backend {
            Backend::Embedded => "begin immediate",
            Backend::Servers => "begin; lock table users, sessions, feed_head, audit in access exclusive mode",
        };
        sqlx::raw_sql(statement).execute(&mut lock).await.unwrap();

        let mark = cluster.instances.history.mark();
        let mut load = tokio::task::JoinSet::new();
        for position in 0..times(24, 200) {
            let (instances, token) = (cluster.instances.clone(), tokens[0].clone());
            load.spawn(async move {
                if position.is_multiple_of(2) {
                    instances.sign_in(position / 2 % 2).await
                } else {
                    instances.end(position / 2 % 2, &token).await
                }
            });
        }
        let refreshed = cluster.instances.refresh(0, &tokens[1]).await;
        load.join_all().await;
        let during = cluster.instances.history.since(mark);
        sqlx::raw_sql("rollback").execute(&mut lock).await.unwrap();
        lock.close().await.unwrap();

        match backend {
            Backend::Embedded => assert!(matches!(refreshed, Answer::Away(Some(_))), "{refreshed:?}"),
            Backend::Servers => assert!(matches!(refreshed, Answer::Issued(_)), "{refreshed:?}"),
        }
        for event in during.iter().filter(|event| !matches!(event.call, Call::Refresh(_))) {
            assert!(matches!(event.answer, Answer::Away(Some(_))), "{event:?}");
            assert!(event.answered.saturating_sub(event.asked) < BOUND, "{event:?}");
        }
        for token in &tokens {
            cluster.instances.next(token).await;
        }
        cluster.check(NOTHING).await;
        cluster.close().await;
    }
}
