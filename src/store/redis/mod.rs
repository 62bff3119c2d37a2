//! The ephemeral store in Redis or Valkey (7 or later). Each operation is one atomic step on one key.
//!
//! Keys: `{prefix}s:{session}` holds a rotation record or a tombstone, `o:` one-time values, `m:` remembered keys, `c:`
//! counters. All have an expiry. The store talks to one server (or to a name that resolves to the current primary).
//! URLs of Redis Cluster and Sentinel are not supported.
//!
//! **No command is sent twice.** When an answer does not arrive in time, it is unknown whether the server executed the
//! command, and the caller gets `Unavailable`. After five failures in a row, [`breaker`] refuses calls at once, except
//! for periodic trials.
//!
//! **The replay gate.** A server that was restarted, or a replica that was promoted, may have lost the end of a
//! session. When a connection is lost or another server is seen (`run_id`, `master_replid`), operations that read or
//! write a rotation record (but not the writing of tombstones) therefore answer `Unavailable` until the recent ends
//! have been written again ([`EphemeralStore::needs_replay`], [`EphemeralStore::replayed`]). One gap remains: a server
//! that is exchanged behind a proxy while the connection stays up is noticed only at the next
//! [`EphemeralStore::needs_replay`], about a second later.

mod breaker;
mod fault;
mod link;
mod settings;

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, Pipeline, Script, cmd};

use super::ephemeral::KEPT_AFTER_EXPIRY;
use super::{Advance, CounterState, EphemeralStore, StoreError, TakeOutcome};
use crate::clock::Timestamp;
use crate::model::rotation::TOMBSTONE;
use crate::model::{Generation, RotationRecord, RotationState, SessionId};
use link::{Link, Server};

pub use settings::RedisSettings;

pub struct RedisEphemeral {
    link: Link,
    key_prefix: String,
}

/// Tombstones written in one round trip.
const BATCH: usize = 1000;

static ADVANCE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("advance.lua")));
static LOAD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("load.lua")));
static REPLACE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("replace.lua")));
static TAKE_ONCE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take_once.lua")));
static UPDATE_ONCE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("update_once.lua")));
static COUNT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("count.lua")));

impl RedisEphemeral {
    /// Connects. Fails with [`StoreError::Broken`] if the URL cannot be used. If the server is away, operations answer
    /// [`StoreError::Unavailable`] until it is back.
    pub async fn connect(settings: RedisSettings) -> Result<Self, StoreError> {
        let link = Link::new(&settings)?;
        if settings.url.ends_with("#insecure") {
            tracing::warn!("the Redis URL ends in #insecure: nobody checks that it is our Redis that answers");
        }
        if let Err(error) = link.call().await.map(drop) {
            tracing::warn!(error = %describe(&error), "Redis cannot be reached yet");
        }
        Ok(Self { link, key_prefix: settings.key_prefix })
    }

    fn key(&self, kind: char, name: impl fmt::Display) -> String {
        format!("{}{kind}:{name}", self.key_prefix)
    }

    fn session_key(&self, session: SessionId) -> String {
        self.key('s', session)
    }

    /// Reads the server's identity, and drops the connection if the server is a replica, which takes no writes.
    async fn server(&self) -> Result<(u64, Server), StoreError> {
        let mut call = self.link.probe().await?;
        let mut sections = Pipeline::new();
        sections.cmd("INFO").arg("server").cmd("INFO").arg("replication");
        let answer = sections.query_async::<(String, String)>(&mut call.line).await;
        let (server, replication) = call.heard(answer)?;
        if field(&replication, "role").is_some_and(|role| role != "master") {
            call.hang_up();
            return Err(fault::unavailable("the server is a replica"));
        }
        match (field(&server, "run_id"), field(&replication, "master_replid")) {
            (Some(run_id), Some(replication_id)) => {
                let server = Server { run_id: run_id.to_owned(), replication_id: replication_id.to_owned() };
                Ok((call.number(), server))
            }
            _ => Err(fault::broken("INFO names no run_id and master_replid")),
        }
    }
}

#[async_trait]
impl EphemeralStore for RedisEphemeral {
    async fn advance(&self, session: SessionId, presented: Generation) -> Result<Advance, StoreError> {
        let mut call = self.link.replayed_call().await?;
        let answer = ADVANCE
            .key(self.session_key(session))
            .arg(presented.number)
            .arg(presented.branch)
            .arg(KEPT_AFTER_EXPIRY.as_secs())
            .invoke_async::<(Option<Vec<u8>>, i64, bool)>(&mut call.line)
            .await;
        let (value, now, advanced) = call.heard(answer)?;
        Ok(Advance { session: read_session(session, value)?, advanced, now: Timestamp::from_millis(now) })
    }

    async fn load(&self, session: SessionId) -> Result<(RotationState, Timestamp), StoreError> {
        let mut call = self.link.replayed_call().await?;
        let answer = LOAD.key(self.session_key(session)).invoke_async::<(Option<Vec<u8>>, i64)>(&mut call.line).await;
        let (value, now) = call.heard(answer)?;
        Ok((read_session(session, value)?, Timestamp::from_millis(now)))
    }

    async fn insert(&self, session: SessionId, record: &RotationRecord) -> Result<bool, StoreError> {
        let mut call = self.link.replayed_call().await?;
        let answer = cmd("SET")
            .arg(self.session_key(session))
            .arg(record.encode())
            .arg("NX")
            .arg("PXAT")
            .arg(kept_until(record))
            .query_async(&mut call.line)
            .await;
        call.heard(answer)
    }

    async fn replace(
        &self,
        session: SessionId,
        old: &RotationRecord,
        new: &RotationRecord,
    ) -> Result<bool, StoreError> {
        let mut call = self.link.replayed_call().await?;
        let answer = REPLACE
            .key(self.session_key(session))
            .arg(old.encode())
            .arg(new.encode())
            .arg(kept_until(new))
            .invoke_async(&mut call.line)
            .await;
        call.heard(answer)
    }

    async fn end(&self, sessions: &[SessionId], keep: Duration) -> Result<(), StoreError> {
        for batch in sessions.chunks(BATCH) {
            let mut tombstones = Pipeline::with_capacity(batch.len());
            for session in batch {
                tombstones.add_command(set(self.session_key(*session), TOMBSTONE, keep)).ignore();
            }
            let mut call = self.link.call().await?;
            let answer = tombstones.exec_async(&mut call.line).await;
            call.heard(answer)?;
        }
        Ok(())
    }

    async fn put_once(&self, key: &str, value: &str, keep: Duration) -> Result<bool, StoreError> {
        let mut call = self.link.call().await?;
        let answer = set(self.key('o', key), &format!("f{value}"), keep).arg("NX").query_async(&mut call.line).await;
        call.heard(answer)
    }

    async fn peek(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut call = self.link.call().await?;
        let answer = cmd("GET").arg(self.key('o', key)).query_async::<Option<String>>(&mut call.line).await;
        let Some(value) = call.heard(answer)? else { return Ok(None) };
        match value.strip_prefix(['f', 't']) {
            Some(value) => Ok(Some(value.to_owned())),
            None => Err(StoreError::Corrupt("a one-time value in Redis cannot be read".to_owned())),
        }
    }

    async fn update_once(&self, key: &str, old: &str, new: &str) -> Result<bool, StoreError> {
        let mut call = self.link.call().await?;
        let answer = UPDATE_ONCE.key(self.key('o', key)).arg(old).arg(new).invoke_async(&mut call.line).await;
        call.heard(answer)
    }

    async fn take_once(&self, key: &str) -> Result<TakeOutcome, StoreError> {
        let mut call = self.link.call().await?;
        let answer = TAKE_ONCE.key(self.key('o', key)).invoke_async::<Option<String>>(&mut call.line).await;
        let Some(value) = call.heard(answer)? else { return Ok(TakeOutcome::Absent) };
        match (value.strip_prefix('f'), value.strip_prefix('t')) {
            (Some(fresh), _) => Ok(TakeOutcome::First(fresh.to_owned())),
            (None, Some(taken)) => Ok(TakeOutcome::Again(taken.to_owned())),
            (None, None) => Err(StoreError::Corrupt("a one-time value in Redis cannot be read".to_owned())),
        }
    }

    async fn remember(&self, key: &str, keep: Duration) -> Result<bool, StoreError> {
        let mut call = self.link.call().await?;
        let answer = set(self.key('m', key), "", keep).arg("NX").query_async(&mut call.line).await;
        call.heard(answer)
    }

    async fn remembers(&self, key: &str) -> Result<bool, StoreError> {
        let mut call = self.link.call().await?;
        let answer = cmd("EXISTS").arg(self.key('m', key)).query_async(&mut call.line).await;
        call.heard(answer)
    }

    async fn count(&self, key: &str, window: Duration) -> Result<CounterState, StoreError> {
        let mut call = self.link.call().await?;
        let answer = COUNT.key(self.key('c', key)).arg(millis(window)).invoke_async::<(u64, u64)>(&mut call.line).await;
        let (count, left) = call.heard(answer)?;
        Ok(CounterState { count, resets_in: Duration::from_millis(left) })
    }

    async fn forget(&self, key: &str) -> Result<(), StoreError> {
        let mut both = Pipeline::new();
        both.cmd("DEL").arg(self.key('m', key)).ignore().cmd("DEL").arg(self.key('c', key)).ignore();
        let mut call = self.link.call().await?;
        let answer = both.exec_async(&mut call.line).await;
        call.heard(answer)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut call = self.link.call().await?;
        let answer = cmd("PING").exec_async(&mut call.line).await;
        call.heard(answer)?;
        self.link.check_replayed()
    }

    /// Warns if Redis may evict keys that have not expired. Returns nothing if the server does not report its policy.
    async fn warnings(&self) -> Vec<String> {
        let Ok(mut call) = self.link.call().await else { return Vec::new() };
        let answer = cmd("INFO").arg("memory").query_async::<String>(&mut call.line).await;
        let Ok(memory) = call.heard(answer) else { return Vec::new() };
        match field(&memory, "maxmemory_policy") {
            Some(policy) if policy != "noeviction" => vec![format!(
                "Redis may evict records and tombstones (maxmemory-policy is {policy}); set maxmemory-policy noeviction"
            )],
            _ => Vec::new(),
        }
    }

    /// Does nothing: Redis removes expired keys by itself.
    async fn prune(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns `true` until [`EphemeralStore::replayed`] has followed it with no loss in between, so also at the start.
    async fn needs_replay(&self) -> Result<bool, StoreError> {
        let (line, server) = self.server().await?;
        self.link.note_server(line, server)
    }

    /// Checks the server's identity again first. If it is another server, or away, the gate stays closed and the next
    /// [`EphemeralStore::needs_replay`] returns `true`.
    async fn replayed(&self) {
        if let Ok((line, server)) = self.server().await {
            self.link.note_replayed(line, &server);
        }
    }
}

fn set(key: String, value: &str, keep: Duration) -> Cmd {
    let mut set = cmd("SET");
    set.arg(key).arg(value).arg("PX").arg(millis(keep));
    set
}

/// Converts to whole milliseconds, at least one, and no more than Redis can add to the time.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::from(u32::MAX) * 1000)
}

/// Returns until when `record` is kept, in milliseconds since 1970. Redis accepts no time before 1970.
fn kept_until(record: &RotationRecord) -> i64 {
    record.expires_at.plus(KEPT_AFTER_EXPIRY).millis().max(1)
}

fn read_session(session: SessionId, value: Option<Vec<u8>>) -> Result<RotationState, StoreError> {
    let Some(value) = value else { return Ok(RotationState::Absent) };
    if value == TOMBSTONE.as_bytes() {
        return Ok(RotationState::Ended);
    }
    String::from_utf8(value)
        .ok()
        .and_then(|text| RotationRecord::decode(&text))
        .map(|record| RotationState::Live(Box::new(record)))
        .ok_or_else(|| StoreError::Corrupt(format!("the rotation record of session {session} cannot be read")))
}

/// Returns the value of `name` in an answer to `INFO`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn describe(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

impl fmt::Debug for RedisEphemeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEphemeral").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}
