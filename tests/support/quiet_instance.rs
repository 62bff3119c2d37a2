//! What happens behind a server's back: records that get lost or fall back, and an instance that nobody looks after.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use sqlx::{Connection as _, SqliteConnection};
use tokenhouse::app::{Purpose, open};
use tokenhouse::ctx::SharedCtx;
use tokenhouse::http::pages::Brand;
use tokenhouse::http::{self, Listening};
use tokenhouse::model::{RotationRecord, SessionId};

use crate::support;
use crate::test_server::{Backend, TestServer};

/// An instance without background work: it follows no feed, writes nothing by itself and remembers no ends.
pub struct QuietInstance {
    pub ctx: SharedCtx,
    pub address: SocketAddr,
    server: ServerHandle,
}

impl QuietInstance {
    /// Opens one on the stores and keys of `server`.
    pub async fn open(server: &TestServer) -> Self {
        let ctx = Arc::new(open(server.config.clone(), server.clock.clone(), Purpose::Service).await.unwrap());
        if ctx.store.ephemeral.needs_replay().await.unwrap() {
            ctx.store.ephemeral.replayed().await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let draining = std::sync::Arc::default();
        let listening = Listening { listener, tls: None, workers: 1, drain: Duration::from_secs(1), draining };
        let server = http::public(&ctx, Brand::load(&ctx.config).unwrap()).start(listening).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self { ctx, address, server: handle }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop(true).await;
        self.ctx.store.database.close().await;
    }
}

impl TestServer {
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
                let mut redis = support::redis::raw(self.config.redis.url.as_ref().unwrap().expose()).await;
                let key = format!("{}s:{session}", self.config.redis.key_prefix);
                let lost: u32 = redis::cmd("DEL").arg(key).query_async(&mut redis).await.unwrap();
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
