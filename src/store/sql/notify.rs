//! When to read the change feed: at once when this process has committed a change, and on PostgreSQL when any instance
//! has (`LISTEN`, and a trigger of the feed). Notifications can be lost, with a connection or in a pooler that does not
//! pass it on, so whoever follows the feed reads it every second besides.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Executor, PgPool};
use tokio::time::{sleep, timeout};

use super::Database;
use super::failed::{failed, too_slow};
use crate::store::StoreError;

/// What the trigger of the feed tells by.
const CHANNEL: &str = "tokenhouse_feed";

/// A connection on which nothing was heard for so long may be dead without anybody's knowing.
const QUIET: Duration = Duration::from_mins(1);

/// How long such a connection may take to prove that it lives, and how long is waited before another is opened.
const PATIENCE: Duration = Duration::from_secs(5);

/// The one connection that listens. It is opened with the first use, and is none of the database's others: these have
/// limits of time that waiting would exceed.
pub(super) fn listening(url: &str) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("tokenhouse feed");
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    Ok(pool.connect_lazy_with(options))
}

impl Database {
    /// Waits until something may have changed since the last call. One may wait at a time.
    pub async fn news(&self) {
        self.db.news().notified().await;
    }

    /// Listens to what other instances change, for good; where that cannot be heard there is nothing to do.
    pub async fn listen(&self) {
        let Some(pool) = &self.listening else { return };
        loop {
            if let Err(error) = self.listen_on(pool).await {
                tracing::debug!(error = %error, "changes of other instances are not heard; the feed is read every second");
            }
            sleep(PATIENCE).await;
        }
    }

    async fn listen_on(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // Also where the connection was lost in between: what was told meanwhile was told to nobody.
            self.db.news().notify_one();
            match timeout(QUIET, listener.try_recv()).await {
                Ok(heard) => heard.map(drop)?,
                Err(_) => timeout(PATIENCE, listener.execute("select 1")).await.map_err(|_| too_slow())?.map(drop)?,
            }
        }
    }
}
