//! The one connection to the server, what is known of its health, and the replay gate.
//!
//! The connection is ours and not the driver's `ConnectionManager`, which makes a new one behind our back: here a
//! command knows by which connection it goes out, so none can slip through a new connection before recent ends have
//! been written again, and a connection that has been silent for long is given up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};

use super::breaker::Breaker;
use super::fault::{self, Failure};
use super::settings::RedisSettings;
use crate::store::StoreError;

/// How long a connection may give no answer at all before it is given up for a new one.
const SILENCE: Duration = Duration::from_secs(1);

/// Commands that wait to be written before callers have to wait.
const QUEUE: usize = 1024;

/// The connection, made when it is first needed and again when it was lost.
pub(super) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    state: Mutex<State>,
    /// Held by whoever is connecting, so that one does.
    dialing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    line: Option<MultiplexedConnection>,
    /// Counts lines; a call remembers by which one it went out.
    lines: u64,
    /// Attempts to connect that failed.
    failed_dials: u64,
    breaker: Breaker,
    /// Rises whenever acknowledged writes may have been lost.
    epoch: u64,
    /// The epoch that was last reported as needing a replay.
    reported: Option<u64>,
    /// The epoch whose recent ends have been written again. The gate is open while it is the current one.
    replayed: Option<u64>,
    /// The server that was last seen.
    server: Option<Server>,
}

/// What tells one life of a server from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// `run_id`: changes with every start.
    pub(super) run_id: String,
    /// `master_replid`: changes with every failover.
    pub(super) replication_id: String,
}

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// What must not overtake the replay of recent ends.
    Replayed,
    /// What may.
    Always,
    /// The same, and it asks a server that others have given up.
    Probe,
}

/// A permission to ask the server something, by the line that stands now.
pub(super) struct Call<'a> {
    link: &'a Link,
    number: u64,
    /// The connection.
    pub(super) line: MultiplexedConnection,
}

impl Link {
    /// The link; nothing is connected yet.
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

    /// For what must not overtake the replay of recent ends.
    pub(super) async fn replayed_call(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Replayed).await
    }

    /// For everything else.
    pub(super) async fn call(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Always).await
    }

    /// For the watcher that comes by every second: asks also when others are refused.
    pub(super) async fn probe(&self) -> Result<Call<'_>, StoreError> {
        self.call_as(Pass::Probe).await
    }

    /// Whether recent ends have been written since writes may last have been lost.
    pub(super) fn check_replayed(&self) -> Result<(), StoreError> {
        self.state().check_replayed()
    }

    /// Takes note of the server at the other end of the line. Says whether a replay is needed, and remembers that it
    /// said so.
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

    /// Opens the gate, if nothing was lost since the replay was asked for, and if `server` is still the one.
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
        // Whoever has just connected has passed the breaker already.
        self.try_call(Pass::Probe)?.ok_or_else(|| fault::unavailable("the connection was lost"))
    }

    /// A call by the line that stands, if one does. The gate is never open without a line.
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

    /// Connects, or waits for whoever does.
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
        // Every change to the state is complete before anything could panic.
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

    /// Gives up the line, if it still is number `number`: nobody knows what the server did meanwhile.
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
    /// Which line this call goes by.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The answer, once what it says about the server has been noted.
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
            // All calls on a broken line fail at once; that is one failure.
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

    /// Gives up the line: the server at its end does not take writes, and its name may lead to another by now.
    pub(super) fn hang_up(&self) {
        self.link.state().give_up(self.number);
    }
}
