//! The rotation records of a [`TestServer`]: read, made older, lost, and rolled back.

use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tokenhouse::model::{RotationRecord, RotationState, SessionId};
use tokenhouse::tokens;

use crate::installation::Backend;
use crate::test_server::TestServer;

impl TestServer {
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

    /// The ephemeral store forgets what it had of the session, a tombstone too.
    pub async fn lose_record(&self, session: SessionId) {
        match self.backend {
            Backend::Embedded => {
                let mut database = SqliteConnection::connect(self.config.database.url.expose()).await.unwrap();
                let lose = sqlx::query("delete from rotation_records where session_id = $1").bind(session.to_string());
                assert_eq!(lose.execute(&mut database).await.unwrap().rows_affected(), 1);
                database.close().await.unwrap();
            }
            Backend::Servers => {
                let mut redis = crate::redis::raw(self.config.redis.url.as_ref().unwrap().expose()).await;
                let key = format!("{}s:{session}", self.config.redis.key_prefix);
                let lost: u32 = ::redis::cmd("DEL").arg(key).query_async(&mut redis).await.unwrap();
                assert_eq!(lost, 1);
            }
        }
    }

    /// The ephemeral store falls back to `previous`, as after a failover to a replica that lagged behind.
    pub async fn roll_back(&self, session: SessionId, previous: &RotationRecord) {
        let newest = self.record(session).await;
        assert!(self.ctx().store.ephemeral.replace(session, &newest, previous).await.unwrap());
    }
}
