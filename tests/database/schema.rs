use tokenhouse::store::sql::{DatabaseSettings, Dialect};
use tokenhouse::store::{Database, StoreError};

use crate::test_database::{TestDatabase, millis, on_each_database, on_each_empty_database};

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_at_once_migrate_once() {
    on_each_empty_database(async |server| {
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let settings = server.settings.clone();
                tokio::spawn(async move { Database::connect(&settings).await.unwrap().migrate().await.unwrap() })
            })
            .collect();
        let (mut applied, mut version) = (Vec::new(), 0);
        for start in starting {
            let migrated = start.await.unwrap();
            version = migrated.version;
            applied.extend(migrated.applied);
        }

        let numbers: Vec<i64> = applied.iter().map(|name| name[..4].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=version).collect::<Vec<_>>());
        server.database.check_schema().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_sqlite_files_can_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let settings = sqlite(format!("sqlite://{}/a b/database.db", folder.path().display()));
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let settings = settings.clone();
                tokio::spawn(async move { Database::connect(&settings).await.unwrap().migrate().await.unwrap() })
            })
            .collect();
        for start in starting {
            start.await.unwrap();
        }

        assert!(folder.path().join("a b/database.db").exists());
    }
}

#[tokio::test]
async fn an_empty_database_is_refused_until_it_is_migrated() {
    on_each_empty_database(async |server| {
        assert!(problem(server).await.contains("0001_schema is missing"));

        server.database.migrate().await.unwrap();
        assert!(server.database.migrate().await.unwrap().applied.is_empty());
        server.database.check_schema().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_schema_that_this_program_does_not_know_is_refused_by_name() {
    on_each_database(async |server| {
        server.sql("insert into schema_migrations values (9000, '9000_future', 'x', 0)").await;
        assert!(problem(server).await.contains("newer than this program: it does not know migration 9000_future"));

        server.sql("delete from schema_migrations where version = 9000").await;
        server.sql("update schema_migrations set checksum = 'x' where version = 1").await;
        assert!(problem(server).await.contains("migration 0001_schema was changed"));

        server.sql("update schema_migrations set name = '0001_other' where version = 1").await;
        assert!(problem(server).await.contains("0001_other"));
    })
    .await;
}

#[tokio::test]
async fn a_database_that_cannot_hold_a_database_is_refused() {
    for url in ["sqlite::memory:", "sqlite://x?mode=memory", "sqlite:", "mysql://localhost/x", "database.db", ""] {
        let error = Database::connect(&sqlite(url.to_owned())).await.err().unwrap();
        assert!(matches!(error, StoreError::Broken { .. }), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_does_not_answer() {
    for url in ["postgres://nobody@127.0.0.1:1/x", "sqlite:///proc/nowhere/database.db"] {
        let error = Database::connect(&sqlite(url.to_owned())).await.err().unwrap();
        assert!(matches!(error, StoreError::NotOpened { .. }), "{url}: {error:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_the_sqlite_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let settings = sqlite(format!("sqlite:{}/data/deep/database.db", folder.path().display()));
    let database = Database::connect(&settings).await.unwrap();
    database.migrate().await.unwrap();

    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(database.dialect(), Dialect::Sqlite);
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/deep"), 0o700);
    assert_eq!(mode("data/deep/database.db"), 0o600);
    assert_eq!(mode("data/deep/database.db-wal"), 0o600);
}

async fn problem(server: &TestDatabase) -> String {
    let checked = server.database.check_schema().await.unwrap_err();
    assert!(matches!(checked, StoreError::Corrupt(_)), "{checked:?}");
    if !checked.to_string().contains("missing") {
        assert_eq!(server.database.migrate().await.unwrap_err().to_string(), checked.to_string());
    }
    checked.to_string()
}

fn sqlite(url: String) -> DatabaseSettings {
    DatabaseSettings { url, max_connections: 2, acquire_timeout: millis(3_000), statement_timeout: millis(3_000) }
}
