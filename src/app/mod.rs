//! Builds the running service from its configuration.
//!
//! [`open`] builds the context for the service and for commands, [`serve`] starts the listeners, [`jobs`] run in the
//! background, [`feed_follower`] applies the changes of other instances, and [`demo`] is what `--dev` adds.

pub mod demo;
pub mod feed_follower;
pub mod jobs;
mod log_lines;
mod log_text;
pub mod logging;
pub mod serve;
#[cfg(test)]
mod tests;
pub mod tls;

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

/// What the stores and keys are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The service, which leases status indexes in blocks.
    Service,
    /// A command, which leases one status index at a time.
    Command,
}

/// Why the stores or keys could not be opened. The message names the fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] OpenError),
    /// The settings of outbound requests are unusable.
    #[error("{0}")]
    Outbound(String),
    #[error(transparent)]
    Rule(#[from] Error),
}

/// Runs `work` to completion on a new runtime.
pub fn block_on<F: Future>(work: F) -> F::Output {
    actix_web::rt::System::new().block_on(work)
}

/// Connects the stores, migrates or checks the schema, and opens the keyring.
pub async fn open(config: Config, clock: Clock, purpose: Purpose) -> Result<Ctx, StartError> {
    // The future of a whole start is large, and every command contains it, so it is boxed.
    Box::pin(put_together(config, clock, purpose)).await
}

async fn put_together(config: Config, clock: Clock, purpose: Purpose) -> Result<Ctx, StartError> {
    let random = Random::default();
    let outbound = Outbound::new(&config.outbound).map_err(StartError::Outbound)?;
    let database = open_database(&config).await?;
    let ephemeral = open_ephemeral_store(&config, &database, &clock).await?;
    // Nothing that a key has signed lives longer, so a retired key stays published for this long.
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

/// Connects the database and migrates its schema, or only checks the schema where `database.migrate_at_start` is off.
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

/// Connects the database without a look at its schema.
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
