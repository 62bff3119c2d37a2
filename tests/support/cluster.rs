//! Instances over one installation: in this process, or as processes of their own. What stands between an instance and
//! its stores, or in front of the instances, is a [`crate::proxy::Proxy`] that the settings name.

use std::net::SocketAddr;
use std::sync::Arc;

use tokenhouse::config::Config;

use crate::installation::{Backend, Installation};
use crate::process::Process;
use crate::test_server::TestServer;

/// Instances that share their stores and keys. `I` is [`TestServer`] or [`Process`].
pub struct Cluster<I> {
    pub installation: Arc<Installation>,
    pub instances: Vec<I>,
}

impl Cluster<TestServer> {
    /// Opens two instances in this process. `settings` is told which instance it is for: 0 or 1.
    pub async fn in_process(backend: Backend, settings: impl Fn(&mut Config, usize)) -> Self {
        let first = TestServer::open(backend, &|config| settings(config, 0)).await;
        let mut config = first.config.clone();
        settings(&mut config, 1);
        let second = first.another(config).await;
        Self { installation: first.installation(), instances: vec![first, second] }
    }

    /// Stops the instances, the first one last, and takes their database away.
    pub async fn close(mut self) {
        drop(self.installation);
        while let Some(instance) = self.instances.pop() {
            instance.close().await;
        }
    }
}

impl Cluster<Process> {
    /// Starts two processes, or one on an embedded store: two on one `SQLite` file would only wait for each other.
    /// `settings` is told which instance it is for: 0 or 1.
    pub async fn of_processes(installation: Installation, settings: impl Fn(&mut Config, usize)) -> Self {
        let count = match installation.backend {
            Backend::Embedded => 1,
            Backend::Servers => 2,
        };
        let mut instances = Vec::new();
        for instance in 0..count {
            let mut config = installation.config.clone();
            settings(&mut config, instance);
            instances.push(Process::start_with(config, installation.path(&format!("{instance}.log"))).await);
        }
        Self { installation: Arc::new(installation), instances }
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.instances.iter().map(|instance| instance.address).collect()
    }

    /// Ends the processes and takes their database away.
    pub async fn close(self) {
        drop(self.instances);
        if let Some(installation) = Arc::into_inner(self.installation) {
            installation.remove().await;
        }
    }
}
