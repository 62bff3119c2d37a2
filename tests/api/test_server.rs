//! A whole Tokenhouse for one test: own stores, own keys, own port. The helpers speak the API's verbs.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client as Http, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokenhouse::app::serve::{Mode, Running, start};
use tokenhouse::audit::Actor;
use tokenhouse::clients::{self, NewClient};
use tokenhouse::clock::Clock;
use tokenhouse::config::{Config, Rate, Span};
use tokenhouse::ctx::Ctx;
use tokenhouse::gate::audience;
use tokenhouse::model::{
    Client, RotationRecord, RotationState, Secret, SessionId, SignOn, SigningAlgorithm, User, UserAgent,
};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::sessions::{self, NewSession, Proof};
use tokenhouse::tokens;
use tokenhouse::users::{self, NewUser};

use crate::support;

/// The user of every server.
pub const USER: (&str, &str) = ("ada", "a fine long password");

/// The administrator of every server.
pub const ADMIN: (&str, &str) = ("grace", "another long password");

/// Where a server keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `SQLite`, with the embedded ephemeral store.
    Embedded,
    /// `PostgreSQL` and Redis.
    Servers,
}

/// A running server.
pub struct TestServer {
    pub running: Running,
    pub backend: Backend,
    pub clock: Clock,
    pub http: Http,
    pub config: Config,
    database: Option<String>,
    folder: TempDir,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

/// A pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

/// Runs `test` in a fresh server on each backend.
pub async fn on_each_backend(test: impl AsyncFn(&TestServer)) {
    on_each_backend_with(|_| {}, test).await;
}

/// Runs `test` in a fresh server on each backend, with settings of its own.
pub async fn on_each_backend_with(settings: impl Fn(&mut Config), test: impl AsyncFn(&TestServer)) {
    for backend in backends() {
        let server = TestServer::open(backend, &settings).await;
        test(&server).await;
        server.close().await;
    }
}

/// The backends of this run.
pub fn backends() -> Vec<Backend> {
    if support::only_sqlite() { vec![Backend::Embedded] } else { vec![Backend::Embedded, Backend::Servers] }
}

impl TestServer {
    /// Opens a server with its user and its administrator.
    pub async fn open(backend: Backend, settings: &impl Fn(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let (config, database) = config(backend, &folder, settings).await;
        let running = start(config.clone(), clock.clone(), Mode::Production).await.unwrap();
        let server = Self { running, backend, clock, http: Http::new(), config, database, folder };
        server.add_user(USER, false).await;
        server.add_user(ADMIN, true).await;
        server
    }

    /// A second instance on the same stores and keys, with a clock of its own.
    pub async fn second_instance(&self, clock: Clock) -> Running {
        start(self.config.clone(), clock, Mode::Production).await.unwrap()
    }

    /// Another instance on the same stores and keys, with settings of its own.
    pub async fn instance_with(&self, config: Config) -> Running {
        start(config, self.clock.clone(), Mode::Production).await.unwrap()
    }

    /// Stops the server and opens it again on what it has kept.
    pub async fn restart(self) -> Self {
        self.running.stop().await;
        let running = start(self.config.clone(), self.clock.clone(), Mode::Production).await.unwrap();
        Self { running, ..self }
    }

    /// Stops the server and takes its database away.
    pub async fn close(self) {
        self.running.stop().await;
        if let Some(database) = self.database {
            support::postgres::drop_database(&database).await;
        }
        drop(self.folder);
    }

    /// What the server's rules hold in their hands.
    pub fn ctx(&self) -> &Ctx {
        &self.running.ctx
    }

    /// A request to a path of this server.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(self.running.address, method, path)
    }

    /// A request to a path of another instance.
    pub fn request_to(&self, address: SocketAddr, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{address}{path}"))
    }

    /// Posts a form to another instance.
    pub async fn post_to(&self, address: SocketAddr, path: &str, form: &[(&str, &str)]) -> Answer {
        read(self.request_to(address, Method::POST, path).form(form)).await
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        read(self.request(Method::POST, path).form(form)).await
    }

    /// Posts a form as a client that authenticates with HTTP Basic.
    pub async fn post_as(&self, client: &str, secret: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        read(self.request(Method::POST, path).basic_auth(client, Some(secret)).form(form)).await
    }

    /// Posts JSON.
    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path)).await
    }

    /// Calls the admin API with a bearer token.
    pub async fn admin(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path).bearer_auth(token);
        read(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// `POST /api/token/`.
    pub async fn obtain(&self, (username, password): (&str, &str)) -> Answer {
        self.post_json("/api/token/", &json!({ "username": username, "password": password })).await
    }

    /// The first pair of a new session of the server's user.
    pub async fn pair(&self) -> Pair {
        pair(&self.obtain(USER).await)
    }

    /// `POST /api/token/refresh/`.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/token/refresh/", &[("refresh", token)]).await
    }

    /// `POST /api/token/verify/`.
    pub async fn verify(&self, token: &str) -> Answer {
        self.post("/api/token/verify/", &[("token", token)]).await
    }

    /// A token for the admin API.
    pub async fn admin_token(&self) -> String {
        let (username, password) = ADMIN;
        let body = json!({ "username": username, "password": password, "scope": "tokenhouse:admin" });
        pair(&self.post_json("/api/token/", &body).await).access
    }

    /// Adds a user.
    pub async fn add_user(&self, (username, password): (&str, &str), admin: bool) -> User {
        let new = NewUser {
            username: username.to_owned(),
            admin,
            roles: vec!["reader".to_owned()],
            password: Some(Secret::new(password)),
            ..NewUser::default()
        };
        users::add(self.ctx(), new, Actor::System).await.unwrap()
    }

    /// The server's user, as the database knows it.
    pub async fn user(&self) -> User {
        self.ctx().store.database.user_to_sign_in(USER.0).await.unwrap().unwrap().0
    }

    /// Adds a confidential client and returns its secret.
    pub async fn add_client(&self, id: &str, grants: &[GrantType], scope: &str) -> (Client, String) {
        let (client, secret) = self.add_new_client(new_client(id, grants, scope)).await;
        (client, secret.unwrap())
    }

    /// Adds a client of any kind and returns its secret where one was generated.
    pub async fn add_new_client(&self, new: NewClient) -> (Client, Option<String>) {
        let (client, secret) = clients::add(self.ctx(), new, Actor::System).await.unwrap();
        (client, secret.map(|secret| secret.expose().to_owned()))
    }

    /// Begins a session of the server's user at `client`, as a grant does, and returns its refresh token.
    pub async fn begin_session(&self, client: &Client, scope: &str) -> (SessionId, String) {
        self.begin_session_of(&self.user().await, client, scope).await
    }

    /// Begins a session of any user.
    pub async fn begin_session_of(&self, user: &User, client: &Client, scope: &str) -> (SessionId, String) {
        let ctx = self.ctx();
        let new = NewSession {
            id: SessionId(ctx.random.uuid_at(ctx.now())),
            status_index: ctx.store.status_index(ctx.now()).await.unwrap(),
            user,
            at: ctx.now(),
            client,
            scope: Scope::parse(scope).unwrap(),
            audience: audience::registered_or_default(ctx, client),
            user_agent: UserAgent::default(),
            proof: Proof { at: ctx.now(), amr: vec!["pwd".to_owned()] },
            browser_session: None,
            claims: Vec::new(),
            confirmation: None,
        };
        let beginning = sessions::begin(ctx, new);
        sessions::settle(ctx, &beginning).await.unwrap();
        let token = tokens::refresh_token(ctx, &beginning.live).unwrap();
        (beginning.session.id, token)
    }

    /// The session of a refresh token.
    pub fn session_of(&self, refresh: &str) -> SessionId {
        tokens::read_refresh_token(self.ctx(), refresh).unwrap().session
    }

    /// The rotation record of a session.
    pub async fn record(&self, session: SessionId) -> RotationRecord {
        match self.ctx().store.ephemeral.load(session).await.unwrap().0 {
            RotationState::Live(record) => *record,
            other => panic!("no live record: {other:?}"),
        }
    }

    /// Moves everything that the record remembers into the past: the stores have clocks that no test can move.
    pub async fn age_record(&self, session: SessionId, by: Duration) {
        let old = self.record(session).await;
        let mut aged = old.clone();
        aged.issued_at = aged.issued_at.minus(by);
        for ancestor in &mut aged.ancestors {
            ancestor.rotated_at = ancestor.rotated_at.minus(by);
        }
        assert!(self.ctx().store.ephemeral.replace(session, &old, &aged).await.unwrap());
    }

    /// The audit's events, newest first.
    pub async fn audit_events(&self) -> Vec<Value> {
        let page = tokenhouse::model::PageRequest::new(None, Some(500));
        let records = self.ctx().store.database.list_audit(&page).await.unwrap().items;
        records.into_iter().map(|record| record.event).collect()
    }

    /// How many events of this name the audit has.
    pub async fn count_events(&self, name: &str) -> usize {
        self.audit_events().await.iter().filter(|event| event["event"] == name).count()
    }

    /// Lets much time pass, in which the server has read its keys as it does every minute.
    pub async fn later(&self, by: Duration) {
        self.clock.advance(by);
        self.ctx().keys.reload().await.unwrap();
    }
}

/// A confidential client to be added, before anything about it is changed.
pub fn new_client(id: &str, grants: &[GrantType], scope: &str) -> NewClient {
    NewClient {
        id: id.parse().unwrap(),
        name: None,
        public: false,
        auth_method: None,
        trusted: false,
        grants: grants.to_vec(),
        scope: Scope::parse(scope).unwrap(),
        audience: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        sign_on: SignOn::default(),
        access_lifetime: None,
        refresh_lifetime: None,
        secret: None,
    }
}

/// The pair in an answer that must be a good one.
pub fn pair(answer: &Answer) -> Pair {
    assert_eq!(answer.status, 200, "{}", answer.text);
    Pair {
        access: answer.body["access"].as_str().unwrap().to_owned(),
        refresh: answer.body["refresh"].as_str().unwrap().to_owned(),
    }
}

/// Sends the same request many times at once.
pub async fn all_at_once(times: usize, request: &RequestBuilder) -> Vec<Answer> {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..times {
        calls.spawn(read(request.try_clone().unwrap()));
    }
    calls.join_all().await
}

/// Sends a request and reads the answer to its end.
pub async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, body }
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token, unverified.
pub fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, position: usize) -> Value {
    use base64::Engine;
    let text = token.split('.').nth(position).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// Settings that make a server quick to build: an EC key and passwords that cost little. No rule is loosened.
async fn config(backend: Backend, folder: &TempDir, settings: &impl Fn(&mut Config)) -> (Config, Option<String>) {
    let mut config = Config {
        listen: "127.0.0.1:0".to_owned(),
        ops_listen: "127.0.0.1:0".to_owned(),
        workers: 1,
        ..Config::default()
    };
    config.keys.folder = folder.path().join("keys");
    config.keys.master_key_file = folder.path().join("keys/master.key");
    config.keys.id_token_algorithm = SigningAlgorithm::Es256;
    config.passwords.memory_kib = 64;
    config.passwords.iterations = 1;
    config.passwords.threads = 1;
    config.limits.by_address = Rate::Off;
    config.database.statement_timeout = Span::seconds(20);
    config.database.acquire_timeout = Span::seconds(20);
    config.redis.command_timeout = Span::seconds(5);
    config.redis.connect_timeout = Span::seconds(5);
    config.shutdown.announce = Span::seconds(0);
    let database = match backend {
        Backend::Embedded => {
            config.database.url = Secret::new(format!("sqlite://{}", folder.path().join("data/server.db").display()));
            None
        }
        Backend::Servers => Some(use_servers(&mut config).await),
    };
    settings(&mut config);
    (config, database)
}

async fn use_servers(config: &mut Config) -> String {
    let database = support::postgres::create_database().await;
    config.database.url = Secret::new(support::postgres::url_of(&database));
    let redis = support::redis::settings();
    config.redis.url = Some(Secret::new(redis.url));
    config.redis.key_prefix = redis.key_prefix;
    let random = tokenhouse::clock::Random::default();
    config.keys.master_key = Some(Secret::new(tokenhouse::keys::make_master_key(&random)));
    database
}
