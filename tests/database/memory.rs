//! What an instance remembers stays true after every write of its own, without a word from whoever wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{
    BrowserSession, Client, ClientState, Consent, CookieDigest, EndReason, Session, User, UserState,
};
use tokenhouse::protocol::Scope;
use tokenhouse::store::sql::Dialect;
use tokenhouse::store::sql::browser_sessions::Exchange;
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::ephemeral::SqlEphemeral;
use tokenhouse::store::sql::users::ProvenPassword;
use tokenhouse::store::{Database, Store};

use crate::test_database::{TestDatabase, of_user, on_each_database};

/// The operations that change something that is remembered.
const WALKED: [&str; 20] = [
    "add_client",
    "add_user",
    "change_password",
    "edit_client",
    "edit_client_secrets",
    "edit_user",
    "end_browser_session",
    "end_session",
    "end_sessions",
    "give_consent",
    "raise_client_not_before",
    "raise_global_not_before",
    "raise_user_not_before",
    "remove_client",
    "remove_user",
    "renew_browser_session",
    "set_client_state",
    "set_password",
    "set_user_state",
    "withdraw_consent",
];

/// The operations that change nothing that is remembered: other rows, new rows, when something was last used, and rows
/// that nothing reads any more.
const NOT_REMEMBERED: [&str; 20] = [
    "begin_browser_session",
    "begin_session",
    "change_keyring",
    "claim_backchannel_logout",
    "drop_status_lists",
    "lease_status_indexes",
    "migrate",
    "note_access_lifetime",
    "pairwise_salt",
    "prune_audit",
    "prune_browser_sessions",
    "prune_feed",
    "prune_revoked_indexes",
    "prune_sessions",
    "record",
    "record_browser_session_use",
    "record_session_use",
    "remove_backchannel_logout",
    "replace_password_hash",
    "set_master_key_check",
];

/// Rows of each kind that an instance remembers.
struct Rows {
    store: Store,
    user: User,
    client: Client,
    browser_session: BrowserSession,
    cookie: CookieDigest,
    session: Session,
}

/// What the rows say, but for when they were last used.
#[derive(Debug, PartialEq)]
struct Known {
    user: Option<User>,
    client: Option<Client>,
    consent: Option<Consent>,
    browser_session: Option<BrowserSession>,
    has_ended: bool,
    global_not_before: Timestamp,
}

fn store_of(server: &TestDatabase, database: Database) -> Store {
    let ephemeral = SqlEphemeral::new(&database, server.clock.clone());
    Store::new(database, Arc::new(ephemeral), 1)
}

impl Rows {
    async fn add(server: &TestDatabase, name: &str) -> Self {
        let (user, client) = (server.user(name).await, server.client(name).await);
        let (browser_session, cookie) = (server.new_browser_session(user.id), CookieDigest::of(server.random.bytes()));
        server.database.begin_browser_session(&browser_session, &cookie, &user, &server.any_entry()).await.unwrap();
        let session = server.session(user.id, &client.id).await;
        let rows =
            Self { store: store_of(server, server.database.clone()), user, client, browser_session, cookie, session };
        server.database.give_consent(&rows.consent(server, "read"), &server.any_entry()).await.unwrap();
        rows
    }

    fn consent(&self, server: &TestDatabase, scope: &str) -> Consent {
        let scope = Scope::parse(scope).unwrap();
        Consent { user_id: self.user.id, client_id: self.client.id.clone(), scope, given_at: server.now() }
    }

    /// By the memory, which reads what it does not hold.
    async fn remembered(&self) -> Known {
        let Self { store, user, client, cookie, session, .. } = self;
        Known {
            user: store.user(user.id).await.unwrap().map(|user| User { last_login_at: None, ..(*user).clone() }),
            client: store.client(&client.id).await.unwrap().as_deref().cloned(),
            consent: store.consent(user.id, &client.id).await.unwrap().as_deref().cloned(),
            browser_session: store.browser_session(cookie).await.unwrap().as_deref().cloned(),
            has_ended: store.memory.has_ended(session.id),
            global_not_before: store.memory.global_not_before(),
        }
    }

    /// By the database.
    async fn stored(&self) -> Known {
        let Self { store: Store { database, .. }, user, client, cookie, session, .. } = self;
        Known {
            user: database.user(user.id).await.unwrap().map(|user| User { last_login_at: None, ..user }),
            client: database.client(&client.id).await.unwrap(),
            consent: database.consent(user.id, &client.id).await.unwrap(),
            browser_session: database.browser_session_by_cookie(cookie).await.unwrap(),
            has_ended: database.session(session.id).await.unwrap().unwrap().ended.is_some(),
            global_not_before: database.global_not_before().await.unwrap(),
        }
    }

    async fn change_user(&self, server: &TestDatabase, operation: &str) -> bool {
        let (database, user, entry, at) = (&server.database, &self.user, server.any_entry(), server.now());
        match operation {
            "add_user" => {
                database.remove_user(user.id, &entry).await.unwrap();
                let again = User { admin: true, ..user.clone() };
                database.add_user(&again, None, &server.any_entry()).await.unwrap();
            }
            "edit_user" => {
                let decide = |user: &User| Ok((User { admin: true, ..user.clone() }, entry));
                database.edit_user(user.id, at, decide).await.unwrap().unwrap();
            }
            "set_password" => assert!(database.set_password(user.id, "new", at, &entry).await.unwrap()),
            "change_password" => {
                let proven = ProvenPassword { user, password_hash: "hash" };
                assert!(database.change_password(&proven, "new", at, &entry).await.unwrap());
            }
            "set_user_state" => {
                assert!(database.set_user_state(user.id, UserState::Disabled, at, &entry).await.unwrap());
            }
            "raise_user_not_before" => assert!(database.raise_user_not_before(user.id, at).await.unwrap()),
            "remove_user" => assert!(database.remove_user(user.id, &entry).await.unwrap()),
            "give_consent" => database.give_consent(&self.consent(server, "write"), &entry).await.unwrap(),
            "withdraw_consent" => {
                assert!(database.withdraw_consent(user.id, &self.client.id, &entry).await.unwrap());
            }
            _ => return false,
        }
        true
    }

    async fn change_client(&self, server: &TestDatabase, operation: &str) -> bool {
        let (database, id, entry, at) = (&server.database, &self.client.id, server.any_entry(), server.now());
        match operation {
            "add_client" => {
                database.remove_client(id, &entry).await.unwrap();
                database.add_client(&server.new_client(id.as_str()), &server.any_entry()).await.unwrap();
            }
            "edit_client" => {
                database.edit_client(id, &entry, |client| Ok((client, ClientTokens::Revoked))).await.unwrap();
            }
            "edit_client_secrets" => {
                let digest = server.random.bytes();
                let secret = tokenhouse::model::ClientSecret { digest, expires_at: None };
                database.edit_client_secrets(id, &entry, |_| Ok(vec![secret])).await.unwrap();
            }
            "set_client_state" => {
                assert!(database.set_client_state(id, ClientState::Disabled, at, &entry).await.unwrap());
            }
            "raise_client_not_before" => {
                assert!(database.raise_client_not_before(id, at, at, ClientTokens::Stay).await.unwrap());
            }
            "remove_client" => assert!(database.remove_client(id, &entry).await.unwrap()),
            "raise_global_not_before" => {
                database.raise_global_not_before(at, at, ClientTokens::Revoked).await.unwrap();
            }
            _ => return false,
        }
        true
    }

    async fn change_session(&self, server: &TestDatabase, operation: &str) -> bool {
        let (database, entry, ended) = (&server.database, server.any_entry(), server.ended(EndReason::Admin));
        match operation {
            "renew_browser_session" => {
                let new = CookieDigest::of(server.random.bytes());
                let cookies = Exchange { previous: &self.cookie, new: &new };
                let renewed = BrowserSession { auth_time: server.now(), ..self.browser_session.clone() };
                let seen = database.user(self.user.id).await.unwrap().unwrap();
                database.renew_browser_session(&renewed, cookies, &seen, &entry).await.unwrap();
            }
            "end_browser_session" => {
                database.end_browser_session(self.browser_session.id, ended, &entry).await.unwrap();
            }
            "end_session" => drop(database.end_session(self.session.id, ended, &entry).await.unwrap()),
            "end_sessions" => {
                let all = of_user(self.user.id);
                database.end_sessions(&all, ended, 10, |_| server.any_entry()).await.unwrap();
            }
            _ => return false,
        }
        true
    }
}

#[tokio::test]
async fn the_memory_is_true_after_every_write_without_an_invalidation_by_the_writer() {
    on_each_database(async |server| {
        for operation in WALKED {
            let rows = Rows::add(server, operation).await;
            let before = rows.remembered().await;
            let statements = server.database.statements();
            assert_eq!(rows.remembered().await, before);
            assert_eq!(server.database.statements(), statements, "{operation}: not all of it was remembered");

            let is_known = rows.change_user(server, operation).await
                || rows.change_client(server, operation).await
                || rows.change_session(server, operation).await;

            assert!(is_known, "{operation} is not walked");
            let stored = rows.stored().await;
            assert_ne!(stored, before, "{operation} changed nothing");
            assert_eq!(rows.remembered().await, stored, "{operation}");
        }
    })
    .await;
}

/// Reads the names of all operations that write from the source, so that a new one has to be put into a list above.
#[test]
fn every_operation_that_writes_is_walked_or_changes_nothing_that_is_remembered() {
    let writing = [
        ".begin()",
        ".begin_migration()",
        ".db.write",
        ".change_user(",
        ".prune_some(",
        ".record_use(",
        ".remove_all(",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql");
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for function in text.split("async fn ").skip(1) {
            let name = function.split(['(', '<']).next().unwrap();
            let is_public = text.contains(&format!("    pub async fn {name}"));
            if is_public && writing.iter().any(|call| function.contains(call)) {
                found.insert(name.to_owned());
            }
        }
    }
    let listed = WALKED.into_iter().chain(NOT_REMEMBERED).map(str::to_owned);
    let listed: BTreeSet<_> = listed.collect();
    assert_eq!(found.difference(&listed).collect::<Vec<_>>(), [""; 0], "in no list");
    assert_eq!(listed.difference(&found).collect::<Vec<_>>(), [""; 0], "no operation that writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_at_the_same_time_never_puts_an_old_row_back() {
    on_each_database(async |server| {
        let rows = Arc::new(Rows::add(server, "alice").await);
        let is_over = Arc::new(AtomicBool::new(false));
        let reading: Vec<_> = (0..3)
            .map(|_| {
                let (rows, is_over) = (Arc::clone(&rows), Arc::clone(&is_over));
                tokio::spawn(async move {
                    while !is_over.load(Ordering::SeqCst) {
                        rows.store.user(rows.user.id).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();

        for n in 1..=100 {
            let mark = Timestamp::from_millis(n);
            server.database.raise_user_not_before(rows.user.id, mark).await.unwrap();
            assert_eq!(rows.store.user(rows.user.id).await.unwrap().unwrap().not_before, mark);
        }

        is_over.store(true, Ordering::SeqCst);
        for reading in reading {
            reading.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_write_that_another_instance_has_made_before_leaves_the_memory_true() {
    on_each_database(async |server| {
        let rows = Rows::add(server, "alice").await;
        let other = Database::connect(&server.settings).await.unwrap();
        rows.remembered().await;
        let (id, at) = (rows.user.id, server.now());
        let admin = |user: &User| Ok((User { admin: true, ..user.clone() }, server.any_entry()));
        other.edit_user(id, at, admin).await.unwrap().unwrap();
        other.withdraw_consent(id, &rows.client.id, &server.any_entry()).await.unwrap();
        other.raise_global_not_before(at, at, ClientTokens::Stay).await.unwrap();
        assert_ne!(rows.remembered().await, rows.stored().await, "nothing was told of it");

        server.database.edit_user(id, at, admin).await.unwrap().unwrap();
        assert!(!server.database.withdraw_consent(id, &rows.client.id, &server.any_entry()).await.unwrap());
        server.database.raise_global_not_before(at, at, ClientTokens::Stay).await.unwrap();

        assert_eq!(rows.remembered().await, rows.stored().await);
        other.close().await;
    })
    .await;
}

/// The memory forgets what may have changed. It does not believe in an end that is not in the database.
#[tokio::test]
async fn a_commit_that_fails_ends_nothing_in_memory_and_leaves_it_true() {
    on_each_database(async |server| {
        let rows = Rows::add(server, "alice").await;
        let (database, before) = (&server.database, rows.remembered().await);
        server.sql(refuse_commits(database.dialect())).await;

        let (id, at) = (rows.user.id, server.now());
        let ended = server.ended(EndReason::Admin);
        assert!(database.end_session(rows.session.id, ended, &server.any_entry()).await.is_err());
        let all = of_user(id);
        assert!(database.end_sessions(&all, ended, 10, |_| server.any_entry()).await.is_err());
        assert!(database.raise_global_not_before(at, at, ClientTokens::Revoked).await.is_err());
        assert!(database.set_user_state(id, UserState::Disabled, at, &server.any_entry()).await.is_err());

        assert!(rows.store.memory.pending().is_empty());
        assert_eq!(rows.stored().await, before);
        server.sql("update users set admin = 1").await;
        assert!(rows.store.user(id).await.unwrap().unwrap().admin, "it was not forgotten");
        server.sql("update users set admin = 0").await;
        database.ping().await.unwrap();
        let Known { has_ended, global_not_before, .. } = rows.remembered().await;
        assert_eq!((has_ended, global_not_before), (false, before.global_not_before));
    })
    .await;
}

#[tokio::test]
async fn an_end_is_remembered_with_its_tombstone_to_be_written_once_it_is_committed() {
    on_each_database(async |server| {
        let rows = Rows::add(server, "alice").await;
        let ended = server.ended(EndReason::Admin);

        server.database.end_session(rows.session.id, ended, &server.any_entry()).await.unwrap();

        assert!(rows.store.memory.has_ended(rows.session.id));
        assert_eq!(rows.store.memory.pending(), [rows.session.id]);
    })
    .await;
}

/// Lets every transaction that writes into the feed fail at its commit.
const fn refuse_commits(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
             create constraint trigger refuse after insert on feed deferrable initially deferred
             for each row execute function refuse()"
        }
        Dialect::Sqlite => {
            "create table parents (id integer primary key);
             create table children (id integer references parents (id) deferrable initially deferred);
             create trigger refuse after insert on feed begin insert into children values (1); end"
        }
    }
}
