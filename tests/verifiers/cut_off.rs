//! A service that is cut off from the issuer.

use std::time::Duration;

use tokenhouse_verifier::remote::OnStale;
use tokenhouse_verifier::{Issuer, Refusal};
use tokio::time::sleep;

use crate::deployment::{Deployment, all, eventually};
use crate::proxy::Way;
use crate::server::backends;

/// The stated staleness.
const LIMIT: Duration = Duration::from_secs(3);

/// Signed moments are whole seconds.
const SECOND: Duration = Duration::from_secs(1);

fn answers_503(service: &Issuer, token: &str) -> bool {
    service.verify(token).is_err_and(|refusal| refusal.http_status() == 503)
}

#[actix_web::test]
async fn a_service_that_is_cut_off_accepts_no_revoked_token_beyond_the_stated_staleness_and_recovers() {
    for backend in backends() {
        let deployment = Deployment::open(backend, None).await;
        let strict = [deployment.service(), deployment.listener()].map(|service| service.max_staleness(LIMIT));
        let lenient = [deployment.service(), deployment.listener()];
        let lenient = lenient.map(|service| service.max_staleness(LIMIT).on_stale(OnStale::Accept));
        let (strict, lenient) = (all(strict).await, all(lenient).await);
        let services = || strict.iter().chain(&lenient);
        let [honest, known, doomed] =
            [deployment.sign_in().await, deployment.sign_in().await, deployment.sign_in().await];
        let is_revoked = |token: &str| services().all(|service| service.verify(token) == Err(Refusal::Revoked));
        let is_accepted = |token: &str| services().all(|service| service.verify(token).is_ok());
        eventually("all are accepted", || is_accepted(&honest.access) && is_accepted(&doomed.access)).await;
        deployment.end(&known).await;
        eventually("one is refused", || is_revoked(&known.access)).await;

        deployment.way.set(Way::Hold);
        deployment.end(&doomed).await;
        sleep(LIMIT + SECOND).await;
        for service in &strict {
            assert!(answers_503(service, &doomed.access) && answers_503(service, &honest.access));
        }
        for service in &lenient {
            assert!(service.verify(&honest.access).is_ok() && service.verify(&doomed.access).is_ok());
        }
        assert!(is_revoked(&known.access));

        deployment.way.set(Way::Pass);
        eventually("the honest one is accepted again", || is_accepted(&honest.access)).await;
        eventually("the other one is refused", || is_revoked(&doomed.access)).await;
        assert!(is_revoked(&known.access));
        deployment.close().await;
    }
}
