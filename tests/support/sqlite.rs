//! A fresh `SQLite` database in a folder of its own.

use std::time::Duration;

use tempfile::TempDir;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;

/// A migrated database; it goes with this value.
pub struct SqliteDatabase {
    pub database: Database,
    pub url: String,
    _folder: TempDir,
}

impl SqliteDatabase {
    pub async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("tokenhouse.db").display());
        let database = Database::connect(&settings(&url)).await.unwrap();
        database.migrate().await.unwrap();
        Self { database, url, _folder: folder }
    }
}

/// Settings for a test's database at `url`.
pub fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings {
        url: url.to_owned(),
        max_connections: 5,
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    }
}
