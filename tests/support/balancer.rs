//! A load balancer as simple as can be: connections go to the instances in turn, and past one that does not answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Balancer {
    pub address: SocketAddr,
    instances: Arc<Mutex<Vec<SocketAddr>>>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Starts in front of no instance yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let instances = Arc::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&instances)));
        Self { address, instances, accepting }
    }

    pub fn lead_to(&self, instances: Vec<SocketAddr>) {
        *self.instances.lock().unwrap() = instances;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, instances: Arc<Mutex<Vec<SocketAddr>>>) {
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut turn = instances.lock().unwrap();
        turn.rotate_left(1);
        let instances = turn.clone();
        drop(turn);
        tokio::spawn(async move {
            for instance in instances {
                if let Ok(mut server) = TcpStream::connect(instance).await {
                    // Either side may end it.
                    drop(copy_bidirectional(&mut client, &mut server).await);
                    return;
                }
            }
        });
    }
}
