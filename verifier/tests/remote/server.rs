//! A server of a few documents on a port of this machine, which can be made to misbehave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, spawn};
use tokio::time::sleep;

/// What stands at a path.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
    pub(crate) delay: Duration,
}

impl Page {
    pub(crate) fn new(body: &(impl ToString + ?Sized)) -> Self {
        Self { status: 200, headers: String::new(), body: body.to_string(), delay: Duration::ZERO }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::new("") }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(crate) fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<String>,
    unchanged: Vec<String>,
    is_cut_off: bool,
}

pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let served = Arc::clone(&state);
        let accepting = spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn(answer(stream, Arc::clone(&served)));
            }
        });
        Self { url, state, accepting }
    }

    pub(crate) fn put(&self, path: &str, page: Page) {
        self.state.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// Lets every request fail, until `false`.
    pub(crate) fn cut_off(&self, is_cut_off: bool) {
        self.state.lock().unwrap().is_cut_off = is_cut_off;
    }

    /// How often this path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| *asked == path).count()
    }

    /// How often the answer was that nothing has changed.
    pub(crate) fn unchanged(&self, path: &str) -> usize {
        self.state.lock().unwrap().unchanged.iter().filter(|asked| *asked == path).count()
    }

    /// How often anything was asked for.
    pub(crate) fn asked_at_all(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let page = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        if state.is_cut_off {
            return;
        }
        let page = state.pages.get(&path).cloned().unwrap_or(Page::status(404));
        match head.lines().find_map(|line| line.strip_prefix("if-none-match: ")) {
            Some(tag) if page.headers.contains(tag) => {
                state.unchanged.push(path);
                Page { body: String::new(), status: 304, ..page }
            }
            _ => page,
        }
    };
    sleep(page.delay).await;
    let length = page.body.len();
    let Page { status, headers, body, .. } = page;
    let text = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    // Whoever has gone away gets no answer.
    drop(stream.write_all(text.as_bytes()).await);
}
