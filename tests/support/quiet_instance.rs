//! An instance without background jobs, on the stores and keys of another.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokenhouse::app::{Purpose, open};
use tokenhouse::ctx::SharedCtx;
use tokenhouse::http::pages::Brand;
use tokenhouse::http::{self, Listening};

use crate::test_server::TestServer;

/// An instance without background work: it follows no feed, writes nothing by itself and remembers no ends.
pub struct QuietInstance {
    pub ctx: SharedCtx,
    pub address: SocketAddr,
    server: ServerHandle,
}

impl QuietInstance {
    /// Opens an instance on the stores and keys of `server`.
    pub async fn open(server: &TestServer) -> Self {
        let ctx = Arc::new(open(server.config.clone(), server.clock.clone(), Purpose::Service).await.unwrap());
        if ctx.store.ephemeral.needs_replay().await.unwrap() {
            ctx.store.ephemeral.replayed().await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let draining = Arc::default();
        let listening = Listening { listener, tls: None, workers: 1, drain: Duration::from_secs(1), draining };
        let server = http::public(&ctx, Brand::load(&ctx.config).unwrap()).start(listening).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self { ctx, address, server: handle }
    }

    pub async fn stop(self) {
        self.server.stop(true).await;
        self.ctx.store.database.close().await;
    }
}
