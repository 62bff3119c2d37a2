//! A fresh database on each engine, and the nouns to put into it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::Connection;
use tempfile::TempDir;
use test_support::postgres::{create_database, drop_database, url_of};
use test_support::sqlite;
use tokenhouse::audit::{Actor, AuditEntry, AuditEvent};
use tokenhouse::clock::{Clock, Random, Timestamp};
use tokenhouse::model::{
    Acr, BrowserSession, BrowserSessionId, Client, ClientId, ClientMetadata, ClientState, ClientStatusIndex,
    CookieDigest, EndReason, Ended, EndedSession, Profile, Session, SessionFilter, SessionId, User, UserAgent, UserId,
    UserState,
};
use tokenhouse::protocol::{GrantType, Scope};
use tokenhouse::store::Change;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;
use tokenhouse::store::sql::admission::{BeginOutcome, Snapshot};
use tokenhouse::store::sql::feed::FeedPage;

/// A fresh database.
pub(crate) struct TestDatabase {
    pub(crate) database: Database,
    pub(crate) settings: DatabaseSettings,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    indexes: AtomicI64,
    _folder: Option<TempDir>,
}

/// Runs `test` on each database, with its schema up.
pub(crate) async fn on_each_database(test: impl AsyncFn(&TestDatabase)) {
    on_each_empty_database(async |server| {
        server.database.migrate().await.unwrap();
        test(server).await;
    })
    .await;
}

/// Runs `test` on each database, without a schema.
pub(crate) async fn on_each_empty_database(test: impl AsyncFn(&TestDatabase)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/data/database.db", folder.path().display());
    let server = TestDatabase::open(url, Some(folder)).await;
    test(&server).await;
    server.database.close().await;

    if !is_postgres_there() {
        return;
    }
    let name = create_database().await;
    let server = TestDatabase::open(url_of(&name), None).await;
    test(&server).await;
    server.database.close().await;
    drop_database(&name).await;
}

/// What a reader at `after` gets who reads up to these changes.
pub(crate) fn changes_after(after: i64, changes: impl IntoIterator<Item = Change>) -> FeedPage {
    let numbered: Vec<(i64, Change)> = (after + 1..).zip(changes).collect();
    let index = numbered.last().map_or(after, |(number, _)| *number);
    FeedPage::Changes(numbered, index)
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration; this names the server to test on")]
fn is_postgres_there() -> bool {
    std::env::var_os("TEST_DATABASE_URL").is_some()
}

impl TestDatabase {
    async fn open(url: String, folder: Option<TempDir>) -> Self {
        let settings = DatabaseSettings {
            max_connections: 8,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
            ..sqlite::settings(&url)
        };
        let database = Database::connect(&settings).await.unwrap();
        Self {
            database,
            settings,
            random: Random::default(),
            clock: Clock::system(),
            indexes: AtomicI64::new(1_000_000),
            _folder: folder,
        }
    }

    /// Runs a statement of the test's own.
    pub(crate) async fn sql(&self, sql: &'static str) {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.settings.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn entry(&self, event: AuditEvent) -> AuditEntry {
        AuditEntry { id: self.random.uuid_at(self.now()), at: self.now(), actor: Actor::System, event }
    }

    /// An entry about something, where it does not matter what.
    pub(crate) fn any_entry(&self) -> AuditEntry {
        self.entry(AuditEvent::SignInFailed { user: None })
    }

    pub(crate) fn new_user(&self, username: &str, email: Option<&str>) -> User {
        User {
            id: UserId(self.random.uuid_at(self.now())),
            username: username.to_owned(),
            email: email.map(str::to_owned),
            email_verified: false,
            state: UserState::Active,
            admin: false,
            roles: vec!["reader".to_owned()],
            groups: vec!["staff".to_owned(), "night's watch".to_owned()],
            profile: Profile::default(),
            not_before: Timestamp::default(),
            created_at: self.now(),
            password_changed_at: None,
            last_login_at: None,
        }
    }

    pub(crate) async fn user(&self, username: &str) -> User {
        let user = self.new_user(username, None);
        self.database
            .add_user(&user, Some("hash"), &self.entry(AuditEvent::UserAdded { user: user.id }))
            .await
            .unwrap();
        user
    }

    pub(crate) fn new_client(&self, id: &str) -> Client {
        Client {
            id: id.parse().unwrap(),
            metadata: ClientMetadata {
                client_name: Some("A client".to_owned()),
                grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
                scope: Scope::parse("read write").unwrap(),
                logo_uri: Some("https://app.example/logo.png".to_owned()),
                trusted: true,
                audience: vec!["https://api.example".to_owned()],
                ..ClientMetadata::default()
            },
            state: ClientState::Active,
            status_index: self.indexes.fetch_add(1, Ordering::Relaxed),
            not_before: Timestamp::default(),
            created_at: self.now(),
            previous_access_lifetime: None,
            secrets: Vec::new(),
        }
    }

    pub(crate) async fn client(&self, id: &str) -> Client {
        let client = self.new_client(id);
        let entry = self.entry(AuditEvent::ClientAdded { client: client.id.clone() });
        self.database.add_client(&client, &entry).await.unwrap();
        client
    }

    pub(crate) fn new_session(&self, user: UserId, client: &ClientId) -> Session {
        let now = self.now();
        Session {
            id: SessionId(self.random.uuid_at(now)),
            user_id: user,
            client_id: client.clone(),
            scope: Scope::parse("read").unwrap(),
            audience: vec!["https://api.example".to_owned()],
            status_index: 12,
            user_agent: UserAgent { name: Some("Fire\0fox".to_owned()), address: Some("192.0.2.1".to_owned()) },
            created_at: now,
            last_used_at: now,
            ends_at: now.plus(Duration::from_hours(1)),
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            acr: Acr::MultiFactor,
            browser_session_id: None,
            claims: vec!["name".to_owned()],
            confirmation: None,
            ended: None,
        }
    }

    pub(crate) fn new_browser_session(&self, user: UserId) -> BrowserSession {
        let now = self.now();
        BrowserSession {
            id: BrowserSessionId(self.random.uuid_at(now)),
            user_id: user,
            user_agent: UserAgent { name: Some("Firefox".to_owned()), address: Some("192.0.2.1".to_owned()) },
            created_at: now,
            last_used_at: now,
            ends_at: now.plus(Duration::from_hours(1)),
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            acr: Acr::MultiFactor,
            ended: None,
        }
    }

    pub(crate) async fn browser_session(&self, user: &User) -> BrowserSession {
        let browser_session = self.new_browser_session(user.id);
        let cookie = CookieDigest::of(self.random.bytes());
        let seen = self.database.user(user.id).await.unwrap().unwrap();
        assert_eq!(
            self.database.begin_browser_session(&browser_session, &cookie, &seen, &self.any_entry()).await.unwrap(),
            BeginOutcome::Begun
        );
        browser_session
    }

    pub(crate) async fn session(&self, user: UserId, client: &ClientId) -> Session {
        let session = self.new_session(user, client);
        assert_eq!(self.begin(&session).await, BeginOutcome::Begun);
        session
    }

    pub(crate) async fn begin(&self, session: &Session) -> BeginOutcome {
        let entry = self.entry(AuditEvent::SessionBegan {
            session: session.id,
            user: session.user_id,
            client: session.client_id.clone(),
        });
        self.database.begin_session(session, &self.seen(session.user_id).await, &entry).await.unwrap()
    }

    /// What a sign-in reads of the user, and of a client of this server; another user where there is no such user.
    pub(crate) async fn seen(&self, user: UserId) -> Snapshot {
        as_seen(&self.database.user(user).await.unwrap().unwrap_or_else(|| self.new_user("nobody", None)))
    }

    pub(crate) fn ended(&self, reason: EndReason) -> Ended {
        Ended { at: self.now(), reason }
    }
}

/// What a sign-in has read of a user like this, and of a client of this server.
pub(crate) fn as_seen(user: &User) -> Snapshot {
    Snapshot { user: user.clone(), audience: vec!["https://api.example".to_owned()] }
}

/// The session as the instances learn of its end.
pub(crate) fn ended_session(session: &Session, ended: Ended) -> EndedSession {
    let index = ClientStatusIndex { client_id: session.client_id.clone(), status_index: session.status_index };
    EndedSession { id: session.id, ended, index: Some(index) }
}

pub(crate) fn of_user(user: UserId) -> SessionFilter {
    SessionFilter { user: Some(user), ..SessionFilter::default() }
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
