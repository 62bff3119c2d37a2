//! Row 12: a session is refreshed by both instances while it is ended: by its own token, by an administrator, by a
//! change of the password, by disabling the user. Once that was acknowledged, nothing of it succeeds.

use std::time::Duration;

use tokenhouse::audit::Actor;
use tokenhouse::clock::Random;
use tokenhouse::ctx::Ctx;
use tokenhouse::error::Error;
use tokenhouse::gate::audience;
use tokenhouse::model::{Acr, ClientId, EndReason, Secret, SessionId, User, UserAgent};
use tokenhouse::protocol::Scope;
use tokenhouse::sessions::{self, Applied, NewSession, Proof};
use tokenhouse::tokens;
use tokenhouse::users;
use tokio::sync::watch;

use crate::checks::NOTHING;
use crate::clients::Instances;
use crate::history::{Answer, Call};
use crate::recorded_cluster::RecordedCluster;
use crate::server::{Backend, backends};
use crate::times;

/// How many users are in it at the same time.
const LANES: usize = 4;

#[actix_web::test]
async fn once_an_end_was_acknowledged_no_refresh_succeeds_on_any_instance() {
    for backend in backends() {
        let rounds = match backend {
            Backend::Embedded => times(100, 2_000),
            Backend::Servers => times(200, 8_000),
        };
        let cluster = RecordedCluster::open(backend, |_, _| {}).await;
        let mut lanes = Vec::new();
        for lane in 0..LANES {
            let user = cluster.server().add_user((&format!("user-{lane}"), "a fine long password"), false).await;
            lanes.push(race(&cluster, user, rounds / LANES));
        }
        futures_joined(lanes).await;
        cluster.check(NOTHING).await;
        cluster.close().await;
    }
}

/// All of them at once, on this thread.
async fn futures_joined<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn race(cluster: &RecordedCluster, user: User, rounds: usize) {
    for round in 0..rounds {
        let (session, token) = begin(cluster.ctx(), &user).await;
        let done = watch::Sender::new(false);
        let refreshing = tokio::spawn(refresh(cluster.instances.clone(), token.clone(), done.subscribe()));
        tokio::time::sleep(Duration::from_micros(u64::from(u16::from_be_bytes(Random::default().bytes())) / 8)).await;

        let ctx = if round.is_multiple_of(2) { cluster.ctx() } else { &*cluster.other().running.ctx };
        match round / 2 % 4 {
            0 => drop(cluster.instances.end(round % 2, &token).await),
            way => {
                let answer = async { acknowledged(end(ctx, &user, session, way).await) };
                cluster.instances.history.record(Call::End(session.to_string()), answer).await;
            }
        }
        done.send_replace(true);

        let last = refreshing.await.unwrap();
        for at in 0..cluster.instances.count() {
            cluster.instances.refresh(at, &last).await;
            cluster.instances.introspect(at, &last).await;
        }
        cluster.instances.refresh(round % 2, &token).await;
        users::enable(ctx, user.id, Actor::System).await.unwrap();
    }
}

async fn end(ctx: &Ctx, user: &User, session: SessionId, way: usize) -> Result<Option<Applied>, Error> {
    match way {
        1 => sessions::end_one(ctx, session, EndReason::Admin, Actor::System).await,
        2 => {
            let password = Secret::new("another fine password");
            users::change_password(ctx, user.id, &password, Actor::System).await.map(Some)
        }
        _ => users::disable(ctx, user.id, Actor::System).await.map(Some),
    }
}

fn acknowledged(applied: Result<Option<Applied>, Error>) -> Answer {
    match applied {
        Ok(Some(Applied::Everywhere)) => Answer::Good,
        Ok(Some(Applied::Pending)) => Answer::Pending,
        other => Answer::Strange(0, format!("{other:?}")),
    }
}

/// One client refreshes by both instances at once until the end was acknowledged or is seen. Its last token.
async fn refresh(instances: Instances, mut token: String, done: watch::Receiver<bool>) -> String {
    while !*done.borrow() {
        match tokio::join!(instances.refresh(0, &token), instances.refresh(1, &token)) {
            (Answer::Issued(next), _) | (_, Answer::Issued(next)) => token = next,
            _ => break,
        }
    }
    token
}

async fn begin(ctx: &Ctx, user: &User) -> (SessionId, String) {
    let client = ctx.store.client(&ClientId::SIMPLEJWT.parse().unwrap()).await.unwrap().unwrap();
    // As a sign-in reads it: the round before has raised the user's `not_before`.
    let user = ctx.store.database.user(user.id).await.unwrap().unwrap();
    let new = NewSession {
        id: SessionId(ctx.random.uuid_at(ctx.now())),
        status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
        user: &user,
        at: ctx.now(),
        client: &client,
        scope: Scope::default(),
        audience: audience::registered_or_default(ctx, &client),
        user_agent: UserAgent::default(),
        proof: Proof { at: ctx.now(), amr: vec!["pwd".to_owned()], acr: Acr::Password },
        browser_session: None,
        claims: Vec::new(),
        confirmation: None,
    };
    let beginning = sessions::begin(ctx, new);
    sessions::settle(ctx, &beginning).await.unwrap();
    (beginning.session.id, tokens::refresh_token(ctx, &beginning.live).unwrap())
}
