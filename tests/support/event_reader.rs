//! One who follows the security events, as any program can: server-sent events, and tokens that are taken apart by
//! hand.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Response};
use serde_json::Value;

pub const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
pub const KEYS_CHANGED: &str = "urn:tokenhouse:event:keys-changed";
pub const RESYNC: &str = "urn:tokenhouse:event:resync";

/// How long a test waits for what must come.
pub const SOON: Duration = Duration::from_secs(20);

/// One who follows the events.
pub struct EventReader {
    pub response: Response,
    unread: String,
}

/// An event, as it was read.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: i64,
    pub token: String,
}

impl Event {
    pub fn claims(&self) -> Value {
        let claims = self.token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    /// The type of the event.
    pub fn name(&self) -> String {
        let claims = self.claims();
        let events = claims["events"].as_object().unwrap();
        assert_eq!(events.len(), 1, "{claims}");
        events.keys().next().unwrap().clone()
    }

    pub fn details(&self) -> Value {
        self.claims()["events"][self.name()].clone()
    }

    pub fn subject(&self) -> String {
        self.claims()["sub_id"]["id"].as_str().unwrap().to_owned()
    }

    pub fn jti(&self) -> String {
        self.claims()["jti"].as_str().unwrap().to_owned()
    }
}

impl EventReader {
    /// Begins to read, where a reader stopped who has read `last`.
    pub async fn open(address: SocketAddr, token: &str, last: Option<&str>) -> Self {
        let mut request = Client::new().get(format!("http://{address}/status/events")).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, unread: String::new() }
    }

    /// The next event of any kind; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.unread.find("\n\n") {
                let block: String = self.unread.drain(..end + 2).collect();
                if let Some(event) = read_block(&block) {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await.unwrap();
            self.unread.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    /// The next event that is no heartbeat.
    pub async fn event(&mut self) -> Event {
        loop {
            let event = self.next().await.unwrap();
            if event.name() != VERIFICATION {
                return event;
            }
        }
    }

    /// The next event, which must be a heartbeat.
    pub async fn heartbeat(&mut self) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.name(), VERIFICATION);
        event
    }
}

/// WHATWG HTML section 9.2.6, as far as it is used. A block without data is no event.
pub fn read_block(block: &str) -> Option<Event> {
    let field = |name| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Event { token: field("data")?.to_owned(), id: field("id").unwrap().parse().unwrap() })
}
