//! A balancer in front of several instances: each connection goes to the next one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Balancer {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Balancer {
    pub(crate) fn bind() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forwards connections on a thread of its own until the process ends.
    pub(crate) fn serve(&self, instances: Vec<String>) -> Result<()> {
        let listener = self.listener.try_clone()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(pass_on(listener, instances.into())));
        Ok(())
    }
}

async fn pass_on(listener: std::net::TcpListener, instances: Arc<[String]>) -> Result<()> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (mut client, _) = listener.accept().await?;
        let instances = Arc::clone(&instances);
        tokio::spawn(async move {
            let next = NEXT.fetch_add(1, Ordering::Relaxed) % instances.len();
            let mut instance = TcpStream::connect(instances[next].trim_start_matches("http://")).await?;
            client.set_nodelay(true)?;
            instance.set_nodelay(true)?;
            copy_bidirectional(&mut client, &mut instance).await
        });
    }
}
