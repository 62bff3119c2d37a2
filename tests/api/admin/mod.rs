//! The admin API.

mod access;
mod audit;
mod clients;
mod imports;
mod keys;
mod pending;
mod revocations;
mod sessions;
mod user_changes;
mod user_rights;
mod users;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::model::{Acr, Client, SessionId, User, UserAgent};
use tokenhouse::protocol::Scope;
use tokenhouse::sessions::{NewSession, Proof};

use crate::test_server::{Answer, TestServer};

/// An administrator at work.
pub struct AdminClient<'a> {
    pub server: &'a TestServer,
    pub token: String,
}

impl<'a> AdminClient<'a> {
    pub async fn of(server: &'a TestServer) -> Self {
        Self { server, token: server.admin_token().await }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.server.admin(&self.token, Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.server.admin(&self.token, Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.server.admin(&self.token, Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.server.admin(&self.token, Method::DELETE, path, None).await
    }

    /// Adds a user through the API and returns its identifier.
    pub async fn add_user(&self, username: &str, password: &str) -> String {
        let added = self.post("/admin/v1/users", &json!({ "username": username, "password": password })).await;
        assert_eq!(added.status, 201, "{}", added.text);
        added.body["id"].as_str().unwrap().to_owned()
    }

    /// Walks a list from its first page to its last, and calls `between` after each page.
    pub async fn walk(&self, list: &str, limit: u32, mut between: impl AsyncFnMut()) -> Vec<String> {
        let mut after: Option<String> = None;
        let mut seen = Vec::new();
        loop {
            let position = after.map(|after| format!("&after={after}")).unwrap_or_default();
            let page = self.get(&format!("{list}?limit={limit}{position}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= limit as usize);
            seen.extend(
                items.iter().map(|item| item.get("id").unwrap_or(&item["client_id"]).as_str().unwrap().to_owned()),
            );
            between().await;
            match page.body["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return seen,
            }
        }
    }
}

/// Asserts that `seen` holds each of `wanted`, and nothing twice.
pub fn assert_each_once(seen: &[String], wanted: &[String]) {
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "something was listed twice");
    for id in wanted {
        assert!(distinct.contains(id), "{id} was not listed");
    }
}

/// Asserts that `answer` is a refusal in the form of RFC 9457.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert!(answer.headers.contains_key("x-request-id"));
    assert_eq!(answer.body["status"], status, "{}", answer.text);
    assert!(answer.body["title"].is_string(), "{}", answer.text);
    assert!(answer.body["detail"].is_string(), "{}", answer.text);
}

/// Begins a session of `user` at `client`, as a grant does; returns it with its two tokens.
pub async fn begin(server: &TestServer, user: &User, client: &Client, scope: &str, audience: &[&str]) -> IssuedSession {
    let ctx = server.ctx();
    let new = NewSession {
        id: SessionId(ctx.random.uuid_at(ctx.now())),
        status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
        user,
        at: server.ctx().now(),
        client,
        scope: Scope::parse(scope).unwrap(),
        audience: audience.iter().map(|&name| name.to_owned()).collect(),
        user_agent: UserAgent::default(),
        proof: Proof { at: ctx.now(), amr: vec!["pwd".to_owned()], acr: Acr::Password },
        browser_session: None,
        claims: Vec::new(),
        confirmation: None,
    };
    let beginning = tokenhouse::sessions::begin(ctx, new);
    tokenhouse::sessions::settle(ctx, &beginning).await.unwrap();
    let bearer = tokenhouse::tokens::TokenSubject::Session(&beginning.live);
    let access = tokenhouse::tokens::access_token(ctx, client, bearer, &beginning.session.scope).unwrap().token;
    let refresh = tokenhouse::tokens::refresh_token(ctx, &beginning.live).unwrap();
    IssuedSession { id: beginning.live.id, access, refresh }
}

/// A session and its first tokens.
pub struct IssuedSession {
    pub id: SessionId,
    pub access: String,
    pub refresh: String,
}

/// The address of the server's user.
pub async fn user_path(server: &TestServer) -> String {
    format!("/admin/v1/users/{}", server.user().await.id)
}
