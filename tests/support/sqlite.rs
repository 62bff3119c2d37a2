//! A fresh `SQLite` ledger in a folder of its own.

use std::time::Duration;

use tempfile::TempDir;
use tokenhouse::store::Ledger;
use tokenhouse::store::ledger::LedgerSettings;

/// A migrated ledger; it goes with this value.
pub struct SqliteLedger {
    pub ledger: Ledger,
    pub url: String,
    _folder: TempDir,
}

impl SqliteLedger {
    pub async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("tokenhouse.db").display());
        let ledger = Ledger::connect(&settings(&url)).await.unwrap();
        ledger.migrate().await.unwrap();
        Self { ledger, url, _folder: folder }
    }
}

/// Settings for a test's ledger at `url`.
pub fn settings(url: &str) -> LedgerSettings {
    LedgerSettings {
        url: url.to_owned(),
        max_connections: 5,
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    }
}
