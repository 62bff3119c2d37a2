//! Wakes the reader of the change feed: when this process commits a change, and on PostgreSQL when any instance does
//! (`LISTEN`, and a trigger of the feed). Notifications can be lost with a connection, or in a pooler that does not
//! pass them on, so the feed follower also reads the feed every second.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{Executor, PgPool};
use tokio::time::{sleep, timeout};

use super::Database;
use super::failed::too_slow;

const CHANNEL: &str = "tokenhouse_feed";

/// A connection without notifications for this long may be dead without any error.
const QUIET: Duration = Duration::from_mins(1);

/// How long such a connection may take to answer, and the delay before another is opened.
const PATIENCE: Duration = Duration::from_secs(5);

impl Database {
    /// Waits until something may have changed since the last call. Only one caller may wait at a time.
    pub async fn news(&self) {
        self.db.news().notified().await;
    }

    /// Listens for changes of other instances, without end. Returns at once where the database has no notifications.
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
            // This also covers a lost connection: notifications sent in the meantime did not arrive.
            self.db.news().notify_one();
            match timeout(QUIET, listener.try_recv()).await {
                Ok(heard) => heard.map(drop)?,
                Err(_) => timeout(PATIENCE, listener.execute("select 1")).await.map_err(|_| too_slow())?.map(drop)?,
            }
        }
    }
}
