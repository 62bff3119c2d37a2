//! A whole Tokenhouse in this process, for one test: own stores, own keys, own ports, and a clock that the test moves.
//! Its methods are the verbs of the API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client as Http, Method, RequestBuilder};
use serde_json::{Value, json};
use tokenhouse::app::serve::{Mode, Running, start};
use tokenhouse::audit::Actor;
use tokenhouse::clients::{self, NewClient};
use tokenhouse::clock::Clock;
use tokenhouse::config::{self, Config};
use tokenhouse::ctx::Ctx;
use tokenhouse::gate::audience;
use tokenhouse::model::{Acr, Client, ClientMetadata, SessionId, User, UserAgent};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::sessions::{self, NewSession, Proof};
use tokenhouse::tokens;

pub use crate::answer::{Answer, Pair, all_at_once, claims, header, pair, read};
use crate::installation::{self, Installation};
pub use crate::installation::{ADMIN, Backend, USER, backends};

/// A running server.
pub struct TestServer {
    pub running: Running,
    pub backend: Backend,
    pub clock: Clock,
    pub http: Http,
    pub config: Config,
    installation: Arc<Installation>,
}

/// Runs `test` in a fresh server on each backend.
pub async fn on_each_backend(test: impl AsyncFn(&TestServer)) {
    on_each_backend_with(|_| {}, test).await;
}

/// Runs `test` in a fresh server on each backend, with settings of its own.
pub async fn on_each_backend_with(settings: impl Fn(&mut Config), test: impl AsyncFn(&TestServer)) {
    for backend in backends() {
        let server = Box::pin(TestServer::open(backend, &settings)).await;
        test(&server).await;
        server.close().await;
    }
}

impl TestServer {
    /// Opens a server with its user and its administrator.
    pub async fn open(backend: Backend, settings: &impl Fn(&mut Config)) -> Self {
        let installation = Installation::new(backend).await;
        let mut config = installation.config.clone();
        be_quick_and_patient(&mut config);
        settings(&mut config);
        let server = Self::start(Arc::new(installation), config, Clock::system()).await;
        installation::add_users(server.ctx()).await;
        server
    }

    /// Opens another instance on the same stores and keys and with the same clock.
    pub async fn another(&self, config: Config) -> Self {
        Self::start(self.installation(), config, self.clock.clone()).await
    }

    async fn start(installation: Arc<Installation>, config: Config, clock: Clock) -> Self {
        let running = Box::pin(start(config.clone(), clock.clone(), Mode::Production)).await.unwrap();
        Self { running, backend: installation.backend, clock, http: Http::new(), config, installation }
    }

    /// A second instance on the same stores and keys, with a clock of its own.
    pub async fn second_instance(&self, clock: Clock) -> Running {
        Box::pin(start(self.config.clone(), clock, Mode::Production)).await.unwrap()
    }

    /// Another instance on the same stores and keys, with settings of its own.
    pub async fn instance_with(&self, config: Config) -> Running {
        Box::pin(start(config, self.clock.clone(), Mode::Production)).await.unwrap()
    }

    /// Stops the server and opens it again on what it has kept.
    pub async fn restart(self) -> Self {
        self.running.stop().await;
        let running = Box::pin(start(self.config.clone(), self.clock.clone(), Mode::Production)).await.unwrap();
        Self { running, ..self }
    }

    /// Stops the server. The last instance takes the database away.
    pub async fn close(self) {
        self.running.stop().await;
        if let Some(installation) = Arc::into_inner(self.installation) {
            installation.remove().await;
        }
    }

    /// The stores and keys of this server.
    pub fn installation(&self) -> Arc<Installation> {
        Arc::clone(&self.installation)
    }

    /// The context that the server's rules get.
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

    /// `POST /api/token/blacklist/`.
    pub async fn blacklist(&self, token: &str) -> Answer {
        self.post("/api/token/blacklist/", &[("refresh", token)]).await
    }

    /// A token for the admin API.
    pub async fn admin_token(&self) -> String {
        let (username, password) = ADMIN;
        let body = json!({ "username": username, "password": password, "scope": "tokenhouse:admin" });
        pair(&self.post_json("/api/token/", &body).await).access
    }

    /// Adds a user.
    pub async fn add_user(&self, credentials: (&str, &str), admin: bool) -> User {
        installation::add_user(self.ctx(), credentials, admin).await
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
            proof: Proof { at: ctx.now(), amr: vec!["pwd".to_owned()], acr: Acr::Password },
            browser_session: None,
            claims: Vec::new(),
            confirmation: None,
        };
        let beginning = sessions::begin(ctx, new);
        sessions::settle(ctx, &beginning).await.unwrap();
        let token = tokens::refresh_token(ctx, &beginning.live).unwrap();
        (beginning.session.id, token)
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
        metadata: ClientMetadata {
            grant_types: grants.to_vec(),
            scope: Scope::parse(scope).unwrap(),
            ..ClientMetadata::default()
        },
        secret: None,
    }
}

/// Passwords that cost little, and time limits for a busy machine. No rule is loosened.
fn be_quick_and_patient(config: &mut Config) {
    config.passwords.memory_kib = 64;
    config.passwords.iterations = 1;
    config.database.statement_timeout = config::Duration::seconds(20);
    config.database.acquire_timeout = config::Duration::seconds(20);
    config.redis.command_timeout = config::Duration::seconds(5);
    config.redis.connect_timeout = config::Duration::seconds(5);
    config.shutdown.announce = config::Duration::seconds(0);
}
