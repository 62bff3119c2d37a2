//! Configuration in, running service out.
//!
//! [`open`] puts the context together for the service and for commands alike, [`serve`] starts the listeners,
//! [`upkeep`] is what happens in the background, [`demo`] is what `--dev` adds.

pub mod demo;
mod log_lines;
mod log_text;
pub mod logging;
pub mod serve;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod upkeep;

use std::future::Future;
use std::sync::Arc;

use tokenhouse_verifier::Verifier;

use crate::broadcast::Broadcast;
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::keys::{Keyring, OpenError};
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::outbound::Outbound;
use crate::passwords::Hasher;
use crate::status_lists::StatusLists;
use crate::store::redis::{RedisEphemeral, RedisSettings};
use crate::store::sql::DatabaseSettings;
use crate::store::sql::ephemeral::SqlEphemeral;
use crate::store::{Database, EphemeralStore, Store, StoreError};

/// Who opens the stores and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The service: leases status indexes in the status lists by the block.
    Service,
    /// A command that ends soon.
    Command,
}

/// Why the stores or keys could not be opened. The message names what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A store does not answer or holds something else.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring cannot be opened.
    #[error(transparent)]
    Keys(#[from] OpenError),
    /// The settings for calls to others cannot be used.
    #[error("{0}")]
    Outbound(String),
    /// A rule refused what the start needs.
    #[error(transparent)]
    Rule(#[from] Error),
}

/// Runs `work` to its end on a runtime of its own.
pub fn block_on<F: Future>(work: F) -> F::Output {
    actix_web::rt::System::new().block_on(work)
}

/// Connects the stores, brings the schema up, opens the keyring.
///
/// # Errors
/// [`StartError`]; nothing was started then.
pub async fn open(config: Config, clock: Clock, purpose: Purpose) -> Result<Ctx, StartError> {
    // On the heap: the future of a whole start is large, and every command holds it.
    Box::pin(put_together(config, clock, purpose)).await
}

async fn put_together(config: Config, clock: Clock, purpose: Purpose) -> Result<Ctx, StartError> {
    let random = Random::default();
    let outbound = Outbound::new(&config.outbound).map_err(StartError::Outbound)?;
    let database = open_database(&config).await?;
    let ephemeral = open_ephemeral_store(&config, &database, &clock).await?;
    // What a key signed lives at most this long; a retired key stays published for it.
    let longest_lifetime = MAX_ACCESS_LIFETIME;
    let keys = Keyring::open(&config.keys, longest_lifetime, database.clone(), clock.clone(), random.clone()).await?;
    let lease = match purpose {
        Purpose::Service => 1024,
        Purpose::Command => 1,
    };
    let pairwise_salt = database.pairwise_salt(random.bytes()).await?;
    let ctx = Ctx {
        verifier: Verifier::dangerous_any_audience(config.issuer.clone()),
        passwords: Hasher::start(&config.passwords),
        store: Store::new(database, ephemeral, lease),
        status_lists: StatusLists::new(&config.issuer, config.keys.access_token_algorithm),
        keys,
        pairwise_salt,
        outbound,
        broadcast: Broadcast::default(),
        clock,
        random,
        config,
    };
    ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?);
    Ok(ctx)
}

/// Connects the database and brings its schema up, or checks it where the configuration says so.
///
/// # Errors
/// [`StoreError`] when the database does not answer or its schema is not this program's.
pub async fn open_database(config: &Config) -> Result<Database, StoreError> {
    let database = connect_database(config).await?;
    if config.database.migrate_at_start {
        let migrated = database.migrate().await?;
        for name in &migrated.applied {
            tracing::info!(migration = name, "migration applied");
        }
    } else {
        database.check_schema().await?;
    }
    Ok(database)
}

/// Connects the database, whatever its schema is.
///
/// # Errors
/// [`StoreError`] when the database does not answer.
pub async fn connect_database(config: &Config) -> Result<Database, StoreError> {
    Database::connect(&DatabaseSettings {
        url: config.database.url.expose().to_owned(),
        max_connections: config.database.max_connections,
        acquire_timeout: config.database.acquire_timeout.get(),
        statement_timeout: config.database.statement_timeout.get(),
    })
    .await
}

async fn open_ephemeral_store(
    config: &Config,
    database: &Database,
    clock: &Clock,
) -> Result<Arc<dyn EphemeralStore>, StoreError> {
    let Some(url) = &config.redis.url else { return Ok(Arc::new(SqlEphemeral::new(database, clock.clone()))) };
    let settings = RedisSettings {
        url: url.expose().to_owned(),
        key_prefix: config.redis.key_prefix.clone(),
        connect_timeout: config.redis.connect_timeout.get(),
        command_timeout: config.redis.command_timeout.get(),
    };
    Ok(Arc::new(RedisEphemeral::connect(settings).await?))
}
