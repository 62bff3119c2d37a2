//! A cluster in this process whose clients record what they ask and are answered.

use serde_json::Value;
use test_support::cluster::Cluster;
use tokenhouse::config::Config;
use tokenhouse::ctx::Ctx;
use tokenhouse::model::PageRequest;
use tokenhouse::store::Database;

use crate::checks::{self, Allowed};
use crate::clients::Instances;
use crate::server::{Backend, TestServer};

/// Two instances, and the clients at both.
pub struct RecordedCluster {
    cluster: Cluster<TestServer>,
    pub instances: Instances,
}

impl RecordedCluster {
    /// Opens both. `settings` is told which instance it is for: 0 or 1.
    pub async fn open(backend: Backend, settings: impl Fn(&mut Config, usize)) -> Self {
        let cluster = Box::pin(Cluster::in_process(backend, settings)).await;
        let addresses: Vec<_> = cluster.instances.iter().map(|instance| instance.running.address).collect();
        Self { cluster, instances: Instances::of(&addresses) }
    }

    /// The first instance.
    pub fn server(&self) -> &TestServer {
        &self.cluster.instances[0]
    }

    /// The second instance.
    pub fn other(&self) -> &TestServer {
        &self.cluster.instances[1]
    }

    /// The context of the first instance.
    pub fn ctx(&self) -> &Ctx {
        self.server().ctx()
    }

    /// The sessions that the audit says were ended for reuse.
    pub async fn reused(&self) -> Vec<String> {
        reused(&self.ctx().store.database).await
    }

    /// Checks every invariant.
    pub async fn check(&self, allowed: Allowed) {
        checks::assert_all(&self.instances.history, allowed, &self.reused().await);
    }

    pub async fn close(self) {
        self.cluster.close().await;
    }
}

/// The sessions that the audit says were ended for reuse, one entry an event.
pub async fn reused(database: &Database) -> Vec<String> {
    let mut sessions = Vec::new();
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    loop {
        let found = database.list_audit(&page).await.unwrap();
        let events: Vec<Value> = found.items.into_iter().map(|record| record.event).collect();
        let reuses = events.iter().filter(|event| event["event"] == "refresh_reused");
        sessions.extend(reuses.map(|event| event["session"].as_str().unwrap().to_owned()));
        page.after = found.next;
        if page.after.is_none() {
            return sessions;
        }
    }
}
