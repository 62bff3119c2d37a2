//! A server of a few documents on a port of this machine, which can be made to misbehave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, spawn};
use tokio::time::sleep;

/// What stands at a path.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
    /// What follows the body as long as the connection stands; an empty piece is its end.
    pub(crate) live: Option<broadcast::Sender<String>>,
}

impl Page {
    pub(crate) fn new(body: &(impl ToString + ?Sized)) -> Self {
        Self::octets(body.to_string().into_bytes())
    }

    pub(crate) fn octets(body: Vec<u8>) -> Self {
        Self { status: 200, headers: String::new(), body, delay: Duration::ZERO, live: None }
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

    pub(crate) fn followed_by(self, live: &broadcast::Sender<String>) -> Self {
        Self { live: Some(live.clone()), ..self }
    }
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<String>,
    unchanged: Vec<String>,
    requests: Vec<(String, String)>,
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

    /// The head and the body of each request for this path.
    pub(crate) fn requests(&self, path: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|(asked, _)| asked == path).map(|(_, text)| text.clone()).collect()
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
    let Some(request) = read(&mut stream).await else { return };
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let (page, live) = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        state.requests.push((path.clone(), request.clone()));
        if state.is_cut_off {
            return;
        }
        let page = state.pages.get(&path).cloned().unwrap_or(Page::status(404));
        let live = page.live.as_ref().map(broadcast::Sender::subscribe);
        match header(&request, "if-none-match") {
            Some(tag) if page.headers.contains(tag) => {
                state.unchanged.push(path);
                (Page { body: Vec::new(), status: 304, ..page }, None)
            }
            _ => (page, live),
        }
    };
    sleep(page.delay).await;
    let Page { status, headers, body, .. } = page;
    let length = if live.is_none() { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n{length}{headers}\r\n");
    // Whoever has gone away gets no answer.
    drop(stream.write_all(&[head.as_bytes(), &body].concat()).await);
    let Some(mut live) = live else { return };
    while let Ok(piece) = live.recv().await {
        if piece.is_empty() || stream.write_all(piece.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request: its head, and its body, if it has one.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let length =
        header(std::str::from_utf8(&request).unwrap(), "content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(String::from_utf8([request, body].concat()).unwrap())
}

/// A header of a request.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
