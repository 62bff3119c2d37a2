//! Keys are rotated again and again while tokens are being obtained from two instances, and a verifier that keeps the
//! JWKS for as long as it may accepts every one.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokenhouse::clock::{Clock, Timestamp};
use tokenhouse::config;
use tokenhouse::protocol::GrantType;
use tokenhouse_verifier::{KeySet, Verifier};

use crate::test_server::{header, on_each_backend_with, read};

const ROTATIONS: usize = 20;

#[actix_web::test]
async fn a_verifier_that_keeps_the_jwks_as_long_as_it_may_accepts_every_token_through_20_rotations() {
    on_each_backend_with(
        |config| config.keys.jwks_max_age = config::Duration::seconds(1),
        async |server| {
            let second = server.second_instance(server.clock.clone()).await;
            let (_, secret) = server.add_client("ops", &[GrantType::ClientCredentials], "tokenhouse:admin").await;
            let instances = [server.running.address, second.address].map(|address| format!("http://{address}"));
            let load: Vec<Load> = (0..4)
                .map(|number| Load {
                    http: server.http.clone(),
                    asks: instances[number % 2].clone(),
                    verifies: Services::new(&instances[number / 2], &server.config.issuer, server.clock.clone()),
                    secret: secret.clone(),
                })
                .collect();
            let going = Rc::new(Cell::new(true));
            let running: Vec<_> =
                load.into_iter().map(|load| actix_web::rt::spawn(load.run(Rc::clone(&going)))).collect();

            for _ in 0..ROTATIONS {
                // As soon as the next key is ripe.
                server.clock.advance(Duration::from_secs(61));
                let token =
                    server.post_as("ops", &secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
                let token = token.body["access_token"].as_str().unwrap().to_owned();
                let rotated = server.admin(&token, Method::POST, "/admin/v1/keys/rotate", Some(&json!({}))).await;
                assert_eq!(rotated.status, 200, "{}", rotated.text);
                tokio::time::sleep(Duration::from_millis(30)).await;
                // The other instance reads the change feed within a second, which is within the margin of a minute
                // that this test is about to skip.
                second.ctx.keys.reload().await.unwrap();
                tokio::time::sleep(Duration::from_millis(30)).await;
            }

            going.set(false);
            let mut kids = std::collections::BTreeSet::new();
            for load in running {
                let seen = load.await.unwrap();
                assert!(seen.len() > ROTATIONS, "only {} tokens were verified", seen.len());
                kids.extend(seen);
            }
            assert!(kids.len() > ROTATIONS / 2, "only {} keys have signed what was seen", kids.len());
            second.stop().await;
        },
    )
    .await;
}

/// Obtains tokens from one instance and shows them to a service.
struct Load {
    http: reqwest::Client,
    asks: String,
    verifies: Services,
    secret: String,
}

impl Load {
    /// Returns the `kid` of each token that was verified.
    async fn run(mut self, going: Rc<Cell<bool>>) -> Vec<String> {
        let mut seen = Vec::new();
        while going.get() {
            let request = self.http.post(format!("{}/oauth2/token", self.asks)).basic_auth("ops", Some(&self.secret));
            let answer = read(request.form(&[("grant_type", "client_credentials")])).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let token = answer.body["access_token"].as_str().unwrap();
            self.verifies.accept(&self.http, token).await;
            seen.push(header(token)["kid"].as_str().unwrap().to_owned());
        }
        seen
    }
}

/// A service that verifies offline and fetches the JWKS only when `max-age` has passed; never for an unknown `kid`.
struct Services {
    jwks: String,
    verifier: Verifier,
    clock: Clock,
    kept: Option<(KeySet, Timestamp)>,
}

impl Services {
    fn new(instance: &str, issuer: &str, clock: Clock) -> Self {
        let verifier = Verifier::new(issuer, [issuer]);
        Self { jwks: format!("{instance}/.well-known/jwks.json"), verifier, clock, kept: None }
    }

    async fn accept(&mut self, http: &reqwest::Client, token: &str) {
        let now = self.clock.now();
        if self.kept.as_ref().is_none_or(|(_, until)| now > *until) {
            self.kept = Some(self.fetch(http).await);
        }
        let (keys, _) = self.kept.as_ref().unwrap();
        if let Err(refusal) = self.verifier.verify(token, keys, now.seconds()) {
            panic!("{refusal}");
        }
    }

    async fn fetch(&self, http: &reqwest::Client) -> (KeySet, Timestamp) {
        let asked = self.clock.now();
        let answer = read(http.get(&self.jwks)).await;
        let control = answer.headers["cache-control"].to_str().unwrap();
        let age = control.split("max-age=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        (KeySet::from_jwks(&answer.text).unwrap(), asked.plus(Duration::from_secs(age)))
    }
}
