//! A monitor that asks services all the time whether honest tokens are accepted, and whether one that was refused is
//! accepted again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokenhouse_verifier::{Issuer, Refusal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::deployment::{Deployment, eventually};
use crate::server::Pair;

pub struct Monitor {
    services: Vec<Issuer>,
    refused: Arc<Mutex<Vec<String>>>,
    leave: oneshot::Sender<()>,
    watching: JoinHandle<usize>,
}

impl Monitor {
    /// Watches a few honest tokens at these services, until it is called.
    pub async fn at(deployment: &Deployment, services: &[Issuer]) -> Self {
        let mut honest = Vec::new();
        for _ in 0..3 {
            honest.push(deployment.sign_in().await.access);
        }
        let (services, refused) = (services.to_vec(), Arc::default());
        let (leave, left) = oneshot::channel();
        let watching = tokio::spawn(watch(services.clone(), honest, Arc::clone(&refused), left));
        Self { services, refused, leave, watching }
    }

    /// Ends a session. The services have accepted its token and refuse it soon; from then on it stays refused.
    pub async fn see_the_end_of(&self, deployment: &Deployment, doomed: &Pair) {
        for service in &self.services {
            service.verify(&doomed.access).unwrap();
        }
        deployment.end(doomed).await;
        let is_refused = |service: &Issuer| service.verify(&doomed.access) == Err(Refusal::Revoked);
        eventually("all services refuse it", || self.services.iter().all(is_refused)).await;
        self.refused.lock().unwrap().push(doomed.access.clone());
    }

    /// Asks what was seen: that nothing went wrong, and that it was looked at all.
    pub async fn assert_all(self) {
        self.leave.send(()).unwrap();
        assert!(self.watching.await.unwrap() > 20);
    }
}

async fn watch(
    services: Vec<Issuer>,
    honest: Vec<String>,
    refused: Arc<Mutex<Vec<String>>>,
    mut left: oneshot::Receiver<()>,
) -> usize {
    let mut looks = 0;
    while left.try_recv().is_err() {
        for (number, service) in services.iter().enumerate() {
            for token in &honest {
                let judged = service.verify(token).map(|_| ());
                assert_eq!(judged, Ok(()), "an honest token, at service {number}, look {looks}");
            }
            for token in refused.lock().unwrap().iter() {
                assert_eq!(service.verify(token), Err(Refusal::Revoked), "service {number}, look {looks}");
            }
        }
        looks += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    looks
}
