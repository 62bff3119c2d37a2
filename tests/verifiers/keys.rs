//! A key that is removed in an emergency.

use std::time::Duration;

use tokenhouse_verifier::{Issuer, Refusal};
use tokio::time::sleep;

use crate::deployment::{Deployment, NEVER, eventually};
use crate::process::command;
use crate::server::{backends, header};

#[actix_web::test]
async fn a_key_that_is_removed_is_refused_by_services_on_an_event_or_by_the_max_age_of_the_jwks() {
    for backend in backends() {
        let deployment = Deployment::open(backend, None).await;
        // With this cool-down a service reads the keys again on an event, or not at all.
        let by_event = deployment.listener().key_cool_down(NEVER).discover().await.unwrap();
        let by_age = deployment.service().key_cool_down(Duration::from_millis(100)).discover().await.unwrap();
        let by_neither = deployment.service().key_cool_down(NEVER).discover().await.unwrap();
        let token = deployment.sign_in().await.access;
        for service in [&by_event, &by_age, &by_neither] {
            service.verify(&token).unwrap();
        }

        let kid = header(&token)["kid"].as_str().unwrap().to_owned();
        let removed = command(&deployment.cluster.installation.config).args(["keys", "remove", &kid]).output().unwrap();
        assert!(removed.status.success(), "{removed:?}");

        let is_refused = |service: &Issuer| matches!(service.verify(&token), Err(Refusal::UnknownKey { .. }));
        eventually("both refuse it", || is_refused(&by_event) && is_refused(&by_age)).await;
        assert!(by_neither.verify(&token).is_ok(), "so it was the event, and the age");
        let mut next = deployment.sign_in().await.access;
        for _ in 0..50 {
            if header(&next)["kid"] != kid.as_str() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
            next = deployment.sign_in().await.access;
        }
        for service in [&by_event, &by_age] {
            service.verify(&next).unwrap();
        }
        deployment.close().await;
    }
}
