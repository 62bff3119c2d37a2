//! An issuer that serves what it is told to, under a clock that it is told.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};
use tokenhouse_verifier::Issuer;
use tokenhouse_verifier::remote::IssuerBuilder;

use crate::server::{Page, Server};
use crate::signer::{AUDIENCE, NOW, SIGNER, claims, encode, header, with};

/// How long a test waits for what must happen, and what it takes for never.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct FakeIssuer {
    pub(crate) server: Server,
    clock: Arc<AtomicI64>,
}

impl FakeIssuer {
    /// An issuer with the signer's keys and one list, `/status/0`, in which nothing is revoked.
    pub(crate) async fn start() -> Self {
        let fake = Self { server: Server::start().await, clock: Arc::new(AtomicI64::new(NOW)) };
        fake.put_metadata(&fake.metadata());
        fake.server.put("/jwks", Page::new(&SIGNER.jwks));
        fake.put_names(&[&fake.uri(0)]);
        fake.put_list(0, &[]);
        fake
    }

    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    pub(crate) fn uri(&self, list: u32) -> String {
        format!("{}/status/{list}", self.url())
    }

    pub(crate) fn metadata(&self) -> Value {
        let url = self.url();
        json!({
            "issuer": url, "jwks_uri": format!("{url}/jwks"), "status_list_aggregation_endpoint": format!("{url}/status"),
        })
    }

    pub(crate) fn put_metadata(&self, metadata: &Value) {
        self.server.put("/.well-known/oauth-authorization-server", Page::new(&metadata));
    }

    pub(crate) fn put_jwks(&self, keys: &[&Value]) {
        self.server.put("/jwks", Page::new(&json!({"keys": keys})).with_header("cache-control", "max-age=0"));
    }

    pub(crate) fn put_names(&self, uris: &[&str]) {
        self.server.put("/status", Page::new(&json!({"status_lists": uris})));
    }

    /// Serves a list that is true as of now, in which these status indexes are revoked.
    pub(crate) fn put_list(&self, list: u32, revoked: &[usize]) {
        self.put_signed(list, &self.list(list, revoked));
    }

    pub(crate) fn put_signed(&self, list: u32, claims: &Value) {
        self.server.put(&format!("/status/{list}"), Page::new(&sign_list(claims)));
    }

    /// The claims of a list.
    pub(crate) fn list(&self, list: u32, revoked: &[usize]) -> Value {
        let (now, uri) = (self.now(), self.uri(list));
        json!({"sub": uri, "iat": now, "exp": now + 60, "ttl": 0.01, "status_list": {"bits": 1, "lst": lst(revoked)}})
    }

    /// What a service holds that is in a hurry.
    pub(crate) fn builder(&self) -> IssuerBuilder {
        let clock = Arc::clone(&self.clock);
        let now = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst).try_into().unwrap());
        Issuer::builder(self.url(), [AUDIENCE]).clock(now).fastest_poll(Duration::from_millis(10))
    }

    pub(crate) async fn discover(&self) -> Issuer {
        self.builder().discover().await.unwrap()
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The claims of a good token that lives for two days and has none in a list.
    pub(crate) fn claims(&self) -> Value {
        with(with(claims(), "iss", self.url()), "exp", NOW + 2 * 86_400)
    }

    /// A good token at this status index of the list 0.
    pub(crate) fn token(&self, idx: u64) -> String {
        self.token_at(&self.uri(0), idx)
    }

    pub(crate) fn token_at(&self, uri: &str, idx: u64) -> String {
        sign(&with(self.claims(), "status", json!({"status_list": {"idx": idx, "uri": uri}})))
    }

    /// Of each request for this path, whether caches on the way had to ask the issuer.
    pub(crate) fn past_caches(&self, path: &str) -> Vec<bool> {
        self.server.requests(path).iter().map(|request| request.contains("cache-control: no-cache")).collect()
    }

    /// Waits until every page has been asked for twice more: by then what was served before has been read.
    pub(crate) async fn lists_are_read_again(&self) {
        let before = self.server.asked("/status/0");
        eventually("the lists are read again", || self.server.asked("/status/0") >= before + 3).await;
    }
}

pub(crate) fn sign(claims: &Value) -> String {
    SIGNER.token(&header().to_string(), &claims.to_string())
}

pub(crate) fn sign_list(claims: &Value) -> String {
    SIGNER.token(&with(header(), "typ", "statuslist+jwt").to_string(), &claims.to_string())
}

pub(crate) fn sign_event(claims: &Value) -> String {
    SIGNER.token(&with(header(), "typ", "secevent+jwt").to_string(), &claims.to_string())
}

/// A list of 1,024 status indexes of one bit each: the least significant bit first (section 4.1 of the draft), DEFLATE
/// in the ZLIB format, base64url.
pub(crate) fn lst(revoked: &[usize]) -> String {
    let mut bytes = [0_u8; 128];
    for index in revoked {
        bytes[index / 8] |= 1 << (index % 8);
    }
    encode(zlib(&bytes))
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "in vain: {what}");
}
