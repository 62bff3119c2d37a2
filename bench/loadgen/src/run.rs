//! The event loop: one thread, one poll, one state machine a connection.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll};
use serde_json::Value;

use crate::expected::Expected;
use crate::http;
use crate::message::{Message, Prepared};
use crate::process;
use crate::stats::Stats;

pub(crate) struct Plan {
    pub(crate) message: Message,
    /// The criteria of a good answer. An answer with a token is good when its status is one of success.
    pub(crate) expected: Expected,
    pub(crate) token: Option<Token>,
    pub(crate) connections: usize,
    pub(crate) warmup: Duration,
    pub(crate) duration: Duration,
    pub(crate) most: u32,
    pub(crate) pid: Option<u32>,
    /// The longest sleep while there is no answer.
    pub(crate) patience: Duration,
}

/// How virtual clients get their tokens.
pub(crate) struct Token {
    /// The request for the first token.
    pub(crate) seed: Message,
    /// The JSON pointer to the next token in an answer.
    pub(crate) pointer: String,
    pub(crate) clients: usize,
}

pub(crate) struct Outcome {
    stats: Stats,
    measured: Duration,
    /// The processor time of the server in the measured time.
    spent: Option<Duration>,
    reconnects: u32,
}

/// How long to wait for outstanding answers when the time is over.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Seed,
    Warmup,
    Measure,
    Drain,
}

struct Connection {
    stream: TcpStream,
    connected: bool,
    out: Vec<u8>,
    sent: usize,
    input: Vec<u8>,
    filled: usize,
    in_flight: Option<InFlight>,
    clients: Vec<Client>,
    /// The index of the next virtual client.
    turn: usize,
}

#[derive(Default)]
struct Client {
    number: usize,
    token: String,
}

struct InFlight {
    client: usize,
    since: Instant,
    seeding: bool,
    measured: bool,
}

pub(crate) struct Runner<'plan> {
    plan: &'plan Plan,
    address: SocketAddr,
    request: Prepared,
    seed: Option<Prepared>,
    connections: Vec<Connection>,
    poll: Poll,
    scratch: String,
    phase: Phase,
    sent: u32,
    stats: Stats,
    reconnects: u32,
}

impl<'plan> Runner<'plan> {
    pub(crate) fn new(plan: &'plan Plan) -> Result<Self> {
        let address = plan.message.address()?;
        let seed = plan.token.as_ref().map(|token| &token.seed);
        ensure!(
            seed.is_none_or(|seed| seed.address().is_ok_and(|seed| seed == address)),
            "one address for all requests"
        );
        let poll = Poll::new()?;
        let clients = plan.token.as_ref().map_or(plan.connections, |token| token.clients);
        let connections = (0..plan.connections)
            .map(|position| {
                let own = (position..clients).step_by(plan.connections);
                let clients = own.map(|number| Client { number, token: String::new() }).collect();
                Connection::open(&poll, address, position, clients)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            plan,
            address,
            request: plan.message.prepare()?,
            seed: seed.map(Message::prepare).transpose()?,
            connections,
            poll,
            scratch: String::new(),
            phase: if plan.token.is_some() { Phase::Seed } else { Phase::Warmup },
            sent: 0,
            stats: Stats::new()?,
            reconnects: 0,
        })
    }

    pub(crate) fn run(mut self) -> Result<Outcome> {
        let mut events = Events::with_capacity(1024);
        let mut since = now();
        let mut measured = Duration::ZERO;
        let mut spent = None;
        loop {
            let in_phase = since.elapsed();
            let next = match self.phase {
                Phase::Seed if self.all_seeded() => Some(Phase::Warmup),
                Phase::Warmup if in_phase >= self.plan.warmup => Some(Phase::Measure),
                Phase::Measure if in_phase >= self.plan.duration || self.sent >= self.plan.most => {
                    measured = in_phase;
                    spent = self.server_time()?.zip(spent).map(|(end, start)| end.saturating_sub(start));
                    Some(Phase::Drain)
                }
                Phase::Drain if self.is_quiet() || in_phase > PATIENCE => {
                    return Ok(Outcome { stats: self.stats, measured, spent, reconnects: self.reconnects });
                }
                _ => None,
            };
            if let Some(next) = next {
                if next == Phase::Measure {
                    spent = self.server_time()?;
                }
                self.phase = next;
                since = now();
                self.wake_all()?;
            }
            match self.poll.poll(&mut events, Some(self.plan.patience)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.context("waiting for sockets")?,
            }
            for event in &events {
                self.advance(event.token().0)?;
            }
        }
    }

    fn server_time(&self) -> Result<Option<Duration>> {
        self.plan.pid.map(process::time).transpose()
    }

    fn all_seeded(&self) -> bool {
        let has_token = |client: &Client| !client.token.is_empty();
        self.connections.iter().all(|connection| connection.clients.iter().all(has_token))
    }

    fn is_quiet(&self) -> bool {
        self.connections.iter().all(|connection| connection.in_flight.is_none())
    }

    /// Advances all connections, because one that had nothing to send may have something in the new phase.
    fn wake_all(&mut self) -> Result<()> {
        for position in 0..self.connections.len() {
            if self.connections[position].connected && self.connections[position].in_flight.is_none() {
                self.start_next(position)?;
            }
        }
        Ok(())
    }

    /// Advances one connection as far as possible without blocking.
    fn advance(&mut self, position: usize) -> Result<()> {
        if !self.connections[position].connected {
            return self.finish_connecting(position);
        }
        self.connections[position].flush()?;
        self.read(position)
    }

    fn finish_connecting(&mut self, position: usize) -> Result<()> {
        let connection = &mut self.connections[position];
        if let Some(error) = connection.stream.take_error()? {
            bail!("connecting to {}: {error}", self.address);
        }
        match connection.stream.peer_addr() {
            Ok(_) => connection.connected = true,
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if connection.in_flight.is_some() { connection.flush() } else { self.start_next(position) }
    }

    fn read(&mut self, position: usize) -> Result<()> {
        loop {
            let connection = &mut self.connections[position];
            let Some(eof) = connection.fill()? else { return Ok(()) };
            if connection.in_flight.is_none() {
                // The server has closed an idle connection.
                ensure!(eof, "bytes without a request");
                return self.reopen(position);
            }
            match http::parse(&connection.input[..connection.filled], eof)? {
                Some(response) => return self.finish(position, &response),
                // A keep-alive connection that was closed under a fresh request: it is sent again on a new one.
                None if eof && connection.filled == 0 => return self.reopen(position),
                None if eof => {
                    if connection.in_flight.take().is_some_and(|flight| flight.measured) {
                        self.stats.broken_off();
                    }
                    return self.reopen(position);
                }
                None => {}
            }
        }
    }

    fn finish(&mut self, position: usize, response: &http::Response) -> Result<()> {
        let connection = &mut self.connections[position];
        let flight = connection.in_flight.take().context("a response without a request")?;
        let body = response.body.bytes(&connection.input);
        let good = self.plan.expected.is(response);
        if flight.measured {
            self.stats.record(flight.since.elapsed());
            if !good {
                self.stats.refused(response, body);
            }
        }
        ensure!(good || !flight.seeding, "no first token: {} {}", response.status, String::from_utf8_lossy(body));
        if let (Some(token), true) = (&self.plan.token, good) {
            let body: Value = serde_json::from_slice(body).context("the response is not JSON")?;
            let new = body.pointer(&token.pointer).and_then(Value::as_str).context("no token in the response")?;
            let client = &mut connection.clients[flight.client];
            if flight.measured && client.token != new {
                self.stats.rotated();
            }
            new.clone_into(&mut client.token);
        }
        if response.close {
            return self.reopen(position);
        }
        connection.input.copy_within(response.len..connection.filled, 0);
        connection.filled -= response.len;
        ensure!(connection.filled == 0, "more bytes than one response");
        self.start_next(position)
    }

    fn start_next(&mut self, position: usize) -> Result<()> {
        if self.phase == Phase::Drain || self.sent >= self.plan.most {
            return Ok(());
        }
        let connection = &mut self.connections[position];
        let seeding = self.phase == Phase::Seed;
        let client = if seeding {
            let without = connection.clients.iter().position(|client| client.token.is_empty());
            let Some(without) = without else { return Ok(()) };
            without
        } else {
            connection.turn = (connection.turn + 1) % connection.clients.len();
            connection.turn
        };
        let request = if seeding { self.seed.as_ref().context("a seed")? } else { &self.request };
        let Client { number, token } = &connection.clients[client];
        request.write(&mut connection.out, &mut self.scratch, token, *number)?;
        connection.sent = 0;
        self.sent += 1;
        connection.in_flight = Some(InFlight { client, since: now(), seeding, measured: self.phase == Phase::Measure });
        connection.flush()
    }

    fn reopen(&mut self, position: usize) -> Result<()> {
        self.reconnects += 1;
        let clients = std::mem::take(&mut self.connections[position].clients);
        let mut new = Connection::open(&self.poll, self.address, position, clients)?;
        let old = &mut self.connections[position];
        std::mem::swap(&mut new.out, &mut old.out);
        new.in_flight = old.in_flight.take();
        new.turn = old.turn;
        *old = new;
        Ok(())
    }
}

impl Connection {
    fn open(poll: &Poll, address: SocketAddr, position: usize, clients: Vec<Client>) -> Result<Self> {
        let mut stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        // A failure here affects only speed.
        stream.set_nodelay(true).ok();
        poll.registry().register(&mut stream, mio::Token(position), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            connected: false,
            out: Vec::with_capacity(4096),
            sent: 0,
            input: vec![0; 16 * 1024],
            filled: 0,
            in_flight: None,
            clients,
            turn: position,
        })
    }

    fn flush(&mut self) -> Result<()> {
        while self.connected && self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if is_closed(&error) => return Ok(()), // the read that follows sees the end
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads the available bytes. `None` when there are none yet; otherwise whether the server has closed.
    fn fill(&mut self) -> Result<Option<bool>> {
        if self.filled == self.input.len() {
            self.input.resize(self.input.len() * 2, 0);
        }
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(count) => {
                self.filled += count;
                Ok(Some(count == 0))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) if is_closed(&error) => Ok(Some(true)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Outcome {
    /// Returns the report as one JSON object.
    pub(crate) fn report(&self) -> Value {
        let mut report = self.stats.report(self.measured, self.spent);
        report["reconnects"] = self.reconnects.into();
        report
    }
}

fn is_closed(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
}

#[expect(clippy::disallowed_methods, reason = "latencies are what this program is for")]
fn now() -> Instant {
    Instant::now()
}
