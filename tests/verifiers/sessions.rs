//! A session that has ended is over at services too, whatever becomes of the stores and the instances.

use redis::cmd;

use crate::server::{Backend, backends};
use crate::support::private_redis::PrivateRedis;
use crate::support::{only_sqlite, redis as shared};
use crate::town::Town;
use crate::witness::Witness;

#[actix_web::test]
async fn a_session_that_is_ended_is_refused_by_services_and_honest_tokens_are_accepted() {
    for backend in backends() {
        let town = Town::open(backend, None).await;
        let services = town.services().await;
        let witness = Witness::at(&town, &services).await;

        for _ in 0..2 {
            witness.see_the_end_of(&town, &town.sign_in().await).await;
        }

        witness.testify().await;
        town.close().await;
    }
}

#[actix_web::test]
async fn a_redis_that_is_emptied_brings_no_revoked_token_back_and_no_honest_one_down() {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&[]) else { return };
    let town = Town::open(Backend::Servers, Some(redis.url())).await;
    let services = town.services().await;
    let witness = Witness::at(&town, &services).await;
    let mut raw = shared::raw(&redis.url()).await;

    for _ in 0..2 {
        witness.see_the_end_of(&town, &town.sign_in().await).await;
        let doomed = town.sign_in().await;
        let (): () = cmd("FLUSHALL").query_async(&mut raw).await.unwrap();
        witness.see_the_end_of(&town, &doomed).await;
    }

    witness.testify().await;
    town.close().await;
}

#[actix_web::test]
async fn an_instance_that_is_killed_brings_no_revoked_token_back_and_no_honest_one_down() {
    if only_sqlite() {
        return;
    }
    let mut town = Town::open(Backend::Servers, None).await;
    let services = town.services().await;
    let witness = Witness::at(&town, &services).await;

    // One of the two is that which tells the events.
    for victim in 0..2 {
        witness.see_the_end_of(&town, &town.sign_in().await).await;
        let doomed = town.sign_in().await;
        town.instances[victim].kill();
        witness.see_the_end_of(&town, &doomed).await;
        town.instances[victim].launch().await;
        witness.see_the_end_of(&town, &town.sign_in().await).await;
    }

    witness.testify().await;
    town.close().await;
}
