//! The single connection to the server, the state of its health, and the replay gate.
//!
//! The driver's `ConnectionManager` is not used, because it reconnects without notice. Here each call knows its
//! connection, so no command can use a new connection before recent ends have been written again. A connection that has
//! been silent for too long is given up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};

use super::breaker::Breaker;
use super::fault::{self, Failure};
use super::settings::RedisSettings;
use crate::store::StoreError;

/// How long a connection may give no answer at all before it is given up.
const SILENCE: Duration = Duration::from_secs(1);

/// The number of commands that may be queued for writing before callers wait.
const QUEUE: usize = 1024;

pub(super) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    state: Mutex<State>,
    /// Held while connecting, so that only one caller connects at a time.
    dialing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    line: Option<MultiplexedConnection>,
    /// The number of connections made so far; each call remembers the number of its own.
    lines: u64,
    failed_dials: u64,
    breaker: Breaker,
    /// Increased whenever acknowledged writes may have been lost.
    epoch: u64,
    reported: Option<u64>,
    /// The epoch whose recent ends have been written again. The gate is open while this is the current epoch.
    replayed: Option<u64>,
    /// The server that was last seen.
    server: Option<Server>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// `run_id`, which changes with every start.
    pub(super) run_id: String,
    /// `master_replid`, which changes with every failover.
    pub(super) replication_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// The replay gate and the breaker.
    Replayed,
    /// The breaker only.
    Always,
    /// Neither: the call also asks a server that the breaker has given up.
    Probe,
}

/// A permission to send one command or pipeline over the current connection.
pub(super) struct Call<'a> {
    link: &'a Link,
    number: u64,
    pub(super) line: MultiplexedConnection,
}

impl Link {
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, StoreError> {
        let info = redis::IntoConnectionInfo::into_connection_info(settings.url.as_str())
            .map(|info| {
                let tcp = info.tcp_settings().clone().set_nodelay(true);
                info.set_tcp_settings(tcp)
            })
            .map_err(|error| fault::broken(format!("the Redis URL cannot be used: {error}")))?;
        let client = Client::open(info).map_err(fault::broken)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.command_timeout))
            .set_pipeline_buffer_size(QUEUE);
        Ok(Self { client, config, state: Mutex::default(), dialing: tokio::sync::Mutex::default() })
    }

    /// Returns a call that reads or writes a rotation record, which must not happen before recent ends are written
    /// again.
    pub(super) async fn replayed_call(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Replayed).await
    }

    /// Returns a call for any other operation, the writing of tombstones included.
    pub(super) async fn call(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Always).await
    }

    pub(super) async fn probe(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Probe).await
    }

    pub(super) fn check_replayed(&self) -> Result<(), StoreError> {
        self.state().check_replayed()
    }

    /// Records the server at the other end of the connection. Returns whether a replay is needed, and records that it
    /// was reported.
    pub(super) fn note_server(&self, number: u64, server: Server) -> Result<bool, StoreError> {
        let mut state = self.state();
        if !state.is_line(number) {
            return Err(fault::unavailable("the connection was lost"));
        }
        if state.server.as_ref() != Some(&server) {
            if state.server.is_some() {
                tracing::warn!("another Redis answers now, or it was restarted; recent ends are written again");
            }
            state.server = Some(server);
            state.epoch += 1;
        }
        if state.is_open() {
            return Ok(false);
        }
        state.reported = Some(state.epoch);
        Ok(true)
    }

    /// Opens the gate if nothing was lost since the replay was reported, and if `server` is still the same.
    pub(super) fn note_replayed(&self, number: u64, server: &Server) {
        let mut state = self.state();
        let same = state.is_line(number) && state.server.as_ref() == Some(server);
        if same && state.reported == Some(state.epoch) {
            state.replayed = state.reported;
        }
    }

    async fn call_as(&self, pass: Pass) -> Result<Call<'_>, StoreError> {
        if let Some(call) = self.try_call(pass)? {
            return Ok(call);
        }
        self.dial().await?;
        // The caller that has just connected has already passed the breaker.
        self.try_call(Pass::Probe)?.ok_or_else(|| fault::unavailable("the connection was lost"))
    }

    /// Returns a call over the current connection, if there is one. The gate is never open without a connection.
    fn try_call(&self, pass: Pass) -> Result<Option<Call<'_>>, StoreError> {
        let mut state = self.state();
        if pass == Pass::Replayed {
            state.check_replayed()?;
        }
        if pass != Pass::Probe && !state.breaker.admits() {
            return Err(fault::unavailable("it did not answer lately"));
        }
        let number = state.lines;
        Ok(state.line.clone().map(|line| Call { link: self, number, line }))
    }

    /// Connects, or waits for the caller that is connecting.
    async fn dial(&self) -> Result<(), StoreError> {
        let before = self.state().failed_dials;
        let _turn = self.dialing.lock().await;
        {
            let state = self.state();
            if state.line.is_some() {
                return Ok(());
            }
            if state.failed_dials != before {
                return Err(fault::unavailable("it cannot be connected to"));
            }
        }
        let dialed = self.client.get_multiplexed_async_connection_with_config(&self.config).await;
        let mut state = self.state();
        match dialed {
            Ok(line) => {
                state.lines += 1;
                state.line = Some(line);
                Ok(())
            }
            Err(error) => {
                state.failed_dials += 1;
                state.count_failure();
                Err(fault::unreachable(error))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change to the state is complete before any code could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_open(&self) -> bool {
        self.replayed == Some(self.epoch)
    }

    fn check_replayed(&self) -> Result<(), StoreError> {
        if self.is_open() { Ok(()) } else { Err(fault::unavailable("recent ends are being written again")) }
    }

    fn is_line(&self, number: u64) -> bool {
        self.line.is_some() && self.lines == number
    }

    /// Gives up the connection, if it still is number `number`: it is unknown what the server did meanwhile.
    fn give_up(&mut self, number: u64) -> bool {
        if !self.is_line(number) {
            return false;
        }
        self.line = None;
        self.epoch += 1;
        true
    }

    fn count_failure(&mut self) {
        if self.breaker.failed() {
            tracing::warn!("Redis does not answer; calls are refused until it does");
        }
    }
}

impl Call<'_> {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the answer, after recording what it says about the server.
    pub(super) fn heard<T>(&self, answer: RedisResult<T>) -> Result<T, StoreError> {
        let mut state = self.link.state();
        match answer.as_ref().err().map_or(Failure::Answered, fault::failure) {
            Failure::Answered => {
                if state.breaker.answered() {
                    tracing::info!("Redis answers again");
                }
            }
            Failure::Silent if !state.is_line(self.number) => {}
            Failure::Silent => {
                state.count_failure();
                if state.breaker.silence() >= SILENCE {
                    state.give_up(self.number);
                }
            }
            // All calls on a broken connection fail at once; that counts as one failure.
            Failure::Lost => {
                if state.give_up(self.number) {
                    tracing::warn!("the connection to Redis was lost; recent ends are written again");
                    state.count_failure();
                }
            }
        }
        drop(state);
        answer.map_err(fault::refused)
    }

    /// Gives up the connection: its server takes no writes, and its name may resolve to another server by now.
    pub(super) fn hang_up(&self) {
        self.link.state().give_up(self.number);
    }
}
