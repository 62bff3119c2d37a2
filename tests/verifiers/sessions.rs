//! A session that has ended is over at services too, whatever becomes of the stores and the instances.

use redis::cmd;

use crate::deployment::Deployment;
use crate::monitor::Monitor;
use crate::server::{Backend, backends};
use crate::support::private_redis::PrivateRedis;
use crate::support::{only_sqlite, redis as shared};

#[actix_web::test]
async fn a_session_that_is_ended_is_refused_by_services_and_honest_tokens_are_accepted() {
    for backend in backends() {
        let deployment = Deployment::open(backend, None).await;
        let services = deployment.services().await;
        let monitor = Monitor::at(&deployment, &services).await;

        for _ in 0..2 {
            monitor.see_the_end_of(&deployment, &deployment.sign_in().await).await;
        }

        monitor.assert_all().await;
        deployment.close().await;
    }
}

#[actix_web::test]
async fn a_redis_that_is_emptied_brings_no_revoked_token_back_and_no_honest_one_down() {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&[]) else { return };
    let deployment = Deployment::open(Backend::Servers, Some(redis.url())).await;
    let services = deployment.services().await;
    let monitor = Monitor::at(&deployment, &services).await;
    let mut raw = shared::raw(&redis.url()).await;

    for _ in 0..2 {
        monitor.see_the_end_of(&deployment, &deployment.sign_in().await).await;
        let doomed = deployment.sign_in().await;
        let (): () = cmd("FLUSHALL").query_async(&mut raw).await.unwrap();
        monitor.see_the_end_of(&deployment, &doomed).await;
    }

    monitor.assert_all().await;
    deployment.close().await;
}

#[actix_web::test]
async fn an_instance_that_is_killed_brings_no_revoked_token_back_and_no_honest_one_down() {
    if only_sqlite() {
        return;
    }
    let mut deployment = Deployment::open(Backend::Servers, None).await;
    let services = deployment.services().await;
    let monitor = Monitor::at(&deployment, &services).await;

    // One of the two is that which tells the events.
    for victim in 0..2 {
        monitor.see_the_end_of(&deployment, &deployment.sign_in().await).await;
        let doomed = deployment.sign_in().await;
        deployment.cluster.instances[victim].kill();
        monitor.see_the_end_of(&deployment, &doomed).await;
        deployment.cluster.instances[victim].launch().await;
        monitor.see_the_end_of(&deployment, &deployment.sign_in().await).await;
    }

    monitor.assert_all().await;
    deployment.close().await;
}
