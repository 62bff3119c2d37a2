//! A TCP proxy that breaks things on demand. It runs on a thread of its own and ends with its value.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::wire::Statements;

/// What becomes of what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It passes.
    Pass,
    /// It waits, and neither side is told: a black hole. (Bytes on the way arrive later, as TCP would send them again.)
    Hold,
    /// What is asked passes; the answers wait.
    HoldAnswers,
    /// Every piece comes this much later.
    Delay(Duration),
    /// Every connection is reset, and so is every new one.
    Reset,
    /// The side of the answers is closed, the other one stays open.
    HalfClose,
    /// So many bytes of answers pass on each connection, and no more.
    DropAnswersAfter(usize),
    /// The next `PostgreSQL` statement that begins with these words is cut, once.
    Cut(&'static str, Moment),
}

/// When a statement is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never sees it.
    Before,
    /// It was sent; whether the server read it before the reset is unknown.
    Sent,
    /// The server has done it; the answer is lost.
    Done,
}

/// The proxy.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    way: watch::Sender<Way>,
    cuts: AtomicUsize,
}

impl Proxy {
    /// Leads to `target`.
    pub fn to(target: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            way: watch::Sender::new(Way::Pass),
            cuts: AtomicUsize::default(),
        });
        let (end, ended) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, shared, end: Some(end), thread: Some(thread) }
    }

    /// Leads to `port` of this machine.
    pub fn to_port(port: u16) -> Self {
        Self::to((Ipv4Addr::LOCALHOST, port).into())
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on, for every connection that stands and every new one.
    pub fn set(&self, way: Way) {
        self.shared.way.send_replace(way);
    }

    /// New connections lead there.
    pub fn lead_to_port(&self, port: u16) {
        *self.shared.target.lock().unwrap() = (Ipv4Addr::LOCALHOST, port).into();
    }

    /// How many statements were cut.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(Box::pin(relay(client, Arc::clone(&shared))));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn relay(mut client: TcpStream, shared: Arc<Shared>) {
    let mut way = shared.way.subscribe();
    if way.wait_for(|way| *way != Way::Hold).await.is_err() || *way.borrow() == Way::Reset {
        return reset(&[&client]);
    }
    let target = *shared.target.lock().unwrap();
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(&[&client]) };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let (mut statements, mut passed) = (Statements::default(), 0);
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Reset => return reset(&[&client, &server]),
            Way::HalfClose => drop(client.shutdown().await),
            _ => {}
        }
        tokio::select! {
            biased;
            changed = way.changed() => if changed.is_err() { return },
            read = client.read(&mut asked), if now != Way::Hold => {
                let Some(piece) = piece(read, &asked) else { return };
                let executed = statements.read(piece);
                if let Way::Cut(words, moment) = now
                    && executed.iter().any(|text| text.trim_start().to_lowercase().starts_with(words))
                    && shared.way.send_if_modified(|way| std::mem::replace(way, Way::Pass) == now)
                {
                    cut(&mut server, piece, moment).await;
                    shared.cuts.fetch_add(1, Ordering::SeqCst);
                    return reset(&[&client, &server]);
                }
                wait(now).await;
                if server.write_all(piece).await.is_err() { return reset(&[&client]) }
            }
            read = server.read(&mut answered), if !matches!(now, Way::Hold | Way::HoldAnswers) => {
                let Some(piece) = piece(read, &answered) else { return };
                let passing = match now {
                    Way::HalfClose => 0,
                    Way::DropAnswersAfter(most) => piece.len().min(most.saturating_sub(passed)),
                    _ => piece.len(),
                };
                passed += piece.len();
                wait(now).await;
                if client.write_all(&piece[..passing]).await.is_err() { return }
            }
        }
    }
}

fn piece(read: std::io::Result<usize>, buffer: &[u8]) -> Option<&[u8]> {
    read.ok().filter(|length| *length > 0).map(|length| &buffer[..length])
}

async fn wait(way: Way) {
    if let Way::Delay(time) = way {
        tokio::time::sleep(time).await;
    }
}

async fn cut(server: &mut TcpStream, piece: &[u8], moment: Moment) {
    if moment == Moment::Before {
        return;
    }
    let _ = server.write_all(piece).await;
    if moment == Moment::Done {
        let mut answer = [0; 1024];
        let _ = tokio::time::timeout(Duration::from_secs(5), server.read(&mut answer)).await;
    }
}

/// Resets the connections.
fn reset(connections: &[&TcpStream]) {
    for connection in connections {
        let _ = connection.set_zero_linger();
    }
}
