//! Many instances on one database, and verifiers that keep the JWKS as long as they may.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::clock::Timestamp;
use tokenhouse::keys::{Jwks, Keyring, Ripeness, RotateError};
use tokenhouse::model::{KeyState, SigningAlgorithm};

use crate::test_keyring::{LIFE, MAX_AGE, RIPE, TestKeyring, kid, sign};

const ALGORITHMS: [SigningAlgorithm; 2] = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];

/// The longest that an instance may take to learn of a change.
const LAG: std::time::Duration = std::time::Duration::from_secs(59);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_that_rotate_at_once_a_hundred_times_always_leave_one_active_key_and_verifiable_tokens() {
    Box::pin(rotate_together(TestKeyring::new().await, 100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_on_postgresql_that_rotate_at_once_always_leave_one_active_key_and_verifiable_tokens() {
    let Some(server) = TestKeyring::on_postgres().await else { return };
    Box::pin(rotate_together(server, 25)).await;
}

/// Each round both rotate at the first moment at which they may. A third instance learns of everything as late as it
/// may and goes on signing; verifiers fetch from each of the three and keep what they get as long as they may.
async fn rotate_together(server: TestKeyring, rounds: u32) {
    let (one, two, late) = (server.open().await, server.open().await, server.open().await);
    let (one, two) = (Arc::new(one), Arc::new(two));
    let mut world = World::default();
    for round in 0..rounds {
        let rotations = [&one, &two].map(|keyring| {
            let keyring = Arc::clone(keyring);
            tokio::spawn(async move {
                keyring.maintain().await.unwrap();
                keyring.rotate(Ripeness::Required, Actor::System).await
            })
        });
        for rotation in rotations {
            match rotation.await.unwrap() {
                Ok(signing) => assert_eq!(signing.len(), ALGORITHMS.len()),
                Err(RotateError::Unripe { .. }) => {}
                Err(RotateError::Failed(error)) => panic!("{error}"),
            }
        }
        only_one_active(&one, round + 1).await;
        two.reload().await.unwrap();
        one.reload().await.unwrap();
        for wait in [LAG, RIPE.checked_sub(LAG).unwrap()] {
            world.look(&server, &[&one, &two, &late]);
            server.clock.advance(wait);
            world.look(&server, &[&one, &two, &late]);
            late.reload().await.unwrap();
        }
    }
    assert!(world.checked > rounds as usize * 10);
    server.leave().await;
}

async fn only_one_active(keyring: &Keyring, round: u32) {
    let keys = keyring.list().await.unwrap();
    for algorithm in ALGORITHMS {
        let count = |state| keys.iter().filter(|key| key.algorithm == algorithm && key.state == state).count();
        assert_eq!((count(KeyState::Active), count(KeyState::Next)), (1, 1), "round {round}: {keys:?}");
    }
}

/// What was signed and what was fetched, and when.
#[derive(Default)]
struct World {
    tokens: Vec<(Timestamp, String)>,
    fetched: Vec<(Timestamp, Arc<Jwks>)>,
    checked: usize,
}

impl World {
    /// Each instance signs, verifiers fetch from each, and every verifier judges every token that is alive.
    fn look(&mut self, server: &TestKeyring, keyrings: &[&Keyring]) {
        let now = server.clock.now();
        for keyring in keyrings {
            self.tokens.extend(ALGORITHMS.map(|algorithm| (now, sign(keyring, algorithm))));
            self.fetched.push((now, keyring.jwks()));
        }
        self.tokens.retain(|(signed_at, _)| now.since(*signed_at) <= LIFE);
        self.fetched.retain(|(fetched_at, _)| now.since(*fetched_at) <= MAX_AGE);
        let kids: BTreeSet<String> = self.tokens.iter().map(|(_, token)| kid(token)).collect();
        for (fetched_at, jwks) in &self.fetched {
            let keys = tokenhouse_verifier::KeySet::from_jwks(&jwks.body).unwrap();
            for kid in &kids {
                assert!(keys.contains(kid), "{kid} is not in a JWKS of {fetched_at}, used at {now}");
                self.checked += 1;
            }
        }
        let (_, newest) = self.tokens.last().unwrap();
        assert!(self.fetched.iter().all(|(_, jwks)| crate::test_keyring::verifies(jwks, newest)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_maintain_rotate_and_remove_at_once_leave_one_active_key_of_each_algorithm() {
    disturb(TestKeyring::new().await, 30).await;
    if let Some(server) = TestKeyring::on_postgres().await {
        disturb(server, 15).await;
    }
}

async fn disturb(server: TestKeyring, rounds: u32) {
    let keyrings = [Arc::new(server.open().await), Arc::new(server.open().await)];
    for round in 0..rounds {
        let signing = keyrings[0].list().await.unwrap();
        let victim = signing.iter().find(|key| key.state == KeyState::Active).unwrap().kid.clone();
        let tasks = keyrings.iter().flat_map(|keyring| {
            let (maintaining, rotating, removing) = (Arc::clone(keyring), Arc::clone(keyring), Arc::clone(keyring));
            let victim = victim.clone();
            [
                tokio::spawn(async move { maintaining.maintain().await.unwrap() }),
                tokio::spawn(async move {
                    rotating.rotate(Ripeness::Ignored, Actor::System).await.unwrap();
                }),
                tokio::spawn(async move {
                    removing.remove(&victim, Actor::System).await.unwrap();
                }),
            ]
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        keyrings[0].maintain().await.unwrap();
        keyrings[1].reload().await.unwrap();
        assert_eq!(keyrings[0].jwks().etag, keyrings[1].jwks().etag);
        assert!(!keyrings[1].jwks().body.contains(&victim));
        let keys = keyrings[0].list().await.unwrap();
        for algorithm in ALGORITHMS {
            let count = |state| keys.iter().filter(|key| key.algorithm == algorithm && key.state == state).count();
            assert_eq!(count(KeyState::Active), 1, "round {round}");
            assert!(count(KeyState::Next) >= 1, "round {round}");
        }
        let removals = server.audit().await;
        let removed = AuditEvent::KeyRemoved { kid: victim };
        assert_eq!(removals.iter().filter(|(_, event)| *event == removed).count(), 1, "removed once");
    }
    server.leave().await;
}
