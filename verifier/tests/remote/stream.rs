//! The events of the fake issuer, told by hand.

use std::time::Duration;

use serde_json::{Value, json};
use tokenhouse_verifier::Issuer;
use tokenhouse_verifier::remote::IssuerBuilder;
use tokio::sync::broadcast;

use crate::issuer::{FakeIssuer, eventually, sign_event};
use crate::server::Page;
use crate::signer::with;

pub(crate) const KEYS_CHANGED: &str = "urn:tokenhouse:event:keys-changed";
pub(crate) const RESYNC: &str = "urn:tokenhouse:event:resync";
pub(crate) const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
pub(crate) const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// An issuer that tells events.
pub(crate) struct Teller {
    pub(crate) fake: FakeIssuer,
    live: broadcast::Sender<String>,
}

impl Teller {
    pub(crate) async fn start() -> Self {
        let (fake, live) = (FakeIssuer::start().await, broadcast::Sender::new(100));
        let at = |path: &str| json!(format!("{}{path}", fake.url()));
        let metadata = with(fake.metadata(), "token_endpoint", at("/token"));
        fake.put_metadata(&with(metadata, "status_events_endpoint", at("/events")));
        let stream = Page::new("retry: 1000\n\n").with_header("content-type", "text/event-stream");
        fake.server.put("/events", stream.followed_by(&live));
        let teller = Self { fake, live };
        teller.put_token("stream-token", 3600);
        teller
    }

    pub(crate) fn put_token(&self, token: &str, expires_in: u64) {
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in});
        self.fake.server.put("/token", Page::new(&answer));
    }

    /// A service that is as patient with events as can be.
    pub(crate) fn builder(&self) -> IssuerBuilder {
        self.fake.builder().follow_events("listener", "s3cret").event_silence(Duration::from_hours(1))
    }

    /// A service that listens.
    pub(crate) async fn listener(&self) -> Issuer {
        let issuer = self.builder().discover().await.unwrap();
        self.is_heard(1).await;
        issuer
    }

    /// A service that has read the lists since it listens, so that events are all it needs.
    pub(crate) async fn attentive_listener(&self) -> Issuer {
        let issuer = self.listener().await;
        self.heartbeat(1);
        self.fake.advance(2);
        self.fake.put_list(0, &[]);
        self.lists_are_left_alone().await;
        issuer
    }

    /// Waits until the stream has been asked for so many times.
    pub(crate) async fn is_heard(&self, times: usize) {
        eventually("somebody listens", || self.fake.server.asked("/events") >= times).await;
    }

    pub(crate) fn claims(&self, kind: &str, details: &Value) -> Value {
        json!({"iss": self.fake.url(), "iat": self.fake.now(), "jti": "1", "events": {kind: details}})
    }

    pub(crate) fn tell(&self, number: i64, kind: &str, details: &Value) {
        self.say(number, &sign_event(&self.claims(kind, details)));
    }

    pub(crate) fn say(&self, number: i64, token: &str) {
        self.send(line(number, token));
    }

    /// Tells all of these in one piece.
    pub(crate) fn tell_at_once(&self, events: impl IntoIterator<Item = (i64, &'static str, Value)>) {
        let lines =
            events.into_iter().map(|(number, kind, details)| line(number, &sign_event(&self.claims(kind, &details))));
        self.send(lines.collect());
    }

    fn send(&self, piece: String) {
        // Perhaps nobody listens at this moment.
        drop(self.live.send(piece));
    }

    pub(crate) fn revoke(&self, number: i64, idx: u64) {
        self.tell(number, REVOKED, &self.index(idx));
    }

    /// What an event says of a status index that is revoked.
    pub(crate) fn index(&self, idx: u64) -> Value {
        json!({"status_list": {"idx": idx, "uri": self.fake.uri(0)}})
    }

    pub(crate) fn heartbeat(&self, number: i64) {
        self.tell(number, VERIFICATION, &json!({"as_of": self.fake.now()}));
    }

    pub(crate) fn hang_up(&self) {
        self.live.send(String::new()).unwrap();
    }

    /// The header of the last request for the stream.
    pub(crate) fn last_request(&self, header: &str) -> Option<String> {
        let requests = self.fake.server.requests("/events");
        crate::server::header(requests.last().unwrap(), header).map(str::to_owned)
    }

    pub(crate) fn lists_read(&self) -> usize {
        self.fake.server.asked("/status/0")
    }

    /// Waits until the lists are not read any more at the pace that they ask for.
    pub(crate) async fn lists_are_left_alone(&self) {
        for _ in 0..100 {
            let before = self.lists_read();
            tokio::time::sleep(Duration::from_millis(200)).await;
            if self.lists_read() == before {
                return;
            }
        }
        panic!("the lists are read all the time");
    }

    /// Waits until they are read at that pace again.
    pub(crate) async fn lists_are_read_again(&self) {
        self.fake.lists_are_read_again().await;
    }
}

fn line(number: i64, token: &str) -> String {
    format!("id: {number}\ndata: {token}\n\n")
}
