//! An application's receiver: a tiny HTTP listener that keeps what is posted to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Listens until it is dropped.
pub struct LogoutReceiver {
    pub address: SocketAddr,
    status: Arc<AtomicU16>,
    heard: Mutex<UnboundedReceiver<Heard>>,
    count: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

/// A request.
#[derive(Debug)]
pub struct Heard {
    /// The first line and the headers, as they came.
    pub head: String,
    pub form: BTreeMap<String, String>,
}

/// It answers nothing at all.
pub const SILENCE: u16 = 0;

impl LogoutReceiver {
    /// One that answers with this status.
    pub async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (status, count) = (Arc::new(AtomicU16::new(status)), Arc::new(AtomicUsize::new(0)));
        let (tell, heard) = unbounded_channel();
        let (answers, counts) = (status.clone(), count.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(listen(stream, answers.clone(), tell.clone()));
            }
        });
        Self { address, status, heard: Mutex::new(heard), count, task }
    }

    /// From now on it answers so.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What comes next.
    pub async fn next(&self) -> Heard {
        let mut heard = self.heard.lock().await;
        tokio::time::timeout(Duration::from_secs(20), heard.recv()).await.unwrap().unwrap()
    }

    /// How many connections have come.
    pub fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for LogoutReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut stream: TcpStream, status: Arc<AtomicU16>, tell: UnboundedSender<Heard>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut some = [0; 4096];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&some[..count]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let status = status.load(Ordering::SeqCst);
    let _ = tell.send(Heard { head, form });
    if status == SILENCE {
        tokio::time::sleep(Duration::from_mins(1)).await;
        return;
    }
    let location =
        if status == 307 { format!("location: http://{}/\r\n", stream.local_addr().unwrap()) } else { String::new() };
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n{location}\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}
