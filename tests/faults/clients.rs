//! Clients at one or more instances. All that they ask is recorded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client as Http, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::history::{Answer, Call, History, Mark};
use crate::server::USER;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client keeps a connection that it does not use: less than the five seconds after which the service closes
/// it, or a request could meet the end of the connection.
const IDLE: Duration = Duration::from_secs(2);

/// How long a client asks for its last refresh.
const AT_LAST: Duration = Duration::from_secs(20);

/// The instances of a server.
#[derive(Clone)]
pub struct Instances {
    addresses: Arc<Vec<SocketAddr>>,
    http: Http,
    pub history: History,
}

impl Instances {
    pub fn of(addresses: &[SocketAddr]) -> Self {
        let http = Http::builder().timeout(PATIENCE).pool_idle_timeout(IDLE).build().unwrap();
        Self { addresses: Arc::new(addresses.to_vec()), http, history: History::default() }
    }

    pub fn count(&self) -> usize {
        self.addresses.len()
    }

    fn post(&self, at: usize, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("http://{}{path}", self.addresses[at])).json(body)
    }

    /// Signs the server's user in.
    pub async fn sign_in(&self, at: usize) -> Answer {
        let (username, password) = USER;
        let request = self.post(at, "/api/token/", &json!({ "username": username, "password": password }));
        self.history.record(Call::SignIn, ask(request)).await
    }

    /// The first tokens of so many new sessions.
    pub async fn sessions(&self, count: usize) -> Vec<String> {
        let mut tokens = Vec::new();
        while tokens.len() < count {
            match self.sign_in(tokens.len() % self.count()).await {
                Answer::Issued(token) => tokens.push(token),
                Answer::Away(Some(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                other => panic!("{other:?}"),
            }
        }
        tokens
    }

    /// An honest client exchanges its token.
    pub async fn refresh(&self, at: usize, token: &str) -> Answer {
        let request = self.post(at, "/api/token/refresh/", &json!({ "refresh": token }));
        self.history.record(Call::Refresh(token.to_owned()), ask(request)).await
    }

    /// The token that follows, asked for until it comes.
    pub async fn next(&self, token: &str) -> String {
        for at in 0.. {
            match self.refresh(at % self.count(), token).await {
                Answer::Issued(next) => return next,
                Answer::Away(_) | Answer::Silent => {
                    assert!(at < 400, "never served again");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                other => panic!("{other:?}"),
            }
        }
        unreachable!()
    }

    /// A thief shows a token that was replaced long ago, until an instance can judge it.
    pub async fn steal(&self, at: usize, token: &str) -> Answer {
        loop {
            let request = self.post(at, "/api/token/refresh/", &json!({ "refresh": token }));
            let answer = self.history.record(Call::Theft(token.to_owned()), ask(request)).await;
            if !matches!(answer, Answer::Away(_) | Answer::Silent) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Is the token good?
    pub async fn introspect(&self, at: usize, token: &str) -> Answer {
        let request = self.post(at, "/api/token/verify/", &json!({ "token": token }));
        self.history.record(Call::Look(token.to_owned()), ask(request)).await
    }

    /// Ends the session of a refresh token.
    pub async fn end(&self, at: usize, token: &str) -> Answer {
        let request = self.post(at, "/api/token/blacklist/", &json!({ "refresh": token }));
        self.history.record(Call::End(Mark::of(token).session), ask(request)).await
    }

    /// Ends the session, however often it takes.
    pub async fn end_at_last(&self, token: &str) {
        for at in 0..400 {
            if self.end(at % self.count(), token).await == Answer::Good {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a session could not be ended");
    }
}

async fn ask(request: RequestBuilder) -> Answer {
    let Ok(response) = request.send().await else { return Answer::Silent };
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let Ok(text) = response.text().await else { return Answer::Silent };
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match (status, body["refresh"].as_str(), body["code"].as_str()) {
        (200, Some(token), _) => Answer::Issued(token.to_owned()),
        (200, None, _) => Answer::Good,
        (202, ..) => Answer::Pending,
        (401, _, Some("token_not_valid" | "no_active_account")) => Answer::Refused,
        (503, ..) => Answer::Away(wait),
        _ => Answer::Strange(status, text),
    }
}

/// Clients that come and go as long as they are told to.
pub struct LoadClients {
    instances: Instances,
    leave: watch::Sender<bool>,
    clients: JoinSet<Option<String>>,
}

impl LoadClients {
    pub fn at(instances: &Instances) -> Self {
        Self { instances: instances.clone(), leave: watch::Sender::new(false), clients: JoinSet::new() }
    }

    /// Honest clients: each exchanges its token again and again, now here, now there, sometimes twice at once, and asks
    /// again with the same one where it got none.
    pub fn walk(&mut self, tokens: &[String]) {
        for (position, token) in tokens.iter().enumerate() {
            let walk = walk(self.instances.clone(), self.leave.subscribe(), token.clone(), position);
            self.clients.spawn(walk);
        }
    }

    /// A client goes on showing the token of a session that has ended.
    pub fn keep_using(&mut self, token: &str) {
        let keep_using = keep_using(self.instances.clone(), self.leave.subscribe(), token.to_owned());
        self.clients.spawn(keep_using);
    }

    /// Stops the clients; each honest one is served once more, if it takes a while. Returns their tokens.
    pub async fn leave(self) -> Vec<String> {
        self.leave.send_replace(true);
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}

async fn walk(
    instances: Instances,
    leave: watch::Receiver<bool>,
    mut token: String,
    position: usize,
) -> Option<String> {
    let mut steps = position;
    while !*leave.borrow() {
        steps += 1;
        let (here, there) = (steps % instances.count(), (steps + 1) % instances.count());
        let answer = if steps.is_multiple_of(5) {
            let (one, other) = tokio::join!(instances.refresh(here, &token), instances.refresh(there, &token));
            if matches!(one, Answer::Issued(_)) { one } else { other }
        } else {
            instances.refresh(here, &token).await
        };
        match answer {
            Answer::Issued(next) => token = next,
            Answer::Refused => return None,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let since = instances.history.now();
    while instances.history.now().saturating_sub(since) < AT_LAST {
        steps += 1;
        match instances.refresh(steps % instances.count(), &token).await {
            Answer::Issued(next) => return Some(next),
            Answer::Refused => return None,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    None
}

async fn keep_using(instances: Instances, leave: watch::Receiver<bool>, token: String) -> Option<String> {
    while !*leave.borrow() {
        for at in 0..instances.count() {
            instances.refresh(at, &token).await;
            instances.introspect(at, &token).await;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    None
}
